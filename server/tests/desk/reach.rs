//! What is masked, what a reason opens, and whose cases are not there.

use serde_json::json;

use crate::families::{head_of, report};
use crate::office::{Office, id};

#[tokio::test]
async fn a_case_is_masked_and_revealed_for_a_reason_that_is_kept() {
    let office = Office::new();
    let (village, county) = (office.person("cun").await, office.person("xian").await);
    let case = village.open("report", json!({ "answers": report(1) })).await;
    village.act(&case, "submit", json!({})).await;
    let seen = county.see(&case).await;
    let head = &seen["answers"]["members"][0];
    assert_eq!((&head["name"], &seen["full"]), (&json!("冯*"), &json!(false)));
    let number = head_of(1);
    let masked = format!("{}**********{}", &number[..4], &number[14..]);
    assert_eq!(head["id_number"], json!(masked));
    assert_eq!(seen["answers"]["family"]["phone"], "138****1234");
    assert_eq!(seen["answers"]["family"]["address"], "幸福路十八号****");
    assert!(!seen.to_string().contains(&number));
    assert!(!seen.to_string().contains("冯大有"));

    let path = format!("/api/v1/cases/{}/reveal", id(&case));
    let ask = |reason: &str| json!({ "path": "members[0].id_number", "reason": reason });
    county.post(&path, &ask("看")).await.problem(422, "request.field");
    let none = json!({ "path": "members[7].id_number", "reason": "核实身份" });
    county.post(&path, &none).await.problem(422, "request.field");
    let told = county.post(&path, &ask("核实身份信息")).await.done();
    assert_eq!(told["value"], json!(number));
    let audit = office.person("shenji").await;
    let rows = audit.get("/api/v1/journal").await.done();
    let rows = rows["rows"].as_array().unwrap();
    let kept: Vec<_> = rows.iter().filter(|row| row["action"] == "case.reveal").collect();
    assert_eq!(kept.len(), 1, "what was refused revealed nothing");
    assert_eq!(kept[0]["object"], case["id"]);
    assert_eq!(kept[0]["detail"], "核实身份信息");
    assert_eq!(kept[0]["result"], "members[0].id_number");
    assert!(rows.iter().any(|row| row["action"] == "case.read" && row["object"] == case["id"]));
    let whole = audit.get("/api/v1/journal").await.text();
    assert!(!whole.contains(&number) && !whole.contains("冯大有"), "nothing personal in it");
    assert!(audit.get("/api/v1/journal/verify").await.done()["broken"].is_null());
}

#[tokio::test]
async fn a_case_of_the_neighbour_is_not_there() {
    let office = Office::new();
    let (village, neighbour) = (office.person("cun").await, office.person("xian2").await);
    let picture = village.picture().await;
    let case = village.open("report", json!({ "answers": report(2) })).await;
    let id = id(&case).to_owned();
    village.act(&case, "submit", json!({})).await;
    let survey = village.open("survey", json!({ "purpose": "review", "case": id })).await;
    let mut sheet = survey["answers"].clone();
    sheet["visit"] = json!({ "visited_on": "2026-11-02" });
    village.act(&survey, "save", json!({ "answers": sheet })).await;
    let done = json!({
        "conclusion": "agrees", "household_signature": picture, "photos": [picture],
        "investigators": [{ "name": "甲", "signature": picture },
                          { "name": "乙", "signature": picture }],
    });
    let survey = village.act(&survey, "complete", done).await;
    let photo = format!("/api/v1/cases/{}/attachments/{picture}", survey["id"].as_str().unwrap());
    let shown = village.get(&photo).await;
    assert_eq!((shown.status, &shown.bytes[..4]), (200, &b"\x89PNG"[..]));
    assert_eq!(shown.headers["content-type"], "image/png");
    assert!(shown.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    neighbour.get(&photo).await.problem(404, "case.missing");

    let path = |what: &str| format!("/api/v1/cases/{id}{what}");
    let missing = neighbour.get(&path("")).await;
    missing.problem(404, "case.missing");
    let command = json!({ "command": "agree", "command_id": "x1", "version": 2, "input": {} });
    neighbour.post(&path("/commands"), &command).await.problem(404, "case.missing");
    let reveal = json!({ "path": "members[0].name", "reason": "核实身份" });
    neighbour.post(&path("/reveal"), &reveal).await.problem(404, "case.missing");
    neighbour.get(&path("/signature")).await.problem(404, "case.missing");
    // The answer is the same as for a case that never was.
    let never = neighbour.get("/api/v1/cases/R2026NOTHERE000").await;
    assert_eq!(never.json(), missing.json());
    let listed = neighbour.get("/api/v1/cases").await.done();
    assert_eq!(listed["cases"], json!([]));
    let own = office.person("xian").await.get("/api/v1/cases?kind=report").await.done();
    assert_eq!(own["cases"][0]["id"], json!(id));
}
