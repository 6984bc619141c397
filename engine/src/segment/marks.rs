//! The marks of a row, that is its codes and which of them are known, and conditions as sums of
//! counts of two marks.
//!
//! Invariant: the numbers of marks are those of the format, whatever is asked.

use crate::limits::{PAIR_CODES_MAX, PAIR_MARKS_MAX};
use crate::predicate::Predicate;
use crate::schema::{Kind, Schema};

const _: () = assert!(PAIR_MARKS_MAX <= 128, "the marks of a row are the bits of a number");

/// Every row has this mark.
pub(super) const EVERY: usize = 0;

/// The marks of a column: first that its value is known, then its codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) column: usize,
    pub(super) first: usize,
    pub(super) codes: usize,
    /// A row may have several.
    pub(super) set: bool,
}

/// What is counted of the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub(super) columns: Vec<Marks>,
    pub(super) marks: usize,
}

/// A condition as a sum of counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairSum(pub(super) Vec<Term>);

/// How many times a pair is added, its place, and the bits of its two marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) times: i64,
    pub(super) place: usize,
    pub(super) marks: u128,
}

/// What a condition adds up: marks, each so many times.
type Factor = Vec<(i64, usize)>;

/// The bit of a mark.
fn bit(mark: usize) -> u128 {
    u32::try_from(mark).ok().and_then(|mark| 1u128.checked_shl(mark)).unwrap_or(0)
}

/// The place of a pair.
pub(super) fn place(one: usize, other: usize) -> usize {
    let (low, high) = (one.min(other), one.max(other));
    high * (high + 1) / 2 + low
}

/// What is asked of the rows of a column, all of it together.
struct Asked<'m> {
    marks: &'m Marks,
    /// Of a column of one code: the codes that are let through, and whether none is.
    codes: u64,
    unknown: bool,
    /// Of a set: the codes that it must have, and those that it must not.
    has: u64,
    lacks: u64,
}

impl Marks {
    /// A bit for each code.
    fn all(&self) -> u64 {
        u64::MAX >> (64 - self.codes.clamp(1, 64))
    }

    /// The codes that a predicate of a column of one code lets through, and whether it lets
    /// through that there is none.
    fn single(&self, predicate: &Predicate) -> Option<(u64, bool)> {
        let of = |holds: &dyn Fn(i64) -> bool| {
            let codes = (0..self.codes).zip(0i64..);
            codes.fold(0, |found, (bit, code)| found | u64::from(holds(code)) << bit)
        };
        Some(match predicate {
            Predicate::Known => (self.all(), false),
            Predicate::Unknown => (0, true),
            Predicate::Range { min, max } => (of(&|code| (*min..=*max).contains(&code)), false),
            Predicate::In(list) => (of(&|code| list.contains(&code)), false),
            _ => return None,
        })
    }

    /// The mark of a code.
    fn code(&self, code: usize) -> usize {
        self.first + 1 + code
    }
}

impl Asked<'_> {
    /// Asks one thing more; none where that is more than marks tell.
    fn and(&mut self, predicate: &Predicate) -> Option<()> {
        if !self.marks.set {
            let (codes, unknown) = self.marks.single(predicate)?;
            (self.codes, self.unknown) = (self.codes & codes, self.unknown && unknown);
            return Some(());
        }
        match predicate {
            Predicate::Unknown => self.codes = 0,
            Predicate::Known => self.unknown = false,
            Predicate::HasAny(0) => (self.codes, self.unknown) = (0, false),
            Predicate::HasAny(bits) if bits.count_ones() > 1 => return None,
            Predicate::HasAny(bits) | Predicate::HasAll(bits) => {
                (self.has, self.unknown) = (self.has | bits, false);
            }
            Predicate::HasNone(bits) => {
                (self.lacks, self.unknown) = (self.lacks | bits, false);
            }
            _ => return None,
        }
        let inside = (self.has | self.lacks) & !self.marks.all() == 0;
        inside.then_some(())
    }

    /// What the rows add up: factors, of which a row has all.
    fn factors(&self, found: &mut Vec<Factor>) {
        let known = (1, self.marks.first);
        let each = |bits: u64| (0..self.marks.codes).filter(move |code| bits >> code & 1 == 1);
        let code = |code: usize| self.marks.code(code);
        if self.codes == 0 || self.has & self.lacks != 0 {
            let unknown = vec![(1, EVERY), (-1, self.marks.first)];
            found.push(if self.unknown { unknown } else { Vec::new() });
        } else if self.unknown {
            // Of a column of one code: what is not let through is taken away.
            let others = each(!self.codes).map(|other| (-1, code(other)));
            found.push(std::iter::once((1, EVERY)).chain(others).collect());
        } else if self.codes != self.marks.all() {
            found.push(each(self.codes).map(|own| (1, code(own))).collect());
        } else if self.has | self.lacks == 0 {
            found.push(vec![known]);
        } else {
            found.extend(each(self.has).map(|own| vec![(1, code(own))]));
            found.extend(each(self.lacks).map(|own| vec![known, (-1, code(own))]));
        }
    }
}

impl Counted {
    /// What is counted of a table: its indexed columns of flags, codes and sets of codes, the first
    /// ones that fit.
    #[must_use]
    pub fn new(schema: &Schema, table: usize) -> Self {
        let (mut columns, mut marks) = (Vec::new(), EVERY + 1);
        let declared = schema.tables.get(table).map(|table| table.columns.as_slice());
        for (column, declared) in declared.unwrap_or_default().iter().enumerate() {
            let list = declared.list.and_then(|list| schema.lists.get(list));
            let codes = match declared.kind {
                Kind::Flag => 2,
                Kind::Code | Kind::Codes => list.map_or(0, |list| list.codes.len()),
                _ => 0,
            };
            let fits = (1..=PAIR_CODES_MAX).contains(&codes) && marks + codes < PAIR_MARKS_MAX;
            if declared.index && fits {
                let set = declared.kind == Kind::Codes;
                columns.push(Marks { column, first: marks, codes, set });
                marks += 1 + codes;
            }
        }
        Self { columns, marks }
    }

    /// The columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().map(|marks| marks.column)
    }

    /// The marks of a row with a known value in a column, a bit each.
    pub(super) fn marks(&self, column: usize, value: i64) -> u128 {
        let Some(marks) = self.columns.iter().find(|own| own.column == column) else { return 0 };
        let has = |code: usize| match marks.set {
            true => value >> code.min(63) & 1 == 1,
            false => usize::try_from(value) == Ok(code),
        };
        let own = (0..marks.codes).filter(|code| has(*code)).map(|code| bit(marks.code(code)));
        own.fold(bit(marks.first), |all, own| all | own)
    }

    /// Whether a row may have several codes of a column.
    pub(super) fn is_set(&self, column: usize) -> bool {
        self.columns.iter().any(|own| own.column == column && own.set)
    }

    /// The marks that a row must have that has some codes of a column and lacks others, and those
    /// that it must not have; none where they are not counted.
    pub(super) fn wanted(&self, column: usize, (all, none): (u64, u64)) -> Option<(u128, u128)> {
        let marks = self.columns.iter().find(|own| own.column == column)?;
        let of = |bits: u64| {
            let own = (0..marks.codes).filter(|code| bits >> code & 1 == 1);
            own.fold(0, |found, code| found | bit(marks.code(code)))
        };
        let inside = (all | none) & !marks.all() == 0;
        inside.then(|| (of(all) | bit(marks.first), of(none)))
    }

    /// How many pairs there are, that of a mark with itself among them.
    pub(super) fn pairs(&self) -> usize {
        self.marks * (self.marks + 1) / 2
    }

    /// How many rows satisfy conditions on columns of the table, all of them, as a sum of counts;
    /// none where two codes do not tell it.
    #[must_use]
    pub fn sum(&self, conditions: &[(usize, &Predicate)]) -> Option<PairSum> {
        let mut asked: Vec<Asked<'_>> = Vec::new();
        for (column, predicate) in conditions {
            match asked.iter_mut().find(|own| own.marks.column == *column) {
                Some(own) => own.and(predicate)?,
                None => {
                    let marks = self.columns.iter().find(|marks| marks.column == *column)?;
                    let (codes, unknown) = (marks.all(), true);
                    let mut own = Asked { marks, codes, unknown, has: 0, lacks: 0 };
                    own.and(predicate)?;
                    asked.push(own);
                }
            }
        }
        let mut own: Vec<Factor> = Vec::new();
        asked.iter().for_each(|asked| asked.factors(&mut own));
        if own.iter().any(Vec::is_empty) {
            return Some(PairSum(Vec::new()));
        }
        own.retain(|factor| factor.as_slice() != [(1, EVERY)]);
        let every = vec![(1, EVERY)];
        let (one, other) = match own.as_slice() {
            [] => (&every, &every),
            [one] => (one, &every),
            [one, other] => (one, other),
            _ => return None,
        };
        let with = |(times, mark): &(i64, usize)| {
            let own = other.iter();
            let term = |(more, other): &(i64, usize)| {
                let marks = bit(*mark) | bit(*other);
                Term { times: times * more, place: place(*mark, *other), marks }
            };
            own.map(term).collect::<Vec<_>>()
        };
        Some(PairSum(one.iter().flat_map(with).collect()))
    }
}
