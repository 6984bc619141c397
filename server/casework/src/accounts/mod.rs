//! Accounts: who may sign in, as what.
//!
//! Invariants: an account holds one role or none, and without one it can do nothing; system,
//! security and audit administrators are different accounts for ever, and none can make another
//! kind of them; a login name is never given twice, also after its account was disabled; what role
//! and scope an account has is checked against its code whenever it is read.
//!
//! | what | who |
//! | --- | --- |
//! | create, disable, enable | system administrator |
//! | grant a role, unlock, reset a password | security administrator |
//! | the journal | audit administrator |

mod administer;
mod password;
mod rows;
mod session;
mod sign_in;

use std::sync::Arc;

use jiff::civil::DateTime;
use parking_lot::Mutex;
use rusqlite::{Transaction, params};

pub use self::password::Cost;
pub use self::session::{IDLE_SECONDS, LASTING_SECONDS, SESSIONS_MAX, Session};
pub use self::sign_in::{FAILURES_MAX, LOCK_SECONDS, PASSWORD_DAYS, SignIn};

use crate::case::{Actor, Role};
use crate::error::Result;
use crate::secret::{Vault, code};
use crate::store::{Sql, Store, stamp};

/// Accounts that were not used for so long are listed as surplus.
pub const UNUSED_DAYS: i64 = 90;

/// How many sign-ins of different logins go on at once without waiting for each other.
const STRIPES: usize = 64;

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It may, once it has a role.
    Active,
    /// It may not; its login name stays taken.
    Disabled,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Active, Self::Disabled].into_iter().find(|state| state.word() == word)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number, which says nothing of a person.
    pub id: String,
    /// The name it signs in with.
    pub login: String,
    /// The name that is shown.
    pub name: String,
    /// What it is; nothing before a role was granted.
    pub role: Option<Role>,
    /// The digits every region of it begins with.
    pub scope: String,
    /// The department of a department's user.
    pub department: Option<String>,
    /// The blind index of a citizen's own ID number.
    pub person: Option<String>,
    /// A citizen's own ID number, for their own cases and nothing else.
    number: Option<String>,
    /// Whether it may be used.
    pub state: State,
    /// Whether its password must be changed before anything else.
    pub must_change: bool,
    /// When it was made.
    pub created_at: DateTime,
    /// The account that made it.
    pub created_by: String,
    /// When it last signed in.
    pub seen_at: Option<DateTime>,
}

impl Account {
    /// A citizen's own ID number.
    pub fn own_number(&self) -> Option<&str> {
        self.number.as_deref()
    }

    /// The account as an actor; nothing when it has no role or may not be used.
    pub fn actor(&self) -> Option<Actor> {
        let role = self.role.filter(|_| self.state == State::Active)?;
        Some(Actor {
            account: self.id.clone(),
            name: self.name.clone(),
            role,
            scope: self.scope.clone(),
            department: self.department.clone(),
            person: self.person.clone(),
        })
    }
}

/// A role and how far it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant<'a> {
    /// The role.
    pub role: Role,
    /// Digits of the region: village 12, township 9, county 6, city 4, province 2, department 2
    /// to 6; none for all others.
    pub scope: &'a str,
    /// The department of a department's user.
    pub department: Option<&'a str>,
    /// The ID number, in clear, of a citizen.
    pub id_number: Option<&'a str>,
}

/// The accounts of a store.
#[derive(Debug)]
pub struct Accounts {
    store: Arc<Store>,
    cost: Cost,
    /// One comparison a login at a time, or many at once could guess past the lock.
    stripes: [Mutex<()>; STRIPES],
}

impl Accounts {
    /// The accounts of a store, with what a password costs.
    pub fn new(store: Arc<Store>, cost: Cost) -> Self {
        Self { store, cost, stripes: std::array::from_fn(|_| Mutex::new(())) }
    }

    fn vault(&self) -> &Vault {
        self.store.vault()
    }

    /// An account.
    ///
    /// # Errors
    /// When there is none, or its row was changed from outside.
    pub fn account(&self, id: &str) -> Result<Account> {
        self.store.read(|transaction| rows::load(transaction, self.vault(), id))
    }

    /// The account of a login name.
    ///
    /// # Errors
    /// When its row was changed from outside.
    pub fn by_login(&self, login: &str) -> Result<Option<Account>> {
        let login = self.login_index(&login_form(login))?;
        self.store.read(|transaction| rows::by_login(transaction, self.vault(), &login))
    }

    /// Accounts after a number, in the order of their numbers.
    ///
    /// # Errors
    /// When a row was changed from outside.
    pub fn list(&self, after: &str, limit: usize) -> Result<Vec<Account>> {
        let limit = limit.clamp(1, 500);
        self.store.read(|transaction| rows::after(transaction, self.vault(), after, limit))
    }

    /// Whether an account has not been used for 90 days.
    pub fn is_unused(account: &Account, now: DateTime) -> bool {
        let last = account.seen_at.unwrap_or(account.created_at);
        now.duration_since(last).as_secs() > UNUSED_DAYS * 86_400
    }

    fn login_index(&self, login: &str) -> Result<String> {
        self.vault().index_of("login", login)
    }

    fn save(&self, transaction: &Transaction<'_>, account: &Account) -> Result<()> {
        let login = self.login_index(&account.login)?;
        rows::save(transaction, self.vault(), account, &login)
    }

    fn keep_password(
        &self,
        transaction: &Transaction<'_>,
        id: &str,
        kept: &password::Kept,
        now: DateTime,
    ) -> Result<()> {
        transaction
            .execute(
                "INSERT INTO password (account, at, salt, cost, hash) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![id, stamp(now), kept.salt, kept.cost, kept.hash],
            )
            .doing("write a password's hash")?;
        Ok(())
    }
}

/// The one form of a login name that is compared.
fn login_form(login: &str) -> String {
    login.trim().to_lowercase()
}

/// An account whose login name is not chosen by anybody.
fn unnamed(by: &Actor, login: String, name: &str, now: DateTime) -> Result<Account> {
    Ok(Account {
        id: format!("u{}", code("0123456789abcdefghjkmnpqrstvwxyz", 12)?),
        login,
        name: name.to_owned(),
        role: None,
        scope: String::new(),
        department: None,
        person: None,
        number: None,
        state: State::Active,
        must_change: true,
        created_at: now,
        created_by: by.account.clone(),
        seen_at: None,
    })
}
