//! Looks at every checksum of a segment.

use super::Segment;
use super::toc::KeysToc;
use crate::error::{Error, Result};

impl Segment {
    /// Tells `report` of everything that is wrong.
    pub(crate) fn verify(&self, report: &mut dyn FnMut(Error)) -> Result<()> {
        let tables = (0..).map_while(|table| self.file.table(table));
        for table in tables {
            let blocks = table.columns.iter().flat_map(|c| &c.blocks);
            let blocks = blocks.chain(&table.counts).chain(&table.versions);
            let frames = blocks.flat_map(|b| [b.frame, b.beside, b.known_bits]).flatten();
            let postings = table.columns.iter().flat_map(|c| &c.postings).map(|p| p.frame);
            let keys = table.keys.iter().flat_map(|keys| match keys {
                KeysToc::Sorted { hashes, rows } => [*hashes, *rows],
                KeysToc::Buckets { starts, rows, .. } => [*starts, *rows],
            });
            for frame in frames.chain(postings).chain(keys) {
                if let Err(error) = self.file.frame(frame) {
                    report(error);
                }
            }
        }
        Ok(())
    }
}
