//! A question bound to a snapshot: everything that is decided before a row is read.
//!
//! Invariants: a plan runs only on the version it was made from, for the day and the places it
//! speaks of are that version's; clauses stand in the order in which they are answered, the
//! cheapest first.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use yiku::kernel::{Run, Stop};
use yiku::{PathTree, Schema, Snapshot};

use crate::ast::{Clause, Definition, Expr, ExprKind, Named, Order, Query, Top};
use crate::bound::{Condition, Test};
use crate::check::{
    Aggregate, Checker, Combine, Formula, Group, Having, Listed, ListedKind, Measured, next_level,
};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::parse;
use crate::print;
use crate::run::cursor::{self, Position};
use crate::run::list::List;
use crate::scope::Scope;
use crate::source::{Place, Source};

/// How far an answer may go.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Segments that are worked on at the same time.
    pub threads: usize,
    /// The most groups of an answer, and of each of its totals.
    pub groups: usize,
    /// Set by the caller to stop; looked at between the steps of a segment.
    pub stop: Option<Arc<AtomicBool>>,
    /// Bytes that the columns of numbers and the sets of rows of one question take at once, on
    /// all threads together, and the groups that it has found.
    pub memory: u64,
}

/// The limits of a question while it runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Within<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) run: &'a Run<'a>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { threads: 1, groups: 1_000_000, stop: None, memory: u64::MAX }
    }
}

impl Limits {
    /// Does work within these limits.
    pub(crate) fn within<T>(&self, work: impl FnOnce(Within<'_>) -> Result<T>) -> Result<T> {
        let asked = || self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed));
        let stop = || asked().then_some(Stop::Cancelled);
        let run = Run::new().until(&stop).memory(self.memory);
        work(Within { limits: self, run: &run })
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
    pub(crate) schema: Schema,
    pub(crate) version: u64,
    pub(crate) as_of: Option<i64>,
    pub(crate) table: usize,
    /// Where the rows must lie, whatever the question says.
    pub(crate) scope: Option<Scope>,
    /// Text and condition of each clause of the filter, at the table.
    pub(crate) filter: Vec<(String, Condition)>,
    /// Rows are asked for, not groups.
    pub(crate) list: Option<List>,
    pub(crate) groups: Vec<Group>,
    pub(crate) aggregates: Vec<Aggregate>,
    pub(crate) measures: Vec<Measured>,
    pub(crate) having: Option<Having>,
    pub(crate) totals: bool,
    pub(crate) top: Option<Best>,
    pub(crate) order: Vec<(Key, bool)>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
}

impl Plan {
    /// Checks a question and binds it to a snapshot.
    ///
    /// # Errors
    /// Everything that is wrong with the question, with the place of the word; what is not built
    /// as [`Error::Unsupported`]; [`Error::MissingAsOf`] when the question depends on the day
    /// and neither it nor the snapshot has one.
    pub fn new(query: &Query, snapshot: &Snapshot) -> Result<Self> {
        Self::bound(query, snapshot, None)
    }

    /// As [`Plan::new`], over the rows beneath one place only: the rows of everywhere else are
    /// never in the set that the question is asked of, so no part of its text can count, name or
    /// compare them. `scope` is the code of a place, the digits of its level alone; of a place
    /// that holds nothing the answer is that of an empty registry.
    ///
    /// # Errors
    /// As [`Plan::new`], and [`Error::Scope`] when the scope is not a code of any level.
    pub fn within(query: &Query, snapshot: &Snapshot, scope: &str) -> Result<Self> {
        let scope = Scope::new(snapshot.tree(), scope)?;
        Self::bound(query, snapshot, Some(scope))
    }

    /// The place that the plan is bound to: an answer is the same for all who share it.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_ref().map(Scope::prefix)
    }

    fn bound(query: &Query, snapshot: &Snapshot, scope: Option<Scope>) -> Result<Self> {
        unbuilt(query)?;
        let schema = snapshot.schema();
        let as_of = query.as_of.or(snapshot.as_of());
        let table = table(schema, query)?;
        let steps = Cell::new(0);
        let tree = Some(snapshot.tree());
        let check = |source| Checker { schema, tree, table, as_of, source, steps: &steps };
        let filter = match &query.filter {
            Some(clause) => filter(&check(&clause.source), &clause.expr)?,
            None => Vec::new(),
        };
        let places = filter.iter().map(|(_, condition)| condition);
        let next = next_level(snapshot.tree(), places.chain(scope.as_ref().map(Scope::condition)));
        let list = match query.select.is_empty() {
            true => None,
            false => Some(listed(query, next, &check)?),
        };
        let mut groups = Vec::with_capacity(query.by.len());
        for clause in &query.by {
            groups.push(check(&clause.source).group(clause, next)?);
        }
        let mut aggregates = Vec::new();
        let source = Source::text("count()");
        let clause = Clause { expr: parse::expression(&source)?, source: source.clone() };
        let counted = [Definition { name: "count".to_owned(), clause }];
        let asked = match query.measures.as_slice() {
            [] if list.is_none() => &counted[..],
            asked => asked,
        };
        let mut measures = Vec::with_capacity(asked.len());
        for measure in asked {
            let checker = check(&measure.clause.source);
            measures.push(checker.measure(&measure.name, &measure.clause, &mut aggregates)?);
        }
        let having = query.having.as_ref();
        let having = having.map(|c| check(&c.source).having(c, asked, &mut aggregates));
        let having = having.transpose()?;
        let keys = |order: &[Order]| -> Result<Vec<_>> {
            order.iter().map(|o| order_key(o, &groups, &measures)).collect()
        };
        let order = if list.is_some() { Vec::new() } else { keys(&query.order)? };
        let best = |top: &Top| -> Result<Best> {
            let within = top.within.iter().map(|clause| group_place(clause, &groups));
            let within = within.collect::<Result<_>>()?;
            Ok(Best { count: top.count, within, order: keys(&top.order)? })
        };
        let top = query.top.as_ref().map(best).transpose()?;
        Ok(Self {
            schema: schema.clone(),
            version: snapshot.version(),
            as_of,
            table,
            scope: scope.map(|scope| scope.at(table)),
            filter,
            list,
            groups,
            aggregates,
            measures,
            having,
            totals: query.totals,
            top,
            order,
            limit: query.limit,
            offset: query.offset,
        })
    }

    /// How many trailing groups each set of rows of the answer totals: 0 for the groups
    /// themselves, then, with totals, one set for each. A share needs the last of them anyway.
    pub(crate) fn levels(&self) -> Vec<usize> {
        let last = self.groups.len();
        let mut levels: Vec<usize> = if self.totals { (0..=last).collect() } else { vec![0] };
        let shares = self.measures.iter().any(|m| m.formula.has_share())
            || self.having.as_ref().is_some_and(Having::has_share);
        if last > 0 && !self.totals && shares {
            levels.push(last);
        }
        levels
    }

    /// Whether a column that is not of this version is asked.
    pub(crate) fn fits(&self, snapshot: &Snapshot) -> Result<()> {
        if snapshot.version() == self.version && *snapshot.schema() == self.schema {
            return Ok(());
        }
        Err(Error::Stale)
    }
}

impl Formula {
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

/// Refuses the clauses that this build does not answer, by their names.
fn unbuilt(query: &Query) -> Result<()> {
    if let (Some(_), true) = (&query.after, query.select.is_empty()) {
        let what = "`after` goes on with a list: it stands with `select`".to_owned();
        return Err(Error::Type { what, place: named_place(&query.from) });
    }
    let first = |list: &[Definition]| list.first().map(|d| &d.clause).map(clause_place);
    let here = |source: &Source, span| source.place(span);
    let asked = [
        ("matrix", first(&query.matrix)),
        ("over", query.over.as_ref().map(|over| here(&over.source, over.span))),
        ("compare", query.compare.first().map(|_| named_place(&query.from))),
        ("flow", query.flow.as_ref().map(|flow| here(&flow.source, flow.span))),
        ("sets", query.sets.first().map(|set| here(&set.clause.source, set.name.span))),
        ("with", query.with.first().map(|_| named_place(&query.from))),
        ("publish", query.publish.map(|_| named_place(&query.from))),
        ("explain", query.explain.then(|| named_place(&query.from))),
    ];
    match asked.into_iter().find_map(|(name, place)| Some((name, place?))) {
        Some((name, place)) => Err(Error::Unsupported { name: name.to_owned(), place }),
        None => Ok(()),
    }
}

fn clause_place(clause: &Clause) -> Box<Place> {
    clause.source.place(clause.expr.span)
}

fn named_place(named: &Named) -> Box<Place> {
    named.source.place(named.word.span)
}

/// The list of rows that a question asks for.
fn listed<'a>(
    query: &'a Query,
    next: usize,
    check: &dyn Fn(&'a Source) -> Checker<'a>,
) -> Result<List> {
    let with = [
        ("by", query.by.first().map(clause_place)),
        ("measure", query.measures.first().map(|d| clause_place(&d.clause))),
        ("matrix", query.matrix.first().map(|d| clause_place(&d.clause))),
        ("having", query.having.as_ref().map(clause_place)),
        ("totals", query.totals.then(|| named_place(&query.from))),
        ("top", query.top.as_ref().map(|_| named_place(&query.from))),
    ];
    if let Some((name, place)) = with.into_iter().find_map(|(name, place)| Some((name, place?))) {
        let what = format!("`select` lists rows and goes without `{name}`");
        return Err(Error::Type { what, place });
    }
    let columns = query.select.iter().map(|d| check(&d.clause.source).listed(d, next));
    let columns = columns.collect::<Result<Vec<Listed>>>()?;
    let mut order = Vec::with_capacity(query.order.len());
    for key in &query.order {
        let place = columns.iter().position(|column| column.name == key.key);
        let Some(place) = place else {
            return Err(Error::UnknownMeasure {
                name: key.key.clone(),
                suggestion: nearest(&key.key, columns.iter().map(|c| c.name.as_str())),
                place: key.source.place(key.span),
            });
        };
        if matches!(columns.get(place).map(|c| &c.kind), Some(ListedKind::Codes { .. })) {
            let what = format!("no order by the set `{}`", key.key);
            return Err(Error::Type { what, place: key.source.place(key.span) });
        }
        order.push((place, key.descending));
    }
    let after = Position::read(query, order.len())?;
    Ok(List { columns, order, after, question: cursor::question(query) })
}

/// The place among the groups of an expression of `by`.
fn group_place(clause: &Clause, groups: &[Group]) -> Result<usize> {
    let name = print::expression(&clause.expr);
    groups.iter().position(|group| group.name == name).ok_or_else(|| Error::UnknownMeasure {
        suggestion: nearest(&name, groups.iter().map(|group| group.name.as_str())),
        name,
        place: clause_place(clause),
    })
}

fn table(schema: &Schema, query: &Query) -> Result<usize> {
    let word = &query.from.word;
    schema.table_index(&word.text).ok_or_else(|| Error::UnknownTable {
        name: word.text.clone(),
        reach: "in the schema".to_owned(),
        suggestion: nearest(&word.text, schema.tables.iter().map(|t| t.name.as_str())),
        place: query.from.source.place(word.span),
    })
}

/// The clauses of a filter that must all be true, the cheapest first.
pub(crate) fn filter(checker: &Checker<'_>, expr: &Expr) -> Result<Vec<(String, Condition)>> {
    let parts = match &expr.kind {
        ExprKind::And(parts) => parts.as_slice(),
        _ => std::slice::from_ref(expr),
    };
    let mut clauses = Vec::with_capacity(parts.len());
    for part in parts {
        let condition = checker.condition(part)?.at(checker.table);
        clauses.push((print::expression(part), condition));
    }
    clauses.sort_by_key(|(_, condition)| condition.cost());
    Ok(clauses)
}

fn order_key(order: &Order, groups: &[Group], measures: &[Measured]) -> Result<(Key, bool)> {
    let measure = measures.iter().position(|m| m.name == order.key).map(Key::Measure);
    let group = || groups.iter().position(|g| g.name == order.key).map(Key::Group);
    match measure.or_else(group) {
        Some(key) => Ok((key, order.descending)),
        None => {
            let names = measures.iter().map(|m| &m.name).chain(groups.iter().map(|g| &g.name));
            Err(Error::UnknownMeasure {
                name: order.key.clone(),
                suggestion: nearest(&order.key, names.map(String::as_str)),
                place: order.source.place(order.span),
            })
        }
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
    let checker = Checker { schema, tree, table, as_of: Some(0), source: &source, steps };
    Ok(checker.check(&expr)?.kind.word(schema))
}
