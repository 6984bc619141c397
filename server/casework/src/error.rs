//! What case-work says when it cannot do what was asked: one enum, a variant for each thing a
//! caller can act on. No text here holds anything of a person.

use std::io;
use std::path::PathBuf;

use jiff::civil::DateTime;

use crate::case::Refusal;

/// A result of case-work.
pub type Result<T> = std::result::Result<T, Error>;

/// Why case-work could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A rule says no; whoever asked may be told.
    #[error("refused: {}", .refusal.ground)]
    Refused {
        /// The ground, and what to tell.
        refusal: Box<Refusal>,
    },
    /// The case has changed since it was read.
    #[error("case `{id}` is at version {found}; read it again before changing it")]
    Stale {
        /// The case.
        id: String,
        /// The version it is at.
        found: u64,
    },
    /// A command's number was used before, for something else.
    #[error("command number `{command_id}` was used for another command; take a new one")]
    CommandReused {
        /// The number.
        command_id: String,
    },
    /// No such row.
    #[error("there is no {what} `{id}`")]
    Unknown {
        /// `case`, `account`, `attachment`.
        what: &'static str,
        /// What it was called.
        id: String,
    },
    /// Something given is not of the right form.
    #[error("`{name}` {reason}")]
    Input {
        /// What was given.
        name: &'static str,
        /// What would be right.
        reason: &'static str,
    },
    /// Something given is too large, or there are too many.
    #[error("{what} is {found}; the limit is {limit}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// What was found.
        found: u64,
        /// The most.
        limit: u64,
    },
    /// An attachment whose content is of no kind that is taken.
    #[error("the content is {found}; what is taken: jpeg, png, webp, pdf, wav")]
    Media {
        /// What the content looks like.
        found: &'static str,
    },
    /// The actor's role does not do this.
    #[error("{what} is not for this role")]
    Forbidden {
        /// What was tried.
        what: &'static str,
    },
    /// The login name is, or once was, another account's.
    #[error("the login name is taken; names are never given twice")]
    LoginTaken,
    /// The account already acts in another role that excludes this one.
    #[error("the account already holds a role that excludes this one")]
    RoleHeld,
    /// A citizen's sign-in names a person other than before.
    #[error("this sign-in belongs to another person than before")]
    OtherPerson,
    /// A password that the rules do not take.
    #[error("the password {reason}")]
    Password {
        /// A stable word: `short`, `classes`, `login`, `weak`, `repeated`, `wrong`, `long`.
        code: &'static str,
        /// What would be right.
        reason: &'static str,
    },
    /// Too many failures; try again later.
    #[error("locked until {until}")]
    Locked {
        /// When it opens again, in the platform's local time.
        until: DateTime,
    },
    /// A row does not carry the seal that this platform gave it.
    #[error("table `{table}`, row `{row}`: {what}")]
    Tampered {
        /// The table.
        table: &'static str,
        /// Its row.
        row: String,
        /// What does not agree.
        what: &'static str,
    },
    /// A row that no version of this program wrote.
    #[error("table `{table}`, row `{row}`: {what}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// Its row.
        row: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The store was written by another version of the program.
    #[error("the store has format {found}; this build reads up to {newest}")]
    Format {
        /// The format found.
        found: i64,
        /// The newest that can be read.
        newest: i64,
    },
    /// The key file cannot be used.
    #[error("key file {}: {reason}", .path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// What would be right.
        reason: &'static str,
    },
    /// A key that the provider does not have.
    #[error("key version {version} is not there; give the keys the store was written with")]
    KeyMissing {
        /// The version a row names.
        version: u32,
    },
    /// The keys are not those that the store was made with.
    #[error("the keys are not those of this store")]
    OtherKeys,
    /// The machine gave no random bytes.
    #[error("no random bytes from the operating system")]
    Entropy {
        /// What the system said.
        source: getrandom::Error,
    },
    /// The rights file contradicts itself.
    #[error("rights: {what} `{name}`")]
    Rights {
        /// What is wrong.
        what: &'static str,
        /// Where.
        name: String,
    },
    /// The rights file is not TOML of the right shape.
    #[error("rights file is not readable")]
    RightsText {
        /// Where and what, as the TOML reader says it.
        source: Box<toml::de::Error>,
    },
    /// The store's file did not do what was asked.
    #[error("cannot {action} in the case-work store")]
    Sql {
        /// What was being done.
        action: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A file of the store could not be read or written.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal: Box::new(refusal) }
    }
}
