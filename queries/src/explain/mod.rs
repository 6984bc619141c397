//! How a question is answered: it is run once, and every step of the run is told.
//!
//! Invariants: the rows of a step are those that it met and left in this run; bytes, blocks and
//! estimates of zone maps, which are of all rows of a segment, are not told of a question that is
//! bound to a place; the same question on the same version does the same, but for the time.

mod estimate;
mod outline;
mod parts;
pub(crate) mod probe;
#[cfg(test)]
mod tests;
mod text;
mod words;

use std::collections::BTreeSet;

use serde::Serialize;
use yiku::Snapshot;

use crate::answer::Answer;
use crate::error::Result;
use crate::plan::{Limits, Plan};
use outline::Outline;
use probe::Probe;

/// How a question was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// Rows of the table that the filter left.
    pub matched: u64,
    /// Rows of the answer.
    pub rows: usize,
    /// Segments of the version.
    pub segments: usize,
    /// Bytes of all frames that the steps read, each step by itself; none within a place.
    pub bytes: Option<u64>,
    /// Those of frames that an earlier step had read.
    pub bytes_again: Option<u64>,
    /// Time of the whole run.
    pub nanoseconds: u64,
    /// The steps, in the order in which they are answered.
    pub steps: Vec<Step>,
}

/// One step of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it is about: a clause in canonical text, or a part of one in words.
    pub clause: String,
    /// What serves it: `path range`, `index`, `zone map`, `scan`, `values`, a lift, a spread.
    pub by: String,
    /// The table whose rows are counted; none where they are groups.
    pub table: Option<String>,
    /// Rows, or groups, that came in; none where nothing was asked of it.
    pub rows_in: Option<u64>,
    /// Rows that were expected to be left, where something is known before reading.
    pub estimated: Option<u64>,
    /// Rows, or groups, that were left.
    pub rows: Option<u64>,
    /// Bytes of the frames that were read for it and its parts; none within a place.
    pub bytes: Option<u64>,
    /// Those of them that an earlier step had read.
    pub bytes_again: Option<u64>,
    /// Of the columns that it reads itself; none without any, and within a place.
    pub blocks: Option<Blocks>,
    /// Segments that were asked, and in which rows were left; none for groups.
    pub segments: Option<Segments>,
    /// Time, that of its parts in it.
    pub nanoseconds: u64,
    /// The steps that it is made of.
    pub parts: Vec<Step>,
}

/// What became of the blocks of some columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Blocks {
    /// All of them, in all segments.
    pub of: u64,
    /// Those that were read.
    pub read: u64,
    /// Those whose zone map says all.
    pub by_zone_map: u64,
    /// Those that the search of the sorted path did not come by.
    pub by_path: u64,
    /// Those in which no row was left to ask about.
    pub without_rows: u64,
    /// Those of which an earlier step had found out the same.
    pub kept: u64,
}

/// What became of the segments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Segments {
    /// Those in which some row was asked about.
    pub asked: usize,
    /// Those in which rows were left.
    pub left: usize,
}

impl Plan {
    /// Answers the question once and tells how, step by step. `clock` gives nanoseconds since any
    /// moment. One thread does it, so that the times add up.
    ///
    /// # Errors
    /// As [`Plan::run`].
    pub fn explain(
        &self,
        snapshot: &Snapshot,
        limits: &Limits,
        clock: &(dyn Fn() -> u64 + Sync),
    ) -> Result<Explained> {
        self.fits(snapshot)?;
        let limits = Limits { threads: 1, ..limits.clone() };
        let snapshots = outline::snapshots(self, snapshot);
        let outline = Outline::new(self, &snapshots)?;
        let bytes = self.declared(snapshot, &limits);
        let estimates = limits
            .within(bytes, |within| estimate::estimates(self, &snapshots, &outline, within))?;
        let probe = Probe::new(clock, &snapshots, &outline);
        let since = clock();
        let answer = limits.watched(&probe, bytes, |within| self.run_within(snapshot, within))?;
        let nanoseconds = clock().saturating_sub(since);
        let counted = probe.done();
        let told = Telling { plan: self, snapshots, outline: &outline, estimates, counted };
        Ok(told.whole(&answer, nanoseconds))
    }

    /// The columns that the question reads, by table and place. Whoever may not see a column is
    /// refused before a row is read.
    ///
    /// # Errors
    /// As [`Plan::run`].
    pub fn columns(&self) -> Result<BTreeSet<(usize, usize)>> {
        let outline = Outline::new(self, &[])?;
        Ok(outline.stages.into_iter().flat_map(|stage| stage.columns).collect())
    }
}

/// What was planned, expected and done.
struct Telling<'a> {
    plan: &'a Plan,
    snapshots: Vec<&'a Snapshot>,
    outline: &'a Outline,
    estimates: Vec<Option<u64>>,
    counted: Vec<probe::Counted>,
}

impl Telling<'_> {
    fn whole(&self, answer: &Answer, nanoseconds: u64) -> Explained {
        let steps: Vec<Step> =
            self.outline.tops.iter().filter_map(|stage| self.step(*stage)).collect();
        let sum = |of: fn(&Step) -> Option<u64>| steps.iter().map(of).sum::<Option<u64>>();
        Explained {
            matched: answer.matched,
            rows: answer.rows,
            segments: self.snapshots.first().map_or(0, |own| own.segments().len()),
            bytes: sum(|step| step.bytes),
            bytes_again: sum(|step| step.bytes_again),
            nanoseconds,
            steps,
        }
    }

    fn step(&self, place: usize) -> Option<Step> {
        let (stage, counted) = (self.outline.stages.get(place)?, self.counted.get(place)?);
        let parts: Vec<Step> = stage.parts.iter().filter_map(|part| self.step(*part)).collect();
        let hidden = self.plan.scope.is_some();
        let with = |own: u64, of: fn(&Step) -> Option<u64>| {
            let parts: u64 = parts.iter().filter_map(of).sum();
            (!hidden).then_some(own + parts)
        };
        let segments = self.snapshots.get(stage.side).map_or(&[][..], |own| own.segments());
        let blocks = segments.iter().map(|segment| {
            let columns = stage.columns.iter().map(|(table, column)| {
                segment.column(*table, *column).map_or(0, |column| column.zone_maps().count())
            });
            columns.sum::<usize>() as u64
        });
        let blocks: u64 = blocks.sum();
        let (asked, left) = counted.segments();
        let table = stage.table.and_then(|table| self.plan.schema.tables.get(table));
        Some(Step {
            clause: stage.clause.clone(),
            by: stage.by.clone(),
            table: table.map(|table| table.name.clone()),
            rows_in: counted.ran.then_some(counted.rows_in),
            estimated: self.estimates.get(place).copied().flatten(),
            rows: counted.ran.then_some(counted.rows),
            bytes: with(counted.bytes, |step| step.bytes),
            bytes_again: with(counted.again, |step| step.bytes_again),
            blocks: (!hidden && !stage.columns.is_empty()).then(|| counted.blocks(blocks)),
            segments: stage.segmented.then_some(Segments { asked, left }),
            nanoseconds: counted.nanoseconds,
            parts,
        })
    }
}
