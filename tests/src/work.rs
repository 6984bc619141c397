//! What the hands of a writing process do, step by step: each has keys of its own, and the same
//! step is the same for ever, so that whoever knows how many steps were acknowledged knows what
//! a database must hold.

use std::collections::BTreeMap;

use yiku::{Result, Snapshot, Writer};

use crate::Random;
use crate::naive;
use crate::registry::{Row, Rows, push};
use crate::sample::{Mood, Source, schema, tree};

/// Districts of the tree of such a database.
pub const DISTRICTS: u64 = 2;
/// Keys of a hand.
const KEYS: usize = 24;

fn key(hand: usize, number: usize) -> String {
    format!("W{hand:02}-{number:03}")
}

/// The bundles that a step writes, and, where there is no row, removes.
#[must_use]
pub fn changes(hand: usize, step: usize) -> BTreeMap<String, Option<Row>> {
    let mut random = Random::new((hand * 1_000_003 + step) as u64);
    let (tree, schema) = (tree(DISTRICTS), schema());
    let mood = *random.pick(&Mood::ALL);
    let mut found = BTreeMap::new();
    for _ in 0..=random.below(4) {
        let key = key(hand, random.below(KEYS));
        let row = random.chance(80).then(|| {
            let mut source = Source { random: &mut random, tree: &tree, mood, beneath_max: 2 };
            source.bundle(&schema, &key)
        });
        found.insert(key, row);
    }
    found
}

/// Does a step, without the commit.
///
/// # Errors
/// The engine's.
pub fn write(writer: &mut Writer, hand: usize, step: usize) -> Result<()> {
    let mut batch = writer.batch();
    for (key, row) in changes(hand, step) {
        match row {
            Some(row) => push(&mut batch, &row),
            None => {
                writer.remove(&key)?;
            }
        }
    }
    writer.write(&batch)
}

/// Does a step to the bundles of a hand.
pub fn apply(rows: &mut Rows, hand: usize, step: usize) {
    for (key, row) in changes(hand, step) {
        match row {
            Some(row) => rows.insert(key, row),
            None => rows.remove(&key),
        };
    }
}

/// The bundles of a hand after so many steps.
#[must_use]
pub fn state(hand: usize, steps: usize) -> Rows {
    let mut rows = Rows::new();
    (0..steps).for_each(|step| apply(&mut rows, hand, step));
    rows
}

/// The hand whose key it is.
///
/// # Panics
/// When it is no hand's.
#[must_use]
pub fn hand_of(key: &str) -> usize {
    key[1..3].parse().unwrap()
}

/// How many steps of each hand a database holds, where it holds at least so many as were
/// acknowledged and at most so many as were asked for.
///
/// # Errors
/// The engine's.
///
/// # Panics
/// When the database holds anything else.
pub fn found(snapshot: &Snapshot, acked: &[usize], asked: &[usize]) -> Result<Vec<usize>> {
    let mut by_hand: Vec<Rows> = acked.iter().map(|_| Rows::new()).collect();
    for (key, row) in naive::rows(snapshot)? {
        by_hand[hand_of(&key)].insert(key, row);
    }
    let mut steps = Vec::new();
    for (hand, rows) in by_hand.iter().enumerate() {
        let mut possible = acked[hand]..=asked[hand];
        let right = possible.find(|steps| state(hand, *steps) == *rows);
        let said = format!("hand {hand}: {} acknowledged, {} asked", acked[hand], asked[hand]);
        steps.push(right.unwrap_or_else(|| panic!("{said}: the database holds something else")));
    }
    Ok(steps)
}
