//! The clauses that say what becomes of the rows beyond groups and measures: lists, the best of
//! each group, months, flows, matrices, sets, assumptions, publication.
//!
//! Both forms of a question end here, so that they take the same texts.

use super::{MATRIX_MAX, ORDER_MAX, OVER_MAX, Parser, SELECT_MAX, SETS_MAX};
use crate::ast::{
    Arithmetic, Change, Clause, Flow, Moment, Named, Over, Period, Publish, Query, Set, Top, Word,
};
use crate::error::{Error, Result};
use crate::lexer::Token;
use crate::source::{Place, Source, Span};
use yiku::calendar;

/// The greatest number of `publish`.
const CELL_MAX: u64 = 1_000_000;

/// The months of `over`, in their order and not too many.
pub(crate) fn over_months(
    period: Period,
    (first, last): (i64, i64),
    span: Span,
    source: &Source,
) -> Result<Over> {
    if first > last {
        let (first, last) = (calendar::month_text(first), calendar::month_text(last));
        return Err(Error::Type {
            what: format!("the months go from {first} back to {last}; write the earlier one first"),
            place: source.place(span),
        });
    }
    let count = (last - first) / period.months() + 1;
    if count > OVER_MAX as i64 {
        return Err(Error::Limit {
            what: "the number of moments of `over`",
            found: count.unsigned_abs(),
            limit: OVER_MAX as u64,
            place: Some(source.place(span)),
        });
    }
    Ok(Over { period, first, last, span, source: source.clone() })
}

/// A day, or the name of a version.
pub(crate) fn moment(source: &Source) -> Result<Moment> {
    match calendar::parse_date(&source.text) {
        Some(day) => Ok(Moment::Day(day)),
        None if source.text.is_empty() => Err(Error::Syntax {
            expected: "a day like `2026-10-31` or the name of a version".to_owned(),
            found: "nothing".to_owned(),
            suggestion: None,
            place: source.place(Span::default()),
        }),
        None => Ok(Moment::Version(source.text.to_string())),
    }
}

/// The value of a parameter as the JSON form has it: `+50.00`, `-5`, `700.00`.
pub(crate) fn change(name: Word, source: &Source) -> Result<Change> {
    let mut parser = Parser::new(source)?;
    let (sign, number, monthly) = parser.amount()?;
    parser.finish("`/month` or the end")?;
    Ok(Change { name, sign, number, monthly, source: source.clone() })
}

/// The numbers of `publish`.
pub(crate) fn publish(min_cell: u64, round: u64, place: Box<Place>) -> Result<Publish> {
    if !(1..=CELL_MAX).contains(&min_cell) || !(1..=CELL_MAX).contains(&round) {
        let what = format!("`min_cell` and `round` are numbers from 1 to {CELL_MAX}");
        return Err(Error::Type { what, place });
    }
    Ok(Publish { min_cell, round })
}

impl Parser<'_> {
    /// A clause that is rarer than the first ones.
    pub(super) fn later_clause(&mut self, word: &str, query: &mut Query) -> Result<()> {
        match word {
            "matrix" => {
                self.list_of(MATRIX_MAX, "the number of conditions of the matrix", |p| {
                    query.matrix.push(p.definition()?);
                    Ok(())
                })?;
            }
            "select" => self.list_of(SELECT_MAX, "the number of columns of the list", |p| {
                query.select.push(p.definition()?);
                Ok(())
            })?,
            "having" => query.having = Some(self.clause_expr()?),
            "top" => query.top = Some(self.top()?),
            "after" => query.after = Some(self.text("a cursor between single quotes")?),
            "over" => query.over = Some(self.over()?),
            "compare" => self.list_of(Period::ALL.len(), "the number of comparisons", |p| {
                let period = p.period()?;
                if !query.compare.contains(&period) {
                    query.compare.push(period);
                }
                Ok(())
            })?,
            "flow" => query.flow = Some(self.flow()?),
            "sets" => self.list_of(SETS_MAX, "the number of sets", |p| {
                query.sets.push(p.set()?);
                Ok(())
            })?,
            "with" => self.list_of(SETS_MAX, "the number of assumptions", |p| {
                query.with.push(p.assumption()?);
                Ok(())
            })?,
            "publish" => query.publish = Some(self.publish()?),
            _ => query.explain = true,
        }
        Ok(())
    }

    fn text(&mut self, expected: &str) -> Result<String> {
        let Token::Text(text) = self.peek().clone() else { return Err(self.unexpected(expected)) };
        self.step();
        Ok(text)
    }

    /// `3 within region.county by -people`.
    fn top(&mut self) -> Result<Top> {
        let count = self.count("how many rows of each group")?;
        let mut within = Vec::new();
        if self.eat_word("within") {
            self.list_of(super::BY_MAX, "the number of expressions of `within`", |p| {
                within.push(p.clause_expr()?);
                Ok(())
            })?;
        }
        self.need_word("by")?;
        let mut order = Vec::new();
        self.list_of(ORDER_MAX, "the number of keys of `top`", |p| {
            order.push(p.order()?);
            Ok(())
        })?;
        Ok(Top { count, within, order })
    }

    fn period(&mut self) -> Result<Period> {
        let found = match self.peek() {
            Token::Word(word) => Period::find(word),
            _ => None,
        };
        let words = Period::ALL.map(Period::word);
        let found = found.ok_or_else(|| self.unexpected_near("month, quarter or year", &words))?;
        self.step();
        Ok(found)
    }

    fn month(&mut self) -> Result<i64> {
        let Token::Month(month) = *self.peek() else {
            return Err(self.unexpected("a month like `2026-10`"));
        };
        self.step();
        Ok(month)
    }

    /// `month 2025-01 to 2026-10`, or one month.
    fn over(&mut self) -> Result<Over> {
        let period = self.period()?;
        let start = self.span();
        let first = self.month()?;
        let last = if self.eat_word("to") { self.month()? } else { first };
        over_months(period, (first, last), start.to(self.before()), self.source)
    }

    /// `2026-09-30 to 2026-10-31`; a version is written between quotes.
    fn flow(&mut self) -> Result<Flow> {
        let start = self.span();
        let before = self.moment()?;
        self.need_word("to")?;
        let after = self.moment()?;
        let span = start.to(self.before());
        Ok(Flow { before, after, span, source: self.source.clone() })
    }

    fn moment(&mut self) -> Result<Moment> {
        let found = match self.peek() {
            Token::Date(day) => Moment::Day(*day),
            Token::Text(name) if !name.is_empty() => Moment::Version(name.clone()),
            _ => {
                let expected = "a day like `2026-10-31` or the name of a version between quotes";
                return Err(self.unexpected(expected));
            }
        };
        self.step();
        Ok(found)
    }

    /// `needy = EXPR`, `homes of household = EXPR`.
    fn set(&mut self) -> Result<Set> {
        let name = self.need_name("the name of a set")?;
        let of = self.eat_word("of");
        let source = self.source.clone();
        let named = |word| Named { word, source };
        let table = if of { Some(named(self.need_name("the name of a table")?)) } else { None };
        self.need_mark("=")?;
        let clause: Clause = self.clause_expr()?;
        Ok(Set { name, table, clause })
    }

    /// `line = +50.00`, or several between brackets.
    fn assumption(&mut self) -> Result<Vec<Change>> {
        let mut found = Vec::new();
        if self.eat_mark("(") {
            self.list_of(SETS_MAX, "the number of parameters of an assumption", |p| {
                found.push(p.change()?);
                Ok(())
            })?;
            self.need_mark(")")?;
        } else {
            found.push(self.change()?);
        }
        Ok(found)
    }

    fn change(&mut self) -> Result<Change> {
        let name = self.need_name("the name of a parameter")?;
        self.need_mark("=")?;
        let (sign, number, monthly) = self.amount()?;
        Ok(Change { name, sign, number, monthly, source: self.source.clone() })
    }

    /// `700`, `+50.00`, `+50/month`.
    fn amount(&mut self) -> Result<(Option<Arithmetic>, String, bool)> {
        let sign = if self.eat_mark("+") {
            Some(Arithmetic::Add)
        } else {
            self.eat_mark("-").then_some(Arithmetic::Subtract)
        };
        let Token::Number(number) = self.peek().clone() else {
            return Err(self.unexpected("a number, with a sign where it is a difference"));
        };
        self.step();
        let monthly = self.eat_mark("/");
        if monthly {
            self.need_word("month")?;
        }
        Ok((sign, number, monthly))
    }

    /// `min_cell 10 round 5`.
    fn publish(&mut self) -> Result<Publish> {
        let start = self.span();
        self.need_word("min_cell")?;
        let min_cell = self.count("the least count that is told")?;
        let round = if self.eat_word("round") { self.count("what is rounded to")? } else { 1 };
        let place = self.source.place(start.to(self.before()));
        publish(min_cell as u64, round as u64, place)
    }
}
