//! A block of texts: as numbers of one shape, by dictionary, or in chunks.
//!
//! Invariant: what is chosen depends on the texts alone, so the same rows give the same bytes.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "rows of a block fit u32, packed numbers are modulo 2^64"
)]

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::chunks::{self, Chunks};
use super::gathered::TextList;
use super::groups::{self, Groups, Packed};
use super::packed::{bits_for, pack};
use super::shaped::{self, Shape};
use super::{BlockToc, FrameSink, first};
use crate::format::Encoding;

/// Keeps the hash that a text was already given.
#[derive(Default)]
struct Given(u64);

impl Hasher for Given {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = crate::format::checksum(bytes) ^ self.0.rotate_left(7);
    }
}

/// The distinct texts in the order in which rows first have them, and the place of each row's;
/// none where more than a quarter of the rows' texts are distinct.
fn listed(texts: &TextList) -> Option<(Vec<&str>, Vec<u64>)> {
    let most = texts.len() / 4;
    let mut places: HashMap<&str, u64, BuildHasherDefault<Given>> = HashMap::default();
    let mut list: Vec<&str> = Vec::new();
    let mut codes = Vec::with_capacity(texts.len());
    for text in texts.iter() {
        let place = text.map_or(0, |text| {
            *places.entry(text).or_insert_with(|| {
                list.push(text);
                list.len() as u64 - 1
            })
        });
        if list.len() > most {
            return None;
        }
        codes.push(place);
    }
    Some((list, codes))
}

/// Writes one block; `unique` texts are not looked at for a dictionary.
pub(crate) fn encode(
    sink: &mut FrameSink,
    texts: &TextList,
    unique: bool,
) -> std::io::Result<BlockToc> {
    let rows = texts.len() as u32;
    let known: u32 = texts.known.iter().map(|word| word.count_ones()).sum();
    let known_bits = sink.put_known(&texts.known, rows, known);
    let mut toc = BlockToc { rows, known, known_bits, ..BlockToc::default() };
    if known == 0 {
        return Ok(toc);
    }
    let shaped = shaped::numbers(texts);
    let list = if unique { None } else { listed(texts) };
    let list_bits = list.as_ref().map(|(list, _)| bits_for((list.len() as u64).saturating_sub(1)));
    if let Some(found) = shaped.filter(|found| list_bits.is_none_or(|bits| found.bits <= bits)) {
        toc.encoding = Encoding::Shaped as u8;
        (toc.base, toc.bits) = (found.base, found.bits);
        if let Some((frame, bits)) = groups::write(&found.numbers, found.bits) {
            (toc.bits, toc.distinct) = (bits, found.bits.into());
            toc.frame = Some(sink.put(&frame));
        } else if found.bits > 0 {
            let packed = pack(found.numbers.iter().copied(), texts.len(), found.bits);
            toc.frame = Some(sink.put(&packed));
        }
        toc.beside = Some(sink.put(&found.shape.write()));
    } else if let (Some((list, codes)), Some(bits)) = (list, list_bits) {
        toc.encoding = Encoding::TextList as u8;
        toc.distinct = list.len() as u32;
        toc.bits = bits;
        toc.frame = Some(sink.put(&chunks::write(list.into_iter())?));
        if bits > 0 {
            toc.beside = Some(sink.put(&pack(codes.into_iter(), texts.len(), bits)));
        }
    } else {
        toc.encoding = Encoding::TextChunks as u8;
        let all = texts.iter().map(Option::unwrap_or_default);
        toc.frame = Some(sink.put(&chunks::write(all)?));
    }
    Ok(toc)
}

/// How the texts of a block are found.
#[derive(Debug)]
enum Texts<'a> {
    Unknown,
    First(first::Texts),
    Shaped(Shape, Groups<'a>, i64),
    Listed(Chunks<'a>, Packed<'a>),
    Chunks(Chunks<'a>),
}

/// A block of texts, where it was written; its frames have passed their checksums.
#[derive(Debug)]
pub(crate) struct TextBlock<'a> {
    texts: Texts<'a>,
    rows: u32,
}

impl<'a> TextBlock<'a> {
    /// None where the bytes are not what a writer makes.
    pub(crate) fn new(toc: &BlockToc, frame: &'a [u8], beside: &'a [u8]) -> Option<Self> {
        let (rows, bits) = (toc.rows, toc.bits);
        let texts = match Encoding::from_number(toc.encoding)? {
            Encoding::Constant if toc.known == 0 => Texts::Unknown,
            Encoding::Text | Encoding::Dictionary | Encoding::Numbered => {
                Texts::First(first::decode(toc, frame, beside)?)
            }
            Encoding::Shaped => {
                let numbers = Groups::new(frame, rows, (bits, toc.distinct))?;
                Texts::Shaped(Shape::read(beside)?, numbers, toc.base)
            }
            Encoding::TextList => {
                let list = Chunks::new(frame, toc.distinct as usize, true)?;
                Texts::Listed(list, Packed::new(beside, rows, bits)?)
            }
            Encoding::TextChunks => Texts::Chunks(Chunks::new(frame, rows as usize, false)?),
            _ => return None,
        };
        Some(Self { texts, rows })
    }

    /// The text of a row, written to `scratch` where it has to be made; none where it does not
    /// read back. A row that is not known has some text.
    pub(crate) fn get<'b>(&'b mut self, row: usize, scratch: &'b mut String) -> Option<&'b str> {
        if row >= self.rows as usize {
            return None;
        }
        match &mut self.texts {
            Texts::Unknown => Some(""),
            Texts::First(texts) => Some(texts.get(row, scratch)),
            Texts::Shaped(shape, numbers, base) => {
                let stored = base.wrapping_add(numbers.get(row) as i64);
                shape.text(shape.lifted(row, stored), scratch);
                Some(scratch)
            }
            Texts::Listed(list, codes) => list.get(usize::try_from(codes.get(row)).ok()?),
            Texts::Chunks(chunks) => chunks.get(row),
        }
    }

    /// Whether a row that is known has this text.
    pub(crate) fn is(&mut self, row: usize, text: &str, scratch: &mut String) -> Option<bool> {
        if let Texts::Shaped(shape, numbers, base) = &self.texts {
            let stored = base.wrapping_add(numbers.get(row) as i64);
            return Some(shape.number(text) == Some(shape.lifted(row, stored)));
        }
        Some(self.get(row, scratch)? == text)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    fn check(texts: &[Option<&str>], unique: bool, expected: Encoding) -> usize {
        let mut list = TextList::default();
        texts.iter().for_each(|text| list.push(*text));
        let mut sink = FrameSink::default();
        let toc = encode(&mut sink, &list, unique).unwrap();
        assert_eq!(Encoding::from_number(toc.encoding), Some(expected));
        let (frame, beside) = (sink.bytes_of(toc.frame), sink.bytes_of(toc.beside));
        let mut read = TextBlock::new(&toc, frame, beside).unwrap();
        let mut scratch = String::new();
        for (row, text) in texts.iter().enumerate().filter_map(|(row, t)| Some((row, (*t)?))) {
            assert_eq!(read.get(row, &mut scratch), Some(text));
            assert_eq!(read.is(row, text, &mut scratch), Some(true));
            assert_eq!(read.is(row, "another", &mut scratch), Some(false));
        }
        frame.len() + beside.len()
    }

    #[test]
    fn every_encoding_reads_back() {
        check(&[None, None], false, Encoding::Constant);
        check(&[Some("H0007"), None, Some("H1234")], true, Encoding::Shaped);
        check(&[Some("7"), Some("7")], true, Encoding::Shaped);
        check(&[Some(""), Some("")], true, Encoding::Shaped);
        check(&[Some("王"), Some(""), None, Some("李四")], false, Encoding::TextChunks);
        let few: Vec<_> = (0..90).map(|n| Some(["a", "bb", "中文"][n % 3])).collect();
        check(&few, false, Encoding::TextList);
        check(&[Some("xü"); 8], false, Encoding::TextList);
        check(&[Some("x"); 8], false, Encoding::Shaped);
        check(&[Some("0007"), Some("12")], true, Encoding::TextChunks);
        check(&[Some("12345678901234567"), Some("1234567890123456X")], true, Encoding::Shaped);
        let long: Vec<String> = (0..5_000).map(|n| format!("{} {n}", n * 7_919 % 1_009)).collect();
        let long: Vec<_> = long.iter().map(|text| Some(text.as_str())).collect();
        check(&long, false, Encoding::TextChunks);
    }

    #[test]
    fn keys_that_go_on_evenly_take_no_bits() {
        let keys: Vec<String> = (0..9_000).map(|n| format!("P{:08}", 123_000 + n * 3)).collect();
        let keys: Vec<_> = keys.iter().map(|text| Some(text.as_str())).collect();
        assert!(check(&keys, true, Encoding::Shaped) < 100);
        let mut lists: Vec<_> = keys.clone();
        lists.iter_mut().step_by(5).for_each(|key| *key = None);
        assert!(check(&lists, true, Encoding::Shaped) < 100);
        let uneven: Vec<String> =
            (0..9_000u64).map(|n| format!("P{:08}", 123_000 + n * 3 + n % 7 * (n % 11))).collect();
        let mut uneven: Vec<_> = uneven.iter().map(|text| Some(text.as_str())).collect();
        uneven.iter_mut().step_by(5).for_each(|key| *key = None);
        check(&uneven, true, Encoding::Shaped);
        let two: Vec<_> = keys.iter().copied().chain([Some("X99999999")]).collect();
        check(&two, true, Encoding::Shaped);
    }
}
