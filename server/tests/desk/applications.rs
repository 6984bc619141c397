//! An application from the draft to the payment list, and the rules that stand in its way.

use serde_json::{Value, json};

use crate::families::{application, head_of, wife_of};
use crate::office::{Office, Person, id};
use crate::surveys;

/// 580 yuan a month for each of three, less 800: the rural standard of 2026 is 6 960 a year.
const AMOUNT: i64 = 94_000;

/// A member of the family signs from elsewhere, by an invitation.
async fn sign_by_invitation(office: &Office, citizen: &Person<'_>, number: &str) {
    let invited = json!({ "name": "孟秀兰", "id_number": number });
    let code = citizen.post("/api/v1/invitations", &invited).await.done()["code"].clone();
    let opening = json!({ "code": code, "id_number": number });
    let opened = office.nobody().post("/api/v1/invitations/open", &opening).await;
    assert_eq!(opened.done()["name"], "孟*");
    let signed = office.with_cookie(&opened).sign().await;
    assert_eq!((&signed["kind"], &signed["state"]), (&json!("authorisation"), &json!("signed")));
}

/// Submitted, with the whole family's authorisation, up to the township's review.
async fn reviewed(office: &Office, family: u32) -> Value {
    office.citizen("feng", &head_of(family));
    let citizen = office.person("feng").await;
    let (village, township) = (office.person("cun").await, office.person("xiang").await);
    let input = json!({ "aid": "dibao", "answers": application(family) });
    let case = citizen.open("application", input).await;
    citizen.sign().await;
    citizen.try_act(&case, "submit", json!({})).await.refused("application.notice_unread");
    citizen.act(&case, "submit", json!({ "notice_read": true })).await;
    township.act(&case, "accept", json!({})).await;

    // Nobody is checked who did not agree; the child need not.
    let now = township.see(&case).await;
    let refused = township.try_act(&now, "check", json!({})).await;
    let told = refused.refused("authorisation.missing");
    assert!(told["message"]["zh"].as_str().unwrap().contains("孟*"), "{told}");
    assert!(!told["message"]["zh"].as_str().unwrap().contains("冯"), "{told}");
    assert!(!refused.text().contains(&wife_of(family)), "{told}");
    sign_by_invitation(office, &citizen, &wife_of(family)).await;
    let checked = township.act(&case, "check", json!({})).await;
    let survey = surveys::opened_for(&checked);
    let early = township.try_act(&checked, "record_survey", json!({ "survey": survey })).await;
    early.refused("survey.incomplete");
    surveys::complete(&village, &survey).await;
    township.act(&case, "record_survey", json!({ "survey": survey })).await;
    let review = json!({ "opinion": "support", "reason": "情况属实。" });
    township.act(&case, "review", review).await
}

#[tokio::test]
async fn an_application_is_paid_with_the_right_amount() {
    let office = Office::new();
    let case = reviewed(&office, 1).await;
    assert_eq!(case["facts"]["review"]["amount"], AMOUNT);
    let (township, county) = (office.person("xiang").await, office.person("xian").await);
    county
        .try_act(&case, "confirm", json!({ "amount": AMOUNT }))
        .await
        .refused("application.unposted");
    let posted = township.act(&case, "post", json!({})).await;
    let posting = posted["facts"]["posting"].as_object().unwrap();
    let mut shown: Vec<&str> = posting.keys().map(String::as_str).collect();
    shown.sort_unstable();
    assert_eq!(shown, ["aid", "aid_label", "amount", "members", "name", "region"]);
    assert_eq!(posting["name"], "冯*");
    let confirm = json!({ "amount": AMOUNT });
    let early = county.try_act(&posted, "confirm", confirm.clone()).await;
    early.refused("application.posting_running");
    // Who reviewed does not confirm.
    township.try_act(&posted, "confirm", confirm.clone()).await.refused("role.wrong");

    let office = office.later("2026-11-11T09:00:00+08:00");
    let county = office.person("xian").await;
    let wrong = county.try_act(&posted, "confirm", json!({ "amount": AMOUNT + 1 })).await;
    wrong.refused("application.amount_deviates");
    let confirmed = county.act(&case, "confirm", confirm).await;
    assert_eq!(confirmed["facts"]["decision"]["calculated"], AMOUNT);
    let paying = county.act(&case, "pay", json!({})).await;
    assert_eq!(paying["state"], "paying");
    let none = county.get("/api/v1/payments?month=2026-11").await.done();
    assert_eq!((&none["total"], &none["payments"]), (&json!(0), &json!([])));
    let list = county.get("/api/v1/payments?month=2026-12").await.done();
    assert_eq!(list["total"], AMOUNT);
    assert_eq!(list["payments"].as_array().unwrap().len(), 1);
    assert!(!list.to_string().contains("冯大有"), "{list}");
    assert!(list["payments"][0].get("owner").is_none(), "{list}");
    let neighbour = office.person("xian2").await;
    let other = neighbour.get("/api/v1/payments?month=2026-12").await.done();
    assert_eq!(other["payments"], json!([]));

    office.settle().await;
    let key = format!("C{}", id(&case));
    let record = office.household(&key).unwrap();
    let aid = record.persons.iter().flat_map(|person| &person.aid);
    let paid: Vec<i64> = aid.map(|aid| aid["amount"].as_i64().unwrap()).collect();
    assert_eq!((paid.len(), paid.iter().sum::<i64>()), (3, AMOUNT), "{paid:?}");
    assert_eq!(office.times(&key), 1);
}

#[tokio::test]
async fn who_reviewed_does_not_confirm_even_in_another_role() {
    let office = Office::new();
    let case = reviewed(&office, 2).await;
    let township = office.person("xiang").await;
    let posted = township.act(&case, "post", json!({})).await;
    let account = township.get("/api/v1/session").await.done()["account"]["id"].clone();
    let office = office.later("2026-11-11T09:00:00+08:00");
    let security = office.person("anquan").await;
    let path = format!("/api/v1/accounts/{}/grant", account.as_str().unwrap());
    let grant = json!({ "role": "county", "scope": "140105" });
    security.post(&path, &grant).await.done();
    let moved = office.person("xiang").await;
    let refused = moved.try_act(&posted, "confirm", json!({ "amount": AMOUNT })).await;
    refused.refused("four_eyes");
}
