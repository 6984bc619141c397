//! Whose turn it is: so many lanes, and the questions that wait for one in the order of what they
//! had so far.
//!
//! Invariants: no lane is free while somebody waits; who has had least stands first, and of those
//! who had the same who came first; a question that comes counts as if it had had what each of
//! those who are there would have, had the time been shared evenly. So a short question overtakes a
//! long one, and a long one is never left out for good. Knows neither threads nor a clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::sleeper::Sleeper;

/// Where one stands who waits: what was had, and when they came.
pub(super) type Place = (u64, u64);

/// The lanes and who waits for one.
#[derive(Debug)]
pub(super) struct Turns {
    state: Mutex<State>,
    /// As in the state, to be looked at without a lock: a moment old.
    free: AtomicUsize,
    waiting: AtomicUsize,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Questions that are under way, those that wait included.
    active: u64,
    /// What an even share of the time so far is, in nanoseconds.
    even: u64,
    /// How many have waited so far.
    came: u64,
    queue: BTreeMap<Place, Arc<Sleeper>>,
}

/// What was asked for, or where one stands who has to wait for it.
#[derive(Debug)]
pub(super) enum Turn {
    Mine,
    Waits(Place, Arc<Sleeper>),
}

impl Turns {
    pub(super) fn new(lanes: usize) -> Self {
        let state = State { free: lanes, active: 0, even: 0, came: 0, queue: BTreeMap::new() };
        Self {
            state: Mutex::new(state),
            free: AtomicUsize::new(lanes),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Does something with the state, and says outside what is to be known there.
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let done = act(&mut state);
        self.free.store(state.free, Ordering::Relaxed);
        self.waiting.store(state.queue.len(), Ordering::Relaxed);
        done
    }

    /// How many wait for a lane.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many questions are under way.
    pub(super) fn active(&self) -> u64 {
        self.state.lock().active
    }

    /// A question begins. Gives what it counts as having had.
    pub(super) fn enter(&self) -> u64 {
        self.with(|state| {
            state.active = state.active.saturating_add(1);
            state.even
        })
    }

    /// A question is over.
    pub(super) fn leave(&self) {
        self.with(|state| state.active = state.active.saturating_sub(1));
    }

    /// A lane for who had so much, or a place to wait at.
    pub(super) fn take(&self, had: u64) -> Turn {
        self.with(|state| {
            if state.free > 0 {
                state.free -= 1;
                return Turn::Mine;
            }
            state.wait(had)
        })
    }

    /// One more lane for who has one already, if nobody waits for it.
    pub(super) fn lend(&self) -> bool {
        self.free.load(Ordering::Relaxed) > 0
            && self.with(|state| {
                let lent = state.free > 0;
                state.free -= usize::from(lent);
                lent
            })
    }

    /// Gives a lane back after so long on it.
    pub(super) fn give(&self, took: u64) {
        let next = self.with(|state| {
            state.spend(took);
            state.pass_on()
        });
        wake(next);
    }

    /// Whether who had so much and has been on a lane for so long goes on; if not, the lane is the
    /// next one's.
    pub(super) fn go_on(&self, had: u64, took: u64) -> Turn {
        let (turn, next) = self.with(|state| {
            state.spend(took);
            match state.queue.first_key_value() {
                Some(((least, _), _)) if *least <= had => {
                    let next = state.pass_on();
                    (state.wait(had), next)
                }
                _ => (Turn::Mine, None),
            }
        });
        wake(next);
        turn
    }

    /// One who waits gives up. Whoever was given a lane meanwhile gives it back.
    pub(super) fn give_up(&self, place: Place) {
        let next = self.with(|state| match state.queue.remove(&place) {
            Some(_) => None,
            None => state.pass_on(),
        });
        wake(next);
    }
}

fn wake(next: Option<Arc<Sleeper>>) {
    if let Some(sleeper) = next {
        sleeper.wake();
    }
}

impl State {
    fn spend(&mut self, took: u64) {
        self.even = self.even.saturating_add(took / self.active.max(1));
    }

    fn wait(&mut self, had: u64) -> Turn {
        let sleeper = Arc::new(Sleeper::new());
        let place = (had, self.came);
        self.came = self.came.wrapping_add(1);
        self.queue.insert(place, Arc::clone(&sleeper));
        Turn::Waits(place, sleeper)
    }

    /// A lane becomes free, or the first one's.
    fn pass_on(&mut self) -> Option<Arc<Sleeper>> {
        let next = self.queue.pop_first();
        self.free += usize::from(next.is_none());
        next.map(|(_, sleeper)| sleeper)
    }
}
