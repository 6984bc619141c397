//! What all requests share: the database, the door to blocking threads, the measures.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use yiku::{Database, Snapshot};
use yiku_queries::cache::{AnswerCache, Asked, Looked};
use yiku_queries::{Answer, Limits, Pool, Query};

use crate::blocking::{Door, Stop};
use crate::cases::worker;
use crate::clock;
use crate::error::Error;
use crate::ground::Ground;
use crate::http::signed::Scope;
use crate::limits::{
    ANSWER_ROWS_MAX, CACHE_BYTES, DEADLINE, GROUPS_MAX, MEMORY_WAIT_MAX, QUESTIONS_BYTES_MAX,
    QUESTIONS_MAX, WAITING_MAX,
};
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
    /// Threads that work on questions at the same time, on all of them together.
    pub threads: usize,
    /// Questions that are under way at the same time. They take turns.
    pub questions: usize,
    /// Other requests that are worked on at the same time.
    pub places: usize,
    /// Requests that wait for a place, of either kind; the rest is refused.
    pub waiting_max: usize,
    /// Bytes that all questions together may take.
    pub memory_bytes: u64,
    /// Bytes of answers that are kept; with none every question is answered anew.
    pub cache_bytes: usize,
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
            questions: QUESTIONS_MAX,
            places: threads,
            waiting_max: WAITING_MAX,
            memory_bytes: QUESTIONS_BYTES_MAX,
            cache_bytes: CACHE_BYTES,
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
    questions: Door,
    pool: Arc<Pool>,
    answers: AnswerCache,
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
        let door = |places| Door::new(places, settings.waiting_max);
        let (door, questions) = (door(settings.places), door(settings.questions));
        let pool = Arc::new(pool(&settings));
        let answers = AnswerCache::new(settings.cache_bytes);
        let metrics = Metrics::default();
        let shared = Shared {
            database,
            catalogue,
            ground,
            door,
            questions,
            pool,
            answers,
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
        let Settings { places, questions, .. } = *self.settings();
        let is_idle = |door: &Door, places| door.waiting() == 0 && door.free() >= places;
        is_idle(self.door(), places) && is_idle(self.questions(), questions)
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

    /// The door of requests that are no questions.
    pub(crate) fn door(&self) -> &Door {
        &self.shared.door
    }

    /// The door of questions.
    pub(crate) fn questions(&self) -> &Door {
        &self.shared.questions
    }

    /// The processors and the memory that questions share.
    pub(crate) fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    /// The answers that are kept.
    pub(crate) fn answers(&self) -> &AnswerCache {
        &self.shared.answers
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

    /// The answer to a question over the rows of a scope: one that is kept, or one that somebody
    /// else is computing, or a new one. Only on a thread that may block.
    pub(crate) fn answer(
        &self,
        query: Query,
        snapshot: &Snapshot,
        scope: &Scope,
        stop: &Stop,
    ) -> Result<Arc<Answer>, Problem> {
        let (limits, rows_max) = (self.limits(stop), self.shared.settings.answer_rows_max);
        let asked = Asked::new(&query, snapshot, &limits, rows_max);
        let asked = asked.map(|asked| match scope.prefix() {
            Some(prefix) => asked.scope(prefix),
            None => asked,
        });
        let looked = asked.map(|asked| self.shared.answers.look(asked, Some(stop))).transpose();
        let ticket = match looked.map_err(|error| Problem::of_query(&error))? {
            Some(Looked::Found(answer)) => return Ok(answer),
            Some(Looked::Mine(ticket)) => Some(ticket),
            None => None,
        };
        let context = self.shared.ground.context(&self.shared.database);
        let answer = question::answer(query, snapshot, (scope, &context), &limits, rows_max)?;
        Ok(match ticket {
            Some(ticket) => ticket.put(answer),
            None => Arc::new(answer),
        })
    }

    /// As [`ServerState::answer`], or how it is answered where the question asks for that.
    pub(crate) fn tell(
        &self,
        query: Query,
        snapshot: &Snapshot,
        scope: &Scope,
        stop: &Stop,
    ) -> Result<Told, Problem> {
        if !query.explains() {
            return self.answer(query, snapshot, scope, stop).map(Told::Answer);
        }
        let context = self.shared.ground.context(&self.shared.database);
        question::explain(&query, snapshot, (scope, &context), &self.limits(stop)).map(Told::Plan)
    }

    fn limits(&self, stop: &Stop) -> Limits {
        let (threads, stop) = (self.shared.settings.threads, Some(Arc::clone(stop)));
        let (groups, memory) = (GROUPS_MAX, QUESTIONS_BYTES_MAX);
        let pool = Some(Arc::clone(&self.shared.pool));
        Limits { threads, pool, groups, stop, memory, ..Limits::default() }
    }

    /// Does work on a thread that may block, within the deadline of a request.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, Stop) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.through(self.door(), work).await
    }

    /// As [`ServerState::work`], of questions: many are under way at a time, for they wait for each
    /// other in turns and not one behind the other.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, Stop) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.through(self.questions(), work).await
    }

    async fn through<T: Send + 'static>(
        &self,
        door: &Door,
        work: impl FnOnce(&Self, Stop) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let state = self.clone();
        let done = door.run(self.shared.settings.deadline, move |stop| work(&state, stop));
        done.await.unwrap_or_else(|refused| Err(Problem::of_refusal(refused)))
    }
}

/// The processors and the memory that the questions of a server share.
fn pool(settings: &Settings) -> Pool {
    let began = clock::now();
    let wait = u64::try_from(MEMORY_WAIT_MAX.as_nanos()).unwrap_or(u64::MAX);
    let pool = Pool::new(settings.threads, move || clock::nanoseconds(began));
    pool.memory(settings.memory_bytes, wait)
}
