//! What counting codes takes, beside loops over plain vectors of the same rows: counts between
//! borders, pairs of codes, the rows of each code, several bounds of one column; at each level of
//! the processor. Prints a table of docs/performance.md: answers are compared before anything is
//! timed, all take turns, and the least times are what stands in it. Criterion then measures each
//! by itself.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench stops where it fails")]
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::Criterion;
use yiku::cpu::{self, Level};
use yiku::schema::PathNode;
use yiku::segment::{Codes, Counted};
use yiku::{CommitInfo, Database, PathTree, Predicate, RowSet, Schema, Segment, Snapshot};

/// Balls, each in a box of its own: fifteen blocks of one segment.
const BALLS: u32 = 983_040;
/// Rows from one border to the next.
const STEP: usize = 30_011;
const ROUNDS: usize = 31;

const SCHEMA: &str = r#"
name = "balls"
path = { name = "place", levels = [{ name = "city", digits = 2 }] }
[[list]]
name = "colour"
codes = [["1", "a", "A"], ["2", "b", "B"], ["3", "c", "C"], ["4", "d", "D"], ["5", "e", "E"],
    ["6", "f", "F"], ["7", "g", "G"], ["8", "h", "H"]]
[[table]]
name = "ball"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "colours", kind = "codes", list = "colour", index = true },
    { name = "made", kind = "date" }]
"#;
const COLOURS: usize = 2;
const MADE: usize = 3;
/// Of a thousand balls those that have each colour.
const SHARES: [u64; 8] = [1, 5, 20, 60, 120, 300, 550, 900];
const BOUNDS: [i64; 4] = [4_000, 9_000, 16_000, 24_000];

fn mixed(number: u64) -> u64 {
    let x = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 24
}

/// The balls, and their colours and days as one who has no engine would keep them.
fn write(folder: &std::path::Path) -> (Snapshot, Vec<u8>, Vec<i32>) {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let node = PathNode { code: 11, level: 0, name: "N".into() };
    let tree = PathTree::new(&schema.path, vec![node]).unwrap();
    let mut writer = Database::create(folder, schema, tree).unwrap().writer().unwrap();
    let mut batch = writer.batch();
    let (mut colours, mut days) = (Vec::new(), Vec::new());
    for ball in 0..u64::from(BALLS) {
        let own = (0..).zip(SHARES).fold(0u8, |own, (bit, share)| {
            own | u8::from(mixed(ball * 16 + bit) % 1_000 < share) << bit
        });
        let day = i32::try_from(mixed(ball * 16 + 9) % 30_000).unwrap();
        let mut row = batch.push(0).unwrap();
        row.put(0, format!("{ball:08}").as_str().into()).unwrap();
        row.put(1, 11.into()).unwrap();
        row.put(COLOURS, i64::from(own).into()).unwrap();
        row.put(MADE, i64::from(day).into()).unwrap();
        colours.push(own);
        days.push(day);
    }
    writer.write(&batch).unwrap();
    (writer.commit(CommitInfo::default()).unwrap(), colours, days)
}

/// A question to the engine, and the same to plain vectors: a number that both must give.
struct Question<'a> {
    name: &'static str,
    engine: Box<dyn Fn() -> u64 + 'a>,
    vectors: Box<dyn Fn() -> u64 + 'a>,
}

/// A sum of counts in which each has a weight of its own.
fn weighed(counts: impl IntoIterator<Item = u64>) -> u64 {
    (1..).zip(counts).fold(0, |sum, (weight, count)| sum + weight * count)
}

/// The balls that have all of some colours and none of others, between borders.
fn between<'a>(
    name: &'static str,
    segment: &'a Segment,
    colours: &'a [u8],
    (all, none): (u8, u8),
) -> Question<'a> {
    let borders: Vec<u32> = (0..BALLS).step_by(STEP).chain([BALLS]).collect();
    let asked = [vec![Codes { column: COLOURS, all: all.into(), none: none.into() }]];
    let engine = move || {
        let mut counts = [vec![0; borders.len()]];
        assert!(segment.count_between(0, &asked, &borders, &mut counts).unwrap());
        weighed(counts[0].iter().skip(1).copied())
    };
    let vectors = move || {
        let has = |own: &&u8| **own & all == all && **own & none == 0;
        weighed(colours.chunks(STEP).map(|own| own.iter().filter(has).count() as u64))
    };
    Question { name, engine: Box::new(engine), vectors: Box::new(vectors) }
}

/// How many balls have each two colours.
fn pairs<'a>(schema: &Schema, segment: &'a Segment, colours: &'a [u8]) -> Question<'a> {
    let counted = Counted::new(schema, 0);
    let each = |bit: usize| Predicate::HasAll(1 << bit);
    let pairs = (0..8usize).flat_map(|one| (one..8).map(move |other| (one, other)));
    let sums: Vec<_> = pairs
        .clone()
        .map(|(one, other)| counted.sum(&[(COLOURS, &each(one)), (COLOURS, &each(other))]).unwrap())
        .collect();
    let pairs: Vec<(usize, usize)> = pairs.collect();
    let told = move || {
        let own = segment.pairs(0).unwrap().unwrap();
        let pieces = 0..own.ends().len();
        weighed(sums.iter().map(|sum| own.count(sum, &pieces).unwrap()))
    };
    let looked = move || {
        let mut counts = vec![0u64; pairs.len()];
        for own in colours {
            for (count, (one, other)) in counts.iter_mut().zip(&pairs) {
                *count += u64::from(own >> one & own >> other & 1);
            }
        }
        weighed(counts)
    };
    let name = "all pairs of eight codes";
    Question { name, engine: Box::new(told), vectors: Box::new(looked) }
}

fn questions<'a>(
    schema: &Schema,
    segment: &'a Segment,
    (colours, days): (&'a [u8], &'a [i32]),
) -> Vec<Question<'a>> {
    let mut some = RowSet::none(BALLS);
    let tenth = (0..BALLS).filter(|row| mixed(u64::from(*row) + 7).is_multiple_of(10));
    tenth.for_each(|row| some.insert(row));
    let rows: Vec<u32> = some.iter().collect();
    let codes: Vec<u32> = (0..8).collect();
    let of_each = move || {
        let column = segment.column(0, COLOURS).unwrap();
        let found = column.of_codes(&codes, &some).unwrap().unwrap();
        weighed(found.iter().map(|own| match &own.listed {
            Some(rows) => rows.len() as u64,
            None => own.rows.count(),
        }))
    };
    let looked_each = move || {
        let of = |bit: u32| rows.iter().filter(move |row| colours[**row as usize] >> bit & 1 == 1);
        weighed((0..8).map(|bit| of(bit).count() as u64))
    };
    let reached = move || {
        let column = segment.column(0, MADE).unwrap();
        let sets = column.reached(&BOUNDS, &RowSet::all(BALLS)).unwrap();
        weighed(sets.iter().map(RowSet::count))
    };
    let compared = move || {
        let of = |bound: i64| days.iter().filter(move |day| i64::from(**day) >= bound);
        weighed(BOUNDS.map(|bound| of(bound).count() as u64))
    };
    vec![
        between("one frequent code between borders", segment, colours, (1 << 6, 0)),
        between("one rare code between borders", segment, colours, (1 << 1, 0)),
        between("one and not another between borders", segment, colours, (1 << 6, 1 << 4)),
        between("four codes between borders", segment, colours, (3 << 5, 3 << 3)),
        pairs(schema, segment, colours),
        Question {
            name: "rows of each code among a tenth",
            engine: Box::new(of_each),
            vectors: Box::new(looked_each),
        },
        Question {
            name: "rows beyond four days",
            engine: Box::new(reached),
            vectors: Box::new(compared),
        },
    ]
}

fn timed(side: &dyn Fn() -> u64) -> f64 {
    let start = Instant::now();
    black_box(side());
    start.elapsed().as_secs_f64() * 1e6
}

/// Prints a line of the table.
fn measure(question: &Question<'_>, levels: &[Level]) {
    let expected = (question.vectors)();
    let (mut least, mut vectors) = (vec![f64::INFINITY; levels.len()], f64::INFINITY);
    for round in 0..ROUNDS {
        for (level, least) in levels.iter().zip(&mut least) {
            cpu::limit(*level);
            if round == 0 {
                assert_eq!((question.engine)(), expected, "{}, {level:?}", question.name);
            }
            *least = least.min(timed(&question.engine));
        }
        vectors = vectors.min(timed(&question.vectors));
    }
    let best = least.last().copied().unwrap_or(f64::NAN);
    let times: String = least.iter().map(|time| format!(" {time:.1} |")).collect();
    println!("| {} |{times} {vectors:.1} | {:.1} |", question.name, vectors / best);
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, colours, days) = write(&folder.path().join("db"));
    let segment = &snapshot.segments()[0];
    assert_eq!(segment.rows(0), BALLS);
    let questions = questions(snapshot.schema(), segment, (&colours, &days));
    let levels: Vec<Level> = Level::ALL.into_iter().filter(|own| *own <= cpu::found()).collect();
    let heads: String = levels.iter().map(|level| format!(" {level:?} |")).collect();
    println!("| {BALLS} rows, microseconds |{heads} vectors | times as fast |");
    println!("| --- |{} ---: | ---: |", " ---: |".repeat(levels.len()));
    questions.iter().for_each(|question| measure(question, &levels));
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for question in &questions {
        for level in &levels {
            cpu::limit(*level);
            let name = format!("{} {level:?}", question.name);
            criterion.bench_function(&name, |b| b.iter(|| (question.engine)()));
        }
    }
    criterion.final_summary();
}
