//! Applications and authorisations.

use serde_json::json;
use yiku_casework::case::{Effect, Kind, Role};
use yiku_casework::machine;

use super::registry;
use crate::answers::{HEAD_ID, SON_ID, SPOUSE_ID, input};
use crate::sample::{Walk, actor, open_as, way};

const TO_REVIEWED: &str = "submit accept check link=S1 record_survey review";

#[test]
fn submitting_needs_the_notice_a_complete_form_and_an_authorisation() {
    let mut walk = Walk::open(Kind::Application, "");
    walk.case.facts["notice_read"] = json!(false);
    assert_eq!(walk.refused(Role::Citizen, "submit", &json!({})), "application.notice_unread");
    let read = json!({"notice_read": true});
    let fault = ("members[1].id_number", "身份证号有误", "the ID number is wrong");
    walk.evidence.faults = vec![(fault.0.into(), fault.1.into(), fault.2.into())];
    let refusal = walk.give(&actor(Role::Citizen), "submit", &read).unwrap_err();
    assert_eq!((refusal.ground, refusal.field.as_deref()), ("form.incomplete", Some(fault.0)));
    assert!(refusal.zh.contains(fault.1) && refusal.en.contains(fault.2));
    walk.evidence.faults.clear();
    let authorised = std::mem::take(&mut walk.evidence.authorised);
    assert_eq!(walk.refused(Role::Citizen, "submit", &read), "authorisation.missing");
    // Somebody else's is not enough.
    walk.evidence.authorised = vec![authorised[1].clone()];
    assert_eq!(walk.refused(Role::Citizen, "submit", &read), "authorisation.missing");
    walk.evidence.authorised = authorised;
    assert!(walk.give(&actor(Role::Citizen), "submit", &read).is_ok());
}

#[test]
fn what_is_missing_is_named_once() {
    let mut walk = Walk::open(Kind::Application, "");
    walk.go("submit request_supplement supplement");
    let given = input(Kind::Application, "request_supplement", "");
    assert_eq!(
        walk.refused(Role::Township, "request_supplement", &given),
        "application.supplement_once"
    );
    let names = |walk: &Walk| -> Vec<&str> {
        machine::allowed(&walk.case, &actor(Role::Township))
            .iter()
            .map(|action| action.name)
            .collect()
    };
    assert!(!names(&walk).contains(&"request_supplement") && names(&walk).contains(&"accept"));
}

#[test]
fn the_kind_of_aid_follows_the_form_until_it_is_submitted() {
    let mut walk = Walk::open(Kind::Application, "");
    let mut answers = walk.case.answers.clone();
    assert_eq!(answers["aid"]["kind"], "dibao");
    answers["aid"]["kind"] = json!("rigid");
    let other = json!({"answers": answers});
    walk.give(&actor(Role::Citizen), "save", &other).unwrap();
    assert_eq!(walk.case.facts["aid"], "rigid");
    walk.go("submit request_supplement");
    answers["aid"]["kind"] = json!("dibao");
    let other = json!({"answers": answers});
    assert_eq!(walk.refused(Role::Citizen, "supplement", &other), "application.aid_changed");
}

#[test]
fn the_check_names_every_adult_without_an_authorisation() {
    let mut walk = Walk::open(Kind::Application, "");
    walk.go("submit accept");
    walk.evidence.authorised.truncate(1);
    let refusal = walk.give(&actor(Role::Township), "check", &json!({})).unwrap_err();
    assert_eq!(refusal.ground, "authorisation.missing");
    assert!(refusal.zh.contains("李*") && !refusal.zh.contains("张*"), "{}", refusal.zh);
    // Nobody known to be adult does not mean that nobody is asked.
    walk.evidence.adults.clear();
    walk.evidence.authorised.clear();
    assert_eq!(walk.refused(Role::Township, "check", &json!({})), "authorisation.missing");
    assert_eq!(walk.case.state, "accepted");
    let mut walk = way(Kind::Application, "accepted", "check", Role::County);
    walk.go("check");
    assert_eq!(walk.case.facts["checks"][0]["item"], "住房");
    assert_eq!(walk.case.links[..2], ["U1", "U2"]);
}

#[test]
fn a_check_opens_the_survey_with_what_was_declared() {
    let mut walk = Walk::open(Kind::Application, "");
    walk.go("submit accept");
    let decision = walk.give(&actor(Role::Township), "check", &json!({})).unwrap();
    let [Effect::Open { kind, region, input }] = &decision.effects[..] else {
        panic!("{:?}", decision.effects)
    };
    assert_eq!((*kind, region.as_str()), (Kind::Survey, "141128101203"));
    assert_eq!((&input["purpose"], &input["case"]), (&json!("application"), &json!("X1")));
    assert_eq!(input["answers"]["members"][0]["employment"], "5");
    let family = &input["answers"]["family"];
    assert!(family.get("bank_account").is_none(), "the sheet does not ask for it");
    let given = input.clone();
    let (survey, _) =
        open_as(Kind::Survey, &actor(Role::System), &given, walk.now, &walk.evidence).unwrap();
    assert_eq!(survey.links, ["X1"]);
    assert_eq!(survey.facts["checks"][0]["finding"], "一套");
}

#[test]
fn a_survey_of_another_family_does_not_count() {
    let mut walk = Walk::open(Kind::Application, "");
    walk.go("submit accept check");
    let given = json!({"survey": "S1"});
    assert_eq!(walk.refused(Role::Township, "record_survey", &given), "case.other");
    walk.go("link=S1 record_survey");
}

#[test]
fn a_survey_counts_once_it_is_completed() {
    let mut walk = way(Kind::Application, "checked", "record_survey", Role::Township);
    for (kind, state) in [(Kind::Survey, "drafting"), (Kind::Report, "completed")] {
        walk.evidence.linked = vec![("S1".to_owned(), kind, state.to_owned())];
        let given = json!({"survey": "S1"});
        assert_eq!(walk.refused(Role::Township, "record_survey", &given), "survey.incomplete");
    }
    let mut walk = way(Kind::Application, "checked", "record_survey", Role::Township);
    walk.go("record_survey");
    assert!(walk.case.links.contains(&"S1".to_owned()));
}

#[test]
fn nothing_but_the_allowed_items_is_posted() {
    let walk = way(Kind::Application, "posted", "confirm", Role::County);
    let posting = &walk.case.facts["posting"];
    let expected = json!({
        "name": "张*", "region": "141128101203", "members": 3, "aid": "dibao",
        "aid_label": "最低生活保障", "amount": 55_000,
    });
    assert_eq!(posting, &expected);
    for (aid, ground) in
        [("rigid", "application.not_posted"), ("dibao_edge", "application.not_posted")]
    {
        let mut walk = Walk::open(Kind::Application, aid);
        walk.go(TO_REVIEWED);
        assert_eq!(walk.refused(Role::Township, "post", &json!({})), ground);
    }
    let mut walk = Walk::open(Kind::Application, "");
    walk.go("submit accept check link=S1 record_survey review=oppose");
    assert_eq!(walk.refused(Role::Township, "post", &json!({})), "application.opposed");
}

#[test]
fn it_is_posted_for_seven_days() {
    let mut walk = Walk::open(Kind::Application, "");
    walk.go(TO_REVIEWED);
    let given = input(Kind::Application, "confirm", "");
    assert_eq!(walk.refused(Role::County, "confirm", &given), "application.unposted");
    walk.go("post");
    assert_eq!(walk.case.facts["posted_until"], "2026-11-08");
    // Ten working days after the first day on which it is over.
    assert_eq!(walk.case.due_on.unwrap().to_string(), "2026-11-23");
    for day in 0..7 {
        let ground = walk.refused(Role::County, "confirm", &given);
        assert_eq!(ground, "application.posting_running", "day {day}");
        walk.go("+1");
    }
    assert!(walk.give(&actor(Role::County), "confirm", &given).is_ok());
}

#[test]
fn an_open_objection_holds_the_decision_up() {
    let mut walk = Walk::open(Kind::Application, "");
    walk.go(TO_REVIEWED).go("post object object +7");
    let given = input(Kind::Application, "confirm", "");
    assert_eq!(walk.refused(Role::County, "confirm", &given), "application.objection_open");
    let second = json!({"objection": "2", "finding": "不属实"});
    walk.give(&actor(Role::Township), "settle", &second).unwrap();
    assert_eq!(walk.refused(Role::Township, "settle", &second), "application.no_objection");
    assert_eq!(walk.refused(Role::County, "confirm", &given), "application.objection_open");
    walk.go("settle");
    assert!(walk.give(&actor(Role::County), "confirm", &given).is_ok());
}

#[test]
fn who_reviewed_may_not_confirm() {
    let mut walk = way(Kind::Application, "posted", "confirm", Role::County);
    let mut promoted = actor(Role::County);
    promoted.account = actor(Role::Township).account;
    let given = input(Kind::Application, "confirm", "");
    assert_eq!(walk.give(&promoted, "confirm", &given).unwrap_err().ground, "four_eyes");
    let offered = machine::allowed(&walk.case, &promoted);
    assert!(!offered.iter().any(|action| action.name == "confirm"));
    assert!(walk.give(&actor(Role::County), "confirm", &given).is_ok());
}

#[test]
fn another_amount_than_the_computed_one_needs_a_reason() {
    let mut walk = way(Kind::Application, "posted", "confirm", Role::County);
    let less = json!({"amount": 54_999});
    assert_eq!(walk.refused(Role::County, "confirm", &less), "application.amount_deviates");
    assert_eq!(walk.refused(Role::County, "confirm", &json!({})), "input.missing");
    for wrong in [json!(-1), json!(1.5), json!("55000"), json!(10_000_000_001_i64)] {
        let given = json!({"amount": wrong, "deviation_reason": "x"});
        assert_eq!(walk.refused(Role::County, "confirm", &given), "input.wrong", "{wrong}");
    }
    let nothing = json!({"amount": 0, "deviation_reason": "x"});
    assert_eq!(walk.refused(Role::County, "confirm", &nothing), "application.amount_zero");
    // Where nothing was computed, no amount is the computed one.
    let calculation = walk.evidence.calculation.take();
    let given = input(Kind::Application, "confirm", "");
    assert_eq!(walk.refused(Role::County, "confirm", &given), "application.amount_deviates");
    walk.evidence.calculation = calculation;
    let reasoned = json!({"amount": 54_999, "deviation_reason": "取整"});
    walk.give(&actor(Role::County), "confirm", &reasoned).unwrap();
    let decision = &walk.case.facts["decision"];
    assert_eq!((&decision["amount"], &decision["calculated"]), (&json!(54_999), &json!(55_000)));
}

#[test]
fn a_confirmation_gives_every_counted_member_their_part() {
    let mut walk = way(Kind::Application, "posted", "confirm", Role::County);
    let given = input(Kind::Application, "confirm", "");
    let decision = walk.give(&actor(Role::County), "confirm", &given).unwrap();
    let body = registry(&decision);
    assert_eq!((&body["case"], &body["household"]), (&json!("X1"), &json!(null)));
    assert_eq!(walk.case.household.as_deref(), Some("CX1"));
    assert_eq!(body["head"], HEAD_ID);
    let household = json!({
        "region": "141128101203", "urban": false, "address": "西村12号", "cause": "1",
        "housing_grade": "C", "income": 80_000, "discovered_by": "1",
        "discovered_on": "2026-11-09",
    });
    assert_eq!(body["household_values"], household);
    let persons = body["persons"].as_array().unwrap();
    let ids: Vec<&str> =
        persons.iter().map(|person| person["id_number"].as_str().unwrap()).collect();
    assert_eq!(ids, [HEAD_ID, SPOUSE_ID, SON_ID], "who only owes support is no member");
    let parts: Vec<i64> =
        persons.iter().map(|person| person["aid"][0]["amount"].as_i64().unwrap()).collect();
    assert_eq!(parts, [18_334, 18_333, 18_333]);
    let row = json!({"kind": "12", "start": "2026-12-01", "end": null, "amount": 18_334});
    assert_eq!(persons[0]["aid"], json!([row]));
    assert_eq!(persons[0]["values"]["employed"], json!(false));
    assert_eq!(persons[1]["values"]["birth_date"], "1955-05-20", "read from the ID number");
    assert_eq!(persons[1]["values"]["sex"], "1");
    assert!(persons[0]["values"].get("illness").is_none());
}

#[test]
fn the_codes_of_aid_follow_kind_and_registration() {
    let rows = [
        ("dibao", true, "11"),
        ("dibao", false, "12"),
        ("tekun", true, "21"),
        ("tekun", false, "22"),
        ("dibao_edge", true, "31"),
        ("rigid", false, "32"),
        ("temporary", true, "41"),
    ];
    for (aid, urban, code) in rows {
        let mut walk = Walk::open(Kind::Application, aid);
        walk.case.answers["family"]["urban"] = json!(urban);
        walk.case.answers["aid"]["months"] = json!(3);
        walk.go(TO_REVIEWED);
        if !matches!(aid, "dibao_edge" | "rigid") {
            walk.go("post +7");
        }
        let given = input(Kind::Application, "confirm", "");
        let decision = walk.give(&actor(Role::County), "confirm", &given).unwrap();
        let row = &registry(&decision)["persons"][0]["aid"][0];
        assert_eq!(row["kind"], code, "{aid}");
        let (end, amount) = match aid {
            "temporary" => (json!("2027-02-08"), json!(18_334)),
            "dibao_edge" | "rigid" => (json!("2027-11-01"), json!(null)),
            _ => (json!(null), json!(18_334)),
        };
        assert_eq!((&row["end"], &row["amount"]), (&end, &amount), "{aid}");
    }
}

#[test]
fn monthly_aid_is_paid_from_the_month_after_the_decision() {
    for (aid, from, once) in [("dibao", "2026-12", false), ("temporary", "2026-11", true)] {
        let mut walk = Walk::open(Kind::Application, aid);
        walk.go(TO_REVIEWED).go("post +7 confirm");
        let decision = walk.give(&actor(Role::County), "pay", &json!({})).unwrap();
        let [Effect::Pay { from: found, amount, once: found_once, .. }] = &decision.effects[..]
        else {
            panic!("{:?}", decision.effects)
        };
        assert_eq!((found.as_str(), *amount, *found_once), (from, 55_000, once), "{aid}");
    }
    let mut walk = Walk::open(Kind::Application, "rigid");
    walk.go(TO_REVIEWED).go("confirm");
    assert_eq!(walk.refused(Role::County, "pay", &json!({})), "application.no_payment");
}

#[test]
fn aid_ends_with_the_month_and_not_before_it_began() {
    let given = input(Kind::Application, "end", "");
    let mut walk = way(Kind::Application, "paying", "end", Role::County);
    let decision = walk.give(&actor(Role::County), "end", &given).unwrap();
    assert_eq!(decision.effects[1], Effect::StopPay { last: "2026-11".to_owned() });
    let Effect::Registry { body } = &decision.effects[0] else { panic!("{:?}", decision.effects) };
    assert_eq!(body["household"], "CX1");
    // It would have begun in December, so one day of it remains, unpaid.
    assert_eq!(body["persons"][2]["end_aid"], json!([{"kind": "12", "end": "2026-12-01"}]));
    let mut walk = way(Kind::Application, "paying", "end", Role::County);
    walk.go("+100");
    let decision = walk.give(&actor(Role::County), "end", &given).unwrap();
    assert_eq!(decision.effects[1], Effect::StopPay { last: "2027-02".to_owned() });
    let Effect::Registry { body } = &decision.effects[0] else { panic!("{:?}", decision.effects) };
    assert_eq!(body["persons"][0]["end_aid"][0]["end"], "2027-02-28");
}

#[test]
fn the_township_refuses_only_what_its_review_opposes() {
    let given = input(Kind::Application, "refuse", "");
    let mut walk = Walk::open(Kind::Application, "");
    walk.go(TO_REVIEWED);
    assert_eq!(walk.refused(Role::Township, "refuse", &given), "application.supported");
    assert!(walk.give(&actor(Role::County), "refuse", &given).is_ok());
    assert_eq!(walk.case.facts["refusal"]["reason"], "收入超过标准");
    let mut walk = Walk::open(Kind::Application, "rigid");
    walk.go("submit accept check link=S1 record_survey review=oppose");
    let amount = json!({"amount": 55_000});
    assert_eq!(walk.refused(Role::County, "confirm", &amount), "application.opposed");
    assert!(walk.give(&actor(Role::Township), "refuse", &given).is_ok());
}

#[test]
fn an_authorisation_runs_for_its_months() {
    let walk = Walk::open(Kind::Authorisation, "");
    assert_eq!(machine::valid_until(&walk.case), Some("2027-11-02".parse().unwrap()));
    let holds =
        |walk: &Walk, day: &str| machine::authorisation_is_valid(&walk.case, day.parse().unwrap());
    assert!(holds(&walk, "2027-11-02") && !holds(&walk, "2027-11-03"));
    let mut walk = walk;
    walk.go("withdraw");
    assert!(!holds(&walk, "2026-11-02"));
}

#[test]
fn an_authorisation_is_signed_by_the_person_or_on_paper() {
    use crate::answers::evidence;
    use crate::sample::monday;
    let good = input(Kind::Authorisation, "sign", "");
    let ground = |role: Role, change: &dyn Fn(&mut serde_json::Value)| {
        let mut given = good.clone();
        change(&mut given);
        let found = open_as(Kind::Authorisation, &actor(role), &given, monday(), &evidence());
        found.map_or_else(|refusal| refusal.ground, |_| "signed")
    };
    assert_eq!(ground(Role::Citizen, &|given| given["paper"] = json!(null)), "signed");
    let unsigned = "authorisation.unsigned";
    assert_eq!(ground(Role::Citizen, &|given| given["signature"] = json!(null)), unsigned);
    assert_eq!(ground(Role::Village, &|given| given["signature"] = json!(null)), "signed");
    assert_eq!(ground(Role::Village, &|given| given["paper"] = json!(null)), unsigned);
    assert_eq!(ground(Role::Village, &|given| given["paper"] = json!(["not held"])), unsigned);
    for months in [json!(0), json!(13), json!("x")] {
        assert_eq!(ground(Role::Citizen, &|given| given["months"] = months.clone()), "input.wrong");
    }
    assert_eq!(ground(Role::Citizen, &|given| given["document"] = json!("abc")), "input.wrong");
    assert_eq!(ground(Role::Citizen, &|given| given["scope"] = json!(["moon"])), "input.wrong");
}
