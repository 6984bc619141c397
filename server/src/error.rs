//! Why a command was not done.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a command was not done. Causes are in `source()`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database refused.
    #[error(transparent)]
    Engine {
        /// Why.
        source: yiku::Error,
    },
    /// Something of a database is not as it was written.
    #[error("{}: {found} found wrong; restore a copy (docs/operations.md)", .path.display())]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// How much.
        found: usize,
    },
    /// The question is wrong or could not be answered.
    #[error(transparent)]
    Query {
        /// Why.
        source: yiku_queries::Error,
    },
    /// A household given as JSON cannot be asked.
    #[error(transparent)]
    Household {
        /// What is wrong with it, and where.
        source: yiku_queries::household::Error,
    },
    /// The schema has no table of the name.
    #[error("no table `{table}` in the schema; it has {known}")]
    UnknownTable {
        /// The name.
        table: String,
        /// The tables that there are.
        known: String,
    },
    /// Files were not loaded; the database is as it was.
    #[error(transparent)]
    Load {
        /// Why.
        source: Box<yiku_indexer::Error>,
    },
    /// No province was generated.
    #[error(transparent)]
    Generate {
        /// Why.
        source: yiku_fixtures::Error,
    },
    /// A file could not be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The measures built into the program cannot be read.
    #[error("the measures of the map cannot be read")]
    Measures {
        /// Where and what, as the TOML reader says it.
        source: Box<toml::de::Error>,
    },
    /// The standards that questions name cannot be read.
    #[error("the standards of places cannot be read")]
    Standards {
        /// Which, and why.
        source: yiku_queries::household::Error,
    },
    /// The side where people work could not be opened.
    #[error("the case-work side cannot be opened")]
    Platform {
        /// Why.
        source: yiku_casework::Error,
    },
    /// The demonstration's accounts and cases could not be made.
    #[error("the demonstration cannot be prepared: {told}")]
    Demo {
        /// Why.
        told: String,
    },
    /// Case-work could not read or write its store.
    #[error("case-work cannot use its store")]
    Casework {
        /// Why.
        source: yiku_casework::Error,
    },
    /// The service through which citizens sign in cannot be used as it was given.
    #[error(transparent)]
    SignIn {
        /// Why.
        source: crate::platform::oidc::OidcError,
    },
    /// A signature file does not hold.
    #[error("{}: the signature does not hold", .path.display())]
    Signature {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: yiku_casework::signature::Fault,
    },
    /// A platform's public key cannot be used.
    #[error("{}: no key of a platform", .path.display())]
    PlatformKey {
        /// The file.
        path: PathBuf,
        /// What would be right.
        source: Box<yiku_casework::Error>,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The server could not run.
    #[error("cannot {action}")]
    Serve {
        /// What was tried.
        action: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// What was to be said could not be written.
    #[error("cannot write to standard output")]
    Output {
        /// The system's reason.
        source: io::Error,
    },
    /// Whoever read standard output has gone.
    #[error("nobody reads standard output any more")]
    Closed,
    /// An answer could not be expressed.
    #[error("cannot express the answer as {form}")]
    Express {
        /// As what: JSON, CSV.
        form: &'static str,
        /// The serialiser's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
