//! A change of what is registered, while the registry changes too.

use serde_json::json;

use crate::families::{answers, head_of};
use crate::office::{Office, id};

#[tokio::test]
async fn a_conflict_is_shown_field_by_field_and_settled_by_choice() {
    let office = Office::new();
    office.citizen("feng", &head_of(3));
    let (citizen, township) = (office.person("feng").await, office.person("xiang").await);
    citizen.sign().await;
    let declared = citizen.open("declaration", json!({ "answers": answers(3) })).await;
    citizen.act(&declared, "submit", json!({})).await;
    township.act(&declared, "agree", json!({})).await;
    office.settle().await;
    let key = format!("C{}", id(&declared));

    // The form begins with what the registry has.
    let case = citizen.open("change", json!({ "purpose": "change" })).await;
    assert_eq!(case["answers"]["family"]["address"], "幸福路十八号院三单元");
    let mut moved = case["answers"].clone();
    moved["change"] = json!({ "reason": "moved" });
    moved["family"]["address"] = json!("新居路六号院二单元");
    moved["members"][0]["employment"] = json!("2");
    citizen.act(&case, "submit", json!({ "answers": moved, "reason": "搬家。" })).await;

    // Meanwhile the village has another address, and a fault of the form, put right.
    let village = office.person("cun").await;
    let input = json!({ "purpose": "change", "owner": head_of(3) });
    let other = village.open("change", input).await;
    let mut corrected = other["answers"].clone();
    corrected["change"] = json!({ "reason": "correction" });
    corrected["family"]["address"] = json!("河西路九号院一单元");
    corrected["family"]["cause"] = json!("2");
    village.act(&other, "submit", json!({ "answers": corrected })).await;
    township.act(&other, "agree", json!({})).await;
    office.settle().await;
    let values = office.household(&key).unwrap().values;
    assert_eq!((&values["address"], &values["cause"]), (&json!("河西路九号院一单元"), &json!("2")));

    let seen = township.see(&case).await;
    let conflicts = seen["facts"]["conflicts"].as_array().unwrap();
    let paths: Vec<&str> = conflicts.iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["family.address"]);
    assert!(conflicts[0]["registered"].as_str().unwrap().contains('*'), "{conflicts:?}");
    let refused = township.try_act(&seen, "agree", json!({})).await.refused("change.conflict");
    assert_eq!(refused["field"], "family.address");
    let choices = json!({ "choices": { "family.address": "declared" } });
    let agreed = township.act(&case, "agree", choices).await;
    assert_eq!(agreed["state"], "agreed");
    office.settle().await;
    let record = office.household(&key).unwrap();
    assert_eq!(record.values["address"], "新居路六号院二单元", "as was chosen");
    assert_eq!(record.values["cause"], "2", "what only the other changed stays");
    let head = record.persons.iter().find(|p| p.values["relation"] == "02").unwrap();
    assert_eq!(head.values["employment"], "2");
    assert_eq!((record.persons.len(), office.times(&key)), (3, 1));
}
