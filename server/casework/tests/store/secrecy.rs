//! What of a store can be read, or changed unseen, by who has its files and not its keys.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use yiku_casework::accounts::{Accounts, Cost, Grant};
use yiku_casework::secret::{FileKeys, KeyProvider};
use yiku_casework::store::{Entry, Filter, Reach, Store};
use yiku_casework::{Error, Evidence, Role};

use crate::support::*;

fn files(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A store in which all that is personal was written in every way there is.
fn lived(place: &Place) -> Vec<String> {
    let case = place.submitted(1);
    let town = staff("town", Role::Township, TOWNSHIP);
    place.act(&town, &case, ("agree", "a1"), &json!({}), Evidence::default()).unwrap();
    let citizen = place.citizen(1);
    let photo = b"\x89PNG\r\n\x1a\nspoken-secret-content";
    place.store.attach(&citizen, photo, "赵试验乙的病历.png", now(), "192.0.2.1").unwrap();
    let number = id_number(2);
    let guest = (name(2), number.as_str());
    place.store.invite(&citizen, (&guest.0, guest.1), None, now(), "192.0.2.1").unwrap();
    let entry = Entry {
        action: "person.reveal",
        object: &case.id,
        detail: "核对赵某的虚构理由",
        ..Entry::by(&town, "192.0.2.1", now())
    };
    place.store.journal(&entry).unwrap();
    let list = [raised("A1", "H-HOUSEHOLD-77", "2026-03", 30)];
    place.store.raise_warnings(&list, &context(now())).unwrap();
    vec![
        name(1),
        id_number(1),
        phone(1),
        format!("6222000000{:08}", 1),
        "虚构病症".to_owned(),
        "不存在村".to_owned(),
        "spoken-secret-content".to_owned(),
        "的病历".to_owned(),
        name(2),
        number,
        "虚构理由".to_owned(),
        "H-HOUSEHOLD-77".to_owned(),
        "town officer".to_owned(),
    ]
}

#[test]
fn nothing_of_a_person_is_in_the_files() {
    let place = Place::new();
    let mut secrets = lived(&place);
    let folder = place.path().join("cases");
    {
        let store = Arc::new(Store::open(&folder, keys(place.path())).unwrap());
        let accounts = Accounts::new(store, Cost::CHEAP);
        let number = id_number(3);
        let (known, person) = (("https://a.example", "subject-77"), ("孙虚构丁", number.as_str()));
        let session = accounts.citizen_by_oidc(known, person, now(), "192.0.2.1").unwrap();
        let grant =
            Grant { role: Role::Village, scope: VILLAGE, department: None, id_number: None };
        let names = ("13912340000", "李虚构戊");
        accounts.establish(names, &grant, "Yiku-demo-2026", false, now()).unwrap();
        secrets.extend(["孙虚构丁", "subject-77", "13912340000", "李虚构戊"].map(str::to_owned));
        secrets.extend([number, session.token, "Yiku-demo-2026".to_owned()]);
    }
    let mut found = BTreeMap::new();
    files(&folder, &mut found);
    assert!(found.len() >= 2, "{:?}", found.keys());
    let all: usize = found.values().map(Vec::len).sum();
    assert!(all > 50_000, "the files hold something: {all}");
    for (file, bytes) in &found {
        for secret in &secrets {
            assert!(!holds(bytes, secret), "{file} holds {secret}");
        }
    }
    // The search itself finds what is in the clear.
    assert!(found.values().any(|bytes| holds(bytes, VILLAGE)));
}

#[test]
fn a_store_is_not_opened_with_other_keys() {
    let place = Place::new();
    place.submitted(1);
    let folder = place.path().join("cases");
    let other: Arc<dyn KeyProvider> =
        Arc::new(FileKeys::open(&place.path().join("other"), &folder).unwrap());
    assert!(matches!(Store::open(&folder, other), Err(Error::OtherKeys)));
}

#[test]
fn old_rows_are_read_after_a_new_key_and_new_rows_are_sealed_with_it() {
    let place = Place::new();
    let first = place.submitted(1);
    let folder = place.path().join("cases");
    let keys = Arc::new(FileKeys::open(&place.path().join("keys"), &folder).unwrap());
    keys.rotate().unwrap();
    let store = Store::open(&folder, keys).unwrap();
    assert_eq!(store.case(&first.id).unwrap(), first);
    drop(store);
    let kept = place;
    let place = Place::at(kept.path());
    let second = place.submitted(2);
    let file = rusqlite::Connection::open(folder.join("casework.db")).unwrap();
    let key = |id: &str| -> u32 {
        file.query_row("SELECT key FROM cases WHERE id = ?1", [id], |row| row.get(0)).unwrap()
    };
    assert_eq!((key(&first.id), key(&second.id)), (1, 2));
    assert_eq!(place.store.case(&second.id).unwrap(), second);
    assert_eq!(place.store.verify_journal().unwrap().broken, None);
}

#[test]
fn a_store_of_a_newer_program_is_not_touched() {
    let place = Place::new();
    let folder = place.path().join("cases");
    let file = rusqlite::Connection::open(folder.join("casework.db")).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    let opened = Store::open(&folder, keys(place.path()));
    assert!(matches!(opened, Err(Error::Format { found: 99, .. })));
}

#[test]
fn the_file_itself_forbids_to_change_what_happened() {
    let place = Place::new();
    lived(&place);
    let file = rusqlite::Connection::open(place.path().join("cases/casework.db")).unwrap();
    for change in [
        "UPDATE journal SET account = 'x' WHERE seq = 1",
        "DELETE FROM journal WHERE seq = 1",
        "UPDATE event SET state = 'agreed' WHERE seq = 1",
        "DELETE FROM event WHERE seq = 1",
        "DELETE FROM outbox WHERE seq = 1",
    ] {
        assert!(file.execute(change, []).is_err(), "{change}");
    }
}

#[test]
fn a_journal_that_was_changed_in_any_way_is_found() {
    let changes: [(&str, &str); 12] = [
        ("a word", "UPDATE journal SET account = 'x' WHERE seq = 2"),
        ("a result", "UPDATE journal SET result = 'x' WHERE seq = 3"),
        ("a time", "UPDATE journal SET at = '2020-01-01T00:00:00.000' WHERE seq = 1"),
        ("a digest", "UPDATE journal SET digest = '0' WHERE seq = 2"),
        ("a sealed detail", "UPDATE journal SET sealed = x'00' WHERE seq = 4"),
        ("a row taken out", "DELETE FROM journal WHERE seq = 2"),
        ("the first taken out", "DELETE FROM journal WHERE seq = 1"),
        ("the end cut off", "DELETE FROM journal WHERE seq > 3"),
        ("all of it", "DELETE FROM journal"),
        ("the head", "UPDATE journal_head SET seq = seq - 1"),
        (
            "the end and the head",
            "DELETE FROM journal WHERE seq > 3;
             UPDATE journal_head SET seq = 3,
                 digest = (SELECT digest FROM journal WHERE seq = 3)",
        ),
        (
            "a case put back",
            "UPDATE cases SET sealed = (SELECT sealed FROM cases AS other
                 WHERE other.id <> cases.id LIMIT 1)",
        ),
    ];
    let place = Place::new();
    lived(&place);
    let whole = place.store.verify_journal().unwrap();
    assert_eq!(whole.broken, None);
    assert!(whole.rows >= 6, "{whole:?}");
    for (what, change) in changes {
        let copy = copied(&place);
        let file = rusqlite::Connection::open(copy.path().join("cases/casework.db")).unwrap();
        file.execute_batch(&format!(
            "DROP TRIGGER journal_is_kept; DROP TRIGGER journal_is_fixed; {change};"
        ))
        .unwrap();
        drop(file);
        let store = open(copy.path());
        assert!(store.verify_journal().unwrap().broken.is_some(), "{what}");
    }
    assert_eq!(open(copied(&place).path()).verify_journal().unwrap(), whole);
}

/// A copy of a store and its keys, whole with what is still in its log.
fn copied(place: &Place) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(copy.path().join("cases")).unwrap();
    std::fs::copy(place.path().join("keys"), copy.path().join("keys")).unwrap();
    let to = copy.path().join("cases/casework.db").display().to_string();
    let from = rusqlite::Connection::open(place.path().join("cases/casework.db")).unwrap();
    from.execute("VACUUM INTO ?1", [to]).unwrap();
    copy
}

#[test]
fn columns_in_the_clear_cannot_be_turned_against_what_is_sealed() {
    let place = Place::new();
    let case = place.submitted(1);
    let file = rusqlite::Connection::open(place.path().join("cases/casework.db")).unwrap();
    for (column, value) in [
        ("state", "agreed"),
        ("region", "141127101201"),
        ("kind", "report"),
        ("owner", "x"),
        ("author", "x"),
        ("level", "red"),
        ("due_on", "2030-01-01"),
        ("departments", " housing "),
        ("version", "1"),
    ] {
        let old: Option<String> = file
            .query_row(&format!("SELECT CAST({column} AS TEXT) FROM cases"), [], |row| row.get(0))
            .unwrap();
        file.execute(&format!("UPDATE cases SET {column} = ?1"), [value]).unwrap();
        let read = place.store.case(&case.id);
        assert!(matches!(read, Err(Error::Tampered { table: "cases", .. })), "{column}: {read:?}");
        assert!(place.store.list(&Filter::of(Reach::Platform)).is_err(), "{column}");
        file.execute(&format!("UPDATE cases SET {column} = ?1"), [old]).unwrap();
    }
    assert_eq!(place.store.case(&case.id).unwrap(), case);
}
