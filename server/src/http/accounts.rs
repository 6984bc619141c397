//! Accounts, for administrators: made without a role by one, given a role by another.
//!
//! Invariant: a first password is answered once, to who made it, and is in no list.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use yiku_casework::accounts::{Account, Accounts, Grant, State as AccountState};
use yiku_casework::{Error as CaseworkError, Role};

use super::body::{JsonBody, Part, fields, parameters};
use super::signed::Signed;
use crate::platform::Platform;
use crate::problem::Problem;
use crate::state::ServerState;

/// Accounts of one answer.
const LISTED_MAX: usize = 200;

#[derive(Serialize)]
struct AccountBody {
    id: String,
    login: String,
    name: String,
    role: Option<Role>,
    scope: String,
    scope_name: Option<String>,
    department: Option<String>,
    state: AccountState,
    must_change: bool,
    created_at: String,
    seen_at: Option<String>,
    /// Not used for so long that it is surplus.
    unused: bool,
}

#[derive(Serialize)]
struct Listed {
    accounts: Vec<AccountBody>,
    /// What to ask for next; none after the last.
    next: Option<String>,
}

/// An account with a password that is shown this once.
#[derive(Serialize)]
struct WithPassword {
    account: AccountBody,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    #[serde(default)]
    after: String,
}

fn told(error: &CaseworkError) -> Problem {
    Problem::of_casework(error)
}

fn shown(state: &ServerState, platform: &Platform, account: Account) -> AccountBody {
    // A database that cannot be read is no reason not to administer accounts.
    let snapshot = state.snapshot().ok();
    let place = snapshot.as_ref().and_then(|snapshot| snapshot.tree().find(&account.scope));
    let scope_name = place.filter(|_| !account.scope.is_empty()).map(|place| place.name.clone());
    AccountBody {
        unused: Accounts::is_unused(&account, platform.now()),
        id: account.id,
        login: account.login,
        name: account.name,
        role: account.role,
        scope: account.scope,
        scope_name,
        department: account.department,
        state: account.state,
        must_change: account.must_change,
        created_at: account.created_at.to_string(),
        seen_at: account.seen_at.map(|at| at.to_string()),
    }
}

fn fresh(status: StatusCode, body: impl Serialize) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// `GET /api/v1/accounts?after=`
pub(crate) async fn list(
    State(state): State<ServerState>,
    _: Signed,
    uri: Uri,
) -> Result<Response, Problem> {
    let After { after } = parameters(&uri)?;
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let accounts =
            platform.accounts().list(&after, LISTED_MAX).map_err(|error| told(&error))?;
        let full = accounts.len() == LISTED_MAX;
        let next = accounts.last().filter(|_| full).map(|last| last.id.clone());
        let accounts = accounts.into_iter().map(|one| shown(state, platform, one)).collect();
        Ok(fresh(StatusCode::OK, Listed { accounts, next }))
    };
    state.work(work).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    login: String,
    name: String,
}

/// `POST /api/v1/accounts`
pub(crate) async fn create(
    State(state): State<ServerState>,
    signed: Signed,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let Create { login, name } = fields(&body)?;
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let (by, now, ip) = (&signed.actor, platform.now(), &signed.ip);
        let made = platform.accounts().create(by, (&login, &name), now, ip);
        let (account, password) = made.map_err(|error| told(&error))?;
        let account = shown(state, platform, account);
        Ok(fresh(StatusCode::CREATED, WithPassword { account, password }))
    };
    state.work(work).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Granted {
    role: Role,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    department: Option<String>,
}

/// `POST /api/v1/accounts/{id}/grant`
pub(crate) async fn grant(
    State(state): State<ServerState>,
    Part(id): Part,
    signed: Signed,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let Granted { role, scope, department } = fields(&body)?;
    change(state, signed, move |platform, signed| {
        let department = department.as_deref();
        let grant = Grant { role, scope: &scope, department, id_number: None };
        platform.accounts().grant(&signed.actor, &id, &grant, platform.now(), &signed.ip)
    })
    .await
}

/// `POST /api/v1/accounts/{id}/unlock`
pub(crate) async fn unlock(
    State(state): State<ServerState>,
    Part(id): Part,
    signed: Signed,
) -> Result<Response, Problem> {
    change(state, signed, move |platform, signed| {
        platform.accounts().unlock(&signed.actor, &id, platform.now(), &signed.ip)
    })
    .await
}

/// `POST /api/v1/accounts/{id}/disable`
pub(crate) async fn disable(
    State(state): State<ServerState>,
    Part(id): Part,
    signed: Signed,
) -> Result<Response, Problem> {
    change(state, signed, move |platform, signed| {
        platform.accounts().disable(&signed.actor, &id, platform.now(), &signed.ip)
    })
    .await
}

/// `POST /api/v1/accounts/{id}/enable`
pub(crate) async fn enable(
    State(state): State<ServerState>,
    Part(id): Part,
    signed: Signed,
) -> Result<Response, Problem> {
    change(state, signed, move |platform, signed| {
        platform.accounts().enable(&signed.actor, &id, platform.now(), &signed.ip)
    })
    .await
}

/// `POST /api/v1/accounts/{id}/reset`
pub(crate) async fn reset(
    State(state): State<ServerState>,
    Part(id): Part,
    signed: Signed,
) -> Result<Response, Problem> {
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let (by, now, ip) = (&signed.actor, platform.now(), &signed.ip);
        let password = platform.accounts().reset(by, &id, now, ip);
        let password = password.map_err(|error| told(&error))?;
        let account = platform.accounts().account(&id).map_err(|error| told(&error))?;
        let account = shown(state, platform, account);
        Ok(fresh(StatusCode::OK, WithPassword { account, password }))
    };
    state.work(work).await
}

/// Changes an account and answers with it as it is then.
async fn change(
    state: ServerState,
    signed: Signed,
    how: impl FnOnce(&Platform, &Signed) -> Result<Account, CaseworkError> + Send + 'static,
) -> Result<Response, Problem> {
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let account = how(platform, &signed).map_err(|error| told(&error))?;
        Ok(fresh(StatusCode::OK, shown(state, platform, account)))
    };
    state.work(work).await
}
