//! A storage in memory that knows what would outlast a machine that stops.
//!
//! It keeps two images: what a reader sees, and what is durable. The bytes of a file are durable
//! when `write` returns; a name given or taken is durable after `sync_folder`, and until then it
//! may or may not be. A plan stops the machine at one operation, or makes one fail.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use yiku::storage::{Bytes, Lock, Storage};

/// The files of a folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// How far an operation came when the machine stopped in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Nothing of it happened.
    Nothing,
    /// A file is there and empty; of a sync, nothing is durable that was not.
    Begun,
    /// The first half of the bytes is there.
    Half,
    /// All bytes are there, the second half of them zeros.
    Zeros,
    /// All of it happened; only the caller does not know.
    All,
}

impl Reached {
    /// Every way to stop.
    pub const EACH: [Self; 5] = [Self::Nothing, Self::Begun, Self::Half, Self::Zeros, Self::All];
}

/// What shall happen to the operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Every operation succeeds.
    Sound,
    /// The machine stops in the n-th operation that changes something; later ones fail.
    Stop(usize, Reached),
    /// The n-th operation of any kind fails once, after it came so far.
    Fail(usize, Reached),
}

/// Names given (to bytes) or taken by one operation.
type NameChange = Vec<(String, Option<Arc<Vec<u8>>>)>;

#[derive(Debug, Default)]
struct State {
    seen: BTreeMap<String, Arc<Vec<u8>>>,
    durable: BTreeMap<String, Arc<Vec<u8>>>,
    /// What happened to names since the folder was synced.
    pending: Vec<NameChange>,
    changes: usize,
    operations: usize,
    stopped: bool,
}

/// A folder in memory.
#[derive(Debug)]
pub struct Memory {
    state: Mutex<State>,
    plan: Mutex<Plan>,
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

impl State {
    fn apply(&mut self, change: NameChange) {
        give(&mut self.seen, &change);
        self.pending.push(change);
    }
}

fn give(files: &mut BTreeMap<String, Arc<Vec<u8>>>, change: &NameChange) {
    for (name, bytes) in change {
        match bytes {
            Some(bytes) => files.insert(name.clone(), Arc::clone(bytes)),
            None => files.remove(name),
        };
    }
}

fn plain(files: &BTreeMap<String, Arc<Vec<u8>>>) -> Files {
    files.iter().map(|(name, bytes)| (name.clone(), bytes.to_vec())).collect()
}

impl Memory {
    /// A folder with these files, all of them durable.
    #[must_use]
    pub fn new(files: Files) -> Arc<Self> {
        Self::planned(files, Plan::Sound)
    }

    /// A folder with these files and a plan.
    #[must_use]
    pub fn planned(files: Files, plan: Plan) -> Arc<Self> {
        let seen: BTreeMap<_, _> = files.into_iter().map(|(n, b)| (n, Arc::new(b))).collect();
        let state = State { durable: seen.clone(), seen, ..State::default() };
        let locked = Arc::new(AtomicBool::new(false));
        Arc::new(Self { state: Mutex::new(state), plan: Mutex::new(plan), locked })
    }

    /// Another plan from now on; operations are counted from 0 again.
    pub fn replan(&self, plan: Plan) {
        *self.plan.lock().unwrap() = plan;
        let mut state = self.state();
        (state.changes, state.operations) = (0, 0);
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
        self.state().operations
    }

    /// The files that a reader sees.
    #[must_use]
    pub fn files(&self) -> Files {
        plain(&self.state().seen)
    }

    /// How many changes of names are not durable.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.state().pending.len()
    }

    /// The files after a stop; `keep` says of each change of names that was not synced whether
    /// it outlasted.
    pub fn image(&self, mut keep: impl FnMut(usize) -> bool) -> Files {
        let state = self.state();
        let mut files = state.durable.clone();
        let kept = state.pending.iter().enumerate().filter(|(place, _)| keep(*place));
        kept.for_each(|(_, change)| give(&mut files, change));
        plain(&files)
    }

    /// Counts an operation; how far it comes when it does not succeed.
    fn begin(&self, changes: bool) -> io::Result<Option<Reached>> {
        let plan = *self.plan.lock().unwrap();
        let mut state = self.state();
        if state.stopped {
            return Err(io::Error::other("the machine stopped"));
        }
        let (change, operation) = (state.changes, state.operations);
        state.changes += usize::from(changes);
        state.operations += 1;
        Ok(match plan {
            Plan::Stop(place, reached) if changes && place == change => {
                state.stopped = true;
                Some(reached)
            }
            Plan::Fail(place, reached) if place == operation => Some(reached),
            _ => None,
        })
    }

    /// Does what an operation does to names, as far as it comes.
    fn change(&self, change: impl FnOnce(&State) -> io::Result<NameChange>) -> io::Result<()> {
        let short = self.begin(true)?;
        let mut state = self.state();
        let mut change = change(&state)?;
        let cut = |bytes: &[u8]| match short {
            Some(Reached::Begun) => Vec::new(),
            Some(Reached::Half) => bytes[..bytes.len() / 2].to_vec(),
            Some(Reached::Zeros) => {
                let mut bytes = bytes.to_vec();
                let half = bytes.len() / 2;
                bytes[half..].fill(0);
                bytes
            }
            _ => bytes.to_vec(),
        };
        // Only a write gives a name to new bytes; a rename happens or does not.
        if let [(_, Some(bytes))] = change.as_mut_slice() {
            *bytes = Arc::new(cut(bytes));
        } else if matches!(short, Some(Reached::Begun | Reached::Half | Reached::Zeros)) {
            return Err(io::Error::other("it did not happen"));
        }
        match short {
            None => state.apply(change),
            Some(Reached::Nothing) => return Err(io::Error::other("it did not happen")),
            Some(_) => {
                state.apply(change);
                return Err(io::Error::other("it may have happened"));
            }
        }
        Ok(())
    }
}

impl Storage for Memory {
    fn place(&self) -> &Path {
        Path::new("memory")
    }

    fn read(&self, name: &str) -> io::Result<Bytes> {
        if self.begin(false)?.is_some() {
            return Err(io::Error::other("it cannot be read"));
        }
        let found = self.state().seen.get(name).cloned();
        let bytes = found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Bytes::Owned(bytes.to_vec()))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.change(|_| Ok(vec![(name.to_owned(), Some(Arc::new(bytes.to_vec())))]))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.change(|state| {
            let bytes = state.seen.get(from).ok_or(io::ErrorKind::NotFound)?;
            Ok(vec![(from.to_owned(), None), (to.to_owned(), Some(Arc::clone(bytes)))])
        })
    }

    fn sync_folder(&self) -> io::Result<()> {
        let short = self.begin(true)?;
        let mut state = self.state();
        // A sync that is cut short may have made any part durable: `image` decides which.
        if short.is_none() || short == Some(Reached::All) {
            state.durable = state.seen.clone();
            state.pending.clear();
        }
        if short.is_some() { Err(io::Error::other("the sync did not end")) } else { Ok(()) }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        if self.begin(false)?.is_some() {
            return Err(io::Error::other("it cannot be listed"));
        }
        Ok(self.state().seen.keys().cloned().collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.change(|_| Ok(vec![(name.to_owned(), None)]))
    }

    fn lock(&self) -> io::Result<Option<Lock>> {
        if self.begin(false)?.is_some() {
            return Err(io::Error::other("it cannot be locked"));
        }
        let free = self.locked.swap(true, Ordering::AcqRel);
        Ok((!free).then(|| Lock::new(Unlock(Arc::clone(&self.locked)))))
    }
}
