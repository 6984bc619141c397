//! One who waits to be woken.
//!
//! Invariant: who was woken never goes on sleeping: the word is written before the thread is
//! called, and looked at before it sleeps; a call that comes too early is kept for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// How long one sleeps before looking whether anybody still waits for the answer: where hundreds
/// sleep, each that looks more often takes time from those who work.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A thread that waits for a word.
#[derive(Debug)]
pub(crate) struct Sleeper {
    thread: Thread,
    woken: AtomicBool,
}

impl Sleeper {
    /// The thread that makes it.
    pub(crate) fn new() -> Self {
        Self { thread: thread::current(), woken: AtomicBool::new(false) }
    }

    pub(crate) fn wake(&self) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }

    /// Sleeps, on the thread that made it, until it is woken; not if `stop` says so before.
    pub(crate) fn sleep(&self, stop: &dyn Fn() -> bool) -> bool {
        loop {
            if self.woken.load(Ordering::Acquire) {
                return true;
            }
            if stop() {
                return false;
            }
            thread::park_timeout(LOOK_EVERY);
        }
    }
}
