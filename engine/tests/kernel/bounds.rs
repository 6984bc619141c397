//! Questions end when they should and take no more than they may.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::world::{BALL, BOUNCE, BOX, Row, Shape, Threads, world};
use yiku::kernel::{Held, Lift, Pool, Rows, Run, Stop};
use yiku::{Error, Predicate, Result, Snapshot};

const SHAPE: Shape = Shape { boxes: 60_000, commits: 3, changed: 50, wide: false };

/// Every kernel once.
fn every_kernel(run: &Run<'_>, snapshot: &Snapshot) -> Result<Vec<u64>> {
    let most = Predicate::Range { min: -900_000, max: 900_000 };
    let balls = Rows::live(run, snapshot, BALL)?.filter(&[(1, most)])?;
    let copy = balls.copy()?;
    Ok(vec![
        copy.count(),
        balls.sum(3)?.known,
        balls.extremes(1)?.map_or(0, |(low, _)| low.unsigned_abs()),
        balls.by_code(2, Some(1))?.len() as u64,
        balls.by_codes((2, 6), None)?.len() as u64,
        balls.by_place(2, Some(1))?.len() as u64,
        balls.quantile(1, 0.3)?.map_or(0, f64::to_bits),
        balls.top(1, 100, true)?.len() as u64,
        balls.lift(BOX, &Lift::Sum(3, 5..=9))?.count(),
        balls.distinct_roots()?,
        balls.beneath_each(BOX, Some(3))?.len() as u64,
        balls.spread(BOUNCE)?.count(),
    ])
}

#[test]
fn a_question_stops_within_a_block() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, _) = world(folder.path(), 3, SHAPE);
    let expected = every_kernel(&Run::new(), &snapshot).unwrap();
    let asked = AtomicUsize::new(0);
    let count = || {
        asked.fetch_add(1, Ordering::Relaxed);
        None
    };
    every_kernel(&Run::new().until(&count), &snapshot).unwrap();
    let all = asked.load(Ordering::Relaxed);
    let blocks: u32 = snapshot.segments().iter().map(|s| s.rows(BALL).div_ceil(65_536)).sum();
    assert!(all > blocks as usize * 9, "asked {all} times of {blocks} blocks");
    let pools: [&dyn Pool; 2] = [&Threads(1), &Threads(4)];
    for pool in pools {
        for after in 0..all {
            asked.store(0, Ordering::Relaxed);
            let stop = || {
                let before = asked.fetch_add(1, Ordering::Relaxed);
                (before >= after).then_some(Stop::Cancelled)
            };
            let run = Run::new().on(pool).until(&stop);
            let found = every_kernel(&run, &snapshot);
            assert!(matches!(found, Err(Error::Stopped(Stop::Cancelled))), "after {after}");
            // Each thread asks once more at most: then it works no longer.
            let more = asked.load(Ordering::Relaxed) - after;
            assert!((1..=pool.threads()).contains(&more), "asked {more} times after the stop");
            assert_eq!(run.held_bytes(), 0);
        }
        let never = || None;
        let run = Run::new().on(pool).until(&never);
        assert_eq!(every_kernel(&run, &snapshot).unwrap(), expected);
    }
}

#[test]
fn a_question_takes_no_more_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, _) = world(folder.path(), 3, SHAPE);
    let expected = every_kernel(&Run::new(), &snapshot).unwrap();
    let pools: [&dyn Pool; 2] = [&Threads(1), &Threads(3)];
    for pool in pools {
        let (mut refused, mut answered) = (0, 0);
        let mut limit = 1u64;
        while answered == 0 {
            let run = Run::new().on(pool).memory(limit);
            let found = every_kernel(&run, &snapshot);
            if let Err(Error::Memory { needed, limit: told }) = found {
                assert!(needed > limit && told == limit, "{needed} of {limit}");
                refused += 1;
            } else {
                assert_eq!(found.unwrap(), expected);
                answered += 1;
            }
            assert_eq!(run.held_bytes(), 0, "what was refused leaves nothing behind");
            limit = limit * 5 / 4 + 100;
        }
        assert!(refused > 10 && limit < 32 << 20, "{refused} times, {limit}");
    }
}

#[test]
fn what_a_question_cannot_mean_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, _) = world(folder.path(), 8, Shape { boxes: 9, ..SHAPE });
    let run = Run::new();
    let balls = Rows::live(&run, &snapshot, BALL).unwrap();
    let wrong = |found: Result<()>| assert!(matches!(found, Err(Error::WrongType { .. })));
    wrong(balls.sum(5).map(drop));
    wrong(balls.extremes(0).map(drop));
    wrong(balls.quantile(5, 0.5).map(drop));
    wrong(balls.top(5, 0, true).map(drop));
    wrong(balls.by_code(1, None).map(drop));
    wrong(balls.by_code(4, None).map(drop));
    wrong(balls.by_code(2, Some(5)).map(drop));
    wrong(balls.by_codes((2, 3), None).map(drop));
    wrong(balls.by_place(0, Some(5)).map(drop));
    wrong(balls.lift(BOX, &Lift::Sum(5, 0..=1)).map(drop));
    let unknown = |found: Result<()>| {
        let named = matches!(found, Err(Error::UnknownColumn { .. } | Error::UnknownTable { .. }));
        assert!(named);
    };
    unknown(balls.sum(9).map(drop));
    unknown(balls.copy().unwrap().filter(&[(9, Predicate::Known)]).map(drop));
    unknown(balls.lift(BOUNCE, &Lift::Any).map(drop));
    unknown(balls.spread(BOX).map(drop));
    unknown(Rows::live(&run, &snapshot, 3).map(drop));
    assert!(matches!(balls.by_place(3, None), Err(Error::Limit { .. })));
}

#[test]
fn sums_go_beyond_64_bits_and_say_where_they_may_not() {
    let folder = tempfile::tempdir().unwrap();
    let shape = Shape { boxes: 20_000, commits: 1, changed: 0, wide: true };
    let (snapshot, boxes) = world(folder.path(), 4, shape);
    let run = Run::new();
    let balls = Rows::live(&run, &snapshot, BALL).unwrap();
    let wide = balls.filter(&[(1, Predicate::Range { min: i64::MAX - 1, max: i64::MAX })]).unwrap();
    let total = wide.sum(1).unwrap();
    assert!(total.sum > i128::from(i64::MAX) * 10, "{total:?}");
    let over = |b: &&Row| {
        let values = b.beneath.iter().filter_map(|ball| ball.number(1));
        values.filter(|v| *v >= i64::MAX - 1).count() > 1
    };
    assert!(boxes.iter().filter(over).count() > 0, "a box has two of them");
    assert!(matches!(wide.beneath_each(BOX, Some(1)), Err(Error::Overflow { .. })));
    let with = wide.lift(BOX, &Lift::Sum(1, i64::MAX - 1..=i64::MAX)).unwrap();
    let two = wide.lift(BOX, &Lift::Count(2..=u64::MAX)).unwrap();
    let any = wide.distinct_roots().unwrap();
    assert_eq!(with.count() + two.count(), any, "two such weights are more than any one");
}

#[test]
fn what_is_held_counts_until_it_is_dropped() {
    let run = Run::new().memory(100);
    let first: Held<'_> = run.hold(60).unwrap();
    let refused = run.hold(41).unwrap_err();
    assert!(matches!(refused, Error::Memory { needed: 101, limit: 100 }), "{refused}");
    let second = run.hold(40).unwrap();
    assert_eq!(run.held_bytes(), 100);
    drop(first);
    assert!(run.hold(u64::MAX).is_err() && run.hold(60).is_ok());
    drop(second);
    assert_eq!(run.held_bytes(), 0);
    let late = || Some(Stop::Deadline);
    assert!(matches!(Run::new().until(&late).check(), Err(Error::Stopped(Stop::Deadline))));
}
