//! Signing in and out, passwords, and what no page of this server asks.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use yiku_casework::Role;
use yiku_casework::accounts::Grant;

use crate::people::{self, PASSWORD, Person, cookie, sign_in};
use crate::server::{Server, check_problem};

#[tokio::test]
async fn a_server_of_statistics_only_has_no_doors() {
    let server = Server::new();
    let session = server.get("/api/v1/session").await;
    assert_eq!(session.status, StatusCode::OK);
    let nobody = json!({ "account": null, "platform": false, "demo": false, "oidc": false });
    assert_eq!(session.json(), nobody);
    check_problem(&sign_in(&server, "city", PASSWORD).await, 403, "platform.off");
    for path in ["/api/v1/accounts", "/api/v1/journal", "/api/v1/oidc/start"] {
        check_problem(&server.get(path).await, 403, "platform.off");
    }
}

#[tokio::test]
async fn a_session_begins_and_ends() {
    let server = Server::with_platform(people::open);
    let nobody = Person::nobody(&server);
    let before = nobody.get("/api/v1/session").await.json();
    assert_eq!((&before["account"], &before["platform"]), (&json!(null), &json!(true)));
    check_problem(&nobody.get("/api/v1/meta").await, 401, "session.missing");

    let answered = sign_in(&server, "county-x", PASSWORD).await;
    let kept = answered.header("set-cookie").to_owned();
    for part in ["yiku_session=", "; Path=/", "; HttpOnly", "; SameSite=Lax"] {
        assert!(kept.contains(part), "{kept}");
    }
    assert!(!kept.contains("Secure"), "on this machine lines are not sealed");
    let account = &answered.json()["account"];
    assert_eq!(account["login"], "county-x");
    assert_eq!(account["role"], "county");
    assert_eq!((&account["scope"], &account["scope_name"]), (&json!("140105"), &json!("小店区")));
    assert_eq!(account["must_change"], false);
    let secret = cookie(&answered);
    let secret = secret.split_once('=').unwrap().1;
    assert!(secret.len() >= 32 && !answered.text().contains(secret), "only in the cookie");

    let person = Person::with(&server, cookie(&answered));
    assert_eq!(person.get("/api/v1/session").await.json()["account"]["login"], "county-x");
    assert_eq!(person.get("/api/v1/meta").await.status, StatusCode::OK);
    let ended = person.send("DELETE", "/api/v1/session", None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert!(ended.header("set-cookie").contains("Max-Age=0"), "{}", ended.header("set-cookie"));
    check_problem(&person.get("/api/v1/meta").await, 401, "session.missing");
    let other = Person::with(&server, "yiku_session=nonsense".to_owned());
    check_problem(&other.get("/api/v1/meta").await, 401, "session.missing");
}

#[tokio::test]
async fn a_failed_sign_in_does_not_say_which_part_was_wrong() {
    let server = Server::with_platform(people::open);
    let known = sign_in(&server, "county-x", "Wrong-2026-no").await;
    let unknown = sign_in(&server, "nobody-at-all", "Wrong-2026-no").await;
    check_problem(&known, 401, "session.wrong");
    assert_eq!((known.status, &known.bytes), (unknown.status, &unknown.bytes));
    for login in ["county-x", "nobody-at-all"] {
        let mut last = sign_in(&server, login, "Wrong-2026-no").await;
        for _ in 0..4 {
            last = sign_in(&server, login, "Wrong-2026-no").await;
        }
        let problem = check_problem(&last, 403, "session.locked");
        assert!(problem["until"].as_str().unwrap().starts_with("2026-11-02T09:1"), "{problem}");
    }
    // The right one does not help before the lock opens.
    check_problem(&sign_in(&server, "county-x", PASSWORD).await, 403, "session.locked");
    assert_eq!(sign_in(&server, "county-y", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn sign_ins_stand_in_the_journal_without_their_password() {
    let server = Server::with_platform(people::open);
    sign_in(&server, "county-x", "Wrong-2026-no").await;
    sign_in(&server, "nobody-at-all", "Wrong-2026-no").await;
    let audit = Person::sign_in(&server, "audit").await;
    let journal = audit.get("/api/v1/journal").await;
    let rows = journal.json()["rows"].as_array().unwrap().clone();
    let of = |action: &str| rows.iter().filter(|row| row["action"] == action).count();
    assert_eq!(of("account.create"), people::STAFF.len() + people::CITIZENS.len());
    assert_eq!((of("session.refused"), of("session.start")), (2, 1), "{rows:?}");
    assert!(!journal.text().contains("Wrong-2026-no") && !journal.text().contains(PASSWORD));
    let verified = audit.get("/api/v1/journal/verify").await.json();
    assert_eq!(verified["broken"], json!(null));
    // Whoever looks stands in it too.
    let after = rows.last().unwrap()["seq"].as_u64().unwrap();
    let later = audit.get(&format!("/api/v1/journal?after={after}")).await.json();
    let later: Vec<&str> = later["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["action"].as_str().unwrap())
        .collect();
    assert_eq!(later, ["journal.verify", "journal.read"]);
}

#[tokio::test]
async fn before_a_first_password_is_changed_nothing_else_is_done() {
    let server = Server::with_platform(|folder| {
        let platform = people::open(folder);
        let grant =
            Grant { role: Role::County, scope: "140105", department: None, id_number: None };
        people::establish(&platform, "newcomer", &grant, true);
        platform
    });
    let first = Person::sign_in(&server, "newcomer").await;
    assert_eq!(first.get("/api/v1/session").await.json()["account"]["must_change"], true);
    check_problem(&first.get("/api/v1/meta").await, 403, "session.password");
    check_problem(&first.ask("from person").await, 403, "session.password");
    let change = |old: &str, new: &str| {
        let body = json!({ "old": old, "new": new });
        first.send("POST", "/api/v1/session/password", Some(body))
    };
    let weak = |reason: &'static str, answered| {
        let problem = check_problem(&answered, 422, "password.weak");
        assert_eq!(problem["reason"], reason, "{problem}");
    };
    weak("short", change(PASSWORD, "Ab-1").await);
    weak("classes", change(PASSWORD, "abcdefghijk1").await);
    weak("repeated", change(PASSWORD, PASSWORD).await);
    weak("wrong", change("Wrong-2026-no", "Another-2026-ok").await);
    let changed = change(PASSWORD, "Another-2026-ok").await;
    assert_eq!(changed.json()["account"]["must_change"], false, "{}", changed.text());
    check_problem(&first.get("/api/v1/meta").await, 401, "session.missing");
    let second = Person::with(&server, cookie(&changed));
    assert_eq!(second.get("/api/v1/meta").await.status, StatusCode::OK);
    check_problem(&sign_in(&server, "newcomer", PASSWORD).await, 401, "session.wrong");
}

#[tokio::test]
async fn what_changes_something_comes_from_a_page_of_this_server() {
    let server = Server::with_platform(people::open);
    let system = Person::sign_in(&server, "system").await;
    let forged = |path: &'static str| {
        let request = Request::post(path)
            .header(header::COOKIE, &system.cookie)
            .header(header::CONTENT_TYPE, "application/json");
        let body = json!({ "login": "new", "name": "new" });
        server.send(request.body(Body::from(body.to_string())).unwrap())
    };
    check_problem(&forged("/api/v1/accounts").await, 403, "request.forged");
    check_problem(&forged("/api/v1/session").await, 403, "request.forged");
    let county = Person::sign_in(&server, "county-x").await;
    let question = Request::post("/api/v1/query")
        .header(header::COOKIE, &county.cookie)
        .header(header::CONTENT_TYPE, "application/json");
    let question = question.body(Body::from(json!({ "q": "from person" }).to_string())).unwrap();
    assert_eq!(server.send(question).await.status, StatusCode::OK, "a question changes nothing");
}

#[tokio::test]
async fn an_account_is_made_by_one_and_given_its_role_by_another() {
    let server = Server::with_platform(people::open);
    let system = Person::sign_in(&server, "system").await;
    let security = Person::sign_in(&server, "security").await;
    let body = json!({ "login": "new.worker", "name": "新人" });
    check_problem(&security.post("/api/v1/accounts", body.clone()).await, 403, "right.missing");
    let made = system.post("/api/v1/accounts", body.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let made = made.json();
    let (id, first) = (made["account"]["id"].as_str().unwrap(), made["password"].as_str().unwrap());
    assert_eq!(
        (&made["account"]["role"], &made["account"]["must_change"]),
        (&json!(null), &json!(true))
    );
    check_problem(&system.post("/api/v1/accounts", body).await, 409, "account.exists");
    check_problem(&sign_in(&server, "new.worker", first).await, 401, "session.wrong");

    let path = |what: &str| format!("/api/v1/accounts/{id}/{what}");
    let grant = |scope: &str| json!({ "role": "township", "scope": scope });
    let refused = system.post(&path("grant"), grant("140105001")).await;
    check_problem(&refused, 403, "right.missing");
    let wrong = security.post(&path("grant"), grant("1401")).await;
    check_problem(&wrong, 422, "request.field");
    let granted = security.post(&path("grant"), grant("140105001")).await.json();
    assert_eq!(
        (&granted["role"], &granted["scope_name"]),
        (&json!("township"), &json!("坞城街道"))
    );
    let signed = sign_in(&server, "new.worker", first).await.json();
    assert_eq!(signed["account"]["must_change"], true, "{signed}");

    let reset = security.post(&path("reset"), json!({})).await.json();
    check_problem(&sign_in(&server, "new.worker", first).await, 401, "session.wrong");
    let second = reset["password"].as_str().unwrap();
    let working = sign_in(&server, "new.worker", second).await;
    let working = Person::with(&server, cookie(&working));
    let disabled = system.post(&path("disable"), json!({})).await.json();
    assert_eq!(disabled["state"], "disabled");
    assert_eq!(working.get("/api/v1/session").await.json()["account"], json!(null));
    check_problem(&sign_in(&server, "new.worker", second).await, 401, "session.wrong");
    let listed = system.get("/api/v1/accounts").await.json();
    let listed = listed["accounts"].as_array().unwrap();
    let found = listed.iter().find(|one| one["id"] == id).unwrap();
    assert_eq!((&found["state"], &found["login"]), (&json!("disabled"), &json!("new.worker")));
    let nobody = system.post("/api/v1/accounts/u0/disable", json!({})).await;
    check_problem(&nobody, 404, "account.missing");
}
