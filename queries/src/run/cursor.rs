//! Where a page of a list ended, as a text that its reader gives back.
//!
//! A cursor names the last row by what the list is ordered by, its place, the key of its root row
//! and its number beneath that; it means the same in a later version. It belongs to one question:
//! another gets an error.

use serde::{Deserialize, Serialize};

use super::list::Item;
use crate::ast::Query;
use crate::error::{Error, Result};
use crate::source::{Source, Span};

/// Where a row stands among all rows of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Sums up the question.
    question: u64,
    pub(crate) items: Vec<Item>,
    pub(crate) path: i64,
    pub(crate) root: String,
    pub(crate) ordinal: u32,
}

/// Bytes of a cursor, at most.
const CURSOR_BYTES_MAX: usize = 16_384;

/// What a cursor belongs to: the question without the parts that say which page.
pub(crate) fn question(query: &Query) -> u64 {
    let own = Query { limit: None, offset: 0, after: None, explain: false, ..query.clone() };
    yiku::format::checksum(own.to_text().as_bytes())
}

impl Position {
    pub(crate) fn new(
        question: u64,
        items: Vec<Item>,
        (path, root, ordinal): (i64, String, u32),
    ) -> Self {
        Self { question, items, path, root, ordinal }
    }

    /// The cursor: hexadecimal digits.
    pub(crate) fn text(&self) -> String {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads the cursor of a question.
    pub(crate) fn read(query: &Query, keys: usize) -> Result<Option<Self>> {
        let Some(text) = &query.after else { return Ok(None) };
        let digit = |at: usize| text.get(at..at + 2).and_then(|t| u8::from_str_radix(t, 16).ok());
        let bytes: Option<Vec<u8>> = (text.len() <= CURSOR_BYTES_MAX && text.is_ascii())
            .then(|| (0..text.len()).step_by(2).map(digit).collect())
            .flatten();
        let found = bytes.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        let own = found.filter(|f| f.question == question(query) && f.items.len() == keys);
        own.map(Some).ok_or_else(|| {
            let source = Source::field(text, "/after");
            let place = source.place(Span { start: 0, end: text.len() });
            let what = "`after` takes the cursor that an answer to the same question ended with";
            Error::Type { what: what.to_owned(), place }
        })
    }
}
