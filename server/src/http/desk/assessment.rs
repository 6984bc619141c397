//! What policies say of a household's answers. Nothing of it is kept.

use axum::extract::State;
use axum::http::Uri;
use serde::Deserialize;
use serde_json::{Value, json};
use yiku_casework::forms::{Strictness, form};

use super::access::answer;
use crate::cases::calculation::{assessment, day_number};
use crate::cases::{book, shown};
use crate::http::body::{JsonBody, fields, parameters};
use crate::http::reply::Reply;
use crate::problem::{Code, Problem};
use crate::state::ServerState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    answers: Value,
}

/// `POST /api/v1/assessment`
pub(crate) async fn assess(
    State(state): State<ServerState>,
    JsonBody(bytes): JsonBody,
) -> Result<Reply, Problem> {
    let Asked { answers } = fields(&bytes)?;
    let work = move |state: &ServerState, _| {
        let today = state.platform()?.now().date();
        let form = form("assessment").ok_or_else(|| Problem::new(Code::Fault))?;
        let faults = form.check(&answers, today, Strictness::Draft);
        if !faults.is_empty() {
            return Err(Problem::new(Code::CaseForm).and("faults", json!(faults)));
        }
        answer(&state.snapshot()?, &assessment(&answers, today, "")?)
    };
    state.work(work).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Where {
    region: String,
}

/// `GET /api/v1/assessment/standards?region=`
pub(crate) async fn standards(
    State(state): State<ServerState>,
    uri: Uri,
) -> Result<Reply, Problem> {
    let Where { region } = parameters(&uri)?;
    let work = move |state: &ServerState, _| {
        let today = state.platform()?.now().date();
        let snapshot = state.snapshot()?;
        let standards = book()?.standards(&region, day_number(today));
        let name = shown::place_name(&snapshot, &region);
        answer(&snapshot, &json!({ "region": region, "region_name": name, "standards": standards }))
    };
    state.work(work).await
}
