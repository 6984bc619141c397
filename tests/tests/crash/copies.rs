//! A copy into another folder is stopped at any operation, or its folder fails in any.
//!
//! The folder then holds the copy before, or none where there was none, or the one that was being
//! made; copying again makes it whole, be it the same version or a later one. What is copied from
//! is only read.

use std::collections::BTreeMap;
use std::sync::Arc;

use yiku::{Database, Error, Snapshot};
use yiku_tests::Random;
use yiku_tests::expected::Expected;
use yiku_tests::memory::{Action, Fault, Files, Image, Memory, Plan, Reached};

use crate::faults::{FAULTS, matters};
use crate::scenario::{Run, Step};
use crate::stops::every;

use Step::{Compact, Create, Keep, New, Remove, Replace, Spill, Tree};

/// What is done before the first copy, before the second, and before the third.
const COPIED: [(&str, [&[Step]; 3]); 4] = [
    (
        "rows in the log",
        [&[Create, New(0, 6), Replace(3, 8)], &[Replace(2, 5), New(8, 10)], &[Remove(1, 3)]],
    ),
    (
        "another tree and live sets",
        [&[Create, New(0, 6), Tree], &[Replace(3, 8), Tree, Remove(1, 3)], &[Replace(4, 6), Tree]],
    ),
    (
        "segments that were put in order",
        [
            &[Create, New(0, 6), Tree, Replace(3, 8), Tree, Remove(1, 5), Keep("old")],
            &[Compact, Replace(0, 2)],
            &[Replace(4, 6), Compact],
        ],
    ),
    (
        "a segment that was a file before its commit",
        [&[Create, New(0, 6)], &[Spill(100, 260), Replace(0, 2)], &[Remove(101, 103)]],
    ),
];

/// A version, and what a copy of it must hold.
type Copied = (Snapshot, Arc<Expected>);

/// A copy that is made: into a folder of these files, which holds that copy, of the first of these
/// versions; the others are copied after it.
struct Copying<'a> {
    name: String,
    there: Image,
    before: Option<&'a Expected>,
    wanted: &'a [Copied],
}

/// The source after all of its steps, and its three versions.
fn versions(steps: [&[Step]; 3]) -> (Arc<Memory>, Run, Vec<Copied>) {
    let (source, mut run) = (Memory::new(Files::new()), Run::default());
    let versions = steps.map(|steps| {
        run.go(&source, steps).unwrap();
        let snapshot = run.database.as_ref().unwrap().snapshot().unwrap();
        // Names are not taken along.
        (snapshot, run.done.as_ref().unwrap().plain())
    });
    (source, run, versions.into())
}

/// A first copy, and one into the folder of an earlier one.
fn copies<'a>(name: &str, versions: &'a [Copied]) -> [Copying<'a>; 2] {
    let (first, later) = versions.split_first().unwrap();
    let folder = Memory::new(Files::new());
    first.0.export_in(&*folder).unwrap();
    let (name, again) = (format!("{name}, first copy"), format!("{name}, what came since"));
    let there = folder.durable();
    [
        Copying { name, there: Image::new(), before: None, wanted: versions },
        Copying { name: again, there, before: Some(&first.1), wanted: later },
    ]
}

/// The version that the folder of a copy holds, which must be one of these; none is "no database".
fn look(files: Image, may: &[Option<&Expected>], context: &str) -> Option<u64> {
    let database = match Database::open_in(Memory::new(files)) {
        Ok(database) => database,
        Err(Error::NotFound { .. }) if may.contains(&None) => return None,
        Err(error) => panic!("{context}: {error}"),
    };
    let found = may.iter().flatten().find(|may| may.may_be(&database).unwrap());
    let version = database.snapshot().unwrap().version();
    let found = found.unwrap_or_else(|| panic!("{context}: the copy is of version {version}"));
    found.check_database(&database).unwrap();
    Some(version)
}

/// What the names of files begin with: the numbers in them depend on how often was copied.
fn kinds(files: &Image) -> Vec<&str> {
    files.keys().map(|name| name.split('-').next().unwrap()).collect()
}

/// Copies versions into a folder, one after the other.
fn complete(storage: &Memory, wanted: &[Copied], context: &str) {
    for (snapshot, expected) in wanted {
        let context = format!("{context}; then version {}", expected.version);
        let done = snapshot.export_in(storage).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(done.version, expected.version, "{context}");
        look(storage.seen(), &[Some(expected)], &context);
        look(storage.durable(), &[Some(expected)], &format!("{context}, machine stopped"));
        let plain = Memory::new(Files::new());
        snapshot.export_in(&*plain).unwrap();
        assert_eq!(kinds(&storage.seen()), kinds(&plain.seen()), "{context}: files were left");
    }
}

impl Copying<'_> {
    /// Copies with a plan; whether that was told to have succeeded.
    fn copy(&self, plan: Plan) -> (Arc<Memory>, bool) {
        let storage = Memory::planned(self.there.clone(), plan);
        let ended = self.wanted[0].0.export_in(&*storage);
        if let Err(error) = &ended {
            assert!(matches!(error, Error::Io { .. }), "{}: {error}", self.name);
        }
        (storage, ended.is_ok())
    }

    /// What the folder may hold when the copy did not end well, and when it did.
    fn may(&self, ended: bool) -> Vec<Option<&Expected>> {
        let after = Some(&*self.wanted[0].1);
        if ended { vec![after] } else { vec![self.before, after] }
    }

    fn stop(&self, random: &mut Random) {
        let (name, (sound, _)) = (&self.name, self.copy(Plan::Sound));
        look(sound.durable(), &self.may(true), name);
        let (mut images, mut found) = (0, BTreeMap::new());
        let actions = sound.actions().into_iter().enumerate();
        for (place, action) in actions.step_by(every(2, 1)) {
            for reached in Reached::ways(action).iter().copied() {
                let (storage, ended) = self.copy(Plan::Stop(place, reached));
                assert!(storage.stopped(), "{name}: operation {place} was not met");
                for (image, files) in storage.images(random) {
                    let context = format!("{name}: {place}, {action:?} {reached:?}, {image}");
                    let version = look(files.clone(), &self.may(ended), &context);
                    *found.entry(version).or_insert(0usize) += 1;
                    self.complete_stopped(&files, images, &context);
                    images += 1;
                }
            }
        }
        eprintln!("{name}: {} operations, {images} images, {found:?}", sound.changes());
        assert!(found.len() == 2 && images > 20, "{name}: stops fell nowhere: {found:?}");
    }

    /// Copies into what a stop left; some of these copies are stopped too, and completed then.
    fn complete_stopped(&self, files: &Image, number: usize, context: &str) {
        let storage = Memory::new(files.clone());
        complete(&storage, self.wanted, context);
        if !number.is_multiple_of(every(11, 1)) {
            return;
        }
        let (snapshot, expected) = &self.wanted[0];
        let may = [self.before, Some(expected)];
        let mut random = Random::new(number as u64);
        for place in (number % 3..storage.changes()).step_by(3) {
            let storage = Memory::planned(files.clone(), Plan::Stop(place, Reached::Half));
            let _ = snapshot.export_in(&*storage);
            for (image, files) in storage.images(&mut random) {
                let context = format!("{context}; then operation {place}, {image}");
                look(files.clone(), &may, &context);
                complete(&Memory::new(files), self.wanted, &context);
            }
        }
    }

    /// Lets an operation fail, or all from it on; whether somebody was told.
    fn fail(&self, fault: Fault) -> bool {
        let (storage, ended) = self.copy(Plan::Fail(fault));
        let (action, file) = storage.trace()[fault.at].clone();
        let context = format!("{}: {action:?} {file} {fault:?}", self.name);
        // After the copy is whole, what is not needed any more is looked for and taken away.
        let rest = matches!(action, Action::Name | Action::Read);
        assert!(!ended || rest, "{context}: nobody was told");
        look(storage.seen(), &self.may(ended), &format!("{context}, process killed"));
        look(storage.durable(), &self.may(ended), &format!("{context}, machine stopped"));
        // The disk is mended, the process the same.
        storage.replan(Plan::Sound);
        complete(&storage, self.wanted, &context);
        !ended
    }
}

/// Does something with every copy of every source, and looks at the source after it.
fn each(work: &mut dyn FnMut(&Copying<'_>)) {
    for (name, steps) in COPIED {
        let (source, run, versions) = versions(steps);
        let files = source.seen();
        source.replan(Plan::Sound);
        copies(name, &versions).iter().for_each(&mut *work);
        let read = source.trace().iter().all(|(action, _)| *action == Action::Read);
        assert!(read && source.seen() == files, "{name}: the source was written to");
        let again = Database::open_in(source).unwrap();
        run.done.unwrap().check_database(&again).unwrap();
    }
}

#[test]
fn a_copy_that_is_stopped_is_the_one_before_or_whole_and_is_completed() {
    let mut random = Random::new(23);
    each(&mut |copying| copying.stop(&mut random));
}

#[test]
fn a_copy_into_a_folder_that_fails_is_the_one_before_or_whole_and_is_completed() {
    each(&mut |copying| {
        let (sound, _) = copying.copy(Plan::Sound);
        let (mut tried, mut told) = (0, 0);
        let trace = sound.trace().into_iter().enumerate();
        for (at, (action, _)) in trace.step_by(every(3, 1)) {
            let whole = matches!(action, Action::Make);
            let faults = FAULTS.into_iter().filter(|fault| whole || matters(fault.1));
            for ((kind, reached), lasting) in
                faults.flat_map(|fault| [(fault, false), (fault, true)])
            {
                told += usize::from(copying.fail(Fault { at, reached, kind, lasting }));
                tried += 1;
            }
        }
        eprintln!("{}: {tried} faults, {told} told", copying.name);
        assert!(told * 2 > tried, "{}: {told} of {tried} were told", copying.name);
    });
}
