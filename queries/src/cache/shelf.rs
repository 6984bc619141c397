//! Answers in the order in which they go (S3-FIFO: a short queue for what came once, a long one
//! for what was asked again, and what went lately known by its name).
//!
//! Invariants: what is kept takes no more bytes than allowed; an answer of a version that is older
//! than the newest goes when the first of a newer one comes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::Asked;
use crate::answer::Answer;

/// Of the bytes, one part in so many is for what came once.
const SHORT: usize = 10;
/// How often an answer that is asked for again and again is passed over when one must go.
const SPARED_MAX: u8 = 3;
/// Names of answers that went lately, at most.
const GONE_MAX: usize = 1_024;

/// An answer that is kept.
#[derive(Debug)]
pub(super) struct Stored {
    answer: Arc<Answer>,
    bytes: usize,
    asked_again: u8,
    is_in_long: bool,
}

/// Answers within so many bytes.
#[derive(Debug)]
pub(super) struct Shelf {
    bytes_max: usize,
    stored: HashMap<Arc<Asked>, Stored>,
    short: VecDeque<Arc<Asked>>,
    long: VecDeque<Arc<Asked>>,
    short_bytes: usize,
    long_bytes: usize,
    gone: VecDeque<u64>,
    gone_set: HashSet<u64>,
    hasher: RandomState,
    newest: u64,
    evicted: u64,
}

impl Stored {
    pub(super) fn new(answer: Arc<Answer>, bytes: usize) -> Self {
        Self { answer, bytes, asked_again: 0, is_in_long: false }
    }
}

impl Shelf {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            stored: HashMap::new(),
            short: VecDeque::new(),
            long: VecDeque::new(),
            short_bytes: 0,
            long_bytes: 0,
            gone: VecDeque::new(),
            gone_set: HashSet::new(),
            hasher: RandomState::new(),
            newest: 0,
            evicted: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.stored.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.short_bytes + self.long_bytes
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) fn get(&mut self, asked: &Asked) -> Option<Arc<Answer>> {
        let stored = self.stored.get_mut(asked)?;
        stored.asked_again = stored.asked_again.saturating_add(1).min(SPARED_MAX);
        Some(Arc::clone(&stored.answer))
    }

    pub(super) fn put(&mut self, asked: Arc<Asked>, version: u64, mut stored: Stored) {
        if version > self.newest {
            self.newest = version;
            self.forget_older();
        }
        if stored.bytes > self.bytes_max / 2 || self.stored.contains_key(&asked) {
            return;
        }
        stored.is_in_long = self.gone_set.remove(&self.hasher.hash_one(&asked));
        let (queue, bytes) = if stored.is_in_long {
            (&mut self.long, &mut self.long_bytes)
        } else {
            (&mut self.short, &mut self.short_bytes)
        };
        queue.push_back(Arc::clone(&asked));
        *bytes += stored.bytes;
        self.stored.insert(asked, stored);
        while self.bytes() > self.bytes_max {
            self.make_room();
        }
    }

    /// Nobody will ask for these again: a server answers from the newest version.
    fn forget_older(&mut self) {
        let newest = self.newest;
        self.stored.retain(|asked, _| asked.version >= newest);
        let stored = &self.stored;
        for queue in [&mut self.short, &mut self.long] {
            queue.retain(|asked| stored.contains_key(asked));
        }
        (self.short_bytes, self.long_bytes) = (0, 0);
        for one in self.stored.values() {
            let bytes = if one.is_in_long { &mut self.long_bytes } else { &mut self.short_bytes };
            *bytes += one.bytes;
        }
    }

    /// One answer goes, or comes from the short queue into the long one.
    fn make_room(&mut self) {
        if self.short_bytes > self.bytes_max / SHORT || self.long.is_empty() {
            let Some(asked) = self.short.pop_front() else { return };
            let Some(stored) = self.stored.get_mut(&asked) else { return };
            self.short_bytes = self.short_bytes.saturating_sub(stored.bytes);
            if stored.asked_again > 0 {
                (stored.asked_again, stored.is_in_long) = (0, true);
                self.long_bytes += stored.bytes;
                self.long.push_back(asked);
                return;
            }
            self.remember(&asked);
            self.stored.remove(&asked);
            self.evicted += 1;
            return;
        }
        let Some(asked) = self.long.pop_front() else { return };
        let Some(stored) = self.stored.get_mut(&asked) else { return };
        if stored.asked_again > 0 {
            stored.asked_again -= 1;
            self.long.push_back(asked);
            return;
        }
        self.long_bytes = self.long_bytes.saturating_sub(stored.bytes);
        self.stored.remove(&asked);
        self.evicted += 1;
    }

    fn remember(&mut self, asked: &Asked) {
        let name = self.hasher.hash_one(asked);
        if self.gone_set.insert(name) {
            self.gone.push_back(name);
        }
        while self.gone.len() > GONE_MAX {
            if let Some(oldest) = self.gone.pop_front() {
                self.gone_set.remove(&oldest);
            }
        }
    }
}
