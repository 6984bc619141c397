//! Few bundles on their way into a commit, not packed yet: those of all who commit at the same
//! time are packed as one segment, by the one who leads.
//!
//! Invariants: a group holds no two bundles of one key; what is packed together gives the same rows
//! as what is packed one by one.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use crate::batch::Batch;
use crate::error::Result;
use crate::format::checksum;
use crate::path::PathTree;
use crate::prepare::Order;
use crate::segment::{Place, Segment, SegmentFile, Wanted, build_together};
use crate::storage::Bytes;
use crate::version::{Rows, Version};

/// Rows of all tables of a batch that is kept as it is.
const FEW_ROWS: usize = 256;
/// Bytes of a batch that is kept as it is.
const FEW_BYTES: usize = 64 << 10;
/// Bytes of the batches of a group that are packed together.
const TOGETHER_BYTES: usize = 1 << 20;

/// A batch of few bundles, and where the version that its writer began from has those keys.
#[derive(Debug)]
pub(crate) struct Few {
    batch: Batch,
    order: Order,
    taken: Rows,
    bytes: usize,
}

impl Few {
    /// Whether a batch is small enough.
    pub(crate) fn fits(batch: &Batch) -> bool {
        batch.all_rows() <= FEW_ROWS && batch.size_bytes() <= FEW_BYTES
    }

    /// A batch in its order, to be written to a version.
    pub(crate) fn new(batch: &Batch, order: Order, base: &Version) -> Result<Self> {
        let roots: Vec<(i64, &str)> = order.places().collect();
        let taken = base.rows_of_roots(&roots)?;
        let bytes = batch.size_bytes();
        Ok(Self { batch: batch.clone(), order, taken, bytes })
    }

    /// The checksums of its keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = u64> {
        self.order.keys().map(|key| checksum(key.as_bytes()))
    }

    /// Where its bundles lie.
    pub(crate) fn paths(&self) -> &[i64] {
        self.order.paths()
    }

    /// The tree that its places were checked against.
    pub(crate) fn tree(&self) -> &Arc<PathTree> {
        self.batch.tree()
    }

    /// Bytes of the batch.
    pub(crate) fn size_bytes(&self) -> usize {
        self.bytes
    }

    /// The version that its writer began from without the bundles that it replaces, and the bytes
    /// of the segment of its own.
    pub(crate) fn packed(&self, base: &Version) -> Result<(Version, Vec<u8>)> {
        let mut view = base.clone();
        view.take_out_all(&self.taken)?;
        let roots = self.order.roots().iter().map(|row| (0, *row)).collect();
        Ok((view, build_together(&[&self.batch], roots)?))
    }
}

/// The small batches of a group.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    batches: Vec<Few>,
    /// Checksums of their keys.
    keys: HashSet<u64>,
    bytes: usize,
}

impl Gathered {
    pub(crate) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Whether a key is among those of its bundles; rarely also when it is not.
    pub(crate) fn may_have(&self, key: u64) -> bool {
        self.keys.contains(&key)
    }

    /// Whether a batch has to wait until what is here was packed.
    pub(crate) fn hinders(&self, few: &Few) -> bool {
        self.bytes.saturating_add(few.bytes) > TOGETHER_BYTES
            || few.keys().any(|key| self.may_have(key))
    }

    /// Adds a batch: the bundles that it replaces leave the version. After an error nothing has
    /// changed.
    pub(crate) fn add(&mut self, next: &mut Version, base: &Version, few: Few) -> Result<()> {
        let keys: Vec<&str> = few.order.keys().collect();
        let rows = next.rows_since(base, &few.taken, &Wanted::new(&keys))?;
        next.take_out_all(&rows)?;
        self.keys.extend(few.keys());
        self.bytes = self.bytes.saturating_add(few.bytes);
        self.batches.push(few);
        Ok(())
    }

    /// Packs all that is here as one segment of a version. After an error it is still here.
    pub(crate) fn pack(&mut self, next: &mut Version, number: u64, place: &Path) -> Result<()> {
        let batches: Vec<&Batch> = self.batches.iter().map(|few| &few.batch).collect();
        let mut roots: Vec<(i64, &str, Place)> = Vec::new();
        for (source, few) in (0u32..).zip(&self.batches) {
            let rows = few.order.roots().iter().zip(few.order.places());
            roots.extend(rows.map(|(row, (path, key))| (path, key, (source, *row))));
        }
        roots.sort_unstable();
        let roots = roots.into_iter().map(|(_, _, place)| place).collect();
        let bytes = Bytes::Owned(build_together(&batches, roots)?);
        let path = place.join(SegmentFile::name(number));
        let file = Arc::new(SegmentFile::from_bytes(path, bytes, &next.schema)?);
        let version = next.position.version;
        next.add(number, false, Segment::whole(file, version))?;
        *self = Self::default();
        Ok(())
    }
}
