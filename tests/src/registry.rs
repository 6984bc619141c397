//! A small registry of made-up rows: the platform's own schema, a province of a few villages,
//! unknowns everywhere, households without members, persons without aid.
//!
//! Invariants: the rows depend on the seed alone; what [`Rows`] says is what a database written
//! from it holds, whatever the batches and commits.

use std::collections::BTreeMap;
use std::path::Path;

use yiku::schema::{ColumnSchema, Kind, PathNode};
use yiku::{Batch, CommitInfo, Database, PathTree, Schema, Snapshot, Value, calendar};

use crate::Random;

/// The day of the registry: 2026-10-31.
pub const AS_OF: i64 = 20_757;

/// A value as the engine stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// No value.
    Unknown,
    /// Everything but text.
    Int(i64),
    /// Text.
    Text(String),
}

/// A row with everything beneath it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its table, by place in the schema.
    pub table: usize,
    /// Its values, by place of the column.
    pub cells: Vec<Cell>,
    /// The rows beneath, table by table.
    pub beneath: Vec<Row>,
}

/// Every household by its key.
pub type Rows = BTreeMap<String, Row>;

/// The platform's own schema.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn schema() -> Schema {
    Schema::from_toml(include_str!("../../indexer/registry.toml")).unwrap()
}

/// A province with two cities, four counties and a few townships and villages.
///
/// # Panics
/// When it contradicts itself.
#[must_use]
pub fn tree(schema: &Schema) -> PathTree {
    let places = [
        ("14", "北山省"),
        ("1401", "东市"),
        ("1402", "西市"),
        ("140105", "甲区"),
        ("140106", "乙区"),
        ("140121", "丙县"),
        ("140202", "丁区"),
        ("140105001", "第一街道"),
        ("140105002", "第二街道"),
        ("140121100", "河口镇"),
        ("140202001", "第三街道"),
        ("140105001001", "一社区"),
        ("140105001002", "二社区"),
        ("140105002001", "三社区"),
        ("140121100201", "上河村"),
        ("140121100202", "下河村"),
        ("140202001001", "四社区"),
    ];
    let digits = usize::from(schema.path.digits());
    let level = |text: &str| {
        let place = schema.path.levels.iter().position(|l| usize::from(l.digits) == text.len());
        u8::try_from(place.unwrap()).unwrap()
    };
    let node = |(text, name): &(&str, &str)| PathNode {
        code: format!("{text:0<digits$}").parse().unwrap(),
        level: level(text),
        name: (*name).to_owned(),
    };
    PathTree::new(&schema.path, places.iter().map(node).collect()).unwrap()
}

/// Draws rows.
struct Source<'a> {
    random: &'a mut Random,
    schema: &'a Schema,
    places: Vec<i64>,
    rows: usize,
}

const NAMES: [&str; 9] = ["王芳", "李强", "张伟", "王小明", "欧阳雪", "O'Neil", "李", "", "100%"];

impl Source<'_> {
    fn row(&mut self, table: usize, key: &str) -> Row {
        let declared = self.schema.tables.get(table).unwrap();
        let mut cells = Vec::new();
        let mut before: Option<i64> = None;
        for (place, column) in declared.columns.iter().enumerate() {
            let cell = if place == declared.key {
                Cell::Text(key.to_owned())
            } else {
                self.cell(column, before)
            };
            if let (Kind::Date, Cell::Int(day)) = (column.kind, &cell) {
                before = Some(*day);
            }
            cells.push(cell);
        }
        let mut beneath = Vec::new();
        for child in self.schema.children(table) {
            let most = if table == 0 { 5 } else { 4 };
            let count = if self.random.chance(25) { 0 } else { self.random.below(most) };
            for _ in 0..count {
                self.rows += 1;
                let key = format!("{key}-{child}-{}", self.rows);
                beneath.push(self.row(child, &key));
            }
        }
        Row { table, cells, beneath }
    }

    /// A value of a column; `before` is the date in a column before it, if there was one.
    fn cell(&mut self, column: &ColumnSchema, before: Option<i64>) -> Cell {
        let random = &mut *self.random;
        let unknown = match column.kind {
            Kind::Path => 0,
            Kind::Flag => 30,
            _ => 20,
        };
        if random.chance(unknown) {
            return Cell::Unknown;
        }
        let size = column.list.map_or(0, |list| self.schema.lists.get(list).unwrap().codes.len());
        Cell::Int(match column.kind {
            Kind::Flag => i64::from(random.chance(40)),
            // The first codes of a list are met more often, the last perhaps never.
            Kind::Code => i64::try_from(random.below(size).min(random.below(size))).unwrap(),
            Kind::Codes => (0..size).filter(|_| random.chance(15)).map(|bit| 1 << bit).sum(),
            Kind::Int => random.between(-20, 200),
            Kind::Money if random.chance(10) => 0,
            // Round amounts are common, so that a bound is met exactly.
            Kind::Money if random.chance(50) => random.between(-3, 40) * 5_000,
            Kind::Money => random.between(-3, 40) * 5_000 + random.between(1, 99),
            Kind::Date => match before.filter(|_| column.name != "birth_date") {
                Some(before) => before + random.between(-20, 900),
                None if column.name == "birth_date" => AS_OF - random.between(0, 34_000),
                None => AS_OF - random.between(-30, 1_500),
            },
            Kind::Month => calendar::month_of(AS_OF) - random.between(0, 30),
            Kind::Path => *random.pick(&self.places),
            Kind::Text | Kind::Id => return Cell::Text((*random.pick(&NAMES)).to_owned()),
        })
    }
}

/// Draws a household with everything beneath it.
#[must_use]
pub fn household(random: &mut Random, schema: &Schema, tree: &PathTree, key: &str) -> Row {
    // Most households are at home in a village; of some only the county or less is known.
    let lowest = |level: u8| usize::from(level) + 1 == schema.path.levels.len();
    let nodes = tree.nodes().iter();
    let times = |level| if lowest(level) { 6 } else { 1 };
    let places = nodes.flat_map(|n| std::iter::repeat_n(n.code, times(n.level)));
    let places = places.map(|code| i64::try_from(code).unwrap()).collect();
    Source { random, schema, places, rows: 0 }.row(0, key)
}

/// Adds a row with everything beneath it to a batch.
///
/// # Panics
/// When the engine refuses a value.
pub fn push(batch: &mut Batch, row: &Row) {
    let mut builder = batch.push(row.table).unwrap();
    for (place, cell) in row.cells.iter().enumerate() {
        let value = match cell {
            Cell::Unknown => Value::Unknown,
            Cell::Int(value) => Value::Int(*value),
            Cell::Text(text) => Value::Text(text),
        };
        builder.put(place, value).unwrap();
    }
    row.beneath.iter().for_each(|row| push(batch, row));
}

/// A registry that grew over several commits: households were added, replaced and removed.
///
/// # Panics
/// When the engine refuses.
#[must_use]
pub fn grown(folder: &Path, seed: u64, households: usize) -> (Snapshot, Rows) {
    let (schema, mut random) = (schema(), Random::new(seed));
    let tree = tree(&schema);
    let database = Database::create(folder, schema.clone(), tree.clone()).unwrap();
    let mut rows = Rows::new();
    for commit in 0..4 {
        let mut writer = database.writer().unwrap();
        for _ in 0..2 {
            let mut batch = writer.batch();
            let mut keys = std::collections::BTreeSet::new();
            for _ in 0..households / 6 {
                // Some keys are met again: those households are replaced.
                let key = format!("H{:05}", random.below(households));
                if keys.insert(key.clone()) {
                    let row = household(&mut random, &schema, &tree, &key);
                    push(&mut batch, &row);
                    rows.insert(key, row);
                }
            }
            writer.write(&batch).unwrap();
        }
        for _ in 0..households / 30 {
            let key = format!("H{:05}", random.below(households));
            assert_eq!(writer.remove(&key).unwrap(), rows.remove(&key).is_some(), "{key}");
        }
        let as_of = Some(AS_OF - 30 * (3 - commit));
        writer.commit(CommitInfo { as_of, ..CommitInfo::default() }).unwrap();
    }
    (database.snapshot().unwrap(), rows)
}

/// The same rows dealt over so many commits, and so over as many segments.
///
/// # Panics
/// When the engine refuses.
#[must_use]
pub fn dealt(folder: &Path, rows: &Rows, commits: usize) -> Snapshot {
    let schema = schema();
    let tree = tree(&schema);
    let database = Database::create(folder, schema, tree).unwrap();
    let mut writer = database.writer().unwrap();
    for place in 0..commits {
        let mut batch = writer.batch();
        for (number, row) in rows.values().enumerate() {
            if number * 7 % commits == place {
                push(&mut batch, row);
            }
        }
        writer.write(&batch).unwrap();
        writer.commit(CommitInfo { as_of: Some(AS_OF), ..CommitInfo::default() }).unwrap();
    }
    writer.base()
}
