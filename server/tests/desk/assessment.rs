//! What policies say of a household's answers, asked without a session.

use serde_json::{Value, json};

use crate::office::Office;

/// A rural family of three with so much income in twelve months, in fen.
fn family(income: i64) -> Value {
    let member = |relation: &str| {
        json!({ "relation": relation, "sex": "1", "age": 40, "labour_ability": "1",
                "counted": true })
    };
    json!({
        "family": { "region": "140105", "urban": false },
        "members": [member("02"), member("10"), member("20")],
        "income": { "wages12": income, "business12": 0, "property12": 0, "transfer12": 0,
                    "other12": 0 },
        "expense": { "medical12": 0, "education12": 0 },
        "property": { "deposits": 0, "houses": 1, "vehicle_value": 0, "machinery_value": 0,
                      "company": false },
    })
}

fn dibao(assessed: &Value) -> &Value {
    let outcomes = assessed["outcomes"].as_array().unwrap();
    outcomes.iter().find(|one| one["policy"] == "dibao").unwrap()
}

#[tokio::test]
async fn a_family_is_told_what_it_may_get_and_nothing_is_kept() {
    // In 2023 the rural standard is 5 400 yuan a year: 450 × 3 − 800 = 550 yuan a month.
    let office = Office::at("2023-05-04T09:00:00+08:00");
    let before = (office.store_files(), office.snapshot().version());
    assert!(!before.0[0].is_empty());
    let nobody = office.nobody();
    let asked = json!({ "answers": family(960_000) });
    let assessed = nobody.post("/api/v1/assessment", &asked).await.done();
    assert_eq!(assessed["as_of"], "2023-05-04");
    let one = dibao(&assessed);
    assert_eq!((&one["outcome"], &one["amount"]["cents"]), (&json!("met"), &json!(55_000)));
    let steps = one["amount"]["steps"].as_array().unwrap();
    let values: Vec<f64> = steps.iter().map(|step| step["value"].as_f64().unwrap()).collect();
    assert_eq!(values, [450.0, 3.0, 800.0]);
    assert!(one["clauses"].as_array().unwrap().iter().all(|clause| clause["outcome"] == "met"));
    assert!(!one["bring"].as_array().unwrap().is_empty());

    // Not below the standard of three: the clause says by how much.
    let asked = json!({ "answers": family(1_620_000) });
    let assessed = nobody.post("/api/v1/assessment", &asked).await.done();
    assert_eq!(dibao(&assessed)["outcome"], "not_met");
    assert!(dibao(&assessed)["amount"].is_null());
    // What was not answered is not guessed.
    let mut silent = family(960_000);
    silent.as_object_mut().unwrap().remove("property");
    let assessed = nobody.post("/api/v1/assessment", &json!({ "answers": silent })).await.done();
    assert_eq!(dibao(&assessed)["outcome"], "unknown");

    let after = (office.store_files(), office.snapshot().version());
    assert!(after == before, "the store and the registry are as they were");
    let journal = office.with_store(|store| store.journal_after(0, 500).unwrap());
    assert!(journal.iter().all(|row| !row.action.contains("assess")));
}

#[tokio::test]
async fn the_standards_of_a_place_say_where_they_come_from() {
    let office = Office::new();
    let path = "/api/v1/assessment/standards?region=140105";
    let told = office.nobody().get(path).await.done();
    assert_eq!(told["region_name"], "小店区");
    let standards = told["standards"].as_array().unwrap();
    let rural = |one: &&Value| one["name"] == "dibao_line" && one["urban"] == false;
    assert!(standards.iter().any(|one| rural(&one)), "{standards:?}");
}

#[tokio::test]
async fn wrong_answers_are_marked_not_guessed() {
    let office = Office::new();
    let mut wrong = family(960_000);
    wrong["members"][1]["age"] = json!(-4);
    wrong["income"]["wages12"] = json!("many");
    let answered = office.nobody().post("/api/v1/assessment", &json!({ "answers": wrong })).await;
    let problem = answered.problem(422, "case.form");
    let paths: Vec<&str> = problem["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["members[1].age", "income.wages12"]);
    // A name or a number is no answer of this form.
    let mut named = family(960_000);
    named["members"][0]["id_number"] = json!("999001196504121019");
    let answered = office.nobody().post("/api/v1/assessment", &json!({ "answers": named })).await;
    answered.problem(422, "case.form");
    assert!(!answered.text().contains("999001196504121019"));
}
