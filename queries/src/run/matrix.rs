//! How often conditions hold together: each with each.

use std::ops::Range;

use yiku::segment::{Column as Read, OfCode, PairSum};
use yiku::{Predicate, RowSet, Segment, Snapshot};

use super::borders::merged;
use super::morsels::{Morsel, cut};
use super::paired::Paired;
use super::scan::{Scan, each_row};
use super::{fold, tell};
use crate::answer::{Answer, AnswerColumn, AnswerKind, Role, Values};
use crate::bound::{Condition, Test};
use crate::error::{Error, Result};
use crate::explain::probe::About;
use crate::plan::{Plan, Within};

/// The conditions of a matrix, by their names.
pub(crate) type Matrix = Vec<(String, Condition)>;

/// Rows up to so many are looked for one by one in another set.
const FEW: u64 = 48;

/// Rows that are gone at most where counts of pairs are used: each is looked at for every pair.
const GONE_MAX: usize = 48;

/// The rows of a condition in a piece.
struct Rows {
    set: RowSet,
    count: u64,
    /// The rows one by one, where they are few.
    few: Vec<u32>,
}

impl Rows {
    fn new(OfCode { rows: set, listed }: OfCode) -> Self {
        let count = listed.as_ref().map_or_else(|| set.count(), |listed| listed.len() as u64);
        let is_listed = listed.is_some();
        let mut few = listed.unwrap_or_default();
        if count <= FEW && !is_listed {
            each_row(&set, |row| few.push(row));
        }
        Self { set, count, few }
    }

    /// How many rows two conditions share, of so many that there are.
    fn shared(&self, other: &Self, all: u64) -> u64 {
        let (few, many) = if self.count <= other.count { (self, other) } else { (other, self) };
        if few.count == 0 || many.count == all {
            return few.count;
        }
        if few.count > FEW {
            return few.set.count_and(&many.set);
        }
        few.few.iter().map(|row| u64::from(many.set.contains(*row))).sum()
    }
}

/// The code that a predicate asks for, if it is one.
fn code_of(predicate: &Predicate) -> Option<u32> {
    match predicate {
        Predicate::HasAny(bits) | Predicate::HasAll(bits) if bits.count_ones() == 1 => {
            Some(bits.trailing_zeros())
        }
        _ => None,
    }
}

/// The predicate of a condition on the sets of codes of a column of a table.
fn of_codes(condition: &Condition, table: usize) -> Option<(usize, &Predicate)> {
    match &condition.kind {
        Test::Column { column, predicate } if condition.table == table => {
            let is_set = matches!(predicate, Predicate::HasAny(_) | Predicate::HasAll(_));
            is_set.then_some((*column, predicate))
        }
        _ => None,
    }
}

/// The rows of a set that satisfy each of some predicates.
fn each_kept(column: &Read<'_>, predicates: &[Predicate], rows: &RowSet) -> Result<Vec<OfCode>> {
    let mut found = Vec::with_capacity(predicates.len());
    for predicate in predicates {
        let mut rows = rows.clone();
        column.keep_in(predicate, &mut rows)?;
        found.push(OfCode { rows, listed: None });
    }
    Ok(found)
}

impl Plan {
    /// The rows of every condition of a matrix among some rows.
    fn rows_of_each(&self, matrix: &Matrix, scan: &Scan<'_>, rows: &RowSet) -> Result<Vec<Rows>> {
        let bytes = super::scan::set_bytes(rows.len_rows());
        let _held = scan.run.hold(bytes.saturating_mul(matrix.len() as u64))?;
        let mut sets: Vec<Option<OfCode>> = vec![None; matrix.len()];
        // What is asked of the codes of one column is asked together.
        let asked = |at: &usize| of_codes(&matrix.get(*at)?.1, self.table);
        let alone = scan.limits.indexes && scan.within.probe.is_none();
        let mut left: Vec<usize> =
            (0..matrix.len()).filter(|at| alone && asked(at).is_some()).collect();
        while let Some((column, _)) = left.first().and_then(asked) {
            let own = |at: &usize| asked(at).filter(|(other, _)| *other == column);
            let places: Vec<usize> = left.iter().copied().filter(|at| own(at).is_some()).collect();
            left.retain(|at| own(at).is_none());
            let predicates = places.iter().filter_map(own).map(|(_, p)| p.clone());
            let predicates: Vec<Predicate> = predicates.collect();
            scan.run.check()?;
            let column = scan.segment.column(self.table, column)?;
            let codes: Option<Vec<u32>> = predicates.iter().map(code_of).collect();
            let found = match codes {
                Some(codes) => column.of_codes(&codes, rows)?,
                None => None,
            };
            let found = match found {
                Some(found) => found,
                None => each_kept(&column, &predicates, rows)?,
            };
            for (place, own) in places.into_iter().zip(found) {
                if let Some(slot) = sets.get_mut(place) {
                    *slot = Some(own);
                }
            }
        }
        let mut found = Vec::with_capacity(matrix.len());
        for ((_, condition), set) in matrix.iter().zip(sets) {
            found.push(Rows::new(match set {
                Some(set) => set,
                None => OfCode { rows: scan.rows(condition, true, rows)?, listed: None },
            }));
        }
        Ok(found)
    }

    /// How many rows match, and how many of them each two conditions share: of a pair once.
    fn pairs_counted(
        &self,
        matrix: &Matrix,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<(u64, Vec<u64>)> {
        let size = matrix.len();
        let mut morsels = self.morsels(snapshot, within)?;
        let within = self.worth(&morsels, within);
        let segments = within.segments(snapshot);
        // Five hundred sums are not made for a place that lies in a part of a piece.
        let mut told = false;
        if let Some(paired) = self.paired(within) {
            for morsel in &morsels {
                let Some(segment) = segments.get(morsel.segment) else { continue };
                told = paired.pieces(self.table, segment, &morsel.roots, GONE_MAX)?.is_some();
                if told {
                    break;
                }
            }
        }
        let paired = if told { self.paired_matrix(within) } else { None };
        if paired.is_some() {
            morsels = merged(morsels);
        }
        let state = || Ok((0u64, vec![0u64; size * size]));
        let states = fold(within, morsels.len(), state, |state, item| {
            let Some(morsel) = morsels.get(item) else { return Ok(()) };
            let Some(segment) = segments.get(morsel.segment) else { return Ok(()) };
            within.run.check()?;
            within.begin(snapshot, morsel.segment);
            let Some(paired) = &paired else {
                return self.add_pairs(matrix, &self.scan(segment, morsel, within)?, state);
            };
            if self.add_told(paired, segment, &morsel.roots, state)? {
                return Ok(());
            }
            for roots in cut(segment, self.table, morsel.roots.clone())? {
                if !self.add_told(paired, segment, &roots, state)? {
                    within.run.check()?;
                    let scan = self.scan(segment, &Morsel { roots, ..*morsel }, within)?;
                    self.add_pairs(matrix, &scan, state)?;
                }
            }
            Ok(())
        })?;
        let mut sum = (0, vec![0u64; size * size]);
        for (matched, counts) in states {
            sum.0 += matched;
            sum.1.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        Ok(sum)
    }

    /// Adds what the counts of pairs tell of root rows; false, and nothing is added, where they do
    /// not.
    fn add_told(
        &self,
        (paired, sums): &(Paired<'_>, Vec<PairSum>),
        segment: &Segment,
        roots: &Range<u32>,
        (matched, counts): &mut (u64, Vec<u64>),
    ) -> Result<bool> {
        let found = paired.pieces(self.table, segment, roots, GONE_MAX)?;
        let own = found.and_then(|(pairs, pieces)| {
            sums.iter().map(|sum| pairs.count(sum, &pieces)).collect::<Option<Vec<u64>>>()
        });
        let Some(own) = own else { return Ok(false) };
        let mut own = own.into_iter();
        *matched += own.next().unwrap_or(0);
        for (a, counts) in counts.chunks_mut(self.matrix.len().max(1)).enumerate() {
            let slots = counts.iter_mut().skip(a).zip(&mut own);
            slots.for_each(|(slot, own)| *slot += own);
        }
        Ok(true)
    }

    /// Adds how many rows of a piece match, and how many each two conditions share.
    fn add_pairs(
        &self,
        matrix: &Matrix,
        scan: &Scan<'_>,
        (matched, counts): &mut (u64, Vec<u64>),
    ) -> Result<()> {
        let rows = self.matching(scan)?;
        let all = rows.count();
        *matched += all;
        if all == 0 {
            return Ok(());
        }
        let sets = self.rows_of_each(matrix, scan, &rows)?;
        let open = scan.within.open(About::Count, self);
        for (a, (own, counts)) in sets.iter().zip(counts.chunks_mut(matrix.len())).enumerate() {
            for (other, count) in sets.iter().zip(counts).skip(a) {
                *count += own.shared(other, all);
            }
        }
        tell(open, all, all);
        Ok(())
    }

    /// The answer to a question for a matrix: a row and a column for each condition, and where
    /// they meet how many rows satisfy both.
    pub(super) fn matrix_counted(
        &self,
        matrix: &Matrix,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<Answer> {
        let size = matrix.len();
        let (matched, counts) = self.pairs_counted(matrix, snapshot, within)?;
        let count = |row: usize, column: usize| {
            let place = row.min(column) * size + row.max(column);
            let count = counts.get(place).copied().unwrap_or(0);
            i64::try_from(count).map(Some)
        };
        let names = matrix.iter().map(|(name, _)| Some(name.as_str().into())).collect();
        let column = |name: String, kind, role, values| AnswerColumn {
            name,
            kind,
            unit: None,
            role,
            values,
            labels: None,
            hidden: Vec::new(),
        };
        let name = "condition".to_owned();
        let mut columns = vec![column(name, AnswerKind::Text, Role::Group, Values::Text(names))];
        for (at, (name, _)) in matrix.iter().enumerate() {
            let values = (0..size).map(|row| count(row, at)).collect::<std::result::Result<_, _>>();
            let beyond = |_| Error::Overflow { what: "a count of the matrix".to_owned() };
            let values = Values::Int(values.map_err(beyond)?);
            columns.push(column(name.clone(), AnswerKind::Int, Role::Measure, values));
        }
        Ok(self.whole_answer(columns, size, matched))
    }
}
