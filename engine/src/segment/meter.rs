//! What is read of a segment, counted for whoever wants to know.
//!
//! Invariants: a frame counts with all of its bytes, however little of it is decoded, and once
//! until the count is taken; what is kept in memory once it was read (where the rows beneath rows
//! begin) counts each time it is asked for, so that the count does not depend on who asked before.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;

use super::file::SegmentFile;
use super::{Column, Segment};
use crate::block::integers::IntegerBlock;
use crate::block::{BlockToc, FrameRef};
use crate::error::{Error, Result};

/// Counts what is read of one segment ([`Segment::metered`]).
#[derive(Debug, Default)]
pub struct Meter(Mutex<Touched>);

/// Frames of a segment file that were read: their numbers, and how long they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched(BTreeMap<u32, u64>);

impl Meter {
    /// What was read since this was last asked.
    #[must_use]
    pub fn take(&self) -> Touched {
        std::mem::take(&mut self.0.lock())
    }

    fn mark(&self, frame: FrameRef) {
        self.0.lock().0.insert(frame.index, frame.length);
    }
}

impl Touched {
    /// Adds frames, and gives the bytes of those that were not among these.
    pub fn add(&mut self, others: &Self) -> u64 {
        let mut added = 0;
        for (frame, bytes) in &others.0 {
            if self.0.insert(*frame, *bytes).is_none() {
                added += bytes;
            }
        }
        added
    }

    /// Whether nothing was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has(&self, frame: Option<FrameRef>) -> bool {
        frame.is_some_and(|frame| self.0.contains_key(&frame.index))
    }
}

/// The frames of a segment file, read for somebody who may count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frames<'a> {
    pub(super) file: &'a SegmentFile,
    meter: Option<&'a Meter>,
}

impl<'a> Frames<'a> {
    /// Counts a frame that is read by other ways.
    pub(super) fn mark(self, frame: FrameRef) {
        if let Some(meter) = self.meter {
            meter.mark(frame);
        }
    }

    pub(super) fn mark_block(self, block: &BlockToc) {
        if self.meter.is_some() {
            let known = block.known_bits.filter(|_| block.of_known());
            [block.frame, block.beside, known].into_iter().flatten().for_each(|f| self.mark(f));
        }
    }

    pub(super) fn frame(self, frame: FrameRef) -> Result<&'a [u8]> {
        self.mark(frame);
        self.file.frame(frame)
    }

    /// Some words of the bits of the known rows of a block.
    pub(super) fn known_part(
        self,
        block: &BlockToc,
        frame: FrameRef,
        part: Range<usize>,
    ) -> Result<Cow<'a, [u64]>> {
        self.mark(frame);
        self.file.known_part(block, frame, part)
    }

    pub(super) fn frame_or_nothing(self, frame: Option<FrameRef>) -> Result<&'a [u8]> {
        frame.map_or(Ok(&[][..]), |frame| self.frame(frame))
    }

    pub(super) fn integers(
        self,
        block: &BlockToc,
        from: usize,
        to: usize,
        out: &mut Vec<i64>,
    ) -> Result<()> {
        self.mark_block(block);
        self.file.integers(block, from, to, out)
    }

    pub(super) fn integer_block(self, block: &'a BlockToc) -> Result<IntegerBlock<'a>> {
        self.mark_block(block);
        self.file.integer_block(block)
    }

    pub(super) fn corrupt(self, frame: Option<FrameRef>, what: &'static str) -> Error {
        self.file.corrupt(frame, what)
    }
}

impl Segment {
    /// The same segment; what is read of it from here on is counted.
    #[must_use]
    pub fn metered(&self, meter: &Arc<Meter>) -> Self {
        Self { meter: Some(Arc::clone(meter)), ..self.clone() }
    }

    pub(super) fn frames(&self) -> Frames<'_> {
        Frames { file: &self.file, meter: self.meter.as_deref() }
    }

    /// The same segment, read without being counted.
    pub(super) fn unmetered(&self) -> Self {
        Self { meter: None, ..self.clone() }
    }
}

impl Column<'_> {
    /// For every block of the column whether any of it was read.
    pub fn touched<'t>(&'t self, touched: &'t Touched) -> impl Iterator<Item = bool> + 't {
        let own = |block: &BlockToc| {
            [block.frame, block.beside, block.known_bits].into_iter().any(|f| touched.has(f))
        };
        self.toc.blocks.iter().map(own)
    }
}
