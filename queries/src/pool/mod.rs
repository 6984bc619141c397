//! Processors and memory that all questions of a process share.
//!
//! A [`Pool`] is made once by whoever embeds the language and goes with every question in
//! [`Limits`](crate::Limits). A question is worked on by the thread that asks it, and by threads of
//! the pool where there are some to spare; it is cut into pieces, and between two pieces, and where
//! a piece is long within it, whoever had more than its share lets others go first.
//!
//! Invariants: no more threads work at a time than the pool was made for; nobody waits for
//! somebody else's whole question; no answer depends on the pool. A thread that holds a lane
//! waits for nothing, so that every lane comes back. The clock is the caller's: it decides whose
//! turn it is, and nothing else.

mod crew;
mod job;
mod memory;
mod sleeper;
#[cfg(test)]
mod tests;
mod turns;

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crew::Crew;
pub(crate) use job::Job;
use memory::{Memory, Taken};
pub(crate) use sleeper::Sleeper;
use turns::{Turn, Turns};

/// How long a question works while others wait, in nanoseconds, before it is asked to let them go
/// first: long enough that changing costs little.
const SLICE: u64 = 500_000;
/// So many who wait make it as long again. Where many wait, each waits for many others anyway: to
/// change often makes nobody faster, and whoever asks for more than a slice much slower.
const CROWD: u64 = 2;

/// How long a question works while so many others wait.
fn slice(waiting: usize) -> u64 {
    let crowds = u64::try_from(waiting).unwrap_or(u64::MAX) / CROWD;
    SLICE.saturating_mul(crowds.saturating_add(1))
}

/// Nanoseconds since any moment.
type Clock = Box<dyn Fn() -> u64 + Send + Sync>;

thread_local! {
    /// Since when this thread has been on a lane, by the clock of its pool.
    static ON_LANE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Threads and memory that questions share.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Instant;
/// use yiku_queries::{Limits, Pool};
///
/// let began = Instant::now();
/// let clock = move || u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
/// let pool = Arc::new(Pool::new(2, clock).memory(1 << 30, 5_000_000_000));
/// let limits = Limits { threads: 2, pool: Some(pool), ..Limits::default() };
/// ```
pub struct Pool {
    turns: Turns,
    memory: Option<Memory>,
    /// How long a question waits for memory, in nanoseconds.
    patience: u64,
    crew: Crew,
    threads: usize,
    clock: Clock,
}

/// What a pool has to do at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLoad {
    /// Questions that are under way.
    pub active: u64,
    /// Threads that wait for their turn.
    pub waiting: usize,
    /// Bytes that questions have declared.
    pub memory_bytes: u64,
    /// Questions that wait for memory.
    pub memory_waiting: usize,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("threads", &self.threads)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool in which so many threads work at a time: those that ask and, while fewer ask, its
    /// own, one less than that. `clock` gives nanoseconds since any moment.
    #[must_use]
    pub fn new(threads: usize, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        let threads = threads.max(1);
        Self {
            turns: Turns::new(threads),
            memory: None,
            patience: u64::MAX,
            crew: Crew::new(threads - 1),
            threads,
            clock: Box::new(clock),
        }
    }

    /// The same with so many bytes for all questions together. One that does not fit waits, for so
    /// many nanoseconds at most.
    #[must_use]
    pub fn memory(mut self, bytes: u64, patience: u64) -> Self {
        (self.memory, self.patience) = (Some(Memory::new(bytes)), patience);
        self
    }

    /// What it has to do.
    #[must_use]
    pub fn load(&self) -> PoolLoad {
        let memory = self.memory.as_ref().map(Memory::load).unwrap_or_default();
        PoolLoad {
            active: self.turns.active(),
            waiting: self.turns.waiting(),
            memory_bytes: memory.0,
            memory_waiting: memory.1,
        }
    }

    /// The bytes that all questions together may take, if that is limited.
    pub(crate) fn memory_bytes(&self) -> Option<u64> {
        self.memory.as_ref().map(Memory::limit)
    }

    fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Waits until a question may begin that takes so many bytes at most.
    ///
    /// # Errors
    /// [`Error::Stopped`], [`Error::Busy`].
    pub(crate) fn visit<'a>(
        &'a self,
        bytes: u64,
        stop: &'a (dyn Fn() -> bool + Sync),
    ) -> Result<Visit<'a>> {
        let has_lane = ON_LANE.get().is_some();
        // Who asks from within a question has what that has: waiting with it would hold it up.
        let memory = self.memory.as_ref().filter(|_| !has_lane);
        let memory = memory.map(|memory| self.taken(memory, bytes, stop)).transpose()?;
        let had = AtomicU64::new(self.turns.enter());
        let visit = Visit { pool: self, had, stop, has_lane, _memory: memory };
        visit.resume();
        if ON_LANE.get().is_none() {
            return Err(Error::Stopped);
        }
        Ok(visit)
    }

    fn taken<'a>(
        &self,
        memory: &'a Memory,
        bytes: u64,
        stop: &dyn Fn() -> bool,
    ) -> Result<Taken<'a>> {
        let came = self.now();
        let is_late = || self.now().saturating_sub(came) >= self.patience;
        let taken = memory.take(bytes.min(memory.limit()), &|| stop() || is_late());
        taken.ok_or_else(|| if stop() { Error::Stopped } else { Error::Busy { bytes } })
    }
}

/// A question while it is under way.
pub(crate) struct Visit<'a> {
    pool: &'a Pool,
    /// What it had so far, in nanoseconds of all its threads, from what it began with.
    had: AtomicU64,
    stop: &'a (dyn Fn() -> bool + Sync),
    /// The lane is that of a question around this one.
    has_lane: bool,
    _memory: Option<Taken<'a>>,
}

impl fmt::Debug for Visit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit").field("had", &self.had).finish_non_exhaustive()
    }
}

impl Visit<'_> {
    /// What this thread has had since it came onto its lane counts for this question.
    fn spent(&self) -> u64 {
        let since = ON_LANE.get().map_or(0, |since| self.pool.now().saturating_sub(since));
        self.had.fetch_add(since, Ordering::Relaxed);
        since
    }

    /// Takes a lane for this thread unless it has one, or nobody waits for the answer any more.
    fn resume(&self) {
        if ON_LANE.get().is_none() {
            self.settle(self.pool.turns.take(self.had.load(Ordering::Relaxed)));
        }
    }

    /// Waits for a lane where it must.
    fn settle(&self, turn: Turn) {
        ON_LANE.set(None);
        if let Turn::Waits(place, sleeper) = turn
            && !sleeper.sleep(self.stop)
        {
            return self.pool.turns.give_up(place);
        }
        ON_LANE.set(Some(self.pool.now()));
    }

    /// Gives the lane of this thread back.
    fn rest(&self) {
        if ON_LANE.get().is_some() {
            let took = self.spent();
            ON_LANE.set(None);
            self.pool.turns.give(took);
        }
    }

    /// Lets others go first if this question had its share. Asked often: where nobody waits it
    /// costs a look at a number.
    pub(crate) fn pause(&self) {
        let waiting = self.pool.turns.waiting();
        if waiting == 0 {
            return;
        }
        let Some(since) = ON_LANE.get() else { return };
        if self.pool.now().saturating_sub(since) < slice(waiting) {
            return;
        }
        let took = self.spent();
        let had = self.had.load(Ordering::Relaxed);
        self.settle(self.pool.turns.go_on(had, took));
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if self.has_lane {
            // What is spent from here on is of the question around this one.
            let _ = self.spent();
            ON_LANE.set(ON_LANE.get().map(|_| self.pool.now()));
        } else {
            self.rest();
        }
        self.pool.turns.leave();
    }
}

impl yiku::kernel::Pool for Pool {
    fn threads(&self) -> usize {
        self.threads
    }

    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        let Ok(visit) = self.visit(0, &|| false) else { return };
        let state = || Ok(());
        let work = |(): &mut (), place| {
            task(place);
            Ok(())
        };
        // A task that breaks is one that is not done: the engine counts them.
        let _ = Job::new(tasks, &state, &work).at_once(&visit, self.threads);
    }
}
