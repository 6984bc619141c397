//! Loads that follow each other: what they leave equals what one load of the last files leaves.

use std::fs;
use std::path::{Path, PathBuf};

use crate::register::{Register, load, province, share_numbers};
use yiku_fixtures::province::Forms;

/// The files of a folder, those first whose name does not contain the word.
fn parted(dir: &Path, word: &str) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    files.partition(|path| !path.to_string_lossy().contains(word))
}

/// Loads all files at once into a new database with the same person numbers, and compares.
fn as_at_once(dir: &Path, db: &Path, files: &Path) {
    let other = dir.join("at_once");
    share_numbers(db, &other);
    load(&other, &[files.to_owned()]).unwrap();
    let (found, expected) = (Register::read(db), Register::read(&other));
    for (table, (found, expected)) in
        found.schema.tables.iter().zip(found.sorted().iter().zip(expected.sorted()))
    {
        assert_eq!(found.len(), expected.len(), "rows of {}", table.name);
        assert!(*found == expected, "rows of {} differ", table.name);
    }
    fs::remove_dir_all(other).unwrap();
}

#[test]
fn later_loads_leave_what_one_load_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let (files, db) = (dir.path().join("files"), dir.path().join("db"));
    province(&files, 6_000, 3, 11, Forms::Files);

    // All but the last month's payments, then those.
    let (most, last) = parted(&files, "资金发放_202610");
    let all = load(&db, &most).unwrap();
    let report = load(&db, &last).unwrap();
    let person = |report: &yiku_indexer::LoadReport| {
        report.rows.iter().find(|(table, _)| table == "person").unwrap().1
    };
    assert!(person(&report) > 0 && person(&report) * 4 < person(&all), "{report}");
    as_at_once(dir.path(), &db, &files);

    // A file that no note names is not looked at.
    let stray = db.join("loads/civil_affairs.payments/2026-10/stray.parquet");
    fs::write(&stray, "not parquet").unwrap();

    // The month is delivered again with half of its payments: the earlier rows go.
    let path = last.first().unwrap();
    let text = fs::read_to_string(path).unwrap();
    let half: Vec<&str> = text.lines().take(text.lines().count() / 2).collect();
    fs::write(path, half.join("\n")).unwrap();
    load(&db, &last).unwrap();
    as_at_once(dir.path(), &db, &files);

    // Once more as it was: bytes that were replaced are new again.
    fs::write(path, &text).unwrap();
    assert!(!load(&db, &last).unwrap().unchanged);
    as_at_once(dir.path(), &db, &files);
}

#[test]
fn households_that_no_file_names_any_more_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let (files, db) = (dir.path().join("files"), dir.path().join("db"));
    province(&files, 3_000, 1, 5, Forms::Files);
    load(&db, std::slice::from_ref(&files)).unwrap();
    let households = files.join("民政_家庭户籍.csv");
    let text = fs::read_to_string(&households).unwrap();
    let gone = text.lines().nth(7).unwrap().split(',').next().unwrap().to_owned();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with(&gone)).collect();
    fs::write(&households, kept.join("\r\n")).unwrap();
    let report = load(&db, std::slice::from_ref(&files)).unwrap();
    assert_eq!(report.removed, 1, "{report}");
    as_at_once(dir.path(), &db, &files);
}

/// The lines of a text under its header, but for those that a test leaves out.
fn with_lines(text: &str, kept: impl Fn(usize) -> bool) -> String {
    let lines = text.lines().enumerate().filter(|(nth, _)| *nth == 0 || kept(*nth));
    lines.map(|(_, line)| format!("{line}\n")).collect()
}

/// A corrected file was put beside the one it corrects, and the folder loaded again: each load
/// brought the other one back.
#[test]
fn an_outdated_file_beside_its_successor_stays_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (files, db) = (dir.path().join("files"), dir.path().join("db"));
    province(&files, 2_000, 1, 7, Forms::Files);
    load(&db, std::slice::from_ref(&files)).unwrap();
    let payments = files.join("民政_资金发放_202610.csv");
    let text = fs::read_to_string(&payments).unwrap();
    fs::write(files.join("更正.csv"), with_lines(&text, |nth| nth % 3 > 0)).unwrap();
    let report = load(&db, &[files.join("更正.csv")]).unwrap();
    let found = report.fewer.iter().find(|(table, _, _)| table == "observation");
    assert!(found.is_some_and(|(_, before, now)| now < before), "{report}");
    let after = Register::read(&db).sorted();
    let again = load(&db, std::slice::from_ref(&files)).unwrap();
    assert!(again.unchanged, "{again}");
    assert!(Register::read(&db).sorted() == after);
    // Alone it is what it says.
    assert!(!load(&db, &[payments]).unwrap().unchanged);
    assert!(Register::read(&db).sorted() != after);
}

/// Two offices deliver one month in two files, and one of them corrects its own.
#[test]
fn of_several_files_of_a_month_one_is_corrected() {
    let dir = tempfile::tempdir().unwrap();
    let (files, db) = (dir.path().join("files"), dir.path().join("db"));
    province(&files, 2_000, 1, 9, Forms::Files);
    let payments = files.join("民政_资金发放_202610.csv");
    let text = fs::read_to_string(&payments).unwrap();
    fs::write(&payments, with_lines(&text, |nth| nth % 2 == 0)).unwrap();
    let other = files.join("民政_资金发放_202610_2.csv");
    fs::write(&other, with_lines(&text, |nth| nth % 2 == 1)).unwrap();
    load(&db, std::slice::from_ref(&files)).unwrap();
    as_at_once(dir.path(), &db, &files);
    fs::write(&other, with_lines(&text, |nth| nth % 4 == 1)).unwrap();
    load(&db, std::slice::from_ref(&files)).unwrap();
    as_at_once(dir.path(), &db, &files);
}
