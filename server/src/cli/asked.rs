//! What `yiku query`, `yiku explain` and `yiku set` ask: a database, one of its versions, and
//! what the question may name.

use std::path::PathBuf;

use clap::Args;
use yiku::{Database, Snapshot};
use yiku_queries::{Context, Plan, Query};

use super::snapshot;
use crate::error::Error;
use crate::ground::Ground;

/// The database, and what a question of it may name.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// The database folder
    #[arg(long, value_name = "DIR")]
    pub(super) db: PathBuf,
    /// The name of a kept version [default: the newest version]
    #[arg(long, value_name = "NAME")]
    snapshot: Option<String>,
    /// What `$name` stands for (TOML) [default: the program's standards]
    #[arg(long = "params", value_name = "FILE")]
    parameters: Option<PathBuf>,
}

/// A version that is open, with what names are looked up in.
pub(super) struct Opened {
    database: Database,
    ground: Ground,
    pub(super) snapshot: Snapshot,
}

impl Asked {
    pub(super) fn open(&self) -> Result<Opened, Error> {
        let wrong = |source| Error::Standards { source };
        let database = Database::open(&self.db).map_err(|source| Error::Engine { source })?;
        let snapshot = snapshot::version(&database, self.snapshot.as_deref())?;
        let mut ground = Ground::new(Some(&self.db)).map_err(wrong)?;
        if let Some(file) = &self.parameters {
            ground = ground.with_standards(&super::read(file)?).map_err(wrong)?;
        }
        Ok(Opened { database, ground, snapshot })
    }
}

impl Opened {
    pub(super) fn context(&self) -> Context<'_> {
        self.ground.context(&self.database)
    }

    /// A question bound to the version.
    pub(super) fn bind(&self, query: &Query) -> Result<Plan, Error> {
        let plan = Plan::bind(query, &self.snapshot, &self.context());
        plan.map_err(|source| Error::Query { source })
    }
}

/// A question in either form.
pub(super) fn question(text: &str) -> Result<Query, Error> {
    let query = match text.trim_start().starts_with('{') {
        true => Query::from_json(text),
        false => Query::parse(text),
    };
    query.map_err(|source| Error::Query { source })
}
