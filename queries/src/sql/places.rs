//! What is said of places and of words in texts.

use super::Printer;
use super::tables::From;
use super::text::{AND, Sql};
use crate::wording::Pattern;

/// Letters that are a token by themselves, as a class of a regular expression has them.
const ALONE: &str = concat!(
    r"\x{2E80}-\x{2FDF}\x{3005}-\x{3007}\x{3040}-\x{30FF}\x{3400}-\x{4DBF}",
    r"\x{4E00}-\x{9FFF}\x{AC00}-\x{D7AF}\x{F900}-\x{FAFF}\x{20000}-\x{3FFFF}",
);

impl Printer<'_> {
    /// The number of the range that the path of the root lies in.
    pub(super) fn by_place(&mut self, ranges: &[(u64, u64, i64)], from: &mut From) -> Sql {
        let path = self.column(0, self.schema.path_column(), from);
        let digits = usize::from(self.schema.path.digits());
        let mut text = String::from("CASE");
        for (low, high, number) in ranges {
            let (low, high) = (format!("{low:0digits$}"), format!("{high:0digits$}"));
            let (low, high) = (Sql::text(&low).text, Sql::text(&high).text);
            let number = Sql::integer(*number).text;
            let path = &path.text;
            text.push_str(&format!(" WHEN {path} BETWEEN {low} AND {high} THEN {number}"));
        }
        match ranges.is_empty() {
            true => Sql::primary(format!("{}::BIGINT", Sql::null().text)),
            false => Sql::primary(format!("{text} END")),
        }
    }

    /// Two texts are the same.
    pub(super) fn same_text(
        &mut self,
        left: (usize, usize),
        right: (usize, usize),
        from: &mut From,
    ) -> Sql {
        let first = self.column(left.0, left.1, from);
        first.compared("=", &self.column(right.0, right.1, from))
    }

    /// A text has the words of a pattern: a regular expression for each term.
    pub(super) fn matches(
        &mut self,
        (table, column): (usize, usize),
        pattern: &Pattern,
        from: &mut From,
    ) -> Sql {
        let value = self.column(table, column, from);
        let found = pattern
            .terms()
            .iter()
            .map(|term| Sql::said(self.words.matches, &[&value, &Sql::text(&expression(term))]));
        Sql::joined(found.collect(), "AND", AND)
    }
}

/// A regular expression for tokens that stand one behind the other.
fn expression(term: &[String]) -> String {
    let alone = |token: &String| crate::wording::is_alone(token);
    let other = format!(r"[^\p{{L}}\p{{N}}{ALONE}]");
    let outside = format!(r"[^\p{{L}}\p{{N}}]|[{ALONE}]");
    let mut text = String::new();
    let mut before: Option<bool> = None;
    for token in term {
        match (before, alone(token)) {
            (None, false) => text.push_str(&format!("(^|{outside})")),
            (Some(false), false) => text.push_str(&format!("{other}+")),
            (Some(_), _) => text.push_str(&format!("{other}*")),
            (None, true) => {}
        }
        text.push_str(token);
        before = Some(alone(token));
    }
    if before == Some(false) {
        text.push_str(&format!("($|{outside})"));
    }
    text
}
