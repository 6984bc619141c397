//! Where commits are made: one thread leads, takes up what waits, and all of it shares a sync.
//!
//! A group of small commits becomes one record of the log; one that is large, or that finds no
//! place in the log, becomes a checkpoint. While one group is being synced the next is made.
//!
//! Invariants: versions become visible in the order in which they were made, each after it is
//! durable; after a failed sync nothing more is acknowledged.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use crate::checkpoint;
use crate::database::Shared;
use crate::error::{Error, Result};
use crate::gather;
use crate::limits::LOGGED_BYTES_MAX;
use crate::log::{self, Change, Log};
use crate::month_ends;
use crate::records::io_error;
use crate::segment::{Segment, SegmentFile};
use crate::storage::Bytes;
use crate::version::{self, Version};
use crate::writer::{CommitInfo, check_paths};

/// Groups that are being synced at one time.
const IN_FLIGHT_MAX: usize = 2;

/// What a writer asks to be committed.
#[derive(Debug)]
pub(crate) struct Changes {
    /// The version that the writer began from.
    pub base: Arc<Version>,
    /// That version with the changes made.
    pub view: Version,
    /// The numbers of the segments that the writer wrote.
    pub own: BTreeSet<u64>,
    /// The keys that it removed.
    pub removed: Vec<String>,
    /// What must be true of bundles just before.
    pub expected: Vec<(String, Option<u64>)>,
    /// Whether it replaced the tree.
    pub tree: bool,
    /// What the commit says of itself.
    pub info: CommitInfo,
}

/// A commit that waits, and how it ended.
#[derive(Debug)]
struct Ticket {
    changes: Mutex<Option<Changes>>,
    result: Mutex<Option<Result<Arc<Version>>>>,
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
    /// Groups that were made.
    made: u64,
    /// Groups that are visible.
    visible: u64,
    poisoned: bool,
}

/// Where commits are made.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    state: Mutex<State>,
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
        self.tickets.iter().for_each(|ticket| end(ticket, Err(Error::Poisoned)));
        self.desk.turned.notify_all();
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
        while state.leading || state.in_flight > 0 {
            self.turned.wait(&mut state);
        }
        let tail = state.tail.clone().filter(|_| !state.poisoned).ok_or(Error::Poisoned)?;
        state.leading = true;
        drop(state);
        let leading = Leading::new(self, &[]);
        let done = work(&tail);
        leading.end();
        let mut state = self.state.lock();
        state.leading = false;
        self.turned.notify_all();
        let version = match done {
            Ok(None) => tail.version,
            Ok(Some(next)) => {
                shared.publish(&next.version);
                let version = Arc::clone(&next.version);
                state.tail = Some(next);
                version
            }
            Err(error) => {
                state.poisoned |= poisons(&error);
                return Err(error);
            }
        };
        Ok(version)
    }

    /// Waits until a commit has ended; leads when nobody does.
    fn await_end(&self, shared: &Shared, own: &Ticket) -> Result<Arc<Version>> {
        let mut state = self.state.lock();
        loop {
            if let Some(result) = own.result.lock().take() {
                return result;
            }
            let waits = own.changes.lock().is_some();
            if !waits || state.leading || state.in_flight >= IN_FLIGHT_MAX {
                self.turned.wait(&mut state);
                continue;
            }
            let tickets = std::mem::take(&mut state.queue);
            let tail = state.tail.clone().filter(|_| !state.poisoned);
            let Some(tail) = tail else {
                tickets.iter().for_each(|ticket| end(ticket, Err(Error::Poisoned)));
                self.turned.notify_all();
                continue;
            };
            state.leading = true;
            drop(state);
            let leading = Leading::new(self, &tickets);
            let made = self.make(shared, &tail, &tickets);
            leading.end();
            state = self.finish(shared, made);
        }
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
        let mut work =
            Work { change: Change::default(), own: BTreeSet::new(), bytes: 0, large: false };
        let mut accepted = Vec::with_capacity(tickets.len());
        for ticket in tickets {
            let Some(changes) = ticket.changes.lock().take() else { continue };
            match work.apply(&next, &tail.version, changes) {
                Ok(applied) => {
                    next = applied;
                    accepted.push(Arc::clone(ticket));
                }
                Err(error) => end(ticket, Err(error)),
            }
        }
        if accepted.is_empty() {
            return Ok(None);
        }
        match self.write(shared, tail, next, work) {
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
    ) -> parking_lot::MutexGuard<'_, State> {
        let mut state = self.state.lock();
        state.leading = false;
        self.turned.notify_all();
        let group = match made {
            Ok(Some(group)) => group,
            Ok(None) => return state,
            Err((error, tickets)) => {
                state.poisoned |= poisons(&error);
                end_all(&tickets, error);
                return state;
            }
        };
        state.made += 1;
        let turn = state.made;
        state.in_flight += 1;
        state.tail = Some(group.tail.clone());
        let logged = group.tail.log.clone().filter(|_| group.tail.version.has_log());
        drop(state);
        let synced = logged.as_ref().map_or(Ok(()), |log| log.sync());
        let mut state = self.state.lock();
        while state.visible + 1 < turn {
            self.turned.wait(&mut state);
        }
        state.visible = turn;
        state.in_flight -= 1;
        let version = &group.tail.version;
        if let Err(source) = synced {
            let name = log::log_name(version.current.number);
            end_all(&group.accepted, io_error(&*shared.storage, "sync", &name, source));
            state.poisoned = true;
        } else if state.poisoned {
            group.accepted.iter().for_each(|ticket| end(ticket, Err(Error::Poisoned)));
        } else {
            // Only for who looks for damage later: its failing takes nothing from the commit.
            logged.map(|log| log.acknowledge(version.position.offset));
            shared.publish(version);
            group.accepted.iter().for_each(|ticket| end(ticket, Ok(Arc::clone(version))));
        }
        self.turned.notify_all();
        state
    }
}

fn end(ticket: &Ticket, result: Result<Arc<Version>>) {
    ticket.changes.lock().take();
    *ticket.result.lock() = Some(result);
}

/// Ends commits that failed together: the first is told why.
fn end_all(tickets: &[Arc<Ticket>], error: Error) {
    let mut error = Some(error);
    for ticket in tickets {
        end(ticket, Err(error.take().unwrap_or(Error::Poisoned)));
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
        let result = Mutex::new(None);
        let ticket = Arc::new(Ticket { changes: Mutex::new(Some(changes)), result });
        self.desk.state.lock().queue.push(Arc::clone(&ticket));
        self.desk.await_end(self, &ticket)
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

/// A group under construction.
struct Work {
    change: Change,
    /// The numbers of the segments that its writers wrote.
    own: BTreeSet<u64>,
    /// Bytes of those and of the keys that were removed, about.
    bytes: u64,
    /// Whether it does not go into the log.
    large: bool,
}

impl Work {
    /// The version with the changes of a writer made; `next` is what it would be without them and
    /// `tail` what it was before the group.
    fn apply(&mut self, next: &Version, tail: &Arc<Version>, changes: Changes) -> Result<Version> {
        for (key, expected) in &changes.expected {
            let found = next.version_of(key)?;
            if found != *expected {
                let (key, expected) = (key.clone(), *expected);
                return Err(Error::Conflict { key, expected, found });
            }
        }
        let alone = self.own.is_empty() && self.change.removed.is_empty() && !self.large;
        let mut applied = if alone && Arc::ptr_eq(&changes.base, tail) {
            // Nobody committed since the writer began: what it made is the version.
            let (position, names) = (next.position, Arc::clone(&next.names));
            let mut view = changes.view;
            (view.position, view.names, view.month_ends) = (position, names, next.month_ends);
            (view.as_of, view.notes) = (next.as_of, Arc::clone(&next.notes));
            view
        } else {
            merge(next, &changes)?
        };
        let mut bytes = 0;
        for (segment, kept) in applied.segments.iter_mut().zip(&applied.kept) {
            if changes.own.contains(&kept.number) {
                segment.version = next.position.version;
                bytes += segment.file.size_bytes();
                self.large |= kept.file;
            }
        }
        let removed: usize = changes.removed.iter().map(|key| key.len() + 8).sum();
        self.bytes = self.bytes.saturating_add(bytes).saturating_add(removed as u64);
        self.large |= changes.tree || self.bytes > LOGGED_BYTES_MAX as u64;
        applied.as_of = changes.info.as_of.or(applied.as_of);
        self.large |= month_ends::crosses(next, applied.as_of);
        self.change.as_of = changes.info.as_of.or(self.change.as_of);
        if !changes.info.notes.is_empty() {
            Arc::make_mut(&mut applied.notes).extend(changes.info.notes.clone());
            self.change.notes.extend(changes.info.notes);
        }
        self.change.removed.extend(changes.removed);
        self.own.extend(changes.own);
        Ok(applied)
    }
}

/// Makes the changes of a writer to a version that is not the one it began from.
fn merge(next: &Version, changes: &Changes) -> Result<Version> {
    let mut applied = next.clone();
    let removed: Vec<&str> = changes.removed.iter().map(String::as_str).collect();
    applied.remove(&removed)?;
    if changes.tree {
        for segment in &applied.segments {
            check_paths(segment, &changes.view.tree)?;
        }
        applied.tree = Arc::clone(&changes.view.tree);
        applied.tree_on_disk = None;
    }
    let other_tree = !Arc::ptr_eq(&applied.tree, &changes.view.tree);
    for (segment, kept) in changes.view.segments.iter().zip(&changes.view.kept) {
        if !changes.own.contains(&kept.number) {
            continue;
        }
        if other_tree {
            check_paths(segment, &applied.tree)?;
        }
        let keys = version::keys(segment)?;
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        applied.remove(&keys)?;
        applied.add(kept.number, kept.file, segment.clone())?;
    }
    Ok(applied)
}

/// The bytes of one segment of all bundles that a group wrote, which takes the place of theirs;
/// empty where it wrote none.
fn group_bytes(shared: &Shared, next: &mut Version, own: &BTreeSet<u64>) -> Result<Vec<u8>> {
    let places = 0..next.kept.len();
    let written: Vec<usize> =
        places.filter(|at| next.kept.get(*at).is_some_and(|k| own.contains(&k.number))).collect();
    if let [only] = *written
        && let Some(segment) = next.segments.get(only).filter(|segment| segment.live.is_none())
    {
        return Ok(segment.file.bytes().to_vec());
    }
    if written.is_empty() {
        return Ok(Vec::new());
    }
    let bytes = gather::merged(next, &written)?;
    let number = shared.number()?;
    gather::leave_out(next, &written);
    let path = shared.storage.place().join(SegmentFile::name(number));
    let file = SegmentFile::from_bytes(path, Bytes::Owned(bytes.clone()), &next.schema)?;
    let version = next.position.version;
    next.add(number, false, Segment { file: Arc::new(file), live: None, version })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

    use super::*;
    use crate::schema::PathNode;
    use crate::{Database, PathTree, Schema};

    #[test]
    fn a_thread_that_panics_while_it_leads_leaves_nobody_waiting() {
        let schema = Schema::from_toml(
            r#"name = "s"
            path = { name = "place", levels = [{ name = "district", digits = 2 }] }
            [[table]]
            name = "box"
            key = "id"
            columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" }]"#,
        );
        let (schema, folder) = (schema.unwrap(), tempfile::tempdir().unwrap());
        let node = PathNode { code: 11, level: 0, name: "D".into() };
        let tree = PathTree::new(&schema.path, vec![node]).unwrap();
        let database = Database::create(folder.path(), schema, tree).unwrap();
        let mut writer = database.writer().unwrap();
        let led = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            database.change(|_, _| panic!("a fault of the program"))
        }));
        assert!(led.is_err());
        let refused = writer.commit(CommitInfo::default());
        assert!(matches!(refused, Err(Error::Poisoned)), "{refused:?}");
        assert_eq!(database.snapshot().unwrap().version(), 1);
    }
}
