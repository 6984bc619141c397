//! `yiku load`: files into a database.

use std::path::{Path, PathBuf};

use clap::Args;
use yiku::schema::{PathNode, PathSchema};
use yiku::{PathTree, Schema, calendar};
use yiku_fixtures::reference;
use yiku_indexer::{LoadOptions, LoadReport};

use super::locked::Wait;
use super::progress::Steps;
use super::{out, threads};
use crate::error::Error;

const EXAMPLE: &str = "\
Examples:
  yiku load --db /tmp/registry /tmp/province
  yiku load --schema school.toml --tree places.csv --db /tmp/schools \\
      --table school=schools.csv --table class=classes.csv --table pupil=pupils.csv

Each department's file is known by its contract. A record that breaks it is a reject, told in the
report with line, column and reason. A file that cannot be read stops the load: the database stays
as it is. The same files twice change nothing.";

/// Load department files, or the tables of any registry, in one commit
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Load {
    /// The database folder; it is made where it is missing
    #[arg(long, value_name = "DIR")]
    db: PathBuf,
    /// The schema (TOML) of another registry than the platform's own
    #[arg(long, value_name = "FILE", requires = "tables", conflicts_with = "paths")]
    schema: Option<PathBuf>,
    /// The places of the path: a CSV with the columns code, name [default: the regions of Shanxi]
    #[arg(long, value_name = "FILE")]
    tree: Option<PathBuf>,
    /// A table and its file (CSV or Parquet); again for each table
    #[arg(long = "table", value_name = "NAME=FILE", value_parser = table, conflicts_with = "paths")]
    tables: Vec<(String, PathBuf)>,
    /// The day that the rows speak of, as 2026-10-31 [default: what the files say]
    #[arg(long, value_name = "DATE", value_parser = day)]
    as_of: Option<i64>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Threads to work with
    #[arg(long, default_value_t = threads(), hide_default_value = true)]
    threads: usize,
    #[command(flatten)]
    wait: Wait,
    /// Files of departments, or folders that hold them
    #[arg(value_name = "PATH", required_unless_present = "tables")]
    paths: Vec<PathBuf>,
}

fn table(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(file)))
        }
        _ => Err("write it as NAME=FILE".to_owned()),
    }
}

fn day(text: &str) -> Result<i64, String> {
    calendar::parse_date(text).ok_or_else(|| "write the day as 2026-10-31".to_owned())
}

/// For `map_err`: files were not loaded.
pub(super) fn refused(source: yiku_indexer::Error) -> Error {
    Error::Load { source: Box::new(source) }
}

impl Load {
    pub(super) fn run(self) -> Result<(), Error> {
        let schema = self.schema.as_deref().map(schema_of).transpose()?;
        let own = yiku_indexer::registry_schema().map_err(refused)?;
        let path = &schema.as_ref().unwrap_or(&own).path;
        let tree = match &self.tree {
            Some(file) => Some(yiku_indexer::read_tree(file, path).map_err(refused)?),
            None if schema.is_none() => Some(regions(path)?),
            None => None,
        };
        let options =
            LoadOptions { db: &self.db, tree, as_of: self.as_of, threads: self.threads.max(1) };
        // A load asks for the right to write before it reads anything.
        let report = self.wait.retry(|| match self.tables.is_empty() {
            true => load_departments(&self.paths, &options),
            false => load_tables(schema.clone(), &self.tables, &options),
        })?;
        if self.json { out::json(&report) } else { out::text(&out::plain(&report.to_text())) }
    }
}

/// Loads department files and shows how far it is.
pub(super) fn load_departments(
    paths: &[PathBuf],
    options: &LoadOptions<'_>,
) -> Result<LoadReport, Error> {
    let mut steps = Steps::new();
    let mut show = |p: yiku_indexer::Progress| steps.show(p.step, &p.detail, p.done, p.total);
    let report = yiku_indexer::load_departments(paths, options, &mut show);
    steps.end();
    report.map_err(refused)
}

/// Loads a file a table and shows how far it is.
fn load_tables(
    schema: Option<Schema>,
    tables: &[(String, PathBuf)],
    options: &LoadOptions<'_>,
) -> Result<LoadReport, Error> {
    let mut steps = Steps::new();
    let mut show = |p: yiku_indexer::Progress| steps.show(p.step, &p.detail, p.done, p.total);
    let report = yiku_indexer::load_tables(schema, tables, options, &mut show);
    steps.end();
    report.map_err(refused)
}

/// The regions of the province, every level of them.
pub(super) fn regions(path: &PathSchema) -> Result<PathTree, Error> {
    let regions = reference::regions().into_iter();
    let nodes = regions.map(|r| PathNode { code: r.code, level: r.level, name: r.name });
    PathTree::new(path, nodes.collect()).map_err(|source| Error::Engine { source })
}

/// The schema in a file.
pub(super) fn schema_of(path: &Path) -> Result<Schema, Error> {
    let text = super::read(path)?;
    Schema::from_toml(&text).map_err(|source| Error::Engine { source })
}
