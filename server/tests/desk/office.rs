//! The router over a registry and a platform in a folder, and people who ask it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use serde_json::{Value, json};
use tower::ServiceExt;
use yiku::{Database, Snapshot};
use yiku_casework::Role;
use yiku_casework::accounts::{Cost, Grant};
use yiku_casework::store::Store;
use yiku_indexer::HouseholdRecord;
use yiku_server::{Platform, PlatformSettings, ServerState, Settings, router};

use crate::small;

/// The password of everybody.
const PASSWORD: &str = "Weide-2026-ok";
/// When the platform's clock starts, unless a test says otherwise: a Monday.
pub(crate) const MONDAY: &str = "2026-11-02T09:00:00+08:00";
/// The village in which most of it happens, and one of the neighbouring county.
pub(crate) const HERE: &str = "140105001001";
pub(crate) const THERE: &str = "140106001001";
/// Everybody who works in the small registry: login, role, scope.
const STAFF: [(&str, Role, &str); 9] = [
    ("cun", Role::Village, HERE),
    ("xiang", Role::Township, "140105001"),
    ("xian", Role::County, "140105"),
    ("cun2", Role::Village, THERE),
    ("xiang2", Role::Township, "140106001"),
    ("xian2", Role::County, "140106"),
    ("shi", Role::City, "1401"),
    ("anquan", Role::SecurityAdmin, ""),
    ("shenji", Role::AuditAdmin, ""),
];

/// A server with its folder.
pub(crate) struct Office {
    router: Router,
    state: ServerState,
    database: Database,
    pub(crate) folder: tempfile::TempDir,
    given: AtomicU64,
}

/// What was answered.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answered {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    /// The answer, which must be no problem.
    #[track_caller]
    pub(crate) fn done(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// The problem, which must be of a status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert_eq!((self.status, &problem["code"]), (status, &json!(code)), "{problem}");
        problem
    }

    /// The refusal, which must be of a ground.
    #[track_caller]
    pub(crate) fn refused(&self, ground: &str) -> Value {
        let problem = self.problem(409, "case.refused");
        assert_eq!(problem["ground"], ground, "{problem}");
        assert!(problem["message"]["zh"].is_string(), "{problem}");
        problem
    }
}

fn platform(folder: &Path, now: &str) -> Platform {
    let cases = folder.join("cases");
    let now = Some(now.parse().unwrap());
    let settings = PlatformSettings { cases, now, cost: Cost::CHEAP, ..Default::default() };
    Platform::open(&folder.join("db"), settings).unwrap()
}

fn serve(folder: &Path, now: &str) -> (Router, ServerState, Database) {
    let database = Database::open(&folder.join("db")).unwrap();
    let settings = Settings { threads: 2, ..Settings::default() };
    let platform = Some(platform(folder, now));
    let state = ServerState::with_platform(database.clone(), settings, platform).unwrap();
    (router(state.clone()), state, database)
}

impl Office {
    /// The small registry, with everybody who works there.
    pub(crate) fn new() -> Self {
        Self::at(MONDAY)
    }

    /// The same, at a time.
    pub(crate) fn at(now: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("db");
        drop(small::create(&db));
        // A registry that was loaded from files has the key of the numbers of its persons.
        fs::create_dir_all(db.join("loads")).unwrap();
        fs::write(db.join("loads").join("surrogate.key"), [7; 32]).unwrap();
        let office = Self::within(folder, now);
        for (login, role, scope) in STAFF {
            office.staff(login, role, scope);
        }
        office
    }

    /// Over the database `db` of a folder, without anybody yet.
    pub(crate) fn within(folder: tempfile::TempDir, now: &str) -> Self {
        let (router, state, database) = serve(folder.path(), now);
        Self { router, state, database, folder, given: AtomicU64::new(0) }
    }

    /// The same office at a later time; everybody signs in again.
    pub(crate) fn later(self, now: &str) -> Self {
        let Self { router, state, database, folder, given } = self;
        drop((router, state, database));
        let (router, state, database) = serve(folder.path(), now);
        Self { router, state, database, folder, given }
    }

    /// Makes the account of a citizen.
    pub(crate) fn citizen(&self, login: &str, id_number: &str) {
        let id_number = Some(id_number);
        let grant = Grant { role: Role::Citizen, scope: "", department: None, id_number };
        establish(&platform(self.folder.path(), MONDAY), login, &grant);
    }

    /// Makes the account of a member of staff.
    pub(crate) fn staff(&self, login: &str, role: Role, scope: &str) {
        let department = (role == Role::Department).then_some("medical_insurance");
        let grant = Grant { role, scope, department, id_number: None };
        establish(&platform(self.folder.path(), MONDAY), login, &grant);
    }

    /// What the platform's thread does by and by.
    pub(crate) async fn settle(&self) {
        let state = self.state.clone();
        tokio::task::spawn_blocking(move || state.settle()).await.unwrap().unwrap();
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.database.snapshot().unwrap()
    }

    pub(crate) fn household(&self, key: &str) -> Option<HouseholdRecord> {
        yiku_indexer::household(&self.snapshot(), key).unwrap()
    }

    /// How often a household stands in the registry.
    pub(crate) fn times(&self, key: &str) -> usize {
        keys(&self.snapshot()).iter().filter(|known| *known == key).count()
    }

    /// What the store has on disk.
    pub(crate) fn store_files(&self) -> Vec<Vec<u8>> {
        let cases = self.folder.path().join("cases");
        let read = |name: &str| fs::read(cases.join(name)).unwrap_or_default();
        vec![read("casework.db"), read("casework.db-wal")]
    }

    /// The store of cases, opened aside.
    pub(crate) fn with_store<T>(&self, read: impl FnOnce(&Store) -> T) -> T {
        let aside = platform(self.folder.path(), MONDAY);
        read(aside.store())
    }

    /// A number that no command had yet.
    pub(crate) fn number(&self) -> String {
        format!("command-{}", self.given.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answered { status: parts.status.as_u16(), headers: parts.headers, bytes }
    }

    /// Signs somebody in.
    pub(crate) async fn person(&self, login: &str) -> Person<'_> {
        let body = json!({ "login": login, "password": PASSWORD });
        let answered = self.nobody().post("/api/v1/session", &body).await;
        assert_eq!(answered.status, 200, "{login}: {}", answered.text());
        self.with_cookie(&answered)
    }

    /// Whoever an answer gave a session.
    pub(crate) fn with_cookie(&self, answered: &Answered) -> Person<'_> {
        let set = answered.headers.get("set-cookie").unwrap().to_str().unwrap();
        Person { office: self, cookie: set.split(';').next().unwrap().to_owned() }
    }

    /// Somebody without a session.
    pub(crate) fn nobody(&self) -> Person<'_> {
        Person { office: self, cookie: String::new() }
    }
}

fn establish(platform: &Platform, login: &str, grant: &Grant<'_>) {
    let now = platform.now();
    platform.accounts().establish((login, login), grant, PASSWORD, false, now).unwrap();
}

/// The keys of all live households, each as often as it stands there.
pub(crate) fn keys(snapshot: &Snapshot) -> Vec<String> {
    let mut keys = Vec::new();
    for segment in snapshot.segments() {
        let key = segment.column(0, 0).unwrap();
        for run in segment.live(0).unwrap().runs() {
            key.texts(run, &mut |_, text| keys.extend(text.map(str::to_owned))).unwrap();
        }
    }
    keys
}

/// Somebody who asks.
pub(crate) struct Person<'a> {
    office: &'a Office,
    pub(crate) cookie: String,
}

impl Person<'_> {
    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path).header("x-yiku-request", "1");
        match self.cookie.is_empty() {
            true => request,
            false => request.header(header::COOKIE, &self.cookie),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.office.send(self.request("GET", path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answered {
        let request = self.request("POST", path).header(header::CONTENT_TYPE, "application/json");
        self.office.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Sends a file as it is.
    pub(crate) async fn upload(&self, path: &str, name: &str, bytes: Vec<u8>) -> Answered {
        let request = self.request("POST", path).header("x-file-name", name);
        self.office.send(request.body(Body::from(bytes)).unwrap()).await
    }

    /// The digest of a picture that was sent.
    pub(crate) async fn picture(&self) -> String {
        let sent = self.upload("/api/v1/attachments", "dot.png", DOT.to_vec()).await;
        sent.done()["digest"].as_str().unwrap().to_owned()
    }

    /// Tries to open a case.
    pub(crate) async fn try_open(&self, kind: &str, input: Value) -> Answered {
        let body = json!({ "kind": kind, "command_id": self.office.number(), "region": HERE,
                           "input": input });
        self.post("/api/v1/cases", &body).await
    }

    /// Opens a case.
    pub(crate) async fn open(&self, kind: &str, input: Value) -> Value {
        self.try_open(kind, input).await.done()
    }

    /// A case as it stands.
    pub(crate) async fn see(&self, case: &Value) -> Value {
        self.get(&format!("/api/v1/cases/{}", id(case))).await.done()
    }

    /// Tries a command on a case as it was read.
    pub(crate) async fn try_act(&self, case: &Value, command: &str, input: Value) -> Answered {
        let body = json!({ "command": command, "command_id": self.office.number(),
                           "version": case["version"], "input": input });
        self.post(&format!("/api/v1/cases/{}/commands", id(case)), &body).await
    }

    /// Gives a command to a case as it stands.
    pub(crate) async fn act(&self, case: &Value, command: &str, input: Value) -> Value {
        let now = self.see(case).await;
        let answered = self.try_act(&now, command, input).await;
        assert_eq!(answered.status, 200, "{command}: {}", answered.text());
        answered.json()
    }

    /// Reads and signs the authorisation.
    pub(crate) async fn sign(&self) -> Value {
        let wanted = json!({ "scope": ["civil_affairs", "tax"], "months": 12 });
        let text = self.post("/api/v1/authorisations/document", &wanted).await.done();
        let mut signing = wanted;
        signing["digest"] = text["digest"].clone();
        signing["command_id"] = json!(self.office.number());
        signing["pledge"] = json!(true);
        signing["region"] = json!(HERE);
        self.post("/api/v1/authorisations/sign", &signing).await.done()
    }
}

/// The number of a case.
pub(crate) fn id(case: &Value) -> &str {
    case["id"].as_str().unwrap()
}

/// A picture of one grey dot.
pub(crate) const DOT: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b,
    0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x68, 0x00, 0x00, 0x00,
    0x82, 0x00, 0x81, 0xda, 0x45, 0x08, 0x3b, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae,
    0x42, 0x60, 0x82,
];
