//! One language, two evaluators: drawn expressions have the same outcome over one household in
//! memory as over a database that holds it among others.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]
#![expect(clippy::print_stdout, reason = "says how often each construct was drawn")]

use std::cell::Cell as Steps;
use std::collections::BTreeMap;

use yiku::schema::Kind;
use yiku::{CommitInfo, Database, PathTree, Schema, Snapshot, Value, calendar};

use super::clause::comparisons;
use super::draw_tests::{CONSTRUCTS, DAY, Draw, schemas, sets, standards, tree};
use super::rows::{Cell, Rows};
use super::scalar::Scalar;
use crate::check::Checker;
use crate::context::{Context, Named};
use crate::source::Source;
use crate::{Error, Limits, Plan, Query, Values, parse};

fn write(batch: &mut yiku::Batch, schema: &Schema, rows: &Rows, table: usize, row: usize) {
    let own = &schema.tables[table];
    let mut builder = batch.row(&own.name).unwrap();
    for (column, declared) in own.columns.iter().enumerate() {
        builder = match rows.cell(table, row, column) {
            None => builder,
            Some(Cell::Int(value)) if declared.kind == Kind::Flag => {
                builder.set(&declared.name, *value == 1).unwrap()
            }
            Some(Cell::Int(value)) => builder.set(&declared.name, Value::Int(*value)).unwrap(),
            Some(Cell::Text(text)) => builder.set(&declared.name, text.as_str()).unwrap(),
        };
    }
    for child in schema.children(table) {
        for beneath in rows.beneath(schema, table, row, child) {
            write(batch, schema, rows, child, beneath);
        }
    }
}

/// A database of some households, in two commits.
fn snapshot(schema: &Schema, households: &[Rows]) -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let database =
        Database::create(&folder.path().join("d"), schema.clone(), tree(schema)).unwrap();
    let mut writer = database.writer().unwrap();
    let as_of = calendar::parse_date(DAY);
    let mut last = None;
    for part in households.chunks(households.len().div_ceil(2)) {
        let mut batch = writer.batch();
        part.iter().for_each(|rows| write(&mut batch, schema, rows, 0, 0));
        writer.write(&batch).unwrap();
        last = Some(writer.commit(CommitInfo { as_of, ..CommitInfo::default() }).unwrap());
    }
    (folder, last.unwrap())
}

/// The outcome for every row of a table in memory, by the row's key.
type Outcomes = BTreeMap<String, Option<bool>>;

fn in_memory(
    (schema, tree): (&Schema, &PathTree),
    households: &[Rows],
    table: usize,
    text: &str,
) -> Result<Outcomes, Error> {
    let (steps, source) = (Steps::new(0), Source::text(text));
    let expr = parse::expression(&source)?;
    let as_of = calendar::parse_date(DAY);
    let standards = standards(schema);
    let root = &schema.tables[0].name;
    let named = Query::parse(&format!("from {root} sets {}", sets(schema)))?;
    let named = Named { parameters: Some(&standards), sets: &named.sets, ..Named::default() };
    let checker = Checker::new(schema, Some(tree), table, as_of, (&source, &steps));
    let checker = Checker { named, ..checker };
    let condition = checker.condition(&expr)?.at(table);
    let mut found = Outcomes::new();
    for rows in households {
        let scalar = Scalar::new(schema, rows);
        for row in 0..rows.tables[table].len() {
            let key = rows.cell(table, row, schema.tables[table].key);
            let Some(Cell::Text(key)) = key else { panic!("a row without its key") };
            found.insert(key.clone(), scalar.truth(&condition, row)?);
        }
    }
    Ok(found)
}

/// The same over the database: the group that each row falls into.
fn in_database(snapshot: &Snapshot, table: usize, text: &str) -> Result<Outcomes, Error> {
    let declared = &snapshot.schema().tables[table];
    let (name, key) = (&declared.name, &declared.columns[declared.key].name);
    let sets = sets(snapshot.schema());
    let query = Query::parse(&format!("from {name} by {key}, {text} sets {sets}"))?;
    let standards = standards(snapshot.schema());
    let plan = Plan::bind(&query, snapshot, &Context::default().parameters(&standards))?;
    let answer = plan.run(snapshot, &Limits::default())?;
    let texts = |place: usize| match &answer.columns[place].values {
        Values::Text(found) => {
            found.iter().map(|text| text.clone().map(String::from)).collect::<Vec<_>>()
        }
        _ => panic!("a key and a flag are texts"),
    };
    let flags = texts(1).into_iter().map(|value| value.map(|v| v == "true"));
    Ok(texts(0).into_iter().map(Option::unwrap).zip(flags).collect())
}

#[derive(Default)]
struct Counted {
    met: usize,
    not_met: usize,
    unknown: usize,
    refused: usize,
    beyond: usize,
}

/// Expressions over the households of one schema.
fn agree(schema: &Schema, seed: u64, expressions: usize, seen: &mut BTreeMap<&str, usize>) {
    let tree = tree(schema);
    let mut draw = Draw::new(seed, schema);
    let households: Vec<Rows> = (0..40).map(|place| draw.household(place)).collect();
    let (_folder, snapshot) = snapshot(schema, &households);
    let mut counted = Counted::default();
    for _ in 0..expressions {
        let table = draw.below(schema.tables.len());
        let depth = draw.below(6);
        let text = draw.condition(table, depth);
        let own = in_memory((schema, &tree), &households, table, &text);
        let other = in_database(&snapshot, table, &text);
        let name = &schema.tables[table].name;
        match (own, other) {
            (Ok(own), Ok(other)) => {
                assert_eq!(own, other, "{name}: {text}");
                counted.met += own.values().filter(|o| **o == Some(true)).count();
                counted.not_met += own.values().filter(|o| **o == Some(false)).count();
                counted.unknown += own.values().filter(|o| o.is_none()).count();
            }
            (Err(own), Err(other)) => {
                assert_eq!(own.code(), other.code(), "{name}: {text}\n{own}\n{other}");
                if matches!(own, Error::Overflow { .. }) {
                    counted.beyond += 1;
                } else {
                    counted.refused += 1;
                }
            }
            // A row that another clause left out is not computed over the registry.
            (Err(Error::Overflow { .. }), Ok(_)) => counted.beyond += 1,
            // A row without rows beneath is computed over the registry, and here never asked.
            (Ok(_), Err(Error::Overflow { .. })) => counted.beyond += 1,
            (own, other) => panic!("{name}: {text}: {own:?} {other:?}"),
        }
    }
    let Counted { met, not_met, unknown, refused, beyond } = counted;
    println!("{}: {met} met, {not_met} not, {unknown} unknown", schema.name);
    println!("{refused} refused, {beyond} beyond 64 bits of {expressions}");
    // The expressions are worth asking: all three outcomes are common, refusals are not.
    assert!([met, not_met, unknown].iter().all(|n| *n > expressions), "{}", schema.name);
    assert!(refused * 50 < expressions && beyond * 5 < expressions, "{}", schema.name);
    for (construct, count) in draw.seen {
        *seen.entry(construct).or_default() += count;
    }
}

#[test]
fn both_evaluators_agree_on_drawn_expressions() {
    let mut seen = BTreeMap::new();
    for (schema, seed) in schemas().iter().zip([0x9E37_79B9_7F4A_7C15, 42, 7_000_001]) {
        agree(schema, seed, 2_500, &mut seen);
    }
    for (construct, count) in &seen {
        println!("{count:6} {construct}");
    }
    let missing: Vec<&str> =
        CONSTRUCTS.split_whitespace().filter(|c| !seen.contains_key(c)).collect();
    assert!(missing.is_empty(), "never drawn: {missing:?}");
}

#[test]
fn the_nearest_change_turns_the_comparison() {
    let schema = schemas().remove(0);
    let mut draw = Draw::new(77, &schema);
    let income = schema.tables[0].column_index("income").unwrap();
    let mut turned = 0;
    for _ in 0..2_000 {
        let mut rows = Rows::new(&schema);
        let own = i64::try_from(draw.below(300)).unwrap();
        rows.set(0, 0, income, Cell::Int(own));
        let sign = draw.of(&["<", "<=", ">", ">=", "=", "!="]);
        let threshold = draw.below(300);
        let negated = draw.below(2) == 0;
        let plain = format!("income {sign} {}.{:02}", threshold / 100, threshold % 100);
        let text = if negated { format!("not ({plain})") } else { plain };
        let source = Source::text(&text);
        let expr = parse::expression(&source).unwrap();
        let steps = Steps::new(0);
        let (as_of, table) = (None, 0);
        let checker = Checker::new(&schema, None, table, as_of, (&source, &steps));
        let truth = |rows: &Rows| {
            let condition = checker.condition(&expr).unwrap();
            Scalar::new(&schema, rows).truth(&condition, 0).unwrap().unwrap()
        };
        let before = truth(&rows);
        let mut found = Vec::new();
        let scalar = Scalar::new(&schema, &rows);
        comparisons(&checker, &scalar, &expr, (0, true), &mut found).unwrap();
        assert_eq!(found[0].outcome(), Some(before), "{text}");
        let nearest = found[0].nearest().unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "a few hundred fen")]
        let fen = (nearest * 100.0).round() as i64;
        rows.set(0, 0, income, Cell::Int(fen));
        assert_ne!(truth(&rows), before, "{text} at {own}, then {fen}");
        // Nothing nearer turns it.
        let step = (fen - own).signum();
        for between in (1..(fen - own).abs()).map(|n| own + n * step) {
            rows.set(0, 0, income, Cell::Int(between));
            assert_eq!(truth(&rows), before, "{text} at {own}, then {between}");
        }
        turned += 1;
    }
    assert_eq!(turned, 2_000);
}
