//! Words in a text: what `matches(text, '…')` looks for.
//!
//! A text is read as tokens: a letter of a script that writes without spaces (Han, kana, hangul)
//! is one by itself, other letters and digits are one as long as they stand together, in lower
//! case; everything else only separates. A pattern is a list of terms with spaces between them;
//! it is found where the tokens of each term stand in the text one behind the other.
//!
//! Invariant: an index of the tokens with their positions finds exactly the same texts.

use std::collections::VecDeque;
use std::sync::Arc;

/// What is looked for: the tokens of each term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    terms: Arc<[Vec<String>]>,
}

/// Whether a letter is a token by itself.
fn stands_alone(letter: char) -> bool {
    matches!(
        letter,
        '\u{2E80}'..='\u{2FDF}'
            | '\u{3005}'..='\u{3007}'
            | '\u{3040}'..='\u{30FF}'
            | '\u{3400}'..='\u{4DBF}'
            | '\u{4E00}'..='\u{9FFF}'
            | '\u{AC00}'..='\u{D7AF}'
            | '\u{F900}'..='\u{FAFF}'
            | '\u{20000}'..='\u{3FFFF}'
    )
}

/// Whether a token is a letter that stands alone.
pub(crate) fn is_alone(token: &str) -> bool {
    token.chars().next().is_some_and(stands_alone)
}

/// Calls `visit` with each token of a text, in their order.
pub fn tokens(text: &str, mut visit: impl FnMut(&str)) {
    let mut word = String::new();
    for letter in text.chars() {
        let alone = stands_alone(letter);
        if letter.is_alphanumeric() && !alone {
            word.extend(letter.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            visit(&word);
            word.clear();
        }
        if alone {
            visit(letter.encode_utf8(&mut [0; 4]));
        }
    }
    if !word.is_empty() {
        visit(&word);
    }
}

impl Pattern {
    /// The terms of a text; none where it has no token.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let mut terms = Vec::new();
        for term in text.split_whitespace() {
            let mut own = Vec::new();
            tokens(term, |token| own.push(token.to_owned()));
            if !own.is_empty() && !terms.contains(&own) {
                terms.push(own);
            }
        }
        (!terms.is_empty()).then(|| Self { terms: terms.into() })
    }

    /// The tokens of each term, in their order; every term has some.
    #[must_use]
    pub fn terms(&self) -> &[Vec<String>] {
        &self.terms
    }

    /// Whether every term stands in the text.
    #[must_use]
    pub fn found_in(&self, text: &str) -> bool {
        let longest = self.terms.iter().map(Vec::len).max().unwrap_or(0);
        let mut missing: Vec<&Vec<String>> = self.terms.iter().collect();
        let mut last: VecDeque<String> = VecDeque::with_capacity(longest);
        tokens(text, |token| {
            if missing.is_empty() {
                return;
            }
            if last.len() == longest {
                last.pop_front();
            }
            last.push_back(token.to_owned());
            missing.retain(|term| {
                let ends = term.len() <= last.len()
                    && last.iter().rev().zip(term.iter().rev()).all(|(a, b)| a == b);
                !ends
            });
        });
        missing.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::{Pattern, tokens};

    #[test]
    fn a_text_is_read_as_tokens() {
        let read = |text: &str| {
            let mut found = Vec::new();
            tokens(text, |token| found.push(token.to_owned()));
            found
        };
        assert_eq!(
            read("太原市 No.12 Ab3楼—한"),
            ["太", "原", "市", "no", "12", "ab3", "楼", "한"]
        );
        assert!(read(" ,。-").is_empty());
    }

    #[test]
    fn every_term_stands_in_the_text() {
        let found = |pattern: &str, text: &str| Pattern::new(pattern).unwrap().found_in(text);
        assert!(found("迎泽", "山西省太原市迎泽区12号"));
        assert!(!found("泽迎", "山西省太原市迎泽区12号"));
        assert!(found("12 太原", "山西省太原市迎泽区12号"));
        assert!(!found("1", "12号") && found("12号", "门牌 12-号"));
        assert!(found("no12", "NO12") && !found("no12", "no 12") && found("no-12", "no 12"));
        assert!(found("aa", "a aa") && !found("a-a-a", "a a") && found("a-a-b", "a a a b"));
        assert!(!found("王", ""));
        assert!(Pattern::new(" - ,").is_none());
        assert_eq!(Pattern::new("王 王,").unwrap().terms().len(), 1);
    }
}
