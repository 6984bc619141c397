//! Many commits of one decision each: segments do not pile up.

use std::time::Instant;

use crate::world::{World, everything, newcomer, nobody, warning};

#[test]
fn segments_do_not_pile_up() {
    let world = World::new(2_000, 31);
    let region = world.household(&world.keys[5]).region;
    let mut most = 0;
    let mut times = Vec::new();
    for seq in 1..=300 {
        let start = Instant::now();
        let key = &world.keys[usize::try_from(seq).unwrap() * 7 % world.keys.len()];
        match seq % 3 {
            0 => world.apply(&[newcomer(seq, &format!("m{seq}"), &region, &nobody(seq))]),
            _ => world.apply(&[warning(seq, key, &format!("W{seq}"), "1")]),
        };
        times.push(start.elapsed());
        most = most.max(world.snapshot().segments().len());
    }
    times.sort();
    println!("median {:?}, slowest {:?}, {most} segments", times[150], times[299]);
    assert!(most <= 34, "{most} segments stood");
    let all = everything(&world.snapshot());
    assert_eq!(all.len(), world.keys.len() + 100);
    assert_eq!(all.values().map(|household| household.warnings.len()).sum::<usize>(), 200);
}
