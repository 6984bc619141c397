//! A stream of changes beside whatever else is measured: a thread that commits, and one that
//! compacts, both until they are told to stop.
#![expect(clippy::disallowed_methods, reason = "a measurement")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use yiku::{CommitInfo, Compaction, Database, Result};

use crate::change::Changes;

/// Changed bundles of one commit, and commits a second.
pub const BUNDLES: usize = 10;
/// Commits a second.
pub const COMMITS: u32 = 100;

/// Commits changed bundles at the rate of [`BUNDLES`] and [`COMMITS`] until it is stopped, each
/// anew after the `nth` time that all were; counts the bundles and gives the slowest commit.
///
/// # Errors
/// Whatever the engine says.
pub fn write(
    (database, changes, nth): (&Database, &Changes, u64),
    stopped: &dyn Fn() -> bool,
    written: &AtomicU64,
) -> Result<Duration> {
    let (start, mut slowest) = (Instant::now(), Duration::ZERO);
    for commit in 0u32.. {
        let due = Duration::from_secs(1) * commit / COMMITS;
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        if stopped() {
            break;
        }
        let begun = Instant::now();
        let mut writer = database.writer()?;
        let mut batch = writer.batch();
        for at in 0..BUNDLES {
            let at = commit as usize * BUNDLES + at;
            changes.put(&mut batch, at, nth + (at / changes.len().max(1)) as u64)?;
        }
        writer.write(&batch)?;
        writer.commit(CommitInfo::default())?;
        slowest = slowest.max(begun.elapsed());
        written.fetch_add(BUNDLES as u64, Ordering::Relaxed);
    }
    Ok(slowest)
}

/// Keeps segments few until it is stopped; counts the steps.
///
/// # Errors
/// Whatever the engine says.
pub fn compact(
    database: &Database,
    stopped: &(dyn Fn() -> bool + Sync),
    steps: &AtomicU64,
) -> Result<()> {
    while !stopped() {
        let done = database.compact(Compaction::Steady, &|| stopped())?;
        steps.fetch_add(done, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
