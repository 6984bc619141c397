//! Pages whose questions are run: behind each block `yiku` stands a block `answer` with what the
//! program printed; a word behind `yiku` says of which registry, or `sql` that the question is
//! to be said in SQL.
//!
//! `UPDATE=1` in the environment writes the answers anew; review reads the
//! difference.

use std::path::PathBuf;

use crate::program::{done, yiku};

const QUESTION: &str = "```yiku";
const ANSWER: &str = "```answer\n";
const END: &str = "```\n";
/// The word of a question that is not answered but said in SQL.
const SQL: &str = "sql";

/// A page of `docs`.
pub(crate) struct Page {
    path: PathBuf,
    pub(crate) text: String,
}

/// A question of a page.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The word behind the mark; empty for the page's own registry.
    pub(crate) registry: String,
    pub(crate) question: String,
    /// What stands behind it.
    pub(crate) answer: String,
}

/// The text up to a mark and the text behind it.
fn split<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    // A mark stands at the beginning of a line.
    let at = if text.starts_with(mark) { 0 } else { text.find(&format!("\n{mark}"))? + 1 };
    Some((&text[..at], &text[at + mark.len()..]))
}

impl Page {
    pub(crate) fn open(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        Self { path, text }
    }

    /// Its questions, in their order.
    pub(crate) fn questions(&self) -> Vec<Asked> {
        let (mut rest, mut found) = (self.text.as_str(), Vec::new());
        while let Some((_, behind)) = split(rest, QUESTION) {
            let (registry, behind) = behind.split_once('\n').unwrap();
            let (question, behind) = split(behind, END).unwrap();
            let behind = behind.trim_start_matches('\n');
            let behind = behind.strip_prefix(ANSWER);
            let behind = behind.unwrap_or_else(|| panic!("no answer stands behind\n{question}"));
            let (answer, behind) = split(behind, END).unwrap();
            found.push(Asked {
                registry: registry.trim().to_owned(),
                question: question.to_owned(),
                answer: answer.to_owned(),
            });
            rest = behind;
        }
        found
    }

    /// Runs every question over its database, by the word of it, and compares, or writes, the
    /// answers.
    pub(crate) fn run(&self, databases: &[(&str, &str)]) {
        let (mut text, mut wrong) = (self.text.clone(), Vec::new());
        let update = std::env::var_os("UPDATE").is_some();
        let mut from = 0;
        for Asked { registry, question, answer } in self.questions() {
            let of = if registry == SQL { "" } else { registry.as_str() };
            let (_, db) = databases.iter().find(|(word, _)| *word == of).unwrap();
            let found = match registry == SQL {
                true => done(&["query", "--db", db, "--as-sql", question.trim_end()]),
                false => answered(db, question.trim_end()),
            };
            let old = format!("{question}{END}\n{ANSWER}{answer}{END}");
            let new = format!("{question}{END}\n{ANSWER}{found}{END}");
            if found != answer {
                wrong.push(format!("{question}{found}"));
            }
            let at = from + text[from..].find(&old).unwrap();
            text.replace_range(at..at + old.len(), &new);
            from = at + new.len();
        }
        if update {
            std::fs::write(&self.path, text).unwrap();
        } else {
            assert!(wrong.is_empty(), "UPDATE=1 writes the answers anew:\n{}", wrong.join("\n"));
        }
    }
}

/// What the program prints to a question: the answer, or why there is none.
pub(crate) fn answered(db: &str, question: &str) -> String {
    let ended = yiku(&["query", "--db", db, question]);
    assert!(!ended.err.contains("panicked"), "{question}\n{}", ended.err);
    let text = if ended.status == 0 { ended.out } else { ended.err };
    if text.starts_with("step ") { timeless(&text) } else { text }
}

/// A plan without its times, which are of one run.
fn timeless(text: &str) -> String {
    let width = text.lines().next().unwrap().trim_end_matches("time").trim_end().chars().count();
    let count = text.lines().count();
    let line = |(place, line): (usize, &str)| match place + 1 == count {
        true => line.rsplit_once("; ").unwrap().0.to_owned(),
        false => {
            // Chinese characters take two columns.
            let mut used = 0;
            let wide = |c: char| 1 + usize::from(('\u{2e80}'..'\u{ff61}').contains(&c));
            let kept = line.chars().take_while(|c| {
                used += wide(*c);
                used <= width
            });
            kept.collect::<String>().trim_end().to_owned()
        }
    };
    text.lines().enumerate().map(|found| line(found) + "\n").collect()
}
