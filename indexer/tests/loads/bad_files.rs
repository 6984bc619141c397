//! Files that cannot be loaded: each a clear message, and the database as it was.

use std::fs;
use std::path::{Path, PathBuf};

use crate::register::{load, province};
use yiku_fixtures::province::Forms;

/// Every file of a folder with its bytes.
fn content(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// Files that departments got wrong: name, bytes, and words of the message.
fn bad_files(files: &Path) -> Vec<(&'static str, Vec<u8>, Vec<&'static str>)> {
    let read = |name: &str| fs::read(files.join(name)).unwrap();
    let cut = |name: &str| {
        let bytes = read(name);
        bytes[..bytes.len() / 2].to_vec()
    };
    let payments = String::from_utf8(read("民政_资金发放_202610.csv")).unwrap();
    let stray = payments.replacen("残疾人", "残疾\"人", 1);
    let line = stray.lines().position(|line| line.contains('"')).unwrap() + 1;
    let stray_line: &'static str = Box::leak(format!("line {line}:").into_boxed_str());
    let unclosed = payments.replacen("\n20", "\n\"20", 1);
    let mut mixed = payments.clone().into_bytes();
    mixed.extend([b'2', b'0', 0xB5, 0xCD, 0xB1, 0xA3, b'\n']);
    let last = payments.lines().count() + 1;
    let mixed_line: &'static str = Box::leak(format!("line {last},").into_boxed_str());
    vec![
        ("empty.csv", Vec::new(), vec!["empty.csv: the file is empty", "deliver it again"]),
        ("blank.csv", b"\n\n \n".to_vec(), vec!["blank.csv: the file is empty"]),
        ("cut.xlsx", cut("残联_持证残疾人.xlsx"), vec!["cut.xlsx: not a readable workbook", "cut"]),
        ("stray.csv", stray.into_bytes(), vec!["stray.csv", stray_line, "a stray quote"]),
        ("open.csv", unclosed.into_bytes(), vec!["open.csv, line 2:", "a stray quote opens"]),
        ("mixed.csv", mixed, vec!["mixed.csv", mixed_line, "not UTF-8", "save it again"]),
        (
            "unknown.csv",
            "姓名,电话,爱好\n王,1,棋\n".as_bytes().to_vec(),
            vec!["unknown.csv: no contract knows this file", "姓名, 电话, 爱好", "nearest is"],
        ),
        ("notes.txt", b"hello\n".to_vec(), vec!["notes.txt: no contract knows", "hello"]),
        ("other.jsonl", b"{\"a\":1}\n".to_vec(), vec!["other.jsonl: no contract knows", "found a"]),
        ("old.xls", vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1], vec!["before 2007", "save it as .xlsx"]),
        ("cut.json", cut("卫健_重病与死亡.json"), vec!["cut.json", "not readable as JSON"]),
    ]
}

#[test]
fn a_bad_file_changes_nothing_and_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (files, db) = (dir.path().join("files"), dir.path().join("db"));
    province(&files, 2_000, 1, 3, Forms::Files);
    load(&db, std::slice::from_ref(&files)).unwrap();
    let before = content(&db);
    let mut bad = bad_files(&files);
    let parquet = dir.path().join("parquet");
    province(&parquet, 2_000, 1, 3, Forms::Parquet);
    let mut bytes = fs::read(parquet.join("民政_救助名单.parquet")).unwrap();
    bytes.truncate(bytes.len() / 2);
    bad.push(("cut.parquet", bytes, vec!["cut.parquet: not a readable Parquet file"]));
    for (name, bytes, words) in bad {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        // Beside a good file, which must not be loaded either.
        let good = files.join("教育_在校学生.jsonl");
        let grown = dir.path().join("grown.jsonl");
        fs::write(&grown, [fs::read(good).unwrap(), b"\n".to_vec()].concat()).unwrap();
        let message = load(&db, &[grown, path.clone()]).unwrap_err().to_string();
        for word in words {
            assert!(message.contains(word), "{name}: `{word}` is not in: {message}");
        }
        assert!(content(&db) == before, "{name} changed the database");
        let fresh = dir.path().join("fresh");
        load(&fresh, &[path]).unwrap_err();
        assert!(!fresh.exists(), "{name} left a database");
    }
}

#[test]
fn what_is_missing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let files = dir.path().join("files");
    province(&files, 1_000, 1, 3, Forms::Files);
    let db = dir.path().join("db");
    for (paths, words) in [
        (vec![dir.path().join("nowhere")], "cannot read"),
        (Vec::new(), "no file to load"),
        (vec![files.join("教育_在校学生.jsonl")], "nobody is registered"),
    ] {
        let message = load(&db, &paths).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
        assert!(!db.exists());
    }
}

/// Loads of a register that would lose or double what it has, without anybody having meant it.
#[test]
fn a_file_does_not_empty_or_double_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let (files, db) = (dir.path().join("files"), dir.path().join("db"));
    province(&files, 2_000, 2, 3, Forms::Files);
    load(&db, std::slice::from_ref(&files)).unwrap();
    let before = content(&db);
    let read = |name: &str| fs::read_to_string(files.join(name)).unwrap();
    let aid = read("民政_救助名单.csv");
    let header = aid.lines().next().unwrap();
    let rounded = format!("{header}\nA1,9.99001E+17,农村低保,2026-01-01,,300.00\n");
    let september = read("民政_资金发放_202609.csv");
    let october = read("民政_资金发放_202610.csv");
    let stray = format!("{september}{}\n", october.lines().nth(1).unwrap());
    for (name, text, words) in [
        ("header.csv", format!("{header}\n"), "none of its 0 records can be taken"),
        ("rounded.csv", rounded, "none of its 1 records can be taken"),
        ("two_months.csv", stray, "speaks of 2026-09..2026-10, and another file"),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        let message = load(&db, &[path]).unwrap_err().to_string();
        assert!(message.contains(name) && message.contains(words), "{message}");
        assert!(content(&db) == before, "{name} changed the database");
    }
    // Without its key everybody would get another number.
    let key = db.join("loads/surrogate.key");
    let other = files.join("民政_救助名单.csv");
    fs::write(&other, aid.trim_end().rsplit_once('\n').unwrap().0).unwrap();
    for damage in [Some("short"), None] {
        fs::remove_file(&key).unwrap();
        if let Some(bytes) = damage {
            fs::write(&key, bytes).unwrap();
        }
        let message = load(&db, std::slice::from_ref(&other)).unwrap_err().to_string();
        assert!(message.contains("surrogate.key"), "{message}");
        fs::write(&key, "-").unwrap();
    }
}

#[test]
fn a_database_may_lie_among_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let (files, db) = (dir.path().join("files"), dir.path().join("files/db"));
    province(&files, 1_000, 1, 3, Forms::Files);
    load(&db, std::slice::from_ref(&files)).unwrap();
    assert!(load(&db, std::slice::from_ref(&files)).unwrap().unchanged);
}
