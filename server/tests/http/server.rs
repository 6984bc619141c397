//! The router over the small registry, and what it answers.

use std::path::Path;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;
use yiku::Database;
use yiku_server::{Platform, ServerState, Settings, router};

use crate::small;

/// The program's router over the small registry.
pub(crate) struct Server {
    router: Router,
    pub(crate) database: Database,
    pub(crate) folder: tempfile::TempDir,
}

/// What was answered.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl std::fmt::Debug for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.status, self.text())
    }
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Every header of a name.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    pub(crate) fn column(&self, name: &str) -> Value {
        column(&self.json(), name)
    }
}

pub(crate) fn column(answer: &Value, name: &str) -> Value {
    let columns = answer["columns"].as_array().unwrap();
    columns.iter().find(|column| column["name"] == name).unwrap()["values"].clone()
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::with(Settings { threads: 2, ..Settings::default() })
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("db");
        let database = small::create(&db);
        let settings = Settings { folder: Some(db), ..settings };
        let state = ServerState::new(database.clone(), settings).unwrap();
        Self { router: router(state), database, folder }
    }

    /// The same over a platform that `open` makes in the folder.
    pub(crate) fn with_platform(open: impl FnOnce(&Path) -> Platform) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = small::create(&folder.path().join("db"));
        let settings = Settings { threads: 2, ..Settings::default() };
        let platform = Some(open(folder.path()));
        let state = ServerState::with_platform(database.clone(), settings, platform).unwrap();
        Self { router: router(state), database, folder }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        // What is told as it happens has no end: that it begins is all there is to read.
        let kind = parts.headers.get(header::CONTENT_TYPE);
        let endless = kind.is_some_and(|kind| kind == "text/event-stream");
        let bytes = match endless {
            true => Vec::new(),
            false => to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        };
        Answered { status: parts.status, headers: parts.headers, bytes }
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl ToString) -> Answered {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn ask(&self, q: &str) -> Answered {
        self.post("/api/v1/query", json!({ "q": q })).await
    }
}

pub(crate) fn check_problem(answered: &Answered, status: u16, code: &str) -> Value {
    let problem = answered.json();
    assert_eq!(answered.status.as_u16(), status, "{problem}");
    assert_eq!(answered.header("content-type"), "application/problem+json");
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], format!("urn:yiku:problem:{code}"));
    assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
    problem
}

/// A sum over the households of the small registry.
pub(crate) fn sum(of: impl Fn(i64) -> i64) -> i64 {
    (0..=small::HOUSEHOLDS).map(of).sum()
}
