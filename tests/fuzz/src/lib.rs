//! What the fuzz targets do with an input.
//!
//! The engine is built with `--cfg fuzzing` here: every checksum is 0, so that a change of a file
//! reaches what is behind it. So no answer can be told to be wrong; there must be an answer or an
//! error, never a panic, and never more memory than the files explain.

pub mod open;
pub mod predicate;
pub mod question;

/// The bytes of an input, one after the other; zeros when it has no more.
#[derive(Debug)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// From the first byte on.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether there are more bytes.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number of two bytes.
    pub fn short(&mut self) -> usize {
        usize::from(u16::from_le_bytes([self.byte(), self.byte()]))
    }

    /// A number of eight bytes.
    pub fn long(&mut self) -> i64 {
        i64::from_le_bytes([0; 8].map(|_: u8| self.byte()))
    }

    /// So many bytes, or what is left.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}
