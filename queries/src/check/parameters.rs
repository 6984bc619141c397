//! Parameters: `$name` is the number that is in force at the place of a row on the day of the
//! question.
//!
//! Invariant: the ranges of places that a parameter has values in are apart and sorted; the most
//! particular place decides, in it the latest day.

use std::sync::Arc;

use yiku::calendar;
use yiku::schema::Kind;

use super::{Checker, Type, Typed, What};
use crate::ast::{Arithmetic, Change};
use crate::bound::{Condition, Term, Test, Value};
use crate::error::{Error, Result};
use crate::household::{Standard, Unit};
use crate::nearest::nearest;
use crate::numbers::{Number, literal, ten_to};
use crate::source::Span;
use yiku::Predicate;

/// The flag of the root table that tells which of two standards holds.
const URBAN: &str = "urban";

/// Decimals of an amount of money as it is kept.
const MONEY_DECIMALS: u8 = 2;

impl Checker<'_> {
    /// The number that a parameter stands for.
    pub(super) fn parameter(&self, name: &str, span: Span) -> Result<Typed> {
        let all = self.named.parameters.map_or(&[][..], |parameters| parameters.all());
        let own: Vec<&Standard> = all.iter().filter(|standard| standard.name == name).collect();
        let Some(first) = own.first() else {
            return Err(self.unknown_parameter(name, span));
        };
        let money = first.unit.is_money();
        if own.iter().any(|s| s.unit.is_money() != money || s.unit == Unit::Rounding) {
            return Err(self.wrong(span, format!("`${name}` is no number")));
        }
        let scale = if money { MONEY_DECIMALS } else { self.decimals(&own) };
        let number = if money { Number::MONEY } else { Number { scale, ..Number::INT } };
        let value = self.standard(&own, scale, span)?;
        Ok(Typed { kind: Type::Number(number), what: What::Value(value), span })
    }

    fn unknown_parameter(&self, name: &str, span: Span) -> Error {
        let all = self.named.parameters.map_or(&[][..], |parameters| parameters.all());
        Error::UnknownParameter {
            name: name.to_owned(),
            suggestion: nearest(name, all.iter().map(|standard| standard.name.as_str())),
            place: self.source.place(span),
        }
    }

    /// The parameters that are given other values are there.
    pub(crate) fn changes_known(&self) -> Result<()> {
        let all = self.named.parameters.map_or(&[][..], |parameters| parameters.all());
        for change in self.named.changes {
            if !all.iter().any(|standard| standard.name == change.name.text) {
                let span = change.span();
                return Err(self.of(&change.source).unknown_parameter(&change.name.text, span));
            }
        }
        Ok(())
    }

    /// The most decimals that a plain number is kept with.
    fn decimals(&self, own: &[&Standard]) -> u8 {
        let own = own.iter().map(|standard| (standard.name.as_str(), standard.value.as_str()));
        let name = own.clone().next().map(|(name, _)| name);
        let changes = self.named.changes.iter().map(|c| (c.name.text.as_str(), c.number.as_str()));
        let texts = own.chain(changes).filter(|(of, _)| Some(*of) == name);
        texts.filter_map(|(_, text)| literal(text)).map(|(_, scale)| scale).max().unwrap_or(0)
    }

    /// The value of each root row; by what kind of household it is, where that matters.
    fn standard(&self, own: &[&Standard], scale: u8, span: Span) -> Result<Value> {
        let of = |urban: Option<bool>| self.by_place(own, urban, scale, span);
        if own.iter().all(|standard| standard.urban.is_none()) {
            return of(None);
        }
        let flag = self.schema.tables.first().and_then(|root| {
            let column = root.column_index(URBAN)?;
            let is_flag = root.columns.get(column).is_some_and(|c| c.kind == Kind::Flag);
            is_flag.then_some(column)
        });
        let Some(column) = flag else {
            let what = format!("this parameter needs a flag `{URBAN}` of the root table");
            return Err(self.wrong(span, what));
        };
        let is = |value| {
            let predicate = Predicate::Range { min: value, max: value };
            Box::new(Condition { table: 0, kind: Test::Column { column, predicate } })
        };
        let [urban, rural, unclear] = [of(Some(true))?, of(Some(false))?, of(None)?].map(Box::new);
        let other = Value { table: 0, kind: Term::If(is(0), rural, unclear) };
        Ok(Value { table: 0, kind: Term::If(is(1), urban, Box::new(other)) })
    }

    /// The value by the place of a root row, of households of one kind.
    fn by_place(
        &self,
        own: &[&Standard],
        urban: Option<bool>,
        scale: u8,
        span: Span,
    ) -> Result<Value> {
        let day = self.need_as_of()?;
        let digits = self.schema.path.digits();
        let in_force = |s: &&&Standard| {
            let begun = calendar::parse_date(&s.from).is_some_and(|from| from <= day);
            begun && (s.urban.is_none() || s.urban == urban)
        };
        // Later ones behind earlier ones, particular places behind those that hold them.
        let mut kept: Vec<&Standard> = own.iter().filter(in_force).copied().collect();
        kept.sort_by_key(|s| (s.region.len(), &s.region, s.from.clone()));
        let mut places = Vec::with_capacity(kept.len());
        for standard in kept {
            let known = self.schema.path.levels.iter();
            if !known.clone().any(|level| usize::from(level.digits) == standard.region.len()) {
                let what = format!("{} is at no level of the path", standard.label());
                return Err(self.wrong(span, what));
            }
            let width = usize::from(digits).saturating_sub(standard.region.len());
            let unit = 10u64.saturating_pow(u32::try_from(width).unwrap_or(u32::MAX));
            let prefix: u64 = standard.region.parse().unwrap_or(0);
            let low = prefix.saturating_mul(unit);
            let value = self.changed_value(standard, scale, span)?;
            places.push((low, low.saturating_add(unit - 1), value));
        }
        let ranges = painted(&places);
        Ok(match ranges.as_slice() {
            [] => Value { table: 0, kind: Term::ByPlace(Arc::new([])) },
            _ => Value { table: 0, kind: Term::ByPlace(ranges.into()) },
        })
    }

    /// The value of a standard, as an integer of so many decimals, with what the question
    /// assumes of it.
    fn changed_value(&self, standard: &Standard, scale: u8, span: Span) -> Result<i64> {
        let beyond = || Error::Overflow { what: format!("`${}`", standard.name) };
        let text = standard.literal().map_err(|_| {
            self.wrong(span, format!("{}: `{}` is no number", standard.label(), standard.value))
        })?;
        let mut value = scaled(&text, scale, 1).ok_or_else(beyond)?;
        let changes = self.named.changes.iter().filter(|change| change.name.text == standard.name);
        for change in changes {
            let months = self.months(change, standard)?;
            let amount = scaled(&change.number, scale, months).ok_or_else(|| {
                if literal(&change.number).is_none_or(|(_, decimals)| decimals <= scale) {
                    return beyond();
                }
                let what =
                    format!("`{}` has more decimals than `${}`", change.number, standard.name);
                Error::Type { what, place: change.place() }
            })?;
            let changed = match change.sign {
                None => Some(amount),
                Some(Arithmetic::Subtract) => value.checked_sub(amount),
                Some(_) => value.checked_add(amount),
            };
            value = changed.ok_or_else(beyond)?;
        }
        Ok(value)
    }

    /// How often an amount that is told for a month goes into one of a year.
    fn months(&self, change: &Change, standard: &Standard) -> Result<i64> {
        let yearly = matches!(standard.unit, Unit::YuanMonth | Unit::YuanYear);
        match change.monthly {
            true if yearly => Ok(12),
            true => {
                let what = format!("`${}` is no amount of a month or a year", standard.name);
                Err(Error::Type { what, place: change.place() })
            }
            false => Ok(1),
        }
    }
}

/// A written number as an integer of so many decimals, so many times; none where it has more.
fn scaled(text: &str, scale: u8, times: i64) -> Option<i64> {
    let (number, own) = literal(text)?;
    number.checked_mul(ten_to(scale.checked_sub(own)?))?.checked_mul(times)
}

/// Ranges that are apart: of those that hold a code, the last decides. Each either holds another
/// or is apart from it.
fn painted(places: &[(u64, u64, i64)]) -> Vec<(u64, u64, i64)> {
    let ends = places.iter().flat_map(|(low, high, _)| [*low, high.saturating_add(1)]);
    let mut ends: Vec<u64> = ends.collect();
    ends.sort_unstable();
    ends.dedup();
    let mut found: Vec<(u64, u64, i64)> = Vec::with_capacity(ends.len());
    for pair in ends.windows(2) {
        let [low, next] = pair else { continue };
        let high = next.saturating_sub(1);
        let holds = |(from, to, _): &&(u64, u64, i64)| *from <= *low && high <= *to;
        let Some((_, _, value)) = places.iter().rev().find(holds) else { continue };
        match found.last_mut() {
            Some(last) if last.1.saturating_add(1) == *low && last.2 == *value => last.1 = high,
            _ => found.push((*low, high, *value)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::painted;

    #[test]
    fn the_most_particular_place_decides() {
        let all = (1000, 1999, 5);
        assert_eq!(painted(&[]), []);
        assert_eq!(painted(&[all]), [all]);
        let city = (1100, 1199, 7);
        let apart = [(1000, 1099, 5), (1100, 1199, 7), (1200, 1999, 5)];
        assert_eq!(painted(&[all, city]), apart);
        // The later of one place; the same value on both sides of an end is one range.
        assert_eq!(painted(&[all, (1000, 1999, 6)]), [(1000, 1999, 6)]);
        assert_eq!(painted(&[all, (1100, 1199, 5)]), [all]);
        assert_eq!(painted(&[(3, 4, 1), (8, 9, 1)]), [(3, 4, 1), (8, 9, 1)]);
    }
}
