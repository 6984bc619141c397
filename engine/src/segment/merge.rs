//! A segment of rows that stand in other segments.
//!
//! Invariant: the bytes are those of a segment that is built of the same rows in the same order.
//! A source is read a block at a time, its rows in rising order where the picked ones are.

use std::sync::Arc;

use super::build::{Origin, OriginColumn, Place, assemble};
use super::{Column, Segment};
use crate::block::gathered::{Integers, TextList};
use crate::error::Result;
use crate::limits::BLOCK_ROWS;
use crate::schema::Schema;

/// The bytes of a segment of these root rows, each a place among the sources and a row, in this
/// order, with all rows beneath them.
pub(crate) fn merge(
    schema: &Arc<Schema>,
    sources: &[Segment],
    pick: &[(u32, u32)],
) -> Result<Vec<u8>> {
    assemble(schema, &Sources(sources), pick.to_vec())
}

/// Segments that rows are taken from.
struct Sources<'a>(&'a [Segment]);

impl<'a> Origin for Sources<'a> {
    type Column<'b>
        = Gather<'a>
    where
        Self: 'b;

    fn beneath(&self, table: usize, above: &[Place]) -> Result<(Vec<Place>, Vec<i64>)> {
        let offsets = self.0.iter().map(|source| source.offsets(table));
        let offsets: Vec<&[u32]> = offsets.collect::<Result<_>>()?;
        let (mut order, mut counts) = (Vec::new(), Vec::with_capacity(above.len()));
        for (source, row) in above {
            let offsets = offsets.get(*source as usize).copied().unwrap_or_default();
            let at = |row: u32| offsets.get(row as usize).copied().unwrap_or(0);
            let rows = at(*row)..at(row.saturating_add(1));
            counts.push(i64::try_from(rows.len()).unwrap_or(0));
            order.extend(rows.map(|row| (*source, row)));
        }
        Ok((order, counts))
    }

    fn column(&self, table: usize, column: usize) -> Result<Gather<'a>> {
        let held = self.0.iter().map(|source| {
            let column = source.column(table, column)?;
            let (integers, texts) = (Integers::default(), TextList::default());
            Ok(Held { column, block: None, integers, texts })
        });
        Ok(Gather(held.collect::<Result<_>>()?))
    }

    fn versions(&self, rows: &[Place]) -> Result<Option<Vec<i64>>> {
        let mut found = vec![0i64; rows.len()];
        for (source, segment) in (0u32..).zip(self.0) {
            let own = rows.iter().enumerate().filter(|(_, (place, _))| *place == source);
            let (slots, own): (Vec<usize>, Vec<u32>) = own.map(|(at, (_, row))| (at, *row)).unzip();
            for (slot, version) in slots.into_iter().zip(segment.versions(&own)?) {
                if let Some(slot) = found.get_mut(slot) {
                    *slot = i64::try_from(version).unwrap_or(i64::MAX);
                }
            }
        }
        Ok(Some(found))
    }
}

/// A column of every source, each with the block that was read last.
struct Gather<'a>(Vec<Held<'a>>);

struct Held<'a> {
    column: Column<'a>,
    block: Option<u32>,
    integers: Integers,
    texts: TextList,
}

impl Held<'_> {
    /// Reads the block of a row, if it is not the one at hand; the place of the row in it.
    fn hold(&mut self, row: u32, texts: bool) -> Result<usize> {
        let block = row / BLOCK_ROWS;
        if self.block != Some(block) {
            self.block = None;
            let first = block.saturating_mul(BLOCK_ROWS);
            let rows = first..first.saturating_add(BLOCK_ROWS);
            if texts {
                self.texts.clear();
                let list = &mut self.texts;
                self.column.texts(rows, &mut |_, text| list.push(text))?;
            } else {
                self.integers.values.clear();
                self.column.integers(rows, &mut self.integers.values)?;
                self.integers.known = self.column.known_of_block(block as usize)?;
            }
            self.block = Some(block);
        }
        Ok((row % BLOCK_ROWS) as usize)
    }
}

impl OriginColumn for Gather<'_> {
    fn integers(&mut self, rows: &[Place], out: &mut Integers) -> Result<()> {
        let mut broken = Ok(());
        out.extend(rows.iter().map(|(source, row)| {
            let held = self.0.get_mut(*source as usize)?;
            let at = match held.hold(*row, false) {
                Ok(at) => at,
                Err(error) => {
                    broken = Err(error);
                    return None;
                }
            };
            let known = held.integers.known.get(at / 64).is_some_and(|w| w >> (at % 64) & 1 == 1);
            held.integers.values.get(at).copied().filter(|_| known)
        }));
        broken
    }

    fn texts(&mut self, rows: &[Place], out: &mut TextList) -> Result<()> {
        for (source, row) in rows {
            let Some(held) = self.0.get_mut(*source as usize) else { continue };
            let at = held.hold(*row, true)?;
            out.push(held.texts.get(at));
        }
        Ok(())
    }
}
