//! What those who run the server ask: is it alive, is it ready, how busy is it.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;

use crate::blocking::{self, Door};
use crate::metrics::Gauge;
use crate::problem::Problem;
use crate::state::ServerState;

/// The description of this interface for programs.
pub(super) const OPENAPI: &str = include_str!("../../openapi.json");

#[derive(Serialize)]
pub(crate) struct Health {
    status: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Ready {
    status: &'static str,
    data_version: String,
}

/// `GET /healthz`
pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// `GET /readyz`
pub(crate) async fn ready(State(state): State<ServerState>) -> Result<Json<Ready>, Problem> {
    let snapshot = blocking::aside(move || state.snapshot()).await;
    let snapshot = snapshot.unwrap_or_else(|refused| Err(Problem::of_refusal(refused)))?;
    Ok(Json(Ready { status: "ready", data_version: snapshot.version().to_string() }))
}

/// `GET /metrics`
pub(crate) async fn metrics(State(state): State<ServerState>) -> impl IntoResponse {
    let mut gauges = busy(&state);
    let asked = state.clone();
    if let Ok(Ok(snapshot)) = blocking::aside(move || asked.snapshot()).await {
        let one = |value| vec![(String::new(), value)];
        let tables = snapshot.schema().tables.iter().enumerate();
        let rows = tables
            .map(|(place, table)| (format!("table=\"{}\"", table.name), snapshot.rows(place)))
            .collect();
        gauges.extend([
            Gauge {
                name: "yiku_data_version",
                rises: false,
                help: "Number of the newest version.",
                values: one(snapshot.version()),
            },
            Gauge {
                name: "yiku_data_bytes",
                rises: false,
                help: "Bytes of its segments.",
                values: one(snapshot.size_bytes()),
            },
            Gauge { name: "yiku_rows", rises: false, help: "Rows of its tables.", values: rows },
        ]);
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, state.metrics().text(&gauges))
}

/// How busy doors, processors, memory and kept answers are.
fn busy(state: &ServerState) -> Vec<Gauge> {
    let (doors, pool) = ([state.door(), state.questions()], state.pool().load());
    let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    let sum = |of: fn(&Door) -> usize| doors.iter().map(|door| number(of(door))).sum();
    let gauge = |name, help, value: u64| {
        let values = vec![(String::new(), value)];
        Gauge { name, rises: false, help, values }
    };
    let answers = state.answers().load();
    let how = |word, value| (format!("how=\"{word}\""), value);
    let counted = [("kept", answers.found), ("shared", answers.joined), ("new", answers.computed)];
    vec![
        gauge("yiku_requests_waiting", "Requests that wait for a place.", sum(Door::waiting)),
        gauge("yiku_places_free", "Places for work that are free.", sum(Door::free)),
        gauge("yiku_questions_running", "Questions under way.", pool.active),
        gauge("yiku_turns_waiting", "Threads that wait for a processor.", number(pool.waiting)),
        gauge("yiku_memory_bytes", "Bytes that questions declared.", pool.memory_bytes),
        gauge(
            "yiku_memory_waiting",
            "Questions that wait for memory.",
            number(pool.memory_waiting),
        ),
        Gauge {
            name: "yiku_answers_total",
            rises: true,
            help: "Answers that were kept, shared with who computed them, or new.",
            values: counted.map(|(word, value)| how(word, value)).to_vec(),
        },
        gauge("yiku_answers_kept", "Answers that are kept.", answers.answers),
        gauge("yiku_answers_bytes", "Bytes of them.", answers.bytes),
    ]
}

/// `GET /openapi.json`
pub(crate) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}
