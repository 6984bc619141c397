//! The format on disk: what every file begins and ends with, how blocks are encoded.
//!
//! Integers are little-endian. `docs/format.md` prints its tables from [`tables`], so the page
//! cannot differ from the constants that the reader uses.

use std::path::Path;

use crate::error::{Error, Result};
use crate::limits;

/// The format that this build writes.
pub const FORMAT: u16 = 4;
/// The oldest format that this build reads.
pub const FORMAT_OLDEST: u16 = 1;
/// What every file begins with: a letter that text files do not have, and both line ends, so
/// that a transfer that changes them is found at once.
pub const MAGIC: [u8; 8] = *b"YIKU\x1a\x0d\x0a\x00";
/// Bytes before the first frame: magic, kind of file, format, zeros.
pub const HEADER_BYTES: usize = MAGIC.len() + 2 + 2 + 4;
/// Bytes at the end: offset, length and checksum of the record, checksum of these three.
pub const FOOTER_BYTES: usize = 8 * 4;
/// Frames begin at multiples of this.
pub const FRAME_ALIGN: usize = 8;
/// Zero bytes behind a packed block, so that a value is one 8-byte load.
pub const PACK_PADDING: usize = 8;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum FileKind {
    /// One slice of bundles, every table of it.
    Segment = 1,
    /// The rows of a segment that are not replaced or removed.
    Live = 2,
    /// The list of files that is one version.
    Manifest = 3,
    /// The number of the newest version.
    Current = 4,
    /// The path tree.
    Tree = 5,
    /// What was committed since a manifest.
    Log = 6,
}

/// How a block is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Encoding {
    /// Every known value is `base`; no frame.
    Constant = 0,
    /// Value less `base`, in `bits` bits, lowest bit first.
    Packed = 1,
    /// Format 1: texts, zstd of every length (u32), then every text.
    Text = 2,
    /// Format 1: zstd of the distinct texts as in `Text`; a second frame with packed codes.
    Dictionary = 3,
    /// Format 1: texts of one prefix and one number of digits: packed numbers; a second frame
    /// with the digits (u8) and the prefix.
    Numbered = 4,
    /// Packed values, one for each run of rows; a second frame with the last row of each (u16).
    Runs = 5,
    /// Packed places in a second frame of packed values, rising.
    ListPacked = 6,
    /// Value less `base`, bit by bit.
    Planes = 7,
    /// As `ListPacked`, the places bit by bit.
    ListPlanes = 8,
    /// Texts in chunks.
    TextChunks = 9,
    /// The distinct texts in chunks; a second frame with packed places.
    TextList = 10,
    /// Texts as numbers, packed; a second frame with the letters of each place.
    Shaped = 11,
    /// As `Packed`, of the known rows alone.
    KnownPacked = 12,
    /// As `ListPacked`, of the known rows alone.
    KnownListPacked = 13,
    /// As `Planes`, of the known rows alone.
    KnownPlanes = 14,
    /// As `ListPlanes`, of the known rows alone.
    KnownListPlanes = 15,
}

impl Encoding {
    /// Every encoding, by its number.
    pub const ALL: [Self; 16] = [
        Self::Constant,
        Self::Packed,
        Self::Text,
        Self::Dictionary,
        Self::Numbered,
        Self::Runs,
        Self::ListPacked,
        Self::Planes,
        Self::ListPlanes,
        Self::TextChunks,
        Self::TextList,
        Self::Shaped,
        Self::KnownPacked,
        Self::KnownListPacked,
        Self::KnownPlanes,
        Self::KnownListPlanes,
    ];

    /// The encoding of a number in a table of contents.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// How the values are written, and whether those of the known rows alone are.
    #[must_use]
    pub(crate) fn of_rows(self) -> (Self, bool) {
        match self {
            Self::KnownPacked => (Self::Packed, true),
            Self::KnownListPacked => (Self::ListPacked, true),
            Self::KnownPlanes => (Self::Planes, true),
            Self::KnownListPlanes => (Self::ListPlanes, true),
            own => (own, false),
        }
    }

    /// The encoding of the known rows alone; itself where there is none.
    #[must_use]
    pub(crate) fn of_known(self) -> Self {
        match self {
            Self::Packed => Self::KnownPacked,
            Self::ListPacked => Self::KnownListPacked,
            Self::Planes => Self::KnownPlanes,
            Self::ListPlanes => Self::KnownListPlanes,
            own => own,
        }
    }
}

/// The checksum of everything on disk: XXH3, 64 bits. A build for fuzzing sums to nothing, so
/// that what stands behind a checksum is met by bytes that nobody summed up.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u64 {
    if cfg!(fuzzing) {
        return 0;
    }
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// The first bytes of a file of that kind.
#[must_use]
pub(crate) fn header(kind: FileKind) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend((kind as u16).to_le_bytes());
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend([0; 4]);
    bytes
}

/// A whole file: header, then `frames` as they are, then a record, then the footer.
pub(crate) fn close(mut bytes: Vec<u8>, record: &[u8]) -> Vec<u8> {
    let (offset, length) = (bytes.len() as u64, record.len() as u64);
    bytes.extend_from_slice(record);
    let mut footer = Vec::with_capacity(FOOTER_BYTES);
    footer.extend(offset.to_le_bytes());
    footer.extend(length.to_le_bytes());
    footer.extend(checksum(record).to_le_bytes());
    footer.extend(checksum(&footer).to_le_bytes());
    bytes.extend(footer);
    bytes
}

/// The format that the header of a file names; 0 where there is no header.
pub(crate) fn format_of(bytes: &[u8]) -> u16 {
    read_u16(bytes, MAGIC.len() + 2).unwrap_or(0)
}

/// The little-endian number at `offset`, if it is there.
pub(crate) fn read_u64(bytes: &[u8], offset: usize) -> Option<u64> {
    let raw = bytes.get(offset..offset.checked_add(8)?)?;
    Some(u64::from_le_bytes(raw.try_into().ok()?))
}

fn read_u16(bytes: &[u8], offset: usize) -> Option<u16> {
    let raw = bytes.get(offset..offset.checked_add(2)?)?;
    Some(u16::from_le_bytes(raw.try_into().ok()?))
}

/// Checks header and footer of a file and gives its record and where that begins.
///
/// # Errors
/// [`Error::Corrupt`] or [`Error::Format`], naming the file.
pub(crate) fn open<'a>(bytes: &'a [u8], kind: FileKind, file: &Path) -> Result<(&'a [u8], u64)> {
    let corrupt = |offset: usize, what| Error::Corrupt {
        file: file.to_path_buf(),
        offset: offset as u64,
        what,
    };
    if bytes.len() < HEADER_BYTES + FOOTER_BYTES {
        return Err(corrupt(bytes.len(), "the file is cut short"));
    }
    if !bytes.starts_with(&MAGIC) {
        return Err(corrupt(0, "it does not begin as a file of Yiku"));
    }
    let found = format_of(bytes);
    if !(FORMAT_OLDEST..=FORMAT).contains(&found) {
        let (oldest, newest) = (FORMAT_OLDEST, FORMAT);
        return Err(Error::Format { file: file.to_path_buf(), found, oldest, newest });
    }
    if read_u16(bytes, MAGIC.len()) != Some(kind as u16) {
        return Err(corrupt(MAGIC.len(), "it is another kind of file than its name says"));
    }
    let foot = bytes.len() - FOOTER_BYTES;
    let field = |n: usize| read_u64(bytes, foot + 8 * n).unwrap_or(0);
    let guarded = bytes.get(foot..foot + 24).unwrap_or_default();
    if checksum(guarded) != field(3) {
        return Err(corrupt(foot, "the footer is damaged or the file is cut short"));
    }
    let (offset, length) = (field(0), field(1));
    let end = offset.checked_add(length);
    if end != Some(foot as u64) || offset < HEADER_BYTES as u64 {
        return Err(corrupt(foot, "the footer points outside the file"));
    }
    let record = usize::try_from(offset).ok().and_then(|start| bytes.get(start..foot));
    let record = record.ok_or_else(|| corrupt(foot, "the footer points outside the file"))?;
    if checksum(record) != field(2) {
        return Err(Error::Corrupt {
            file: file.to_path_buf(),
            offset,
            what: "the record is damaged",
        });
    }
    Ok((record, offset))
}

/// The tables of `docs/format.md`.
#[must_use]
pub fn tables() -> String {
    let mut text = String::from("| width | value |\n| --- | --- |\n");
    let widths = [
        ("format written", u64::from(FORMAT)),
        ("oldest format read", u64::from(FORMAT_OLDEST)),
        ("header, bytes", HEADER_BYTES as u64),
        ("footer, bytes", FOOTER_BYTES as u64),
        ("alignment of a frame, bytes", FRAME_ALIGN as u64),
        ("padding behind a packed block, bytes", PACK_PADDING as u64),
        ("rows of a block", u64::from(limits::BLOCK_ROWS)),
        ("blocks of a segment's largest table", u64::from(limits::SEGMENT_BLOCKS_MAX)),
        ("rows of a segment's largest table", u64::from(limits::SEGMENT_ROWS_MAX)),
        ("texts of a chunk", crate::block::chunks::CHUNK_TEXTS as u64),
        ("bytes of a text value", limits::TEXT_BYTES_MAX as u64),
        ("codes of a list", limits::LIST_CODES_MAX as u64),
        ("codes of a list used by a set", limits::SET_CODES_MAX as u64),
        ("digits of a path code", u64::from(limits::PATH_DIGITS_MAX)),
    ];
    for (name, value) in widths {
        text.push_str(&format!("| {name} | {value} |\n"));
    }
    text.push_str("\n| file | kind | name |\n| --- | --- | --- |\n");
    let files = [
        (FileKind::Segment, "segment", "`seg-<number>`"),
        (FileKind::Live, "live sets", "`live-<manifest>`"),
        (FileKind::Manifest, "manifest", "`manifest-<number>`"),
        (FileKind::Current, "current version", "`CURRENT`"),
        (FileKind::Tree, "path tree", "`tree-<manifest>`"),
        (FileKind::Log, "log", "`log-<manifest>`"),
    ];
    for (kind, what, name) in files {
        text.push_str(&format!("| {what} | {} | {name} |\n", kind as u16));
    }
    text.push_str("\n| encoding | number |\n| --- | --- |\n");
    let encodings = [
        (Encoding::Constant, "constant"),
        (Encoding::Packed, "frame of reference, bit-packed"),
        (Encoding::Text, "text, zstd (format 1)"),
        (Encoding::Dictionary, "text, dictionary and packed places (format 1)"),
        (Encoding::Numbered, "text, prefix and packed numbers (format 1)"),
        (Encoding::Runs, "runs"),
        (Encoding::ListPacked, "dictionary and packed places"),
        (Encoding::Planes, "planes"),
        (Encoding::ListPlanes, "dictionary and planes of places"),
        (Encoding::TextChunks, "text, chunks"),
        (Encoding::TextList, "text, dictionary and packed places"),
        (Encoding::Shaped, "text, numbers of one shape"),
        (Encoding::KnownPacked, "frame of reference, bit-packed, of the known rows"),
        (Encoding::KnownListPacked, "dictionary and packed places, of the known rows"),
        (Encoding::KnownPlanes, "planes, of the known rows"),
        (Encoding::KnownListPlanes, "dictionary and planes of places, of the known rows"),
    ];
    for (encoding, name) in encodings {
        text.push_str(&format!("| {name} | {} |\n", encoding as u8));
    }
    text.push_str("\n| kind of column | number |\n| --- | --- |\n");
    for (number, kind) in crate::schema::Kind::ALL.into_iter().enumerate() {
        text.push_str(&format!("| `{}` | {number} |\n", kind.word()));
    }
    text
}
