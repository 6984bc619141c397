//! A question bound: at one day, at the ends of months, and beside the days before.

use std::cell::Cell;
use std::sync::Arc;

use yiku::{Schema, Snapshot};

use super::{Best, Compared, Key, Plan};
use crate::ast::{
    self, Change, Clause, Definition, Expr, ExprKind, Flow, Moment, Order, Publish, Query, Top,
};
use crate::bound::{Condition, Value};
use crate::check::{
    Aggregate, Checker, Combine, Group, GroupKind, Listed, ListedKind, Measured, Shape, next_level,
};
use crate::context::{Context, Named};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::numbers::Number;
use crate::parse;
use crate::print;
use crate::run::cursor::{self, Position};
use crate::run::exchange::{Exchange, Side};
use crate::run::flow::Flowing;
use crate::run::list::List;
use crate::run::matrix::Matrix;
use crate::run::publish::Protection;
use crate::scope::Scope;
use crate::source::{Place, Source};
use yiku::calendar;

/// What a question is bound to.
pub(super) struct Binder<'a> {
    query: &'a Query,
    snapshot: &'a Snapshot,
    context: &'a Context<'a>,
    scope: Option<Scope>,
    schema: Arc<Schema>,
    /// Expressions checked so far.
    steps: Cell<usize>,
}

/// The measure of a question that names none.
fn counted() -> Result<Definition> {
    let source = Source::text("count()");
    let clause = Clause { expr: parse::expression(&source)?, source: source.clone() };
    Ok(Definition { name: "count".to_owned(), clause })
}

/// A day some months before; the end of a month stays one.
fn earlier(day: i64, months: i64) -> i64 {
    let month = calendar::month_of(day);
    if calendar::month_end(month) == day {
        return calendar::month_end(month - months);
    }
    calendar::add_months(day, -months)
}

impl<'a> Binder<'a> {
    pub(super) fn new(
        query: &'a Query,
        snapshot: &'a Snapshot,
        context: &'a Context<'a>,
    ) -> Result<Self> {
        let scope = context.scope.map(|scope| Scope::new(snapshot.tree(), scope)).transpose()?;
        let schema = Arc::clone(snapshot.shared_schema());
        Ok(Self { query, snapshot, context, scope, schema, steps: Cell::new(0) })
    }

    /// What expressions may name besides the schema, under some assumptions.
    fn named(&self, table: usize, changes: &'a [Change]) -> Named<'a> {
        Named {
            parameters: self.context.parameters,
            changes,
            sets: &self.query.sets,
            table,
            saved: self.context.sets,
            texts: self.context.texts.map(|texts| (texts, self.snapshot.version())),
        }
    }

    /// The whole plan.
    pub(super) fn plan(&self) -> Result<Plan> {
        let query = self.query;
        senseless(query)?;
        if let Some(flow) = &query.flow {
            return self.flow(flow);
        }
        let mut plan = match &query.over {
            None => self.compared(query.as_of.or(self.snapshot.as_of()), None)?,
            Some(over) => {
                let mut moments = Vec::new();
                let months = over.period.months();
                // The first whole period that ends in the span.
                let first = over.first - over.first.rem_euclid(months) + months - 1;
                for month in (first..=over.last).step_by(usize::try_from(months).unwrap_or(1)) {
                    let [before, day] = [month - months, month].map(calendar::month_end);
                    moments.push(super::Moment {
                        month,
                        plan: self.compared(Some(day), Some(before))?,
                    });
                }
                let Some(last) = moments.last() else {
                    let what = format!("no whole {} ends in these months", over.period.word());
                    return Err(Error::Type { what, place: over.source.place(over.span) });
                };
                let mut plan = last.plan.clone();
                let name = over.period.word().to_owned();
                let month = Value::constant(last.month).at(plan.table);
                plan.groups.insert(0, Group { name, kind: GroupKind::Month(month) });
                plan.moments = moments;
                plan
            }
        };
        if plan.list.is_some() || !plan.matrix.is_empty() {
            return Ok(plan);
        }
        let measures: Vec<&Measured> = plan.measures.iter().chain(&plan.beside).collect();
        let keys = |order: &[Order]| -> Result<Vec<_>> {
            order.iter().map(|o| order_key(o, &plan.groups, &measures)).collect()
        };
        let best = |top: &Top| -> Result<Best> {
            let within = top.within.iter().map(|clause| group_place(clause, &plan.groups));
            let within = within.collect::<Result<_>>()?;
            Ok(Best { count: top.count, within, order: keys(&top.order)? })
        };
        let (order, top) = (keys(&query.order)?, query.top.as_ref().map(best).transpose()?);
        (plan.order, plan.top) = (order, top);
        Ok(plan)
    }

    /// A question for the moves between two days.
    fn flow(&self, flow: &Flow) -> Result<Plan> {
        refuse(self.query, "`flow` counts moves", &["by", "limit", "offset", "flow"])?;
        let (Moment::Day(first), Moment::Day(last)) = (&flow.before, &flow.after) else {
            return self.exchange(flow);
        };
        let (before, after) = (self.at(Some(*first), None, &[])?, self.at(Some(*last), None, &[])?);
        let truth = |plan: &Plan| {
            let all = plan.filter.iter().map(|(_, condition)| condition.clone()).collect();
            let all = if plan.filter.is_empty() {
                Condition::constant(true)
            } else {
                Condition::all(all)
            };
            all.at(plan.table).truth()
        };
        let flow = Flowing {
            before: truth(&before),
            after: truth(&after),
            groups_before: before.groups,
            groups_after: after.groups.clone(),
        };
        let (measures, aggregates) = (Vec::new(), Vec::new());
        Ok(Plan { flow: Some(flow), measures, aggregates, ..after })
    }

    /// A question for the moves between two versions, or between one and a day.
    fn exchange(&self, flow: &Flow) -> Result<Plan> {
        let before = self.side(flow, &flow.before)?;
        let after = self.side(flow, &flow.after)?;
        if before.snapshot.schema() != after.snapshot.schema() {
            let what = "the two versions have different schemas".to_owned();
            return Err(Error::Type { what, place: flow.source.place(flow.span) });
        }
        let own = self.at(self.query.as_of.or(self.snapshot.as_of()), None, &[])?;
        let exchange = Some(Box::new(Exchange { before, after }));
        let (measures, aggregates) = (Vec::new(), Vec::new());
        Ok(Plan { exchange, measures, aggregates, ..own })
    }

    /// The question at one end of a flow: a day of this version, or another version as of its own.
    fn side(&self, flow: &Flow, moment: &Moment) -> Result<Side> {
        match moment {
            Moment::Day(day) => {
                let plan = self.at(Some(*day), None, &[])?;
                Ok(Side { snapshot: self.snapshot.clone(), plan })
            }
            Moment::Version(name) => {
                let Some(versions) = self.context.versions else {
                    let what = format!("the version '{name}' is not to be had here");
                    return Err(Error::Type { what, place: flow.source.place(flow.span) });
                };
                let snapshot = versions.version(name).map_err(|error| match error {
                    Error::Engine { source: yiku::Error::NoSuchName { .. } } => {
                        let (name, place) = (name.clone(), flow.source.place(flow.span));
                        Error::UnknownVersion { name, place }
                    }
                    error => error,
                })?;
                let other = Binder::new(self.query, &snapshot, self.context)?;
                let plan = other.at(snapshot.as_of(), None, &[])?;
                Ok(Side { snapshot, plan })
            }
        }
    }

    /// The question at a day, and what it is compared with.
    fn compared(&self, day: Option<i64>, before: Option<i64>) -> Result<Plan> {
        let mut plan = self.at(day, before, &[])?;
        for period in &self.query.compare {
            let day = earlier(day.ok_or(Error::MissingAsOf)?, period.months());
            let months = before.map(|before| earlier(before, period.months()));
            let other = self.at(Some(day), months, &[])?;
            plan.compared.push(Compared { plan: other, assumed: false });
            beside(&mut plan, period.word(), "_before");
        }
        for (place, changes) in self.query.with.iter().enumerate() {
            let other = self.at(day, before, changes)?;
            plan.compared.push(Compared { plan: other, assumed: true });
            beside(&mut plan, &format!("with_{}", place + 1), "");
        }
        Ok(plan)
    }

    /// The filter at a day, as conditions and as one that is true or false for every row.
    fn filter(&self, checker: &Checker<'_>) -> Result<(Vec<(String, Condition)>, Condition)> {
        let clauses = match &self.query.filter {
            Some(clause) => filter(&checker.of(&clause.source), &clause.expr)?,
            None => Vec::new(),
        };
        let all = clauses.iter().map(|(_, condition)| condition.clone()).collect();
        let all = Condition::all(all).at(checker.table);
        let all =
            if clauses.is_empty() { Condition::constant(true).at(checker.table) } else { all };
        Ok((clauses, all.truth()))
    }

    /// The question at a day; with the moment before, of which `inflow` and `outflow` speak.
    fn at(&self, as_of: Option<i64>, before: Option<i64>, changes: &'a [Change]) -> Result<Plan> {
        let (query, snapshot) = (self.query, self.snapshot);
        let (schema, tree) = (snapshot.schema(), Some(snapshot.tree()));
        let (table, steps) = (table(schema, query)?, &self.steps);
        let source = &query.from.source;
        let named = self.named(table, changes);
        let checker = Checker::new(schema, tree, table, as_of, (source, steps));
        let checker = Checker { named, ..checker };
        checker.changes_known()?;
        checker.sets_known()?;
        let (filter, now) = self.filter(&checker)?;
        let Some(before) = before else {
            return self.bound(&checker, filter);
        };
        let earlier = Checker { as_of: Some(before), ..checker };
        let (filter_before, then) = self.filter(&earlier)?;
        let (entered, left) = (then.not(), now.not());
        let mut plan = self.bound(&Checker { entered: Some(&entered), ..checker }, filter)?;
        let is_left = |aggregate: &Aggregate| aggregate.combine == Combine::Left;
        if plan.aggregates.iter().any(is_left) {
            let mut other =
                self.bound(&Checker { entered: Some(&entered), ..earlier }, filter_before)?;
            other.aggregates.retain(is_left);
            for aggregate in &mut other.aggregates {
                let own = aggregate.condition.take();
                let all = own.into_iter().chain([left.clone()]).collect();
                aggregate.condition = Some(Condition::all(all).at(table));
            }
            for aggregate in plan.aggregates.iter_mut().filter(|a| is_left(a)) {
                aggregate.condition = Some(Condition::constant(false).at(table));
            }
            (other.measures, other.having) = (Vec::new(), None);
            plan.left = Some(Box::new(other));
        }
        Ok(plan)
    }

    /// Groups and measures in the light of a day.
    fn bound(&self, checker: &Checker<'_>, filter: Vec<(String, Condition)>) -> Result<Plan> {
        let (query, snapshot) = (self.query, self.snapshot);
        let places = filter.iter().map(|(_, condition)| condition);
        let places = places.chain(self.scope.as_ref().map(Scope::condition));
        let next = next_level(snapshot.tree(), places);
        let list = match query.select.is_empty() {
            true => None,
            false => Some(listed(query, next, checker)?),
        };
        let matrix = matrix(query, checker)?;
        let mut groups = Vec::with_capacity(query.by.len());
        for clause in &query.by {
            groups.push(checker.of(&clause.source).group(clause, next)?);
        }
        let mut aggregates = Vec::new();
        let counted = [counted()?];
        let asked = match query.measures.as_slice() {
            [] if list.is_none() && matrix.is_empty() => &counted[..],
            asked => asked,
        };
        let mut measures = Vec::with_capacity(asked.len());
        for measure in asked {
            let checker = checker.of(&measure.clause.source);
            measures.push(checker.measure(&measure.name, &measure.clause, &mut aggregates)?);
        }
        let having = query.having.as_ref();
        let having = having.map(|c| checker.of(&c.source).having(c, asked, &mut aggregates));
        let protection = query.publish.map(|publish| {
            protection(query, publish, (checker.table, &groups), (&measures, &mut aggregates))
        });
        let protection = protection.transpose()?;
        Ok(Plan {
            schema: Arc::clone(&self.schema),
            version: snapshot.version(),
            as_of: checker.as_of,
            table: checker.table,
            scope: self.scope.clone().map(|scope| scope.at(checker.table)),
            filter,
            list,
            matrix,
            flow: None,
            exchange: None,
            groups,
            aggregates,
            measures,
            having: having.transpose()?,
            protection,
            totals: query.totals,
            top: None,
            order: Vec::new(),
            limit: query.limit,
            offset: query.offset,
            moments: Vec::new(),
            left: None,
            compared: Vec::new(),
            beside: Vec::new(),
        })
    }
}

/// Refuses clauses that do not go together, whatever else is asked.
fn senseless(query: &Query) -> Result<()> {
    if let (Some(_), true) = (&query.after, query.select.is_empty()) {
        let what = "`after` goes on with a list: it stands with `select`".to_owned();
        return Err(Error::Type { what, place: named_place(&query.from) });
    }
    if let (Some(_), true) = (&query.publish, query.explain) {
        // The rows of its steps are no protected figures.
        let what = "what is published is not explained: ask without `publish`".to_owned();
        return Err(Error::Type { what, place: named_place(&query.from) });
    }
    Ok(())
}

/// The columns that stand beside each number because of what it is compared with.
fn beside(plan: &mut Plan, compared: &str, own: &str) {
    for measure in &plan.measures {
        let Shape::Number(number) = measure.shape else { continue };
        let shapes = [
            (own, measure.shape, measure.unit.clone()),
            ("_change", Shape::Number(number), measure.unit.clone()),
            ("_percent", Shape::Number(Number::FLOAT), None),
        ];
        for (word, shape, unit) in shapes {
            let name = format!("{}.{compared}{word}", measure.name);
            let formula = measure.formula.clone();
            plan.beside.push(Measured { name, formula, shape, unit });
        }
    }
}

/// Refuses a question that does more than choose rows.
pub(super) fn only_rows(query: &Query) -> Result<()> {
    refuse(query, "a set is made of rows", &["as_of"])
}

fn clause_place(clause: &Clause) -> Box<Place> {
    clause.source.place(clause.expr.span)
}

fn named_place(named: &ast::Named) -> Box<Place> {
    named.source.place(named.word.span)
}

/// Refuses what a question has besides the clause that makes it one of its own kind, and besides
/// what goes with that; a filter always does.
fn refuse(query: &Query, what: &str, with: &[&str]) -> Result<()> {
    let from = || named_place(&query.from);
    let first = |list: &[Definition]| list.first().map(|d| clause_place(&d.clause));
    let asked = [
        ("by", query.by.first().map(clause_place)),
        ("measure", first(&query.measures)),
        ("matrix", first(&query.matrix)),
        ("select", first(&query.select)),
        ("having", query.having.as_ref().map(clause_place)),
        ("totals", query.totals.then(from)),
        ("top", query.top.as_ref().map(|_| from())),
        ("order", query.order.first().map(|key| key.source.place(key.span))),
        ("limit", query.limit.map(|_| from())),
        ("offset", (query.offset > 0).then(from)),
        ("over", query.over.as_ref().map(|_| from())),
        ("compare", query.compare.first().map(|_| from())),
        ("publish", query.publish.map(|_| from())),
        ("flow", query.flow.as_ref().map(|flow| flow.source.place(flow.span))),
        ("with", query.with.first().and_then(|with| with.first()).map(Change::place)),
        ("as_of", query.as_of.map(|_| from())),
    ];
    let other = asked.into_iter().filter(|(name, _)| !with.contains(name));
    match other.filter_map(|(name, place)| Some((name, place?))).next() {
        Some((name, place)) => {
            Err(Error::Type { what: format!("{what} and goes without `{name}`"), place })
        }
        None => Ok(()),
    }
}

/// How the small cells of a question are protected.
fn protection(
    query: &Query,
    publish: Publish,
    (table, groups): (usize, &[Group]),
    (measures, aggregates): (&[Measured], &mut Vec<Aggregate>),
) -> Result<Protection> {
    let with = ["by", "measure", "totals", "order", "limit", "offset", "over", "as_of", "publish"];
    refuse(query, "`publish` protects the counts of groups", &with)?;
    for (group, clause) in groups.iter().zip(&query.by) {
        if matches!(group.kind, GroupKind::Text { .. } | GroupKind::Date(_)) {
            let what = format!(
                "`{}` tells one row from others and is not published; group by codes, flags, \
                 places, bands, whole numbers or months",
                group.name
            );
            return Err(Error::Type { what, place: clause_place(clause) });
        }
    }
    Protection::new(publish, table, aggregates).map_err(|aggregate| {
        let of = measures.iter().position(|measure| measure.formula.asks(aggregate));
        let clause = of.and_then(|place| query.measures.get(place)).map(|d| &d.clause);
        let what = "this tells of single rows and is not published; ask for count, count_distinct \
                    of rows above, sum, avg, stddev, and what is computed from them";
        let place = clause.map_or_else(|| named_place(&query.from), clause_place);
        Error::Type { what: what.to_owned(), place }
    })
}

/// The list of rows that a question asks for.
fn listed(query: &Query, next: usize, checker: &Checker<'_>) -> Result<List> {
    let with = ["select", "order", "limit", "offset", "as_of"];
    refuse(query, "`select` lists rows", &with)?;
    let columns = query.select.iter().map(|d| checker.of(&d.clause.source).listed(d, next));
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
    // A list that is not cut has no next page, and nobody asks to which question it belongs.
    let question = query.limit.map_or(0, |_| cursor::question(query));
    Ok(List { columns, order, after, question })
}

/// The conditions of a matrix.
fn matrix(query: &Query, checker: &Checker<'_>) -> Result<Matrix> {
    if !query.matrix.is_empty() {
        refuse(query, "`matrix` counts conditions", &["matrix", "as_of"])?;
    }
    let condition = |found: &Definition| {
        let condition = checker.of(&found.clause.source).condition(&found.clause.expr)?;
        Ok((found.name.clone(), condition.at(checker.table)))
    };
    query.matrix.iter().map(condition).collect()
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

fn order_key(order: &Order, groups: &[Group], measures: &[&Measured]) -> Result<(Key, bool)> {
    let measure = measures.iter().position(|m| m.name == order.key).map(Key::Measure);
    let group = || groups.iter().position(|g| g.name == order.key).map(Key::Group);
    let found = measure.or_else(group);
    if let Some(Key::Measure(place)) = found
        && measures.get(place).is_some_and(|m| matches!(m.shape, Shape::Ints | Shape::Floats))
    {
        let what = format!("`{}` is a list of numbers, and lists have no order", order.key);
        return Err(Error::Type { what, place: order.source.place(order.span) });
    }
    match found {
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
