//! Decisions that are wrong: each is told, changes nothing, and keeps no other from being applied.

use serde_json::{Value, json};
use yiku_indexer::{Decision, HouseholdRecord, apply_decisions};

use crate::world::{World, everything, newcomer, nobody, number};

/// Decisions about a household and a member of it that are wrong, and what is told.
fn about_rows(one: &HouseholdRecord, two: &HouseholdRecord) -> Vec<(Value, &'static str)> {
    let me = number(one, 0);
    let of = |values| json!({ "case": "x", "household": one.key, "household_values": values });
    let person = |change| json!({ "case": "x", "household": one.key, "persons": [change] });
    vec![
        (of(json!({ "colour": "red" })), "household_values.colour: `household` has no such column"),
        (of(json!({ "household_id": "H1" })), "a key cannot be decided"),
        (
            of(json!({ "income": "much" })),
            "household_values.income: `much` is not a whole number of fen",
        ),
        (of(json!({ "region": "990000000000" })), "is not the code of a place in the tree"),
        (of(json!({ "region": null })), "needs a place"),
        (of(json!({ "cause": "77" })), "not a code of the list `cause`"),
        (person(json!({ "id_number": "123" })), "persons[0].id_number: not an ID number"),
        (
            person(json!({ "id_number": nobody(1), "remove": true })),
            "persons[0]: is not in this household",
        ),
        (
            person(json!({ "id_number": number(two, 0), "aid": [{ "kind": "0", "start": "x" }] })),
            "persons[0].aid[0].kind",
        ),
        (
            person(json!({ "id_number": me, "values": { "id_number": me } })),
            "a key cannot be decided",
        ),
        (
            person(json!({ "id_number": me, "values": { "birth_date": "1990-02-30" } })),
            "not a day such as",
        ),
    ]
}

/// Decisions about aid, warnings and whole households that are wrong, and what is told.
fn about_more(one: &HouseholdRecord) -> Vec<(Value, &'static str)> {
    let me = number(one, 0);
    let person = |change| json!({ "case": "x", "household": one.key, "persons": [change] });
    let aid = |spell| person(json!({ "id_number": me, "aid": [spell] }));
    let warning = |warning| json!({ "case": "x", "household": one.key, "warning": warning });
    vec![
        (
            aid(json!({ "kind": "99", "start": "2026-11-01" })),
            "persons[0].aid[0].kind: `99` is not a code",
        ),
        (aid(json!({ "kind": "12", "start": "soon" })), "persons[0].aid[0].start"),
        (
            aid(json!({ "kind": "12", "start": "2026-11-01", "end": "2026-10-01" })),
            "ends before it begins",
        ),
        (aid(json!({ "kind": "12", "start": "2026-11-01", "amount": -1 })), "less than nothing"),
        (
            person(json!({ "id_number": me, "end_aid": [{ "kind": "61", "end": "2026-11-01" }] })),
            "no aid of kind `61` stands",
        ),
        (warning(json!({ "id": "W1", "level": "1" })), "warning.rule: a new warning needs it"),
        (warning(json!({ "id": "", "level": "1" })), "warning.id"),
        (
            warning(json!({ "id": "W1", "rule": "a", "level": "9" })),
            "warning.level: `9` is not a code of the list `warning_level`",
        ),
        (
            json!({ "case": "x", "household": "H-none" }),
            "household: `H-none` is not in the registry",
        ),
        (json!({ "case": "x", "cancel": true }), "cancel: there is no such household"),
        (json!({ "case": "x", "head": "1" }), "head: not an ID number"),
        (
            json!({ "case": "x", "persons": [{ "id_number": nobody(1) }] }),
            "a new household needs a place",
        ),
        (json!({ "case": "x", "household_values": { "region": one.region } }), "needs a member"),
        (
            json!({ "case": "", "persons": [{ "id_number": nobody(1) }] }),
            "takes its key from the case",
        ),
    ]
}

#[test]
fn what_is_wrong_is_told_and_changes_nothing() {
    let world = World::new(1_000, 11);
    let (one, two) = (world.with_members(2, 0), world.with_members(2, 1));
    let before = everything(&world.snapshot());
    let cases = about_rows(&one, &two).into_iter().chain(about_more(&one));
    let me = number(&one, 0);
    for (seq, (mut decision, expected)) in (1u64..).zip(cases) {
        decision["seq"] = json!(seq);
        let reason = world.refused(&decision);
        assert!(reason.contains(expected), "{decision}: {reason}");
        assert!(!reason.contains(&me) && !reason.contains(&number(&two, 0)), "{reason}");
    }
    assert!(everything(&world.snapshot()) == before);
}

#[test]
fn a_wrong_decision_among_good_ones_is_passed_over_for_ever() {
    let world = World::new(1_000, 12);
    let region = world.household(&world.keys[5]).region;
    let list = [
        newcomer(1, "a", &region, &nobody(1)),
        newcomer(2, "b", "000000000000", &nobody(2)),
        newcomer(3, "c", &region, &nobody(3)),
        json!({ "seq": 4, "case": "d", "household": "none" }),
    ];
    let first = world.try_apply(&list);
    assert_eq!((first.applied, first.skipped), (2, 0));
    let told: Vec<_> = first.rejected.iter().map(|r| (r.seq, r.case.as_str())).collect();
    assert_eq!(told, [(2, "b"), (4, "d")]);
    assert!(world.find("Ca").is_some() && world.find("Cb").is_none() && world.find("Cc").is_some());
    // Whoever asks again is told the same.
    let again = world.try_apply(&list);
    assert_eq!((again.applied, again.skipped), (0, 4));
    assert_eq!((again.rejected, again.version), (first.rejected, first.version));
}

#[test]
fn json_that_is_no_decision_is_no_decision() {
    for (text, expected) in [
        (r#"{"case": "x"}"#, "missing field `seq`"),
        (r#"{"seq": 1, "case": "x", "houshold": "H1"}"#, "unknown field `houshold`"),
        (r#"{"seq": -1, "case": "x"}"#, "invalid value"),
        (r#"{"seq": 1, "case": "x", "persons": [{"values": {}}]}"#, "missing field `id_number`"),
    ] {
        let error = serde_json::from_str::<Decision>(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_database_that_cannot_take_decisions_says_so() {
    let world = World::new(1_000, 13);
    let decide = |seq: u64| {
        let decision = json!({ "seq": seq, "case": "x", "household": world.keys[0] });
        [crate::world::decision(&decision)]
    };
    let told = |seq| {
        let error = apply_decisions(&world.db, &decide(seq)).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", source.unwrap_or_default())
    };
    let writer = yiku::Database::open(&world.db).unwrap().writer().unwrap();
    assert!(told(1).contains("is being written by another process"));
    drop(writer);
    apply_decisions(&world.db, &decide(1)).unwrap();
    // What counts of the kept decisions is cut.
    let path = world.db.join("cases/decisions.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    assert!(told(2).contains("it is shorter than"), "{}", told(2));
    // What lies behind them is not looked at.
    std::fs::write(&path, format!("{text}rubbish")).unwrap();
    apply_decisions(&world.db, &decide(2)).unwrap();
    assert!(!std::fs::read_to_string(&path).unwrap().contains("rubbish"));
    let key = world.db.join("loads/surrogate.key");
    std::fs::remove_file(key).unwrap();
    assert!(told(3).contains("surrogate.key"));
    assert!(apply_decisions(&world.files, &decide(4)).is_err());
}
