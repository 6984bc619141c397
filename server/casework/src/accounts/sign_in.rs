//! Signing in: with a password, through an identity provider, or on an invitation.
//!
//! Invariant: an answer never tells which part was wrong, nor whether there is such an account;
//! unknown names are counted and locked like known ones, and cost the same work.

use jiff::civil::DateTime;
use rusqlite::{OptionalExtension, Transaction, params};

use super::password::{self, Kept};
use super::session::{self, Session};
use super::{Account, Accounts, STRIPES, login_form, rows, unnamed};
use crate::case::Role;
use crate::error::{Error, Result};
use crate::secret::is_id_number;
use crate::store::{Entry, Invited, Sql, append, lasting, moment, platform, stamp};

/// So many failures lock a login name.
pub const FAILURES_MAX: u32 = 5;

/// How long it is locked.
pub const LOCK_SECONDS: i64 = 15 * 60;

/// A password must be changed after so many days.
pub const PASSWORD_DAYS: i64 = 90;

/// So many passwords are not taken again.
const HISTORY: u64 = 5;

/// Failures are forgotten after a day without another.
const FAILURE_SECONDS: i64 = 86_400;

/// What came of signing in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// Signed in.
    Ok(Session),
    /// Signed in, but for nothing but a new password.
    MustChange(Session),
    /// Too many failures.
    Locked {
        /// When it opens again.
        until: DateTime,
    },
    /// Login name or password is wrong; nobody is told which.
    Wrong,
}

impl Accounts {
    /// Signs in with a password.
    ///
    /// # Errors
    /// When the store cannot be read or written; everything else is an answer.
    pub fn sign_in(&self, login: &str, password: &str, now: DateTime, ip: &str) -> Result<SignIn> {
        let login = self.login_index(&login_form(login))?;
        let _turn = self.stripe(&login).map(parking_lot::Mutex::lock);
        let (until, account, kept) = self.store.read(|transaction| {
            let until = locked(transaction, &login, now)?;
            let account = rows::by_login(transaction, self.vault(), &login)?;
            let kept = match &account {
                Some(account) => history(transaction, &account.id, 1)?.pop(),
                None => None,
            };
            Ok((until, account, kept))
        })?;
        if let Some(until) = until {
            self.refused(&login, "locked", now, ip)?;
            return Ok(SignIn::Locked { until });
        }
        let short = password.get(..password.floor_char_boundary(password::BYTES_MAX + 1));
        let password = short.unwrap_or_default();
        let right = match &kept {
            Some(kept) => kept.is(password)?,
            None => {
                password::compare_with_nobody(password, self.cost)?;
                false
            }
        };
        match account.filter(|account| right && session::may_begin(account)) {
            Some(account) => {
                let session = self.store.write(|transaction| {
                    forget(transaction, &login)?;
                    self.begin(transaction, &account, None, (now, ip))
                })?;
                let answer = if session.must_change { SignIn::MustChange } else { SignIn::Ok };
                Ok(answer(session))
            }
            None => {
                let until = self.failed(&login, now, ip)?;
                Ok(until.map_or(SignIn::Wrong, |until| SignIn::Locked { until }))
            }
        }
    }

    fn stripe(&self, login: &str) -> Option<&parking_lot::Mutex<()>> {
        let first = login.get(..4).and_then(|first| usize::from_str_radix(first, 16).ok());
        self.stripes.get(first.unwrap_or(0) % STRIPES)
    }

    /// Changes the own password; other sessions of the account end and this one gets a new secret.
    ///
    /// # Errors
    /// [`Error::Password`] when the old one is wrong or the new one breaks a rule;
    /// [`Error::Locked`] after too many wrong ones.
    pub fn change_password(
        &self,
        session: &Session,
        old: &str,
        new: &str,
        now: DateTime,
        ip: &str,
    ) -> Result<Session> {
        let id = &session.account.id;
        let login = self.login_index(&session.account.login)?;
        let _turn = self.stripe(&login).map(parking_lot::Mutex::lock);
        let (until, kept) = self.store.read(|transaction| {
            Ok((locked(transaction, &login, now)?, history(transaction, id, HISTORY)?))
        })?;
        if let Some(until) = until {
            return Err(Error::Locked { until });
        }
        let right = old.len() <= password::BYTES_MAX
            && kept.first().map_or(Ok(false), |kept| kept.is(old))?;
        if !right {
            return match self.failed(&login, now, ip)? {
                Some(until) => Err(Error::Locked { until }),
                None => Err(Error::Password { code: "wrong", reason: "now in use is another" }),
            };
        }
        password::check(new, &session.account.login)?;
        for earlier in &kept {
            if earlier.is(new)? {
                let reason = "was one of the last five; choose another";
                return Err(Error::Password { code: "repeated", reason });
            }
        }
        let fresh = Kept::new(new, self.cost)?;
        self.store.write(|transaction| {
            let mut account = rows::load(transaction, self.vault(), id)?;
            account.must_change = false;
            self.save(transaction, &account)?;
            self.keep_password(transaction, id, &fresh, now)?;
            forget(transaction, &login)?;
            session::end_all(transaction, id)?;
            let entry = Entry {
                action: "account.password",
                object: id,
                ..Entry::by(&session.actor, ip, now)
            };
            append(transaction, self.vault(), &entry)?;
            self.begin(transaction, &account, None, (now, ip))
        })
    }

    /// Signs in a citizen whom an identity provider vouches for; the account is made at the first
    /// time, and is the same for every way the same person comes.
    ///
    /// # Errors
    /// When the ID number is not one, or the provider's subject was another person before.
    pub fn citizen_by_oidc(
        &self,
        (issuer, subject): (&str, &str),
        (name, id_number): (&str, &str),
        now: DateTime,
        ip: &str,
    ) -> Result<Session> {
        // The length before each part keeps two different pairs from reading alike.
        let subject = format!("{} {issuer} {subject}", issuer.len());
        let subject = self.vault().index_of("subject", &subject)?;
        self.store.write(|transaction| {
            let account = self.citizen(transaction, (name, id_number), now)?;
            let known: Option<String> = transaction
                .query_row(
                    "SELECT account FROM identity WHERE subject = ?1",
                    params![subject],
                    |row| row.get(0),
                )
                .optional()
                .doing("read an identity")?;
            match known {
                Some(known) if known != account.id => return Err(Error::OtherPerson),
                Some(_) => {}
                None => {
                    transaction
                        .execute(
                            "INSERT INTO identity (subject, account) VALUES (?1, ?2)",
                            params![subject, account.id],
                        )
                        .doing("write an identity")?;
                }
            }
            self.begin(transaction, &account, None, (now, ip))
        })
    }

    /// Signs in whom an invitation was opened for, for signing alone.
    ///
    /// # Errors
    /// When the account of that person may not be used.
    pub fn invited(&self, invited: &Invited, now: DateTime, ip: &str) -> Result<Session> {
        self.store.write(|transaction| {
            let person = (invited.name.as_str(), invited.id_number.as_str());
            let account = self.citizen(transaction, person, now)?;
            self.begin(transaction, &account, Some("sign"), (now, ip))
        })
    }

    /// The account of a citizen, made when there is none.
    fn citizen(
        &self,
        transaction: &Transaction<'_>,
        (name, id_number): (&str, &str),
        now: DateTime,
    ) -> Result<Account> {
        if !is_id_number(id_number) {
            let reason = "must be an ID number of 18 places with its right check character";
            return Err(Error::Input { name: "id_number", reason });
        }
        let person = self.store.index(id_number)?;
        if let Some(account) = rows::by_person(transaction, self.vault(), &person)? {
            return Ok(account);
        }
        let short: String = name.trim().chars().filter(|c| !c.is_control()).take(64).collect();
        // Nobody can type a blank in a login name: no password ever fits this account.
        let login = format!("person {person}");
        let mut account = unnamed(&platform(), login, &short, now)?;
        account.role = Some(Role::Citizen);
        account.person = Some(person);
        account.number = Some(crate::secret::normalise(id_number));
        account.must_change = false;
        self.save(transaction, &account)?;
        let by = platform();
        let entry =
            Entry { action: "account.create", object: &account.id, ..Entry::by(&by, "", now) };
        append(transaction, self.vault(), &entry)?;
        Ok(account)
    }

    /// Whether the account's password is too old; one that has none has none to change.
    pub(super) fn password_expired(
        &self,
        transaction: &Transaction<'_>,
        account: &Account,
        now: DateTime,
    ) -> Result<bool> {
        let at: Option<String> = transaction
            .prepare_cached("SELECT at FROM password WHERE account = ?1 ORDER BY seq DESC LIMIT 1")
            .and_then(|mut statement| {
                statement.query_row(params![account.id], |row| row.get(0)).optional()
            })
            .doing("read a password's age")?;
        let Some(at) = at else { return Ok(false) };
        let at = moment("password", &account.id, &at)?;
        Ok(now.duration_since(at).as_secs() > PASSWORD_DAYS * 86_400)
    }

    pub(super) fn forget_failures(&self, transaction: &Transaction<'_>, login: &str) -> Result<()> {
        forget(transaction, &self.login_index(login)?)
    }

    /// Counts a failure; gives the end of the lock when it was one too many.
    fn failed(&self, login: &str, now: DateTime, ip: &str) -> Result<Option<DateTime>> {
        let until = self.store.write(|transaction| {
            let forgotten = stamp(lasting(now, -FAILURE_SECONDS));
            transaction
                .execute("DELETE FROM failure WHERE last_at < ?1", params![forgotten])
                .doing("forget old failures")?;
            // A lock that has run out begins the count anew.
            let count: u32 = transaction
                .query_row(
                    "INSERT INTO failure (login, count, last_at) VALUES (?1, 1, ?2)
                     ON CONFLICT (login) DO UPDATE SET last_at = ?2, until = NULL,
                         count = CASE WHEN until IS NULL THEN count + 1 ELSE 1 END
                     RETURNING count",
                    params![login, stamp(now)],
                    |row| row.get(0),
                )
                .doing("count a failure")?;
            if count < FAILURES_MAX {
                return Ok(None);
            }
            let until = lasting(now, LOCK_SECONDS);
            transaction
                .execute(
                    "UPDATE failure SET until = ?2 WHERE login = ?1",
                    params![login, stamp(until)],
                )
                .doing("lock a login")?;
            Ok(Some(until))
        })?;
        self.refused(login, if until.is_some() { "lock" } else { "wrong" }, now, ip)?;
        Ok(until)
    }

    fn refused(&self, login: &str, result: &str, now: DateTime, ip: &str) -> Result<()> {
        self.store.journal(&Entry {
            action: "session.refused",
            object: login,
            result,
            ..Entry::of_nobody(ip, now)
        })
    }
}

/// Until when a login name is locked, if it is.
fn locked(transaction: &Transaction<'_>, login: &str, now: DateTime) -> Result<Option<DateTime>> {
    let until: Option<Option<String>> = transaction
        .prepare_cached("SELECT until FROM failure WHERE login = ?1")
        .and_then(|mut statement| statement.query_row(params![login], |row| row.get(0)).optional())
        .doing("read failures")?;
    let until = until.flatten().map(|until| moment("failure", "", &until)).transpose()?;
    Ok(until.filter(|until| now < *until))
}

fn forget(transaction: &Transaction<'_>, login: &str) -> Result<()> {
    transaction
        .execute("DELETE FROM failure WHERE login = ?1", params![login])
        .doing("forget failures")?;
    Ok(())
}

/// The last passwords of an account, newest first.
fn history(transaction: &Transaction<'_>, account: &str, limit: u64) -> Result<Vec<Kept>> {
    let mut statement = transaction
        .prepare_cached(
            "SELECT salt, cost, hash FROM password WHERE account = ?1 ORDER BY seq DESC LIMIT ?2",
        )
        .doing("prepare the passwords")?;
    let rows = statement
        .query_map(params![account, limit], |row| {
            Ok(Kept { salt: row.get(0)?, cost: row.get(1)?, hash: row.get(2)? })
        })
        .doing("read the passwords")?;
    rows.map(|row| row.doing("read a password")).collect()
}
