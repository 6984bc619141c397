//! What decisions change, and that they change nothing else.

use serde_json::{Value, json};
use yiku::calendar;
use yiku_indexer::{find_person, sources};

use crate::world::{World, everything, newcomer, nobody, number, warning};

#[test]
fn a_decided_change_is_seen_and_nothing_else_changes() {
    let world = World::new(2_000, 3);
    let before = everything(&world.snapshot());
    let old = world.with_members(2, 3);
    let applied = world.apply(&[json!({
        "seq": 1, "case": "d1", "at": "2026-11-02T09:30:00", "household": old.key, "head": null,
        "household_values": { "income": 123_400, "cause": "1", "discovered_by": "2",
            "discovered_on": "2026-11-02", "address": null },
        "persons": [
            { "id_number": number(&old, 0), "values": { "employment": "5", "tags": ["01", "04"] } },
            { "id_number": number(&old, 1), "remove": true },
            { "id_number": nobody(1), "values": { "name": "张三", "relation": "20" } },
        ],
    })]);
    assert_eq!(applied.placed[0].household, old.key);
    let new = world.household(&old.key);
    for (column, value) in
        [("income", json!(123_400)), ("cause", json!("1")), ("discovered_by", json!("2"))]
    {
        assert_eq!(new.values[column], value, "{column}");
    }
    assert_eq!(new.values["discovered_on"], "2026-11-02");
    assert_eq!(new.values.get("address"), None);
    assert_eq!(new.values.get("urban"), old.values.get("urban"));
    assert_eq!(new.persons.len(), old.persons.len());
    let first = &new.persons[0];
    assert_eq!(
        (&first.values["employment"], &first.values["employed"]),
        (&json!("5"), &json!(false))
    );
    assert_eq!(first.values["tags"], json!(["01", "04"]));
    assert_eq!(first.values["name"], old.persons[0].values["name"]);
    assert_eq!(
        (&first.aid, &first.observations),
        (&old.persons[0].aid, &old.persons[0].observations)
    );
    assert!(!new.persons.iter().any(|person| person.key == old.persons[1].key));
    let added = new.persons.last().unwrap();
    assert_eq!(added.values["id_number"], json!(nobody(1)));
    assert_eq!(
        (&added.values["birth_date"], &added.values["relation"]),
        (&json!("1990-01-02"), &json!("20"))
    );
    let mut after = everything(&world.snapshot());
    after.insert(old.key.clone(), old.clone());
    assert!(after == before, "another household changed");
    let found = |number: &str| find_person(&world.snapshot(), &world.db, number).unwrap();
    assert_eq!(found(&nobody(1)).unwrap().household, old.key);
    assert_eq!(found(&number(&old, 0)).unwrap().person, old.persons[0].key);
    assert_eq!(found(&number(&old, 1)), None);
    assert_eq!((found(&nobody(2)), found("12")), (None, None));
}

#[test]
fn a_new_household_is_made_and_leaves_again() {
    let world = World::new(1_000, 4);
    let region = world.household(&world.keys[5]).region;
    let rows = world.snapshot().rows(0);
    let applied = world.apply(&[newcomer(10, "n1", &region, &nobody(1))]);
    assert_eq!(applied.placed[0].household, "Cn1");
    let made = world.household("Cn1");
    assert_eq!((made.region.as_str(), made.persons.len()), (region.as_str(), 1));
    let person = &made.persons[0];
    assert_eq!(
        (&person.values["relation"], &person.values["employed"]),
        (&json!("02"), &json!(true))
    );
    assert_eq!((&person.aid[0]["kind"], &person.aid[0]["amount"]), (&json!("12"), &json!(45_000)));
    // The same case, the key, and the head alone all mean the household that was made.
    world.apply(&[
        json!({ "seq": 11, "case": "n1", "household_values": { "income": 1 } }),
        json!({ "seq": 12, "case": "o", "household": "Cn1", "household_values": { "cause": "2" } }),
        json!({ "seq": 13, "case": "p", "head": nobody(1),
            "persons": [{ "id_number": nobody(2), "values": { "relation": "10" } }] }),
    ]);
    let made = world.household("Cn1");
    assert_eq!((&made.values["income"], &made.values["cause"]), (&json!(1), &json!("2")));
    assert_eq!((made.persons.len(), world.snapshot().rows(0)), (2, rows + 1));
    world.apply(&[json!({ "seq": 14, "case": "q", "household": "Cn1", "cancel": true })]);
    assert_eq!((world.find("Cn1"), world.snapshot().rows(0)), (None, rows));
    // Who left may come again.
    let applied = world.apply(&[newcomer(15, "n2", &region, &nobody(1))]);
    assert_eq!(applied.placed[0].household, "Cn2");
}

#[test]
fn decisions_of_one_list_see_each_other_and_are_one_commit() {
    let world = World::new(1_000, 5);
    let (one, two) = (world.with_members(2, 0), world.with_members(2, 1));
    let mover = number(&one, 1);
    let version = world.snapshot().version();
    // Given in any order, applied in that of the numbers.
    let applied = world.apply(&[
        json!({ "seq": 3, "case": "b", "household": two.key,
            "persons": [{ "id_number": mover, "values": { "relation": "80" } }] }),
        json!({ "seq": 2, "case": "a", "household": one.key,
            "persons": [{ "id_number": mover, "remove": true }] }),
    ]);
    assert_eq!(applied.version, version + 1);
    let found = find_person(&world.snapshot(), &world.db, &mover).unwrap().unwrap();
    assert_eq!((found.household, &found.person), (two.key.clone(), &one.persons[1].key));
    assert_eq!(world.household(&one.key).persons.len(), one.persons.len() - 1);
}

#[test]
fn a_decision_counts_once() {
    let world = World::new(1_000, 6);
    let key = world.keys[3].clone();
    let decide = |seq: u64, income: i64| {
        let values = json!({ "income": income });
        json!({ "seq": seq, "case": "x", "household": key, "household_values": values })
    };
    let first = world.apply(&[decide(5, 100), decide(7, 200)]);
    let again = world.try_apply(&[decide(5, 300), decide(6, 400), decide(7, 500)]);
    assert_eq!((again.applied, again.skipped, again.version), (0, 3, first.version));
    let more = world.try_apply(&[decide(7, 600), decide(8, 700), decide(8, 800)]);
    assert_eq!((more.applied, more.skipped, more.version), (1, 2, first.version + 1));
    assert_eq!(world.household(&key).values["income"], json!(700));
    assert_eq!(world.snapshot().notes()["casework.applied"], "8");
}

#[test]
fn aid_begins_changes_and_ends() {
    let world = World::new(2_000, 7);
    let old = world.with_members(1, 9);
    let decide = |seq: u64, aid: Value, end: Value| {
        json!({ "seq": seq, "case": "aid", "household": old.key,
            "persons": [{ "id_number": number(&old, 0), "aid": aid, "end_aid": end }] })
    };
    let spell = |start: &str, end: Value, amount: i64| {
        let spell = json!({ "kind": "41", "start": start, "end": end, "amount": amount });
        json!([spell])
    };
    let temporary = |world: &World| {
        let person = world.household(&old.key).persons[0].clone();
        let aid = person.aid.iter().filter(|aid| aid["kind"] == "41");
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("").to_owned();
        aid.map(|aid| (text(aid.get("start")), text(aid.get("end")), aid["amount"].clone()))
            .collect::<Vec<_>>()
    };
    world.apply(&[decide(1, spell("2026-11-01", Value::Null, 10), json!([]))]);
    world.apply(&[decide(2, spell("2026-12-01", json!("2026-12-31"), 20), json!([]))]);
    world.apply(&[decide(3, spell("2026-11-01", Value::Null, 30), json!([]))]);
    let expect = |end: &str| {
        vec![
            ("2026-11-01".to_owned(), end.to_owned(), json!(30)),
            ("2026-12-01".to_owned(), "2026-12-31".to_owned(), json!(20)),
        ]
    };
    assert_eq!(temporary(&world), expect(""));
    world.apply(&[decide(4, json!([]), json!([{ "kind": "41", "end": "2026-11-30" }]))]);
    assert_eq!(temporary(&world), expect("2026-11-30"));
    // Ended once, it is not ended later.
    world.apply(&[decide(5, json!([]), json!([{ "kind": "41", "end": "2026-12-31" }]))]);
    assert_eq!(temporary(&world), expect("2026-11-30"));
    let keys: Vec<_> = world.household(&old.key).persons[0]
        .aid
        .iter()
        .map(|aid| aid["aid_id"].to_string())
        .collect();
    let mut unique = keys.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), keys.len());
}

#[test]
fn a_warning_is_one_row_that_changes() {
    let world = World::new(1_000, 8);
    let key = &world.keys[7];
    world.apply(&[warning(1, key, "W1", "1"), warning(2, key, "W2", "1")]);
    world.apply(&[warning(3, key, "W1", "3")]);
    let rows = world.household(key).warnings;
    let seen: Vec<_> = rows.iter().map(|row| (&row["warning_id"], &row["status"])).collect();
    assert_eq!(seen, [(&json!("W1"), &json!("3")), (&json!("W2"), &json!("1"))]);
    assert_eq!(rows[0]["closed_on"], "2026-11-20");
    // Opened again it is not closed; what is not said stays.
    let open = json!({ "id": "W1", "status": "2" });
    let open = json!({ "seq": 4, "case": "w", "household": key, "warning": open });
    world.apply(&[open]);
    let row = &world.household(key).warnings[0];
    assert_eq!(
        (row.get("closed_on"), &row["rule"], &row["status"]),
        (None, &json!("a07"), &json!("2"))
    );
}

#[test]
fn sources_say_of_when_they_speak() {
    let world = World::new(1_000, 9);
    let sources = sources(&world.snapshot());
    let day = |contract: &str| {
        let found = sources.iter().find(|source| source.contract == contract).unwrap();
        (found.last_day.map(calendar::date_text).unwrap(), found.files)
    };
    assert_eq!(sources.len(), 14);
    assert_eq!(day("civil_affairs.payments"), ("2026-10-31".to_owned(), 1));
    assert_eq!(day("health.events"), ("2026-10-31".to_owned(), 1));
}
