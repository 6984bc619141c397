//! Amounts: exact totals in fen, divided once, rounded once, with the steps that lead there.

use serde::Serialize;

use super::clause::{Absent, Light, in_main_unit, rounded};
use super::policy::AmountRule;
use super::scalar::Scalar;
use super::standards::Rounding;
use super::{Error, Result, Text};
use crate::numbers::ten_to;

/// One step of a calculation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepShown {
    /// What it is.
    pub label: Text,
    /// Its value: yuan where it is money, else a number.
    pub value: f64,
    /// Whether it is money.
    pub money: bool,
}

/// An amount of a policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Amount {
    /// The amount, in fen.
    pub cents: i64,
    /// `month` or `once`.
    pub period: String,
    /// The formula in words.
    pub formula: Text,
    /// How it was rounded.
    pub rounding: Text,
    /// The steps that lead to it.
    pub steps: Vec<StepShown>,
}

impl Light<'_> {
    /// The amount of a policy for a row of its table; none where something is unknown.
    pub(super) fn amount(
        &self,
        policy: &str,
        rule: &AmountRule,
        (table, row): (usize, usize),
    ) -> Result<Option<Amount>> {
        let name = format!("{policy}.amount");
        let scalar = Scalar::new(&self.answers.schema, &self.answers.rows);
        let rounding = match self.standard(&rule.rounding) {
            Ok(standard) => standard.rounding()?,
            Err(Absent::Wrong(error)) => return Err(error),
            Err(_) => Rounding::None,
        };
        let number = |expr| {
            let ready = match self.ready(&name, expr) {
                Ok(ready) => ready,
                Err(Absent::Wrong(error)) => return Err(error),
                Err(_) => return Ok(None),
            };
            self.checked(&name, table, |checker| {
                let (kind, value) = checker.number(&ready.expr)?;
                let money = kind.money || ready.used.iter().any(|s| s.unit.is_money());
                Ok(scalar.value(&value.at(table), row)?.map(|value| (kind, value, money)))
            })
        };
        let Some((kind, total, _)) = number(&rule.total)? else { return Ok(None) };
        if kind.float {
            let what = format!("{name}: the total is exact; divide by `over`");
            return Err(Error::Catalogue { what });
        }
        let unit = if kind.money { 1 } else { 100 };
        let total = i128::from(total.exact()) * unit;
        let over = i128::from(rule.over) * i128::from(ten_to(kind.scale));
        let cents = rounding.of(total, over).max(0);
        let cents = i64::try_from(cents)
            .map_err(|_| Error::Catalogue { what: format!("{name}: an amount beyond 64 bits") })?;
        let mut steps = Vec::with_capacity(rule.steps.len());
        for step in &rule.steps {
            if let Some((kind, value, money)) = number(&step.expr)? {
                let value = rounded(in_main_unit(kind, value) / step.over as f64);
                steps.push(StepShown { label: step.label.clone(), value, money });
            }
        }
        let (zh, en) = rounding.label();
        Ok(Some(Amount {
            cents,
            period: rule.period.clone(),
            formula: rule.formula.clone(),
            rounding: Text::new(zh, en),
            steps,
        }))
    }
}
