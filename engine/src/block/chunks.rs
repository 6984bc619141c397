//! Texts in chunks, each under zstd where that pays: one text costs one chunk.
//!
//! The bytes: for each chunk where it ends behind the directory (u32), then for each how many
//! bytes it has once decompressed (u32), then the chunks. A chunk is the length of each of its
//! texts (u16), then the texts; it is as it is where both sizes are equal.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a text is shorter than 64 KiB, a chunk of them shorter than 4 GiB"
)]

use std::cell::RefCell;
use std::io;

use crate::limits::TEXT_BYTES_MAX;

/// Texts of a chunk.
pub(crate) const CHUNK_TEXTS: usize = 2_048;
/// Level of zstd. With made-up names in chunks of this size 4.75 bytes a text, 5.73 at level 1.
const ZSTD_LEVEL: i32 = 3;
/// Bytes of a length.
const LENGTH_BYTES: usize = 2;
const _: () = assert!(TEXT_BYTES_MAX <= u16::MAX as usize, "the length of a text fits u16");

/// The bytes of a list of texts.
pub(crate) fn write<'a>(texts: impl Iterator<Item = &'a str>) -> io::Result<Vec<u8>> {
    let (mut ends, mut sizes, mut body) = (Vec::new(), Vec::new(), Vec::new());
    let mut compressor = None;
    let mut texts = texts.peekable();
    let (mut lengths, mut plain) = (Vec::new(), Vec::new());
    while texts.peek().is_some() {
        lengths.clear();
        plain.clear();
        for text in texts.by_ref().take(CHUNK_TEXTS) {
            lengths.extend((text.len() as u16).to_le_bytes());
            plain.extend_from_slice(text.as_bytes());
        }
        lengths.extend_from_slice(&plain);
        let compressor = match &mut compressor {
            Some(compressor) => compressor,
            none => none.insert(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
        };
        let packed = compressor.compress(&lengths)?;
        body.extend_from_slice(if packed.len() < lengths.len() { &packed } else { &lengths });
        ends.extend((body.len() as u32).to_le_bytes());
        sizes.extend((lengths.len() as u32).to_le_bytes());
    }
    Ok([ends, sizes, body].concat())
}

/// Texts of a chunk that are looked at one by one before all of it is.
const LOOKED_AT: u32 = 16;

/// A chunk, decompressed.
#[derive(Debug)]
struct Plain {
    texts: Body,
    ends: Vec<u32>,
}

/// The texts of a chunk one behind the other.
#[derive(Debug)]
enum Body {
    /// With how many of them were looked at.
    Bytes(Vec<u8>, u32),
    /// All of them were.
    Texts(String),
}

impl Plain {
    fn get(&mut self, at: usize) -> Option<&str> {
        let start = at.checked_sub(1).map_or(Some(&0), |before| self.ends.get(before))?;
        let own = *start as usize..*self.ends.get(at)? as usize;
        if let Body::Bytes(bytes, looked) = &mut self.texts {
            *looked += 1;
            if *looked > LOOKED_AT {
                self.texts = Body::Texts(String::from_utf8(std::mem::take(bytes)).ok()?);
            }
        }
        match &self.texts {
            Body::Bytes(bytes, _) => std::str::from_utf8(bytes.get(own)?).ok(),
            Body::Texts(texts) => texts.get(own),
        }
    }
}

thread_local! {
    /// Takes a while to make.
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> =
        const { RefCell::new(None) };
}

fn decompressed(bytes: &[u8], size: usize) -> Option<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|held| {
        let own = match held {
            Some(own) => own,
            none => none.insert(zstd::bulk::Decompressor::new().ok()?),
        };
        own.decompress(bytes, size).ok()
    })
}

/// A list of texts, where it was written.
#[derive(Debug)]
pub(crate) struct Chunks<'a> {
    ends: &'a [u8],
    sizes: &'a [u8],
    body: &'a [u8],
    /// Texts of the list.
    texts: usize,
    /// Chunks that were read, by their number.
    held: Vec<Option<Plain>>,
    /// Whether a chunk stays when another is read.
    keep: bool,
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let raw = bytes.get(at.checked_mul(4)?..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*raw)).ok()
}

impl<'a> Chunks<'a> {
    /// A list of so many texts; none where the bytes cannot be one.
    pub(crate) fn new(frame: &'a [u8], texts: usize, keep: bool) -> Option<Self> {
        let count = texts.div_ceil(CHUNK_TEXTS);
        let (ends, rest) = frame.split_at_checked(count * 4)?;
        let (sizes, body) = rest.split_at_checked(count * 4)?;
        let mut held = Vec::new();
        held.resize_with(count, || None);
        Some(Self { ends, sizes, body, texts, held, keep })
    }

    /// A text of the list; none where it does not read back.
    pub(crate) fn get(&mut self, place: usize) -> Option<&str> {
        let (chunk, at) = (place / CHUNK_TEXTS, place % CHUNK_TEXTS);
        if self.held.get(chunk)?.is_none() {
            let plain = self.read(chunk)?;
            if !self.keep {
                self.held.iter_mut().for_each(|held| *held = None);
            }
            *self.held.get_mut(chunk)? = Some(plain);
        }
        self.held.get_mut(chunk)?.as_mut()?.get(at)
    }

    fn read(&self, chunk: usize) -> Option<Plain> {
        let start = chunk.checked_sub(1).map_or(Some(0), |before| number(self.ends, before))?;
        let bytes = self.body.get(start..number(self.ends, chunk)?)?;
        let size = number(self.sizes, chunk)?;
        let texts = self.texts.checked_sub(chunk * CHUNK_TEXTS)?.min(CHUNK_TEXTS);
        if size > texts * (LENGTH_BYTES + TEXT_BYTES_MAX) {
            return None;
        }
        let plain = match bytes.len() == size {
            true => bytes.to_vec(),
            false => decompressed(bytes, size)?,
        };
        let (lengths, bytes) = plain.split_at_checked(texts * LENGTH_BYTES)?;
        let mut ends = Vec::with_capacity(texts);
        let mut end = 0u32;
        for length in lengths.chunks_exact(LENGTH_BYTES) {
            end += u32::from(u16::from_le_bytes(length.try_into().ok()?));
            ends.push(end);
        }
        if end as usize != bytes.len() {
            return None;
        }
        Some(Plain { texts: Body::Bytes(bytes.to_vec(), 0), ends })
    }
}
