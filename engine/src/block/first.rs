//! Blocks of texts as format 1 had them: numbered, by dictionary, or plain under zstd.
#![expect(clippy::cast_possible_truncation, reason = "places in a dictionary fit u32")]

use super::{BlockToc, packed};
use crate::format::Encoding;

/// Digits of a numbered text: every number of so many digits fits 63 bits.
const NUMBER_DIGITS_MAX: usize = 18;

/// The texts of a block, ready to be asked for.
#[derive(Debug)]
pub(crate) enum Texts {
    /// Every row is the one unknown.
    Unknown,
    /// Texts one behind the other, and where each ends.
    Listed { bytes: String, ends: Vec<u32>, codes: Option<Vec<u32>> },
    /// A prefix and numbers.
    Numbered { prefix: String, digits: usize, numbers: Vec<i64> },
}

impl Texts {
    /// The text of a row, written to `scratch` where it has to be made.
    pub(crate) fn get<'a>(&'a self, row: usize, scratch: &'a mut String) -> &'a str {
        match self {
            Self::Unknown => "",
            Self::Listed { codes: Some(codes), .. } => {
                let place = codes.get(row).map_or(0, |&c| c as usize);
                self.listed(place)
            }
            Self::Listed { codes: None, .. } => self.listed(row),
            Self::Numbered { prefix, digits, numbers } => {
                use std::fmt::Write;
                scratch.clear();
                let number = numbers.get(row).copied().unwrap_or(0);
                let digits = *digits;
                // Writing to a string does not fail.
                let _ = write!(scratch, "{prefix}{number:0digits$}");
                scratch
            }
        }
    }

    fn listed(&self, place: usize) -> &str {
        let Self::Listed { bytes, ends, .. } = self else { return "" };
        let end = ends.get(place).map_or(0, |&e| e as usize);
        let start = place.checked_sub(1).and_then(|p| ends.get(p)).map_or(0, |&e| e as usize);
        bytes.get(start..end).unwrap_or("")
    }
}

/// Reads the texts of a block whose frames have passed their checksums; none when the bytes are
/// not what a writer makes.
pub(crate) fn decode(toc: &BlockToc, frame: &[u8], beside: &[u8]) -> Option<Texts> {
    let rows = toc.rows as usize;
    match Encoding::from_number(toc.encoding)? {
        Encoding::Constant => (toc.known == 0).then_some(Texts::Unknown),
        Encoding::Numbered => {
            let (&digits, prefix) = beside.split_first()?;
            if usize::from(digits) > NUMBER_DIGITS_MAX {
                return None;
            }
            let mut numbers = Vec::new();
            if toc.bits == 0 {
                numbers.resize(rows, toc.base);
            } else if packed::packed_fits(frame.len() as u64, toc.rows, toc.bits) {
                packed::decode((frame, toc.bits, toc.base), 0, rows, &mut numbers);
            } else {
                return None;
            }
            let prefix = String::from_utf8(prefix.to_vec()).ok()?;
            Some(Texts::Numbered { prefix, digits: usize::from(digits), numbers })
        }
        Encoding::Text => listed(toc, frame, rows, None),
        Encoding::Dictionary => {
            if !packed::packed_fits(beside.len() as u64, toc.rows, toc.bits) {
                return None;
            }
            let mut codes = Vec::with_capacity(rows);
            let mut greatest = 0;
            packed::unpack(beside, toc.bits, 0, rows, |v| {
                greatest = v.max(greatest);
                codes.push(v as u32);
            });
            if greatest >= u64::from(toc.distinct) {
                return None;
            }
            listed(toc, frame, toc.distinct as usize, Some(codes))
        }
        _ => None,
    }
}

fn listed(toc: &BlockToc, frame: &[u8], count: usize, codes: Option<Vec<u32>>) -> Option<Texts> {
    let plain = zstd::bulk::decompress(frame, usize::try_from(toc.plain_bytes).ok()?).ok()?;
    let (lengths, bytes) = plain.split_at_checked(count.checked_mul(4)?)?;
    let mut ends = Vec::with_capacity(count);
    let mut end = 0u32;
    for length in lengths.chunks_exact(4) {
        end = end.checked_add(u32::from_le_bytes(length.try_into().ok()?))?;
        ends.push(end);
    }
    if end as usize != bytes.len() {
        return None;
    }
    let bytes = String::from_utf8(bytes.to_vec()).ok()?;
    let whole = ends.iter().all(|&e| bytes.is_char_boundary(e as usize));
    whole.then_some(Texts::Listed { bytes, ends, codes })
}
