//! Any registry in any order: drawn rows with keys that stand twice, parents that are missing and
//! values that are wrong, beside a plain walk through them, as text and as Parquet with types.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use yiku::Schema;
use yiku_indexer::{LoadOptions, load_tables, read_tree};

use crate::register::{Cell, Register};

struct Draw(u64);

impl Draw {
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % below
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }
}

/// A row of a file: key, parent's key, the other cells, and which of them is wrong.
#[derive(Clone)]
struct Row {
    key: String,
    above: String,
    cells: Vec<&'static str>,
    wrong: Option<(&'static str, &'static str)>,
}

const HEADERS: [&str; 3] = [
    "school_id,place,boarding,opened",
    "school_id,class_id,stage,year",
    "class_id,pupil_id,free_meals,fees,needs",
];

/// Rows of the three tables; many keys stand twice, some parents are nowhere.
fn rows(draw: &mut Draw, wrong: bool) -> [Vec<Row>; 3] {
    let key = |letter: &str, number: u64| format!("{letter}{number:03}");
    let bad = |draw: &mut Draw| wrong && draw.below(12) == 0;
    let mut tables = [Vec::new(), Vec::new(), Vec::new()];
    for (table, count) in [(0, 30), (1, 80), (2, 300)] {
        for _ in 0..1 + draw.below(count) {
            let own = key(["S", "C", "P"][table], draw.below(count));
            let above = key(["", "S", "C"][table], draw.below(count / 3 + 4));
            let (cells, wrong) = match table {
                0 => {
                    let place = draw.of(&["11", "1101", "1102", "12", "1201"]);
                    let (place, wrong) = match bad(draw) {
                        true => ("1299", Some(("unknown_code", "place"))),
                        false => (place, None),
                    };
                    let boarding = draw.of(&["true", "false", ""]);
                    (vec![place, boarding, draw.of(&["2001-09-01", ""])], wrong)
                }
                1 => {
                    let stage = draw.of(&["1", "middle", "3", ""]);
                    let (stage, wrong) = match bad(draw) {
                        true => ("9", Some(("unknown_code", "stage"))),
                        false => (stage, None),
                    };
                    (vec![stage, draw.of(&["3", "-7", ""])], wrong)
                }
                _ => {
                    let needs = draw.of(&["A", "B;C", "", "glasses;C"]);
                    let (needs, wrong) = match bad(draw) {
                        true => ("A;Z", Some(("unknown_code", "needs"))),
                        false => (needs, None),
                    };
                    let fees = draw.of(&["0.00", "120.50", "", "-3.25"]);
                    (vec![draw.of(&["true", "false", ""]), fees, needs], wrong)
                }
            };
            tables[table].push(Row { key: own, above, cells, wrong });
        }
    }
    tables
}

fn csv(table: usize, rows: &[Row]) -> String {
    let mut text = format!("{}\n", HEADERS[table]);
    for row in rows {
        let keys = if table == 0 { row.key.clone() } else { format!("{},{}", row.above, row.key) };
        writeln!(text, "{keys},{}", row.cells.join(",")).unwrap();
    }
    text
}

/// What is refused, as table, reason, line and column; what stays, as text.
type Told = (BTreeSet<(usize, String, u64, String)>, Vec<String>);

/// A plain walk: wrong rows go, then those whose key stands before, then those without a parent.
fn expected(tables: &[Vec<Row>; 3]) -> Told {
    let (mut refused, mut kept) = (BTreeSet::new(), Vec::new());
    let mut above: BTreeSet<String> = BTreeSet::new();
    let keys = ["school_id", "class_id", "pupil_id"];
    for (table, rows) in tables.iter().enumerate() {
        let mut refuse = |nth: usize, reason: &str, column: &str| {
            let line = u64::try_from(nth).unwrap() + 2;
            refused.insert((table, reason.to_owned(), line, column.to_owned()));
        };
        let mut first: HashMap<&str, bool> = HashMap::new();
        for (nth, row) in rows.iter().enumerate() {
            if let Some((reason, column)) = row.wrong {
                refuse(nth, reason, column);
                continue;
            }
            let has_parent = table == 0 || above.contains(&row.above);
            let orphan = || ("orphan", HEADERS[table].split(',').next().unwrap());
            match first.get(row.key.as_str()) {
                Some(true) => refuse(nth, "duplicate", keys[table]),
                Some(false) => refuse(nth, orphan().0, orphan().1),
                None => {
                    first.insert(&row.key, has_parent);
                    if has_parent {
                        kept.push(shown(table, row));
                    } else {
                        refuse(nth, orphan().0, orphan().1);
                    }
                }
            }
        }
        above = first.iter().filter(|(_, kept)| **kept).map(|(key, _)| (*key).into()).collect();
    }
    kept.sort();
    (refused, kept)
}

fn shown(table: usize, row: &Row) -> String {
    let number = |text: &str| match text {
        "" => None,
        "true" => Some(1),
        "false" | "1" | "0.00" => Some(0),
        "middle" => Some(1),
        "A" => Some(1),
        "B;C" => Some(6),
        "glasses;C" => Some(5),
        "120.50" => Some(12_050),
        "-3.25" => Some(-325),
        "2001-09-01" => Some(11_566),
        "11" | "12" => text.parse::<i64>().ok().map(|code| code * 100),
        // Of a stage its place in the list; the year has a 3 too.
        other => other.parse().ok(),
    };
    let mut values: Vec<Option<i64>> = row.cells.iter().map(|cell| number(cell)).collect();
    if table == 1 && row.cells[0] == "3" {
        values[0] = Some(2);
    }
    let above = if table == 0 { "" } else { &row.above };
    format!("{} {above} {values:?}", row.key)
}

/// What was loaded, in the same words.
fn found(db: &Path) -> Vec<String> {
    let register = Register::read(db);
    let names: [&[&str]; 3] =
        [&["place", "boarding", "opened"], &["stage", "year"], &["free_meals", "fees", "needs"]];
    let mut found = Vec::new();
    for (table, rows) in register.tables.iter().enumerate() {
        let declared = &register.schema.tables[table];
        let place = |name: &str| declared.column_index(name).unwrap();
        let key = |table: usize, row: usize| match &register.tables[table][row].cells[0] {
            Cell::Text(key) => key.clone(),
            _ => String::new(),
        };
        for (nth, row) in rows.iter().enumerate() {
            let values = names[table].iter().map(|name| match &row.cells[place(name)] {
                Cell::Integer(value) => Some(*value),
                _ => None,
            });
            let values: Vec<Option<i64>> = values.collect();
            let above = if table == 0 { String::new() } else { key(table - 1, row.parent) };
            found.push(format!("{} {above} {values:?}", key(table, nth)));
        }
    }
    found.sort();
    found
}

/// The same rows as Parquet, each column in the type that a database would give it.
fn parquet(csv: &Path, table: usize) -> PathBuf {
    let path = csv.with_extension("parquet");
    let typed = [
        "boarding::boolean boarding, opened::date opened",
        "\"year\"::integer \"year\"",
        "free_meals::boolean free_meals, fees::decimal(9,2) fees, string_split(needs, ';') needs",
    ];
    let names = ["boarding, opened", "\"year\"", "free_meals, fees, needs"];
    let sql = format!(
        "copy (select * exclude ({}), {} from read_csv('{}', all_varchar = true)) to '{}'
         (format parquet, row_group_size 2048)",
        names[table],
        typed[table],
        csv.display(),
        path.display()
    );
    duckdb::Connection::open_in_memory().unwrap().execute_batch(&sql).unwrap();
    path
}

#[test]
fn rows_in_any_order_give_what_a_plain_walk_gives() {
    let school = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/school");
    let schema = fs::read_to_string(school.join("school.toml")).unwrap();
    let schema = Schema::from_toml(&schema).unwrap();
    for seed in 0..24 {
        let mut draw = Draw(seed);
        let mut tables = rows(&mut draw, seed % 3 > 0);
        if seed % 2 == 0 {
            // In the order of places, as most files come: nothing has to be sorted.
            tables[0]
                .sort_by(|a, b| format!("{:0<4}", a.cells[0]).cmp(&format!("{:0<4}", b.cells[0])));
            for table in 1..3 {
                let mut order: HashMap<String, usize> = HashMap::new();
                for (nth, row) in tables[table - 1].iter().enumerate() {
                    order.entry(row.key.clone()).or_insert(nth);
                }
                tables[table].sort_by_key(|row| order.get(&row.above).copied());
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let files: Vec<PathBuf> = (0..3)
            .map(|table| {
                let path = dir.path().join(format!("{table}.csv"));
                fs::write(&path, csv(table, &tables[table])).unwrap();
                path
            })
            .collect();
        let (refused, kept) = expected(&tables);
        for typed in [false, true] {
            let db = dir.path().join(if typed { "typed" } else { "text" });
            let tree = read_tree(&school.join("places.csv"), &schema.path).unwrap();
            let options = LoadOptions { db: &db, tree: Some(tree), as_of: None, threads: 2 };
            let named: Vec<(String, PathBuf)> = (0..3)
                .map(|table| {
                    let csv = &files[table];
                    let path = if typed { parquet(csv, table) } else { csv.clone() };
                    (schema.tables[table].name.clone(), path)
                })
                .collect();
            let report = load_tables(Some(schema.clone()), &named, &options, &mut |_| {}).unwrap();
            // A row of Parquet has the number of its row, a line of text that of its line.
            let ahead = u64::from(typed);
            let mut told = BTreeSet::new();
            for line in report.rejects.iter().flat_map(|path| {
                let text = fs::read_to_string(path).unwrap();
                text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
            }) {
                let cells: Vec<&str> = line.split(',').collect();
                let file = Path::new(cells[0]).file_stem().unwrap().to_str().unwrap();
                let line: u64 = cells[1].parse().unwrap();
                let table: usize = file.parse().unwrap();
                told.insert((table, cells[3].to_owned(), line + ahead, cells[2].to_owned()));
            }
            assert_eq!(told, refused, "seed {seed}, typed {typed}");
            assert_eq!(found(&db), kept, "seed {seed}, typed {typed}");
        }
    }
}
