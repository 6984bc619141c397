//! A question bound to a snapshot: everything that is decided before a row is read.
//!
//! Invariants: a plan runs only on the version it was made from, for the day and the places it
//! speaks of are that version's; clauses stand in the order in which they are answered, the
//! cheapest first.

mod bind;
mod declare;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use yiku::kernel::{Run, Stop};
use yiku::{PathTree, Schema, Segment, Snapshot};

use crate::ast::Query;
use crate::bound::{Condition, Test};
use crate::check::{Aggregate, Checker, Combine, Formula, Group, Having, Measured, Statistic};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::explain::probe::{About, Open, Probe};
use crate::nearest::nearest;
use crate::parse;
use crate::pool::{Pool, Visit};
use crate::run::exchange::Exchange;
use crate::run::flow::Flowing;
use crate::run::list::List;
use crate::run::matrix::Matrix;
use crate::run::publish::Protection;
use crate::scope::Scope;
use crate::source::Source;
use bind::Binder;
pub(crate) use bind::filter;

/// How far an answer may go.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Threads that work on the question at the same time, at most.
    pub threads: usize,
    /// The processors and the memory that it shares with others. Without it as many threads are
    /// started for the question alone.
    pub pool: Option<Arc<Pool>>,
    /// The most groups of an answer, and of each of its totals.
    pub groups: usize,
    /// Set by the caller to stop; looked at between the steps of a segment.
    pub stop: Option<Arc<AtomicBool>>,
    /// Bytes that the columns of numbers and the sets of rows of one question take at once, on
    /// all threads together, and the groups that it has found.
    pub memory: u64,
    /// Whether indexes and zone maps may answer. Without them every value is read and compared:
    /// the same answer, slowly, for whoever doubts an index.
    pub indexes: bool,
}

/// How many times as much a question declares that took more than it had declared.
const MORE: u64 = 8;

/// The limits of a question while it runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Within<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) run: &'a Run<'a>,
    /// The question's place in the pool, where there is one.
    pub(crate) visit: Option<&'a Visit<'a>>,
    /// Looks on, where somebody wants to know.
    pub(crate) probe: Option<&'a Probe<'a>>,
    /// Threads that work at the same time, at most.
    pub(crate) threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            threads: 1,
            pool: None,
            groups: 1_000_000,
            stop: None,
            memory: u64::MAX,
            indexes: true,
        }
    }
}

impl Limits {
    /// Refuses more groups than an answer may have.
    pub(crate) fn groups_fit(&self, found: usize) -> Result<()> {
        if found <= self.groups {
            return Ok(());
        }
        let (found, limit) = (found as u64, self.groups as u64);
        Err(Error::Limit { what: "the number of groups", found, limit, place: None })
    }

    /// Does work within these limits that takes so many bytes at most, as far as is known.
    pub(crate) fn within<T>(
        &self,
        bytes: u64,
        work: impl Fn(Within<'_>) -> Result<T>,
    ) -> Result<T> {
        self.looked_at(None, bytes, work)
    }

    /// As [`Limits::within`], looked at.
    pub(crate) fn watched<T>(
        &self,
        probe: &Probe<'_>,
        bytes: u64,
        work: impl Fn(Within<'_>) -> Result<T>,
    ) -> Result<T> {
        self.looked_at(Some(probe), bytes, work)
    }

    fn looked_at<T>(
        &self,
        probe: Option<&Probe<'_>>,
        bytes: u64,
        work: impl Fn(Within<'_>) -> Result<T>,
    ) -> Result<T> {
        let asked = || self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed));
        let Some(pool) = self.pool.as_deref() else {
            let stop = || asked().then_some(Stop::Cancelled);
            let run = Run::new().until(&stop).memory(self.memory);
            let threads = self.threads;
            return work(Within { limits: self, run: &run, visit: None, probe, threads });
        };
        let shared = pool.memory_bytes();
        let most = self.memory.min(shared.unwrap_or(u64::MAX));
        let mut bytes = shared.map_or(most, |_| bytes.min(most));
        loop {
            let visit = pool.visit(bytes, &asked)?;
            let stop = || {
                visit.pause();
                asked().then_some(Stop::Cancelled)
            };
            // What is looked at is counted once, so it must not begin again.
            let own = if probe.is_some() { most } else { bytes };
            let run = Run::new().until(&stop).memory(own);
            let (visit, threads) = (Some(&visit), self.threads);
            let done = work(Within { limits: self, run: &run, visit, probe, threads });
            match done {
                // It takes more than was known: it begins again once there is room for that.
                Err(error) if own < most && error.is_of_memory() => {
                    bytes = bytes.saturating_mul(MORE).clamp(1, most);
                }
                done => return done,
            }
        }
    }
}

impl<'a> Within<'a> {
    /// Begins a step for whoever looks on; it ends when what this gives is dropped.
    pub(crate) fn open<T>(&self, part: About, of: &T) -> Option<Open<'a>> {
        self.probe?.open(part, of)
    }

    /// The segments of a snapshot, as whoever looks on counts what is read of them.
    pub(crate) fn segments<'s>(self, snapshot: &'s Snapshot) -> &'s [Segment]
    where
        'a: 's,
    {
        self.probe.map_or_else(|| snapshot.segments(), |probe| probe.segments(snapshot))
    }

    /// Goes on to the segment at a place of a snapshot.
    pub(crate) fn begin(self, snapshot: &Snapshot, place: usize) {
        if let Some(probe) = self.probe {
            probe.begin(snapshot, place);
        }
    }
}

/// What the rows of the answer are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Group(usize),
    Measure(usize),
}

/// The best groups within groups.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Best {
    pub(crate) count: usize,
    /// Places of groups.
    pub(crate) within: Vec<usize>,
    pub(crate) order: Vec<(Key, bool)>,
}

/// A checked and bound question, ready to be run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Shared by all moments.
    pub(crate) schema: Arc<Schema>,
    pub(crate) version: u64,
    pub(crate) as_of: Option<i64>,
    pub(crate) table: usize,
    /// Where the rows must lie, whatever the question says.
    pub(crate) scope: Option<Scope>,
    /// Text and condition of each clause of the filter, at the table.
    pub(crate) filter: Vec<(String, Condition)>,
    /// Rows are asked for, not groups.
    pub(crate) list: Option<List>,
    /// Counts of conditions are asked for, not of groups.
    pub(crate) matrix: Matrix,
    /// Moves between two days are asked for.
    pub(crate) flow: Option<Flowing>,
    /// Moves between two versions are asked for.
    pub(crate) exchange: Option<Box<Exchange>>,
    pub(crate) groups: Vec<Group>,
    pub(crate) aggregates: Vec<Aggregate>,
    pub(crate) measures: Vec<Measured>,
    pub(crate) having: Option<Having>,
    /// How small cells are protected, if they are.
    pub(crate) protection: Option<Protection>,
    pub(crate) totals: bool,
    pub(crate) top: Option<Best>,
    pub(crate) order: Vec<(Key, bool)>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
    /// The moments that the question is asked at, if there are several.
    pub(crate) moments: Vec<Moment>,
    /// Of what left since the moment before: the aggregates of [`Combine::Left`], in their order.
    pub(crate) left: Option<Box<Plan>>,
    /// The same at earlier days, and under assumptions.
    pub(crate) compared: Vec<Compared>,
    /// What stands beside the measures because of these.
    pub(crate) beside: Vec<Measured>,
}

/// The end of a month that a question is asked at.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) month: i64,
    pub(crate) plan: Plan,
}

/// A question at an earlier day, or under an assumption, to be compared with.
#[derive(Debug, Clone)]
pub(crate) struct Compared {
    pub(crate) plan: Plan,
    /// It is what would be, not what was: the change is counted from the present to it.
    pub(crate) assumed: bool,
}

impl Plan {
    /// Checks a question and binds it to a snapshot.
    ///
    /// # Errors
    /// Everything that is wrong with the question, with the place of the word; what is not built
    /// as [`Error::Unsupported`]; [`Error::MissingAsOf`] when the question depends on the day
    /// and neither it nor the snapshot has one.
    pub fn new(query: &Query, snapshot: &Snapshot) -> Result<Self> {
        Self::bind(query, snapshot, &Context::default())
    }

    /// As [`Plan::new`], of a question that may also speak of what the context gives: parameters,
    /// sets that are kept, other versions; within the context's scope, if it has one.
    ///
    /// # Errors
    /// As [`Plan::new`] and [`Plan::within`]; [`Error::UnknownParameter`] and
    /// [`Error::UnknownSet`] for names that the context does not give.
    pub fn bind(query: &Query, snapshot: &Snapshot, context: &Context<'_>) -> Result<Self> {
        Binder::new(query, snapshot, context)?.plan()
    }

    /// A question for rows only, whose keys are to be kept.
    pub(crate) fn bind_rows(
        query: &Query,
        snapshot: &Snapshot,
        context: &Context<'_>,
    ) -> Result<Self> {
        bind::only_rows(query)?;
        Self::bind(query, snapshot, context)
    }

    /// As [`Plan::new`], over the rows beneath one place only: the rows of everywhere else are
    /// never in the set that the question is asked of, so no part of its text can count, name or
    /// compare them. `scope` is the code of a place, the digits of its level alone; of a place
    /// that holds nothing the answer is that of an empty registry.
    ///
    /// # Errors
    /// As [`Plan::new`], and [`Error::Scope`] when the scope is not a code of any level.
    pub fn within(query: &Query, snapshot: &Snapshot, scope: &str) -> Result<Self> {
        Self::bind(query, snapshot, &Context::default().scope(scope))
    }

    /// The place that the plan is bound to: an answer is the same for all who share it.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_ref().map(Scope::prefix)
    }

    /// How many trailing groups each set of rows of the answer totals: 0 for the groups
    /// themselves, then, with totals, one set for each. A share needs the last of them anyway.
    pub(crate) fn levels(&self) -> Vec<usize> {
        let last = self.groups.len();
        let mut levels: Vec<usize> =
            if self.totals || self.protection.is_some() { (0..=last).collect() } else { vec![0] };
        let shares = self.measures.iter().any(|m| m.formula.has_share())
            || self.having.as_ref().is_some_and(Having::has_share);
        if last > 0 && !self.totals && shares {
            levels.push(last);
        }
        levels
    }

    /// Whether a column that is not of this version is asked.
    pub(crate) fn fits(&self, snapshot: &Snapshot) -> Result<()> {
        let own = snapshot.shared_schema();
        let is_same = || Arc::ptr_eq(own, &self.schema) || **own == *self.schema;
        if snapshot.version() == self.version && is_same() { Ok(()) } else { Err(Error::Stale) }
    }
}

impl Formula {
    /// Whether it is computed from the aggregate of this place.
    pub(crate) fn asks(&self, aggregate: usize) -> bool {
        match self {
            Self::Aggregate(place) | Self::Statistic(_, place, _) => *place == aggregate,
            Self::Constant(_) => false,
            Self::Share(a) | Self::Negative(a) | Self::Times(a, _) | Self::ToFloat(a, _) => {
                a.asks(aggregate)
            }
            Self::Exact(_, a, b) | Self::Float(_, a, b) => a.asks(aggregate) || b.asks(aggregate),
        }
    }

    /// Calls `visit` with each statistic of an aggregate that it names.
    pub(crate) fn statistics(&self, aggregate: usize, visit: &mut dyn FnMut(Statistic, f64)) {
        match self {
            Self::Statistic(kind, place, over) if *place == aggregate => visit(*kind, *over),
            Self::Aggregate(_) | Self::Constant(_) | Self::Statistic(..) => {}
            Self::Share(a) | Self::Negative(a) | Self::Times(a, _) | Self::ToFloat(a, _) => {
                a.statistics(aggregate, visit);
            }
            Self::Exact(_, a, b) | Self::Float(_, a, b) => {
                a.statistics(aggregate, visit);
                b.statistics(aggregate, visit);
            }
        }
    }

    pub(crate) fn has_share(&self) -> bool {
        match self {
            Self::Share(_) => true,
            Self::Aggregate(_) | Self::Constant(_) | Self::Statistic(..) => false,
            Self::Negative(a) | Self::Times(a, _) | Self::ToFloat(a, _) => a.has_share(),
            Self::Exact(_, a, b) | Self::Float(_, a, b) => a.has_share() || b.has_share(),
        }
    }
}

impl Aggregate {
    /// Whether two partials of disjoint groups add up to that of their union.
    pub(crate) fn adds_up(&self) -> bool {
        !matches!(self.combine, Combine::DistinctRows(_))
    }
}

impl Condition {
    /// The order in which conditions are answered: ranges of rows, bitmaps, scans, the rows
    /// above and beneath, arithmetic.
    pub(crate) fn cost(&self) -> u32 {
        match &self.kind {
            Test::Constant(_) | Test::Within { .. } => 0,
            Test::Column { .. } | Test::ColumnKnown { .. } => 2,
            Test::Not(inner) | Test::Truth(inner) | Test::ConditionKnown(inner) => inner.cost(),
            Test::Spread(inner) => inner.cost().saturating_add(1),
            Test::And(parts) => parts.iter().map(Self::cost).min().unwrap_or(0),
            Test::Or(parts) => parts.iter().map(Self::cost).max().unwrap_or(0),
            Test::FirstKnown(parts) => parts.iter().map(Self::cost).max().unwrap_or(0),
            Test::Same(a, b) => a.cost().max(b.cost()),
            Test::Choose(when, a, b) => when.cost().max(a.cost()).max(b.cost()),
            Test::Any { condition, .. } => condition.cost().saturating_add(4),
            Test::Between { .. } | Test::OneOf { .. } | Test::ValueKnown(_) => 8,
            Test::Compare { .. } => 10,
            Test::Matches { candidates: Some(_), .. } => 6,
            Test::SameText { .. } | Test::Matches { .. } => 12,
        }
    }
}

/// Checks one expression in the light of a table and names its kind: `flag`, `int`, `money`,
/// `number`, `date`, `month`, `code of LIST`, `codes of LIST`, `text`, `band`.
///
/// # Errors
/// As [`Plan::new`]; places are looked up only where a tree is given.
pub fn check_expression(
    schema: &Schema,
    tree: Option<&PathTree>,
    table: &str,
    text: &str,
) -> Result<String> {
    let source = Source::text(text);
    let expr = parse::expression(&source)?;
    let Some(table) = schema.table_index(table) else {
        return Err(Error::UnknownTable {
            name: table.to_owned(),
            reach: "in the schema".to_owned(),
            suggestion: nearest(table, schema.tables.iter().map(|t| t.name.as_str())),
            place: source.place(crate::source::Span::default()),
        });
    };
    // The kind does not depend on the day, so any day serves.
    let steps = &Cell::new(0);
    let checker = Checker::new(schema, tree, table, Some(0), (&source, steps));
    Ok(checker.check(&expr)?.kind.word(schema))
}
