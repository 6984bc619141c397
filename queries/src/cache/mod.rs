//! Answers that are kept: the same question over the same version is answered once.
//!
//! Invariants: an answer is kept under everything that it depends on, the scope above all; errors
//! are never kept; what may change under the same version never is ([`Asked::new`] gives nothing
//! for it). Of many who ask the same at once one computes and the others wait for it; where that
//! fails, the next one does. No more bytes are kept than were allowed. A cache is of one database
//! and of one set of parameters.

mod shelf;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use yiku::Snapshot;

use crate::answer::{Answer, AnswerColumn, Values};
use crate::ast::Query;
use crate::error::{Error, Result};
use crate::plan::Limits;
use crate::pool::Sleeper;
use crate::short::Text;
use shelf::{Shelf, Stored};

/// Parts with a lock each, so that who looks up one answer seldom waits for who keeps another.
const SHELVES: usize = 8;
/// Bytes that an answer takes besides its values and its question, about.
const ENTRY_BYTES: usize = 512;

/// A question and everything that its answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    version: u64,
    as_of: Option<i64>,
    scope: Option<String>,
    question: String,
    groups: usize,
    rows: usize,
}

impl Asked {
    /// A question over all rows of a snapshot, within limits and with at most so many rows in its
    /// answer. Nothing for one whose answer may be another for the same version: it names what is
    /// kept under a name, or asks how it is answered.
    #[must_use]
    pub fn new(query: &Query, snapshot: &Snapshot, limits: &Limits, rows: usize) -> Option<Self> {
        if query.names_what_is_kept() || query.explains() {
            return None;
        }
        Some(Self {
            version: snapshot.version(),
            as_of: snapshot.as_of(),
            scope: None,
            question: query.to_text(),
            groups: limits.groups,
            rows,
        })
    }

    /// The same over the rows beneath a place only.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        Self { scope: Some(scope.to_owned()), ..self }
    }

    fn bytes(&self) -> usize {
        self.question.len() + self.scope.as_ref().map_or(0, String::len)
    }
}

/// Answers by what was asked.
#[derive(Debug)]
pub struct AnswerCache {
    shelves: Vec<Mutex<Shelf>>,
    flights: Mutex<HashMap<Arc<Asked>, Arc<Flight>>>,
    hasher: RandomState,
    bytes_max: usize,
    found: AtomicU64,
    joined: AtomicU64,
    computed: AtomicU64,
}

/// What a cache has done and holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheLoad {
    /// Answers that were there.
    pub found: u64,
    /// Answers that somebody else was computing.
    pub joined: u64,
    /// Questions that had to be answered.
    pub computed: u64,
    /// Answers that were dropped for others.
    pub evicted: u64,
    /// Answers that are kept.
    pub answers: u64,
    /// Bytes that they take, about.
    pub bytes: u64,
}

/// Somebody computes, and these wait for it.
#[derive(Debug, Default)]
struct Flight {
    /// Nothing where it failed.
    landed: OnceLock<Option<Arc<Answer>>>,
    waiting: Mutex<Vec<Arc<Sleeper>>>,
}

enum Joined {
    Waits(Arc<Flight>, Arc<Sleeper>),
    Computes(Arc<Flight>),
}

/// What there is for a question.
#[derive(Debug)]
pub enum Looked<'a> {
    /// The answer.
    Found(Arc<Answer>),
    /// Nobody has it: whoever holds this computes it, and others wait for that.
    Mine(Ticket<'a>),
}

/// The right to compute an answer. Dropped without one, somebody else computes it.
#[derive(Debug)]
pub struct Ticket<'a> {
    cache: &'a AnswerCache,
    /// Nothing where nothing is kept.
    flight: Option<(Arc<Asked>, Arc<Flight>)>,
}

impl AnswerCache {
    /// A cache of at most so many bytes; with none nothing is kept and nobody waits for another.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let shelf = || Mutex::new(Shelf::new(bytes / SHELVES));
        Self {
            shelves: std::iter::repeat_with(shelf).take(SHELVES).collect(),
            flights: Mutex::default(),
            hasher: RandomState::new(),
            bytes_max: bytes,
            found: AtomicU64::new(0),
            joined: AtomicU64::new(0),
            computed: AtomicU64::new(0),
        }
    }

    /// The answer to a question, or the right to compute it. Waits for somebody who computes it,
    /// until `stop` is set.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub fn look(&self, asked: Asked, stop: Option<&AtomicBool>) -> Result<Looked<'_>> {
        if self.bytes_max == 0 {
            self.computed.fetch_add(1, Ordering::Relaxed);
            return Ok(Looked::Mine(Ticket { cache: self, flight: None }));
        }
        let asked = Arc::new(asked);
        let stopped = || stop.is_some_and(|stop| stop.load(Ordering::Relaxed));
        loop {
            if let Some(answer) = self.kept(&asked) {
                self.found.fetch_add(1, Ordering::Relaxed);
                return Ok(Looked::Found(answer));
            }
            let (flight, sleeper) = match self.join(&asked) {
                Joined::Waits(flight, sleeper) => (flight, sleeper),
                Joined::Computes(flight) => {
                    let ticket = Ticket { cache: self, flight: Some((Arc::clone(&asked), flight)) };
                    // It may have been kept since it was looked for.
                    if let Some(answer) = self.kept(&asked) {
                        self.found.fetch_add(1, Ordering::Relaxed);
                        return Ok(Looked::Found(ticket.land(answer)));
                    }
                    self.computed.fetch_add(1, Ordering::Relaxed);
                    return Ok(Looked::Mine(ticket));
                }
            };
            if !sleeper.sleep(&stopped) {
                flight.waiting.lock().retain(|waiting| !Arc::ptr_eq(waiting, &sleeper));
                return Err(Error::Stopped);
            }
            if let Some(Some(answer)) = flight.landed.get() {
                self.joined.fetch_add(1, Ordering::Relaxed);
                return Ok(Looked::Found(Arc::clone(answer)));
            }
        }
    }

    /// What it has done and holds.
    #[must_use]
    pub fn load(&self) -> CacheLoad {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut load = CacheLoad {
            found: count(&self.found),
            joined: count(&self.joined),
            computed: count(&self.computed),
            ..CacheLoad::default()
        };
        for shelf in &self.shelves {
            let shelf = shelf.lock();
            load.evicted += shelf.evicted();
            load.answers += shelf.len() as u64;
            load.bytes += shelf.bytes() as u64;
        }
        load
    }

    fn shelf(&self, asked: &Asked) -> Option<&Mutex<Shelf>> {
        let hash = self.hasher.hash_one(asked);
        self.shelves.get(usize::try_from(hash % SHELVES as u64).unwrap_or(0))
    }

    fn kept(&self, asked: &Asked) -> Option<Arc<Answer>> {
        self.shelf(asked)?.lock().get(asked)
    }

    /// Waits with others for who computes an answer, or begins to compute it.
    fn join(&self, asked: &Arc<Asked>) -> Joined {
        let mut flights = self.flights.lock();
        if let Some(flight) = flights.get(asked) {
            let sleeper = Arc::new(Sleeper::new());
            flight.waiting.lock().push(Arc::clone(&sleeper));
            return Joined::Waits(Arc::clone(flight), sleeper);
        }
        let flight = Arc::<Flight>::default();
        flights.insert(Arc::clone(asked), Arc::clone(&flight));
        Joined::Computes(flight)
    }

    /// The flight of a question is over.
    fn land(&self, asked: &Asked, flight: &Flight, answer: Option<Arc<Answer>>) {
        // Whoever comes after this finds the answer, or computes it.
        self.flights.lock().remove(asked);
        let _ = flight.landed.set(answer);
        // All who joined have done so under the lock of the flights.
        for sleeper in flight.waiting.lock().drain(..) {
            sleeper.wake();
        }
    }
}

impl Ticket<'_> {
    /// Keeps the answer, and gives it to those who wait for it.
    #[must_use]
    pub fn put(self, answer: Answer) -> Arc<Answer> {
        let answer = Arc::new(answer);
        if let Some((asked, _)) = &self.flight
            && let Some(shelf) = self.cache.shelf(asked)
        {
            let bytes = ENTRY_BYTES + asked.bytes() + answer_bytes(&answer);
            let stored = Stored::new(Arc::clone(&answer), bytes);
            shelf.lock().put(Arc::clone(asked), asked.version, stored);
        }
        self.land(answer)
    }

    fn land(mut self, answer: Arc<Answer>) -> Arc<Answer> {
        if let Some((asked, flight)) = self.flight.take() {
            self.cache.land(&asked, &flight, Some(Arc::clone(&answer)));
        }
        answer
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if let Some((asked, flight)) = self.flight.take() {
            self.cache.land(&asked, &flight, None);
        }
    }
}

/// Bytes of an answer, about.
fn answer_bytes(answer: &Answer) -> usize {
    let columns: usize = answer.columns.iter().map(column_bytes).sum();
    columns + answer.levels.len() + answer.as_of.len()
}

fn column_bytes(column: &AnswerColumn) -> usize {
    const NUMBER: usize = size_of::<Option<i64>>();
    const TEXT: usize = size_of::<Option<String>>();
    let text = |text: &Option<Text>| TEXT + text.as_ref().map_or(0, |text| text.len());
    let list = |len: Option<usize>| TEXT + len.unwrap_or(0) * size_of::<i64>();
    let values = match &column.values {
        Values::Int(values) => values.len() * NUMBER,
        Values::Float(values) => values.len() * NUMBER,
        Values::Text(values) => values.iter().map(text).sum(),
        Values::IntLists(values) => values.iter().map(|v| list(v.as_ref().map(Vec::len))).sum(),
        Values::FloatLists(values) => values.iter().map(|v| list(v.as_ref().map(Vec::len))).sum(),
        Values::TextLists(values) => {
            let texts = |v: &Vec<String>| v.iter().map(|text| TEXT + text.len()).sum::<usize>();
            values.iter().map(|v| TEXT + v.as_ref().map_or(0, texts)).sum()
        }
    };
    let labels = column.labels.iter().flatten().map(text).sum::<usize>();
    size_of::<AnswerColumn>() + column.name.len() + values + labels + column.hidden.len()
}
