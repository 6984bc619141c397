//! The canonical text of a question: one spelling for all that say the same.
//!
//! Invariant: reading the text again gives an equal question.

use std::fmt::{self, Write};

use crate::ast::{Arithmetic, Call, Expr, ExprKind, Measure, Order, Query};
use crate::parse;
use crate::source::Source;
use yiku::calendar;

/// Binding strength, as the parser has it.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARE: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const SIGNED: u8 = 7;
const PRIMARY: u8 = 8;

fn strength(kind: &ExprKind) -> u8 {
    match kind {
        ExprKind::Or(_) => OR,
        ExprKind::And(_) => AND,
        ExprKind::Not(_) => NOT,
        ExprKind::Compare(..)
        | ExprKind::In(..)
        | ExprKind::InSet(..)
        | ExprKind::Between(..)
        | ExprKind::Has(..)
        | ExprKind::Within(..)
        | ExprKind::Is(..)
        | ExprKind::Starts(..) => COMPARE,
        ExprKind::Arithmetic(Arithmetic::Add | Arithmetic::Subtract, ..) => SUM,
        ExprKind::Arithmetic(..) => PRODUCT,
        ExprKind::Negative(_) => SIGNED,
        _ => PRIMARY,
    }
}

/// The canonical text of an expression.
pub(crate) fn expression(expr: &Expr) -> String {
    At(expr, 0).to_string()
}

/// A text between single quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// An expression where everything looser than a strength needs brackets.
struct At<'a>(&'a Expr, u8);

/// Expressions between commas.
struct List<'a>(&'a [Expr]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, expr) in self.0.iter().enumerate() {
            write!(f, "{}{}", if place == 0 { "" } else { ", " }, At(expr, 0))?;
        }
        Ok(())
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = strength(&self.0.kind);
        if own < self.1 {
            return write!(f, "({})", At(self.0, 0));
        }
        match &self.0.kind {
            ExprKind::Or(parts) => join(f, parts, " or ", AND),
            ExprKind::And(parts) => join(f, parts, " and ", NOT),
            ExprKind::Not(inner) => write!(f, "not {}", At(inner, NOT)),
            ExprKind::Arithmetic(sign, left, right) => {
                write!(f, "{} {} {}", At(left, own), sign.sign(), At(right, own + 1))
            }
            ExprKind::Negative(inner) => write!(f, "-{}", At(inner, SIGNED)),
            kind if own == COMPARE => comparison(f, kind),
            kind => primary(f, kind),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, parts: &[Expr], word: &str, strength: u8) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        write!(f, "{}{}", if place == 0 { "" } else { word }, At(part, strength))?;
    }
    Ok(())
}

fn comparison(f: &mut fmt::Formatter<'_>, kind: &ExprKind) -> fmt::Result {
    match kind {
        ExprKind::Compare(sign, left, right) => {
            write!(f, "{} {} {}", At(left, SUM), sign.sign(), At(right, SUM))
        }
        ExprKind::In(value, list) => write!(f, "{} in ({})", At(value, SUM), List(list)),
        ExprKind::InSet(value, name) => write!(f, "{} in set {}", At(value, SUM), name.text),
        ExprKind::Between(value, low, high) => {
            write!(f, "{} between {} and {}", At(value, SUM), At(low, SUM), At(high, SUM))
        }
        ExprKind::Has(value, quantity, list) => {
            write!(f, "{} has {} ({})", At(value, SUM), quantity.word(), List(list))
        }
        ExprKind::Within(value, list) => match list.as_slice() {
            [one] if strength(&one.kind) == PRIMARY => {
                write!(f, "{} within {}", At(value, SUM), At(one, PRIMARY))
            }
            _ => write!(f, "{} within ({})", At(value, SUM), List(list)),
        },
        ExprKind::Is(value, known) => {
            write!(f, "{} is {}", At(value, SUM), if *known { "known" } else { "unknown" })
        }
        ExprKind::Starts(value, text) => {
            write!(f, "{} starts {}", At(value, SUM), At(text, SUM))
        }
        _ => Ok(()),
    }
}

fn primary(f: &mut fmt::Formatter<'_>, kind: &ExprKind) -> fmt::Result {
    match kind {
        ExprKind::Name(words) => {
            for (place, word) in words.iter().enumerate() {
                write!(f, "{}{}", if place == 0 { "" } else { "." }, word.text)?;
            }
            Ok(())
        }
        ExprKind::Number(number) => f.write_str(number),
        ExprKind::Text(text) => f.write_str(&quoted(text)),
        ExprKind::Date(day) => f.write_str(&calendar::date_text(*day)),
        ExprKind::Month(month) => f.write_str(&calendar::month_text(*month)),
        ExprKind::Flag(flag) => write!(f, "{flag}"),
        ExprKind::AsOf => f.write_str("as_of"),
        ExprKind::Duration(count, unit) => write!(f, "{count} {}", unit.word(*count)),
        ExprKind::Parameter(name) => write!(f, "${name}"),
        ExprKind::Call(Call { name, arguments, filter }) => {
            write!(f, "{}({}", name.text, List(arguments))?;
            if let Some(filter) = filter {
                let gap = if arguments.is_empty() { "" } else { " " };
                write!(f, "{gap}where {}", At(filter, 0))?;
            }
            f.write_char(')')
        }
        _ => Ok(()),
    }
}

/// One key of the order as the text form and the JSON form write it.
pub(crate) fn order(order: &Order) -> String {
    let sign = if order.descending { "-" } else { "" };
    let bare = !order.key.starts_with(['-', '\''])
        && parse::expression(&Source::text(&order.key))
            .is_ok_and(|expr| expression(&expr) == order.key);
    if bare { format!("{sign}{}", order.key) } else { format!("{sign}{}", quoted(&order.key)) }
}

fn measure(measure: &Measure) -> String {
    let text = expression(&measure.clause.expr);
    let call = matches!(measure.clause.expr.kind, ExprKind::Call(_));
    if call && measure.name == text {
        text
    } else if parse::is_name(&measure.name) {
        format!("{} = {text}", measure.name)
    } else {
        format!("{} = {text}", quoted(&measure.name))
    }
}

impl Query {
    /// The canonical text form; [`Query::parse`] reads it back as an equal question.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("from {}", self.from.word.text);
        let mut clause = |word: &str, rest: String| {
            text.push(' ');
            text.push_str(word);
            text.push_str(&rest);
        };
        let list = |parts: Vec<String>| format!(" {}", parts.join(", "));
        if let Some(filter) = &self.filter {
            clause("where", format!(" {}", expression(&filter.expr)));
        }
        if !self.by.is_empty() {
            clause("by", list(self.by.iter().map(|c| expression(&c.expr)).collect()));
        }
        if !self.measures.is_empty() {
            clause("measure", list(self.measures.iter().map(measure).collect()));
        }
        if self.totals {
            clause("totals", String::new());
        }
        if !self.order.is_empty() {
            clause("order", list(self.order.iter().map(order).collect()));
        }
        if let Some(limit) = self.limit {
            clause("limit", format!(" {limit}"));
        }
        if self.offset > 0 {
            clause("offset", format!(" {}", self.offset));
        }
        if let Some(day) = self.as_of {
            clause("as_of", format!(" {}", calendar::date_text(day)));
        }
        text
    }
}
