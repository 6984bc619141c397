//! Answers equal those of SQL: questions drawn at random over every part of the language that is
//! built are asked of a registry and, in SQL written from the page on the language, of DuckDB
//! with the same rows.
//!
//! A failure prints the question, the SQL and the first difference. `SEED=7` draws other
//! questions, `QUESTIONS=5000` more of them, `HOUSEHOLDS=40000` asks of more rows.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it fails"
)]

mod answer;
mod both;
mod cases;
mod conditions;
mod draw;
mod duck;
mod laws;
mod noise;
mod numbers;
mod questions;
mod registries;
mod told;
mod wide;

use draw::Draw;
use questions::Question;
use yiku::Snapshot;
use yiku_queries::{Answer, Limits, Plan, Query};
use yiku_tests::Random;
use yiku_tests::registry::{self, AS_OF};

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// What the questions must be made of, so that none of it goes untested.
const PARTS: [&str; 46] = [
    " and ",
    " or ",
    "not ",
    " in (",
    " not in (",
    " between ",
    " has any ",
    " has all ",
    " has none ",
    " within ",
    " is unknown",
    " is known",
    " starts ",
    " = ",
    " != ",
    " < ",
    " <= ",
    " > ",
    " >= ",
    " + ",
    " - ",
    " * ",
    " / ",
    "any(",
    "all(",
    "none(",
    "count(person",
    "sum(observation.",
    "avg(",
    "min(",
    "max(",
    "age(",
    "year(",
    "month(",
    "quarter(",
    "abs(",
    "coalesce(",
    "if(",
    "per_capita(",
    "band(",
    "running",
    "as_of - ",
    "count_distinct(",
    "per(",
    "share(",
    " totals",
];

/// The answer of a text, with so many threads.
pub(crate) fn answer(snapshot: &Snapshot, text: &str, threads: usize) -> Answer {
    let limits = Limits { threads, ..Limits::default() };
    let plan = Query::parse(text).and_then(|query| Plan::new(&query, snapshot));
    match plan.and_then(|plan| plan.run(snapshot, &limits)) {
        Ok(answer) => answer,
        Err(error) => panic!("{text}\n{error}"),
    }
}

/// The rows of an answer are ordered by the measure that was asked, unknown behind.
fn check_order(rows: &[Vec<answer::Shown>], question: &Question) {
    let Some(order) = &question.order else { return };
    let of = |row: &Vec<answer::Shown>| match &row[1 + question.groups + order.measure] {
        answer::Shown::Int(value) => {
            Some((f64::from(i32::try_from(*value).unwrap_or(i32::MAX)), *value))
        }
        answer::Shown::Float(value) => Some((*value, 0)),
        _ => None,
    };
    let groups = rows.iter().filter(|row| row[0] == answer::Shown::Int(0));
    let values: Vec<_> = groups.map(of).collect();
    for pair in values.windows(2) {
        let right = match (pair[0], pair[1]) {
            (Some(a), Some(b)) if order.descending => a >= b,
            (Some(a), Some(b)) => a <= b,
            (None, Some(_)) => false,
            _ => true,
        };
        let text = rows[0][1 + question.groups + order.measure].clone();
        assert!(right || matches!(text, answer::Shown::Text(_)), "{}\n{pair:?}", question.text);
    }
}

/// `limit` and `offset` cut groups out of the whole answer and leave its totals.
fn check_cut(snapshot: &Snapshot, question: &Question) {
    let Some(order) = &question.order else { return };
    let ordered = order.text.split(" limit").next().unwrap().split(" offset").next().unwrap();
    let whole = answer(snapshot, &format!("{}{ordered}", question.text), 1);
    let cut = answer(snapshot, &format!("{}{}", question.text, order.text), 1);
    let all = answer::rows(&whole);
    check_order(&all, question);
    let (groups, totals): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|row| row[0] == answer::Shown::Int(0));
    let kept = groups.into_iter().skip(order.offset).take(order.limit.unwrap_or(usize::MAX));
    let expected: Vec<_> = kept.chain(totals).collect();
    assert_eq!(answer::rows(&cut), expected, "{}{}", question.text, order.text);
    let shown = cut.rows - cut.levels.iter().filter(|level| **level > 0).count();
    assert_eq!(cut.truncated, shown < cut.total_rows, "{}", question.text);
}

/// The same question in every spelling gives the same plan and the same answer.
fn check_spellings(snapshot: &Snapshot, question: &Question, expected: &Answer) {
    let query = Query::parse(&question.text).unwrap();
    let again = Query::parse(&query.to_text());
    assert_eq!(again.as_ref().ok(), Some(&query), "{}\n{}", question.text, query.to_text());
    assert_eq!(Query::parse(&query.to_text()).unwrap().to_text(), query.to_text());
    let json = Query::from_json(&question.json).unwrap();
    assert_eq!(json, query, "{}", question.json);
    assert_eq!(json.to_text(), query.to_text());
    let plan = Plan::new(&json, snapshot).unwrap();
    let answer = plan.run(snapshot, &Limits::default()).unwrap();
    assert_eq!(&answer, expected, "{}", question.json);
    let told = plan.explain(snapshot, &Limits::default(), &|| 0).unwrap();
    assert_eq!((told.matched, told.rows), (answer.matched, answer.rows), "{}", question.text);
    let last = told.steps.iter().rev().find(|step| step.clause.starts_with("where "));
    let left = last.map_or(answer.matched, |step| step.rows.unwrap_or(0));
    assert_eq!(left, answer.matched, "{}", question.text);
}

#[test]
fn answers_equal_those_of_sql() {
    let folder = tempfile::tempdir().unwrap();
    let households = usize::try_from(setting("HOUSEHOLDS", 360)).unwrap();
    let (snapshot, rows) = registry::grown(&folder.path().join("grown"), 1, households);
    let spreads = [1, 3, 11]
        .map(|batches| registry::dealt(&folder.path().join(batches.to_string()), &rows, batches));
    // The same rows, otherwise spread over segments: no answer may depend on that.
    assert_eq!(spreads.each_ref().map(|spread| spread.segments().len()), [1, 3, 11]);
    let (schema, tree) = (snapshot.schema(), snapshot.tree());
    let duck = duck::filled(schema, tree, &rows);
    let mut random = Random::new(setting("SEED", 20_261_031));
    let count = setting("QUESTIONS", 1000);
    let (mut met, mut parts) = (0, [0; PARTS.len()]);
    for _ in 0..count {
        let as_of = AS_OF - random.between(-40, 500);
        let question = Draw { random: &mut random, schema, tree, as_of }.question();
        for (seen, part) in parts.iter_mut().zip(PARTS) {
            *seen += usize::from(question.text.contains(part));
        }
        let found = answer(&snapshot, &question.text, 1);
        let theirs = match duck::asked(&duck, &question.sql) {
            Ok(rows) => rows,
            Err(error) => panic!("{error}\n{}\n{}", question.text, question.sql),
        };
        let ours = answer::rows(&found);
        if let Some(difference) = answer::difference(&ours, &theirs, question.groups) {
            panic!("{}\n{}\n{difference}", question.text, question.sql);
        }
        met += usize::from(found.matched > 0);
        assert_eq!(answer(&snapshot, &question.text, 2), found, "{}", question.text);
        for spread in &spreads {
            let other = answer(spread, &question.text, 2);
            assert_eq!(Answer { version: found.version, ..other }, found, "{}", question.text);
        }
        check_spellings(&snapshot, &question, &found);
        check_cut(&snapshot, &question);
        assert_eq!(question.totals, !found.levels.is_empty());
    }
    println!("{count} questions, {met} with rows");
    for (seen, part) in parts.iter().zip(PARTS) {
        assert!(*seen > 2 || count < 400, "`{part}` is in {seen} of {count} questions");
    }
    assert!(met as u64 * 10 > count * 7, "only {met} of {count} questions met any row");
}
