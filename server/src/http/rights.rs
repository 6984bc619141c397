//! The guard of rights: who asks, and whether their role may.
//!
//! Invariants: on a server with the side where people work nothing under `/api/v1` is answered
//! that the rights do not allow, a route that the rights do not name least of all; what changes
//! something comes from a page of this server; before a first password is changed nothing else is
//! done.

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::cookie;
use super::signed::{Caller, Signed};
use super::{API, is_statistics};
use crate::blocking;
use crate::problem::{Code, Problem};
use crate::state::ServerState;

/// The header that a page of another site cannot send without asking first.
const OWN: &str = "x-yiku-request";
/// Where somebody whose password must be changed may still go.
const SESSION: &str = "/api/v1/session";
/// Routes that are asked with a body and change nothing: what the page asked before there were
/// sessions, and what programs ask.
const READING: [&str; 2] = ["/api/v1/query", "/api/v1/batch"];

/// Lets a request through to its route, or says why not.
pub(crate) async fn guard(
    State(state): State<ServerState>,
    mut request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    // What no route has is answered without looking at anything.
    let Some(route) = route.filter(|route| route.starts_with(API)) else {
        return next.run(request).await;
    };
    if state.platform().is_err() {
        let open = is_statistics(&route) || (route == SESSION && request.method() == Method::GET);
        return match open {
            true => next.run(request).await,
            false => Problem::new(Code::PlatformOff).into_response(),
        };
    }
    match admitted(&state, &route, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admitted(state: &ServerState, route: &str, request: &mut Request) -> Result<(), Problem> {
    let method = request.method().clone();
    let changes = method != Method::GET && method != Method::HEAD && !READING.contains(&route);
    if changes && request.headers().get(OWN).is_none_or(|value| value != "1") {
        return Err(Problem::told(Code::RequestForged, format!("send `{OWN}: 1` with it")));
    }
    let token = cookie::read(request.headers(), cookie::SESSION).map(str::to_owned);
    let Caller(ip) = Caller::of(request.extensions());
    let signed = signed(state, token, ip).await?;
    let method = if method == Method::HEAD { Method::GET } else { method };
    if !state.platform()?.allows(method.as_str(), route, signed.as_ref()) {
        let code = if signed.is_some() { Code::RightMissing } else { Code::SessionMissing };
        return Err(Problem::new(code));
    }
    if let Some(signed) = signed {
        let elsewhere = route != SESSION && !route.starts_with("/api/v1/session/");
        if signed.session.must_change && elsewhere {
            return Err(Problem::new(Code::SessionPassword));
        }
        request.extensions_mut().insert(signed);
    }
    Ok(())
}

/// Whoever a session's token names, if the session still runs.
async fn signed(
    state: &ServerState,
    token: Option<String>,
    ip: String,
) -> Result<Option<Signed>, Problem> {
    let Some(token) = token else { return Ok(None) };
    let asked = state.clone();
    let found = blocking::aside(move || asked.platform()?.session(&token, &ip)).await;
    found.unwrap_or_else(|refused| Err(Problem::of_refusal(refused)))
}
