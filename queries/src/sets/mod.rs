//! Sets that are kept: which rows they have, and how that came to be known.
//!
//! A set keeps the keys of its rows, so that the same persons can be asked about again when the
//! rows themselves have changed; with them the question that chose them, the version and the day
//! it was asked of, and the values of the parameters in it. Sets of one table can be joined.
//!
//! Invariant: keys are sorted and without repeats; a file that says otherwise, or whose checksum
//! is another, is refused.

mod file;
mod folder;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use yiku::{Snapshot, calendar};

use crate::ast::Query;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::household::Standards;
use crate::plan::{Limits, Plan};

pub use folder::SetFolder;

/// A set that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSet {
    table: String,
    origin: Origin,
    members: Vec<String>,
}

/// How a set came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Origin {
    /// The rows that a question found.
    Asked {
        /// The question, in canonical text.
        question: String,
        /// The version that it was asked of.
        version: u64,
        /// The day it was asked as of, where there is one.
        as_of: Option<String>,
        /// The place that it was asked within, if not of everything.
        scope: Option<String>,
        /// The parameters that it names, each version of them with its value.
        parameters: Vec<(String, String)>,
    },
    /// Two sets joined.
    Joined {
        /// In which way.
        how: Joining,
        /// Their names and origins.
        of: Vec<(String, Origin)>,
    },
}

/// How two sets become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Joining {
    /// Rows of either.
    Union,
    /// Rows of both.
    Intersection,
    /// Rows of the first that are not of the second.
    Difference,
}

impl SavedSet {
    /// The rows that a question finds: `from person where …`, with its own sets and parameters.
    ///
    /// # Errors
    /// As [`Plan::bind`] and [`Plan::run`]; a question that groups, lists or orders is refused.
    pub fn ask(
        query: &Query,
        snapshot: &Snapshot,
        context: &Context<'_>,
        limits: &Limits,
    ) -> Result<Self> {
        let plan = Plan::bind_rows(query, snapshot, context)?;
        let members = plan.keys(snapshot, limits)?;
        let parameters = context.parameters.map_or_else(Vec::new, |all| used(query, all));
        let origin = Origin::Asked {
            question: query.to_text(),
            version: snapshot.version(),
            as_of: plan.as_of.map(calendar::date_text),
            scope: plan.scope().map(str::to_owned),
            parameters,
        };
        Ok(Self { table: query.from_table().to_owned(), origin, members })
    }

    /// Two sets of rows of one table as one, each with its name.
    ///
    /// # Errors
    /// [`Error::Set`] when they are of different tables.
    pub fn joined(how: Joining, a: (&str, &Self), b: (&str, &Self)) -> Result<Self> {
        let ((first, one), (second, other)) = (a, b);
        if one.table != other.table {
            let reason = format!(
                "`{first}` is a set of rows of {}, `{second}` of {}; only sets of one table \
                 are joined",
                one.table, other.table
            );
            return Err(Error::Set { name: first.to_owned(), reason });
        }
        let has = |set: &Self, key: &String| set.members.binary_search(key).is_ok();
        let own = one.members.iter();
        let mut members: Vec<String> = match how {
            Joining::Union => own.chain(&other.members).cloned().collect(),
            Joining::Intersection => own.filter(|key| has(other, key)).cloned().collect(),
            Joining::Difference => own.filter(|key| !has(other, key)).cloned().collect(),
        };
        members.sort_unstable();
        members.dedup();
        let origins = [(first, &one.origin), (second, &other.origin)];
        let of = origins.map(|(name, origin)| (name.to_owned(), origin.clone())).to_vec();
        Ok(Self { table: one.table.clone(), origin: Origin::Joined { how, of }, members })
    }

    /// The table whose rows it has.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// How it came about.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The keys of its rows, sorted.
    #[must_use]
    pub fn members(&self) -> &[String] {
        &self.members
    }
}

/// The parameters that a question names, in every version that is kept of them.
fn used(query: &Query, all: &Standards) -> Vec<(String, String)> {
    let names = query.parameters();
    let own = all.all().iter().filter(|standard| names.contains(&standard.name));
    own.map(|standard| (standard.label(), standard.value.clone())).collect()
}
