//! `yiku set`: sets of rows that are kept under a name.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use yiku_queries::sets::{Joining, Origin, SavedSet, SetFolder};
use yiku_queries::{Limits, SetSource};

use super::asked::{self, Asked};
use super::{out, threads};
use crate::error::Error;

const EXAMPLE: &str = "\
Examples:
  yiku set keep needy --db /tmp/registry 'from person where severe_illness and not employed'
  yiku query --db /tmp/registry 'from person where person in set needy by region.county'
  yiku set union all_needy needy old_alone --db /tmp/registry
  yiku set show needy --db /tmp/registry

A set keeps which rows it has: those that the question found in the version that it was asked of,
whatever becomes of them later. It also keeps the question, the version, the day and the values of
the parameters. Sets stand in the folder `sets` of the database.";

/// Keep rows as a set under a name, join sets, list and show them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct SetCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Keep(Keep),
    Union(Two),
    Intersect(Two),
    Subtract(Two),
    List(List),
    Show(Show),
    Drop(Drop),
}

/// Keep the rows that a question finds
#[derive(Debug, Args)]
#[command(after_help = "Example:
  yiku set keep old --db /tmp/registry 'from person where age(birth_date) >= 80'")]
struct Keep {
    /// The name: a word of the language that is none of its own
    #[arg(value_name = "NAME")]
    name: String,
    /// Replace the set that has this name
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    asked: Asked,
    /// The question: a table and which of its rows
    #[arg(value_name = "TEXT")]
    text: String,
}

/// Keep two sets of one table as one: rows of either (union), of both (intersect), of the first
/// that are not of the second (subtract)
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  yiku set subtract left was is --db /tmp/registry")]
struct Two {
    /// The name of the new set
    #[arg(value_name = "NAME")]
    name: String,
    /// The first set
    #[arg(value_name = "A")]
    a: String,
    /// The second set
    #[arg(value_name = "B")]
    b: String,
    /// Replace the set that has this name
    #[arg(long)]
    replace: bool,
    /// The database folder
    #[arg(long, value_name = "DIR")]
    db: PathBuf,
}

/// List the sets that are kept
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  yiku set list --db /tmp/registry")]
struct List {
    /// The database folder
    #[arg(long, value_name = "DIR")]
    db: PathBuf,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Show how a set came about
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  yiku set show needy --db /tmp/registry")]
struct Show {
    /// The name
    #[arg(value_name = "NAME")]
    name: String,
    /// The database folder
    #[arg(long, value_name = "DIR")]
    db: PathBuf,
}

/// Keep a set no longer
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  yiku set drop needy --db /tmp/registry")]
struct Drop {
    /// The name
    #[arg(value_name = "NAME")]
    name: String,
    /// The database folder
    #[arg(long, value_name = "DIR")]
    db: PathBuf,
}

/// A set without its rows.
#[derive(Serialize)]
struct SetBody<'a> {
    name: &'a str,
    table: &'a str,
    rows: usize,
    origin: &'a Origin,
}

fn wrong(source: yiku_queries::Error) -> Error {
    Error::Query { source }
}

fn one(folder: &SetFolder, name: &str) -> Result<std::sync::Arc<SavedSet>, Error> {
    let reason = || "no set of this name is kept; see `yiku set list`".to_owned();
    let missing = || yiku_queries::Error::Set { name: name.to_owned(), reason: reason() };
    folder.set(name).and_then(|found| found.ok_or_else(missing)).map_err(wrong)
}

fn line(name: &str, set: &SavedSet) -> String {
    format!("{name}: {} rows of {}\n", set.members().len(), set.table())
}

impl SetCommand {
    pub(super) fn run(self) -> Result<(), Error> {
        match self.what {
            What::Keep(keep) => keep.run(),
            What::Union(two) => two.run(Joining::Union),
            What::Intersect(two) => two.run(Joining::Intersection),
            What::Subtract(two) => two.run(Joining::Difference),
            What::List(list) => list.run(),
            What::Show(show) => show.run(),
            What::Drop(drop) => SetFolder::of(&drop.db).drop(&drop.name).map_err(wrong),
        }
    }
}

impl Keep {
    fn run(self) -> Result<(), Error> {
        let (opened, query) = (self.asked.open()?, asked::question(&self.text)?);
        let limits = Limits { threads: threads(), ..Limits::default() };
        let set = SavedSet::ask(&query, &opened.snapshot, &opened.context(), &limits);
        let set = set.map_err(wrong)?;
        let folder = SetFolder::of(&self.asked.db);
        folder.keep(&self.name, &set, self.replace).map_err(wrong)?;
        out::text(&line(&self.name, &set))
    }
}

impl Two {
    fn run(self, how: Joining) -> Result<(), Error> {
        let folder = SetFolder::of(&self.db);
        let (a, b) = (one(&folder, &self.a)?, one(&folder, &self.b)?);
        let set = SavedSet::joined(how, (&self.a, &a), (&self.b, &b)).map_err(wrong)?;
        folder.keep(&self.name, &set, self.replace).map_err(wrong)?;
        out::text(&line(&self.name, &set))
    }
}

impl List {
    fn run(self) -> Result<(), Error> {
        let folder = SetFolder::of(&self.db);
        let mut sets = Vec::new();
        for name in folder.names().map_err(wrong)? {
            let set = one(&folder, &name)?;
            sets.push((name, set));
        }
        if self.json {
            let body = sets.iter().map(|(name, set)| body(name, set)).collect::<Vec<_>>();
            return out::json(&body);
        }
        out::text(&sets.iter().map(|(name, set)| line(name, set)).collect::<String>())
    }
}

fn body<'a>(name: &'a str, set: &'a SavedSet) -> SetBody<'a> {
    SetBody { name, table: set.table(), rows: set.members().len(), origin: set.origin() }
}

impl Show {
    fn run(self) -> Result<(), Error> {
        let set = one(&SetFolder::of(&self.db), &self.name)?;
        out::json(&body(&self.name, &set))
    }
}
