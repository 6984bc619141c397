//! One segment being read: sets of rows, and the ways between the rows of one table and those
//! above or beneath them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use yiku::kernel::{Held, Run};
use yiku::{Predicate, RowSet, Schema, Segment};

use crate::error::Result;
use crate::plan::{Limits, Within};

/// Offsets of children by row of a table above, by that table and the child table.
type OffsetsByPair = BTreeMap<(usize, usize), Rc<[u32]>>;

/// What a column answered to a predicate, by table and place of the column.
type Answered = Vec<((usize, usize, Predicate), Rc<RowSet>)>;

/// Answers of columns that are kept for a question: its measures often ask the same again.
const ANSWERED_MAX: usize = 64;

/// Texts of a list whose answer is kept.
const TEXTS_MAX: usize = 64;

/// Bytes of an offset.
const OFFSET_BYTES: u64 = size_of::<u32>() as u64;

/// Bytes of a set of rows of a table with so many.
pub(super) fn set_bytes(rows: u32) -> u64 {
    u64::from(rows).div_ceil(64) * 8
}

/// One segment being read.
pub(crate) struct Scan<'a> {
    pub(super) segment: &'a Segment,
    pub(super) schema: &'a Schema,
    pub(super) limits: &'a Limits,
    pub(super) run: &'a Run<'a>,
    pub(super) within: Within<'a>,
    /// What is kept until the segment is done.
    kept: RefCell<Vec<Held<'a>>>,
    offsets: RefCell<OffsetsByPair>,
    answered: RefCell<Answered>,
}

/// From the first row of a set to behind its last.
pub(super) fn bounds(rows: &RowSet) -> Range<u32> {
    let words = rows.words();
    let Some(first) = words.iter().position(|w| *w != 0) else { return 0..0 };
    let last = words.iter().rposition(|w| *w != 0).unwrap_or(first);
    let bit = |place: usize, low: bool| {
        let word = words.get(place).copied().unwrap_or(0);
        let within = if low { word.trailing_zeros() } else { 63 - word.leading_zeros() };
        u32::try_from(place).unwrap_or(u32::MAX).saturating_mul(64).saturating_add(within)
    };
    bit(first, true)..bit(last, false) + 1
}

pub(super) fn is_full(rows: &RowSet) -> bool {
    rows.count() == u64::from(rows.len_rows())
}

/// Calls `visit` with every row of a set, in rising order.
pub(super) fn each_row(rows: &RowSet, mut visit: impl FnMut(u32)) {
    for (first, &word) in (0u32..).step_by(64).zip(rows.words()) {
        if word == u64::MAX {
            (first..first + 64).for_each(&mut visit);
            continue;
        }
        let mut rest = word;
        while rest != 0 {
            visit(first + rest.trailing_zeros());
            rest &= rest - 1;
        }
    }
}

/// The rows of `span` for which `keep` says so, in a table of `len` rows.
pub(super) fn gather(len: u32, span: Range<u32>, mut keep: impl FnMut(u32) -> bool) -> RowSet {
    let mut found = RowSet::none(len);
    let words = found.words_mut();
    let mut row = span.start;
    while row < span.end {
        let place = row / 64;
        let end = span.end.min((place + 1).saturating_mul(64));
        let mut word = 0u64;
        for bit in row..end {
            word |= u64::from(keep(bit)) << (bit % 64);
        }
        if let Some(slot) = words.get_mut(place as usize) {
            *slot |= word;
        }
        row = end;
    }
    found
}

impl<'a> Scan<'a> {
    pub(crate) fn new(segment: &'a Segment, schema: &'a Schema, within: Within<'a>) -> Self {
        let (offsets, answered) = (RefCell::default(), RefCell::default());
        let (Within { limits, run, .. }, kept) = (within, RefCell::default());
        Self { segment, schema, limits, run, within, kept, offsets, answered }
    }

    /// Announces bytes that are kept until the segment is done.
    pub(super) fn keep(&self, bytes: u64) -> Result<()> {
        self.kept.borrow_mut().push(self.run.hold(bytes)?);
        Ok(())
    }

    /// The rows of a column that satisfy a predicate.
    pub(super) fn filtered(
        &self,
        table: usize,
        column: usize,
        predicate: &Predicate,
    ) -> Result<Rc<RowSet>> {
        let same =
            |(t, c, p): &(usize, usize, Predicate)| (*t, *c) == (table, column) && p == predicate;
        if let Some((_, found)) = self.answered.borrow().iter().find(|(key, _)| same(key)) {
            if let Some(probe) = self.within.probe {
                probe.kept();
            }
            return Ok(Rc::clone(found));
        }
        self.run.check()?;
        self.keep(set_bytes(self.segment.rows(table)))?;
        let found = match self.limits.indexes {
            true => self.segment.column(table, column)?.filter(predicate)?,
            false => self.read_through(table, column, predicate)?,
        };
        let found = Rc::new(found);
        let mut answered = self.answered.borrow_mut();
        // A long list of texts would be copied for every segment, and compared with all others.
        let is_long = matches!(predicate, Predicate::TextIn(list) if list.len() > TEXTS_MAX);
        if answered.len() < ANSWERED_MAX && !is_long {
            answered.push(((table, column, predicate.clone()), Rc::clone(&found)));
        }
        Ok(found)
    }

    /// The rows of a column whose value is known.
    pub(super) fn known(&self, table: usize, column: usize) -> Result<Rc<RowSet>> {
        self.filtered(table, column, &Predicate::Known)
    }

    fn parent(&self, table: usize) -> Option<usize> {
        self.schema.tables.get(table).and_then(|t| t.parent)
    }

    /// The tables from the one beneath `above` down to `table`.
    fn descent(&self, above: usize, table: usize) -> Vec<usize> {
        let mut steps = Vec::new();
        let mut at = table;
        while at != above {
            steps.push(at);
            match self.parent(at) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        steps.reverse();
        steps
    }

    /// Where the rows of `table` beneath each row of `above` begin; one entry more than rows.
    pub(super) fn offsets(&self, above: usize, table: usize) -> Result<Rc<[u32]>> {
        if let Some(found) = self.offsets.borrow().get(&(above, table)) {
            return Ok(Rc::clone(found));
        }
        self.keep(u64::from(self.segment.rows(above)).saturating_mul(OFFSET_BYTES))?;
        let mut composed: Option<Rc<[u32]>> = None;
        for step in self.descent(above, table) {
            let next = self.segment.offsets(step)?;
            composed = Some(match composed {
                None => Rc::from(next),
                Some(before) => {
                    let place = |o: &u32| next.get(*o as usize).copied().unwrap_or(0);
                    before.iter().map(place).collect()
                }
            });
        }
        let found = composed.unwrap_or_default();
        self.offsets.borrow_mut().insert((above, table), Rc::clone(&found));
        Ok(found)
    }

    /// The rows of `above` with any row of `table` beneath them in the set. Of every row: every
    /// row above, with or without rows beneath.
    pub(super) fn lift(&self, rows: &RowSet, table: usize, above: usize) -> Result<RowSet> {
        if table != above && is_full(rows) {
            return Ok(RowSet::all(self.segment.rows(above)));
        }
        self.lift_some(rows, table, above)
    }

    /// As [`Scan::lift`], but a row above without rows beneath is never in it.
    pub(super) fn lift_some(&self, rows: &RowSet, table: usize, above: usize) -> Result<RowSet> {
        let mut found = rows.clone();
        for step in self.descent(above, table).into_iter().rev() {
            found = self.segment.lift_any(step, &found)?;
        }
        Ok(found)
    }

    /// From the root row above the first row of a set to behind that above the last.
    pub(super) fn bounds_above(&self, rows: &RowSet, table: usize) -> Result<Range<u32>> {
        let span = bounds(rows);
        if table == 0 || span.is_empty() {
            return Ok(span);
        }
        let offsets = self.offsets(0, table)?;
        let above = |row: u32| {
            let place = offsets.partition_point(|start| *start <= row).saturating_sub(1);
            u32::try_from(place).unwrap_or(u32::MAX)
        };
        Ok(above(span.start)..above(span.end - 1).saturating_add(1))
    }

    /// The rows of `table` beneath a row of the set.
    pub(super) fn spread(&self, rows: &RowSet, above: usize, table: usize) -> Result<RowSet> {
        if is_full(rows) {
            return Ok(RowSet::all(self.segment.rows(table)));
        }
        let mut found = rows.clone();
        for step in self.descent(above, table) {
            found = self.segment.spread(step, &found)?;
        }
        Ok(found)
    }
}
