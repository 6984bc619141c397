//! Kernels give what a loop over the drawn rows gives: any rows, any segments, any threads.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]

mod bounds;
mod world;

use std::collections::BTreeMap;

use world::{
    BALL, BOUNCE, BOX, Eager, Idle, Random, Row, Shape, Threads, draw_clause, holds, rows, world,
};
use yiku::kernel::{Lift, Pool, Rows, Run, Top, Total};
use yiku::{Predicate, Snapshot};

const SMALL: Shape = Shape { boxes: 60, commits: 4, changed: 300, wide: true };

/// Runs a check on one thread, on several, and on strange pools.
fn on_every_pool(check: impl Fn(&Run<'_>)) {
    check(&Run::new());
    let pools: [&dyn Pool; 4] = [&Threads(2), &Threads(7), &Idle, &Eager];
    for pool in pools {
        let run = Run::new().on(pool);
        check(&run);
        assert_eq!(run.held_bytes(), 0, "all that was announced is given back");
    }
}

fn total<'r>(rows: impl Iterator<Item = &'r Row>, column: Option<usize>) -> Total {
    let mut found = Total::default();
    for row in rows {
        let value = column.and_then(|column| row.number(column));
        found.rows += 1;
        found.known += u64::from(value.is_some());
        found.sum += i128::from(value.unwrap_or(0));
    }
    found
}

/// The quantile as a sorted list gives it.
fn quantile(mut values: Vec<i64>, share: f64) -> Option<f64> {
    values.sort_unstable();
    let place = (values.len().checked_sub(1)?) as f64 * share.clamp(0.0, 1.0);
    let (a, b) = (values[place.floor() as usize] as f64, values[place.ceil() as usize] as f64);
    let weight = place - place.floor();
    Some(if weight < 0.5 { a + (b - a) * weight } else { b - (b - a) * (1.0 - weight) })
}

fn check_numbers(found: &Rows<'_>, kept: &[(&Row, &Row)], columns: &[usize], what: &str) {
    let own = || kept.iter().map(|(_, row)| *row);
    assert_eq!(found.count(), kept.len() as u64, "{what}");
    for &column in columns {
        let values: Vec<i64> = own().filter_map(|row| row.number(column)).collect();
        assert_eq!(found.sum(column).unwrap(), total(own(), Some(column)), "{what}: {column}");
        let extremes = values.iter().min().map(|low| (*low, *values.iter().max().unwrap()));
        assert_eq!(found.extremes(column).unwrap(), extremes, "{what}: {column}");
        for share in [0.0, 0.5, 0.9, 1.0, 0.123, -3.0] {
            let expected = quantile(values.clone(), share);
            let given = found.quantile(column, share).unwrap();
            assert_eq!(given, expected, "{what}: quantile {share} of {column}");
        }
        assert_eq!(found.quantile(column, f64::NAN).unwrap(), None);
        check_top(found, &values, column, what);
    }
}

fn check_top(found: &Rows<'_>, values: &[i64], column: usize, what: &str) {
    for (count, greatest) in [(0, true), (1, true), (7, false), (40, true), (1_000_000, false)] {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        if greatest {
            sorted.reverse();
        }
        sorted.truncate(count);
        let top = found.top(column, count, greatest).unwrap();
        let own: Vec<i64> = top.iter().map(|top| top.value).collect();
        assert_eq!(own, sorted, "{what}: the top {count} of {column}");
        for pair in top.windows(2).filter(|pair| pair[0].value == pair[1].value) {
            let place = |at: usize| {
                let Top { segment, row, .. } = pair[at];
                (segment, row)
            };
            assert!(place(0) < place(1), "{what}: equal values stand in the order of rows");
        }
        for top in top.iter().take(10) {
            assert!(found.sets()[top.segment].contains(top.row), "{what}");
            let mut value = Vec::new();
            let segment = &found.segments()[top.segment];
            let own = segment.column(found.table(), column).unwrap();
            own.integers(top.row..top.row + 1, &mut value).unwrap();
            assert_eq!(value, [top.value], "{what}");
        }
    }
}

fn check_groups(found: &Rows<'_>, kept: &[(&Row, &Row)], codes: (usize, usize), sum: usize) {
    let place = |row: &Row, column: usize| row.number(column).map_or(4, |code| code as usize);
    for sum in [None, Some(sum)] {
        let mut one = vec![Total::default(); 5];
        let mut both = vec![vec![Total::default(); 5]; 5];
        for (_, row) in kept {
            let own = total(std::iter::once(*row), sum);
            one[place(row, codes.0)].merge(&own);
            both[place(row, codes.0)][place(row, codes.1)].merge(&own);
        }
        assert_eq!(found.by_code(codes.0, sum).unwrap(), one);
        assert_eq!(found.by_codes(codes, sum).unwrap(), both);
    }
}

fn check_places(found: &Rows<'_>, kept: &[(&Row, &Row)], sum: usize) {
    for (level, unit) in [(0, 100_000), (1, 1_000), (2, 1)] {
        let mut expected: BTreeMap<u64, Total> = BTreeMap::new();
        for (own, row) in kept {
            let code = own.number(1).unwrap() as u64;
            let own_level = if code.is_multiple_of(100_000) {
                0
            } else {
                2 - usize::from(code.is_multiple_of(1_000))
            };
            let place = if own_level < level { u64::MAX } else { code / unit * unit };
            let slot = expected.entry(place).or_default();
            slot.merge(&total(std::iter::once(*row), Some(sum)));
        }
        let given = found.by_place(level, Some(sum)).unwrap();
        let given: Vec<(u64, Total)> =
            given.into_iter().map(|(place, total)| (place.unwrap_or(u64::MAX), total)).collect();
        assert_eq!(given, expected.clone().into_iter().collect::<Vec<_>>(), "level {level}");
        let counted = found.by_place(level, None).unwrap();
        let rows: Vec<u64> = counted.iter().map(|(_, total)| total.rows).collect();
        assert_eq!(rows, expected.values().map(|total| total.rows).collect::<Vec<_>>());
    }
}

/// The kept balls, box by box.
fn check_lifts(found: &Rows<'_>, boxes: &[Row], keep: &dyn Fn(&Row) -> bool) {
    let run = |lift: &Lift| found.lift(BOX, lift).unwrap();
    let beneath = |b: &Row| b.beneath.iter().filter(|ball| keep(ball)).cloned().collect();
    let balls: Vec<Vec<Row>> = boxes.iter().map(beneath).collect();
    let count = |keep: &dyn Fn(&[Row]) -> bool| balls.iter().filter(|b| keep(b)).count() as u64;
    let sum = |balls: &[Row]| total(balls.iter(), Some(3)).sum;
    assert_eq!(run(&Lift::Any).count(), count(&|balls| !balls.is_empty()));
    assert_eq!(found.distinct_roots().unwrap(), count(&|balls| !balls.is_empty()));
    assert_eq!(run(&Lift::None).count(), count(&|balls| balls.is_empty()));
    assert_eq!(run(&Lift::Count(2..=3)).count(), count(&|balls| (2..=3).contains(&balls.len())));
    assert_eq!(run(&Lift::Count(0..=0)).count(), run(&Lift::None).count());
    let between = |balls: &[Row]| (5..=9).contains(&sum(balls));
    assert_eq!(run(&Lift::Sum(3, 5..=9)).count(), count(&between));
    let counts = found.beneath_each(BOX, None).unwrap();
    let sums = found.beneath_each(BOX, Some(3)).unwrap();
    let all = |lists: &[Vec<i64>]| lists.iter().flatten().sum::<i64>();
    assert_eq!(all(&counts).unsigned_abs(), found.count());
    assert_eq!(i128::from(all(&sums)), found.sum(3).unwrap().sum);
    for (set, sums) in run(&Lift::Sum(3, 5..=9)).sets().iter().zip(&sums) {
        assert!(set.iter().all(|row| (5..=9).contains(&sums[row as usize])));
    }
    let spread = run(&Lift::Any).spread(BALL).unwrap();
    let with: Vec<&Row> = boxes.iter().filter(|b| b.beneath.iter().any(keep)).collect();
    assert_eq!(spread.count(), with.iter().map(|b| b.beneath.len() as u64).sum::<u64>());
}

/// The bounces of a box.
fn bounces_of(row: &Row) -> impl Iterator<Item = &Row> {
    row.beneath.iter().flat_map(|ball| &ball.beneath)
}

/// Everything of a world, on every pool.
fn check(snapshot: &Snapshot, boxes: &[Row], seed: u64, questions: usize) {
    let balls = rows(boxes, BALL);
    let bounces = rows(boxes, BOUNCE);
    on_every_pool(|run| {
        let mut random = Random(seed);
        for nth in 0..questions {
            let clauses: Vec<_> = (0..nth % 4).map(|_| draw_clause(&mut random)).collect();
            let what = format!("seed {seed}: {clauses:?}");
            let keep = |row: &Row| clauses.iter().all(|(column, p)| holds(row, *column, p));
            let kept: Vec<(&Row, &Row)> =
                balls.iter().copied().filter(|(_, row)| keep(row)).collect();
            let found = Rows::live(run, snapshot, BALL).unwrap().filter(&clauses).unwrap();
            check_numbers(&found, &kept, &[1, 3, 4], &what);
            check_groups(&found, &kept, (2, 6), 1);
            check_places(&found, &kept, 1);
            check_lifts(&found, boxes, &keep);
        }
        let low = Predicate::Range { min: 0, max: 400 };
        let found = Rows::live(run, snapshot, BOUNCE).unwrap();
        let found = found.filter(&[(1, low.clone())]).unwrap();
        let kept: Vec<(&Row, &Row)> =
            bounces.iter().copied().filter(|(_, row)| holds(row, 1, &low)).collect();
        check_numbers(&found, &kept, &[1], "bounces");
        check_places(&found, &kept, 1);
        let with = |b: &&Row| bounces_of(b).any(|bounce| holds(bounce, 1, &low));
        let expected = boxes.iter().filter(with).count() as u64;
        assert_eq!(found.distinct_roots().unwrap(), expected);
        let spread = found.lift(BOX, &Lift::Any).unwrap().spread(BOUNCE).unwrap();
        let expected: usize = boxes.iter().filter(with).map(|b| bounces_of(b).count()).sum();
        assert_eq!(spread.count(), expected as u64);
        let lids = Rows::live(run, snapshot, BOX).unwrap().by_code(3, Some(4)).unwrap();
        let own = |lid| boxes.iter().filter(move |b| b.number(3) == lid);
        let expected = [Some(0), Some(1), None].map(|lid| total(own(lid), Some(4)));
        assert_eq!(lids, expected);
    });
}

#[test]
fn every_kernel_gives_what_a_loop_gives() {
    for seed in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        let (snapshot, boxes) = world(folder.path(), seed, SMALL);
        assert!(snapshot.segments().len() > 1);
        check(&snapshot, &boxes, seed, 24);
    }
}

#[test]
fn nothing_and_one_row_are_rows_too() {
    for (boxes, seed) in [(0, 1), (1, 2), (1, 3), (1, 4)] {
        let folder = tempfile::tempdir().unwrap();
        let shape = Shape { boxes, commits: 1, changed: 0, wide: true };
        let (snapshot, boxes) = world(folder.path(), seed, shape);
        check(&snapshot, &boxes, seed, 8);
    }
}

#[test]
fn blocks_have_borders() {
    let folder = tempfile::tempdir().unwrap();
    let shape = Shape { boxes: 80_000, commits: 2, changed: 20, wide: false };
    let (snapshot, boxes) = world(folder.path(), 5, shape);
    assert!(snapshot.segments().iter().any(|segment| segment.rows(BALL) > 65_536));
    let balls = rows(&boxes, BALL);
    let pools: [&dyn Pool; 2] = [&Threads(1), &Threads(3)];
    for pool in pools {
        let run = Run::new().on(pool);
        let few = Predicate::Range { min: 0, max: 900 };
        for clauses in [vec![], vec![(3, Predicate::In(vec![1, 4, 8]))], vec![(1, few)]] {
            let keep = |row: &Row| clauses.iter().all(|(column, p)| holds(row, *column, p));
            let kept: Vec<(&Row, &Row)> =
                balls.iter().copied().filter(|(_, row)| keep(row)).collect();
            let found = Rows::live(&run, &snapshot, BALL).unwrap().filter(&clauses).unwrap();
            check_numbers(&found, &kept, &[1, 3], "borders");
            check_groups(&found, &kept, (2, 6), 1);
            check_places(&found, &kept, 1);
            check_lifts(&found, &boxes, &keep);
        }
    }
}

#[test]
fn segments_join_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, _) = world(folder.path(), 77, SMALL);
    let run = Run::new();
    let whole = Rows::live(&run, &snapshot, BALL).unwrap();
    let mut random = Random(1);
    let mut places: Vec<usize> = (0..snapshot.segments().len()).collect();
    for _ in 0..20 {
        for at in (1..places.len()).rev() {
            places.swap(at, random.below(at as i64 + 1) as usize);
        }
        let part =
            |place: &usize| Rows::live_in(&run, &snapshot, *place..*place + 1, BALL).unwrap();
        let mut sum = Total::default();
        let mut codes = vec![Total::default(); 5];
        let mut extremes = Vec::new();
        let mut streets: BTreeMap<u64, Total> = BTreeMap::new();
        for own in places.iter().map(part) {
            sum.merge(&own.sum(1).unwrap());
            codes.iter_mut().zip(own.by_code(2, Some(1)).unwrap()).for_each(|(a, b)| a.merge(&b));
            extremes.extend(own.extremes(1).unwrap());
            for (place, total) in own.by_place(2, Some(1)).unwrap() {
                streets.entry(place.unwrap_or(u64::MAX)).or_default().merge(&total);
            }
        }
        assert_eq!(sum, whole.sum(1).unwrap());
        assert_eq!(codes, whole.by_code(2, Some(1)).unwrap());
        let joined = extremes.into_iter().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        assert_eq!(joined, whole.extremes(1).unwrap());
        let all = whole.by_place(2, Some(1)).unwrap().into_iter();
        let all: BTreeMap<u64, Total> = all.map(|(p, t)| (p.unwrap_or(u64::MAX), t)).collect();
        assert_eq!(streets, all);
    }
}

#[test]
fn sets_of_the_same_rows_obey_the_laws_of_sets() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, boxes) = world(folder.path(), 9, SMALL);
    let run = Run::new();
    let of = |clause: &(usize, Predicate)| {
        Rows::live(&run, &snapshot, BALL).unwrap().filter(std::slice::from_ref(clause)).unwrap()
    };
    let a = (2, Predicate::In(vec![1]));
    let b = (1, Predicate::Range { min: 0, max: i64::MAX });
    let expected = |keep: &dyn Fn(bool, bool) -> bool| {
        let own = |row: &Row| keep(holds(row, a.0, &a.1), holds(row, b.0, &b.1));
        rows(&boxes, BALL).iter().filter(|(_, row)| own(row)).count() as u64
    };
    let mut found = of(&a);
    found.and(&of(&b)).unwrap();
    assert_eq!(found.count(), expected(&|a, b| a && b));
    let mut found = of(&a).copy().unwrap();
    found.or(&of(&b)).unwrap();
    assert_eq!(found.count(), expected(&|a, b| a || b));
    let mut found = of(&a);
    found.and_not(&of(&b)).unwrap();
    assert_eq!(found.count(), expected(&|a, b| a && !b));
    let boxes = Rows::live(&run, &snapshot, BOX).unwrap();
    assert!(found.and(&boxes).is_err(), "sets of different tables do not meet");
    let part = Rows::live_in(&run, &snapshot, 0..1, BALL).unwrap();
    assert!(found.or(&part).is_err(), "nor do sets of different segments");
}
