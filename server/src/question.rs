//! A question on its way through HTTP: read from a body or an address, bounded, answered.
//!
//! Invariants: no value of a personal column leaves through here, and none decides what leaves:
//! a question that reads such a column in any place is refused before a row is read. Rows outside
//! the scope of whoever asks are not there for any part of a question.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use yiku::{Schema, Snapshot};
use yiku_queries::{Answer, Context, Explained, Limits, Plan, Query};

use crate::clock;
use crate::http::signed::Scope;
use crate::problem::{Code, Problem};
use crate::wire::{TextForm, not_an_object};

/// Only whether a body holds the text form.
#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    q: Option<IgnoredAny>,
}

/// Reads the text form.
pub(crate) fn from_text(text: &str) -> Result<Query, Problem> {
    Query::parse(text).map_err(|error| Problem::of_query(&error))
}

/// Reads the JSON form.
pub(crate) fn from_json(text: &str) -> Result<Query, Problem> {
    if let Some(detail) = not_an_object(text.as_bytes()) {
        return Err(Problem::told(Code::QueryJson, detail));
    }
    Query::from_json(text).map_err(|error| Problem::of_query(&error))
}

/// The field of a body that holds the text form.
const TEXT: &str = "/q";

/// Reads a body: the JSON form, or the text form in `q`. With it where the question stands in the
/// body: errors of its own point from there.
pub(crate) fn from_body(body: &[u8]) -> Result<(Query, Option<&'static str>), Problem> {
    let wrong = |error: serde_json::Error| Problem::told(Code::RequestJson, error.to_string());
    if let Some(detail) = not_an_object(body) {
        return Err(Problem::told(Code::RequestJson, detail));
    }
    let form: Form = serde_json::from_slice(body).map_err(wrong)?;
    if form.q.is_some() {
        let form: TextForm = serde_json::from_slice(body).map_err(wrong)?;
        let query = from_text(&form.q).map_err(|problem| problem.beneath(TEXT))?;
        return Ok((query, Some(TEXT)));
    }
    let text = std::str::from_utf8(body);
    let text = text.map_err(|error| Problem::told(Code::RequestJson, error.to_string()))?;
    Ok((from_json(text)?, None))
}

/// What a question is answered with.
#[derive(Debug)]
pub(crate) enum Told {
    Answer(Arc<Answer>),
    /// How it is answered, of a question that asks for that.
    Plan(Explained),
}

/// Binds a question over the rows beneath one place, or all rows.
fn plan(
    query: &Query,
    snapshot: &Snapshot,
    (scope, context): (&Scope, &Context<'_>),
) -> Result<Plan, Problem> {
    // A row is somebody: who reads one is written into the journal, and that is not done here.
    if query.lists_rows() {
        let detail = "rows are not listed over HTTP; ask for groups and measures";
        return Err(Problem::told(Code::QueryPersonal, detail.to_owned()));
    }
    let context = scope.prefix().map_or(*context, |prefix| context.scope(prefix));
    let bound = Plan::bind(query, snapshot, &context);
    let bound = bound.map_err(|error| Problem::of_query(&error))?;
    refuse_personal(&bound, snapshot.schema())?;
    Ok(bound)
}

/// How a question over the rows beneath one place, or all rows, is answered.
pub(crate) fn explain(
    query: &Query,
    snapshot: &Snapshot,
    of: (&Scope, &Context<'_>),
    limits: &Limits,
) -> Result<Explained, Problem> {
    let began = clock::now();
    let found = plan(query, snapshot, of)?;
    let found = found.explain(snapshot, limits, &|| clock::nanoseconds(began));
    found.map_err(|error| Problem::of_query(&error))
}

/// Answers a question over the rows beneath one place, or all rows, with no more than so many
/// rows besides totals.
pub(crate) fn answer(
    query: Query,
    snapshot: &Snapshot,
    of: (&Scope, &Context<'_>),
    limits: &Limits,
    rows_max: usize,
) -> Result<Answer, Problem> {
    let run = |bound: Plan| bound.run(snapshot, limits).map_err(|error| Problem::of_query(&error));
    let answer = run(plan(&query, snapshot, of)?)?;
    if answer.rows <= rows_max {
        return Ok(answer);
    }
    // Rare, and a limit from the start would put totals elsewhere in every answer.
    let query = query.with_limit(rows_max);
    run(plan(&query, snapshot, of)?)
}

fn refuse_personal(plan: &Plan, schema: &Schema) -> Result<(), Problem> {
    let columns = plan.columns().map_err(|error| Problem::of_query(&error))?;
    for (table, column) in columns {
        let table = schema.tables.get(table);
        let column = table.and_then(|table| table.columns.get(column));
        if let (Some(table), Some(column)) = (table, column.filter(|column| column.personal)) {
            let (table, column) = (&table.name, &column.name);
            let detail = format!("column `{column}` of `{table}` is personal; ask without it");
            return Err(Problem::told(Code::QueryPersonal, detail));
        }
    }
    Ok(())
}
