//! Where a piece of a question stands: the text it was written in and its bytes there.
//!
//! Invariant: places never take part in the equality of questions; two questions that say the
//! same are equal wherever their words stand.

use std::sync::Arc;

/// The bytes `start..end` of a source text.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// From the start of this one to the end of the other.
    pub(crate) fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A text that was read: the whole question, or one field of its JSON form.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) text: Arc<str>,
    /// The JSON pointer of the field; none in the text form.
    pub(crate) pointer: Option<Arc<str>>,
}

impl PartialEq for Source {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Source {
    /// The text form of a question.
    pub(crate) fn text(text: &str) -> Self {
        Self { text: Arc::from(text), pointer: None }
    }

    /// One field of the JSON form.
    pub(crate) fn field(text: &str, pointer: &str) -> Self {
        Self { text: Arc::from(text), pointer: Some(Arc::from(pointer)) }
    }

    /// The place of `span` in this text.
    pub(crate) fn place(&self, span: Span) -> Box<Place> {
        Box::new(Place { source: self.clone(), span })
    }
}

/// One word of a source text, as an error points at it.
#[derive(Debug, Clone)]
pub struct Place {
    source: Source,
    span: Span,
}

/// Characters of a line that an error shows around the word.
const SHOWN: usize = 100;

impl Place {
    /// Characters before the word, counted in the whole text from 0.
    #[must_use]
    pub fn position(&self) -> usize {
        self.before().chars().count()
    }

    /// The JSON pointer of the field that holds the word; none in the text form.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.source.pointer.as_deref()
    }

    fn before(&self) -> &str {
        self.source.text.get(..self.span.start).unwrap_or(&self.source.text)
    }

    fn word(&self) -> &str {
        self.source.text.get(self.span.start..self.span.end).unwrap_or("")
    }

    /// `at 17` or `at 17 of /where`: how the message of an error begins.
    pub(crate) fn head(&self) -> String {
        match self.pointer() {
            Some(pointer) => format!("{pointer}, position {}", self.position() + 1),
            None => format!("position {}", self.position() + 1),
        }
    }

    /// The line of the word, and marks under the word.
    pub(crate) fn marked(&self) -> String {
        let before = self.before();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let lead: Vec<char> = self
            .source
            .text
            .get(line_start..before.len())
            .map_or_else(Vec::new, |lead| lead.chars().map(plain).collect());
        let rest = self.source.text.get(before.len()..).unwrap_or("");
        let rest: Vec<char> = rest.chars().take_while(|&c| c != '\n').map(plain).collect();
        let word = self.word().chars().take_while(|&c| c != '\n').count();
        let cut = lead.len().saturating_sub(SHOWN / 2);
        let mut line = String::from(if cut > 0 { "…" } else { "" });
        let shown = lead.get(cut..).unwrap_or_default();
        line.extend(shown);
        line.extend(rest.iter().take(SHOWN / 2 + word.min(SHOWN)));
        if rest.len() > SHOWN / 2 + word.min(SHOWN) {
            line.push('…');
        }
        let indent = usize::from(cut > 0) + shown.iter().map(|&c| width(c)).sum::<usize>();
        let marks: usize = rest.iter().take(word.min(SHOWN)).map(|&c| width(c)).sum();
        format!("  {}\n  {}{}", line.trim_end(), " ".repeat(indent), "^".repeat(marks.max(1)))
    }
}

/// A character that takes one line of its own never reaches the message.
fn plain(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// The columns of a terminal that a character takes.
fn width(c: char) -> usize {
    let wide = matches!(u32::from(c),
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x20000..=0x3FFFD);
    if wide { 2 } else { 1 }
}
