//! Several questions over one snapshot.
//!
//! Invariant: one question that fails carries its problem; the others are answered.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use yiku_queries::Query;

use super::body::JsonBody;
use super::reply::Reply;
use super::signed::Scope;
use super::tag;
use crate::blocking::Stop;
use crate::limits::{BATCH_ID_CHARS_MAX, BATCH_QUERIES_MAX};
use crate::problem::{Code, Problem};
use crate::question::{self, Told};
use crate::state::ServerState;
use crate::wire::{BatchForm, BatchQuery, Origin, ToldBody, not_an_object};

#[derive(Serialize)]
struct BatchBody<'a> {
    #[serde(flatten)]
    origin: Origin,
    results: Vec<ResultBody<'a>>,
}

#[derive(Serialize)]
struct ResultBody<'a> {
    id: &'a str,
    #[serde(flatten)]
    told: Option<ToldBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a Problem>,
}

/// A question of the batch as it was read.
struct Asked {
    id: String,
    pointer: String,
    query: Result<Query, Problem>,
}

/// `POST /api/v1/batch`
pub(crate) async fn answer(
    State(state): State<ServerState>,
    scope: Scope,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, Problem> {
    if let Some(detail) = not_an_object(&body) {
        return Err(Problem::told(Code::RequestJson, detail));
    }
    let form: BatchForm = serde_json::from_slice(&body)
        .map_err(|error| Problem::told(Code::RequestJson, error.to_string()))?;
    check(&form)?;
    let asked: Vec<Asked> = form.queries.into_iter().enumerate().map(read).collect();
    state.ask(move |state, stop| answer_all(state, &scope, &stop, &headers, asked)).await
}

fn check(form: &BatchForm) -> Result<(), Problem> {
    let wrong = |detail: String| Err(Problem::told(Code::RequestBatch, detail));
    let found = form.queries.len();
    if found == 0 || found > BATCH_QUERIES_MAX {
        return wrong(format!("it has {found} questions; send 1 to {BATCH_QUERIES_MAX}"));
    }
    let mut seen = BTreeSet::new();
    for (place, query) in form.queries.iter().enumerate() {
        let letters = query.id.chars().count();
        if letters == 0 || letters > BATCH_ID_CHARS_MAX {
            return wrong(format!(
                "/queries/{place}/id has {letters} letters; give it 1 to {BATCH_ID_CHARS_MAX}"
            ));
        }
        if !seen.insert(query.id.as_str()) {
            return wrong(format!("/queries/{place}/id stands twice; give each its own"));
        }
    }
    Ok(())
}

fn read((place, asked): (usize, BatchQuery)) -> Asked {
    let at = format!("/queries/{place}");
    let (pointer, query) = match (&asked.q, &asked.query) {
        (Some(q), None) => (format!("{at}/q"), question::from_text(q)),
        (None, Some(json)) => (format!("{at}/query"), question::from_json(json.get())),
        _ => {
            let detail = "give either `q`, the text form, or `query`, the JSON form";
            (at, Err(Problem::told(Code::RequestJson, detail)))
        }
    };
    let query = query.map_err(|problem| problem.beneath(&pointer));
    Asked { id: asked.id, pointer, query }
}

/// What the tag of the batch is of. A question that cannot be read has nothing but its problem.
fn text(asked: &[Asked]) -> String {
    let mut text = String::new();
    for Asked { id, query, .. } in asked {
        let question = match query {
            Ok(query) => query.to_text(),
            Err(problem) => serde_json::to_string(problem).unwrap_or_default(),
        };
        text.push_str(&serde_json::to_string(&[id, &question]).unwrap_or_default());
    }
    text
}

fn answer_all(
    state: &ServerState,
    scope: &Scope,
    stop: &Stop,
    headers: &HeaderMap,
    asked: Vec<Asked>,
) -> Result<Reply, Problem> {
    let snapshot = state.snapshot()?;
    let tag = tag::of_question("batch", snapshot.version(), &scope.marked(&text(&asked)));
    let kept = |asked: &Asked| asked.query.as_ref().is_ok_and(Query::names_what_is_kept);
    let tag = (!asked.iter().any(kept)).then_some(tag);
    if let Some(tag) = tag.as_ref().filter(|tag| tag::names(headers, tag)) {
        return Ok(Reply::unchanged(&snapshot, tag.clone()));
    }
    let mut answered: Vec<(String, Result<Told, Problem>)> = Vec::with_capacity(asked.len());
    for Asked { id, pointer, query } in asked {
        let answer = query.and_then(|query| {
            let told = state.tell(query, &snapshot, scope, stop);
            told.map_err(|problem| problem.beneath(&pointer))
        });
        answered.push((id, answer));
    }
    let once = |(_, told): &(String, Result<Told, Problem>)| match told {
        Ok(told) => matches!(told, Told::Plan(_)),
        Err(problem) => problem.is_servers(),
    };
    let tag = tag.filter(|_| !answered.iter().any(once));
    let results = answered.iter().map(|(id, answer)| ResultBody {
        id,
        told: answer.as_ref().ok().map(|told| ToldBody::of(told, &snapshot, scope)),
        problem: answer.as_ref().err(),
    });
    let body = BatchBody { origin: Origin::within(&snapshot, scope), results: results.collect() };
    Reply::new(&snapshot, tag, &body)
}
