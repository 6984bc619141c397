//! Visits: two investigators, a reason for every change of what was filled in, a photo.

use serde_json::{Value, json};

use crate::families::report;
use crate::office::{Office, Person, id};

/// The number of the survey that a case opened.
pub(crate) fn opened_for(case: &Value) -> String {
    let links = case["links"].as_array().unwrap();
    let survey = links.iter().find(|link| link["kind"] == "survey").unwrap();
    survey["id"].as_str().unwrap().to_owned()
}

/// What two investigators found, with a photo.
fn found(picture: &str) -> Value {
    json!({
        "conclusion": "agrees", "suggestion": "建议纳入救助。",
        "household_signature": picture, "photos": [picture],
        "investigators": [
            { "name": "李守田", "signature": picture }, { "name": "王巧云", "signature": picture },
        ],
    })
}

/// Fills in and completes a survey.
pub(crate) async fn complete(village: &Person<'_>, survey: &str) {
    let survey = village.see(&json!({ "id": survey })).await;
    let mut answers = survey["answers"].clone();
    answers["visit"] = json!({ "visited_on": "2026-11-02", "record": "家中情况属实。" });
    village.act(&survey, "save", json!({ "answers": answers })).await;
    let picture = village.picture().await;
    let done = village.act(&survey, "complete", found(&picture)).await;
    assert_eq!(done["state"], "completed");
}

#[tokio::test]
async fn a_survey_needs_two_investigators_reasons_and_a_photo() {
    let office = Office::new();
    let village = office.person("cun").await;
    // What was reported is filled into the sheet of the visit.
    let case = village.open("report", json!({ "answers": report(1) })).await;
    village.act(&case, "submit", json!({})).await;
    let plan = json!({ "purpose": "review", "case": id(&case) });
    let survey = village.open("survey", plan).await;
    assert_eq!(survey["state"], "planned");
    assert_eq!(survey["answers"]["income"]["wages12"], 960_000);
    assert_eq!(survey["answers"]["members"][0]["name"], "冯*", "masked, though planned by them");

    let mut answers = survey["answers"].clone();
    answers["income"]["wages12"] = json!(1_200_000);
    answers["visit"] = json!({ "visited_on": "2026-11-02" });
    let silent = village.try_act(&survey, "save", json!({ "answers": answers })).await;
    assert_eq!(silent.refused("survey.reason_missing")["field"], "income.wages12");
    let reasons = json!({ "income.wages12": "工资单显示为一万二千元。" });
    let save = json!({ "answers": answers, "reasons": reasons });
    let saved = village.act(&survey, "save", save).await;
    let change = &saved["facts"]["changes"][0];
    assert_eq!((&change["old"], &change["new"]), (&json!(960_000), &json!(1_200_000)));
    // Masked texts that came back changed nothing of what stands behind them.
    assert_eq!(saved["facts"]["changes"].as_array().unwrap().len(), 1);

    let picture = village.picture().await;
    let lacking = |name: &str, value: Value| {
        let mut input = found(&picture);
        input[name] = value;
        input
    };
    let alone = json!([{ "name": "李守田", "signature": picture }]);
    let same = json!([{ "name": "李守田", "signature": picture },
                      { "name": "李守田", "signature": picture }]);
    let unsigned = json!([{ "name": "李守田", "signature": picture }, { "name": "王巧云" }]);
    for (name, value, ground) in [
        ("investigators", alone, "survey.two_investigators"),
        ("investigators", same, "survey.two_investigators"),
        ("investigators", unsigned, "survey.signature_missing"),
        ("household_signature", json!(""), "survey.signature_missing"),
        ("photos", json!([]), "survey.photo_missing"),
        ("photos", json!(["0".repeat(64)]), "survey.photo_missing"),
    ] {
        let tried = village.try_act(&saved, "complete", lacking(name, value)).await;
        tried.refused(ground);
    }
    let done = village.act(&survey, "complete", found(&picture)).await;
    assert_eq!(
        (&done["state"], &done["facts"]["conclusion"]),
        (&json!("completed"), &json!("agrees"))
    );
    assert_eq!(done["attachments"][0]["media"], "image/png");
}

#[tokio::test]
async fn nobody_plans_a_visit_for_a_case_out_of_reach() {
    let office = Office::new();
    let (village, neighbour) = (office.person("cun").await, office.person("cun2").await);
    let case = village.open("report", json!({ "answers": report(2) })).await;
    village.act(&case, "submit", json!({})).await;
    let plan = json!({ "purpose": "review", "case": id(&case) });
    neighbour.try_open("survey", plan).await.problem(404, "case.missing");
}
