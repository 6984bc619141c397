//! Databases of every format that this build reads are kept in `fixtures/format/`, frozen.
//!
//! Each folder is named by its format and holds `database/`, the files as they were written, and
//! `rows.txt`, everything that was in them. The sample of the format that this build writes is
//! written where it is absent; where it is there, a fixed load must give the same bytes. From
//! format 3 on that load has, besides every encoding, names, a month end and rows of several
//! commits in one segment.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "reads and writes the project's own fixtures")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Once;

use yiku::format::{Encoding, FORMAT, FORMAT_OLDEST};
use yiku::{CommitInfo, Database, Snapshot};
use yiku_tests::memory::{Files, Memory};
use yiku_tests::registry::{Cell, Row, Rows};
use yiku_tests::{every, naive};

fn folder(format: u16) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/format").join(format.to_string())
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

/// Everything of a database as text: the newest version and those under a name.
fn all_text(database: &Database) -> String {
    let snapshot = database.snapshot().unwrap();
    let mut all = text(&snapshot, &naive::rows(&snapshot).unwrap());
    for named in database.names().unwrap() {
        let snapshot = database.named(&named.name).unwrap();
        writeln!(all, "\nname {:?}, by rule {}", named.name, named.by_rule).unwrap();
        all.push_str(&text(&snapshot, &naive::rows(&snapshot).unwrap()));
    }
    all
}

/// The numbers of the encodings that occur in a version.
fn encodings(snapshot: &Snapshot) -> BTreeSet<u8> {
    let mut found = BTreeSet::new();
    for segment in snapshot.segments() {
        for (table, declared) in snapshot.schema().tables.iter().enumerate() {
            for column in 0..declared.columns.len() {
                let column = segment.column(table, column).unwrap();
                found.extend(column.encodings().map(|encoding| encoding as u8));
            }
        }
    }
    found
}

/// Writes the sample of the format that this build writes, where there is none.
fn write_sample() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if !folder(FORMAT).exists() {
            write_new();
        }
    });
}

fn write_new() {
    let (files, _) = every::load();
    let place = folder(FORMAT).join("database");
    std::fs::create_dir_all(&place).unwrap();
    files.iter().for_each(|(name, bytes)| std::fs::write(place.join(name), bytes).unwrap());
    let database = Database::open_in(Memory::new(files)).unwrap();
    std::fs::write(folder(FORMAT).join("rows.txt"), all_text(&database)).unwrap();
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
    write_sample();
    for format in FORMAT_OLDEST..=FORMAT {
        // From the folder as it lies there, by the way that everybody opens one.
        let database = Database::open(&folder(format).join("database")).unwrap();
        let snapshot = database.snapshot().unwrap();
        let rows = naive::rows(&snapshot).unwrap();
        let expected = std::fs::read_to_string(folder(format).join("rows.txt")).unwrap();
        assert!(all_text(&database) == expected, "format {format}: other rows than frozen");
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
    write_sample();
    let (files, rows) = every::load();
    let snapshot = Database::open_in(Memory::new(files.clone())).unwrap().snapshot().unwrap();
    assert!(naive::rows(&snapshot).unwrap() == rows, "other rows than loaded");
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

#[test]
fn what_is_frozen_has_every_encoding() {
    // What only format 1 wrote is in its own sample.
    let first = [Encoding::Text, Encoding::Dictionary, Encoding::Numbered];
    let chosen = Encoding::ALL.into_iter().filter(|encoding| !first.contains(encoding));
    let chosen: BTreeSet<u8> = chosen.map(|encoding| encoding as u8).collect();
    let (files, rows) = every::load();
    let database = Database::open_in(Memory::new(files.clone())).unwrap();
    let snapshot = database.snapshot().unwrap();
    assert_eq!(encodings(&snapshot), chosen);
    assert!(naive::rows(&snapshot).unwrap() == rows, "other rows than loaded");
    naive::check_all(&snapshot).unwrap();
    let names = database.names().unwrap();
    assert!(names.iter().any(|named| named.by_rule) && names.iter().any(|named| !named.by_rule));
    for kind in ["CURRENT", "live-", "log-", "manifest-", "seg-", "tree-"] {
        assert!(files.keys().any(|name| name.starts_with(kind)), "no {kind}: {:?}", files.keys());
    }
    write_sample();
    let first = first.map(|encoding| encoding as u8).into();
    for (format, wanted) in [(FORMAT_OLDEST, &first), (FORMAT, &chosen)] {
        let frozen = Database::open_in(Memory::new(frozen(format))).unwrap();
        let found = encodings(&frozen.snapshot().unwrap());
        assert!(found.is_superset(wanted), "format {format}: {found:?}");
    }
}
