//! Counts of codes by places, of many pieces as one: nothing but the borders of places tells rows
//! apart, so that no piece needs a set of rows.
//!
//! Invariant: what is given is what the pieces one by one give; where that cannot be told so,
//! nothing is given.

use std::ops::Range;

use yiku::schema::Kind;
use yiku::segment::Codes;
use yiku::{Predicate, Segment, Snapshot};

use super::aggregate::Column;
use super::grouped::{Grouped, Keys};
use super::keys::{Cell, NumberedRuns, place_runs_of};
use super::morsels::{Morsel, beneath};
use super::paired::place;
use super::spread::over;
use super::weight::LEAST;
use super::{CELL_BYTES, Part};
use crate::bound::{Condition, Test};
use crate::check::{Aggregate, Combine, GroupKind};
use crate::error::Result;
use crate::plan::{Plan, Within};

/// Pieces that are asked as one at most, and pieces that there are then at least.
const MERGED: usize = 16;

/// Counts of codes by places.
pub(super) struct Counting<'p> {
    /// Ranges of places that rows must lie in: in one of each list.
    places: Vec<&'p [(u64, u64)]>,
    /// What the filter asks, then what aggregates ask of the rows that it leaves: each once.
    questions: Vec<Vec<Codes>>,
    /// The place of the question of each aggregate.
    asked: Vec<usize>,
    /// The level of the places that are told apart, or the paths themselves; none where all rows
    /// are one group.
    level: Option<Option<usize>>,
}

/// How many rows of a piece the filter left, and of each of their groups its place, if there are
/// any, and the counts by aggregate.
pub(super) struct Told {
    pub(super) matched: u64,
    pub(super) cells: Vec<Cell>,
    pub(super) counts: Vec<Vec<u64>>,
}

impl Counting<'_> {
    /// As many threads as these pieces are worth: of a piece a question takes a third of a
    /// microsecond, or half of one for each of several codes.
    pub(super) fn worth<'a>(&self, morsels: &[Morsel], within: Within<'a>) -> Within<'a> {
        let of = |codes: &Codes| codes.all.count_ones() + codes.none.count_ones();
        let tenths = |question: &Vec<Codes>| match question.iter().map(of).sum::<u32>() {
            0 | 1 => 3,
            codes => u64::from(codes) * 5,
        };
        let tenths = 10 + self.questions.iter().map(tenths).sum::<u64>();
        let all = tenths.saturating_mul(morsels.len() as u64) / 10;
        if all < LEAST { Within { threads: 1, ..within } } else { within }
    }
}

impl Plan {
    /// The question as counts of codes by places, if it is nothing else.
    pub(super) fn counting(&self, levels: &[usize], within: Within<'_>) -> Option<Counting<'_>> {
        let plain = !within.limits.indexes || within.probe.is_some();
        let counts = |a: &Aggregate| a.combine == Combine::Count && a.argument.is_none();
        if plain || levels != [0] || !self.aggregates.iter().all(counts) {
            return None;
        }
        let level = match self.groups.as_slice() {
            [] => None,
            [group] => match group.kind {
                GroupKind::Level(level) => Some(Some(level)),
                GroupKind::Path => Some(None),
                _ => return None,
            },
            _ => return None,
        };
        let (mut places, mut asked) = (Vec::new(), Vec::new());
        if let Some(scope) = &self.scope {
            places.push(place(scope.condition())?);
        }
        for (_, condition) in &self.filter {
            match place(condition) {
                Some(ranges) => places.push(ranges),
                None => self.codes(condition, &mut asked)?,
            }
        }
        let mut questions = vec![asked.clone()];
        let mut of_aggregates = Vec::with_capacity(self.aggregates.len());
        for aggregate in &self.aggregates {
            let mut own = asked.clone();
            if let Some(condition) = &aggregate.condition {
                self.codes(condition, &mut own)?;
            }
            let same = questions.iter().position(|other| *other == own);
            of_aggregates.push(same.unwrap_or(questions.len()));
            if same.is_none() {
                questions.push(own);
            }
        }
        Some(Counting { places, questions, asked: of_aggregates, level })
    }

    /// Adds the codes that the rows of the question's table have and lack for which a condition is
    /// true, if it asks nothing else.
    fn codes(&self, condition: &Condition, found: &mut Vec<Codes>) -> Option<()> {
        let (column, all, none) = match &condition.kind {
            Test::And(parts) => return parts.iter().try_for_each(|part| self.codes(part, found)),
            Test::Truth(inner) => return self.codes(inner, found),
            Test::Column { column, predicate } if condition.table == self.table => {
                let (all, none) = match predicate {
                    Predicate::HasAny(bits) if bits.count_ones() == 1 => (*bits, 0),
                    Predicate::HasAll(bits) if *bits != 0 => (*bits, 0),
                    Predicate::HasNone(bits) if *bits != 0 => (0, *bits),
                    Predicate::Range { min, max } if min == max => (self.code(*column, *min)?, 0),
                    Predicate::In(list) if list.len() == 1 => {
                        (self.code(*column, *list.first()?)?, 0)
                    }
                    _ => return None,
                };
                (*column, all, none)
            }
            _ => return None,
        };
        match found.iter_mut().find(|own| own.column == column) {
            Some(own) => (own.all, own.none) = (own.all | all, own.none | none),
            None => found.push(Codes { column, all, none }),
        }
        Some(())
    }

    /// A value of a column of single codes or flags as a set of codes.
    fn code(&self, column: usize, value: i64) -> Option<u64> {
        let own = self.schema.tables.get(self.table)?.columns.get(column)?;
        let value = u32::try_from(value).ok()?;
        matches!(own.kind, Kind::Code | Kind::Flag).then(|| 1u64.checked_shl(value)).flatten()
    }

    /// What a piece contributes, told by borders alone; none where that does not tell.
    pub(super) fn part_counted<'a>(
        &self,
        counting: &Counting<'_>,
        segment: &Segment,
        piece: (&Range<u32>, &Snapshot),
        within: Within<'a>,
    ) -> Result<Option<Part<'a>>> {
        let Some(Told { matched, cells, counts }) = self.told(counting, segment, piece, within)?
        else {
            return Ok(None);
        };
        let keys = match counting.level {
            Some(_) => Keys::single(cells),
            None => Keys::nameless(usize::from(matched > 0)),
        };
        let columns = counts.into_iter().map(Column::Counts).collect();
        let grouped = Grouped { keys, columns };
        let held = Some(within.run.hold(grouped.cells().saturating_mul(CELL_BYTES))?);
        let levels = if matched == 0 { Vec::new() } else { vec![grouped] };
        Ok(Some(Part { matched, levels, held }))
    }

    /// The groups of a piece and their counts, told by borders alone; none where that does not
    /// tell.
    pub(super) fn told(
        &self,
        counting: &Counting<'_>,
        segment: &Segment,
        (roots, snapshot): (&Range<u32>, &Snapshot),
        within: Within<'_>,
    ) -> Result<Option<Told>> {
        let rows = match self.table {
            0 => roots.clone(),
            table => beneath(segment, table, roots)?,
        };
        let (runs, cells) = match counting.level {
            None => (vec![(rows.end, 0)], Vec::new()),
            Some(level) => place_runs_of(segment, level, self.table, snapshot.tree(), &rows)?,
        };
        let (borders, into) = self.borders(counting, segment, &rows, &runs)?;
        let size = counting.questions.len();
        let bytes = (borders.len() as u64).saturating_mul(size as u64).saturating_mul(8);
        let _counts = within.run.hold(bytes)?;
        let mut counts = vec![vec![0u64; borders.len()]; size];
        if !segment.count_between(self.table, &counting.questions, &borders, &mut counts)? {
            return Ok(None);
        }
        Ok(Some(summed(counting, counts, &into, cells)))
    }

    /// How many rows of each of some pieces the filter leaves, told by bits alone; none where they
    /// do not tell.
    pub(super) fn matched_in(
        &self,
        counting: &Counting<'_>,
        morsels: &[Morsel],
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<Option<Vec<u64>>> {
        let segments = within.segments(snapshot);
        let told = over(within, morsels.len(), |at| {
            let Some(morsel) = morsels.get(at) else { return Ok(None) };
            let Some(segment) = segments.get(morsel.segment) else { return Ok(None) };
            let told = self.told(counting, segment, (&morsel.roots, snapshot), within)?;
            Ok(told.map(|told| told.matched))
        })?;
        Ok(told.into_iter().collect())
    }

    /// The borders of the groups of the rows of a piece, and for each the group of the rows before
    /// it; none for rows that lie elsewhere than they must.
    fn borders(
        &self,
        counting: &Counting<'_>,
        segment: &Segment,
        rows: &Range<u32>,
        runs: &NumberedRuns,
    ) -> Result<(Vec<u32>, Vec<Option<u32>>)> {
        let mut allowed = vec![rows.clone()];
        for ranges in &counting.places {
            let mut own = Vec::with_capacity(ranges.len());
            for (low, high) in *ranges {
                let roots = segment.path_rows(*low, *high)?;
                own.push(match self.table {
                    0 => roots,
                    table => beneath(segment, table, &roots)?,
                });
            }
            allowed = shared(&allowed, &own);
        }
        let (mut borders, mut into) = (vec![rows.start], vec![None]);
        let mut at = 0;
        let mut start = rows.start;
        for range in allowed {
            if start < range.start {
                borders.push(range.start);
                into.push(None);
            }
            while let Some((end, group)) = runs.get(at) {
                let behind = (*end).min(range.end);
                if behind > range.start {
                    borders.push(behind);
                    into.push(Some(*group));
                }
                if *end >= range.end {
                    break;
                }
                at += 1;
            }
            start = range.end;
        }
        Ok((borders, into))
    }
}

/// Pieces that follow each other as one, where there are many.
pub(super) fn merged(morsels: Vec<Morsel>) -> Vec<Morsel> {
    let most = (morsels.len() / MERGED).clamp(1, MERGED);
    let mut found: Vec<Morsel> = Vec::with_capacity(morsels.len() / most + 1);
    let mut count = 0;
    for morsel in morsels {
        match found.last_mut().filter(|last| {
            count < most && last.segment == morsel.segment && last.roots.end == morsel.roots.start
        }) {
            Some(last) => {
                last.roots.end = morsel.roots.end;
                count += 1;
            }
            None => {
                found.push(morsel);
                count = 1;
            }
        }
    }
    found
}

/// What two lists of ranges share, each rising and apart.
fn shared(one: &[Range<u32>], other: &[Range<u32>]) -> Vec<Range<u32>> {
    let (mut a, mut b) = (one.iter().peekable(), other.iter().peekable());
    let mut found = Vec::new();
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        let both = x.start.max(y.start)..x.end.min(y.end);
        let first = x.end <= y.end;
        if !both.is_empty() {
            found.push(both);
        }
        if first {
            a.next();
        } else {
            b.next();
        }
    }
    found
}

/// How many rows the filter left, and the groups that have any of them.
fn summed(
    counting: &Counting<'_>,
    counts: Vec<Vec<u64>>,
    into: &[Option<u32>],
    mut cells: Vec<Cell>,
) -> Told {
    let size = if counting.level.is_some() { cells.len() } else { 1 };
    let plain = || into.iter().skip(1).copied().eq((0u32..).map(Some).take(size));
    let is_plain = into.first() == Some(&None) && plain();
    let mut groups: Vec<Vec<u64>> = Vec::with_capacity(counts.len());
    for mut own in counts {
        groups.push(if is_plain {
            own.remove(0);
            own
        } else {
            let mut sums = vec![0u64; size];
            for (count, group) in own.iter().zip(into) {
                if let Some(slot) = group.and_then(|group| sums.get_mut(group as usize)) {
                    *slot += count;
                }
            }
            sums
        });
    }
    let matched = groups.first().into_iter().flatten().sum();
    if groups.first().is_some_and(|rows| rows.contains(&0)) {
        let rows = groups.first().cloned().unwrap_or_default();
        let mut met = rows.iter();
        cells.retain(|_| met.next().is_some_and(|count| *count > 0));
        for own in &mut groups {
            let mut met = rows.iter();
            own.retain(|_| met.next().is_some_and(|count| *count > 0));
        }
    }
    let mut asked = counting.asked.iter();
    let mut of_aggregates = Vec::with_capacity(counting.asked.len());
    while let Some(at) = asked.next() {
        let own = groups.get_mut(*at);
        let again = asked.as_slice().contains(at);
        let take = |own: &mut Vec<u64>| if again { own.clone() } else { std::mem::take(own) };
        of_aggregates.push(own.map(take).unwrap_or_default());
    }
    Told { matched, cells, counts: of_aggregates }
}
