//! The changes of a single value that turn a clause: of a flag its other value, of a code the
//! codes, of a number, a day, a month and a count of rows the nearest.
//!
//! Invariant: an offered change was applied and turned the clause, and no nearer number does. The
//! search looks at ranges first ([`Reach`]) and leaves out those in which nothing turns.

use yiku::schema::Kind;
use yiku::{Schema, calendar};

use super::reach::{Reach, Varied};
use super::rows::Cell;
use super::scalar::{Read, Scalar};
use super::shown::{cell_path, cell_text, decimal};
use super::told::Change;
use crate::bound::Condition;
use crate::check::digits_range;
use crate::error::{Error, Result};

/// Values of a clause whose changes are looked for.
const CELLS_MAX: usize = 64;
/// Changes that are offered of one clause.
const CHANGES_MAX: usize = 16;
/// Conditions and values that are computed to find the change of one value.
const CELL_STEPS_MAX: u64 = 100_000;
/// Codes of a list that are tried, and that are named.
const CODES_MAX: usize = 1_024;
const CODES_NAMED: usize = 8;
/// The greatest count that is offered.
const COUNT_MAX: i64 = 10_000;
/// The first and the last year of a day that is offered.
const YEARS: (i64, i64) = (0, 9_999);

/// A clause that was answered for a row, and what may turn it.
pub(super) struct Turned<'a, 'b> {
    pub(super) scalar: &'b Scalar<'a>,
    pub(super) condition: &'b Condition,
    pub(super) row: usize,
    pub(super) outcome: bool,
    /// Texts and codes of places that the clause names.
    pub(super) texts: &'b [String],
    /// What it counts beneath the row, if that is all that it asks of them: text and count.
    pub(super) counted: Option<(&'b str, &'b Varied, i64)>,
}

/// What a search for the nearest ended with.
enum Sought {
    At(i64),
    Nowhere,
}

impl Turned<'_, '_> {
    /// The changes that turn the clause, among the values that it read. A search that spends its
    /// steps finds nothing.
    pub(super) fn changes(&self, read: &[Read]) -> Result<Vec<Change>> {
        let mut found = Vec::new();
        for read in read.iter().take(CELLS_MAX) {
            let scalar = &self.scalar.capped(CELL_STEPS_MAX);
            match (Turned { scalar, ..*self }).of_cell(*read) {
                Ok(change) => found.extend(change),
                Err(Error::Limit { .. }) => {}
                Err(error) => return Err(error),
            }
            if found.len() >= CHANGES_MAX {
                break;
            }
        }
        if let Some((text, varied, now)) = self.counted {
            let scalar = &self.scalar.capped(CELL_STEPS_MAX);
            match (Turned { scalar, ..*self }).nearest(varied, now, (0, COUNT_MAX)) {
                Ok(Sought::At(to)) => found.push(Change {
                    path: text.to_owned(),
                    now: Some(now.to_string()),
                    to: vec![to.to_string()],
                    by: Some(format!("{:+}", to - now)),
                }),
                Ok(Sought::Nowhere) | Err(Error::Limit { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    fn schema(&self) -> &Schema {
        self.scalar.schema()
    }

    /// Whether the clause turns with another value in a place.
    fn turns(&self, read: Read, cell: Cell) -> Result<bool> {
        match self.scalar.with(read, cell).truth(self.condition, self.row) {
            Ok(truth) => Ok(truth == Some(!self.outcome)),
            Err(Error::Overflow { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn of_cell(&self, read: Read) -> Result<Option<Change>> {
        let (table, column, row) = read;
        let declared = self.schema().tables.get(table).and_then(|t| t.columns.get(column));
        let Some(declared) = declared else { return Ok(None) };
        let cell = self.scalar.rows().cell(table, row, column);
        let codes = declared.list.and_then(|list| self.schema().lists.get(list));
        let codes = codes.map_or(0, |list| list.codes.len());
        match (declared.kind, cell) {
            (Kind::Flag, _) => self.one_of(read, &[Cell::Int(1), Cell::Int(0)]),
            (Kind::Code, _) => {
                let all = (0i64..).take(codes.min(CODES_MAX)).map(Cell::Int);
                self.one_of(read, &all.collect::<Vec<_>>())
            }
            (Kind::Codes, Some(Cell::Int(bits))) => self.of_set(read, *bits, codes),
            (Kind::Text | Kind::Id, _) => {
                // An empty text says that it is unknown.
                let told = self.texts.iter().filter(|text| !text.trim().is_empty());
                let all = told.cloned().map(Cell::Text);
                self.one_of(read, &all.collect::<Vec<_>>())
            }
            (Kind::Path, _) => {
                let path = &self.schema().path;
                let code = |text: &String| i64::try_from(digits_range(path, text)?.0).ok();
                let all = self.texts.iter().filter_map(code).map(Cell::Int);
                self.one_of(read, &all.collect::<Vec<_>>())
            }
            (kind, Some(Cell::Int(now))) => self.of_number(read, kind, *now),
            _ => Ok(None),
        }
    }

    /// Those of some values that turn the clause.
    fn one_of(&self, read: Read, all: &[Cell]) -> Result<Option<Change>> {
        let (table, column, row) = read;
        let now = self.scalar.rows().cell(table, row, column);
        let mut to = Vec::new();
        for cell in all.iter().filter(|cell| Some(*cell) != now) {
            if self.turns(read, cell.clone())? {
                to.push(cell_text(self.schema(), (table, column), cell));
            }
            if to.len() == CODES_NAMED {
                break;
            }
        }
        to.dedup();
        Ok(self.change(read, to, None))
    }

    /// The codes that turn the clause where they join or leave a set.
    fn of_set(&self, read: Read, bits: i64, codes: usize) -> Result<Option<Change>> {
        let (table, column, _) = read;
        let mut to = Vec::new();
        for place in 0..codes.min(63) {
            let one = 1i64 << place;
            if self.turns(read, Cell::Int(bits ^ one))? && to.len() < CODES_NAMED {
                let name = cell_text(self.schema(), (table, column), &Cell::Int(one));
                let sign = if bits & one == 0 { '+' } else { '-' };
                to.push(format!("{sign}{}", name.trim_matches(['(', ')'])));
            }
        }
        Ok(self.change(read, to, None))
    }

    fn of_number(&self, read: Read, kind: Kind, now: i64) -> Result<Option<Change>> {
        let ends = match kind {
            Kind::Date => (
                calendar::days(YEARS.0, 1, 1).unwrap_or(0),
                calendar::days(YEARS.1, 12, 31).unwrap_or(0),
            ),
            Kind::Month => (YEARS.0 * 12, YEARS.1 * 12 + 11),
            _ => (-i64::MAX, i64::MAX),
        };
        let to = match self.nearest(&Varied::Cell(read), now, ends)? {
            Sought::At(to) => to,
            Sought::Nowhere => return Ok(None),
        };
        let far = i128::from(to) - i128::from(now);
        let many = |word: &str| {
            let end = if far.abs() == 1 { "" } else { "s" };
            format!("{far:+} {word}{end}")
        };
        let by = match kind {
            Kind::Date => many("day"),
            Kind::Month => many("month"),
            Kind::Money if far > 0 => format!("+{}", decimal(far, 2, 2)),
            Kind::Money => decimal(far, 2, 2),
            _ => format!("{far:+}"),
        };
        let text = cell_text(self.schema(), (read.0, read.1), &Cell::Int(to));
        Ok(self.change(read, vec![text], Some(by)))
    }

    fn change(&self, read: Read, to: Vec<String>, by: Option<String>) -> Option<Change> {
        if to.is_empty() {
            return None;
        }
        let (table, column, row) = read;
        let now = self.scalar.rows().cell(table, row, column);
        Some(Change {
            path: cell_path(self.schema(), self.scalar.rows(), read),
            now: now.map(|cell| cell_text(self.schema(), (table, column), cell)),
            to,
            by,
        })
    }

    /// The nearest number that turns the clause; of two that are as near the lesser.
    fn nearest(&self, varied: &Varied, now: i64, (least, most): (i64, i64)) -> Result<Sought> {
        let ahead = |far: i64| now.saturating_add(far).min(most);
        let back = |far: i64| now.saturating_sub(far).max(least);
        let mut done = 0;
        // Twice as far with every step, to both sides.
        loop {
            let end = if done == 0 { 1 } else { i64::saturating_mul(done, 2) };
            let mut nearer: Option<i64> = None;
            for (from, to, rising) in [
                (back(end), back(done).saturating_sub(1), false),
                (ahead(done).saturating_add(1), ahead(end), true),
            ] {
                // An end that was reached before is no range any more.
                if let Sought::At(at) = self.first(varied, (from, to), rising)? {
                    let nearest = nearer.is_none_or(|n| at.abs_diff(now) < n.abs_diff(now));
                    nearer = if nearest { Some(at) } else { nearer };
                }
            }
            if let Some(found) = nearer {
                return Ok(Sought::At(found));
            }
            if end == i64::MAX || (back(end) == least && ahead(end) == most) {
                return Ok(Sought::Nowhere);
            }
            done = end;
        }
    }

    /// The first number of a range that turns the clause, from its low end or from its high one.
    fn first(&self, varied: &Varied, (low, high): (i64, i64), rising: bool) -> Result<Sought> {
        if low > high {
            return Ok(Sought::Nowhere);
        }
        let reach = Reach { scalar: self.scalar, varied, low, high };
        let truths = reach.truth(self.condition, self.row)?;
        if !truths.may(Some(!self.outcome)) {
            return Ok(Sought::Nowhere);
        }
        if low == high {
            let turns = match varied {
                Varied::Cell(read) => self.turns(*read, Cell::Int(low))?,
                Varied::Count { .. } => truths.is(Some(!self.outcome)),
            };
            return Ok(if turns { Sought::At(low) } else { Sought::Nowhere });
        }
        // Rounded down, below zero too.
        let middle = (low >> 1) + (high >> 1) + (low & high & 1);
        let halves = [(low, middle), (middle + 1, high)];
        let [first, second] = if rising { halves } else { [halves[1], halves[0]] };
        match self.first(varied, first, rising)? {
            Sought::At(found) => Ok(Sought::At(found)),
            Sought::Nowhere => self.first(varied, second, rising),
        }
    }
}
