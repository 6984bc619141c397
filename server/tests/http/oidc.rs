//! Sign-in of citizens through another service: a real one, from a package, on this machine.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use yiku_server::platform::oidc::{ID_NUMBER_CLAIM, OidcSettings};

use crate::people::{self, Person, cookie};
use crate::server::{Answered, Server, check_problem};

/// The name under which a browser reaches the server.
const HOST: &str = "127.0.0.1:18080";
const BACK: &str = "http://127.0.0.1:18080/api/v1/oidc/callback";
const SECRET: &str = "a-secret-of-the-tests-only-0123456789";

/// The service, until it is dropped.
struct Service {
    child: Child,
    issuer: String,
    /// Kept open: a process that nobody listens to ends when it says something.
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    fn start(mode: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/oidc");
        let there = folder.join("node_modules/oidc-provider").is_dir();
        assert!(there, "the sign-in service is not installed: run `make setup`");
        let child = Command::new("node")
            .arg(folder.join("server.js"))
            .args([BACK, mode])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.unwrap_or_else(|error| panic!("node does not start: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = lines.by_ref().map(Result::unwrap);
        let issuer = told.find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
        Self { issuer: issuer.unwrap(), child, _lines: lines }
    }

    /// A platform whose citizens sign in here, or at what `issuer` makes of this address.
    fn server(&self, issuer: impl FnOnce(&str) -> String) -> Server {
        let issuer = issuer(&self.issuer);
        Server::with_platform(|folder| {
            let secret = folder.join("secret");
            std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
            let oidc = OidcSettings {
                issuer,
                client: "yiku".to_owned(),
                secret_file: Some(secret),
                id_number_claim: ID_NUMBER_CLAIM.to_owned(),
                scope: None,
            };
            let settings = people::settings(folder);
            let settings = yiku_server::PlatformSettings { oidc: Some(oidc), ..settings };
            people::open_with(folder, settings)
        })
    }
}

/// A browser at the service: it follows where it is sent, with the service's cookies, until it is
/// sent back to the server.
struct Browser {
    agent: ureq::Agent,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new() -> Self {
        let agent = ureq::Agent::config_builder().max_redirects(0).proxy(None);
        let agent = agent.http_status_as_error(false).build().into();
        Self { agent, cookies: BTreeMap::new() }
    }

    fn get(&mut self, address: &str) -> (u16, Option<String>) {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let answered = self.agent.get(address).header("cookie", cookies).call().unwrap();
        for line in answered.headers().get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = answered.headers().get("location");
        (answered.status().as_u16(), location.map(|to| to.to_str().unwrap().to_owned()))
    }

    /// Signs in at the service as somebody; gives the address it is sent back to.
    fn sign_in(&mut self, issuer: &str, address: &str, who: &str) -> String {
        let mut address = address.to_owned();
        for _ in 0..8 {
            let (status, location) = self.get(&address);
            let Some(location) = location else { panic!("{address} answers {status}") };
            if location.starts_with(BACK) {
                return location;
            }
            let location = match location.starts_with('/') {
                true => format!("{issuer}{location}"),
                false => location,
            };
            // Where the service asks who it is, somebody presses a button.
            let asks = location.contains("/interaction/");
            address = if asks { format!("{location}/{who}") } else { location };
        }
        panic!("no way back from {address}");
    }
}

/// A sign-in that was begun: where the browser was sent, and what it keeps.
struct Begun {
    to: String,
    kept: String,
}

async fn ask(server: &Server, address: &str, kept: &str) -> Answered {
    let path = address.strip_prefix("http://127.0.0.1:18080").unwrap_or(address);
    let request = Request::get(path).header(header::HOST, HOST).header(header::COOKIE, kept);
    server.send(request.body(Body::empty()).unwrap()).await
}

async fn begin(server: &Server, next: &str) -> Begun {
    let answered = ask(server, &format!("/api/v1/oidc/start{next}"), "a=b").await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER, "{answered:?}");
    let kept = answered.header("set-cookie");
    assert!(kept.contains("HttpOnly") && kept.contains("Path=/api/v1/oidc"), "{kept}");
    let kept = kept.split(';').next().unwrap().to_owned();
    Begun { to: answered.header("location").to_owned(), kept }
}

/// The value of a parameter of an address.
fn parameter(address: &str, name: &str) -> String {
    let found = address.split(['?', '&']).find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    found.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_citizen_signs_in_through_the_service() {
    let service = Service::start("");
    let server = service.server(str::to_owned);
    let begun = begin(&server, "?next=%2Fpublic%2Fcases").await;
    for (name, expected) in [
        ("response_type", "code"),
        ("client_id", "yiku"),
        ("code_challenge_method", "S256"),
        ("scope", "openid+profile"),
    ] {
        assert_eq!(parameter(&begun.to, name), expected, "{}", begun.to);
    }
    let random = ["state", "nonce", "code_challenge"].map(|name| parameter(&begun.to, name));
    assert!(random.iter().all(|value| value.len() >= 20), "{random:?}");

    let back = Browser::new().sign_in(&service.issuer, &begun.to, "li");
    let answered = ask(&server, &back, &begun.kept).await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER, "{answered:?}");
    assert_eq!(answered.header("location"), "/public/cases");
    let person = Person::with(&server, cookie(&answered));
    let account = person.get("/api/v1/session").await.json()["account"].clone();
    // Their ID number is that of a citizen who has an account here already: it is the same one.
    assert_eq!((&account["role"], &account["login"]), (&json!("citizen"), &json!("citizen-x")));
    assert_eq!(account["must_change"], false);
    // The same person comes again, and is the same account.
    let begun = begin(&server, "").await;
    let back = Browser::new().sign_in(&service.issuer, &begun.to, "li");
    let again = ask(&server, &back, &begun.kept).await;
    assert_eq!(again.header("location"), "/public");
    let again = Person::with(&server, cookie(&again)).get("/api/v1/session").await.json();
    assert_eq!(again["account"]["id"], account["id"]);
    let begun = begin(&server, "").await;
    let back = Browser::new().sign_in(&service.issuer, &begun.to, "wang");
    let other = ask(&server, &back, &begun.kept).await;
    let other = Person::with(&server, cookie(&other)).get("/api/v1/session").await.json();
    assert_ne!(other["account"]["id"], account["id"]);
    assert_eq!(other["account"]["name"], "王无名");
    assert_eq!(other["account"]["role"], "citizen");
}

#[tokio::test]
async fn what_was_not_begun_here_is_refused() {
    let service = Service::start("");
    let server = service.server(str::to_owned);
    let begun = begin(&server, "").await;
    let back = Browser::new().sign_in(&service.issuer, &begun.to, "li");
    let (code, state) = (parameter(&back, "code"), parameter(&back, "state"));
    let refused = |address: String, kept: String| {
        let server = &server;
        async move {
            let answered = ask(server, &address, &kept).await;
            let set = answered.headers("set-cookie");
            assert!(!set.iter().any(|line| line.starts_with("yiku_session=")), "{set:?}");
            check_problem(&answered, 400, "oidc.state");
        }
    };
    // A state that nobody gave, none at all, and another browser with the right one.
    let wrong = back.replace(&state, "AAAAAAAAAAAAAAAAAAAAAA");
    refused(wrong, begun.kept.clone()).await;
    refused(format!("{BACK}?code={code}"), begun.kept.clone()).await;
    refused(back.clone(), "a=b".to_owned()).await;
    refused(back.clone(), "yiku_signing=AAAAAAAAAAAAAAAAAAAAAA".to_owned()).await;
    // None of these spoiled it for the browser that began it; once is once, though.
    let done = ask(&server, &back, &begun.kept).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{done:?}");
    refused(back.clone(), begun.kept.clone()).await;

    // The code of before in a sign-in of one's own: the service does not give anything for it.
    let fresh = begin(&server, "").await;
    let replayed = format!("{BACK}?code={code}&state={}", parameter(&fresh.to, "state"));
    let answered = ask(&server, &replayed, &fresh.kept).await;
    let problem = check_problem(&answered, 403, "oidc.refused");
    assert!(problem["detail"].as_str().unwrap().contains("invalid_grant"), "{problem}");
    // Another's fresh code, caught on its way, is bound to the sign-in that asked for it.
    let (theirs, ours) = (begin(&server, "").await, begin(&server, "").await);
    let caught = Browser::new().sign_in(&service.issuer, &theirs.to, "wang");
    let (code, state) = (parameter(&caught, "code"), parameter(&ours.to, "state"));
    let answered = ask(&server, &format!("{BACK}?code={code}&state={state}"), &ours.kept).await;
    check_problem(&answered, 403, "oidc.refused");
}

#[tokio::test]
async fn a_foreign_service_is_not_believed() {
    let service = Service::start("");
    let server = service.server(str::to_owned);
    let begun = begin(&server, "").await;
    let back = Browser::new().sign_in(&service.issuer, &begun.to, "li");
    let issuer = parameter(&back, "iss");
    assert!(!issuer.is_empty(), "{back}");
    let foreign = back.replace(&issuer, "https%3A%2F%2Fevil.example");
    check_problem(&ask(&server, &foreign, &begun.kept).await, 403, "oidc.token");

    // A service that describes itself under another name than the one it was given.
    let foreign = Service::start("foreign");
    let server = foreign.server(str::to_owned);
    check_problem(&ask(&server, "/api/v1/oidc/start", "a=b").await, 403, "oidc.token");
    // One that is not there.
    let server = service.server(|_| "http://127.0.0.1:9".to_owned());
    let answered = ask(&server, "/api/v1/oidc/start", "a=b").await;
    let problem = check_problem(&answered, 502, "oidc.provider");
    assert_eq!(problem.get("detail"), None, "the cause is for the log");
}

#[tokio::test]
async fn who_declines_or_is_not_told_is_not_signed_in() {
    let service = Service::start("");
    let server = service.server(str::to_owned);
    let begun = begin(&server, "").await;
    let back = Browser::new().sign_in(&service.issuer, &begun.to, "no");
    let problem = check_problem(&ask(&server, &back, &begun.kept).await, 403, "oidc.refused");
    assert!(problem["detail"].as_str().unwrap().contains("access_denied"), "{problem}");
    // A person in a browser is sent to the page of signing in, which has words for it.
    let begun = begin(&server, "").await;
    let back = Browser::new().sign_in(&service.issuer, &begun.to, "no");
    let path = back.strip_prefix("http://127.0.0.1:18080").unwrap();
    let request = Request::get(path)
        .header(header::HOST, HOST)
        .header(header::COOKIE, &begun.kept)
        .header(header::ACCEPT, "text/html,*/*");
    let shown = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(shown.header("location"), "/sign?problem=oidc.refused");

    let silent = Service::start("silent");
    let server = silent.server(str::to_owned);
    let begun = begin(&server, "").await;
    let back = Browser::new().sign_in(&silent.issuer, &begun.to, "li");
    let problem = check_problem(&ask(&server, &back, &begun.kept).await, 403, "oidc.token");
    assert!(problem["detail"].as_str().unwrap().contains("`id_number`"), "{problem}");
}

#[tokio::test]
async fn a_name_of_the_service_stays_the_same_person() {
    let service = Service::start("");
    let server = service.server(str::to_owned);
    let begun = begin(&server, "").await;
    let back = Browser::new().sign_in(&service.issuer, &begun.to, "wang");
    assert_eq!(ask(&server, &back, &begun.kept).await.status, StatusCode::SEE_OTHER);
    let (status, _) = Browser::new().get(&format!("{}/changed", service.issuer));
    assert_eq!(status, 200);
    let begun = begin(&server, "").await;
    let back = Browser::new().sign_in(&service.issuer, &begun.to, "wang");
    let problem = check_problem(&ask(&server, &back, &begun.kept).await, 403, "oidc.token");
    assert!(problem["detail"].as_str().unwrap().contains("another person"), "{problem}");
}

#[tokio::test]
async fn a_server_without_a_service_says_so() {
    let server = Server::with_platform(people::open);
    check_problem(&ask(&server, "/api/v1/oidc/start", "a=b").await, 404, "oidc.off");
    let session = server.get("/api/v1/session").await.json();
    assert_eq!(session["oidc"], false);
}
