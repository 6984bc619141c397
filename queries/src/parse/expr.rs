//! Expressions, by falling looseness: `or`, `and`, `not`, comparisons, `+ -`, `* /`, unary `-`,
//! names, literals and calls.

use super::{LIST_MAX, Parser};
use crate::ast::{Arithmetic, Call, Comparison, Expr, ExprKind, Quantity, Unit, Word};
use crate::error::{Error, Result};
use crate::lexer::Token;

/// Units of time that a literal may count.
const DURATION_MAX: i64 = 100_000;

impl Parser<'_> {
    /// One expression of the loosest kind.
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.deeper(Self::any_of)
    }

    fn any_of(&mut self) -> Result<Expr> {
        let first = self.all_of()?;
        if !self.is_word("or") && !matches!(first.kind, ExprKind::Or(_)) {
            return Ok(first);
        }
        let mut parts = Vec::new();
        flat_or(first, &mut parts);
        while self.eat_word("or") {
            let part = self.all_of()?;
            flat_or(part, &mut parts);
            self.limit("the number of parts of an `or`", parts.len(), LIST_MAX)?;
        }
        Ok(joined(parts, ExprKind::Or))
    }

    fn all_of(&mut self) -> Result<Expr> {
        let first = self.negation()?;
        if !self.is_word("and") && !matches!(first.kind, ExprKind::And(_)) {
            return Ok(first);
        }
        let mut parts = Vec::new();
        flat_and(first, &mut parts);
        while self.eat_word("and") {
            let part = self.negation()?;
            flat_and(part, &mut parts);
            self.limit("the number of parts of an `and`", parts.len(), LIST_MAX)?;
        }
        Ok(joined(parts, ExprKind::And))
    }

    fn negation(&mut self) -> Result<Expr> {
        let start = self.span();
        if !self.eat_word("not") {
            return self.comparison();
        }
        let inner = self.deeper(Self::negation)?;
        let span = start.to(inner.span);
        Ok(Expr { kind: ExprKind::Not(Box::new(inner)), span })
    }

    fn comparison(&mut self) -> Result<Expr> {
        if self.is_word("in") && matches!(self.ahead(1), Token::Word(word) if word == "set") {
            let start = self.span();
            self.step();
            self.step();
            let kind = ExprKind::InSet(None, self.need_name("the name of a set")?);
            return Ok(Expr { kind, span: start.to(self.before()) });
        }
        let left = self.sum()?;
        let start = left.span;
        let kind = if let Some(sign) = self.comparison_sign() {
            self.step();
            if let Some(other) = self.comparison_sign() {
                return Err(self.two_signs(sign, other));
            }
            let right = self.sum()?;
            if self.comparison_sign().is_some() {
                return Err(self.unexpected("`and` or `or` between two comparisons"));
            }
            ExprKind::Compare(sign, Box::new(left), Box::new(right))
        } else if self.eat_word("is") {
            let inverse = self.eat_word("not");
            let known = self.known_word()?;
            ExprKind::Is(Box::new(left), known != inverse)
        } else if self.is_word("has") {
            self.step();
            let quantity = self.quantity()?;
            ExprKind::Has(Box::new(left), quantity, self.list_or_one()?)
        } else if self.eat_word("within") {
            ExprKind::Within(Box::new(left), self.list_or_one()?)
        } else if self.is_word("starts") {
            self.step();
            if self.is_word("with") {
                return Err(self.unexpected("a text right behind `starts`: `name starts '王'`"));
            }
            ExprKind::Starts(Box::new(left), Box::new(self.sum()?))
        } else {
            return self.in_or_between(left);
        };
        Ok(Expr { kind, span: start.to(self.before()) })
    }

    /// `x in (…)`, `x between a and b`, and both with `not` before the operator.
    fn in_or_between(&mut self, left: Expr) -> Result<Expr> {
        let start = left.span;
        let inverse = self.is_word("not")
            && matches!(self.ahead(1), Token::Word(w) if w == "in" || w == "between");
        if inverse {
            self.step();
        }
        let kind = if self.eat_word("in") {
            if self.is_word("set") {
                self.step();
                ExprKind::InSet(Some(Box::new(left)), self.need_name("the name of a set")?)
            } else {
                ExprKind::In(Box::new(left), self.list()?)
            }
        } else if self.eat_word("between") {
            let low = self.sum()?;
            if !self.eat_word("and") {
                return Err(self.unexpected("`and` and the other end: `between 18 and 59`"));
            }
            let high = self.sum()?;
            ExprKind::Between(Box::new(left), Box::new(low), Box::new(high))
        } else {
            return Ok(left);
        };
        let span = start.to(self.before());
        let expr = Expr { kind, span };
        let not = |e| Expr { kind: ExprKind::Not(Box::new(e)), span };
        Ok(if inverse { not(expr) } else { expr })
    }

    /// Two signs where one compares: `==`, `=>`, `=<`.
    fn two_signs(&self, first: Comparison, second: Comparison) -> Error {
        let suggestion = match (first, second) {
            (Comparison::Equal, Comparison::Equal) => Some("="),
            (Comparison::Equal, Comparison::Greater) => Some(">="),
            (Comparison::Equal, Comparison::Less) => Some("<="),
            _ => None,
        };
        Error::Syntax {
            expected: "one sign that compares".to_owned(),
            found: format!("`{}` and `{}`", first.sign(), second.sign()),
            suggestion: suggestion.map(str::to_owned),
            place: self.source.place(self.before().to(self.span())),
        }
    }

    fn comparison_sign(&self) -> Option<Comparison> {
        let Token::Mark(mark) = self.peek() else { return None };
        match *mark {
            "=" => Some(Comparison::Equal),
            "!=" => Some(Comparison::NotEqual),
            "<" => Some(Comparison::Less),
            "<=" => Some(Comparison::LessEqual),
            ">" => Some(Comparison::Greater),
            ">=" => Some(Comparison::GreaterEqual),
            _ => None,
        }
    }

    fn known_word(&mut self) -> Result<bool> {
        let known = self.eat_word("known");
        if known || self.eat_word("unknown") {
            return Ok(known);
        }
        Err(self.unexpected_near("`known` or `unknown`", &["known", "unknown"]))
    }

    fn quantity(&mut self) -> Result<Quantity> {
        for quantity in [Quantity::Any, Quantity::All, Quantity::None] {
            if self.eat_word(quantity.word()) {
                return Ok(quantity);
            }
        }
        let expected = "`any`, `all` or `none` and codes: `has any (a, b)`";
        Err(self.unexpected_near(expected, &["any", "all", "none"]))
    }

    /// `(a, b)`.
    fn list(&mut self) -> Result<Vec<Expr>> {
        if !self.eat_mark("(") {
            return Err(self.unexpected("a list between brackets: `in (a, b)`"));
        }
        let mut found = vec![self.expr()?];
        while self.eat_mark(",") {
            found.push(self.expr()?);
            self.limit("the number of elements of a list", found.len(), LIST_MAX)?;
        }
        if !self.eat_mark(")") {
            return Err(self.unexpected("`,` or `)`"));
        }
        Ok(found)
    }

    fn list_or_one(&mut self) -> Result<Vec<Expr>> {
        if self.is_mark("(") { self.list() } else { Ok(vec![self.primary()?]) }
    }

    fn sum(&mut self) -> Result<Expr> {
        self.chain(Self::product, [("+", Arithmetic::Add), ("-", Arithmetic::Subtract)])
    }

    fn product(&mut self) -> Result<Expr> {
        self.chain(Self::signed, [("*", Arithmetic::Multiply), ("/", Arithmetic::Divide)])
    }

    /// Operators of one precedence, from left to right; each is one level of depth.
    fn chain(
        &mut self,
        operand: fn(&mut Self) -> Result<Expr>,
        operators: [(&str, Arithmetic); 2],
    ) -> Result<Expr> {
        let outer = self.depth;
        let mut left = operand(self)?;
        while let Some((_, sign)) = operators.iter().find(|(mark, _)| self.is_mark(mark)) {
            self.step();
            self.depth += 1;
            self.limit("the depth of the expression", self.depth, super::DEPTH_MAX)?;
            let right = operand(self)?;
            let span = left.span.to(right.span);
            let kind = ExprKind::Arithmetic(*sign, Box::new(left), Box::new(right));
            left = Expr { kind, span };
        }
        self.depth = outer;
        Ok(left)
    }

    fn signed(&mut self) -> Result<Expr> {
        let start = self.span();
        if !self.eat_mark("-") {
            return self.primary();
        }
        let inner = self.deeper(Self::signed)?;
        let span = start.to(inner.span);
        Ok(Expr { kind: ExprKind::Negative(Box::new(inner)), span })
    }

    fn primary(&mut self) -> Result<Expr> {
        let start = self.span();
        let literal = match self.peek() {
            Token::Number(number) => {
                let number = number.clone();
                Some(self.number(number)?)
            }
            Token::Text(text) => Some(ExprKind::Text(text.clone())),
            Token::Date(day) => Some(ExprKind::Date(*day)),
            Token::Month(month) => Some(ExprKind::Month(*month)),
            Token::Parameter(name) => Some(ExprKind::Parameter(name.clone())),
            Token::Word(word) if word == "as_of" => Some(ExprKind::AsOf),
            Token::Word(word) if word == "true" => Some(ExprKind::Flag(true)),
            Token::Word(word) if word == "false" => Some(ExprKind::Flag(false)),
            _ => None,
        };
        if let Some(kind) = literal {
            self.step();
            return Ok(Expr { kind, span: start.to(self.before()) });
        }
        if self.is_mark(".") && matches!(self.ahead(1), Token::Number(_)) {
            return Err(self.unexpected("a digit in front of the point: `0.5`"));
        }
        if self.eat_mark("(") {
            let mut inner = self.expr()?;
            if !self.eat_mark(")") {
                return Err(self.unexpected("an operator or `)`"));
            }
            inner.span = start.to(self.before());
            return Ok(inner);
        }
        let word = self.need_name("a value: a name, a number, a text, a day or `(`")?;
        if self.is_mark("(") {
            return self.call(word);
        }
        let mut words = vec![word];
        while self.eat_mark(".") {
            words.push(self.need_name("a name after `.`")?);
            self.limit("the number of parts of a name", words.len(), 4)?;
        }
        Ok(Expr { kind: ExprKind::Name(words), span: start.to(self.before()) })
    }

    /// A number, or a length of time when a unit follows it. Leaves the last token to the caller.
    fn number(&mut self, number: String) -> Result<ExprKind> {
        let unit = match self.ahead(1) {
            Token::Word(word) => Unit::find(word),
            _ => None,
        };
        let Some(unit) = unit else { return Ok(ExprKind::Number(number)) };
        let count = number.parse::<i64>().ok().filter(|n| *n <= DURATION_MAX);
        let Some(count) = count else {
            return Err(Error::Type {
                what: format!("a length of time is a whole number up to {DURATION_MAX}"),
                place: self.source.place(self.span()),
            });
        };
        self.step();
        Ok(ExprKind::Duration(count, unit))
    }

    fn call(&mut self, name: Word) -> Result<Expr> {
        let start = name.span;
        self.need_mark("(")?;
        let mut arguments = Vec::new();
        if !self.is_mark(")") && !self.is_word("where") {
            arguments.push(self.expr()?);
            while self.eat_mark(",") {
                arguments.push(self.expr()?);
                self.limit("the number of arguments", arguments.len(), 64)?;
            }
        }
        let filter = if self.eat_word("where") { Some(Box::new(self.expr()?)) } else { None };
        if !self.eat_mark(")") {
            let expected = "`,`, `where`, an operator or `)`";
            return Err(self.unexpected_near(expected, &["where", "and", "or", "in", "between"]));
        }
        let span = start.to(self.before());
        Ok(Expr { kind: ExprKind::Call(Call { name, arguments, filter }), span })
    }
}

fn flat_and(part: Expr, parts: &mut Vec<Expr>) {
    match part.kind {
        ExprKind::And(inner) => parts.extend(inner),
        _ => parts.push(part),
    }
}

fn flat_or(part: Expr, parts: &mut Vec<Expr>) {
    match part.kind {
        ExprKind::Or(inner) => parts.extend(inner),
        _ => parts.push(part),
    }
}

/// One part as it is, more under `kind`.
fn joined(mut parts: Vec<Expr>, kind: fn(Vec<Expr>) -> ExprKind) -> Expr {
    let first = parts.first().map(|p| p.span).unwrap_or_default();
    let span = first.to(parts.last().map(|p| p.span).unwrap_or_default());
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            Expr { kind: kind(parts), span }
        }
    }
}
