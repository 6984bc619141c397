//! The text form of a question: `from T where … by … measure … totals order … limit …`, and the
//! other clauses in any order.

use super::{BY_MAX, MEASURES_MAX, ORDER_MAX, Parser, is_name};
use crate::ast::{Clause, Definition, Expr, ExprKind, Named, Order, Query, Word};
use crate::error::{Error, Result};
use crate::lexer::Token;
use crate::print;
use crate::source::{Source, Span};
use yiku::calendar;

/// The clauses, in the order of the canonical text.
pub(crate) const CLAUSES: [&str; 21] = [
    "from", "where", "by", "measure", "matrix", "select", "having", "totals", "top", "order",
    "limit", "offset", "after", "over", "compare", "flow", "sets", "with", "publish", "as_of",
    "explain",
];

impl Query {
    /// Reads the text form.
    ///
    /// # Errors
    /// [`Error::Syntax`] with the place and what was expected; [`Error::Unsupported`] for a
    /// clause that is not built; [`Error::Limit`] for a question too large.
    pub fn parse(text: &str) -> Result<Self> {
        let source = Source::text(text);
        Parser::new(&source)?.query()
    }
}

/// An empty question about `from`, to be filled clause by clause.
pub(crate) fn empty(from: Word, source: &Source) -> Query {
    Query {
        from: Named { word: from, source: source.clone() },
        filter: None,
        by: Vec::new(),
        measures: Vec::new(),
        matrix: Vec::new(),
        select: Vec::new(),
        having: None,
        totals: false,
        top: None,
        order: Vec::new(),
        limit: None,
        offset: 0,
        after: None,
        over: None,
        compare: Vec::new(),
        flow: None,
        sets: Vec::new(),
        with: Vec::new(),
        publish: None,
        as_of: None,
        explain: false,
    }
}

/// One key of an order that is written as a text of its own: `-people`, `region.county`.
pub(crate) fn order_key(source: &Source) -> Result<Order> {
    let text: &str = &source.text;
    let descending = text.trim_start().starts_with('-');
    let bare = if descending { text.trim_start().get(1..).unwrap_or("") } else { text };
    let span = Span { start: 0, end: text.len() };
    let key = match super::expression(&Source::text(bare)) {
        Ok(Expr { kind: ExprKind::Text(text), .. }) => text,
        Ok(expr) => print::expression(&expr),
        Err(_) => bare.trim().to_owned(),
    };
    if key.is_empty() {
        return Err(Error::Syntax {
            expected: "a column of the answer".to_owned(),
            found: "the end".to_owned(),
            suggestion: None,
            place: source.place(span),
        });
    }
    Ok(Order { key, descending, span, source: source.clone() })
}

/// Two of one name would leave open which is meant.
pub(crate) fn unique(what: &str, list: &[Definition]) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for found in list {
        if !seen.insert(found.name.as_str()) {
            return Err(Error::Type {
                what: format!("two {what} are called `{}`; give each its own name", found.name),
                place: found.clause.source.place(found.clause.expr.span),
            });
        }
    }
    Ok(())
}

impl Query {
    /// What does not depend on the form that the question was read from.
    pub(crate) fn checked(self) -> Result<Self> {
        unique("measures", &self.measures)?;
        unique("columns of the list", &self.select)?;
        unique("conditions of the matrix", &self.matrix)?;
        Ok(self)
    }
}

impl Parser<'_> {
    pub(super) fn query(&mut self) -> Result<Query> {
        if !self.eat_word("from") {
            return Err(self.unexpected_near("`from` and a table", &["from"]));
        }
        let from = self.need_name("the name of a table")?;
        let mut query = empty(from, self.source);
        let mut seen: Vec<&str> = vec!["from"];
        while self.peek() != &Token::End {
            let found = self.clause_word()?;
            if seen.contains(&found) {
                return Err(self.twice(found));
            }
            seen.push(found);
            self.step();
            self.clause(found, &mut query)?;
        }
        query.checked()
    }

    fn twice(&self, clause: &str) -> Error {
        let more = match clause {
            "where" => "; join conditions by `and`",
            "by" | "measure" | "order" => "; put a comma between its parts",
            _ => "",
        };
        Error::Syntax {
            expected: format!("each clause once{more}"),
            found: format!("a second `{clause}`"),
            suggestion: None,
            place: self.source.place(self.span()),
        }
    }

    fn clause_word(&self) -> Result<&'static str> {
        if let Token::Word(word) = self.peek() {
            if super::loud(word) {
                return Err(self.spelled_small());
            }
            if let Some(found) = CLAUSES.iter().find(|c| *c == word) {
                return Ok(found);
            }
            if word == "measures" {
                return Ok("measure");
            }
        }
        let expected = "an operator, a comma or a clause (where, by, measure, having, totals, \
                        order, limit, as_of, …)";
        let operators = ["and", "or", "in", "between", "has", "within", "is"];
        let known: Vec<&str> = CLAUSES.iter().chain(&operators).copied().collect();
        Err(self.unexpected_near(expected, &known))
    }

    fn clause(&mut self, word: &str, query: &mut Query) -> Result<()> {
        match word {
            "where" => query.filter = Some(self.clause_expr()?),
            "by" => self.list_of(BY_MAX, "the number of expressions of `by`", |p| {
                query.by.push(p.clause_expr()?);
                Ok(())
            })?,
            "measure" => self.list_of(MEASURES_MAX, "the number of measures", |p| {
                query.measures.push(p.definition()?);
                Ok(())
            })?,
            "totals" => query.totals = true,
            "order" => self.list_of(ORDER_MAX, "the number of keys of `order`", |p| {
                query.order.push(p.order()?);
                Ok(())
            })?,
            "limit" => query.limit = Some(self.count("a whole number of rows")?),
            "offset" => query.offset = self.count("a whole number of rows")?,
            "as_of" => query.as_of = Some(self.day()?),
            _ => self.later_clause(word, query)?,
        }
        Ok(())
    }

    pub(super) fn list_of(
        &mut self,
        limit: usize,
        what: &'static str,
        mut read: impl FnMut(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let mut found = 0;
        loop {
            read(self)?;
            found += 1;
            self.limit(what, found, limit)?;
            if !self.eat_mark(",") {
                return Ok(());
            }
        }
    }

    pub(super) fn clause_expr(&mut self) -> Result<Clause> {
        Ok(Clause { expr: self.expr()?, source: self.source.clone() })
    }

    /// `name = EXPR`, or an expression that is called by its own text.
    pub(super) fn definition(&mut self) -> Result<Definition> {
        let named = matches!(self.ahead(1), Token::Mark("="));
        let name = match self.peek().clone() {
            Token::Word(word) if named && is_name(&word) => Some(word),
            Token::Text(text) if named && !text.is_empty() => Some(text),
            _ => None,
        };
        if name.is_some() {
            self.step();
            self.step();
        }
        let clause = self.clause_expr()?;
        let name = name.unwrap_or_else(|| print::expression(&clause.expr));
        Ok(Definition { name, clause })
    }

    pub(super) fn order(&mut self) -> Result<Order> {
        let start = self.span();
        if self.is_word("by") {
            return Err(self.unexpected("the keys right behind `order`: `order -people`"));
        }
        let descending = self.eat_mark("-");
        let named = self.span();
        let expr = self.expr()?;
        let key = match expr.kind {
            ExprKind::Text(text) => text,
            _ => print::expression(&expr),
        };
        let span = start.to(self.before());
        if key.is_empty() {
            return Err(Error::Syntax {
                expected: "a column of the answer".to_owned(),
                found: "an empty text".to_owned(),
                suggestion: None,
                place: self.source.place(named),
            });
        }
        Ok(Order { key, descending, span, source: self.source.clone() })
    }

    pub(super) fn count(&mut self, expected: &str) -> Result<usize> {
        let count = match self.peek() {
            Token::Number(number) => number.parse::<usize>().ok(),
            _ => None,
        };
        let Some(count) = count else { return Err(self.unexpected(expected)) };
        self.step();
        Ok(count)
    }

    fn day(&mut self) -> Result<i64> {
        let Token::Date(day) = *self.peek() else {
            return Err(self.unexpected("a day like `2026-10-31`, without quotes"));
        };
        self.step();
        Ok(day)
    }
}

/// The day of the JSON field `as_of`.
pub(crate) fn day(source: &Source) -> Result<i64> {
    calendar::parse_date(&source.text).ok_or_else(|| Error::Syntax {
        expected: "a day like `2026-10-31`".to_owned(),
        found: format!("`{}`", source.text),
        suggestion: None,
        place: source.place(Span { start: 0, end: source.text.len() }),
    })
}
