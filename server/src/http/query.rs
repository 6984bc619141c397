//! One question.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde::Deserialize;
use yiku_queries::Query;

use super::body::{JsonBody, parameters};
use super::reply::Reply;
use super::signed::Scope;
use super::tag;
use crate::problem::Problem;
use crate::question::{self, Told};
use crate::state::ServerState;
use crate::wire::ToldBody;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    q: String,
}

/// `GET /api/v1/query?q=`
pub(crate) async fn from_address(
    State(state): State<ServerState>,
    scope: Scope,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Reply, Problem> {
    let Parameters { q } = parameters(&uri)?;
    let query = question::from_text(&q)?;
    answer(state, scope, headers, query, None).await
}

/// `POST /api/v1/query`
pub(crate) async fn from_body(
    State(state): State<ServerState>,
    scope: Scope,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, Problem> {
    let (query, pointer) = question::from_body(&body)?;
    answer(state, scope, headers, query, pointer).await
}

async fn answer(
    state: ServerState,
    scope: Scope,
    headers: HeaderMap,
    query: Query,
    pointer: Option<&'static str>,
) -> Result<Reply, Problem> {
    let work = move |state: &ServerState, stop| {
        let snapshot = state.snapshot()?;
        let tag = tag::of_question("query", snapshot.version(), &scope.marked(&query.to_text()));
        // What a name stands for may change without a new version: such an answer has no tag.
        let tag = (!query.names_what_is_kept()).then_some(tag);
        if let Some(tag) = tag.as_ref().filter(|tag| tag::names(&headers, tag)) {
            return Ok(Reply::unchanged(&snapshot, tag.clone()));
        }
        let told = state.tell(query, &snapshot, &scope, &stop);
        let told = told.map_err(|problem| match pointer {
            Some(pointer) => problem.beneath(pointer),
            None => problem,
        })?;
        // What a plan tells of its run, its times above all, is of that run alone.
        let tag = tag.filter(|_| matches!(told, Told::Answer(_)));
        Reply::new(&snapshot, tag, &ToldBody::of(&told, &snapshot, &scope))
    };
    state.ask(work).await
}
