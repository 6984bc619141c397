//! Reports of a village: the county's review, and nobody twice.

use serde_json::json;

use crate::families::{head_of, report};
use crate::office::{Office, id};

#[tokio::test]
async fn a_report_is_returned_by_the_county_and_agreed() {
    let office = Office::new();
    let (village, township, county) =
        (office.person("cun").await, office.person("xiang").await, office.person("xian").await);
    let case = village.open("report", json!({ "answers": report(1) })).await;
    village.act(&case, "submit", json!({})).await;
    let waiting = township.see(&case).await;
    township.try_act(&waiting, "agree", json!({})).await.refused("role.wrong");
    township.act(&case, "pass", json!({})).await;
    let marks = json!([{ "path": "housing.kind", "note": "请写明" }]);
    county.act(&case, "return", json!({ "reason": "住房不清。", "marks": marks })).await;
    let back = village.see(&case).await;
    assert_eq!((&back["state"], &back["full"]), (&json!("returned"), &json!(true)));
    village.act(&case, "submit", json!({ "answers": report(1) })).await;
    township.act(&case, "pass", json!({})).await;
    county.act(&case, "agree", json!({})).await;
    office.settle().await;
    let key = format!("C{}", id(&case));
    assert_eq!(office.times(&key), 1);
    assert_eq!(office.household(&key).unwrap().values["discovered_by"], "2");

    // The registry knows the number now: another report is refused unless it says so.
    let other = village.open("report", json!({ "answers": report(1) })).await;
    let refused = village.try_act(&other, "submit", json!({})).await.refused("report.duplicate");
    assert_eq!(refused["field"], json!(key));
    let known = village.act(&other, "submit", json!({ "known": key })).await;
    assert_eq!(known["state"], "submitted");
    let third = village.open("report", json!({ "answers": report(1) })).await;
    village.try_act(&third, "submit", json!({})).await.refused("report.duplicate");
}

#[tokio::test]
async fn a_family_under_way_is_not_reported_again() {
    let office = Office::new();
    let village = office.person("cun").await;
    let first = village.open("report", json!({ "answers": report(2) })).await;
    let second = village.open("report", json!({ "answers": report(2) })).await;
    village.act(&first, "submit", json!({})).await;
    let refused = village.try_act(&second, "submit", json!({})).await;
    refused.refused("report.duplicate");
    assert!(!refused.text().contains(&head_of(2)), "no number in an error");
    assert_eq!(village.see(&second).await["state"], "draft");
}
