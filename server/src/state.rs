//! What all requests share: the database, the door to blocking threads, the measures.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use yiku::{Database, Snapshot};
use yiku_queries::{Answer, Limits, Query};

use crate::blocking::{Door, Stop};
use crate::cases::worker;
use crate::error::Error;
use crate::ground::Ground;
use crate::http::signed::Scope;
use crate::limits::{ANSWER_ROWS_MAX, DEADLINE, GROUPS_MAX, QUESTION_BYTES_MAX, WAITING_MAX};
use crate::measures::Catalogue;
use crate::metrics::Metrics;
use crate::platform::Platform;
use crate::problem::{Code, Problem};
use crate::question::{self, Told};

/// How a server is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether it is reached on this machine only: then no other name of a host is answered, so
    /// that a page elsewhere cannot reach it under a name of its own.
    pub loopback: bool,
    /// How long a request may take.
    pub deadline: Duration,
    /// Segments of one question that are worked on at the same time.
    pub threads: usize,
    /// Requests that are worked on at the same time.
    pub places: usize,
    /// Requests that wait for a place; the rest is refused.
    pub waiting_max: usize,
    /// Rows of one answer, totals not included; the rest is cut, and the answer says so.
    pub answer_rows_max: usize,
    /// The folder of the database, beside whose files sets are kept; none where there is none.
    pub folder: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Self {
            loopback: true,
            deadline: DEADLINE,
            threads,
            places: threads,
            waiting_max: WAITING_MAX,
            answer_rows_max: ANSWER_ROWS_MAX,
            folder: None,
        }
    }
}

/// What all requests share. A clone is the same state.
#[derive(Debug, Clone)]
pub struct ServerState {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    database: Database,
    catalogue: Catalogue,
    ground: Ground,
    door: Door,
    metrics: Metrics,
    settings: Settings,
    /// None: statistics only.
    platform: Option<Platform>,
    /// Held by whoever takes decisions to the registry.
    delivering: Mutex<()>,
}

impl ServerState {
    /// A state over a database that answers statistics only, without sign-in.
    ///
    /// # Errors
    /// [`Error::Measures`] when the catalogue in the program cannot be read.
    pub fn new(database: Database, settings: Settings) -> Result<Self, Error> {
        Self::with_platform(database, settings, None)
    }

    /// A state over a database, with the side where people work, if any.
    ///
    /// # Errors
    /// As [`ServerState::new`].
    pub fn with_platform(
        database: Database,
        settings: Settings,
        platform: Option<Platform>,
    ) -> Result<Self, Error> {
        let catalogue = Catalogue::built_in()?;
        let ground = Ground::new(settings.folder.as_deref());
        let ground = ground.map_err(|source| Error::Standards { source })?;
        let door = Door::new(settings.places, settings.waiting_max);
        let metrics = Metrics::default();
        let shared = Shared {
            database,
            catalogue,
            ground,
            door,
            metrics,
            settings,
            platform,
            delivering: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The newest version. Reads files: only on a thread that may block.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Problem> {
        self.shared.database.snapshot().map_err(|error| Problem::of_engine(&error))
    }

    /// The database, which the platform's threads write.
    pub(crate) fn database(&self) -> &Database {
        &self.shared.database
    }

    /// The right to take decisions to the registry, which one thread has at a time.
    pub(crate) fn delivering(&self) -> MutexGuard<'_, ()> {
        self.shared.delivering.lock()
    }

    /// Whether no request runs or waits.
    pub(crate) fn is_idle(&self) -> bool {
        let door = self.door();
        door.waiting() == 0 && door.free() >= self.settings().places
    }

    /// The side where people work.
    ///
    /// # Errors
    /// [`Code::PlatformOff`] on a server of statistics only.
    pub(crate) fn platform(&self) -> Result<&Platform, Problem> {
        self.shared.platform.as_ref().ok_or_else(|| Problem::new(Code::PlatformOff))
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.shared.catalogue
    }

    pub(crate) fn door(&self) -> &Door {
        &self.shared.door
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Does at once what the platform's thread does by and by: takes what was decided into the
    /// registry, lets the warning rules run, tells whoever listens. Only on a thread that may
    /// block, and where no such thread runs.
    ///
    /// # Errors
    /// [`Code::PlatformOff`] on a server of statistics only; what the store or the registry says.
    pub fn settle(&self) -> Result<(), Problem> {
        worker::settle(self)
    }

    /// The answer to a question over the rows of a scope. Only on a thread that may block.
    pub(crate) fn answer(
        &self,
        query: Query,
        snapshot: &Snapshot,
        scope: &Scope,
        stop: &Stop,
    ) -> Result<Answer, Problem> {
        let rows_max = self.shared.settings.answer_rows_max;
        let context = self.shared.ground.context(&self.shared.database);
        question::answer(query, snapshot, (scope, &context), &self.limits(stop), rows_max)
    }

    /// As [`ServerState::answer`], or how it is answered where the question asks for that.
    pub(crate) fn tell(
        &self,
        query: Query,
        snapshot: &Snapshot,
        scope: &Scope,
        stop: &Stop,
    ) -> Result<Told, Problem> {
        let rows_max = self.shared.settings.answer_rows_max;
        let context = self.shared.ground.context(&self.shared.database);
        question::tell(query, snapshot, (scope, &context), &self.limits(stop), rows_max)
    }

    fn limits(&self, stop: &Stop) -> Limits {
        let (threads, stop) = (self.shared.settings.threads, Some(Arc::clone(stop)));
        let (groups, memory) = (GROUPS_MAX, QUESTION_BYTES_MAX);
        Limits { threads, groups, stop, memory, ..Limits::default() }
    }

    /// Does work on a thread that may block, within the deadline of a request.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, Stop) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let state = self.clone();
        let done = self.door().run(self.shared.settings.deadline, move |stop| work(&state, stop));
        done.await.unwrap_or_else(|refused| Err(Problem::of_refusal(refused)))
    }
}
