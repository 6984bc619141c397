//! Questions with their answers as text, and how they were answered: `fixtures/queries/*.txt`,
//! each a question, a line `----`, the answer or the error, and after another line the plan.
//! `UPDATE=1` in the environment writes what is below the question anew; review reads the
//! difference.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test stops where it fails; it reads and writes the project's own files"
)]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use yiku::Snapshot;
use yiku_queries::{Answer, Error, Limits, Plan, Query, Values};
use yiku_tests::registry;

const LINE: &str = "----\n";

/// The cells of a column, each with what people call it.
fn cells(answer: &Answer, place: usize) -> Vec<String> {
    let column = &answer.columns[place];
    let value = |row: usize| match &column.values {
        Values::Int(values) => values[row].map(|v| v.to_string()),
        Values::Float(values) => values[row].map(|v| format!("{v:.4}")),
        Values::Text(values) => values[row].clone().map(String::from),
        Values::TextLists(values) => values[row].as_ref().map(|list| list.join(" ")),
        Values::IntLists(values) => values[row].as_ref().map(|list| format!("{list:?}")),
        Values::FloatLists(values) => values[row].as_ref().map(|list| format!("{list:.4?}")),
    };
    let label = |row: usize| {
        column.labels.as_ref().and_then(|labels| labels[row].clone().map(String::from))
    };
    let cell = |row| match (value(row), label(row)) {
        (Some(value), Some(label)) => format!("{value} {label}"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => "?".to_owned(),
    };
    (0..answer.rows).map(cell).collect()
}

fn printed(answer: &Answer) -> String {
    let columns: Vec<Vec<String>> = (0..answer.columns.len())
        .map(|place| {
            let column = &answer.columns[place];
            let unit = column.unit.as_ref().map_or_else(String::new, |unit| format!(", {unit}"));
            let head = format!("{} ({}{unit})", column.name, column.kind.word());
            std::iter::once(head).chain(cells(answer, place)).collect()
        })
        .collect();
    let mut text = String::new();
    for row in 0..=answer.rows {
        let row: Vec<&str> = columns.iter().map(|column| column[row].as_str()).collect();
        writeln!(text, "{}", row.join(" | ")).unwrap();
    }
    let Answer { matched, total_rows, truncated, as_of, version, .. } = answer;
    let cut = if *truncated { ", cut" } else { "" };
    writeln!(text, "{matched} rows in {total_rows} groups{cut}; version {version}, as of {as_of}")
        .unwrap();
    text
}

/// What belongs below a question.
fn below(snapshot: &Snapshot, question: &str) -> String {
    let answered = || -> Result<String, Error> {
        let plan = Plan::new(&Query::parse(question)?, snapshot)?;
        let answer = plan.run(snapshot, &Limits::default())?;
        // Without a clock: what is told is the same each time.
        let told = plan.explain(snapshot, &Limits::default(), &|| 0)?;
        Ok(format!("{}{LINE}{told}", printed(&answer)))
    };
    answered().unwrap_or_else(|error| format!("{}: {error}\n", error.code()))
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/queries");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "txt")).collect();
    found.sort();
    found
}

#[test]
fn answers_are_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, _) = registry::grown(&folder.path().join("grown"), 4, 120);
    let update = std::env::var_os("UPDATE").is_some();
    let files = files();
    assert!(files.len() > 20, "{} files", files.len());
    let mut differing = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let question = text.split(LINE).next().unwrap();
        let expected = format!("{question}{LINE}{}", below(&snapshot, question.trim_end()));
        if update {
            std::fs::write(&path, expected).unwrap();
        } else if text != expected {
            differing.push(format!("{}\n{expected}", path.display()));
        }
    }
    assert!(differing.is_empty(), "UPDATE=1 writes them anew:\n{}", differing.join("\n"));
}
