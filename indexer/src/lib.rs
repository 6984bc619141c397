//! What departments deliver becomes rows, rejects and one commit.
//!
//! A file is known by its bytes: its contract says what it contains, how each cell is cleaned, and
//! what a record cannot do without. Records are joined on the person in DuckDB and written as
//! bundles. A record that breaks its contract is a *reject* and never stops a load; a file that
//! cannot be read is an [`Error`], and then the database is as it was before.
//!
//! ```no_run
//! # fn main() -> Result<(), yiku_indexer::Error> {
//! use yiku_indexer::{LoadOptions, load_departments, read_tree, registry_schema};
//!
//! let tree = read_tree("regions.csv".as_ref(), &registry_schema()?.path)?;
//! let options = LoadOptions { db: "db".as_ref(), tree: Some(tree), as_of: None, threads: 2 };
//! let report = load_departments(&["deliveries".into()], &options, &mut |_| {})?;
//! print!("{report}");
//! # Ok(()) }
//! ```

mod bundles;
mod cases;
mod check;
mod clean;
mod contract;
mod error;
mod fold;
mod load;
mod read;
mod reject;
mod report;
mod rows;
mod stage;
mod tables;
mod tree;
mod words;

pub use cases::{
    AidEnd, AidSpell, Applied, Decision, Found, HouseholdRecord, PersonChange, PersonRecord,
    PlacedDecision, RejectedDecision, SourceState, Values, WarningRow, apply_decisions,
    apply_decisions_to, find_person, household, sources,
};
pub use error::{Error, Result};
pub use load::{LoadOptions, load_departments};
pub use reject::{Outcome, Reason, Reject};
pub use report::{FileReport, LoadReport, Progress};
pub use tables::load_tables;
pub use tree::{parse_tree, read_tree};
pub use words::{Tokens, WordIndex, WordsMade, make_words};

/// The schema of the platform's own registry.
///
/// # Errors
/// [`Error::Engine`] if the text that the program carries contradicts itself.
pub fn registry_schema() -> Result<yiku::Schema> {
    Ok(yiku::Schema::from_toml(include_str!("../registry.toml"))?)
}
