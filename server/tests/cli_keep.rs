//! The built program on a database that is kept for long: versions under names, copies, order,
//! soundness, and two who write.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops where it fails, and damages what was written"
)]

mod program;
#[expect(clippy::cast_possible_truncation, dead_code, reason = "a test's registry")]
mod small;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use program::{done, refused, yiku};
use serde_json::{Value, json};
use yiku::Database;

const COUNT: &str = "from person measure n = count()";

/// A folder with the small registry in `db`.
fn registry() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("db");
    small::create(&db);
    (folder, db.to_str().unwrap().to_owned())
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Takes a household out: a new version.
fn remove(db: &str, household: &str) {
    let mut writer = Database::open(Path::new(db)).unwrap().writer().unwrap();
    assert!(writer.remove(household).unwrap());
    writer.commit(yiku::CommitInfo::default()).unwrap();
}

fn count(arguments: &[&str]) -> i64 {
    let printed = done(&[&["query", "--format", "csv", COUNT], arguments].concat());
    printed.trim().strip_prefix("n\n").unwrap().parse().unwrap()
}

/// The largest file of a folder whose name begins so.
fn largest(folder: &str, prefix: &str) -> PathBuf {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let named = entries.filter(|entry| entry.file_name().to_str().unwrap().starts_with(prefix));
    named.max_by_key(|entry| entry.metadata().unwrap().len()).unwrap().path()
}

#[test]
fn a_kept_version_is_asked_by_its_name_until_it_is_dropped() {
    let (_folder, db) = registry();
    let persons: i64 = (0..=small::HOUSEHOLDS).map(small::size).sum();
    let none = "month ends: none are kept\n";
    assert_eq!(done(&["snapshot", "list", "--db", &db]), none);
    let kept = done(&["snapshot", "keep", "audit", "--db", &db]);
    assert_eq!(kept, "audit  version 2, as of 2026-10-31\n");
    remove(&db, "H002");
    let named = ["--db", &db, "--snapshot", "audit"];
    assert_eq!(count(&named), persons);
    assert_eq!(count(&["--db", &db]), persons - small::size(2));
    let list = parsed(&done(&["snapshot", "list", "--db", &db, "--json"]));
    let expected = json!({
        "name": "audit", "version": 2, "as_of": "2026-10-31", "by_rule": false
    });
    assert_eq!(list, json!({ "month_ends": 0, "names": [expected] }));
    let again = parsed(&done(&["snapshot", "keep", "after", "--db", &db, "--json"]));
    assert_eq!((&again["name"], &again["version"]), (&json!("after"), &json!(3)));
    let plan = done(&[&["explain", "from person where severe_illness"], &named[..]].concat());
    assert!(plan.contains("severe_illness"), "{plan}");
    refused(&["snapshot", "keep", "audit", "--db", &db], 1, "already kept under the name `audit`");
    refused(&["snapshot", "keep", "", "--db", &db], 1, "bytes of a name");
    refused(&["snapshot", "drop", "audt", "--db", &db], 1, "no version is kept under");
    refused(&["query", "--db", &db, "--snapshot", "audt", COUNT], 1, "under the name `audt`");
    let left = done(&["snapshot", "drop", "audit", "--db", &db]);
    assert_eq!(left, format!("{none}after  version 3, as of 2026-10-31\n"));
    refused(&[&["query", COUNT], &named[..]].concat(), 1, "under the name `audit`");
    for command in ["list", "keep", "drop", "month-ends", "export"] {
        let help = done(&["snapshot", command, "--help"]);
        assert!(help.contains(&format!("yiku snapshot {command}")), "{help}");
    }
}

#[test]
fn month_ends_are_kept_by_the_rule_and_go_by_it() {
    let (_folder, db) = registry();
    let set = parsed(&done(&["snapshot", "month-ends", "2", "--db", &db, "--json"]));
    assert_eq!(set, json!({ "month_ends": 2, "names": [] }));
    // A name that only looks like one is not the rule's.
    done(&["snapshot", "keep", "2026-09", "--db", &db]);
    let database = Database::open(Path::new(&db)).unwrap();
    for (household, day) in ["2026-11-30", "2026-12-31", "2027-01-31"].iter().enumerate() {
        let mut writer = database.writer().unwrap();
        writer.remove(&format!("H{household:03}")).unwrap();
        let as_of = yiku::calendar::parse_date(day);
        writer.commit(yiku::CommitInfo { as_of, ..Default::default() }).unwrap();
    }
    let list = done(&["snapshot", "list", "--db", &db]);
    let expected = "month ends: the newest 2 are kept\n\
                    2026-09  version 2, as of 2026-10-31\n\
                    2026-11  version 3, as of 2026-11-30, month end\n\
                    2026-12  version 4, as of 2026-12-31, month end\n";
    assert_eq!(list, expected);
    let list = parsed(&done(&["snapshot", "list", "--db", &db, "--json"]));
    let named = list["names"].as_array().unwrap().iter();
    let by_rule: Vec<_> = named.map(|named| named["by_rule"].as_bool().unwrap()).collect();
    assert_eq!((&list["month_ends"], by_rule), (&json!(2), vec![false, true, true]));
    let persons: i64 = (1..=small::HOUSEHOLDS).map(small::size).sum();
    assert_eq!(count(&["--db", &db, "--snapshot", "2026-11"]), persons);
    let one = done(&["snapshot", "month-ends", "1", "--db", &db]);
    assert!(one.starts_with("month ends: the newest 1 are kept\n2026-09 "), "{one}");
    assert!(!one.contains("2026-11") && one.contains("2026-12 "), "{one}");
    let none = "month ends: none are kept\n2026-09  version 2, as of 2026-10-31\n";
    assert_eq!(done(&["snapshot", "month-ends", "0", "--db", &db]), none);
}

#[test]
fn a_copy_is_taken_beside_a_writer_and_opens_as_a_database() {
    let (folder, db) = registry();
    let copy = folder.path().join("copy").to_str().unwrap().to_owned();
    done(&["snapshot", "keep", "first", "--db", &db]);
    let before = count(&["--db", &db]);
    remove(&db, "H004");
    // Somebody writes, and it makes no difference.
    let writing = Database::open(Path::new(&db)).unwrap();
    let _writer = writing.writer().unwrap();
    let export = ["snapshot", "export", &copy, "--db", &db, "--json"];
    let sent = parsed(&done(&export));
    assert_eq!((&sent["version"], &sent["there"]), (&json!(3), &json!(0)));
    assert!(sent["sent_bytes"].as_u64().unwrap() > 0, "{sent}");
    assert_eq!(count(&["--db", &copy]), before - small::size(4));
    let again = parsed(&done(&export));
    assert_eq!((&again["version"], &again["sent"]), (&json!(3), &json!(0)), "{again}");
    let named = folder.path().join("named").to_str().unwrap().to_owned();
    let told = done(&["snapshot", "export", &named, "--db", &db, "--name", "first"]);
    assert!(told.starts_with("version 2: 1 segments of "), "{told}");
    assert_eq!(count(&["--db", &named]), before);
    assert!(done(&["verify", "--db", &copy]).starts_with("sound: version 3, "));
    refused(&["snapshot", "export", &copy, "--db", &db, "--name", "x"], 1, "no version is kept");
    refused(&["snapshot", "export", &copy, "--db", "/nowhere/at/all"], 1, "holds no database");
}

#[test]
fn compaction_is_told_and_changes_no_answer() {
    let (_folder, db) = registry();
    for household in 0..20 {
        remove(&db, &format!("H{household:03}"));
        done(&["snapshot", "keep", &format!("k{household}"), "--db", &db]);
    }
    let before = count(&["--db", &db]);
    let steady = parsed(&done(&["compact", "--db", &db, "--steady", "--json"]));
    assert!(steady["steps"].is_u64(), "{steady}");
    let whole = parsed(&done(&["compact", "--db", &db, "--json"]));
    assert_eq!(whole["segments"], 1, "{whole}");
    assert!(whole["bytes"].as_u64() <= whole["bytes_before"].as_u64(), "{whole}");
    assert_eq!(count(&["--db", &db]), before);
    assert_eq!(done(&["compact", "--db", &db]).split(';').next(), Some("0 steps"));
    assert_eq!(
        count(&["--db", &db, "--snapshot", "k0"]),
        before + (1..20).map(small::size).sum::<i64>()
    );
    refused(&["compact", "--db", "/nowhere/at/all"], 1, "holds no database");
}

#[test]
fn damage_is_told_with_file_and_offset() {
    let (_folder, db) = registry();
    // A checkpoint, so that rows are in a segment.
    done(&["snapshot", "keep", "k", "--db", &db]);
    let sound = parsed(&done(&["verify", "--db", &db, "--json"]));
    assert_eq!((&sound["findings"], &sound["version"]), (&json!([]), &json!(2)), "{sound}");
    assert_eq!(sound["rows"]["household"], small::HOUSEHOLDS + 1);
    for prefix in ["seg-", "manifest-", "tree-", "CURRENT"] {
        let file = largest(&db, prefix);
        let bytes = std::fs::read(&file).unwrap();
        let mut damaged = bytes.clone();
        let middle = bytes.len() / 2;
        damaged[middle] ^= 0x20;
        std::fs::write(&file, damaged).unwrap();
        let ended = yiku(&["verify", "--db", &db]);
        assert_eq!(ended.status, 1, "{prefix}: {}", ended.out);
        let name = file.to_str().unwrap();
        let line = ended.out.lines().find(|line| line.contains(name));
        assert!(line.is_some_and(|line| line.contains(", byte ")), "{prefix}: {}", ended.out);
        assert!(ended.err.contains("found wrong; restore a copy"), "{}", ended.err);
        let json = yiku(&["verify", "--db", &db, "--json"]);
        assert_eq!(json.status, 1);
        let found = parsed(&json.out);
        let findings = found["findings"].as_array().unwrap();
        let named = findings.iter().find(|finding| finding["file"] == name).unwrap();
        assert!(named["offset"].is_u64() && named["what"].is_string(), "{found}");
        std::fs::write(&file, bytes).unwrap();
    }
    assert!(done(&["verify", "--db", &db]).starts_with("sound: "));
    // Nothing that is damaged hides what else is.
    let harmed = ["CURRENT", "seg-", "tree-"].map(|prefix| largest(&db, prefix));
    for file in &harmed {
        let mut bytes = std::fs::read(file).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 0x20;
        std::fs::write(file, bytes).unwrap();
    }
    let ended = yiku(&["verify", "--db", &db]);
    assert_eq!((ended.status, ended.out.lines().count()), (1, 3), "{}", ended.out);
    for file in harmed {
        let start = format!("{}, byte ", file.display());
        assert!(ended.out.lines().any(|line| line.starts_with(&start)), "{}", ended.out);
    }
    refused(&["verify", "--db", "/nowhere/at/all"], 1, "holds no database");
}

#[test]
fn whoever_comes_second_waits_a_while() {
    let (_folder, db) = registry();
    let holding = Database::open(Path::new(&db)).unwrap();
    let writer = holding.writer().unwrap();
    let keep =
        |name: &str, wait: &str| yiku(&["snapshot", "keep", name, "--db", &db, "--wait", wait]);
    let refused = keep("a", "0");
    assert_eq!(refused.status, 1);
    assert!(refused.err.contains("is being written by another process"), "{}", refused.err);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| keep("b", "60"));
        thread::sleep(Duration::from_millis(300));
        drop(writer);
        let ended = waiting.join().unwrap();
        assert_eq!((ended.status, ended.err.as_str()), (0, ""));
    });
}
