//! Questions whose answers, or whose SQL, once were wrong: `cases.txt`.

use yiku_tests::Random;

use crate::registries;
use crate::told::{self, Seen};

#[test]
fn what_once_was_wrong_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let all = registries::all(Random::new(3).between(1, 9).unsigned_abs(), 60);
    let snapshots: Vec<_> = all
        .iter()
        .enumerate()
        .map(|(place, registry)| {
            let folder = folder.path().join(place.to_string());
            registries::newest(&registries::written(&folder, registry, 3))
        })
        .collect();
    let page = include_str!("cases.txt");
    let mut seen = Seen::default();
    let mut asked = 0;
    for case in page.split("\n\n").skip(1) {
        let (name, questions) = case.split_once('\n').unwrap();
        let of = |line: &str| {
            let (of, text) = line.split_once(": ")?;
            Some((all.iter().position(|registry| registry.name == of)?, text.to_owned()))
        };
        // A text may go on in the next line.
        let mut texts: Vec<(usize, String)> = Vec::new();
        for line in questions.lines() {
            match (of(line), texts.last_mut()) {
                (Some(found), _) => texts.push(found),
                (None, Some((_, text))) => *text += &format!("\n{line}"),
                (None, None) => panic!("{name}: {line}"),
            }
        }
        for (place, text) in texts {
            asked += 1;
            let answer = told::check(&all[place], &snapshots[place], &text, &mut seen);
            assert!(answer.is_some() && seen.wrong.is_empty(), "{name}\n{:#?}", seen.wrong);
        }
    }
    assert!(asked > 15, "{asked}");
}
