//! `yiku snapshot`: versions kept under a name, and copies of a version.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use yiku::report::Named;
use yiku::{Database, Snapshot, calendar};

use super::locked::Wait;
use super::out;
use super::progress::Steps;
use crate::error::Error;

const EXAMPLE: &str = "\
Examples:
  yiku snapshot list --db /tmp/registry
  yiku snapshot keep before-audit --db /tmp/registry
  yiku query --db /tmp/registry --snapshot before-audit 'from person'
  yiku snapshot export /backup/registry --db /tmp/registry

A version that is kept answers as it did when it was the newest, whatever is loaded later. What it
costs is the room of rows that were replaced since.";

/// Keep, list and drop versions under a name; copy one into another folder
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct SnapshotCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    List(List),
    Keep(Keep),
    Drop(Drop),
    MonthEnds(MonthEnds),
    Export(Export),
}

/// The folder, and how to print.
#[derive(Debug, Args)]
struct Place {
    /// The database folder
    #[arg(long, value_name = "DIR")]
    db: PathBuf,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// List the versions that are kept under a name, and how many month ends are kept by themselves
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  yiku snapshot list --db /tmp/registry

Versions marked as month ends are those that the rule keeps, and drops when there are more of them
than it says; all others stay until they are dropped.")]
struct List {
    #[command(flatten)]
    place: Place,
}

/// Keep the newest version under a name
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  yiku snapshot keep before-audit --db /tmp/registry")]
struct Keep {
    /// The name, of at most 128 bytes
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wait: Wait,
}

/// Keep the version of a name no longer; its files go when nothing else needs them
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  yiku snapshot drop before-audit --db /tmp/registry")]
struct Drop {
    /// The name
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wait: Wait,
}

/// Keep the last version of each month by itself, the newest so many of them
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  yiku snapshot month-ends 24 --db /tmp/registry

A month ends with the first load whose rows speak of a later one. Its last version is then kept as
2026-10. With a smaller number the oldest are dropped at once; 0 drops all that the rule kept.")]
struct MonthEnds {
    /// How many; 0 for none
    #[arg(value_name = "N")]
    most: u32,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wait: Wait,
}

/// Copy a version into a folder, where opening it restores it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  yiku snapshot export /backup/registry --db /tmp/registry
  yiku snapshot export /backup/october --db /tmp/registry --name 2026-10

The database may be written meanwhile. A folder with an earlier copy of the same database is brought
up to date: only segments that it lacks are sent. Names are not taken along, nor are the folders
loads, cases and rejects beside the segments (docs/operations.md).")]
struct Export {
    /// The folder of the copy; it is made where it is missing
    #[arg(value_name = "DIR")]
    into: PathBuf,
    /// The name of a kept version [default: the newest version]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct NamedBody {
    name: String,
    version: u64,
    as_of: Option<String>,
    by_rule: bool,
}

/// The names that there are, and the rule that makes some of them.
#[derive(Serialize)]
struct NamesBody {
    /// How many month ends are kept by themselves; 0 for none.
    month_ends: u32,
    names: Vec<NamedBody>,
}

#[derive(Serialize)]
struct ExportedBody {
    version: u64,
    sent: u64,
    sent_bytes: u64,
    there: u64,
}

impl SnapshotCommand {
    pub(super) fn run(self) -> Result<(), Error> {
        match self.what {
            What::List(list) => list.run(),
            What::Keep(keep) => keep.run(),
            What::Drop(drop) => drop.run(),
            What::MonthEnds(month_ends) => month_ends.run(),
            What::Export(export) => export.run(),
        }
    }
}

/// For `map_err`: the database refused.
fn refused(source: yiku::Error) -> Error {
    Error::Engine { source }
}

/// The newest version of a database, or the one of a name.
pub(super) fn version(database: &Database, name: Option<&str>) -> Result<Snapshot, Error> {
    let found = match name {
        None => database.snapshot(),
        Some(name) => database.named(name),
    };
    found.map_err(refused)
}

impl List {
    fn run(self) -> Result<(), Error> {
        names(&self.place, &Database::open(&self.place.db).map_err(refused)?)
    }
}

impl Keep {
    fn run(self) -> Result<(), Error> {
        let database = Database::open(&self.place.db).map_err(refused)?;
        let named = self.wait.retry(|| database.keep(&self.name).map_err(refused))?;
        if self.place.json { out::json(&body(named)) } else { out::text(&lines(vec![named])) }
    }
}

impl Drop {
    fn run(self) -> Result<(), Error> {
        let database = Database::open(&self.place.db).map_err(refused)?;
        self.wait.retry(|| database.drop_name(&self.name).map_err(refused))?;
        names(&self.place, &database)
    }
}

impl MonthEnds {
    fn run(self) -> Result<(), Error> {
        let database = Database::open(&self.place.db).map_err(refused)?;
        let most = (self.most > 0).then_some(self.most);
        self.wait.retry(|| database.keep_month_ends(most).map_err(refused))?;
        names(&self.place, &database)
    }
}

impl Export {
    fn run(self) -> Result<(), Error> {
        let database = Database::open(&self.place.db).map_err(refused)?;
        let snapshot = version(&database, self.name.as_deref())?;
        let mut steps = Steps::new();
        steps.show("copying", &self.into.display().to_string(), 0, 0);
        let done = snapshot.export(&self.into);
        steps.end();
        let done = done.map_err(refused)?;
        let yiku::report::Exported { version, sent, sent_bytes, there } = done;
        if self.place.json {
            return out::json(&ExportedBody { version, sent, sent_bytes, there });
        }
        out::text(&format!(
            "version {version}: {sent} segments of {sent_bytes} bytes sent, {there} there already\n"
        ))
    }
}

/// Prints the rule of month ends and the names that there are.
fn names(place: &Place, database: &Database) -> Result<(), Error> {
    let names = database.names().map_err(refused)?;
    let month_ends = database.month_ends().map_err(refused)?.unwrap_or(0);
    if place.json {
        let names = names.into_iter().map(body).collect();
        return out::json(&NamesBody { month_ends, names });
    }
    let rule = match month_ends {
        0 => "month ends: none are kept\n".to_owned(),
        most => format!("month ends: the newest {most} are kept\n"),
    };
    out::text(&out::plain(&(rule + &lines(names))))
}

fn body(named: Named) -> NamedBody {
    let Named { name, version, as_of, by_rule } = named;
    NamedBody { name, version, as_of: as_of.map(calendar::date_text), by_rule }
}

fn lines(names: Vec<Named>) -> String {
    let width = names.iter().map(|named| named.name.chars().count()).max().unwrap_or(0);
    let line = |named: Named| {
        let body = body(named);
        let day = body.as_of.map(|day| format!(", as of {day}")).unwrap_or_default();
        let rule = if body.by_rule { ", month end" } else { "" };
        format!("{:width$}  version {}{day}{rule}\n", body.name, body.version)
    };
    names.into_iter().map(line).collect()
}
