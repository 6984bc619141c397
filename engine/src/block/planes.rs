//! Numbers bit by bit: a plane holds one bit of every number of a block.
//!
//! A comparison with a constant is a few operations a plane on 64 rows at once; a set of codes
//! has a plane a code; where most numbers share a bit, its plane is a short list of the others.
//!
//! The bytes: a head a plane, lowest bit first ([`container::put`]), then the bodies.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "places are constants inside a group of 64 rows and 8 planes"
)]

use super::container::{self, Container, Form, HEAD_BYTES};

/// Rows of a word.
const GROUP: usize = 64;

/// The planes of numbers of `bits` bits, a word for 64 rows; a row that is not known has no bit.
pub(crate) fn transposed(numbers: &[u64], known: &[u64], bits: u8) -> Vec<Vec<u64>> {
    let mut planes = vec![Vec::with_capacity(numbers.len().div_ceil(GROUP)); usize::from(bits)];
    for (group, known) in numbers.chunks(GROUP).zip(known) {
        for (lane, planes) in planes.chunks_mut(8).enumerate() {
            let mut bytes = [0u8; GROUP];
            for (byte, number) in bytes.iter_mut().zip(group) {
                *byte = (number >> (lane * 8)) as u8;
            }
            for (bit, plane) in planes.iter_mut().enumerate() {
                plane.push(bits_of(&bytes, bit) & known);
            }
        }
    }
    planes
}

/// Bit `bit` of 64 bytes as one word.
fn bits_of(bytes: &[u8; GROUP], bit: usize) -> u64 {
    let mut word = 0;
    for (at, eight) in bytes.chunks_exact(8).enumerate() {
        let eight = eight.try_into().map_or(0, u64::from_le_bytes);
        // The product moves the bit of byte n to bit 56 + n; no two meet on the way.
        let bits = (eight >> bit & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word |= bits << (at * 8);
    }
    word
}

/// The bytes of planes of a block of `rows` rows. `known` says which rows count: the others are
/// given what is lightest.
pub(crate) fn write(mut planes: Vec<Vec<u64>>, rows: u32, known: &[u64]) -> Vec<u8> {
    let mut bytes = vec![0u8; planes.len() * HEAD_BYTES];
    let all: u32 = known.iter().map(|word| word.count_ones()).sum();
    for (at, plane) in planes.iter_mut().enumerate() {
        let ones: u32 = plane.iter().map(|word| word.count_ones()).sum();
        if ones > all / 2 {
            plane.iter_mut().zip(known).for_each(|(word, known)| *word |= !known);
            container::trim(plane, rows);
        }
        let head = container::put(plane, rows, &mut bytes);
        bytes[at * HEAD_BYTES..(at + 1) * HEAD_BYTES].copy_from_slice(&head);
    }
    bytes
}

/// Planes of a block, where they were written.
#[derive(Debug)]
pub(crate) struct Planes<'a> {
    planes: Vec<(Container<'a>, bool)>,
    rows: u32,
}

impl<'a> Planes<'a> {
    /// Finds the planes of numbers of `bits` bits; none where the bytes are not planes.
    pub(crate) fn new(frame: &'a [u8], bits: u8, rows: u32) -> Option<Self> {
        if bits > 64 {
            return None;
        }
        let (heads, mut bodies) = frame.split_at_checked(usize::from(bits) * HEAD_BYTES)?;
        let heads = heads.chunks_exact(HEAD_BYTES);
        let planes = heads.map(|head| container::take(head.try_into().ok()?, rows, &mut bodies));
        let planes = planes.collect::<Option<Vec<_>>>()?;
        bodies.is_empty().then_some(Self { planes, rows })
    }

    /// The bits of one plane; of no row where there is no such plane.
    pub(crate) fn plane(&self, bit: usize) -> Option<Vec<u64>> {
        let Some((container, others)) = self.planes.get(bit) else {
            return Some(vec![0; self.rows.div_ceil(64) as usize]);
        };
        let mut words = container.words()?;
        if *others {
            words.iter_mut().for_each(|word| *word = !*word);
        }
        Some(words)
    }

    /// Number `row`.
    pub(crate) fn one(&self, row: u32) -> Option<u64> {
        let mut number = 0;
        for (bit, (container, others)) in self.planes.iter().enumerate() {
            number |= u64::from(container.contains(row)? != *others) << bit;
        }
        Some(number)
    }

    /// Appends the numbers of rows `from..to`.
    pub(crate) fn decode(&self, from: usize, to: usize, out: &mut Vec<u64>) -> Option<()> {
        if to - from == 1 {
            out.push(self.one(from as u32)?);
            return Some(());
        }
        let to = to.min(self.rows as usize);
        // Whole words are read; what is too much is taken away in the end.
        let (first, start) = (from - from % GROUP, out.len());
        let mut dense: Vec<(usize, Vec<u64>)> = Vec::new();
        let mut common = 0;
        for (bit, (container, others)) in self.planes.iter().enumerate() {
            common |= u64::from(*others) << bit;
            if container.form == Form::Words {
                let mut words = container.words()?;
                words.drain(..first / GROUP);
                dense.push((bit, words));
            }
        }
        out.resize(start + to - first, common);
        let numbers = &mut out[start..];
        for eight in dense.chunks(8) {
            merge_planes(eight, numbers);
        }
        for (bit, (container, _)) in self.planes.iter().enumerate() {
            if container.form != Form::Words {
                container.each(|row| {
                    let number =
                        (row as usize).checked_sub(first).and_then(|at| numbers.get_mut(at));
                    if let Some(number) = number {
                        *number ^= 1 << bit;
                    }
                })?;
            }
        }
        out.drain(start..start + from - first);
        Some(())
    }

    /// The bits of the rows whose number lies from `low` to `high`, both included.
    pub(crate) fn between(&self, low: u64, high: u64) -> Option<Vec<u64>> {
        let size = self.rows.div_ceil(64) as usize;
        let bits = self.planes.len();
        let top = u64::MAX.checked_shr(64 - bits as u32).unwrap_or(0);
        if low > high || low > top {
            return Some(vec![0; size]);
        }
        let high = high.min(top);
        // `above`: is on the way to be at least `low` and was equal so far; `below` likewise.
        let (mut above, mut below) = (vec![u64::MAX; size], vec![u64::MAX; size]);
        let mut out = vec![0u64; size];
        for bit in (0..bits).rev() {
            let plane = self.plane(bit)?;
            let (in_low, in_high) = (low >> bit & 1 == 1, high >> bit & 1 == 1);
            if low > 0 {
                let rows = plane.iter().zip(&mut above).zip(&mut out);
                if in_low {
                    rows.for_each(|((plane, equal), out)| {
                        *out |= *equal & !plane;
                        *equal &= plane;
                    });
                } else {
                    rows.for_each(|((plane, equal), _)| *equal &= !plane);
                }
            }
            if high < top {
                let rows = plane.iter().zip(&mut below).zip(&mut out);
                if in_high {
                    rows.for_each(|((plane, equal), _)| *equal &= plane);
                } else {
                    rows.for_each(|((plane, equal), out)| {
                        *out |= *equal & plane;
                        *equal &= !plane;
                    });
                }
            }
        }
        out.iter_mut().for_each(|word| *word = !*word);
        container::trim(&mut out, self.rows);
        Some(out)
    }

    /// The bits of the rows whose number is `number`.
    pub(crate) fn equal(&self, number: u64) -> Option<Vec<u64>> {
        let mut found = vec![u64::MAX; self.rows.div_ceil(64) as usize];
        if number.checked_shr(self.planes.len() as u32).unwrap_or(0) != 0 {
            found.fill(0);
        }
        for bit in 0..self.planes.len() {
            let plane = self.plane(bit)?;
            let flip = if number >> bit & 1 == 1 { 0 } else { u64::MAX };
            found.iter_mut().zip(plane).for_each(|(found, plane)| *found &= plane ^ flip);
        }
        container::trim(&mut found, self.rows);
        Some(found)
    }

    /// The bits of the rows whose number shares a bit with `bits`, or has all of them.
    pub(crate) fn bits(&self, bits: u64, all: bool) -> Option<Vec<u64>> {
        let empty = if all { u64::MAX } else { 0 };
        let mut found = vec![empty; self.rows.div_ceil(64) as usize];
        for bit in (0..64).filter(|bit| bits >> bit & 1 == 1) {
            let rows = found.iter_mut().zip(self.plane(bit)?);
            if all {
                rows.for_each(|(found, plane)| *found &= plane);
            } else {
                rows.for_each(|(found, plane)| *found |= plane);
            }
        }
        container::trim(&mut found, self.rows);
        Some(found)
    }
}

/// Joins up to eight planes to numbers, bit by bit where the numbers have none or the other bit.
fn merge_planes(planes: &[(usize, Vec<u64>)], numbers: &mut [u64]) {
    let joined = planes.windows(2).all(|two| two[0].0 + 1 == two[1].0);
    let first = planes.first().map_or(0, |(bit, _)| *bit);
    for (word, group) in numbers.chunks_mut(GROUP).enumerate() {
        let mut words = [0u64; 8];
        for (slot, (_, plane)) in words.iter_mut().zip(planes) {
            *slot = plane[word];
        }
        for (eight, rows) in group.chunks_mut(8).enumerate() {
            let mut square = 0u64;
            for (at, word) in words.iter().enumerate() {
                square |= (word >> (eight * 8) & 0xFF) << (at * 8);
            }
            let bytes = transpose(square).to_le_bytes();
            if joined {
                for (number, byte) in rows.iter_mut().zip(bytes) {
                    *number ^= u64::from(byte) << first;
                }
            } else {
                for (number, byte) in rows.iter_mut().zip(bytes) {
                    for (at, (bit, _)) in planes.iter().enumerate() {
                        *number ^= u64::from(byte >> at & 1) << bit;
                    }
                }
            }
        }
    }
}

/// The transpose of eight rows of eight bits.
fn transpose(mut square: u64) -> u64 {
    let mut swap = (square ^ square >> 7) & 0x00AA_00AA_00AA_00AA;
    square ^= swap ^ swap << 7;
    swap = (square ^ square >> 14) & 0x0000_CCCC_0000_CCCC;
    square ^= swap ^ swap << 14;
    swap = (square ^ square >> 28) & 0x0000_0000_F0F0_F0F0;
    square ^ swap ^ swap << 28
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    fn bits(rows: usize, test: impl Fn(usize) -> bool) -> Vec<u64> {
        let mut words = vec![0; rows.div_ceil(64)];
        (0..rows).filter(|row| test(*row)).for_each(|row| words[row / 64] |= 1 << (row % 64));
        words
    }

    fn check(numbers: &[u64], width: u8, unknown: usize) {
        let rows = numbers.len();
        let known = bits(rows, |row| unknown == 0 || row % unknown > 0);
        let frame = write(transposed(numbers, &known, width), rows as u32, &known);
        let planes = Planes::new(&frame, width, rows as u32).unwrap();
        let (mut found, mut expected) = (Vec::new(), Vec::new());
        planes.decode(0, rows, &mut found).unwrap();
        let mut part = Vec::new();
        planes.decode(rows / 3, rows - rows / 5, &mut part).unwrap();
        assert_eq!(part, found[rows / 3..rows - rows / 5]);
        let is_known = |row: usize| known[row / 64] >> (row % 64) & 1 == 1;
        for (row, number) in numbers.iter().enumerate() {
            assert!(!is_known(row) || found[row] == *number, "row {row} of {width} bits");
            expected.push(found[row]);
            assert_eq!(planes.one(row as u32), Some(found[row]));
        }
        let numbers = expected;
        let top = if width == 64 { u64::MAX } else { (1 << width) - 1 };
        let bounds = [0, 1, top / 3, top / 2, top - top / 5, top, u64::MAX];
        for (low, high) in bounds.iter().flat_map(|low| bounds.map(|high| (*low, high))) {
            let expected = bits(rows, |row| (low..=high).contains(&numbers[row]));
            assert_eq!(planes.between(low, high).unwrap(), expected, "{low} to {high}, {width}");
            let any = bits(rows, |row| numbers[row] & low != 0);
            assert_eq!(planes.bits(low, false).unwrap(), any, "any of {low:x}, {width} bits");
            let all = bits(rows, |row| numbers[row] & low == low);
            assert_eq!(planes.bits(low, true).unwrap(), all, "all of {low:x}, {width} bits");
            let equal = bits(rows, |row| numbers[row] == low);
            assert_eq!(planes.equal(low).unwrap(), equal, "{low}, {width} bits");
        }
    }

    #[test]
    fn every_width_reads_back_and_compares_as_its_numbers() {
        for width in [1u8, 2, 3, 7, 8, 9, 16, 20, 33, 63, 64] {
            let top = if width == 64 { u64::MAX } else { (1 << width) - 1 };
            let mixed = |row: u64| row.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(13) & top;
            for rows in [1, 63, 64, 65, 700] {
                let numbers: Vec<u64> = (1..=rows).map(mixed).collect();
                check(&numbers, width, 0);
                check(&numbers, width, 3);
                let skewed: Vec<u64> = (0..rows)
                    .map(|row| if row % 50 == 7 { mixed(row) } else { top - top / 3 })
                    .collect();
                check(&skewed, width, 5);
            }
        }
    }
}
