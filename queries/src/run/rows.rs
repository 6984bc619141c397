//! From groups and aggregates to rows: their keys, and their measures column by column.
//!
//! Invariant: every column has all rows.

use super::aggregate::Number;
use super::finish::{Computed, Of, TooLarge, operated};
use super::grouped::{Joined, Keys};
use super::keys::Cell;
use super::publish::Hidden;
use super::spread::over;
use super::statistic::Figure;
use super::tell;
use crate::ast::Arithmetic;
use crate::check::{Measured, Shape};
use crate::error::{Error, Result};
use crate::explain::probe::About;
use crate::plan::{Compared, Plan, Within};

/// Rows that are made at once.
const PIECE: usize = 1 << 12;

/// The rows of the answer before they are ordered, cut and written.
pub(super) struct Rows {
    pub(super) keys: Keys,
    /// How many of the last keys each row totals.
    pub(super) levels: Vec<usize>,
    /// The figures of each measure, and of those beside.
    pub(super) measures: Vec<Vec<Option<Figure>>>,
    /// Which figures of each measure are not told; empty where all are.
    pub(super) hidden: Vec<Vec<bool>>,
}

impl Rows {
    pub(super) fn new(width: usize) -> Self {
        let (levels, measures, hidden) = (Vec::new(), Vec::new(), Vec::new());
        Self { keys: Keys::new(width), levels, measures, hidden }
    }

    pub(super) fn len(&self) -> usize {
        self.levels.len()
    }

    /// How many rows are of groups, not of totals.
    pub(super) fn of_groups(&self) -> u64 {
        self.levels.iter().filter(|level| **level == 0).count() as u64
    }

    /// Makes room for more rows.
    fn reserve(&mut self, more: usize) {
        self.keys.reserve(more);
        self.levels.reserve(more);
        self.measures.iter_mut().for_each(|own| own.reserve(more));
        self.hidden.iter_mut().for_each(|own| own.reserve(more));
    }

    /// Adds other rows, some cells in front of their keys.
    pub(super) fn append(&mut self, other: Self, front: &[Cell]) {
        if self.levels.is_empty() {
            let Self { keys, levels, measures, hidden } = other;
            (self.levels, self.measures, self.hidden) = (levels, measures, hidden);
            self.keys.append(keys, front);
            return;
        }
        self.keys.append(other.keys, front);
        self.levels.extend(other.levels);
        for (own, other) in self.measures.iter_mut().zip(other.measures) {
            own.extend(other);
        }
        for (own, other) in self.hidden.iter_mut().zip(other.hidden) {
            own.extend(other);
        }
    }
}

/// The groups of a level, beside those of all rows, of other days and what is hidden of them.
#[derive(Clone, Copy)]
struct Level<'a> {
    /// Its place among the levels, and how many keys it leaves out.
    at: usize,
    level: usize,
    joined: &'a Joined,
    /// The place of the level of all rows.
    whole: Option<usize>,
    all: &'a [Joined],
    compared: &'a [Vec<Joined>],
    hidden: &'a [Vec<Hidden>],
}

/// What `work` makes of some numbers, so many at a time, in their order.
pub(super) fn in_pieces<T: Send>(
    within: Within<'_>,
    all: &[u32],
    work: impl Fn(&[u32]) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    if all.len() <= PIECE {
        return Ok(vec![work(all)?]);
    }
    let pieces: Vec<&[u32]> = all.chunks(PIECE).collect();
    over(within, pieces.len(), |at| work(pieces.get(at).copied().unwrap_or_default()))
}

impl Plan {
    /// The rows of each level, those beside earlier days too, which have the same groups.
    pub(super) fn rows(
        &self,
        levels: &[usize],
        all: &[Joined],
        compared: &[Vec<Joined>],
        hidden: &[Vec<Hidden>],
        within: Within<'_>,
    ) -> Result<Rows> {
        let open = within.open(About::Measures, self);
        let whole = levels.iter().position(|level| *level == self.groups.len());
        let mut rows = Rows::new(self.groups.len());
        for (at, (level, joined)) in levels.iter().copied().zip(all).enumerate() {
            if level > 0 && !self.totals {
                continue;
            }
            let own = Level { at, level, joined, whole, all, compared, hidden };
            let order = joined.order();
            let parts = in_pieces(within, &order, |places| self.rows_at(own, places))?;
            let mut more = parts.iter().map(Rows::len).sum::<usize>();
            for part in parts {
                more -= part.len();
                rows.append(part, &[]);
                rows.reserve(more);
            }
        }
        let met = all.first().map_or(0, |joined| joined.grouped.keys.len() as u64);
        tell(open, met, rows.of_groups());
        Ok(rows)
    }

    /// The rows of the groups at some places.
    fn rows_at(&self, own: Level<'_>, places: &[u32]) -> Result<Rows> {
        let groups = &own.joined.grouped;
        let whole = own.whole.and_then(|at| own.all.get(at)).map(|joined| &joined.grouped);
        let mut places = places.to_vec();
        if let (0, Some(having)) = (own.level, &self.having) {
            let beyond = |TooLarge| Error::Overflow { what: "`having`".to_owned() };
            let of = Of { groups, places: &places, whole };
            let mut kept = self.having_of(having, of).map_err(beyond)?.into_iter();
            places.retain(|_| kept.next() == Some(Some(true)));
        }
        let of = Of { groups, places: &places, whole };
        let mut measures = Vec::with_capacity(self.measures.len() + self.beside.len());
        for measured in &self.measures {
            measures.push(self.figures(measured, of)?);
        }
        let mut rows = Rows::new(self.groups.len());
        rows.keys.reserve(places.len());
        for place in &places {
            rows.keys.push(groups.keys.get(*place as usize));
        }
        for (others, Compared { plan, assumed }) in own.compared.iter().zip(&self.compared) {
            let whole = own.whole.and_then(|at| others.get(at)).map(|joined| &joined.grouped);
            let Some(other) = others.get(own.at) else { continue };
            let place = |place: &u32| {
                let found = other.find(groups.keys.get(*place as usize));
                found.and_then(|found| u32::try_from(found).ok()).unwrap_or(u32::MAX)
            };
            let places: Vec<u32> = places.iter().map(place).collect();
            let of = Of { groups: &other.grouped, places: &places, whole };
            let now = measures.get(..self.measures.len()).unwrap_or_default();
            let beside = plan.beside(now, of, *assumed)?;
            measures.extend(beside);
        }
        rows.hidden = self.hidden_of(own, &places);
        for (figures, hidden) in measures.iter_mut().zip(&rows.hidden) {
            for (figure, _) in figures.iter_mut().zip(hidden).filter(|(_, hidden)| **hidden) {
                *figure = None;
            }
        }
        rows.levels = vec![own.level; places.len()];
        Ok(Rows { measures, ..rows })
    }

    /// Which figures of the measures of some groups are not told.
    fn hidden_of(&self, own: Level<'_>, places: &[u32]) -> Vec<Vec<bool>> {
        let (Some(level), Some(protection)) = (own.hidden.get(own.at), &self.protection) else {
            return Vec::new();
        };
        // The last level is that of all rows.
        let whole = own.hidden.last().and_then(|all| all.first()).copied().unwrap_or_default();
        let of = |measured: &Measured| {
            let hides = |place: &u32| {
                let own = level.get(*place as usize).copied().unwrap_or_default();
                protection.hides(&measured.formula, own, whole)
            };
            places.iter().map(hides).collect()
        };
        self.measures.iter().map(of).collect()
    }

    /// Of each measure that is a number: what it was, by how much it changed, and in percent; or,
    /// `assumed`, what it would be, and how that differs from now.
    fn beside(
        &self,
        now: &[Vec<Option<Figure>>],
        of: Of<'_>,
        assumed: bool,
    ) -> Result<Vec<Vec<Option<Figure>>>> {
        let mut found = Vec::new();
        for (measured, now) in self.measures.iter().zip(now) {
            if !matches!(measured.shape, Shape::Number(_)) {
                continue;
            }
            let beyond =
                |TooLarge| Error::Overflow { what: format!("measure `{}`", measured.name) };
            let others = self.scalars(measured, of)?;
            let (mut changes, mut percents) = (Vec::new(), Vec::new());
            for (now, other) in now.iter().zip(&others) {
                let now = now.as_ref().and_then(Figure::one);
                let (now, before) = if assumed { (*other, now) } else { (now, *other) };
                let (change, percent) = changed(now, before).map_err(beyond)?;
                changes.push(change.map(Figure::One));
                percents.push(percent.map(Figure::One));
            }
            let others = others.into_iter().map(|number| number.map(Figure::One)).collect();
            found.extend([others, changes, percents]);
        }
        Ok(found)
    }
}

/// By how much a number has changed, and by how many percent.
fn changed(
    now: Option<Number>,
    before: Option<Number>,
) -> std::result::Result<(Option<Number>, Option<Number>), TooLarge> {
    let change: Computed = match now.zip(before) {
        Some((now, before)) => operated(Arithmetic::Subtract, now, before),
        None => Ok(None),
    };
    let change = change?;
    if matches!(change, Some(Number::Exact(value)) if i64::try_from(value).is_err()) {
        return Err(TooLarge);
    }
    let percent: Computed = match change.zip(before) {
        Some((change, before)) => {
            operated(Arithmetic::Divide, Number::Float(change.float() * 100.0), before)
        }
        None => Ok(None),
    };
    Ok((change, percent?))
}
