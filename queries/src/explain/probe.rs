//! What a question does while it runs, step by step: rows, bytes, blocks, time.
//!
//! Invariants: a question that is looked at runs on one thread, one segment after the other, and
//! gives the answer that it would give anyway; a frame that is read counts for the innermost step
//! that is open; what is read outside of all steps counts for none.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use yiku::segment::{Meter, Touched};
use yiku::{Segment, Snapshot};

use super::Blocks;
use super::outline::{Leaf, Outline};

/// A clock: nanoseconds since any moment.
pub(crate) type Clock<'a> = &'a (dyn Fn() -> u64 + Sync);

/// What a step does for the thing that it is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum About {
    Condition,
    Value,
    Group,
    Aggregate,
    /// A column of a list, shown, and the same to order by.
    Listed,
    Ordered,
    /// Of a plan: its live rows.
    From,
    /// Of a plan: the groups of all segments joined.
    Join,
    /// Of a plan: its measures computed, and `having`.
    Measures,
    /// Of a plan: the best within groups.
    Best,
    /// Of a plan: its rows ordered and cut.
    Cut,
    /// Of a plan: where the rows of a list stand.
    Places,
    /// Of a plan: moves, or pairs of conditions, counted.
    Count,
    /// Of a plan: the keys of its rows.
    Keys,
    /// A plan within a plan: a moment, an earlier day, what left.
    Whole,
}

/// A step is known by the part and the place in memory of what it is about, which stands still as
/// long as the plan runs.
pub(crate) type Key = (About, usize);

/// The key of a step.
pub(crate) fn key<T>(part: About, of: &T) -> Key {
    (part, std::ptr::from_ref(of).addr())
}

/// What became of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// No row of it was asked about.
    Rows,
    /// Searching the sorted path did not come by.
    Path,
    /// Its zone map says all.
    Zone,
    /// An earlier step has answered the same.
    Kept,
    Read,
}

/// What a step did.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Segments in which it was asked about some row, and those in which it left any.
    asked: BTreeSet<usize>,
    left: BTreeSet<usize>,
    pub(super) ran: bool,
    pub(super) rows_in: u64,
    pub(super) rows: u64,
    pub(super) nanoseconds: u64,
    /// Bytes of the frames read, and those of them that an earlier step had read.
    pub(super) bytes: u64,
    pub(super) again: u64,
    touched: BTreeMap<usize, Touched>,
    /// By segment and leaf column.
    fates: BTreeMap<(usize, usize), Vec<Fate>>,
    kept: bool,
}

#[derive(Debug, Default)]
struct State {
    counted: Vec<Counted>,
    /// Steps that have begun, and when.
    open: Vec<(usize, u64)>,
    /// The place of the segment that is read.
    at: usize,
    /// What was read of each segment so far.
    read: Vec<Touched>,
}

/// Looks on while a question runs.
pub(crate) struct Probe<'a> {
    clock: Clock<'a>,
    /// The versions that are asked, and where their segments stand.
    versions: Vec<(u64, Range<usize>)>,
    segments: Vec<Segment>,
    meters: Vec<Arc<Meter>>,
    outline: &'a Outline,
    keys: &'a HashMap<Key, usize>,
    state: Mutex<State>,
}

impl std::fmt::Debug for Probe<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Probe").field("state", &self.state).finish_non_exhaustive()
    }
}

/// A step that has begun; it ends when this is dropped.
pub(crate) struct Open<'p> {
    probe: &'p Probe<'p>,
    stage: usize,
}

impl<'a> Probe<'a> {
    pub(super) fn new(clock: Clock<'a>, snapshots: &[&Snapshot], outline: &'a Outline) -> Self {
        let segments: Vec<&Segment> = snapshots.iter().flat_map(|s| s.segments()).collect();
        let meters: Vec<Arc<Meter>> = segments.iter().map(|_| Arc::default()).collect();
        let segments = segments.iter().zip(&meters).map(|(s, meter)| s.metered(meter)).collect();
        let mut versions: Vec<(u64, Range<usize>)> = Vec::new();
        for snapshot in snapshots {
            let start = versions.last().map_or(0, |(_, places)| places.end);
            versions.push((snapshot.version(), start..start + snapshot.segments().len()));
        }
        let mut state = State::default();
        state.counted.resize_with(outline.stages.len(), Counted::default);
        state.read.resize_with(meters.len(), Touched::default);
        let state = Mutex::new(state);
        Self { clock, versions, segments, meters, outline, keys: &outline.keys, state }
    }

    /// The segments of a snapshot, counting what is read of them.
    pub(crate) fn segments(&self, snapshot: &Snapshot) -> &[Segment] {
        let places = self.places(snapshot);
        self.segments.get(places).unwrap_or_default()
    }

    fn places(&self, snapshot: &Snapshot) -> Range<usize> {
        let own = self.versions.iter().find(|(version, _)| *version == snapshot.version());
        own.map_or(0..0, |(_, places)| places.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on to the segment at a place of a snapshot.
    pub(crate) fn begin(&self, snapshot: &Snapshot, place: usize) {
        let mut state = self.state();
        self.drain(&mut state);
        state.at = self.places(snapshot).start + place;
    }

    /// Begins a step, if there is one for this.
    pub(crate) fn open<T>(&self, part: About, of: &T) -> Option<Open<'_>> {
        let stage = *self.keys.get(&key(part, of))?;
        let mut state = self.state();
        self.drain(&mut state);
        let now = (self.clock)();
        state.open.push((stage, now));
        if let Some(counted) = state.counted.get_mut(stage) {
            counted.ran = true;
        }
        Some(Open { probe: self, stage })
    }

    /// Says that the step that is open is answered from what an earlier one has found.
    pub(crate) fn kept(&self) {
        let mut state = self.state();
        if let Some((stage, _)) = state.open.last().copied()
            && let Some(counted) = state.counted.get_mut(stage)
        {
            counted.kept = true;
        }
    }

    /// Counts what was read for the step that is open.
    fn drain(&self, state: &mut State) {
        let State { counted, open, at, read } = state;
        let Some(touched) = self.meters.get(*at).map(|meter| meter.take()) else { return };
        let stage = open.last().and_then(|(stage, _)| counted.get_mut(*stage));
        let (Some(counted), Some(read)) = (stage, read.get_mut(*at)) else { return };
        if touched.is_empty() {
            return;
        }
        let before = counted.touched.entry(*at).or_default();
        // A frame counts once for a step, and for the first step that reads it as new.
        let (own, new) = (before.add(&touched), read.add(&touched));
        counted.bytes += own;
        counted.again += own - new;
    }

    fn close(&self, stage: usize) {
        let mut state = self.state();
        self.drain(&mut state);
        let now = (self.clock)();
        let Some((_, since)) = state.open.pop() else { return };
        let at = state.at;
        let Some(counted) = state.counted.get_mut(stage) else { return };
        counted.nanoseconds += now.saturating_sub(since);
        let kept = std::mem::take(&mut counted.kept);
        if counted.asked.contains(&at) {
            self.fates(counted, stage, at, kept);
        }
    }

    /// What has become of the blocks of a segment in a step.
    fn fates(&self, counted: &mut Counted, stage: usize, at: usize, kept: bool) {
        let Some(stage) = self.outline.stages.get(stage) else { return };
        let nothing = Touched::default();
        let touched = counted.touched.get(&at).unwrap_or(&nothing);
        for (place, (table, column)) in stage.columns.iter().enumerate() {
            let segment = self.segments.get(at).map(|s| s.column(*table, *column));
            let Some(Ok(column)) = segment else { continue };
            let fate = |(map, read): (yiku::segment::ZoneMap, bool)| match stage.leaf {
                _ if read => Fate::Read,
                _ if kept => Fate::Kept,
                Leaf::Path => Fate::Path,
                Leaf::Predicate => Fate::Zone,
                Leaf::Values if map.known == 0 || map.min < map.max => Fate::Rows,
                Leaf::Values => Fate::Zone,
                Leaf::Texts => Fate::Rows,
            };
            let found: Vec<Fate> =
                column.zone_maps().zip(column.touched(touched)).map(fate).collect();
            let fates = counted.fates.entry((at, place)).or_default();
            fates.resize(found.len(), Fate::Rows);
            fates.iter_mut().zip(found).for_each(|(fate, found)| *fate = found.max(*fate));
        }
    }

    /// What every step did, and the bytes of all frames that were read.
    pub(super) fn done(self) -> Vec<Counted> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).counted
    }
}

impl Open<'_> {
    /// Says about how many rows the step was asked, and how many it left.
    pub(crate) fn rows(&self, asked: u64, left: u64) {
        let mut state = self.probe.state();
        let at = state.at;
        let Some(counted) = state.counted.get_mut(self.stage) else { return };
        counted.rows_in += asked;
        counted.rows += left;
        if asked > 0 {
            counted.asked.insert(at);
        }
        if left > 0 {
            counted.left.insert(at);
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.probe.close(self.stage);
    }
}

impl Counted {
    /// How many segments were asked, and in how many rows were left.
    pub(super) fn segments(&self) -> (usize, usize) {
        (self.asked.len(), self.left.len())
    }

    /// What has become of the blocks of its columns, of so many there are.
    pub(super) fn blocks(&self, of: u64) -> Blocks {
        let mut blocks = Blocks { of, ..Blocks::default() };
        for fate in self.fates.values().flatten() {
            match fate {
                Fate::Rows => {}
                Fate::Path => blocks.by_path += 1,
                Fate::Zone => blocks.by_zone_map += 1,
                Fate::Kept => blocks.kept += 1,
                Fate::Read => blocks.read += 1,
            }
        }
        let met = blocks.by_path + blocks.by_zone_map + blocks.kept + blocks.read;
        blocks.without_rows = of.saturating_sub(met);
        blocks
    }
}
