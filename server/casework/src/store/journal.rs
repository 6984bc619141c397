//! The journal: who did what to what, chained, never changed.
//!
//! Invariants: a row's digest is SM3 over the row and the digest before it; the head, which carries
//! a code that only the platform's keys make, names the last row. So a row that was changed, moved,
//! taken out or cut off the end is found. The journal keeps numbers, roles and digests; what could
//! name a person is sealed.

use jiff::civil::DateTime;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::words::role_word;
use super::{Sql, Store, moment, stamp};
use crate::case::Actor;
use crate::error::{Error, Result};
use crate::secret::{Vault, sm3_hex};

/// The digest that stands before the first row.
const BEGINNING: &str = "";

/// The longest word of an entry.
const WORD_BYTES_MAX: usize = 200;

/// The longest detail of an entry.
const DETAIL_BYTES_MAX: usize = 8 * 1024;

/// Something to be kept: no field but `detail` may hold anything of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// When.
    pub at: DateTime,
    /// The account that acted; empty before anybody signed in.
    pub account: &'a str,
    /// The word of its role.
    pub role: &'a str,
    /// The address it came from.
    pub ip: &'a str,
    /// What was done: `person.read`, `session.start`, `application.submit`.
    pub action: &'a str,
    /// To what: a case's number, an account, a blind index.
    pub object: &'a str,
    /// What came of it: `done`, `refused`, a state.
    pub result: &'a str,
    /// The digest of the object before.
    pub before: &'a str,
    /// The digest of the object after.
    pub after: &'a str,
    /// The reason given, or what was looked at; sealed.
    pub detail: &'a str,
}

impl<'a> Entry<'a> {
    /// An entry of an actor, to be filled with what was done.
    pub fn by(actor: &'a Actor, ip: &'a str, at: DateTime) -> Self {
        let role = role_word(actor.role);
        Self { account: &actor.account, role, ..Self::of_nobody(ip, at) }
    }

    /// An entry of somebody who is not signed in.
    pub fn of_nobody(ip: &'a str, at: DateTime) -> Self {
        Self {
            at,
            account: "",
            role: "",
            ip,
            action: "",
            object: "",
            result: "done",
            before: "",
            after: "",
            detail: "",
        }
    }
}

/// A row of the journal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct JournalRow {
    /// Its place, from 1.
    pub seq: u64,
    /// When.
    pub at: DateTime,
    /// The account that acted.
    pub account: String,
    /// The word of its role.
    pub role: String,
    /// The address it came from.
    pub ip: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// What came of it.
    pub result: String,
    /// The reason given, or what was looked at.
    pub detail: String,
    /// The row's own digest.
    pub digest: String,
}

/// What a check of the journal found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Rows that were read.
    pub rows: u64,
    /// The digest of the last one.
    pub head: String,
    /// The first row that does not fit, with what is wrong with it; nothing when all fit.
    pub broken: Option<(u64, String)>,
}

/// A row with what the chain needs.
struct Link {
    row: JournalRow,
    at: String,
    before: String,
    after: String,
    key: u32,
    sealed: Vec<u8>,
    previous: String,
}

const COLUMNS: &str = "seq, at, account, role, ip, action, object, result, before, after, key, \
     sealed, previous, digest";

impl Store {
    /// Keeps an entry.
    ///
    /// # Errors
    /// When it cannot be written: then what it speaks of must not happen either.
    pub fn journal(&self, entry: &Entry<'_>) -> Result<()> {
        self.write(|transaction| append(transaction, self.vault(), entry))
    }

    /// Rows after a place, oldest first.
    ///
    /// # Errors
    /// When a row cannot be opened.
    pub fn journal_after(&self, seq: u64, limit: usize) -> Result<Vec<JournalRow>> {
        let sql = format!("SELECT {COLUMNS} FROM journal WHERE seq > ?1 ORDER BY seq LIMIT ?2");
        self.rows(&sql, params![seq, limit.min(1000) as u64])
    }

    /// The last rows about something, newest first: who looked at a person, and when.
    ///
    /// # Errors
    /// When a row cannot be opened.
    pub fn journal_about(&self, object: &str, limit: usize) -> Result<Vec<JournalRow>> {
        let sql =
            format!("SELECT {COLUMNS} FROM journal WHERE object = ?1 ORDER BY seq DESC LIMIT ?2");
        self.rows(&sql, params![object, limit.min(1000) as u64])
    }

    fn rows(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<JournalRow>> {
        self.read(|transaction| {
            let mut statement = transaction.prepare_cached(sql).doing("prepare the journal")?;
            let links = statement.query_map(values, link).doing("read the journal")?;
            let mut rows = Vec::new();
            for found in links {
                let Link { mut row, at, key, sealed, .. } = found.doing("read a journal row")?;
                let name = row.seq.to_string();
                row.at = moment("journal", &name, &at)?;
                let detail = self.vault().open("journal", &name, key, &sealed)?;
                row.detail = String::from_utf8_lossy(&detail).into_owned();
                rows.push(row);
            }
            Ok(rows)
        })
    }

    /// Reads the whole journal and checks that its chain is whole, that its head is the
    /// platform's, and that each case's row is the one that was journalled last.
    ///
    /// # Errors
    /// When it cannot be read; what does not fit is an answer, not an error.
    pub fn verify_journal(&self) -> Result<Verified> {
        self.read(|transaction| verify(transaction, self.vault()))
    }
}

fn link(row: &Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link {
        row: JournalRow {
            seq: row.get(0)?,
            at: DateTime::ZERO,
            account: row.get(2)?,
            role: row.get(3)?,
            ip: row.get(4)?,
            action: row.get(5)?,
            object: row.get(6)?,
            result: row.get(7)?,
            detail: String::new(),
            digest: row.get(13)?,
        },
        at: row.get(1)?,
        before: row.get(8)?,
        after: row.get(9)?,
        key: row.get(10)?,
        sealed: row.get(11)?,
        previous: row.get(12)?,
    })
}

impl Link {
    fn digest(&self) -> String {
        let (seq, key) = (self.row.seq.to_string(), self.key.to_string());
        let parts: [&[u8]; 13] = [
            seq.as_bytes(),
            self.at.as_bytes(),
            self.row.account.as_bytes(),
            self.row.role.as_bytes(),
            self.row.ip.as_bytes(),
            self.row.action.as_bytes(),
            self.row.object.as_bytes(),
            self.row.result.as_bytes(),
            self.before.as_bytes(),
            self.after.as_bytes(),
            key.as_bytes(),
            &self.sealed,
            self.previous.as_bytes(),
        ];
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        sm3_hex(&bytes)
    }
}

/// The head: the last place, its digest, and whether the code is the platform's.
fn head(transaction: &Transaction<'_>, vault: &Vault) -> Result<(u64, String, bool)> {
    let kept: Option<(u64, String, String)> = transaction
        .prepare_cached("SELECT seq, digest, code FROM journal_head WHERE one = 1")
        .and_then(|mut statement| {
            statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
        })
        .doing("read the journal's head")?;
    let Some((seq, digest, code)) = kept else {
        return Ok((0, BEGINNING.to_owned(), true));
    };
    let good = vault.verify("journal_head", "1", &[&seq.to_string(), &digest], &code).is_ok();
    Ok((seq, digest, good))
}

/// Adds an entry to the chain, within the transaction of what it speaks of.
pub(crate) fn append(
    transaction: &Transaction<'_>,
    vault: &Vault,
    entry: &Entry<'_>,
) -> Result<()> {
    let (last, previous, good) = head(transaction, vault)?;
    if !good {
        let what = "its head is not the platform's; the journal is checked before it goes on";
        return Err(Error::Tampered { table: "journal_head", row: "1".to_owned(), what });
    }
    let seq = last + 1;
    let detail = cut(entry.detail, DETAIL_BYTES_MAX);
    let sealed = vault.seal("journal", &seq.to_string(), detail.as_bytes())?;
    let word = |text: &str| cut(text, WORD_BYTES_MAX).to_owned();
    let link = Link {
        row: JournalRow {
            seq,
            at: entry.at,
            account: word(entry.account),
            role: word(entry.role),
            ip: word(entry.ip),
            action: word(entry.action),
            object: word(entry.object),
            result: word(entry.result),
            detail: String::new(),
            digest: String::new(),
        },
        at: stamp(entry.at),
        before: word(entry.before),
        after: word(entry.after),
        key: sealed.key,
        sealed: sealed.bytes,
        previous,
    };
    let digest = link.digest();
    write(transaction, &link, &digest)?;
    let code = vault.integrity("journal_head", &[&seq.to_string(), &digest])?;
    transaction
        .prepare_cached(
            "INSERT INTO journal_head (one, seq, digest, code) VALUES (1, ?1, ?2, ?3)
             ON CONFLICT (one) DO UPDATE SET seq = ?1, digest = ?2, code = ?3",
        )
        .and_then(|mut statement| statement.execute(params![seq, digest, code]))
        .doing("move the journal's head")?;
    Ok(())
}

fn write(transaction: &Transaction<'_>, link: &Link, digest: &str) -> Result<()> {
    let row = &link.row;
    let values = params![
        row.seq,
        link.at,
        row.account,
        row.role,
        row.ip,
        row.action,
        row.object,
        row.result,
        link.before,
        link.after,
        link.key,
        link.sealed,
        link.previous,
        digest,
    ];
    let sql = format!(
        "INSERT INTO journal ({COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
    );
    transaction
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.execute(values))
        .doing("write a journal row")?;
    Ok(())
}

/// The beginning of a text, in whole characters.
fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or_default()
}

fn verify(transaction: &Transaction<'_>, vault: &Vault) -> Result<Verified> {
    let (last, digest, good) = head(transaction, vault)?;
    let mut verified = Verified { rows: 0, head: BEGINNING.to_owned(), broken: None };
    let sql = format!("SELECT {COLUMNS} FROM journal ORDER BY seq");
    let mut statement = transaction.prepare(&sql).doing("prepare the journal")?;
    let links = statement.query_map([], link).doing("read the journal")?;
    for found in links {
        let link = found.doing("read a journal row")?;
        let wrong = if link.row.seq != verified.rows + 1 {
            Some("a row before it is missing")
        } else if link.previous != verified.head {
            Some("it does not follow the row before it")
        } else if link.digest() != link.row.digest {
            Some("it was changed")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            verified.broken = Some((link.row.seq, wrong.to_owned()));
            return Ok(verified);
        }
        verified.rows = link.row.seq;
        verified.head = link.row.digest;
    }
    verified.broken = if !good {
        Some((last, "the head is not the platform's".to_owned()))
    } else if (last, &digest) != (verified.rows, &verified.head) {
        Some((verified.rows + 1, "rows at the end are missing".to_owned()))
    } else {
        altered_case(transaction)?
            .map(|case| (last, format!("case `{case}` is not as the journal last saw it")))
    };
    Ok(verified)
}

/// The first case whose content is not the one of its last journal row.
fn altered_case(transaction: &Transaction<'_>) -> Result<Option<String>> {
    let mut statement = transaction
        .prepare(
            "SELECT id, sealed, (SELECT after FROM journal WHERE object = cases.id AND after <> ''
                 ORDER BY seq DESC LIMIT 1) FROM cases",
        )
        .doing("prepare the cases")?;
    let mut rows = statement.query([]).doing("read the cases")?;
    while let Some(row) = rows.next().doing("read a case")? {
        let (id, sealed, after): (String, Vec<u8>, Option<String>) =
            (|| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))().doing("read a case")?;
        if after.as_deref() != Some(sm3_hex(&sealed).as_str()) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
