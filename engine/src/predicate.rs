//! What a row must satisfy in one column, and how a column found out.

/// What the value of a row in one column must satisfy. A row whose value is unknown satisfies
/// only [`Predicate::Unknown`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate {
    /// An integer, code, date, month or path from `min` to `max`, both included.
    Range {
        /// The least value.
        min: i64,
        /// The greatest value.
        max: i64,
    },
    /// One of these integers or codes, sorted and without repeats.
    In(Vec<i64>),
    /// A set that shares a code with this one.
    HasAny(u64),
    /// A set that has all codes of this one.
    HasAll(u64),
    /// A set that shares no code with this one.
    HasNone(u64),
    /// One of these texts.
    TextIn(Vec<String>),
    /// A text that begins with this one.
    TextStarts(String),
    /// Any known value.
    Known,
    /// No value.
    Unknown,
}

/// How a predicate is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// The rows are sorted by the column: two searches give the range.
    PathRange,
    /// From the bitmaps of the column's codes.
    Index,
    /// From the zone maps alone: no block has to be read.
    ZoneMap,
    /// By reading the blocks that the zone maps leave.
    Scan,
}
