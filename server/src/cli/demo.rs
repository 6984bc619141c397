//! `yiku demo`: a province generated, loaded from the departments' files, and served.
//!
//! Invariant: every step looks at what is there and does what is missing, so that a run that was
//! interrupted anywhere is taken up by the next.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use yiku::{Database, calendar};
use yiku_fixtures::province::{self, Forms, Options};
use yiku_indexer::LoadOptions;

use super::progress::line;
use super::{generate, load, serve, threads};
use crate::error::Error;
use crate::platform::{Platform, PlatformSettings};
use crate::state::Settings;
use crate::{clock, demo};

const EXAMPLE: &str = "\
Example:
  yiku demo --persons 20000 --dir /tmp/demo

A second run finds the province and the database and only serves. Nobody in it exists.";

/// Months of records: a year, as the page shows it.
const MONTHS: u32 = 12;
const SEED: u64 = 1;

/// Generate a province, load it from the departments' files, and serve it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Demo {
    /// How many persons
    #[arg(long, default_value_t = 300_000, value_parser = generate::persons())]
    persons: u64,
    /// The folder of the demo; a folder beneath it is made for each number of persons
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value_t = serve::LISTEN)]
    listen: SocketAddr,
    /// Statistics only: no accounts, no cases, no sign-in
    #[arg(long)]
    statistics: bool,
    /// Where the platform's clock starts, for drills: 2026-11-02T08:00:00+08:00
    #[arg(long, value_name = "TIME", conflicts_with = "statistics")]
    now: Option<Timestamp>,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), Error> {
        let options = Options {
            persons: self.persons,
            months: MONTHS,
            seed: SEED,
            forms: Forms::Files,
            threads: threads(),
        };
        let folder = self.dir.join(format!("persons-{}", self.persons));
        let (files, db) = (folder.join("files"), folder.join("db"));
        generate_missing(&files, &options)?;
        load_missing(&files, &db)?;
        let database = Database::open(&db).map_err(|source| Error::Engine { source })?;
        let platform = match self.statistics {
            true => None,
            false => Some(platform(&folder, &db, &database, self.now)?),
        };
        serve::serve((database, &db), self.listen, Settings::default(), platform)
    }
}

/// The side where people work, with the demonstration's accounts and cases.
fn platform(
    folder: &Path,
    db: &Path,
    database: &Database,
    now: Option<Timestamp>,
) -> Result<Platform, Error> {
    let begun = clock::now();
    let settings = PlatformSettings { cases: folder.join("cases"), now, ..Default::default() };
    let mut platform = Platform::open(db, settings)?;
    let snapshot = database.snapshot().map_err(|source| Error::Engine { source })?;
    let accounts = demo::prepare(&platform, &snapshot);
    let accounts = accounts.map_err(|problem| Error::Demo { told: problem.in_words() })?;
    let seconds = begun.elapsed().as_secs_f64();
    line(&format!("{}: accounts and cases, {seconds:.1} s", folder.join("cases").display()));
    line(&format!("sign in as (password {}):", demo::PASSWORD));
    for account in &accounts {
        line(&format!("  {:8} {}", account.login, account.label));
    }
    platform.set_demo(accounts);
    Ok(platform)
}

fn generate_missing(files: &Path, options: &Options) -> Result<(), Error> {
    let shown = files.display();
    if province::is_there(files, options) {
        line(&format!("{shown}: the province is there"));
        return Ok(());
    }
    let begun = clock::now();
    let summary = generate::generate(files, options)?;
    let (number, persons) = (summary.files.len(), options.persons);
    let seconds = begun.elapsed().as_secs_f64();
    line(&format!("{shown}: {persons} persons in {number} files, {seconds:.1} s"));
    Ok(())
}

fn load_missing(files: &Path, db: &Path) -> Result<(), Error> {
    let own = yiku_indexer::registry_schema().map_err(load::refused)?;
    let options = LoadOptions {
        db,
        tree: Some(load::regions(&own.path)?),
        // The last day of the last month that is generated.
        as_of: calendar::days(2026, 10, 31),
        threads: threads(),
    };
    let begun = clock::now();
    let report = load::load_departments(&[files.to_owned()], &options)?;
    if report.unchanged {
        line(&format!("{}: holds these files already", db.display()));
    } else {
        line(report.to_text().trim_end());
        line(&format!("{}: loaded in {:.1} s", db.display(), begun.elapsed().as_secs_f64()));
    }
    Ok(())
}
