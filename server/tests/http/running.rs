//! What stands before all routes, what operators ask, and the page.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use yiku_server::Settings;

use crate::server::{Server, check_problem, sum};
use crate::small;

#[tokio::test]
async fn addresses_and_methods_are_those_of_the_interface() {
    let server = Server::new();
    check_problem(&server.get("/api/v1/nothing").await, 404, "request.route");
    check_problem(&server.get("/api/v2/query").await, 404, "request.route");
    check_problem(&server.get("/api").await, 404, "request.route");
    check_problem(&server.get("/api/v1/batch").await, 405, "request.method");
    let delete = Request::delete("/api/v1/meta").body(Body::empty()).unwrap();
    check_problem(&server.send(delete).await, 405, "request.method");
    let post = Request::post("/").body(Body::empty()).unwrap();
    check_problem(&server.send(post).await, 405, "request.method");
    let post = Request::post("/").body(Body::empty()).unwrap();
    assert_eq!(server.send(post).await.header("allow"), "GET,HEAD");
    for path in ["/api/v1/areas/%ff", "/api/v1/map/%ff.geojson"] {
        check_problem(&server.get(path).await, 404, "request.route");
    }
    let long = server.get(&format!("/api/v1/areas/{}", "1".repeat(5_000))).await;
    check_problem(&long, 404, "area.unknown");
    assert!(long.bytes.len() < 2_000, "{} bytes for a code that is none", long.bytes.len());
    let head = Request::head("/api/v1/meta").body(Body::empty()).unwrap();
    let head = server.send(head).await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    // What the description has, the router takes.
    let told = server.get("/openapi.json").await.json();
    for (path, methods) in told["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let path = path.replace("{code}", "14").replace("{layer}", "city");
            let request = Request::builder().method(method.to_uppercase().as_str()).uri(&path);
            let answered = server.send(request.body(Body::empty()).unwrap()).await;
            let refused = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
            assert!(!refused.contains(&answered.status), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn operation_is_told() {
    let server = Server::new();
    assert_eq!(server.get("/healthz").await.json(), json!({ "status": "ok" }));
    let ready = server.get("/readyz").await.json();
    assert_eq!(ready, json!({ "status": "ready", "data_version": "2" }));
    server.get("/api/v1/areas/14").await;
    server.ask("from nothing").await;
    let metrics = server.get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain"));
    let text = metrics.text();
    for expected in [
        "yiku_requests_total{route=\"/api/v1/areas/{code}\",status=\"200\"} 1\n",
        "yiku_requests_total{route=\"/api/v1/query\",status=\"400\"} 1\n",
        "yiku_data_version 2\n",
        "yiku_requests_waiting 0\n",
        "# TYPE yiku_answers_total counter\n",
        "yiku_answers_total{how=\"kept\"} 0\n",
        "yiku_questions_running 0\n",
        "yiku_memory_bytes 0\n",
        &format!("yiku_rows{{table=\"person\"}} {}\n", sum(small::size)),
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_read_is_a_fault_without_its_cause() {
    let server = Server::new();
    std::fs::remove_file(server.folder.path().join("db/CURRENT")).unwrap();
    for path in ["/readyz", "/api/v1/meta"] {
        let answered = server.get(path).await;
        let problem = check_problem(&answered, 503, "server.database");
        assert_eq!(problem.get("detail"), None);
        assert!(problem["instance"].as_str().unwrap().starts_with("urn:yiku:fault:"));
        assert!(!answered.text().contains("CURRENT"));
    }
    assert_eq!(server.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn too_many_and_too_slow_are_refused() {
    let busy = Server::with(Settings { questions: 0, waiting_max: 0, ..Settings::default() });
    let answered = busy.get("/api/v1/meta").await;
    check_problem(&answered, 503, "server.busy");
    assert_eq!(answered.header("retry-after"), "1");
    assert_eq!(busy.get("/readyz").await.status, StatusCode::OK, "busy is not unready");
    let deadline = Duration::from_millis(10);
    let slow =
        Server::with(Settings { questions: 0, waiting_max: 1, deadline, ..Settings::default() });
    check_problem(&slow.get("/api/v1/meta").await, 504, "server.deadline");
}

#[tokio::test]
async fn only_this_machine_is_answered_under_its_own_name() {
    let server = Server::new();
    let ask = |host: &'static str| {
        let request = Request::get("/api/v1/meta").header(header::HOST, host);
        server.send(request.body(Body::empty()).unwrap())
    };
    for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
        assert_eq!(ask(host).await.status, StatusCode::OK, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example:8080", "10.0.0.7"] {
        check_problem(&ask(host).await, 421, "request.host");
    }
    let open = Server::with(Settings { loopback: false, ..Settings::default() });
    let request = Request::get("/healthz").header(header::HOST, "yiku.example");
    let answered = open.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answered.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_is_safe_to_show() {
    let server = Server::new();
    for path in ["/", "/api/v1/meta", "/api/v1/nothing", "/assets/none.js", "/metrics"] {
        let answered = server.get(path).await;
        let policy = answered.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
        assert!(!policy.contains("unsafe-eval") && !policy.contains("script-src 'self' "));
        assert_eq!(answered.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answered.header("access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_can_read_them() {
    let server = Server::new();
    let request = Request::get("/api/v1/map/county.geojson").header("accept-encoding", "gzip");
    let packed = server.send(request.body(Body::empty()).unwrap()).await;
    let plain = server.get("/api/v1/map/county.geojson").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.bytes.len() * 2 < plain.bytes.len());
    assert_eq!(packed.header("etag"), plain.header("etag"));
}

#[tokio::test]
async fn the_page_is_in_the_program() {
    let server = Server::new();
    let index = server.get("/").await;
    if index.status == StatusCode::NOT_FOUND {
        // Built without the page: it says so, and how to build it.
        let problem = check_problem(&index, 404, "page.missing");
        assert!(problem["detail"].as_str().unwrap().contains("make"));
        return;
    }
    assert_eq!(index.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(index.header("cache-control"), "no-cache");
    let text = index.text();
    let script = text.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let asset = server.get(script).await;
    assert_eq!(asset.status, StatusCode::OK, "{script}");
    assert_eq!(asset.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
    let known = Request::get("/").header(header::IF_NONE_MATCH, index.header("etag"));
    let known = server.send(known.body(Body::empty()).unwrap()).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    assert_eq!(server.get("/some/where").await.bytes, index.bytes, "an address of the page");
    check_problem(&server.get("/assets/none.js").await, 404, "page.missing");
    check_problem(&server.get("/../Cargo.toml").await, 404, "page.missing");
}
