//! A machine that stops at any operation leaves the version before or the version after.
//!
//! The workload is run once to count its operations; then once for each of them and each way to
//! stop in it, and what is left is looked at with the names that were not synced lost, kept, and
//! kept in part. What is left must open, equal a version, and take a writer.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;

use yiku::storage::Storage;
use yiku::{CommitInfo, Database, Error, Result, Snapshot};
use yiku_tests::expected::Expected;
use yiku_tests::memory::{Fault, Files, Image, Memory, Plan, Reached};
use yiku_tests::sample::{Mood, schema, tree};
use yiku_tests::{Random, naive};

/// What the workload came to know before it ended.
#[derive(Debug, Default)]
struct Run {
    /// The versions that are known to be committed.
    done: Vec<Expected>,
    /// The version that a commit was asked for and did not acknowledge.
    asked: Option<Expected>,
    /// The snapshots of the versions.
    held: Vec<Snapshot>,
    /// What the writer said to everything after the error.
    after: Vec<Error>,
}

fn keys(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| format!("H{number:03}")).collect()
}

/// Creates a database and commits four times; ends at the first error.
fn workload(storage: &Arc<Memory>, run: &mut Run) -> Result<()> {
    let mut random = Random::new(11);
    run.asked = Some(Expected::new(2));
    let storage: Arc<dyn Storage> = Arc::<Memory>::clone(storage);
    let database = Database::create_in(storage, schema(), tree(2))?;
    acknowledge(run, database.snapshot()?);
    for step in 0..4 {
        let mut writer = database.writer()?;
        let worked = commit(&mut writer, step, &mut random, run);
        if let Err(error) = worked {
            run.after.extend(writer.commit(CommitInfo::default()).err());
            run.after.extend(writer.remove("H001").err());
            run.after.extend(writer.set_tree(tree(2)).err());
            run.after.extend(writer.write(&writer.batch()).err());
            return Err(error);
        }
    }
    Ok(())
}

fn acknowledge(run: &mut Run, snapshot: Snapshot) {
    run.done.extend(run.asked.take());
    run.held.push(snapshot);
}

fn commit(writer: &mut yiku::Writer, step: u32, random: &mut Random, run: &mut Run) -> Result<()> {
    let mut next = run.done.last().unwrap().clone();
    let mut info = CommitInfo::default();
    match step {
        // New bundles, in two segments.
        0 => {
            next.write(writer, random, Mood::Mixed, &keys(0..6))?;
            next.write(writer, random, Mood::Wide, &keys(6..10))?;
            info.as_of = Some(20_757);
        }
        // Bundles replaced and removed: live sets.
        1 => {
            next.write(writer, random, Mood::Mixed, &keys(4..8))?;
            next.remove(writer, "H001")?;
            next.remove(writer, "absent")?;
        }
        // Another tree and a note, no rows.
        2 => {
            writer.set_tree(tree(3))?;
            next.districts = 3;
            info.notes = BTreeMap::from([("load".to_owned(), "three".to_owned())]);
        }
        // A segment that loses its last row, and one that gets its second live set.
        _ => {
            for key in keys(8..10).iter().chain(&keys(2..4)) {
                next.remove(writer, key)?;
            }
        }
    }
    next.commit(&info);
    run.asked = Some(next);
    let snapshot = writer.commit(info)?;
    acknowledge(run, snapshot);
    Ok(())
}

/// What may be found after the run; none is "no database".
fn allowed(run: &Run) -> Vec<Option<&Expected>> {
    let mut allowed = vec![run.done.last()];
    allowed.extend(run.asked.as_ref().map(Some));
    allowed
}

/// Opens what is left, compares it, and writes on; the version that was found.
fn recover(files: Image, run: &Run, context: &str) -> Option<u64> {
    let storage = Memory::new(files);
    let database = match Database::open_in(Arc::<Memory>::clone(&storage)) {
        Ok(database) => database,
        Err(Error::NotFound { .. }) => {
            assert!(allowed(run).contains(&None), "{context}: the database is gone");
            let database = Database::create_in(storage, schema(), tree(1));
            assert_eq!(database.unwrap().snapshot().unwrap().version(), 1, "{context}");
            return None;
        }
        Err(error) => panic!("{context}: {error}"),
    };
    let snapshot = database.snapshot().unwrap();
    let found = allowed(run).into_iter().flatten().find(|e| e.version == snapshot.version());
    let Some(found) = found else { panic!("{context}: version {}", snapshot.version()) };
    found.check(&snapshot).unwrap();
    let mut next = found.clone();
    let mut writer = database.writer().unwrap();
    next.write(&mut writer, &mut Random::new(5), Mood::Mixed, &keys(3..5)).unwrap();
    next.commit(&CommitInfo::default());
    writer.commit(CommitInfo::default()).unwrap();
    drop(writer);
    let again = Database::open_in(Memory::new(storage.durable())).unwrap();
    next.check(&again.snapshot().unwrap()).unwrap();
    Some(found.version)
}

#[test]
fn a_machine_that_stops_leaves_a_whole_version() {
    let sound = Memory::new(Files::new());
    let mut run = Run::default();
    workload(&sound, &mut run).unwrap();
    assert_eq!(run.done.len(), 5);
    naive::check_all(run.held.last().unwrap()).unwrap();
    assert_eq!(recover(sound.durable(), &run, "no stop"), Some(5));
    let mut found = BTreeMap::new();
    let mut random = Random::new(7);
    for place in 0..sound.changes() {
        for reached in Reached::EACH {
            let storage = Memory::planned(Files::new(), Plan::Stop(place, reached));
            let mut run = Run::default();
            let stopped = workload(&storage, &mut run);
            // A stop behind the last name of the last sync cannot be told from success.
            assert!(stopped.is_err(), "operation {place} was not met");
            for (image, files) in storage.images(&mut random) {
                let context = format!("operation {place}, {reached:?}, {image}");
                *found.entry(recover(files, &run, &context)).or_insert(0) += 1;
            }
        }
    }
    // Every version and the absence of one were come back to, so stops fell everywhere.
    let versions: Vec<Option<u64>> = found.keys().copied().collect();
    assert_eq!(versions, [None, Some(1), Some(2), Some(3), Some(4), Some(5)]);
}

#[test]
fn an_error_of_the_disk_poisons_the_writer_and_no_reader() {
    let sound = Memory::new(Files::new());
    let mut run = Run::default();
    workload(&sound, &mut run).unwrap();
    let mut poisoned = 0;
    for place in 0..sound.operations() {
        for reached in Reached::EACH {
            let context = format!("operation {place}, {reached:?}");
            let fault = Fault { at: place, reached, kind: ErrorKind::Other, lasting: false };
            let storage = Memory::planned(Files::new(), Plan::Fail(fault));
            let mut run = Run::default();
            let error = workload(&storage, &mut run).unwrap_err();
            assert!(matches!(error, Error::Io { .. }), "{context}: {error}");
            let all = run.after.iter().all(|error| matches!(error, Error::Poisoned));
            // A writer that could not even be made has nothing to say; one that was made and
            // met the error refuses all four of what it was asked for.
            assert!(all && matches!(run.after.len(), 0 | 4), "{context}: {:?}", run.after);
            poisoned += run.after.len();
            for (snapshot, expected) in run.held.iter().zip(&run.done) {
                expected.check(snapshot).unwrap();
            }
            recover(storage.seen(), &run, &context);
            recover(storage.durable(), &run, &context);
        }
    }
    assert!(poisoned > 100, "writers were poisoned: {poisoned}");
}
