//! Sessions: kept at the server, known by a secret of which only the digest is kept.

use jiff::civil::DateTime;
use rusqlite::{OptionalExtension, Transaction, params};

use super::{Account, Accounts, State, rows};
use crate::case::Actor;
use crate::error::{Error, Result};
use crate::secret::{sm3_hex, token};
use crate::store::{Entry, Sql, append, moment, stamp};

/// A session ends when it was not used for so long.
pub const IDLE_SECONDS: i64 = 30 * 60;

/// A session ends so long after it began, used or not.
pub const LASTING_SECONDS: i64 = 12 * 3600;

/// The most sessions of an account; a further sign-in ends the oldest.
pub const SESSIONS_MAX: usize = 3;

/// Use is written no more often than this: a page asks many things at once.
const SEEN_SECONDS: i64 = 20;

/// The longest text that can be a session's secret.
const TOKEN_BYTES_MAX: usize = 64;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The secret of the session, for the cookie.
    pub token: String,
    /// The account.
    pub account: Account,
    /// The account as an actor.
    pub actor: Actor,
    /// When it began.
    pub started_at: DateTime,
    /// Whether nothing but a new password is possible.
    pub must_change: bool,
    /// The one thing it is for, such as `sign`; anything the role may do when nothing is said.
    pub only: Option<String>,
}

struct Found {
    account: String,
    started_at: String,
    seen_at: String,
    only: Option<String>,
}

impl Accounts {
    /// The session of a secret, if it goes on: each call is a use of it.
    ///
    /// # Errors
    /// When it cannot be read or its account's row was changed from outside.
    pub fn session(&self, token: &str, now: DateTime) -> Result<Option<Session>> {
        if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
            return Ok(None);
        }
        let hashed = sm3_hex(token.as_bytes());
        let found = self.store.read(|transaction| {
            let Some(found) = find(transaction, &hashed)? else { return Ok(None) };
            let account = rows::load(transaction, self.vault(), &found.account)?;
            let expired = self.password_expired(transaction, &account, now)?;
            Ok(Some((found, account, expired)))
        })?;
        let Some((found, account, expired)) = found else { return Ok(None) };
        let started_at = moment("session", "", &found.started_at)?;
        let seen_at = moment("session", "", &found.seen_at)?;
        let idle = now.duration_since(seen_at).as_secs();
        let lasted = now.duration_since(started_at).as_secs();
        let actor = account.actor();
        let over = idle > IDLE_SECONDS || lasted > LASTING_SECONDS;
        let Some(actor) = actor.filter(|_| !over) else {
            self.store.write(|transaction| end(transaction, &hashed))?;
            return Ok(None);
        };
        if idle >= SEEN_SECONDS {
            self.store.write(|transaction| {
                transaction
                    .execute(
                        "UPDATE session SET seen_at = ?2 WHERE token = ?1",
                        params![hashed, stamp(now)],
                    )
                    .doing("remember the use of a session")?;
                Ok(())
            })?;
        }
        let must_change = account.must_change || expired;
        let (token, only) = (token.to_owned(), found.only);
        Ok(Some(Session { token, account, actor, started_at, must_change, only }))
    }

    /// Whether the session of a secret goes on. Unlike [`Accounts::session`] it is no use of it: a
    /// page that only listens does not keep it awake.
    ///
    /// # Errors
    /// When it cannot be read or its account's row was changed from outside.
    pub fn goes_on(&self, token: &str, now: DateTime) -> Result<bool> {
        let hashed = sm3_hex(token.as_bytes());
        let found = self.store.read(|transaction| {
            let Some(found) = find(transaction, &hashed)? else { return Ok(None) };
            let account = rows::load(transaction, self.vault(), &found.account)?;
            Ok(Some((found, account)))
        })?;
        let Some((found, account)) = found else { return Ok(false) };
        let idle = now.duration_since(moment("session", "", &found.seen_at)?).as_secs();
        let lasted = now.duration_since(moment("session", "", &found.started_at)?).as_secs();
        let runs = idle <= IDLE_SECONDS && lasted <= LASTING_SECONDS;
        Ok(runs && account.actor().is_some())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn sign_out(&self, token: &str, now: DateTime, ip: &str) -> Result<()> {
        let hashed = sm3_hex(token.as_bytes());
        self.store.write(|transaction| {
            let Some(found) = find(transaction, &hashed)? else { return Ok(()) };
            end(transaction, &hashed)?;
            let account = rows::load(transaction, self.vault(), &found.account)?;
            let entry = Entry {
                account: &account.id,
                role: account.role.map_or("", crate::store::role_word),
                action: "session.end",
                object: &account.id,
                ..Entry::of_nobody(ip, now)
            };
            append(transaction, self.vault(), &entry)
        })
    }

    /// Begins a session of an account within a transaction, with a new secret.
    pub(super) fn begin(
        &self,
        transaction: &Transaction<'_>,
        account: &Account,
        only: Option<&str>,
        (now, ip): (DateTime, &str),
    ) -> Result<Session> {
        let actor = account
            .actor()
            .ok_or(Error::Forbidden { what: "signing in without a role in force" })?;
        let token = token()?;
        transaction
            .execute(
                "INSERT INTO session (token, account, started_at, seen_at, ip, only)
                 VALUES (?1, ?2, ?3, ?3, ?4, ?5)",
                params![sm3_hex(token.as_bytes()), account.id, stamp(now), ip, only],
            )
            .doing("begin a session")?;
        transaction
            .execute(
                "DELETE FROM session WHERE account = ?1 AND token NOT IN (SELECT token FROM session
                     WHERE account = ?1 ORDER BY started_at DESC, rowid DESC LIMIT ?2)",
                params![account.id, SESSIONS_MAX as u64],
            )
            .doing("end the oldest session")?;
        rows::seen(transaction, &account.id, now)?;
        let entry = Entry {
            action: "session.start",
            object: &account.id,
            result: only.unwrap_or("done"),
            ..Entry::by(&actor, ip, now)
        };
        append(transaction, self.vault(), &entry)?;
        let must_change =
            account.must_change || self.password_expired(transaction, account, now)?;
        Ok(Session {
            token,
            account: account.clone(),
            actor,
            started_at: now,
            must_change,
            only: only.map(str::to_owned),
        })
    }
}

fn find(transaction: &Transaction<'_>, hashed: &str) -> Result<Option<Found>> {
    transaction
        .prepare_cached("SELECT account, started_at, seen_at, only FROM session WHERE token = ?1")
        .and_then(|mut statement| {
            statement
                .query_row(params![hashed], |row| {
                    Ok(Found {
                        account: row.get(0)?,
                        started_at: row.get(1)?,
                        seen_at: row.get(2)?,
                        only: row.get(3)?,
                    })
                })
                .optional()
        })
        .doing("read a session")
}

fn end(transaction: &Transaction<'_>, hashed: &str) -> Result<()> {
    transaction
        .execute("DELETE FROM session WHERE token = ?1", params![hashed])
        .doing("end a session")?;
    Ok(())
}

/// Ends every session of an account.
pub(super) fn end_all(transaction: &Transaction<'_>, account: &str) -> Result<()> {
    transaction
        .execute("DELETE FROM session WHERE account = ?1", params![account])
        .doing("end an account's sessions")?;
    Ok(())
}

/// Whether an account may sign in at all.
pub(super) fn may_begin(account: &Account) -> bool {
    account.state == State::Active && account.role.is_some()
}
