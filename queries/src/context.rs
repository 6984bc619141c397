//! What a question may speak of besides its snapshot: parameters by place and day, sets that are
//! kept, other versions.
//!
//! Invariant: nothing here is found by a search of its own: who binds a question says what it
//! may name, and what is not given is refused by its name.

use std::sync::Arc;

use yiku::Snapshot;

use crate::ast::{Change, Set};
use crate::error::Result;
use crate::household::Standards;
use crate::sets::SavedSet;
use crate::wording::Pattern;

/// Where a question finds the sets that are kept under names.
pub trait SetSource {
    /// The set of a name.
    ///
    /// # Errors
    /// [`crate::Error::Set`] when it is there and cannot be read.
    fn set(&self, name: &str) -> Result<Option<Arc<SavedSet>>>;

    /// All names, in their order.
    ///
    /// # Errors
    /// As [`SetSource::set`].
    fn names(&self) -> Result<Vec<String>>;
}

/// Where a question finds the versions that are kept under names.
pub trait VersionSource {
    /// The version of a name.
    ///
    /// # Errors
    /// [`crate::Error::Engine`] when no version has this name or it cannot be read.
    fn version(&self, name: &str) -> Result<Snapshot>;
}

impl VersionSource for yiku::Database {
    fn version(&self, name: &str) -> Result<Snapshot> {
        Ok(self.named(name)?)
    }
}

/// Where words may stand: what an index found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// The version that the index was made of. Rows that were written later are looked at too.
    pub version: u64,
    /// The keys of the rows whose text may have all terms, in any order: none of those that have
    /// may be missing, for of what that version had no other is looked at.
    pub keys: Vec<String>,
}

/// An index of the words in texts.
pub trait TextIndex {
    /// Where the terms of a pattern may stand in a column, by an index of this version or an
    /// earlier one. Nothing where it is of a later one, does not have the column or is no help:
    /// then every text is read.
    ///
    /// # Errors
    /// [`crate::Error::Index`] when it is there and cannot be read.
    fn candidates(
        &self,
        version: u64,
        table: &str,
        column: &str,
        pattern: &Pattern,
    ) -> Result<Option<Candidates>>;
}

/// What a question may speak of besides its snapshot. The empty one gives nothing.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use yiku_queries::{Context, Limits, Plan, Query, household::Standards};
/// let database = yiku::Database::open(std::path::Path::new("registry"))?;
/// let (snapshot, standards) = (database.snapshot()?, Standards::builtin()?);
/// let context = Context::default().parameters(&standards).versions(&database);
/// let query = Query::parse("from household where per_capita(income) * 12 < $dibao_line")?;
/// let answer = Plan::bind(&query, &snapshot, &context)?.run(&snapshot, &Limits::default())?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    pub(crate) scope: Option<&'a str>,
    pub(crate) parameters: Option<&'a Standards>,
    pub(crate) sets: Option<&'a dyn SetSource>,
    pub(crate) versions: Option<&'a dyn VersionSource>,
    pub(crate) texts: Option<&'a dyn TextIndex>,
}

impl<'a> Context<'a> {
    /// Over the rows beneath one place only; see [`crate::Plan::within`].
    #[must_use]
    pub fn scope(self, scope: &'a str) -> Self {
        Self { scope: Some(scope), ..self }
    }

    /// What `$name` stands for.
    #[must_use]
    pub fn parameters(self, parameters: &'a Standards) -> Self {
        Self { parameters: Some(parameters), ..self }
    }

    /// What `in set name` finds where the question has no set of that name.
    #[must_use]
    pub fn sets(self, sets: &'a dyn SetSource) -> Self {
        Self { sets: Some(sets), ..self }
    }

    /// What `matches(text, '…')` is answered with.
    #[must_use]
    pub fn texts(self, texts: &'a dyn TextIndex) -> Self {
        Self { texts: Some(texts), ..self }
    }

    /// What `flow 'name' to …` compares.
    #[must_use]
    pub fn versions(self, versions: &'a dyn VersionSource) -> Self {
        Self { versions: Some(versions), ..self }
    }
}

/// What an expression may name besides the schema.
#[derive(Clone, Copy, Default)]
pub(crate) struct Named<'a> {
    pub(crate) parameters: Option<&'a Standards>,
    /// Other values of parameters.
    pub(crate) changes: &'a [Change],
    /// The sets of the question that may be named here.
    pub(crate) sets: &'a [Set],
    /// The table of the question, whose rows a set has that names no other.
    pub(crate) table: usize,
    pub(crate) saved: Option<&'a dyn SetSource>,
    /// The words in texts, of this version.
    pub(crate) texts: Option<(&'a dyn TextIndex, u64)>,
}
