//! Values of a block as distances from an integer, in half the bits of an integer.
//!
//! Invariant: what is given and added to that integer is what [`IntegerBlock::decode`] gives.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a distance is looked at before, or the bits of its block are"
)]

use super::integers::IntegerBlock;
use super::packed::one;
use super::unpack::{GROUP, Lane, Take, each_group};
use crate::cpu::{Cpu, best};
use crate::format::Encoding;

/// Appends the numbers of a group, something added.
struct Added<'a> {
    more: u32,
    out: &'a mut Vec<u32>,
}

impl Take for Added<'_> {
    #[inline(always)]
    fn take<C: Cpu, T: Lane>(&mut self, _: C, lanes: &[T; GROUP]) {
        let mut own = [0u32; GROUP];
        for (slot, lane) in own.iter_mut().zip(lanes) {
            *slot = (lane.wide() as u32).wrapping_add(self.more);
        }
        self.out.extend_from_slice(&own);
    }
}

impl IntegerBlock<'_> {
    /// Appends how far the values `from..to` lie above an integer, if all lie so near that this
    /// has `bits` bits, at most 32; gives whether they do. None where the block does not read
    /// back.
    pub(crate) fn above(
        &self,
        (from, to): (usize, usize),
        least: i64,
        bits: u32,
        out: &mut Vec<u32>,
    ) -> Option<bool> {
        let limit = 1u64 << bits.min(u32::BITS);
        if self.encoding() == Some(Encoding::Packed)
            && !self.toc.of_known()
            && let Some(more) = self.toc.base.checked_sub(least)
            && let Ok(more) = u64::try_from(more)
            && u32::from(self.toc.bits) <= u32::BITS
            && more < limit
            && (1 << self.toc.bits) <= limit - more
        {
            let (frame, width) = self.packed()?;
            let more = more as u32;
            let single = |row| (one(frame, width, row) as u32).wrapping_add(more);
            let head = to.min(from.next_multiple_of(GROUP));
            let tail = head.max(to - to % GROUP);
            out.reserve(to - from);
            out.extend((from..head).map(single));
            each_group(frame, width, head / GROUP..tail / GROUP, &mut Added { more, out });
            out.extend((tail..to).map(single));
            return Some(true);
        }
        let mut values = Vec::with_capacity(to - from);
        self.decode(from, to, &mut values)?;
        let start = out.len();
        out.resize(start + values.len(), 0);
        let own = out.get_mut(start..)?;
        let all = best(
            #[inline(always)]
            || {
                let mut all = 0u64;
                for (slot, value) in own.iter_mut().zip(&values) {
                    let above = value.wrapping_sub(least).cast_unsigned();
                    all |= above;
                    *slot = above as u32;
                }
                all
            },
        );
        // A value below the integer lies, modulo 2^64, far above it.
        Some(all < limit)
    }
}
