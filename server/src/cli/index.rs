//! `yiku index`: the index of the words in texts.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use yiku::Database;
use yiku_indexer::{WordsMade, make_words};

use super::{load, out};
use crate::error::Error;
use crate::words;

const EXAMPLE: &str = "\
Examples:
  yiku index --db /tmp/registry
  yiku query --db /tmp/registry \"from household where matches(address, '迎泽')\"

It is made anew of the newest version. Questions of later versions use it too: rows that were
written since are looked at besides. Without it, `matches` reads every text.";

/// Make the index that `matches(text, 'words')` looks in
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct MakeIndex {
    /// The database folder
    #[arg(long, value_name = "DIR")]
    db: PathBuf,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Body {
    version: u64,
    rows: u64,
    columns: usize,
}

impl MakeIndex {
    pub(super) fn run(self) -> Result<(), Error> {
        let database = Database::open(&self.db).map_err(|source| Error::Engine { source })?;
        let snapshot = database.snapshot().map_err(|source| Error::Engine { source })?;
        let made = make_words(&self.db, &snapshot, words::read).map_err(load::refused)?;
        let WordsMade { version, rows, columns } = made;
        if self.json {
            return out::json(&Body { version, rows, columns });
        }
        out::text(&format!("version {version}: {columns} columns of {rows} rows with texts\n"))
    }
}
