//! A piece of a segment being read: sets of rows, and the ways between the rows of one table and
//! those above or beneath them.
//!
//! A piece is a range of root rows with all that is beneath them, so that each table has a window.
//! Invariant: every set of a table that a scan makes or is given is of that table's window.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use yiku::kernel::{Held, Run};
use yiku::{Predicate, RowSet, Schema, Segment};

use super::totalled::Readings;
use crate::error::Result;
use crate::plan::{Limits, Within};

/// What a column answered to a predicate, by table and place of the column.
type Answered = Vec<((usize, usize, Predicate), Rc<RowSet>)>;

/// Answers of columns that are kept for a question: its measures often ask the same again.
const ANSWERED_MAX: usize = 64;

/// Texts of a list whose answer is kept.
const TEXTS_MAX: usize = 64;

/// Bytes of a set of rows of a table with so many.
pub(super) fn set_bytes(rows: u32) -> u64 {
    u64::from(rows).div_ceil(64) * 8
}

/// A piece of a segment being read.
pub(crate) struct Scan<'a> {
    pub(super) segment: &'a Segment,
    pub(super) schema: &'a Schema,
    pub(super) limits: &'a Limits,
    pub(super) run: &'a Run<'a>,
    pub(super) within: Within<'a>,
    /// What is kept until the segment is done.
    kept: RefCell<Vec<Held<'a>>>,
    /// The rows of each table that are read.
    windows: Vec<Range<u32>>,
    answered: RefCell<Answered>,
    /// What the piece before has left for this one.
    pub(super) readings: RefCell<Option<Box<Readings>>>,
}

/// From the first row of a set to behind its last, but from the row of the lowest bit of the word
/// of the first: lists of values begin where words do.
pub(super) fn bounds(rows: &RowSet) -> Range<u32> {
    let (words, base) = (rows.words(), base(rows));
    let Some(first) = words.iter().position(|w| *w != 0) else { return 0..0 };
    let last = words.iter().rposition(|w| *w != 0).unwrap_or(first);
    let leading = words.get(last).copied().unwrap_or(0).leading_zeros();
    let bit = |place: usize| {
        base.saturating_add(u32::try_from(place).unwrap_or(u32::MAX).saturating_mul(64))
    };
    bit(first)..bit(last) + 64 - leading
}

/// The row of the lowest bit of a set.
pub(super) fn base(rows: &RowSet) -> u32 {
    let start = rows.window().start;
    start - start % 64
}

/// Calls `visit` with every row of a set, in rising order.
pub(super) fn each_row(rows: &RowSet, mut visit: impl FnMut(u32)) {
    for (first, &word) in (base(rows)..).step_by(64).zip(rows.words()) {
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

impl<'a> Scan<'a> {
    /// All of a segment.
    pub(crate) fn new(segment: &'a Segment, schema: &'a Schema, within: Within<'a>) -> Self {
        let windows = (0..schema.tables.len()).map(|table| 0..segment.rows(table)).collect();
        Self::of(segment, schema, within, windows)
    }

    /// The rows of each table that lie in its window.
    pub(crate) fn of(
        segment: &'a Segment,
        schema: &'a Schema,
        within: Within<'a>,
        windows: Vec<Range<u32>>,
    ) -> Self {
        let Within { limits, run, .. } = within;
        let (kept, answered) = (RefCell::default(), RefCell::default());
        let readings = RefCell::default();
        Self { segment, schema, limits, run, within, kept, windows, answered, readings }
    }

    /// The rows of a table that are read.
    pub(crate) fn window(&self, table: usize) -> Range<u32> {
        self.windows.get(table).cloned().unwrap_or(0..0)
    }

    /// No row of a table.
    pub(super) fn none(&self, table: usize) -> RowSet {
        RowSet::none_in(self.window(table))
    }

    /// Every row of a table.
    fn all(&self, table: usize) -> RowSet {
        RowSet::all_in(self.window(table))
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
        let window = self.window(table);
        self.keep(set_bytes(window.end - window.start))?;
        let found = match self.limits.indexes {
            true => self.segment.column(table, column)?.filter_in(predicate, window)?,
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

    /// The rows among `rows` that satisfy a predicate of a column.
    pub(super) fn kept_of(
        &self,
        table: usize,
        column: usize,
        predicate: &Predicate,
        rows: &RowSet,
    ) -> Result<RowSet> {
        let mut kept = rows.clone();
        // Whoever looks on is told what one part of a question has from another.
        if self.limits.indexes && self.within.probe.is_none() {
            self.segment.column(table, column)?.keep_in(predicate, &mut kept)?;
        } else {
            kept.and(&*self.filtered(table, column, predicate)?);
        }
        Ok(kept)
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

    /// Where the rows of `table` beneath each row of `above` begin; one entry more than rows of
    /// the segment.
    pub(super) fn offsets(&self, above: usize, table: usize) -> Result<&'a [u32]> {
        Ok(self.segment.offsets_between(above, table)?)
    }

    /// The rows of `above` with any row of `table` beneath them in the set. Of every row: every
    /// row above, with or without rows beneath.
    pub(super) fn lift(&self, rows: &RowSet, table: usize, above: usize) -> Result<RowSet> {
        if table != above && rows.is_full() {
            return Ok(self.all(above));
        }
        self.lift_some(rows, table, above)
    }

    /// As [`Scan::lift`], but a row above without rows beneath is never in it.
    pub(super) fn lift_some(&self, rows: &RowSet, table: usize, above: usize) -> Result<RowSet> {
        let mut found: Option<RowSet> = None;
        for step in self.descent(above, table).into_iter().rev() {
            let above = self.window(self.parent(step).unwrap_or(0));
            found = Some(self.segment.lift_any_in(step, found.as_ref().unwrap_or(rows), above)?);
        }
        Ok(found.unwrap_or_else(|| rows.clone()))
    }

    /// The rows of `table` beneath a row of the set.
    pub(super) fn spread(&self, rows: &RowSet, above: usize, table: usize) -> Result<RowSet> {
        if rows.is_full() {
            return Ok(self.all(table));
        }
        let mut found: Option<RowSet> = None;
        for step in self.descent(above, table) {
            let own = found.as_ref().unwrap_or(rows);
            found = Some(self.segment.spread_in(step, own, self.window(step))?);
        }
        Ok(found.unwrap_or_else(|| rows.clone()))
    }
}
