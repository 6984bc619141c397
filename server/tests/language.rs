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

use std::collections::BTreeMap;

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
    page.run(&db);
    let asked: Vec<String> = page.questions().into_iter().map(|asked| asked.question).collect();
    assert!(asked.len() > 50, "{}", asked.len());
    // Every clause and every function has an example.
    for word in clauses().iter().chain(functions()) {
        assert!(asked.iter().any(|question| names(question, word)), "`{word}` has no example");
    }
}

#[test]
fn the_questions_of_a_province_are_answered() {
    let (_folder, db) = province();
    let page = Page::open("questions.md");
    page.run(&db);
    for asked in page.questions() {
        assert!(
            !asked.answer.contains(" 0 rows, ") && !asked.answer.contains("yiku: "),
            "{asked:?}"
        );
    }
    for number in 1..=26 {
        assert!(page.text.contains(&format!("\n## {number}. ")), "question {number} is missing");
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
    let (_, examples) = help.split_once("\nExamples:\n").unwrap();
    let examples: Vec<&str> = examples.split('\'').skip(1).step_by(2).collect();
    assert!(examples.len() >= 3, "{examples:?}");
    for example in examples {
        let answer = answered(&db, example);
        assert!(answer.contains("matched") && !answer.contains("\n0 rows"), "{example}\n{answer}");
    }
}
