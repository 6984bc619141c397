//! How a column is written: for who looks at files, not at answers.

use super::Column;
use crate::format::Encoding;

impl Column<'_> {
    /// The encoding of each block, in the order of rows.
    pub fn encodings(&self) -> impl Iterator<Item = Encoding> + '_ {
        // A table of contents with other numbers does not open.
        self.toc.blocks.iter().filter_map(|block| Encoding::from_number(block.encoding))
    }
}
