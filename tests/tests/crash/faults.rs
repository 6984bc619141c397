//! The disk fails.

use std::io::ErrorKind;
use std::sync::Arc;

use yiku::{Database, Error};
use yiku_tests::memory::{Action, Fault, Image, Memory, Plan, Reached};

use crate::scenario::{Run, SCENARIOS, Step, before};
use crate::stops::{every, recover};

/// What a disk may say, and how far it came: an error of input and output, a full disk in the
/// middle of a file, a write that was cut short, a call that a signal ended.
pub(crate) const FAULTS: [(ErrorKind, Reached); 8] = [
    (ErrorKind::Other, Reached::Nothing),
    (ErrorKind::Other, Reached::Begun),
    (ErrorKind::Other, Reached::Half),
    (ErrorKind::Other, Reached::Zeros),
    (ErrorKind::Other, Reached::All),
    (ErrorKind::StorageFull, Reached::Half),
    (ErrorKind::WriteZero, Reached::Half),
    (ErrorKind::Interrupted, Reached::Nothing),
];

/// Whether no commit of the process may be acknowledged after a fault in such an operation.
fn ends_writing(action: Action, fault: Fault) -> bool {
    matches!(action, Action::Sync | Action::SyncFolder)
        || action == Action::Make && fault.kind != ErrorKind::StorageFull
}

/// How far an operation that writes no bytes comes.
pub(crate) fn matters(reached: Reached) -> bool {
    !matches!(reached, Reached::Begun | Reached::Zeros)
}

/// Tries to commit after an error, through the same database and another; how often it worked.
fn insist(storage: &Arc<Memory>, run: &mut Run) -> usize {
    let mut worked = 0;
    for again in [Step::Replace(2, 4), Step::Reopen, Step::Remove(2, 3), Step::Replace(1, 3)] {
        let before = (run.done.clone(), run.asked.clone());
        if let Ok(database) = Database::open_in(Arc::<Memory>::clone(storage)) {
            // Whatever was not acknowledged and is there is what the next builds on.
            let found = run.which(&database, "after an error");
            (run.done, run.asked) = (Some(found), Vec::new());
        }
        match run.step(storage, again) {
            Ok(()) if matches!(again, Step::Reopen) => (run.done, run.asked) = before,
            Ok(()) => worked += 1,
            Err(error) => {
                assert!(
                    matches!(error, Error::Io { .. } | Error::Poisoned | Error::Locked { .. }),
                    "{error}"
                );
                // Nothing new may come of it, or it may have happened.
                let asked = std::mem::take(&mut run.asked);
                (run.done, run.asked) = before;
                run.asked.extend(asked);
            }
        }
    }
    worked
}

fn fail(name: &str, fault: Fault, from: &(Image, Run), steps: &[Step]) -> bool {
    let storage = Memory::planned(from.0.clone(), Plan::Fail(fault));
    let mut run = Run::from(from.1.done.clone(), 9);
    let ended = run.go(&storage, steps);
    let (action, file) = storage.trace()[fault.at].clone();
    let context = format!("{name}: {action:?} {file} {fault:?}");
    match &ended {
        // What only makes room, or notes for later, may fail without a word.
        Ok(()) => assert!(
            matches!(action, Action::Name | Action::Put | Action::Read),
            "{context}: nobody was told"
        ),
        Err(Error::Io { .. } | Error::Poisoned) => {}
        Err(error) => panic!("{context}: {error}"),
    }
    for (snapshot, expected) in &run.held {
        expected.check(snapshot).unwrap();
    }
    if ended.is_err() && run.done.is_some() {
        // Who only opens syncs what another process may have left; before anything is built on
        // that, it is written anew.
        let writing = run.database.is_some();
        let worked = insist(&storage, &mut run);
        // A full disk still takes what room was made for.
        let for_good = fault.lasting && fault.kind != ErrorKind::StorageFull;
        let must_not = writing && ends_writing(action, fault) || for_good;
        assert!(!must_not || worked == 0, "{context}: {worked} commits were acknowledged after");
    }
    recover(storage.seen(), &run, &format!("{context}, process killed"));
    recover(storage.durable(), &run, &format!("{context}, machine stopped"));
    ended.is_err()
}

fn sweep(lasting: bool) {
    for (name, first, steps) in SCENARIOS {
        let (files, done) = before(first);
        let from = (files.clone(), Run::from(done.clone(), 9));
        let sound = Memory::new(files);
        Run::from(done, 9).go(&sound, steps).unwrap();
        let (mut tried, mut told) = (0, 0);
        let trace = sound.trace().into_iter().enumerate();
        for (at, (action, _)) in trace.step_by(every(if lasting { 4 } else { 2 }, 1)) {
            let whole = matches!(action, Action::Make | Action::Put);
            for (kind, reached) in FAULTS.into_iter().filter(|fault| whole || matters(fault.1)) {
                let fault = Fault { at, reached, kind, lasting };
                told += usize::from(fail(name, fault, &from, steps));
                tried += 1;
            }
        }
        eprintln!("{name}: {tried} faults, {told} told, lasting: {lasting}");
        assert!(told * 2 > tried, "{name}: {told} of {tried} were told");
    }
}

#[test]
fn an_operation_that_fails_once_is_told_and_loses_nothing() {
    sweep(false);
}

#[test]
fn a_disk_that_fails_for_good_loses_nothing() {
    sweep(true);
}
