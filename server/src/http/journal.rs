//! The journal, for who audits: what was done, and whether it is whole.

use axum::Json;
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use yiku_casework::store::{Entry, JournalRow, Verified};

use super::body::parameters;
use super::signed::Signed;
use crate::problem::Problem;
use crate::state::ServerState;

/// Rows of one answer.
const ROWS_MAX: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    /// The place after which to begin.
    #[serde(default)]
    after: u64,
}

#[derive(Serialize)]
struct Rows {
    rows: Vec<JournalRow>,
    /// What to ask for next; none after the last.
    next: Option<u64>,
}

/// `GET /api/v1/journal?after=`
pub(crate) async fn rows(
    State(state): State<ServerState>,
    signed: Signed,
    uri: Uri,
) -> Result<Response, Problem> {
    let After { after } = parameters(&uri)?;
    let work = move |state: &ServerState, _| {
        note(state, &signed, "journal.read", &after.to_string())?;
        let rows = state.platform()?.store().journal_after(after, ROWS_MAX);
        let rows = rows.map_err(|error| Problem::of_casework(&error))?;
        let next = rows.last().filter(|_| rows.len() == ROWS_MAX).map(|last| last.seq);
        Ok(fresh(Rows { rows, next }))
    };
    state.work(work).await
}

/// `GET /api/v1/journal/verify`
pub(crate) async fn verify(
    State(state): State<ServerState>,
    signed: Signed,
) -> Result<Response, Problem> {
    let work = move |state: &ServerState, _| {
        let verified: Result<Verified, _> = state.platform()?.store().verify_journal();
        let verified = verified.map_err(|error| Problem::of_casework(&error))?;
        let found = if verified.broken.is_some() { "broken" } else { "whole" };
        note(state, &signed, "journal.verify", found)?;
        Ok(fresh(verified))
    };
    state.work(work).await
}

/// Who looks at the journal stands in it too.
fn note(state: &ServerState, signed: &Signed, action: &str, object: &str) -> Result<(), Problem> {
    let platform = state.platform()?;
    let entry = Entry::by(&signed.actor, &signed.ip, platform.now());
    let kept = platform.store().journal(&Entry { action, object, ..entry });
    kept.map_err(|error| Problem::of_casework(&error))
}

fn fresh(body: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
