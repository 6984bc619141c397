//! The engine against a naive model: the same sequence of operations on both, every answer equal.
//!
//! Sequences are drawn from a seed that is named when one fails.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod sequence;
mod wide;

use std::collections::BTreeMap;

use sequence::World;
use yiku::Access;

/// Runs sequences on folders in memory; how the filters were served.
fn run(seeds: std::ops::Range<u64>, operations: usize) -> BTreeMap<String, usize> {
    let mut served = BTreeMap::new();
    for seed in seeds {
        let mut world = World::new(seed);
        (0..operations).for_each(|_| world.step());
        world.end();
        for access in world.served {
            *served.entry(format!("{access:?}")).or_insert(0) += 1;
        }
    }
    served
}

#[test]
fn many_short_sequences() {
    let served = run(0..60, 30);
    let expected = [Access::PathRange, Access::Index, Access::ZoneMap, Access::Scan];
    for access in expected.map(|access| format!("{access:?}")) {
        let times = served.get(&access).copied().unwrap_or(0);
        assert!(times > 500, "{access} served {times} filters: it is hardly tried");
    }
}

#[test]
fn a_few_long_sequences() {
    run(1_000..1_004, 300);
}
