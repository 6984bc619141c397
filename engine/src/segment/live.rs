//! The rows of a segment that are not replaced or removed.
//!
//! Invariants: a row beneath a root row lives and goes with it; the counts are those of the bits.
//! A set is kept in blocks that several versions share: taking a row out copies its block.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::Segment;
use super::gone::Gone;
use crate::error::Result;
use crate::limits::BLOCK_ROWS;
use crate::row_set::RowSet;

/// Words of a block.
const BLOCK_WORDS: usize = BLOCK_ROWS as usize / 64;

/// The live rows of one table.
#[derive(Debug, Clone, Default)]
struct LiveRows {
    /// The bits, a block each.
    blocks: Vec<Arc<Vec<u64>>>,
    /// Rows of the table.
    rows: u32,
    /// Live ones.
    count: u32,
}

/// Bits `from..to` of a word, `to` at most 64.
fn mask(from: u32, to: u32) -> u64 {
    let upper = if to >= 64 { u64::MAX } else { (1 << to) - 1 };
    upper & u64::MAX.checked_shl(from).unwrap_or(0)
}

impl LiveRows {
    /// Every row of a table; whole blocks are one and the same.
    fn all(rows: u32) -> Self {
        let whole = Arc::new(vec![u64::MAX; BLOCK_WORDS]);
        let mut blocks = Vec::new();
        blocks.resize_with((rows / BLOCK_ROWS) as usize, || Arc::clone(&whole));
        let rest = rows % BLOCK_ROWS;
        if rest > 0 {
            blocks.push(Arc::new(RowSet::all(rest).words().to_vec()));
        }
        Self { blocks, rows, count: rows }
    }

    fn of(set: &RowSet) -> Self {
        let blocks = set.words().chunks(BLOCK_WORDS).map(|words| Arc::new(words.to_vec()));
        let count = u32::try_from(set.count()).unwrap_or(u32::MAX);
        Self { blocks: blocks.collect(), rows: set.len_rows(), count }
    }

    fn set(&self) -> RowSet {
        let mut set = RowSet::none(self.rows);
        let words = self.blocks.iter().flat_map(|block| block.iter());
        set.words_mut().iter_mut().zip(words).for_each(|(slot, word)| *slot = *word);
        set
    }

    fn set_in(&self, window: Range<u32>) -> RowSet {
        let mut set = RowSet::none_in(window.clone());
        let first = window.start / BLOCK_ROWS;
        let blocks = self.blocks.iter().skip(first as usize);
        for (block, row) in
            blocks.zip((first * BLOCK_ROWS..window.end).step_by(BLOCK_ROWS as usize))
        {
            set.write(row, block);
        }
        set.trim();
        set
    }

    fn contains(&self, row: u32) -> bool {
        let block = self.blocks.get((row / BLOCK_ROWS) as usize);
        let word = block.and_then(|block| block.get((row % BLOCK_ROWS / 64) as usize));
        word.is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Takes a range of rows out.
    fn remove(&mut self, rows: Range<u32>) {
        let mut start = rows.start;
        let end = rows.end.min(self.rows);
        while start < end {
            let stop = end.min((start / 64 + 1) * 64);
            let bits = mask(start % 64, stop - (start - start % 64));
            let (block, word) = (start / BLOCK_ROWS, (start % BLOCK_ROWS / 64) as usize);
            if let Some(block) = self.blocks.get_mut(block as usize)
                && let Some(gone) = block.get(word).map(|word| word & bits)
                && gone != 0
                && let Some(word) = Arc::make_mut(block).get_mut(word)
            {
                *word &= !bits;
                self.count -= gone.count_ones();
            }
            start = stop;
        }
    }
}

/// The rows of a segment that are not replaced or removed.
#[derive(Debug)]
pub(crate) struct LiveSet {
    /// By table; that of the root is given, the others follow from it.
    tables: Vec<OnceLock<LiveRows>>,
    /// By table what the others had: see `gone.rs`.
    gone: Vec<OnceLock<Option<Gone>>>,
}

impl LiveSet {
    /// The live set with these root rows.
    pub(crate) fn new(roots: &RowSet, tables: usize) -> Self {
        let mut sets = vec![OnceLock::new(); tables.max(1)];
        if let Some(first) = sets.first_mut() {
            *first = OnceLock::from(LiveRows::of(roots));
        }
        let gone = vec![OnceLock::new(); sets.len()];
        Self { tables: sets, gone }
    }

    /// Where it is kept what the rows of a table had that are gone.
    pub(super) fn gone(&self, table: usize) -> Option<&OnceLock<Option<Gone>>> {
        self.gone.get(table)
    }

    /// The live rows of a table.
    fn rows(&self, segment: &Segment, table: usize) -> Result<&LiveRows> {
        static NONE: LiveRows = LiveRows { blocks: Vec::new(), rows: 0, count: 0 };
        let Some(cell) = self.tables.get(table) else { return Ok(&NONE) };
        if let Some(found) = cell.get() {
            return Ok(found);
        }
        let parent = segment.file.schema().tables.get(table).and_then(|t| t.parent);
        let above = self.rows(segment, parent.unwrap_or(0))?.set();
        let found = LiveRows::of(&segment.spread(table, &above)?);
        Ok(cell.get_or_init(|| found))
    }
}

impl Segment {
    /// The rows of a table that are not replaced or removed.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn live(&self, table: usize) -> Result<RowSet> {
        let Some(live) = &self.live else { return Ok(RowSet::all(self.rows(table))) };
        // It is kept in memory from the first time on and is nobody's reading.
        Ok(live.rows(&self.unmetered(), table)?.set())
    }

    /// As [`Segment::live`], of a window of the table.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn live_in(&self, table: usize, window: Range<u32>) -> Result<RowSet> {
        let Some(live) = &self.live else { return Ok(RowSet::all_in(window)) };
        Ok(live.rows(&self.unmetered(), table)?.set_in(window))
    }

    /// The bits of the live rows of a block of a table; none where every row of it lives.
    pub(super) fn live_block(&self, table: usize, block: usize) -> Result<Option<&[u64]>> {
        let Some(live) = &self.live else { return Ok(None) };
        let rows = live.rows(&self.unmetered(), table)?;
        let words = rows.blocks.get(block).map_or(&[][..], |words| words.as_slice());
        Ok((!words.iter().all(|word| *word == u64::MAX)).then_some(words))
    }

    /// Whether a root row is not replaced or removed.
    pub(crate) fn root_lives(&self, row: u32) -> bool {
        let Some(live) = &self.live else { return row < self.rows(0) };
        live.tables.first().and_then(OnceLock::get).is_some_and(|roots| roots.contains(row))
    }

    /// How many live rows each table has.
    pub(crate) fn live_counts(&self) -> Result<Vec<u32>> {
        let tables = 0..self.file.schema().tables.len();
        tables
            .map(|table| match &self.live {
                None => Ok(self.rows(table)),
                Some(live) => Ok(live.rows(self, table)?.count),
            })
            .collect()
    }

    /// The segment without these root rows (rising) and what is beneath them. Some may be dead
    /// already.
    pub(crate) fn without(&self, roots: &[u32]) -> Result<Self> {
        let schema = self.file.schema();
        let gone = roots.iter().filter(|row| self.root_lives(**row));
        let gone: Vec<Range<u32>> = gone.map(|row| *row..row.saturating_add(1)).collect();
        if gone.is_empty() {
            return Ok(self.clone());
        }
        let mut ranges: Vec<Vec<Range<u32>>> = Vec::with_capacity(schema.tables.len());
        let mut tables = Vec::with_capacity(schema.tables.len());
        let mut all_gone = Vec::with_capacity(schema.tables.len());
        for (place, table) in schema.tables.iter().enumerate() {
            let beneath = match table.parent.and_then(|parent| ranges.get(parent)) {
                None => gone.clone(),
                Some(above) => {
                    let offsets = self.offsets(place)?;
                    let at = |row: u32| offsets.get(row as usize).copied().unwrap_or(0);
                    above.iter().map(|rows| at(rows.start)..at(rows.end)).collect()
                }
            };
            let mut rows = match &self.live {
                None => LiveRows::all(self.rows(place)),
                Some(live) => live.rows(self, place)?.clone(),
            };
            beneath.iter().for_each(|range| rows.remove(range.clone()));
            tables.push(OnceLock::from(rows));
            all_gone.push(self.gone_with(place, &beneath)?);
            ranges.push(beneath);
        }
        let live = Some(Arc::new(LiveSet { tables, gone: all_gone }));
        Ok(Self { live, ..self.clone() })
    }
}
