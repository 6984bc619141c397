//! Reports of the village, and declarations.

use serde_json::json;
use yiku_casework::case::{Effect, Kind, Role};

use super::registry;
use crate::answers::{HEAD_ID, input};
use crate::sample::{Walk, actor};

fn duplicates(walk: &mut Walk, found: &[(&str, &str)]) {
    let pairs = found.iter().map(|(kind, key)| ((*kind).to_owned(), (*key).to_owned()));
    walk.evidence.duplicates = pairs.collect();
}

#[test]
fn a_family_is_not_reported_twice() {
    let mut walk = Walk::open(Kind::Report, "");
    for found in [("report", "R7"), ("declaration", "D7"), ("household", "H1")] {
        duplicates(&mut walk, &[found]);
        assert_eq!(walk.refused(Role::Village, "submit", &json!({})), "report.duplicate");
    }
    // The report itself, and what does not report a family, are no duplicates.
    duplicates(&mut walk, &[("report", "X1"), ("application", "A7")]);
    assert!(walk.give(&actor(Role::Village), "submit", &json!({})).is_ok());
}

#[test]
fn a_registered_household_is_reported_on_by_its_key() {
    let mut walk = Walk::open(Kind::Report, "");
    duplicates(&mut walk, &[("household", "H1")]);
    let known = |key: &str| json!({"known": key});
    assert_eq!(walk.refused(Role::Village, "submit", &known("H2")), "report.duplicate");
    duplicates(&mut walk, &[("household", "H1"), ("report", "R7")]);
    assert_eq!(walk.refused(Role::Village, "submit", &known("H1")), "report.duplicate");
    duplicates(&mut walk, &[]);
    assert_eq!(walk.refused(Role::Village, "submit", &known("H1")), "household.unknown");
    duplicates(&mut walk, &[("household", "H1")]);
    walk.give(&actor(Role::Village), "submit", &known("H1")).unwrap();
    walk.go("pass");
    let decision = walk.give(&actor(Role::County), "agree", &json!({})).unwrap();
    let body = registry(&decision);
    assert_eq!(body["household"], "H1");
    assert!(body["household_values"].get("discovered_by").is_none(), "it was known before");
}

#[test]
fn an_agreed_report_is_a_new_household_of_the_registry() {
    let mut walk = Walk::open(Kind::Report, "");
    walk.go("submit pass");
    let decision = walk.give(&actor(Role::County), "agree", &json!({})).unwrap();
    let body = registry(&decision);
    assert_eq!((&body["household"], &body["head"]), (&json!(null), &json!(HEAD_ID)));
    assert_eq!(body["household_values"]["discovered_by"], "2");
    assert_eq!(body["household_values"]["discovered_on"], "2026-11-02");
    assert_eq!(body["persons"][0]["aid"], json!([]));
    assert_eq!(walk.case.household.as_deref(), Some("CX1"));
}

#[test]
fn a_place_is_written_by_who_answers_for_it() {
    let agreed = |place: &str, role: Role| {
        let mut walk = Walk::open(Kind::Declaration, "");
        walk.case.answers["family"]["region"] = json!(place);
        walk.go("submit");
        let decision = walk.give(&actor(role), "agree", &json!({}));
        decision.map(|decision| registry(&decision)["household_values"]["region"].clone())
    };
    let place = |place: &str, role: Role| agreed(place, role).unwrap();
    // Another village of the township, another township of the county, another county.
    assert_eq!(place("141128101204", Role::Township), "141128101204");
    let refusal = agreed("141128102001", Role::Township).unwrap_err();
    assert_eq!(
        (refusal.ground, refusal.field.as_deref()),
        ("scope.outside", Some("family.region"))
    );
    assert_eq!(place("141128102001", Role::County), "141128102001");
    assert_eq!(agreed("140105001001", Role::County).unwrap_err().ground, "scope.outside");
    // A county's code says less than the case.
    assert_eq!(place("141128", Role::Township), "141128101203");
    assert_eq!(place("x", Role::Township), "141128101203");
}

#[test]
fn what_is_returned_carries_marks_until_it_is_submitted_again() {
    for (kind, steps, role) in [
        (Kind::Declaration, "submit", Role::Township),
        (Kind::Report, "submit pass", Role::County),
        (Kind::Change, "submit", Role::County),
    ] {
        let mut walk = Walk::open(kind, "");
        walk.go(steps);
        let given = input(kind, "return", "");
        walk.give(&actor(role), "return", &given).unwrap();
        assert_eq!(walk.case.marks[0].path, "members[0].monthly_income");
        assert_eq!(walk.events.last().unwrap().body["note"], "请核对收入");
        walk.go("save");
        assert_eq!(walk.case.marks.len(), 1, "marks stay while it is corrected");
        walk.go("submit");
        assert_eq!(walk.case.marks, []);
    }
}

#[test]
fn a_rejected_declaration_tells_the_registry_nothing() {
    let mut walk = Walk::open(Kind::Declaration, "");
    walk.go("submit");
    let given = input(Kind::Declaration, "reject", "");
    let decision = walk.give(&actor(Role::County), "reject", &given).unwrap();
    assert_eq!(decision.effects, [] as [Effect; 0]);
    assert_eq!(walk.case.facts["ground"], "income_over");
}

#[test]
fn a_declaration_needs_the_authorisation_of_whom_it_is_about() {
    let mut walk = Walk::open(Kind::Declaration, "");
    walk.evidence.authorised.clear();
    assert_eq!(walk.refused(Role::Citizen, "submit", &json!({})), "authorisation.missing");
    assert_eq!(walk.refused(Role::Village, "submit", &json!({})), "owner.wrong");
}
