//! One load, from the files on the disk to the commit.
//!
//! Invariants: nothing is visible before the commit, and nothing of a load that failed is looked at
//! afterwards: a kept load counts only when a note of the version names it. The same bytes twice
//! change nothing. A file replaces what an earlier load brought of the same contract and period,
//! but for files that are delivered again with it.

mod deliveries;
mod disk;
mod ledger;
mod outcome;
mod staging;
mod touched;
mod writing;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use duckdb::{Config, Connection};
use yiku::{CommitInfo, Database, PathTree, Schema, Snapshot, Writer, calendar};

use crate::check::{self, HOUSEHOLDS, MEMBERS};
use crate::contract::Contracts;
use crate::error::{Error, Result};
use crate::report::{self, LoadReport, Progress};
use crate::{cases, fold, registry_schema, stage};
use deliveries::Delivery;
pub(crate) use disk::{surrogate_key, write_rejects};
use ledger::Ledger;
pub(crate) use ledger::{spoke_of, standing};

/// Memory that DuckDB may take before it moves rows to the disk.
const MEMORY_LIMIT: &str = "4GB";
/// Month ends that a new registry keeps: two years, so that each month has the same of the year
/// before beside it for a year after it was reported.
const MONTH_ENDS: u32 = 24;

/// How to load.
#[derive(Debug)]
pub struct LoadOptions<'a> {
    /// The database folder; created if it holds none.
    pub db: &'a Path,
    /// The places of a new database; not looked at when there is one already.
    pub tree: Option<PathTree>,
    /// The day that the rows speak of, in days since 1970-01-01; none for the end of the last month
    /// that any monthly file speaks of.
    pub as_of: Option<i64>,
    /// Threads to work with, at least 1.
    pub threads: usize,
}

/// Tells the caller how far the work is.
pub(crate) type Tell<'a> = &'a mut dyn FnMut(Progress);

/// Loads departments' files, or all files in folders (but for folders named `truth`, folders
/// that hold a database, and what is hidden), into the platform's own registry.
///
/// # Errors
/// Any [`Error`]; the database is then as it was before.
pub fn load_departments(
    paths: &[PathBuf],
    options: &LoadOptions<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<LoadReport> {
    let schema = registry_schema()?;
    let mut target = Target::open(options, &schema)?;
    let contracts = Contracts::embedded(&schema)?;
    let ledger = Ledger::of(target.snapshot.as_ref());
    let mut deliveries = deliveries::gather(paths, options.threads, progress)?;
    for delivery in &mut deliveries {
        delivery.unchanged = ledger.holds(&delivery.digest);
    }
    if deliveries.iter().all(|delivery| delivery.unchanged) {
        return Ok(unchanged(&target, &ledger, &contracts, deliveries));
    }
    let duckdb = open_duckdb(options.threads)?;
    stage::create(&duckdb, contracts.all())?;
    let places = (&contracts, &target.tree, &duckdb);
    let mut staged = staging::run(&deliveries, places, options.threads, progress)?;
    let say = |progress: &mut dyn FnMut(Progress), step| {
        progress(Progress { step, detail: String::new(), done: 0, total: 0 });
    };
    say(progress, "comparing records");
    staging::periods(&duckdb, &contracts, &mut staged)?;
    staging::leave_outdated(&duckdb, &ledger, &mut deliveries, &mut staged)?;
    if staged.is_empty() {
        return Ok(unchanged(&target, &ledger, &contracts, deliveries));
    }
    ledger.check_months(&staged, &deliveries)?;
    let earlier = ledger.restore(&duckdb, options.db, &contracts, (&staged, &deliveries))?;
    check::run(&duckdb, &contracts)?;
    for (id, missing) in [(HOUSEHOLDS, "民政 家庭户籍"), (MEMBERS, "民政 家庭成员")] {
        if !staged.iter().any(|file| file.contract == id) && !earlier.has(id) {
            return Err(Error::NoRegister { missing });
        }
    }
    let as_of = as_of(&duckdb, &contracts, options, &target)?;
    let only_touched = target.snapshot.as_ref().is_some_and(|snapshot| snapshot.rows(0) > 0);
    if only_touched {
        let aged = target.snapshot.as_ref().and_then(Snapshot::as_of) != as_of;
        touched::run(&duckdb, &contracts, &earlier, aged)?;
    }
    say(progress, "joining departments");
    fold::run(&duckdb, &contracts, as_of.unwrap_or(i64::MIN), only_touched)?;
    let mut outcomes = outcome::report(&duckdb, &contracts, &deliveries, staged, &ledger)?;
    outcome::check(&outcomes, &earlier, &duckdb)?;
    let mut writer = target.writer(options, &schema)?;
    let key = surrogate_key(options.db, only_touched)?;
    let keep = earlier.to_keep(&outcomes, &deliveries);
    let mut report = std::mem::take(&mut outcomes.report);
    report.rows = writing::run(&duckdb, &schema, &mut writer, &key, &keep, progress)?;
    if let Some(snapshot) = target.snapshot.as_ref().filter(|_| only_touched) {
        report.removed = touched::remove(&duckdb, &mut writer)?;
        say(progress, "laying decisions again");
        cases::lay_again(&duckdb, snapshot, &mut writer, (options.db, &key))?;
    }
    let name = outcome::name(&deliveries);
    report.rejects = write_rejects(options.db, &name, &outcomes.all)?;
    say(progress, "committing");
    let snapshot =
        writer.commit(CommitInfo { as_of, notes: earlier.notes(&outcomes, &deliveries, as_of) })?;
    report.fewer = report::fewer(target.snapshot.as_ref(), &snapshot);
    (report.version, report.as_of) = (snapshot.version(), snapshot.as_of());
    Ok(report)
}

/// The database that is loaded into, or that there will be.
struct Target {
    snapshot: Option<Snapshot>,
    writer: Option<Writer>,
    tree: PathTree,
}

impl Target {
    /// Opens the database, if there is one, as its writer.
    fn open(options: &LoadOptions<'_>, schema: &Schema) -> Result<Target> {
        match Database::open(options.db) {
            Ok(database) => {
                let writer = database.writer()?;
                let snapshot = database.snapshot()?;
                if snapshot.schema() != schema {
                    return Err(Error::OtherSchema { path: options.db.to_owned() });
                }
                let tree = snapshot.tree().clone();
                Ok(Target { snapshot: Some(snapshot), writer: Some(writer), tree })
            }
            Err(yiku::Error::NotFound { .. }) => {
                let tree = options.tree.clone().ok_or(Error::MissingTree)?;
                Ok(Target { snapshot: None, writer: None, tree })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The right to write; creates the database if there is none.
    fn writer(&mut self, options: &LoadOptions<'_>, schema: &Schema) -> Result<Writer> {
        match self.writer.take() {
            Some(writer) => Ok(writer),
            None => {
                let database = Database::create(options.db, schema.clone(), self.tree.clone())?;
                database.keep_month_ends(Some(MONTH_ENDS))?;
                Ok(database.writer()?)
            }
        }
    }
}

/// An empty DuckDB in memory, bounded, that moves what is too much to the disk.
pub(crate) fn open_duckdb(threads: usize) -> Result<Connection> {
    const ACTION: &str = "start DuckDB";
    // Two instances must not spill into one folder; each removes its own when it ends.
    static STARTED: AtomicU64 = AtomicU64::new(0);
    let nth = STARTED.fetch_add(1, Ordering::Relaxed);
    let spill = std::env::temp_dir().join(format!("yiku-load-{}-{nth}", std::process::id()));
    let threads = i64::try_from(threads.max(1)).unwrap_or(1);
    let config = Config::default()
        .threads(threads)
        .and_then(|config| config.max_memory(MEMORY_LIMIT))
        .and_then(|config| config.with("temp_directory", spill.to_string_lossy()))
        .and_then(|config| config.enable_autoload_extension(false))
        .map_err(Error::duckdb(ACTION))?;
    Connection::open_in_memory_with_flags(config).map_err(Error::duckdb(ACTION))
}

/// The day that the rows will speak of: as asked for, or the end of the last month that any file
/// speaks of.
fn as_of(
    duckdb: &Connection,
    contracts: &Contracts,
    options: &LoadOptions<'_>,
    target: &Target,
) -> Result<Option<i64>> {
    if options.as_of.is_some() {
        return Ok(options.as_of);
    }
    let mut last = None;
    for contract in contracts.all() {
        let Some(column) = contract.period.and_then(|place| contract.columns.get(place)) else {
            continue;
        };
        let sql = format!("select max(\"{}\") from {}", column.name, contract.table());
        let month: Option<i64> = duckdb
            .query_row(&sql, [], |row| row.get(0))
            .map_err(Error::duckdb("find the last month"))?;
        last = last.max(month);
    }
    let before = target.snapshot.as_ref().and_then(Snapshot::as_of);
    Ok(last.map(calendar::month_end).max(before))
}

/// The report of a load in which nothing was new.
fn unchanged(
    target: &Target,
    ledger: &Ledger,
    contracts: &Contracts,
    deliveries: Vec<Delivery>,
) -> LoadReport {
    let snapshot = target.snapshot.as_ref();
    LoadReport {
        files: deliveries.iter().map(|d| outcome::loaded_before(d, ledger, contracts)).collect(),
        version: snapshot.map_or(0, Snapshot::version),
        as_of: snapshot.and_then(Snapshot::as_of),
        unchanged: true,
        ..LoadReport::default()
    }
}
