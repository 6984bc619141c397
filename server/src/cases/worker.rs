//! The platform's own thread: takes the outbox to the registry, and lets the rules run when a
//! department's file has changed it.
//!
//! Invariants: one such thread a process; whatever fails is tried again and stops nobody else;
//! every wait ends when the server does.

use std::time::Duration;

use super::{delivery, watch};
use crate::background::Background;
use crate::error::Error;
use crate::platform::Platform;
use crate::problem::Problem;
use crate::state::ServerState;

/// How long the thread sleeps between two looks: well under the second within which a decision
/// must be in the statistics.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long it waits after something failed.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Starts the thread; none on a server of statistics only.
pub(crate) fn start(state: &ServerState) -> Option<Background> {
    state.platform().ok()?;
    let state = state.clone();
    let mut seen = Seen::default();
    Some(Background::start(move |_| match seen.look(&state) {
        Ok(()) => LOOK_EVERY,
        Err(problem) => {
            seen.failed(&problem);
            AFTER_FAILURE
        }
    }))
}

/// One look of the thread, from the beginning: the outbox is taken to the registry, the rules are
/// run over it, and whoever listens is told.
pub(crate) fn settle(state: &ServerState) -> Result<(), Problem> {
    Seen::default().look(state)
}

/// What the thread has seen so far.
#[derive(Debug, Default)]
struct Seen {
    version: Option<u64>,
    files: Option<String>,
    failures: u64,
}

impl Seen {
    fn look(&mut self, state: &ServerState) -> Result<(), Problem> {
        let platform = state.platform()?;
        // Whoever listens does not wait for a registry that is being written.
        tell(platform)?;
        deliver(state)?;
        let snapshot = state.snapshot()?;
        if self.version != Some(snapshot.version()) {
            let files = watch::state_of(&snapshot);
            if snapshot.rows(0) > 0 && self.files.as_ref() != Some(&files) {
                let run = watch::run(platform, &snapshot, 1, platform.now())?;
                platform.set_last_run(run);
                deliver(state)?;
            }
            self.files = Some(files);
            self.version = Some(snapshot.version());
        }
        self.failures = 0;
        tell(platform)
    }

    /// Tells of the first failure of a row; the others say the same.
    fn failed(&mut self, problem: &Problem) {
        self.failures += 1;
        if self.failures == 1 {
            crate::cli::say(&format!("yiku: the platform's thread waits: {}", problem.word()));
        }
    }
}

/// Wakes whoever listens, if something happened since they were woken.
pub(crate) fn tell(platform: &Platform) -> Result<(), Problem> {
    let last = platform.store().last_notice().map_err(|error| Problem::of_casework(&error))?;
    platform.notices().send_if_modified(|known| {
        let is_newer = *known < last;
        *known = last.max(*known);
        is_newer
    });
    Ok(())
}

fn deliver(state: &ServerState) -> Result<(), Problem> {
    let platform = state.platform()?;
    let applied = {
        let _alone = state.delivering();
        delivery::deliver(platform.store(), state.database(), platform.db())
    };
    let applied = match applied {
        Ok(Some(applied)) => applied,
        Ok(None) => return Ok(()),
        // A load is writing: what waits is taken when it is done.
        Err(Error::Load { source }) if is_locked(&source) => return Ok(()),
        Err(error) => return Err(Problem::of_delivery(&error)),
    };
    for rejected in &applied.rejected {
        crate::cli::say(&format!("yiku: the registry refused what case {} told", rejected.case));
    }
    Ok(())
}

fn is_locked(error: &yiku_indexer::Error) -> bool {
    matches!(error, yiku_indexer::Error::Engine(yiku::Error::Locked { .. }))
}
