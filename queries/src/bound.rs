//! The question bound to a schema: conditions and values over the columns of tables.
//!
//! Invariants: every condition and value has a home table, the lowest that it reads; the parts of
//! one are at its own table, brought there by `Spread` when their home is above it. Values are
//! integers (numbers with a fixed scale, days, months, codes) or floats; which one is known
//! before any row is read.

use std::sync::Arc;

use yiku::Predicate;

use crate::ast::{Arithmetic, Comparison};
use crate::wording::Pattern;

/// A condition on the rows of a table, in three-valued logic.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(crate) table: usize,
    pub(crate) kind: Test,
}

/// The forms of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// The same for every row.
    Constant(bool),
    /// The engine answers; unknown where the column is.
    Column {
        column: usize,
        predicate: Predicate,
    },
    /// Whether a column is known: never unknown itself.
    ColumnKnown {
        column: usize,
    },
    /// The path of the root lies in one of these ranges, sorted and apart.
    Within {
        ranges: Vec<(u64, u64)>,
    },
    /// An exact value lies between two others, both included.
    Between {
        value: Value,
        low: i64,
        high: i64,
    },
    /// An exact value is one of these, sorted.
    OneOf {
        value: Value,
        list: Vec<i64>,
    },
    /// Two values of one representation.
    Compare {
        sign: Comparison,
        left: Value,
        right: Value,
    },
    /// Two texts are the same: columns by table and place, each at or above the condition's.
    SameText {
        left: (usize, usize),
        right: (usize, usize),
    },
    /// A text has the words of a pattern; of rows that no later version wrote, only those whose
    /// key satisfies a predicate, where an index knows.
    Matches {
        column: usize,
        pattern: Pattern,
        candidates: Option<(u64, Arc<Predicate>)>,
    },
    /// Whether a value is known.
    ValueKnown(Value),
    /// Whether a condition is known.
    ConditionKnown(Box<Condition>),
    /// Whether a condition is true: what is unknown becomes false.
    Truth(Box<Condition>),
    /// Where the first is true the second, elsewhere the third.
    Choose(Box<Condition>, Box<Condition>, Box<Condition>),
    /// The first that is known.
    FirstKnown(Vec<Condition>),
    /// Two conditions are both true or both false.
    Same(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    /// The same condition for every row beneath a row of its table.
    Spread(Box<Condition>),
    /// Some row beneath for which the condition is true.
    Any {
        child: usize,
        condition: Box<Condition>,
    },
}

/// A value of every row of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    pub(crate) table: usize,
    pub(crate) kind: Term,
}

/// The forms of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Term {
    Constant(i64),
    ConstantFloat(f64),
    Column(usize),
    /// The value of the row above.
    Spread(Box<Value>),
    /// Two exact values, the result exact. Never a division.
    Exact(Arithmetic, Box<Value>, Box<Value>),
    /// Two floats.
    Float(Arithmetic, Box<Value>, Box<Value>),
    /// An exact value as a float, divided by this.
    ToFloat(Box<Value>, f64),
    Absolute(Box<Value>),
    Least(Vec<Value>),
    Greatest(Vec<Value>),
    /// The first that is known.
    Coalesce(Vec<Value>),
    /// The first where the condition is true, else the second.
    If(Box<Condition>, Box<Value>, Box<Value>),
    /// A number read off a day or a month.
    Calendar(Reading, Box<Value>),
    /// A day some months later.
    AddMonths(Box<Value>, i64),
    /// Over the rows beneath.
    Fold(Box<Fold>),
    /// Of the root table: the number of the range that its path lies in, unknown in none. Ranges
    /// are sorted and apart.
    ByPlace(Arc<[(u64, u64, i64)]>),
}

/// What is read off a day or month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Years completed by a day.
    Age { as_of: i64 },
    /// The year of a day.
    Year,
    /// The month of a day, 1 to 12.
    MonthNumber,
    /// The quarter of a day, 1 to 4.
    Quarter,
    /// The month that holds a day.
    Month,
    /// The year of a month.
    YearOfMonth,
    /// The month of the year of a month, 1 to 12.
    NumberOfMonth,
    /// The quarter of a month, 1 to 4.
    QuarterOfMonth,
}

/// A value over the rows beneath a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fold {
    pub(crate) child: usize,
    pub(crate) function: Function,
    /// What is folded, at the child table; none for a count.
    pub(crate) argument: Option<Value>,
    /// Which rows count, at the child table.
    pub(crate) condition: Option<Condition>,
}

/// How many values become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Count,
    Sum,
    Average,
    Least,
    Greatest,
}

impl Condition {
    pub(crate) fn constant(value: bool) -> Self {
        Self { table: 0, kind: Test::Constant(value) }
    }

    /// The condition for the rows of `table`, which is at or beneath its own.
    pub(crate) fn at(self, table: usize) -> Self {
        if self.table == table {
            return self;
        }
        let kind = match self.kind {
            Test::Constant(value) => Test::Constant(value),
            _ => Test::Spread(Box::new(self)),
        };
        Self { table, kind }
    }

    pub(crate) fn not(self) -> Self {
        match self.kind {
            Test::Not(inner) => *inner,
            Test::Constant(value) => Self::constant(!value),
            _ => Self { table: self.table, kind: Test::Not(Box::new(self)) },
        }
    }

    pub(crate) fn truth(self) -> Self {
        Self { table: self.table, kind: Test::Truth(Box::new(self)) }
    }

    /// Whether it is true or false for every row.
    pub(crate) fn is_two_valued(&self) -> bool {
        match &self.kind {
            Test::Constant(_)
            | Test::ColumnKnown { .. }
            | Test::Within { .. }
            | Test::ValueKnown(_)
            | Test::ConditionKnown(_)
            | Test::Truth(_)
            | Test::Any { .. } => true,
            Test::Not(inner) | Test::Spread(inner) => inner.is_two_valued(),
            Test::And(parts) | Test::Or(parts) => parts.iter().all(Self::is_two_valued),
            _ => false,
        }
    }

    /// Some conditions brought to the lowest of their tables.
    pub(crate) fn level_all(parts: Vec<Self>) -> (usize, Vec<Self>) {
        let table = parts.iter().map(|part| part.table).max().unwrap_or(0);
        (table, parts.into_iter().map(|part| part.at(table)).collect())
    }

    /// Where `when` is true the first, elsewhere the second.
    pub(crate) fn choose(when: Self, first: Self, second: Self) -> Self {
        let table = when.table.max(first.table).max(second.table);
        let [when, first, second] = [when, first, second].map(|part| Box::new(part.at(table)));
        Self { table, kind: Test::Choose(when, first, second) }
    }

    /// Both true or both false; unknown where one is unknown.
    pub(crate) fn same(left: Self, right: Self) -> Self {
        match (&left.kind, &right.kind) {
            (Test::Constant(true), _) => right,
            (_, Test::Constant(true)) => left,
            (Test::Constant(false), _) => right.not(),
            (_, Test::Constant(false)) => left.not(),
            _ => {
                let table = left.table.max(right.table);
                let [left, right] = [left, right].map(|part| Box::new(part.at(table)));
                Self { table, kind: Test::Same(left, right) }
            }
        }
    }

    /// All of them; parts that are at home together are joined there, before they are spread.
    pub(crate) fn all(parts: Vec<Self>) -> Self {
        Self::joined(parts, Test::And)
    }

    /// One of them.
    pub(crate) fn any(parts: Vec<Self>) -> Self {
        Self::joined(parts, Test::Or)
    }

    fn joined(parts: Vec<Self>, kind: fn(Vec<Self>) -> Test) -> Self {
        let mut homes: Vec<(usize, Vec<Self>)> = Vec::new();
        for part in parts {
            match homes.iter_mut().find(|(table, _)| *table == part.table) {
                Some((_, found)) => found.push(part),
                None => homes.push((part.table, vec![part])),
            }
        }
        // The tables lie on one line of descent, so a higher number is further down.
        let lowest = homes.iter().map(|(table, _)| *table).max().unwrap_or(0);
        let mut joined: Vec<Self> = homes
            .into_iter()
            .map(|(table, mut found)| match (found.len(), found.pop()) {
                (1, Some(only)) => only,
                (_, last) => {
                    found.extend(last);
                    Self { table, kind: kind(found) }
                }
            })
            .map(|part| part.at(lowest))
            .collect();
        match (joined.len(), joined.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                joined.extend(last);
                Self { table: lowest, kind: kind(joined) }
            }
        }
    }

    /// Some row of `child` for which the condition is true, for the rows of `table`.
    pub(crate) fn exists(table: usize, child: usize, condition: Self) -> Self {
        let condition = Box::new(condition.at(child));
        Self { table, kind: Test::Any { child, condition } }
    }
}

impl Value {
    pub(crate) fn constant(value: i64) -> Self {
        Self { table: 0, kind: Term::Constant(value) }
    }

    pub(crate) fn column(table: usize, column: usize) -> Self {
        Self { table, kind: Term::Column(column) }
    }

    pub(crate) fn as_constant(&self) -> Option<i64> {
        match self.kind {
            Term::Constant(value) => Some(value),
            _ => None,
        }
    }

    fn is_constant(&self) -> bool {
        matches!(self.kind, Term::Constant(_) | Term::ConstantFloat(_))
    }

    /// The value for the rows of `table`, which is at or beneath its own.
    pub(crate) fn at(self, table: usize) -> Self {
        if self.table == table {
            self
        } else if self.is_constant() {
            Self { table, kind: self.kind }
        } else {
            Self { table, kind: Term::Spread(Box::new(self)) }
        }
    }

    /// One value of another at the same table.
    pub(crate) fn map(self, kind: impl FnOnce(Box<Self>) -> Term) -> Self {
        Self { table: self.table, kind: kind(Box::new(self)) }
    }

    /// Two values brought to the lower of their tables.
    pub(crate) fn level(left: Self, right: Self) -> (usize, Self, Self) {
        let table = left.table.max(right.table);
        (table, left.at(table), right.at(table))
    }

    /// Many values brought to the lowest of their tables.
    pub(crate) fn level_all(values: Vec<Self>) -> (usize, Vec<Self>) {
        let table = values.iter().map(|v| v.table).max().unwrap_or(0);
        (table, values.into_iter().map(|v| v.at(table)).collect())
    }
}
