//! The answer: columns of values, with their names, kinds and units.

use crate::short::Text;

/// What a column of an answer holds, as its reader must show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerKind {
    /// The language's name of a code, with its label.
    Code,
    /// The digits of a place down to its level, with its name.
    Path,
    /// A band of a number, `[0,18)`, with its label.
    Band,
    /// An integer.
    Int,
    /// Money in its smallest unit: integers, or floats where a quotient made it (`avg`).
    Money,
    /// A float.
    Float,
    /// A day, `2026-10-31`.
    Date,
    /// A month, `2026-10`.
    Month,
    /// Text.
    Text,
    /// `true` or `false`.
    Flag,
    /// The names of the codes of a set, with their labels.
    Codes,
}

impl AnswerKind {
    /// The word for the kind on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Path => "path",
            Self::Band => "band",
            Self::Int => "int",
            Self::Money => "money",
            Self::Float => "float",
            Self::Date => "date",
            Self::Month => "month",
            Self::Text => "text",
            Self::Flag => "flag",
            Self::Codes => "codes",
        }
    }
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// An expression of `by`.
    Group,
    /// A measure.
    Measure,
    /// A value of a row.
    Value,
}

impl Role {
    /// The word for the role on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Measure => "measure",
            Self::Value => "value",
        }
    }
}

/// The values of a column, one a row; none where unknown, and in the columns that a total leaves
/// out.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Integers; money in its smallest unit.
    Int(Vec<Option<i64>>),
    /// Floats, all finite.
    Float(Vec<Option<f64>>),
    /// Texts.
    Text(Vec<Option<Text>>),
    /// Lists of integers: the counts of a histogram.
    IntLists(Vec<Option<Vec<i64>>>),
    /// Lists of floats, all finite: the points of a curve.
    FloatLists(Vec<Option<Vec<f64>>>),
    /// Lists of texts: the codes of a set.
    TextLists(Vec<Option<Vec<String>>>),
}

impl Values {
    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Int(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::IntLists(values) => values.len(),
            Self::FloatLists(values) => values.len(),
            Self::TextLists(values) => values.len(),
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One column of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerColumn {
    /// The canonical text of an expression of `by`, or the name of a measure.
    pub name: String,
    /// What it holds.
    pub kind: AnswerKind,
    /// The unit of the registry's column that it is about, if it has one.
    pub unit: Option<String>,
    /// What it is for.
    pub role: Role,
    /// The values.
    pub values: Values,
    /// What people call the values: of codes, places and bands, and `合计` in a total.
    pub labels: Option<Vec<Option<Text>>>,
    /// Which values are not told, for they are of few (`publish`); empty where all are.
    pub hidden: Vec<bool>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The groups' columns in the order of `by`, then the measures.
    pub columns: Vec<AnswerColumn>,
    /// Rows in every column, totals included.
    pub rows: usize,
    /// Groups before `limit` and `offset`, totals not included.
    pub total_rows: usize,
    /// Rows of the table that the filter left; of several moments at the last, of a flow at either.
    pub matched: u64,
    /// The version of the snapshot.
    pub version: u64,
    /// The day that `as_of` was, or nothing.
    pub as_of: String,
    /// Whether `limit` or `offset` left out groups.
    pub truncated: bool,
    /// The limit of the question.
    pub limit: Option<usize>,
    /// For each row how many of the last groups it totals: 0 for a group itself. Empty when the
    /// question asks no totals.
    pub levels: Vec<u8>,
    /// Of a list that goes on: the cursor that its next page stands behind (`after`).
    pub next: Option<String>,
}
