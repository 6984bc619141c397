//! Conditions on a row. The three-valued logic of the language is that of SQL.

use yiku::{Predicate, calendar};

use super::Printer;
use super::tables::From;
use super::text::{AND, COMPARE, OR, SUM, Sql};
use super::values::Sort;
use crate::ast::Comparison;
use crate::bound::{Condition, Test, Value};
use crate::error::Result;

impl Printer<'_> {
    /// The conditions that must all be true.
    pub(super) fn clauses(&mut self, condition: &Condition, from: &mut From) -> Result<Vec<Sql>> {
        match &condition.kind {
            Test::Constant(true) => Ok(Vec::new()),
            Test::And(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.extend(self.clauses(part, from)?);
                }
                Ok(all)
            }
            Test::Spread(inner) | Test::Truth(inner) => self.clauses(inner, from),
            _ => Ok(vec![self.condition(condition, from)?]),
        }
    }

    /// A condition on the rows of a table.
    pub(super) fn condition(&mut self, condition: &Condition, from: &mut From) -> Result<Sql> {
        let table = condition.table;
        Ok(match &condition.kind {
            Test::Constant(value) => Sql::truth(*value),
            Test::Column { column, predicate } => {
                self.predicate((table, *column), predicate, from)?
            }
            Test::ColumnKnown { column } => self.column(table, *column, from).is("NOT NULL"),
            Test::Within { ranges } => self.within(ranges, from),
            Test::Between { value, low, high } => {
                let sort = self.sort(value);
                let value = self.value(value, None, from)?;
                self.between(&value, sort, *low, *high)?
            }
            Test::OneOf { value, list } => {
                let sort = self.sort(value);
                let value = self.value(value, None, from)?;
                self.one_of(&value, sort, list)?
            }
            Test::Compare { sign, left, right } => self.compare(*sign, left, right, from)?,
            Test::SameText { left, right } => self.same_text(*left, *right, from),
            Test::Matches { column, pattern, .. } => self.matches((table, *column), pattern, from),
            Test::ValueKnown(value) => self.value(value, None, from)?.is("NOT NULL"),
            Test::ConditionKnown(inner) => self.condition(inner, from)?.is("NOT NULL"),
            Test::Truth(inner) if inner.is_two_valued() => self.condition(inner, from)?,
            Test::Truth(inner) => self.condition(inner, from)?.is("TRUE"),
            Test::Choose(when, first, second) => {
                let when = self.condition(when, from)?;
                let first = self.condition(first, from)?;
                Sql::case(&when, &first, Some(&self.condition(second, from)?))
            }
            Test::FirstKnown(parts) => Sql::call("coalesce", &self.conditions(parts, from)?),
            Test::Same(left, right) => {
                let left = self.condition(left, from)?;
                left.compared("=", &self.condition(right, from)?)
            }
            Test::Not(inner) => self.negated(inner, from)?,
            Test::And(parts) => Sql::joined(self.conditions(parts, from)?, "AND", AND),
            Test::Or(parts) => Sql::joined(self.conditions(parts, from)?, "OR", OR),
            Test::Spread(inner) => self.condition(inner, from)?,
            Test::Any { child, condition } => {
                self.some_beneath((table, *child), condition, from)?.is("NOT NULL")
            }
        })
    }

    fn conditions(&mut self, parts: &[Condition], from: &mut From) -> Result<Vec<Sql>> {
        parts.iter().map(|part| self.condition(part, from)).collect()
    }

    /// What is said shorter than with `NOT` is said so.
    fn negated(&mut self, inner: &Condition, from: &mut From) -> Result<Sql> {
        match &inner.kind {
            Test::ColumnKnown { column } => Ok(self.column(inner.table, *column, from).is("NULL")),
            Test::Column { column, predicate: Predicate::Range { min, max } } if min == max => {
                let sort = self.column_sort(inner.table, *column);
                let value = self.column(inner.table, *column, from);
                match sort {
                    Sort::Flag => Ok(self.condition(inner, from)?.not()),
                    _ => Ok(value.compared("<>", &self.constant(*min, Some(sort))?)),
                }
            }
            Test::ValueKnown(value) => Ok(self.value(value, None, from)?.is("NULL")),
            Test::ConditionKnown(inner) => Ok(self.condition(inner, from)?.is("NULL")),
            Test::Truth(inner) if inner.is_two_valued() => self.negated(inner, from),
            Test::Truth(inner) => Ok(self.condition(inner, from)?.is("NOT TRUE")),
            Test::Spread(inner) => self.negated(inner, from),
            Test::Any { child, condition } => {
                Ok(self.some_beneath((inner.table, *child), condition, from)?.is("NULL"))
            }
            _ => Ok(self.condition(inner, from)?.not()),
        }
    }

    fn predicate(
        &mut self,
        (table, column): (usize, usize),
        predicate: &Predicate,
        from: &mut From,
    ) -> Result<Sql> {
        let sort = self.column_sort(table, column);
        let value = self.column(table, column, from);
        Ok(match predicate {
            Predicate::Range { min: 1, max: 1 } if sort == Sort::Flag => value,
            Predicate::Range { min, max } => self.between(&value, Some(sort), *min, *max)?,
            Predicate::In(list) => self.one_of(&value, Some(sort), list)?,
            Predicate::HasAny(bits) => self.has(&value, sort, *bits, self.words.has_any),
            Predicate::HasAll(bits) => self.has(&value, sort, *bits, self.words.has_all),
            Predicate::HasNone(bits) => self.has(&value, sort, *bits, self.words.has_any).not(),
            Predicate::TextIn(texts) => match texts.as_slice() {
                [only] => value.compared("=", &Sql::text(only)),
                [] => known(&value, false),
                _ => among(&value, texts.iter().map(|text| Sql::text(text))),
            },
            Predicate::TextStarts(start) => {
                Sql::said(self.words.starts, &[&value, &Sql::text(start)])
            }
            Predicate::Known => known(&value, true),
            Predicate::Unknown => value.is("NULL"),
        })
    }

    /// Codes of a set.
    fn has(&self, value: &Sql, sort: Sort, bits: u64, several: &str) -> Sql {
        let list = if let Sort::Set(list) = sort { list } else { 0 };
        let held = (0..64).filter(|bit| bits >> bit & 1 == 1);
        let names: Vec<Sql> = held.map(|bit| self.code(list, bit)).collect();
        match names.as_slice() {
            [only] => Sql::said(self.words.has, &[value, only]),
            _ => Sql::said(several, &[value, &self.list(&names)]),
        }
    }

    /// A list of values.
    pub(super) fn list(&self, parts: &[Sql]) -> Sql {
        let parts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
        Sql::primary(super::dialect::filled(self.words.list, &[&parts.join(", ")]))
    }

    /// The path of the root lies in one of these ranges: by its first digits where they say it.
    fn within(&mut self, ranges: &[(u64, u64)], from: &mut From) -> Sql {
        let path = self.column(0, self.schema.path_column(), from);
        let digits = usize::from(self.schema.path.digits());
        let of = |(low, high): &(u64, u64)| {
            let (low, high) = (format!("{low:0digits$}"), format!("{high:0digits$}"));
            let same = low.bytes().zip(high.bytes()).take_while(|(a, b)| a == b).count();
            let (head, rest) = low.split_at_checked(same).unwrap_or((&low, ""));
            let ends = high.get(same..).unwrap_or_default();
            if rest.bytes().all(|b| b == b'0') && ends.bytes().all(|b| b == b'9') {
                return Sql::said(self.words.starts, &[&path, &Sql::text(head)]);
            }
            let (low, high) = (Sql::text(&low), Sql::text(&high));
            Sql::new(COMPARE, format!("{} BETWEEN {} AND {}", path.text, low.text, high.text))
        };
        Sql::joined(ranges.iter().map(of).collect(), "OR", OR)
    }

    /// An exact value from one to another; the ends of 64 bits are no bounds.
    fn between(&self, value: &Sql, sort: Option<Sort>, low: i64, high: i64) -> Result<Sql> {
        if low > high {
            return Ok(known(value, false));
        }
        let (mut low, mut high) = (Some(low), Some(high));
        low = low.filter(|low| *low != i64::MIN);
        high = high.filter(|high| *high != i64::MAX);
        if let Some(Sort::Date | Sort::Month) = sort {
            let day = |bound: i64| match sort {
                Some(Sort::Month) => calendar::month_start(bound),
                _ => bound,
            };
            let (first, last) = self.words.days;
            if low.is_some_and(|low| day(low) > last) || high.is_some_and(|h| day(h) < first) {
                return Ok(known(value, false));
            }
            low = low.filter(|low| day(*low) > first);
            high = high.filter(|high| day(*high) < last);
        }
        let of = |bound: i64| self.constant(bound, sort);
        Ok(match (low, high) {
            (None, None) => known(value, true),
            (Some(low), None) => value.compared(">=", &of(low)?),
            (None, Some(high)) => value.compared("<=", &of(high)?),
            (Some(low), Some(high)) if low == high => value.compared("=", &of(low)?),
            (Some(low), Some(high)) => {
                let (low, high) = (of(low)?.at(SUM), of(high)?.at(SUM));
                Sql::new(COMPARE, format!("{} BETWEEN {low} AND {high}", value.at(SUM)))
            }
        })
    }

    fn one_of(&self, value: &Sql, sort: Option<Sort>, list: &[i64]) -> Result<Sql> {
        let (first, last) = self.words.days;
        let dated = |found: &i64| match sort {
            Some(Sort::Date) => (first..=last).contains(found),
            Some(Sort::Month) => (first..=last).contains(&calendar::month_start(*found)),
            _ => true,
        };
        let found = list.iter().filter(|found| dated(found));
        let found = found.map(|found| self.constant(*found, sort)).collect::<Result<Vec<_>>>()?;
        Ok(match found.as_slice() {
            [] => known(value, false),
            [only] => value.compared("=", only),
            _ => among(value, found.into_iter()),
        })
    }

    fn compare(
        &mut self,
        sign: Comparison,
        left: &Value,
        right: &Value,
        from: &mut From,
    ) -> Result<Sql> {
        let sort = self.sort(left).or(self.sort(right));
        let left = self.value(left, sort, from)?;
        let right = self.value(right, sort, from)?;
        Ok(left.compared(comparison(sign), &right))
    }
}

/// A comparison as SQL writes it.
pub(super) fn comparison(sign: Comparison) -> &'static str {
    if sign == Comparison::NotEqual { "<>" } else { sign.sign() }
}

/// A value is one of some.
fn among(value: &Sql, list: impl Iterator<Item = Sql>) -> Sql {
    let list: Vec<String> = list.map(|found| found.text).collect();
    Sql::new(COMPARE, format!("{} IN ({})", value.at(SUM), list.join(", ")))
}

/// True, or false, where a value is known; unknown elsewhere.
fn known(value: &Sql, answer: bool) -> Sql {
    Sql::case(&value.is("NOT NULL"), &Sql::truth(answer), None)
}
