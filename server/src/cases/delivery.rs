//! From the outbox of case-work into the registry.
//!
//! Invariants: what is taken is marked only after the registry has it on disk; the registry passes
//! over what it has, so that a stop between the two repeats nothing and loses nothing.

use std::path::Path;

use yiku::Database;
use yiku_casework::store::{Outgoing, Store};
use yiku_indexer::{Applied, Decision, apply_decisions_to};

use crate::error::Error;

/// The most changes of one commit.
const TOGETHER: usize = 5_000;

/// Takes everything that waits to the database in a folder; what became of it, or none when nothing
/// waited. Two calls at the same time would number what they write alike.
///
/// # Errors
/// [`Error::Casework`], [`Error::Load`], also while a load is writing: then it waits on.
pub(crate) fn deliver(
    store: &Store,
    database: &Database,
    db: &Path,
) -> Result<Option<Applied>, Error> {
    let mut whole: Option<Applied> = None;
    loop {
        let taken = store.outbox_taken().map_err(|source| Error::Casework { source })?;
        let waiting = store.outbox_after(taken, TOGETHER);
        let waiting = waiting.map_err(|source| Error::Casework { source })?;
        let Some(last) = waiting.last().map(|one| one.seq) else { return Ok(whole) };
        let decisions: Vec<Decision> = waiting.iter().filter_map(decision).collect();
        let applied = apply_decisions_to(database, db, &decisions)
            .map_err(|source| Error::Load { source: Box::new(source) })?;
        store.outbox_done(last).map_err(|source| Error::Casework { source })?;
        whole = Some(match whole {
            None => applied,
            Some(mut before) => {
                before.version = applied.version;
                before.applied += applied.applied;
                before.skipped += applied.skipped;
                before.placed.extend(applied.placed);
                before.rejected.extend(applied.rejected);
                before
            }
        });
    }
}

/// A change as the registry reads it. What case-work writes it can read: a change that it cannot is
/// a fault of the program, and no reason to stop the others.
fn decision(outgoing: &Outgoing) -> Option<Decision> {
    let read = serde_json::from_value(outgoing.body.clone()).ok();
    if read.is_none() {
        // What it says may be personal: only the case is named.
        let (case, seq) = (&outgoing.case, outgoing.seq);
        crate::cli::say(&format!("yiku: change {seq} of case {case} is none the registry reads"));
    }
    read
}
