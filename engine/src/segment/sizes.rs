//! What a column takes on the disk, and for what.

use super::Column;
use super::toc::KeysToc;
use crate::block::FrameRef;

/// Bytes of a column in its segment; the table of contents and the gaps between frames are in
/// none of them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ColumnSizes {
    /// The values.
    pub values: u64,
    /// Which of them are known.
    pub known: u64,
    /// Bitmaps of codes, the index of keys.
    pub index: u64,
}

impl Column<'_> {
    /// The bytes that the column takes.
    #[must_use]
    pub fn sizes(&self) -> ColumnSizes {
        let bytes = |frame: Option<FrameRef>| frame.map_or(0, |frame| frame.length);
        let mut sizes = ColumnSizes::default();
        for block in &self.toc.blocks {
            sizes.values += bytes(block.frame) + bytes(block.beside);
            sizes.known += bytes(block.known_bits);
        }
        sizes.index = self.toc.postings.iter().map(|posting| posting.frame.length).sum();
        sizes.index += match self.keys {
            None => 0,
            Some(KeysToc::Sorted { hashes, rows }) => hashes.length + rows.length,
            Some(KeysToc::Buckets { starts, rows, .. }) => starts.length + rows.length,
        };
        sizes
    }
}
