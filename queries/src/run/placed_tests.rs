//! Maps: what is told from borders to columns is what groups tell.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use super::borders_tests::{asked, written};
use super::tests::column;
use crate::{Answer, Limits, Plan, Query};

/// What is asked of every place.
const MEASURES: [&str; 6] = [
    "measure n = count()",
    "measure rate = per(1000, count(where walls has any (red)), count()), n = count()",
    "measure n = count(where walls has any (red)) - count(where doors has any (grey)), \
     m = -count(), k = count() * 3 - 1",
    "measure rate = per(100, count(), count(where walls has all (red, blue)))",
    "measure f = count(where walls has any (red)) / count(where walls has any (blue)), \
     g = count() / count(where walls has all (red, blue)) * 2.5 - count(), n = count()",
    "measure n = count(), part = share(count())",
];

/// Which places are kept, and in which order.
const KEPT: [&str; 8] = [
    "",
    "limit 2",
    "limit 2 offset 1",
    "offset 3",
    "order -first",
    "order first, -PLACE limit 3",
    "having first > 20 order -first, PLACE limit 2 offset 1",
    "having first is known and not (first < 3 or first > 400) order -PLACE",
];

#[test]
fn a_map_is_what_its_groups_are() {
    let (_folder, snapshot, _) = written();
    let plain = Limits { indexes: false, ..Limits::default() };
    for from in ["from room", "from room where place within (1101, 12)", "from house"] {
        for place in ["place.city", "place.street", "place"] {
            for measures in MEASURES {
                for kept in KEPT {
                    let own = if from == "from house" { "measure n = count()" } else { measures };
                    let first = own.split_whitespace().nth(1).unwrap();
                    let kept = kept.replace("first", first).replace("PLACE", place);
                    let text = format!("{from} by {place} {own} {kept}");
                    let expected = asked(&snapshot, &text, None, &plain);
                    for threads in 1..=3 {
                        let limits = Limits { threads, ..Limits::default() };
                        let found = asked(&snapshot, &text, None, &limits);
                        assert_eq!(found, expected, "{text}, {threads}");
                    }
                }
            }
        }
    }
}

fn lines(answer: &Answer) -> Vec<(String, String)> {
    column(answer, 0).into_iter().zip(column(answer, 1)).collect()
}

#[test]
fn a_map_has_no_more_groups_than_it_may() {
    let (_folder, snapshot, streets) = written();
    let plan = |text: &str| Plan::new(&Query::parse(text).unwrap(), &snapshot).unwrap();
    let text = "from room by place measure n = count()";
    let few = Limits { groups: streets.len() - 1, ..Limits::default() };
    assert!(plan(text).run(&snapshot, &few).is_err());
    let fit = Limits { groups: streets.len(), ..Limits::default() };
    let all = plan(text).run(&snapshot, &fit).unwrap();
    assert_eq!((all.rows, all.total_rows, all.truncated), (streets.len(), streets.len(), false));
    let first = plan(&format!("{text} order place limit 1")).run(&snapshot, &fit).unwrap();
    assert_eq!((first.rows, first.total_rows, first.truncated), (1, streets.len(), true));
    assert_eq!(lines(&first), lines(&all)[..1]);
    // What takes more memory than it may is refused.
    let little = Limits { memory: 16, ..Limits::default() };
    assert!(plan(text).run(&snapshot, &little).is_err());
}
