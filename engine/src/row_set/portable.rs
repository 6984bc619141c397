//! Roaring's portable format, read straight into dense bits.
//!
//! The format: github.com/RoaringBitmap/RoaringFormatSpec. A container covers 65,536 rows and is
//! a sorted list, 8 KiB of bits, or runs; a posting is read once a query, and reading it in
//! place saves building the bitmap first.

use super::RowSet;

/// Without runs: cookie, then the number of containers.
const COOKIE_PLAIN: u32 = 12_346;
/// With runs: cookie in the low half, the number of containers less one in the high half.
const COOKIE_RUNS: u32 = 12_347;
/// With runs, fewer containers than this have no table of offsets.
const OFFSETS_LEAST: usize = 4;
/// More rows than this make a container of bits.
const LIST_ROWS_MAX: u32 = 4_096;
/// Words of a container of bits.
const CONTAINER_WORDS: usize = 1_024;

/// Bytes that are taken one piece after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some(head)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
}

/// Adds the rows of a bitmap to a set; bits beyond the table may be left set.
pub(super) fn insert(bytes: &[u8], set: &mut RowSet) -> Option<()> {
    let mut reader = Reader(bytes);
    let cookie = reader.u32()?;
    let (count, runs) = if cookie == COOKIE_PLAIN {
        (usize::try_from(reader.u32()?).ok()?, &[][..])
    } else if cookie & 0xFFFF == COOKIE_RUNS {
        let count = usize::try_from(cookie >> 16).ok()? + 1;
        (count, reader.take(count.div_ceil(8))?)
    } else {
        return None;
    };
    let mut heads = Reader(reader.take(count.checked_mul(4)?)?);
    let with_runs = cookie != COOKIE_PLAIN;
    if !with_runs || count >= OFFSETS_LEAST {
        reader.take(count.checked_mul(4)?)?;
    }
    for container in 0..count {
        let (key, rows) = (u32::from(heads.u16()?), u32::from(heads.u16()?) + 1);
        let base = key << 16;
        let is_run = runs.get(container / 8).is_some_and(|byte| byte >> (container % 8) & 1 == 1);
        if is_run {
            for _ in 0..reader.u16()? {
                let (start, more) = (u32::from(reader.u16()?), u32::from(reader.u16()?));
                let start = base + start;
                set.insert_range(start..start.saturating_add(more).saturating_add(1));
            }
        } else if rows <= LIST_ROWS_MAX {
            for row in reader.take(usize::try_from(rows).ok()? * 2)?.chunks_exact(2) {
                set.insert(base + u32::from(u16::from_le_bytes(row.try_into().ok()?)));
            }
        } else {
            let words = reader.take(CONTAINER_WORDS * 8)?.chunks_exact(8);
            let slots = set.words_mut().iter_mut().skip((base / 64) as usize);
            for (slot, word) in slots.zip(words) {
                *slot |= u64::from_le_bytes(word.try_into().ok()?);
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;
    use roaring::RoaringBitmap;

    #[test]
    fn every_container_reads_as_the_crate_wrote_it() {
        let len = 400_000;
        let sparse: RoaringBitmap = (0..len).step_by(1_013).collect();
        let dense: RoaringBitmap = (0..len).filter(|row| row % 7 < 3).collect();
        let runs: RoaringBitmap = (0..len).filter(|row| row / 9_000 % 2 == 1).collect();
        let mixed = &sparse | &(&runs & &dense);
        let one: RoaringBitmap = [70_000].into_iter().collect();
        for mut bitmap in [sparse, dense, runs, mixed, one, RoaringBitmap::new()] {
            for optimized in [false, true] {
                if optimized {
                    bitmap.optimize();
                }
                let mut bytes = Vec::new();
                bitmap.serialize_into(&mut bytes).unwrap();
                let mut set = RowSet::none(len);
                set.insert_portable(&bytes).unwrap();
                assert_eq!(set.to_bitmap(), bitmap);
                let mut short = RowSet::none(70_001);
                short.insert_portable(&bytes).unwrap();
                assert_eq!(short.count(), bitmap.rank(70_000));
                for cut in (0..bytes.len()).step_by(bytes.len() / 50 + 1) {
                    assert!(set.insert_portable(&bytes[..cut]).is_none(), "cut at {cut}");
                }
            }
        }
    }
}
