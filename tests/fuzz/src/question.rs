//! A question drawn from an input, as text, as JSON or from the grammar: it is refused with its
//! place, or read, printed, read again as the same, bound and run within small limits.
//!
//! An input that begins with `=` is an expression asked of one household, one that begins with
//! `#` a household that an expression is asked of. What follows a line `----` is left out, so
//! that the golden questions are seeds as they are.

use std::sync::LazyLock;

use yiku::{CommitInfo, Database, Schema, Snapshot};
use yiku_queries::household::{Asking, Standards, ask};
use yiku_queries::{Context, Dialect, Error, Limits, Plan, Query};
use yiku_tests::Random;
use yiku_tests::memory::{Files, Memory};
use yiku_tests::registry::{AS_OF, household, push, schema, tree};

use crate::Input;

/// What every input is asked of.
struct Ground {
    schema: Schema,
    database: Database,
    snapshot: Snapshot,
    standards: Standards,
}

static GROUND: LazyLock<Ground> = LazyLock::new(|| {
    let schema = schema();
    let tree = tree(&schema);
    let memory = Memory::new(Files::new());
    let database = Database::create_in(memory, schema.clone(), tree.clone()).unwrap();
    let mut writer = database.writer().unwrap();
    let mut random = Random::new(1);
    for commit in 0..2 {
        let mut batch = writer.batch();
        for place in 0..8 {
            let key = format!("H{commit}{place}");
            push(&mut batch, &household(&mut random, &schema, &tree, &key));
        }
        writer.write(&batch).unwrap();
        writer.commit(CommitInfo { as_of: Some(AS_OF), ..CommitInfo::default() }).unwrap();
    }
    drop(writer);
    let snapshot = database.snapshot().unwrap();
    Ground { schema, database, snapshot, standards: Standards::builtin().unwrap() }
});

const FAMILY: &str = r#"{"household_id": "H", "region": "140105", "urban": true,
    "income": 2000.5, "disaster_on": "2026-03-01", "person": [
    {"person_id": "P", "name": "王", "birth_date": "1950-03-01", "sex": "female",
     "employed": false, "monthly_income": "1500", "tags": ["orphan"],
     "aid": [{"kind": "dibao_urban", "start": "2024-01-01", "amount": 300}],
     "observation": [{"month": "2026-01", "value": 12}]},
    {"birth_date": "2010-05-31", "disability_grade": 2}]}"#;

/// Questions with holes: `?` is an expression.
const QUESTIONS: &[&str] = &[
    "from person where ?",
    "from household where ?",
    "from aid where ? by ? measure n = ?",
    "from person where ? by ?, ? measure n = ?, m = ? totals order -n limit 3",
    "from household by region.county, ? measure n = ?, share(?) having ? totals",
    "from observation by month, ? measure ? top 2 within month by -count",
    "from person where ? by region.next measure n = count(), inflow(), outflow(where ?) \
     over month 2026-01 to 2026-10",
    "from person where ? by ? measure n = ? compare month, year order -n.year_change",
    "from person where ? by ? flow 2025-10-31 to 2026-10-31",
    "from person matrix ?, ?, ?",
    "from person where ? select person_id, ?, ? order -? limit 5",
    "from household where ? measure gini(?), median(?), quantile(?, 0.9), stddev(?)",
    "from household measure histogram(?, 0, 1000, 5), lorenz(?, 4), poverty_gap(?, 600)",
    "from person where in set a sets a = ?, b of household = ?",
    "from household where ? < $dibao_line measure n = ? with dibao_line = +50.00",
    "from person by ? measure n = ? publish min_cell 3 round 5",
    "from ? where ? by ? measure ?",
];

/// Expressions with holes.
const SHAPES: &[&str] = &[
    "? and ?",
    "? or ?",
    "not ?",
    "(?)",
    "? = ?",
    "? != ?",
    "? < ?",
    "? <= ?",
    "? > ?",
    "? >= ?",
    "? + ?",
    "? - ?",
    "? * ?",
    "? / ?",
    "-?",
    "? in (?, ?)",
    "? not in (?)",
    "? between ? and ?",
    "? has any (?, ?)",
    "? has none ?",
    "? within ?",
    "? is known",
    "? is unknown",
    "? starts ?",
    "matches(?, ?)",
    "any(? where ?)",
    "none(? where ?)",
    "all(? where ?)",
    "any(?)",
    "count(?)",
    "count(? where ?)",
    "count(where ?)",
    "sum(?)",
    "sum(? where ?)",
    "avg(?)",
    "min(?, ?)",
    "max(?)",
    "abs(?)",
    "coalesce(?, ?)",
    "if(?, ?, ?)",
    "per_capita(?)",
    "band(?, 0, 18, 60)",
    "age(?)",
    "year(?)",
    "month(?)",
    "quarter(?)",
    "? + 3 months",
    "? - 12 days",
    "? + 2 years",
    "count_distinct(?)",
    "per(1000, ?, ?)",
    "share(?)",
    "in set ?",
    "? in set ?",
    "median(?)",
];

/// Expressions without holes.
const ATOMS: &[&str] = &[
    "0",
    "1",
    "2",
    "60",
    "0.5",
    "680.00",
    "9223372036854775807",
    "99999999999999999",
    "true",
    "false",
    "as_of",
    "2026-10-31",
    "2026-10",
    "0000-01-01",
    "9999-12-31",
    "'王'",
    "''",
    "'01'",
    "employed",
    "severe_illness",
    "birth_date",
    "sex",
    "male",
    "tags",
    "orphan",
    "name",
    "monthly_income",
    "disability_grade",
    "grade_1",
    "household",
    "household.income",
    "income",
    "urban",
    "household.urban",
    "region",
    "region.county",
    "region.next",
    "1401",
    "140105",
    "person",
    "person.monthly_income",
    "person.birth_date",
    "aid",
    "aid.amount",
    "aid.start",
    "kind",
    "dibao_urban",
    "running",
    "start",
    "end",
    "amount",
    "observation",
    "observation.value",
    "value",
    "month",
    "indicator",
    "warning",
    "raised_on",
    "count()",
    "person_id",
    "household_id",
    "$dibao_line",
    "a",
    "b",
    "n",
    "m",
    "12 months",
    "1 day",
];

/// An expression of the grammar, names and kinds as they come.
fn filled(input: &mut Input<'_>, shape: &str, depth: usize) -> String {
    let mut text = String::new();
    for (place, part) in shape.split('?').enumerate() {
        if place > 0 {
            let choice = usize::from(input.byte());
            if depth == 0 || choice % 3 == 0 {
                text.push_str(ATOMS[(choice / 3 + usize::from(input.byte())) % ATOMS.len()]);
            } else {
                let inner = SHAPES[choice / 3 % SHAPES.len()];
                text.push_str(&filled(input, inner, depth - 1));
            }
        }
        text.push_str(part);
    }
    text
}

/// What an error says must be sayable, and its place within the text.
fn told(error: &Error, text: &str) {
    assert!(!error.code().is_empty() && !error.to_string().is_empty());
    if error.pointer().is_none()
        && let Some(position) = error.position()
    {
        assert!(position <= text.chars().count(), "{error}");
    }
}

/// Everything that is done with a plan.
fn run_plan(plan: &Plan, snapshot: &Snapshot) {
    let limits = Limits { groups: 300, memory: 8 << 20, ..Limits::default() };
    let scans = Limits { indexes: false, ..limits.clone() };
    let explained = plan.explain(snapshot, &limits, &|| 0);
    match plan.to_sql(Dialect::DuckDb) {
        Ok(sql) => assert!(!sql.is_empty()),
        Err(error) => told(&error, &error.to_string()),
    }
    match (plan.run(snapshot, &limits), explained) {
        (Ok(answer), Ok(_)) => {
            // What indexes answer is what every value says.
            if let Ok(scanned) = plan.run(snapshot, &scans) {
                assert_eq!(format!("{:?}", answer.columns), format!("{:?}", scanned.columns));
            }
            assert!(answer.rows <= answer.total_rows.max(answer.rows));
            assert!(answer.columns.iter().all(|column| column.values.len() == answer.rows));
        }
        (Err(error), _) | (_, Err(error)) => told(&error, &error.to_string()),
    }
}

/// Prints and reads again, binds and runs a question that was read from a text.
fn examine(query: &Query, source: &str) {
    let text = query.to_text();
    let again = Query::parse(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    assert_eq!(*query, again, "{text}");
    let json = serde_json::to_string(query).unwrap();
    let again = Query::from_json(&json).unwrap_or_else(|error| panic!("{json}\n{error}"));
    assert_eq!(*query, again, "{json}");
    let Ground { database, snapshot, standards, .. } = &*GROUND;
    let context = Context::default().parameters(standards).versions(database);
    for context in [context, context.scope("1401")] {
        match Plan::bind(query, snapshot, &context) {
            Ok(plan) => run_plan(&plan, snapshot),
            Err(error) => told(&error, source),
        }
    }
}

fn of_household(expression: &str, bundle: &str) {
    let Ground { schema, standards, .. } = &*GROUND;
    let context = Context::default().parameters(standards);
    for table in [None, Some("person")] {
        let asking = Asking { table, as_of: Some(AS_OF), context, ..Asking::of(schema) };
        match ask(&asking, bundle, expression) {
            Ok(told) => assert!(!told.to_string().is_empty()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// Asks what an input says.
///
/// # Panics
/// When something is wrong.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.split("\n----").next().unwrap_or("");
    if let Some(expression) = text.strip_prefix('=') {
        return of_household(expression, FAMILY);
    }
    if let Some(bundle) = text.strip_prefix('#') {
        let asked = "income > 100 and count(person where age(birth_date) > 60) >= 1";
        return of_household(asked, bundle);
    }
    let read = if text.starts_with('{') {
        Query::from_json(text)
    } else if text.starts_with("from") {
        Query::parse(text)
    } else {
        let input = &mut Input::new(bytes);
        let shape = usize::from(input.byte());
        let depth = usize::from(input.byte() % 5);
        let drawn = filled(input, QUESTIONS[shape % QUESTIONS.len()], depth);
        if shape >= 200 {
            return of_household(&filled(input, "?", depth), FAMILY);
        }
        return match Query::parse(&drawn) {
            Ok(query) => examine(&query, &drawn),
            Err(error) => told(&error, &drawn),
        };
    };
    match read {
        Ok(query) => examine(&query, text),
        Err(error) => told(&error, text),
    }
}
