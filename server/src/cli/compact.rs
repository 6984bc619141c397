//! `yiku compact`: what commits left scattered is written together again.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use yiku::{Compaction, Database};

use super::locked::Wait;
use super::out;
use super::progress::Steps;
use crate::error::Error;

const EXAMPLE: &str = "\
Examples:
  yiku compact --db /tmp/registry
  yiku compact --db /tmp/registry --steady

No answer and no version changes, readers go on, and it may be stopped at any moment. Without
--steady everything is written anew that is not in order already: that takes room for a second
copy of it until the first is given back. Versions that are kept under a name keep their files.";

/// Write scattered rows together again, and give back the space of replaced ones
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Compact {
    /// The database folder
    #[arg(long, value_name = "DIR")]
    db: PathBuf,
    /// Do only what pays: many small segments, large ones that have lost a third
    #[arg(long)]
    steady: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    wait: Wait,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Done {
    steps: u64,
    segments_before: usize,
    segments: usize,
    bytes_before: u64,
    bytes: u64,
}

impl Compact {
    pub(super) fn run(self) -> Result<(), Error> {
        let failed = |source| Error::Engine { source };
        let database = Database::open(&self.db).map_err(failed)?;
        let how = if self.steady { Compaction::Steady } else { Compaction::Whole };
        let before = database.snapshot().map_err(failed)?;
        let steps = RefCell::new(Steps::new());
        let asked = Cell::new(0_u64);
        // It is asked before each step and before the exchange that ends it.
        let show = || {
            let done = asked.replace(asked.get() + 1) / 2;
            steps.borrow_mut().show("compacting", &format!("step {}", done + 1), done, 0);
            false
        };
        let done = self.wait.retry(|| database.compact(how, &show).map_err(failed));
        steps.into_inner().end();
        let steps = done?;
        let after = database.snapshot().map_err(failed)?;
        let done = Done {
            steps,
            segments_before: before.segments().len(),
            segments: after.segments().len(),
            bytes_before: before.size_bytes(),
            bytes: after.size_bytes(),
        };
        if self.json { out::json(&done) } else { out::text(&told(&done)) }
    }
}

fn told(done: &Done) -> String {
    format!(
        "{} steps; {} segments before, {} now; {} bytes before, {} now\n",
        done.steps, done.segments_before, done.segments, done.bytes_before, done.bytes
    )
}
