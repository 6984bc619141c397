//! The rows that satisfy a conjunction of predicates: the cheapest first, the others only in the
//! blocks and rows that are left.

use parking_lot::Mutex;

use super::piece::{BLOCK_WORDS, Reader, each_bit};
use super::{Rows, set_bytes};
use crate::error::Result;
use crate::predicate::{Access, Predicate};
use crate::segment::{Column, Segment};

/// Where a block has fewer words with rows than one in so many, only those are decoded.
const SPARSE: usize = 8;

/// A column of the table, and what its value must satisfy.
type Clause = (usize, Predicate);

/// The clauses in the order in which a segment answers them.
struct Ordered<'c> {
    /// Those that an index answers for the whole segment.
    indexed: Vec<&'c Clause>,
    /// Those that are answered block by block.
    scans: Vec<&'c Clause>,
}

impl<'c> Ordered<'c> {
    fn new(segment: &Segment, table: usize, clauses: &'c [Clause]) -> Result<Self> {
        let (mut indexed, mut scans) = (Vec::new(), Vec::new());
        for clause in clauses {
            let column = segment.column(table, clause.0)?;
            let rank = match column.served_by(&clause.1) {
                Access::PathRange => 0,
                Access::Index => 1,
                Access::ZoneMap => 2,
                Access::Scan if column.is_text() => 4,
                Access::Scan => 3,
            };
            if rank < 2 { indexed.push((rank, clause)) } else { scans.push((rank, clause)) }
        }
        let sorted = |mut ranked: Vec<(u8, &'c Clause)>| {
            ranked.sort_by_key(|(rank, _)| *rank);
            ranked.into_iter().map(|(_, clause)| clause).collect()
        };
        Ok(Self { indexed: sorted(indexed), scans: sorted(scans) })
    }
}

impl Rows<'_> {
    /// The rows that also satisfy all of these: columns of the table, each with what its value
    /// must satisfy. The order in which they are given does not matter.
    ///
    /// # Errors
    /// [`crate::Error::UnknownColumn`], [`crate::Error::Corrupt`], [`crate::Error::Stopped`],
    /// [`crate::Error::Memory`].
    pub fn filter(mut self, clauses: &[(usize, Predicate)]) -> Result<Self> {
        for (column, _) in clauses {
            self.kind(*column)?;
        }
        let (run, table, segments) = (self.run, self.table, self.segments());
        let ordered = segments.iter().map(|segment| Ordered::new(segment, table, clauses));
        let ordered = ordered.collect::<Result<Vec<_>>>()?;
        let wholes = segments.iter().zip(&ordered).zip(&mut self.sets);
        let wholes: Vec<_> = wholes.map(|(with, set)| (with, Mutex::new(set))).collect();
        run.over(
            wholes.len(),
            || Ok(()),
            |(), item| {
                let Some(((segment, ordered), set)) = wholes.get(item) else { return Ok(()) };
                let mut set = set.lock();
                for (column, predicate) in &ordered.indexed {
                    run.check()?;
                    // The answer, and one that it is made of.
                    let _held = run.hold(2 * set_bytes(set.len_rows()))?;
                    set.and(&segment.column(table, *column)?.filter(predicate)?);
                    if set.is_empty() {
                        break;
                    }
                }
                Ok(())
            },
        )?;
        drop(wholes);
        let mut parts = Vec::new();
        for ((segment, ordered), set) in segments.iter().zip(&ordered).zip(&mut self.sets) {
            let blocks = (0u32..).zip(set.words_mut().chunks_mut(BLOCK_WORDS));
            let met = blocks.filter(|(_, words)| words.iter().any(|word| *word != 0));
            let part = |(block, words)| (segment, &ordered.scans, block, Mutex::new(words));
            parts.extend(met.filter(|_| !ordered.scans.is_empty()).map(part));
        }
        let reader = || Ok(Reader::<1>::default());
        run.over(parts.len(), reader, |reader, item| {
            let Some((segment, scans, block, words)) = parts.get(item) else { return Ok(()) };
            let mut words = words.lock();
            for (column, predicate) in *scans {
                let column = segment.column(table, *column)?;
                keep(reader, column, *block, predicate, &mut words)?;
                if words.iter().all(|word| *word == 0) {
                    break;
                }
            }
            Ok(())
        })?;
        drop(parts);
        Ok(self)
    }
}

/// Takes the rows that do not satisfy a predicate out of the bits of a block.
fn keep(
    reader: &mut Reader<1>,
    column: Column<'_>,
    block: u32,
    predicate: &Predicate,
    words: &mut [u64],
) -> Result<()> {
    let few = words.iter().filter(|word| **word != 0).count() * SPARSE < words.len();
    let Some(test) = test(predicate).filter(|_| few && !column.is_text()) else {
        return column.keep(block, predicate, words);
    };
    if column.foretold(block, predicate).is_some() {
        return column.keep(block, predicate, words);
    }
    let asked = words.to_vec();
    words.fill(0);
    reader.each([column], block, &asked, |word| {
        let mut kept = 0;
        each_bit(word.bits & word.known[0], |bit| {
            let value = word.values[0].get(bit as usize).copied().unwrap_or(0);
            kept |= u64::from(test(value)) << bit;
        });
        if let Some(slot) = words.get_mut((word.row as usize / 64) % BLOCK_WORDS) {
            *slot = kept;
        }
    })
}

/// The test of one known integer, for the predicates that have one.
fn test(predicate: &Predicate) -> Option<Box<dyn Fn(i64) -> bool + '_>> {
    Some(match predicate {
        Predicate::Range { min, max } => Box::new(move |v| *min <= v && v <= *max),
        Predicate::In(list) => Box::new(move |v| list.binary_search(&v).is_ok()),
        Predicate::HasAny(bits) => Box::new(move |v| v.cast_unsigned() & bits != 0),
        Predicate::HasAll(bits) => Box::new(move |v| v.cast_unsigned() & bits == *bits),
        Predicate::HasNone(bits) => Box::new(move |v| v.cast_unsigned() & bits == 0),
        _ => return None,
    })
}
