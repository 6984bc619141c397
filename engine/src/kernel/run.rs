//! How a question runs: on which threads, until when, within how much memory.
//!
//! Invariants: no answer depends on the pool; every item is worked on exactly once, or the
//! question fails; what is announced is given back when its holder is dropped.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::error::{Error, Result};

/// Why a question was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Its time was over.
    Deadline,
    /// Nobody waits for the answer any more.
    Cancelled,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deadline => "its time was over",
            Self::Cancelled => "it was cancelled",
        })
    }
}

/// Threads of the caller's: the engine starts none.
pub trait Pool: Sync {
    /// How many tasks run at the same time at most.
    fn threads(&self) -> usize;

    /// Calls `task` with every number below `tasks` and returns when all calls have returned.
    /// What is left out is done by the thread that asked.
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync));
}

/// The thread that asks, and no other.
struct Alone;

impl Pool for Alone {
    fn threads(&self) -> usize {
        1
    }

    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        (0..tasks).for_each(task);
    }
}

/// When a question ends early.
type StopTest<'a> = &'a (dyn Fn() -> Option<Stop> + Sync);

/// How one question runs. By itself: on the thread that asks, to the end, in as much memory as
/// it takes.
///
/// ```
/// use yiku::kernel::{Run, Stop};
///
/// let late = || Some(Stop::Deadline); // the caller's clock
/// let run = Run::new().until(&late).memory(64 << 20);
/// assert!(run.check().is_err());
/// ```
pub struct Run<'a> {
    pool: &'a dyn Pool,
    stop: Option<StopTest<'a>>,
    limit: u64,
    held: AtomicU64,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("threads", &self.pool.threads())
            .field("limit", &self.limit)
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}

impl Default for Run<'_> {
    fn default() -> Self {
        Self { pool: &Alone, stop: None, limit: u64::MAX, held: AtomicU64::new(0) }
    }
}

impl<'a> Run<'a> {
    /// On the thread that asks, to the end, without a limit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// On these threads.
    #[must_use]
    pub fn on(mut self, pool: &'a dyn Pool) -> Self {
        self.pool = pool;
        self
    }

    /// Until this says why to stop. It is asked before every block, by every thread.
    #[must_use]
    pub fn until(mut self, stop: &'a (dyn Fn() -> Option<Stop> + Sync)) -> Self {
        self.stop = Some(stop);
        self
    }

    /// Within so many bytes at once, those of a block on each thread aside.
    #[must_use]
    pub fn memory(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }

    /// An error if the caller wants to stop.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub fn check(&self) -> Result<()> {
        self.stop.and_then(|stop| stop()).map_or(Ok(()), |why| Err(Error::Stopped(why)))
    }

    /// Announces so many bytes before they are allocated.
    ///
    /// # Errors
    /// [`Error::Memory`] when they are more than is left.
    pub fn hold(&self, bytes: u64) -> Result<Held<'_>> {
        let more = |held: u64| held.checked_add(bytes).filter(|sum| *sum <= self.limit);
        let taken = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        match taken {
            Ok(_) => Ok(Held { held: &self.held, bytes }),
            Err(held) => {
                Err(Error::Memory { needed: held.saturating_add(bytes), limit: self.limit })
            }
        }
    }

    /// How many bytes are announced and not given back.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// How many states [`Run::over`] makes at most.
    pub(super) fn workers(&self, items: usize) -> usize {
        self.pool.threads().clamp(1, items.max(1))
    }

    /// Works on every item, in rising order on each thread; a thread has a state of its own.
    /// Gives the states, in no order: their merge must be the same in any.
    pub(super) fn over<S: Send>(
        &self,
        items: usize,
        state: impl Fn() -> Result<S> + Sync,
        work: impl Fn(&mut S, usize) -> Result<()> + Sync,
    ) -> Result<Vec<S>> {
        if self.workers(items) == 1 {
            let mut own = state()?;
            for item in 0..items {
                self.check()?;
                work(&mut own, item)?;
            }
            return Ok(vec![own]);
        }
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let states = Mutex::new(Vec::new());
        let failed: Mutex<Option<(usize, Error)>> = Mutex::new(None);
        let each = || -> std::result::Result<S, (usize, Error)> {
            let mut own = state().map_err(|error| (0, error))?;
            loop {
                let item = next.fetch_add(1, Ordering::Relaxed);
                if item >= items {
                    return Ok(own);
                }
                let step = self.check().and_then(|()| work(&mut own, item));
                step.map_err(|error| (item, error))?;
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        let task = |_: usize| match each() {
            Ok(own) => states.lock().push(own),
            Err(error) => {
                // The others need not go on.
                next.store(items, Ordering::Relaxed);
                let mut failed = failed.lock();
                if failed.as_ref().is_none_or(|(item, _)| error.0 < *item) {
                    *failed = Some(error);
                }
            }
        };
        self.pool.run(self.workers(items), &task);
        if next.load(Ordering::Relaxed) < items {
            task(0);
        }
        if let Some((_, error)) = failed.into_inner() {
            return Err(error);
        }
        if done.load(Ordering::Relaxed) != items {
            // The pool lost a task: what it had found is lost with it.
            return Err(Error::Stopped(Stop::Cancelled));
        }
        Ok(states.into_inner())
    }
}

/// Bytes that a question announced. They count until this is dropped.
#[derive(Debug)]
pub struct Held<'a> {
    held: &'a AtomicU64,
    bytes: u64,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
