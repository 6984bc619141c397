//! Bundles taken out and put back: what is read is what was written, and only that bundle changes.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(clippy::print_stdout, reason = "a test prints the figures that it measured")]
#![expect(clippy::disallowed_methods, reason = "a test looks at the clock")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use yiku::rows::Cell;
use yiku::schema::PathNode;
use yiku::{Batch, Bundle, CommitInfo, Compaction, Database, Error, PathTree, Schema, Snapshot};

const SCHEMA: &str = r#"
name = "s"
[path]
name = "place"
levels = [{ name = "district", digits = 2 }, { name = "ward", digits = 4 }]
[[list]]
name = "colour"
codes = [["1", "red", "Red"], ["2", "blue", "Blue"]]
[[table]]
name = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "side", kind = "code", list = "colour", index = true },
    { name = "lid", kind = "flag" }, { name = "note", kind = "text" }]
[[table]]
name = "ball"
parent = "box"
key = "ball_id"
columns = [{ name = "ball_id", kind = "id" }, { name = "weight", kind = "int" },
    { name = "marks", kind = "codes", list = "colour" }]
[[table]]
name = "bounce"
parent = "ball"
key = "bounce_id"
columns = [{ name = "bounce_id", kind = "id" }, { name = "day", kind = "date" }]
[[table]]
name = "label"
parent = "box"
key = "label_id"
columns = [{ name = "label_id", kind = "id" }, { name = "price", kind = "money" }]
"#;

const BALL: usize = 1;
const BOUNCE: usize = 2;
const LABEL: usize = 3;

fn create(folder: &Path) -> Database {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let mut nodes = vec![PathNode { code: 1100, level: 0, name: "North".into() }];
    nodes.extend((1101..1110).map(|code| PathNode { code, level: 1, name: code.to_string() }));
    let tree = PathTree::new(&schema.path, nodes).unwrap();
    Database::create(folder, schema, tree).unwrap()
}

fn int(value: i64) -> Cell {
    Cell::Int(value)
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

fn row(table: usize, cells: Vec<Cell>, beneath: Vec<Bundle>) -> Bundle {
    Bundle { table, cells, beneath }
}

/// A bundle whose every number follows from its own.
fn sample(n: i64) -> Bundle {
    let ball = |b: i64| {
        let bounces = (0..(n + b) % 3).map(|nth| {
            let day = if nth == 1 { Cell::Unknown } else { int(20_000 + n) };
            row(BOUNCE, vec![text(format!("X{n}-{b}-{nth}")), day], vec![])
        });
        let weight = if b % 2 == 0 { int(-n) } else { Cell::Unknown };
        let cells = vec![text(format!("ball {n}/{b}")), weight, int(n % 4)];
        row(BALL, cells, bounces.collect())
    };
    let mut beneath: Vec<Bundle> = (0..n % 4).map(ball).collect();
    if n % 5 == 0 {
        beneath.push(row(LABEL, vec![text(format!("L{n}")), int(n * 100)], vec![]));
    }
    let note = if n % 3 == 0 { Cell::Unknown } else { text("含有文字") };
    let cells = vec![text(format!("B{n:04}")), int(1101 + n % 9), int(n % 2), int(1), note];
    row(0, cells, beneath)
}

fn write(database: &Database, bundles: &[Bundle]) -> Snapshot {
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    bundles.iter().for_each(|bundle| batch.put(bundle).unwrap());
    writer.write(&batch).unwrap();
    writer.commit(CommitInfo::default()).unwrap()
}

/// All bundles by key, and that the counts of rows are those of the bundles.
fn all(snapshot: &Snapshot, keys: impl Iterator<Item = i64>) -> BTreeMap<i64, Bundle> {
    let read = |n: i64| snapshot.bundle(&format!("B{n:04}")).unwrap().map(|bundle| (n, bundle));
    let found: BTreeMap<i64, Bundle> = keys.filter_map(read).collect();
    let mut rows = [0u64; 4];
    let mut left: Vec<&Bundle> = found.values().collect();
    while let Some(bundle) = left.pop() {
        *rows.get_mut(bundle.table).unwrap() += 1;
        left.extend(&bundle.beneath);
    }
    assert_eq!([0, 1, 2, 3].map(|table| snapshot.rows(table)), rows);
    found
}

#[test]
fn a_bundle_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let bundles: Vec<Bundle> = (0..200).map(sample).collect();
    let snapshot = write(&database, &bundles);
    let expected: BTreeMap<i64, Bundle> = (0..).zip(bundles).collect();
    assert_eq!(all(&snapshot, 0..200), expected);
    assert_eq!(snapshot.bundle("B0200").unwrap(), None);
    assert_eq!(snapshot.bundle("").unwrap(), None);
}

#[test]
fn one_bundle_is_replaced_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let first = write(&database, &(0..200).map(sample).collect::<Vec<_>>());
    let mut expected: BTreeMap<i64, Bundle> = (0..200).map(|n| (n, sample(n))).collect();
    for n in [0, 7, 7, 199] {
        let mut bundle = database.snapshot().unwrap().bundle(&format!("B{n:04}")).unwrap().unwrap();
        assert!(bundle.set(1, int(1109)) && !bundle.set(9, int(1)));
        bundle.beneath.retain(|row| row.table == BALL);
        bundle.beneath.truncate(1);
        bundle.beneath.push(row(LABEL, vec![text(format!("new {n}")), int(5)], vec![]));
        let snapshot = write(&database, std::slice::from_ref(&bundle));
        expected.insert(n, bundle);
        assert_eq!(all(&snapshot, 0..200), expected);
        let key = |table, key: &str| snapshot.find(table, key).unwrap();
        assert_eq!(key(LABEL, &format!("new {n}")), Some(format!("B{n:04}")));
        assert_eq!(key(LABEL, "L0"), None, "a row that was replaced is not found");
    }
    // The version before is as it was.
    assert_eq!(all(&first, 0..200), (0..200).map(|n| (n, sample(n))).collect());
}

#[test]
fn a_row_is_found_in_every_table() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    write(&database, &(0..100).map(sample).collect::<Vec<_>>());
    let snapshot = write(&database, &(100..200).map(sample).collect::<Vec<_>>());
    for n in 0..200 {
        let root = format!("B{n:04}");
        let mut left = vec![sample(n)];
        while let Some(bundle) = left.pop() {
            let key = bundle.cell(0).text().unwrap();
            let found = snapshot.find(bundle.table, key).unwrap();
            assert_eq!(found.as_deref(), Some(root.as_str()), "{key}");
            left.extend(bundle.beneath);
        }
    }
    assert_eq!(snapshot.find(BALL, "B0001").unwrap(), None);
    let found = snapshot.find_all(LABEL, &["L195", "none", "L5", "L100"]).unwrap();
    assert_eq!(
        found,
        [Some("B0195"), None, Some("B0005"), Some("B0100")].map(|k| k.map(str::to_owned))
    );
    assert_eq!(snapshot.find_all(LABEL, &[]).unwrap(), []);
    assert!(matches!(snapshot.find(9, "B0001"), Err(Error::UnknownTable { .. })));
}

#[test]
fn a_writer_reads_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    write(&database, &[sample(1), sample(2)]);
    let mut writer = database.writer().unwrap();
    let mut changed = sample(1);
    changed.beneath.clear();
    let mut batch = writer.batch();
    batch.put(&changed).unwrap();
    writer.write(&batch).unwrap();
    writer.remove("B0002").unwrap();
    let found = writer.bundles(&["B0002", "B0001", "B0003"]).unwrap();
    assert_eq!(found, [None, Some(changed), None]);
    assert_eq!(database.snapshot().unwrap().bundle("B0001").unwrap(), Some(sample(1)));
}

#[test]
fn rows_that_do_not_belong_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let refuse = |bundle: &Bundle| {
        let mut batch: Batch = database.writer().unwrap().batch();
        batch.put(bundle).unwrap_err()
    };
    let mut bundle = sample(1);
    bundle.beneath.push(row(BOUNCE, vec![text("X"), int(1)], vec![]));
    assert!(matches!(refuse(&bundle), Error::Orphan { .. }));
    let mut bundle = sample(1);
    bundle.beneath.push(sample(2));
    assert!(matches!(refuse(&bundle), Error::Orphan { .. }));
    let mut bundle = sample(1);
    bundle.set(2, int(7));
    assert!(matches!(refuse(&bundle), Error::WrongType { .. }));
    bundle.set(2, text("blue"));
    bundle.cells.push(int(1));
    assert!(matches!(refuse(&bundle), Error::UnknownColumn { .. }));
    assert!(Bundle::new(database.snapshot().unwrap().schema(), 4).is_none());
}

#[test]
fn small_segments_become_few_and_answers_stay() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let mut expected = BTreeMap::new();
    let mut most = 0;
    write(&database, &(1_000..3_000).map(sample).collect::<Vec<_>>());
    for n in 0..150 {
        let mut writer = database.writer().unwrap();
        let mut batch = writer.batch();
        // Every third commit replaces a bundle of an earlier one.
        let n = if n % 3 == 2 { n / 2 } else { n };
        let mut bundle = sample(n);
        bundle.set(4, text(format!("commit {n}")));
        batch.put(&bundle).unwrap();
        writer.write(&batch).unwrap();
        let snapshot = writer.commit(CommitInfo::default()).unwrap();
        expected.insert(n, bundle);
        most = most.max(snapshot.segments().len());
        assert_eq!(snapshot.rows(0), 2_000 + expected.len() as u64);
    }
    assert!((8..=24).contains(&most), "{most} segments stood");
    expected.extend((1_000..3_000).map(|n| (n, sample(n))));
    let again = Database::open(folder.path()).unwrap().snapshot().unwrap();
    assert_eq!(all(&again, 0..3_000), expected);
    let version = again.version();
    assert!(database.compact(Compaction::Whole, &|| false).unwrap() > 0);
    for database in [&database, &Database::open(folder.path()).unwrap()] {
        let compact = database.snapshot().unwrap();
        assert_eq!((compact.version(), compact.segments().len()), (version, 1));
        assert_eq!(all(&compact, 0..3_000), expected);
    }
    assert_eq!(database.compact(Compaction::Whole, &|| false).unwrap(), 0);
}

#[test]
fn reading_one_bundle_of_many_is_quick() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    (0..100_000).for_each(|n| batch.put(&sample(n)).unwrap());
    writer.write(&batch).unwrap();
    writer.commit(CommitInfo::default()).unwrap();
    drop(writer);
    let keys: Vec<String> = (0..10_000).map(|n| format!("B{:04}", n * 7)).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let start = Instant::now();
    let many = database.writer().unwrap().bundles(&keys).unwrap();
    println!("{} bundles in {:?}", keys.len(), start.elapsed());
    assert!(many.into_iter().zip(0..).all(|(bundle, n)| bundle == Some(sample(n * 7))));
    let start = Instant::now();
    let snapshot = Database::open(folder.path()).unwrap().snapshot().unwrap();
    let opened = start.elapsed();
    let bundle = snapshot.bundle("B77778").unwrap();
    let read = start.elapsed() - opened;
    let found = snapshot.find(BALL, "ball 77778/1").unwrap();
    let sought = start.elapsed() - opened - read;
    assert_eq!((bundle, found.as_deref()), (Some(sample(77_778)), Some("B77778")));
    let rows = snapshot.rows(BALL);
    println!("{rows} rows: opened in {opened:?}, bundle in {read:?}, found in {sought:?}");
    // Far above what it takes, and far below what reading all bundles would.
    assert!(read.as_secs() < 2 && sought.as_secs() < 2);
}
