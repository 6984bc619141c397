//! What may be left of a folder when the machine stopped.

use super::{Content, Image, Memory, Node, SECTOR, give};
use crate::Random;

/// What is left of what was written into logs and not synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    Lost,
    /// All of it.
    Kept,
    /// All but the second half of the last piece.
    Half,
    /// Only the last piece: what was written before it is lost.
    Last,
    /// Each sector as it was before any of the pieces or after any number of them, drawn from
    /// a seed.
    Sectors(u64),
}

impl Node {
    /// What is left of the file.
    fn left(&self, tail: &Tail) -> Content {
        let mut left = self.durable.clone();
        let Some(((last, tear), before)) = self.pending.split_last() else { return left };
        match tail {
            Tail::Lost => {}
            Tail::Kept => self.pending.iter().for_each(|(at, bytes)| left.put(*at, bytes)),
            Tail::Half => {
                before.iter().for_each(|(at, bytes)| left.put(*at, bytes));
                left.put(*last, &tear[..tear.len() / 2]);
            }
            Tail::Last => left.put(*last, tear),
            Tail::Sectors(seed) => self.sectors(&mut left, &mut Random::new(*seed)),
        }
        left
    }

    fn sectors(&self, left: &mut Content, random: &mut Random) {
        let ends = self.pending.iter().map(|(at, bytes)| (*at, at + bytes.len()));
        let first = ends.clone().map(|(start, _)| start / SECTOR).min().unwrap_or(0);
        let last = ends.map(|(_, end)| end.div_ceil(SECTOR)).max().unwrap_or(0);
        for sector in first..last {
            let (start, end) = (sector * SECTOR, (sector + 1) * SECTOR);
            let touch = |(at, bytes): &&(usize, Vec<u8>)| *at < end && at + bytes.len() > start;
            let touching: Vec<_> = self.pending.iter().filter(touch).collect();
            let reached = random.below(touching.len() + 1);
            for (at, bytes) in touching.into_iter().take(reached) {
                let (from, to) = (start.max(*at), end.min(at + bytes.len()));
                left.put(from, &bytes[from - at..to - at]);
            }
        }
    }
}

impl Memory {
    /// How many changes of names are not durable.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.state().pending.len()
    }

    /// The files after a stop; `keep` says of each change of names that was not synced whether
    /// it outlasted, `tail` what is left in logs.
    pub fn image(&self, mut keep: impl FnMut(usize) -> bool, tail: &Tail) -> Image {
        let state = self.state();
        let mut names = state.durable.clone();
        let kept = state.pending.iter().enumerate().filter(|(place, _)| keep(*place));
        kept.for_each(|(_, change)| give(&mut names, change));
        names.into_iter().map(|(name, node)| (name, state.nodes[node].left(tail))).collect()
    }

    /// The files after a stop that took everything that was not synced.
    #[must_use]
    pub fn durable(&self) -> Image {
        self.image(|_| false, &Tail::Lost)
    }

    /// What may be left after a stop, with words for messages: changes of names lost, kept, in
    /// part; what was written into logs lost, kept, torn. Each image once.
    #[must_use]
    pub fn images(&self, random: &mut Random) -> Vec<(String, Image)> {
        let logs = {
            let state = self.state();
            let named = state.seen.values().chain(state.durable.values());
            named.into_iter().any(|node| !state.nodes[*node].pending.is_empty())
        };
        let mut tails = vec![Tail::Lost];
        if logs {
            tails.extend([Tail::Kept, Tail::Half, Tail::Last]);
            tails.extend((0..2).map(|_| Tail::Sectors(random.below(1 << 32) as u64)));
        }
        let pending = self.pending();
        let mut images: Vec<(String, Image)> = Vec::new();
        for tail in tails {
            let mut add = |what: String, files: Image| {
                if images.iter().all(|(_, image)| *image != files) {
                    images.push((format!("names {what}, logs {tail:?}"), files));
                }
            };
            add("lost".to_owned(), self.image(|_| false, &tail));
            add("kept".to_owned(), self.image(|_| true, &tail));
            for kept in (1..pending).take_while(|_| tail == Tail::Lost) {
                add(format!("up to {kept}"), self.image(|change| change < kept, &tail));
                add(format!("from {kept}"), self.image(|change| change >= kept, &tail));
            }
            if pending > 2 {
                add("drawn".to_owned(), self.image(|_| random.chance(50), &tail));
            }
        }
        images
    }
}
