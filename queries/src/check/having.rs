//! Conditions on the measures of a group.

use super::measures::changed;
use super::{Aggregate, Checker, Formula, Shape, Statistic};
use crate::ast::{Call, Clause, Comparison, Definition, Expr, ExprKind};
use crate::error::Result;
use crate::nearest::nearest;
use crate::print;

/// A condition on the measures of a group, in three-valued logic.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Having {
    /// Two measures of one kind and unit.
    Compare(Comparison, Formula, Formula),
    Known(Formula),
    Constant(bool),
    Not(Box<Having>),
    All(Vec<Having>),
    Any(Vec<Having>),
}

/// What a condition on measures may name, besides measures.
const WANTED: &str = "expected a condition on measures: `people > 100 and rate < 0.5`";

impl Having {
    /// Calls `visit` with each statistic of an aggregate that it names.
    pub(crate) fn statistics(&self, aggregate: usize, visit: &mut dyn FnMut(Statistic, f64)) {
        match self {
            Self::Constant(_) => {}
            Self::Known(formula) => formula.statistics(aggregate, visit),
            Self::Not(inner) => inner.statistics(aggregate, visit),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.statistics(aggregate, visit));
            }
            Self::Compare(_, left, right) => {
                left.statistics(aggregate, visit);
                right.statistics(aggregate, visit);
            }
        }
    }

    /// Whether it needs what all rows together have.
    pub(crate) fn has_share(&self) -> bool {
        match self {
            Self::Compare(_, left, right) => left.has_share() || right.has_share(),
            Self::Known(formula) => formula.has_share(),
            Self::Constant(_) => false,
            Self::Not(inner) => inner.has_share(),
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::has_share),
        }
    }
}

impl Checker<'_> {
    /// The condition of `having`; aggregates that only it needs join the others.
    pub(crate) fn having(
        &self,
        clause: &Clause,
        measures: &[Definition],
        aggregates: &mut Vec<Aggregate>,
    ) -> Result<Having> {
        self.kept(&clause.expr, measures, aggregates)
    }

    fn kept(
        &self,
        expr: &Expr,
        measures: &[Definition],
        aggregates: &mut Vec<Aggregate>,
    ) -> Result<Having> {
        let mut parts = |parts: &[Expr]| -> Result<Vec<Having>> {
            parts.iter().map(|part| self.kept(part, measures, aggregates)).collect()
        };
        match &expr.kind {
            ExprKind::And(all) => Ok(Having::All(parts(all)?)),
            ExprKind::Or(any) => Ok(Having::Any(parts(any)?)),
            ExprKind::Not(inner) => {
                Ok(Having::Not(Box::new(self.kept(inner, measures, aggregates)?)))
            }
            ExprKind::Flag(flag) => Ok(Having::Constant(*flag)),
            ExprKind::Compare(sign, left, right) => {
                self.measures_compared(*sign, (left, right), measures, aggregates)
            }
            ExprKind::Between(value, low, high) => {
                let signs = [(Comparison::GreaterEqual, low), (Comparison::LessEqual, high)];
                let both = signs.map(|(sign, bound)| {
                    self.measures_compared(sign, (value, bound), measures, aggregates)
                });
                Ok(Having::All(both.into_iter().collect::<Result<_>>()?))
            }
            ExprKind::In(value, list) => {
                let mut any = Vec::with_capacity(list.len());
                for found in list {
                    let pair = (&**value, found);
                    any.push(self.measures_compared(
                        Comparison::Equal,
                        pair,
                        measures,
                        aggregates,
                    )?);
                }
                Ok(Having::Any(any))
            }
            ExprKind::Is(value, known) => {
                let (_, formula) = self.operand(value, measures, aggregates)?;
                let found = Having::Known(formula);
                Ok(if *known { found } else { Having::Not(Box::new(found)) })
            }
            _ => Err(self.wrong(expr.span, WANTED)),
        }
    }

    fn measures_compared(
        &self,
        sign: Comparison,
        (left, right): (&Expr, &Expr),
        measures: &[Definition],
        aggregates: &mut Vec<Aggregate>,
    ) -> Result<Having> {
        let (first, x) = self.operand(left, measures, aggregates)?;
        let (second, y) = self.operand(right, measures, aggregates)?;
        match (first, second) {
            (Shape::Number(a), Shape::Number(b)) => {
                let together = a.align(b);
                let x = changed(x, a, together.left);
                let y = changed(y, b, together.right);
                Ok(Having::Compare(sign, x, y))
            }
            (a, b) if a == b && matches!(a, Shape::Date | Shape::Month) => {
                Ok(Having::Compare(sign, x, y))
            }
            (a, b) => {
                let what = format!("{} is not compared with {}", a.word(), b.word());
                Err(self.wrong(right.span, what))
            }
        }
    }

    /// A measure by its name, a measure of its own, or a constant.
    fn operand(
        &self,
        expr: &Expr,
        measures: &[Definition],
        aggregates: &mut Vec<Aggregate>,
    ) -> Result<(Shape, Formula)> {
        match &expr.kind {
            ExprKind::Date(day) => Ok((Shape::Date, Formula::Constant(*day))),
            ExprKind::Month(month) => Ok((Shape::Month, Formula::Constant(*month))),
            ExprKind::AsOf => Ok((Shape::Date, Formula::Constant(self.need_as_of()?))),
            _ => {
                let expr = self.with_measures(expr, measures)?;
                self.formula(&expr, aggregates)
            }
        }
    }

    /// An expression with the names of measures replaced by what they are.
    fn with_measures(&self, expr: &Expr, measures: &[Definition]) -> Result<Expr> {
        let inner = |expr: &Expr| self.with_measures(expr, measures).map(Box::new);
        let kind = match &expr.kind {
            ExprKind::Name(_) | ExprKind::Text(_) => {
                let name = match &expr.kind {
                    ExprKind::Text(text) => text.clone(),
                    _ => print::expression(expr),
                };
                let found = measures.iter().find(|measure| measure.name == name);
                return found.map(|measure| measure.clause.expr.clone()).ok_or_else(|| {
                    let near = nearest(&name, measures.iter().map(|m| m.name.as_str()));
                    let only = match measures {
                        [only] => Some(only.name.clone()),
                        _ => None,
                    };
                    crate::Error::UnknownMeasure {
                        suggestion: near.or(only),
                        name,
                        place: self.source.place(expr.span),
                    }
                });
            }
            ExprKind::Arithmetic(sign, left, right) => {
                ExprKind::Arithmetic(*sign, inner(left)?, inner(right)?)
            }
            ExprKind::Negative(value) => ExprKind::Negative(inner(value)?),
            // These are of measures, not of rows.
            ExprKind::Call(call) if matches!(call.name.text.as_str(), "per" | "share") => {
                let parts = call.arguments.iter().map(|part| self.with_measures(part, measures));
                let arguments = parts.collect::<Result<_>>()?;
                ExprKind::Call(Call { arguments, ..call.clone() })
            }
            _ => return Ok(expr.clone()),
        };
        Ok(Expr { kind, span: expr.span })
    }
}

impl Shape {
    fn word(self) -> &'static str {
        match self {
            Self::Number(_) => "a number",
            Self::Date => "a day",
            Self::Month => "a month",
            Self::Ints | Self::Floats => "a list of numbers",
        }
    }
}
