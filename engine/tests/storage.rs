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
