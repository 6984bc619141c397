//! Memory that all questions share: each takes what it may need at most before it begins.
//!
//! Invariants: no more is taken at a time than there is, but by one that is alone; who waits is
//! overtaken by smaller ones only so often, then nobody passes before there is room for them.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::sleeper::Sleeper;

/// How often one who waits is overtaken at most.
const OVERTAKEN_MAX: u32 = 16;

/// The bytes that there are, and who waits for some.
#[derive(Debug)]
pub(super) struct Memory {
    limit: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: u64,
    queue: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    bytes: u64,
    overtaken: u32,
    sleeper: Arc<Sleeper>,
}

/// Bytes that a question has taken until this is dropped.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    memory: &'a Memory,
    bytes: u64,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.memory.give(self.bytes);
    }
}

impl State {
    fn fits(&self, bytes: u64, limit: u64) -> bool {
        self.taken == 0 || self.taken.checked_add(bytes).is_some_and(|sum| sum <= limit)
    }

    /// Takes for whoever waits and fits, in their order.
    fn admit(&mut self, limit: u64) -> Vec<Arc<Sleeper>> {
        let mut woken = Vec::new();
        let mut kept: VecDeque<Waiting> = VecDeque::with_capacity(self.queue.len());
        let mut is_barred = false;
        for waiting in std::mem::take(&mut self.queue) {
            if !is_barred && self.fits(waiting.bytes, limit) {
                self.taken = self.taken.saturating_add(waiting.bytes);
                kept.iter_mut().for_each(|before| before.overtaken += 1);
                woken.push(waiting.sleeper);
            } else {
                kept.push_back(waiting);
            }
            is_barred = kept.iter().any(|before| before.overtaken >= OVERTAKEN_MAX);
        }
        self.queue = kept;
        woken
    }
}

impl Memory {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, state: Mutex::default() }
    }

    /// How many bytes there are.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// How many bytes are taken, and how many questions wait for some.
    pub(super) fn load(&self) -> (u64, usize) {
        let state = self.state.lock();
        (state.taken, state.queue.len())
    }

    /// So many bytes, once they are there; nothing if `stop` says so before.
    pub(super) fn take(&self, bytes: u64, stop: &dyn Fn() -> bool) -> Option<Taken<'_>> {
        let sleeper = {
            let mut state = self.state.lock();
            let sleeper = Arc::new(Sleeper::new());
            let one = Waiting { bytes, overtaken: 0, sleeper: Arc::clone(&sleeper) };
            state.queue.push_back(one);
            let woken = state.admit(self.limit);
            drop(state);
            woken.iter().for_each(|sleeper| sleeper.wake());
            sleeper
        };
        if sleeper.sleep(stop) {
            return Some(Taken { memory: self, bytes });
        }
        let mut state = self.state.lock();
        let before = state.queue.len();
        state.queue.retain(|waiting| !Arc::ptr_eq(&waiting.sleeper, &sleeper));
        // Who is not there any more was let in meanwhile. Those behind may pass now in either case.
        if state.queue.len() == before {
            state.taken = state.taken.saturating_sub(bytes);
        }
        let woken = state.admit(self.limit);
        drop(state);
        woken.iter().for_each(|sleeper| sleeper.wake());
        None
    }

    fn give(&self, bytes: u64) {
        let mut state = self.state.lock();
        state.taken = state.taken.saturating_sub(bytes);
        let woken = state.admit(self.limit);
        drop(state);
        woken.iter().for_each(|sleeper| sleeper.wake());
    }
}
