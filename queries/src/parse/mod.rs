//! From text to the question as it was asked.
//!
//! Invariants: the depth of what is built is at most [`DEPTH_MAX`], so that no later walk can
//! run out of stack; lists have at most [`LIST_MAX`] elements; a part of the language that is
//! not built is refused by its name, never left out.

mod clauses;
mod expr;
mod query;
#[cfg(test)]
mod tests;

pub(crate) use clauses::{change, moment, over_months, publish};
pub(crate) use query::{CLAUSES, day, empty, order_key};

use crate::ast::{Expr, Word};
use crate::error::{Error, Result};
use crate::lexer::{self, Token};
use crate::source::{Source, Span};

/// Levels of an expression.
pub(crate) const DEPTH_MAX: usize = 64;
/// Elements of a list, parts of an `and`.
pub(crate) const LIST_MAX: usize = 10_000;
/// Expressions of `by`.
pub(crate) const BY_MAX: usize = 16;
/// Measures of a question.
pub(crate) const MEASURES_MAX: usize = 64;
/// Keys of an order.
pub(crate) const ORDER_MAX: usize = 32;
/// Parts of a histogram or of a curve.
pub(crate) const BINS_MAX: u32 = 1_000;
/// Columns of a list of rows.
pub(crate) const SELECT_MAX: usize = 64;
/// Conditions of a matrix.
pub(crate) const MATRIX_MAX: usize = 64;
/// Sets of a question, and the assumptions it is asked under.
pub(crate) const SETS_MAX: usize = 16;
/// Months of `over`.
pub(crate) const OVER_MAX: usize = 1_200;

/// Words that never name a column.
pub(crate) const RESERVED: [&str; 9] =
    ["and", "or", "not", "in", "between", "has", "within", "is", "where"];

/// Words of other languages, and how this one says the same.
const FOREIGN: [(&str, &str); 12] = [
    ("as", "the name in front: `people = count()`"),
    ("asc", "nothing: rows rise unless a key has a minus in front"),
    ("desc", "a minus in front of a key that falls: `order -people`"),
    ("contains", "`matches(COLUMN, '…')`, or `starts`"),
    ("distinct", "`count_distinct(…)`"),
    ("exists", "`any(TABLE where …)`"),
    ("group", "`by`, which groups"),
    ("like", "`matches(COLUMN, '…')`, or `starts`"),
    ("join", "a table above by its name: `household.urban`, one beneath by `any(TABLE where …)`"),
    ("null", "`known` or `unknown`"),
    ("select", "`from` and a table first, then `select`"),
    ("when", "`if(CONDITION, VALUE, OTHER)`"),
];

/// Whether a word is one of the language but for its capitals.
fn loud(word: &str) -> bool {
    let has_capitals = word.chars().any(char::is_uppercase);
    has_capitals && RESERVED.contains(&word.to_lowercase().as_str())
}

/// Whether a text can stand as a name in the text form.
pub(crate) fn is_name(text: &str) -> bool {
    let start = text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    let word = start && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    word && !RESERVED.contains(&text) && !["true", "false", "as_of"].contains(&text)
}

/// Reads a text that is one expression.
pub(crate) fn expression(source: &Source) -> Result<Expr> {
    let mut parser = Parser::new(source)?;
    let expr = parser.expr()?;
    parser.finish("an operator or the end")?;
    Ok(expr)
}

/// Reads the words of a text one after the other.
pub(crate) struct Parser<'a> {
    source: &'a Source,
    tokens: Vec<(Token, Span)>,
    at: usize,
    depth: usize,
}

const END: &Token = &Token::End;

impl<'a> Parser<'a> {
    pub(crate) fn new(source: &'a Source) -> Result<Self> {
        Ok(Self { source, tokens: lexer::tokens(source)?, at: 0, depth: 0 })
    }

    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(END, |(token, _)| token)
    }

    fn ahead(&self, steps: usize) -> &Token {
        self.tokens.get(self.at + steps).map_or(END, |(token, _)| token)
    }

    /// Where the next token stands.
    fn span(&self) -> Span {
        self.tokens.get(self.at).or(self.tokens.last()).map(|(_, s)| *s).unwrap_or_default()
    }

    /// Where the token before stands.
    fn before(&self) -> Span {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.map(|(_, span)| *span).unwrap_or_default()
    }

    fn step(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len());
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found == word)
    }

    fn is_mark(&self, mark: &str) -> bool {
        matches!(self.peek(), Token::Mark(found) if *found == mark)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.step();
        }
        found
    }

    fn eat_mark(&mut self, mark: &str) -> bool {
        let found = self.is_mark(mark);
        if found {
            self.step();
        }
        found
    }

    fn need_mark(&mut self, mark: &str) -> Result<()> {
        if self.eat_mark(mark) { Ok(()) } else { Err(self.unexpected(&format!("`{mark}`"))) }
    }

    fn need_word(&mut self, word: &str) -> Result<()> {
        if self.eat_word(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    /// A name: any word that is not reserved.
    fn need_name(&mut self, expected: &str) -> Result<Word> {
        let span = self.span();
        match self.peek() {
            Token::Word(text) if loud(text) => Err(self.spelled_small()),
            Token::Word(text) if !RESERVED.contains(&text.as_str()) => {
                let word = Word { text: text.clone(), span };
                self.step();
                Ok(word)
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    /// A word of the language in capitals.
    fn spelled_small(&self) -> Error {
        let suggestion = match self.peek() {
            Token::Word(word) => Some(word.to_lowercase()),
            _ => None,
        };
        Error::Syntax {
            expected: "words of the language in small letters".to_owned(),
            found: self.peek().shown(),
            suggestion,
            place: self.source.place(self.span()),
        }
    }

    fn unexpected(&self, expected: &str) -> Error {
        self.unexpected_near(expected, &[])
    }

    fn unexpected_near(&self, expected: &str, known: &[&str]) -> Error {
        let mut expected = expected;
        let suggestion = match self.peek() {
            Token::Word(word) => {
                let lower = word.to_lowercase();
                let foreign = FOREIGN.iter().find(|(other, _)| *other == lower);
                if let Some((_, own)) = foreign {
                    expected = own;
                }
                let own = foreign.is_some() || RESERVED.contains(&word.as_str());
                let near = || crate::nearest::nearest(word, known.iter().copied());
                if own { None } else { near() }
            }
            _ => None,
        };
        Error::Syntax {
            expected: expected.to_owned(),
            found: self.peek().shown(),
            suggestion,
            place: self.source.place(self.span()),
        }
    }

    fn finish(&self, expected: &str) -> Result<()> {
        if self.peek() == END {
            return Ok(());
        }
        Err(self.unexpected_near(expected, &["and", "or", "in", "between", "has", "within", "is"]))
    }

    fn limit(&self, what: &'static str, found: usize, limit: usize) -> Result<()> {
        if found <= limit {
            return Ok(());
        }
        Err(Error::Limit {
            what,
            found: found as u64,
            limit: limit as u64,
            place: Some(self.source.place(self.before())),
        })
    }

    /// Goes one level deeper for the length of `read`.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        self.limit("the depth of the expression", self.depth, DEPTH_MAX)?;
        let found = read(self);
        self.depth -= 1;
        found
    }
}
