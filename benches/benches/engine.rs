//! What the engine's order and indexes are worth: each question beside a loop over plain vectors
//! of the same rows. Prints the tables of docs/performance.md. The two sides take turns, answers
//! are compared before anything is timed, and the ratio is that of the least times: on a machine
//! that does other work too, the least is what the work itself takes.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench stops where it fails")]
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]

use std::collections::HashSet;
use std::hint::black_box;
use std::time::Instant;

use yiku::limits::BLOCK_ROWS;
use yiku::{Predicate, RowSet, Snapshot};
use yiku_benches::registry::{self, Plain};

/// Houses of the registry; it has four times as many rooms.
const HOUSES: u64 = 500_000;
/// How often each pair is timed.
const ROUNDS: usize = 101;
/// How often a registry of a fifth of the houses is written.
const WRITING_ROUNDS: usize = 5;

/// The rooms of every segment that satisfy a predicate, given to `fold`.
fn rooms(
    snapshot: &Snapshot,
    column: usize,
    predicate: &Predicate,
    mut fold: impl FnMut(&yiku::Segment, RowSet) -> u64,
) -> u64 {
    let segments = snapshot.segments().iter();
    segments.map(|s| fold(s, s.column(1, column).unwrap().filter(predicate).unwrap())).sum()
}

/// Times both sides in turn, round by round, so that whatever else the machine does meets both.
fn pair(name: &str, rows: u64, mut engine: impl FnMut() -> u64, mut vectors: impl FnMut() -> u64) {
    assert_eq!(engine(), vectors(), "{name}: the two sides must agree before they are timed");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(timed(&mut engine));
        theirs.push(timed(&mut vectors));
    }
    let ((own, own_median), (other, other_median)) =
        (least_and_median(ours), least_and_median(theirs));
    let (row, ratio) = (own * 1e6 / rows as f64, other / own);
    println!(
        "| {name} | {own:.2} | {own_median:.2} | {row:.2} | {other:.2} | {other_median:.2} \
         | {ratio:.1} |"
    );
}

/// Milliseconds of one call.
fn timed(question: &mut impl FnMut() -> u64) -> f64 {
    let start = Instant::now();
    black_box(question());
    start.elapsed().as_secs_f64() * 1_000.0
}

fn least_and_median(mut numbers: Vec<f64>) -> (f64, f64) {
    numbers.sort_unstable_by(f64::total_cmp);
    (numbers[0], numbers[numbers.len() / 2])
}

fn questions() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, plain) = registry::write(folder.path(), HOUSES).unwrap();
    let (snapshot, plain): (&Snapshot, &Plain) = (&snapshot, &plain);
    let rows = snapshot.rows(1);
    println!(
        "| question, {rows} rows | engine, ms: least | median | ns a row | vectors, ms: least \
         | median | times as fast |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    counts(snapshot, plain);
    parents(snapshot, plain);
    sums(snapshot, plain);
}

fn counts(snapshot: &Snapshot, plain: &Plain) {
    let rows = snapshot.rows(1);
    let red = Predicate::In(vec![0]);
    let cheap = Predicate::Range { min: 0, max: 49_999 };
    pair(
        "count rows of one code",
        rows,
        || rooms(snapshot, 1, &red, |_, found| found.count()),
        || plain.colour.iter().filter(|c| **c == 0).count() as u64,
    );
    pair(
        "count rows of a range without an index",
        rows,
        || rooms(snapshot, 2, &cheap, |_, found| found.count()),
        || plain.rent.iter().filter(|r| (0..=49_999).contains(*r)).count() as u64,
    );
    pair(
        "count rows of one code in one city",
        rows,
        || {
            rooms(snapshot, 1, &red, |segment, found| {
                let range = segment.path_rows(15_000, 15_999).unwrap();
                let offsets = segment.offsets(1).unwrap();
                found.count_range(offsets[range.start as usize]..offsets[range.end as usize])
            })
        },
        || {
            let both = plain.place.iter().zip(&plain.colour);
            both.filter(|(p, c)| (15_000..=15_999).contains(*p) && **c == 0).count() as u64
        },
    );
}

fn parents(snapshot: &Snapshot, plain: &Plain) {
    let rows = snapshot.rows(1);
    let cheap = Predicate::Range { min: 0, max: 49_999 };
    let most = Predicate::Range { min: 0, max: 899_999 };
    pair(
        "count parents of the rows of a range",
        rows,
        || {
            rooms(snapshot, 2, &cheap, |segment, found| {
                segment.lift_any(1, &found).unwrap().count()
            })
        },
        || {
            let both = plain.house.iter().zip(&plain.rent);
            let found = both.filter(|(_, r)| (0..=49_999).contains(*r)).map(|(house, _)| *house);
            found.collect::<HashSet<u32>>().len() as u64
        },
    );
    pair(
        "count parents of the rows of a wide range",
        rows,
        || rooms(snapshot, 2, &most, |segment, found| segment.lift_any(1, &found).unwrap().count()),
        || {
            // The rows of a house stand together: whoever knows it needs no set.
            let both = plain.house.iter().zip(&plain.rent);
            let mut found =
                both.filter(|(_, r)| (0..=899_999).contains(*r)).map(|(house, _)| house);
            let first = found.next();
            let changes =
                |(count, last), house| (count + u64::from(last != Some(house)), Some(house));
            first.map_or(0, |_| found.fold((1, first), changes).0)
        },
    );
}

fn sums(snapshot: &Snapshot, plain: &Plain) {
    let rows = snapshot.rows(1);
    let mut values = Vec::with_capacity(BLOCK_ROWS as usize);
    pair(
        "add up a column",
        rows,
        || {
            let mut sum = 0;
            for segment in snapshot.segments() {
                let column = segment.column(1, 2).unwrap();
                for start in (0..segment.rows(1)).step_by(BLOCK_ROWS as usize) {
                    values.clear();
                    column.integers(start..start + BLOCK_ROWS, &mut values).unwrap();
                    sum += values.iter().sum::<i64>().unsigned_abs();
                }
            }
            sum
        },
        || plain.rent.iter().sum::<i64>().unsigned_abs(),
    );
}

fn writing() {
    let houses = HOUSES / 5;
    let mut times = Vec::new();
    for _ in 0..WRITING_ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let start = Instant::now();
        black_box(registry::write(folder.path(), houses).unwrap().0.version());
        times.push(start.elapsed().as_secs_f64());
    }
    let rate = houses as f64 * 5.0 / least_and_median(times).1 / 1e6;
    println!("\nwrite and commit: {rate:.2} million rows a second");
}

fn main() {
    questions();
    writing();
}
