//! Running a plan: every segment by itself, then the partials joined in the order of segments.
//!
//! Invariant: the answer is the same for any number of threads and any spread of the rows over
//! segments: partials are exact, and everything is sorted at the end.

mod aggregate;
mod columns;
mod exact_sum;
mod finish;
mod fold;
mod keys;
mod logic;
mod pairs;
mod scan;
#[cfg(test)]
mod scope_tests;
mod subjects;
#[cfg(test)]
mod tests;
mod vector;

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use yiku::{RowSet, Segment, Snapshot};

use crate::answer::Answer;
use crate::check::Combine;
use crate::error::{Error, Result};
use crate::plan::{Limits, Plan};
use aggregate::Column;
use keys::{Cell, Groups};
use scan::Scan;
pub(crate) use subjects::{Selection, Subject, subjects};

/// The groups of one set of rows of the answer, with their aggregates.
struct Grouped {
    keys: Vec<Vec<Cell>>,
    columns: Vec<Column>,
}

/// What one segment contributes.
struct Part {
    matched: u64,
    levels: Vec<Grouped>,
}

/// The groups of all segments so far.
struct Joined {
    places: HashMap<Vec<Cell>, usize>,
    grouped: Grouped,
}

impl Plan {
    /// Answers the question from the snapshot the plan was made from.
    ///
    /// # Errors
    /// [`Error::Limit`] on too many groups, [`Error::Overflow`] on a number beyond 64 bits,
    /// [`Error::Stopped`] when the caller asked to stop, [`Error::Stale`] on another version,
    /// [`Error::Engine`] when the database cannot be read.
    pub fn run(&self, snapshot: &Snapshot, limits: &Limits) -> Result<Answer> {
        self.fits(snapshot)?;
        limits.check()?;
        let levels = self.levels();
        let mut joined: Vec<Joined> = levels.iter().map(|_| self.nothing()).collect();
        let mut matched = 0;
        for part in self.parts(snapshot, limits)? {
            matched += part.matched;
            for (joined, grouped) in joined.iter_mut().zip(part.levels) {
                joined.join(&grouped, limits)?;
            }
        }
        for (joined, level) in joined.iter_mut().zip(&levels) {
            if *level == self.groups.len() {
                joined.place(&[]);
            }
        }
        let grouped: Vec<Grouped> = joined.into_iter().map(|j| j.grouped).collect();
        self.finish(snapshot, &levels, &grouped, matched)
    }

    fn nothing(&self) -> Joined {
        let column = |a: &crate::check::Aggregate| Column::new(a.combine, 0);
        let columns = self.aggregates.iter().map(column).collect();
        Joined { places: HashMap::new(), grouped: Grouped { keys: Vec::new(), columns } }
    }

    /// The partials of all segments, in their order.
    fn parts(&self, snapshot: &Snapshot, limits: &Limits) -> Result<Vec<Part>> {
        segments(snapshot, limits, |segment| self.part(segment, snapshot, limits))
    }

    /// The live rows of a segment that may be asked about.
    fn visible(&self, scan: &Scan<'_>, segment: &Segment) -> Result<RowSet> {
        let rows = segment.live(self.table)?;
        match &self.scope {
            Some(scope) => scan.rows(scope.condition(), true, &rows),
            None => Ok(rows),
        }
    }

    /// The rows of a segment that satisfy the filter.
    fn matching(&self, scan: &Scan<'_>, segment: &Segment) -> Result<RowSet> {
        let mut rows = self.visible(scan, segment)?;
        for (_, condition) in &self.filter {
            rows = scan.rows(condition, true, &rows)?;
            if rows.is_empty() {
                break;
            }
        }
        Ok(rows)
    }

    /// The live rows for which all of these conditions are true, and how many segments have any.
    pub(crate) fn count(
        &self,
        snapshot: &Snapshot,
        conditions: &[crate::bound::Condition],
        limits: &Limits,
    ) -> Result<(u64, usize)> {
        let (mut count, mut segments) = (0, 0);
        for segment in snapshot.segments() {
            let scan = Scan::new(segment, &self.schema, limits);
            let mut rows = self.visible(&scan, segment)?;
            for condition in conditions {
                rows = scan.rows(condition, true, &rows)?;
            }
            count += rows.count();
            segments += usize::from(!rows.is_empty());
        }
        Ok((count, segments))
    }

    fn part(&self, segment: &Segment, snapshot: &Snapshot, limits: &Limits) -> Result<Part> {
        limits.check()?;
        let scan = Scan::new(segment, &self.schema, limits);
        let rows = self.matching(&scan, segment)?;
        let matched = rows.count();
        if matched == 0 {
            return Ok(Part { matched, levels: Vec::new() });
        }
        let groups = scan.groups(&self.groups, self.table, snapshot.tree(), &rows)?;
        let mut own = Vec::with_capacity(self.aggregates.len());
        for aggregate in &self.aggregates {
            own.push(if aggregate.adds_up() {
                scan.aggregate(aggregate, self.table, &rows, &groups)?
            } else {
                Column::Counts(Vec::new())
            });
        }
        let mut levels = Vec::new();
        for level in self.levels() {
            levels.push(self.level(&scan, &rows, &groups, &own, level)?);
        }
        Ok(Part { matched, levels })
    }

    /// The groups of the segment with the last `level` keys left out.
    fn level(
        &self,
        scan: &Scan<'_>,
        rows: &RowSet,
        groups: &Groups,
        own: &[Column],
        level: usize,
    ) -> Result<Grouped> {
        let kept = self.groups.len().saturating_sub(level);
        let mut keys: Vec<Vec<Cell>> = Vec::new();
        let mut places: HashMap<&[Cell], u32> = HashMap::new();
        let mut coarser: Vec<u32> = Vec::with_capacity(groups.keys.len());
        for key in &groups.keys {
            let head = key.get(..kept).unwrap_or(key);
            coarser.push(*places.entry(head).or_insert_with(|| {
                keys.push(head.to_vec());
                u32::try_from(keys.len() - 1).unwrap_or(u32::MAX)
            }));
        }
        let mut columns = Vec::with_capacity(self.aggregates.len());
        for (aggregate, own) in self.aggregates.iter().zip(own) {
            if let Combine::DistinctRows(above) = aggregate.combine {
                let tables = (self.table, above);
                let coarser = (coarser.as_slice(), keys.len());
                columns.push(scan.distinct_rows(aggregate, tables, rows, groups, coarser)?);
                continue;
            }
            let mut column = Column::new(aggregate.combine, keys.len());
            for (from, into) in coarser.iter().enumerate() {
                column.join(*into as usize, own, from);
            }
            columns.push(column);
        }
        Ok(Grouped { keys, columns })
    }
}

/// What `read` gives for every segment, in their order, by as many threads as allowed.
fn segments<T: Send>(
    snapshot: &Snapshot,
    limits: &Limits,
    read: impl Fn(&Segment) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let segments = snapshot.segments();
    let threads = limits.threads.clamp(1, segments.len().max(1));
    if threads == 1 {
        return segments.iter().map(read).collect();
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<T>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(segment) = segments.get(place) else { return };
                    let part = read(segment);
                    if part.is_err() {
                        // The others need not go on.
                        next.store(segments.len(), Ordering::Relaxed);
                    }
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((place, part));
                }
            });
        }
    });
    let mut parts = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    parts.sort_by_key(|(place, _)| *place);
    parts.into_iter().map(|(_, part)| part).collect()
}

impl Joined {
    /// The place of a group, new or old.
    fn place(&mut self, key: &[Cell]) -> usize {
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        let place = self.grouped.keys.len();
        self.grouped.keys.push(key.to_vec());
        self.places.insert(key.to_vec(), place);
        self.grouped.columns.iter_mut().for_each(Column::grow);
        place
    }

    fn join(&mut self, part: &Grouped, limits: &Limits) -> Result<()> {
        for (from, key) in part.keys.iter().enumerate() {
            let into = self.place(key);
            for (column, other) in self.grouped.columns.iter_mut().zip(&part.columns) {
                column.join(into, other, from);
            }
        }
        let found = self.grouped.keys.len();
        if found > limits.groups {
            let (found, limit) = (found as u64, limits.groups as u64);
            return Err(Error::Limit { what: "the number of groups", found, limit, place: None });
        }
        Ok(())
    }
}
