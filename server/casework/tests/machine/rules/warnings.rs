//! Warnings.

use serde_json::{Value, json};
use yiku_casework::case::{Effect, Kind, Role};
use yiku_casework::machine;

use super::registry;
use crate::answers::{PHOTO, evidence, input};
use crate::sample::{REGION, Walk, actor, context, monday, way};

#[test]
fn a_warning_keeps_what_it_comes_from() {
    let context = context(monday(), evidence());
    let given = input(Kind::Warning, "raise", "");
    let system = actor(Role::System);
    let (mut case, mut decision) =
        machine::open(Kind::Warning, &system, REGION, None, &given, &context).unwrap();
    machine::identify(&mut case, &mut decision, "W1");
    let states: Vec<&str> = decision.events.iter().map(|event| event.state.as_str()).collect();
    assert_eq!(states, ["generated", "assessed", "dispatched"]);
    for name in ["rule", "group", "period", "reasons", "snapshot", "load"] {
        assert_eq!(case.facts[name], given[name], "{name}");
    }
    assert_eq!((case.level.as_deref(), case.household.as_deref()), (Some("red"), Some("H1")));
    let body = registry(&decision);
    let row = json!({
        "id": "W1", "rule": "A07", "level": "1", "raised_on": "2026-11-02", "status": "1",
        "closed_on": null,
    });
    assert_eq!((&body["warning"], &body["household"]), (&row, &json!("H1")));
    for (name, value, ground) in [
        ("reasons", json!([]), "warning.no_reason"),
        ("snapshot", json!("newest"), "input.wrong"),
        ("level", json!("green"), "input.wrong"),
        ("household", json!(""), "input.missing"),
    ] {
        let mut given = given.clone();
        given[name] = value;
        let found = machine::open(Kind::Warning, &system, REGION, None, &given, &context);
        assert_eq!(found.unwrap_err().ground, ground, "{name}");
    }
}

#[test]
fn every_change_of_state_is_told_to_the_registry() {
    let mut walk = Walk::open(Kind::Warning, "orange");
    let way = [
        (Role::Village, "send_back", "1"),
        (Role::Township, "dispatch", "1"),
        (Role::Village, "sign", "2"),
        (Role::Village, "visit", "2"),
        (Role::Village, "verify", "2"),
        (Role::Township, "measure", "2"),
        (Role::Department, "reply", ""),
        (Role::Township, "finish", "2"),
        (Role::Township, "submit", "2"),
        (Role::County, "close", "3"),
        (Role::City, "reopen", "2"),
        (Role::Village, "verify", "2"),
        (Role::Township, "measure", "2"),
        (Role::Department, "reply", ""),
        (Role::Township, "finish", "2"),
        (Role::Township, "submit", "2"),
        (Role::County, "close", "3"),
        (Role::County, "archive", "3"),
    ];
    for (role, command, status) in way {
        let before = walk.case.state.clone();
        let given = input(Kind::Warning, command, "");
        let decision = walk.give(&actor(role), command, &given).unwrap();
        if before == walk.case.state {
            assert_eq!(decision.effects, [], "{command}");
            continue;
        }
        let row = &registry(&decision)["warning"];
        assert_eq!((&row["status"], &row["level"]), (&json!(status), &json!("2")), "{command}");
        assert_eq!(row["closed_on"].is_string(), status == "3", "{command}");
        assert_eq!(row["raised_on"], "2026-11-02");
    }
}

#[test]
fn it_is_dispatched_only_within_the_own_region() {
    let mut walk = way(Kind::Warning, "assessed", "dispatch", Role::Township);
    let to = |region: &str| json!({"region": region});
    assert_eq!(walk.refused(Role::Township, "dispatch", &to("141128102001")), "scope.outside");
    let refused = walk.refused(Role::County, "dispatch", &to("141129101001"));
    assert_eq!(refused, "scope.outside");
    walk.give(&actor(Role::County), "dispatch", &to("141128102001")).unwrap();
    assert_eq!(walk.case.region, "141128102001");
    // It is out of the first village's sight.
    assert_eq!(walk.refused(Role::Village, "sign", &json!({})), "scope.outside");
}

#[test]
fn what_is_verified_is_shown() {
    let mut walk = way(Kind::Warning, "investigating", "verify", Role::Village);
    let bare = json!({"outcome": "false"});
    assert_eq!(walk.refused(Role::Village, "verify", &bare), "warning.note_missing");
    let not_held = json!({"outcome": "false", "photos": ["zz"]});
    assert_eq!(walk.refused(Role::Village, "verify", &not_held), "warning.note_missing");
    let helped = json!({"outcome": "helped", "note": "有"});
    assert_eq!(walk.refused(Role::Village, "verify", &helped), "warning.measure_missing");
    let survey = json!({"outcome": "needs_help", "survey": "S2"});
    assert_eq!(walk.refused(Role::Village, "verify", &survey), "case.other");
    walk.go("link=S1 link=S2");
    assert_eq!(walk.refused(Role::Village, "verify", &survey), "survey.incomplete");
    let photo = json!({"outcome": "false", "photos": [PHOTO], "survey": "S1"});
    walk.give(&actor(Role::Village), "verify", &photo).unwrap();
    assert_eq!((&walk.case.attachments[0][..], &walk.case.facts["survey"]), (PHOTO, &json!("S1")));
}

#[test]
fn nobody_is_out_of_reach_before_three_days_of_trying() {
    let mut walk = way(Kind::Warning, "investigating", "attempt", Role::Village);
    let given = json!({"outcome": "unreachable"});
    for (steps, ground) in [
        ("", "warning.attempts_few"),
        ("attempt attempt attempt", "warning.attempts_few"),
        ("+1 attempt", "warning.attempts_few"),
    ] {
        walk.go(steps);
        assert_eq!(walk.refused(Role::Village, "verify", &given), ground, "{steps}");
    }
    walk.go("+1 attempt");
    let decision = walk.give(&actor(Role::Village), "verify", &given).unwrap();
    assert_eq!((walk.case.state.as_str(), decision.effects.len()), ("investigating", 0));
    assert_eq!(walk.case.facts["told"], "county");
}

#[test]
fn measures_follow_a_need_and_transfers_are_answered() {
    let mut walk = Walk::open(Kind::Warning, "");
    walk.go("sign visit verify=false");
    let measure = json!({"code": "temporary"});
    assert_eq!(walk.refused(Role::Township, "measure", &measure), "warning.outcome_wrong");

    let mut walk = Walk::open(Kind::Warning, "");
    walk.go("sign visit verify");
    assert_eq!(walk.refused(Role::Township, "finish", &json!({})), "warning.measure_missing");
    walk.go("measure");
    assert_eq!(walk.case.facts["measures"][0]["department"], "medical_insurance");
    assert_eq!(walk.refused(Role::Township, "finish", &json!({})), "warning.transfer_open");
    let mut other = actor(Role::Department);
    other.department = Some("housing".to_owned());
    let accept = json!({"answer": "accept"});
    assert_eq!(walk.give(&other, "reply", &accept).unwrap_err().ground, "department.wrong");
    assert!(machine::allowed(&walk.case, &other).is_empty());
    let bare = json!({"answer": "decline"});
    assert_eq!(walk.refused(Role::Department, "reply", &bare), "input.missing");
    walk.go("reply=decline");
    assert_eq!(walk.refused(Role::Department, "reply", &accept), "transfer.answered");
    assert_eq!(walk.refused(Role::Township, "finish", &json!({})), "warning.transfer_declined");
    walk.go("measure=temporary finish");
    assert_eq!(walk.case.state, "feedback");
}

#[test]
fn a_measure_after_a_declined_transfer_is_enough() {
    // The second is declined when a third already stands.
    let mut walk = Walk::open(Kind::Warning, "");
    walk.go("sign visit verify measure measure=transfer_housing measure=temporary reply");
    let mut housing = actor(Role::Department);
    housing.department = Some("housing".to_owned());
    let decline = json!({"answer": "decline", "reason": "不符合条件"});
    walk.give(&housing, "reply", &decline).unwrap();
    assert_eq!(walk.refused(Role::Township, "finish", &json!({})), "nothing");
}

#[test]
fn nothing_is_closed_without_a_result() {
    let walk = way(Kind::Warning, "review", "close", Role::County);
    let ground = |given: Value| walk.clone().refused(Role::County, "close", &given);
    assert_eq!(ground(json!({})), "warning.no_result");
    assert_eq!(ground(json!({"result": "solved"})), "input.wrong");
    assert_eq!(ground(json!({"result": "none"})), "input.missing");
    assert_eq!(ground(json!({"result": "false_alarm"})), "input.missing");
    assert_eq!(ground(json!({"result": "watch"})), "input.missing");
    assert_eq!(ground(json!({"result": "watch", "watch_until": "2026-11-02"})), "input.missing");
    assert_eq!(ground(json!({"result": "watch", "watch_until": "soon"})), "input.wrong");
    assert_eq!(ground(json!({"result": "watch", "watch_until": "2027-01-31"})), "nothing");
    assert_eq!(ground(json!({"result": "correct"})), "nothing");
}

#[test]
fn taken_into_aid_needs_a_confirmed_application() {
    for result in ["dibao", "tekun", "dibao_edge", "rigid", "single_dibao", "temporary"] {
        let mut walk = way(Kind::Warning, "review", "close", Role::County);
        let given = json!({"result": result, "application": "A1"});
        for (kind, state) in [
            (Kind::Application, "posted"),
            (Kind::Application, "refused"),
            (Kind::Survey, "confirmed"),
        ] {
            walk.evidence.linked = vec![("A1".to_owned(), kind, state.to_owned())];
            assert_eq!(
                walk.refused(Role::County, "close", &given),
                "warning.unconfirmed",
                "{result}"
            );
        }
        walk.evidence.linked = vec![("A1".to_owned(), Kind::Application, "paying".to_owned())];
        let other = json!({"result": result, "application": "A2"});
        assert_eq!(walk.refused(Role::County, "close", &other), "warning.unconfirmed");
        walk.give(&actor(Role::County), "close", &given).unwrap();
        assert_eq!(walk.case.links, ["A1"]);
    }
}

#[test]
fn sent_again_it_begins_anew_and_keeps_what_was() {
    let mut walk = way(Kind::Warning, "review", "send_again", Role::County);
    walk.go("+3 send_again");
    assert_eq!(walk.case.state, "investigating");
    assert!(walk.case.facts.get("outcome").is_none());
    assert_eq!(walk.case.facts["again"][0]["outcome"], "needs_help");
    // A red one is visited within three working days from then: Thursday to Tuesday.
    assert_eq!(walk.case.due_on.unwrap().to_string(), "2026-11-10");
}

#[test]
fn only_the_platform_links() {
    let mut walk = Walk::open(Kind::Warning, "");
    let given = json!({"case": "A1"});
    assert_eq!(walk.refused(Role::County, machine::LINK, &given), "role.wrong");
    assert_eq!(walk.refused(Role::System, machine::LINK, &json!({"case": 1})), "input.wrong");
    let decision = walk.give(&actor(Role::System), machine::LINK, &given).unwrap();
    assert_eq!(decision.effects, [] as [Effect; 0]);
    assert_eq!(
        (walk.case.state.as_str(), &walk.case.links[..]),
        ("dispatched", &["A1".to_owned()][..])
    );
}
