//! The engine against a naive model: the same sequence of operations on both, every answer equal.
//!
//! Sequences are drawn from a seed that is named when one fails.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod sequence;
mod wide;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use sequence::World;
use yiku::segment::Access;

/// Runs sequences on folders in memory, several at a time; how the filters were served.
fn run(seeds: std::ops::Range<u64>, operations: usize) -> BTreeMap<String, usize> {
    // A seed that failed is tried alone: `YIKU_SEED=17`.
    let only: Option<u64> = std::env::var("YIKU_SEED").ok().map(|seed| seed.parse().unwrap());
    let seeds = only.map_or(seeds, |seed| seed..seed + 1);
    let (next, served) = (AtomicU64::new(seeds.start), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let mut world = World::new(seed);
                    (0..operations).for_each(|_| world.step());
                    world.end();
                    let mut served = served.lock().unwrap();
                    for access in world.served {
                        *served.entry(format!("{access:?}")).or_insert(0) += 1;
                    }
                }
            });
        }
    });
    eprintln!("{} sequences of {operations} operations", seeds.end - seeds.start);
    served.into_inner().unwrap()
}

/// How many short sequences.
fn sequences() -> u64 {
    std::env::var("YIKU_SEQUENCES").map_or(300, |text| text.parse().unwrap())
}

#[test]
fn many_short_sequences() {
    let served = run(0..sequences(), 24);
    if std::env::var("YIKU_SEED").is_ok() {
        return;
    }
    let least = sequences() * 10;
    let expected = [Access::PathRange, Access::Index, Access::ZoneMap, Access::Scan];
    for access in expected.map(|access| format!("{access:?}")) {
        let times = served.get(&access).copied().unwrap_or(0);
        assert!(times as u64 > least, "{access} served {times} filters: it is hardly tried");
    }
}

#[test]
fn a_few_long_sequences() {
    run(1_000_000..1_000_004, 300);
}
