//! What the engine's order and indexes are worth: each question beside a loop over plain vectors
//! of the same rows, in the same run. Answers are compared before anything is timed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench stops where it fails")]

use std::collections::HashSet;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use yiku::{Predicate, RowSet, Snapshot};
use yiku_benches::registry::{self, Plain};

/// Houses of the registry; it has four times as many rooms.
const HOUSES: u64 = 500_000;

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

fn pair(
    criterion: &mut Criterion,
    name: &str,
    rows: u64,
    mut engine: impl FnMut() -> u64,
    mut vectors: impl FnMut() -> u64,
) {
    assert_eq!(engine(), vectors(), "{name}: the two sides must agree before they are timed");
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20).throughput(Throughput::Elements(rows));
    group.bench_function(BenchmarkId::from_parameter("engine"), |b| {
        b.iter(|| black_box(engine()));
    });
    group.bench_function(BenchmarkId::from_parameter("vectors"), |b| {
        b.iter(|| black_box(vectors()));
    });
    group.finish();
}

fn questions(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, plain) = registry::write(folder.path(), HOUSES).unwrap();
    let (snapshot, plain): (&Snapshot, &Plain) = (&snapshot, &plain);
    let rows = snapshot.rows(1);
    let red = Predicate::In(vec![0]);
    let cheap = Predicate::Range { min: 0, max: 49_999 };

    pair(
        criterion,
        "count rows of one code",
        rows,
        || rooms(snapshot, 1, &red, |_, found| found.count()),
        || plain.colour.iter().filter(|c| **c == 0).count() as u64,
    );
    pair(
        criterion,
        "count rows of a range without an index",
        rows,
        || rooms(snapshot, 2, &cheap, |_, found| found.count()),
        || plain.rent.iter().filter(|r| (0..=49_999).contains(*r)).count() as u64,
    );
    pair(
        criterion,
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
    pair(
        criterion,
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
}

fn writing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write and commit");
    let houses = HOUSES / 5;
    group.sample_size(10).throughput(Throughput::Elements(houses * 5));
    group.bench_function(BenchmarkId::from_parameter("engine"), |b| {
        b.iter(|| {
            let folder = tempfile::tempdir().unwrap();
            registry::write(folder.path(), houses).unwrap().0.version()
        });
    });
    group.finish();
}

criterion_group!(benches, questions, writing);
criterion_main!(benches);
