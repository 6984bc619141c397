//! Functions of one row, and what is asked over the rows beneath it.

use super::operators::operate;
use super::{Checker, Type, Typed, What};
use crate::ast::{Arithmetic, Call, Expr, ExprKind};
use crate::bound::{Condition, Fold, Function, Reading, Term, Test, Value};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::numbers::{Number, ten_to};
use crate::source::Span;
use yiku::calendar;

/// Aggregates whose names stand for nothing else.
const FOLDS: [&str; 6] = ["any", "none", "all", "count", "sum", "avg"];

impl Checker<'_> {
    pub(super) fn call(&self, call: &Call, span: Span) -> Result<Typed> {
        let name = call.name.text.as_str();
        let fold = is_fold(call);
        if !super::FUNCTIONS.contains(&name) {
            return Err(self.no_function(call));
        }
        if let (false, Some(filter)) = (fold || name == "count_distinct", &call.filter) {
            return Err(self.wrong(filter.span, format!("`{name}` takes no `where`")));
        }
        let typed = |kind, what| Ok(Typed { kind, what, span });
        match name {
            "age" => {
                let [day] = self.arguments(call, "one date")?;
                let as_of = self.need_as_of()?;
                let value = self.date(day)?;
                let value = read(Reading::Age { as_of }, value);
                typed(Type::Number(Number::INT), What::Value(value))
            }
            "year" | "month" | "quarter" => self.calendar(call, span),
            "abs" => {
                let [number] = self.arguments(call, "one number")?;
                let (number, value) = self.number(number)?;
                typed(Type::Number(number), What::Value(value.map(Term::Absolute)))
            }
            "min" | "max" if !fold => self.extreme(call, span),
            "coalesce" => self.coalesce(call, span),
            "if" => self.choice(call, span),
            "per_capita" => self.per_capita(call, span),
            "band" => {
                let (value, bands) = self.band(call)?;
                typed(Type::Band, What::Band(value, bands))
            }
            "matches" => typed(Type::Flag, What::Condition(self.matches(call)?)),
            "any" | "none" | "all" => typed(Type::Flag, What::Condition(self.quantified(call)?)),
            "count" => {
                let child = self.child_table(call)?;
                let condition = self.fold_condition(call, child)?;
                let fold = Fold { child, function: Function::Count, argument: None, condition };
                typed(Type::Number(Number::INT), What::Value(self.folded(fold)))
            }
            "sum" | "avg" | "min" | "max" => self.fold(call, span),
            _ => Err(self.no_function(call)),
        }
    }

    /// Exactly as many arguments as asked.
    pub(super) fn arguments<'e, const N: usize>(
        &self,
        call: &'e Call,
        wanted: &str,
    ) -> Result<&'e [Expr; N]> {
        <&[Expr; N]>::try_from(call.arguments.as_slice()).map_err(|_| {
            let what = format!("`{}` takes {wanted}", call.name.text);
            self.wrong(call.name.span, what)
        })
    }

    fn date(&self, expr: &Expr) -> Result<Value> {
        let typed = self.check(expr)?;
        match (typed.kind, typed.what) {
            (Type::Date, What::Value(value)) => Ok(value),
            (kind, _) => {
                let found = self.word(kind);
                Err(self.wrong(expr.span, format!("expected a date, found {found}")))
            }
        }
    }

    fn calendar(&self, call: &Call, span: Span) -> Result<Typed> {
        let [day] = self.arguments(call, "one date or month")?;
        let typed = self.check(day)?;
        let What::Value(value) = typed.what else {
            return Err(self.no_calendar(day, typed.kind));
        };
        let reading = match (typed.kind, call.name.text.as_str()) {
            (Type::Date, "year") => Reading::Year,
            (Type::Date, "month") => Reading::MonthNumber,
            (Type::Date, _) => Reading::Quarter,
            (Type::Month, "year") => Reading::YearOfMonth,
            (Type::Month, "month") => Reading::NumberOfMonth,
            (Type::Month, _) => Reading::QuarterOfMonth,
            _ => return Err(self.no_calendar(day, typed.kind)),
        };
        let what = What::Value(read(reading, value));
        Ok(Typed { kind: Type::Number(Number::INT), what, span })
    }

    fn no_calendar(&self, expr: &Expr, kind: Type) -> Error {
        self.wrong(expr.span, format!("expected a date or a month, found {}", self.word(kind)))
    }

    /// Values brought to the kind of the first: numbers, days, months, or codes of one list.
    fn alike(&self, first: Typed, rest: &[Expr], span: Span) -> Result<(Type, Vec<Value>)> {
        let typed = first;
        let What::Value(value) = typed.what else {
            let found = self.word(typed.kind);
            return Err(self.wrong(
                typed.span,
                format!("expected numbers, dates, months or codes, found {found}"),
            ));
        };
        let mut values = vec![value];
        let mut kind = typed.kind;
        for expr in rest {
            if let Type::Code(list) = kind {
                values.push(self.code_value(expr, list)?);
                continue;
            }
            let next = self.check(expr)?;
            match (kind, next.kind, next.what) {
                (Type::Number(a), Type::Number(b), What::Value(value)) => {
                    let together = a.align(b);
                    let change = |v| self.changed(v, a, together.left, span);
                    values = values.into_iter().map(change).collect::<Result<_>>()?;
                    values.push(self.changed(value, b, together.right, span)?);
                    kind = Type::Number(together.result);
                }
                (a, b, What::Value(value)) if a == b => values.push(value),
                (a, b, _) => {
                    let (a, b) = (self.word(a), self.word(b));
                    return Err(self.wrong(expr.span, format!("expected {a}, found {b}")));
                }
            }
        }
        Ok((kind, values))
    }

    fn extreme(&self, call: &Call, span: Span) -> Result<Typed> {
        let Some((first, rest)) = call.arguments.split_first() else {
            return Err(self.wrong(span, format!("`{}` takes two values or more", call.name.text)));
        };
        let (kind, values) = self.alike(self.check(first)?, rest, span)?;
        if matches!(kind, Type::Code(_)) {
            return Err(self.wrong(span, "codes have no order"));
        }
        let (table, values) = Value::level_all(values);
        let least = call.name.text == "min";
        let term = if least { Term::Least(values) } else { Term::Greatest(values) };
        Ok(Typed { kind, what: What::Value(Value { table, kind: term }), span })
    }

    fn coalesce(&self, call: &Call, span: Span) -> Result<Typed> {
        let Some((first, rest)) = call.arguments.split_first().filter(|(_, r)| !r.is_empty())
        else {
            return Err(self.wrong(span, "`coalesce` takes two values or more"));
        };
        let first = self.check(first)?;
        if let What::Condition(first) = first.what {
            let mut parts = vec![first];
            for argument in rest {
                parts.push(self.condition(argument)?);
            }
            let (table, parts) = Condition::level_all(parts);
            let what = What::Condition(Condition { table, kind: Test::FirstKnown(parts) });
            return Ok(Typed { kind: Type::Flag, what, span });
        }
        let (kind, values) = self.alike(first, rest, span)?;
        let (table, values) = Value::level_all(values);
        let what = What::Value(Value { table, kind: Term::Coalesce(values) });
        Ok(Typed { kind, what, span })
    }

    fn choice(&self, call: &Call, span: Span) -> Result<Typed> {
        let [condition, first, second] = self.arguments(call, "a condition and two values")?;
        let condition = self.condition(condition)?;
        let first = self.check(first)?;
        if let What::Condition(first) = first.what {
            let second = self.condition(second)?;
            let what = What::Condition(Condition::choose(condition, first, second));
            return Ok(Typed { kind: Type::Flag, what, span });
        }
        let (kind, values) = self.alike(first, std::slice::from_ref(second), span)?;
        let (table, mut values) = Value::level_all(values);
        let table = table.max(condition.table);
        let (Some(b), Some(a)) = (values.pop(), values.pop()) else {
            return Err(self.wrong(span, "`if` takes a condition and two values"));
        };
        let (a, b) = (Box::new(a.at(table)), Box::new(b.at(table)));
        let term = Term::If(Box::new(condition.at(table)), a, b);
        Ok(Typed { kind, what: What::Value(Value { table, kind: term }), span })
    }

    fn per_capita(&self, call: &Call, span: Span) -> Result<Typed> {
        let [number] = self.arguments(call, "one number")?;
        let (number, value) = self.number(number)?;
        let Some(child) = self.schema.children(0).first().copied() else {
            return Err(self.wrong(span, "`per_capita` needs a table beneath the root"));
        };
        let fold = Fold { child, function: Function::Count, argument: None, condition: None };
        let count = Value { table: 0, kind: Term::Fold(Box::new(fold)) };
        let together = number
            .combine(Arithmetic::Divide, Number::INT)
            .map_err(|what| self.wrong(span, what))?;
        let above = self.changed(value, number, together.left, span)?;
        let below = self.changed(count, Number::INT, together.right, span)?;
        let value = operate(Arithmetic::Divide, above, below, true);
        Ok(Typed { kind: Type::Number(together.result), what: What::Value(value), span })
    }

    fn quantified(&self, call: &Call) -> Result<Condition> {
        let child = self.child_table(call)?;
        let condition = self.fold_condition(call, child)?;
        let condition = condition.unwrap_or_else(|| Condition::constant(true));
        Ok(match call.name.text.as_str() {
            "any" => Condition::exists(self.table, child, condition),
            "none" => Condition::exists(self.table, child, condition).not(),
            _ => Condition::exists(self.table, child, condition.truth().not()).not(),
        })
    }

    /// The table beneath this one that `any(TABLE where …)` names.
    fn child_table(&self, call: &Call) -> Result<usize> {
        let name = &call.name.text;
        let [argument] = self.arguments(call, &format!("a table: `{name}(TABLE where …)`"))?;
        let ExprKind::Name(words) = &argument.kind else {
            return Err(self.wrong(argument.span, "expected the name of a table"));
        };
        let ([word], Some(first)) = (words.as_slice(), words.first()) else {
            return Err(self.wrong(argument.span, "expected the name of a table"));
        };
        let beneath = |t: usize| t != self.table && self.is_above(self.table, t);
        match self.schema.table_index(&word.text).filter(|t| beneath(*t)) {
            Some(child) => Ok(child),
            None => {
                let tables = (0..self.schema.tables.len()).filter(|t| beneath(*t));
                let names: Vec<&str> = tables.map(|t| self.table_name(t)).collect();
                let mut reach = format!("beneath {}", self.table_name(self.table));
                let found = self.schema.table_index(&word.text);
                if found.is_some_and(|t| t != self.table && self.is_above(t, self.table)) {
                    reach += &format!("; it lies above: write `{}.COLUMN`", word.text);
                }
                Err(Error::UnknownTable {
                    name: first.text.clone(),
                    reach,
                    suggestion: nearest(&first.text, names),
                    place: self.source.place(first.span),
                })
            }
        }
    }

    fn fold_condition(&self, call: &Call, child: usize) -> Result<Option<Condition>> {
        let Some(filter) = &call.filter else { return Ok(None) };
        Ok(Some(self.on(child).condition(filter)?.at(child)))
    }

    fn folded(&self, fold: Fold) -> Value {
        Value { table: self.table, kind: Term::Fold(Box::new(fold)) }
    }

    /// `sum(TABLE.column where …)` and its like.
    fn fold(&self, call: &Call, span: Span) -> Result<Typed> {
        let name = call.name.text.as_str();
        let [argument] = self.arguments(call, "one value of the rows beneath")?;
        let Some(child) = self.beneath(argument) else {
            // A table that is not there is told as such.
            if let Err(error @ Error::UnknownTable { .. }) = self.check(argument) {
                return Err(error);
            }
            return Err(self.wrong(
                span,
                format!("`{name}` needs a column of the rows beneath: `{name}(TABLE.column)`"),
            ));
        };
        let typed = self.on(child).check(argument)?;
        let condition = self.fold_condition(call, child)?;
        let What::Value(value) = typed.what else {
            let found = self.word(typed.kind);
            return Err(self.wrong(argument.span, format!("no `{name}` of {found}")));
        };
        let function = match name {
            "sum" => Function::Sum,
            "avg" => Function::Average,
            "min" => Function::Least,
            _ => Function::Greatest,
        };
        let ordered = matches!(function, Function::Least | Function::Greatest);
        let mut kind = match typed.kind {
            Type::Number(number) => Type::Number(number),
            Type::Date | Type::Month if ordered => typed.kind,
            other => {
                let found = self.word(other);
                return Err(self.wrong(argument.span, format!("no `{name}` of {found}")));
            }
        };
        let argument = Some(value.at(child));
        let mut value = self.folded(Fold { child, function, argument, condition });
        if let (Function::Average, Type::Number(number)) = (function, kind) {
            kind = Type::Number(number.as_float());
            if number.scale > 0 {
                let over = Term::ConstantFloat(ten_to(number.scale) as f64);
                let over = Value { table: 0, kind: over };
                value = operate(Arithmetic::Divide, value, over, true);
            }
        }
        Ok(Typed { kind, what: What::Value(value), span })
    }

    /// The lowest table beneath this one whose columns an expression names.
    pub(super) fn beneath(&self, expr: &Expr) -> Option<usize> {
        let mut found: Option<usize> = None;
        each_name(expr, &mut |name| {
            if let Some(table) = self.schema.table_index(name)
                && table != self.table
                && self.is_above(self.table, table)
            {
                found = Some(found.map_or(table, |f| f.max(table)));
            }
        });
        found
    }
}

/// A reading of a constant is a constant.
fn read(reading: Reading, value: Value) -> Value {
    match value.as_constant() {
        Some(number) => Value::constant(reading.of(number)),
        None => value.map(|v| Term::Calendar(reading, v)),
    }
}

/// Whether a call is over the rows beneath; `min` and `max` of several values are not.
fn is_fold(call: &Call) -> bool {
    let name = call.name.text.as_str();
    let extreme = matches!(name, "min" | "max");
    FOLDS.contains(&name) || extreme && (call.arguments.len() == 1 || call.filter.is_some())
}

/// The tables named in `table.column`, but not inside an aggregate of its own.
fn each_name(expr: &Expr, found: &mut dyn FnMut(&str)) {
    match &expr.kind {
        ExprKind::Name(words) => {
            if let (Some(first), true) = (words.first(), words.len() > 1) {
                found(&first.text);
            }
        }
        ExprKind::Negative(inner) | ExprKind::Not(inner) | ExprKind::Is(inner, _) => {
            each_name(inner, found);
        }
        ExprKind::Arithmetic(_, a, b) | ExprKind::Compare(_, a, b) | ExprKind::Starts(a, b) => {
            each_name(a, found);
            each_name(b, found);
        }
        ExprKind::Between(a, b, c) => [a, b, c].iter().for_each(|e| each_name(e, found)),
        ExprKind::And(parts) | ExprKind::Or(parts) => {
            parts.iter().for_each(|p| each_name(p, found));
        }
        ExprKind::In(a, list) | ExprKind::Has(a, _, list) | ExprKind::Within(a, list) => {
            each_name(a, found);
            list.iter().for_each(|p| each_name(p, found));
        }
        ExprKind::Call(call) if !is_fold(call) => {
            call.arguments.iter().for_each(|p| each_name(p, found));
        }
        _ => {}
    }
}

impl Reading {
    /// What is read off one day or month.
    pub(crate) fn of(self, value: i64) -> i64 {
        let number = |month: i64| month.rem_euclid(12);
        match self {
            Self::Age { as_of } => calendar::age(value, as_of),
            Self::Year => calendar::civil(value).0,
            Self::MonthNumber => i64::from(calendar::civil(value).1),
            Self::Quarter => (i64::from(calendar::civil(value).1) + 2) / 3,
            Self::Month => calendar::month_of(value),
            Self::YearOfMonth => value.div_euclid(12),
            Self::NumberOfMonth => number(value) + 1,
            Self::QuarterOfMonth => number(value) / 3 + 1,
        }
    }
}
