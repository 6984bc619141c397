//! The threads of a pool. They lend a hand to questions whose callers ask for it, and sleep else.
//!
//! Invariants: no thread is started after the pool was made, and all have ended when it is gone;
//! what a thread was lent for is over before the one who asked goes on.

use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use rayon_core::{Scope, ThreadPool, ThreadPoolBuilder};

/// Threads beside those of the callers.
#[derive(Debug, Default)]
pub(super) struct Crew {
    threads: Option<ThreadPool>,
    joined: Vec<JoinHandle<()>>,
}

impl Crew {
    /// So many threads. Where the system gives none, questions run on their callers' alone.
    pub(super) fn new(count: usize) -> Self {
        if count == 0 {
            return Self::default();
        }
        let started = Mutex::new(Vec::with_capacity(count));
        let threads = ThreadPoolBuilder::new()
            .num_threads(count)
            .spawn_handler(|work| {
                let named = thread::Builder::new().name(format!("yiku-pool-{}", work.index()));
                started.lock().push(named.spawn(|| work.run())?);
                Ok(())
            })
            .build()
            .ok();
        Self { threads, joined: started.into_inner() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.threads.as_ref().map_or(0, ThreadPool::current_num_threads)
    }

    /// Does something on this thread from which others may be called. Returns when all are done.
    pub(super) fn scope<'s>(&self, act: impl FnOnce(&Scope<'s>)) {
        if let Some(threads) = &self.threads {
            threads.in_place_scope(act);
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        // Tells the threads to end.
        self.threads = None;
        for thread in self.joined.drain(..) {
            // A thread of the pool's own that drops it last cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}
