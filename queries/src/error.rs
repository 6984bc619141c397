//! What is wrong with a question, or why it could not be answered: one enum, a variant for each
//! thing the asker can act on.
//!
//! Invariant: every variant has a stable dotted code ([`Error::code`]); a variant that speaks of
//! a word shows the line it stands in and marks the word.

use crate::source::Place;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a question of the language.
    #[error(
        "{}: expected {expected}, found {found}{}\n{}",
        .place.head(), hint(.suggestion), .place.marked()
    )]
    Syntax {
        /// What would be right here.
        expected: String,
        /// What stands here.
        found: String,
        /// The nearest word of the language.
        suggestion: Option<String>,
        /// Where.
        place: Box<Place>,
    },
    /// A name of no column.
    #[error(
        "{}: no column `{name}` on {table}{}\n{}",
        .place.head(), hint(.suggestion), .place.marked()
    )]
    UnknownColumn {
        /// The name.
        name: String,
        /// The table that was searched.
        table: String,
        /// The nearest name.
        suggestion: Option<String>,
        /// Where.
        place: Box<Place>,
    },
    /// A name of no table, or of one that is out of reach here.
    #[error(
        "{}: no table `{name}` {reach}{}\n{}",
        .place.head(), hint(.suggestion), .place.marked()
    )]
    UnknownTable {
        /// The name.
        name: String,
        /// Where it was searched: `in the schema`, `beneath person`.
        reach: String,
        /// The nearest name.
        suggestion: Option<String>,
        /// Where.
        place: Box<Place>,
    },
    /// A value that is in no code list of its column.
    #[error(
        "{}: no code `{value}` in the list {list}{}\n{}",
        .place.head(), hint(.suggestion), .place.marked()
    )]
    UnknownCode {
        /// The value.
        value: String,
        /// The code list.
        list: String,
        /// The nearest code name.
        suggestion: Option<String>,
        /// Where.
        place: Box<Place>,
    },
    /// A code that is not in the path tree.
    #[error("{}: no region `{code}`{}\n{}", .place.head(), near(.nearest), .place.marked())]
    UnknownRegion {
        /// The code.
        code: String,
        /// Known places, the nearest first: code and name.
        nearest: Vec<String>,
        /// Where.
        place: Box<Place>,
    },
    /// A level that the path does not have.
    #[error(
        "{}: no level `{level}` of {path}{}\n{}",
        .place.head(), hint(.suggestion), .place.marked()
    )]
    UnknownLevel {
        /// The level.
        level: String,
        /// The path.
        path: String,
        /// The nearest level.
        suggestion: Option<String>,
        /// Where.
        place: Box<Place>,
    },
    /// A function that the language does not have.
    #[error("{}: no function `{name}`{}\n{}", .place.head(), hint(.suggestion), .place.marked())]
    UnknownFunction {
        /// The name.
        name: String,
        /// The nearest function.
        suggestion: Option<String>,
        /// Where.
        place: Box<Place>,
    },
    /// An order by something the answer does not have.
    #[error(
        "{}: the answer has no column `{name}`{}\n{}",
        .place.head(), hint(.suggestion), .place.marked()
    )]
    UnknownMeasure {
        /// The name.
        name: String,
        /// The nearest column of the answer.
        suggestion: Option<String>,
        /// Where.
        place: Box<Place>,
    },
    /// A parameter that is in no table of parameters.
    #[error(
        "{}: no parameter `${name}`{}\n{}",
        .place.head(), hint(.suggestion), .place.marked()
    )]
    UnknownParameter {
        /// The name, without `$`.
        name: String,
        /// The nearest parameter.
        suggestion: Option<String>,
        /// Where.
        place: Box<Place>,
    },
    /// A set that neither the question has nor anybody kept.
    #[error("{}: no set `{name}`{}\n{}", .place.head(), hint(.suggestion), .place.marked())]
    UnknownSet {
        /// The name.
        name: String,
        /// The nearest set.
        suggestion: Option<String>,
        /// Where.
        place: Box<Place>,
    },
    /// A version that is kept under no such name.
    #[error("{}: no version is kept under the name `{name}`\n{}", .place.head(), .place.marked())]
    UnknownVersion {
        /// The name.
        name: String,
        /// Where.
        place: Box<Place>,
    },
    /// Values of kinds that do not go together.
    #[error("{}: {what}\n{}", .place.head(), .place.marked())]
    Type {
        /// What does not go together and what would.
        what: String,
        /// Where.
        place: Box<Place>,
    },
    /// A part of the language that this build does not answer.
    #[error("{}: not supported yet: {name}\n{}", .place.head(), .place.marked())]
    Unsupported {
        /// The part, as the language names it.
        name: String,
        /// Where.
        place: Box<Place>,
    },
    /// A question larger than is taken.
    #[error("{}{what} is {found}; the limit is {limit}{}", head(.place), marked(.place))]
    Limit {
        /// What is limited.
        what: &'static str,
        /// What was found, at least.
        found: u64,
        /// The most that is taken.
        limit: u64,
        /// Where; none when it is no single word.
        place: Option<Box<Place>>,
    },
    /// A field of the JSON form that it does not have, or of the wrong shape.
    #[error("the question is not JSON of the right shape: {reason}")]
    Json {
        /// What the reader of JSON says.
        reason: String,
    },
    /// A question that depends on the day, over a snapshot that has none.
    #[error("the question needs a day: say `as_of 2026-10-31`, the snapshot has none of its own")]
    MissingAsOf,
    /// A number beyond 64 bits.
    #[error("{what} is beyond 64 bits; narrow the question")]
    Overflow {
        /// What was computed.
        what: String,
    },
    /// A plan that was made for another schema.
    #[error("the plan was made for another schema; make it again from this snapshot")]
    Stale,
    /// The caller asked to stop.
    #[error("stopped by the caller")]
    Stopped,
    /// The memory that all questions share was taken by others for too long.
    #[error("other questions take the memory, and this one may need {bytes} bytes; ask again")]
    Busy {
        /// What the question may need.
        bytes: u64,
    },
    /// A fault of this crate ended the question.
    #[error("a fault of the program ended the question")]
    Broken,
    /// A scope that is not the code of a place.
    #[error(
        "`{scope}` is no scope: write the code of a place, {} digits long",
        .digits.join(", ")
    )]
    Scope {
        /// What was given.
        scope: String,
        /// The lengths that codes of a level have.
        digits: Vec<String>,
    },
    /// A set that cannot be kept, read or joined.
    #[error("set `{name}`: {reason}")]
    Set {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A part of the question that cannot be said in SQL.
    #[error("not to be said in SQL: {what}")]
    NotInSql {
        /// What, and why.
        what: &'static str,
    },
    /// An index of words that cannot be read.
    #[error("the index of words: {reason}; make it anew with `yiku index`")]
    Index {
        /// Why.
        reason: String,
    },
    /// SQL that is not answered: more than one statement, or one that does not only read.
    #[error("{what}")]
    SqlRefused {
        /// What stands there, and what would be answered.
        what: String,
    },
    /// SQL that DuckDB could not answer.
    #[error("DuckDB: {reason}")]
    Sql {
        /// What DuckDB says.
        reason: String,
    },
    /// The engine could not read.
    #[error("the database could not be read")]
    Engine {
        /// Why.
        source: yiku::Error,
    },
}

/// What is limited where a question takes more memory than it may.
const MEMORY: &str = "the memory of the question in bytes";

impl From<yiku::Error> for Error {
    fn from(source: yiku::Error) -> Self {
        match source {
            yiku::Error::Stopped(_) => Self::Stopped,
            yiku::Error::Memory { needed: found, limit } => {
                Self::Limit { what: MEMORY, found, limit, place: None }
            }
            source => Self::Engine { source },
        }
    }
}

fn hint(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map_or_else(String::new, |s| format!("; did you mean `{s}`?"))
}

fn head(place: &Option<Box<Place>>) -> String {
    place.as_ref().map_or_else(String::new, |place| format!("{}: ", place.head()))
}

fn marked(place: &Option<Box<Place>>) -> String {
    place.as_ref().map_or_else(String::new, |place| format!("\n{}", place.marked()))
}

fn near(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!("; nearest: {}", names.join(", "))
}

impl Error {
    /// The stable code of the variant, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "query.syntax",
            Self::UnknownColumn { .. } => "query.unknown_column",
            Self::UnknownTable { .. } => "query.unknown_table",
            Self::UnknownCode { .. } => "query.unknown_code",
            Self::UnknownRegion { .. } => "query.unknown_region",
            Self::UnknownLevel { .. } => "query.unknown_level",
            Self::UnknownFunction { .. } => "query.unknown_function",
            Self::UnknownMeasure { .. } => "query.unknown_measure",
            Self::UnknownParameter { .. } => "query.unknown_parameter",
            Self::UnknownSet { .. } => "query.unknown_set",
            Self::UnknownVersion { .. } => "query.unknown_version",
            Self::Type { .. } => "query.type",
            Self::Unsupported { .. } => "query.unsupported",
            Self::Limit { .. } => "query.limit",
            Self::Json { .. } => "query.json",
            Self::MissingAsOf => "query.as_of",
            Self::Overflow { .. } => "query.overflow",
            Self::Scope { .. } => "query.scope",
            Self::Stale => "query.stale",
            Self::Stopped => "query.stopped",
            Self::Busy { .. } => "query.busy",
            Self::Broken => "query.broken",
            Self::Set { .. } => "query.set",
            Self::Index { .. } => "query.index",
            Self::NotInSql { .. } => "query.not_in_sql",
            Self::SqlRefused { .. } => "query.sql_refused",
            Self::Sql { .. } => "query.sql",
            Self::Engine { .. } => "query.engine",
        }
    }

    /// Whether the question took more memory than it may.
    pub(crate) fn is_of_memory(&self) -> bool {
        matches!(self, Self::Limit { what, .. } if *what == MEMORY)
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Syntax { place, .. }
            | Self::UnknownColumn { place, .. }
            | Self::UnknownTable { place, .. }
            | Self::UnknownCode { place, .. }
            | Self::UnknownRegion { place, .. }
            | Self::UnknownLevel { place, .. }
            | Self::UnknownFunction { place, .. }
            | Self::UnknownMeasure { place, .. }
            | Self::UnknownParameter { place, .. }
            | Self::UnknownSet { place, .. }
            | Self::UnknownVersion { place, .. }
            | Self::Type { place, .. }
            | Self::Unsupported { place, .. } => Some(place),
            Self::Limit { place, .. } => place.as_deref(),
            _ => None,
        }
    }

    /// Characters before the word that is wrong, from 0, in the text form or in the JSON field
    /// that [`Error::pointer`] names.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        self.place().map(Place::position)
    }

    /// The JSON pointer of the field that is wrong; none for the text form.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.place().and_then(Place::pointer)
    }

    /// The nearest known name, to be offered.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Syntax { suggestion, .. }
            | Self::UnknownColumn { suggestion, .. }
            | Self::UnknownTable { suggestion, .. }
            | Self::UnknownCode { suggestion, .. }
            | Self::UnknownLevel { suggestion, .. }
            | Self::UnknownFunction { suggestion, .. }
            | Self::UnknownMeasure { suggestion, .. }
            | Self::UnknownParameter { suggestion, .. }
            | Self::UnknownSet { suggestion, .. } => suggestion.as_deref(),
            Self::UnknownRegion { nearest, .. } => nearest.first().map(String::as_str),
            _ => None,
        }
    }
}
