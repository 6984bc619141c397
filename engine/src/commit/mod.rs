//! Where commits are made: one thread leads, takes up what waits, and all of it shares a sync.
//!
//! A group of small commits becomes one record of the log; one that is large, or that finds no
//! place in the log, becomes a checkpoint. While one group is being synced the next is made.
//!
//! Invariants: versions become visible in the order in which they were made, each after it is
//! durable; after a failed sync nothing more is acknowledged.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::checkpoint;
use crate::database::Shared;
use crate::error::{Error, Result};
use crate::gather;
use crate::group::{Changes, Work, group_bytes};
use crate::log::{self, Log};
use crate::month_ends;
use crate::records::io_error;
use crate::schema::Schema;
use crate::segment::{Segment, SegmentFile};
use crate::storage::Bytes;
use crate::version::Version;

/// Groups that are being synced at one time.
const IN_FLIGHT_MAX: usize = 2;

/// What a commit that waits is told.
#[derive(Debug)]
enum Turn {
    Waits,
    /// It makes the next group.
    Leads,
    Ended(Result<Arc<Version>>),
}

/// A commit that waits.
#[derive(Debug)]
struct Ticket {
    changes: Mutex<Option<Changes>>,
    turn: Mutex<Turn>,
    told: Condvar,
}

impl Ticket {
    fn new(changes: Changes) -> Self {
        let (changes, turn) = (Mutex::new(Some(changes)), Mutex::new(Turn::Waits));
        Self { changes, turn, told: Condvar::new() }
    }

    fn tell(&self, turn: Turn) {
        *self.turn.lock() = turn;
        self.told.notify_one();
    }

    fn end(&self, result: Result<Arc<Version>>) {
        self.changes.lock().take();
        self.tell(Turn::Ended(result));
    }

    /// Waits until it is told how it ended; none where it is told to lead.
    fn wait(&self) -> Option<Result<Arc<Version>>> {
        let mut turn = self.turn.lock();
        loop {
            match std::mem::replace(&mut *turn, Turn::Waits) {
                Turn::Waits => self.told.wait(&mut turn),
                Turn::Leads => return None,
                Turn::Ended(result) => return Some(result),
            }
        }
    }
}

/// The newest version that was made, durable or not, and the log that goes on from it.
#[derive(Debug, Clone)]
pub(crate) struct Tail {
    pub version: Arc<Version>,
    pub log: Option<Arc<Log>>,
}

#[derive(Debug, Default)]
struct State {
    queue: Vec<Arc<Ticket>>,
    /// None before the first writer.
    tail: Option<Tail>,
    /// Whether a thread makes a group or a checkpoint.
    leading: bool,
    in_flight: usize,
    /// Commits in them.
    syncing: usize,
    /// Groups that were made.
    made: u64,
    /// Groups that are visible.
    visible: u64,
    /// Threads that wait for doing something that no commit may happen beside.
    aside: usize,
    poisoned: bool,
}

impl State {
    /// Lets a commit that waits make the next group, where one may; `turn` says whether it comes
    /// before those who wait for being alone.
    fn hand_on(&mut self, turn: bool) {
        // A second group goes beside one that is being synced only when it is as large: many small
        // ones would have the work of a group for few commits, and nobody would end sooner.
        let room = self.in_flight < IN_FLIGHT_MAX && self.queue.len() >= self.syncing;
        let free = !self.leading && (self.in_flight == 0 || room);
        if !free || (self.aside > 0 && !turn) {
            return;
        }
        if let Some(ticket) = self.queue.first() {
            self.leading = true;
            ticket.tell(Turn::Leads);
        }
    }
}

/// Where commits are made.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    state: Mutex<State>,
    /// For threads that lead or want to be alone: that one ceased to lead, or a group was synced.
    turned: Condvar,
}

/// A group that was made.
struct Group {
    tail: Tail,
    accepted: Vec<Arc<Ticket>>,
}

/// A thread that leads. One that panics leaves nobody waiting: what it left is not known, so
/// nothing more is committed.
struct Leading<'a> {
    desk: &'a Desk,
    tickets: &'a [Arc<Ticket>],
    /// Whether it came to the end of what it did, well or not.
    ended: bool,
}

impl<'a> Leading<'a> {
    fn new(desk: &'a Desk, tickets: &'a [Arc<Ticket>]) -> Self {
        Self { desk, tickets, ended: false }
    }

    fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let mut state = self.desk.state.lock();
        (state.leading, state.poisoned) = (false, true);
        self.tickets.iter().for_each(|ticket| ticket.end(Err(Error::Poisoned)));
        self.desk.turned.notify_all();
        state.hand_on(true);
    }
}

impl Desk {
    /// Whether a sync failed: nothing more is committed.
    pub(crate) fn poisoned(&self) -> bool {
        self.state.lock().poisoned
    }

    /// The newest version, which this process may now go on from.
    pub(crate) fn begin(&self, shared: &Shared, version: Arc<Version>) -> Result<()> {
        let known = |state: &State| {
            state.tail.as_ref().is_some_and(|tail| Arc::ptr_eq(&tail.version, &version))
        };
        if known(&self.state.lock()) {
            return Ok(());
        }
        let mut tail = Tail { version, log: None };
        // What another process wrote into its log is read from memory that a failed sync of it
        // may have left wrong: it is written anew rather than built upon. Of an empty one there is
        // nothing to write: the next commit is a checkpoint.
        if tail.version.has_log() {
            let written = checkpoint::write(shared, &tail.version, false);
            tail = written.inspect_err(|error| self.state.lock().poisoned |= poisons(error))?;
            shared.publish(&tail.version);
        }
        self.state.lock().tail = Some(tail);
        Ok(())
    }

    /// Does something that no commit may happen beside, and makes what comes of it the newest
    /// version.
    pub(crate) fn alone(
        &self,
        shared: &Shared,
        work: impl FnOnce(&Tail) -> Result<Option<Tail>>,
    ) -> Result<Arc<Version>> {
        let mut state = self.state.lock();
        state.aside += 1;
        while state.leading || state.in_flight > 0 {
            self.turned.wait(&mut state);
        }
        state.aside -= 1;
        let Some(tail) = state.tail.clone().filter(|_| !state.poisoned) else {
            state.hand_on(true);
            return Err(Error::Poisoned);
        };
        state.leading = true;
        drop(state);
        let leading = Leading::new(self, &[]);
        let done = work(&tail);
        leading.end();
        let mut state = self.state.lock();
        state.leading = false;
        self.turned.notify_all();
        let version = match done {
            Ok(None) => Ok(tail.version),
            Ok(Some(next)) => {
                shared.publish(&next.version);
                let version = Arc::clone(&next.version);
                state.tail = Some(next);
                Ok(version)
            }
            Err(error) => {
                state.poisoned |= poisons(&error);
                Err(error)
            }
        };
        // Those who commit come first: whoever is alone again and again must not keep them waiting.
        state.hand_on(true);
        version
    }

    /// Returns when a commit has ended; leads when it is told to.
    fn await_end(&self, shared: &Shared, own: &Arc<Ticket>) -> Result<Arc<Version>> {
        let mut state = self.state.lock();
        state.queue.push(Arc::clone(own));
        state.hand_on(false);
        drop(state);
        loop {
            match own.wait() {
                Some(result) => return result,
                None => self.lead(shared),
            }
        }
    }

    /// Makes a group of what waits, syncs it and makes it visible.
    fn lead(&self, shared: &Shared) {
        let mut state = self.state.lock();
        let tickets = std::mem::take(&mut state.queue);
        let tail = state.tail.clone().filter(|_| !state.poisoned);
        let Some(tail) = tail else {
            state.leading = false;
            self.turned.notify_all();
            tickets.iter().for_each(|ticket| ticket.end(Err(Error::Poisoned)));
            return;
        };
        drop(state);
        let leading = Leading::new(self, &tickets);
        let made = self.make(shared, &tail, &tickets);
        leading.end();
        self.finish(shared, made);
    }

    /// Makes a group of what waits; none where all of it was refused.
    fn make(
        &self,
        shared: &Shared,
        tail: &Tail,
        tickets: &[Arc<Ticket>],
    ) -> std::result::Result<Option<Group>, (Error, Vec<Arc<Ticket>>)> {
        let mut next = Version::clone(&tail.version);
        next.position.version = next.position.version.saturating_add(1);
        let mut work = Work::default();
        let mut accepted = Vec::with_capacity(tickets.len());
        for ticket in tickets {
            let Some(changes) = ticket.changes.lock().take() else { continue };
            match work.apply(shared, (&mut next, &tail.version), changes) {
                Ok(()) => accepted.push(Arc::clone(ticket)),
                Err(error) => ticket.end(Err(error)),
            }
        }
        if accepted.is_empty() {
            return Ok(None);
        }
        let packed = work.pack(shared, &mut next);
        match packed.and_then(|()| self.write(shared, tail, next, work)) {
            Ok(tail) => Ok(Some(Group { tail, accepted })),
            Err(error) => Err((error, accepted)),
        }
    }

    /// Puts a version into the log, or writes a checkpoint of it.
    fn write(&self, shared: &Shared, tail: &Tail, mut next: Version, work: Work) -> Result<Tail> {
        if let Some(log) = tail.log.as_ref().filter(|_| !work.large) {
            let mut change = work.change;
            let bytes = group_bytes(shared, &mut next, &work.own)?;
            change.segment_bytes = bytes.len() as u64;
            change.next_segment = shared.numbers.load(std::sync::atomic::Ordering::Acquire);
            let at = tail.version.position;
            let (record, after) = log::encode(at, &change, &bytes)?;
            if log.fits(at, record.len()) {
                let storage = &*shared.storage;
                let name = log::log_name(next.current.number);
                // Room was made beforehand: whatever fails here leaves an unknown rest.
                log.write(at, &record).map_err(|source| {
                    io_error(storage, "write", &name, std::io::Error::other(source))
                })?;
                next.position = after;
                gather::young(&mut next, shared.number()?, storage.place())?;
                return Ok(Tail { version: Arc::new(next), log: tail.log.clone() });
            }
        }
        self.wait_for_syncs()?;
        let next = month_ends::keep(shared, tail, next)?;
        let moved = !Arc::ptr_eq(&next.manifest, &tail.version.manifest);
        checkpoint::write(shared, &next, !work.large).inspect_err(|_| {
            // The month end was written out: the log that commits would go on with is not the
            // newest any more.
            if moved {
                self.state.lock().poisoned = true;
            }
        })
    }

    /// A checkpoint comes after all that is being synced.
    fn wait_for_syncs(&self) -> Result<()> {
        let mut state = self.state.lock();
        while state.in_flight > 0 {
            self.turned.wait(&mut state);
        }
        if state.poisoned { Err(Error::Poisoned) } else { Ok(()) }
    }

    /// Syncs a group and makes it visible in its turn.
    fn finish(
        &self,
        shared: &Shared,
        made: std::result::Result<Option<Group>, (Error, Vec<Arc<Ticket>>)>,
    ) {
        let mut state = self.state.lock();
        state.leading = false;
        self.turned.notify_all();
        let group = match made {
            Ok(Some(group)) => group,
            Ok(None) => return state.hand_on(false),
            Err((error, tickets)) => {
                state.poisoned |= poisons(&error);
                end_all(&tickets, error);
                return state.hand_on(false);
            }
        };
        state.made += 1;
        let turn = state.made;
        state.in_flight += 1;
        state.syncing += group.accepted.len();
        state.tail = Some(group.tail.clone());
        let logged = group.tail.log.clone().filter(|_| group.tail.version.has_log());
        state.hand_on(false);
        drop(state);
        let synced = logged.as_ref().map_or(Ok(()), |log| log.sync());
        let mut state = self.state.lock();
        while state.visible + 1 < turn {
            self.turned.wait(&mut state);
        }
        self.settle(shared, state, (group, turn), synced);
    }

    /// Makes a group that was synced visible.
    fn settle(
        &self,
        shared: &Shared,
        mut state: MutexGuard<'_, State>,
        (group, turn): (Group, u64),
        synced: std::io::Result<()>,
    ) {
        state.visible = turn;
        state.in_flight -= 1;
        state.syncing -= group.accepted.len();
        let version = &group.tail.version;
        let logged = group.tail.log.as_ref().filter(|_| version.has_log());
        if let Err(source) = synced {
            let name = log::log_name(version.current.number);
            state.poisoned = true;
            end_all(&group.accepted, io_error(&*shared.storage, "sync", &name, source));
        } else if state.poisoned {
            group.accepted.iter().for_each(|ticket| ticket.end(Err(Error::Poisoned)));
        } else {
            // Only for who looks for damage later: its failing takes nothing from the commit.
            logged.map(|log| log.acknowledge(version.position.offset));
            shared.publish(version);
            group.accepted.iter().for_each(|ticket| ticket.end(Ok(Arc::clone(version))));
        }
        self.turned.notify_all();
        state.hand_on(false);
    }
}

/// Ends commits that failed together: the first is told why.
fn end_all(tickets: &[Arc<Ticket>], error: Error) {
    let mut error = Some(error);
    for ticket in tickets {
        ticket.end(Err(error.take().unwrap_or(Error::Poisoned)));
    }
}

/// Whether an error leaves it unknown what is on disk.
fn poisons(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() != std::io::ErrorKind::StorageFull)
        || matches!(error, Error::Poisoned)
}

impl Shared {
    /// Commits changes, together with what others commit at the same time.
    pub(crate) fn commit(&self, changes: Changes) -> Result<Arc<Version>> {
        self.desk.await_end(self, &Arc::new(Ticket::new(changes)))
    }

    /// A segment of bytes at hand, known by a number.
    pub(crate) fn in_memory(
        &self,
        number: u64,
        bytes: Vec<u8>,
        schema: &Arc<Schema>,
    ) -> Result<Segment> {
        let path = self.storage.place().join(SegmentFile::name(number));
        let file = Arc::new(SegmentFile::from_bytes(path, Bytes::Owned(bytes), schema)?);
        Ok(Segment::whole(file, 0))
    }

    /// Writes a segment to a file before there is a version that has it.
    pub(crate) fn spill(&self, number: u64, bytes: &[u8]) -> Result<()> {
        let name = SegmentFile::name(number);
        self.spilled.lock().insert(number);
        let written = self.storage.write(&name, bytes);
        written.map_err(|source| {
            let error = io_error(&*self.storage, "write", &name, source);
            if poisons(&error) {
                self.desk.state.lock().poisoned = true;
            }
            error
        })
    }
}
