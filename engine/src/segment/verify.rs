//! Everything that a segment promises, looked at: every checksum, then every invariant.
//!
//! What is asked of a segment checks only what is used; this reads all of it, a block at a time.

use super::keys::{KeyIndex, hash_of};
use super::pairs::PairDraft;
use super::toc::KeysToc;
use super::{Column, Segment};
use crate::block::BlockToc;
use crate::block::gathered::Integers;
use crate::error::{Error, Result};
use crate::limits::{BLOCK_ROWS, TEXT_BYTES_MAX};
use crate::row_set::RowSet;
use crate::schema::{ColumnSchema, Kind, Schema};

/// Where findings go, and whether there were any.
struct Findings<'a> {
    segment: &'a Segment,
    report: &'a mut dyn FnMut(Error),
    sound: bool,
}

impl Findings<'_> {
    fn say(&mut self, error: Error) {
        self.sound = false;
        (self.report)(error);
    }

    /// Says what is wrong with a block, unless it holds.
    fn check(&mut self, holds: bool, block: &BlockToc, what: &'static str) {
        if !holds {
            let frame = block.frame.or(block.beside).or(block.known_bits);
            self.say(self.segment.file.corrupt(frame, what));
        }
    }

    /// Passes on what a check could not read.
    fn take(&mut self, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.say(error);
        }
    }
}

fn known_at(known: &[u64], row: usize) -> bool {
    known.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
}

impl Segment {
    /// Looks at every frame's checksum and every invariant, and reports what does not hold: where
    /// frames are damaged those alone, because what they hold cannot be judged.
    ///
    /// # Errors
    /// None of what is found: that is reported.
    pub(crate) fn verify(&self, report: &mut dyn FnMut(Error)) -> Result<()> {
        let mut findings = Findings { segment: self, report, sound: true };
        for frame in self.file.frames() {
            findings.take(self.file.check_frame(frame));
        }
        if !findings.sound {
            return Ok(());
        }
        let schema = self.file.schema();
        for (table, declared) in schema.tables.iter().enumerate() {
            for (place, column) in declared.columns.iter().enumerate() {
                let outcome = self.verify_column(schema, (table, place), column, &mut findings);
                findings.take(outcome);
            }
            let outcome = self.verify_keys(table, &mut findings);
            findings.take(outcome);
            let outcome = self.verify_pairs(table, &mut findings);
            findings.take(outcome);
            if declared.parent.is_some() {
                let outcome = self.verify_counts(table, &mut findings);
                findings.take(outcome);
            }
        }
        let outcome = self.verify_order(&mut findings);
        findings.take(outcome);
        let outcome = self.verify_versions(&mut findings);
        findings.take(outcome);
        let outcome = self.verify_live(&mut findings);
        findings.take(outcome);
        Ok(())
    }

    fn verify_column(
        &self,
        schema: &Schema,
        (table, place): (usize, usize),
        declared: &ColumnSchema,
        findings: &mut Findings<'_>,
    ) -> Result<()> {
        let column = self.column(table, place)?;
        let codes = declared.list.and_then(|l| schema.lists.get(l)).map_or(2, |l| l.codes.len());
        for (first, block) in column.blocks() {
            let known = column.known_again(block)?;
            let count: u32 = known.iter().map(|word| word.count_ones()).sum();
            // Without bits of their own all rows of a block are known, or none is.
            let counted = block.known_bits.is_none() || count == block.known;
            findings.check(counted, block, "other rows are known than the block counts");
            let rows = first..first.saturating_add(block.rows);
            if declared.kind.is_text() {
                let mut long = false;
                column.texts(rows, &mut |_, text| {
                    long |= text.is_some_and(|text| text.len() > TEXT_BYTES_MAX);
                })?;
                findings.check(!long, block, "a text is longer than any that is taken");
            } else {
                verify_integers(&column, block, (declared.kind, codes), findings)?;
            }
        }
        column.verify_postings(findings)
    }

    fn verify_keys(&self, table: usize, findings: &mut Findings<'_>) -> Result<()> {
        let key = self.file.schema().tables.get(table).map_or(0, |t| t.key);
        let Some(keys) = self.file.table(table).and_then(|t| t.keys.as_ref()) else {
            return Ok(());
        };
        let index = KeyIndex::new(&self.file, keys, self.rows(table))?;
        let (mut count, mut lost, mut broken) = (0u32, false, Ok(()));
        self.column(table, key)?.texts(0..u32::MAX, &mut |row, text| {
            let first = matches!(keys, KeysToc::Sorted { .. });
            let Some(text) = text.or(first.then_some("")) else { return };
            let mut met = 0;
            let found = index.candidates(hash_of(text), &mut |at| met += u32::from(at == row));
            if let Err(error) = found {
                broken = Err(error);
            }
            lost |= met != 1;
            count += 1;
        })?;
        broken?;
        if lost || count != index.entries() {
            findings.say(index.corrupt("the index of keys does not find each row once"));
        }
        Ok(())
    }

    /// The counts of pairs are those of the values.
    fn verify_pairs(&self, table: usize, findings: &mut Findings<'_>) -> Result<()> {
        let Some(pairs) = self.pairs(table)? else { return Ok(()) };
        let (schema, rows) = (self.file.schema(), self.rows(table));
        let Some(mut draft) = PairDraft::new(schema, table, rows as usize) else {
            findings.say(self.file.corrupt(None, "pairs are counted that nobody counts"));
            return Ok(());
        };
        let columns = schema.tables.get(table).map_or(0, |table| table.columns.len());
        let counted: Vec<usize> = (0..columns).filter(|place| draft.has(*place)).collect();
        for place in counted {
            let column = self.column(table, place)?;
            for (first, block) in column.blocks() {
                let known = column.known_again(block)?;
                let mut values = Vec::with_capacity(block.rows as usize);
                self.file.integers(block, 0, block.rows as usize, &mut values)?;
                draft.add(place, first as usize, &Integers { values, known });
            }
        }
        if !pairs.equal(&draft.bytes(pairs.ends())) {
            findings
                .say(self.file.corrupt(None, "the counts of pairs are not those of the values"));
        }
        Ok(())
    }

    fn verify_counts(&self, table: usize, findings: &mut Findings<'_>) -> Result<()> {
        let offsets = self.offsets(table)?;
        let parent = self.file.schema().tables.get(table).and_then(|t| t.parent).unwrap_or(0);
        let last = offsets.last().copied().unwrap_or(0);
        let whole = offsets.len() == self.rows(parent) as usize + 1 && last == self.rows(table);
        if !whole || !offsets.is_sorted() {
            findings.say(self.file.corrupt(None, "the rows beneath rows do not add up"));
        }
        Ok(())
    }

    /// Root rows have a path and a key, and stand by them.
    fn verify_order(&self, findings: &mut Findings<'_>) -> Result<()> {
        let schema = self.file.schema();
        let key = schema.tables.first().map_or(0, |table| table.key);
        let (paths, keys) = (self.column(0, schema.path_column())?, self.column(0, key)?);
        let all = |column: &Column<'_>| column.blocks().all(|(_, block)| block.known == block.rows);
        if !all(&paths) || !all(&keys) {
            findings.say(self.file.corrupt(None, "a root row has no path or no key"));
            return Ok(());
        }
        let mut before: Option<(i64, String)> = None;
        let mut sorted = true;
        let mut first = 0u32;
        while first < self.rows(0) {
            let rows = first..first.saturating_add(BLOCK_ROWS).min(self.rows(0));
            let mut codes = Vec::new();
            paths.integers(rows.clone(), &mut codes)?;
            let mut codes = codes.into_iter();
            keys.texts(rows.clone(), &mut |_, text| {
                let next = (codes.next().unwrap_or(0), text.unwrap_or(""));
                if let Some((path, key)) = &mut before {
                    sorted &= (*path, key.as_str()) < next;
                    *path = next.0;
                    next.1.clone_into(key);
                } else {
                    before = Some((next.0, next.1.to_owned()));
                }
            })?;
            first = rows.end;
        }
        if !sorted {
            findings.say(self.file.corrupt(None, "the root rows do not stand by path and key"));
        }
        Ok(())
    }

    fn verify_versions(&self, findings: &mut Findings<'_>) -> Result<()> {
        let blocks = self.file.table(0).map(|table| table.versions.as_slice());
        for block in blocks.unwrap_or_default() {
            let mut versions = Vec::new();
            self.file.integers(block, 0, block.rows as usize, &mut versions)?;
            let sound = block.known == block.rows && versions.iter().all(|version| *version >= 0);
            findings.check(sound, block, "a root row was written by no version");
            let zone = versions.iter().min() == Some(&block.min)
                && versions.iter().max() == Some(&block.max);
            findings.check(zone, block, "a zone map is not that of its values");
        }
        Ok(())
    }

    /// What is beneath a live row lives, and nothing else; the counts are right.
    fn verify_live(&self, findings: &mut Findings<'_>) -> Result<()> {
        let schema = self.file.schema();
        let counts = self.live_counts()?;
        let mut sets: Vec<RowSet> = Vec::with_capacity(schema.tables.len());
        for (place, table) in schema.tables.iter().enumerate() {
            let live = self.live(place)?;
            let follows = match table.parent.and_then(|parent| sets.get(parent)) {
                Some(above) => self.spread(place, above)? == live,
                None => live.len_rows() == self.rows(place),
            };
            let counted = counts.get(place).is_some_and(|rows| u64::from(*rows) == live.count());
            if !follows || !counted {
                findings.say(self.file.corrupt(None, "the live rows do not go together"));
            }
            sets.push(live);
        }
        Ok(())
    }
}

fn verify_integers(
    column: &Column<'_>,
    block: &BlockToc,
    (kind, codes): (Kind, usize),
    findings: &mut Findings<'_>,
) -> Result<()> {
    let known = column.known_again(block)?;
    let mut values = Vec::with_capacity(block.rows as usize);
    findings.segment.file.integers(block, 0, block.rows as usize, &mut values)?;
    let values = values.iter().enumerate().filter(|(row, _)| known_at(&known, *row));
    let (mut min, mut max) = (i64::MAX, i64::MIN);
    for (_, value) in values {
        min = min.min(*value);
        max = max.max(*value);
    }
    if min > max {
        (min, max) = (0, 0);
    }
    let zone = (min, max) == (block.min, block.max);
    findings.check(zone, block, "a zone map is not that of its values");
    let most = i64::try_from(codes).unwrap_or(i64::MAX) - 1;
    let fits = block.known == 0
        || match kind {
            Kind::Flag | Kind::Code => min >= 0 && max <= most,
            Kind::Codes => min >= 0 && max >> codes.min(63) == 0,
            _ => true,
        };
    findings.check(fits, block, "a code is not in its list");
    let list = findings.segment.file.integer_block(block)?;
    if list.is_listed() {
        let rising = list.list().is_some_and(|list| list.is_sorted_by(|a, b| a < b));
        findings.check(rising, block, "a dictionary is not in order");
    }
    Ok(())
}

impl Column<'_> {
    /// Each bitmap of format 1 holds the rows that have its value.
    fn verify_postings(&self, findings: &mut Findings<'_>) -> Result<()> {
        if self.postings().is_empty() {
            return Ok(());
        }
        let (mut values, known) = (Vec::new(), self.known()?);
        self.integers(0..u32::MAX, &mut values)?;
        let set = self.kind() == Kind::Codes;
        for posting in self.postings() {
            let mut found = RowSet::none(known.len_rows());
            self.insert_posting(&mut found, posting.frame)?;
            let mut expected = RowSet::none(known.len_rows());
            for (row, value) in (0u32..).zip(&values).filter(|(row, _)| known.contains(*row)) {
                let bit = u32::try_from(posting.value).unwrap_or(u32::MAX);
                let has = match set {
                    true => value.checked_shr(bit).unwrap_or(0) & 1 == 1,
                    false => *value == posting.value,
                };
                if has {
                    expected.insert(row);
                }
            }
            if found != expected || found.count() != u64::from(posting.rows) {
                let file = &findings.segment.file;
                findings.say(file.corrupt(Some(posting.frame), "a bitmap has other rows"));
            }
        }
        Ok(())
    }
}
