//! Sessions: who is signed in, signing in and out, the password.
//!
//! Invariants: a failed sign-in does not say which part was wrong; every sign-in is kept in the
//! journal, failed ones too, without the password; the token of a session is in its cookie and in
//! nothing that is answered.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use yiku_casework::Role;

use super::body::{JsonBody, fields};
use super::cookie::{self, Kept};
use super::signed::{Caller, Signed};
use crate::platform::DemoAccount;
use crate::problem::Problem;
use crate::state::ServerState;

/// The cookie of a session, as this server has a browser keep it.
pub(crate) fn kept(state: &ServerState) -> Kept<'static> {
    let sealed = !state.settings().loopback;
    Kept { name: cookie::SESSION, path: "/", seconds: None, sealed }
}

/// What a page asks first.
#[derive(Serialize)]
struct SessionBody {
    account: Option<AccountBody>,
    platform: bool,
    demo: bool,
    oidc: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    demo_accounts: Option<Vec<DemoAccount>>,
}

#[derive(Serialize)]
struct AccountBody {
    id: String,
    login: String,
    name: String,
    role: Role,
    scope: String,
    scope_name: Option<String>,
    department: Option<String>,
    must_change: bool,
}

/// `GET /api/v1/session`
pub(crate) async fn show(
    State(state): State<ServerState>,
    signed: Option<Signed>,
) -> Result<Response, Problem> {
    let body = body(&state, signed).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

async fn body(state: &ServerState, signed: Option<Signed>) -> Result<SessionBody, Problem> {
    let Ok(platform) = state.platform() else {
        let nobody = SessionBody {
            account: None,
            platform: false,
            demo: false,
            oidc: false,
            demo_accounts: None,
        };
        return Ok(nobody);
    };
    let account = match signed {
        Some(signed) => Some(state.work(move |state, _| account(state, signed)).await?),
        None => None,
    };
    Ok(SessionBody {
        account,
        platform: true,
        demo: platform.demo().is_some(),
        oidc: platform.oidc().is_some(),
        demo_accounts: platform.demo().map(<[DemoAccount]>::to_vec),
    })
}

fn account(state: &ServerState, signed: Signed) -> Result<AccountBody, Problem> {
    let Signed { actor, session, .. } = signed;
    let snapshot = state.snapshot()?;
    let scope_name = snapshot.tree().find(&actor.scope).map(|node| node.name.clone());
    Ok(AccountBody {
        id: actor.account,
        login: session.account.login,
        name: actor.name,
        role: actor.role,
        scope_name: scope_name.filter(|_| !actor.scope.is_empty()),
        scope: actor.scope,
        department: actor.department,
        must_change: session.must_change,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    login: String,
    password: String,
}

/// `POST /api/v1/session`
pub(crate) async fn begin(
    State(state): State<ServerState>,
    Caller(ip): Caller,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let SignIn { login, password } = fields(&body)?;
    let work = move |state: &ServerState, _| state.platform()?.sign_in(&login, &password, &ip);
    let signed = state.work(work).await?;
    let cookie = kept(&state).set(&signed.session.token);
    let body = body_of(&state, signed).await?;
    let mut response = Json(body).into_response();
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

async fn body_of(state: &ServerState, signed: Signed) -> Result<SessionBody, Problem> {
    body(state, Some(signed)).await
}

/// `DELETE /api/v1/session`
pub(crate) async fn end(
    State(state): State<ServerState>,
    signed: Option<Signed>,
) -> Result<Response, Problem> {
    if let Some(signed) = signed {
        state.work(move |state, _| state.platform()?.sign_out(&signed)).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let cookie = kept(&state).forget();
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    old: String,
    new: String,
}

/// `POST /api/v1/session/password`: the session is another one afterwards, and all others of the
/// account are over.
pub(crate) async fn password(
    State(state): State<ServerState>,
    signed: Signed,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let Change { old, new } = fields(&body)?;
    let work = move |state: &ServerState, _| state.platform()?.change_password(&signed, &old, &new);
    let signed = state.work(work).await?;
    let cookie = kept(&state).set(&signed.session.token);
    let body = body_of(&state, signed).await?;
    let mut response = Json(body).into_response();
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}
