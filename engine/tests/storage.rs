//! The folder on disk does what the storage of a database must.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::io::ErrorKind;

use yiku::format::{FORMAT, MAGIC};
use yiku::storage::{Bytes, Disk, Mapping, Storage};
use yiku::{Database, PathTree, Schema};

#[test]
fn files_are_written_renamed_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::create(&folder.path().join("a/b")).unwrap();
    assert_eq!(disk.read("one").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(disk.rename("one", "two").unwrap_err().kind(), ErrorKind::NotFound);
    disk.write("one", b"1").unwrap();
    disk.write("two", b"").unwrap();
    assert_eq!((&*disk.read("one").unwrap(), &*disk.read("two").unwrap()), (&b"1"[..], &b""[..]));
    disk.rename("one", "two").unwrap();
    disk.sync_folder().unwrap();
    assert_eq!(disk.list().unwrap(), ["two"]);
    assert!(Disk::has(disk.place(), "two") && !Disk::has(disk.place(), "one"));
    disk.remove("two").unwrap();
    assert!(disk.list().unwrap().is_empty());
    assert!(Disk::open(&folder.path().join("c")).is_err());
}

#[test]
fn bytes_that_were_read_outlast_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::create(folder.path()).unwrap();
    disk.write("one", &[7; 10_000]).unwrap();
    let Bytes::Mapped(mapping) = disk.read("one").unwrap() else { panic!("it is not mapped") };
    let mapping: Mapping = mapping;
    // A shorter file of the same name is another file, not the same one shortened.
    disk.write("one", &[8; 10]).unwrap();
    assert!(mapping.iter().all(|byte| *byte == 7) && mapping.len() == 10_000);
    disk.remove("one").unwrap();
    assert!(mapping.iter().all(|byte| *byte == 7));
}

#[test]
fn the_right_to_write_is_given_once() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (Disk::create(folder.path()).unwrap(), Disk::open(folder.path()).unwrap());
    let held = one.lock().unwrap();
    assert!(held.is_some() && one.lock().unwrap().is_none() && two.lock().unwrap().is_none());
    drop(held);
    assert!(two.lock().unwrap().is_some());
}

#[test]
fn every_file_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let schema = Schema::from_toml(include_str!("../examples/first.toml")).unwrap();
    let tree = PathTree::new(&schema.path, Vec::new()).unwrap();
    Database::create(folder.path(), schema, tree).unwrap();
    let disk = Disk::open(folder.path()).unwrap();
    let mut names = disk.list().unwrap();
    names.sort_unstable();
    assert_eq!(names, ["CURRENT", "LOCK", "manifest-0000000001", "tree-0000000001"]);
    for (name, kind) in [("CURRENT", 4u16), ("manifest-0000000001", 3), ("tree-0000000001", 5)] {
        let bytes = disk.read(name).unwrap();
        assert!(bytes.starts_with(&MAGIC), "{name}");
        assert_eq!(bytes[8..10], kind.to_le_bytes(), "{name}");
        assert_eq!(bytes[10..12], FORMAT.to_le_bytes(), "{name}");
    }
}

#[test]
fn a_log_is_written_piece_by_piece() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::create(folder.path()).unwrap();
    assert_eq!(disk.open_log("log").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(disk.read_at("log", 0, 1).unwrap_err().kind(), ErrorKind::NotFound);
    disk.write("log", b"the rest of another").unwrap();
    let length = 3 * (1 << 16) + 5;
    let log = disk.create_log("log", length).unwrap();
    let all = disk.read_at("log", 0, usize::MAX).unwrap();
    assert!(all.len() as u64 == length && all.iter().all(|byte| *byte == 0));
    log.write_at(0, b"first").unwrap();
    log.write_at(length - 4, b"last").unwrap();
    log.sync().unwrap();
    assert_eq!(disk.read_at("log", 0, 6).unwrap(), b"first\0");
    assert_eq!(disk.read_at("log", length - 4, 100).unwrap(), b"last");
    assert!(disk.read_at("log", length + 9, 100).unwrap().is_empty());
    // A log never grows: a later sync needs no new place on the disk.
    for (offset, bytes) in [(length - 3, &b"last"[..]), (length, b"x"), (u64::MAX, b"xx")] {
        assert_eq!(log.write_at(offset, bytes).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    let again = disk.open_log("log").unwrap();
    assert_eq!(again.write_at(length, b"x").unwrap_err().kind(), ErrorKind::InvalidInput);
    again.write_at(5, b" and second").unwrap();
    again.sync().unwrap();
    assert_eq!(disk.read_at("log", 0, 16).unwrap(), b"first and second");
    assert_eq!(disk.list().unwrap(), ["log"]);
}

#[test]
fn many_threads_write_and_sync_one_log() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::create(folder.path()).unwrap();
    let log = disk.create_log("log", 8_000).unwrap();
    std::thread::scope(|scope| {
        for number in 0..8u8 {
            let log = &*log;
            scope.spawn(move || {
                for piece in 0..10u64 {
                    let at = u64::from(number) * 1_000 + piece * 100;
                    log.write_at(at, &[number + 1; 100]).unwrap();
                    log.sync().unwrap();
                }
            });
        }
    });
    for number in 0..8u8 {
        let own = disk.read_at("log", u64::from(number) * 1_000, 1_000).unwrap();
        assert_eq!(own, [number + 1; 1_000]);
    }
}
