//! A process that reads beside one that writes.
//!
//! `reader FOLDER HANDS`: for every line `look VERSION` on standard input it takes the newest
//! version, which must be that or a later one, looks at all of its rows in every way, and says on
//! standard output `saw VERSION STEPS MEMORY`: the version, the steps of all hands that it holds,
//! and the bytes of memory that this process has to itself. It ends with its input.
//!
//! What must be there it knows itself: the steps of a hand are the same for ever, so its rows are
//! those after some step, and never after an earlier one than before.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a child that cannot go on ends")]

use std::io::{BufRead, Write};
use std::path::Path;

use yiku::{Database, Snapshot};
use yiku_tests::registry::Rows;
use yiku_tests::{memory_bytes, naive, work};

/// How far a hand was seen.
#[derive(Debug, Default)]
struct Seen {
    steps: usize,
    rows: Rows,
}

impl Seen {
    /// Goes on to the step after which a hand has these rows; there are at most so many.
    fn follow(&mut self, hand: usize, rows: &Rows, most: usize) {
        while self.rows != *rows {
            assert!(self.steps < most, "hand {hand}: rows of no step up to {most}");
            work::apply(&mut self.rows, hand, self.steps);
            self.steps += 1;
        }
    }
}

/// Looks at everything of a version; how many steps it holds.
fn look(snapshot: &Snapshot, hands: &mut [Seen]) -> usize {
    naive::check_all(snapshot).unwrap();
    let mut rows: Vec<Rows> = hands.iter().map(|_| Rows::new()).collect();
    for (key, row) in naive::rows(snapshot).unwrap() {
        rows[work::hand_of(&key)].insert(key, row);
    }
    // Every step was a commit: there are no more of them than versions.
    let most = usize::try_from(snapshot.version()).unwrap();
    for ((hand, seen), rows) in hands.iter_mut().enumerate().zip(&rows) {
        seen.follow(hand, rows, most);
    }
    hands.iter().map(|seen| seen.steps).sum()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, hands] = arguments.as_slice() else { std::process::exit(1) };
    let database = Database::open(Path::new(folder)).unwrap();
    let mut hands: Vec<Seen> = (0..hands.parse().unwrap()).map(|_| Seen::default()).collect();
    let (input, mut output) = (std::io::stdin(), std::io::stdout());
    let mut before = 0;
    for line in input.lock().lines() {
        let line = line.unwrap();
        let least: u64 = line.strip_prefix("look ").unwrap().parse().unwrap();
        let snapshot = database.snapshot().unwrap();
        let version = snapshot.version();
        let least = least.max(before);
        assert!(version >= least, "version {version}, though {least} was there before");
        before = version;
        let steps = look(&snapshot, &mut hands);
        drop(snapshot);
        writeln!(output, "saw {version} {steps} {}", memory_bytes()).unwrap();
    }
}
