//! Damaged files give the right answer or an error that names the file; never a wrong answer,
//! never a panic.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use yiku::{CommitInfo, Database, Error, Result};
use yiku_tests::expected::Expected;
use yiku_tests::memory::{Files, Memory};
use yiku_tests::sample::{Mood, schema, tree};
use yiku_tests::{Random, naive};

/// A small database of several versions: segments of several encodings, live sets, two trees, a
/// named version, and a log with two commits in it.
fn sample() -> (Files, Expected) {
    let storage = Memory::new(Files::new());
    let database = Database::create_in(Arc::<Memory>::clone(&storage), schema(), tree(1)).unwrap();
    let (mut random, mut expected) = (Random::new(3), Expected::new(1));
    let mut writer = database.writer().unwrap();
    let key = |number: usize| format!("H{number:03}");
    let keys: Vec<String> = (0..5).map(key).collect();
    expected.write(&mut writer, &mut random, Mood::Mixed, &keys).unwrap();
    let info = CommitInfo { as_of: Some(20_757), ..CommitInfo::default() };
    expected.commit(&info);
    writer.commit(info).unwrap();
    database.keep("first").unwrap();
    expected.name("first", true);
    let mut writer = database.writer().unwrap();
    writer.set_tree(tree(2)).unwrap();
    expected.districts = 2;
    let keys = ["H003".to_owned(), "a key of another form".to_owned()];
    expected.write(&mut writer, &mut random, Mood::Wide, &keys).unwrap();
    let notes = BTreeMap::from([("load".to_owned(), "second".to_owned())]);
    let info = CommitInfo { notes, ..CommitInfo::default() };
    expected.commit(&info);
    writer.commit(info).unwrap();
    // The first of these makes the log, the others go into it.
    for number in 0..3 {
        expected.write(&mut writer, &mut random, Mood::Constant, &[key(number)]).unwrap();
        expected.remove(&mut writer, &key(number + 2)).unwrap();
        expected.commit(&CommitInfo::default());
        writer.commit(CommitInfo::default()).unwrap();
    }
    (storage.files(), expected)
}

/// Opens the files and reads everything; a wrong answer is a panic.
fn read(files: Files, expected: &Expected) -> Result<()> {
    let database = Database::open_in(Memory::new(files))?;
    expected.check_database(&database)?;
    let snapshot = database.snapshot()?;
    naive::check_all(&snapshot)?;
    naive::check_all(&database.named("first")?)?;
    Ok(())
}

/// Reads everything with one file replaced (or taken away); whether the damage was found.
fn damaged(sample: &(Files, Expected), name: &str, bytes: Option<Vec<u8>>, what: &str) -> bool {
    let mut files = sample.0.clone();
    match bytes {
        Some(bytes) => files.insert(name.to_owned(), bytes),
        None => files.remove(name),
    };
    let Err(error) = read(files, &sample.1) else { return false };
    let file = match &error {
        Error::Corrupt { file, .. } | Error::Format { file, .. } => file,
        other => panic!("{name}, {what}: {other}"),
    };
    assert!(file.ends_with(name), "{name}, {what}: it is said of {}", file.display());
    true
}

/// The files that an answer needs: all but the log behind the manifest of a named version.
fn needed(files: &Files) -> BTreeSet<&str> {
    let names = files.keys().map(String::as_str);
    let newest = names.clone().rfind(|name| name.starts_with("log-"));
    names.filter(|name| !name.starts_with("log-") || Some(*name) == newest).collect()
}

/// Bytes from the beginning on that mean something; of a log, up to its last record.
fn meaning(name: &str, bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    if name.starts_with("log-") { last } else { bytes.len() }
}

/// One of how many places is looked at, in a short run and in a thorough one.
fn every(short: usize) -> usize {
    if std::env::var("YIKU_THOROUGH").is_ok() { 1 } else { short }
}

#[test]
fn a_sound_database_reads_back() {
    let (files, expected) = sample();
    read(files.clone(), &expected).unwrap();
    let kinds = ["CURRENT", "live-", "log-", "manifest-", "seg-", "tree-"];
    for kind in kinds {
        assert!(files.keys().any(|name| name.starts_with(kind)), "no {kind} in {files:?}");
    }
    let known = |name: &String| kinds.iter().any(|kind| name.starts_with(kind));
    assert!(files.keys().all(known), "another kind of file: {:?}", files.keys());
}

#[test]
fn every_byte_that_is_changed_is_found_or_means_nothing() {
    let sample = sample();
    let mut all = 0;
    for (name, bytes) in &sample.0 {
        let mut silent = 0;
        let end = meaning(name, bytes);
        // The rest of a log is zeros; a few places there will do.
        let rest = (end..bytes.len()).step_by(4_099);
        for at in (0..end).step_by(every(2)).chain(rest) {
            let mut bytes = bytes.clone();
            // Another bit at every place, and all of them at every third.
            bytes[at] ^= if at % 3 == 0 { 0xFF } else { 1 << (at % 8) };
            silent += usize::from(!damaged(&sample, name, Some(bytes), &format!("byte {at}")));
            all += 1;
        }
        // What means nothing is four zeros of the header, the gaps between frames, and in a log
        // what no record covers: the space between its marks, the older of them, the end.
        let log = name.starts_with("log-");
        let log_most =
            if needed(&sample.0).contains(name.as_str()) { 2_048 + 134 } else { bytes.len() };
        let most = if log { log_most } else { end / 5 + 4 };
        assert!(silent <= most, "{name}: {silent} of {end} changes were not found");
    }
    eprintln!("{all} changes of a byte");
}

#[test]
fn a_file_that_is_cut_short_is_found() {
    let sample = sample();
    for name in needed(&sample.0) {
        let bytes = &sample.0[name];
        let end = meaning(name, bytes);
        let step = if every(2) == 1 { 1 } else { end / 400 + 1 };
        for length in (0..end).step_by(step).chain([end - 1]) {
            let what = format!("cut to {length}");
            let found = damaged(&sample, name, Some(bytes[..length].to_vec()), &what);
            // The last record of a log ends with zeros that fill its place.
            let filling = name.starts_with("log-") && end - length < 64;
            assert!(found || filling, "{name}, {what}");
        }
        assert!(damaged(&sample, name, None, "missing"), "{name}, missing");
        if end == bytes.len() {
            let longer = [bytes.as_slice(), &[0; 64]].concat();
            assert!(damaged(&sample, name, Some(longer), "longer"), "{name}, longer");
        }
    }
}

#[test]
fn the_last_commit_in_a_log_does_not_vanish_without_a_word() {
    let sample = sample();
    let (name, bytes) = sample.0.iter().rfind(|(name, _)| name.starts_with("log-")).unwrap();
    let end = meaning(name, bytes);
    // Noise, zeros, and the end of the file, in the place of the last bytes.
    for length in [1usize, 8, 100, 700, end - 2_048] {
        for fill in [0u8, 0xA5] {
            let mut changed = bytes.clone();
            changed[end - length..end].fill(fill);
            if changed != *bytes {
                let what = format!("the last {length} are {fill}");
                assert!(damaged(&sample, name, Some(changed), &what), "{name}, {what}");
            }
        }
    }
}

#[test]
fn what_verifying_finds_sound_is_sound() {
    let sample = sample();
    for (name, bytes) in &sample.0 {
        let end = meaning(name, bytes);
        for at in (0..end).step_by(every(37)) {
            let mut files = sample.0.clone();
            files.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
            let storage = Memory::new(files.clone());
            let wrong = Database::verify_in(storage, &mut |_| ()).unwrap().wrong;
            let found = read(files, &sample.1).is_err();
            assert!(wrong > 0 || !found, "{name}, byte {at}: verifying found nothing wrong");
        }
    }
}

/// The names of the files of which verifying says that something is wrong.
fn named(files: &Files) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let found = Database::verify_in(Memory::new(files.clone()), &mut |error| match &error {
        Error::Corrupt { file, .. } => {
            named.insert(file.file_name().unwrap().to_str().unwrap().to_owned());
        }
        other => panic!("{other}"),
    });
    assert_eq!(found.unwrap().wrong == 0, named.is_empty());
    named
}

/// How a file is damaged: a byte of its first frame, record or entry; its last byte that means
/// something; it is not there.
#[derive(Debug, Clone, Copy)]
enum Harm {
    First,
    Last,
    Missing,
}

fn harm(files: &mut Files, name: &str, harm: Harm) {
    let bytes = files.get_mut(name).unwrap();
    let first = if name.starts_with("log-") { 2_048 } else { 16 };
    match harm {
        Harm::First => *bytes.get_mut(first).unwrap() ^= 0x04,
        Harm::Last => {
            let last = meaning(name, bytes) - 1;
            *bytes.get_mut(last).unwrap() ^= 0x04;
        }
        Harm::Missing => drop(files.remove(name)),
    }
}

#[test]
fn verifying_names_every_file_that_is_damaged() {
    let (files, _) = sample();
    let needed: BTreeSet<String> = needed(&files).into_iter().map(str::to_owned).collect();
    let all = || needed.iter().cloned();
    let manifests: Vec<String> = all().filter(|name| name.starts_with("manifest-")).collect();
    let [kept, newest] = &*manifests else { panic!("{manifests:?}") };
    assert!(named(&files).is_empty());
    for one in [Harm::First, Harm::Last, Harm::Missing] {
        let look = |names: &BTreeSet<String>| {
            let mut files = files.clone();
            names.iter().for_each(|name| harm(&mut files, name, one));
            named(&files)
        };
        for name in all() {
            let only = BTreeSet::from([name]);
            assert_eq!(look(&only), only, "{one:?}");
        }
        // Of two, none hides the other where that is named by something else.
        let manifest = |name: &String| manifests.contains(name);
        for first in all().filter(|name| !manifest(name)) {
            for second in all().filter(|name| *name != first && !manifest(name)) {
                let both = BTreeSet::from([first.clone(), second]);
                assert_eq!(look(&both), both, "{one:?}");
            }
        }
        let most: BTreeSet<String> = all().filter(|name| !manifest(name)).collect();
        assert_eq!(look(&most), most, "{one:?}");
        // Without the newest manifest there is still what is kept, without that the newest.
        for (lost, mut there) in [(newest, most.clone()), (kept, most)] {
            there.insert(lost.clone());
            let found = look(&there);
            assert!(found.len() > 2 && found.is_subset(&there), "{lost} {one:?}: {found:?}");
        }
    }
}

#[test]
fn a_file_in_the_place_of_another_is_found() {
    let sample = sample();
    // Another database of the same shape: its files fit everywhere but in their checksums.
    let other = {
        let storage = Memory::new(Files::new());
        let database = Database::create_in(Arc::<Memory>::clone(&storage), schema(), tree(2));
        let mut writer = database.unwrap().writer().unwrap();
        let (mut expected, mut random) = (Expected::new(2), Random::new(4));
        for key in ["H001", "H002"] {
            expected.write(&mut writer, &mut random, Mood::Mixed, &[key.to_owned()]).unwrap();
            writer.commit(CommitInfo::default()).unwrap();
        }
        storage.files()
    };
    for name in needed(&sample.0) {
        for (from, bytes) in sample.0.iter().filter(|(from, _)| *from != name) {
            let what = format!("replaced by {from}");
            assert!(damaged(&sample, name, Some(bytes.clone()), &what), "{name}, {what}");
        }
        let same = other.get(name).filter(|_| name != "CURRENT");
        if let Some(bytes) = same.filter(|bytes| **bytes != sample.0[name]) {
            assert!(damaged(&sample, name, Some(bytes.clone()), "of another"), "{name}, another");
        }
    }
}

#[test]
fn noise_in_the_place_of_a_file_is_found() {
    let sample = sample();
    let mut random = Random::new(9);
    for name in needed(&sample.0) {
        for round in 0..200 {
            let length = random.below(2_000);
            let noise = (0..length).map(|_| u8::try_from(random.below(256)).unwrap());
            let mut noise: Vec<u8> = noise.collect();
            // Half of them begin and end as the file does, so that more than the magic is tried.
            if round % 2 == 0 {
                let bytes = &sample.0[name];
                let edge = random.below(bytes.len().min(64));
                noise = [&bytes[..edge], &noise, &bytes[bytes.len() - edge..]].concat();
            }
            let what = format!("noise {round}");
            assert!(damaged(&sample, name, Some(noise), &what), "{name}, {what}");
        }
    }
}

#[test]
fn two_damages_at_once_are_found() {
    let sample = sample();
    let mut random = Random::new(21);
    let names: Vec<&str> = needed(&sample.0).into_iter().collect();
    for _ in 0..2_000 {
        let mut files = sample.0.clone();
        for _ in 0..2 {
            let bytes = files.get_mut(*random.pick(&names)).unwrap();
            let at = random.below(bytes.len());
            bytes[at] = u8::try_from(random.below(256)).unwrap();
        }
        match read(files, &sample.1) {
            Ok(()) | Err(Error::Corrupt { .. } | Error::Format { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
}
