//! The place that whoever asks may look at, as one more clause in front of every question.
//!
//! Invariant: a root row lies at one place with everything beneath it, so rows whose root lies
//! outside are left out before the first clause is answered, and nothing of them can be reached.

use yiku::PathTree;

use crate::bound::{Condition, Test};
use crate::error::{Error, Result};

/// A place and the condition that a row lies in it.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    prefix: String,
    condition: Condition,
}

impl Scope {
    /// Reads the code of a place: the digits of one of the levels. The place need not be in the
    /// tree; the digits alone decide.
    pub(crate) fn new(tree: &PathTree, prefix: &str) -> Result<Self> {
        let wrong = || Error::Scope {
            scope: prefix.chars().take(32).collect(),
            digits: tree.levels().iter().map(|l| l.digits.to_string()).collect(),
        };
        let width = tree.levels().last().map_or(0, |l| usize::from(l.digits));
        let of_a_level = tree.levels().iter().any(|l| usize::from(l.digits) == prefix.len());
        if !of_a_level || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let bound = |text: String| text.parse::<u64>().map_err(|_| wrong());
        let low = bound(format!("{prefix:0<width$}"))?;
        let high = bound(format!("{prefix:9<width$}"))?;
        let condition = Condition { table: 0, kind: Test::Within { ranges: vec![(low, high)] } };
        Ok(Self { prefix: prefix.to_owned(), condition })
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The condition on root rows.
    pub(crate) fn root(&self) -> &Condition {
        match &self.condition.kind {
            Test::Spread(inner) => inner,
            _ => &self.condition,
        }
    }

    pub(crate) fn condition(&self) -> &Condition {
        &self.condition
    }

    /// The same for the rows of a table.
    pub(crate) fn at(self, table: usize) -> Self {
        Self { condition: self.condition.at(table), ..self }
    }
}
