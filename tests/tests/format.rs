//! Databases of every format that this build reads are kept in `fixtures/format/`, frozen.
//!
//! Each folder is named by its format and holds `database/`, the files as they were written, and
//! `rows.txt`, everything that was in them. The sample of the format that this build writes is
//! written where it is absent; where it is there, a fixed load must give the same bytes.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "reads and writes the project's own fixtures")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use yiku::format::{FORMAT, FORMAT_OLDEST};
use yiku::{CommitInfo, Database, Snapshot};
use yiku_tests::expected::Expected;
use yiku_tests::memory::{Files, Memory};
use yiku_tests::registry::{Cell, Row, Rows};
use yiku_tests::sample::{Mood, schema, tree};
use yiku_tests::{Random, naive};

fn folder(format: u16) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/format").join(format.to_string())
}

/// The fixed load: every kind, commits of files and of the log, live sets, two trees.
fn load() -> (Files, Expected) {
    let storage = Memory::new(Files::new());
    let database = Database::create_in(Arc::<Memory>::clone(&storage), schema(), tree(1)).unwrap();
    let (mut random, mut expected) = (Random::new(2026), Expected::new(1));
    let mut writer = database.writer().unwrap();
    for (number, mood) in Mood::ALL.into_iter().enumerate() {
        let keys: Vec<String> = (0..8).map(|place| format!("H{number}{place:02}")).collect();
        expected.write(&mut writer, &mut random, mood, &keys).unwrap();
    }
    let info = CommitInfo { as_of: Some(20_757), ..CommitInfo::default() };
    expected.commit(&info);
    writer.commit(info).unwrap();
    writer.set_tree(tree(2)).unwrap();
    expected.districts = 2;
    let keys: Vec<String> = (4..30).map(|place| format!("H0{place:02}")).collect();
    expected.write(&mut writer, &mut random, Mood::Mixed, &keys).unwrap();
    expected.remove(&mut writer, "H102").unwrap();
    let notes = BTreeMap::from([("load".to_owned(), "a note".to_owned())]);
    let info = CommitInfo { notes, ..CommitInfo::default() };
    expected.commit(&info);
    writer.commit(info).unwrap();
    // The first of these makes a log, the others go into it.
    for number in 0..3 {
        let keys: Vec<String> = (0..2).map(|place| format!("H0{number}{place}")).collect();
        expected.write(&mut writer, &mut random, Mood::Mixed, &keys).unwrap();
        expected.remove(&mut writer, &format!("H2{number:02}")).unwrap();
        expected.commit(&CommitInfo::default());
        writer.commit(CommitInfo::default()).unwrap();
    }
    (storage.files(), expected)
}

fn write_row(text: &mut String, row: &Row, depth: usize) {
    let cell = |cell: &Cell| match cell {
        Cell::Unknown => "?".to_owned(),
        Cell::Int(value) => value.to_string(),
        Cell::Text(value) => format!("{value:?}"),
    };
    let cells: Vec<String> = row.cells.iter().map(cell).collect();
    writeln!(text, "{:depth$}{} {}", "", row.table, cells.join(" "), depth = depth * 2).unwrap();
    row.beneath.iter().for_each(|row| write_row(text, row, depth + 1));
}

/// Everything of a version as text.
fn text(snapshot: &Snapshot, rows: &Rows) -> String {
    let mut text = format!("version {}\nas of {:?}\n", snapshot.version(), snapshot.as_of());
    writeln!(text, "notes {:?}", snapshot.notes()).unwrap();
    for node in snapshot.tree().nodes() {
        writeln!(text, "place {} {} {:?}", node.code, node.level, node.name).unwrap();
    }
    rows.values().for_each(|row| write_row(&mut text, row, 0));
    text
}

fn write_sample() {
    let (files, _) = load();
    let place = folder(FORMAT).join("database");
    std::fs::create_dir_all(&place).unwrap();
    files.iter().for_each(|(name, bytes)| std::fs::write(place.join(name), bytes).unwrap());
    let snapshot = Database::open_in(Memory::new(files)).unwrap().snapshot().unwrap();
    let text = text(&snapshot, &naive::rows(&snapshot).unwrap());
    std::fs::write(folder(FORMAT).join("rows.txt"), text).unwrap();
}

fn frozen(format: u16) -> Files {
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder(format).join("database")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        files.insert(name, std::fs::read(entry.path()).unwrap());
    }
    files
}

#[test]
fn every_frozen_database_opens_and_answers() {
    if !folder(FORMAT).exists() {
        write_sample();
    }
    for format in FORMAT_OLDEST..=FORMAT {
        // From the folder as it lies there, by the way that everybody opens one.
        let database = Database::open(&folder(format).join("database")).unwrap();
        let snapshot = database.snapshot().unwrap();
        let rows = naive::rows(&snapshot).unwrap();
        let expected = std::fs::read_to_string(folder(format).join("rows.txt")).unwrap();
        assert!(text(&snapshot, &rows) == expected, "format {format}: other rows than frozen");
        naive::check_all(&snapshot).unwrap();
        // A database of an old format is written on in the new one.
        let storage = Memory::new(frozen(format));
        let database = Database::open_in(storage).unwrap();
        let mut writer = database.writer().unwrap();
        assert!(writer.remove(rows.keys().next().unwrap()).unwrap());
        let next = writer.commit(CommitInfo::default()).unwrap();
        assert_eq!(next.rows(0) + 1, snapshot.rows(0));
    }
}

#[test]
fn a_fixed_load_gives_the_frozen_bytes() {
    if !folder(FORMAT).exists() {
        write_sample();
    }
    let (files, expected) = load();
    let snapshot = Database::open_in(Memory::new(files.clone())).unwrap().snapshot().unwrap();
    expected.check(&snapshot).unwrap();
    let frozen = frozen(FORMAT);
    assert!(files.keys().eq(frozen.keys()), "other files than frozen");
    for (name, bytes) in &files {
        let same = bytes.iter().zip(&frozen[name]).take_while(|(a, b)| a == b).count();
        assert!(
            *bytes == frozen[name],
            "{name} differs from byte {same}: a change of the format is a new number in \
             `engine/src/format.rs` and a new folder here, never an edit"
        );
    }
}
