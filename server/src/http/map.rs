//! The map: values of a measure by place with classes and legend, and the outlines.
//!
//! Invariants: zero is a value, "no data" is a state; neither is in a class. A place that does not
//! lie in the scope of whoever asks has neither a value nor a state.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use yiku::Snapshot;
use yiku::schema::PathNode;
use yiku_fixtures::reference;
use yiku_queries::{Answer, Role, Values};

use super::areas;
use super::body::{Part, parameters};
use super::reply::Reply;
use super::signed::Scope;
use super::tag;
use crate::limits::CLASSES_MAX;
use crate::map::{Class, Method, classes};
use crate::measures::Measure;
use crate::problem::{Code, Problem};
use crate::question;
use crate::state::ServerState;
use crate::wire::{Figure, Origin};

/// Classes where the asker does not say how many.
const CLASSES: usize = 5;
/// The state of a place without rows, or where the measure is unknown.
const NO_DATA: &str = "n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    measure: String,
    level: Option<String>,
    area: Option<String>,
    classes: Option<usize>,
    method: Option<Method>,
}

#[derive(Serialize)]
struct MapBody<'a> {
    #[serde(flatten)]
    origin: Origin,
    measure: &'a str,
    layer: &'a str,
    area: Option<String>,
    /// The property of an outline that a code is looked up in.
    join: &'static str,
    values: BTreeMap<String, Figure>,
    state: BTreeMap<String, &'static str>,
    /// The value of all places together.
    total: Option<Figure>,
    classes: Vec<Class>,
    legend: Legend<'a>,
}

#[derive(Serialize)]
struct Legend<'a> {
    title: &'a str,
    title_en: &'a str,
    unit: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    method: Method,
    definition: &'a str,
    source: &'a str,
    /// The mark in `state`, and how many places have it.
    no_data: Mark,
    /// The value zero, and how many places have it.
    zero: Mark,
}

#[derive(Serialize)]
struct Mark {
    mark: &'static str,
    n: usize,
}

/// What was asked, found in the snapshot.
struct Wanted<'a> {
    measure: Measure,
    level: usize,
    level_name: &'a str,
    area: Option<&'a PathNode>,
}

/// `GET /api/v1/map/values`
pub(crate) async fn values(
    State(state): State<ServerState>,
    scope: Scope,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Reply, Problem> {
    let asked: Parameters = parameters(&uri)?;
    let count = asked.classes.unwrap_or(CLASSES);
    if !(1..=CLASSES_MAX).contains(&count) {
        let detail = format!("classes is {count}; it is 1 to {CLASSES_MAX}");
        return Err(Problem::told(Code::RequestParameter, detail));
    }
    let method = asked.method.unwrap_or_default();
    let work = move |state: &ServerState, stop| {
        let snapshot = state.snapshot()?;
        let wanted = wanted(state, &snapshot, &asked)?;
        let tree = snapshot.tree();
        let area = wanted.area.map(|node| tree.prefix(node));
        let path = &snapshot.schema().path.name;
        let text = wanted.measure.question(path, wanted.level_name, area.as_deref());
        let query = question::from_text(&text)?;
        let asked = format!("{count} {method:?} {}", query.to_text());
        let tag = tag::of_question("map/values", snapshot.version(), &scope.marked(&asked));
        if tag::names(&headers, &tag) {
            return Ok(Reply::unchanged(&snapshot, tag));
        }
        let answer = state.answer(query, &snapshot, &scope, &stop)?;
        let body = body(&snapshot, &scope, &wanted, &answer, (count, method));
        Reply::new(&snapshot, Some(tag), &body)
    };
    state.ask(work).await
}

fn wanted<'a>(
    state: &ServerState,
    snapshot: &'a Snapshot,
    asked: &Parameters,
) -> Result<Wanted<'a>, Problem> {
    let measures = state.catalogue().of(snapshot);
    let found = measures.iter().find(|measure| measure.id == asked.measure);
    let Some(measure) = found.cloned() else {
        let known: Vec<&str> = measures.iter().map(|measure| measure.id.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let detail = format!("`{}` is none of the measures: {known}", asked.measure);
        return Err(Problem::told(Code::MapMeasure, detail));
    };
    let levels = snapshot.tree().levels();
    let name = asked.level.as_deref().unwrap_or("county");
    let Some(level) = levels.iter().position(|level| level.name == name) else {
        let known: Vec<&str> = levels.iter().map(|level| level.name.as_str()).collect();
        let detail = format!("`{name}` is none of the levels: {}", known.join(", "));
        return Err(Problem::told(Code::RequestParameter, detail));
    };
    let area = asked.area.as_deref().map(|code| areas::find(snapshot.tree(), code)).transpose()?;
    if let Some(area) = area.filter(|area| usize::from(area.level) > level) {
        let detail =
            format!("`{}` lies beneath the level {name}; ask for a level beneath it", area.name);
        return Err(Problem::told(Code::RequestParameter, detail));
    }
    let level_name = levels.get(level).map_or("", |level| level.name.as_str());
    Ok(Wanted { measure, level, level_name, area })
}

fn body<'a>(
    snapshot: &Snapshot,
    scope: &Scope,
    wanted: &'a Wanted<'a>,
    answer: &Answer,
    (count, method): (usize, Method),
) -> MapBody<'a> {
    let tree = snapshot.tree();
    let mut values: BTreeMap<String, Figure> = BTreeMap::new();
    let mut total = None;
    for (code, figure) in figures(answer) {
        match code {
            None => total = figure,
            // A place around the scope would be shown with the figure of a part of it.
            Some(code) if !scope.holds(&code) => {}
            Some(code) => values.extend(figure.map(|figure| (code, figure))),
        }
    }
    let (low, high) = wanted.area.map_or((0, u64::MAX), |area| tree.range(area));
    let nodes = tree.nodes().iter().filter(|node| usize::from(node.level) == wanted.level);
    let nodes = nodes.filter(|node| (low..=high).contains(&node.code));
    let codes = nodes.map(|node| tree.prefix(node)).filter(|code| scope.holds(code));
    let codes = codes.filter(|code| !values.contains_key(code));
    let state: BTreeMap<String, &str> = codes.map(|code| (code, NO_DATA)).collect();
    let figures: Vec<Figure> = values.values().copied().collect();
    let zeros = figures.iter().filter(|figure| figure.float() == 0.0).count();
    let measure = &wanted.measure;
    MapBody {
        origin: Origin::within(snapshot, scope),
        measure: &measure.id,
        layer: wanted.level_name,
        area: wanted.area.map(|node| tree.prefix(node)),
        join: "code",
        total,
        classes: classes(&figures, count, method),
        legend: Legend {
            title: &measure.label,
            title_en: &measure.label_en,
            unit: &measure.unit,
            kind: &measure.kind,
            method,
            definition: &measure.definition,
            source: &measure.source,
            no_data: Mark { mark: NO_DATA, n: state.len() },
            zero: Mark { mark: "0", n: zeros },
        },
        values,
        state,
    }
}

/// Code and value of each row of the answer; no code in the row of all places together.
fn figures(answer: &Answer) -> Vec<(Option<String>, Option<Figure>)> {
    let column = |role| answer.columns.iter().find(|column| column.role == role);
    let codes = column(Role::Group).map(|column| &column.values);
    let values = column(Role::Measure).map(|column| &column.values);
    let rows = 0..answer.rows;
    rows.map(|row| {
        let totalled = answer.levels.get(row).is_some_and(|level| *level > 0);
        let code = match codes {
            Some(Values::Text(codes)) if !totalled => {
                codes.get(row).cloned().flatten().map(String::from)
            }
            _ => None,
        };
        let value = match values {
            Some(Values::Int(values)) => values.get(row).copied().flatten().map(Figure::Int),
            Some(Values::Float(values)) => values.get(row).copied().flatten().map(Figure::Float),
            _ => None,
        };
        (code, value)
    })
    .collect()
}

/// `GET /api/v1/map/{layer}.geojson`
pub(crate) async fn layer(Part(file): Part, headers: HeaderMap) -> Result<Response, Problem> {
    let outlines = match file.strip_suffix(".geojson") {
        Some("city") => reference::CITIES_GEOJSON,
        Some("county") => reference::COUNTIES_GEOJSON,
        _ => {
            let detail = format!("`{file}` is no layer; there are city.geojson, county.geojson");
            return Err(Problem::told(Code::MapLayer, detail));
        }
    };
    let tag = tag::of_bytes(outlines.as_bytes());
    let known = tag::names(&headers, &tag);
    let about = [(header::ETAG, tag), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, about).into_response());
    }
    let kind = [(header::CONTENT_TYPE, "application/geo+json")];
    Ok((about, kind, outlines).into_response())
}
