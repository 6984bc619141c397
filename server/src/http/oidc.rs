//! Sign-in of citizens through another service: the two addresses that a browser comes by.
//!
//! Invariant: whatever the service or the browser brings, a browser goes on to an address of this
//! server and no other.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::body::parameters;
use super::cookie::{self, Kept};
use super::session;
use super::signed::Caller;
use crate::platform::oidc::{Oidc, OidcError, Returned};
use crate::problem::{Code, Problem};
use crate::state::ServerState;

/// Where the service sends the browser back to.
const BACK: &str = "/api/v1/oidc/callback";
/// The addresses to which the browser brings what it began with.
const ADDRESSES: &str = "/api/v1/oidc";
/// Where a citizen goes on to, if nowhere else was asked for.
const HOME: &str = "/public";
/// Seconds that a browser keeps what it began with.
const KEPT_SECONDS: u32 = 600;
/// How long both questions to the service may take together.
const SERVICE_WITHIN: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    next: Option<String>,
}

/// What the service adds to the address. It may add more than is looked at.
#[derive(Deserialize)]
struct Callback {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// `GET /api/v1/oidc/start?next=`
pub(crate) async fn start(
    State(state): State<ServerState>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match begin(&state, &headers, &uri).await {
        Ok(response) => response,
        Err(problem) => told(&headers, problem),
    }
}

async fn begin(state: &ServerState, headers: &HeaderMap, uri: &Uri) -> Result<Response, Problem> {
    let Start { next } = parameters(uri)?;
    let next = next.as_deref().and_then(local).unwrap_or(HOME).to_owned();
    let redirect = back(state, headers)?;
    let begun = ask(state, move |oidc| oidc.begin(&redirect, &next)).await?;
    let mut response = onwards(&begun.address);
    keep(&mut response, kept(state).set(&begun.binding));
    Ok(response)
}

/// `GET /api/v1/oidc/callback`
pub(crate) async fn callback(
    State(state): State<ServerState>,
    Caller(ip): Caller,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let mut response = match finish(&state, ip, &headers, &uri).await {
        Ok(response) => response,
        Err(problem) => told(&headers, problem),
    };
    keep(&mut response, kept(&state).forget());
    response
}

async fn finish(
    state: &ServerState,
    ip: String,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Response, Problem> {
    let returned: Callback = parameters(uri)?;
    let binding = cookie::read(headers, cookie::SIGNING).unwrap_or_default().to_owned();
    let (person, next) = ask(state, move |oidc| {
        let code = match (&returned.error, &returned.code) {
            (None, Some(code)) => Ok(code.as_str()),
            (Some(word), _) => Err(word.as_str()),
            (None, None) => Err("no_code"),
        };
        let (state, issuer) = (returned.state.as_str(), returned.iss.as_deref());
        oidc.finish(&Returned { state, binding: &binding, issuer, code })
    })
    .await?;
    let token = state.work(move |state, _| state.platform()?.citizen(&person, &ip)).await?;
    let mut response = onwards(&next);
    keep(&mut response, session::kept(state).set(&token));
    Ok(response)
}

/// Asks the service, on a thread that may block, beside the places of questions.
async fn ask<T: Send + 'static>(
    state: &ServerState,
    what: impl FnOnce(&Oidc) -> Result<T, OidcError> + Send + 'static,
) -> Result<T, Problem> {
    let door = state.platform()?.service_door();
    let asking = state.clone();
    let asked = door.run(SERVICE_WITHIN, move |_| {
        let oidc = asking.platform()?.oidc().ok_or_else(|| Problem::new(Code::OidcOff))?;
        what(oidc).map_err(|error| Problem::of_oidc(&error))
    });
    asked.await.unwrap_or_else(|refused| Err(Problem::of_refusal(refused)))
}

/// The address to come back to, under the name by which the browser reached this server. The
/// service compares it with those that were agreed, so that no other name is of use.
fn back(state: &ServerState, headers: &HeaderMap) -> Result<String, Problem> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    let host = host.filter(|host| !host.is_empty() && host.chars().all(is_plain));
    let host = host.ok_or_else(|| Problem::new(Code::RequestHost))?;
    let scheme = if state.settings().loopback { "http" } else { "https" };
    Ok(format!("{scheme}://{host}{BACK}"))
}

/// An address of this server's pages, or nothing: no other host's, none of the interface.
fn local(next: &str) -> Option<&str> {
    let rest = next.strip_prefix('/')?;
    let plain = !next.chars().any(|c| c.is_control() || c == '\\' || !c.is_ascii());
    let elsewhere = rest.starts_with('/') || rest.starts_with("api/") || rest.starts_with("sign");
    (plain && !elsewhere).then_some(next)
}

fn kept(state: &ServerState) -> Kept<'static> {
    Kept {
        name: cookie::SIGNING,
        path: ADDRESSES,
        seconds: Some(KEPT_SECONDS),
        sealed: !state.settings().loopback,
    }
}

fn keep(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Sends the browser on.
fn onwards(address: &str) -> Response {
    let about = [(header::LOCATION, address), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::SEE_OTHER, about).into_response()
}

/// A problem: to a person in a browser on the page of signing in, which has words for its code.
fn told(headers: &HeaderMap, problem: Problem) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    if accepted.is_some_and(|accepted| accepted.contains("text/html")) {
        return onwards(&format!("/sign?problem={}", problem.word()));
    }
    problem.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_goes_on_within_this_server_only() {
        for good in ["/public", "/public/cases/C1?tab=a", "/", "/public/a#b"] {
            assert_eq!(local(good), Some(good));
        }
        for bad in [
            "",
            "public",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: b",
            "/api/v1/session",
            "/sign?next=/",
            "/公",
        ] {
            assert_eq!(local(bad), None, "{bad:?}");
        }
    }
}
