//! A change of what is registered, while the registry changes too.

use serde_json::json;
use yiku_indexer::{Decision, apply_decisions};

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

    // Meanwhile the registry learns another address from elsewhere.
    let at = "2026-11-02T10:00:00";
    let elsewhere = json!({ "seq": 9_000, "case": "elsewhere", "at": at, "household": key,
        "household_values": { "address": "河西路九号院一单元" } });
    let elsewhere: Decision = serde_json::from_value(elsewhere).unwrap();
    let applied = apply_decisions(&office.folder.path().join("db"), &[elsewhere]).unwrap();
    assert_eq!(applied.applied, 1, "{:?}", applied.rejected);

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
}
