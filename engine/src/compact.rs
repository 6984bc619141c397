//! Segments in path order and few: what commits left scattered is written together again.
//!
//! A step takes root rows in the order of path and key, at most a segment of them, from all
//! segments that have some there, and writes them as one segment. The work is done beside readers
//! and writers; only the exchange of segments happens alone, and what was replaced meanwhile
//! leaves the new segment as it left the old ones.
//!
//! Invariants: no answer and no version changes; stopped at any point, nothing happened.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::checkpoint;
use crate::database::Database;
use crate::error::Result;
use crate::gather::{self, Pick};
use crate::limits::SEGMENT_ROWS_MAX;
use crate::segment::{RootWalk, Segment, merge};
use crate::version::{Kept, Version};

/// How far compaction goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compaction {
    /// What pays: small segments when there are many of a size, a large one when what it has lost
    /// and what lies scattered beside it are a third of it.
    Steady,
    /// Until every row lies in order and nothing replaced is left.
    Whole,
}

/// So many segments of a size become one.
const TIER: usize = 8;
/// A segment with fewer rows than one in so many of the most is small.
const SMALL: u32 = 8;
/// What was lost and what is scattered, in parts of what lives, from which a segment is written
/// anew.
const DEBT: u64 = 3;

/// A step that is to be done: the segments, and the paths.
#[derive(Debug)]
struct Step {
    /// Places of segments.
    sources: Vec<usize>,
    low: u64,
    high: u64,
}

impl Database {
    /// Compacts until nothing is left to do; how many steps that took. Between steps, and before
    /// the exchange of each, `stop` is asked; a step that is stopped did nothing. Callers may
    /// wait in it for as long as others need the machine.
    ///
    /// # Errors
    /// [`crate::Error::Locked`] while another process writes, [`crate::Error::Corrupt`],
    /// [`crate::Error::Io`].
    pub fn compact(&self, how: Compaction, stop: &dyn Fn() -> bool) -> Result<u64> {
        let _share = self.shared.right_to_write()?;
        // Who compacts at the same time waits, and finds the work done.
        let _alone = self.shared.compacting.lock();
        if how == Compaction::Whole {
            self.change(|shared, tail| {
                let young = tail.version.kept.iter().any(|kept| !kept.file);
                young.then(|| checkpoint::write(shared, &tail.version, false)).transpose()
            })?;
        }
        let mut steps = 0;
        while !stop() {
            let version = self.shared.newest()?;
            let Some(step) = plan(&version, how)? else { break };
            // One that was not done was stopped, or its segments went meanwhile: then there is
            // another.
            steps += u64::from(self.step(&version, &step, stop)?);
        }
        Ok(steps)
    }

    /// Does a step; whether it was done.
    fn step(&self, version: &Arc<Version>, step: &Step, stop: &dyn Fn() -> bool) -> Result<bool> {
        let shared = &*self.shared;
        let sources: Vec<Segment> =
            step.sources.iter().filter_map(|at| version.segments.get(*at).cloned()).collect();
        let picks = first_rows(&sources, step.low, step.high)?;
        if let (true, Some(first)) = (picks.is_empty(), sources.first()) {
            // There are live rows from one of the paths to the other, or no step would be planned.
            return Err(first.file.corrupt(None, "the root rows do not stand by path and key"));
        }
        let bytes = merge(&version.schema, &sources, &picks)?;
        if stop() {
            return Ok(false);
        }
        let number = shared.number()?;
        let done = (|| {
            shared.spill(number, &bytes)?;
            let file = shared.file(number, &version.schema)?;
            let output = Segment::whole(file, version.number());
            let numbers: Vec<u64> =
                step.sources.iter().filter_map(|at| version.kept.get(*at)).map(number_of).collect();
            let mut done = false;
            self.change(|shared, tail| {
                let exchanged = exchange(&tail.version, &numbers, &picks, number, output)?;
                let Some(next) = exchanged else { return Ok(None) };
                done = true;
                checkpoint::write(shared, &next, tail.log.is_some()).map(Some)
            })?;
            Ok(done)
        })();
        shared.spilled.lock().remove(&number);
        if !matches!(done, Ok(true)) {
            shared.forget(number);
        }
        done
    }
}

fn number_of(kept: &Kept) -> u64 {
    kept.number
}

/// The version with rows of several segments in one; none where a segment is not there any more.
fn exchange(
    version: &Version,
    numbers: &[u64],
    picks: &[Pick],
    number: u64,
    output: Segment,
) -> Result<Option<Version>> {
    let mut next = version.clone();
    let mut taken: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    picks.iter().for_each(|(source, row)| taken.entry(*source).or_default().push(*row));
    let mut places = Vec::with_capacity(numbers.len());
    for wanted in numbers {
        let Some(place) = next.kept.iter().position(|kept| kept.number == *wanted) else {
            return Ok(None);
        };
        places.push(place);
    }
    // What was replaced or removed since the rows were read.
    let mut gone = Vec::new();
    for (row, (source, from)) in (0u32..).zip(picks) {
        let place = places.get(*source as usize).and_then(|place| version.segments.get(*place));
        if !place.is_some_and(|segment| segment.root_lives(*from)) {
            gone.push(row);
        }
    }
    for (source, mut rows) in taken {
        rows.sort_unstable();
        if let Some(place) = places.get(source as usize) {
            next.take_out(*place, &rows)?;
        }
    }
    let output = output.without(&gone)?;
    next.add(number, true, output)?;
    Ok(Some(next))
}

/// The first root rows of segments between two paths, by path and key, as many as fit a segment.
fn first_rows(sources: &[Segment], low: u64, high: u64) -> Result<Vec<Pick>> {
    let mut walks = Vec::with_capacity(sources.len());
    for segment in sources {
        walks.push(RootWalk::new(segment, low, high)?);
    }
    let mut picks = Vec::new();
    let mut held: Vec<u64> = Vec::new();
    loop {
        let mut least: Option<(i64, &str, usize, u32)> = None;
        for (place, walk) in walks.iter().enumerate() {
            if let Some((path, key, row)) = walk.at()
                && least.is_none_or(|(p, k, ..)| (path, key) < (p, k))
            {
                least = Some((path, key, place, row));
            }
        }
        let Some((_, _, place, row)) = least else { break };
        let Some(source) = sources.get(place) else { break };
        let size = gather::bundle_size(source, row)?;
        held.resize(size.len(), 0);
        let over = |(held, own): (&u64, &u32)| held + u64::from(*own) > u64::from(SEGMENT_ROWS_MAX);
        if held.iter().zip(&size).any(over) {
            break;
        }
        held.iter_mut().zip(&size).for_each(|(held, own)| *held += u64::from(*own));
        picks.push((u32::try_from(place).unwrap_or(u32::MAX), row));
        if let Some(walk) = walks.get_mut(place) {
            walk.step()?;
        }
    }
    Ok(picks)
}

/// What is known of a segment without walking it.
#[derive(Debug, Clone)]
struct Shape {
    place: usize,
    /// The paths of its first and last live root row.
    low: u64,
    high: u64,
    /// Live rows of its largest table.
    live: u64,
    /// Rows that do not live of the table that lost most.
    dead: u64,
}

fn shapes(version: &Version) -> Result<Vec<Shape>> {
    let mut found = Vec::new();
    for (place, (segment, kept)) in version.segments.iter().zip(&version.kept).enumerate() {
        if !kept.file {
            continue;
        }
        let Some(((_, low), (_, high))) = segment.root_ends()? else { continue };
        let tables = (0..version.schema.tables.len()).map(|table| {
            let live = kept.rows.get(table).copied().unwrap_or(0);
            (u64::from(segment.rows(table)), u64::from(live))
        });
        let dead = tables.clone().map(|(rows, live)| rows.saturating_sub(live)).max().unwrap_or(0);
        let live = tables.map(|(_, live)| live).max().unwrap_or(0);
        found.push(Shape { place, low, high, live, dead });
    }
    Ok(found)
}

/// What is to be done next.
fn plan(version: &Version, how: Compaction) -> Result<Option<Step>> {
    let shapes = shapes(version)?;
    match how {
        Compaction::Whole => whole(version, shapes),
        Compaction::Steady => steady(version, &shapes),
    }
}

/// The key of a root row that lies first or last among the live ones.
fn end_key(version: &Version, shape: &Shape, last: bool) -> Result<String> {
    let Some(segment) = version.segments.get(shape.place) else { return Ok(String::new()) };
    let Some((first, behind)) = segment.root_ends()? else { return Ok(String::new()) };
    let (row, _) = if last { behind } else { first };
    let key = version.schema.tables.first().map_or(0, |table| table.key);
    let mut found = String::new();
    segment.column(0, key)?.texts(row..row.saturating_add(1), &mut |_, text| {
        found = text.unwrap_or_default().to_owned();
    })?;
    Ok(found)
}

/// The first group of segments that lie across each other, have lost rows, or would fit one.
fn whole(version: &Version, mut shapes: Vec<Shape>) -> Result<Option<Step>> {
    shapes.sort_by_key(|shape| (shape.low, shape.high, shape.place));
    let mut group: Vec<Shape> = Vec::new();
    let mut high = 0;
    for shape in shapes {
        let Some(last) = group.iter().max_by_key(|shape| shape.high) else {
            high = shape.high;
            group.push(shape);
            continue;
        };
        let across = shape.low < high
            || shape.low == high
                && end_key(version, &shape, false)? < end_key(version, last, true)?;
        let most = u64::from(SEGMENT_ROWS_MAX);
        let rows: u64 = group.iter().map(|shape| shape.live).sum();
        if !across && rows + shape.live > most {
            if let Some(step) = rewrite(&group) {
                return Ok(Some(step));
            }
            group.clear();
            high = 0;
        }
        high = high.max(shape.high);
        group.push(shape);
    }
    Ok(rewrite(&group))
}

/// The step that writes the first rows of a group anew; none where it is one whole segment.
fn rewrite(group: &[Shape]) -> Option<Step> {
    if group.is_empty() || matches!(group, [only] if only.dead == 0) {
        return None;
    }
    let low = group.iter().map(|shape| shape.low).min()?;
    let high = group.iter().map(|shape| shape.high).max()?;
    let sources = group.iter().map(|shape| shape.place).collect();
    Some(Step { sources, low, high })
}

/// What pays most, if anything does.
fn steady(version: &Version, shapes: &[Shape]) -> Result<Option<Step>> {
    let small = u64::from(SEGMENT_ROWS_MAX / SMALL);
    let mut tiers: BTreeMap<u32, Vec<&Shape>> = BTreeMap::new();
    for shape in shapes.iter().filter(|shape| shape.live < small) {
        tiers.entry(shape.live.max(1).ilog2() / 3).or_default().push(shape);
    }
    if let Some(tier) = tiers.values().find(|tier| tier.len() >= TIER) {
        let mut rows = 0;
        let fit = tier.iter().take_while(|shape| {
            rows += shape.live;
            rows <= u64::from(SEGMENT_ROWS_MAX)
        });
        let fit: Vec<Shape> = fit.map(|shape| (*shape).clone()).collect();
        return Ok(rewrite(&fit));
    }
    let mut most: Option<(u64, Step)> = None;
    for base in shapes.iter().filter(|shape| shape.live >= small) {
        let (low, high) = (base.low, base.high);
        let mut debt = base.dead;
        let mut sources = vec![base.place];
        for other in shapes.iter().filter(|other| other.place != base.place) {
            // Neighbours may share the place at which one ends and the next begins.
            let beside = other.low >= base.high || other.high <= base.low;
            let Some(segment) = version.segments.get(other.place) else { continue };
            if beside && other.live >= small {
                continue;
            }
            let rows = segment.path_rows(low, high)?;
            let rows = segment.live(0)?.count_range(rows);
            if rows > 0 {
                let roots = u64::from(segment.rows(0)).max(1);
                debt += rows * (other.live + other.dead) / roots;
                sources.push(other.place);
            }
        }
        let share = debt * DEBT * 1_000 / base.live.max(1);
        if share >= 1_000 && most.as_ref().is_none_or(|(before, _)| share > *before) {
            most = Some((share, Step { sources, low, high }));
        }
    }
    Ok(most.map(|(_, step)| step))
}
