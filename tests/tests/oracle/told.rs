//! Answers equal those of the SQL that the questions print themselves as, over every part of the
//! language: the same columns, the same rows in the same order; integers, money, days and texts
//! exactly, floats to 1e-12 of their size.
//!
//! The SQL comes from the plan, so this holds the engine to the plan; that a plan means what the
//! text says is held by the questions beside it, whose SQL is drawn with them.

use std::collections::BTreeMap;

use duckdb::Connection;
use duckdb::types::Value;
use yiku::{Compaction, Snapshot, calendar};
use yiku_queries::household::Standards;
use yiku_queries::{
    Answer, Context, Dialect, Error, Limits, Plan, Query, Sql, SqlLimits, SqlValue, Values,
};
use yiku_tests::Random;
use yiku_tests::registry::{self, AS_OF};

use crate::draw::Draw;
use crate::registries::{self, Registry};
use crate::{PARTS, setting};

/// What only these questions are made of.
const WIDE: [&str; 46] = [
    "matches(",
    " = $",
    " < $",
    " with dibao_line",
    " in set ",
    "not in set ",
    " sets one",
    " sets kept of ",
    "median(",
    "quantile(",
    "stddev(",
    "gini(",
    "lorenz(",
    "histogram(",
    "poverty_rate(",
    "poverty_gap(",
    "poverty_severity(",
    "inflow(",
    "outflow(",
    " having ",
    " top ",
    " within ",
    " order ",
    " order -",
    " limit ",
    " limit 0",
    " offset ",
    " totals",
    " totals order",
    " select ",
    " after '",
    " flow ",
    " matrix ",
    " over month ",
    " over quarter ",
    " over year ",
    " compare month",
    " compare year",
    " compare month, year",
    " compare quarter",
    ".next",
    "share(count(",
    "is unknown or count()",
    "as_of 2026",
    "measure m0 = inflow(",
    " by ",
];

/// A cell of either side.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Unknown,
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Cell>),
}

pub(crate) type Table = (Vec<String>, Vec<Vec<Cell>>);

/// An answer of the engine.
pub(crate) fn ours(answer: &Answer) -> Table {
    let int = |value: &Option<i64>| value.map_or(Cell::Unknown, |value| Cell::Int(value.into()));
    let float = |value: &Option<f64>| value.map_or(Cell::Unknown, Cell::Float);
    let text = |value: &String| Cell::Text(value.clone());
    let cell = |values: &Values, row: usize| match values {
        Values::Int(values) => int(&values[row]),
        Values::Float(values) => float(&values[row]),
        Values::Text(values) => {
            values[row].as_ref().map_or(Cell::Unknown, |own| Cell::Text(own.to_string()))
        }
        Values::TextLists(values) => {
            let list = |list: &Vec<String>| Cell::List(list.iter().map(text).collect());
            values[row].as_ref().map_or(Cell::Unknown, list)
        }
        Values::IntLists(values) => {
            let list = |list: &Vec<i64>| {
                Cell::List(list.iter().map(|value| Cell::Int((*value).into())).collect())
            };
            values[row].as_ref().map_or(Cell::Unknown, list)
        }
        Values::FloatLists(values) => {
            let list = |list: &Vec<f64>| {
                Cell::List(list.iter().map(|value| Cell::Float(*value)).collect())
            };
            values[row].as_ref().map_or(Cell::Unknown, list)
        }
    };
    let names = answer.columns.iter().map(|column| column.name.clone()).collect();
    let row = |row| answer.columns.iter().map(|column| cell(&column.values, row)).collect();
    (names, (0..answer.rows).map(row).collect())
}

fn theirs_cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Unknown,
        Value::Boolean(flag) => Cell::Text(flag.to_string()),
        Value::Int(value) => Cell::Int(value.into()),
        Value::BigInt(value) => Cell::Int(value.into()),
        Value::HugeInt(value) => Cell::Int(value),
        Value::Double(value) => Cell::Float(value),
        Value::Text(text) => Cell::Text(text),
        Value::Date32(day) => Cell::Text(calendar::date_text(day.into())),
        Value::List(list) => Cell::List(list.into_iter().map(theirs_cell).collect()),
        other => panic!("{other:?}"),
    }
}

/// What DuckDB answers.
pub(crate) fn theirs(duck: &Connection, sql: &str) -> Result<Table, String> {
    let said = |error: duckdb::Error| error.to_string();
    let mut statement = duck.prepare(sql).map_err(said)?;
    let mut rows = statement.query([]).map_err(said)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(said)? {
        let count = row.as_ref().column_count();
        let cells = (0..count).map(|place| row.get::<_, Value>(place).map(theirs_cell));
        found.push(cells.collect::<Result<Vec<_>, _>>().map_err(said)?);
    }
    Ok((statement.column_names(), found))
}

/// Whether two cells are equal: floats to 1e-12 of their size, or of what they are a difference of.
fn same(a: &Cell, b: &Cell, scale: f64) -> bool {
    match (a, b) {
        (Cell::Float(a), Cell::Float(b)) => {
            (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(scale)
        }
        (Cell::List(a), Cell::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, scale))
        }
        _ => a == b,
    }
}

/// How large the numbers are that a cell is computed of: a change of what was before.
fn scale(names: &[String], row: &[Cell], place: usize) -> f64 {
    let name = names[place].rsplit('.').next().unwrap_or_default();
    let before = |back: usize| match place.checked_sub(back).and_then(|at| row.get(at)) {
        Some(Cell::Float(before)) => before.abs(),
        _ => 0.0,
    };
    match name {
        _ if name.ends_with("_change") => before(1),
        _ if name.ends_with("_percent") => 100.0,
        _ => 1e-3,
    }
}

fn same_rows(names: &[String], a: &[Cell], b: &[Cell]) -> bool {
    let mut pairs = a.iter().zip(b).enumerate();
    a.len() == b.len() && pairs.all(|(at, (x, y))| same(x, y, scale(names, a, at)))
}

/// The first difference of two answers.
pub(crate) fn difference(ours: &Table, theirs: &Table) -> Option<String> {
    if ours.0 != theirs.0 {
        return Some(format!("columns\n  ours   {:?}\n  theirs {:?}", ours.0, theirs.0));
    }
    let count = (ours.1.len(), theirs.1.len());
    for place in 0..count.0.max(count.1) {
        let (a, b) = (ours.1.get(place), theirs.1.get(place));
        let equal = match (a, b) {
            (Some(a), Some(b)) => same_rows(&ours.0, a, b),
            _ => false,
        };
        if !equal {
            return Some(format!("rows {count:?}, row {place}\n  ours   {a:?}\n  theirs {b:?}"));
        }
    }
    None
}

/// What became of the questions.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) parts: BTreeMap<&'static str, usize>,
    pub(crate) ends: BTreeMap<&'static str, usize>,
    pub(crate) cells: usize,
    pub(crate) wrong: Vec<String>,
}

impl Seen {
    fn end(&mut self, name: &'static str) {
        *self.ends.entry(name).or_default() += 1;
    }

    fn question(&mut self, text: &str) {
        for part in PARTS.iter().chain(&WIDE) {
            *self.parts.entry(part).or_default() += usize::from(text.contains(part));
        }
    }
}

/// Bound with the parameters of the platform.
fn plan(query: &Query, snapshot: &Snapshot) -> yiku_queries::Result<Plan> {
    let standards = Standards::builtin().unwrap();
    Plan::bind(query, snapshot, &Context::default().parameters(&standards))
}

/// Asks a question of both; the answer, where there is one.
pub(crate) fn check(
    registry: &Registry,
    snapshot: &Snapshot,
    text: &str,
    seen: &mut Seen,
) -> Option<Answer> {
    seen.question(text);
    let query = match Query::parse(text) {
        Ok(query) => query,
        Err(error) => panic!("{}: {text}\n{error}", registry.name),
    };
    let plan = match plan(&query, snapshot) {
        Ok(plan) => plan,
        Err(Error::Overflow { .. }) => {
            seen.end("refused: a number of the question is too large");
            return None;
        }
        Err(error) => panic!("{}: {text}\n{error}", registry.name),
    };
    let sql = match plan.to_sql(Dialect::DuckDb) {
        Ok(sql) => sql,
        Err(error) => panic!("{}: {text}\n{error}", registry.name),
    };
    let answer = plan.run(snapshot, &Limits::default());
    let theirs = theirs(&registry.duck, &sql);
    let range = |error: &str| error.contains("Out of Range") || error.contains("Conversion Error");
    match (answer, theirs) {
        // Integers that are neighbours at the ends of 64 bits are one float to SQL.
        (Ok(answer), Ok(_)) if registry.extreme() && text.contains("stddev(") => {
            seen.end("not compared: the deviation of integers beyond 2^53");
            Some(answer)
        }
        (Ok(answer), Ok(theirs)) => {
            let ours = ours(&answer);
            seen.end(if answer.rows > 0 { "answered" } else { "answered without rows" });
            seen.cells += ours.1.iter().map(Vec::len).sum::<usize>();
            match difference(&ours, &theirs) {
                None => {}
                Some(_) if tied(registry, snapshot, text) => {
                    seen.end("ordered by floats that differ in their last digits");
                }
                Some(difference) => {
                    seen.wrong.push(format!("{}: {text}\n{sql}\n{difference}", registry.name));
                }
            }
            Some(answer)
        }
        (Err(Error::Overflow { .. }), Err(error)) if range(&error) => {
            seen.end("beyond 64 bits on both sides");
            None
        }
        // Which rows are computed first, and how wide a number is on the way, is their own.
        (Ok(answer), Err(error)) if range(&error) && registry.extreme() => {
            seen.end("beyond 64 bits in SQL alone");
            Some(answer)
        }
        (Err(Error::Overflow { .. }), Ok(_)) if registry.extreme() => {
            seen.end("beyond 64 bits in the engine alone");
            None
        }
        (ours, theirs) => {
            let ours = ours.map(|answer| answer.rows);
            let (ours, theirs) = (format!("{ours:?}"), theirs.map(|(_, rows)| rows.len()));
            seen.wrong.push(format!("{}: {text}\n{sql}\n{ours}\n{theirs:?}", registry.name));
            None
        }
    }
}

/// Other ways to the same answer: the same rows otherwise spread, more threads, no index.
struct Ways {
    spread: Vec<Snapshot>,
}

impl Ways {
    fn check(&self, text: &str, expected: &Answer) {
        let query = Query::parse(text).unwrap();
        for (place, snapshot) in self.spread.iter().enumerate() {
            let plan = plan(&query, snapshot).unwrap();
            for (threads, indexes) in [(1 + place, true), (1, false)] {
                let limits = Limits { threads, indexes, ..Limits::default() };
                let answer = plan.run(snapshot, &limits).unwrap();
                let answer = Answer { version: expected.version, ..answer };
                assert_eq!(&answer, expected, "{text}: {place}, {threads}, {indexes}");
            }
        }
    }
}

/// Whether the same question without what orders and cuts its groups has the same answer on both
/// sides: where floats decide the order, those of SQL may stand the other way round.
fn tied(registry: &Registry, snapshot: &Snapshot, text: &str) -> bool {
    let floats = |answer: &Answer| {
        let float = |values: &Values| matches!(values, Values::Float(_));
        answer.columns.iter().any(|column| float(&column.values))
    };
    let cut = [" top ", " order ", " limit ", " offset "];
    let Some(from) = cut.iter().filter_map(|word| text.find(word)).min() else { return false };
    let next = [" over ", " compare ", " as_of ", " sets "];
    let tail = next.iter().filter_map(|word| text.rfind(word)).filter(|at| *at > from).min();
    let whole = format!("{}{}", &text[..from], tail.map_or("", |at| &text[at..]));
    let Ok(query) = Query::parse(&whole) else { return false };
    let plan = plan(&query, snapshot).unwrap();
    let answer = plan.run(snapshot, &Limits::default()).unwrap();
    let theirs = theirs(&registry.duck, &plan.to_sql(Dialect::DuckDb).unwrap());
    floats(&answer) && theirs.is_ok_and(|theirs| difference(&ours(&answer), &theirs).is_none())
}

#[test]
fn printed_sql_gives_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let count = setting("QUESTIONS", 2_000);
    let all = registries::all(setting("SEED", 7), 60);
    let mut random = Random::new(setting("SEED", 20_261_031));
    let mut seen = Seen::default();
    for (place, registry) in all.iter().enumerate() {
        let database = registries::written(&folder.path().join(place.to_string()), registry, 3);
        let snapshot = registries::newest(&database);
        let ways = Ways {
            spread: [1, 7]
                .map(|commits| {
                    let folder = folder.path().join(format!("{place}-{commits}"));
                    let database = registries::written(&folder, registry, commits);
                    if commits == 7 {
                        database.compact(Compaction::Whole, &|| false).unwrap();
                    }
                    registries::newest(&database)
                })
                .into_iter()
                .chain([registries::newest(&database)])
                .collect(),
        };
        let share = if registry.rows.is_empty() { 20 } else { 5 };
        for asked in 0..count / share {
            let as_of = AS_OF - random.between(-40, 500);
            let (schema, tree) = (&registry.schema, &registry.tree);
            let text = Draw { random: &mut random, schema, tree, as_of }.wide();
            let answer = check(registry, &snapshot, &text, &mut seen);
            if count > 10_000 && asked % 1_000 == 0 {
                let (ends, wrong) = (seen.ends.values().sum::<usize>(), seen.wrong.len());
                println!("{}: {asked} asked, {ends} in all, {wrong} wrong", registry.name);
            }
            // So many questions need not all go all ways.
            if let Some(answer) = answer.as_ref().filter(|_| asked % (1 + count / 10_000) == 0) {
                ways.check(&text, answer);
            }
            // The next page of a list that goes on.
            if let Some(cursor) = answer.and_then(|answer| answer.next) {
                let text = format!("{text} after '{cursor}'");
                check(registry, &snapshot, &text, &mut seen);
            }
        }
    }
    println!("{:#?}\n{:#?}\n{} cells", seen.parts, seen.ends, seen.cells);
    let wrong = seen.wrong.len();
    for told in &seen.wrong {
        println!("\n{told}\n");
    }
    for (part, seen) in &seen.parts {
        assert!(*seen > 0 || count < 2_000, "`{part}` is in none of {count} questions");
    }
    // Few: else the order itself is wrong.
    let tied = seen.ends.get("ordered by floats that differ in their last digits");
    assert!(tied.copied().unwrap_or(0) <= 3 + usize::try_from(count / 500).unwrap());
    assert_eq!(wrong, 0, "the first of them above");
}

/// Free SQL over the snapshot itself, some of whose rows were replaced and removed.
#[test]
fn free_sql_gives_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, _) = registry::grown(&folder.path().join("grown"), 11, 300);
    let sql = Sql::open(&snapshot, &SqlLimits::default()).unwrap();
    let mut random = Random::new(setting("SEED", 12));
    let mut wrong = 0;
    for _ in 0..setting("QUESTIONS", 200).min(2_000) {
        let as_of = AS_OF - random.between(-40, 500);
        let (schema, tree) = (snapshot.schema(), snapshot.tree());
        let text = Draw { random: &mut random, schema, tree, as_of }.wide();
        let plan = plan(&Query::parse(&text).unwrap(), &snapshot).unwrap();
        let said = plan.to_sql(Dialect::DuckDb).unwrap();
        let ours = ours(&plan.run(&snapshot, &Limits::default()).unwrap());
        let theirs = sql.ask(&said).unwrap();
        let rows = theirs.rows.iter().map(|row| row.iter().map(told_cell).collect()).collect();
        if let Some(difference) = difference(&ours, &(theirs.columns, rows)) {
            println!("{text}\n{difference}");
            wrong += 1;
        }
    }
    // Floats that differ in their last digits may stand the other way round.
    assert!(wrong <= 1, "{wrong}");
}

fn told_cell(value: &SqlValue) -> Cell {
    match value {
        SqlValue::Flag(flag) => Cell::Text(flag.to_string()),
        SqlValue::Int(number) => Cell::Int(*number),
        SqlValue::Float(number) => Cell::Float(*number),
        SqlValue::Text(text) => Cell::Text(text.clone()),
        SqlValue::List(list) => Cell::List(list.iter().map(told_cell).collect()),
        _ => Cell::Unknown,
    }
}

#[test]
fn a_difference_of_floats_is_found() {
    let table = |n: f64| (vec!["n".to_owned()], vec![vec![Cell::Float(n)]]);
    assert_eq!(difference(&table(1.0), &table(1.0 + 1e-13)), None);
    assert!(difference(&table(1.0), &table(1.0 + 1e-11)).is_some());
    let other = (vec!["m".to_owned()], vec![vec![Cell::Float(1.0)]]);
    assert!(difference(&table(1.0), &other).is_some());
}
