//! Questions for groups: the rows of every day that is asked about, then their groups, then the
//! groups that the answer keeps.
//!
//! Rows of several days (of the day itself, of what left since the moment before, of the days
//! that it is compared with) stand in one table expression, so that a group that is in one of
//! them stands beside nothing of the others.

use super::groups::ordered;
use super::measures::{Day, Gathered};
use super::tables::From;
use super::text::{AND, OR, Sql, identifier};
use super::values::Sort;
use super::{Printer, selected};
use crate::check::{Aggregate, Combine, Formula, Group, Measured, Shape};
use crate::error::Result;
use crate::plan::{Key, Plan};
use yiku::calendar;

/// The rows of one day.
struct Side<'p> {
    plan: &'p Plan,
    /// Those that left: their aggregates are the ones of [`Combine::Left`].
    left: bool,
    /// The day whose aggregates they are, by its place.
    day: usize,
}

/// What a column of the rows holds: columns of several days are shared where they hold the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Condition,
    Sort(Option<Sort>),
    Float,
}

/// Columns that rows have besides their keys.
#[derive(Default)]
struct Columns {
    holds: Vec<Holds>,
}

/// The columns of one side: places among the columns, and what stands there.
type Filled = Vec<(usize, Sql)>;

impl Columns {
    /// The column of a piece of a side: one that holds such and is not taken by another.
    fn of(&mut self, holds: Holds, sql: Sql, filled: &mut Filled) -> Sql {
        let same =
            filled.iter().find(|(at, known)| *known == sql && self.holds.get(*at) == Some(&holds));
        let place = same.map(|(at, _)| *at).unwrap_or_else(|| {
            let free = |at: &usize| filled.iter().all(|(taken, _)| taken != at);
            let fits = |at: &usize| self.holds.get(*at) == Some(&holds);
            let place = (0..self.holds.len()).find(|at| fits(at) && free(at));
            let place = place.unwrap_or_else(|| {
                self.holds.push(holds);
                self.holds.len() - 1
            });
            filled.push((place, sql));
            place
        });
        Sql::primary(format!("_v{}", place + 1))
    }
}

fn key(place: usize) -> Sql {
    Sql::primary(format!("_k{}", place + 1))
}

impl Printer<'_> {
    /// A question for groups.
    pub(super) fn groups(&mut self, plan: &Plan) -> Result<String> {
        let cut = plan.limit.is_some() || plan.offset > 0;
        let staged = !plan.moments.is_empty() || plan.top.is_some() || plan.totals && cut;
        if !staged {
            let (select, grouped) = self.part(plan, "_rows", None)?;
            let order = self.order(plan, false);
            return Ok(format!("{}{grouped}{order}{}", selected(&select), pages(plan)));
        }
        let mut parts = Vec::new();
        if plan.moments.is_empty() {
            let (select, grouped) = self.part(plan, "_rows", Some(None))?;
            parts.push(format!("{}{grouped}", selected(&select)));
        }
        for (place, moment) in plan.moments.iter().enumerate() {
            let rows = format!("_rows_{}", place + 1);
            let month = self.day(calendar::month_start(moment.month))?;
            let (select, grouped) = self.part(&moment.plan, &rows, Some(Some(month)))?;
            parts.push(format!("{}{grouped}", selected(&select)));
        }
        self.parts.push(("_groups".to_owned(), parts.join("\nUNION ALL\n")));
        Ok(self.kept(plan, cut))
    }

    /// The columns of the groups of one moment, and what stands behind them. With the names of the
    /// answer, or with names of its own for an outer expression.
    fn part(
        &mut self,
        plan: &Plan,
        rows: &str,
        own: Option<Option<Sql>>,
    ) -> Result<(Vec<String>, String)> {
        let days = self.rows(plan, rows)?;
        let over = matches!(own, Some(Some(_)));
        let mut select = Vec::new();
        if let Some(Some(month)) = &own {
            select.push(format!("{} AS _k1", month.text));
        }
        let first = usize::from(over);
        for (place, group) in plan.groups.iter().enumerate() {
            let key = key(place);
            match own {
                Some(_) if over => select.push(format!("{} AS _k{}", key.text, place + 2)),
                Some(_) => select.push(key.text),
                None => select.push(self.shown(&group.kind, &key).named(self.words, &group.name)),
            }
        }
        let measures = self.measures(plan, &days, rows);
        let names = plan.measures.iter().chain(&plan.beside).map(|measured| &measured.name);
        for (place, (sql, name)) in measures.iter().zip(names).enumerate() {
            match own {
                Some(_) => select.push(format!("{} AS _m{}", sql.text, place + 1)),
                None => select.push(sql.named(self.words, name)),
            }
        }
        if own.is_some() && plan.totals {
            for place in 0..plan.groups.len() {
                let name = place + first + 1;
                select.push(format!("grouping({}) AS _t{name}", key(place).text));
            }
        }
        Ok((select, self.grouped(plan, &days, rows)))
    }

    fn grouped(&self, plan: &Plan, days: &[Vec<Gathered>], rows: &str) -> String {
        let keys: Vec<String> = (0..plan.groups.len()).map(|place| key(place).text).collect();
        let mut text = format!("\nFROM {rows}");
        match (keys.is_empty(), plan.totals) {
            (true, _) => {}
            (false, true) => text.push_str(&format!("\nGROUP BY ROLLUP ({})", keys.join(", "))),
            (false, false) => text.push_str(&format!("\nGROUP BY {}", keys.join(", "))),
        }
        let day = Day { aggregates: days.first().map_or(&[][..], Vec::as_slice), rows };
        let having = plan.having.as_ref().map(|having| self.having(having, day));
        let having = match (having, keys.last()) {
            // Totals speak of all groups.
            (Some(having), Some(last)) if plan.totals => {
                let total = Sql::primary(format!("grouping({last}) = 1"));
                Some(Sql::joined(vec![total, having], "OR", OR))
            }
            // Without any aggregate the rows would stay apart.
            (None, None) => None,
            (having, _) => having,
        };
        let all = Sql::primary("count(*) >= 0");
        let having = match (having, keys.is_empty()) {
            (Some(having), true) => Some(Sql::joined(vec![all, having], "AND", AND)),
            (None, true) => Some(all).filter(|_| !any_aggregate(plan)),
            (having, false) => having,
        };
        if let Some(having) = having {
            text.push_str(&format!("\nHAVING {}", having.text));
        }
        text
    }

    /// Every measure, and what stands beside it.
    fn measures(&self, plan: &Plan, days: &[Vec<Gathered>], rows: &str) -> Vec<Sql> {
        let day =
            |place: usize| Day { aggregates: days.get(place).map_or(&[][..], Vec::as_slice), rows };
        let mut measures: Vec<Sql> =
            plan.measures.iter().map(|measured| self.measure(measured, day(0))).collect();
        let now = measures.clone();
        for (place, compared) in plan.compared.iter().enumerate() {
            let pairs = now.iter().zip(&compared.plan.measures);
            for (now, measured) in pairs {
                if matches!(measured.shape, Shape::Number(_)) {
                    let before = self.measure(measured, day(place + 1));
                    measures.extend(self.beside(measured, (now, &before), compared.assumed));
                }
            }
        }
        measures
    }

    /// The rows of every day, as a table expression of this name; of every day the aggregates.
    fn rows(&mut self, plan: &Plan, name: &str) -> Result<Vec<Vec<Gathered>>> {
        let mut sides = vec![Side { plan, left: false, day: 0 }];
        let left = |plan: &'_ Plan| plan.left.is_some();
        if left(plan) {
            sides.extend(plan.left.as_deref().map(|plan| Side { plan, left: true, day: 0 }));
        }
        for (place, compared) in plan.compared.iter().enumerate() {
            let (plan, day) = (&compared.plan, place + 1);
            sides.push(Side { plan, left: false, day });
            sides.extend(plan.left.as_deref().map(|plan| Side { plan, left: true, day }));
        }
        let mut columns = Columns::default();
        let mut days: Vec<Vec<Gathered>> = vec![Vec::new(); plan.compared.len() + 1];
        let mut read = Vec::with_capacity(sides.len());
        for (at, side) in sides.iter().enumerate() {
            let mark = (sides.len() > 1).then(|| {
                let at = i64::try_from(at).unwrap_or(i64::MAX);
                Sql::primary("_at").compared("=", &Sql::integer(at))
            });
            let Some(aggregates) = days.get_mut(side.day) else { continue };
            read.push(self.side(side, mark, &mut columns, aggregates)?);
        }
        let several = read.len() > 1;
        let texts: Vec<String> = read
            .into_iter()
            .enumerate()
            .map(|(at, (mut head, filled, tail))| {
                if several {
                    head.insert(0, format!("{at} AS _at"));
                }
                for place in 0..columns.holds.len() {
                    let own = filled.iter().find(|(at, _)| *at == place);
                    let sql = own.map_or("NULL", |(_, sql)| &sql.text);
                    head.push(format!("{sql} AS _v{}", place + 1));
                }
                if head.is_empty() {
                    head.push("1 AS _one".to_owned());
                }
                format!("{}\n{tail}", selected(&head))
            })
            .collect();
        self.parts.push((name.to_owned(), texts.join("\nUNION ALL\n")));
        Ok(days)
    }

    /// The rows of one side: their keys, their columns, and where they are read. Its aggregates
    /// join those of their day.
    fn side(
        &mut self,
        side: &Side<'_>,
        mark: Option<Sql>,
        columns: &mut Columns,
        aggregates: &mut Vec<Gathered>,
    ) -> Result<(Vec<String>, Filled, String)> {
        let plan = side.plan;
        let mut from = From::new(plan.table);
        let filter = self.filter(plan, &mut from)?;
        let mut head = Vec::new();
        for (place, group) in plan.groups.iter().enumerate() {
            head.push(format!("{} AS {}", self.key(&group.kind, &mut from)?.text, key(place).text));
        }
        let mut filled = Filled::new();
        let mut lefts = (0..aggregates.len()).filter(|at| {
            side.left && aggregates.get(*at).is_some_and(|a| a.combine == Combine::Left)
        });
        let mut found = Vec::with_capacity(plan.aggregates.len());
        for (place, aggregate) in plan.aggregates.iter().enumerate() {
            let hint = hint(plan, place);
            let own = aggregate.argument.as_ref().and_then(|value| self.sort(value)).or(hint);
            let argument = self.argument(aggregate, hint, &mut from)?;
            let holds = self.holds(aggregate, own);
            let argument = argument.map(|sql| columns.of(holds, sql, &mut filled));
            let mut kept: Vec<Sql> = mark.iter().cloned().collect();
            if let Some(condition) = &aggregate.condition {
                let condition = self.condition(condition, &mut from)?;
                kept.push(columns.of(Holds::Condition, condition, &mut filled));
            }
            found.push(Gathered { combine: aggregate.combine, argument, kept, sort: own });
        }
        if side.left {
            for (at, left) in lefts.by_ref().collect::<Vec<_>>().into_iter().zip(found) {
                if let Some(slot) = aggregates.get_mut(at) {
                    *slot = left;
                }
            }
        } else {
            aggregates.extend(found);
        }
        let tail = self.tables(&from, &filter);
        Ok((head, filled, tail))
    }

    fn holds(&self, aggregate: &Aggregate, sort: Option<Sort>) -> Holds {
        match (&aggregate.argument, aggregate.combine) {
            (_, Combine::DistinctTexts { .. }) => Holds::Sort(Some(Sort::Text)),
            (_, Combine::DistinctRows(_) | Combine::Bins { .. }) => Holds::Sort(Some(Sort::Number)),
            (Some(value), _) if self.is_float(value) => Holds::Float,
            (_, _) => Holds::Sort(sort),
        }
    }

    /// What the rows of a plan must satisfy.
    pub(super) fn filter(&mut self, plan: &Plan, from: &mut From) -> Result<Vec<Sql>> {
        let mut filter = Vec::new();
        if let Some(scope) = &plan.scope {
            filter.extend(self.clauses(scope.condition(), from)?);
        }
        for (_, condition) in &plan.filter {
            filter.extend(self.clauses(condition, from)?);
        }
        Ok(filter)
    }

    /// The groups that the answer keeps, of the table expression `_groups`.
    fn kept(&mut self, plan: &Plan, cut: bool) -> String {
        let mut source = "_groups";
        let total = self.level(plan, true);
        if let Some(top) = &plan.top {
            let within: Vec<String> = top.within.iter().map(|at| key(*at).text).collect();
            let parts = total.iter().cloned().chain(within).collect::<Vec<_>>().join(", ");
            let order = self.terms(plan, &top.order, true).join(", ");
            let parts = if parts.is_empty() { parts } else { format!("PARTITION BY {parts} ") };
            let best = format!("row_number() OVER ({parts}ORDER BY {order}) <= {}", top.count);
            let best =
                total.as_ref().map_or(best.clone(), |level| format!("{level} > 0 OR {best}"));
            let sql = format!("SELECT *\nFROM _groups\nQUALIFY {best}");
            self.parts.push(("_best".to_owned(), sql));
            source = "_best";
        }
        let mut select = Vec::new();
        for (place, group) in plan.groups.iter().enumerate() {
            select.push(self.shown(&group.kind, &key(place)).named(self.words, &group.name));
        }
        let measures = plan.measures.iter().chain(&plan.beside).enumerate();
        select.extend(measures.map(|(place, measured)| {
            format!("_m{} AS {}", place + 1, identifier(self.words, &measured.name))
        }));
        let mut text = format!("{}\nFROM {source}", selected(&select));
        let paged = match (&total, cut) {
            (Some(level), true) => {
                let order = self.terms(plan, &plan.order, true).join(", ");
                let place = format!("row_number() OVER (PARTITION BY {level} ORDER BY {order})");
                let last = plan.limit.map(|limit| plan.offset.saturating_add(limit));
                let last = last.map_or_else(
                    || format!("{place} > {}", plan.offset),
                    |last| format!("{place} BETWEEN {} AND {last}", plan.offset.saturating_add(1)),
                );
                text.push_str(&format!("\nQUALIFY {level} > 0 OR {last}"));
                String::new()
            }
            _ => pages(plan),
        };
        format!("{text}{}{paged}", self.order(plan, true))
    }

    /// How many of the last groups a row totals; nothing where none are asked.
    fn level(&self, plan: &Plan, staged: bool) -> Option<String> {
        let first = usize::from(!plan.moments.is_empty());
        if !plan.totals || plan.groups.len() <= first {
            return None;
        }
        let total = |place: usize| match staged {
            true => format!("_t{}", place + 1),
            false => format!("grouping({})", key(place).text),
        };
        let totals: Vec<String> = (first..plan.groups.len()).map(total).collect();
        let sum = totals.join(" + ");
        Some(if totals.len() > 1 { format!("({sum})") } else { sum })
    }

    /// The clause that orders the answer.
    fn order(&self, plan: &Plan, staged: bool) -> String {
        let whole = plan.order.is_empty() && plan.limit.is_none() && plan.offset == 0;
        let mut terms = Vec::new();
        if !whole {
            terms.extend(self.level(plan, staged));
        }
        terms.extend(self.terms(plan, &plan.order, staged));
        if terms.is_empty() {
            return String::new();
        }
        format!("\nORDER BY {}", terms.join(", "))
    }

    /// What rows are ordered by, their keys at the end.
    fn terms(&self, plan: &Plan, keys: &[(Key, bool)], staged: bool) -> Vec<String> {
        let all: Vec<&Measured> = plan.measures.iter().chain(&plan.beside).collect();
        let mut terms = Vec::new();
        for (found, descending) in keys {
            match found {
                Key::Group(place) => {
                    terms.extend(self.group_terms(plan, *place, *descending, staged));
                }
                Key::Measure(place) => {
                    let number = match all.get(*place).map(|measured| measured.shape) {
                        // Lists have no order.
                        None | Some(Shape::Ints | Shape::Floats) => continue,
                        Some(_) => place + 1,
                    };
                    let name = match staged {
                        true => format!("_m{number}"),
                        false => (plan.groups.len() + number).to_string(),
                    };
                    terms.push(ordered(&Sql::primary(name), *descending));
                }
            }
        }
        for place in 0..plan.groups.len() {
            terms.extend(self.group_terms(plan, place, false, staged));
        }
        terms
    }

    fn group_terms(
        &self,
        plan: &Plan,
        place: usize,
        descending: bool,
        staged: bool,
    ) -> Vec<String> {
        let Some(Group { kind, .. }) = plan.groups.get(place) else { return Vec::new() };
        let first = usize::from(!plan.moments.is_empty());
        let mut terms = Vec::new();
        if plan.totals && place >= first {
            terms.push(match staged {
                true => format!("_t{}", place + 1),
                false => format!("grouping({})", key(place).text),
            });
        }
        terms.push(ordered(&self.rank(kind, &key(place)), descending));
        terms
    }
}

/// Whether a measure of the plan reads any row.
fn any_aggregate(plan: &Plan) -> bool {
    fn constant(formula: &Formula) -> bool {
        match formula {
            Formula::Constant(_) => true,
            Formula::Aggregate(_) | Formula::Statistic(..) => false,
            Formula::Negative(a) | Formula::Times(a, _) | Formula::ToFloat(a, _) => constant(a),
            // What all rows have is asked apart.
            Formula::Share(a) => constant(a),
            Formula::Exact(_, a, b) | Formula::Float(_, a, b) => constant(a) && constant(b),
        }
    }
    plan.measures.iter().any(|measured| !constant(&measured.formula))
}

/// What an aggregate is said as, where only its measure knows.
fn hint(plan: &Plan, place: usize) -> Option<Sort> {
    let of = |measured: &&Measured| measured.formula == Formula::Aggregate(place);
    match plan.measures.iter().find(of)?.shape {
        Shape::Date => Some(Sort::Date),
        Shape::Month => Some(Sort::Month),
        _ => None,
    }
}

/// The clauses that cut the answer.
pub(super) fn pages(plan: &Plan) -> String {
    let limit = plan.limit.map(|limit| format!("\nLIMIT {limit}")).unwrap_or_default();
    let offset = if plan.offset > 0 { format!("\nOFFSET {}", plan.offset) } else { String::new() };
    format!("{limit}{offset}")
}
