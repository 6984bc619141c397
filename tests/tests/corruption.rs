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

/// A small database of three versions: segments of several encodings, a live set, two trees.
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
    writer.set_tree(tree(2)).unwrap();
    expected.districts = 2;
    let keys = ["H003".to_owned(), "a key of another form".to_owned()];
    expected.write(&mut writer, &mut random, Mood::Wide, &keys).unwrap();
    let notes = BTreeMap::from([("load".to_owned(), "second".to_owned())]);
    let info = CommitInfo { notes, ..CommitInfo::default() };
    expected.commit(&info);
    writer.commit(info).unwrap();
    (storage.files(), expected)
}

/// Opens the files and reads everything; a wrong answer is a panic.
fn read(files: Files, expected: &Expected) -> Result<()> {
    let database = Database::open_in(Memory::new(files))?;
    let snapshot = database.snapshot()?;
    expected.check(&snapshot)?;
    naive::check_all(&snapshot)?;
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

/// The files that the newest version needs.
fn needed(files: &Files) -> BTreeSet<&str> {
    let old = |name: &&str| {
        ["manifest-0000000001", "manifest-0000000002", "tree-0000000001"].contains(name)
    };
    files.keys().map(String::as_str).filter(|name| !old(name)).collect()
}

#[test]
fn a_sound_database_reads_back() {
    let (files, expected) = sample();
    read(files.clone(), &expected).unwrap();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let all = [
        "CURRENT",
        "live-0000000001-0000000003",
        "manifest-0000000001",
        "manifest-0000000002",
        "manifest-0000000003",
        "seg-0000000001",
        "seg-0000000002",
        "tree-0000000001",
        "tree-0000000003",
    ];
    assert_eq!(names, all);
}

#[test]
fn every_byte_that_is_changed_is_found_or_means_nothing() {
    let sample = sample();
    for (name, bytes) in &sample.0 {
        let mut silent = 0;
        let is_needed = needed(&sample.0).contains(name.as_str());
        // Nobody reads the files of older versions: a few changes in them will do.
        for at in (0..bytes.len()).step_by(if is_needed { 1 } else { 97 }) {
            let mut bytes = bytes.clone();
            // Another bit at every place, and all of them at every third.
            bytes[at] ^= if at % 3 == 0 { 0xFF } else { 1 << (at % 8) };
            silent += usize::from(!damaged(&sample, name, Some(bytes), &format!("byte {at}")));
        }
        // What means nothing is four zeros of the header and the gaps between frames.
        let most = if needed(&sample.0).contains(name.as_str()) {
            bytes.len() / 10 + 4
        } else {
            bytes.len()
        };
        assert!(silent <= most, "{name}: {silent} of {} changes were not found", bytes.len());
    }
}

#[test]
fn a_file_that_is_cut_short_is_found() {
    let sample = sample();
    for name in needed(&sample.0) {
        let bytes = &sample.0[name];
        let step = bytes.len() / 400 + 1;
        for length in (0..bytes.len()).step_by(step).chain([bytes.len() - 1]) {
            let what = format!("cut to {length}");
            assert!(
                damaged(&sample, name, Some(bytes[..length].to_vec()), &what),
                "{name}, {what}"
            );
        }
        let longer = [bytes.as_slice(), &[0; 64]].concat();
        assert!(damaged(&sample, name, Some(longer), "longer"), "{name}, longer");
        assert!(damaged(&sample, name, None, "missing"), "{name}, missing");
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
