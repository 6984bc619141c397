//! Groups: their keys in one list, their aggregates column by column, and how those of one piece
//! join those of others.
//!
//! The pieces of a thread rise, and with them most keys: a key is compared with the one that is
//! expected, then with the greatest. As long as keys can be told to rise, others are found by
//! halving; a new one between them is the end of that, and from then on a table of hashes tells.
//!
//! Invariants: a key stands once; places of groups never change.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hasher, RandomState};

use super::aggregate::Column;
use super::keys::Cell;
use crate::error::Result;
use crate::plan::Limits;

/// Keys of groups, one behind the other, each of so many cells.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Keys {
    width: usize,
    count: usize,
    cells: Vec<Cell>,
}

impl Keys {
    pub(super) const fn new(width: usize) -> Self {
        Self { width, count: 0, cells: Vec::new() }
    }

    /// Keys of one cell each.
    pub(super) fn single(cells: Vec<Cell>) -> Self {
        Self { width: 1, count: cells.len(), cells }
    }

    /// So many keys of no cells.
    pub(super) const fn nameless(count: usize) -> Self {
        Self { width: 0, count, cells: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// How many cells a key has.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The key at a place; none of its cells where there is no such place.
    pub(super) fn get(&self, at: usize) -> &[Cell] {
        let start = at.wrapping_mul(self.width);
        self.cells.get(start..start.wrapping_add(self.width)).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &[Cell]> + ExactSizeIterator {
        (0..self.count).map(|at| self.get(at))
    }

    /// Adds a key; cells that it lacks are those of a total.
    pub(super) fn push(&mut self, key: &[Cell]) {
        self.extend(key.iter().cloned());
    }

    /// As [`Keys::push`], cell by cell.
    pub(super) fn extend(&mut self, key: impl Iterator<Item = Cell>) {
        self.count += 1;
        self.cells.extend(key.take(self.width));
        self.cells.resize(self.count.saturating_mul(self.width), Cell::Total);
    }

    /// Makes room for more keys.
    pub(super) fn reserve(&mut self, more: usize) {
        self.cells.reserve(more.saturating_mul(self.width));
    }

    /// Adds all keys of another list, each behind some cells.
    pub(super) fn append(&mut self, mut other: Self, front: &[Cell]) {
        if front.is_empty() && other.width == self.width {
            self.count += other.count;
            self.cells.append(&mut other.cells);
            return;
        }
        self.reserve(other.count);
        for key in other.iter() {
            self.extend(front.iter().chain(key).cloned());
        }
    }
}

/// The groups of one set of rows of the answer, with their aggregates.
#[derive(Clone)]
pub(super) struct Grouped {
    pub(super) keys: Keys,
    pub(super) columns: Vec<Column>,
}

impl Grouped {
    /// How many values the groups have: keys, aggregates, and what is counted once.
    pub(super) fn cells(&self) -> u64 {
        (self.keys.len() as u64).saturating_mul(self.width()).saturating_add(self.listed())
    }

    /// How many values a group has beside its lists and sets.
    pub(super) fn width(&self) -> u64 {
        (self.keys.width() + self.columns.len()) as u64
    }

    /// How many values the lists and sets of the groups hold.
    pub(super) fn listed(&self) -> u64 {
        self.columns.iter().map(Column::listed).sum::<usize>() as u64
    }
}

/// Where no key stands in a table of hashes.
const NONE: u32 = u32::MAX;

/// Slots of a table of hashes at the least.
const SLOTS: usize = 64;

/// How keys are found.
#[derive(Debug)]
enum How {
    /// They stand in their order.
    Rising,
    /// The places of the keys in the order of keys.
    Ordered(Vec<u32>),
    /// By their hashes: places of keys, at most every second slot taken.
    Hashed { seed: u64, slots: Vec<u32> },
}

/// Where the keys of a list stand.
#[derive(Debug)]
pub(super) struct Index {
    /// The place of the key that is expected next: the one behind the last that was found.
    next: usize,
    how: How,
}

fn place_of(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NONE)
}

impl Index {
    pub(super) const fn new() -> Self {
        Self { next: 0, how: How::Rising }
    }

    /// The place of a key, new or old.
    pub(super) fn place(&mut self, keys: &mut Keys, key: &[Cell]) -> usize {
        let expected = self.next;
        let found = if expected < keys.len() && keys.get(expected) == key {
            expected
        } else {
            self.sought(keys, key)
        };
        self.next = found + 1;
        found
    }

    fn sought(&mut self, keys: &mut Keys, key: &[Cell]) -> usize {
        let new = keys.len();
        if !matches!(self.how, How::Hashed { .. }) {
            let last = new.checked_sub(1).map(|last| self.nth(last));
            match last.map(|last| (last, key.cmp(keys.get(last)))) {
                None | Some((_, Ordering::Greater)) => {
                    keys.push(key);
                    if let How::Ordered(order) = &mut self.how {
                        order.push(place_of(new));
                    }
                    return new;
                }
                Some((last, Ordering::Equal)) => return last,
                Some((_, Ordering::Less)) => {}
            }
        }
        if let Some(place) = self.find(keys, key) {
            return place;
        }
        self.hash(keys, new + 1);
        keys.push(key);
        if let How::Hashed { seed, slots } = &mut self.how {
            let slot = slot_of(slots, keys, key, *seed);
            if let Some(slot) = slots.get_mut(slot) {
                *slot = place_of(new);
            }
        }
        new
    }

    /// The place of a key that stands already.
    pub(super) fn find(&self, keys: &Keys, key: &[Cell]) -> Option<usize> {
        if let How::Hashed { seed, slots } = &self.how {
            let place = *slots.get(slot_of(slots, keys, key, *seed))?;
            return (place != NONE).then_some(place as usize);
        }
        let (mut low, mut high) = (0, keys.len());
        while low < high {
            let middle = low.midpoint(high);
            let place = self.nth(middle);
            match keys.get(place).cmp(key) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Some(place),
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The place of the key that is the nth in the order of keys, if they stand in an order.
    fn nth(&self, at: usize) -> usize {
        match &self.how {
            How::Ordered(order) => order.get(at).map_or(at, |place| *place as usize),
            How::Rising | How::Hashed { .. } => at,
        }
    }

    /// Makes room for so many keys in a table of hashes.
    fn hash(&mut self, keys: &Keys, count: usize) {
        let seed = match &self.how {
            How::Hashed { slots, .. } if count.saturating_mul(2) <= slots.len() => return,
            How::Hashed { seed, .. } => *seed,
            // Nobody who writes keys can know which of them meet in one slot.
            _ => RandomState::new().build_hasher().finish(),
        };
        let size = count.saturating_mul(4).next_power_of_two().max(SLOTS);
        let mut slots = vec![NONE; size];
        for (at, key) in keys.iter().enumerate() {
            let slot = slot_of(&slots, keys, key, seed);
            if let Some(slot) = slots.get_mut(slot) {
                *slot = place_of(at);
            }
        }
        self.how = How::Hashed { seed, slots };
    }

    /// The places of the keys in the order of keys.
    pub(super) fn order(&self, keys: &Keys) -> Vec<u32> {
        match &self.how {
            How::Ordered(order) => order.clone(),
            How::Rising => (0..place_of(keys.len())).collect(),
            How::Hashed { .. } => {
                let mut order: Vec<u32> = (0..place_of(keys.len())).collect();
                order.sort_by(|a, b| keys.get(*a as usize).cmp(keys.get(*b as usize)));
                order
            }
        }
    }

    /// The place of every key of another list, new or old: both in one pass where both rise.
    fn places(&mut self, keys: &mut Keys, other: &Keys, index: &Self) -> Vec<u32> {
        if matches!(self.how, How::Hashed { .. }) || matches!(index.how, How::Hashed { .. }) {
            return other.iter().map(|key| place_of(self.place(keys, key))).collect();
        }
        let (own, count) = (keys.len(), other.len());
        let (mut a, mut b) = (0, 0);
        let mut order = Vec::with_capacity(own + count);
        let mut into = vec![NONE; count];
        while a < own || b < count {
            let (mine, theirs) = (self.nth(a), index.nth(b));
            let which = match (a < own, b < count) {
                (true, true) => keys.get(mine).cmp(other.get(theirs)),
                (true, false) => Ordering::Less,
                (false, _) => Ordering::Greater,
            };
            let place = if which == Ordering::Greater {
                keys.push(other.get(theirs));
                keys.len() - 1
            } else {
                mine
            };
            order.push(place_of(place));
            a += usize::from(which != Ordering::Greater);
            if which != Ordering::Less {
                b += 1;
                if let Some(slot) = into.get_mut(theirs) {
                    *slot = place_of(place);
                }
            }
        }
        self.how = How::Ordered(order);
        into
    }
}

/// The slot of a key, or the free one where it belongs.
fn slot_of(slots: &[u32], keys: &Keys, key: &[Cell], seed: u64) -> usize {
    let mask = slots.len().wrapping_sub(1);
    let mut at = usize::try_from(hash_of(key, seed) >> 16).unwrap_or(0) & mask;
    // At most every second slot is taken.
    while slots.get(at).is_some_and(|place| *place != NONE && keys.get(*place as usize) != key) {
        at = (at + 1) & mask;
    }
    at
}

/// An odd number of bits without a pattern.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// A hash of a key.
fn hash_of(key: &[Cell], seed: u64) -> u64 {
    let mut state = seed;
    let mut add = |word: u64| {
        state = (state ^ word).wrapping_mul(FACTOR);
        state ^= state >> 32;
    };
    for cell in key {
        match cell {
            Cell::Int(value) => add(value.cast_unsigned()),
            Cell::Text(text) => {
                add(text.len() as u64);
                for chunk in text.as_bytes().chunks(8) {
                    let mut bytes = [0; 8];
                    bytes.iter_mut().zip(chunk).for_each(|(slot, byte)| *slot = *byte);
                    add(u64::from_le_bytes(bytes));
                }
            }
            Cell::Unknown => add(u64::MAX - 1),
            Cell::Total => add(u64::MAX - 2),
        }
    }
    state.wrapping_mul(FACTOR)
}

/// The groups that were met so far.
pub(super) struct Joined {
    pub(super) grouped: Grouped,
    index: Index,
}

impl Joined {
    /// No groups, of so many keys.
    pub(super) const fn new(width: usize, columns: Vec<Column>) -> Self {
        Self { grouped: Grouped { keys: Keys::new(width), columns }, index: Index::new() }
    }

    /// The place of a group, new or old.
    pub(super) fn place(&mut self, key: &[Cell]) -> usize {
        let place = self.index.place(&mut self.grouped.keys, key);
        self.grow();
        place
    }

    /// Columns have all groups.
    fn grow(&mut self) {
        let groups = self.grouped.keys.len();
        self.grouped.columns.iter_mut().for_each(|column| column.grow(groups));
    }

    /// The place of a group that was met.
    pub(super) fn find(&self, key: &[Cell]) -> Option<usize> {
        self.index.find(&self.grouped.keys, key)
    }

    /// The places of the groups in the order of their keys.
    pub(super) fn order(&self) -> Vec<u32> {
        self.index.order(&self.grouped.keys)
    }

    /// The places of some keys, new or old.
    pub(super) fn places(&mut self, other: &Keys) -> Vec<u32> {
        let (index, keys) = (&mut self.index, &mut self.grouped.keys);
        let places = other.iter().map(|key| place_of(index.place(keys, key))).collect();
        self.grow();
        places
    }

    /// Adds the groups of a piece.
    pub(super) fn join(&mut self, part: &mut Grouped, limits: &Limits) -> Result<()> {
        let into = self.places(&part.keys);
        self.add(&into, &mut part.columns);
        limits.groups_fit(self.grouped.keys.len())
    }

    /// Adds what another thread has met.
    pub(super) fn take(&mut self, mut other: Self, limits: &Limits) -> Result<()> {
        if self.grouped.keys.len() == 0 {
            *self = other;
            return Ok(());
        }
        let keys = &mut self.grouped.keys;
        let into = self.index.places(keys, &other.grouped.keys, &other.index);
        self.grow();
        self.add(&into, &mut other.grouped.columns);
        limits.groups_fit(self.grouped.keys.len())
    }

    /// Joins columns of groups whose places are known.
    pub(super) fn add(&mut self, into: &[u32], others: &mut [Column]) {
        for (column, other) in self.grouped.columns.iter_mut().zip(others) {
            column.join(into, other, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

    use std::collections::BTreeMap;

    use super::super::tests::Drawn;
    use super::*;

    impl Drawn {
        fn cell(&mut self, kinds: u64, values: u64) -> Cell {
            let value = self.below(values);
            match self.below(kinds) {
                0 | 1 => Cell::Int(value.cast_signed() - 3),
                2 => Cell::Unknown,
                3 => Cell::Total,
                _ => Cell::Text(
                    "a text of more bytes than one word".repeat(usize::try_from(value).unwrap()),
                ),
            }
        }
    }

    /// Groups with how many rows each has, and their sum.
    fn grouped(width: usize, groups: &[(Vec<Cell>, u64)]) -> Grouped {
        let mut keys = Keys::new(width);
        groups.iter().for_each(|(key, _)| keys.push(key));
        let counts = groups.iter().map(|(_, count)| *count).collect();
        let sums = groups.iter().map(|(_, count)| (i128::from(*count) * 7, *count)).collect();
        Grouped { keys, columns: vec![Column::Counts(counts), Column::Sums(sums)] }
    }

    fn nothing(width: usize) -> Joined {
        Joined::new(width, grouped(width, &[]).columns)
    }

    type Plain = BTreeMap<Vec<Cell>, u64>;

    /// What was joined is what a map has, in its order.
    fn same(joined: &Joined, plain: &Plain) {
        let order = joined.order();
        let keys: Vec<&[Cell]> =
            order.iter().map(|at| joined.grouped.keys.get(*at as usize)).collect();
        assert_eq!(keys, plain.keys().map(Vec::as_slice).collect::<Vec<_>>());
        let [Column::Counts(counts), Column::Sums(sums)] = joined.grouped.columns.as_slice() else {
            panic!("other columns")
        };
        assert_eq!((counts.len(), sums.len()), (plain.len(), plain.len()));
        for (at, (key, count)) in order.iter().zip(plain) {
            let place = *at as usize;
            assert_eq!(joined.find(key), Some(place));
            assert_eq!(counts.get(place), Some(count));
            assert_eq!(sums.get(place), Some(&(i128::from(*count) * 7, *count)));
        }
        assert_eq!(joined.find(&vec![Cell::Int(99); joined.grouped.keys.width()]), None);
    }

    fn add(joined: &mut Joined, plain: &mut Plain, groups: &[(Vec<Cell>, u64)]) {
        let width = joined.grouped.keys.width();
        joined.join(&mut grouped(width, groups), &Limits::default()).unwrap();
        for (key, count) in groups {
            *plain.entry(key.clone()).or_insert(0) += count;
        }
    }

    fn int(value: i64, count: u64) -> (Vec<Cell>, u64) {
        (vec![Cell::Int(value)], count)
    }

    #[test]
    fn keys_that_rise_need_no_table() {
        let (mut joined, mut plain) = (nothing(1), Plain::new());
        // A group goes on in the next piece; groups are met again; one is left out.
        for piece in [&[int(1, 3), int(4, 1)][..], &[int(4, 2), int(6, 9)], &[int(1, 1), int(6, 1)]]
        {
            add(&mut joined, &mut plain, piece);
        }
        assert!(matches!(joined.index.how, How::Rising));
        assert_eq!(joined.grouped.keys.iter().len(), 3);
        same(&joined, &plain);
    }

    #[test]
    fn keys_that_do_not_rise_are_found() {
        let (mut joined, mut plain) = (nothing(1), Plain::new());
        add(&mut joined, &mut plain, &[int(1, 3), (vec![Cell::Unknown], 5), int(4, 1)]);
        add(&mut joined, &mut plain, &[int(0, 3), (vec![Cell::Unknown], 5), int(4, 1)]);
        assert!(matches!(joined.index.how, How::Hashed { .. }));
        same(&joined, &plain);
    }

    #[test]
    fn two_threads_that_rise_stand_in_order() {
        let limits = Limits::default();
        let (mut plain, mut threads) = (Plain::new(), Vec::new());
        for thread in 0..3i64 {
            let mut own = nothing(1);
            for piece in 0..5 {
                let first = piece * 3 + thread;
                add(&mut own, &mut plain, &[int(first * 2, 1), int(first * 2 + 1, 2)]);
            }
            add(&mut own, &mut plain, &[int(40 + thread, 1), int(50, 1)]);
            threads.push(own);
        }
        let mut joined = nothing(1);
        threads.into_iter().for_each(|own| joined.take(own, &limits).unwrap());
        assert!(matches!(joined.index.how, How::Ordered(_)));
        same(&joined, &plain);
        // What comes later finds its place, too: behind all others, then between them.
        add(&mut joined, &mut plain, &[int(60, 1), int(61, 1)]);
        assert!(matches!(joined.index.how, How::Ordered(_)));
        same(&joined, &plain);
        add(&mut joined, &mut plain, &[int(45, 1)]);
        assert!(matches!(joined.index.how, How::Hashed { .. }));
        same(&joined, &plain);
    }

    #[test]
    fn drawn_groups_join_as_in_a_map() {
        let limits = Limits::default();
        let mut draw = Drawn(88_172_645_463_325_252);
        for round in 0..300 {
            let width = usize::try_from(draw.below(4)).unwrap();
            let (kinds, values, rising) = (1 + draw.below(5), 1 + draw.below(60), draw.below(2));
            let mut plain = Plain::new();
            let mut threads: Vec<Joined> = (0..=draw.below(3)).map(|_| nothing(width)).collect();
            for piece in 0..draw.below(20) {
                let mut own = Plain::new();
                for _ in 0..draw.below(30) {
                    let key = (0..width).map(|_| draw.cell(kinds, values)).collect();
                    own.insert(key, draw.below(1000));
                }
                let mut groups: Vec<(Vec<Cell>, u64)> = own.into_iter().collect();
                if rising == 0 {
                    groups.reverse();
                }
                let at = usize::try_from(piece).unwrap() % threads.len();
                add(threads.get_mut(at).unwrap(), &mut plain, &groups);
            }
            let mut joined = nothing(width);
            threads.into_iter().for_each(|own| joined.take(own, &limits).unwrap());
            if plain.is_empty() {
                assert_eq!(joined.grouped.keys.len(), 0, "{round}");
            } else if width > 0 {
                same(&joined, &plain);
            } else {
                assert_eq!(joined.grouped.keys.len(), 1, "{round}");
            }
        }
    }

    #[test]
    fn too_many_groups_are_refused() {
        let mut joined = nothing(1);
        let limits = Limits { groups: 2, ..Limits::default() };
        joined.join(&mut grouped(1, &[int(1, 1), int(2, 1)]), &limits).unwrap();
        assert!(joined.join(&mut grouped(1, &[int(0, 1)]), &limits).is_err());
    }
}
