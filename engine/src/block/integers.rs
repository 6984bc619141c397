//! A block of integers: the lightest of constant, runs, packed, dictionary and planes.
//!
//! Invariant: what is chosen depends on the values alone, so the same rows give the same bytes.
//! A row that is not known takes the value of the known row before it, or it has no value in the
//! frame and is given some value when it is read.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "offsets are arithmetic modulo 2^64; rows and runs of a block fit u32"
)]

use std::ops::Range;

use super::gathered::Integers;
use super::packed::{self, bits_for, pack, packed_fits};
use super::places::{self, Places};
use super::planes::{self, Planes};
use super::{BlockToc, FrameSink, container};
use crate::format::Encoding;
use crate::limits::BLOCK_ROWS;
use crate::unfolded::Unfolded;
use crate::words;

/// Values of a dictionary that are spread wider than a block has rows, at most.
const SPREAD_VALUES_MAX: usize = 4_096;
/// Slots in which such values are found; a power of two.
const SPREAD_SLOTS: usize = SPREAD_VALUES_MAX * 2;
/// Packed values of up to this many bits are tried as planes although nobody asked for an index.
const PLANES_TRIED_BITS: u8 = 8;
/// Where at most three rows of four are known, it is tried to write those alone.
const KNOWN_TRIED: (u32, u32) = (3, 4);
/// Bytes of the end of a run.
const RUN_END_BYTES: usize = 2;

/// Rows up to so many are read one by one.
const FEW_ROWS: usize = 16;

/// What a column asks of the encoding of its blocks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Style {
    /// The values are sets of bits.
    pub set: bool,
    /// Conditions on the values are to be answered from bitmaps.
    pub index: bool,
}

/// Gives every unknown row the value before it, those before the first known that one's.
fn settle(values: &mut Integers) {
    let count: u32 = values.known.iter().map(|word| word.count_ones()).sum();
    if count as usize == values.values.len() {
        return;
    }
    let is_known = |row: usize| values.known[row / 64] >> (row % 64) & 1 == 1;
    let first = (0..values.values.len()).find(|row| is_known(*row));
    let mut held = first.map_or(0, |row| values.values[row]);
    for row in 0..values.values.len() {
        if is_known(row) {
            held = values.values[row];
        }
        values.values[row] = held;
    }
}

/// Where a value is looked for among slots.
fn slot(value: i64) -> usize {
    (value as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) as usize >> 32 & (SPREAD_SLOTS - 1)
}

/// The distinct values, rising, where there are few enough for a dictionary.
fn distinct(values: &[i64], min: i64, max: i64) -> Option<Vec<i64>> {
    let span = max.wrapping_sub(min) as u64;
    if span < u64::from(BLOCK_ROWS) {
        let mut seen = vec![0u64; span as usize / 64 + 1];
        for value in values {
            let at = value.wrapping_sub(min) as usize;
            seen[at / 64] |= 1 << (at % 64);
        }
        let found = container::rows(&seen).map(|at| min.wrapping_add(i64::from(at)));
        return Some(found.collect());
    }
    // An empty slot holds the least value, which is found without one.
    let mut slots = [min; SPREAD_SLOTS];
    let mut found = vec![min];
    for value in values {
        let mut at = slot(*value);
        while slots[at] != *value && slots[at] != min {
            at = (at + 1) % SPREAD_SLOTS;
        }
        if slots[at] != *value {
            if found.len() == SPREAD_VALUES_MAX {
                return None;
            }
            slots[at] = *value;
            found.push(*value);
        }
    }
    found.sort_unstable();
    Some(found)
}

/// The place of every value in a dictionary that has it.
fn codes(values: &[i64], list: &[i64]) -> Vec<u64> {
    let (min, max) = (list.first().copied().unwrap_or(0), list.last().copied().unwrap_or(0));
    let span = max.wrapping_sub(min) as u64;
    if span < u64::from(BLOCK_ROWS) {
        let mut places = vec![0u64; span as usize + 1];
        for (place, value) in (0u64..).zip(list) {
            places[value.wrapping_sub(min) as usize] = place;
        }
        return values.iter().map(|value| places[value.wrapping_sub(min) as usize]).collect();
    }
    let mut slots = [(0, u64::MAX); SPREAD_SLOTS];
    for (place, value) in (0u64..).zip(list) {
        let mut at = slot(*value);
        while slots[at].1 != u64::MAX {
            at = (at + 1) % SPREAD_SLOTS;
        }
        slots[at] = (*value, place);
    }
    let place = |value: &i64| {
        let mut at = slot(*value);
        while slots[at].0 != *value {
            at = (at + 1) % SPREAD_SLOTS;
        }
        slots[at].1
    };
    values.iter().map(place).collect()
}

/// A block under construction.
struct Draft<'a> {
    values: &'a [i64],
    known: &'a [u64],
    base: i64,
    bits: u8,
    runs: usize,
}

/// A way to write a block: how many bytes it takes, and what is at hand for it.
struct Way {
    size: usize,
    encoding: Encoding,
    list: Vec<i64>,
    frame: Vec<u8>,
}

impl Draft<'_> {
    fn offsets(&self) -> impl Iterator<Item = u64> {
        self.values.iter().map(|value| value.wrapping_sub(self.base) as u64)
    }

    fn planes(&self, numbers: &[u64], bits: u8) -> Vec<u8> {
        let rows = self.values.len() as u32;
        planes::write(planes::transposed(numbers, self.known, bits), rows, self.known)
    }

    /// The lightest way; of equal ones the first of runs, packed or planes, dictionary.
    fn lightest(&self, style: Style, (min, max): (i64, i64)) -> Way {
        let (rows, bits) = (self.values.len(), usize::from(self.bits));
        let way = |size, encoding| Way { size, encoding, list: Vec::new(), frame: Vec::new() };
        let mut ways = vec![way(self.runs * (RUN_END_BYTES * 8 + bits) / 8, Encoding::Runs)];
        if !style.index {
            ways.push(way(rows * bits / 8, Encoding::Packed));
        }
        let enough = |ways: &[Way]| ways.iter().map(|way| way.size).min().unwrap_or(usize::MAX);
        if style.index || self.bits <= PLANES_TRIED_BITS {
            let frame = self.planes(&self.offsets().collect::<Vec<_>>(), self.bits);
            // A plane costs more to read than packed numbers: it has to save something.
            if style.index || frame.len() * 4 < enough(&ways) * 3 {
                let (size, list) = (frame.len(), Vec::new());
                ways.push(Way { size, encoding: Encoding::Planes, list, frame });
            }
        }
        let list = if bits > 1 && !style.set { distinct(self.values, min, max) } else { None };
        if let Some(list) = list {
            let code_bits = bits_for(list.len() as u64 - 1);
            let beside = list.len() * bits / 8;
            let packed = rows * usize::from(code_bits) / 8 + beside;
            if style.index && code_bits < self.bits && beside < enough(&ways) {
                let frame = self.planes(&codes(self.values, &list), code_bits);
                let size = frame.len() + beside;
                ways.push(Way { size, encoding: Encoding::ListPlanes, list, frame });
            } else if !style.index && packed < enough(&ways) {
                let frame = Vec::new();
                ways.push(Way { size: packed, encoding: Encoding::ListPacked, list, frame });
            }
        }
        let lightest = ways.into_iter().min_by_key(|way| way.size);
        lightest.unwrap_or_else(|| way(0, Encoding::Packed))
    }

    fn write(&self, sink: &mut FrameSink, way: Way, toc: &mut BlockToc) {
        let list_bits = bits_for((way.list.len() as u64).saturating_sub(1));
        toc.distinct = way.list.len() as u32;
        match way.encoding {
            Encoding::Runs => {
                let next = self.values.iter().skip(1).map(Some).chain([None]);
                let ends = self.values.iter().zip(next).enumerate();
                let ends = ends.filter(|(_, (value, next))| Some(*value) != *next);
                let (mut rows, mut values) = (Vec::new(), Vec::new());
                for (row, (value, _)) in ends {
                    rows.extend((row as u16).to_le_bytes());
                    values.push(value.wrapping_sub(self.base) as u64);
                }
                toc.distinct = values.len() as u32;
                let packed = pack(values.iter().copied(), values.len(), self.bits);
                toc.frame = Some(sink.put(&packed));
                toc.beside = Some(sink.put(&rows));
            }
            Encoding::ListPacked => {
                let codes = codes(self.values, &way.list);
                toc.frame = Some(sink.put(&pack(codes.into_iter(), self.values.len(), list_bits)));
            }
            Encoding::Planes | Encoding::ListPlanes => toc.frame = Some(sink.put(&way.frame)),
            _ => toc.frame = Some(sink.put(&pack(self.offsets(), self.values.len(), self.bits))),
        }
        if matches!(way.encoding, Encoding::ListPacked | Encoding::ListPlanes) {
            let list = way.list.iter().map(|value| value.wrapping_sub(self.base) as u64);
            toc.beside = Some(sink.put(&pack(list, way.list.len(), self.bits)));
        }
        toc.encoding = way.encoding as u8;
    }
}

/// Writes one block.
pub(crate) fn encode(sink: &mut FrameSink, block: &mut Integers, style: Style) -> BlockToc {
    let rows = block.values.len() as u32;
    let count: u32 = block.known.iter().map(|word| word.count_ones()).sum();
    settle(block);
    let min = block.values.iter().copied().min().unwrap_or(0);
    let max = block.values.iter().copied().max().unwrap_or(0);
    // The bits of a set are its codes only without a base.
    let base = if style.set && min != max && min >= 0 { 0 } else { min };
    let known_bits = sink.put_known(&block.known, rows, count);
    let mut toc =
        BlockToc { rows, known: count, min, max, base, known_bits, ..BlockToc::default() };
    if min == max {
        return toc;
    }
    toc.bits = bits_for(max.wrapping_sub(base) as u64);
    let runs = 1 + block.values.windows(2).filter(|two| two[0] != two[1]).count();
    let (values, known) = (&block.values, &block.known);
    let draft = Draft { values, known, base, bits: toc.bits, runs };
    let way = draft.lightest(style, (min, max));
    if count * KNOWN_TRIED.1 <= rows * KNOWN_TRIED.0 {
        let is_known = |row: &usize| known[row / 64] >> (row % 64) & 1 == 1;
        let values: Vec<i64> = (0..values.len()).filter(is_known).map(|row| values[row]).collect();
        let mut known = vec![u64::MAX; values.len().div_ceil(64)];
        container::trim(&mut known, count);
        let runs = values.len();
        let alone = Draft { values: &values, known: &known, runs, ..draft };
        let own = alone.lightest(style, (min, max));
        // Its values have to be put in their places when they are read: it has to save something.
        if own.encoding != Encoding::Runs && own.size * 4 < way.size * 3 {
            alone.write(sink, own, &mut toc);
            let written = Encoding::from_number(toc.encoding).unwrap_or(Encoding::Packed);
            toc.encoding = written.of_known() as u8;
            return toc;
        }
    }
    draft.write(sink, way, &mut toc);
    toc
}

/// A block of integers, where it was written; its frames have passed their checksums.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IntegerBlock<'a> {
    pub toc: &'a BlockToc,
    pub frame: &'a [u8],
    pub beside: &'a [u8],
    /// The bits of the known rows; empty where the values of all rows are written.
    pub known: &'a [u8],
    /// What was made of these bytes before.
    pub kept: Kept<'a>,
}

/// Words that are kept of a block, if any are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Kept<'a> {
    /// The planes.
    pub planes: Option<&'a Unfolded<[u8; 8]>>,
    /// The known rows.
    pub known: Option<&'a Unfolded<u64>>,
}

impl<'a> IntegerBlock<'a> {
    /// How the values are written.
    pub(super) fn encoding(&self) -> Option<Encoding> {
        Some(Encoding::from_number(self.toc.encoding)?.of_rows().0)
    }

    /// The known rows, a word at a time, where the values of those alone are written.
    pub(super) fn places(&self) -> Option<Places<'a>> {
        if !self.toc.of_known() {
            return Some(Places::All);
        }
        let all = 0..self.toc.rows.div_ceil(64) as usize;
        let words = self.toc.known_kept(self.known, self.kept.known, all)?;
        (words::count(&words) == u64::from(self.toc.known)).then_some(Places::Known(words))
    }

    /// Whether the values are places in a dictionary.
    pub(crate) fn is_listed(&self) -> bool {
        matches!(self.encoding(), Some(Encoding::ListPacked | Encoding::ListPlanes))
    }

    /// The planes of the values, or of their places in the dictionary.
    pub(crate) fn planes(&self) -> Option<Planes<'a>> {
        let listed = self.encoding()? == Encoding::ListPlanes;
        let bits = if listed { self.list_bits() } else { self.toc.bits };
        Some(Planes::new(self.frame, bits, self.toc.stored())?.kept(self.kept.planes))
    }

    /// Bits of a place in the dictionary.
    pub(crate) fn list_bits(&self) -> u8 {
        bits_for(u64::from(self.toc.distinct).saturating_sub(1))
    }

    /// The frame of packed numbers, if it is as long as its rows need: numbers and their bits.
    pub(crate) fn packed(&self) -> Option<(&'a [u8], u8)> {
        let listed = self.encoding()? == Encoding::ListPacked;
        let bits = if listed { self.list_bits() } else { self.toc.bits };
        packed_fits(self.frame.len() as u64, self.toc.stored(), bits).then_some((self.frame, bits))
    }

    /// The values of the dictionary, rising.
    pub(crate) fn list(&self) -> Option<Vec<i64>> {
        let (bits, count) = (self.toc.bits, self.toc.distinct);
        if !packed_fits(self.beside.len() as u64, count, bits) || count > self.toc.stored() {
            return None;
        }
        let mut list = Vec::new();
        packed::decode((self.beside, bits, self.toc.base), 0, count as usize, &mut list);
        Some(list)
    }

    /// Calls `visit` with the part of each run that lies in a range of rows: its first row, its
    /// last, its value.
    pub(crate) fn runs(
        &self,
        rows: Range<u32>,
        visit: &mut dyn FnMut(u32, u32, i64),
    ) -> Option<()> {
        let (bits, count) = (self.toc.bits, self.toc.distinct);
        let fits = packed_fits(self.frame.len() as u64, count, bits);
        if !fits || self.beside.len() != count as usize * RUN_END_BYTES || count > self.toc.stored()
        {
            return None;
        }
        let ends = self.beside.as_chunks::<RUN_END_BYTES>().0;
        let end = |run: usize| ends.get(run).map(|end| u32::from(u16::from_le_bytes(*end)));
        let start = ends.partition_point(|end| u32::from(u16::from_le_bytes(*end)) < rows.start);
        let mut first = start.checked_sub(1).map_or(Some(0), |run| Some(end(run)? + 1))?;
        for run in start..ends.len() {
            if first >= rows.end {
                break;
            }
            let last = end(run)?;
            if last < first || last >= self.toc.stored() {
                return None;
            }
            let value = packed::one(self.frame, bits, run) as i64;
            let own = first.max(rows.start)..=last.min(rows.end - 1);
            if !own.is_empty() {
                visit(*own.start(), *own.end(), self.toc.base.wrapping_add(value));
            }
            first = last + 1;
        }
        // What was asked for is there; at the end of the block nothing follows.
        let all = rows.end < self.toc.stored() || first == self.toc.stored();
        (first >= rows.end && all).then_some(())
    }

    /// The stored value at a place, without a look at the others.
    fn stored_one(&self, row: u32) -> Option<i64> {
        let (frame, bits, base) = (self.frame, self.toc.bits, self.toc.base);
        let packed_one = |frame: &[u8], count: u32, at: u64| {
            let fits = at < u64::from(count) && packed_fits(frame.len() as u64, count, bits);
            fits.then(|| base.wrapping_add(packed::one(frame, bits, at as usize) as i64))
        };
        match self.encoding()? {
            Encoding::Constant => Some(base),
            Encoding::Packed => packed_one(frame, self.toc.stored(), u64::from(row)),
            Encoding::Runs => {
                let count = self.toc.distinct as usize;
                let last = |run: usize| {
                    let end = self.beside.get(run * RUN_END_BYTES..)?.first_chunk()?;
                    Some(u32::from(u16::from_le_bytes(*end)))
                };
                let (mut low, mut high) = (0, count);
                while low < high {
                    let middle = usize::midpoint(low, high);
                    if last(middle)? < row { low = middle + 1 } else { high = middle }
                }
                packed_one(frame, self.toc.distinct, low as u64)
            }
            Encoding::Planes => Some(base.wrapping_add(self.planes()?.one(row)? as i64)),
            Encoding::ListPlanes => {
                packed_one(self.beside, self.toc.distinct, self.planes()?.one(row)?)
            }
            Encoding::ListPacked => {
                let (frame, bits) = self.packed()?;
                let code = packed::one(frame, bits, row as usize);
                packed_one(self.beside, self.toc.distinct, code)
            }
            _ => None,
        }
    }

    /// Appends the values `from..to`; none where the block does not read back.
    pub(crate) fn decode(&self, from: usize, to: usize, out: &mut Vec<i64>) -> Option<()> {
        if (1..=FEW_ROWS).contains(&(to - from)) {
            return self.few(from as u32..to as u32, out);
        }
        match self.places()? {
            Places::All => self.stored_values(from, to, out),
            Places::Known(words) => {
                let (first, last) = places::span(&words, from as u32, to as u32);
                let mut stored = Vec::new();
                self.stored_values(first as usize, last as usize + 1, &mut stored)?;
                places::spread(&words, (from, to), &stored, out);
                Some(())
            }
        }
    }

    /// As [`IntegerBlock::decode`], of few rows.
    fn few(&self, rows: Range<u32>, out: &mut Vec<i64>) -> Option<()> {
        let mut places: Vec<u32> = rows.clone().collect();
        if self.toc.of_known() {
            // The rows known up to each row; as `places::at`, without the words.
            let mut before = self.toc.known_before(self.known, rows.start)?;
            for place in &mut places {
                before += u32::from(self.toc.knows(self.known, *place)?);
                *place = before.saturating_sub(1);
            }
        }
        let (first, last) = (*places.first()?, *places.last()?);
        let planes = matches!(self.encoding()?, Encoding::Planes | Encoding::ListPlanes);
        if !planes || first == last {
            for place in places {
                out.push(self.stored_one(place)?);
            }
            return Some(());
        }
        if last >= self.toc.stored() {
            return None;
        }
        let mut values = Vec::with_capacity((last - first) as usize + 1);
        self.stored_values(first as usize, last as usize + 1, &mut values)?;
        for place in places {
            out.push(*values.get((place - first) as usize)?);
        }
        Some(())
    }

    /// As [`IntegerBlock::decode`], of the stored values.
    pub(super) fn stored_values(&self, from: usize, to: usize, out: &mut Vec<i64>) -> Option<()> {
        let base = self.toc.base;
        match self.encoding()? {
            Encoding::Constant => out.resize(out.len() + (to - from), base),
            Encoding::Packed => {
                let (frame, bits) = self.packed()?;
                packed::decode((frame, bits, base), from, to, out);
            }
            Encoding::Runs => {
                self.runs(from as u32..to as u32, &mut |first, last, value| {
                    out.resize(out.len() + (last - first) as usize + 1, value);
                })?;
            }
            Encoding::Planes => {
                self.planes()?.decode((from, to), base, out)?;
            }
            Encoding::ListPacked | Encoding::ListPlanes => {
                let list = self.list()?;
                let mut codes = Vec::new();
                if self.encoding()? == Encoding::ListPlanes {
                    self.planes()?.decode((from, to), 0, &mut codes)?;
                } else {
                    let (frame, bits) = self.packed()?;
                    packed::decode((frame, bits, 0), from, to, &mut codes);
                }
                let mut sound = true;
                out.extend(codes.iter().map(|code| {
                    let value = list.get(*code as usize);
                    sound &= value.is_some();
                    value.copied().unwrap_or(0)
                }));
                return sound.then_some(());
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[i64], unknown: &[usize], expected: Option<Encoding>) {
        for style in [(false, false), (false, true), (true, true)] {
            let style = Style { set: style.0, index: style.1 };
            let mut block = Integers::default();
            for (row, value) in values.iter().enumerate() {
                block.push(Some(*value).filter(|_| !unknown.contains(&row)));
            }
            let mut sink = FrameSink::default();
            let toc = encode(&mut sink, &mut block, style);
            let encoding = Encoding::from_number(toc.encoding);
            if let Some(expected) = expected.filter(|_| !style.index) {
                assert_eq!(encoding, Some(expected));
            }
            if expected == Some(Encoding::KnownPacked) {
                assert!(toc.of_known(), "{encoding:?}");
            }
            let (frame, beside) = (sink.bytes_of(toc.frame), sink.bytes_of(toc.beside));
            let known = sink.bytes_of(toc.known_bits);
            let kept = Kept::default();
            let read = IntegerBlock { toc: &toc, frame, beside, known, kept };
            for (from, to) in [(0, values.len()), (values.len() / 3, values.len() / 2)] {
                let mut out = Vec::new();
                read.decode(from, to, &mut out).unwrap_or_default();
                assert_eq!(out.len(), to - from, "{encoding:?}");
                for row in (from..to).step_by(3) {
                    let mut one = Vec::new();
                    read.decode(row, row + 1, &mut one).unwrap_or_default();
                    let same = one == [out[row - from]];
                    assert!(same || unknown.contains(&row), "{encoding:?}, row {row}");
                }
                for (row, (a, b)) in (from..to).zip(values[from..to].iter().zip(&out)) {
                    assert!(a == b || unknown.contains(&row), "row {row}: {a} became {b}");
                }
            }
        }
    }

    #[test]
    fn every_encoding_reads_back() {
        check(&[], &[], Some(Encoding::Constant));
        check(&[7; 100], &[3], Some(Encoding::Constant));
        check(&[i64::MIN, i64::MAX, 0, -1], &[], Some(Encoding::Packed));
        let mixed = |n: i64| n.wrapping_mul(7_919).rem_euclid(1_009);
        check(&(0..500).map(|n| n / 90).collect::<Vec<_>>(), &[0, 200], Some(Encoding::Runs));
        check(&(0..5_000).map(mixed).collect::<Vec<_>>(), &[0, 77], Some(Encoding::Packed));
        let few: Vec<i64> = (0..5_000).map(|n| mixed(n) % 5 * 1_000_000_007).collect();
        check(&few, &[0, 77, 4_999], Some(Encoding::ListPacked));
        let seldom: Vec<i64> = (0..5_000).map(|n| i64::from(mixed(n) < 30) * 3).collect();
        check(&seldom, &[5, 6], Some(Encoding::Planes));
        let most: Vec<usize> = (0..5_000).filter(|row| row % 9 != 4).collect();
        let wide: Vec<i64> = (0..5_000).map(mixed).collect();
        check(&wide, &most, Some(Encoding::KnownPacked));
        check(&few, &most, Some(Encoding::KnownListPacked));
        for bits in 0..64u32 {
            let top = (1i64 << bits).wrapping_sub(1);
            let values: Vec<i64> = (0..200).map(|n| top.wrapping_mul(n) & top).collect();
            check(&values, &[0, 64, 199], None);
        }
    }
}
