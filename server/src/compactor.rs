//! The thread that keeps a database's segments few and in order while decisions are written.
//!
//! Invariants: a step begins when no request runs, or when that has not happened for long; between
//! steps the right to write is given back, so that a load in another process gets its turn; what
//! fails is tried again and stops nobody; every wait ends when the server does.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use yiku::{Compaction, Database, Error};

use crate::background::Background;
use crate::clock;
use crate::state::ServerState;

/// How long the thread sleeps between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long it sleeps while requests run.
const WHILE_BUSY: Duration = Duration::from_millis(20);
/// How long it waits for a moment without requests: without an end, a server that is asked all day
/// would never be put in order.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it waits after something failed.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// Starts the thread; none on a server of statistics only, which writes nothing.
pub(crate) fn start(state: &ServerState) -> Option<Background> {
    state.platform().ok()?;
    let state = state.clone();
    let mut seen = Seen::default();
    Some(Background::start(move |stopped| {
        match seen.look(state.database(), &|| state.is_idle(), stopped) {
            // A load is writing: it is waited for without a word.
            Ok(_) | Err(Error::Locked { .. }) => LOOK_EVERY,
            Err(error) => {
                seen.failed(&error);
                AFTER_FAILURE
            }
        }
    }))
}

/// What the thread has seen so far.
#[derive(Debug, Default)]
struct Seen {
    /// The version in which nothing was left to do.
    settled: Option<u64>,
    failures: u64,
}

impl Seen {
    /// Does what pays, a step at a time; how many steps.
    fn look(
        &mut self,
        database: &Database,
        is_idle: &dyn Fn() -> bool,
        stopped: &AtomicBool,
    ) -> Result<u64, Error> {
        let mut steps = 0;
        loop {
            let version = database.snapshot()?.version();
            if self.settled == Some(version) || !wait_until(is_idle, stopped) {
                return Ok(steps);
            }
            let asked = Cell::new(0_u32);
            // Asked before a step, before its exchange, and before the next step, which comes after
            // others had their turn.
            let stop = || asked.replace(asked.get() + 1) >= 2 || stopped.load(Ordering::Relaxed);
            let done = database.compact(Compaction::Steady, &stop)?;
            if done == 0 && !stopped.load(Ordering::Relaxed) {
                self.settled = Some(version);
            }
            steps += done;
            self.failures = 0;
        }
    }

    /// Tells of the first failure of a row; the others say the same.
    fn failed(&mut self, error: &Error) {
        self.failures += 1;
        if self.failures == 1 {
            crate::cli::say(&format!("yiku: compaction waits: {error}"));
        }
    }
}

/// Waits for a moment without requests, or for long enough; false when the server stops.
fn wait_until(is_idle: &dyn Fn() -> bool, stopped: &AtomicBool) -> bool {
    let begun = clock::now();
    while !is_idle() && begun.elapsed() < PATIENCE && !stopped.load(Ordering::Relaxed) {
        thread::sleep(WHILE_BUSY);
    }
    !stopped.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use yiku::schema::PathNode;
    use yiku::{CommitInfo, PathTree, Schema};

    use super::*;

    /// A database with so many segments that steps pay.
    fn scattered(folder: &std::path::Path) -> Database {
        let schema = r#"
            name = "s"
            path = { name = "place", levels = [{ name = "district", digits = 2 }] }
            [[table]]
            name = "box"
            key = "id"
            columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" }]"#;
        let schema = Schema::from_toml(schema).unwrap();
        let node = PathNode { code: 11, level: 0, name: "D".into() };
        let tree = PathTree::new(&schema.path, vec![node]).unwrap();
        let database = Database::create(folder, schema, tree.clone()).unwrap();
        for nth in 0..16 {
            let mut writer = database.writer().unwrap();
            let mut batch = writer.batch();
            let key = format!("B{nth}");
            batch.row("box").unwrap().set("id", &*key).unwrap().set("place", "11").unwrap();
            writer.write(&batch).unwrap();
            // A new tree makes a commit one of files.
            writer.set_tree(tree.clone()).unwrap();
            writer.commit(CommitInfo::default()).unwrap();
        }
        database
    }

    #[test]
    fn segments_become_few_when_nobody_asks_and_nothing_else_changes() {
        let folder = tempfile::tempdir().unwrap();
        let database = scattered(folder.path());
        let before = database.snapshot().unwrap();
        assert_eq!(before.segments().len(), 16);
        let (mut seen, stopped) = (Seen::default(), AtomicBool::new(false));
        // Two requests run before there is a pause.
        let asked = Cell::new(0);
        let is_idle = || asked.replace(asked.get() + 1) >= 2;
        assert_eq!(seen.look(&database, &is_idle, &stopped).unwrap(), 1);
        assert!(asked.get() > 2, "a step began while requests ran");
        let after = database.snapshot().unwrap();
        assert_eq!((after.version(), after.rows(0)), (before.version(), 16));
        assert_eq!(after.segments().len(), 1);
        // Nothing is looked at again before a commit.
        let asked_before = asked.get();
        assert_eq!(seen.look(&database, &is_idle, &stopped).unwrap(), 0);
        assert_eq!(asked.get(), asked_before);
        // The right to write was given back.
        assert!(Database::open(folder.path()).unwrap().writer().is_ok());
    }

    #[test]
    fn a_server_that_stops_waits_for_no_pause() {
        let folder = tempfile::tempdir().unwrap();
        let database = scattered(folder.path());
        let stopped = AtomicBool::new(true);
        assert_eq!(Seen::default().look(&database, &|| false, &stopped).unwrap(), 0);
        assert_eq!(database.snapshot().unwrap().segments().len(), 16);
    }
}
