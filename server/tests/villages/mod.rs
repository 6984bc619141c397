//! The registry of the villages: `fixtures/villages`, forty made-up persons in sixteen households,
//! small enough to count by hand. The platform's own schema; the day is 2026-10-31.

use std::collections::BTreeMap;
use std::path::Path;

use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, PathTree, Schema, calendar};

/// The rows of a file: the names of its columns, and what each row has in them.
fn rows(name: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/villages");
    let text = std::fs::read_to_string(folder.join(format!("{name}.csv"))).unwrap();
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut lines = text.lines().map(cells);
    (lines.next().unwrap(), lines.collect())
}

/// The rows of a table by the key of the row above.
type Beneath = BTreeMap<String, Vec<Vec<String>>>;

/// The rows of a table by the key of the row above, which stands in the second column.
fn beneath(table: &str) -> (Vec<String>, Beneath) {
    let (head, rows) = rows(table);
    let mut found = Beneath::new();
    for row in rows {
        assert_eq!(row.len(), head.len(), "{table}: {row:?}");
        found.entry(row[1].clone()).or_default().push(row);
    }
    (head, found)
}

fn tree(schema: &Schema) -> PathTree {
    let digits = usize::from(schema.path.digits());
    let node = |row: Vec<String>| PathNode {
        code: format!("{:0<digits$}", row[0]).parse().unwrap(),
        level: schema
            .path
            .levels
            .iter()
            .position(|l| usize::from(l.digits) == row[0].len())
            .unwrap() as u8,
        name: row[1].clone(),
    };
    PathTree::new(&schema.path, rows("places").1.into_iter().map(node).collect()).unwrap()
}

/// Writes the registry into a new folder.
pub(crate) fn create(folder: &Path) {
    let schema = yiku_indexer::registry_schema().unwrap();
    let tree = tree(&schema);
    let database = Database::create(folder, schema, tree).unwrap();
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    let (head, households) = rows("household");
    let tables = ["person", "warning", "aid", "observation"].map(|table| (table, beneath(table)));
    let mut put = |table: &str, head: &[String], row: &[String], above: Option<usize>| {
        let mut built = batch.row(table).unwrap();
        for (place, (name, value)) in head.iter().zip(row).enumerate() {
            if Some(place) != above && !value.is_empty() {
                built = built.set(name, value.as_str()).unwrap();
            }
        }
    };
    let [persons, warnings, aids, observations] = &tables;
    let of = |(_, (_, rows)): &(&str, (Vec<String>, Beneath)), key: &str| {
        rows.get(key).cloned().unwrap_or_default()
    };
    let mut seen = 0;
    for household in &households {
        put("household", &head, household, None);
        for person in of(persons, &household[0]) {
            put("person", &persons.1.0, &person, Some(1));
            seen += 1;
            for table in [aids, observations] {
                for row in of(table, &person[0]) {
                    put(table.0, &table.1.0, &row, Some(1));
                }
            }
        }
        for row in of(warnings, &household[0]) {
            put("warning", &warnings.1.0, &row, Some(1));
        }
    }
    assert_eq!(seen, persons.1.1.values().map(Vec::len).sum::<usize>());
    writer.write(&batch).unwrap();
    let as_of = calendar::parse_date("2026-10-31");
    writer.commit(CommitInfo { as_of, ..CommitInfo::default() }).unwrap();
}
