//! A question's pieces, and the threads that work on them.
//!
//! Invariants: pieces are begun in rising order and each by one thread; after one has failed no
//! more are begun, those under way are finished, and the first of those that failed says why, so
//! that it is the same with any number of threads. A piece that breaks fails its question alone.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use rayon_core::Scope;

use super::{ON_LANE, Visit};
use crate::error::{Error, Result};

/// How long a question is worked on by one thread, in nanoseconds, before another is called, and
/// what must be left for it: calling one takes about as long.
const WORTH: u64 = 30_000;
/// How often the one who asked looks whether the others are done before it gives its lane away.
const LOOKS: usize = 1_000;

thread_local! {
    /// Whether this thread is at a piece. What is cut up within a piece is not spread again.
    static AT_PIECE: Cell<bool> = const { Cell::new(false) };
}

/// Pieces, what is done with each, and what a thread that works on some has of its own.
pub(crate) struct Job<'a, S> {
    pieces: usize,
    state: &'a (dyn Fn() -> Result<S> + Sync),
    work: &'a (dyn Fn(&mut S, usize) -> Result<()> + Sync),
    next: AtomicUsize,
    states: Mutex<Vec<S>>,
    failed: Mutex<Option<(usize, Error)>>,
    helpers: AtomicUsize,
}

/// One who helps: on a lane of its own, until this is dropped.
struct Helping<'a>(&'a Visit<'a>, &'a AtomicUsize);

impl Drop for Helping<'_> {
    fn drop(&mut self) {
        self.0.rest();
        self.1.fetch_sub(1, Ordering::Release);
    }
}

/// What it comes to; that it broke where it does.
fn guarded<T>(act: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or(Err(Error::Broken))
}

impl<'a, S: Send> Job<'a, S> {
    pub(crate) fn new(
        pieces: usize,
        state: &'a (dyn Fn() -> Result<S> + Sync),
        work: &'a (dyn Fn(&mut S, usize) -> Result<()> + Sync),
    ) -> Self {
        Self {
            pieces,
            state,
            work,
            next: AtomicUsize::new(0),
            states: Mutex::default(),
            failed: Mutex::default(),
            helpers: AtomicUsize::new(0),
        }
    }

    /// Works on it alone.
    pub(crate) fn alone(self) -> Result<Vec<S>> {
        self.take_part(|| false);
        self.done()
    }

    /// Works on it with at most so many threads of which the others are started for it.
    pub(crate) fn apart(self, threads: usize) -> Result<Vec<S>> {
        let threads = threads.clamp(1, self.pieces.max(1));
        if threads == 1 || AT_PIECE.get() {
            return self.alone();
        }
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| self.take_part(|| false));
            }
            self.take_part(|| false);
        });
        self.done()
    }

    /// Works on it with at most so many threads of the pool's at a time, others being called once
    /// it has turned out to take long enough.
    pub(crate) fn together(self, visit: &Visit<'_>, threads: usize) -> Result<Vec<S>> {
        let helpers = threads.min(self.pieces).saturating_sub(1).min(visit.pool.crew.len());
        if helpers == 0 || AT_PIECE.get() {
            return self.alone();
        }
        let began = visit.pool.now();
        let lent = Cell::new(false);
        self.take_part(|| {
            lent.set(self.is_worth_a_call(visit, began) && visit.pool.turns.lend());
            lent.get()
        });
        if lent.get() {
            visit.pool.crew.scope(|scope| {
                self.call(scope, visit);
                self.take_part(|| {
                    let may = self.helpers.load(Ordering::Relaxed) < helpers;
                    if may && self.is_worth_a_call(visit, began) && visit.pool.turns.lend() {
                        self.call(scope, visit);
                    }
                    false
                });
                self.wait(visit);
            });
            visit.resume();
        }
        self.done()
    }

    /// As [`Job::together`], with as many threads from the beginning as there are.
    pub(super) fn at_once(self, visit: &Visit<'_>, threads: usize) -> Result<Vec<S>> {
        let helpers = threads.min(self.pieces).saturating_sub(1).min(visit.pool.crew.len());
        if helpers == 0 || AT_PIECE.get() {
            return self.alone();
        }
        visit.pool.crew.scope(|scope| {
            for _ in 0..helpers {
                if visit.pool.turns.lend() {
                    self.call(scope, visit);
                }
            }
            self.take_part(|| false);
            self.wait(visit);
        });
        visit.resume();
        self.done()
    }

    /// Whether what is left will take a while, as what was done did.
    fn is_worth_a_call(&self, visit: &Visit<'_>, began: u64) -> bool {
        let done = self.next.load(Ordering::Relaxed).min(self.pieces);
        let (left, done) = ((self.pieces - done) as u64, done as u64);
        let took = visit.pool.now().saturating_sub(began);
        took >= WORTH && took.saturating_mul(left) / done.max(1) >= WORTH
    }

    /// Calls a thread of the pool for a lane that was lent for it.
    fn call<'s>(&'s self, scope: &Scope<'s>, visit: &'s Visit<'s>) {
        self.helpers.fetch_add(1, Ordering::Relaxed);
        let since = visit.pool.now();
        scope.spawn(move |_| {
            ON_LANE.set(Some(since));
            let _helping = Helping(visit, &self.helpers);
            // Whoever waits has none; a lane that was lent is given back for them.
            self.take_part(|| visit.pool.turns.waiting() > 0);
        });
    }

    /// Until the others are nearly done, without a lane where that takes long.
    fn wait(&self, visit: &Visit<'_>) {
        for _ in 0..LOOKS {
            if self.helpers.load(Ordering::Acquire) == 0 {
                return;
            }
            std::hint::spin_loop();
        }
        visit.rest();
    }

    /// Works on pieces until there are none or `leaves` says to go.
    fn take_part(&self, leaves: impl Fn() -> bool) {
        let was_at_piece = AT_PIECE.replace(true);
        let begun = self.states.lock().pop();
        match begun.map_or_else(|| guarded(self.state), Ok) {
            Ok(own) => self.work_off(own, leaves),
            Err(error) => self.fail(0, error),
        }
        AT_PIECE.set(was_at_piece);
    }

    fn work_off(&self, mut own: S, leaves: impl Fn() -> bool) {
        while !leaves() {
            let piece = self.next.fetch_add(1, Ordering::Relaxed);
            if piece >= self.pieces {
                break;
            }
            if let Err(error) = guarded(|| (self.work)(&mut own, piece)) {
                return self.fail(piece, error);
            }
        }
        self.states.lock().push(own);
    }

    fn fail(&self, piece: usize, error: Error) {
        // The others need not go on.
        self.next.store(self.pieces, Ordering::Relaxed);
        let mut failed = self.failed.lock();
        if failed.as_ref().is_none_or(|(first, _)| piece < *first) {
            *failed = Some((piece, error));
        }
    }

    fn done(self) -> Result<Vec<S>> {
        match self.failed.into_inner() {
            Some((_, error)) => Err(error),
            None => Ok(self.states.into_inner()),
        }
    }
}
