//! Rows of one table in one segment, as dense bits: of all of the table, or of a window of it.
//!
//! Rows keep their numbers whatever the window, so that a question may be answered a window at a
//! time by the same code. Sets that meet are of one window.
//!
//! Invariant: bits of rows outside the window are zero, so that counts need no mask.

mod portable;

use std::ops::Range;

use roaring::RoaringBitmap;

use crate::lift::Bits;
use crate::words;

/// A set of rows of one table in one segment.
#[derive(Clone, PartialEq, Eq)]
pub struct RowSet {
    words: Vec<u64>,
    start: u32,
    end: u32,
}

impl std::fmt::Debug for RowSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RowSet({} of {}..{})", self.count(), self.start, self.end)
    }
}

/// Bits `from..to` of a word, `to` at most 64.
fn mask(from: u32, to: u32) -> u64 {
    let upper = if to >= 64 { u64::MAX } else { (1 << to) - 1 };
    upper & u64::MAX.checked_shl(from).unwrap_or(0)
}

impl RowSet {
    /// No row of a table of `len` rows.
    #[must_use]
    pub fn none(len: u32) -> Self {
        Self::none_in(0..len)
    }

    /// No row of a window of a table.
    #[must_use]
    pub fn none_in(window: Range<u32>) -> Self {
        let (start, end) = (window.start, window.end.max(window.start));
        let words = vec![0; (end.div_ceil(64) - start / 64) as usize];
        Self { words, start, end }
    }

    /// Every row of a table of `len` rows.
    #[must_use]
    pub fn all(len: u32) -> Self {
        Self::all_in(0..len)
    }

    /// Every row of a window of a table.
    #[must_use]
    pub fn all_in(window: Range<u32>) -> Self {
        let (start, end) = (window.start, window.end.max(window.start));
        let words = vec![u64::MAX; (end.div_ceil(64) - start / 64) as usize];
        let mut set = Self { words, start, end };
        set.trim();
        set
    }

    /// The rows of `rows` in a table of `len` rows; what lies beyond `len` is left out.
    #[must_use]
    pub fn range(len: u32, rows: Range<u32>) -> Self {
        let mut set = Self::none(len);
        set.insert_range(rows);
        set
    }

    /// The rows of a roaring bitmap in a table of `len` rows; what lies beyond `len` is left out.
    #[must_use]
    pub fn from_bitmap(len: u32, bitmap: &RoaringBitmap) -> Self {
        let mut set = Self::none(len);
        set.insert_bitmap(bitmap);
        set
    }

    /// The rows of the set that lie in a window.
    #[must_use]
    pub fn within(&self, window: Range<u32>) -> Self {
        let mut set = Self::none_in(window);
        let skipped = (set.start / 64).checked_sub(self.start / 64);
        let own = self.words.get(skipped.unwrap_or(0) as usize..).unwrap_or_default();
        let behind = (self.start / 64).saturating_sub(set.start / 64) as usize;
        let slots = set.words.get_mut(behind..).unwrap_or_default();
        slots.iter_mut().zip(own).for_each(|(slot, word)| *slot = *word);
        set.trim();
        set
    }

    /// The rows that the set may have.
    #[must_use]
    pub fn window(&self) -> Range<u32> {
        self.start..self.end
    }

    /// The number of the row of the lowest bit of the first word.
    fn base(&self) -> u32 {
        self.start - self.start % 64
    }

    /// Where the word of a row stands; behind all words where the window does not reach.
    fn place(&self, row: u32) -> usize {
        (row.wrapping_sub(self.base()) / 64) as usize
    }

    /// Adds the rows of a roaring bitmap.
    fn insert_bitmap(&mut self, bitmap: &RoaringBitmap) {
        let mut iter = bitmap.iter();
        while let Some(run) = iter.next_range() {
            let (start, end) = (*run.start(), *run.end());
            if start == end {
                self.insert(start);
            } else {
                self.insert_range(start..end.saturating_add(1));
            }
        }
    }

    /// How many rows the window has.
    #[must_use]
    pub fn len_rows(&self) -> u32 {
        self.end - self.start
    }

    /// Whether every row of the window is in the set.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.count() == u64::from(self.len_rows())
    }

    /// How many rows are in the set.
    #[must_use]
    pub fn count(&self) -> u64 {
        words::count(&self.words)
    }

    /// The rows that are in this set and in another of the same window.
    #[must_use]
    pub fn both(&self, other: &Self) -> Self {
        debug_assert_eq!(self.window(), other.window(), "sets of one window");
        let words = words::both(&self.words, &other.words);
        Self { words, start: self.start, end: self.end }
    }

    /// How many rows are in this set and in another.
    #[must_use]
    pub fn count_and(&self, other: &Self) -> u64 {
        debug_assert_eq!(self.window(), other.window(), "sets of one window");
        words::count_and(&self.words, &other.words)
    }

    /// Whether no row is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !words::any(&self.words)
    }

    /// Whether `row` is in the set.
    #[must_use]
    pub fn contains(&self, row: u32) -> bool {
        self.words.get(self.place(row)).is_some_and(|w| w >> (row % 64) & 1 == 1)
    }

    /// Adds `row`; nothing happens outside the window.
    pub fn insert(&mut self, row: u32) {
        let place = self.place(row);
        if self.window().contains(&row)
            && let Some(word) = self.words.get_mut(place)
        {
            *word |= 1 << (row % 64);
        }
    }

    /// Takes `row` out.
    pub fn remove(&mut self, row: u32) {
        let place = self.place(row);
        if let Some(word) = self.words.get_mut(place) {
            *word &= !(1 << (row % 64));
        }
    }

    /// Adds a range of rows; what lies outside the window is left out.
    pub fn insert_range(&mut self, rows: Range<u32>) {
        let (start, end) = (rows.start.max(self.start), rows.end.min(self.end));
        if start >= end {
            return;
        }
        let (first, last) = (self.place(start), self.place(end - 1));
        let Some(words) = self.words.get_mut(first..=last) else { return };
        let (head, tail) = (mask(start % 64, 64), mask(0, (end - 1) % 64 + 1));
        match words {
            [] => {}
            [only] => *only |= head & tail,
            [low, between @ .., high] => {
                *low |= head;
                between.fill(u64::MAX);
                *high |= tail;
            }
        }
    }

    /// Keeps the rows that are also in `other`.
    pub fn and(&mut self, other: &Self) {
        debug_assert_eq!(self.window(), other.window(), "sets of one window");
        words::and(&mut self.words, &other.words);
    }

    /// Adds the rows of `other`.
    pub fn or(&mut self, other: &Self) {
        debug_assert_eq!(self.window(), other.window(), "sets of one window");
        words::or(&mut self.words, &other.words);
    }

    /// Adds rows by their words, the first of which is that of `row`; those outside the window are
    /// left out.
    pub fn insert_words(&mut self, row: u32, words: &[u64]) {
        self.write(row, words);
        self.trim();
    }

    /// Adds the rows of a set of another window of the table; those outside of this window are
    /// left out.
    pub fn add(&mut self, other: &Self) {
        self.write(other.base(), &other.words);
        self.trim();
    }

    /// Takes the rows of `other` out.
    pub fn and_not(&mut self, other: &Self) {
        debug_assert_eq!(self.window(), other.window(), "sets of one window");
        words::and_not(&mut self.words, &other.words);
    }

    /// Every row that was not in the set, and none that was.
    pub fn invert(&mut self) {
        words::invert(&mut self.words);
        self.trim();
    }

    /// How many rows of `rows` are in the set.
    #[must_use]
    #[inline]
    pub fn count_range(&self, rows: Range<u32>) -> u64 {
        let rows = rows.start.max(self.start)..rows.end;
        let size = rows.end.wrapping_sub(rows.start);
        if size.wrapping_sub(1) >= 64 {
            return self.count_in_many(rows);
        }
        u64::from(self.few(rows.start, size).count_ones())
    }

    /// The bits of 1 to 64 rows from `start` on, the last of them the highest bit. No branch: who
    /// asks for the rows beneath row after row gets answers that nobody can foretell.
    #[inline]
    fn few(&self, start: u32, size: u32) -> u64 {
        // They lie in two words.
        let (place, shift) = (self.place(start), start % 64);
        let low = self.words.get(place).copied().unwrap_or(0) >> shift;
        let high = self.words.get(place + 1).copied().unwrap_or(0) << 1 << (63 - shift);
        (low | high) << (64u32.wrapping_sub(size) % 64)
    }

    fn count_in_many(&self, rows: Range<u32>) -> u64 {
        let end = rows.end.min(self.end);
        if rows.start >= end {
            return 0;
        }
        let (first, last) = (self.place(rows.start), self.place(end - 1));
        let (head, tail) = (mask(rows.start % 64, 64), mask(0, (end - 1) % 64 + 1));
        match self.words.get(first..=last) {
            None | Some([]) => 0,
            Some([only]) => u64::from((only & head & tail).count_ones()),
            Some([low, between @ .., high]) => {
                let edges = (low & head).count_ones() + (high & tail).count_ones();
                u64::from(edges) + words::count(between)
            }
        }
    }

    /// Whether any row of `rows` is in the set.
    #[must_use]
    #[inline]
    pub fn any_in(&self, rows: Range<u32>) -> bool {
        let rows = rows.start.max(self.start)..rows.end.max(self.start);
        let size = rows.end.wrapping_sub(rows.start);
        if size > 64 {
            return self.any_in_many(rows);
        }
        (self.few(rows.start, size) != 0) & (size != 0)
    }

    fn any_in_many(&self, rows: Range<u32>) -> bool {
        let end = rows.end.min(self.end);
        if rows.start >= end {
            return false;
        }
        let (first, last) = (self.place(rows.start), self.place(end - 1));
        let (head, tail) = (mask(rows.start % 64, 64), mask(0, (end - 1) % 64 + 1));
        match self.words.get(first..=last) {
            None | Some([]) => false,
            Some([only]) => only & head & tail != 0,
            Some([low, between @ .., high]) => {
                low & head != 0 || high & tail != 0 || between.iter().any(|&w| w != 0)
            }
        }
    }

    /// The last row of the set.
    pub(crate) fn last(&self) -> Option<u32> {
        let place = self.words.iter().rposition(|word| *word != 0)?;
        let word = self.words.get(place)?;
        let row = u32::try_from(place * 64).ok()?.checked_add(63 - word.leading_zeros())?;
        row.checked_add(self.base())
    }

    /// The rows of the set in rising order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().zip((self.base()..).step_by(64)).flat_map(|(&word, base)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                Some(base + bit)
            })
        })
    }

    /// The rows of the set in a range, in rising order.
    pub(crate) fn range_rows(&self, rows: Range<u32>) -> impl Iterator<Item = u32> + '_ {
        let mut at = rows.start.max(self.start);
        let end = rows.end.min(self.end);
        std::iter::from_fn(move || {
            let row = if at < end { self.next(at, false)? } else { return None };
            at = row.saturating_add(1);
            (row < end).then_some(row)
        })
    }

    /// The runs of neighbouring rows in rising order.
    pub fn runs(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        self.runs_in(self.window())
    }

    /// The runs of neighbouring rows of a range in rising order.
    pub fn runs_in(&self, rows: Range<u32>) -> impl Iterator<Item = Range<u32>> + '_ {
        let mut at = rows.start.max(self.start);
        let behind = rows.end.min(self.end);
        std::iter::from_fn(move || {
            let start = if at < behind { self.next(at, false)? } else { return None };
            at = self.next(start, true).unwrap_or(self.end).min(behind);
            (start < behind).then_some(start..at)
        })
    }

    /// The first row from `row` on that is in the set, or that is not.
    fn next(&self, row: u32, absent: bool) -> Option<u32> {
        let flip = if absent { u64::MAX } else { 0 };
        let words = self.words.get(self.place(row)..)?.iter().zip((row - row % 64..).step_by(64));
        let mut keep = mask(row % 64, 64);
        for (word, base) in words {
            let left = (word ^ flip) & keep;
            if left != 0 {
                return Some(base + left.trailing_zeros()).filter(|row| *row < self.end);
            }
            keep = u64::MAX;
        }
        None
    }

    /// Adds the rows of a bitmap in roaring's portable format, read where it lies; none when the
    /// bytes are not of that format. Rows beyond the table are left out.
    pub(crate) fn insert_portable(&mut self, bytes: &[u8]) -> Option<()> {
        debug_assert_eq!(self.base(), 0, "postings are of a whole table");
        portable::insert(bytes, self)?;
        self.trim();
        Some(())
    }

    /// The bits, 64 rows a word; the lowest bit of the first word is the row that the window
    /// begins at, or one up to 63 rows before it whose number is a multiple of 64.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The bits, to be written by a kernel; call [`RowSet::trim`] when bits outside the window
    /// may have been set.
    pub fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// The bits and where they begin.
    pub(crate) fn bits(&self) -> Bits<'_> {
        Bits { first: self.base(), words: &self.words }
    }

    /// Writes the words from the one of a row on; what the window does not reach is left out.
    pub(crate) fn write(&mut self, row: u32, words: &[u64]) {
        let row = row - row % 64;
        let skipped = self.base().saturating_sub(row) / 64;
        let words = words.get(skipped as usize..).unwrap_or_default();
        let place = (row.saturating_sub(self.base()) / 64) as usize;
        let slots = self.words.get_mut(place..).unwrap_or_default();
        slots.iter_mut().zip(words).for_each(|(slot, word)| *slot |= word);
    }

    /// Clears the bits outside the window.
    pub fn trim(&mut self) {
        if let Some(first) = self.words.first_mut() {
            *first &= mask(self.start % 64, 64);
        }
        if !self.end.is_multiple_of(64)
            && let Some(last) = self.words.last_mut()
        {
            *last &= mask(0, self.end % 64);
        }
    }

    /// The set as a roaring bitmap.
    #[must_use]
    pub fn to_bitmap(&self) -> RoaringBitmap {
        let mut bitmap = RoaringBitmap::new();
        for run in self.runs() {
            bitmap.insert_range(run);
        }
        bitmap
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn ranges_agree_with_single_rows() {
        for (start, end) in [(0, 0), (0, 1), (3, 64), (63, 65), (64, 128), (5, 200), (199, 400)] {
            let set = RowSet::range(200, start..end);
            let rows: Vec<u32> = (start..end.min(200)).collect();
            assert_eq!(set.iter().collect::<Vec<_>>(), rows, "{start}..{end}");
            for (a, b) in [(0, 200), (2, 70), (64, 64), (190, 300)] {
                let expected = rows.iter().filter(|r| (a..b).contains(*r)).count();
                assert_eq!(set.count_range(a..b), expected as u64, "{start}..{end} in {a}..{b}");
                assert_eq!(set.any_in(a..b), expected > 0);
            }
        }
    }

    #[test]
    fn any_range_is_asked_row_by_row() {
        let rows = [0, 5, 63, 64, 100, 127, 128, 191, 198];
        let mut set = RowSet::none(199);
        rows.iter().for_each(|row| set.insert(*row));
        for (start, end) in (0..270).flat_map(|start| (0..270).map(move |end| (start, end))) {
            let expected = rows.iter().any(|row| (start..end).contains(row));
            assert_eq!(set.any_in(start..end), expected, "{start}..{end}");
        }
    }

    #[test]
    fn runs_are_the_rows_they_hold() {
        for rows in [&[][..], &[(0, 1)], &[(0, 64), (65, 130)], &[(3, 7), (63, 65), (190, 200)]] {
            let rows: Vec<Range<u32>> = rows.iter().map(|(a, b)| *a..*b).collect();
            let mut set = RowSet::none(200);
            rows.iter().for_each(|run| set.insert_range(run.clone()));
            assert_eq!(set.runs().collect::<Vec<_>>(), rows);
        }
        assert_eq!(RowSet::all(64).runs().next(), Some(0..64));
    }

    #[test]
    fn inverting_stays_inside_the_table() {
        let mut set = RowSet::range(70, 0..10);
        set.invert();
        assert_eq!(set.count(), 60);
        assert_eq!(set.iter().last().unwrap(), 69);
        assert_eq!(RowSet::from_bitmap(70, &set.to_bitmap()), set);
    }
}
