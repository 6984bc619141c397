//! Registries that questions are drawn over: schemas of several shapes, rows with unknowns, empty
//! sets and extreme values; written into the engine, and into DuckDB as the printed SQL has them.

use std::path::Path;

use duckdb::types::Value;
use duckdb::{Connection, appender_params_from_iter};
use yiku::schema::{ColumnSchema, Kind, PathNode};
use yiku::{Batch, CommitInfo, Database, PathTree, Schema, Snapshot, calendar};
use yiku_tests::Random;
use yiku_tests::registry::{self, AS_OF, Cell, Row, Rows};

/// A census of one list, three tables deep: integers at the ends of 64 bits, names that are words
/// of SQL.
const CENSUS: &str = r#"
name = "census"
[path]
name = "place"
levels = [{ name = "half", digits = 1 }, { name = "quarter", digits = 3 }]
[[list]]
name = "colour"
codes = [["1", "red", "Red"], ["2", "it's", "Blue"], ["3", "颜色", "Colour"], ["x", "none", "-"]]
[[table]]
name = "box"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "desc", kind = "int", index = true }, { name = "column", kind = "flag", index = true },
    { name = "colour", kind = "code", list = "colour", index = true },
]
[[table]]
name = "table"
parent = "box"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "size", kind = "int" },
    { name = "user", kind = "text" }, { name = "colours", kind = "codes", list = "colour" },
    { name = "made", kind = "date", index = true },
]
[[table]]
name = "dent"
parent = "table"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "depth", kind = "int", index = true },
    { name = "cost", kind = "money" }, { name = "seen", kind = "month", index = true },
    { name = "fixed", kind = "flag" },
]
"#;

/// One table and nothing beneath it.
const SCHOOL: &str = r#"
name = "school"
[path]
name = "ward"
levels = [{ name = "ward", digits = 2 }]
[[list]]
name = "stage"
codes = [["1", "primary", "P"], ["2", "middle", "M"]]
[[table]]
name = "pupil"
key = "number"
columns = [
    { name = "number", kind = "id" }, { name = "ward", kind = "path" },
    { name = "name", kind = "text" }, { name = "born", kind = "date" },
    { name = "stage", kind = "code", list = "stage", index = true },
    { name = "meals", kind = "flag", index = true },
    { name = "fees", kind = "money", index = true }, { name = "score", kind = "int" },
    { name = "start", kind = "date" }, { name = "end", kind = "date" },
    { name = "tests", kind = "codes", list = "stage", index = true },
]
"#;

/// Four tables deep, with a sibling at two depths.
const CHAIN: &str = r#"
name = "chain"
[path]
name = "area"
levels = [
    { name = "a1", digits = 2 }, { name = "a2", digits = 4 }, { name = "a3", digits = 6 },
]
[[list]]
name = "sort"
codes = [["1", "one", "1"], ["2", "two", "2"], ["3", "three", "3"]]
[[table]]
name = "farm"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "area", kind = "path" },
    { name = "organic", kind = "flag" }, { name = "rent", kind = "money" },
]
[[table]]
name = "field"
parent = "farm"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "hectares", kind = "int" },
    { name = "sort", kind = "code", list = "sort" },
]
[[table]]
name = "barn"
parent = "farm"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "built", kind = "date" },
    { name = "dry", kind = "flag" },
]
[[table]]
name = "row"
parent = "field"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "sown", kind = "date", index = true },
    { name = "sorts", kind = "codes", list = "sort", index = true },
]
[[table]]
name = "plant"
parent = "row"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "height", kind = "int", index = true },
    { name = "picked", kind = "month" }, { name = "price", kind = "money" },
    { name = "start", kind = "date" }, { name = "end", kind = "date" },
]
"#;

/// A registry in both.
pub(crate) struct Registry {
    pub(crate) name: &'static str,
    pub(crate) schema: Schema,
    pub(crate) tree: PathTree,
    pub(crate) rows: Rows,
    pub(crate) duck: Connection,
}

impl Registry {
    /// Whether integers at the ends of 64 bits are met.
    pub(crate) fn extreme(&self) -> bool {
        self.name == "census"
    }
}

/// Places of every level: some have nothing beneath them.
fn places(schema: &Schema, random: &mut Random) -> PathTree {
    let levels = &schema.path.levels;
    let digits = usize::from(schema.path.digits());
    let mut nodes = Vec::new();
    let mut above = vec![String::new()];
    for (level, declared) in levels.iter().enumerate() {
        let mut own = Vec::new();
        for prefix in &above {
            for number in 0..2 + random.below(2) {
                let width = usize::from(declared.digits) - prefix.len();
                own.push(format!("{prefix}{:0width$}", number * 3 + 1));
            }
        }
        nodes.extend(own.iter().map(|text| PathNode {
            code: format!("{text:0<digits$}").parse().unwrap(),
            level: u8::try_from(level).unwrap(),
            name: format!("p{text}"),
        }));
        above = own;
    }
    PathTree::new(&schema.path, nodes).unwrap()
}

const NAMES: [&str; 10] =
    ["王芳", "李强", "O'Neil", "", "100%", "a\nb", "\"quoted\"", "李", "é", "_%"];

/// Draws the rows of a registry.
struct Source<'a> {
    random: &'a mut Random,
    schema: &'a Schema,
    tree: &'a PathTree,
    /// Whether integers, days and texts at the ends of their kinds are met.
    extreme: bool,
    rows: usize,
}

impl Source<'_> {
    fn row(&mut self, table: usize, key: String) -> Row {
        let declared = &self.schema.tables[table];
        let mut cells = Vec::new();
        for (place, column) in declared.columns.iter().enumerate() {
            let cell = match place == declared.key {
                true => Cell::Text(key.clone()),
                false => self.cell(column),
            };
            cells.push(cell);
        }
        let mut beneath = Vec::new();
        for child in self.schema.children(table) {
            let count = if self.random.chance(25) { 0 } else { self.random.below(4) };
            for _ in 0..count {
                self.rows += 1;
                let key = format!("{key}-{child}-{}", self.rows);
                beneath.push(self.row(child, key));
            }
        }
        Row { table, cells, beneath }
    }

    fn cell(&mut self, column: &ColumnSchema) -> Cell {
        let random = &mut *self.random;
        if column.kind != Kind::Path && random.chance(22) {
            return Cell::Unknown;
        }
        let size = column.list.map_or(0, |list| self.schema.lists[list].codes.len());
        let extreme = self.extreme && random.chance(6);
        Cell::Int(match column.kind {
            Kind::Flag => i64::from(random.chance(40)),
            Kind::Code => i64::try_from(random.below(size)).unwrap(),
            Kind::Codes => (0..size).filter(|_| random.chance(30)).map(|bit| 1 << bit).sum(),
            Kind::Int if extreme => {
                *random.pick(&[i64::MIN, i64::MAX, i64::MIN + 1, i64::MAX - 1, 1 << 53])
            }
            Kind::Int => random.between(-20, 200),
            Kind::Money if random.chance(50) => random.between(-3, 40) * 5_000,
            Kind::Money => random.between(-300, 4_000) * 50 + random.between(1, 99),
            Kind::Date if extreme => *random.pick(&[
                calendar::days(1, 1, 1).unwrap(),
                calendar::days(9_999, 12, 31).unwrap(),
                calendar::days(2024, 2, 29).unwrap(),
                calendar::days(0, 3, 1).unwrap(),
            ]),
            Kind::Date => AS_OF - random.between(-60, 1_500),
            Kind::Month if extreme => *random.pick(&[12, 9_999 * 12 + 11, 0]),
            Kind::Month => calendar::month_of(AS_OF) - random.between(-2, 30),
            Kind::Path => {
                let node = random.pick(self.tree.nodes());
                i64::try_from(node.code).unwrap()
            }
            Kind::Text | Kind::Id => return Cell::Text((*random.pick(&NAMES)).to_owned()),
        })
    }
}

/// Every registry that questions are drawn over, with about so many root rows.
pub(crate) fn all(seed: u64, roots: usize) -> Vec<Registry> {
    let mut random = Random::new(seed);
    let drawn = |random: &mut Random, name, text: &str, roots: usize, extreme| {
        let schema = Schema::from_toml(text).unwrap();
        let tree = places(&schema, random);
        let mut source = Source { random, schema: &schema, tree: &tree, extreme, rows: 0 };
        let row = |number: usize| {
            let key = format!("r{number:04}");
            (key.clone(), source.row(0, key))
        };
        let rows: Rows = (0..roots).map(row).collect();
        let duck = filled(&schema, &tree, &rows);
        Registry { name, schema, tree, rows, duck }
    };
    let platform = {
        let schema = registry::schema();
        let tree = registry::tree(&schema);
        let key = |number: usize| format!("H{number:05}");
        let household = |random: &mut Random, number| {
            (key(number), registry::household(random, &schema, &tree, &key(number)))
        };
        let rows: Rows = (0..roots).map(|number| household(&mut random, number)).collect();
        let duck = filled(&schema, &tree, &rows);
        Registry { name: "platform", schema: schema.clone(), tree: tree.clone(), rows, duck }
    };
    vec![
        platform,
        drawn(&mut random, "census", CENSUS, roots, true),
        drawn(&mut random, "census of small numbers", CENSUS, roots, false),
        drawn(&mut random, "school", SCHOOL, roots, false),
        drawn(&mut random, "chain", CHAIN, roots / 2, false),
        drawn(&mut random, "nothing", CHAIN, 0, false),
    ]
}

/// The rows written over so many commits, and so over as many segments.
pub(crate) fn written(folder: &Path, registry: &Registry, commits: usize) -> Database {
    let Registry { schema, tree, rows, .. } = registry;
    let database = Database::create(folder, schema.clone(), tree.clone()).unwrap();
    let mut writer = database.writer().unwrap();
    for place in 0..commits {
        let mut batch: Batch = writer.batch();
        for (number, row) in rows.values().enumerate() {
            if number * 7 % commits == place {
                registry::push(&mut batch, row);
            }
        }
        writer.write(&batch).unwrap();
        writer.commit(CommitInfo { as_of: Some(AS_OF), ..CommitInfo::default() }).unwrap();
    }
    drop(writer);
    database
}

/// The newest version.
pub(crate) fn newest(database: &Database) -> Snapshot {
    database.snapshot().unwrap()
}

/// The tables of the printed SQL.
fn filled(schema: &Schema, tree: &PathTree, rows: &Rows) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("SET threads = 1").unwrap();
    for (place, table) in schema.tables.iter().enumerate() {
        let columns = table.columns.iter().map(|c| format!("\"{}\" {}", c.name, kind(c.kind)));
        let more = if place == 0 { "_level BIGINT" } else { "_parent BIGINT" };
        let columns: Vec<String> = columns.collect();
        let columns = columns.join(", ");
        let staged = format!("CREATE TABLE _staged (_row BIGINT, {more}, {columns})");
        connection.execute_batch(&staged).unwrap();
        let mut appender = connection.appender("_staged").unwrap();
        let (mut number, mut above) = (0, 0);
        let mut append = |row: &Row, parent: i64| {
            let more = match &row.cells[schema.path_column().min(row.cells.len() - 1)] {
                Cell::Int(code) if place == 0 => {
                    tree.get(u64::try_from(*code).unwrap()).unwrap().level.into()
                }
                _ => parent,
            };
            let mut values = vec![Value::BigInt(number), Value::BigInt(more)];
            number += 1;
            let cells = table.columns.iter().zip(&row.cells);
            values.extend(cells.map(|(column, cell)| value(schema, column, cell)));
            appender.append_row(appender_params_from_iter(values)).unwrap();
        };
        for row in rows.values() {
            crate::duck::each(schema, row, place, &mut above, &mut append);
        }
        drop(appender);
        // Lists are appended as texts.
        let sets = table.columns.iter().filter(|column| column.kind == Kind::Codes);
        let set = |column: &ColumnSchema| {
            let name = format!("\"{}\"", column.name);
            format!(
                "CASE WHEN {name} = '' THEN []::VARCHAR[] \
                 ELSE string_split({name}, ';') END AS {name}"
            )
        };
        let sets: Vec<String> = sets.map(set).collect();
        let replaced = match sets.is_empty() {
            true => String::new(),
            false => format!(" REPLACE ({})", sets.join(", ")),
        };
        let name = &table.name;
        let made = format!(
            "CREATE TABLE \"{name}\" AS SELECT *{replaced} FROM _staged; DROP TABLE _staged"
        );
        connection.execute_batch(&made).unwrap();
    }
    connection
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Flag => "BOOLEAN",
        Kind::Int | Kind::Money => "BIGINT",
        Kind::Date | Kind::Month => "DATE",
        Kind::Code | Kind::Codes | Kind::Text | Kind::Id | Kind::Path => "VARCHAR",
    }
}

fn value(schema: &Schema, column: &ColumnSchema, cell: &Cell) -> Value {
    let codes = || &schema.lists[column.list.unwrap()].codes;
    let number = match cell {
        Cell::Unknown => return Value::Null,
        Cell::Text(text) => return Value::Text(text.clone()),
        Cell::Int(number) => *number,
    };
    let date = |day: i64| Value::Date32(i32::try_from(day).unwrap());
    match column.kind {
        Kind::Flag => Value::Boolean(number == 1),
        Kind::Code => Value::Text(codes()[usize::try_from(number).unwrap()].name.clone()),
        Kind::Codes => {
            let held = codes().iter().enumerate().filter(|(bit, _)| number >> bit & 1 == 1);
            let names: Vec<&str> = held.map(|(_, code)| code.name.as_str()).collect();
            Value::Text(names.join(";"))
        }
        Kind::Date => date(number),
        Kind::Month => date(calendar::month_start(number)),
        Kind::Path => {
            let digits = usize::from(schema.path.digits());
            Value::Text(format!("{number:0digits$}"))
        }
        _ => Value::BigInt(number),
    }
}
