//! What each kernel takes, beside a loop over plain vectors of the same rows. Prints a table of
//! docs/performance.md: both sides take turns in one process, their answers are compared before
//! anything is timed, and the least times are what stands in it. Criterion then measures each
//! kernel by itself, so that a change can be compared with the run before.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench stops where it fails")]
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]

use std::collections::BinaryHeap;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::Criterion;
use yiku::kernel::{Lift, Pool, Rows, Run};
use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, PathTree, Predicate, Schema, Snapshot, Value};

/// Boxes; each has four balls.
const BOXES: u64 = 500_000;
const BALLS: u64 = 4;
/// Boxes of a batch.
const BATCH: u64 = 100_000;
/// How often both sides are timed.
const ROUNDS: usize = 31;
/// Stands in a vector for an unknown number.
const UNKNOWN: i64 = i64::MIN;

const SCHEMA: &str = r#"
name = "boxes"
[path]
name = "place"
levels = [{ name = "city", digits = 2 }, { name = "street", digits = 5 }]
[[list]]
name = "colour"
codes = [["1", "a", "A"], ["2", "b", "B"], ["3", "c", "C"], ["4", "d", "D"], ["5", "e", "E"],
    ["6", "f", "F"]]
[[table]]
name = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" }]
[[table]]
name = "ball"
parent = "box"
key = "ball_id"
columns = [{ name = "ball_id", kind = "id" },
    { name = "colour", kind = "code", list = "colour", index = true },
    { name = "weight", kind = "int" }, { name = "price", kind = "money" },
    { name = "inner", kind = "code", list = "colour" }]
"#;
const BALL: usize = 1;
const COLOUR: usize = 1;
const WEIGHT: usize = 2;
const PRICE: usize = 3;
const INNER: usize = 4;

/// The same balls as one who has no engine would keep them.
#[derive(Default)]
struct Plain {
    place: Vec<i64>,
    colour: Vec<i64>,
    weight: Vec<i64>,
    price: Vec<i64>,
    inner: Vec<i64>,
    owner: Vec<i64>,
}

fn mixed(number: u64) -> u64 {
    let x = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 24
}

fn create(folder: &Path) -> Database {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let mut nodes = Vec::new();
    for city in 10..30 {
        nodes.push(PathNode { code: city * 1_000, level: 0, name: city.to_string() });
        let street = |n: u64| PathNode { code: city * 1_000 + n, level: 1, name: n.to_string() };
        nodes.extend((1..=50).map(street));
    }
    let tree = PathTree::new(&schema.path, nodes).unwrap();
    Database::create(folder, schema, tree).unwrap()
}

/// A database and the same rows as vectors; every twentieth weight is unknown.
fn write(folder: &Path) -> (Snapshot, Plain) {
    let database = create(folder);
    let mut writer = database.writer().unwrap();
    let mut plain = Plain::default();
    for first in (0..BOXES).step_by(BATCH as usize) {
        let mut batch = writer.batch();
        for owner in first..first + BATCH {
            let street = owner * 1_000 / BOXES;
            let place = ((10 + street / 50) * 1_000 + street % 50 + 1) as i64;
            let mut row = batch.push(0).unwrap();
            row.put(0, Value::Text(&format!("B{owner:08}"))).unwrap();
            row.put(1, Value::Int(place)).unwrap();
            for ball in 0..BALLS {
                let number = mixed(owner * BALLS + ball);
                let colour = (number % 6) as i64;
                let weight =
                    (!(number / 6).is_multiple_of(20)).then_some((number / 120 % 1_000_000) as i64);
                let price = (number / 7 % 60_000) as i64;
                let inner = (number / 11 % 6) as i64;
                let mut row = batch.push(BALL).unwrap();
                row.put(0, Value::Text(&format!("X{:09}", owner * BALLS + ball))).unwrap();
                row.put(COLOUR, Value::Int(colour)).unwrap();
                row.put(WEIGHT, weight.map_or(Value::Unknown, Value::Int)).unwrap();
                row.put(PRICE, Value::Int(price)).unwrap();
                row.put(INNER, Value::Int(inner)).unwrap();
                plain.place.push(place);
                plain.colour.push(colour);
                plain.weight.push(weight.unwrap_or(UNKNOWN));
                plain.price.push(price);
                plain.inner.push(inner);
                plain.owner.push(owner as i64);
            }
        }
        writer.write(&batch).unwrap();
    }
    (writer.commit(CommitInfo::default()).unwrap(), plain)
}

/// Threads of the bench's own.
struct Threads(usize);

impl Pool for Threads {
    fn threads(&self) -> usize {
        self.0
    }

    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            (1..tasks).for_each(|nth| {
                scope.spawn(move || task(nth));
            });
            task(0);
        });
    }
}

/// A question: its name, the kernel, and the loop.
struct Question<'q> {
    name: &'static str,
    kernel: Box<dyn Fn(&Rows<'_>) -> u64 + 'q>,
    vectors: Box<dyn Fn() -> u64 + 'q>,
}

fn question<'q>(
    name: &'static str,
    kernel: impl Fn(&Rows<'_>) -> u64 + 'q,
    vectors: impl Fn() -> u64 + 'q,
) -> Question<'q> {
    Question { name, kernel: Box::new(kernel), vectors: Box::new(vectors) }
}

fn all<'a>(run: &'a Run<'a>, snapshot: &'a Snapshot) -> Rows<'a> {
    Rows::live(run, snapshot, BALL).unwrap()
}

/// A number that depends on every part of an answer.
fn digest(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers.into_iter().fold(7, |sum, number| mixed(sum ^ number))
}

/// Balls of a weight that one in ten has.
fn light() -> Predicate {
    Predicate::Range { min: 0, max: 105_262 }
}

fn is_light(weight: i64) -> bool {
    (0..=105_262).contains(&weight)
}

fn filters(plain: &Plain) -> Vec<Question<'_>> {
    let red = Predicate::In(vec![0]);
    let cheap = Predicate::Range { min: 0, max: 29_999 };
    vec![
        question(
            "filter: one range, a tenth left",
            |rows| rows.copy().unwrap().filter(&[(WEIGHT, light())]).unwrap().count(),
            || plain.weight.iter().filter(|w| is_light(**w)).count() as u64,
        ),
        question(
            "filter: two ranges and a code",
            move |rows| {
                let clauses = [(WEIGHT, light()), (PRICE, cheap.clone()), (COLOUR, red.clone())];
                rows.copy().unwrap().filter(&clauses).unwrap().count()
            },
            || {
                let numbers = plain.weight.iter().zip(&plain.price).zip(&plain.colour);
                let keep = |((w, p), c): &((&i64, &i64), &i64)| {
                    is_light(**w) & (**p <= 29_999) & (**c == 0)
                };
                numbers.filter(keep).count() as u64
            },
        ),
    ]
}

fn numbers(plain: &Plain) -> Vec<Question<'_>> {
    let known = || plain.weight.iter().filter(|w| **w != UNKNOWN);
    vec![
        question(
            "sum",
            |rows| rows.sum(WEIGHT).unwrap().sum as u64,
            move || known().sum::<i64>() as u64,
        ),
        question(
            "sum of the rows of a code",
            |rows| {
                let red = rows.copy().unwrap().filter(&[(COLOUR, Predicate::In(vec![0]))]);
                red.unwrap().sum(WEIGHT).unwrap().sum as u64
            },
            || {
                let both = plain.weight.iter().zip(&plain.colour);
                let red = both.filter(|(w, c)| **c == 0 && **w != UNKNOWN);
                red.map(|(w, _)| *w).sum::<i64>() as u64
            },
        ),
        question(
            "least and greatest of the rows of a code",
            |rows| {
                let red = rows.copy().unwrap().filter(&[(COLOUR, Predicate::In(vec![0]))]);
                let (low, high) = red.unwrap().extremes(WEIGHT).unwrap().unwrap();
                digest([low as u64, high as u64])
            },
            || {
                let both = plain.weight.iter().zip(&plain.colour);
                let red = both.filter(|(w, c)| **c == 0 && **w != UNKNOWN).map(|(w, _)| *w);
                let (low, high) = red.fold((i64::MAX, i64::MIN), |(a, b), w| (a.min(w), b.max(w)));
                digest([low as u64, high as u64])
            },
        ),
        question(
            "median",
            |rows| rows.quantile(WEIGHT, 0.5).unwrap().unwrap().to_bits(),
            move || {
                let mut values: Vec<i64> = known().copied().collect();
                let middle = (values.len() - 1) / 2;
                let even = values.len().is_multiple_of(2);
                let (_, low, above) = values.select_nth_unstable(middle);
                let low = *low as f64;
                let high = if even { *above.iter().min().unwrap() as f64 } else { low };
                (high - (high - low) * 0.5).to_bits()
            },
        ),
        question(
            "the 100 greatest",
            |rows| digest(rows.top(WEIGHT, 100, true).unwrap().iter().map(|t| t.value as u64)),
            || {
                let mut heap = BinaryHeap::new();
                for weight in &plain.weight {
                    if heap.len() < 100 {
                        heap.push(std::cmp::Reverse(*weight));
                    } else if heap.peek().is_some_and(|least| *weight > least.0) {
                        heap.pop();
                        heap.push(std::cmp::Reverse(*weight));
                    }
                }
                digest(heap.into_sorted_vec().iter().map(|least| least.0 as u64))
            },
        ),
    ]
}

fn groups(plain: &Plain) -> Vec<Question<'_>> {
    vec![
        question(
            "rows by code",
            |rows| digest(rows.by_code(COLOUR, None).unwrap()[..6].iter().map(|t| t.rows)),
            || {
                let mut counts = [0u64; 6];
                plain.colour.iter().for_each(|c| counts[*c as usize] += 1);
                digest(counts)
            },
        ),
        question(
            "sum by code",
            |rows| {
                let totals = rows.by_code(COLOUR, Some(WEIGHT)).unwrap();
                digest(totals[..6].iter().map(|t| t.sum as u64))
            },
            || {
                let mut sums = [0i64; 6];
                let both = plain.colour.iter().zip(&plain.weight);
                both.filter(|(_, w)| **w != UNKNOWN).for_each(|(c, w)| sums[*c as usize] += w);
                digest(sums.map(i64::cast_unsigned))
            },
        ),
        question(
            "rows by two codes",
            |rows| {
                let totals = rows.by_codes((COLOUR, INNER), None).unwrap();
                digest(totals[..6].iter().flat_map(|row| row[..6].iter().map(|t| t.rows)))
            },
            || {
                let mut counts = [[0u64; 6]; 6];
                let both = plain.colour.iter().zip(&plain.inner);
                both.for_each(|(a, b)| counts[*a as usize][*b as usize] += 1);
                digest(counts.into_iter().flatten())
            },
        ),
        question(
            "rows by place (1,000 streets)",
            |rows| {
                let streets = rows.by_place(1, None).unwrap();
                digest(streets.iter().map(|(_, total)| total.rows))
            },
            || {
                let mut counts = vec![0u64; 100_000];
                plain.place.iter().for_each(|place| counts[*place as usize] += 1);
                digest(counts.into_iter().filter(|count| *count > 0))
            },
        ),
        question(
            "sum by place (1,000 streets)",
            |rows| {
                let streets = rows.by_place(1, Some(WEIGHT)).unwrap();
                digest(streets.iter().map(|(_, total)| total.sum as u64))
            },
            || {
                let mut sums = vec![0i64; 100_000];
                let both = plain.place.iter().zip(&plain.weight);
                both.filter(|(_, w)| **w != UNKNOWN).for_each(|(p, w)| sums[*p as usize] += w);
                digest(sums.into_iter().filter(|sum| *sum > 0).map(i64::cast_unsigned))
            },
        ),
    ]
}

/// How many neighbours are different.
fn changes(owners: impl Iterator<Item = i64>) -> u64 {
    owners.fold((0, -1), |(count, last), own| (count + u64::from(own != last), own)).0
}

fn lifts(plain: &Plain) -> Vec<Question<'_>> {
    let light_owners = || {
        let both = plain.owner.iter().zip(&plain.weight);
        both.filter(|(_, weight)| is_light(**weight)).map(|(owner, _)| *owner)
    };
    let light_rows = |rows: &Rows<'_>, lift: &Lift| {
        let light = rows.copy().unwrap().filter(&[(WEIGHT, light())]).unwrap();
        light.lift(0, lift).unwrap().count()
    };
    vec![
        question(
            "distinct roots of a tenth of the rows",
            move |rows| light_rows(rows, &Lift::Any),
            move || changes(light_owners()),
        ),
        question(
            "roots with none of them",
            move |rows| light_rows(rows, &Lift::None),
            move || BOXES - changes(light_owners()),
        ),
        question(
            "roots with two or more of them",
            move |rows| light_rows(rows, &Lift::Count(2..=u64::MAX)),
            move || {
                let mut counts = vec![0u8; BOXES as usize];
                light_owners().for_each(|owner| counts[owner as usize] += 1);
                counts.into_iter().filter(|count| *count > 1).count() as u64
            },
        ),
        question(
            "roots whose rows sum up to less than 50,000",
            |rows| rows.lift(0, &Lift::Sum(PRICE, 0..=49_999)).unwrap().count(),
            || {
                let mut sums = vec![0i64; BOXES as usize];
                let both = plain.owner.iter().zip(&plain.price);
                both.for_each(|(owner, price)| sums[*owner as usize] += price);
                sums.into_iter().filter(|sum| *sum < 50_000).count() as u64
            },
        ),
        question(
            "rows of the roots of a tenth of the rows",
            |rows| {
                let light = rows.copy().unwrap().filter(&[(WEIGHT, light())]).unwrap();
                light.lift(0, &Lift::Any).unwrap().spread(BALL).unwrap().count()
            },
            || {
                let mut kept = vec![false; BOXES as usize];
                let both = plain.owner.iter().zip(&plain.weight);
                both.for_each(|(owner, weight)| kept[*owner as usize] |= is_light(*weight));
                plain.owner.iter().filter(|owner| kept[**owner as usize]).count() as u64
            },
        ),
    ]
}

/// Milliseconds of one call.
fn timed(question: &dyn Fn() -> u64) -> f64 {
    let start = Instant::now();
    black_box(question());
    start.elapsed().as_secs_f64() * 1_000.0
}

fn measure(question: &Question<'_>, snapshot: &Snapshot) {
    let (alone, two) = (Threads(1), Threads(2));
    let (alone, two) = (Run::new().on(&alone), Run::new().on(&two));
    let (one, both) = (all(&alone, snapshot), all(&two, snapshot));
    let sides: [&dyn Fn() -> u64; 3] =
        [&|| (question.kernel)(&one), &|| (question.kernel)(&both), &question.vectors];
    let answers = sides.map(|side| side());
    assert!(answers.iter().all(|a| *a == answers[0]), "{}: {answers:?}", question.name);
    let mut least = [f64::INFINITY; 3];
    for _ in 0..ROUNDS {
        for (least, side) in least.iter_mut().zip(sides) {
            *least = least.min(timed(side));
        }
    }
    let [one, two, vectors] = least;
    let row = one * 1e6 / (BOXES * BALLS) as f64;
    let (name, ratio) = (question.name, vectors / one);
    println!("| {name} | {one:.2} | {row:.2} | {two:.2} | {vectors:.2} | {ratio:.1} |");
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, plain) = write(folder.path());
    let parts = [filters(&plain), numbers(&plain), groups(&plain), lifts(&plain)];
    let questions: Vec<Question<'_>> = parts.into_iter().flatten().collect();
    println!(
        "| kernel, {} rows | one thread, ms | ns a row | two threads, ms | vectors, ms \
         | times as fast |",
        BOXES * BALLS
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    questions.iter().for_each(|question| measure(question, &snapshot));
    let run = Run::new();
    let rows = all(&run, &snapshot);
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for question in &questions {
        criterion.bench_function(question.name, |b| b.iter(|| (question.kernel)(&rows)));
    }
    criterion.final_summary();
}
