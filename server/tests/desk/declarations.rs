//! Declarations from both sides: returned, corrected, agreed; rejected; once in the registry.

use serde_json::{Value, json};

use crate::families::{answers, head_of};
use crate::office::{Office, id};

#[tokio::test]
async fn a_declaration_is_returned_corrected_agreed_and_in_the_registry_once() {
    let office = Office::new();
    office.citizen("feng", &head_of(1));
    let citizen = office.person("feng").await;
    let township = office.person("xiang").await;
    let case = citizen.open("declaration", json!({ "answers": answers(1) })).await;
    assert_eq!((&case["state"], &case["full"]), (&json!("draft"), &json!(true)));
    // Nobody is asked about without having agreed to it.
    citizen.try_act(&case, "submit", json!({})).await.refused("authorisation.missing");
    citizen.sign().await;
    let submitted = citizen.act(&case, "submit", json!({})).await;
    assert_eq!(submitted["state"], "submitted");

    let seen = township.see(&case).await;
    let names: Vec<&str> =
        seen["actions"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["agree", "return", "reject"]);
    let marks = json!([{ "path": "members[1].labour_ability", "note": "请核实" }]);
    let returned = json!({ "reason": "请核实劳动能力。", "marks": marks });
    township.act(&case, "return", returned).await;
    let back = citizen.see(&case).await;
    assert_eq!((&back["state"], &back["marks"][0]["note"]), (&json!("returned"), &json!("请核实")));
    // Before it is agreed the registry does not know the household.
    office.settle().await;
    let key = format!("C{}", id(&case));
    assert_eq!(office.times(&key), 0);

    let mut corrected = answers(1);
    corrected["members"][1]["labour_ability"] = json!("3");
    let again = citizen.act(&case, "submit", json!({ "answers": corrected })).await;
    assert_eq!((&again["state"], &again["marks"]), (&json!("submitted"), &json!([])));
    let agreed = township.act(&case, "agree", json!({})).await;
    assert_eq!((&agreed["state"], &agreed["household"]), (&json!("agreed"), &json!(key)));
    for _ in 0..3 {
        office.settle().await;
    }
    assert_eq!(office.times(&key), 1);
    let record = office.household(&key).unwrap();
    assert_eq!(record.persons.len(), 3);
    assert_eq!(record.values["income"], json!(80_000));
    assert_eq!(record.values["discovered_by"], "1");
    let wife = record.persons.iter().find(|p| p.values["relation"] == "10").unwrap();
    assert_eq!(wife.values["labour_ability"], "3");
    // The same ID number is found, masked.
    let find = json!({ "id_number": head_of(1) });
    let found = township.post("/api/v1/households/find", &find).await.done();
    let expected = json!({ "key": key, "region": "140105001001",
        "region_name": "太原市小店区坞城街道一社区", "head": "冯*" });
    assert_eq!(found["households"], json!([expected]));
    let neighbour = office.person("xiang2").await;
    let found = neighbour.post("/api/v1/households/find", &find).await.done();
    assert_eq!((&found["households"], &found["cases"]), (&json!([]), &json!([])));
    // The citizen finds the household, and that somebody looked.
    let mine = citizen.get("/api/v1/mine").await.done();
    assert_eq!(mine["household"]["key"], json!(key));
    let looked = mine["looked"].as_array().unwrap();
    assert!(looked.iter().any(|look| look["action"] == "case.read"), "{looked:?}");
}

#[tokio::test]
async fn a_rejected_declaration_is_not_in_the_registry() {
    let office = Office::new();
    office.citizen("feng", &head_of(2));
    let citizen = office.person("feng").await;
    let county = office.person("xian").await;
    citizen.sign().await;
    let case = citizen.open("declaration", json!({ "answers": answers(2) })).await;
    citizen.act(&case, "submit", json!({})).await;
    let version = office.snapshot().version();
    let blank = json!({ "ground": "income_over", "reason": "  " });
    let now = county.see(&case).await;
    county.try_act(&now, "reject", blank).await.refused("input.missing");
    let reason = json!({ "ground": "income_over", "reason": "家庭收入高于当地标准。" });
    let rejected = county.act(&case, "reject", reason).await;
    assert_eq!(rejected["state"], "rejected");
    office.settle().await;
    assert_eq!(office.times(&format!("C{}", id(&case))), 0);
    assert_eq!(office.snapshot().version(), version);
    let told: Value = citizen.see(&case).await;
    assert_eq!(told["facts"]["reason"], "家庭收入高于当地标准。");
    let last = county.see(&case).await;
    county.try_act(&last, "agree", json!({})).await.refused("state.wrong");
}
