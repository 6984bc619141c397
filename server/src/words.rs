//! The index of words as questions use it: opened once, and again when a newer one stands.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use yiku_indexer::WordIndex;
use yiku_queries::wording::{Pattern, tokens};
use yiku_queries::{Candidates, Error, Result, TextIndex};

/// With more candidates than these, texts are read instead of looking each up.
const CANDIDATES_MAX: usize = 200_000;

/// The index beside a database.
#[derive(Debug)]
pub(crate) struct Words {
    db: PathBuf,
    open: Mutex<Option<Arc<WordIndex>>>,
}

/// How texts are read as tokens, as the indexer asks for it.
pub(crate) fn read(text: &str, visit: &mut dyn FnMut(&str)) {
    tokens(text, visit);
}

fn wrong(error: &yiku_indexer::Error) -> Error {
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        reason = format!("{reason}: {inner}");
        cause = inner.source();
    }
    Error::Index { reason }
}

impl Words {
    pub(crate) fn of(db: &Path) -> Self {
        Self { db: db.to_owned(), open: Mutex::default() }
    }

    /// The newest index, if there is one.
    fn newest(&self) -> Result<Option<Arc<WordIndex>>> {
        let Some(version) = WordIndex::newest(&self.db).map_err(|error| wrong(&error))? else {
            return Ok(None);
        };
        let mut open = self.open.lock();
        if let Some(index) = open.as_ref().filter(|index| index.version() == version) {
            return Ok(Some(Arc::clone(index)));
        }
        // One that is just taken away for a newer one is looked for again.
        let found = WordIndex::open(&self.db, read).or_else(|_| WordIndex::open(&self.db, read));
        *open = found.map_err(|error| wrong(&error))?.map(Arc::new);
        Ok(open.clone())
    }
}

impl TextIndex for Words {
    fn candidates(
        &self,
        version: u64,
        table: &str,
        column: &str,
        pattern: &Pattern,
    ) -> Result<Option<Candidates>> {
        let Some(index) = self.newest()?.filter(|index| index.version() <= version) else {
            return Ok(None);
        };
        let found = index.find((table, column), pattern.terms(), CANDIDATES_MAX);
        let found = found.map_err(|error| wrong(&error))?;
        Ok(found.map(|keys| Candidates { version: index.version(), keys }))
    }
}
