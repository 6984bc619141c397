//! Many who write at once, expectations, versions that are kept, compaction beside all of it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_sign_loss,
    reason = "a test stops where it fails"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use yiku::report::Named;
use yiku::schema::PathNode;
use yiku::storage::{Disk, Storage};
use yiku::{CommitInfo, Compaction, Database, Error, PathTree, Schema, Snapshot, Writer};

const SCHEMA: &str = r#"
name = "s"
[path]
name = "place"
levels = [{ name = "district", digits = 2 }]
[[table]]
name = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "side", kind = "int" }]
[[table]]
name = "ball"
parent = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "weight", kind = "int" }]
"#;

fn create(folder: &Path) -> Database {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let node = |code| PathNode { code, level: 0, name: "D".into() };
    let tree = PathTree::new(&schema.path, (11..20).map(node).collect()).unwrap();
    Database::create(folder, schema, tree).unwrap()
}

/// Writes a box with as many balls as its side says, at a place that follows from the key.
fn put(writer: &mut Writer, key: &str, side: i64) {
    let mut batch = writer.batch();
    let place = (11 + key.len() as i64 % 3).to_string();
    let row = batch.row("box").unwrap().set("id", key).unwrap();
    row.set("place", place.as_str()).unwrap().set("side", side).unwrap();
    for n in 0..side % 4 {
        let id = format!("{key}-{n}");
        let row = batch.row("ball").unwrap().set("id", id.as_str()).unwrap();
        row.set("weight", side).unwrap();
    }
    writer.write(&batch).unwrap();
}

/// The sides of all live boxes by key; their balls are checked on the way.
fn sides(snapshot: &Snapshot) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    for segment in snapshot.segments() {
        let live = segment.live(0).unwrap();
        let (mut keys, mut sides) = (Vec::new(), Vec::new());
        let column = segment.column(0, 0).unwrap();
        column.texts(0..segment.rows(0), &mut |_, key| keys.push(key.unwrap().to_owned())).unwrap();
        segment.column(0, 2).unwrap().integers(0..segment.rows(0), &mut sides).unwrap();
        let offsets = segment.offsets(1).unwrap();
        for row in live.iter() {
            let at = row as usize;
            let balls = i64::from(offsets[at + 1] - offsets[at]);
            assert_eq!(balls, sides[at] % 4, "balls of {}", keys[at]);
            let before = found.insert(keys[at].clone(), sides[at]);
            assert_eq!(before, None, "{} stands twice", keys[at]);
        }
    }
    assert_eq!(snapshot.rows(0), found.len() as u64);
    assert_eq!(snapshot.rows(1), found.values().map(|side| (side % 4) as u64).sum::<u64>());
    found
}

#[test]
fn writers_share_commits_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let (threads, each) = (8, 60);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|n| {
                // One of the same handle, one of its own that follows the folder.
                let other =
                    if n == 0 { database.clone() } else { Database::open(folder.path()).unwrap() };
                let done = &done;
                scope.spawn(move || {
                    let mut last = 0;
                    while !done.load(Ordering::Acquire) {
                        let snapshot = other.snapshot().unwrap();
                        assert!(snapshot.version() >= last, "versions run backwards");
                        last = snapshot.version();
                        // Each thread writes its number, then the next: no gaps in what is seen.
                        let found = sides(&snapshot);
                        for thread in 0..threads {
                            let prefix = format!("T{thread}-");
                            let own = found.keys().filter(|key| key.starts_with(&prefix)).count();
                            for n in 0..own {
                                assert!(found.contains_key(&format!("{prefix}{n}")), "a gap");
                            }
                        }
                    }
                })
            })
            .collect();
        let writers: Vec<_> = (0..threads)
            .map(|thread| {
                let database = database.clone();
                scope.spawn(move || {
                    let mut writer = database.writer().unwrap();
                    for n in 0..each {
                        let key = format!("T{thread}-{n}");
                        put(&mut writer, &key, n);
                        let snapshot = writer.commit(CommitInfo::default()).unwrap();
                        assert_eq!(snapshot.version_of(&key).unwrap(), Some(snapshot.version()));
                        let seen = database.snapshot().unwrap();
                        assert!(seen.version() >= snapshot.version());
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Release);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    let snapshot = database.snapshot().unwrap();
    assert!(snapshot.version() <= 1 + threads * each as u64);
    for snapshot in [snapshot, Database::open(folder.path()).unwrap().snapshot().unwrap()] {
        let found = sides(&snapshot);
        assert_eq!(found.len() as u64, threads * each as u64);
        for (key, side) in found {
            assert_eq!(key.split_once('-').unwrap().1, side.to_string());
        }
    }
}

#[test]
fn an_expectation_that_does_not_hold_stops_the_one_who_had_it() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let mut first = database.writer().unwrap();
    let mut second = database.writer().unwrap();
    put(&mut first, "A", 1);
    first.expect("A", None);
    let version = first.commit(CommitInfo::default()).unwrap().version();
    put(&mut second, "A", 2);
    second.expect("A", None);
    let error = second.commit(CommitInfo::default()).unwrap_err();
    let Error::Conflict { key, expected: None, found } = &error else { panic!("{error}") };
    assert_eq!((key.as_str(), *found), ("A", Some(version)));
    assert_eq!(error.to_string(), "bundle `A` is of version 2, not of no version; read it again");
    // It goes on from the newest version, with nothing written.
    assert_eq!(second.base().version(), version);
    put(&mut second, "A", 3);
    second.expect("A", Some(version));
    let newest = second.commit(CommitInfo::default()).unwrap();
    assert_eq!(sides(&newest), BTreeMap::from([("A".to_owned(), 3)]));
    // Without one the last wins.
    put(&mut first, "A", 5);
    put(&mut first, "B", 6);
    let newest = first.commit(CommitInfo::default()).unwrap();
    assert_eq!(sides(&newest), BTreeMap::from([("A".to_owned(), 5), ("B".to_owned(), 6)]));
    // What others wrote stays, what this one removed goes.
    assert!(second.remove("A").unwrap() && !second.remove("B").unwrap());
    let newest = second.commit(CommitInfo::default()).unwrap();
    assert_eq!(sides(&newest), BTreeMap::from([("B".to_owned(), 6)]));
    assert_eq!(newest.version_of("A").unwrap(), None);
}

#[test]
fn counters_that_many_raise_with_expectations_lose_no_step() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let mut writer = database.writer().unwrap();
    put(&mut writer, "C", 0);
    writer.commit(CommitInfo::default()).unwrap();
    let conflicts = AtomicI64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut writer = database.writer().unwrap();
                for _ in 0..25 {
                    loop {
                        let base = writer.base();
                        let side = sides(&base)["C"];
                        put(&mut writer, "C", side + 1);
                        writer.expect("C", base.version_of("C").unwrap());
                        match writer.commit(CommitInfo::default()) {
                            Ok(_) => break,
                            Err(Error::Conflict { .. }) => conflicts.fetch_add(1, Ordering::AcqRel),
                            Err(error) => panic!("{error}"),
                        };
                    }
                }
            });
        }
    });
    assert_eq!(sides(&database.snapshot().unwrap())["C"], 100);
    assert!(conflicts.load(Ordering::Acquire) > 0, "nobody met another");
}

fn named(name: &str, version: u64, as_of: Option<i64>, by_rule: bool) -> Named {
    Named { name: name.to_owned(), version, as_of, by_rule }
}

fn commit_on(database: &Database, key: &str, side: i64, day: &str) -> Snapshot {
    let mut writer = database.writer().unwrap();
    put(&mut writer, key, side);
    let as_of = yiku::calendar::parse_date(day);
    writer.commit(CommitInfo { as_of, ..CommitInfo::default() }).unwrap()
}

#[test]
fn kept_versions_answer_as_they_did() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    database.keep_month_ends(Some(2)).unwrap();
    let mut expected = BTreeMap::new();
    let days = ["2026-08-30", "2026-08-31", "2026-09-01", "2026-09-20", "2026-10-15", "2026-12-01"];
    for (n, day) in (0..).zip(days) {
        let snapshot = commit_on(&database, &format!("K{}", n % 3), n, day);
        expected.insert(snapshot.version(), sides(&snapshot));
        if n == 1 {
            assert_eq!(database.keep("before").unwrap().version, snapshot.version());
            assert!(matches!(database.keep("before"), Err(Error::NameTaken { .. })));
        }
    }
    let day = |text| yiku::calendar::parse_date(text);
    let names = [
        named("2026-09", 5, day("2026-09-20"), true),
        named("2026-10", 6, day("2026-10-15"), true),
        named("before", 3, day("2026-08-31"), false),
    ];
    assert_eq!(database.names().unwrap(), names);
    for n in 0..40 {
        commit_on(&database, &format!("K{}", n % 5), n, "2026-12-02");
    }
    database.compact(Compaction::Whole, &|| false).unwrap();
    for database in [&database, &Database::open(folder.path()).unwrap()] {
        assert_eq!(database.names().unwrap(), names);
        for name in &names {
            let snapshot = database.named(&name.name).unwrap();
            assert_eq!((snapshot.version(), snapshot.as_of()), (name.version, name.as_of));
            assert_eq!(sides(&snapshot), expected[&name.version], "{}", name.name);
        }
        assert!(matches!(database.named("2026-08"), Err(Error::NoSuchName { .. })));
    }
    let held = database.named("before").unwrap();
    let files = || Disk::open(folder.path()).unwrap().list().unwrap().len();
    let before = files();
    for name in &names {
        database.drop_name(&name.name).unwrap();
    }
    assert!(matches!(database.drop_name("before"), Err(Error::NoSuchName { .. })));
    assert!(files() < before, "{} files, {before} before", files());
    assert!(matches!(database.keep(""), Err(Error::Limit { .. })));
    // Who holds it open may go on.
    assert_eq!(sides(&held), expected[&3]);
}

#[test]
fn compaction_runs_beside_readers_and_writers() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let done = AtomicBool::new(false);
    let mut expected = BTreeMap::new();
    let steps = std::thread::scope(|scope| {
        let compactor = scope.spawn(|| {
            let mut steps = 0;
            while !done.load(Ordering::Acquire) {
                steps += database.compact(Compaction::Whole, &|| false).unwrap();
                steps += database.compact(Compaction::Steady, &|| false).unwrap();
            }
            steps
        });
        let reader = scope.spawn(|| {
            let other = Database::open(folder.path()).unwrap();
            while !done.load(Ordering::Acquire) {
                sides(&other.snapshot().unwrap());
            }
        });
        let mut writer = database.writer().unwrap();
        for n in 0..300 {
            let key = format!("K{}", n * 7 % 50);
            put(&mut writer, &key, n);
            expected.insert(key, n);
            if n % 5 == 0 {
                let gone = format!("K{}", n % 50);
                assert_eq!(writer.remove(&gone).unwrap(), expected.remove(&gone).is_some());
            }
            let snapshot = writer.commit(CommitInfo::default()).unwrap();
            assert_eq!(snapshot.version(), n as u64 + 2);
        }
        done.store(true, Ordering::Release);
        reader.join().unwrap();
        compactor.join().unwrap()
    });
    assert!(steps > 1, "{steps} steps");
    assert_eq!(sides(&database.snapshot().unwrap()), expected);
    database.compact(Compaction::Whole, &|| false).unwrap();
    let again = Database::open(folder.path()).unwrap().snapshot().unwrap();
    assert_eq!((sides(&again), again.segments().len()), (expected, 1));
    assert_eq!(database.compact(Compaction::Whole, &|| true).unwrap(), 0);
}
