//! What is told of an expression over one household: its clauses as a tree, with what each read,
//! what is missing, and what would turn it.

use std::fmt;

use serde::Serialize;

use super::clause::Outcome;

/// What an expression says of the rows of one table of a bundle.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// The expression in its canonical text.
    pub expression: String,
    /// The table that it was asked of.
    pub table: String,
    /// The kind of the expression: `flag`, `money`, …
    pub kind: String,
    /// The day it was asked for; none where none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// One for each row of the table.
    pub rows: Vec<RowTold>,
}

/// What an expression says of one row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowTold {
    /// The row: `person[1]`; the name of the table for the root row.
    pub row: String,
    /// Its key, where it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The value as a person writes it; none where it is unknown.
    pub value: Option<String>,
    /// The expression as a clause, with its parts.
    pub clause: ClauseTold,
}

/// One clause: a condition, with those that it joins.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ClauseTold {
    /// Its canonical text.
    pub text: String,
    /// What came of it; none where the expression is no condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// `and`, `or` or `not`, where it joins others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined: Option<&'static str>,
    /// The clauses that it joins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<ClauseTold>,
    /// What its parts that are no conditions came to: `age(birth_date)` is 17.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub computed: Vec<Computed>,
    /// The values that it read, where it joins no others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<ValueRead>,
    /// How many more it read than are listed.
    #[serde(skip_serializing_if = "is_zero")]
    pub read_more: usize,
    /// The unknown values that leave it open, where it cannot be told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Changes of a single value that would turn it, each by itself. None where no such change
    /// turns it, or none was found in the steps that are spent on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// A part of a clause that was computed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Computed {
    /// Its canonical text.
    pub text: String,
    /// Its value; none where it is unknown.
    pub value: Option<String>,
}

/// A value that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueRead {
    /// Where it stands: `person[1].birth_date`.
    pub path: String,
    /// Its table.
    pub table: String,
    /// Its row among those of the table, from 0.
    pub row: usize,
    /// Its column.
    pub column: String,
    /// The value as a person writes it; none where it is unknown.
    pub value: Option<String>,
}

/// One change that would turn a clause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What is changed: `person[1].birth_date`, or how many rows there are of a kind:
    /// `count(person where employed)`.
    pub path: String,
    /// What it is; none where it is unknown.
    pub now: Option<String>,
    /// What it would have to be: one of these. Of a number, a day, a month and a count the
    /// nearest; of a set of codes what to add (`+orphan`) or to take (`-orphan`).
    pub to: Vec<String>,
    /// How far that is: `+0.01`, `-12 days`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

const UNKNOWN: &str = "unknown";

fn or_unknown(value: Option<&String>) -> &str {
    value.map_or(UNKNOWN, String::as_str)
}

impl Outcome {
    fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::Unknown => "cannot tell",
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            writeln!(f, "the household has no {}", self.table)?;
        }
        for row in &self.rows {
            write!(f, "{}", row.row)?;
            if let Some(key) = &row.key {
                write!(f, " ({key})")?;
            }
            match row.clause.outcome {
                Some(outcome) => writeln!(f, ": {}", outcome.words())?,
                None => writeln!(f, ": {}", or_unknown(row.value.as_ref()))?,
            }
            row.clause.write(f, 1)?;
        }
        Ok(())
    }
}

impl ClauseTold {
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let indent = "  ".repeat(depth);
        let words = self.outcome.map_or("", Outcome::words);
        writeln!(f, "{indent}{words:<11} {}", self.text)?;
        let detail = format!("{indent}  ");
        for computed in &self.computed {
            let value = or_unknown(computed.value.as_ref());
            writeln!(f, "{detail}is          {} = {value}", computed.text)?;
        }
        for read in &self.read {
            let value = or_unknown(read.value.as_ref());
            writeln!(f, "{detail}read        {} = {value}", read.path)?;
        }
        if self.read_more > 0 {
            writeln!(f, "{detail}read        {} more", self.read_more)?;
        }
        for path in &self.missing {
            writeln!(f, "{detail}missing     {path}")?;
        }
        for change in &self.changes {
            let to = change.to.join(" or ");
            let by = change.by.as_ref().map_or_else(String::new, |by| format!(" ({by})"));
            let now = or_unknown(change.now.as_ref());
            writeln!(f, "{detail}would turn  {}: {now} -> {to}{by}", change.path)?;
        }
        self.parts.iter().try_for_each(|part| part.write(f, depth + 1))
    }
}
