//! A storage in memory that knows what would outlast a machine that stops.
//!
//! It keeps two images: what a reader sees, and what is durable. The bytes of a file are durable
//! when `write` returns, what is written into a log after its `sync`; a name given or taken is
//! durable after `sync_folder`. Until then a name is there or not, and each sector of a log holds
//! what it held before or after any of the writes. A plan stops the machine at one operation, or
//! makes one fail, or all from one on. After a sync that failed, what was to be synced is gone
//! from the durable image and taken for clean: the next sync succeeds and brings nothing back.

mod content;
mod image;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use yiku::storage::{Bytes, Lock, LogFile, Storage};

pub use content::{Content, SECTOR};
pub use image::Tail;

/// The files of a folder, as plain bytes.
pub type Files = BTreeMap<String, Vec<u8>>;
/// The files of a folder, sharing what they have in common with other images.
pub type Image = BTreeMap<String, Content>;

/// How far an operation came when the machine stopped in it, or when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Nothing of it happened.
    Nothing,
    /// A file is there and empty; of a piece of a log the first sector; of a sync nothing.
    Begun,
    /// The first half of the bytes is there; the first half of what was to be synced.
    Half,
    /// All bytes are there, the second half of them zeros; of a piece of a log the second half;
    /// the second half of what was to be synced.
    Zeros,
    /// All of it happened; only the caller does not know.
    All,
}

impl Reached {
    /// Every way to stop.
    pub const EACH: [Self; 5] = [Self::Nothing, Self::Begun, Self::Half, Self::Zeros, Self::All];

    /// Every way to stop in an action that differs from the others.
    #[must_use]
    pub fn ways(action: Action) -> &'static [Self] {
        match action {
            Action::Make | Action::Put => &Self::EACH,
            _ => &[Self::Nothing, Self::All],
        }
    }
}

/// What an operation says when it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The operation, by its number.
    pub at: usize,
    /// How far it came.
    pub reached: Reached,
    /// What is said.
    pub kind: ErrorKind,
    /// Whether all that come after it fail too: where a disk is full only those that need
    /// place.
    pub lasting: bool,
}

/// What shall happen to the operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Every operation succeeds.
    Sound,
    /// The machine stops in the n-th operation that changes something; later ones fail.
    Stop(usize, Reached),
    /// An operation of any kind fails.
    Fail(Fault),
}

/// What is done to the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A file is read, or a part of one, or the folder is listed or locked.
    Read,
    /// A file or a log is made: what needs place on the disk.
    Make,
    /// A piece of a log is written.
    Put,
    /// A log is synced.
    Sync,
    /// A name is changed or taken.
    Name,
    /// The names are synced.
    SyncFolder,
}

/// What an operation that does not succeed does nevertheless, and says.
#[derive(Debug, Clone, Copy)]
struct Short {
    reached: Reached,
    kind: ErrorKind,
}

impl Short {
    fn error(self, what: &str) -> io::Error {
        // As a folder on disk does: a sync that fails is never only a lack of place.
        let sync = what == "the sync" && self.kind == ErrorKind::StorageFull;
        io::Error::new(
            if sync { ErrorKind::Other } else { self.kind },
            format!("{what} did not happen, or not known"),
        )
    }
}

/// A file apart from its names.
#[derive(Debug, Clone)]
struct Node {
    seen: Content,
    durable: Content,
    /// What was written into a log since it was synced: places and bytes.
    pending: Vec<(usize, Vec<u8>)>,
}

/// Names given (to files, by number) or taken by one operation.
type NameChange = Vec<(String, Option<usize>)>;

#[derive(Debug, Default)]
struct State {
    nodes: Vec<Node>,
    seen: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    /// What happened to names since the folder was synced.
    pending: Vec<NameChange>,
    plan: Option<Plan>,
    /// Every operation so far: what it was, and whether it changed something.
    trace: Vec<(Action, String)>,
    changes: usize,
    stopped: bool,
    /// Whether a log whose sync failed says so again, as the engine's own folder does.
    honest: bool,
    /// Logs whose sync failed.
    failed: BTreeSet<usize>,
}

/// A folder in memory.
#[derive(Debug)]
pub struct Memory {
    state: Arc<Mutex<State>>,
    locked: Arc<AtomicBool>,
}

/// Gives the lock back.
#[derive(Debug)]
struct Unlock(Arc<AtomicBool>);

impl Drop for Unlock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn give(names: &mut BTreeMap<String, usize>, change: &NameChange) {
    for (name, node) in change {
        match node {
            Some(node) => names.insert(name.clone(), *node),
            None => names.remove(name),
        };
    }
}

impl State {
    fn apply(&mut self, change: NameChange) {
        give(&mut self.seen, &change);
        self.pending.push(change);
    }

    fn node(&mut self, content: Content) -> usize {
        self.nodes.push(Node { seen: content.clone(), durable: content, pending: Vec::new() });
        self.nodes.len() - 1
    }

    fn find(&self, name: &str) -> io::Result<usize> {
        self.seen.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Counts an operation; how far it comes when it does not succeed.
    fn begin(&mut self, action: Action, name: &str) -> io::Result<Option<Short>> {
        if self.stopped {
            return Err(io::Error::other("the machine stopped"));
        }
        let (change, operation) = (self.changes, self.trace.len());
        let changes = action != Action::Read;
        self.changes += usize::from(changes);
        self.trace.push((action, name.to_owned()));
        Ok(match self.plan {
            Some(Plan::Stop(place, reached)) if changes && place == change => {
                self.stopped = true;
                Some(Short { reached, kind: ErrorKind::Other })
            }
            Some(Plan::Fail(fault)) if fault.at == operation => {
                Some(Short { reached: fault.reached, kind: fault.kind })
            }
            Some(Plan::Fail(fault)) if fault.lasting && fault.at < operation => {
                let full = fault.kind == ErrorKind::StorageFull;
                let short = Short { reached: Reached::Nothing, kind: fault.kind };
                (!full || action == Action::Make).then_some(short)
            }
            _ => None,
        })
    }

    /// Gives a name to new bytes, as far as it comes.
    fn make(&mut self, name: &str, content: Content) -> io::Result<()> {
        let short = self.begin(Action::Make, name)?;
        let half = content.len() / 2;
        let content = match short.map(|short| short.reached) {
            Some(Reached::Nothing) => None,
            Some(Reached::Begun) => Some(content.cut(0)),
            Some(Reached::Half) => Some(content.cut(half)),
            Some(Reached::Zeros) => {
                let mut content = content;
                content.put(half, &vec![0; content.len() - half]);
                Some(content)
            }
            Some(Reached::All) | None => Some(content),
        };
        if let Some(content) = content {
            let node = self.node(content);
            self.apply(vec![(name.to_owned(), Some(node))]);
        }
        short.map_or(Ok(()), |short| Err(short.error("the writing")))
    }

    /// Changes names: it happens or does not.
    fn rename(&mut self, name: &str, change: NameChange) -> io::Result<()> {
        let short = self.begin(Action::Name, name)?;
        if short.is_none_or(|short| short.reached == Reached::All) {
            self.apply(change);
        }
        short.map_or(Ok(()), |short| Err(short.error("the change of a name")))
    }
}

/// Which of so many things that were to be synced are durable after a sync that failed.
fn synced(reached: Option<Reached>, count: usize) -> std::ops::Range<usize> {
    match reached {
        None | Some(Reached::All) => 0..count,
        Some(Reached::Half) => 0..count / 2,
        Some(Reached::Zeros) => count / 2..count,
        Some(Reached::Nothing | Reached::Begun) => 0..0,
    }
}

impl Memory {
    /// A folder with these files, all of them durable.
    #[must_use]
    pub fn new<C: Into<Content>>(files: BTreeMap<String, C>) -> Arc<Self> {
        Self::planned(files, Plan::Sound)
    }

    /// A folder with these files and a plan.
    #[must_use]
    pub fn planned<C: Into<Content>>(files: BTreeMap<String, C>, plan: Plan) -> Arc<Self> {
        let mut state = State { plan: Some(plan), ..State::default() };
        for (name, content) in files {
            let node = state.node(content.into());
            state.seen.insert(name, node);
        }
        state.durable = state.seen.clone();
        let locked = Arc::new(AtomicBool::new(false));
        Arc::new(Self { state: Arc::new(Mutex::new(state)), locked })
    }

    /// Another plan from now on; operations are counted from 0 again.
    pub fn replan(&self, plan: Plan) {
        let mut state = self.state();
        state.plan = Some(plan);
        state.changes = 0;
        state.trace.clear();
    }

    /// From now on a log whose sync failed fails again, as that of a folder on disk does. Without
    /// this the next sync succeeds, as that of the system does.
    pub fn remember_failures(&self) {
        self.state().honest = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How many operations changed something.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.state().changes
    }

    /// How many operations there were.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.state().trace.len()
    }

    /// Every operation: what it was and on which file.
    #[must_use]
    pub fn trace(&self) -> Vec<(Action, String)> {
        self.state().trace.clone()
    }

    /// Every operation that changed something: what it was.
    #[must_use]
    pub fn actions(&self) -> Vec<Action> {
        let trace = self.trace().into_iter();
        trace.map(|(action, _)| action).filter(|action| *action != Action::Read).collect()
    }

    /// Whether the machine stopped.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.state().stopped
    }

    /// The files that a reader sees, and whoever comes after a process that was killed.
    #[must_use]
    pub fn files(&self) -> Files {
        self.seen().iter().map(|(name, content)| (name.clone(), content.to_vec())).collect()
    }

    /// As [`Memory::files`], sharing their bytes.
    #[must_use]
    pub fn seen(&self) -> Image {
        let state = self.state();
        let named = state.seen.iter();
        named.map(|(name, node)| (name.clone(), state.nodes[*node].seen.clone())).collect()
    }
}

impl Storage for Memory {
    fn place(&self) -> &Path {
        Path::new("memory")
    }

    fn read(&self, name: &str) -> io::Result<Bytes> {
        let mut state = self.state();
        if let Some(short) = state.begin(Action::Read, name)? {
            return Err(short.error("the reading"));
        }
        let node = state.find(name)?;
        Ok(match &state.nodes[node].seen {
            Content::Whole(bytes) => Bytes::Shared(Arc::clone(bytes), 0..bytes.len()),
            log @ Content::Log { .. } => Bytes::Owned(log.to_vec()),
        })
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.state().make(name, bytes.to_vec().into())
    }

    fn create_log(&self, name: &str, length: u64) -> io::Result<Box<dyn LogFile>> {
        let mut state = self.state();
        state.make(name, Content::zeros(usize::try_from(length).unwrap()))?;
        let node = state.find(name)?;
        Ok(Box::new(Log { state: Arc::clone(&self.state), name: name.to_owned(), node }))
    }

    fn open_log(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        let mut state = self.state();
        if let Some(short) = state.begin(Action::Read, name)? {
            return Err(short.error("the opening"));
        }
        let node = state.find(name)?;
        Ok(Box::new(Log { state: Arc::clone(&self.state), name: name.to_owned(), node }))
    }

    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        if let Some(short) = state.begin(Action::Read, name)? {
            return Err(short.error("the reading"));
        }
        let node = state.find(name)?;
        Ok(state.nodes[node].seen.part(usize::try_from(offset).unwrap(), length))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        let node = state.find(from)?;
        state.rename(from, vec![(from.to_owned(), None), (to.to_owned(), Some(node))])
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut state = self.state();
        let short = state.begin(Action::SyncFolder, "")?;
        let reached = short.map(|short| short.reached);
        // Where the machine stopped, the image decides what of a sync that did not end is kept.
        if !state.stopped || reached == Some(Reached::All) {
            let pending = std::mem::take(&mut state.pending);
            let kept = synced(reached, pending.len());
            pending[kept].iter().for_each(|change| give(&mut state.durable, change));
        }
        short.map_or(Ok(()), |short| Err(short.error("the sync")))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.state();
        if let Some(short) = state.begin(Action::Read, "")? {
            return Err(short.error("the listing"));
        }
        Ok(state.seen.keys().cloned().collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.find(name)?;
        state.rename(name, vec![(name.to_owned(), None)])
    }

    fn lock(&self) -> io::Result<Option<Lock>> {
        if let Some(short) = self.state().begin(Action::Read, "LOCK")? {
            return Err(short.error("the locking"));
        }
        let free = self.locked.swap(true, Ordering::AcqRel);
        Ok((!free).then(|| Lock::new(Unlock(Arc::clone(&self.locked)))))
    }
}

/// A log of a folder; its name may be taken while it is held.
#[derive(Debug)]
struct Log {
    state: Arc<Mutex<State>>,
    name: String,
    node: usize,
}

impl LogFile for Log {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        let short = state.begin(Action::Put, &self.name)?;
        let node = &mut state.nodes[self.node];
        let offset = usize::try_from(offset).unwrap();
        if offset.checked_add(bytes.len()).is_none_or(|end| end > node.seen.len()) {
            return Err(ErrorKind::InvalidInput.into());
        }
        let half = bytes.len() / 2;
        let part = match short.map(|short| short.reached) {
            Some(Reached::Nothing) => 0..0,
            // What is left of the sector that it begins in.
            Some(Reached::Begun) => 0..(SECTOR - offset % SECTOR).min(bytes.len()),
            Some(Reached::Half) => 0..half,
            Some(Reached::Zeros) => half..bytes.len(),
            Some(Reached::All) | None => 0..bytes.len(),
        };
        if !part.is_empty() {
            let (at, bytes) = (offset + part.start, &bytes[part]);
            node.seen.put(at, bytes);
            node.pending.push((at, bytes.to_vec()));
        }
        short.map_or(Ok(()), |short| Err(short.error("the writing")))
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        let short = state.begin(Action::Sync, &self.name)?;
        let reached = short.map(|short| short.reached);
        if short.is_some() {
            state.failed.insert(self.node);
        } else if state.honest && state.failed.contains(&self.node) {
            return Err(io::Error::other("an earlier sync failed"));
        }
        if !state.stopped || reached == Some(Reached::All) {
            let node = &mut state.nodes[self.node];
            let pending = std::mem::take(&mut node.pending);
            let kept = synced(reached, pending.len());
            pending[kept].iter().for_each(|(at, bytes)| node.durable.put(*at, bytes));
        }
        short.map_or(Ok(()), |short| Err(short.error("the sync")))
    }
}
