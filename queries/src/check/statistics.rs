//! Statistics of the values of a group: quantiles, spread, inequality, poverty.

use super::measures::place;
use super::{Aggregate, Checker, Combine, Formula, Shape, Statistic};
use crate::ast::{Arithmetic, Call, Comparison, Expr, ExprKind, Word};
use crate::bound::Value;
use crate::error::Result;
use crate::numbers::{Number, literal, ten_to};
use crate::parse::BINS_MAX;

impl Checker<'_> {
    /// A measure that is a statistic; none where the name is of another.
    pub(super) fn statistic(
        &self,
        call: &Call,
        aggregates: &mut Vec<Aggregate>,
    ) -> Result<Option<(Shape, Formula)>> {
        let found = match call.name.text.as_str() {
            "median" => {
                let [value] = self.arguments(call, "one number")?;
                self.sorted(call, value, Statistic::Quantile(0.5), aggregates)?
            }
            "quantile" => {
                let wanted = "a number and a share from 0 to 1: `quantile(income, 0.9)`";
                let [value, share] = self.arguments(call, wanted)?;
                let share = self.share_between(share)?;
                self.sorted(call, value, Statistic::Quantile(share), aggregates)?
            }
            "stddev" => {
                let [value] = self.arguments(call, "one number")?;
                self.deviation(call, value, aggregates)?
            }
            "gini" => {
                let [value] = self.arguments(call, "one number")?;
                let (_, formula) = self.sorted(call, value, Statistic::Gini, aggregates)?;
                (Shape::Number(Number::FLOAT), formula)
            }
            "lorenz" => {
                let wanted = "a number and into how many parts: `lorenz(income, 10)`";
                let [value, parts] = self.arguments(call, wanted)?;
                let parts = self.small_count(parts)?;
                let (_, formula) =
                    self.sorted(call, value, Statistic::Lorenz(parts), aggregates)?;
                (Shape::Floats, formula)
            }
            "histogram" => self.histogram(call, aggregates)?,
            "poverty_rate" | "poverty_gap" | "poverty_severity" => {
                self.poverty(call, aggregates)?
            }
            _ => return Ok(None),
        };
        Ok(Some(found))
    }

    /// A number of a row, with its kind, at the table of the question.
    fn measured(&self, expr: &Expr) -> Result<(Number, Value)> {
        let (number, value) = self.number(expr)?;
        Ok((number, value.at(self.table)))
    }

    /// A statistic that needs the values of a group in order.
    fn sorted(
        &self,
        call: &Call,
        value: &Expr,
        statistic: Statistic,
        aggregates: &mut Vec<Aggregate>,
    ) -> Result<(Shape, Formula)> {
        let (number, value) = self.measured(value)?;
        let condition = self.filter(call)?;
        let combine = Combine::All { float: number.float };
        let place = place(aggregates, Aggregate { combine, argument: Some(value), condition });
        let formula = Formula::Statistic(statistic, place, ten_to(number.scale) as f64);
        Ok((Shape::Number(number.as_float()), formula))
    }

    fn deviation(
        &self,
        call: &Call,
        value: &Expr,
        aggregates: &mut Vec<Aggregate>,
    ) -> Result<(Shape, Formula)> {
        let (number, value) = self.measured(value)?;
        let condition = self.filter(call)?;
        let combine = if number.float { Combine::All { float: true } } else { Combine::Moments };
        let place = place(aggregates, Aggregate { combine, argument: Some(value), condition });
        let formula = Formula::Statistic(Statistic::Deviation, place, ten_to(number.scale) as f64);
        Ok((Shape::Number(number.as_float()), formula))
    }

    /// A share that is written as a number.
    fn share_between(&self, expr: &Expr) -> Result<f64> {
        let found = match &expr.kind {
            ExprKind::Number(text) => text.parse::<f64>().ok(),
            _ => None,
        };
        found.filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| {
            self.wrong(expr.span, "expected a share from 0 to 1, written as a number: 0.9")
        })
    }

    /// A whole number from 1 on that is written as such.
    fn small_count(&self, expr: &Expr) -> Result<u32> {
        let found = match &expr.kind {
            ExprKind::Number(text) => text.parse::<u32>().ok(),
            _ => None,
        };
        found.filter(|count| (1..=BINS_MAX).contains(count)).ok_or_else(|| {
            self.wrong(expr.span, format!("expected a whole number from 1 to {BINS_MAX}"))
        })
    }

    /// `histogram(x, low, high, bins)`.
    fn histogram(&self, call: &Call, aggregates: &mut Vec<Aggregate>) -> Result<(Shape, Formula)> {
        let wanted = "a number, the least and the greatest bound, and how many bins: \
                      `histogram(income, 0, 10000, 20)`";
        let [value, low, high, bins] = self.arguments(call, wanted)?;
        let bins = self.small_count(bins)?;
        let (number, value) = self.measured(value)?;
        let (low_bound, high_bound) = (self.bound(low, number)?, self.bound(high, number)?);
        let rising = low_bound < high_bound;
        if !rising {
            return Err(self.wrong(high.span, "the greatest bound must be above the least"));
        }
        let combine = Combine::Bins { low: low_bound, high: high_bound, bins, float: number.float };
        let condition = self.filter(call)?;
        let place = place(aggregates, Aggregate { combine, argument: Some(value), condition });
        Ok((Shape::Ints, Formula::Statistic(Statistic::Counts, place, 1.0)))
    }

    /// A bound in the unit of a number: an exact one as an integer of its scale.
    fn bound(&self, expr: &Expr, number: Number) -> Result<f64> {
        let (text, sign) = match &expr.kind {
            ExprKind::Number(text) => (text, 1),
            ExprKind::Negative(inner) => match &inner.kind {
                ExprKind::Number(text) => (text, -1),
                _ => return Err(self.wrong(expr.span, "expected a number as a bound")),
            },
            _ => return Err(self.wrong(expr.span, "expected a number as a bound")),
        };
        let plain = |scale| Number { money: false, float: false, scale };
        let (written, scale) = literal(text).ok_or_else(|| {
            self.wrong(expr.span, "a number has at most 18 digits, 9 of them decimals")
        })?;
        let together = number.align(plain(scale));
        let finer = together.left.times != 1 && !number.float;
        let value = i128::from(written) * i128::from(together.right.times) * sign;
        let most = 1i128 << f64::MANTISSA_DIGITS;
        if finer || value.abs() > most {
            return Err(self.wrong(expr.span, "a bound has no more decimals than the value"));
        }
        Ok(value as f64 / together.right.float_over.filter(|_| number.float).unwrap_or(1.0))
    }

    /// The measures of Foster, Greer and Thorbecke ("A class of decomposable poverty measures",
    /// Econometrica 52, 1984): with the line z, the mean over all rows whose value y is known of
    /// ((z - y) / z)^a where y < z, and of 0 elsewhere; a is 0, 1 and 2.
    fn poverty(&self, call: &Call, aggregates: &mut Vec<Aggregate>) -> Result<(Shape, Formula)> {
        let wanted = "a number and the line: `poverty_gap(per_capita(income), 680)`";
        let [value, line] = self.arguments(call, wanted)?;
        let node = |kind| Expr { kind, span: call.name.span };
        let boxed = |expr: &Expr| Box::new(expr.clone());
        let number = |text: &str| node(ExprKind::Number(text.to_owned()));
        let over = |sign, left: Expr, right: Expr| {
            node(ExprKind::Arithmetic(sign, Box::new(left), Box::new(right)))
        };
        let gap = || {
            let short = over(Arithmetic::Subtract, line.clone(), value.clone());
            // The line in the unit of the value: a part of it has none.
            let nothing = over(Arithmetic::Subtract, value.clone(), value.clone());
            over(Arithmetic::Divide, short, over(Arithmetic::Add, line.clone(), nothing))
        };
        let poor = match call.name.text.as_str() {
            "poverty_rate" => number("1"),
            "poverty_gap" => gap(),
            _ => over(Arithmetic::Multiply, gap(), gap()),
        };
        let is_poor = node(ExprKind::Compare(Comparison::Less, boxed(value), boxed(line)));
        let call_of = |name: &str, arguments: Vec<Expr>, filter: Option<Box<Expr>>| {
            let name = Word { text: name.to_owned(), span: call.name.span };
            node(ExprKind::Call(Call { name, arguments, filter }))
        };
        let shares = call_of("if", vec![is_poor, poor, number("0")], None);
        let mut known = vec![node(ExprKind::Is(boxed(value), true))];
        known.push(node(ExprKind::Is(boxed(line), true)));
        known.extend(call.filter.as_deref().cloned());
        let known = node(ExprKind::And(known));
        let mean = call_of("avg", vec![shares], Some(Box::new(known)));
        let ExprKind::Call(mean) = &mean.kind else { return Err(self.no_function(call)) };
        self.aggregate(mean, aggregates)
    }
}
