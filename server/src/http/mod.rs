//! HTTP: addresses, and what stands before all of them.
//!
//! Invariants: a route has one row in [`routes`], and `openapi.json` describes the same ones; what
//! a request asks is answered by the modules beneath, never here.

mod accounts;
mod areas;
mod batch;
mod body;
mod cookie;
mod desk;
mod guard;
mod journal;
mod map;
mod meta;
mod oidc;
mod operation;
mod query;
mod reply;
mod rights;
mod session;
pub(crate) mod signed;
pub(crate) mod tag;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::limits::{BODY_BYTES_MAX, BODY_PAUSE_MAX};
use crate::page;
use crate::problem::{Code, Problem};
use crate::state::ServerState;

/// The part of the address under which programs ask.
const API: &str = "/api";

/// Addresses and what answers them.
type Routes = Vec<(&'static str, MethodRouter<ServerState>)>;

/// Every address that is not the page's.
fn routes() -> Routes {
    [statistics(), doors(), desk::routes()].concat()
}

/// What every server answers.
fn statistics() -> Routes {
    vec![
        ("/api/v1/query", get(query::from_address).post(query::from_body)),
        ("/api/v1/batch", post(batch::answer)),
        ("/api/v1/meta", get(meta::answer)),
        ("/api/v1/areas/{code}", get(areas::answer)),
        ("/api/v1/map/values", get(map::values)),
        ("/api/v1/map/{file}", get(map::layer)),
        ("/healthz", get(operation::health)),
        ("/readyz", get(operation::ready)),
        ("/metrics", get(operation::metrics)),
        ("/openapi.json", get(operation::openapi)),
    ]
}

/// Who comes in, and what only administrators do.
fn doors() -> Routes {
    vec![
        ("/api/v1/session", get(session::show).post(session::begin).delete(session::end)),
        ("/api/v1/session/password", post(session::password)),
        ("/api/v1/oidc/start", get(oidc::start)),
        ("/api/v1/oidc/callback", get(oidc::callback)),
        ("/api/v1/accounts", get(accounts::list).post(accounts::create)),
        ("/api/v1/accounts/{id}/grant", post(accounts::grant)),
        ("/api/v1/accounts/{id}/unlock", post(accounts::unlock)),
        ("/api/v1/accounts/{id}/disable", post(accounts::disable)),
        ("/api/v1/accounts/{id}/enable", post(accounts::enable)),
        ("/api/v1/accounts/{id}/reset", post(accounts::reset)),
        ("/api/v1/journal", get(journal::rows)),
        ("/api/v1/journal/verify", get(journal::verify)),
    ]
}

/// Whether a route is answered without the side where people work.
fn is_statistics(route: &str) -> bool {
    static PATHS: LazyLock<BTreeSet<&'static str>> =
        LazyLock::new(|| statistics().into_iter().map(|(path, _)| path).collect());
    PATHS.contains(route)
}

/// Everything the server answers.
pub fn router(state: ServerState) -> Router {
    let mut router = Router::new();
    for (path, methods) in routes() {
        router = router.route(path, methods);
    }
    router
        .fallback(elsewhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(state.clone(), rights::guard))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE_MAX))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(state.clone(), guard::known_host))
        .layer(CatchPanicLayer::custom(guard::broken))
        .layer(middleware::from_fn_with_state(state.clone(), guard::counted))
        .layer(middleware::from_fn(guard::headers))
        .with_state(state)
}

/// What no route has: a file of the page, an address of the page, or nothing.
async fn elsewhere(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let beneath = uri.path().strip_prefix(API);
    if beneath.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        let detail = format!("`{}` is not of this interface; see /openapi.json", uri.path());
        return Problem::told(Code::RequestRoute, detail).into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        let detail = format!("the page does not take {method}; the interface is /openapi.json");
        let allow = [(header::ALLOW, "GET,HEAD")];
        return (allow, Problem::told(Code::RequestMethod, detail)).into_response();
    }
    page::respond(&uri, &headers)
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("`{}` does not take {method}; see /openapi.json", uri.path());
    Problem::told(Code::RequestMethod, detail)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use serde_json::Value;

    use super::*;

    fn description() -> Value {
        serde_json::from_str(operation::OPENAPI).unwrap()
    }

    #[test]
    fn the_description_has_the_routes_of_the_router() {
        let told = description();
        let told: BTreeSet<String> = told["paths"]
            .as_object()
            .unwrap()
            .keys()
            .map(|path| path.replace("{layer}.geojson", "{file}"))
            .collect();
        let routed: BTreeSet<String> =
            routes().into_iter().map(|(path, _)| path.to_owned()).collect();
        assert_eq!(told, routed);
    }

    #[test]
    fn the_description_has_the_codes_of_problems() {
        let told = description();
        let told = told["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].clone();
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.word()).collect();
        assert_eq!(told, serde_json::json!(codes));
    }

    /// Every `$ref` of the description.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(target)) = fields.get("$ref") {
                    found.push(target.clone());
                }
                fields.values().for_each(|inner| references(inner, found));
            }
            Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
            _ => {}
        }
    }

    #[test]
    fn the_description_points_at_what_it_has() {
        let told = description();
        let mut found = Vec::new();
        references(&told, &mut found);
        assert!(found.len() > 20);
        for target in found {
            let pointer = target.strip_prefix('#').unwrap_or_default();
            assert!(told.pointer(pointer).is_some(), "{target}");
        }
    }
}
