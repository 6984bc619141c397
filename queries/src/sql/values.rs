//! Values of a row: numbers, days, months, codes.
//!
//! Invariant: a bound value is an integer or a float; what it is said as (a day, a month, the name
//! of a code) follows from the columns in it, and from what it stands beside where it has none.

use yiku::calendar;
use yiku::schema::Kind;

use super::Printer;
use super::tables::From;
use super::text::{PRODUCT, SIGNED, SUM, Sql};
use crate::ast::Arithmetic;
use crate::bound::{Reading, Term, Value};
use crate::error::{Error, Result};

/// What an exact value is said as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Number,
    Date,
    Month,
    /// Of a code list.
    Code(usize),
    Flag,
    Set(usize),
    Text,
}

/// Days and months that an interval can add.
const LATER_MAX: i64 = 1 << 31;

impl Printer<'_> {
    /// What a column is said as.
    pub(super) fn column_sort(&self, table: usize, column: usize) -> Sort {
        let found = self.schema.tables.get(table).and_then(|t| t.columns.get(column));
        let list = found.and_then(|c| c.list).unwrap_or(0);
        match found.map_or(Kind::Int, |c| c.kind) {
            Kind::Date => Sort::Date,
            Kind::Month => Sort::Month,
            Kind::Code => Sort::Code(list),
            Kind::Codes => Sort::Set(list),
            Kind::Flag => Sort::Flag,
            Kind::Text | Kind::Id | Kind::Path => Sort::Text,
            Kind::Int | Kind::Money => Sort::Number,
        }
    }

    /// What a value is said as; none of constants alone.
    pub(super) fn sort(&self, value: &Value) -> Option<Sort> {
        let first = |values: &[Value]| values.iter().find_map(|value| self.sort(value));
        match &value.kind {
            Term::Constant(_) => None,
            Term::Column(column) => Some(self.column_sort(value.table, *column)),
            Term::Spread(inner) => self.sort(inner),
            Term::Exact(Arithmetic::Add, left, _) => match self.sort(left) {
                Some(sort @ (Sort::Date | Sort::Month)) => Some(sort),
                None if left.as_constant().is_none() => None,
                _ => Some(Sort::Number),
            },
            Term::Least(values) | Term::Greatest(values) | Term::Coalesce(values) => first(values),
            Term::If(_, a, b) => self.sort(a).or_else(|| self.sort(b)),
            Term::Calendar(Reading::Month, _) => Some(Sort::Month),
            Term::AddMonths(..) => Some(Sort::Date),
            Term::Fold(fold) => match &fold.argument {
                Some(argument) => self.sort(argument),
                None => Some(Sort::Number),
            },
            _ => Some(Sort::Number),
        }
    }

    /// Whether a value is a float.
    pub(super) fn is_float(&self, value: &Value) -> bool {
        use crate::bound::Function;
        match &value.kind {
            Term::ConstantFloat(_) | Term::Float(..) | Term::ToFloat(..) => true,
            Term::Spread(inner) | Term::Absolute(inner) => self.is_float(inner),
            Term::Least(values) | Term::Greatest(values) | Term::Coalesce(values) => {
                values.iter().any(|value| self.is_float(value))
            }
            Term::If(_, a, b) => self.is_float(a) || self.is_float(b),
            Term::Fold(fold) => {
                let float = fold.argument.as_ref().is_some_and(|value| self.is_float(value));
                float || fold.function == Function::Average
            }
            _ => false,
        }
    }

    /// Whether SQL takes it for an integer of 64 bits, and not for a shorter one.
    fn is_whole(value: &Value) -> bool {
        let short = |value: i64| i32::try_from(value).is_ok();
        match &value.kind {
            Term::Constant(value) => !short(*value),
            Term::Spread(inner) | Term::Absolute(inner) => Self::is_whole(inner),
            Term::Exact(_, a, b) => Self::is_whole(a) || Self::is_whole(b),
            Term::Least(values) | Term::Greatest(values) | Term::Coalesce(values) => {
                values.iter().any(Self::is_whole)
            }
            Term::If(_, a, b) => Self::is_whole(a) || Self::is_whole(b),
            Term::ByPlace(ranges) => ranges.iter().any(|(_, _, number)| !short(*number)),
            _ => true,
        }
    }

    /// A constant, said as what it stands for.
    pub(super) fn constant(&self, value: i64, sort: Option<Sort>) -> Result<Sql> {
        match sort {
            Some(Sort::Date) => self.day(value),
            Some(Sort::Month) => self.day(calendar::month_start(value)),
            Some(Sort::Code(list)) => Ok(self.code(list, value)),
            Some(Sort::Flag) => Ok(Sql::truth(value == 1)),
            _ => Ok(Sql::integer(value)),
        }
    }

    /// The name of a code.
    pub(super) fn code(&self, list: usize, place: i64) -> Sql {
        let codes = self.schema.lists.get(list).map(|list| list.codes.as_slice());
        let place = usize::try_from(place).ok();
        let found = codes.zip(place).and_then(|(codes, place)| codes.get(place));
        found.map_or_else(Sql::null, |code| Sql::text(&code.name))
    }

    /// A day, by its name where every database reads it so.
    pub(super) fn day(&self, day: i64) -> Result<Sql> {
        let named = calendar::month_start(0)..=calendar::month_end(9_999 * 12 + 11);
        if named.contains(&day) {
            let text = super::dialect::filled(self.words.date, &[&calendar::date_text(day)]);
            return Ok(Sql::primary(text));
        }
        if (self.words.days.0..=self.words.days.1).contains(&day) {
            return Ok(Sql::said(self.words.day, &[&Sql::integer(day)]));
        }
        Err(beyond(day, self.words.days.1))
    }

    /// A value of a row; constants of a value that has no column are said as `sort`.
    pub(super) fn value(
        &mut self,
        value: &Value,
        sort: Option<Sort>,
        from: &mut From,
    ) -> Result<Sql> {
        let sort = self.sort(value).or(sort);
        match &value.kind {
            Term::Constant(constant) => self.constant(*constant, sort),
            Term::ConstantFloat(constant) => Ok(Sql::float(*constant)),
            Term::Column(column) => Ok(self.column(value.table, *column, from)),
            Term::Spread(inner) => self.value(inner, sort, from),
            Term::Exact(sign, left, right) => self.exact(*sign, (left, right), sort, from),
            Term::Float(sign, left, right) => {
                let divisor = matches!(right.kind, Term::ConstantFloat(number) if number != 0.0);
                let left = self.value(left, None, from)?;
                let right = self.value(right, None, from)?;
                if *sign == Arithmetic::Divide && divisor {
                    return Ok(Sql::two(PRODUCT, &left, "/", &right));
                }
                Ok(operated(*sign, &left, &right))
            }
            Term::ToFloat(inner, over) => {
                let inner = self.value(inner, None, from)?;
                Ok(self.divided(&Sql::said(self.words.double, &[&inner]), *over))
            }
            Term::Absolute(inner) => Ok(Sql::call("abs", &[self.value(inner, None, from)?])),
            Term::Least(values) => self.extreme("least", values, sort, from),
            Term::Greatest(values) => self.extreme("greatest", values, sort, from),
            Term::Coalesce(values) => {
                let parts = values.iter().map(|value| self.value(value, sort, from));
                Ok(Sql::call("coalesce", &parts.collect::<Result<Vec<_>>>()?))
            }
            Term::If(when, first, second) => {
                let when = self.condition(when, from)?;
                let first = self.value(first, sort, from)?;
                Ok(Sql::case(&when, &first, Some(&self.value(second, sort, from)?)))
            }
            Term::Calendar(reading, inner) => self.read(*reading, inner, from),
            Term::AddMonths(inner, months) => {
                let day = self.value(inner, Some(Sort::Date), from)?;
                self.later(&day, *months)
            }
            Term::Fold(fold) => self.fold(fold, value.table, from),
            Term::ByPlace(ranges) => Ok(self.by_place(ranges, from)),
        }
    }

    /// Divided by a power of ten that is one of the language's.
    pub(super) fn divided(&self, value: &Sql, over: f64) -> Sql {
        if over == 1.0 {
            return value.clone();
        }
        Sql::two(PRODUCT, value, "/", &Sql::primary(format!("{over}")))
    }

    fn later(&self, day: &Sql, months: i64) -> Result<Sql> {
        if months.abs() >= LATER_MAX {
            return Err(beyond(months, LATER_MAX));
        }
        Ok(Sql::said(self.words.months_later, &[day, &Sql::primary(months.to_string())]))
    }

    fn exact(
        &mut self,
        sign: Arithmetic,
        (left, right): (&Value, &Value),
        sort: Option<Sort>,
        from: &mut From,
    ) -> Result<Sql> {
        let by = right.as_constant();
        match (sign, sort, by) {
            (Arithmetic::Add, Some(Sort::Date), Some(days)) => {
                if days.abs() >= LATER_MAX {
                    return Err(beyond(days, LATER_MAX));
                }
                let day = self.value(left, sort, from)?;
                return Ok(Sql::said(self.words.days_later, &[&day, &Sql::integer(days)]));
            }
            (Arithmetic::Add, Some(Sort::Month), Some(months)) => {
                let month = self.value(left, sort, from)?;
                return self.later(&month, months);
            }
            _ => {}
        }
        let alike = self.sort(left).or(self.sort(right));
        let first = self.value(left, alike, from)?;
        let second = self.value(right, alike, from)?;
        if (sign, alike) == (Arithmetic::Subtract, Some(Sort::Month)) {
            return Ok(Sql::said(self.words.months_between, &[&first, &second]));
        }
        let short =
            !matches!(alike, Some(Sort::Date)) && !Self::is_whole(left) && !Self::is_whole(right);
        let first = if short { Sql::said(self.words.whole, &[&first]) } else { first };
        if !short && (sign, left.as_constant()) == (Arithmetic::Subtract, Some(0)) {
            return Ok(Sql::new(SIGNED, format!("-{}", second.at(super::text::PRIMARY))));
        }
        Ok(operated(sign, &first, &second))
    }

    /// Unknown where one of the values is; the functions of SQL pass over what is unknown.
    fn extreme(
        &mut self,
        name: &str,
        values: &[Value],
        sort: Option<Sort>,
        from: &mut From,
    ) -> Result<Sql> {
        let parts = values.iter().map(|value| self.value(value, sort, from));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let pairs = values.iter().zip(&parts);
        let known = pairs.filter(|(value, _)| !is_constant(value));
        let known: Vec<Sql> = known.map(|(_, part)| part.is("NOT NULL")).collect();
        let found = Sql::call(name, &parts);
        if known.is_empty() {
            return Ok(found);
        }
        Ok(Sql::case(&Sql::joined(known, "AND", super::text::AND), &found, None))
    }

    fn read(&mut self, reading: Reading, inner: &Value, from: &mut From) -> Result<Sql> {
        let sort = match reading {
            Reading::YearOfMonth | Reading::NumberOfMonth | Reading::QuarterOfMonth => Sort::Month,
            _ => Sort::Date,
        };
        let day = self.value(inner, Some(sort), from)?;
        let part = |name: &str| Sql::call(name, std::slice::from_ref(&day));
        Ok(match reading {
            Reading::Year | Reading::YearOfMonth => part("year"),
            Reading::MonthNumber | Reading::NumberOfMonth => part("month"),
            Reading::Quarter | Reading::QuarterOfMonth => part("quarter"),
            Reading::Month => Sql::said(self.words.month_of, &[&day]),
            Reading::Age { as_of } => {
                let (year, month, number) = calendar::civil(as_of);
                // Whose birthday is later in the year has not had it yet.
                let birthday = Sql::two(PRODUCT, &part("month"), "*", &Sql::integer(100));
                let birthday = Sql::two(SUM, &birthday, "+", &part("day"));
                let today = i64::from(month) * 100 + i64::from(number);
                let later = birthday.compared(">", &Sql::integer(today));
                let less = Sql::case(&later, &Sql::integer(1), Some(&Sql::integer(0)));
                let years = Sql::two(SUM, &Sql::integer(year), "-", &part("year"));
                Sql::two(SUM, &years, "-", &less)
            }
        })
    }
}

fn is_constant(value: &Value) -> bool {
    matches!(value.kind, Term::Constant(_) | Term::ConstantFloat(_))
}

/// Two numbers and an operator; a quotient is one of floats, unknown where the divisor is 0.
pub(super) fn operated(sign: Arithmetic, left: &Sql, right: &Sql) -> Sql {
    match sign {
        Arithmetic::Add => Sql::two(SUM, left, "+", right),
        Arithmetic::Subtract => Sql::two(SUM, left, "-", right),
        Arithmetic::Multiply => Sql::two(PRODUCT, left, "*", right),
        Arithmetic::Divide => {
            let right = Sql::call("nullif", &[right.clone(), Sql::integer(0)]);
            Sql::two(PRODUCT, left, "/", &right)
        }
    }
}

/// A day, or a length of time, that a date of SQL does not reach.
fn beyond(found: i64, limit: i64) -> Error {
    Error::Limit {
        what: "the distance of a day from 1970 in SQL, in days",
        found: found.unsigned_abs(),
        limit: limit.unsigned_abs(),
        place: None,
    }
}
