//! What is to be told: changes to the registry, once each, and notices of what happened.
//!
//! Invariant: numbers rise and are never given twice, so that a receiver that keeps the last one
//! it took can be told again and again without harm.

use jiff::civil::DateTime;
use rusqlite::{Transaction, params};
use serde_json::{Value, json};

use super::words::kind_of;
use super::{Sql, Store, moment, stamp};
use crate::case::{CaseFile, Kind};
use crate::error::{Error, Result};
use crate::secret::Vault;

/// A change on its way to the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Its number; greater than all before it.
    pub seq: u64,
    /// The case that it came from.
    pub case: String,
    /// When it was decided.
    pub at: DateTime,
    /// The change, with `seq`, `case` and `at` in it.
    pub body: Value,
}

/// Something happened to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its number; greater than all before it.
    pub seq: u64,
    /// The case.
    pub case: String,
    /// Its kind.
    pub kind: Kind,
    /// The command that was given.
    pub command: String,
    /// The state after it.
    pub state: String,
    /// The region of the case.
    pub region: String,
    /// The level of a warning.
    pub level: Option<String>,
    /// When.
    pub at: DateTime,
    /// The account that acted.
    pub account: String,
    pub(super) owner: Option<String>,
    pub(super) author: String,
    pub(super) departments: String,
}

pub(super) fn add(
    transaction: &Transaction<'_>,
    vault: &Vault,
    case: &CaseFile,
    body: &Value,
) -> Result<()> {
    let at = stamp(case.changed_at);
    // The row's number is part of what is sealed: it is taken first, then the row is filled.
    transaction
        .prepare_cached("INSERT INTO outbox (case_id, at, key, sealed) VALUES (?1, ?2, 0, x'')")
        .and_then(|mut statement| statement.execute(params![case.id, at]))
        .doing("add to the outbox")?;
    let seq = transaction.last_insert_rowid();
    let mut body = body.clone();
    let Value::Object(fields) = &mut body else {
        return Err(Error::Input { name: "body", reason: "of a registry change is an object" });
    };
    fields.insert("seq".to_owned(), json!(seq));
    fields.insert("case".to_owned(), json!(case.id));
    fields.entry("at").or_insert_with(|| json!(at));
    let sealed = vault.seal("outbox", &seq.to_string(), body.to_string().as_bytes())?;
    transaction
        .prepare_cached("UPDATE outbox SET key = ?2, sealed = ?3 WHERE seq = ?1")
        .and_then(|mut statement| statement.execute(params![seq, sealed.key, sealed.bytes]))
        .doing("fill the outbox")?;
    Ok(())
}

impl Store {
    /// Changes after a number, oldest first, whether or not they are marked as done.
    ///
    /// # Errors
    /// When a row was changed from outside.
    pub fn outbox_after(&self, seq: u64, limit: usize) -> Result<Vec<Outgoing>> {
        self.read(|transaction| {
            let mut statement = transaction
                .prepare_cached(
                    "SELECT seq, case_id, at, key, sealed FROM outbox
                     WHERE seq > ?1 ORDER BY seq LIMIT ?2",
                )
                .doing("prepare the outbox")?;
            let rows = statement
                .query_map(params![seq, limit as u64], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
                })
                .doing("read the outbox")?;
            let mut found = Vec::new();
            for row in rows {
                let (seq, case, at, key, sealed): (u64, String, String, u32, Vec<u8>) =
                    row.doing("read an outbox row")?;
                let name = seq.to_string();
                let plain = self.vault().open("outbox", &name, key, &sealed)?;
                let at = moment("outbox", &name, &at)?;
                let body = serde_json::from_slice(&plain).map_err(|_| Error::Corrupt {
                    table: "outbox",
                    row: name,
                    what: "is no change",
                })?;
                found.push(Outgoing { seq, case, at, body });
            }
            Ok(found)
        })
    }

    /// Marks every change up to a number as taken by the registry.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn outbox_done(&self, seq: u64) -> Result<()> {
        self.write(|transaction| {
            transaction
                .prepare_cached("UPDATE outbox SET done = 1 WHERE seq <= ?1 AND done = 0")
                .and_then(|mut statement| statement.execute(params![seq]))
                .doing("mark the outbox")?;
            Ok(())
        })
    }

    /// The last number that is marked as taken, 0 when none is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn outbox_taken(&self) -> Result<u64> {
        self.read(|transaction| {
            transaction
                .query_row("SELECT coalesce(max(seq), 0) FROM outbox WHERE done = 1", [], |row| {
                    row.get(0)
                })
                .doing("read the outbox")
        })
    }

    /// What happened after a number, oldest first. [`super::Reach::hears`] says who is told.
    ///
    /// # Errors
    /// When a row is not of this program's form.
    pub fn notices_after(&self, seq: u64, limit: usize) -> Result<Vec<Notice>> {
        self.read(|transaction| {
            let mut statement = transaction
                .prepare_cached(
                    "SELECT seq, case_id, kind, command, state, region, level, at, account, owner,
                         author, departments
                     FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2",
                )
                .doing("prepare the notices")?;
            let mut rows = statement.query(params![seq, limit as u64]).doing("read the notices")?;
            let mut found = Vec::new();
            while let Some(row) = rows.next().doing("read a notice")? {
                found.push(notice(row)?);
            }
            Ok(found)
        })
    }

    /// The number of the last notice, 0 when there is none: where a new listener begins.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn last_notice(&self) -> Result<u64> {
        self.read(|transaction| {
            transaction
                .query_row("SELECT coalesce(max(seq), 0) FROM event", [], |row| row.get(0))
                .doing("read the notices")
        })
    }
}

fn notice(row: &rusqlite::Row<'_>) -> Result<Notice> {
    let columns = || -> rusqlite::Result<_> {
        let kind: String = row.get(2)?;
        let at: String = row.get(7)?;
        let notice = Notice {
            seq: row.get(0)?,
            case: row.get(1)?,
            kind: Kind::Declaration,
            command: row.get(3)?,
            state: row.get(4)?,
            region: row.get(5)?,
            level: row.get(6)?,
            at: DateTime::ZERO,
            account: row.get(8)?,
            owner: row.get(9)?,
            author: row.get(10)?,
            departments: row.get(11)?,
        };
        Ok((notice, kind, at))
    };
    let (mut notice, kind, at) = columns().doing("read a notice")?;
    let name = notice.seq.to_string();
    notice.at = moment("event", &name, &at)?;
    notice.kind = kind_of(&kind).ok_or(Error::Corrupt {
        table: "event",
        row: name,
        what: "its kind is no kind of case",
    })?;
    Ok(notice)
}
