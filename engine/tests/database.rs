//! What a database promises whoever holds it: one writer, whole commits, versions that stay.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use yiku::limits::{SEGMENT_ROWS_MAX, TEXT_BYTES_MAX};
use yiku::schema::PathNode;
use yiku::storage::{Disk, Storage};
use yiku::{Batch, CommitInfo, Database, PathTree, Predicate, Result, Schema, Snapshot, Value};

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
    { name = "side", kind = "code", list = "colour", index = true }]
[[table]]
name = "ball"
parent = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "weight", kind = "int" }]
"#;

fn schema() -> Schema {
    Schema::from_toml(SCHEMA).unwrap()
}

fn tree(wards: &[u64]) -> PathTree {
    let ward = |code: &u64| PathNode { code: *code, level: 1, name: format!("ward {code}") };
    let mut nodes = vec![PathNode { code: 1100, level: 0, name: "North".into() }];
    nodes.extend(wards.iter().map(ward));
    PathTree::new(&schema().path, nodes).unwrap()
}

fn create(folder: &Path) -> Database {
    Database::create(folder, schema(), tree(&[1101, 1102])).unwrap()
}

/// Boxes with one ball each.
fn boxes(batch: &mut Batch, keys: &[&str], weight: i64) {
    for key in keys {
        batch.row("box").unwrap().set("id", *key).unwrap().set("place", "1101").unwrap();
        let ball = format!("{key}-1");
        let row = batch.row("ball").unwrap().set("id", ball.as_str()).unwrap();
        row.set("weight", weight).unwrap();
    }
}

fn commit(database: &Database, keys: &[&str], weight: i64) -> Snapshot {
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    boxes(&mut batch, keys, weight);
    writer.write(&batch).unwrap();
    writer.commit(CommitInfo::default()).unwrap()
}

/// The weights of all balls, sorted.
fn weights(snapshot: &Snapshot) -> Vec<i64> {
    let mut all = Vec::new();
    for segment in snapshot.segments() {
        let column = segment.column(1, 1).unwrap();
        for run in segment.live(1).unwrap().runs() {
            column.integers(run, &mut all).unwrap();
        }
    }
    all.sort_unstable();
    all
}

/// The variant of an error, by its name.
fn variant<T>(result: Result<T>) -> String {
    let Err(error) = result else { return "none".to_owned() };
    let text = format!("{error:?}");
    text.split([' ', '{']).next().unwrap_or_default().to_owned()
}

#[test]
fn a_folder_holds_one_database() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a").join("b");
    assert_eq!(variant(Database::open(&place)), "NotFound");
    assert_eq!(variant(Database::open(folder.path())), "NotFound");
    create(&place);
    assert!(Disk::has(&place, "CURRENT"));
    assert_eq!(variant(Database::create(&place, schema(), tree(&[]))), "Exists");
    assert_eq!(Database::open(&place).unwrap().snapshot().unwrap().tree().nodes().len(), 3);
}

#[test]
fn a_database_without_its_current_file_is_not_taken_for_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    commit(&create(folder.path()), &["B1"], 1);
    let disk = Disk::open(folder.path()).unwrap();
    disk.remove("CURRENT").unwrap();
    assert_eq!(variant(Database::open(folder.path())), "Corrupt");
    assert_eq!(variant(Database::create(folder.path(), schema(), tree(&[]))), "Corrupt");
}

#[test]
fn a_tree_of_another_path_is_refused() {
    let mut other = schema();
    other.path.levels.truncate(1);
    let nodes = vec![PathNode { code: 11, level: 0, name: "North".into() }];
    let wrong = PathTree::new(&other.path, nodes).unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(variant(Database::create(folder.path(), schema(), wrong.clone())), "Tree");
    let mut writer = create(folder.path()).writer().unwrap();
    assert_eq!(variant(writer.set_tree(wrong)), "Tree");
}

/// Set for the child of `a_second_process_cannot_write`: the folder.
const FOLDER: &str = "YIKU_TEST_FOLDER";

#[test]
fn a_second_writer_is_refused() {
    // As the child of the test below: say how asking for a writer ended.
    if let Some(folder) = std::env::var_os(FOLDER) {
        let database = Database::open(Path::new(&folder)).unwrap();
        let found = variant(database.writer());
        let rows = database.snapshot().unwrap().rows(0);
        panic!("child says {found} and sees {rows}");
    }
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let writer = database.writer().unwrap();
    // Another of the same database shares the right, however it was come by.
    assert_eq!(variant(database.clone().writer()), "none");
    assert_eq!(variant(Database::open(folder.path()).unwrap().writer()), "Locked");
    assert_eq!(variant(Database::create(folder.path(), schema(), tree(&[]))), "Locked");
    drop(writer);
    assert_eq!(variant(database.writer()), "none");
}

#[test]
fn a_second_process_cannot_write_and_sees_what_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let child = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["a_second_writer_is_refused", "--exact", "--nocapture"]);
        let out = command.env(FOLDER, folder.path()).output().unwrap();
        [String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap()].concat()
    };
    commit(&database, &["B1", "B2"], 1);
    let writer = database.writer().unwrap();
    let said = child();
    assert!(said.contains("child says Locked and sees 2"), "{said}");
    drop(writer);
    let said = child();
    assert!(said.contains("child says none and sees 2"), "{said}");
}

#[test]
fn a_batch_that_is_wrong_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    commit(&database, &["B1", "B2"], 1);
    let mut writer = database.writer().unwrap();
    let refuse = |writer: &mut yiku::Writer, expected: &str, fill: &dyn Fn(&mut Batch)| {
        let mut batch = writer.batch();
        boxes(&mut batch, &["B1"], 99);
        fill(&mut batch);
        assert_eq!(variant(writer.write(&batch)), expected);
    };
    refuse(&mut writer, "MissingKey", &|batch| {
        batch.row("box").unwrap().set("place", "1101").unwrap();
    });
    refuse(&mut writer, "MissingKey", &|batch| {
        batch.row("box").unwrap().set("id", "B9").unwrap();
    });
    refuse(&mut writer, "DuplicateKey", &|batch| boxes(batch, &["B1"], 98));
    refuse(&mut writer, "Limit", &|batch| {
        for _ in 0..SEGMENT_ROWS_MAX {
            batch.push(1).unwrap();
        }
    });
    // The writer goes on, and what was refused left no trace.
    let snapshot = writer.commit(CommitInfo::default()).unwrap();
    assert_eq!((snapshot.rows(0), weights(&snapshot)), (2, vec![1, 1]));
}

#[test]
fn a_value_that_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut batch = create(folder.path()).writer().unwrap().batch();
    assert_eq!(variant(batch.row("ball").map(drop)), "Orphan");
    assert_eq!(variant(batch.row("jar").map(drop)), "UnknownTable");
    assert_eq!(variant(batch.push(7).map(drop)), "UnknownTable");
    assert!(batch.is_empty());
    let long = "x".repeat(TEXT_BYTES_MAX + 1);
    let cases: [(&str, Value<'_>, &str); 8] = [
        ("lid", Value::Unknown, "UnknownColumn"),
        ("id", Value::Int(1), "WrongType"),
        ("id", Value::Text(&long), "Limit"),
        ("place", Value::Text("1109"), "UnknownPath"),
        ("place", Value::Int(-1), "UnknownPath"),
        ("side", Value::Text("green"), "UnknownCode"),
        ("side", Value::Int(2), "WrongType"),
        ("side", Value::Bool(true), "WrongType"),
    ];
    for (column, value, expected) in cases {
        let found = batch.row("box").unwrap().set(column, value);
        assert_eq!(variant(found.map(drop)), expected, "{column}");
    }
    assert_eq!(batch.rows(0), cases.len());
}

#[test]
fn a_batch_belongs_to_its_database_and_its_tree() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut writer = create(one.path()).writer().unwrap();
    let text = SCHEMA.replace("weight", "mass");
    let other = Schema::from_toml(&text).unwrap();
    let other = Database::create(two.path(), other, tree(&[])).unwrap().writer().unwrap();
    assert_eq!(variant(writer.write(&other.batch())), "Schema");
    let mut before = writer.batch();
    boxes(&mut before, &["B1"], 1);
    writer.set_tree(tree(&[1102])).unwrap();
    assert_eq!(variant(writer.write(&before)), "UnknownPath");
    writer.set_tree(tree(&[1101])).unwrap();
    writer.write(&before).unwrap();
    // A place where bundles live cannot be taken away.
    assert_eq!(variant(writer.set_tree(tree(&[1102]))), "UnknownPath");
    assert!(writer.remove("B1").unwrap());
    writer.set_tree(tree(&[1102])).unwrap();
    assert_eq!(writer.commit(CommitInfo::default()).unwrap().tree(), &tree(&[1102]));
}

#[test]
fn what_commits_say_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let mut writer = database.writer().unwrap();
    let note = |key: &str, text: &str| BTreeMap::from([(key.to_owned(), text.to_owned())]);
    let says = [
        (Some(20_757), note("a", "1"), Some(20_757), "a=1"),
        (None, note("b", "2"), Some(20_757), "a=1 b=2"),
        (Some(20_788), note("a", "3"), Some(20_788), "a=3 b=2"),
        (None, BTreeMap::new(), Some(20_788), "a=3 b=2"),
    ];
    for (as_of, notes, day, kept) in says {
        let snapshot = writer.commit(CommitInfo { as_of, notes }).unwrap();
        let notes: Vec<String> =
            snapshot.notes().iter().map(|(key, text)| format!("{key}={text}")).collect();
        assert_eq!((snapshot.as_of(), notes.join(" ").as_str()), (day, kept));
    }
    let again = Database::open(folder.path()).unwrap().snapshot().unwrap();
    assert_eq!((again.version(), again.as_of()), (5, Some(20_788)));
}

#[test]
fn a_snapshot_stays_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let reader = Database::open(folder.path()).unwrap();
    let empty = reader.snapshot().unwrap();
    let first = commit(&database, &["B1", "B2", "B3"], 1);
    // Another handle follows without being told.
    let seen = reader.snapshot().unwrap();
    assert_eq!((seen.version(), weights(&seen)), (2, vec![1, 1, 1]));
    commit(&database, &["B2", "B4"], 2);
    let mut writer = database.writer().unwrap();
    assert!(writer.remove("B1").unwrap() && !writer.remove("B1").unwrap());
    let last = writer.commit(CommitInfo::default()).unwrap();
    assert_eq!(weights(&reader.snapshot().unwrap()), [1, 2, 2]);
    assert_eq!((weights(&first), first.rows(0)), (vec![1, 1, 1], 3));
    assert_eq!((weights(&seen), seen.version()), (vec![1, 1, 1], 2));
    assert_eq!((empty.rows(0), empty.segments().len(), last.rows(1)), (0, 0, 3));
    assert!(last.size_bytes() > first.size_bytes());
    let wanted = Predicate::TextIn(vec!["B2".into(), "B3".into()]);
    let found = |snapshot: &Snapshot| -> u64 {
        let segments = snapshot.segments().iter();
        let live = segments.map(|segment| {
            let mut rows = segment.column(0, 0).unwrap().filter(&wanted).unwrap();
            rows.and(&segment.live(0).unwrap());
            rows.count()
        });
        live.sum()
    };
    assert_eq!((found(&first), found(&last), found(&empty)), (2, 2, 0));
}

#[test]
fn a_writer_that_is_dropped_did_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    commit(&database, &["B1"], 1);
    for round in 0..3 {
        let mut writer = database.writer().unwrap();
        let mut batch = writer.batch();
        boxes(&mut batch, &["B1", "B2"], 10 + round);
        writer.write(&batch).unwrap();
        writer.remove("B1").unwrap();
        drop(writer);
        assert_eq!(weights(&database.snapshot().unwrap()), [1]);
    }
    // The files it left have names that are used again.
    assert_eq!(weights(&commit(&database, &["B2"], 5)), [1, 5]);
    assert_eq!(weights(&Database::open(folder.path()).unwrap().snapshot().unwrap()), [1, 5]);
}

/// Set when it goes out of scope, by a panic too.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn readers_and_a_writer_run_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _done = Done(&done);
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = 0;
                while last < 31 && !done.load(Ordering::Acquire) {
                    let snapshot = database.snapshot().unwrap();
                    let weights = weights(&snapshot);
                    // Every commit replaces both boxes: their balls weigh the same.
                    assert_eq!(weights.first(), weights.last(), "a commit was seen in part");
                    assert!(snapshot.version() >= last, "versions run backwards");
                    last = snapshot.version();
                }
            });
        }
        (0..30).for_each(|weight| drop(commit(&database, &["B1", "B2"], weight)));
    });
    assert_eq!(database.snapshot().unwrap().version(), 31);
}

#[test]
fn the_right_to_write_comes_back_at_once_while_processes_are_started() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // A program that is being started holds copies of every handle for a moment.
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let _ = Command::new("/nonexistent").status();
            }
        });
        let _done = Done(&done);
        let found = (0..20_000).find(|_| database.writer().is_err());
        assert_eq!(found, None, "a writer was refused though the one before was dropped");
    });
}

/// Names and bytes of the files of a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let disk = Disk::open(folder).unwrap();
    let names = disk.list().unwrap().into_iter();
    names.map(|name| (name.clone(), disk.read(&name).unwrap().to_vec())).collect()
}

#[test]
fn who_asks_to_write_and_writes_nothing_changes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    commit(&create(folder.path()), &["B1"], 1);
    let before = files(folder.path());
    assert!(before.keys().any(|name| name.starts_with("log-")), "{:?}", before.keys());
    drop(Database::open(folder.path()).unwrap().writer().unwrap());
    assert!(files(folder.path()) == before, "a file was written");
    // A version that is kept then is a manifest without a log all the same.
    let database = Database::open(folder.path()).unwrap();
    database.keep("k").unwrap();
    assert!(!files(folder.path()).keys().any(|name| name.starts_with("log-")));
    commit(&database, &["B2"], 2);
    assert_eq!(database.named("k").unwrap().rows(0), 1);
}

#[test]
fn long_numbers_as_texts_are_kept_however_far_apart_they_are() {
    let schema = SCHEMA.replace("kind = \"int\"", "kind = \"text\"");
    let schema = Schema::from_toml(&schema).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let database = Database::create(folder.path(), schema, tree(&[1101])).unwrap();
    // What went wrong: the last rows alone known, and far apart; letters worth more than digits.
    let last = ["A00000000000001", "Z99999999999999", "A5", "999999999999999999"];
    for (nth, pair) in last.windows(2).enumerate() {
        let mut writer = database.writer().unwrap();
        let mut batch = writer.batch();
        let key = format!("B{nth}");
        batch.row("box").unwrap().set("id", &*key).unwrap().set("place", "1101").unwrap();
        let texts: Vec<Option<&str>> =
            (0..30).map(|_| None).chain(pair.iter().map(|text| Some(*text))).collect();
        for (n, text) in texts.iter().enumerate() {
            let ball = format!("{key}-{n}");
            let row = batch.row("ball").unwrap().set("id", ball.as_str()).unwrap();
            row.set("weight", *text).unwrap();
        }
        writer.write(&batch).unwrap();
        let snapshot = writer.commit(CommitInfo::default()).unwrap();
        let found = snapshot.bundle(&key).unwrap().unwrap();
        let found: Vec<Option<&str>> = found.beneath.iter().map(|row| row.cell(1).text()).collect();
        assert_eq!(found, texts);
    }
}
