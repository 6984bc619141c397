//! Copies of a database that is written meanwhile, and what is said of a damaged one.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::collections::BTreeSet;
use std::path::Path;

use yiku::schema::PathNode;
use yiku::storage::{Disk, Storage};
use yiku::{CommitInfo, Compaction, Database, Error, PathTree, Schema, Snapshot};

const SCHEMA: &str = r#"
name = "s"
path = { name = "place", levels = [{ name = "district", digits = 2 }] }
[[table]]
name = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "side", kind = "int" }]
"#;

fn create(folder: &Path, name: &str) -> Database {
    let schema = Schema::from_toml(&SCHEMA.replace("\"s\"", &format!("\"{name}\""))).unwrap();
    let node = |code| PathNode { code, level: 0, name: "D".into() };
    let tree = PathTree::new(&schema.path, (11..14).map(node).collect()).unwrap();
    Database::create(folder, schema, tree).unwrap()
}

fn commit(database: &Database, keys: std::ops::Range<u32>, side: i64) -> Snapshot {
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    for key in keys {
        let (id, place) = (format!("B{key}"), (11 + key % 3).to_string());
        let row = batch.row("box").unwrap().set("id", id.as_str()).unwrap();
        row.set("place", place.as_str()).unwrap().set("side", side).unwrap();
    }
    writer.write(&batch).unwrap();
    writer.commit(CommitInfo::default()).unwrap()
}

fn rows(snapshot: &Snapshot) -> BTreeSet<(String, i64)> {
    let mut found = BTreeSet::new();
    for segment in snapshot.segments() {
        let live = segment.live(0).unwrap();
        let mut sides = Vec::new();
        segment.column(0, 2).unwrap().integers(0..segment.rows(0), &mut sides).unwrap();
        let keys = segment.column(0, 0).unwrap();
        let mut sides = sides.into_iter();
        let mut visit = |row, key: Option<&str>| {
            let side = sides.next().unwrap();
            if live.contains(row) {
                found.insert((key.unwrap().to_owned(), side));
            }
        };
        keys.texts(0..segment.rows(0), &mut visit).unwrap();
    }
    found
}

fn sound(database: &Database) {
    let mut wrong = Vec::new();
    let verified = database.verify(&mut |error| wrong.push(error.to_string())).unwrap();
    assert_eq!((wrong, verified.wrong), (Vec::<String>::new(), 0));
    assert_eq!(verified.version, database.snapshot().unwrap().version());
}

#[test]
fn a_copy_opens_and_a_second_one_sends_what_is_new() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let database = create(folder.path(), "s");
    commit(&database, 0..60_000, 1);
    commit(&database, 100_000..160_000, 1);
    let first = database.snapshot().unwrap();
    let expected = rows(&first);
    // It is written meanwhile.
    commit(&database, 5..8, 2);
    let done = first.export(copy.path()).unwrap();
    assert_eq!((done.version, done.sent, done.there), (3, 2, 0));
    let restored = Database::open(copy.path()).unwrap();
    sound(&restored);
    assert_eq!(rows(&restored.snapshot().unwrap()), expected);
    let held = restored.snapshot().unwrap();
    // Rows of the log, replaced and removed ones, a tree: only what is new is sent.
    commit(&database, 3..9, 3);
    let second = database.snapshot().unwrap();
    let again = second.export(copy.path()).unwrap();
    assert_eq!((again.version, again.there), (5, 2));
    assert!(again.sent_bytes * 10 < done.sent_bytes, "{again:?} after {done:?}");
    assert_eq!(rows(&restored.snapshot().unwrap()), rows(&second));
    assert_eq!((rows(&held), restored.snapshot().unwrap().version()), (expected, 5));
    // An older one goes back.
    assert_eq!(first.export(copy.path()).unwrap().version, 3);
    assert_eq!(rows(&restored.snapshot().unwrap()), rows(&first));
    second.export(copy.path()).unwrap();
    // What was restored is a database like any other.
    commit(&restored, 0..10, 7);
    restored.compact(Compaction::Whole, &|| false).unwrap();
    assert_eq!(rows(&restored.snapshot().unwrap()).len(), 120_000);
    sound(&restored);
    sound(&database);
}

#[test]
fn a_copy_takes_the_place_of_no_other_database() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let database = create(folder.path(), "s");
    let snapshot = commit(&database, 0..50_000, 1);
    let other = create(copy.path(), "other");
    commit(&other, 0..10, 1);
    let refused = snapshot.export(copy.path());
    assert!(matches!(refused, Err(Error::Exists { .. })), "{refused:?}");
    let twin = tempfile::tempdir().unwrap();
    let same = create(twin.path(), "s");
    commit(&same, 0..50_001, 1);
    let refused = snapshot.export(twin.path());
    assert!(matches!(refused, Err(Error::Exists { .. })), "{refused:?}");
    let _writer = same.writer().unwrap();
    assert!(matches!(snapshot.export(twin.path()), Err(Error::Locked { .. })));
    assert_eq!(rows(&same.snapshot().unwrap()).len(), 50_001);
}

#[test]
fn every_damaged_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path(), "s");
    commit(&database, 0..40_000, 1);
    commit(&database, 10..20, 2);
    database.keep("first").unwrap();
    commit(&database, 0..5, 3);
    commit(&database, 50..60, 3);
    sound(&database);
    let disk = Disk::open(folder.path()).unwrap();
    let names = disk.list().unwrap();
    assert!(names.iter().any(|name| name.starts_with("log-")), "{names:?}");
    for name in names.iter().filter(|name| *name != "LOCK") {
        let bytes = disk.read(name).unwrap().to_vec();
        let mut damaged = bytes.clone();
        // In a log the first record, in other files the middle of what they hold.
        let at = if name.starts_with("log-") { 2048 + 100 } else { bytes.len() / 2 };
        damaged[at] ^= 0x10;
        disk.write(name, &damaged).unwrap();
        let mut wrong = Vec::new();
        let verified = Database::open(folder.path()).and_then(|database| {
            database.verify(&mut |error| match error {
                Error::Corrupt { file, .. } => wrong.push(file),
                other => panic!("{name}: {other}"),
            })
        });
        match verified {
            Ok(verified) => assert_eq!(verified.wrong, wrong.len() as u64),
            Err(Error::Corrupt { file, .. }) => wrong.push(file),
            Err(other) => panic!("{name}: {other}"),
        }
        let named = wrong.iter().any(|file| file.ends_with(name));
        assert!(named, "{name} is damaged at {at} and not named: {wrong:?}");
        disk.write(name, &bytes).unwrap();
        sound(&Database::open(folder.path()).unwrap());
    }
}
