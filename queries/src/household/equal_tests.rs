//! One language, two evaluators: drawn expressions have the same outcome over one household in
//! memory as over a database that holds this household alone.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::cell::Cell as Steps;

use yiku::schema::{Kind, PathNode};
use yiku::{CommitInfo, Database, PathTree, Schema, Snapshot, Value, calendar};

use super::clause::comparisons;
use super::rows::{Cell, Rows};
use super::scalar::Scalar;
use crate::check::Checker;
use crate::source::Source;
use crate::{Error, Limits, Plan, Query, Values, parse};

const DAY: &str = "2026-10-31";

/// A number generator of the test's own (xorshift): the same expressions on every machine.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

fn schema() -> Schema {
    Schema::from_toml(include_str!("../../../indexer/registry.toml")).unwrap()
}

fn tree(schema: &Schema) -> PathTree {
    let node = |(code, level): (u64, u8)| PathNode { code, level, name: format!("p{code}") };
    let places = [
        (140_000_000_000, 0),
        (140_100_000_000, 1),
        (140_105_000_000, 2),
        (140_105_001_000, 3),
        (140_105_001_001, 4),
        (140_200_000_000, 1),
    ];
    PathTree::new(&schema.path, places.map(node).to_vec()).unwrap()
}

/// A drawn value of a column, from few enough that comparisons turn out both ways.
fn value(draw: &mut Draw, schema: &Schema, table: usize, column: usize) -> Option<Cell> {
    let column = &schema.tables[table].columns[column];
    if draw.below(4) == 0 && !matches!(column.kind, Kind::Id | Kind::Path) {
        return None;
    }
    let pick = |draw: &mut Draw, limit: usize| i64::try_from(draw.below(limit)).unwrap();
    let day = calendar::parse_date(DAY).unwrap();
    Some(match column.kind {
        Kind::Flag => Cell::Int(pick(draw, 2)),
        Kind::Code => Cell::Int(pick(draw, schema.lists[column.list.unwrap()].codes.len().min(5))),
        Kind::Codes => Cell::Int(pick(draw, 16)),
        Kind::Int => Cell::Int(pick(draw, 5)),
        Kind::Money => Cell::Int([0, 1, 9_999, 10_000, 33_333, 70_000][draw.below(6)]),
        Kind::Date => Cell::Int(match draw.below(3) {
            0 => day - pick(draw, 400) + 100,
            1 => day - 365 * pick(draw, 90),
            _ => day,
        }),
        Kind::Month => Cell::Int(calendar::month_of(day) - pick(draw, 15)),
        Kind::Path => Cell::Int(140_105_001_001),
        _ => Cell::Text(draw.of(&["王", "王小", "李", "a"]).to_owned()),
    })
}

/// A household with its members and what lies beneath them.
fn household(draw: &mut Draw, schema: &Schema) -> Rows {
    let mut rows = Rows::new(schema);
    for table in 1..schema.tables.len() {
        let above = schema.tables[table].parent.unwrap();
        for parent in 0..rows.tables[above].len() {
            for _ in 0..draw.below(4) {
                rows.add(schema, table, parent);
            }
        }
    }
    for table in 0..schema.tables.len() {
        for row in 0..rows.tables[table].len() {
            for column in 0..schema.tables[table].columns.len() {
                let cell = if schema.tables[table].key == column {
                    Some(Cell::Text(format!("{table}_{row:03}")))
                } else {
                    value(draw, schema, table, column)
                };
                if let Some(cell) = cell {
                    rows.set(table, row, column, cell);
                }
            }
        }
    }
    rows
}

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

fn snapshot(schema: &Schema, rows: &Rows) -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let database =
        Database::create(&folder.path().join("d"), schema.clone(), tree(schema)).unwrap();
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    write(&mut batch, schema, rows, 0, 0);
    writer.write(&batch).unwrap();
    let as_of = calendar::parse_date(DAY);
    let snapshot = writer.commit(CommitInfo { as_of, ..CommitInfo::default() }).unwrap();
    (folder, snapshot)
}

/// A drawn number for the rows of a table.
fn number(draw: &mut Draw, table: &str, depth: usize) -> String {
    let money: &[&str] = match table {
        "household" => &["income", "disaster_loss"],
        "person" => &["monthly_income", "household.income"],
        "aid" => &["amount", "person.monthly_income"],
        _ => &["value", "household.income"],
    };
    let plain = ["0", "1", "2", "100", "99.99", "333.33", "0.5"];
    if depth == 0 {
        return match draw.below(3) {
            0 => draw.of(&plain).to_owned(),
            _ => draw.of(money).to_owned(),
        };
    }
    let (a, b) = (number(draw, table, depth - 1), number(draw, table, depth - 1));
    match draw.below(11) {
        0 => format!("({a} + {b})"),
        1 => format!("({a} - {b})"),
        2 => format!("({a} * {})", draw.of(&["2", "0.5", "1.25", "0"])),
        3 => format!("({a} / {})", draw.of(&["3", "0", "2"])),
        4 => format!("abs(-{a})"),
        5 => format!("coalesce({a}, {b})"),
        6 => format!("min({a}, {b})"),
        7 => format!("max({a}, {b})"),
        8 => format!("if({}, {a}, {b})", condition(draw, table, depth - 1)),
        9 => fold(draw, table, depth - 1),
        _ if table == "household" => format!("per_capita({a})"),
        _ => a,
    }
}

/// Tables beneath a table.
fn beneath(table: &str) -> &'static [&'static str] {
    match table {
        "household" => &["person", "aid", "observation", "warning"],
        "person" => &["aid", "observation"],
        _ => &[],
    }
}

fn fold(draw: &mut Draw, table: &str, depth: usize) -> String {
    let tables = beneath(table);
    if tables.is_empty() {
        return number(draw, table, depth);
    }
    let child = draw.of(tables);
    let filter = match draw.below(3) {
        0 => String::new(),
        _ => format!(" where {}", condition(draw, child, depth.min(1))),
    };
    let money = match child {
        "person" => "person.monthly_income",
        "aid" => "aid.amount",
        "observation" => "observation.value",
        _ => return format!("count({child}{filter})"),
    };
    match draw.below(6) {
        0 => format!("count({child}{filter})"),
        1 => format!("avg({money}{filter})"),
        2 => format!("min({money}{filter})"),
        3 => format!("max({money}{filter})"),
        4 => format!("sum({money} * 0.5{filter})"),
        _ => format!("sum({money}{filter})"),
    }
}

/// A drawn comparison that is particular to a table.
fn own(draw: &mut Draw, table: &str) -> String {
    let texts: &[&str] = match table {
        "household" => &[
            "urban",
            "region within 1401",
            "region within (1402, 140105)",
            "housing_grade in (house_c, house_d)",
            "relapse_since is known",
            "disaster_on > as_of - 3 months",
            "year(disaster_on) = 2026 or month(disaster_on) = 10",
            "cause = illness",
            "disaster_on between 2026-01-01 and 2026-12-31",
        ],
        "person" => &[
            "age(birth_date) between 18 and 59",
            "age(birth_date) in (0, 1, 2, 60)",
            "employed",
            "employed = severe_illness",
            "coalesce(employed, false) = household.urban",
            "tags has any (single_parent, living_alone)",
            "tags has all (orphan, single_parent)",
            "tags has none (de_facto_orphan)",
            "disability_grade = grade_1 or disability_grade in (2, 3)",
            "sex != male",
            "coalesce(disability_grade, grade_1) = grade_1",
            "name starts '王'",
            "name in ('王', '李')",
            "birth_date + 60 years <= as_of",
            "as_of - birth_date > 22000",
            "quarter(birth_date) = 4",
            "(employed and severe_illness) is unknown",
            "insurance_stopped is unknown",
        ],
        "aid" => &[
            "running",
            "kind = dibao_urban",
            "start > as_of - 12 months",
            "year(start) = 2026",
            "person.employed",
            "household.urban",
            "end is known",
        ],
        "observation" => &[
            "indicator = medical_self_paid",
            "month > as_of - 12 months",
            "month = 2026-10",
            "person.sex = male",
            "value is known",
        ],
        _ => &["level = red", "status = open", "raised_on <= as_of", "rule = '王'"],
    };
    draw.of(texts).to_owned()
}

fn condition(draw: &mut Draw, table: &str, depth: usize) -> String {
    if depth == 0 {
        return match (draw.below(3), table) {
            (0, "household" | "person" | "aid" | "observation") => {
                let sign = draw.of(&["<", "<=", ">", ">=", "=", "!="]);
                let (a, b) = (number(draw, table, 0), number(draw, table, 0));
                format!("{a} {sign} {b}")
            }
            _ => own(draw, table),
        };
    }
    let part = |draw: &mut Draw| condition(draw, table, depth - 1);
    match draw.below(10) {
        0 => format!("({} and {})", part(draw), part(draw)),
        1 => format!("({} or {})", part(draw), part(draw)),
        2 => format!("not ({})", part(draw)),
        3 => format!("if({}, {}, {})", part(draw), part(draw), part(draw)),
        4 => format!("coalesce({}, {})", part(draw), part(draw)),
        5 => format!("({}) = ({})", part(draw), part(draw)),
        6 => format!("({}) is unknown", part(draw)),
        7 | 8 if !beneath(table).is_empty() => {
            let child = draw.of(beneath(table));
            let quantity = draw.of(&["any", "none", "all"]);
            format!("{quantity}({child} where {})", condition(draw, child, depth - 1))
        }
        _ if table == "warning" => own(draw, table),
        _ => {
            let sign = draw.of(&["<", "<=", ">", ">=", "=", "!="]);
            let (a, b) = (number(draw, table, depth), number(draw, table, depth - 1));
            if draw.below(5) == 0 {
                format!("{a} between {b} and 100")
            } else {
                format!("{a} {sign} {b}")
            }
        }
    }
}

/// The outcome for every row of a table in memory, by the row's key.
fn in_memory(
    schema: &Schema,
    tree: &PathTree,
    rows: &Rows,
    table: usize,
    text: &str,
) -> Result<Vec<Option<bool>>, Error> {
    let (steps, source) = (Steps::new(0), Source::text(text));
    let expr = parse::expression(&source)?;
    let as_of = calendar::parse_date(DAY);
    let checker = Checker::new(schema, Some(tree), table, as_of, (&source, &steps));
    let condition = checker.condition(&expr)?.at(table);
    let scalar = Scalar::new(schema, rows);
    (0..rows.tables[table].len()).map(|row| scalar.truth(&condition, row)).collect()
}

/// The same over the database: the group that each row falls into.
fn in_database(snapshot: &Snapshot, table: &str, text: &str) -> Result<Vec<Option<bool>>, Error> {
    let query = Query::parse(&format!("from {table} by {table}_id, {text}"))?;
    let answer = Plan::new(&query, snapshot)?.run(snapshot, &Limits::default())?;
    let Values::Text(found) = &answer.columns[1].values else { panic!("a flag is text") };
    Ok(found.iter().map(|value| value.as_deref().map(|v| v == "true")).collect())
}

#[test]
fn both_evaluators_agree_on_drawn_expressions() {
    let schema = schema();
    let tree = tree(&schema);
    let mut draw = Draw(0x9E37_79B9_7F4A_7C15);
    let (mut met, mut not_met, mut unknown, mut refused) = (0, 0, 0, 0);
    for _ in 0..40 {
        let rows = household(&mut draw, &schema);
        let (_folder, snapshot) = snapshot(&schema, &rows);
        for _ in 0..120 {
            let table = draw.of(&["household", "household", "person", "person", "aid"]);
            let depth = draw.below(4);
            let text = condition(&mut draw, table, depth);
            let place = schema.table_index(table).unwrap();
            let own = in_memory(&schema, &tree, &rows, place, &text);
            let other = in_database(&snapshot, table, &text);
            match (own, other) {
                (Ok(own), Ok(other)) => {
                    assert_eq!(own, other, "{table}: {text}");
                    met += own.iter().filter(|o| **o == Some(true)).count();
                    not_met += own.iter().filter(|o| **o == Some(false)).count();
                    unknown += own.iter().filter(|o| o.is_none()).count();
                }
                (Err(own), Err(other)) => {
                    assert_eq!(own.code(), other.code(), "{table}: {text}");
                    refused += 1;
                }
                (own, other) => panic!("{table}: {text}: {own:?} {other:?}"),
            }
        }
    }
    // The expressions are worth asking: all three outcomes are common, refusals are not.
    assert!(met > 1_000 && not_met > 1_000 && unknown > 1_000, "{met} {not_met} {unknown}");
    assert!(refused < 1_000, "{refused}");
}

#[test]
fn the_nearest_change_turns_the_comparison() {
    let schema = schema();
    let mut draw = Draw(77);
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
