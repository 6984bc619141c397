//! The machine stops.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use yiku::{Database, Error, Result};
use yiku_tests::expected::Expected;
use yiku_tests::memory::{Action, Image, Memory, Plan, Reached};
use yiku_tests::{Random, naive};

use crate::scenario::{Run, SCENARIOS, Step, before};

/// One of how many stops is looked at in a short run, and in a thorough one.
pub(crate) fn every(short: usize, thorough: usize) -> usize {
    if std::env::var("YIKU_THOROUGH").is_ok() { thorough } else { short }
}

/// What is done with what a stop left: it is opened, written to, and opened again.
fn go_on(storage: &Arc<Memory>, run: &mut Run, context: &str) -> Result<()> {
    match run.step(storage, Step::Reopen) {
        Err(Error::NotFound { .. }) if run.allowed().contains(&None) => {
            run.step(storage, Step::Create)?;
        }
        Err(error) => return Err(error),
        Ok(()) => {
            // What was found is what counts from here on.
            let database = run.database.clone().unwrap();
            let found = run.which(&database, context);
            (run.done, run.asked) = (Some(found), Vec::new());
        }
    }
    run.go(storage, &[Step::Replace(3, 5), Step::Remove(3, 4)])
}

/// Nothing is written over that was not made in the same run: neither into a log that was there,
/// nor in the place of a file that a version names.
fn check_untouched(files: &Image, storage: &Memory, context: &str) {
    let mut own = BTreeSet::new();
    for (action, name) in storage.trace() {
        match action {
            Action::Make => drop(own.insert(name)),
            Action::Put => assert!(
                own.contains(&name) || !files.contains_key(&name),
                "{context}: it writes into {name}, which it found"
            ),
            _ => {}
        }
    }
}

/// Opens what is left, compares it, and writes on; what was found.
pub(crate) fn recover(files: Image, run: &Run, context: &str) -> Option<Expected> {
    let storage = Memory::new(files.clone());
    let mut next = Run { asked: run.asked.clone(), ..Run::from(run.done.clone(), 70) };
    go_on(&storage, &mut next, context).unwrap_or_else(|error| panic!("{context}: {error}"));
    check_untouched(&files, &storage, context);
    let again = Database::open_in(Memory::new(storage.durable())).unwrap();
    next.done.as_ref().unwrap().check_database(&again).unwrap();
    // What was found is the first that was held, before what was written on.
    let found = Database::open_in(Memory::new(files));
    found.ok().map(|database| run.which(&database, context))
}

/// Stops the going on itself, and what goes on after that.
fn recover_stopped(files: &Image, run: &Run, depth: usize, context: &str, count: &mut usize) {
    let sound = Memory::new(files.clone());
    let again = || Run { asked: run.asked.clone(), ..Run::from(run.done.clone(), 70) };
    go_on(&sound, &mut again(), context).unwrap_or_else(|error| panic!("{context}: {error}"));
    let mut random = Random::new(depth as u64);
    for place in
        (depth..sound.changes()).step_by(if depth == 1 { every(13, 3) } else { every(19, 5) })
    {
        for reached in [Reached::Half, Reached::All] {
            let storage = Memory::planned(files.clone(), Plan::Stop(place, reached));
            let mut next = again();
            let _ = go_on(&storage, &mut next, context);
            for (image, files) in storage.images(&mut random) {
                let context = format!("{context}; then operation {place}, {reached:?}, {image}");
                *count += 1;
                recover(files.clone(), &next, &context);
                if depth < 2 {
                    recover_stopped(&files, &next, depth + 1, &context, count);
                }
            }
        }
    }
}

#[test]
fn a_machine_that_stops_leaves_a_whole_version() {
    for (name, first, steps) in SCENARIOS {
        let (files, done) = before(first);
        let sound = Memory::new(files.clone());
        let mut run = Run::from(done.clone(), first.len());
        run.go(&sound, steps).unwrap_or_else(|error| panic!("{name}: {error}"));
        naive::check_all(&run.held.last().unwrap().0).unwrap();
        recover(sound.durable(), &run, name).unwrap();
        let mut random = Random::new(7);
        let (mut images, mut found) = (0, BTreeMap::new());
        let actions = sound.actions().into_iter().enumerate();
        for (place, action) in actions.step_by(every(2, 1)) {
            for reached in Reached::ways(action).iter().copied() {
                let storage = Memory::planned(files.clone(), Plan::Stop(place, reached));
                let mut run = Run::from(done.clone(), first.len());
                let _ = run.go(&storage, steps);
                assert!(storage.stopped(), "{name}: operation {place} was not met");
                for (image, files) in storage.images(&mut random) {
                    let what = storage.trace().last().cloned();
                    let context =
                        format!("{name}: operation {place}, {what:?} {reached:?}, {image}");
                    let version = recover(files, &run, &context).map(|found| found.version);
                    *found.entry(version).or_insert(0usize) += 1;
                    images += 1;
                }
            }
        }
        eprintln!("{name}: {} operations, {images} images, {found:?}", sound.changes());
        assert!(found.len() > 1 && images > 40, "{name}: stops fell nowhere: {found:?}");
    }
}

#[test]
fn going_on_after_a_stop_may_be_stopped_again() {
    for (name, first, steps) in SCENARIOS {
        let (files, done) = before(first);
        let sound = Memory::new(files.clone());
        Run::from(done.clone(), first.len()).go(&sound, steps).unwrap();
        let (mut random, mut count) = (Random::new(8), 0);
        for place in (0..sound.changes()).step_by(every(29, 3)) {
            let storage = Memory::planned(files.clone(), Plan::Stop(place, Reached::Half));
            let mut run = Run::from(done.clone(), first.len());
            let _ = run.go(&storage, steps);
            let images = storage.images(&mut random);
            for (image, files) in images.into_iter().step_by(every(5, 2)) {
                let context = format!("{name}: operation {place}, {image}");
                recover_stopped(&files, &run, 1, &context, &mut count);
            }
        }
        eprintln!("{name}: {count} images of stops in going on");
    }
}
