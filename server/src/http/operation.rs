//! What those who run the server ask: is it alive, is it ready, how busy is it.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;

use crate::blocking;
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
    let gauge = |name, help, value: usize| Gauge {
        name,
        help,
        values: vec![(String::new(), u64::try_from(value).unwrap_or(u64::MAX))],
    };
    let door = state.door();
    let mut gauges = vec![
        gauge("yiku_requests_waiting", "Requests that wait for a place.", door.waiting()),
        gauge("yiku_places_free", "Places for work that are free.", door.free()),
    ];
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
                help: "Number of the newest version.",
                values: one(snapshot.version()),
            },
            Gauge {
                name: "yiku_data_bytes",
                help: "Bytes of its segments.",
                values: one(snapshot.size_bytes()),
            },
            Gauge { name: "yiku_rows", help: "Rows of its tables.", values: rows },
        ]);
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, state.metrics().text(&gauges))
}

/// `GET /openapi.json`
pub(crate) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}
