//! Groups of commits, held up until all wait that are to be in one.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::collections::BTreeMap;

use super::*;
use crate::schema::PathNode;
use crate::{Batch, CommitInfo, Database, PathTree, Schema, Writer};

fn create(folder: &std::path::Path) -> Database {
    let schema = Schema::from_toml(
        r#"name = "s"
        path = { name = "place", levels = [{ name = "district", digits = 2 }] }
        [[table]]
        name = "box"
        key = "id"
        columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
            { name = "side", kind = "int" }]"#,
    );
    let schema = schema.unwrap();
    let node = |code| PathNode { code, level: 0, name: "D".into() };
    let tree = PathTree::new(&schema.path, vec![node(11), node(12)]).unwrap();
    Database::create(folder, schema, tree).unwrap()
}

#[test]
fn a_thread_that_panics_while_it_leads_leaves_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let mut writer = database.writer().unwrap();
    let led = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        database.change(|_, _| panic!("a fault of the program"))
    }));
    assert!(led.is_err());
    let refused = writer.commit(CommitInfo::default());
    assert!(matches!(refused, Err(Error::Poisoned)), "{refused:?}");
    assert_eq!(database.snapshot().unwrap().version(), 1);
}

/// Which boxes there are: the side of each and the version that wrote it.
type Boxes = BTreeMap<String, (i64, u64)>;

/// What a writer does before it commits.
#[derive(Debug)]
enum Deed {
    Write(Vec<(String, i64)>),
    Remove(String),
    Expect(String, Option<u64>),
}

fn act(writer: &mut Writer, deed: &Deed) {
    match deed {
        Deed::Write(rows) => {
            let mut batch: Batch = writer.batch();
            for (key, side) in rows {
                let row = batch.row("box").unwrap().set("id", key.as_str()).unwrap();
                row.set("place", 11 + side % 2).unwrap().set("side", *side).unwrap();
            }
            writer.write(&batch).unwrap();
        }
        Deed::Remove(key) => drop(writer.remove(key).unwrap()),
        Deed::Expect(key, version) => writer.expect(key, *version),
    }
}

/// The same, to a list; none where an expectation does not hold.
fn follow(boxes: &Boxes, deeds: &[Deed], version: u64, began: &Boxes) -> Option<Boxes> {
    let (mut next, mut own) = (boxes.clone(), began.clone());
    for deed in deeds {
        match deed {
            Deed::Expect(key, expected) => {
                let found = boxes.get(key).map(|(_, version)| *version);
                if found != *expected {
                    return None;
                }
            }
            Deed::Write(rows) => {
                for (key, side) in rows {
                    next.insert(key.clone(), (*side, version));
                    own.insert(key.clone(), (*side, version));
                }
            }
            // Who removes what it does not see removes nothing.
            Deed::Remove(key) => {
                if own.remove(key).is_some() {
                    next.remove(key);
                }
            }
        }
    }
    Some(next)
}

fn read(database: &Database) -> Boxes {
    let snapshot = database.snapshot().unwrap();
    let mut found = Boxes::new();
    for key in (0..12).map(|key| format!("K{key}")) {
        if let Some(bundle) = snapshot.bundle(&key).unwrap() {
            let version = snapshot.version_of(&key).unwrap().unwrap();
            found.insert(key, (bundle.cell(2).int().unwrap(), version));
        }
    }
    assert_eq!(snapshot.rows(0), found.len() as u64);
    found
}

/// Drawn groups of writers, whose commits are held up until all of them wait.
#[test]
fn a_group_is_what_its_commits_are_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let database = create(folder.path());
    let mut state = 11u64;
    let mut draw = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    let mut boxes = Boxes::new();
    for _ in 0..120 {
        let mut writers = Vec::new();
        for _ in 0..1 + draw(5) {
            let mut deeds = Vec::new();
            for _ in 0..1 + draw(3) {
                let key = format!("K{}", draw(12));
                deeds.push(match draw(6) {
                    0 => Deed::Remove(key),
                    1 => {
                        let found = boxes.get(&key).map(|(_, version)| *version);
                        Deed::Expect(key, found.filter(|_| draw(8) > 0))
                    }
                    _ => {
                        let mut rows = BTreeMap::from([(key, draw(99).cast_signed())]);
                        for _ in 0..draw(3) {
                            rows.insert(format!("K{}", draw(12)), draw(99).cast_signed());
                        }
                        Deed::Write(rows.into_iter().collect())
                    }
                });
            }
            let mut writer = database.writer().unwrap();
            deeds.iter().for_each(|deed| act(&mut writer, deed));
            writers.push((writer, deeds));
        }
        let (began, version) = (boxes.clone(), database.snapshot().unwrap().version() + 1);
        std::thread::scope(|scope| {
            let held = database.change(|shared, _| {
                for (nth, (mut writer, deeds)) in (1..).zip(writers) {
                    let next = follow(&boxes, &deeds, version, &began);
                    let good = next.is_some();
                    boxes = next.unwrap_or_else(|| boxes.clone());
                    scope.spawn(move || {
                        let done = writer.commit(CommitInfo::default());
                        assert_eq!(done.is_ok(), good, "{deeds:?}: {done:?}");
                    });
                    while shared.desk.state.lock().queue.len() < nth {
                        std::thread::yield_now();
                    }
                }
                Ok(None)
            });
            held.unwrap();
        });
        assert_eq!(read(&database), boxes);
        let other = Database::open(folder.path()).unwrap();
        assert_eq!(read(&other), boxes, "read from the log");
    }
}
