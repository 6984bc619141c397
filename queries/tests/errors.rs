//! What is said of every wrong thing that one can write: `errors.txt`, a question on lines that
//! begin with `>`, and below it what is answered. `UPDATE=1` in the environment writes what is
//! below the questions anew; review reads the difference.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops where it fails; it reads and writes its own file"
)]

mod small;

use std::fmt::Write;
use std::path::Path;

use yiku_queries::{Context, Error, Limits, Plan, Query};

const FINE: &str = "nothing is wrong\n";

/// What is said of a question.
fn said(ground: &small::Ground, question: &str) -> String {
    let asked = || -> Result<String, Error> {
        let query = if question.starts_with('{') {
            Query::from_json(question)?
        } else {
            Query::parse(question)?
        };
        let context =
            Context::default().parameters(&ground.standards).versions(&ground.database).scope("14");
        let plan = Plan::bind(&query, &ground.snapshot, &context)?;
        plan.run(&ground.snapshot, &Limits { groups: 4, ..Limits::default() })?;
        Ok(FINE.to_owned())
    };
    asked().unwrap_or_else(|error| {
        let pointer = error.pointer().map_or_else(String::new, |p| format!(" [{p}]"));
        format!("{}{pointer}\n{error}\n", error.code())
    })
}

#[test]
fn every_wrong_thing_is_told_as_reviewed() {
    let ground = small::Ground::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors.txt");
    let file = std::fs::read_to_string(&path).unwrap();
    let mut written = String::new();
    let (mut count, mut wrong) = (0, true);
    let mut lines = file.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            let gap = if written.is_empty() { "" } else { "\n" };
            writeln!(written, "{gap}{line}").unwrap();
            continue;
        }
        let Some(first) = line.strip_prefix("> ") else { continue };
        let mut question = first.to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with("> ")) {
            question.push('\n');
            question.push_str(more.strip_prefix("> ").unwrap());
        }
        let said = said(&ground, &question);
        wrong &= said != FINE;
        writeln!(written, "\n> {}", question.replace('\n', "\n> ")).unwrap();
        for line in said.trim_end().lines() {
            writeln!(written, "    {line}").unwrap();
        }
        count += 1;
    }
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&path, written).unwrap();
        return;
    }
    assert!(wrong && count > 600, "{count}: nothing is wrong with some");
    let both = written.lines().zip(file.lines()).find(|(new, old)| new != old);
    assert!(
        written == file,
        "{both:?}: run `UPDATE=1 cargo test --release -p yiku-queries --test errors`"
    );
}
