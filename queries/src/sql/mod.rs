//! Plans as SQL: what the engine is asked to do, said in the language of any other database.
//!
//! The SQL is over one table for each table of the registry, with the columns of the schema under
//! their own names, and with these besides:
//!
//! - `_row`: the number of the row in its table; rows are numbered in their order, so that the
//!   rows beneath a row have numbers that follow one another;
//! - `_parent`: the `_row` of the row above; the root table has none;
//! - `_level`, in the root table alone: the level of its place, from 0 at the top.
//!
//! A flag is a BOOLEAN; an `int` and an amount of money are BIGINT, money in its smallest unit, in
//! which answers have it and in which it is exact; a day is a DATE, a month the DATE of its first
//! day; a code is its name (VARCHAR), a set of codes a list of names in the order of the code
//! list, a text and an id VARCHAR, the path its digits to the full width (VARCHAR). What is
//! unknown is NULL.
//!
//! Invariants: the columns of the result are those of the answer, with the same names, in the same
//! order, and the rows are the same in the same order. Names that begin with `_` are the printer's
//! own: no table or column of a schema does.

mod conditions;
mod dialect;
mod groups;
mod listing;
mod measures;
mod moves;
mod places;
mod question;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod values;

use yiku::Schema;

use crate::error::{Error, Result};
use crate::plan::Plan;
pub use dialect::Dialect;
use dialect::Words;
use tables::Beneath;

/// The column with the number of a row.
pub(crate) const ROW: &str = "_row";
/// The column with the level of the place of a root row.
pub(crate) const LEVEL: &str = "_level";

/// Prints one plan.
struct Printer<'a> {
    schema: &'a Schema,
    words: &'static Words,
    /// What is asked beneath rows, so far.
    beneath: Vec<Beneath>,
    /// Further table expressions, in their order: name and text.
    parts: Vec<(String, String)>,
}

impl Plan {
    /// The question in SQL, over the tables that the head of this module speaks of.
    ///
    /// # Errors
    /// [`Error::NotInSql`] for what SQL cannot say; [`Error::Limit`] where a day lies further away
    /// than a date of the dialect does.
    pub fn to_sql(&self, dialect: Dialect) -> Result<String> {
        let what = match (&self.exchange, &self.protection) {
            (Some(_), _) => Some("a flow between versions: it is of two databases"),
            (_, Some(_)) => Some("`publish`: what is hidden follows from a search, not from sums"),
            _ => None,
        };
        if let Some(what) = what {
            return Err(Error::NotInSql { what });
        }
        let words = dialect.words();
        let (beneath, parts) = (Vec::new(), Vec::new());
        let mut printer = Printer { schema: &self.schema, words, beneath, parts };
        let last = if let Some(list) = &self.list {
            printer.list_of_rows(self, list)?
        } else if let Some(flow) = &self.flow {
            printer.moves(self, flow)?
        } else if !self.matrix.is_empty() {
            printer.matrix(self)?
        } else {
            printer.groups(self)?
        };
        Ok(printer.whole(&last))
    }
}

impl Printer<'_> {
    /// The table expressions and the question behind them.
    fn whole(self, last: &str) -> String {
        let mut parts = self.beneaths();
        parts.extend(self.parts);
        let parts: Vec<String> =
            parts.iter().map(|(name, sql)| format!("{name} AS (\n{}\n)", indented(sql))).collect();
        match parts.is_empty() {
            true => format!("{last}\n"),
            false => format!("WITH {}\n{last}\n", parts.join(",\n")),
        }
    }
}

/// A text two columns to the right; texts between quotes have no line breaks of their own.
fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

/// Columns behind `SELECT`, one a line.
fn selected(columns: &[String]) -> String {
    format!("SELECT\n  {}", columns.join(",\n  "))
}
