//! Case files in rows: the whole file is sealed; what is searched for stands beside it in the clear
//! and must agree with it.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::reach::Reach;
use super::words::{kind_word, letter};
use super::{Sql, Store, day, found, stamp};
use crate::case::{CaseFile, Event, Kind};
use crate::error::{Error, Result};
use crate::secret::{Sealed, Vault, code, sm3_hex};

/// Crockford's letters: none is taken for another.
const LETTERS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// One event of a case with its place in the case's life.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The version it led to.
    pub version: u64,
    /// What happened.
    pub event: Event,
}

impl Store {
    /// A case as it stands. Whether the asker may see it is [`Reach`]'s to say.
    ///
    /// # Errors
    /// When there is none, or its row was changed from outside.
    pub fn case(&self, id: &str) -> Result<CaseFile> {
        self.read(|transaction| load(transaction, self.vault(), id))
    }

    /// A case within somebody's reach; one beyond it is not there, as far as they are told.
    ///
    /// # Errors
    /// When there is none within reach.
    pub fn case_within(&self, reach: &Reach, id: &str) -> Result<CaseFile> {
        let case = self.case(id)?;
        if reach.covers(&case) { Ok(case) } else { Err(unknown(id)) }
    }

    /// Everything that happened to a case, oldest first.
    ///
    /// # Errors
    /// When a row was changed from outside.
    pub fn events(&self, id: &str) -> Result<Vec<Step>> {
        self.read(|transaction| {
            let mut statement = transaction
                .prepare_cached(
                    "SELECT version, key, sealed FROM event WHERE case_id = ?1 ORDER BY version",
                )
                .doing("prepare the events")?;
            let rows = statement
                .query_map(params![id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .doing("read the events")?;
            let mut events = Vec::new();
            for row in rows {
                let (version, key, sealed): (u64, u32, Vec<u8>) = row.doing("read an event")?;
                let name = event_row(id, version);
                let plain = self.vault().open("event", &name, key, &sealed)?;
                let event = serde_json::from_slice(&plain)
                    .map_err(|_| corrupt("event", &name, "is no event"))?;
                events.push(Step { version, event });
            }
            Ok(events)
        })
    }
}

/// A new number: the kind's letter, the year, and ten random letters that say nothing of a person.
pub(super) fn new_id(kind: Kind, year: i16) -> Result<String> {
    Ok(format!("{}{year}{}", letter(kind), code(LETTERS, 10)?))
}

pub(super) fn unknown(id: &str) -> Error {
    Error::Unknown { what: "case", id: id.chars().take(40).collect() }
}

fn corrupt(table: &'static str, row: &str, what: &'static str) -> Error {
    Error::Corrupt { table, row: row.to_owned(), what }
}

/// Sealed content is bound to a version, so that no older content can be put in its place.
fn case_row(id: &str, version: u64) -> String {
    format!("{id}@{version}")
}

fn event_row(id: &str, version: u64) -> String {
    format!("{id}@{version}")
}

pub(super) const COLUMNS: &str = "id, kind, state, region, version, owner, author, changed_at, \
     due_on, level, departments, key, sealed";

/// What stands in the clear, in the order of [`COLUMNS`].
pub(super) struct Shown {
    pub(super) id: String,
    words: [String; 3],
    pub(super) version: u64,
    owner: Option<String>,
    author: String,
    pub(super) changed_at: String,
    due_on: Option<String>,
    level: Option<String>,
    departments: String,
    sealed: Sealed,
}

pub(super) fn shown(row: &Row<'_>) -> rusqlite::Result<Shown> {
    Ok(Shown {
        id: row.get(0)?,
        words: [row.get(1)?, row.get(2)?, row.get(3)?],
        version: row.get(4)?,
        owner: row.get(5)?,
        author: row.get(6)?,
        changed_at: row.get(7)?,
        due_on: row.get(8)?,
        level: row.get(9)?,
        departments: row.get(10)?,
        sealed: Sealed { key: row.get(11)?, bytes: row.get(12)? },
    })
}

/// Opens a case and checks that what stands in the clear agrees with it.
pub(super) fn opened(vault: &Vault, shown: &Shown) -> Result<CaseFile> {
    let name = case_row(&shown.id, shown.version);
    let plain = vault.open("cases", &name, shown.sealed.key, &shown.sealed.bytes)?;
    let case: CaseFile =
        serde_json::from_slice(&plain).map_err(|_| corrupt("cases", &name, "is no case"))?;
    let [kind, state, region] = &shown.words;
    let agrees = case.id == shown.id
        && kind_word(case.kind) == kind
        && case.state == *state
        && case.region == *region
        && case.version == shown.version
        && case.owner == shown.owner
        && case.author == shown.author
        && stamp(case.changed_at) == shown.changed_at
        && case.due_on.map(day) == shown.due_on
        && case.level == shown.level
        && found::departments(&case) == shown.departments;
    if agrees {
        return Ok(case);
    }
    let what = "its columns do not agree with what is sealed";
    Err(Error::Tampered { table: "cases", row: shown.id.clone(), what })
}

/// The digest of a case's sealed content, as the journal keeps it.
pub(super) fn digest(transaction: &Transaction<'_>, id: &str) -> Result<String> {
    let sealed: Option<Vec<u8>> = transaction
        .prepare_cached("SELECT sealed FROM cases WHERE id = ?1")
        .and_then(|mut statement| statement.query_row(params![id], |row| row.get(0)).optional())
        .doing("read a case's content")?;
    Ok(sealed.map(|sealed| sm3_hex(&sealed)).unwrap_or_default())
}

pub(super) fn load(transaction: &Transaction<'_>, vault: &Vault, id: &str) -> Result<CaseFile> {
    let sql = format!("SELECT {COLUMNS} FROM cases WHERE id = ?1");
    let row = transaction
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.query_row(params![id], shown).optional())
        .doing("read a case")?;
    opened(vault, &row.ok_or_else(|| unknown(id))?)
}

/// Writes a case, new or changed, and its tags; gives the digest of its sealed content.
pub(super) fn save(
    transaction: &Transaction<'_>,
    vault: &Vault,
    case: &CaseFile,
) -> Result<String> {
    let name = case_row(&case.id, case.version);
    let plain =
        serde_json::to_vec(case).map_err(|_| corrupt("cases", &name, "cannot be written"))?;
    let sealed = vault.seal("cases", &name, &plain)?;
    let values = params![
        case.id,
        kind_word(case.kind),
        case.state,
        case.region,
        case.version,
        case.owner,
        case.author,
        stamp(case.opened_at),
        stamp(case.changed_at),
        case.due_on.map(day),
        case.level,
        found::departments(case),
        sealed.key,
        sealed.bytes,
    ];
    transaction
        .prepare_cached(
            "INSERT INTO cases (id, kind, state, region, version, owner, author, opened_at,
                 changed_at, due_on, level, departments, key, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, region = excluded.region,
                 version = excluded.version, owner = excluded.owner, author = excluded.author,
                 changed_at = excluded.changed_at, due_on = excluded.due_on,
                 level = excluded.level, departments = excluded.departments,
                 key = excluded.key, sealed = excluded.sealed",
        )
        .and_then(|mut statement| statement.execute(values))
        .doing("write a case")?;
    found::write(transaction, vault, case)?;
    Ok(sm3_hex(&sealed.bytes))
}

/// Writes the event that led a case to the version it now has.
pub(super) fn save_event(
    transaction: &Transaction<'_>,
    vault: &Vault,
    case: &CaseFile,
    event: &Event,
) -> Result<()> {
    let name = event_row(&case.id, case.version);
    let plain =
        serde_json::to_vec(event).map_err(|_| corrupt("event", &name, "cannot be written"))?;
    let sealed = vault.seal("event", &name, &plain)?;
    let values = params![
        case.id,
        case.version,
        stamp(event.at),
        kind_word(case.kind),
        case.region,
        case.level,
        found::departments(case),
        case.owner,
        case.author,
        event.actor.account,
        event.command,
        event.state,
        sealed.key,
        sealed.bytes,
    ];
    transaction
        .prepare_cached(
            "INSERT INTO event (case_id, version, at, kind, region, level, departments, owner,
                 author, account, command, state, key, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )
        .and_then(|mut statement| statement.execute(values))
        .doing("write an event")?;
    Ok(())
}
