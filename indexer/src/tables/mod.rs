//! Any registry: one CSV or Parquet file a table, its header the columns' names.
//!
//! Invariants: a row with a value that its column does not take is a reject, and so are the rows
//! beneath it; of two rows with one key the first stays; the same files twice change nothing.

mod cells;
mod check;
mod lanes;
mod order;
mod source;
mod write;

use std::hash::RandomState;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use duckdb::Connection;
use yiku::{Batch, CommitInfo, Database, Schema, Snapshot, Writer};

use crate::error::{Error, Result};
use crate::load::{LoadOptions, open_duckdb, write_rejects};
use crate::read;
use crate::reject::Reject;
use crate::report::{FileReport, LoadReport, Progress};
use order::{Kept, Ordered};
use source::TableFile;

/// The note that names the files of the last load.
const NOTE: &str = "load.tables";
/// The most rejects that the report of a file repeats.
const SAMPLES_MAX: usize = 20;

/// Loads files into the tables of any registry, one file a table. `schema` is needed when there is
/// no database yet; `options.tree` too. A file of a table beneath another has, beside the table's
/// columns, the key of its parent. Bundles whose root key is in the database are replaced; tables
/// without a file have no rows in them.
///
/// # Errors
/// Any [`Error`]; the database is then as it was before.
pub fn load_tables(
    schema: Option<Schema>,
    tables: &[(String, PathBuf)],
    options: &LoadOptions<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<LoadReport> {
    let mut target = Target::open(schema, options)?;
    let named = named(&target.schema, tables)?;
    let mut digests = Vec::new();
    for (table, path) in &named {
        digests.push(format!("{table}={}", read::digest(path)?.0));
    }
    let note = digests.join(" ");
    let before = target.snapshot.as_ref();
    if let Some(snapshot) = before.filter(|s| s.notes().get(NOTE) == Some(&note)) {
        let files = named.iter().map(|(table, path)| FileReport {
            path: path.to_path_buf(),
            label: target.table_name(*table),
            unchanged: true,
            ..FileReport::default()
        });
        return Ok(LoadReport {
            files: files.collect(),
            version: snapshot.version(),
            as_of: snapshot.as_of(),
            unchanged: true,
            ..LoadReport::default()
        });
    }
    let (mut writer, rows, read) = transfer(&mut target, &named, options, progress)?;
    let mut report = report(&target, read, rows);
    let all: Vec<Reject> = report.1;
    let name: String = note.rsplit('=').next().unwrap_or_default().chars().take(16).collect();
    report.0.rejects = write_rejects(options.db, &name, &all)?;
    let notes = [(NOTE.to_owned(), note)].into();
    let snapshot = writer.commit(CommitInfo { as_of: options.as_of, notes })?;
    report.0.fewer = crate::report::fewer(target.snapshot.as_ref(), &snapshot);
    (report.0.version, report.0.as_of) = (snapshot.version(), snapshot.as_of());
    Ok(report.0)
}

/// What was written, the rows written into each table, and the files.
type Transferred = (Writer, Vec<(String, u64)>, Vec<TableFile>);

/// Reads the files, and writes what stays of them; nothing is committed.
fn transfer(
    target: &mut Target,
    named: &[(usize, &Path)],
    options: &LoadOptions<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Transferred> {
    let duckdb = open_duckdb(options.threads)?;
    let schema = Arc::new(target.schema.clone());
    let batch = Batch::new(Arc::clone(&schema), Arc::new(target.tree.clone()));
    let total = u64::try_from(named.len()).unwrap_or(0);
    let hasher = RandomState::new();
    let mut checked = Vec::new();
    for (done, (table, path)) in (0..).zip(named) {
        let detail = target.table_name(*table);
        progress(Progress { step: "reading", detail, done, total });
        let mut file = TableFile::open(&duckdb, &schema, *table, path)?;
        let found = check::run(&duckdb, &batch, &mut file, (options.threads, &hasher))?;
        checked.push((file, found));
    }
    progress(Progress { step: "joining tables", detail: String::new(), done: 0, total: 0 });
    let mut kept: Vec<Option<Kept>> = schema.tables.iter().map(|_| None).collect();
    let mut ordered: Vec<Option<Ordered>> = schema.tables.iter().map(|_| None).collect();
    for (file, found) in checked {
        let table = file.table;
        let parent = schema.tables.get(table).and_then(|t| t.parent);
        let parents = parent.and_then(|parent| kept.get(parent)).and_then(Option::as_ref);
        let (rows, own) = order::run(&duckdb, &schema, (file, found), parents)?;
        if let (Some(slot), Some(place)) = (kept.get_mut(table), ordered.get_mut(table)) {
            (*slot, *place) = (Some(own), Some(rows));
        }
    }
    drop(kept);
    let mut writer = target.writer(options)?;
    let to = (&mut writer, options.threads);
    let rows = write::run(&duckdb, &schema, &ordered, to, progress)?;
    let read = ordered.into_iter().flatten().map(|ordered| ordered.file).collect();
    Ok((writer, rows, read))
}

/// The database that is loaded into, or that there will be.
struct Target {
    snapshot: Option<Snapshot>,
    writer: Option<Writer>,
    schema: Schema,
    tree: yiku::PathTree,
}

impl Target {
    fn open(schema: Option<Schema>, options: &LoadOptions<'_>) -> Result<Target> {
        match Database::open(options.db) {
            Ok(database) => {
                let writer = Some(database.writer()?);
                let snapshot = database.snapshot()?;
                let own = snapshot.schema().clone();
                if schema.is_some_and(|given| given != own) {
                    return Err(Error::OtherSchema { path: options.db.to_owned() });
                }
                let tree = snapshot.tree().clone();
                Ok(Target { snapshot: Some(snapshot), writer, schema: own, tree })
            }
            Err(yiku::Error::NotFound { .. }) => {
                let missing = || Error::MissingSchema { path: options.db.to_owned() };
                let schema = schema.ok_or_else(missing)?;
                let tree = options.tree.clone().ok_or(Error::MissingTree)?;
                Ok(Target { snapshot: None, writer: None, schema, tree })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn writer(&mut self, options: &LoadOptions<'_>) -> Result<Writer> {
        match self.writer.take() {
            Some(writer) => Ok(writer),
            None => {
                let (schema, tree) = (self.schema.clone(), self.tree.clone());
                Ok(Database::create(options.db, schema, tree)?.writer()?)
            }
        }
    }

    fn table_name(&self, table: usize) -> String {
        self.schema.tables.get(table).map(|t| t.name.clone()).unwrap_or_default()
    }
}

/// The files in the order of the schema's tables.
fn named<'p>(schema: &Schema, tables: &'p [(String, PathBuf)]) -> Result<Vec<(usize, &'p Path)>> {
    let mut named: Vec<(usize, &Path)> = Vec::new();
    for (name, path) in tables {
        let wrong = |what: &str| Error::Table { table: name.clone(), what: what.to_owned() };
        let Some(table) = schema.table_index(name) else {
            let known: Vec<&str> = schema.tables.iter().map(|t| t.name.as_str()).collect();
            return Err(wrong(&format!("the schema has only {}", known.join(", "))));
        };
        if named.iter().any(|(other, _)| *other == table) {
            return Err(wrong("it has two files; give one"));
        }
        named.push((table, path));
    }
    named.sort_by_key(|(table, _)| *table);
    for (table, declared) in schema.tables.iter().enumerate() {
        let parent = declared.parent.unwrap_or(table);
        let has = |table: usize| named.iter().any(|(other, _)| *other == table);
        let needed = table == 0 || has(table);
        if needed && !has(parent) {
            let table = schema.tables.get(parent).map(|t| t.name.clone()).unwrap_or_default();
            let what = "it has no file, and rows beneath it need one".to_owned();
            return Err(Error::Table { table, what });
        }
    }
    Ok(named)
}

/// The report, and every reject.
fn report(
    target: &Target,
    read: Vec<TableFile>,
    rows: Vec<(String, u64)>,
) -> (LoadReport, Vec<Reject>) {
    let mut report = LoadReport { rows, ..LoadReport::default() };
    let mut all = Vec::new();
    for file in read {
        let mut reasons = std::collections::BTreeMap::new();
        for reject in &file.rejects {
            *reasons.entry(reject.reason).or_insert(0_u64) += 1;
        }
        let rejected = u64::try_from(file.rejects.len()).unwrap_or(0);
        report.files.push(FileReport {
            path: file.path,
            label: target.table_name(file.table),
            read: file.records,
            accepted: file.records.saturating_sub(rejected),
            rejected,
            reasons: reasons.into_iter().map(|(r, n)| (r.code().to_owned(), n)).collect(),
            samples: file.rejects.iter().take(SAMPLES_MAX).cloned().collect(),
            ..FileReport::default()
        });
        all.extend(file.rejects);
    }
    (report, all)
}

/// Runs a statement.
fn go(duckdb: &Connection, sql: &str) -> Result<()> {
    duckdb.execute_batch(sql).map_err(Error::duckdb("join the tables"))
}
