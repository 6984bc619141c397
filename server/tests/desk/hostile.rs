//! Bad input: a clear answer each, that repeats nothing of a person.

use serde_json::{Value, json};

use crate::families::{answers, head_of, report};
use crate::office::{HERE, Office, id};

fn paths(problem: &Value) -> Vec<&str> {
    let faults = problem["faults"].as_array().unwrap();
    faults.iter().map(|fault| fault["path"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn wrong_id_numbers_are_marked_where_they_stand() {
    let office = Office::new();
    let village = office.person("cun").await;
    let right = head_of(1);
    // Two digits exchanged, a day that never was, letters, one digit short.
    let mut exchanged = right.clone().into_bytes();
    exchanged.swap(15, 16);
    let exchanged = String::from_utf8(exchanged).unwrap();
    for (wrong, code) in [
        (exchanged.as_str(), "id_number.check"),
        ("999001197513121019", "id_number.birth"),
        ("99900119751312A01X", "id_number.characters"),
        (&right[..17], "id_number.length"),
    ] {
        let mut filled = report(1);
        filled["members"][0]["id_number"] = json!(wrong);
        let case = village.try_open("report", json!({ "answers": filled })).await;
        let submitted = match case.status {
            200 => village.try_act(&case.json(), "submit", json!({})).await,
            _ => case,
        };
        let problem = submitted.problem(422, "case.form");
        assert_eq!(problem["faults"][0]["code"], code, "{wrong}: {problem}");
        assert_eq!(paths(&problem)[0], "members[0].id_number");
        assert!(!submitted.text().contains(wrong), "{problem}");
        assert!(problem["faults"][0]["zh"].as_str().is_some_and(|text| !text.is_empty()));
    }
    let short = json!({ "name": "孟秀兰", "id_number": &right[..17] });
    let problem = village.post("/api/v1/invitations", &short).await;
    assert_eq!(problem.problem(422, "request.field")["pointer"], "/id_number");
    assert!(!problem.text().contains(&right[..17]));
}

#[tokio::test]
async fn all_that_is_missing_is_told_at_once() {
    let office = Office::new();
    office.citizen("feng", &head_of(2));
    let citizen = office.person("feng").await;
    citizen.sign().await;
    let mut filled = answers(2);
    filled["family"].as_object_mut().unwrap().remove("phone");
    filled["members"][1].as_object_mut().unwrap().remove("labour_ability");
    let case = citizen.open("declaration", json!({ "answers": filled })).await;
    let problem = citizen.try_act(&case, "submit", json!({})).await.problem(422, "case.form");
    assert_eq!(paths(&problem), ["family.phone", "members[1].labour_ability"]);
    // A draft that is no draft: another kind of value, a field of nothing.
    let broken = json!({ "answers": { "family": { "urban": "yes" }, "wishes": {} } });
    let problem = citizen.try_act(&case, "save", broken.clone()).await.problem(422, "case.form");
    assert_eq!(paths(&problem), ["wishes", "family.urban"]);
    citizen.try_open("declaration", broken).await.problem(422, "case.form");
}

#[tokio::test]
async fn programs_and_large_files_are_refused_whatever_they_are_called() {
    let office = Office::new();
    let village = office.person("cun").await;
    let large = vec![0x4d; 40 * 1024 * 1024];
    let refused = village.upload("/api/v1/attachments", "photo.jpg", large).await;
    let told = refused.problem(413, "request.too_large");
    assert!(told["detail"].as_str().unwrap().contains("bytes"), "{told}");
    // Just too large for an attachment, though the request may be that large.
    let mut photo = vec![0_u8; 20 * 1024 * 1024 + 1];
    photo[..4].copy_from_slice(b"\xff\xd8\xff\xe0");
    let refused = village.upload("/api/v1/attachments", "photo.jpg", photo).await;
    refused.problem(413, "request.too_large");
    let mut windows = b"MZ\x90\x00\x03\x00\x00\x00".to_vec();
    windows.resize(4096, 0);
    let mut linux = b"\x7fELF\x02\x01\x01\x00".to_vec();
    linux.resize(4096, 0);
    let page = b"<html><script>alert(1)</script></html>".to_vec();
    for program in [windows, linux, page] {
        let refused = village.upload("/api/v1/attachments", "photo.jpg", program).await;
        let told = refused.problem(415, "request.content");
        assert!(told["detail"].as_str().is_some_and(|text| !text.is_empty()), "{told}");
    }
    let refused = village.upload("/api/v1/attachments", "photo.jpg", Vec::new()).await;
    refused.problem(400, "request.body");
    let kept = std::fs::read_dir(office.folder.path().join("cases/attachments")).unwrap();
    assert_eq!(kept.count(), 0, "nothing of it was kept");
}

#[tokio::test]
async fn a_double_submit_is_one_case_and_one_step() {
    let office = Office::new();
    let village = office.person("cun").await;
    let opening = json!({ "kind": "report", "command_id": "twice", "region": HERE,
                          "input": { "answers": report(3) } });
    let first = village.post("/api/v1/cases", &opening).await.done();
    let second = village.post("/api/v1/cases", &opening).await.done();
    assert_eq!((&first["id"], &second["version"]), (&second["id"], &json!(1)));
    let submit = json!({ "command": "submit", "command_id": "sent", "version": 1, "input": {} });
    let path = format!("/api/v1/cases/{}/commands", id(&first));
    let one = village.post(&path, &submit).await.done();
    let two = village.post(&path, &submit).await.done();
    assert_eq!((&one["version"], &two["version"]), (&json!(2), &json!(2)));
    assert_eq!(one["events"], two["events"]);
    let listed = village.get("/api/v1/cases?kind=report").await.done();
    assert_eq!(listed["cases"].as_array().unwrap().len(), 1);
    // The number of one command is not another's.
    let mut other = opening.clone();
    other["input"]["answers"]["family"]["cause"] = json!("9");
    village.post("/api/v1/cases", &other).await.problem(409, "case.reused");
    let mut nameless = opening;
    nameless["command_id"] = json!("not a number of ours!");
    village.post("/api/v1/cases", &nameless).await.problem(422, "request.field");
    let digits = json!({ "command_id": "check", "owner": head_of(3) });
    let one = village.post("/api/v1/life-checks", &digits).await.done();
    let two = village.post("/api/v1/life-checks", &digits).await.done();
    assert_eq!((&one["id"], &one["facts"]["digits"]), (&two["id"], &two["facts"]["digits"]));
}

#[tokio::test]
async fn a_stale_edit_changes_nothing() {
    let office = Office::new();
    let village = office.person("cun").await;
    let case = village.open("report", json!({ "answers": report(4) })).await;
    let mut newer = report(4);
    newer["family"]["cause"] = json!("2");
    village.act(&case, "save", json!({ "answers": newer })).await;
    let stale = village.try_act(&case, "save", json!({ "answers": report(4) })).await;
    assert_eq!(stale.problem(409, "case.stale")["found"], 2);
    assert_eq!(village.see(&case).await["answers"]["family"]["cause"], "2");
}

#[tokio::test]
async fn what_may_be_of_a_person_is_looked_for_in_a_body() {
    let office = Office::new();
    let village = office.person("cun").await;
    let case = village.open("report", json!({ "answers": report(4) })).await;
    let id = case["id"].as_str().unwrap();
    let ids = |answered: &Value| -> Vec<String> {
        let cases = answered["cases"].as_array().unwrap().iter();
        cases.map(|case| case["id"].as_str().unwrap().to_owned()).collect()
    };
    let path = "/api/v1/cases/find";
    for text in [&head_of(4), id, id.get(..6).unwrap(), "冯大有"] {
        let found = village.post(path, &json!({ "text": text })).await.done();
        assert_eq!(ids(&found), [id], "{text}");
    }
    let none = village.post(path, &json!({ "text": head_of(5) })).await.done();
    assert!(ids(&none).is_empty());
    let other = office.person("cun2").await;
    let beyond = other.post(path, &json!({ "text": head_of(4) })).await.done();
    assert!(ids(&beyond).is_empty(), "a draft is its writer's, a region its own");
    let by_number = village.get(&format!("/api/v1/cases?text={id}")).await.done();
    assert_eq!(ids(&by_number), [id]);
    let name = village.get("/api/v1/cases?text=%E5%86%AF%E5%A4%A7%E6%9C%89").await;
    name.problem(400, "request.parameter");
}

#[tokio::test]
async fn errors_and_addresses_name_nobody() {
    let office = Office::new();
    let village = office.person("cun").await;
    let number = head_of(5);
    let address = format!("/api/v1/cases?text={number}");
    let refused = village.get(&address).await;
    let told = refused.problem(400, "request.parameter");
    assert!(!refused.text().contains(&number), "{told}");
    let mut said = vec![refused.text()];
    for (path, body) in [
        ("/api/v1/households/find", json!({ "id_number": [number] })),
        ("/api/v1/households/find", json!({ "id_number": number, "x": 1 })),
        ("/api/v1/cases", json!({ "kind": number, "command_id": "a" })),
        ("/api/v1/cases", json!({ "kind": "report", "command_id": number.clone() + "\u{3000}" })),
        ("/api/v1/cases", json!({ "kind": "report", "command_id": "b", "region": number })),
        ("/api/v1/life-checks", json!({ "command_id": "c", "owner": format!("{number}0") })),
        ("/api/v1/invitations/open", json!({ "code": "ABCDEFGH", "id_number": number })),
    ] {
        let answered = village.post(path, &body).await;
        assert!(answered.status >= 400, "{path}: {}", answered.text());
        assert!(answered.status < 500, "{path}: {}", answered.text());
        said.push(answered.text());
    }
    for text in said {
        assert!(!text.contains(&number), "{text}");
    }
}
