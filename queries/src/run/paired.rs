//! Counts that pairs of codes tell, a piece at a time: of a piece that is whole, that has no row
//! that is gone and lies in one place, no row is looked at.
//!
//! Invariant: what is given is what [`Plan::part`] gives; where pairs do not tell that, nothing is
//! given.

use std::ops::Range;

use yiku::segment::{Counted, PairSum, Pairs};
use yiku::{Predicate, Schema, Segment, Snapshot};

use super::aggregate::Column;
use super::grouped::{Grouped, Keys};
use super::keys::{Cell, place_runs_of};
use super::morsels::Morsel;
use super::partition::column_of;
use super::{CELL_BYTES, Part};
use crate::bound::{Condition, Test};
use crate::check::{Aggregate, Combine, Group, GroupKind};
use crate::error::Result;
use crate::plan::{Plan, Within};

/// Groups of more combinations of codes are told apart row by row.
const COMBINATIONS: usize = 1_024;

/// Rows that are gone of a piece at most: each is looked at for every count.
const GONE_MAX: usize = 256;

/// What pairs tell of a question.
pub(super) struct Paired<'p> {
    /// Ranges of places that rows must lie in: in one of each list.
    places: Vec<&'p [(u64, u64)]>,
    /// What the filter asks of codes.
    asked: Vec<(usize, Predicate)>,
}

/// Groups of a question, all of whose counts are told by pairs.
pub(super) struct PairedGroups<'p> {
    paired: Paired<'p>,
    groups: Vec<Combination>,
    /// The level of each key that is a place, or its path; nothing for the others.
    levels: Vec<Option<Option<usize>>>,
}

/// Values of all keys that are codes: how many rows have them, and of those how many each
/// aggregate counts.
struct Combination {
    cells: Vec<Cell>,
    rows: PairSum,
    aggregates: Vec<PairSum>,
}

/// Adds what a condition asks of codes of a table and of places, if it asks nothing else.
fn asked<'p>(condition: &'p Condition, table: usize, found: &mut Paired<'p>) -> Option<()> {
    match &condition.kind {
        Test::And(parts) => return parts.iter().try_for_each(|part| asked(part, table, found)),
        Test::Truth(inner) => return asked(inner, table, found),
        Test::Within { .. } | Test::Spread(_) => found.places.push(place(condition)?),
        Test::Column { column, predicate } if condition.table == table => {
            found.asked.push((*column, predicate.clone()));
        }
        Test::ColumnKnown { column } if condition.table == table => {
            found.asked.push((*column, Predicate::Known));
        }
        Test::Not(inner) if inner.table == table => match inner.kind {
            Test::ColumnKnown { column } => found.asked.push((column, Predicate::Unknown)),
            _ => return None,
        },
        _ => return None,
    }
    Some(())
}

/// The ranges of places that a condition is about, if about nothing else.
pub(super) fn place(condition: &Condition) -> Option<&[(u64, u64)]> {
    match &condition.kind {
        Test::Within { ranges } => Some(ranges),
        Test::Spread(inner) => place(inner),
        _ => None,
    }
}

/// The values of a key that is a column of codes of a table, and the condition that each is.
fn values(group: &Group, table: usize, schema: &Schema) -> Option<Vec<(Cell, (usize, Predicate))>> {
    let (column, codes) = match &group.kind {
        GroupKind::Code { list, value } => {
            let (home, column) = column_of(value).filter(|(home, _)| *home == table)?;
            let declared = schema.tables.get(home)?.columns.get(column)?;
            let own = declared.list == Some(*list);
            (column, own.then(|| schema.lists.get(*list).map(|list| list.codes.len()))??)
        }
        GroupKind::Flag(condition) if condition.table == table => match &condition.kind {
            Test::Column { column, predicate: Predicate::Range { min: 1, max: 1 } } => {
                let declared = schema.tables.get(table)?.columns.get(*column)?;
                (declared.kind == yiku::schema::Kind::Flag).then_some((*column, 2))?
            }
            _ => return None,
        },
        _ => return None,
    };
    let code = |code: i64| (Cell::Int(code), (column, Predicate::In(vec![code])));
    let codes = (0i64..).take(codes).map(code);
    Some(codes.chain([(Cell::Unknown, (column, Predicate::Unknown))]).collect())
}

/// The sum of conditions and some more.
fn sum(
    counted: &Counted,
    asked: &[(usize, Predicate)],
    more: &[&(usize, Predicate)],
) -> Option<PairSum> {
    let all = asked.iter().chain(more.iter().copied());
    let all: Vec<(usize, &Predicate)> = all.map(|(column, own)| (*column, own)).collect();
    counted.sum(&all)
}

impl Plan {
    /// The filter as codes and places, if it is nothing else.
    pub(super) fn paired(&self, within: Within<'_>) -> Option<Paired<'_>> {
        if !within.limits.indexes || within.probe.is_some() {
            return None;
        }
        let mut found = Paired { places: Vec::new(), asked: Vec::new() };
        if let Some(scope) = &self.scope {
            found.places.push(place(scope.condition())?);
        }
        for (_, condition) in &self.filter {
            asked(condition, self.table, &mut found)?;
        }
        Some(found)
    }

    /// How many rows the filter leaves, as what pairs tell.
    pub(super) fn paired_rows(&self, within: Within<'_>) -> Option<(Paired<'_>, PairSum)> {
        let paired = self.paired(within)?;
        let counted = Counted::new(&self.schema, self.table);
        let sum = sum(&counted, &paired.asked, &[])?;
        Some((paired, sum))
    }

    /// The counts of a matrix as what pairs tell: rows that match, then of each pair once.
    pub(super) fn paired_matrix(&self, within: Within<'_>) -> Option<(Paired<'_>, Vec<PairSum>)> {
        let (paired, rows) = self.paired_rows(within)?;
        let counted = Counted::new(&self.schema, self.table);
        let mut own = Vec::with_capacity(self.matrix.len());
        for (_, condition) in &self.matrix {
            let mut found = Paired { places: Vec::new(), asked: Vec::new() };
            asked(condition, self.table, &mut found)?;
            own.push(found.places.is_empty().then_some(found.asked)?);
        }
        let mut sums = vec![rows];
        for (at, one) in own.iter().enumerate() {
            for other in own.iter().skip(at) {
                let both: Vec<&(usize, Predicate)> = one.iter().chain(other).collect();
                sums.push(sum(&counted, &paired.asked, &both)?);
            }
        }
        Some((paired, sums))
    }

    /// The groups of the question and their counts as what pairs tell.
    pub(super) fn paired_groups(
        &self,
        levels: &[usize],
        within: Within<'_>,
    ) -> Option<PairedGroups<'_>> {
        let counts = |a: &Aggregate| a.combine == Combine::Count && a.argument.is_none();
        if levels != [0] || !self.aggregates.iter().all(counts) {
            return None;
        }
        let paired = self.paired(within)?;
        let counted = Counted::new(&self.schema, self.table);
        let mut own = Vec::with_capacity(self.aggregates.len());
        for aggregate in &self.aggregates {
            let mut found = Paired { places: Vec::new(), asked: Vec::new() };
            if let Some(condition) = &aggregate.condition {
                asked(condition, self.table, &mut found)?;
            }
            own.push(found.places.is_empty().then_some(found.asked)?);
        }
        let (mut levels, mut keys) = (Vec::with_capacity(self.groups.len()), Vec::new());
        for group in &self.groups {
            levels.push(match group.kind {
                GroupKind::Level(level) => Some(Some(level)),
                GroupKind::Path => Some(None),
                _ => {
                    keys.push(values(group, self.table, &self.schema)?);
                    None
                }
            });
        }
        let most = keys.iter().fold(1usize, |most, own| most.saturating_mul(own.len()));
        if most > COMBINATIONS {
            return None;
        }
        let mut groups = Vec::with_capacity(most);
        for number in 0..most {
            let (mut left, mut cells, mut more) = (number, Vec::new(), Vec::new());
            for own in &keys {
                let (cell, condition) = own.get(left % own.len().max(1))?;
                cells.push(cell.clone());
                more.push(condition);
                left /= own.len().max(1);
            }
            let rows = sum(&counted, &paired.asked, &more)?;
            let aggregates = own.iter().map(|own| {
                let all: Vec<_> = more.iter().copied().chain(own).collect();
                sum(&counted, &paired.asked, &all)
            });
            groups.push(Combination {
                cells,
                rows,
                aggregates: aggregates.collect::<Option<_>>()?,
            });
        }
        Some(PairedGroups { paired, groups, levels })
    }

    /// What a piece contributes, told by pairs; none where they do not tell.
    pub(super) fn part_paired<'a>(
        &self,
        own: &PairedGroups<'_>,
        segment: &Segment,
        (morsel, snapshot): (&Morsel, &Snapshot),
        within: Within<'a>,
    ) -> Result<Option<Part<'a>>> {
        let Some((pairs, pieces)) =
            own.paired.pieces(self.table, segment, &morsel.roots, GONE_MAX)?
        else {
            return Ok(None);
        };
        let rows = pairs.rows(&pieces);
        let mut places = Vec::with_capacity(own.levels.len());
        for level in own.levels.iter().flatten() {
            let (runs, cells) = place_runs_of(segment, *level, self.table, snapshot.tree(), &rows)?;
            let [cell] = cells.as_slice() else { return Ok(None) };
            if runs.len() != 1 {
                return Ok(None);
            }
            places.push(cell.clone());
        }
        let (mut matched, mut keys) = (0u64, Keys::new(own.levels.len()));
        let mut counts = vec![Vec::new(); self.aggregates.len()];
        for Combination { cells, rows, aggregates } in &own.groups {
            let Some(count) = pairs.count(rows, &pieces) else { return Ok(None) };
            if count == 0 {
                continue;
            }
            matched += count;
            let (mut places, mut cells) = (places.iter(), cells.iter());
            let cell = |level: &Option<_>| match level {
                Some(_) => places.next().cloned(),
                None => cells.next().cloned(),
            };
            keys.extend(own.levels.iter().filter_map(cell));
            for (slot, sum) in counts.iter_mut().zip(aggregates) {
                let Some(count) = pairs.count(sum, &pieces) else { return Ok(None) };
                slot.push(count);
            }
        }
        let columns = counts.into_iter().map(Column::Counts).collect();
        let grouped = Grouped { keys, columns };
        let held = Some(within.run.hold(grouped.cells().saturating_mul(CELL_BYTES))?);
        let levels = if matched == 0 { Vec::new() } else { vec![grouped] };
        Ok(Some(Part { matched, levels, held }))
    }
}

impl Paired<'_> {
    /// The pieces of a segment that root rows are, and their counts; none where the counts are not
    /// those of the rows that are asked about, or more rows than `most` are gone.
    pub(super) fn pieces<'s>(
        &self,
        table: usize,
        segment: &'s Segment,
        roots: &Range<u32>,
        most: usize,
    ) -> Result<Option<(Pairs<'s>, Range<usize>)>> {
        let Some(pairs) = segment.pairs(table)? else { return Ok(None) };
        let Some(pieces) = pairs.pieces(roots) else { return Ok(None) };
        for ranges in &self.places {
            let mut inside = false;
            for (low, high) in *ranges {
                let own = segment.path_rows(*low, *high)?;
                inside |= own.start <= roots.start && roots.end <= own.end;
            }
            if !inside {
                return Ok(None);
            }
        }
        Ok(pairs.tells(&pieces, most)?.then_some((pairs, pieces)))
    }
}
