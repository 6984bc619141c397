//! The store: one transactional file with every case, its events, its journal, and what is to be
//! told to the registry.
//!
//! Invariants: the one module that opens the file; whatever a command causes is written in one
//! transaction or not at all, and is on the disk when the call returns (WAL, `synchronous=FULL`);
//! the same command number never acts twice; journal and events are only ever added to.
//!
//! ```text
//! folder/casework.db            this module
//! folder/attachments/ab/ab12…   sealed content, by the digest of what is sealed
//! ```
#![expect(clippy::disallowed_methods, reason = "the store's folder is no database of the engine")]

mod act;
mod attachments;
mod cases;
mod commands;
mod counts;
mod found;
mod invitations;
mod journal;
mod list;
mod outbox;
mod payments;
mod reach;
mod warnings;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params,
};

pub use act::{Call, Command, Opening};
pub use attachments::{ATTACHMENT_BYTES_MAX, Attachment};
pub use cases::Step;
pub use counts::{Count, Reached};
pub use invitations::{Invitation, Invited};
pub(crate) use journal::append;
pub use journal::{Entry, JournalRow, Verified};
pub use list::{Filter, Page};
pub use outbox::{Notice, Outgoing};
pub use payments::Payment;
pub use reach::Reach;
pub use warnings::{Raised, RaisedCounts};
pub(crate) use words::{Sql, day, lasting, moment, month, stamp};
pub use words::{kind_of, kind_word, platform, role_of, role_word};

use crate::error::{Error, Result};
use crate::secret::{KeyProvider, Vault};

/// Each brings the file from the format of its place to the next.
const MIGRATIONS: &[&str] = &[include_str!("0001.sql")];

/// What the keys are tried on when a store is opened.
const CANARY: &[u8] = b"yiku case-work";

/// Cases, accounts and all that belongs to them.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    vault: Vault,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens the store of a folder, or makes one there.
    ///
    /// # Errors
    /// When the folder cannot be written, the store is of a newer program, or the keys are not
    /// those it was made with.
    pub fn open(folder: &Path, keys: Arc<dyn KeyProvider>) -> Result<Self> {
        let attachments = folder.join("attachments");
        fs::create_dir_all(&attachments).map_err(|source| Error::Io {
            action: "create",
            path: attachments,
            source,
        })?;
        let vault = Vault::new(keys);
        let mut writer = connect(&folder.join("casework.db"))?;
        migrate(&mut writer)?;
        try_keys(&mut writer, &vault)?;
        let readers = Mutex::new(Vec::new());
        Ok(Self { folder: folder.to_owned(), vault, writer: Mutex::new(writer), readers })
    }

    /// What seals and indexes the store's rows.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The blind index of an ID number.
    ///
    /// # Errors
    /// When there is no key.
    pub fn index(&self, id_number: &str) -> Result<String> {
        self.vault.index(id_number)
    }

    /// One transaction that writes; whatever fails in it leaves nothing.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut writer = self.writer.lock();
        let transaction =
            writer.transaction_with_behavior(TransactionBehavior::Immediate).doing("begin")?;
        let result = work(&transaction)?;
        transaction.commit().doing("commit")?;
        Ok(result)
    }

    /// One transaction that reads, beside any writer.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let idle = self.readers.lock().pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => connect(&self.folder.join("casework.db"))?,
        };
        let transaction = reader.transaction().doing("begin reading")?;
        let result = work(&transaction);
        drop(transaction);
        self.readers.lock().push(reader);
        result
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).doing("open the file")?;
    connection.busy_timeout(std::time::Duration::from_secs(10)).doing("set the patience")?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
        )
        .doing("set up the file")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn migrate(writer: &mut Connection) -> Result<()> {
    let transaction = writer
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .doing("begin a migration")?;
    let found: i64 = transaction
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .doing("read the format")?;
    let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let known = usize::try_from(found).ok().and_then(|found| MIGRATIONS.get(found..));
    let missing = known.ok_or(Error::Format { found, newest })?;
    for migration in missing {
        transaction.execute_batch(migration).doing("migrate")?;
    }
    if !missing.is_empty() {
        transaction.pragma_update(None, "user_version", newest).doing("write the format")?;
    }
    transaction.commit().doing("migrate")
}

/// Keys that do not open the store's first secret would seal rows that nobody can read again.
fn try_keys(writer: &mut Connection, vault: &Vault) -> Result<()> {
    let transaction = writer
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .doing("begin trying the keys")?;
    let kept: Option<(u32, Vec<u8>)> = transaction
        .query_row("SELECT key, sealed FROM setting WHERE name = 'canary'", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .doing("read the canary")?;
    match kept {
        Some((key, sealed)) => match vault.open("setting", "canary", key, &sealed) {
            Ok(plain) if plain == CANARY => {}
            Ok(_) | Err(Error::Tampered { .. }) => return Err(Error::OtherKeys),
            Err(error) => return Err(error),
        },
        None => {
            let sealed = vault.seal("setting", "canary", CANARY)?;
            transaction
                .execute(
                    "INSERT INTO setting (name, key, sealed) VALUES ('canary', ?1, ?2)",
                    params![sealed.key, sealed.bytes],
                )
                .doing("write the canary")?;
        }
    }
    transaction.commit().doing("try the keys")
}
