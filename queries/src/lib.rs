//! # The statistics language of Yiku
//!
//! One small language says which rows, what to count, and by what. A question is read from its
//! text or its JSON form ([`Query`]), bound to a snapshot ([`Plan`]: names found, kinds checked),
//! and run ([`Answer`]). Errors name the place, mark the word and offer the nearest known name.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use yiku_queries::{Limits, Plan, Query};
//!
//! let database = yiku::Database::open(std::path::Path::new("registry"))?;
//! let snapshot = database.snapshot()?;
//! let query = Query::parse("from person where severe_illness by region.county measure count()")?;
//! let answer = Plan::new(&query, &snapshot)?.run(&snapshot, &Limits::default())?;
//! println!("{} counties", answer.rows);
//! # Ok(()) }
//! ```
//!
//! What it never does: read a clock, draw a random number, guess. A part of the language that is
//! not built is refused by its name.

mod answer;
mod ast;
mod bound;
pub mod cache;
mod catalogue;
mod check;
mod context;
#[cfg(feature = "sql")]
mod duck;
mod error;
mod explain;
pub mod household;
mod json;
mod lexer;
mod nearest;
mod numbers;
mod parse;
mod plan;
mod pool;
mod print;
mod run;
mod scope;
pub mod sets;
mod short;
mod source;
mod sql;
pub mod warnings;
pub mod wording;

pub use answer::{Answer, AnswerColumn, AnswerKind, Role, Values};
pub use ast::Query;
pub use context::{Candidates, Context, SetSource, TextIndex, VersionSource};
#[cfg(feature = "sql")]
pub use duck::{Sql, SqlAnswer, SqlInterrupter, SqlLimits, SqlValue};
pub use error::{Error, Result};
pub use explain::{Blocks, Explained, Segments, Step};
pub use json::QueryForm;
pub use plan::{Limits, Plan, check_expression};
pub use pool::{Pool, PoolLoad};
pub use short::Text;
pub use source::Place;
pub use sql::Dialect;

/// The words that begin a clause, in the order of the canonical text.
#[must_use]
pub fn clauses() -> &'static [&'static str] {
    &parse::CLAUSES
}

/// The functions and aggregates.
#[must_use]
pub fn functions() -> &'static [&'static str] {
    &check::FUNCTIONS
}
