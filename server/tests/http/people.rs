//! A platform with people of two neighbouring counties, and what they ask.

use std::path::Path;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use yiku_casework::Role;
use yiku_casework::accounts::{Cost, Grant};
use yiku_server::{Platform, PlatformSettings};

use crate::server::{Answered, Server};

/// The password of everybody.
pub(crate) const PASSWORD: &str = "Weide-2026-ok";
/// Login, role and scope of everybody who is no citizen: two counties of one city, the city, the
/// province, and who administers.
pub(crate) const STAFF: [(&str, Role, &str); 14] = [
    ("village-x", Role::Village, "140105001001"),
    ("township-x", Role::Township, "140105001"),
    ("county-x", Role::County, "140105"),
    ("department-x", Role::Department, "140105"),
    ("village-y", Role::Village, "140106001001"),
    ("township-y", Role::Township, "140106001"),
    ("county-y", Role::County, "140106"),
    ("department-y", Role::Department, "140106"),
    ("city", Role::City, "1401"),
    ("other-city", Role::City, "1402"),
    ("province", Role::Province, "14"),
    ("system", Role::SystemAdmin, ""),
    ("security", Role::SecurityAdmin, ""),
    ("audit", Role::AuditAdmin, ""),
];
/// Login and ID number of citizens, who do not exist.
pub(crate) const CITIZENS: [(&str, &str); 2] =
    [("citizen-x", "999001198803050125"), ("citizen-y", "999002197506110031")];

/// Settings of a platform in a folder, whose passwords cost nothing to try.
pub(crate) fn settings(folder: &Path) -> PlatformSettings {
    let now = Some("2026-11-02T09:00:00+08:00".parse().unwrap());
    PlatformSettings { cases: folder.join("cases"), now, cost: Cost::CHEAP, ..Default::default() }
}

/// Opens a platform with everybody.
pub(crate) fn open(folder: &Path) -> Platform {
    open_with(folder, settings(folder))
}

/// Opens a platform with everybody, run in a way of its own.
pub(crate) fn open_with(folder: &Path, settings: PlatformSettings) -> Platform {
    let platform = Platform::open(&folder.join("db"), settings).unwrap();
    for (login, role, scope) in STAFF {
        let department = (role == Role::Department).then_some("医保");
        let grant = Grant { role, scope, department, id_number: None };
        establish(&platform, login, &grant, false);
    }
    for (login, id_number) in CITIZENS {
        let id_number = Some(id_number);
        let grant = Grant { role: Role::Citizen, scope: "", department: None, id_number };
        establish(&platform, login, &grant, false);
    }
    platform
}

/// Makes an account with the password of everybody.
pub(crate) fn establish(platform: &Platform, login: &str, grant: &Grant<'_>, must_change: bool) {
    let now = platform.now();
    let made = platform.accounts().establish((login, login), grant, PASSWORD, must_change, now);
    made.unwrap();
}

/// What a browser keeps: the session cookie of who signed in.
pub(crate) struct Person<'a> {
    server: &'a Server,
    pub(crate) cookie: String,
}

impl<'a> Person<'a> {
    /// Signs somebody in.
    pub(crate) async fn sign_in(server: &'a Server, login: &str) -> Self {
        let answered = sign_in(server, login, PASSWORD).await;
        assert_eq!(answered.status.as_u16(), 200, "{login}: {}", answered.text());
        Self::with(server, cookie(&answered))
    }

    /// Whoever has a cookie.
    pub(crate) fn with(server: &'a Server, cookie: String) -> Self {
        Self { server, cookie }
    }

    /// Somebody without a session.
    pub(crate) fn nobody(server: &'a Server) -> Self {
        Self::with(server, String::new())
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answered {
        let mut request = Request::builder().method(method).uri(path).header("x-yiku-request", "1");
        if !self.cookie.is_empty() {
            request = request.header(header::COOKIE, format!("a=b; {}", self.cookie));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.server.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.send("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answered {
        self.send("POST", path, Some(body)).await
    }

    pub(crate) async fn ask(&self, q: &str) -> Answered {
        self.post("/api/v1/query", json!({ "q": q })).await
    }
}

/// Tries to sign in.
pub(crate) async fn sign_in(server: &Server, login: &str, password: &str) -> Answered {
    let body = json!({ "login": login, "password": password });
    Person::nobody(server).post("/api/v1/session", body).await
}

/// The session cookie that an answer has a browser keep.
pub(crate) fn cookie(answered: &Answered) -> String {
    let set = answered.headers("set-cookie");
    let set = set.iter().find(|line| line.starts_with("yiku_session=")).unwrap();
    set.split(';').next().unwrap().to_owned()
}
