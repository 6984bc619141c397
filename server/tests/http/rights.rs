//! Every route as everybody: what the rights file says is what the server does.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use yiku_casework::Role;
use yiku_casework::rights::Rights;

use crate::people::{self, Person};
use crate::server::{Answered, Server};

/// What is answered to everybody, with or without a platform, and is no business.
const OPERATION: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/openapi.json"];

/// The methods that a route could have.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Method and path of everything the description of the interface has.
async fn described(server: &Server) -> BTreeSet<(String, String)> {
    let told = server.get("/openapi.json").await.json();
    let paths = told["paths"].as_object().unwrap().clone();
    let all = paths.into_iter().flat_map(|(path, methods)| {
        let methods: Vec<String> = methods.as_object().unwrap().keys().cloned().collect();
        let path = path.replace("{layer}.geojson", "{file}");
        methods.into_iter().map(move |method| (method.to_uppercase(), path.clone()))
    });
    all.filter(|(_, path)| !OPERATION.contains(&path.as_str())).collect()
}

/// An address of a route: its parts are numbers of nothing.
fn address(path: &str) -> String {
    let parts = [
        ("{code}", "1401"),
        ("{file}", "city.geojson"),
        ("{name}", "assessment"),
        ("{id}", "nothing"),
        ("{key}", "nothing"),
        ("{digest}", "nothing"),
    ];
    parts.iter().fold(path.to_owned(), |path, (part, value)| path.replace(part, value))
}

/// What the guard said: let in, or the code of why not.
fn verdict(answered: &Answered) -> Option<String> {
    let denied = ["right.missing", "session.missing", "request.forged", "session.password"];
    if answered.header("content-type") != "application/problem+json" {
        return None;
    }
    let code = answered.json()["code"].as_str().unwrap_or_default().to_owned();
    denied.contains(&code.as_str()).then_some(code)
}

/// What somebody may, by the rights.
fn expected(rights: &Rights, role: Option<Role>, method: &str, path: &str) -> Option<&'static str> {
    match (rights.allows(role, method, path), role) {
        (true, _) => None,
        (false, Some(_)) => Some("right.missing"),
        (false, None) => Some("session.missing"),
    }
}

#[tokio::test]
async fn every_route_is_in_the_rights_and_nothing_else_is() {
    let server = Server::with_platform(people::open);
    let described = described(&server).await;
    let rights = Rights::built_in().unwrap();
    let named = rights.routes().map(|route| (route.method.clone(), route.path.clone()));
    let named: BTreeSet<(String, String)> = named.collect();
    let missing: Vec<_> = described.difference(&named).collect();
    assert!(missing.is_empty(), "denied to all, for the rights do not have them: {missing:?}");
    let dead: Vec<_> = named.difference(&described).collect();
    assert!(dead.is_empty(), "no such route, or the description has it not: {dead:?}");
}

#[tokio::test]
async fn every_route_answers_whom_the_rights_name_and_nobody_else() {
    let server = Server::with_platform(people::open);
    let routes = described(&server).await;
    let rights = Rights::built_in().unwrap();
    let mut everybody: Vec<(&str, Option<Role>)> = vec![("nobody", None)];
    everybody.extend(people::STAFF.iter().map(|(login, role, _)| (*login, Some(*role))));
    everybody.extend(people::CITIZENS.iter().map(|(login, _)| (*login, Some(Role::Citizen))));
    let mut called = 0;
    for (login, role) in everybody {
        let person = match role {
            Some(_) => Person::sign_in(&server, login).await,
            None => Person::nobody(&server),
        };
        for (method, path) in &routes {
            // Signing out would end what the next route is asked with.
            if method == "DELETE" && path == "/api/v1/session" {
                continue;
            }
            let body = (method != "GET").then(|| json!({}));
            let answered = person.send(method, &address(path), body).await;
            let expected = expected(&rights, role, method, path).map(str::to_owned);
            assert_eq!(verdict(&answered), expected, "{login}: {method} {path}: {answered:?}");
            called += 1;
        }
    }
    assert!(called > 17 * 20, "{called}");
}

#[tokio::test]
async fn a_method_that_the_rights_do_not_name_is_denied() {
    let server = Server::with_platform(people::open);
    let routes = described(&server).await;
    let paths: BTreeSet<&String> = routes.iter().map(|(_, path)| path).collect();
    for login in ["province", "system", "citizen-x"] {
        let person = Person::sign_in(&server, login).await;
        for path in &paths {
            for method in METHODS {
                if routes.contains(&(method.to_owned(), (*path).clone())) {
                    continue;
                }
                let answered = person.send(method, &address(path), None).await;
                let told = verdict(&answered);
                assert_eq!(told.as_deref(), Some("right.missing"), "{login}: {method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn head_is_no_way_around() {
    let server = Server::with_platform(people::open);
    for path in ["/api/v1/meta", "/api/v1/journal", "/api/v1/accounts"] {
        let head = Request::head(path).body(Body::empty()).unwrap();
        assert_eq!(server.send(head).await.status.as_u16(), 401, "{path}");
    }
    let audit = Person::sign_in(&server, "audit").await;
    assert_eq!(audit.send("HEAD", "/api/v1/journal", None).await.status.as_u16(), 200);
    assert_eq!(audit.send("HEAD", "/api/v1/meta", None).await.status.as_u16(), 403);
    // Spelled otherwise it is no route at all.
    for path in ["/api/v1//meta", "/api/v1/meta/", "/API/v1/meta", "/api/v1/%6deta"] {
        let answered = Person::nobody(&server).get(path).await;
        let told: Option<Value> = serde_json::from_slice(&answered.bytes).ok();
        let figures = told.is_some_and(|told| told.get("tables").is_some());
        assert!(!figures, "{path}: {}", answered.text());
    }
}

/// What is asked of a case, or of a household: method, path, body.
type Asked = (&'static str, String, Option<Value>);

fn of_case(id: &str) -> Vec<Asked> {
    let case = format!("/api/v1/cases/{id}");
    let command = json!({
        "command": "visit_result", "command_id": "a-command", "version": 1, "input": {}
    });
    let reveal = json!({ "path": "members[0].id_number", "reason": "核实身份信息" });
    vec![
        ("GET", case.clone(), None),
        ("POST", format!("{case}/commands"), Some(command)),
        ("POST", format!("{case}/reveal"), Some(reveal)),
        ("GET", format!("{case}/signature"), None),
        ("GET", format!("{case}/attachments/{}", "0".repeat(64)), None),
        ("POST", format!("/api/v1/life-checks/{id}/recording"), Some(json!({}))),
    ]
}

/// The pattern of an address of a case.
fn pattern(path: &str, id: &str) -> String {
    path.replace(id, "{id}").replace(&"0".repeat(64), "{digest}")
}

#[tokio::test]
async fn a_case_of_the_neighbour_is_not_there() {
    let server = Server::with_platform(people::open);
    let rights = Rights::built_in().unwrap();
    let owner = Person::sign_in(&server, "citizen-x").await;
    let opening = json!({
        "kind": "life_check", "command_id": "the-first", "region": "140105001001", "input": {}
    });
    let opened = owner.post("/api/v1/cases", opening).await;
    assert_eq!(opened.status.as_u16(), 200, "{opened:?}");
    let id = opened.json()["id"].as_str().unwrap().to_owned();
    // It is there for its owner and for those of its region, all the way up.
    for login in ["citizen-x", "village-x", "township-x", "county-x", "city", "province"] {
        let person = Person::sign_in(&server, login).await;
        let shown = person.get(&format!("/api/v1/cases/{id}")).await;
        assert_eq!(shown.status.as_u16(), 200, "{login}: {shown:?}");
    }
    let others = ["village-y", "township-y", "county-y", "department-y", "other-city", "citizen-y"];
    for login in others {
        let role = people::STAFF.iter().find(|(one, ..)| *one == login);
        let role = role.map_or(Role::Citizen, |(_, role, _)| *role);
        let person = Person::sign_in(&server, login).await;
        for (method, path, body) in of_case(&id) {
            let answered = person.send(method, &path, body).await;
            let allowed = rights.allows(Some(role), method, &pattern(&path, &id));
            let expected = if allowed { "case.missing" } else { "right.missing" };
            assert_eq!(answered.json()["code"], expected, "{login}: {method} {path}: {answered:?}");
        }
        let listed = person.get("/api/v1/cases").await;
        assert_eq!(listed.json()["cases"], json!([]), "{login}");
        // A number of nothing is answered alike: nobody learns which numbers there are.
        let nothing = person.get("/api/v1/cases/nothing").await;
        let theirs = person.get(&format!("/api/v1/cases/{id}")).await;
        assert_eq!(theirs.json(), nothing.json(), "{login}");
    }
}

#[tokio::test]
async fn a_household_of_the_neighbour_is_not_there() {
    let server = Server::with_platform(people::open);
    // H001 lives in the one county, H000 in the other.
    for (login, own, other) in [
        ("village-x", "H001", "H000"),
        ("county-x", "H001", "H000"),
        ("village-y", "H000", "H001"),
        ("township-y", "H000", "H001"),
    ] {
        let person = Person::sign_in(&server, login).await;
        for beneath in ["", "/chain"] {
            let path = |key: &str| format!("/api/v1/households/{key}{beneath}");
            let shown = person.get(&path(own)).await;
            assert_eq!(shown.status.as_u16(), 200, "{login}: {shown:?}");
            let hidden = person.get(&path(other)).await;
            assert_eq!(hidden.status.as_u16(), 404, "{login}: {hidden:?}");
            let nothing = person.get(&path("H999")).await;
            assert_eq!(hidden.json(), nothing.json(), "{login}: {hidden:?}");
        }
    }
}
