//! Measures: aggregates over the rows of a group, and arithmetic on them.

use super::{Checker, Type, What};
use crate::ast::{Arithmetic, Call, Clause, Expr, ExprKind, Word};
use crate::bound::{Condition, Term, Test, Value};
use crate::error::{Error, Result};
use crate::numbers::{Change, Number, ten_to};
use crate::source::Span;

/// One aggregate over the rows of a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Aggregate {
    pub(crate) combine: Combine,
    /// What is aggregated, at the table of the question; none where rows are counted.
    pub(crate) argument: Option<Value>,
    /// Which rows of the group count.
    pub(crate) condition: Option<Condition>,
}

/// How the rows of a group become one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Combine {
    Count,
    /// Of exact values exactly, of floats correctly rounded.
    Sum {
        float: bool,
    },
    /// As a float, divided by this.
    Average {
        float: bool,
        over: f64,
    },
    Least {
        float: bool,
    },
    Greatest {
        float: bool,
    },
    /// Different rows of a table above.
    DistinctRows(usize),
    DistinctValues,
    DistinctTexts {
        table: usize,
        column: usize,
    },
    /// Sums of exact values and of their squares.
    Moments,
    /// Rows that left since the moment before, counted by the groups that they were in.
    Left,
    /// Every value.
    All {
        float: bool,
    },
    /// How many values lie in each of `bins` parts of one width; the bounds of exact values are
    /// integers of their scale.
    Bins {
        low: f64,
        high: f64,
        bins: u32,
        float: bool,
    },
}

/// What is computed from all values of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Statistic {
    /// The value below which a share of the others lies, linear between neighbours.
    Quantile(f64),
    /// The standard deviation of a sample.
    Deviation,
    /// The coefficient of Gini: half the mean difference of two values over the mean.
    Gini,
    /// What share of the sum the lowest parts have.
    Lorenz(u32),
    /// The bins.
    Counts,
}

/// What a measure computes from the aggregates.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Formula {
    /// By its place in the list of aggregates.
    Aggregate(usize),
    Constant(i64),
    Negative(Box<Formula>),
    Exact(Arithmetic, Box<Formula>, Box<Formula>),
    Float(Arithmetic, Box<Formula>, Box<Formula>),
    Times(Box<Formula>, i64),
    ToFloat(Box<Formula>, f64),
    /// Divided by its own value over all rows.
    Share(Box<Formula>),
    /// Of an aggregate, by its place; exact values are divided by the last to be numbers.
    Statistic(Statistic, usize, f64),
}

/// The kind of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Number(Number),
    Date,
    Month,
    /// A list of counts.
    Ints,
    /// A list of shares.
    Floats,
}

/// A measure, bound.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) formula: Formula,
    pub(crate) shape: Shape,
    pub(crate) unit: Option<String>,
}

impl Checker<'_> {
    /// One measure; its aggregates join those of the measures before.
    pub(crate) fn measure(
        &self,
        name: &str,
        clause: &Clause,
        aggregates: &mut Vec<Aggregate>,
    ) -> Result<Measured> {
        let (shape, formula) = self.formula(&clause.expr, aggregates)?;
        let unit = match &formula {
            Formula::Aggregate(place) => aggregates.get(*place).and_then(|a| self.unit(a)),
            _ => None,
        };
        Ok(Measured { name: name.to_owned(), formula, shape, unit })
    }

    /// The unit of the column that an aggregate is about.
    fn unit(&self, aggregate: &Aggregate) -> Option<String> {
        let mut value = aggregate.argument.as_ref()?;
        loop {
            match &value.kind {
                Term::Column(column) => {
                    let table = self.schema.tables.get(value.table)?;
                    return table.columns.get(*column)?.unit.clone();
                }
                Term::Spread(inner) => value = inner,
                Term::Fold(fold) => value = fold.argument.as_ref()?,
                _ => return None,
            }
        }
    }

    pub(super) fn formula(
        &self,
        expr: &Expr,
        aggregates: &mut Vec<Aggregate>,
    ) -> Result<(Shape, Formula)> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Number(_) => {
                let (number, value) = self.number(expr)?;
                let constant = value.as_constant().unwrap_or(0);
                Ok((Shape::Number(number), Formula::Constant(constant)))
            }
            ExprKind::Negative(inner) => {
                let (number, formula) = self.numeric(inner, aggregates)?;
                Ok((Shape::Number(number), Formula::Negative(Box::new(formula))))
            }
            ExprKind::Arithmetic(sign, left, right) => {
                let left = self.numeric(left, aggregates)?;
                let right = self.numeric(right, aggregates)?;
                let (number, formula) = self.combined(*sign, left, right, span)?;
                Ok((Shape::Number(number), formula))
            }
            ExprKind::Call(call) => self.measure_call(call, aggregates),
            ExprKind::Parameter(name) => {
                let what = format!(
                    "`${name}` differs from place to place; a measure aggregates it: max(${name})"
                );
                Err(self.wrong(span, what))
            }
            ExprKind::Name(words) => Err(self.no_measure(words, span)),
            _ => Err(self.wrong(
                span,
                "expected a measure: count(), count(where …), count_distinct, sum, avg, min, max, \
                 median, quantile, stddev, per, share, or arithmetic on them",
            )),
        }
    }

    /// A name alone is no measure.
    fn no_measure(&self, words: &[Word], span: Span) -> Error {
        let name = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(".");
        if super::FUNCTIONS.contains(&name.as_str()) {
            let more = if name == "count" { "()" } else { "(…)" };
            return self.wrong(span, format!("`{name}` is a function: write `{name}{more}`"));
        }
        let what = format!(
            "`{name}` is of one row; a measure is of many: `sum({name})`, `avg({name})`, \
             `count(where …)`"
        );
        self.wrong(span, what)
    }

    fn numeric(&self, expr: &Expr, aggregates: &mut Vec<Aggregate>) -> Result<(Number, Formula)> {
        match self.formula(expr, aggregates)? {
            (Shape::Number(number), formula) => Ok((number, formula)),
            (Shape::Ints | Shape::Floats, _) => {
                Err(self.wrong(expr.span, "expected a number, found a list of numbers"))
            }
            _ => Err(self.wrong(expr.span, "expected a number, found a day or a month")),
        }
    }

    fn combined(
        &self,
        sign: Arithmetic,
        left: (Number, Formula),
        right: (Number, Formula),
        span: Span,
    ) -> Result<(Number, Formula)> {
        let together = left.0.combine(sign, right.0).map_err(|what| self.wrong(span, what))?;
        let x = Box::new(changed(left.1, left.0, together.left));
        let y = Box::new(changed(right.1, right.0, together.right));
        let formula = if together.result.float {
            Formula::Float(sign, x, y)
        } else {
            Formula::Exact(sign, x, y)
        };
        Ok((together.result, formula))
    }

    fn measure_call(
        &self,
        call: &Call,
        aggregates: &mut Vec<Aggregate>,
    ) -> Result<(Shape, Formula)> {
        let name = call.name.text.as_str();
        if let Some(found) = self.statistic(call, aggregates)? {
            return Ok(found);
        }
        match name {
            "count" => self.count(call, aggregates),
            "count_distinct" => self.count_distinct(call, aggregates),
            "inflow" | "outflow" => self.moved(call, aggregates),
            "sum" | "avg" | "min" | "max" => self.aggregate(call, aggregates),
            "per" => {
                let wanted = "a number and two measures: `per(1000, count(where …), count())`";
                let [k, a, b] = self.plain_arguments(call, wanted)?;
                let k = self.numeric(k, aggregates)?;
                let a = self.numeric(a, aggregates)?;
                let b = self.numeric(b, aggregates)?;
                let above = self.combined(Arithmetic::Multiply, k, a, call.name.span)?;
                let (number, rate) = self.combined(Arithmetic::Divide, above, b, call.name.span)?;
                Ok((Shape::Number(number), rate))
            }
            "share" => {
                let [measure] = self.plain_arguments(call, "one measure")?;
                let (_, formula) = self.numeric(measure, aggregates)?;
                Ok((Shape::Number(Number::FLOAT), Formula::Share(Box::new(formula))))
            }
            "abs" | "coalesce" | "if" | "band" | "per_capita" | "age" | "any" | "all" | "none"
            | "year" | "month" | "quarter" | "matches" => {
                let what =
                    format!("`{name}` is of one row; a measure aggregates it: sum({name}(…))");
                Err(self.wrong(call.name.span, what))
            }
            _ => Err(self.no_function(call)),
        }
    }

    fn plain_arguments<'e, const N: usize>(
        &self,
        call: &'e Call,
        wanted: &str,
    ) -> Result<&'e [Expr; N]> {
        if let Some(filter) = &call.filter {
            return Err(self.wrong(filter.span, format!("`{}` takes no `where`", call.name.text)));
        }
        self.arguments(call, wanted)
    }

    pub(super) fn filter(&self, call: &Call) -> Result<Option<Condition>> {
        let Some(filter) = &call.filter else { return Ok(None) };
        Ok(Some(self.condition(filter)?.at(self.table)))
    }

    /// `count()`, `count(where …)`, `count(x)` of the known, `count(CHILD where …)`.
    fn count(&self, call: &Call, aggregates: &mut Vec<Aggregate>) -> Result<(Shape, Formula)> {
        let argument = match call.arguments.as_slice() {
            [] => {
                let condition = self.filter(call)?;
                let combine = Combine::Count;
                return Ok(whole(aggregates, Aggregate { combine, argument: None, condition }));
            }
            [one] => one,
            _ => return Err(self.wrong(call.name.span, "`count` takes at most one argument")),
        };
        if let Some(table) = self.named_table(argument) {
            if table == self.table {
                let condition = self.filter(call)?;
                let combine = Combine::Count;
                return Ok(whole(aggregates, Aggregate { combine, argument: None, condition }));
            }
            if self.is_above(table, self.table) {
                let name = self.table_name(table);
                let what = format!("count different rows above by `count_distinct({name})`");
                return Err(self.wrong(argument.span, what));
            }
            let typed = self.call(call, call.name.span)?;
            return Ok(self.sum_of(typed.kind, typed.what, aggregates));
        }
        let known = self.is_known(argument, true)?;
        let condition = Condition::all(self.filter(call)?.into_iter().chain([known]).collect());
        let condition = Some(condition.at(self.table));
        let aggregate = Aggregate { combine: Combine::Count, argument: None, condition };
        Ok(whole(aggregates, aggregate))
    }

    /// The table that a bare name means, unless it is a column here.
    fn named_table(&self, expr: &Expr) -> Option<usize> {
        let ExprKind::Name(words) = &expr.kind else { return None };
        let [word] = words.as_slice() else { return None };
        let table = self.schema.tables.get(self.table)?;
        if table.column_index(&word.text).is_some() {
            return None;
        }
        self.schema.table_index(&word.text)
    }

    /// `inflow()`, `outflow(where …)`: rows that the filter has and did not have at the moment
    /// before, and the other way round.
    fn moved(&self, call: &Call, aggregates: &mut Vec<Aggregate>) -> Result<(Shape, Formula)> {
        let [] = self.arguments(call, "no argument, or `where`")?;
        let Some(entered) = self.entered else {
            let what = format!(
                "`{}` speaks of two moments: `over month 2026-01 to 2026-10`",
                call.name.text
            );
            return Err(self.wrong(call.name.span, what));
        };
        let condition = self.filter(call)?;
        if call.name.text == "outflow" {
            // Never one with another: they are met again in their order.
            aggregates.push(Aggregate { combine: Combine::Left, argument: None, condition });
            return Ok((Shape::Number(Number::INT), Formula::Aggregate(aggregates.len() - 1)));
        }
        let all = condition.into_iter().chain([entered.clone()]).collect();
        let condition = Some(Condition::all(all).at(self.table));
        let combine = Combine::Count;
        Ok(whole(aggregates, Aggregate { combine, argument: None, condition }))
    }

    fn sum_of(&self, kind: Type, what: What, aggregates: &mut Vec<Aggregate>) -> (Shape, Formula) {
        let number = if let Type::Number(number) = kind { number } else { Number::INT };
        let argument =
            if let What::Value(value) = what { Some(value.at(self.table)) } else { None };
        let combine = Combine::Sum { float: number.float };
        let place = placed(aggregates, Aggregate { combine, argument, condition: None });
        (Shape::Number(number), place)
    }

    fn count_distinct(
        &self,
        call: &Call,
        aggregates: &mut Vec<Aggregate>,
    ) -> Result<(Shape, Formula)> {
        let [argument] = self.arguments(call, "a table above or a column")?;
        let condition = self.filter(call)?;
        if let Some(table) = self.named_table(argument) {
            if !self.is_above(table, self.table) {
                let name = self.table_name(table);
                let what = format!("rows of `{name}` are counted once each: `count({name})`");
                return Err(self.wrong(argument.span, what));
            }
            let combine =
                if table == self.table { Combine::Count } else { Combine::DistinctRows(table) };
            return Ok(whole(aggregates, Aggregate { combine, argument: None, condition }));
        }
        let typed = match self.check(argument) {
            Err(Error::UnknownColumn { .. }) if Self::code_text(argument).is_some() => {
                let ExprKind::Name(words) = &argument.kind else {
                    return Err(self.no_function(call));
                };
                let names = self.schema.tables.iter().map(|t| t.name.as_str());
                let word = Self::code_text(argument).unwrap_or("");
                return Err(match (crate::nearest::nearest(word, names), words.first()) {
                    (Some(_), Some(word)) => self.unknown_table(word),
                    _ => match self.check(argument) {
                        Err(error) => error,
                        Ok(_) => self.no_function(call),
                    },
                });
            }
            other => other?,
        };
        let (combine, argument) = match (typed.kind, typed.what) {
            (Type::Text, What::Column { table, column }) => {
                (Combine::DistinctTexts { table, column }, None)
            }
            (Type::Number(Number { float: true, .. }), _) => {
                return Err(self.wrong(argument.span, "no `count_distinct` of fractions"));
            }
            (_, What::Value(value)) => (Combine::DistinctValues, Some(value.at(self.table))),
            (kind, _) => {
                let name = format!("count_distinct of {}", self.word(kind));
                return Err(self.unsupported(argument.span, name));
            }
        };
        Ok(whole(aggregates, Aggregate { combine, argument, condition }))
    }

    /// `sum`, `avg`, `min`, `max` of a value of the row, or of the rows beneath it.
    pub(super) fn aggregate(
        &self,
        call: &Call,
        aggregates: &mut Vec<Aggregate>,
    ) -> Result<(Shape, Formula)> {
        let name = call.name.text.as_str();
        let [argument] = self.arguments(call, "one value")?;
        let (typed, condition) = if self.beneath(argument).is_some() {
            if name == "avg" {
                let what = "an average over the rows beneath is not of one row: divide the \
                            measures `sum(TABLE.column)` and `count(TABLE)`";
                return Err(self.wrong(argument.span, what));
            }
            (self.call(call, call.name.span)?, None)
        } else {
            (self.check(argument)?, self.filter(call)?)
        };
        let extreme = matches!(name, "min" | "max");
        let shape = match typed.kind {
            Type::Number(number) => Shape::Number(number),
            Type::Date if extreme => Shape::Date,
            Type::Month if extreme => Shape::Month,
            Type::Flag => {
                let what = format!("no `{name}` of a flag; count the rows: `count(where …)`");
                return Err(self.wrong(argument.span, what));
            }
            other => {
                let found = self.word(other);
                return Err(self.wrong(argument.span, format!("no `{name}` of {found}")));
            }
        };
        let What::Value(value) = typed.what else {
            return Err(self.wrong(argument.span, "expected a number"));
        };
        let number = if let Shape::Number(number) = shape { number } else { Number::INT };
        let float = number.float;
        let (combine, shape) = match name {
            "sum" => (Combine::Sum { float }, shape),
            "avg" => {
                let over = if float { 1.0 } else { ten_to(number.scale) as f64 };
                (Combine::Average { float, over }, Shape::Number(number.as_float()))
            }
            "min" => (Combine::Least { float }, shape),
            _ => (Combine::Greatest { float }, shape),
        };
        let argument = Some(value.at(self.table));
        Ok((shape, placed(aggregates, Aggregate { combine, argument, condition })))
    }
}

/// The place of an aggregate; the same one asked twice is computed once.
pub(super) fn place(aggregates: &mut Vec<Aggregate>, aggregate: Aggregate) -> usize {
    let found = aggregates.iter().position(|a| *a == aggregate);
    found.unwrap_or_else(|| {
        aggregates.push(aggregate);
        aggregates.len() - 1
    })
}

fn placed(aggregates: &mut Vec<Aggregate>, aggregate: Aggregate) -> Formula {
    Formula::Aggregate(place(aggregates, aggregate))
}

/// An aggregate that is a count. A condition that is always true is none.
fn whole(aggregates: &mut Vec<Aggregate>, mut aggregate: Aggregate) -> (Shape, Formula) {
    let always = |c: &Condition| matches!(c.kind, Test::Constant(true));
    aggregate.condition = aggregate.condition.filter(|c| !always(c));
    (Shape::Number(Number::INT), placed(aggregates, aggregate))
}

/// A number of a formula turned into one of another kind.
pub(super) fn changed(formula: Formula, from: Number, change: Change) -> Formula {
    let formula = match change.times {
        1 => formula,
        times => Formula::Times(Box::new(formula), times),
    };
    match change.float_over {
        Some(over) if !from.float => Formula::ToFloat(Box::new(formula), over),
        _ => formula,
    }
}
