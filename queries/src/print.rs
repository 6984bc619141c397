//! The canonical text of a question: one spelling for all that say the same.
//!
//! Invariant: reading the text again gives an equal question.

use std::fmt::{self, Write};

use crate::ast::{
    Arithmetic, Call, Change, Definition, Expr, ExprKind, Flow, Moment, Order, Over, Publish,
    Query, Set, Top,
};
use crate::lexer::{self, Token};
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
        ExprKind::InSet(Some(of), name) => write!(f, "{} in set {}", At(of, SUM), name.text),
        ExprKind::InSet(None, name) => write!(f, "in set {}", name.text),
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

/// Whether an expression can stand without a name in front: it would not be read as having one.
fn is_bare(text: &str) -> bool {
    let found = lexer::tokens(&Source::text(text)).unwrap_or_default();
    let mut found = found.iter().map(|(token, _)| token);
    let first = found.next();
    let named = matches!(first, Some(Token::Word(_) | Token::Text(_)));
    !(named && found.next() == Some(&Token::Mark("=")))
}

fn definition(found: &Definition) -> String {
    let text = expression(&found.clause.expr);
    if found.name == text && is_bare(&text) {
        text
    } else if parse::is_name(&found.name) {
        format!("{} = {text}", found.name)
    } else {
        format!("{} = {text}", quoted(&found.name))
    }
}

/// The value of a parameter as both forms write it.
pub(crate) fn change(change: &Change) -> String {
    let per = if change.monthly { "/month" } else { "" };
    format!("{}{}{per}", change.sign.map_or("", Arithmetic::sign), change.number)
}

/// A moment as the JSON form writes it.
pub(crate) fn moment(moment: &Moment) -> String {
    match moment {
        Moment::Day(day) => calendar::date_text(*day),
        Moment::Version(name) => name.clone(),
    }
}

fn assumption(changes: &[Change]) -> String {
    let one = |found: &Change| format!("{} = {}", found.name.text, change(found));
    match changes {
        [only] => one(only),
        several => {
            let all: Vec<String> = several.iter().map(one).collect();
            format!("({})", all.join(", "))
        }
    }
}

fn set(set: &Set) -> String {
    let of =
        set.table.as_ref().map_or_else(String::new, |table| format!(" of {}", table.word.text));
    format!("{}{of} = {}", set.name.text, expression(&set.clause.expr))
}

fn top(top: &Top) -> String {
    let within: Vec<String> = top.within.iter().map(|c| expression(&c.expr)).collect();
    let within =
        if within.is_empty() { String::new() } else { format!(" within {}", within.join(", ")) };
    let order: Vec<String> = top.order.iter().map(order).collect();
    format!("{}{within} by {}", top.count, order.join(", "))
}

fn over(over: &Over) -> String {
    let [first, last] = [over.first, over.last].map(calendar::month_text);
    format!("{} {first} to {last}", over.period.word())
}

fn flow(flow: &Flow) -> String {
    let end = |moment: &Moment| match moment {
        Moment::Day(day) => calendar::date_text(*day),
        Moment::Version(name) => quoted(name),
    };
    format!("{} to {}", end(&flow.before), end(&flow.after))
}

impl Query {
    /// The canonical text form; [`Query::parse`] reads it back as an equal question.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.clauses().join(" ")
    }

    /// As [`Query::to_text`], each clause on a line of its own.
    #[must_use]
    pub fn to_lines(&self) -> String {
        self.clauses().join("\n")
    }

    fn clauses(&self) -> Vec<String> {
        let mut clauses = vec![("from", self.from.word.text.clone())];
        let mut clause = |word: &'static str, rest: Option<String>| {
            clauses.extend(rest.map(|rest| (word, rest)));
        };
        clause("where", self.filter.as_ref().map(|filter| expression(&filter.expr)));
        clause("by", list(&self.by, |clause| expression(&clause.expr)));
        clause("measure", list(&self.measures, definition));
        clause("matrix", list(&self.matrix, definition));
        clause("select", list(&self.select, definition));
        clause("having", self.having.as_ref().map(|clause| expression(&clause.expr)));
        clause("totals", self.totals.then(String::new));
        clause("top", self.top.as_ref().map(top));
        clause("order", list(&self.order, order));
        clause("limit", self.limit.map(|limit| limit.to_string()));
        clause("offset", (self.offset > 0).then(|| self.offset.to_string()));
        clause("after", self.after.as_deref().map(quoted));
        clause("over", self.over.as_ref().map(over));
        clause("compare", list(&self.compare, |period| period.word().to_owned()));
        clause("flow", self.flow.as_ref().map(flow));
        clause("sets", list(&self.sets, set));
        clause("with", list(&self.with, |changes| assumption(changes)));
        let publish = |p: &Publish| format!("min_cell {} round {}", p.min_cell, p.round);
        clause("publish", self.publish.as_ref().map(publish));
        clause("as_of", self.as_of.map(calendar::date_text));
        clause("explain", self.explain.then(String::new));
        let texts = clauses.into_iter().map(|(word, rest)| match rest.as_str() {
            "" => word.to_owned(),
            rest => format!("{word} {rest}"),
        });
        texts.collect()
    }
}

/// Parts between commas; none where there is no part.
fn list<T>(parts: &[T], text: impl Fn(&T) -> String) -> Option<String> {
    let texts: Vec<String> = parts.iter().map(text).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}
