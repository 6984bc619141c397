//! What the engine says when it cannot do what was asked: one enum, a variant for each thing a
//! caller can act on.

use std::io;
use std::path::PathBuf;

use crate::kernel::Stop;
use crate::schema::Kind;

/// A result of the engine.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the engine could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process, or another writer of this one, holds the right to write.
    #[error("{} is being written by another process; wait for it or stop it", .path.display())]
    Locked {
        /// The database folder.
        path: PathBuf,
    },
    /// The folder holds no database.
    #[error("{} holds no database; create one first", .path.display())]
    NotFound {
        /// The folder that was opened.
        path: PathBuf,
    },
    /// The folder already holds a database.
    #[error("{} already holds a database; open it, or choose another folder", .path.display())]
    Exists {
        /// The folder that was to be created.
        path: PathBuf,
    },
    /// A schema that contradicts itself.
    #[error("schema: {what} `{name}`: {reason}")]
    Schema {
        /// What kind of thing is wrong: a table, a column, a list, a level.
        what: &'static str,
        /// Its name.
        name: String,
        /// What is wrong with it and what would be right.
        reason: &'static str,
    },
    /// A schema that is not TOML of the right shape.
    #[error("schema is not readable")]
    SchemaText {
        /// Where and what, as the TOML reader says it.
        source: Box<toml::de::Error>,
    },
    /// A table that the schema does not have.
    #[error("no table `{table}` in the schema")]
    UnknownTable {
        /// The name that was used.
        table: String,
    },
    /// A column that the table does not have.
    #[error("table `{table}` has no column `{column}`")]
    UnknownColumn {
        /// The table.
        table: String,
        /// The name that was used.
        column: String,
    },
    /// A value of another kind than the column's.
    #[error("column `{column}` holds {expected:?}, not {found}")]
    WrongType {
        /// The column.
        column: String,
        /// What it holds.
        expected: Kind,
        /// What was given.
        found: &'static str,
    },
    /// A value that is not in the column's code list.
    #[error("column `{column}`: `{value}` is not in code list `{list}`")]
    UnknownCode {
        /// The column.
        column: String,
        /// The value that was given.
        value: String,
        /// The code list.
        list: String,
    },
    /// A path code that is not in the tree.
    #[error("`{code}` is not in the path tree")]
    UnknownPath {
        /// The code that was given.
        code: String,
    },
    /// A path tree that contradicts itself.
    #[error("path tree: `{code}`: {reason}")]
    Tree {
        /// The node.
        code: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A child row that was begun before its parent.
    #[error("a row of `{table}` needs a row of `{parent}` before it")]
    Orphan {
        /// The table of the child.
        table: String,
        /// The table of the parent.
        parent: String,
    },
    /// A root row without a key or a path.
    #[error("row {row} of `{table}` in the batch has no `{column}`")]
    MissingKey {
        /// The table.
        table: String,
        /// The column that is unknown.
        column: String,
        /// The row in the batch, from 0.
        row: u32,
    },
    /// The same root key twice in one batch.
    #[error("key `{key}` stands twice in one batch of `{table}`")]
    DuplicateKey {
        /// The root table.
        table: String,
        /// The key.
        key: String,
    },
    /// More than the engine takes.
    #[error("{what} is {found}; the limit is {limit}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// What was given.
        found: u64,
        /// The most that is taken.
        limit: u64,
    },
    /// Bytes on disk that are not what was written.
    #[error("{}, byte {offset}: {what}", .file.display())]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// Where in the file the damage was found.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A file of a format that this build does not read.
    #[error("{} has format {found}; this build reads {oldest} to {newest}", .file.display())]
    Format {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: u16,
        /// The oldest format this build reads.
        oldest: u16,
        /// The newest format this build reads.
        newest: u16,
    },
    /// The operating system refused.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// An earlier write failed: this writer no longer knows what is on disk.
    #[error(
        "an earlier write failed; begin again with a new writer, or, where that is refused too, \
         a new process"
    )]
    Poisoned,
    /// A bundle is not of the version that a writer expected.
    #[error("bundle `{key}` is of {}, not of {}; read it again", said(*.found), said(*.expected))]
    Conflict {
        /// The key of the bundle.
        key: String,
        /// The version that was expected; none where there should be no bundle.
        expected: Option<u64>,
        /// The version that it is of; none where there is no bundle.
        found: Option<u64>,
    },
    /// No version is kept under that name.
    #[error("no version is kept under the name `{name}`")]
    NoSuchName {
        /// The name that was used.
        name: String,
    },
    /// A version is already kept under that name.
    #[error("a version is already kept under the name `{name}`; drop it first or choose another")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The caller's stop test said so.
    #[error("stopped: {0}")]
    Stopped(Stop),
    /// A question needs more memory than the caller allows it.
    #[error("the question needs {needed} bytes at once; it may take {limit}")]
    Memory {
        /// What it would have held with the buffer that was refused, in bytes.
        needed: u64,
        /// What it may hold, in bytes.
        limit: u64,
    },
    /// An exact number that 64 bits do not hold.
    #[error("{what} goes beyond 64 bits")]
    Overflow {
        /// What would have been that number.
        what: &'static str,
    },
}

/// A version that may not be there, for a message.
fn said(version: Option<u64>) -> String {
    version.map_or_else(|| "no version".to_owned(), |version| format!("version {version}"))
}
