//! Measures of a group: aggregates over the rows of a table expression, and what is computed of
//! them.
//!
//! Invariant: the arguments and conditions of aggregates are columns of that table expression;
//! rows of several days stand in it together, each with the number of its day in `_at`.

use super::Printer;
use super::text::{AND, OR, PRODUCT, SIGNED, Sql};
use super::values::{Sort, operated};
use crate::ast::Arithmetic;
use crate::check::{Aggregate, Combine, Formula, Having, Measured, Shape, Statistic};
use crate::error::Result;
use crate::numbers::ten_to;

/// One aggregate over the columns of the rows.
#[derive(Debug, Clone)]
pub(super) struct Gathered {
    pub(super) combine: Combine,
    /// The column of the argument.
    pub(super) argument: Option<Sql>,
    /// What its rows must satisfy.
    pub(super) kept: Vec<Sql>,
    /// What the argument is said as.
    pub(super) sort: Option<Sort>,
}

/// The aggregates of the rows of one day, and where those rows stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day<'a> {
    pub(super) aggregates: &'a [Gathered],
    /// The table expression, for what speaks of all rows.
    pub(super) rows: &'a str,
}

fn filter(kept: &[Sql]) -> String {
    if kept.is_empty() {
        return String::new();
    }
    format!(" FILTER (WHERE {})", Sql::joined(kept.to_vec(), "AND", AND).text)
}

/// Whether a formula reads any row.
fn reads(formula: &Formula) -> bool {
    match formula {
        Formula::Constant(_) => false,
        Formula::Aggregate(_) | Formula::Statistic(..) => true,
        Formula::Negative(a)
        | Formula::Times(a, _)
        | Formula::ToFloat(a, _)
        | Formula::Share(a) => reads(a),
        Formula::Exact(_, a, b) | Formula::Float(_, a, b) => reads(a) || reads(b),
    }
}

impl Printer<'_> {
    /// The argument of an aggregate of a plan's rows, if it has one.
    pub(super) fn argument(
        &mut self,
        aggregate: &Aggregate,
        sort: Option<Sort>,
        from: &mut super::tables::From,
    ) -> Result<Option<Sql>> {
        match (aggregate.combine, &aggregate.argument) {
            (Combine::DistinctRows(above), _) => Ok(Some(self.named(above, super::ROW, from))),
            (Combine::DistinctTexts { table, column }, _) => {
                Ok(Some(self.column(table, column, from)))
            }
            (Combine::Bins { low, high, bins, float }, Some(value)) => {
                let value = self.value(value, None, from)?;
                Ok(Some(self.bin(&value, (low, high), bins, float)))
            }
            (_, Some(value)) => Ok(Some(self.value(value, sort, from)?)),
            (_, None) => Ok(None),
        }
    }

    /// The bin of a value, from 0; nothing outside.
    fn bin(&self, value: &Sql, (low, high): (f64, f64), bins: u32, float: bool) -> Sql {
        let number = |bound: f64| {
            if float { Sql::float(bound) } else { Sql::new(SIGNED, format!("{bound}")) }
        };
        let (least, most, width) = (number(low), number(high), number(high - low));
        let inside = format!("{} BETWEEN {} AND {}", value.at(5), least.text, most.text);
        let from_low = Sql::two(super::text::SUM, value, "-", &least);
        let last = Sql::integer(i64::from(bins) - 1);
        let place = if float {
            let part = Sql::two(PRODUCT, &from_low, "/", &width);
            let part = Sql::two(PRODUCT, &part, "*", &Sql::integer(bins.into()));
            Sql::said(self.words.whole, &[&Sql::call("floor", &[part])])
        } else {
            let wide = Sql::said(self.words.wide, &[&from_low]);
            let part = Sql::two(PRODUCT, &wide, "*", &Sql::integer(bins.into()));
            Sql::said(self.words.whole, &[&Sql::said(self.words.quotient, &[&part, &width])])
        };
        let place = Sql::call("least", &[place, last]);
        Sql::case(&Sql::new(super::text::COMPARE, inside), &place, None)
    }

    /// One aggregate.
    fn gathered(&self, gathered: &Gathered) -> Sql {
        let Gathered { combine, argument, kept, .. } = gathered;
        let kept = filter(kept);
        let none = Sql::null();
        let argument = argument.as_ref().unwrap_or(&none);
        let call = |name: &str| Sql::primary(format!("{name}({}){kept}", argument.text));
        let said = |template: &str| {
            Sql::primary(format!("{}{kept}", Sql::said(template, &[argument]).text))
        };
        let or_zero = |sum: Sql| Sql::call("coalesce", &[sum, Sql::integer(0)]);
        match combine {
            Combine::Count | Combine::Left => Sql::primary(format!("count(*){kept}")),
            Combine::Sum { float: false } => or_zero(call("sum")),
            Combine::Sum { float: true } => or_zero(said(self.words.float_sum)),
            Combine::Average { float: false, over } => self.divided(&call("avg"), *over),
            Combine::Average { float: true, over } => {
                self.divided(&said(self.words.float_average), *over)
            }
            Combine::Least { .. } => call("min"),
            Combine::Greatest { .. } => call("max"),
            Combine::DistinctRows(_) | Combine::DistinctValues | Combine::DistinctTexts { .. } => {
                Sql::primary(format!("count(DISTINCT {}){kept}", argument.text))
            }
            Combine::Moments | Combine::All { .. } | Combine::Bins { .. } => none,
        }
    }

    /// A statistic of an aggregate that keeps its values.
    fn statistic(&self, kind: Statistic, gathered: &Gathered, over: f64) -> Sql {
        let none = Sql::null();
        let argument = gathered.argument.as_ref().unwrap_or(&none);
        let words = self.words;
        let exact = !matches!(gathered.combine, Combine::All { float: true });
        let of = |template: &str, parts: &[&Sql]| {
            let text = Sql::said(template, parts).text;
            Sql::primary(format!("{text}{}", filter(&gathered.kept)))
        };
        let listed = || {
            let value = if exact { Sql::said(words.wide, &[argument]) } else { argument.clone() };
            let text = Sql::said(words.sorted, &[&value]).text;
            let mut kept = gathered.kept.clone();
            kept.push(argument.is("NOT NULL"));
            Sql::primary(format!("{text}{}", filter(&kept)))
        };
        match kind {
            Statistic::Quantile(share) => {
                let found = of(words.quantile, &[argument, &Sql::primary(share.to_string())]);
                self.divided(&found, over)
            }
            Statistic::Deviation => self.divided(&of(words.deviation, &[argument]), over),
            Statistic::Gini => Sql::said(words.gini, &[&listed()]),
            Statistic::Lorenz(parts) => {
                Sql::said(words.lorenz, &[&listed(), &Sql::integer(parts.into())])
            }
            Statistic::Counts => {
                let bins = if let Combine::Bins { bins, .. } = gathered.combine { bins } else { 0 };
                let counts = of(words.counts, &[argument]);
                Sql::said(words.bins, &[&counts, &Sql::integer(bins.into())])
            }
        }
    }

    /// What a measure computes, before it is brought to the form of the answer.
    fn formula(&self, formula: &Formula, day: Day<'_>) -> Sql {
        let of = |formula: &Formula| self.formula(formula, day);
        match formula {
            Formula::Aggregate(place) => {
                day.aggregates.get(*place).map_or_else(Sql::null, |found| self.gathered(found))
            }
            Formula::Constant(value) => Sql::integer(*value),
            Formula::Negative(inner) => Sql::new(SIGNED, format!("-{}", of(inner).at(SIGNED + 1))),
            Formula::Times(inner, times) => {
                operated(Arithmetic::Multiply, &self.wide(inner, day), &Sql::integer(*times))
            }
            Formula::ToFloat(inner, over) => {
                self.divided(&Sql::said(self.words.double, &[&of(inner)]), *over)
            }
            Formula::Exact(sign, left, right) => {
                operated(*sign, &self.wide(left, day), &self.wide(right, day))
            }
            Formula::Float(sign, left, right) => operated(*sign, &of(left), &of(right)),
            Formula::Share(inner) => {
                let own = of(inner);
                let whole = match reads(inner) {
                    true => Sql::primary(format!("(SELECT {} FROM {})", own.text, day.rows)),
                    false => own.clone(),
                };
                let double = |sql: &Sql| Sql::said(self.words.double, &[sql]);
                operated(Arithmetic::Divide, &double(&own), &double(&whole))
            }
            Formula::Statistic(kind, place, over) => {
                let found = day.aggregates.get(*place);
                found.map_or_else(Sql::null, |found| self.statistic(*kind, found, *over))
            }
        }
    }

    /// An exact number that another is computed of: an extreme may lie at the ends of 64 bits.
    fn wide(&self, formula: &Formula, day: Day<'_>) -> Sql {
        let sql = self.formula(formula, day);
        let Formula::Aggregate(place) = formula else { return sql };
        match day.aggregates.get(*place).map(|found| found.combine) {
            Some(Combine::Least { float: false } | Combine::Greatest { float: false }) => {
                Sql::said(self.words.wide, &[&sql])
            }
            _ => sql,
        }
    }

    /// A measure as the answer has it.
    pub(super) fn measure(&self, measured: &Measured, day: Day<'_>) -> Sql {
        let sql = self.formula(&measured.formula, day);
        match measured.shape {
            Shape::Number(number) if number.float => sql,
            Shape::Number(number) if number.scale > 0 => {
                let double = Sql::said(self.words.double, &[&sql]);
                self.divided(&double, ten_to(number.scale) as f64)
            }
            Shape::Number(_) if is_count(&measured.formula, day) => sql,
            Shape::Number(_) => Sql::said(self.words.whole, &[&sql]),
            Shape::Month => Sql::said(self.words.month_text, &[&sql]),
            Shape::Date | Shape::Ints | Shape::Floats => sql,
        }
    }

    /// Of a measure now and before: what it was, by how much it changed, and in percent.
    pub(super) fn beside(
        &self,
        measured: &Measured,
        (own, other): (&Sql, &Sql),
        assumed: bool,
    ) -> [Sql; 3] {
        let (now, before) = if assumed { (other, own) } else { (own, other) };
        let exact = matches!(measured.shape, Shape::Number(n) if !n.float && n.scale == 0);
        let change = operated(Arithmetic::Subtract, now, before);
        let double =
            |sql: &Sql| if exact { Sql::said(self.words.double, &[sql]) } else { sql.clone() };
        let hundred = operated(Arithmetic::Multiply, &double(&change), &Sql::integer(100));
        let percent = operated(Arithmetic::Divide, &hundred, &double(before));
        [other.clone(), change, percent]
    }

    /// A condition on measures.
    pub(super) fn having(&self, having: &Having, day: Day<'_>) -> Sql {
        let all = |parts: &[Having]| parts.iter().map(|part| self.having(part, day)).collect();
        match having {
            Having::Compare(sign, left, right) => {
                let sort = [left, right].into_iter().find_map(|formula| self.dated(formula, day));
                let side = |formula: &Formula| match (formula, sort) {
                    (Formula::Constant(value), Some(_)) => {
                        self.constant(*value, sort).unwrap_or_else(|_| Sql::null())
                    }
                    _ => self.formula(formula, day),
                };
                side(left).compared(super::conditions::comparison(*sign), &side(right))
            }
            Having::Known(formula) => self.formula(formula, day).is("NOT NULL"),
            Having::Constant(value) => Sql::truth(*value),
            Having::Not(inner) => self.having(inner, day).not(),
            Having::All(parts) => Sql::joined(all(parts), "AND", AND),
            Having::Any(parts) => Sql::joined(all(parts), "OR", OR),
        }
    }

    /// Whether a formula is a day or a month.
    fn dated(&self, formula: &Formula, day: Day<'_>) -> Option<Sort> {
        let Formula::Aggregate(place) = formula else { return None };
        let found = day.aggregates.get(*place)?;
        match found.combine {
            Combine::Least { .. } | Combine::Greatest { .. } => found.sort,
            _ => None,
        }
    }
}

/// Whether a measure is a plain count.
fn is_count(formula: &Formula, day: Day<'_>) -> bool {
    let Formula::Aggregate(place) = formula else { return false };
    let combine = day.aggregates.get(*place).map(|found| found.combine);
    matches!(
        combine,
        Some(
            Combine::Count
                | Combine::Left
                | Combine::DistinctRows(_)
                | Combine::DistinctValues
                | Combine::DistinctTexts { .. }
        )
    )
}
