//! A slice of bundles as the bytes of a segment file.

use super::keys::KeyDraft;
use super::pairs::PairDraft;
use super::runs::ends_of;
use super::toc::{ColumnToc, SegmentToc, TableToc};
use crate::batch::{Batch, BatchColumn};
use crate::block::gathered::{Integers, TextList};
use crate::block::integers::{self, Style};
use crate::block::{BlockToc, FrameSink, texts};
use crate::error::{Error, Result};
use crate::format::{self, FileKind};
use crate::limits::BLOCK_ROWS;
use crate::schema::{ColumnSchema, Kind, Schema};

/// A row: the place of its source among several, and its number there.
pub(crate) type Place = (u32, u32);

/// Where the rows of a segment come from.
pub(super) trait Origin {
    /// One column of it.
    type Column<'a>: OriginColumn
    where
        Self: 'a;

    /// The rows of a table beneath rows of its parent's, and how many each has.
    fn beneath(&self, table: usize, above: &[Place]) -> Result<(Vec<Place>, Vec<i64>)>;

    /// A column of a table.
    fn column(&self, table: usize, column: usize) -> Result<Self::Column<'_>>;

    /// The version that last wrote each of these root rows; none where that is the segment's own.
    fn versions(&self, rows: &[Place]) -> Result<Option<Vec<i64>>>;
}

/// A column that values are taken from.
pub(super) trait OriginColumn {
    /// Appends the integers of rows.
    fn integers(&mut self, rows: &[Place], out: &mut Integers) -> Result<()>;
    /// Appends the texts of rows.
    fn texts(&mut self, rows: &[Place], out: &mut TextList) -> Result<()>;
}

/// The bytes of a segment of these root rows of a batch, in this order.
pub(crate) fn build(batch: &Batch, roots: &[u32]) -> Result<Vec<u8>> {
    assemble(batch.schema(), &batch, roots.iter().map(|row| (0, *row)).collect())
}

impl Origin for &Batch {
    type Column<'a>
        = Option<&'a BatchColumn>
    where
        Self: 'a;

    fn beneath(&self, table: usize, above: &[Place]) -> Result<(Vec<Place>, Vec<i64>)> {
        let (mut order, mut counts) = (Vec::new(), Vec::with_capacity(above.len()));
        let Some(rows) = self.table(table) else { return Ok((order, counts)) };
        for (_, row) in above {
            let range = rows.beneath(*row);
            counts.push(i64::from(range.end.saturating_sub(range.start)));
            order.extend(range.map(|row| (0, row)));
        }
        Ok((order, counts))
    }

    fn column(&self, table: usize, column: usize) -> Result<Self::Column<'_>> {
        Ok(Batch::column(self, table, column))
    }

    fn versions(&self, _: &[Place]) -> Result<Option<Vec<i64>>> {
        Ok(None)
    }
}

impl OriginColumn for Option<&BatchColumn> {
    fn integers(&mut self, rows: &[Place], out: &mut Integers) -> Result<()> {
        out.extend(rows.iter().map(|(_, row)| self.and_then(|column| column.integer(*row))));
        Ok(())
    }

    fn texts(&mut self, rows: &[Place], out: &mut TextList) -> Result<()> {
        rows.iter().for_each(|(_, row)| out.push(self.and_then(|column| column.text(*row))));
        Ok(())
    }
}

/// The bytes of a segment of root rows of several batches, each the place of its batch and the row,
/// in this order.
pub(crate) fn build_together(batches: &[&Batch], roots: Vec<Place>) -> Result<Vec<u8>> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    assemble(first.schema(), &batches, roots)
}

impl Origin for &[&Batch] {
    type Column<'a>
        = Vec<Option<&'a BatchColumn>>
    where
        Self: 'a;

    fn beneath(&self, table: usize, above: &[Place]) -> Result<(Vec<Place>, Vec<i64>)> {
        let (mut order, mut counts) = (Vec::new(), Vec::with_capacity(above.len()));
        let tables: Vec<_> = self.iter().map(|batch| batch.table(table)).collect();
        for (source, row) in above {
            let rows = tables.get(*source as usize).copied().flatten();
            let range = rows.map_or(0..0, |rows| rows.beneath(*row));
            counts.push(i64::from(range.end.saturating_sub(range.start)));
            order.extend(range.map(|row| (*source, row)));
        }
        Ok((order, counts))
    }

    fn column(&self, table: usize, column: usize) -> Result<Self::Column<'_>> {
        Ok(self.iter().map(|batch| Batch::column(batch, table, column)).collect())
    }

    fn versions(&self, _: &[Place]) -> Result<Option<Vec<i64>>> {
        Ok(None)
    }
}

impl OriginColumn for Vec<Option<&BatchColumn>> {
    fn integers(&mut self, rows: &[Place], out: &mut Integers) -> Result<()> {
        let column = |source: u32| self.get(source as usize).copied().flatten();
        out.extend(rows.iter().map(|(source, row)| column(*source)?.integer(*row)));
        Ok(())
    }

    fn texts(&mut self, rows: &[Place], out: &mut TextList) -> Result<()> {
        let column = |source: u32| self.get(source as usize).copied().flatten();
        rows.iter().for_each(|(source, row)| out.push(column(*source).and_then(|c| c.text(*row))));
        Ok(())
    }
}

/// The bytes of a segment of these root rows of an origin, in this order.
pub(super) fn assemble(
    schema: &Schema,
    origin: &impl Origin,
    roots: Vec<Place>,
) -> Result<Vec<u8>> {
    let mut sink = FrameSink { bytes: format::header(FileKind::Segment), frames: 0 };
    let mut orders: Vec<Vec<Place>> = Vec::with_capacity(schema.tables.len());
    let mut offsets: Vec<Vec<u32>> = Vec::with_capacity(schema.tables.len());
    let mut tables = Vec::with_capacity(schema.tables.len());
    for (place, table) in schema.tables.iter().enumerate() {
        let (order, counts) = match table.parent.and_then(|parent| orders.get(parent)) {
            None => (roots.clone(), Vec::new()),
            Some(above) => origin.beneath(place, above)?,
        };
        let mut keys = KeyDraft::default();
        let mut pairs = PairDraft::new(schema, place, order.len());
        let mut columns = Vec::with_capacity(table.columns.len());
        for (column, declared) in table.columns.iter().enumerate() {
            let values = origin.column(place, column)?;
            let keys = (column == table.key).then_some(&mut keys);
            let pairs = pairs.as_mut().map(|pairs| (column, pairs));
            columns.push(write_column(&mut sink, values, declared, (&order, keys, pairs))?);
        }
        let beneath = table.parent.map(|parent| over(offsets.get(parent), &counts));
        let counts = write_numbers(&mut sink, &counts);
        let versions = match place {
            0 => origin.versions(&order)?.map(|found| write_numbers(&mut sink, &found)),
            _ => None,
        };
        let rows = u32::try_from(order.len()).unwrap_or(u32::MAX);
        let keys = keys.write(&mut sink, rows);
        let beneath = beneath.unwrap_or_default();
        let pairs = pairs.map(|pairs| {
            let ends = piece_ends(u32::try_from(roots.len()).unwrap_or(u32::MAX), rows, &beneath);
            sink.put(&pairs.bytes(&ends))
        });
        let (versions, keys) = (versions.unwrap_or_default(), Some(keys));
        tables.push(TableToc { rows, columns, counts, versions, keys, pairs });
        orders.push(order);
        offsets.push(beneath);
    }
    let toc = SegmentToc { frames: sink.frames, tables };
    Ok(format::close(sink.bytes, &toc.write()))
}

/// Where the rows of a table begin beneath each root row, of those of the table above (none where
/// that is the root's) and of how many rows each row of that has.
fn over(above: Option<&Vec<u32>>, counts: &[i64]) -> Vec<u32> {
    let mut at = 0u32;
    let mut own = Vec::with_capacity(counts.len() + 1);
    own.push(at);
    for count in counts {
        at = at.saturating_add(u32::try_from(*count).unwrap_or(0));
        own.push(at);
    }
    let Some(above) = above.filter(|above| !above.is_empty()) else { return own };
    above.iter().map(|row| own.get(*row as usize).copied().unwrap_or(at)).collect()
}

/// The rows of a table before which its pieces end.
fn piece_ends(roots: u32, rows: u32, offsets: &[u32]) -> Vec<u32> {
    if offsets.is_empty() {
        return ends_of(roots, roots, &[]);
    }
    let ends =
        if rows > roots { ends_of(roots, rows, offsets) } else { ends_of(roots, roots, &[]) };
    ends.iter().map(|root| offsets.get(*root as usize).copied().unwrap_or(0)).collect()
}

/// Writes numbers that are all known.
fn write_numbers(sink: &mut FrameSink, numbers: &[i64]) -> Vec<BlockToc> {
    let blocks = numbers.chunks(BLOCK_ROWS as usize).map(|numbers| {
        let mut block = Integers::default();
        numbers.iter().for_each(|number| block.push(Some(*number)));
        integers::encode(sink, &mut block, Style::default())
    });
    blocks.collect()
}

/// The rows of a table, and who keeps more of a column than its blocks: of its keys, and of a
/// column of codes that is told by its number.
type Kept<'a> = (&'a [Place], Option<&'a mut KeyDraft>, Option<(usize, &'a mut PairDraft)>);

fn write_column(
    sink: &mut FrameSink,
    mut column: impl OriginColumn,
    declared: &ColumnSchema,
    (order, mut keys, mut pairs): Kept<'_>,
) -> Result<ColumnToc> {
    let mut blocks = Vec::with_capacity(order.len().div_ceil(BLOCK_ROWS as usize));
    let style = Style { set: declared.kind == Kind::Codes, index: declared.index };
    let (mut numbers, mut texts) = (Integers::default(), TextList::default());
    for rows in order.chunks(BLOCK_ROWS as usize) {
        if declared.kind.is_text() {
            texts.clear();
            column.texts(rows, &mut texts)?;
            if let Some(keys) = &mut keys {
                let first = u32::try_from(blocks.len()).unwrap_or(0) * BLOCK_ROWS;
                keys.extend(&texts, first);
            }
            let block = texts::encode(sink, &texts, declared.kind == Kind::Id);
            blocks.push(block.map_err(|source| Error::Io {
                action: "compress a block of",
                path: declared.name.clone().into(),
                source,
            })?);
            continue;
        }
        numbers.clear();
        column.integers(rows, &mut numbers)?;
        if let Some((place, pairs)) = &mut pairs {
            pairs.add(*place, blocks.len() * BLOCK_ROWS as usize, &numbers);
        }
        blocks.push(integers::encode(sink, &mut numbers, style));
    }
    Ok(ColumnToc { blocks, postings: Vec::new() })
}
