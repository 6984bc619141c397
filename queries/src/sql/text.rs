//! Pieces of SQL with how strongly they bind, and how names and texts are written.

use super::dialect::{Words, filled};

/// How strongly the outermost operator of a piece binds.
pub(super) const OR: u8 = 1;
pub(super) const AND: u8 = 2;
pub(super) const NOT: u8 = 3;
/// Comparisons, `IS`, `IN`, `BETWEEN`: none stands beside another without brackets.
pub(super) const COMPARE: u8 = 4;
pub(super) const SUM: u8 = 5;
pub(super) const PRODUCT: u8 = 6;
pub(super) const SIGNED: u8 = 7;
pub(super) const PRIMARY: u8 = 8;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sql {
    pub(super) text: String,
    strength: u8,
}

impl Sql {
    pub(super) fn new(strength: u8, text: impl Into<String>) -> Self {
        Self { text: text.into(), strength }
    }

    /// A name, a literal, a call.
    pub(super) fn primary(text: impl Into<String>) -> Self {
        Self::new(PRIMARY, text)
    }

    pub(super) fn integer(value: i64) -> Self {
        match value {
            // Written out, its digits without the sign are no integer of 64 bits.
            i64::MIN => Self::primary(format!("({} - 1)", i64::MIN + 1)),
            0.. => Self::primary(value.to_string()),
            _ => Self::new(SIGNED, value.to_string()),
        }
    }

    pub(super) fn float(value: f64) -> Self {
        let strength = if value < 0.0 { SIGNED } else { PRIMARY };
        Self::new(strength, format!("{value}e0"))
    }

    pub(super) fn text(value: &str) -> Self {
        Self::primary(literal(value))
    }

    pub(super) fn null() -> Self {
        Self::primary("NULL")
    }

    pub(super) fn truth(value: bool) -> Self {
        Self::primary(if value { "TRUE" } else { "FALSE" })
    }

    /// The text where something of a strength is wanted: in brackets when it binds less.
    pub(super) fn at(&self, strength: u8) -> String {
        if self.strength < strength { format!("({})", self.text) } else { self.text.clone() }
    }

    /// A template of the dialect with pieces in its blanks.
    pub(super) fn said(template: &str, parts: &[&Self]) -> Self {
        let texts: Vec<String> = parts.iter().map(|part| part.at(PRIMARY)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Self::primary(filled(template, &texts))
    }

    /// A function of some pieces.
    pub(super) fn call(name: &str, parts: &[Self]) -> Self {
        let parts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
        Self::primary(format!("{name}({})", parts.join(", ")))
    }

    /// Two pieces and an operator of a strength, from left to right.
    pub(super) fn two(strength: u8, left: &Self, sign: &str, right: &Self) -> Self {
        let (left, right) = (left.at(strength), right.at(strength + 1));
        Self::new(strength, format!("{left} {sign} {right}"))
    }

    /// A comparison.
    pub(super) fn compared(&self, sign: &str, other: &Self) -> Self {
        Self::new(COMPARE, format!("{} {sign} {}", self.at(SUM), other.at(SUM)))
    }

    /// `IS NULL` and its like.
    pub(super) fn is(&self, what: &str) -> Self {
        Self::new(COMPARE, format!("{} IS {what}", self.at(SUM)))
    }

    pub(super) fn not(&self) -> Self {
        Self::new(NOT, format!("NOT {}", self.at(NOT)))
    }

    /// Where a condition is true the first, elsewhere the second; without a second nothing.
    pub(super) fn case(when: &Self, then: &Self, other: Option<&Self>) -> Self {
        let other = other.map_or_else(String::new, |other| format!(" ELSE {}", other.text));
        Self::primary(format!("CASE WHEN {} THEN {}{other} END", when.text, then.text))
    }

    /// All of some conditions, or one of them.
    pub(super) fn joined(parts: Vec<Self>, word: &str, strength: u8) -> Self {
        let whole = Self::truth(strength == AND);
        let mut parts = parts.into_iter();
        match (parts.next(), parts.len()) {
            (None, _) => whole,
            (Some(only), 0) => only,
            (Some(first), _) => {
                let mut text = first.at(strength + 1);
                for part in parts {
                    text.push_str(&format!(" {word} {}", part.at(strength + 1)));
                }
                Self::new(strength, text)
            }
        }
    }

    /// With the name that it has in the answer.
    pub(super) fn named(&self, words: &Words, name: &str) -> String {
        format!("{} AS {}", self.text, identifier(words, name))
    }
}

/// A text between single quotes. What a line of SQL should not hold is named by its number.
pub(super) fn literal(text: &str) -> String {
    let mut found = format!("'{}'", text.replace('\'', "''"));
    let steers: std::collections::BTreeSet<char> =
        text.chars().filter(|c| c.is_control()).collect();
    if steers.is_empty() {
        return found;
    }
    for c in steers {
        found = found.replace(c, &format!("' || chr({}) || '", u32::from(c)));
    }
    format!("({found})")
}

/// A name, between double quotes where it must be.
pub(super) fn identifier(words: &Words, name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let known = words.reserved.binary_search(&name).is_ok();
    if begins && name.chars().all(plain) && !known {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}
