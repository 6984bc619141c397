//! What stands before every route: the headers of safety, the name of the host, the counting of
//! requests, and what is left of a request whose handling broke.

use std::any::Any;
use std::net::IpAddr;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::clock;
use crate::problem::{Code, Problem};
use crate::state::ServerState;

/// Nothing from another host, no inline script, no eval, in nobody's frame. Styles of single
/// elements stay lawful: charts place their labels with them. What a page holds itself it may show:
/// a photo before it is sent, a recording before it is kept.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; \
    font-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Puts the headers of safety on every answer.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let safe: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in safe {
        // What is stricter stays: a file that somebody sent is let do less than a page.
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Counts requests by route and status.
pub(crate) async fn counted(
    State(state): State<ServerState>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("page", MatchedPath::as_str).to_owned();
    let running = state.metrics().begin();
    let begun = clock::now();
    let response = next.run(request).await;
    state.metrics().answered(&route, response.status().as_u16(), begun.elapsed());
    drop(running);
    response
}

/// Refuses requests for another host's name on a server that is reached on this machine only: a
/// page elsewhere may let its name point here, and would then read what is answered.
pub(crate) async fn known_host(
    State(state): State<ServerState>,
    request: Request,
    next: Next,
) -> Response {
    let named = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    let named = named.or_else(|| request.uri().authority().map(|name| name.as_str()));
    if state.settings().loopback && !named.is_none_or(is_loopback) {
        let detail = "ask for localhost or 127.0.0.1, or start the server with another --listen";
        return Problem::told(Code::RequestHost, detail).into_response();
    }
    next.run(request).await
}

/// Whether a host, with or without a port, is this machine and no name that others may give.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_address = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_address || name.eq_ignore_ascii_case("localhost")
}

/// A panic, as an error.
#[derive(Debug, thiserror::Error)]
#[error("panicked: {what}")]
struct Panicked {
    what: String,
}

/// What is answered when the handling of a request broke.
pub(crate) fn broken(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| cause.downcast_ref::<String>().cloned());
    let panicked = Panicked { what: text.unwrap_or_default() };
    Problem::fault(Code::Fault, &panicked).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.9.9.9", "[::1]:80", "[::1]"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "localhost.evil.example", "evil.example:8080", "10.0.0.1", "[::2]", "::1"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
