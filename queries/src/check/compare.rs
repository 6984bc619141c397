//! Comparisons: what can be said as a range or a list of one column is said so, the rest is
//! computed row by row.

use std::sync::Arc;

use yiku::Predicate;

use super::{Checker, Type, Typed, What};
use crate::ast::{Call, Comparison, Expr, ExprKind, Quantity};
use crate::bound::{Condition, Reading, Term, Test, Value};
use crate::context::Candidates;
use crate::error::{Error, Result};
use crate::numbers::Number;
use crate::source::Span;
use crate::wording::Pattern;
use yiku::calendar;

use super::operators::month_of;
use crate::ast::Arithmetic;

impl Checker<'_> {
    /// Both sides of a comparison; a bare name beside a code is read in its list.
    fn pair(&self, left: &Expr, right: &Expr) -> Result<(Typed, Typed)> {
        let code = |expr: &Expr, list| -> Result<Typed> {
            let what = What::Value(self.code_value(expr, list)?);
            Ok(Typed { kind: Type::Code(list), what, span: expr.span })
        };
        let first = self.check(left);
        if let Ok(Typed { kind: Type::Codes(_), .. }) = first {
            let what = "a set of codes is not compared; write `has any (…)`, `has all (…)` or \
                        `has none (…)`";
            return Err(self.wrong(left.span.to(right.span), what));
        }
        if let Ok(Typed { kind: Type::Code(list), .. }) = first {
            return Ok((first?, code(right, list)?));
        }
        let second = self.check(right);
        if let (Ok(Typed { kind: Type::Text, .. }), Err(Error::UnknownColumn { .. })) =
            (&first, &second)
            && let Some(text) = Self::code_text(right)
        {
            let what = format!("no column `{text}`; a text stands in single quotes: `'{text}'`");
            return Err(self.wrong(right.span, what));
        }
        if let Ok(Typed { kind: Type::Code(list), .. }) = second
            && Self::code_text(left).is_some()
        {
            return Ok((code(left, list)?, second?));
        }
        Ok((first?, second?))
    }

    pub(super) fn compare(
        &self,
        sign: Comparison,
        left: &Expr,
        right: &Expr,
        span: Span,
    ) -> Result<Condition> {
        let (left, right) = self.pair(left, right)?;
        self.compare_typed(sign, left, right, span)
    }

    fn compare_typed(
        &self,
        sign: Comparison,
        left: Typed,
        right: Typed,
        span: Span,
    ) -> Result<Condition> {
        let kinds = (left.kind, right.kind);
        let equality = matches!(sign, Comparison::Equal | Comparison::NotEqual);
        match (kinds, left.what, right.what) {
            ((Type::Number(a), Type::Number(b)), What::Value(x), What::Value(y)) => {
                self.compare_numbers(sign, (a, x), (b, y), span)
            }
            ((Type::Code(a), Type::Code(b)), What::Value(x), What::Value(y)) if a == b => {
                if !equality {
                    return Err(self.wrong(span, "codes have no order; use `=`, `!=` or `in`"));
                }
                Ok(exact(sign, x, y))
            }
            (
                (Type::Date, Type::Date) | (Type::Month, Type::Month),
                What::Value(x),
                What::Value(y),
            ) => Ok(exact(sign, x, y)),
            ((Type::Date, Type::Month), What::Value(x), What::Value(y)) => {
                Ok(exact(sign, month_of(x), y))
            }
            ((Type::Month, Type::Date), What::Value(x), What::Value(y)) => {
                Ok(exact(sign, x, month_of(y)))
            }
            ((Type::Flag, Type::Flag), What::Condition(x), What::Condition(y)) if equality => {
                let same = Condition::same(x, y);
                Ok(if sign == Comparison::Equal { same } else { same.not() })
            }
            ((Type::Text, Type::Text), What::Column { table, column }, What::Text(text))
            | ((Type::Text, Type::Text), What::Text(text), What::Column { table, column })
                if equality =>
            {
                let kind = Test::Column { column, predicate: Predicate::TextIn(vec![text]) };
                let equal = Condition { table, kind };
                Ok(if sign == Comparison::Equal { equal } else { equal.not() })
            }
            (
                (Type::Text, Type::Text),
                What::Column { table: t, column: c },
                What::Column { table: u, column: d },
            ) if equality => {
                let kind = Test::SameText { left: (t, c), right: (u, d) };
                let same = Condition { table: t.max(u), kind };
                Ok(if sign == Comparison::Equal { same } else { same.not() })
            }
            _ => Err(self.no_comparison(sign, kinds, span)),
        }
    }

    fn no_comparison(&self, sign: Comparison, kinds: (Type, Type), span: Span) -> Error {
        let (left, right) = (self.word(kinds.0), self.word(kinds.1));
        let more = match kinds {
            (Type::Path | Type::Level, _) | (_, Type::Path | Type::Level) => {
                format!("; write `{} within CODE`", self.schema.path.name)
            }
            (Type::Codes(_), _) | (_, Type::Codes(_)) => {
                "; write `has any (…)`, `has all (…)` or `has none (…)`".to_owned()
            }
            (Type::Text, Type::Text) => "; texts take `=`, `!=`, `in` and `starts`".to_owned(),
            (Type::Date | Type::Month, Type::Text) | (Type::Text, Type::Date | Type::Month) => {
                "; write the day without quotes: `2026-10-31`".to_owned()
            }
            (Type::Date | Type::Month, Type::Number(Number { money: false, .. }))
            | (Type::Number(Number { money: false, .. }), Type::Date | Type::Month) => {
                "; write a day as `2026-10-31`, a month as `2026-10`".to_owned()
            }
            (Type::Duration, _) | (_, Type::Duration) => {
                "; add it to a day: `start + 3 months`".to_owned()
            }
            (Type::Text, Type::Number(_)) => "; write a text in single quotes".to_owned(),
            (Type::Flag, _) | (_, Type::Flag) => {
                "; a flag stands alone or is compared with `true` or `false`".to_owned()
            }
            _ => String::new(),
        };
        self.wrong(span, format!("no `{}` of {left} and {right}{more}", sign.sign()))
    }

    fn compare_numbers(
        &self,
        sign: Comparison,
        left: (Number, Value),
        right: (Number, Value),
        span: Span,
    ) -> Result<Condition> {
        let together = left.0.align(right.0);
        let x = self.changed(left.1, left.0, together.left, span)?;
        let y = self.changed(right.1, right.0, together.right, span)?;
        if !together.result.float {
            return Ok(exact(sign, x, y));
        }
        let (table, left, right) = Value::level(x, y);
        Ok(Condition { table, kind: Test::Compare { sign, left, right } })
    }

    pub(super) fn between(&self, value: &Expr, low: &Expr, high: &Expr) -> Result<Condition> {
        let above = self.compare(Comparison::GreaterEqual, value, low, value.span.to(low.span))?;
        let below = self.compare(Comparison::LessEqual, value, high, value.span.to(high.span))?;
        Ok(both(above, below))
    }

    pub(super) fn one_of(&self, value: &Expr, list: &[Expr]) -> Result<Condition> {
        let typed = self.check(value)?;
        match (typed.kind, &typed.what) {
            (Type::Code(of), What::Value(found)) => {
                let mut codes = Vec::with_capacity(list.len());
                for element in list {
                    codes.push(i64::from(self.code(element, of)?));
                }
                Ok(listed(found.clone(), codes))
            }
            (Type::Text, What::Column { table, column }) => {
                let mut texts = Vec::with_capacity(list.len());
                for element in list {
                    let ExprKind::Text(text) = &element.kind else {
                        return Err(self.wrong(element.span, "expected a text in single quotes"));
                    };
                    texts.push(text.clone());
                }
                texts.sort_unstable();
                texts.dedup();
                let kind = Test::Column { column: *column, predicate: Predicate::TextIn(texts) };
                Ok(Condition { table: *table, kind })
            }
            (Type::Codes(_), _) => {
                let what = "a set of codes is in no list; write `has any (…)`, `has all (…)` or \
                            `has none (…)`";
                Err(self.wrong(value.span, what))
            }
            (Type::Path | Type::Level, _) => {
                let path = &self.schema.path.name;
                Err(self.wrong(value.span, format!("write `{path} within (…)`, not `in`")))
            }
            _ => self.one_of_values(&typed, list),
        }
    }

    /// A list of constants as one test; anything else element by element.
    fn one_of_values(&self, typed: &Typed, list: &[Expr]) -> Result<Condition> {
        let mut constants = Vec::with_capacity(list.len());
        let mut others = Vec::new();
        for element in list {
            let found = self.check(element)?;
            let number = match (typed.kind, found.kind, &found.what) {
                (Type::Number(a), Type::Number(b), What::Value(value)) if !a.float && !b.float => {
                    let together = a.align(b);
                    let value = self.changed(value.clone(), b, together.right, element.span)?;
                    // With more decimals than the value can have, it equals no value.
                    let times = together.left.times;
                    match value.as_constant() {
                        Some(number) if number % times != 0 => continue,
                        constant => constant.map(|number| number / times),
                    }
                }
                (Type::Date, Type::Date, What::Value(value))
                | (Type::Month, Type::Month, What::Value(value)) => value.as_constant(),
                _ => None,
            };
            match number {
                Some(number) => constants.push(number),
                None => {
                    let span = typed.span.to(element.span);
                    others.push(self.compare_typed(
                        Comparison::Equal,
                        typed.clone(),
                        found,
                        span,
                    )?);
                }
            }
        }
        if let (What::Value(value), true) = (&typed.what, others.is_empty()) {
            return Ok(listed(value.clone(), constants));
        }
        if let (What::Value(value), false) = (&typed.what, constants.is_empty()) {
            others.push(listed(value.clone(), constants));
        }
        Ok(Condition::any(others))
    }

    pub(super) fn has(&self, value: &Expr, quantity: Quantity, list: &[Expr]) -> Result<Condition> {
        let typed = self.check(value)?;
        let (Type::Codes(of), What::Column { table, column }) = (typed.kind, typed.what) else {
            let found = self.word(typed.kind);
            return Err(self.wrong(value.span, format!("`has` asks a set of codes, not {found}")));
        };
        let mut bits = 0u64;
        for element in list {
            let code = self.code(element, of)?;
            bits |= 1u64.checked_shl(u32::from(code)).unwrap_or(0);
        }
        let predicate = match quantity {
            Quantity::Any => Predicate::HasAny(bits),
            Quantity::All => Predicate::HasAll(bits),
            Quantity::None => Predicate::HasNone(bits),
        };
        Ok(Condition { table, kind: Test::Column { column, predicate } })
    }

    pub(super) fn within(&self, value: &Expr, list: &[Expr]) -> Result<Condition> {
        let typed = self.check(value)?;
        if typed.kind != Type::Path {
            let (name, found) = (&self.schema.path.name, self.word(typed.kind));
            let what = format!("`within` asks {name}, not {found}");
            return Err(self.wrong(value.span, what));
        }
        let mut ranges: Vec<(u64, u64)> = Vec::with_capacity(list.len());
        for element in list {
            // A bare name is no code: the error offers the places of that name.
            let Some(text) = Self::code_text(element) else {
                return Err(self.wrong(element.span, "expected the code of a place: `140105`"));
            };
            ranges.push(self.range_of(text, element.span)?);
        }
        ranges.sort_unstable();
        let mut apart: Vec<(u64, u64)> = Vec::with_capacity(ranges.len());
        for (low, high) in ranges {
            match apart.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                _ => apart.push((low, high)),
            }
        }
        Ok(Condition { table: 0, kind: Test::Within { ranges: apart } })
    }

    /// The codes of everything in a place; without a tree its digits alone say so.
    fn range_of(&self, text: &str, span: Span) -> Result<(u64, u64)> {
        let range = match self.tree {
            Some(tree) => place(tree, text).map(|node| tree.range(node)),
            None => digits_range(&self.schema.path, text),
        };
        range.ok_or_else(|| Error::UnknownRegion {
            code: text.to_owned(),
            nearest: self.tree.map_or_else(Vec::new, |tree| near_places(tree, text)),
            place: self.source.place(span),
        })
    }

    pub(super) fn is_known(&self, value: &Expr, known: bool) -> Result<Condition> {
        let typed = self.check(value)?;
        let asked = match typed.what {
            What::Column { table, column }
            | What::Value(Value { table, kind: Term::Column(column) })
            | What::Condition(Condition {
                table,
                kind: Test::Column { column, predicate: Predicate::Range { min: 1, max: 1 } },
            }) => Condition { table, kind: Test::ColumnKnown { column } },
            What::Value(Value { kind: Term::Constant(_), .. }) => Condition::constant(true),
            What::Value(value) => Condition { table: value.table, kind: Test::ValueKnown(value) },
            What::Condition(condition) if condition.is_two_valued() => Condition::constant(true),
            What::Condition(condition) => Condition {
                table: condition.table,
                kind: Test::ConditionKnown(Box::new(condition)),
            },
            _ => {
                let found = self.word(typed.kind);
                return Err(self.wrong(value.span, format!("{found} is neither known nor not")));
            }
        };
        Ok(if known { asked } else { asked.not() })
    }

    /// `matches(text, 'words')`.
    pub(super) fn matches(&self, call: &Call) -> Result<Condition> {
        let [value, words] = self.arguments(call, "a text column and words in single quotes")?;
        let (left, right) = (self.check(value)?, self.check(words)?);
        let (What::Column { table, column }, Type::Text, What::Text(text)) =
            (left.what, left.kind, right.what)
        else {
            return Err(self.wrong(
                value.span.to(words.span),
                "`matches` looks in a text column for words in single quotes",
            ));
        };
        let Some(pattern) = Pattern::new(&text) else {
            return Err(self.wrong(words.span, "there is no letter or digit to look for"));
        };
        let candidates = match self.named.texts {
            Some((texts, version)) => {
                let own = self.schema.tables.get(table);
                let name = own.and_then(|t| t.columns.get(column)).map_or("", |c| c.name.as_str());
                texts.candidates(version, self.table_name(table), name, &pattern)?
            }
            None => None,
        };
        let candidates = candidates.map(|Candidates { version, mut keys }| {
            keys.sort_unstable();
            keys.dedup();
            (version, Arc::new(Predicate::TextIn(keys)))
        });
        Ok(Condition { table, kind: Test::Matches { column, pattern, candidates } })
    }

    pub(super) fn starts(&self, value: &Expr, text: &Expr) -> Result<Condition> {
        let (left, right) = (self.check(value)?, self.check(text)?);
        let (What::Column { table, column }, Type::Text, What::Text(text)) =
            (left.what, left.kind, right.what)
        else {
            return Err(self.wrong(
                value.span.to(text.span),
                "`starts` asks a text column for a text in single quotes",
            ));
        };
        let kind = Test::Column { column, predicate: Predicate::TextStarts(text) };
        Ok(Condition { table, kind })
    }
}

/// The place of a code of any level, with or without the zeros of the levels beneath.
pub(super) fn place<'t>(
    tree: &'t yiku::PathTree,
    text: &str,
) -> Option<&'t yiku::schema::PathNode> {
    let digits = usize::from(tree.levels().last()?.digits);
    let of_a_level = tree.levels().iter().any(|l| usize::from(l.digits) == text.len());
    if !of_a_level || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    tree.get(format!("{text:0<digits$}").parse().ok()?)
}

/// The codes that begin with the digits of a place of any level.
pub(crate) fn digits_range(path: &yiku::schema::PathSchema, text: &str) -> Option<(u64, u64)> {
    let width = usize::from(path.digits());
    let of_a_level = path.levels.iter().any(|l| usize::from(l.digits) == text.len());
    if !of_a_level || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let bound = |text: String| text.parse::<u64>().ok();
    Some((bound(format!("{text:0<width$}"))?, bound(format!("{text:9<width$}"))?))
}

/// Places an unknown code may have meant, as code and name: of that name, or of the nearest code.
fn near_places(tree: &yiku::PathTree, text: &str) -> Vec<String> {
    let told = |node: &yiku::schema::PathNode| format!("{} {}", tree.prefix(node), node.name);
    let numeric = text.bytes().all(|b| b.is_ascii_digit());
    if !numeric {
        let mut named: Vec<_> = tree.nodes().iter().filter(|n| n.name.contains(text)).collect();
        named.sort_by_key(|n| (n.level, n.code));
        return named.into_iter().take(3).map(told).collect();
    }
    let digits = tree.levels().last().map_or(0, |l| usize::from(l.digits));
    let Ok(code) = format!("{text:0<digits$}").parse::<u64>() else { return Vec::new() };
    let level = tree.levels().iter().position(|l| usize::from(l.digits) >= text.len());
    let level = level.unwrap_or(tree.levels().len().saturating_sub(1));
    let mut near: Vec<_> = tree.nodes().iter().filter(|n| usize::from(n.level) == level).collect();
    near.sort_by_key(|n| (n.code.abs_diff(code), n.code));
    near.into_iter().take(3).map(told).collect()
}

/// A comparison of exact values of one scale.
fn exact(sign: Comparison, left: Value, right: Value) -> Condition {
    match (left.as_constant(), right.as_constant()) {
        (Some(x), Some(y)) => Condition::constant(holds(sign, x.cmp(&y))),
        (None, Some(y)) => against(sign, left, y),
        (Some(x), None) => against(sign.flipped(), right, x),
        (None, None) => {
            let (table, left, right) = Value::level(left, right);
            Condition { table, kind: Test::Compare { sign, left, right } }
        }
    }
}

/// Whether an order of two values is what the comparison asks.
pub(crate) fn holds(sign: Comparison, order: std::cmp::Ordering) -> bool {
    match sign {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterEqual => order.is_ge(),
    }
}

fn against(sign: Comparison, value: Value, constant: i64) -> Condition {
    let empty = (1, 0);
    let (low, high) = match sign {
        Comparison::Equal => (constant, constant),
        Comparison::NotEqual => return ranged(value, constant, constant).not(),
        Comparison::LessEqual => (i64::MIN, constant),
        Comparison::GreaterEqual => (constant, i64::MAX),
        Comparison::Less => constant.checked_sub(1).map_or(empty, |c| (i64::MIN, c)),
        Comparison::Greater => constant.checked_add(1).map_or(empty, |c| (c, i64::MAX)),
    };
    ranged(value, low, high)
}

/// A value between two others, said of the column beneath as far as that is possible. The least
/// and the greatest `i64` stand for no bound.
fn ranged(value: Value, low: i64, high: i64) -> Condition {
    let Value { table, kind } = value;
    let shifted = |bound: i64, by: i64| match bound {
        i64::MIN | i64::MAX => bound,
        _ => bound.saturating_add(by),
    };
    match kind {
        Term::Column(column) => {
            let predicate = Predicate::Range { min: low, max: high };
            Condition { table, kind: Test::Column { column, predicate } }
        }
        Term::Spread(inner) => ranged(*inner, low, high).at(table),
        Term::Exact(Arithmetic::Add, inner, by)
            if by.as_constant().is_some_and(|k| k.unsigned_abs() < 1 << 40) =>
        {
            let by = by.as_constant().unwrap_or(0);
            ranged(*inner, shifted(low, -by), shifted(high, -by))
        }
        Term::Exact(Arithmetic::Multiply, inner, by) if by.as_constant().is_some_and(|k| k > 0) => {
            let by = by.as_constant().unwrap_or(1);
            let floor = |bound: i64| bound.div_euclid(by);
            let ceiling = |bound: i64| -(-i128::from(bound)).div_euclid(i128::from(by));
            let low = match low {
                i64::MIN => low,
                _ => i64::try_from(ceiling(low)).unwrap_or(low),
            };
            ranged(*inner, low, if high == i64::MAX { high } else { floor(high) })
        }
        Term::Calendar(reading, inner) => match calendar_range(reading, low, high) {
            Some((low, high)) => ranged(*inner, low, high),
            None => {
                let value = Value { table, kind: Term::Calendar(reading, inner) };
                Condition { table, kind: Test::Between { value, low, high } }
            }
        },
        kind => {
            Condition { table, kind: Test::Between { value: Value { table, kind }, low, high } }
        }
    }
}

/// The days (or months) for which a reading lies between two numbers, if they are a range and
/// the numbers are of a calendar.
fn calendar_range(reading: Reading, low: i64, high: i64) -> Option<(i64, i64)> {
    /// Months of the years up to which bounds are turned.
    const MONTHS: i64 = 1_200_000;
    if low > high {
        return Some((1, 0));
    }
    let turned = |bound: i64, open: i64| bound == open || bound.unsigned_abs() < 1_200_000;
    if !turned(low, i64::MIN) || !turned(high, i64::MAX) {
        return None;
    }
    let years = |bound: i64| bound.clamp(-MONTHS / 12, MONTHS / 12);
    let from = |day: fn(i64) -> i64, bound| if low == i64::MIN { low } else { day(bound) };
    let to = |day: fn(i64) -> i64, bound| if high == i64::MAX { high } else { day(bound) };
    match reading {
        Reading::Age { .. } | Reading::Year | Reading::YearOfMonth
            if years(low) != low && low != i64::MIN || years(high) != high && high != i64::MAX =>
        {
            None
        }
        Reading::Age { as_of } => {
            let first = if high == i64::MAX {
                i64::MIN
            } else {
                calendar::born_by(high + 1, as_of).saturating_add(1)
            };
            let last = if low == i64::MIN { i64::MAX } else { calendar::born_by(low, as_of) };
            Some((first, last))
        }
        Reading::Year => Some((
            from(calendar::month_start, years(low) * 12),
            to(calendar::month_end, years(high) * 12 + 11),
        )),
        Reading::Month => Some((from(calendar::month_start, low), to(calendar::month_end, high))),
        Reading::YearOfMonth => {
            Some((from(|m| m, years(low) * 12), to(|m| m, years(high) * 12 + 11)))
        }
        _ => None,
    }
}

/// A value that is one of some constants.
fn listed(value: Value, mut list: Vec<i64>) -> Condition {
    list.sort_unstable();
    list.dedup();
    let Value { table, kind } = value;
    match kind {
        Term::Column(column) => {
            let kind = Test::Column { column, predicate: Predicate::In(list) };
            Condition { table, kind }
        }
        Term::Spread(inner) => listed(*inner, list).at(table),
        Term::Constant(value) => Condition::constant(list.binary_search(&value).is_ok()),
        kind => Condition { table, kind: Test::OneOf { value: Value { table, kind }, list } },
    }
}

/// Two conditions that are ranges of the same thing, as one range.
fn both(above: Condition, below: Condition) -> Condition {
    if above.table == below.table {
        match (&above.kind, &below.kind) {
            (
                Test::Column { column, predicate: Predicate::Range { min: a, max: b } },
                Test::Column { column: same, predicate: Predicate::Range { min: c, max: d } },
            ) if column == same => {
                let predicate = Predicate::Range { min: *a.max(c), max: *b.min(d) };
                let kind = Test::Column { column: *column, predicate };
                return Condition { table: above.table, kind };
            }
            (
                Test::Between { value, low: a, high: b },
                Test::Between { value: same, low: c, high: d },
            ) if value == same => {
                let (low, high) = (*a.max(c), *b.min(d));
                let kind = Test::Between { value: value.clone(), low, high };
                return Condition { table: above.table, kind };
            }
            _ => {}
        }
    }
    Condition::all(vec![above, below])
}
