//! Command numbers: the same number with the same content is the same command, once.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{Sql, stamp};
use crate::case::CaseFile;
use crate::error::{Error, Result};

/// The longest number a client may give.
const ID_BYTES_MAX: usize = 64;

/// A command's number, checked: what a client made up is written nowhere unless it is plain.
pub(super) fn checked(id: &str) -> Result<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !id.is_empty() && id.len() <= ID_BYTES_MAX && id.bytes().all(plain) {
        return Ok(id);
    }
    Err(Error::Input { name: "command_id", reason: "must be 1 to 64 letters, digits, - _ ." })
}

/// The case that a command with this number and content led to, when it was done before.
pub(super) fn earlier(
    transaction: &Transaction<'_>,
    id: &str,
    digest: &str,
) -> Result<Option<String>> {
    let kept: Option<(String, String)> = transaction
        .prepare_cached("SELECT digest, case_id FROM command WHERE id = ?1")
        .and_then(|mut statement| {
            statement.query_row(params![id], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
        .doing("look for a command")?;
    match kept {
        Some((kept, case)) if kept == digest => Ok(Some(case)),
        Some(_) => Err(Error::CommandReused { command_id: id.to_owned() }),
        None => Ok(None),
    }
}

/// The case that a command with this number led to, whatever it said.
pub(super) fn case_of(transaction: &Transaction<'_>, id: &str) -> Result<Option<String>> {
    transaction
        .prepare_cached("SELECT case_id FROM command WHERE id = ?1")
        .and_then(|mut statement| statement.query_row(params![id], |row| row.get(0)).optional())
        .doing("look for a command")
}

/// Remembers a command as done.
pub(super) fn done(
    transaction: &Transaction<'_>,
    id: &str,
    digest: &str,
    case: &CaseFile,
) -> Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO command (id, digest, case_id, version, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .and_then(|mut statement| {
            let at = stamp(case.changed_at);
            statement.execute(params![id, digest, case.id, case.version, at])
        })
        .doing("write a command's number")?;
    Ok(())
}
