//! The bytes of a file, shared by all images that have them: an image of a folder with a log of
//! many megabytes costs no more than the pieces in which it differs.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of a sector: a disk writes it whole or not at all.
pub const SECTOR: usize = 512;
/// Bytes of a piece that images share.
const PIECE: usize = 4_096;

/// The bytes of a file.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Written at once.
    Whole(Arc<Vec<u8>>),
    /// Written piece by piece; what is absent is zeros.
    Log {
        /// Bytes of the file.
        length: usize,
        /// Pieces by their number.
        pieces: BTreeMap<usize, Arc<Vec<u8>>>,
    },
}

impl std::fmt::Debug for Content {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} bytes", self.len())
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Whole(Arc::new(bytes))
    }
}

impl Content {
    /// A log of so many zeros.
    #[must_use]
    pub fn zeros(length: usize) -> Self {
        Self::Log { length, pieces: BTreeMap::new() }
    }

    /// Bytes of the file.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.len(),
            Self::Log { length, .. } => *length,
        }
    }

    /// Whether there is no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is a log.
    #[must_use]
    pub fn is_log(&self) -> bool {
        matches!(self, Self::Log { .. })
    }

    /// Behind the last byte that is not zero.
    #[must_use]
    pub fn written(&self) -> usize {
        let last = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte != 0).map(|at| at + 1);
        match self {
            Self::Whole(bytes) => last(bytes).unwrap_or(0),
            Self::Log { pieces, .. } => {
                let ends = pieces.iter().map(|(n, bytes)| last(bytes).map(|end| n * PIECE + end));
                ends.flatten().max().unwrap_or(0)
            }
        }
    }

    /// All bytes.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.part(0, self.len())
    }

    /// Bytes from a place on, fewer where the file ends.
    #[must_use]
    pub fn part(&self, offset: usize, length: usize) -> Vec<u8> {
        let start = offset.min(self.len());
        let end = start.saturating_add(length).min(self.len());
        match self {
            Self::Whole(bytes) => bytes[start..end].to_vec(),
            Self::Log { pieces, .. } => {
                let mut found = vec![0; end - start];
                for (number, piece) in pieces.range(start / PIECE..end.div_ceil(PIECE)) {
                    let base = number * PIECE;
                    let (from, to) = (base.max(start), (base + PIECE).min(end));
                    found[from - start..to - start].copy_from_slice(&piece[from - base..to - base]);
                }
                found
            }
        }
    }

    /// Puts bytes in the place of those there.
    ///
    /// # Panics
    /// When they reach beyond the end.
    pub fn put(&mut self, offset: usize, bytes: &[u8]) {
        assert!(offset + bytes.len() <= self.len(), "beyond the end");
        match self {
            Self::Whole(whole) => {
                Arc::make_mut(whole)[offset..offset + bytes.len()].copy_from_slice(bytes);
            }
            Self::Log { pieces, .. } => {
                let end = offset + bytes.len();
                for number in offset / PIECE..end.div_ceil(PIECE) {
                    let base = number * PIECE;
                    let (from, to) = (base.max(offset), (base + PIECE).min(end));
                    let piece = pieces.entry(number).or_insert_with(|| Arc::new(vec![0; PIECE]));
                    Arc::make_mut(piece)[from - base..to - base]
                        .copy_from_slice(&bytes[from - offset..to - offset]);
                }
            }
        }
    }

    /// The same with a byte changed.
    #[must_use]
    pub fn flipped(&self, at: usize, mask: u8) -> Self {
        let mut changed = self.clone();
        let byte: u8 = self.part(at, 1).iter().sum();
        changed.put(at, &[byte ^ mask]);
        changed
    }

    /// The first bytes of it.
    #[must_use]
    pub fn cut(&self, length: usize) -> Self {
        match self {
            Self::Whole(bytes) => bytes[..length].to_vec().into(),
            Self::Log { pieces, .. } => {
                let mut kept = Self::zeros(length);
                for (number, piece) in pieces.range(..length.div_ceil(PIECE)) {
                    let end = piece.len().min(length - number * PIECE);
                    kept.put(number * PIECE, &piece[..end]);
                }
                kept
            }
        }
    }
}
