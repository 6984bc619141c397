//! The side where people work: the store of cases and accounts, the platform's clock, and what is
//! told as it happens.
//!
//! Invariants: a server without a platform answers statistics and nothing else; with one, nothing
//! is answered that the rights do not allow.

mod clock;
pub mod oidc;
mod people;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::DateTime;
use tokio::sync::watch;
use yiku_casework::Role;
use yiku_casework::accounts::{Accounts, Cost};
use yiku_casework::rights::Rights;
use yiku_casework::secret::{FileKeys, KeyProvider};
use yiku_casework::signature::{FilePlatformKey, PlatformKey};
use yiku_casework::store::Store;

use self::oidc::{Oidc, OidcSettings};
use crate::blocking::Door;
use crate::cases::watch::Run;
use crate::error::Error;

pub use clock::PlatformClock;

/// Questions to a sign-in service at the same time, and how many wait.
const SERVICE_PLACES: usize = 8;
const SERVICE_WAITING_MAX: usize = 64;

/// How the platform is run.
#[derive(Debug, Clone, Default)]
pub struct PlatformSettings {
    /// The folder of cases, accounts and attachments.
    pub cases: PathBuf,
    /// The file of keys; none is a file beside the folder.
    pub keys: Option<PathBuf>,
    /// Where the platform's clock starts.
    pub now: Option<jiff::Timestamp>,
    /// Through which service citizens sign in.
    pub oidc: Option<OidcSettings>,
    /// Accounts of a demonstration, which pages show with their password. None: no demonstration.
    pub demo: Option<Vec<DemoAccount>>,
    /// What a password costs to try.
    pub cost: Cost,
}

/// An account of a demonstration.
#[derive(Debug, Clone, serde::Serialize)]
pub struct DemoAccount {
    /// The name to sign in with.
    pub login: String,
    /// The password, which everybody may know.
    pub password: String,
    /// What it is.
    pub role: Role,
    /// Who and where, in a few words.
    pub label: String,
}

/// The case-work side of a server.
#[derive(Debug)]
pub struct Platform {
    store: Arc<Store>,
    accounts: Accounts,
    rights: Rights,
    clock: PlatformClock,
    db: PathBuf,
    demo: Option<Vec<DemoAccount>>,
    oidc: Option<Oidc>,
    service: Door,
    notices: watch::Sender<u64>,
    platform_key: Box<dyn PlatformKey>,
    last_run: Mutex<Run>,
}

impl Platform {
    /// Opens the platform beside the database in a folder; what is not there is made.
    ///
    /// # Errors
    /// [`Error::Platform`] when the store or its keys cannot be opened, [`Error::SignIn`] when the
    /// sign-in service cannot be used as it was given.
    pub fn open(db: &Path, settings: PlatformSettings) -> Result<Self, Error> {
        let PlatformSettings { cases, keys, now, oidc, demo, cost } = settings;
        let failed = |source| Error::Platform { source };
        let keys = keys.unwrap_or_else(|| beside(&cases));
        let keys: Arc<dyn KeyProvider> = Arc::new(FileKeys::open(&keys, &cases).map_err(failed)?);
        let store = Arc::new(Store::open(&cases, keys).map_err(failed)?);
        let platform_key = FilePlatformKey::open(&named(&cases, ".platform.pem"));
        let platform_key = platform_key.map_err(failed)?;
        let oidc = oidc.map(Oidc::new).transpose().map_err(|source| Error::SignIn { source })?;
        Ok(Self {
            rights: Rights::built_in().map_err(failed)?,
            accounts: Accounts::new(Arc::clone(&store), cost),
            store,
            clock: PlatformClock::starting_at(now),
            db: db.to_owned(),
            demo,
            oidc,
            service: Door::new(SERVICE_PLACES, SERVICE_WAITING_MAX),
            notices: watch::Sender::new(0),
            platform_key: Box::new(platform_key),
            last_run: Mutex::new(Run::default()),
        })
    }

    /// Cases, accounts and all that belongs to them. Only on a thread that may block.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Who may sign in, as what. Only on a thread that may block.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Now, in the platform's local time.
    #[must_use]
    pub fn now(&self) -> DateTime {
        self.clock.now()
    }

    /// The folder of the database, for what is decided here and belongs into the registry.
    #[must_use]
    pub fn db(&self) -> &Path {
        &self.db
    }

    /// Makes it a demonstration with these accounts.
    pub(crate) fn set_demo(&mut self, accounts: Vec<DemoAccount>) {
        self.demo = Some(accounts);
    }

    /// The accounts of a demonstration, if it is one.
    #[must_use]
    pub fn demo(&self) -> Option<&[DemoAccount]> {
        self.demo.as_deref()
    }

    /// The number of the newest notice: whoever follows waits for it to change and then reads
    /// the notices after the last one they have.
    #[must_use]
    pub fn notices(&self) -> &watch::Sender<u64> {
        &self.notices
    }

    /// The key with which the platform endorses signatures.
    pub(crate) fn platform_key(&self) -> &dyn PlatformKey {
        self.platform_key.as_ref()
    }

    /// What the last run of the warning rules came to.
    pub(crate) fn last_run(&self) -> Run {
        self.last_run.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what a run of the warning rules came to.
    pub(crate) fn set_last_run(&self, run: Run) {
        *self.last_run.lock().unwrap_or_else(PoisonError::into_inner) = run;
    }

    /// The service through which citizens sign in, if there is one.
    pub(crate) fn oidc(&self) -> Option<&Oidc> {
        self.oidc.as_ref()
    }

    /// The door before the threads that wait for that service.
    pub(crate) fn service_door(&self) -> &Door {
        &self.service
    }
}

/// The file of keys beside a folder: outside it, so that a copy of one is not a copy of both.
fn beside(cases: &Path) -> PathBuf {
    named(cases, ".keys")
}

/// A file beside a folder, by the folder's name and an ending.
fn named(cases: &Path, ending: &str) -> PathBuf {
    let mut name = cases.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    cases.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lie_beside_the_folder_not_in_it() {
        assert_eq!(beside(Path::new("/srv/cases")), Path::new("/srv/cases.keys"));
        assert_eq!(beside(Path::new("/srv/cases/")), Path::new("/srv/cases.keys"));
    }
}
