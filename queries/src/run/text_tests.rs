//! Texts compared with each other, and words found in them.

use super::tests::{lines, lines_in, refused, snapshot_of};
use crate::Context;

#[test]
fn texts_are_compared_and_searched() {
    let houses: [(&str, &[(&str, &str)]); 5] = [
        ("1101", &[("name", "迎泽大街 12号"), ("owner", "Wang")]),
        ("1101", &[("name", "Wang"), ("owner", "Wang")]),
        ("1102", &[("name", "大街")]),
        ("1201", &[("owner", "wang wu")]),
        ("1201", &[("name", ""), ("owner", "")]),
    ];
    let spells: &[(&str, &str)] = &[("2026-01-01", "")];
    let (_folder, snapshot) = snapshot_of(&houses, &[spells, spells, spells, spells]);
    let ask = |text: &str| lines(&snapshot, text);
    assert_eq!(ask("from house by name = owner"), ["false 1", "true 2", "? 2"]);
    assert_eq!(ask("from lease by house.name != house.owner"), ["false 1", "true 1", "? 2"]);
    assert_eq!(
        ask("from lease where id = house.id or id != house.name select id"),
        ["l0_0", "l1_0", "l2_0"]
    );
    assert_eq!(ask("from house by matches(name, '大街')"), ["false 2", "true 2", "? 1"]);
    assert_eq!(ask("from house where matches(name, '12 迎泽') select id"), ["h0"]);
    assert_eq!(ask("from house where matches(owner, 'WANG') select id"), ["h0", "h1", "h3"]);
    assert_eq!(ask("from lease where not matches(house.owner, 'wu') select id"), ["l0_0", "l1_0"]);
    for (text, says) in [
        ("matches(name, ' - ')", "no letter or digit to look for"),
        ("matches(rent, 'a')", "looks in a text column"),
        ("matches(name)", "takes a text column and words"),
        ("name < owner", "no `<` of a text and a text"),
    ] {
        let error = refused(&snapshot, &format!("from house where {text}"));
        assert!(error.contains(says), "{text}: {error}");
    }
    // An index that leaves some out leaves them out; of a later version it is not asked.
    struct Words(u64);
    impl crate::TextIndex for Words {
        fn candidates(
            &self,
            version: u64,
            table: &str,
            column: &str,
            pattern: &crate::wording::Pattern,
        ) -> crate::Result<Option<crate::Candidates>> {
            assert_eq!(
                (table, column, pattern.terms()[0].as_slice()),
                ("house", "owner", &["wang".to_owned()][..])
            );
            let keys = ["h3", "h0", "h4"].map(str::to_owned).to_vec();
            Ok((version >= self.0).then_some(crate::Candidates { version: self.0, keys }))
        }
    }
    let text = "from house by matches(owner, 'wang')";
    let found =
        |version: u64| lines_in(&snapshot, text, &Context::default().texts(&Words(version)));
    assert_eq!(found(snapshot.version()), ["false 2", "true 2", "? 1"]);
    // What was written later is looked at in any case.
    assert_eq!(found(snapshot.version() - 1), ["false 1", "true 3", "? 1"]);
    assert_eq!(found(snapshot.version() + 1), ["false 1", "true 3", "? 1"]);
}
