//! How often conditions hold together: each with each.

use yiku::{Predicate, RowSet, Snapshot};

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

/// Conditions that hold for at most one row of so many are sparse: few rows have two of them.
const SPARSE: u64 = 24;

/// Fewer sparse conditions than this are told from each other pair by pair.
const SPARSE_LEAST: usize = 6;

/// The rows of a condition in a piece.
struct Rows {
    set: RowSet,
    count: u64,
    /// The rows one by one, where they are few.
    few: Vec<u32>,
}

impl Rows {
    fn new(set: RowSet) -> Self {
        let count = set.count();
        let mut few = Vec::new();
        if count <= FEW {
            each_row(&set, |row| few.push(row));
        }
        Self { set, count, few }
    }

    /// Whether few of so many rows satisfy the condition.
    fn is_sparse(&self, all: u64) -> bool {
        self.count > 0 && self.count < all && self.count <= u64::from(self.set.len_rows()) / SPARSE
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

/// Adds how many rows each two of some conditions share, of so many rows that there are.
fn add_pairs(sets: &[Rows], all: u64, counts: &mut [u64]) {
    let size = sets.len().max(1);
    let sparse: Vec<usize> = (0..sets.len())
        .filter(|at| sets.get(*at).is_some_and(|own| own.is_sparse(all)))
        .take(u64::BITS as usize)
        .collect();
    let sparse = if sparse.len() < SPARSE_LEAST { Vec::new() } else { sparse };
    let mut is_sparse = vec![false; sets.len()];
    for at in &sparse {
        is_sparse.get_mut(*at).into_iter().for_each(|slot| *slot = true);
    }
    for (a, (own, counts)) in sets.iter().zip(counts.chunks_mut(size)).enumerate() {
        let is_sparse_too = is_sparse.get(a).copied().unwrap_or(false);
        let others = sets.iter().zip(counts).zip(&is_sparse).enumerate().skip(a);
        for (b, ((other, count), is_sparse)) in others {
            if a == b {
                *count += own.count;
            } else if !(is_sparse_too && *is_sparse) {
                *count += own.shared(other, all);
            }
        }
    }
    let words: Vec<&[u64]> =
        sparse.iter().filter_map(|at| sets.get(*at)).map(|own| own.set.words()).collect();
    for mask in yiku::cpu::best(
        #[inline(always)]
        || met_masks(&words),
    ) {
        let mut rest = mask;
        while rest != 0 {
            let a = sparse.get(rest.trailing_zeros() as usize).copied().unwrap_or(0);
            rest &= rest - 1;
            let mut others = rest;
            while others != 0 {
                let b = sparse.get(others.trailing_zeros() as usize).copied().unwrap_or(0);
                others &= others - 1;
                counts.get_mut(a * size + b).into_iter().for_each(|count| *count += 1);
            }
        }
    }
}

/// Of the rows that lie in more than one of up to 64 sets, which sets have each.
#[inline(always)]
fn met_masks(sets: &[&[u64]]) -> Vec<u64> {
    let size = sets.first().map_or(0, |words| words.len());
    let (mut some, mut more) = (vec![0u64; size], vec![0u64; size]);
    for words in sets {
        for ((some, more), word) in some.iter_mut().zip(&mut more).zip(*words) {
            *more |= *some & word;
            *some |= word;
        }
    }
    let mut before = 0usize;
    let mut starts = Vec::with_capacity(size);
    for word in &more {
        starts.push(before);
        before += word.count_ones() as usize;
    }
    let mut masks = vec![0u64; before];
    for (bit, words) in sets.iter().enumerate() {
        for ((word, more), start) in words.iter().zip(&more).zip(&starts) {
            let mut both = word & more;
            while both != 0 {
                let below = (both & both.wrapping_neg()) - 1;
                both &= both - 1;
                let place = start + (more & below).count_ones() as usize;
                masks.get_mut(place).into_iter().for_each(|mask| *mask |= 1 << bit);
            }
        }
    }
    masks
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

impl Plan {
    /// The rows of every condition of a matrix among some rows.
    fn rows_of_each(&self, matrix: &Matrix, scan: &Scan<'_>, rows: &RowSet) -> Result<Vec<Rows>> {
        let bytes = super::scan::set_bytes(rows.len_rows());
        let _held = scan.run.hold(bytes.saturating_mul(matrix.len() as u64))?;
        let mut sets: Vec<Option<RowSet>> = vec![None; matrix.len()];
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
            for (place, predicate) in places.into_iter().zip(&predicates) {
                let mut set = rows.clone();
                column.keep_in(predicate, &mut set)?;
                if let Some(slot) = sets.get_mut(place) {
                    *slot = Some(set);
                }
            }
        }
        let mut found = Vec::with_capacity(matrix.len());
        for ((_, condition), set) in matrix.iter().zip(sets) {
            found.push(Rows::new(match set {
                Some(set) => set,
                None => scan.rows(condition, true, rows)?,
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
        let morsels = self.morsels(snapshot, within)?;
        let segments = within.segments(snapshot);
        let state = || Ok((0u64, vec![0u64; size * size]));
        let states = fold(within, morsels.len(), state, |(matched, counts), item| {
            let Some(morsel) = morsels.get(item) else { return Ok(()) };
            let Some(segment) = segments.get(morsel.segment) else { return Ok(()) };
            within.run.check()?;
            within.begin(snapshot, morsel.segment);
            let scan = self.scan(segment, morsel, within)?;
            let rows = self.matching(&scan)?;
            let all = rows.count();
            *matched += all;
            if all == 0 {
                return Ok(());
            }
            let sets = self.rows_of_each(matrix, &scan, &rows)?;
            let open = within.open(About::Count, self);
            add_pairs(&sets, all, counts);
            tell(open, all, all);
            Ok(())
        })?;
        let mut sum = (0, vec![0u64; size * size]);
        for (matched, counts) in states {
            sum.0 += matched;
            sum.1.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        Ok(sum)
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
        let names = matrix.iter().map(|(name, _)| Some(name.clone())).collect();
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
