//! Changes of what is registered.

use serde_json::{Value, json};
use yiku_casework::case::{Kind, Role};
use yiku_casework::machine;

use super::registry;
use crate::answers::{HEAD_ID, SON_ID, SPOUSE_ID, evidence, family, input};
use crate::sample::{Walk, actor, monday, open_as};

/// A submitted change of the address, and of what the test changes besides.
fn submitted(change: impl Fn(&mut Value)) -> Walk {
    let mut walk = Walk::open(Kind::Change, "");
    let mut answers = family();
    answers["family"]["address"] = json!("东村3号");
    change(&mut answers);
    walk.give(&actor(Role::Citizen), "submit", &json!({"answers": answers})).unwrap();
    walk
}

/// The registry has something else now than when the change was begun.
fn moved(walk: &mut Walk, change: impl Fn(&mut Value)) {
    let mut current = family();
    change(&mut current);
    walk.evidence.current = Some(current);
}

#[test]
fn only_a_registered_household_can_be_changed() {
    let citizen = actor(Role::Citizen);
    let mut given = input(Kind::Change, "begin", "");
    // What the caller did not find cannot be claimed.
    given["household"] = json!("H1");
    let found = open_as(Kind::Change, &citizen, &given, monday(), &evidence());
    assert_eq!(found.unwrap_err().ground, "household.unknown");
    let walk = Walk::open(Kind::Change, "");
    assert_eq!(walk.case.household.as_deref(), Some("H1"));
    assert_eq!((&walk.case.answers, &walk.case.facts["base"]), (&family(), &family()));
}

#[test]
fn a_change_of_nothing_is_not_submitted() {
    let mut walk = Walk::open(Kind::Change, "");
    assert_eq!(walk.refused(Role::Citizen, "submit", &json!({})), "change.nothing");
    let mut answers = family();
    answers["change"] = json!({"reason": "moved"});
    let given = json!({"answers": answers});
    assert_eq!(walk.refused(Role::Citizen, "submit", &given), "change.nothing");
}

#[test]
fn a_conflict_is_settled_field_by_field() {
    let mut walk = submitted(|answers| answers["members"][1]["employment"] = json!("5"));
    moved(&mut walk, |now| {
        now["family"]["address"] = json!("镇上8号");
        now["members"][1]["employment"] = json!("4");
        // Only the registry changed this one: no conflict.
        now["family"]["cause"] = json!("2");
        // A member is found by the number, not by the place.
        now["members"].as_array_mut().unwrap().reverse();
    });
    let current = walk.evidence.current.clone().unwrap();
    let conflicts = machine::conflicts(&walk.case, &current);
    let paths: Vec<&str> = conflicts.iter().map(|conflict| conflict.path.as_str()).collect();
    assert_eq!(paths, ["family.address", "members[1].employment"]);
    assert_eq!(conflicts[0].base, "西村12号");
    let township = actor(Role::Township);
    for (choices, field) in [
        (json!(null), "family.address"),
        (json!({"family.address": "declared"}), "members[1].employment"),
        (json!({"family.address": "both", "members[1].employment": "declared"}), "family.address"),
    ] {
        let refusal = walk.give(&township, "agree", &json!({"choices": choices})).unwrap_err();
        assert_eq!((refusal.ground, refusal.field.as_deref()), ("change.conflict", Some(field)));
    }
    let choices = json!({"family.address": "declared", "members[1].employment": "registered"});
    let decision = walk.give(&township, "agree", &json!({"choices": choices})).unwrap();
    let body = registry(&decision);
    assert_eq!(body["household"], "H1");
    assert_eq!(body["household_values"]["address"], "东村3号");
    assert_eq!(body["household_values"]["cause"], "2", "the registry's newer value stays");
    assert_eq!(body["persons"][1]["values"]["employment"], "4");
    assert_eq!(walk.case.answers["members"][1]["employment"], "4");
    assert!(body["household_values"].get("discovered_by").is_none());
}

#[test]
fn both_saying_the_same_is_no_conflict() {
    let mut walk = submitted(|_| {});
    moved(&mut walk, |now| now["family"]["address"] = json!("东村3号"));
    assert!(walk.give(&actor(Role::County), "agree", &json!({})).is_ok());
}

#[test]
fn who_is_no_longer_named_leaves_and_who_came_meanwhile_stays() {
    let mut walk = submitted(|answers| drop(answers["members"].as_array_mut().unwrap().remove(2)));
    moved(&mut walk, |now| {
        let born = json!({"name": "张新", "id_number": "99900120260101001X", "relation": "30"});
        now["members"].as_array_mut().unwrap().push(born);
    });
    let decision = walk.give(&actor(Role::County), "agree", &json!({})).unwrap();
    let persons = registry(&decision)["persons"].as_array().unwrap().clone();
    let told: Vec<(&str, bool)> = persons
        .iter()
        .map(|person| (person["id_number"].as_str().unwrap(), person["remove"] == true))
        .collect();
    assert_eq!(told, [(HEAD_ID, false), (SPOUSE_ID, false), (SON_ID, true)]);
}

#[test]
fn a_household_is_struck_off_with_a_reason() {
    let mut walk = Walk::open(Kind::Change, "cancel");
    assert_eq!(walk.refused(Role::Citizen, "submit", &json!({})), "input.missing");
    walk.give(&actor(Role::Citizen), "submit", &json!({"reason": "不再需要"})).unwrap();
    let decision = walk.give(&actor(Role::County), "agree", &json!({})).unwrap();
    let body = registry(&decision);
    assert_eq!((&body["cancel"], &body["household"]), (&json!(true), &json!("H1")));
    assert_eq!(body["persons"], json!([]));
}
