//! The first rows by the values of a column.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::piece::{Reader, each_bit};
use super::{Rows, bytes_of};
use crate::error::Result;
use crate::predicate::Predicate;

/// A row, and its value in the column that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Top {
    /// The place of its segment among those of the set.
    pub segment: usize,
    /// Its number in the segment.
    pub row: u32,
    /// The value.
    pub value: i64,
}

/// The better a row, the greater: by value, then the earlier row.
type Ranked = (i64, Reverse<(usize, u32)>);

impl Rows<'_> {
    /// The `count` rows of the greatest (`greatest`) or the least known values of a column of
    /// integers, the best first. Of equal values the row that stands first comes first: by
    /// segment, then by row. Rows whose value is unknown are in no such list.
    ///
    /// # Errors
    /// [`crate::Error::WrongType`] on texts, [`crate::Error::UnknownColumn`],
    /// [`crate::Error::Corrupt`], [`crate::Error::Stopped`], [`crate::Error::Memory`].
    pub fn top(&self, column: usize, count: usize, greatest: bool) -> Result<Vec<Top>> {
        self.is_number(column)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let blocks = self.blocks();
        let size = usize::try_from(self.count()).unwrap_or(usize::MAX).min(count);
        let bytes = bytes_of::<Ranked>(size.saturating_add(1));
        let workers = self.run.workers(blocks.len()) as u64;
        let _held = self.run.hold(bytes.saturating_mul(workers.saturating_mul(2)))?;
        // The complement turns the order around, whatever the number.
        let turned = |value: i64| if greatest { value } else { !value };
        let state = || Ok((BinaryHeap::<Reverse<Ranked>>::new(), Reader::<1>::default()));
        let states = self.run.over(blocks.len(), state, |(heap, reader), item| {
            let Some(&(place, block)) = blocks.get(item) else { return Ok(()) };
            let own = self.column(place, column)?;
            let Some(zone) = own.zone_maps().nth(block as usize) else { return Ok(()) };
            // What a value must beat. Every row in the heap stands before this block.
            let worst = |heap: &BinaryHeap<Reverse<Ranked>>| {
                heap.peek().filter(|_| heap.len() >= count).map(|Reverse((value, _))| *value)
            };
            let mut bound = worst(heap);
            let best = turned(if greatest { zone.max } else { zone.min });
            if zone.known == 0 || bound.is_some_and(|bound| best <= bound) {
                return Ok(());
            }
            let mut words = self.words((place, block)).to_vec();
            if let Some(bound) = bound {
                // The packed form tells faster than the values which rows are worth a look.
                let better =
                    if greatest { (turned(bound), zone.max) } else { (zone.min, turned(bound)) };
                let better = Predicate::Range { min: better.0, max: better.1 };
                own.keep(block, &better, &mut words)?;
            }
            reader.each([own], block, &words, |word| {
                each_bit(word.bits & word.known[0], |bit| {
                    let value = turned(word.values[0].get(bit as usize).copied().unwrap_or(0));
                    if bound.is_none_or(|bound| value > bound) {
                        heap.push(Reverse((value, Reverse((place, word.row.saturating_add(bit))))));
                        if heap.len() > count {
                            heap.pop();
                        }
                        bound = worst(heap);
                    }
                });
            })
        })?;
        let mut all: Vec<Ranked> =
            states.into_iter().flat_map(|(heap, _)| heap).map(|Reverse(ranked)| ranked).collect();
        all.sort_unstable_by_key(|ranked| Reverse(*ranked));
        all.truncate(count);
        let top = |(value, Reverse((segment, row)))| Top { segment, row, value: turned(value) };
        Ok(all.into_iter().map(top).collect())
    }
}
