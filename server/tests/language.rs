//! The pages on the language are so: every question on them is run, and what stands beneath it is
//! what the program printed. `UPDATE=1` writes the answers anew.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where it fails, and reads and writes the project's own pages"
)]

mod pages;
#[expect(dead_code, reason = "it serves other tests too")]
mod program;
#[expect(clippy::cast_possible_truncation, reason = "a test's registry")]
mod villages;

use std::collections::{BTreeMap, BTreeSet};

use pages::{Page, answered};
use program::done;
use serde_json::Value;
use yiku_queries::{clauses, functions};

/// A folder with the registry of the villages in `db`.
fn registry() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("db");
    villages::create(&db);
    (folder, db.to_str().unwrap().to_owned())
}

/// A folder with a made-up province in `db`.
fn province() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (files, db) = (path("files"), path("db"));
    done(&["generate", "--out", &files, "--persons", "20000", "--months", "24", "--seed", "1"]);
    done(&["load", "--db", &db, &files]);
    (folder, db)
}

/// Whether a word stands in a text by itself.
fn names(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

#[test]
fn the_page_on_the_language_is_so() {
    let (_folder, db) = registry();
    let page = Page::open("language.md");
    page.run(&[("", &db)]);
    let asked: Vec<String> = page.questions().into_iter().map(|asked| asked.question).collect();
    assert!(asked.len() >= 40, "{}", asked.len());
    // Every clause and every function has an example.
    for word in clauses().iter().chain(functions()) {
        assert!(asked.iter().any(|question| names(question, word)), "`{word}` has no example");
    }
}

#[test]
fn the_questions_of_a_province_are_answered() {
    let (_folder, db) = province();
    let (_other, villages) = registry();
    let page = Page::open("questions.md");
    page.run(&[("", &db), ("villages", &villages)]);
    for asked in page.questions() {
        let footer = asked.answer.lines().last().unwrap_or_default();
        assert!(!footer.starts_with("0 rows") && !footer.contains(" 0 matched"), "{asked:?}");
        assert!(!asked.answer.contains("yiku: "), "{asked:?}");
    }
    for number in 1..=26 {
        assert!(page.text.contains(&format!("\n## {number}. ")), "question {number} is missing");
    }
}

/// The columns of an answer, by their names.
fn columns(db: &str, question: &str) -> BTreeMap<String, Vec<Value>> {
    let answer = done(&["query", "--db", db, "--json", question]);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let columns = answer["columns"].as_array().unwrap().iter();
    let named = columns.map(|column| {
        let values = column["values"].as_array().unwrap().clone();
        (column["name"].as_str().unwrap().to_owned(), values)
    });
    named.collect()
}

/// By county of the city 1411: who is 60 or older, lives alone, has a disability and no aid on a
/// day; with a plain loop over what the rows say.
fn counted(db: &str, day: &str) -> BTreeMap<String, u64> {
    // Days as texts stand in the order of the calendar.
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let aids = columns(db, "from aid select person.person_id, start, end");
    let spells = aids["person.person_id"].iter().zip(&aids["start"]).zip(&aids["end"]);
    let running = spells.filter(|((_, start), end)| {
        let begun = text(start).is_some_and(|start| start.as_str() <= day);
        begun && text(end).is_none_or(|end| end.as_str() >= day)
    });
    let helped: BTreeSet<String> = running.map(|((person, _), _)| text(person).unwrap()).collect();
    let people = columns(
        db,
        "from person select person_id, region.county, birth_date, tags, disability_since",
    );
    let year: i32 = day[..4].parse().unwrap();
    let sixty = format!("{}{}", year - 60, &day[4..]);
    let mut found = BTreeMap::new();
    for (row, person) in people["person_id"].iter().enumerate() {
        let of = |name: &str| &people[name][row];
        let by = |name: &str, last: &str| text(of(name)).is_some_and(|own| own.as_str() <= last);
        let alone = of("tags").as_array().is_some_and(|tags| tags.contains(&"living_alone".into()));
        let county = text(of("region.county")).unwrap_or_default();
        let without = !helped.contains(&text(person).unwrap());
        let old_and_disabled = by("birth_date", &sixty) && by("disability_since", day);
        if county.starts_with("1411") && alone && without && old_and_disabled {
            *found.entry(county).or_default() += 1;
        }
    }
    found
}

#[test]
fn the_first_question_is_answered_as_a_plain_loop_counts() {
    let question = Page::open("questions.md").questions().remove(0).question;
    let (_folder, province) = province();
    let (_other, villages) = registry();
    for db in [&province, &villages] {
        let answer = columns(db, question.trim_end());
        let (now, before) = (counted(db, "2026-10-31"), counted(db, "2025-10-31"));
        assert!(!now.is_empty());
        for (row, county) in answer["region.county"].iter().enumerate() {
            let figures = [&answer["people"][row], &answer["people.year_before"][row]];
            let expected = [&now, &before].map(|counts| match county.as_str() {
                Some(county) => counts.get(county).copied().unwrap_or(0),
                None => counts.values().sum(),
            });
            assert_eq!(figures.map(|figure| figure.as_u64().unwrap()), expected, "{county}");
        }
        let told = answer["region.county"].iter().filter(|county| !county.is_null()).count();
        assert_eq!(told, now.keys().chain(before.keys()).collect::<BTreeSet<_>>().len());
    }
}

#[test]
fn the_screen_on_the_language_teaches_all_of_it() {
    let help = done(&["query", "--help"]);
    for line in help.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(help.lines().count() <= 40, "{} lines\n{help}", help.lines().count());
    for word in clauses().iter().chain(functions()) {
        assert!(names(&help, word), "`{word}` is not in\n{help}");
    }
    let (_folder, db) = registry();
    let (_, examples) = help.split_once("\nExamples, behind yiku query --db DIR:\n").unwrap();
    let examples: Vec<&str> = examples.split('\'').skip(1).step_by(2).collect();
    assert!(examples.len() >= 3, "{examples:?}");
    for example in examples {
        let answer = answered(&db, example);
        assert!(answer.contains("matched") && !answer.contains("\n0 rows"), "{example}\n{answer}");
    }
}
