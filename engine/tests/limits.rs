//! What is larger than the engine takes is refused by name, before anything is made of it.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;

use yiku::limits::{
    BATCH_ROWS_MAX, COLUMNS_MAX, LEVELS_MAX, LIST_CODES_MAX, PATH_DIGITS_MAX, RECORD_BYTES_MAX,
    SEGMENT_ROWS_MAX, SET_CODES_MAX, TABLES_MAX,
};
use yiku::rows::RowBuilder;
use yiku::schema::{Code, CodeList, ColumnSchema, Kind, Level, PathNode, TableSchema};
use yiku::{CommitInfo, Database, Error, PathTree, Schema, Value};

fn column(name: &str, kind: Kind, list: Option<usize>) -> ColumnSchema {
    let (name, label) = (name.to_owned(), name.to_owned());
    ColumnSchema { name, label, kind, list, index: false, personal: false, unit: None }
}

fn list(codes: usize) -> CodeList {
    let code = |number: usize| {
        let text = format!("c{number}");
        Code { code: text.clone(), name: text.clone(), label: text }
    };
    let codes = (0..codes).map(code).collect();
    CodeList { name: "list".into(), label: "list".into(), codes }
}

fn table(number: usize, columns: usize) -> TableSchema {
    let mut all = vec![column("id", Kind::Id, None)];
    if number == 0 {
        all.push(column("place", Kind::Path, None));
    }
    all.extend((all.len()..columns).map(|at| column(&format!("c{at}"), Kind::Int, None)));
    let name = format!("t{number}");
    let parent = number.checked_sub(1);
    TableSchema { label: name.clone(), name, parent, key: 0, columns: all }
}

/// A schema of so many tables, each beneath the one before.
fn schema(tables: usize, columns: usize) -> Schema {
    let mut schema = Schema::from_toml(include_str!("../examples/first.toml")).unwrap();
    schema.path.name = "place".into();
    schema.tables = (0..tables).map(|number| table(number, columns)).collect();
    schema
}

fn levels(schema: &mut Schema, count: usize, last: u8) {
    let level = |number: usize| {
        let digits = u8::try_from(number + 1).unwrap();
        let name = format!("l{number}");
        Level { label: name.clone(), name, digits }
    };
    schema.path.levels = (0..count).map(level).collect();
    schema.path.levels.last_mut().unwrap().digits = last;
}

#[test]
fn a_schema_has_limits() {
    let check = |what: &str, most: usize, schema_of: &dyn Fn(usize) -> Schema| {
        schema_of(most).check().unwrap();
        match schema_of(most + 1).check().unwrap_err() {
            Error::Limit { what: found, found: size, limit } => {
                assert_eq!((found, size, limit), (what, most as u64 + 1, most as u64));
            }
            other => assert!(other.to_string().contains(what), "{other}"),
        }
    };
    check("tables", TABLES_MAX, &|tables| schema(tables, 2));
    check("columns of a table", COLUMNS_MAX, &|columns| schema(1, columns));
    check("levels of the path", LEVELS_MAX, &|count| {
        let mut schema = schema(1, 2);
        levels(&mut schema, count, PATH_DIGITS_MAX);
        schema
    });
    check("digits of a path code", usize::from(PATH_DIGITS_MAX), &|digits| {
        let mut schema = schema(1, 2);
        levels(&mut schema, 3, u8::try_from(digits).unwrap());
        schema
    });
    check("codes of a list", LIST_CODES_MAX, &|codes| {
        let mut schema = schema(1, 2);
        schema.lists = vec![list(codes)];
        schema
    });
    check("a set takes a list of at most", SET_CODES_MAX, &|codes| {
        let mut schema = schema(1, 2);
        schema.lists = vec![list(codes)];
        schema.tables[0].columns.push(column("tags", Kind::Codes, Some(0)));
        schema
    });
}

#[test]
fn a_set_uses_all_its_codes() {
    let mut schema = schema(1, 2);
    schema.lists = vec![list(SET_CODES_MAX)];
    schema.tables[0].columns.push(column("tags", Kind::Codes, Some(0)));
    let node = PathNode { code: 11, level: 0, name: "North".into() };
    let tree = PathTree::new(&schema.path, vec![node]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Database::create(folder.path(), schema, tree).unwrap().writer().unwrap();
    let mut batch = writer.batch();
    let fill = |mut row: RowBuilder<'_>, key: &str, bits: i64| {
        row.put(0, Value::Text(key)).unwrap();
        row.put(1, Value::Int(11)).unwrap();
        row.put(2, Value::Int(bits)).unwrap();
    };
    fill(batch.push(0).unwrap(), "A", i64::MAX);
    fill(batch.push(0).unwrap(), "B", 1 << 62);
    writer.write(&batch).unwrap();
    let snapshot = writer.commit(CommitInfo::default()).unwrap();
    let column = snapshot.segments()[0].column(0, 2).unwrap();
    for (bits, expected) in [(1, 1), (1 << 62, 2), (u64::MAX >> 1, 1)] {
        let rows = column.filter(&yiku::Predicate::HasAll(bits)).unwrap();
        assert_eq!(rows.count(), expected, "{bits:x}");
    }
    let texts: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.is_text()).collect();
    assert_eq!(texts, [Kind::Text, Kind::Id]);
}

#[test]
fn a_record_that_could_not_be_read_back_is_not_written() {
    let schema = schema(1, 2);
    let tree = PathTree::new(&schema.path, Vec::new()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let database = Database::create(folder.path(), schema, tree).unwrap();
    let notes = BTreeMap::from([("long".to_owned(), "x".repeat(RECORD_BYTES_MAX))]);
    let mut writer = database.writer().unwrap();
    let error = writer.commit(CommitInfo { notes, as_of: None }).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error}");
    drop(writer);
    let again = Database::open(folder.path()).unwrap();
    assert_eq!(again.snapshot().unwrap().version(), 1);
    assert!(again.writer().is_ok());
}

#[test]
fn a_tree_of_a_nation_is_kept() {
    let mut schema = schema(1, 2);
    levels(&mut schema, 2, 9);
    let node = |code: u64, level: u8| PathNode { code, level, name: format!("place {code}") };
    let mut nodes = vec![node(100_000_000, 0)];
    nodes.extend((1..300_000).map(|place| node(100_000_000 + place, 1)));
    let tree = PathTree::new(&schema.path, nodes).unwrap();
    let folder = tempfile::tempdir().unwrap();
    Database::create(folder.path(), schema, tree.clone()).unwrap();
    let again = Database::open(folder.path()).unwrap().snapshot().unwrap();
    assert!(*again.tree() == tree, "the tree reads back");
}

#[test]
fn rows_of_a_batch_are_numbered_in_32_bits() {
    let most = u32::try_from(BATCH_ROWS_MAX).unwrap();
    assert!(most.checked_add(1).is_some_and(|next| next > SEGMENT_ROWS_MAX));
}
