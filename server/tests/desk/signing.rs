//! Signed authorisations: the file verifies, and an invitation is good once and for a while.

use serde_json::{Value, json};
use yiku_casework::signature::{FilePlatformKey, PlatformKey, SignatureFile, verify};

use crate::families::{head_of, wife_of};
use crate::office::{HERE, Office, id};

#[tokio::test]
async fn a_signature_file_verifies_and_a_changed_one_does_not() {
    let office = Office::new();
    office.citizen("feng", &head_of(1));
    let citizen = office.person("feng").await;
    let case = citizen.sign().await;
    assert!(case["facts"]["valid_until"].as_str().unwrap().starts_with("2027-11-0"));
    let path = format!("/api/v1/cases/{}/signature", id(&case));
    let file = citizen.get(&path).await;
    assert!(file.headers["content-disposition"].to_str().unwrap().contains(".signature.json"));
    let read = SignatureFile::read(&file.text()).unwrap();
    let key = FilePlatformKey::open(&office.folder.path().join("cases.platform.pem")).unwrap();
    let verified = verify(&read, &key.public_key()).unwrap();
    assert_eq!((verified.signer.name.as_str(), verified.signer.how.as_str()), ("f*", "password"));
    let number = head_of(1);
    let masked = format!("{}**********{}", &number[..4], &number[14..]);
    assert!(read.document.text.contains(&masked), "the text says who signs");
    assert!(!file.text().contains(&number), "and no more than that");
    let changed = file.text().replace("共12个月", "共99个月");
    assert_ne!(changed, file.text(), "the text says for how long");
    let changed = SignatureFile::read(&changed).unwrap();
    assert!(verify(&changed, &key.public_key()).is_err());
    // Another text than the one that was read is not signed.
    let other = json!({ "scope": ["tax"], "months": 6, "digest": read.document.digest,
        "command_id": "other", "pledge": true, "region": HERE });
    citizen.post("/api/v1/authorisations/sign", &other).await.problem(409, "case.stale");
    let mut unread = other.clone();
    unread["pledge"] = json!(false);
    let unread = citizen.post("/api/v1/authorisations/sign", &unread).await;
    assert_eq!(unread.problem(422, "request.field")["pointer"], "/pledge");
}

#[tokio::test]
async fn signing_twice_with_one_number_is_one_signature() {
    let office = Office::new();
    office.citizen("feng", &head_of(2));
    let citizen = office.person("feng").await;
    let wanted = json!({ "scope": ["tax"], "months": 6 });
    let text = citizen.post("/api/v1/authorisations/document", &wanted).await.done();
    let signing = json!({ "scope": ["tax"], "months": 6, "digest": text["digest"],
        "command_id": "once", "pledge": true, "region": HERE });
    let first = citizen.post("/api/v1/authorisations/sign", &signing).await.done();
    let second = citizen.post("/api/v1/authorisations/sign", &signing).await.done();
    assert_eq!(first["id"], second["id"]);
    let mine = citizen.get("/api/v1/mine").await.done();
    assert_eq!(mine["authorisations"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_invitation_is_good_once_for_one_person_and_a_week() {
    let office = Office::new();
    office.citizen("feng", &head_of(3));
    let citizen = office.person("feng").await;
    let wife = wife_of(3);
    let invite = json!({ "name": "孟秀兰", "id_number": wife });
    let mut foreign = invite.clone();
    foreign["case"] = json!("A20260000000000");
    citizen.post("/api/v1/invitations", &foreign).await.problem(404, "case.missing");
    let given = citizen.post("/api/v1/invitations", &invite).await.done();
    let late = citizen.post("/api/v1/invitations", &invite).await.done();
    let open = |code: &Value, number: &str| json!({ "code": code, "id_number": number });
    let path = "/api/v1/invitations/open";
    let nobody = office.nobody();
    let other = nobody.post(path, &open(&given["code"], &head_of(4))).await;
    other.refused("invitation.wrong");
    let opened = nobody.post(path, &open(&given["code"], &wife)).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    let invited = office.with_cookie(&opened);
    // The session is for signing alone.
    invited.get("/api/v1/cases").await.problem(403, "right.missing");
    invited.get("/api/v1/mine").await.problem(403, "right.missing");
    invited.sign().await;
    let used = nobody.post(path, &open(&given["code"], &wife)).await;
    used.refused("invitation.used");
    assert!(!used.text().contains(&wife) && !used.text().contains("孟秀兰"));
    let office = office.later("2026-11-10T09:00:00+08:00");
    let expired = office.nobody().post(path, &open(&late["code"], &wife)).await;
    expired.refused("invitation.expired");
}
