//! `yiku verify`: every checksum and every invariant of a database looked at.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use yiku::Database;
use yiku::report::Verified;

use super::out;
use super::progress::Steps;
use crate::error::Error;

const EXAMPLE: &str = "\
Examples:
  yiku verify --db /tmp/registry
  yiku verify --db /tmp/registry --json

Reads the newest version and those that are kept under a name, every byte of them. What is wrong
is printed, a line a finding, with file and offset; the exit status is 1 then. Where a version
cannot be opened, each of its files that can be reached is looked at nevertheless. It changes
nothing and may run beside a server or a load.";

/// Look at every checksum and every invariant of a database
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Verify {
    /// The database folder
    #[arg(long, value_name = "DIR")]
    db: PathBuf,
    /// Print what was looked at and found as JSON
    #[arg(long)]
    json: bool,
}

/// One thing that is wrong.
#[derive(Debug, Serialize)]
struct Finding {
    file: Option<PathBuf>,
    offset: Option<u64>,
    what: String,
    /// The whole of it, as a line.
    #[serde(skip)]
    line: String,
}

impl Finding {
    fn of(error: &yiku::Error) -> Self {
        let line = error.to_string();
        let (file, offset, what) = match error {
            yiku::Error::Corrupt { file, offset, what } => {
                (Some(file.clone()), Some(*offset), (*what).to_owned())
            }
            yiku::Error::Format { file: path, .. } | yiku::Error::Io { path, .. } => {
                (Some(path.clone()), None, line.clone())
            }
            _ => (None, None, line.clone()),
        };
        Self { file, offset, what, line }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    version: u64,
    versions: u64,
    segments: u64,
    bytes: u64,
    rows: BTreeMap<&'a str, u64>,
    findings: &'a [Finding],
}

impl Verify {
    pub(super) fn run(self) -> Result<(), Error> {
        let mut steps = Steps::new();
        steps.show("verifying", &self.db.display().to_string(), 0, 0);
        let looked = self.look();
        steps.end();
        let (verified, findings) = looked?;
        if self.json {
            out::json(&Report {
                version: verified.version,
                versions: verified.versions,
                segments: verified.segments,
                bytes: verified.bytes,
                rows: verified.rows.iter().map(|(table, rows)| (&**table, *rows)).collect(),
                findings: &findings,
            })?;
        } else {
            out::text(&out::plain(&told(&verified, &findings)))?;
        }
        match findings.len() {
            0 => Ok(()),
            found => Err(Error::Damaged { path: self.db, found }),
        }
    }

    /// What was looked at, and what is wrong.
    fn look(&self) -> Result<(Verified, Vec<Finding>), Error> {
        let mut findings = Vec::new();
        let looked =
            Database::verify_folder(&self.db, &mut |error| findings.push(Finding::of(&error)));
        looked.map(|verified| (verified, findings)).map_err(|source| Error::Engine { source })
    }
}

fn told(verified: &Verified, findings: &[Finding]) -> String {
    if !findings.is_empty() {
        return findings.iter().map(|finding| format!("{}\n", finding.line)).collect();
    }
    let rows = verified.rows.iter().map(|(table, rows)| format!("{table} {rows}"));
    let rows: Vec<String> = rows.collect();
    format!(
        "sound: version {}, {} versions, {} segments, {} bytes; rows: {}\n",
        verified.version,
        verified.versions,
        verified.segments,
        verified.bytes,
        rows.join(", ")
    )
}
