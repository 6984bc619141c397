//! A database as plain rows, for tests to compare.

use std::path::{Path, PathBuf};

use yiku::schema::Kind;
use yiku::{Database, Schema, Snapshot};
use yiku_fixtures::province::{Forms, Options, Summary, generate};
use yiku_indexer::{
    LoadOptions, LoadReport, Result, load_departments, parse_tree, registry_schema,
};

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    Unknown,
    Integer(i64),
    Text(String),
}

/// A row: its values, and the place of its parent among the parent's rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Cell>,
    pub(crate) parent: usize,
}

/// All live rows of a database.
#[derive(Debug)]
pub(crate) struct Register {
    pub(crate) schema: Schema,
    pub(crate) tables: Vec<Vec<Row>>,
}

impl Register {
    /// Reads a whole database.
    pub(crate) fn read(db: &Path) -> Register {
        Register::of(&Database::open(db).unwrap().snapshot().unwrap())
    }

    fn of(snapshot: &Snapshot) -> Register {
        let schema = snapshot.schema().clone();
        let mut tables: Vec<Vec<Row>> = schema.tables.iter().map(|_| Vec::new()).collect();
        for segment in snapshot.segments() {
            // For every row of a segment, its place among all rows.
            let mut places: Vec<Vec<usize>> = Vec::new();
            for (table, declared) in schema.tables.iter().enumerate() {
                let rows = segment.rows(table);
                let live = segment.live(table).unwrap();
                let mut cells: Vec<Vec<Cell>> = Vec::new();
                for (place, column) in declared.columns.iter().enumerate() {
                    let stored = segment.column(table, place).unwrap();
                    let known = stored.known().unwrap();
                    let mut values = Vec::new();
                    if matches!(column.kind, Kind::Text | Kind::Id) {
                        let mut visit = |_: u32, text: Option<&str>| {
                            values.push(text.map_or(Cell::Unknown, |t| Cell::Text(t.to_owned())));
                        };
                        stored.texts(0..rows, &mut visit).unwrap();
                    } else {
                        let mut integers = Vec::new();
                        stored.integers(0..rows, &mut integers).unwrap();
                        let cell = |(row, value)| {
                            if known.contains(row) { Cell::Integer(value) } else { Cell::Unknown }
                        };
                        values = (0..rows).zip(integers).map(cell).collect();
                    }
                    cells.push(values);
                }
                let mut parents = vec![0; rows as usize];
                if let Some(parent) = declared.parent {
                    let offsets = segment.offsets(table).unwrap();
                    for (above, range) in offsets.windows(2).enumerate() {
                        for row in range[0]..range[1] {
                            parents[row as usize] = places[parent][above];
                        }
                    }
                }
                let mut own = vec![usize::MAX; rows as usize];
                for row in (0..rows).filter(|row| live.contains(*row)) {
                    let at = row as usize;
                    own[at] = tables[table].len();
                    let cells = cells.iter().map(|column| column[at].clone()).collect();
                    tables[table].push(Row { cells, parent: parents[at] });
                }
                places.push(own);
            }
        }
        Register { schema, tables }
    }

    /// The rows of a table, each with the value of a column.
    pub(crate) fn column(&self, table: &str, column: &str) -> Vec<Cell> {
        let table = self.schema.table_index(table).unwrap();
        let place = self.schema.tables[table].column_index(column).unwrap();
        self.tables[table].iter().map(|row| row.cells[place].clone()).collect()
    }

    /// As [`Register::column`], integers only.
    pub(crate) fn integers(&self, table: &str, column: &str) -> Vec<Option<i64>> {
        let cells = self.column(table, column);
        let integer = |cell| if let Cell::Integer(value) = cell { Some(value) } else { None };
        cells.into_iter().map(integer).collect()
    }

    /// The name of the code that an integer stands for.
    pub(crate) fn code(&self, list: &str, place: i64) -> String {
        let list = self.schema.lists.iter().find(|l| l.name == list).unwrap();
        list.codes[usize::try_from(place).unwrap()].name.clone()
    }

    /// Every row with the keys of the rows above it, in an order that does not depend on segments.
    pub(crate) fn sorted(&self) -> Vec<Vec<(Vec<Cell>, Vec<Cell>)>> {
        let mut sorted = Vec::new();
        for (table, rows) in self.tables.iter().enumerate() {
            let declared = &self.schema.tables[table];
            let above = |row: &Row| match declared.parent {
                Some(parent) => self.tables[parent][row.parent].cells.clone(),
                None => Vec::new(),
            };
            let mut rows: Vec<_> = rows.iter().map(|row| (above(row), row.cells.clone())).collect();
            rows.sort();
            sorted.push(rows);
        }
        sorted
    }
}

/// Generates a province.
pub(crate) fn province(dir: &Path, persons: u64, months: u32, seed: u64, forms: Forms) -> Summary {
    let options = Options { persons, months, seed, forms, threads: 2 };
    generate(dir, &options, &mut |_| {}).unwrap()
}

/// Loads departments' files.
pub(crate) fn load(db: &Path, paths: &[PathBuf]) -> Result<LoadReport> {
    let regions = yiku_fixtures::reference::REGIONS_CSV;
    let tree = parse_tree(regions, "regions".as_ref(), &registry_schema()?.path)?;
    let options = LoadOptions { db, tree: Some(tree), as_of: None, threads: 2 };
    load_departments(paths, &options, &mut |_| {})
}

/// Gives a database that is yet to be the person numbers of another.
pub(crate) fn share_numbers(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("loads")).unwrap();
    let key = Path::new("loads").join("surrogate.key");
    std::fs::copy(from.join(&key), to.join(&key)).unwrap();
}
