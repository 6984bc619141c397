//! A batch as the bytes of its segments: all the work of writing that needs no disk.
//!
//! Invariants: nothing here is written or seen by anyone; the same batch gives the same bytes in
//! whatever thread it is prepared.

use std::ops::Range;
use std::sync::Arc;

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::format::checksum;
use crate::limits::SEGMENT_ROWS_MAX;
use crate::path::PathTree;
use crate::schema::Schema;
use crate::segment::build;

/// The root rows of a batch in the order in which they are written: by path, then key.
#[derive(Debug)]
pub(crate) struct Order {
    roots: Vec<u32>,
    /// Their keys, one behind the other, and where each ends.
    keys: String,
    ends: Vec<usize>,
    /// The place of each.
    paths: Vec<i64>,
}

impl Order {
    /// The order of the bundles of a batch, each of which has a place and a key of its own.
    pub(crate) fn of(batch: &Batch) -> Result<Self> {
        let roots = sorted_roots(batch)?;
        let schema = batch.schema();
        let key = schema.tables.first().map_or(0, |t| t.key);
        let (names, places) = (batch.column(0, key), batch.column(0, schema.path_column()));
        let mut keys = String::new();
        let mut ends = Vec::with_capacity(roots.len());
        let mut paths = Vec::with_capacity(roots.len());
        for row in &roots {
            keys.push_str(names.and_then(|keys| keys.text(*row)).unwrap_or_default());
            ends.push(keys.len());
            paths.push(places.and_then(|paths| paths.integer(*row)).unwrap_or(0));
        }
        Ok(Self { roots, keys, ends, paths })
    }

    pub(crate) fn roots(&self) -> &[u32] {
        &self.roots
    }

    /// The keys of the root rows, in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, end)| self.keys.get(start..*end))
    }

    /// The place and the key of each root row, in order.
    pub(crate) fn places(&self) -> impl Iterator<Item = (i64, &str)> {
        self.paths.iter().copied().zip(self.keys())
    }

    /// Where the bundles lie, in order.
    pub(crate) fn paths(&self) -> &[i64] {
        &self.paths
    }
}

/// The bundles of a batch, sorted and packed, ready for [`crate::Writer::write_prepared`].
#[derive(Debug)]
pub struct Prepared {
    schema: Arc<Schema>,
    tree: Arc<PathTree>,
    order: Order,
    segments: Vec<Vec<u8>>,
}

impl Prepared {
    /// How many bundles it has.
    #[must_use]
    pub fn bundles(&self) -> usize {
        self.order.roots.len()
    }

    /// Bytes of its segments.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.len() as u64).sum()
    }

    pub(crate) fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    pub(crate) fn tree(&self) -> &Arc<PathTree> {
        &self.tree
    }

    pub(crate) fn order(&self) -> &Order {
        &self.order
    }

    pub(crate) fn segments(&self) -> &[Vec<u8>] {
        &self.segments
    }
}

impl Batch {
    /// Sorts the bundles and makes the bytes of their segments: what takes the time of
    /// [`crate::Writer::write`], for a caller with threads to spare.
    ///
    /// # Errors
    /// [`Error::MissingKey`], [`Error::DuplicateKey`], [`Error::Limit`] on a bundle larger than a
    /// segment.
    pub fn prepare(&self) -> Result<Prepared> {
        let order = Order::of(self)?;
        let slices = slices(self, &order.roots)?.into_iter();
        let segments = slices.map(|slice| build(self, order.roots.get(slice).unwrap_or_default()));
        let segments = segments.collect::<Result<Vec<_>>>()?;
        let (schema, tree) = (Arc::clone(self.schema()), Arc::clone(self.tree()));
        Ok(Prepared { schema, tree, order, segments })
    }
}

/// The root rows of a batch by path, then key.
fn sorted_roots(batch: &Batch) -> Result<Vec<u32>> {
    let schema = batch.schema();
    let Some(root) = schema.tables.first() else { return Ok(Vec::new()) };
    let place = schema.path_column();
    let column = |at: usize| root.columns.get(at).map(|c| c.name.clone()).unwrap_or_default();
    let missing = |at, row| Error::MissingKey { table: root.name.clone(), column: column(at), row };
    let (keys, paths) = (batch.column(0, root.key), batch.column(0, place));
    let rows = u32::try_from(batch.rows(0)).unwrap_or(u32::MAX);
    let mut sorted = Vec::with_capacity(rows as usize);
    let mut hashes = Vec::with_capacity(rows as usize);
    for row in 0..rows {
        let key = keys.and_then(|k| k.text(row)).ok_or_else(|| missing(root.key, row))?;
        let path = paths.and_then(|p| p.integer(row)).ok_or_else(|| missing(place, row))?;
        sorted.push((path, key, row));
        hashes.push(checksum(key.as_bytes()));
    }
    if !sorted.is_sorted() {
        sorted.sort_unstable();
    }
    hashes.sort_unstable();
    if hashes.windows(2).any(|pair| pair.first() == pair.last()) {
        let mut unique: Vec<&str> = sorted.iter().map(|(_, key, _)| *key).collect();
        unique.sort_unstable();
        let mut pairs = unique.iter().zip(unique.iter().skip(1));
        if let Some((key, _)) = pairs.find(|(before, key)| before == key) {
            let (table, key) = (root.name.clone(), (*key).to_owned());
            return Err(Error::DuplicateKey { table, key });
        }
    }
    Ok(sorted.into_iter().map(|(_, _, row)| row).collect())
}

/// The ranges of sorted root rows that become segments, as equal as bundles allow.
fn slices(batch: &Batch, roots: &[u32]) -> Result<Vec<Range<usize>>> {
    let tables = batch.schema().tables.len();
    let largest = (0..tables).map(|table| batch.rows(table)).max().unwrap_or(0);
    let count = largest.div_ceil(SEGMENT_ROWS_MAX as usize).max(1);
    // A slice is closed when its largest table has its share; a bundle never spans two.
    let share = largest.div_ceil(count).max(1);
    let mut found = Vec::with_capacity(count);
    let mut held = vec![0usize; tables];
    let mut bundle = vec![0..0u32; tables];
    let mut start = 0;
    for (at, root) in roots.iter().enumerate() {
        bundle_rows(batch, *root, &mut bundle);
        let over = |limit: usize| held.iter().zip(&bundle).any(|(a, b)| a + b.len() > limit);
        // The last one takes what is left: bundles without a row of the largest table too.
        let full = found.len() + 1 < count && held.iter().any(|rows| *rows >= share);
        if full || over(SEGMENT_ROWS_MAX as usize) {
            found.push(start..at);
            start = at;
            held.fill(0);
        }
        let most = bundle.iter().map(ExactSizeIterator::len).max();
        if let Some(most) = most.filter(|rows| *rows > SEGMENT_ROWS_MAX as usize) {
            let (found, limit) = (most as u64, u64::from(SEGMENT_ROWS_MAX));
            return Err(Error::Limit { what: "rows of one bundle in one table", found, limit });
        }
        held.iter_mut().zip(&bundle).for_each(|(held, rows)| *held += rows.len());
    }
    if start < roots.len() {
        found.push(start..roots.len());
    }
    Ok(found)
}

/// Which rows a bundle has in each table.
fn bundle_rows(batch: &Batch, root: u32, ranges: &mut [Range<u32>]) {
    for (place, table) in batch.schema().tables.iter().enumerate() {
        let above = table.parent.and_then(|parent| ranges.get(parent).cloned());
        let own = match (above, batch.table(place)) {
            (None, _) => root..root.saturating_add(1),
            (Some(above), Some(rows)) if !above.is_empty() => {
                rows.beneath(above.start).start..rows.beneath(above.end - 1).end
            }
            _ => 0..0,
        };
        if let Some(range) = ranges.get_mut(place) {
            *range = own;
        }
    }
}
