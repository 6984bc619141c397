//! What there is to ask: tables, columns, code lists, levels, measures of the map, limits.

use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use yiku::schema::ColumnSchema;
use yiku::{Schema, Snapshot};

use super::reply::Reply;
use super::signed::Scope;
use super::tag;
use crate::blocking::Stop;
use crate::limits;
use crate::measures::Measure;
use crate::problem::Problem;
use crate::question;
use crate::state::ServerState;
use crate::wire::Origin;

#[derive(Serialize)]
struct Meta<'a> {
    #[serde(flatten)]
    origin: Origin,
    name: &'a str,
    label: &'a str,
    path: Path<'a>,
    tables: Vec<Table<'a>>,
    lists: Vec<List<'a>>,
    measures: Vec<Measure>,
    limits: Limits,
}

#[derive(Serialize)]
struct Path<'a> {
    name: &'a str,
    label: &'a str,
    levels: Vec<Level<'a>>,
}

#[derive(Serialize)]
struct Level<'a> {
    name: &'a str,
    label: &'a str,
    digits: u8,
}

#[derive(Serialize)]
struct Table<'a> {
    name: &'a str,
    label: &'a str,
    parent: Option<&'a str>,
    rows: u64,
    columns: Vec<Column<'a>>,
}

#[derive(Serialize)]
struct Column<'a> {
    name: &'a str,
    label: &'a str,
    kind: &'static str,
    list: Option<&'a str>,
    unit: Option<&'a str>,
    /// Whether it is refused over HTTP.
    personal: bool,
}

#[derive(Serialize)]
struct List<'a> {
    name: &'a str,
    label: &'a str,
    codes: Vec<Code<'a>>,
}

#[derive(Serialize)]
struct Code<'a> {
    code: &'a str,
    name: &'a str,
    label: &'a str,
}

#[derive(Serialize)]
struct Limits {
    body_bytes: usize,
    batch_queries: usize,
    answer_rows: usize,
    groups: usize,
    map_classes: usize,
    deadline_seconds: u64,
}

/// `GET /api/v1/meta`
pub(crate) async fn answer(
    State(state): State<ServerState>,
    scope: Scope,
    headers: HeaderMap,
) -> Result<Reply, Problem> {
    let work = move |state: &ServerState, stop| {
        let snapshot = state.snapshot()?;
        let tag = tag::of_question("meta", snapshot.version(), &scope.marked(""));
        if tag::names(&headers, &tag) {
            return Ok(Reply::unchanged(&snapshot, tag));
        }
        let rows = rows(state, &snapshot, &scope, &stop)?;
        Reply::new(&snapshot, Some(tag), &meta(state, &snapshot, &scope, &rows))
    };
    state.ask(work).await
}

/// How many rows of each table whoever asks may see.
fn rows(
    state: &ServerState,
    snapshot: &Snapshot,
    scope: &Scope,
    stop: &Stop,
) -> Result<Vec<u64>, Problem> {
    let tables = &snapshot.schema().tables;
    if scope.prefix().is_none() {
        return Ok((0..tables.len()).map(|place| snapshot.rows(place)).collect());
    }
    let counted = tables.iter().map(|table| {
        let query = question::from_text(&format!("from {} measure n = count()", table.name))?;
        Ok(state.answer(query, snapshot, scope, stop)?.matched)
    });
    counted.collect()
}

fn meta<'a>(state: &ServerState, snapshot: &'a Snapshot, scope: &Scope, rows: &[u64]) -> Meta<'a> {
    let schema = snapshot.schema();
    let path = &schema.path;
    let levels = path.levels.iter();
    let levels = levels.map(|l| Level { name: &l.name, label: &l.label, digits: l.digits });
    Meta {
        origin: Origin::within(snapshot, scope),
        name: &schema.name,
        label: &schema.label,
        path: Path { name: &path.name, label: &path.label, levels: levels.collect() },
        tables: tables(schema, rows),
        lists: lists(schema),
        measures: state.catalogue().of(snapshot),
        limits: Limits {
            body_bytes: limits::BODY_BYTES_MAX,
            batch_queries: limits::BATCH_QUERIES_MAX,
            answer_rows: state.settings().answer_rows_max,
            groups: limits::GROUPS_MAX,
            map_classes: limits::CLASSES_MAX,
            deadline_seconds: state.settings().deadline.as_secs(),
        },
    }
}

fn tables<'a>(schema: &'a Schema, rows: &[u64]) -> Vec<Table<'a>> {
    let parent = |place: Option<usize>| schema.tables.get(place?).map(|t| t.name.as_str());
    let tables = schema.tables.iter().enumerate();
    tables
        .map(|(place, table)| Table {
            name: &table.name,
            label: &table.label,
            parent: parent(table.parent),
            rows: rows.get(place).copied().unwrap_or(0),
            columns: table.columns.iter().map(|column| self::column(schema, column)).collect(),
        })
        .collect()
}

fn column<'a>(schema: &'a Schema, column: &'a ColumnSchema) -> Column<'a> {
    let list = column.list.and_then(|place| schema.lists.get(place));
    Column {
        name: &column.name,
        label: &column.label,
        kind: column.kind.word(),
        list: list.map(|list| list.name.as_str()),
        unit: column.unit.as_deref(),
        personal: column.personal,
    }
}

fn lists(schema: &Schema) -> Vec<List<'_>> {
    let lists = schema.lists.iter();
    lists
        .map(|list| List {
            name: &list.name,
            label: &list.label,
            codes: list
                .codes
                .iter()
                .map(|code| Code { code: &code.code, name: &code.name, label: &code.label })
                .collect(),
        })
        .collect()
}
