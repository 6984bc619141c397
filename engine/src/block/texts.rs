//! Texts: numbered, by dictionary, or plain under zstd.
//!
//! Numbered is for keys such as `H000123`: one prefix and one number of digits in the whole
//! block. A dictionary is taken when at most a quarter of the texts are distinct.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "rows of a block fit u32, lengths are checked before they are used"
)]

use std::collections::HashMap;

use super::{BlockToc, FrameSink, integers};
use crate::format::Encoding;

/// Level of zstd: the fastest; texts are the smallest part of a registry.
const ZSTD_LEVEL: i32 = 1;
/// Digits of a numbered text: every number of so many digits fits 63 bits.
const NUMBER_DIGITS_MAX: usize = 18;

/// Writes one block; an unknown text is `None`.
pub(crate) fn encode(
    sink: &mut FrameSink,
    texts: &[Option<&str>],
    known: &[u64],
) -> std::io::Result<BlockToc> {
    let rows = texts.len() as u32;
    let count = texts.iter().flatten().count() as u32;
    let mut toc = BlockToc {
        rows,
        known: count,
        min: 0,
        max: 0,
        encoding: Encoding::Constant as u8,
        bits: 0,
        base: 0,
        plain_bytes: 0,
        distinct: 0,
        frame: None,
        beside: None,
        known_bits: sink.put_known(known, rows, count),
    };
    if count == 0 {
        return Ok(toc);
    }
    if let Some((prefix, digits)) = numbering(texts) {
        encode_numbered(sink, texts, prefix, digits, &mut toc);
        return Ok(toc);
    }
    let mut places: HashMap<&str, u64> = HashMap::new();
    let mut distinct: Vec<&str> = Vec::new();
    for text in texts.iter().flatten() {
        places.entry(text).or_insert_with(|| {
            distinct.push(text);
            distinct.len() as u64 - 1
        });
    }
    if distinct.len() * 4 <= texts.len() {
        toc.encoding = Encoding::Dictionary as u8;
        toc.distinct = distinct.len() as u32;
        put_texts(sink, &distinct, &mut toc)?;
        toc.bits = (64 - (distinct.len() as u64 - 1).leading_zeros()) as u8;
        let codes = texts.iter().map(|t| t.map_or(0, |t| places[t]));
        toc.beside = Some(sink.put(&integers::pack(codes, texts.len(), toc.bits)));
    } else {
        let all: Vec<&str> = texts.iter().map(|t| t.unwrap_or("")).collect();
        toc.encoding = Encoding::Text as u8;
        toc.distinct = rows;
        put_texts(sink, &all, &mut toc)?;
    }
    Ok(toc)
}

/// The prefix and number of digits that all known texts share.
fn numbering<'a>(texts: &[Option<&'a str>]) -> Option<(&'a str, usize)> {
    let first = texts.iter().flatten().next()?;
    let digits = first.bytes().rev().take_while(u8::is_ascii_digit).count();
    let digits = digits.min(NUMBER_DIGITS_MAX);
    if digits == 0 {
        return None;
    }
    let prefix = &first[..first.len() - digits];
    let fits = |text: &&str| {
        text.len() == first.len()
            && text.starts_with(prefix)
            && text.as_bytes()[prefix.len()..].iter().all(u8::is_ascii_digit)
    };
    (prefix.len() < 256 && texts.iter().flatten().all(fits)).then_some((prefix, digits))
}

fn encode_numbered(
    sink: &mut FrameSink,
    texts: &[Option<&str>],
    prefix: &str,
    digits: usize,
    toc: &mut BlockToc,
) {
    let number = |text: &str| text[prefix.len()..].parse::<i64>().unwrap_or(0);
    let least = texts.iter().flatten().map(|t| number(t)).min().unwrap_or(0);
    let numbers: Vec<i64> = texts.iter().map(|t| t.map_or(least, number)).collect();
    let every = vec![u64::MAX; numbers.len().div_ceil(64)];
    let packed = integers::encode(sink, &numbers, &every);
    toc.encoding = Encoding::Numbered as u8;
    toc.base = packed.base;
    toc.bits = packed.bits;
    toc.frame = packed.frame;
    let mut beside = vec![digits as u8];
    beside.extend_from_slice(prefix.as_bytes());
    toc.beside = Some(sink.put(&beside));
}

fn put_texts(sink: &mut FrameSink, texts: &[&str], toc: &mut BlockToc) -> std::io::Result<()> {
    let total: usize = texts.iter().map(|t| t.len()).sum();
    let mut plain = Vec::with_capacity(texts.len() * 4 + total);
    for text in texts {
        plain.extend((text.len() as u32).to_le_bytes());
    }
    for text in texts {
        plain.extend_from_slice(text.as_bytes());
    }
    toc.plain_bytes = plain.len() as u64;
    toc.frame = Some(sink.put(&zstd::bulk::compress(&plain, ZSTD_LEVEL)?));
    Ok(())
}

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
        Encoding::Packed => None,
        Encoding::Numbered => {
            let (&digits, prefix) = beside.split_first()?;
            if usize::from(digits) > NUMBER_DIGITS_MAX {
                return None;
            }
            let mut numbers = Vec::new();
            if toc.bits == 0 {
                numbers.resize(rows, toc.base);
            } else if integers::packed_fits(frame.len() as u64, toc.rows, toc.bits) {
                let packed = BlockToc { encoding: Encoding::Packed as u8, ..toc.clone() };
                integers::decode(&packed, frame, 0, rows, &mut numbers);
            } else {
                return None;
            }
            let prefix = String::from_utf8(prefix.to_vec()).ok()?;
            Some(Texts::Numbered { prefix, digits: usize::from(digits), numbers })
        }
        Encoding::Text => listed(toc, frame, rows, None),
        Encoding::Dictionary => {
            if !integers::packed_fits(beside.len() as u64, toc.rows, toc.bits) {
                return None;
            }
            let mut codes = Vec::with_capacity(rows);
            let mut greatest = 0;
            integers::unpack(beside, toc.bits, 0, rows, |v| {
                greatest = v.max(greatest);
                codes.push(v as u32);
            });
            if greatest >= u64::from(toc.distinct) {
                return None;
            }
            listed(toc, frame, toc.distinct as usize, Some(codes))
        }
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    fn check(texts: &[Option<&str>], expected: Encoding) {
        let mut known = vec![0u64; texts.len().div_ceil(64)];
        for (row, _) in texts.iter().enumerate().filter(|(_, t)| t.is_some()) {
            known[row / 64] |= 1 << (row % 64);
        }
        let mut sink = FrameSink { bytes: Vec::new(), frames: 0 };
        let toc = encode(&mut sink, texts, &known).unwrap();
        assert_eq!(Encoding::from_number(toc.encoding), Some(expected));
        let bytes = |f: Option<super::super::FrameRef>| {
            f.map_or(&[][..], |f| &sink.bytes[f.offset as usize..(f.offset + f.length) as usize])
        };
        let read = decode(&toc, bytes(toc.frame), bytes(toc.beside)).unwrap();
        let mut scratch = String::new();
        for (row, text) in texts.iter().enumerate() {
            if let Some(text) = text {
                assert_eq!(read.get(row, &mut scratch), *text);
            }
        }
    }

    #[test]
    fn every_encoding_reads_back() {
        check(&[None, None], Encoding::Constant);
        check(&[Some("H0007"), None, Some("H1234")], Encoding::Numbered);
        check(&[Some("7"), Some("7")], Encoding::Numbered);
        check(&[Some("王"), Some(""), None, Some("李四")], Encoding::Text);
        let few: Vec<_> = (0..90).map(|n| Some(["a", "bb", "中文"][n % 3])).collect();
        check(&few, Encoding::Dictionary);
        check(&[Some("x"); 8], Encoding::Dictionary);
        check(&[Some("0007"), Some("12")], Encoding::Text);
        check(&[Some("1234567890123456789")], Encoding::Numbered);
    }
}
