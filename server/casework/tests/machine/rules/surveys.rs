//! Surveys and life checks.

use serde_json::{Value, json};
use yiku_casework::case::{Effect, Kind, Role};
use yiku_casework::machine;

use crate::answers::{PHOTO, SOUND, family, input};
use crate::sample::{Walk, actor};

#[test]
fn a_changed_value_keeps_the_old_one_and_a_reason() {
    let mut walk = Walk::open(Kind::Survey, "");
    let mut answers = family();
    answers["housing"]["housing_grade"] = json!("D");
    answers["housing"]["area_m2"] = json!(40);
    let given = json!({"answers": answers});
    let refusal = walk.give(&actor(Role::Village), "save", &given).unwrap_err();
    let path = "housing.housing_grade";
    assert_eq!((refusal.ground, refusal.field.as_deref()), ("survey.reason_missing", Some(path)));
    let given = json!({"answers": answers, "reasons": {path: "墙体开裂"}});
    walk.give(&actor(Role::Village), "save", &given).unwrap();
    let changes = walk.case.facts["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "what was not filled in before needs no reason");
    assert_eq!((&changes[0]["old"], &changes[0]["new"]), (&json!("C"), &json!("D")));
    assert_eq!(changes[0]["reason"], "墙体开裂");
    // Saved again it is no new change; put back, it is one that needs no reason.
    walk.give(&actor(Role::Village), "save", &json!({"answers": answers})).unwrap();
    assert_eq!(walk.case.facts["changes"].as_array().unwrap().len(), 1);
    walk.give(&actor(Role::Township), "save", &json!({"answers": family()})).unwrap();
    assert_eq!(walk.case.facts["changes"][1]["new"], "C");
    // A value taken away is a change too.
    answers["housing"] = json!({});
    let found = walk.give(&actor(Role::Village), "save", &json!({"answers": answers}));
    assert_eq!(found.unwrap_err().ground, "survey.reason_missing");
}

#[test]
fn a_survey_is_planned_for_a_case_that_there_is() {
    use crate::answers::evidence;
    use crate::sample::{monday, open_as};
    let mut found = evidence();
    found.linked = vec![("A9".to_owned(), Kind::Application, "checked".to_owned())];
    let ground = |role: Role, case: &str| {
        let given = json!({"purpose": "application", "case": case});
        let opened = open_as(Kind::Survey, &actor(role), &given, monday(), &found);
        opened.map_or_else(|refusal| refusal.ground, |_| "planned")
    };
    assert_eq!(ground(Role::Township, "A9"), "planned");
    assert_eq!(ground(Role::Township, "A8"), "case.unknown");
    assert_eq!(ground(Role::System, "A8"), "planned");
}

#[test]
fn two_different_investigators_sign_with_the_household_and_a_photo() {
    let mut walk = Walk::open(Kind::Survey, "");
    walk.go("save");
    let good = input(Kind::Survey, "complete", "");
    let one = |name: &str, signature: &str| json!({"name": name, "signature": signature});
    let cases: [(&str, Value, &str); 9] = [
        ("investigators", json!(null), "survey.two_investigators"),
        ("investigators", json!([]), "survey.two_investigators"),
        ("investigators", json!([one("赵一", "s1")]), "survey.two_investigators"),
        (
            "investigators",
            json!([one("赵一", "s1"), one(" 赵一 ", "s2")]),
            "survey.two_investigators",
        ),
        ("investigators", json!([one("赵一", "s1"), one("钱二", " ")]), "survey.signature_missing"),
        ("household_signature", json!(null), "survey.signature_missing"),
        ("photos", json!([]), "survey.photo_missing"),
        ("photos", json!([SOUND, "not held"]), "survey.photo_missing"),
        ("conclusion", json!(""), "input.missing"),
    ];
    for (place, value, ground) in cases {
        let mut given = good.clone();
        given[place] = value;
        let refusal = walk.give(&actor(Role::Village), "complete", &given).unwrap_err();
        assert_eq!((refusal.ground, refusal.field.as_deref()), (ground, Some(place)));
    }
    walk.evidence.faults = vec![("visit.visited_on".into(), "x".into(), "x".into())];
    assert_eq!(walk.refused(Role::Village, "complete", &good), "form.incomplete");
    walk.evidence.faults.clear();
    walk.go("complete");
    assert_eq!(walk.case.facts["conclusion"], "agrees");
    assert_eq!(walk.case.attachments, [PHOTO]);
    assert_eq!(walk.case.links, ["A9"]);
}

#[test]
fn a_recording_that_does_not_convince_makes_a_visit_and_ends_nothing() {
    for (score, reference, why) in [(0.2, true, "unlike"), (0.9, false, "no_reference")] {
        let mut walk = Walk::open(Kind::LifeCheck, "");
        let voice = walk.evidence.voice.as_mut().unwrap();
        (voice["score"], voice["reference"]) = (json!(score), json!(reference));
        let given = input(Kind::LifeCheck, "record", "");
        let decision = walk.give(&actor(Role::Citizen), "record", &given).unwrap();
        assert_eq!(
            (walk.case.state.as_str(), &walk.case.facts["visit_because"]),
            ("visit_due", &json!(why))
        );
        let [Effect::Open { kind, region, input }] = &decision.effects[..] else {
            panic!("{:?}", decision.effects)
        };
        assert_eq!((*kind, region.as_str()), (Kind::Survey, "141128101203"));
        assert_eq!(input, &json!({"purpose": "life_check", "case": "X1"}));
        for outcome in ["alive", "deceased", "not_found"] {
            let mut walk = walk.clone();
            let given = crate::answers::input(Kind::LifeCheck, "visit_result", outcome);
            let decision = walk.give(&actor(Role::Village), "visit_result", &given).unwrap();
            assert_eq!(decision.effects, [], "{outcome}");
        }
    }
}

#[test]
fn a_recording_is_in_time_there_and_clear() {
    let mut walk = Walk::open(Kind::LifeCheck, "");
    let given = input(Kind::LifeCheck, "record", "");
    for quality in [json!(9.9), json!(null), json!("loud")] {
        walk.evidence.voice.as_mut().unwrap()["quality"] = quality;
        assert_eq!(walk.refused(Role::Citizen, "record", &given), "life_check.quality");
    }
    walk.evidence.voice.as_mut().unwrap()["quality"] = json!(10.0);
    let photo = json!({"recording": PHOTO});
    assert_eq!(walk.refused(Role::Citizen, "record", &photo), "life_check.no_recording");
    let voice = walk.evidence.voice.take();
    assert_eq!(walk.refused(Role::Citizen, "record", &given), "life_check.no_recording");
    walk.evidence.voice = voice;
    let opened = walk.now;
    walk.now = opened.checked_add(jiff::SignedDuration::from_secs(301)).unwrap();
    assert_eq!(walk.refused(Role::Citizen, "record", &given), "life_check.expired");
    walk.now = opened.checked_add(jiff::SignedDuration::from_secs(300)).unwrap();
    assert!(walk.give(&actor(Role::Citizen), "record", &given).is_ok());
    assert_eq!(walk.case.state, "passed");
}

#[test]
fn the_digits_are_six() {
    use crate::answers::evidence;
    use crate::sample::{context, monday, open_as};
    let nobody = machine::open(
        Kind::LifeCheck,
        &actor(Role::Village),
        "141128101203",
        None,
        &json!({"digits": "402817"}),
        &context(monday(), evidence()),
    );
    assert_eq!(nobody.unwrap_err().ground, "owner.missing");
    for digits in [json!(null), json!("12345"), json!("1234567"), json!("12345a"), json!(123_456)] {
        let given = json!({"digits": digits});
        let found = open_as(Kind::LifeCheck, &actor(Role::Citizen), &given, monday(), &evidence());
        assert_eq!(found.unwrap_err().ground, "input.wrong", "{given}");
    }
}
