//! The first rows of a list, of those that were met so far.
//!
//! Invariant: a row that is left out has as many before it as the list may want.

use std::sync::atomic::{AtomicU64, Ordering};

use yiku::kernel::{Held, Run};

use super::standing::Standing;
use crate::error::Result;

/// Rows that are kept before any is left out, at least.
const LEAST: usize = 4_096;

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry<K> {
    pub(super) key: K,
    /// Where the row lies: rows of one place in two segments stand by the keys of their roots.
    pub(super) place: u64,
    pub(super) segment: u32,
    pub(super) row: u32,
}

impl<K: Standing> Entry<K> {
    /// Whether what the entries know does not tell which of them comes first.
    pub(super) fn ties(&self, other: &Self) -> bool {
        (&self.key, self.place) == (&other.key, other.place)
    }
}

/// How many rows a list may want, and what the last of these has at most.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) wanted: usize,
    lead: AtomicU64,
}

impl Bound {
    pub(super) fn new(wanted: usize) -> Self {
        Self { wanted, lead: AtomicU64::new(u64::MAX) }
    }

    /// Says that no row whose number is greater is in the list.
    pub(super) fn lower(&self, lead: u64) {
        self.lead.fetch_min(lead, Ordering::Relaxed);
    }

    /// No row whose number is greater is in the list.
    pub(super) fn lead(&self) -> u64 {
        self.lead.load(Ordering::Relaxed)
    }
}

/// The first rows that a thread has met.
pub(super) struct Best<'a, K> {
    run: &'a Run<'a>,
    pub(super) entries: Vec<Entry<K>>,
    /// How many rows match, and how many of them stand behind the cursor.
    pub(super) matched: u64,
    pub(super) behind: u64,
    /// Entries at which the others are left out.
    full: usize,
    held: Vec<Held<'a>>,
}

impl<'a, K: Standing> Best<'a, K> {
    pub(super) fn new(run: &'a Run<'a>, bound: &Bound) -> Self {
        let full = bound.wanted.saturating_mul(2).max(LEAST);
        Self { run, entries: Vec::new(), matched: 0, behind: 0, full, held: Vec::new() }
    }

    fn hold(&mut self, entries: usize) -> Result<()> {
        // A key of bytes takes about as much beside.
        let bytes = (entries as u64).saturating_mul(2 * size_of::<Entry<K>>() as u64);
        self.held.push(self.run.hold(bytes)?);
        Ok(())
    }

    /// Adds a row.
    pub(super) fn push(&mut self, entry: Entry<K>, bound: &Bound) -> Result<()> {
        if self.entries.len() >= self.full {
            self.cut(bound);
        }
        if self.entries.len() == self.entries.capacity() {
            let more = self.entries.len().max(LEAST);
            self.hold(more)?;
            self.entries.reserve_exact(more);
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Takes in what another thread has met.
    pub(super) fn join(&mut self, other: Self) -> Result<()> {
        self.matched += other.matched;
        self.behind += other.behind;
        self.hold(other.entries.len())?;
        self.entries.extend(other.entries);
        self.held.extend(other.held);
        Ok(())
    }

    /// Tells the other threads what is left out once enough rows were met.
    pub(super) fn settle(&mut self, bound: &Bound) {
        if self.entries.len() >= bound.wanted && bound.lead() == u64::MAX {
            self.cut(bound);
        }
    }

    /// Leaves out what cannot be in the list.
    pub(super) fn cut(&mut self, bound: &Bound) {
        let Some(last) = bound.wanted.checked_sub(1) else {
            self.entries.clear();
            return;
        };
        if last >= self.entries.len() {
            return;
        }
        let (_, last, _) = self.entries.select_nth_unstable(last);
        let last = last.clone();
        bound.lower(last.key.lead());
        let mut place = 0;
        // Rows that tie with the last one are told apart in the end.
        self.entries.retain(|entry| {
            place += 1;
            place <= bound.wanted || entry.ties(&last)
        });
        self.full = self.entries.len().saturating_mul(2).max(self.full);
    }
}
