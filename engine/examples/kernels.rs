//! What the engine's kernels take at each level of the processor, nanoseconds a row.
//!
//! `cargo run --release --locked -p yiku --example kernels`; the table is for docs/performance.md.
//! One thread; the least of some rounds, in which all levels take turns; the answers of all levels
//! are compared, and the loops over plain vectors are of the same rows.
#![expect(clippy::print_stdout, reason = "prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "measures time")]
#![expect(clippy::unwrap_used, reason = "an example stops where it fails")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]

use std::hint::black_box;
use std::time::Instant;

use yiku::cpu::{self, Level};
use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, PathTree, Predicate, RowSet, Schema, Segment, Snapshot};

const BOXES: u64 = 200_000;
const BALL: usize = 1;
const ROUNDS: usize = 41;
const SCHEMA: &str = r#"
name = "s"
path = { name = "place", levels = [{ name = "district", digits = 2 }] }
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
    { name = "weight", kind = "money" }, { name = "weight_index", kind = "money", index = true },
    { name = "colour", kind = "code", list = "colour" },
    { name = "colour_index", kind = "code", list = "colour", index = true }]
"#;
const WEIGHT: usize = 1;
const WEIGHT_INDEX: usize = 2;
const COLOUR: usize = 3;
const COLOUR_INDEX: usize = 4;

fn mixed(number: u64) -> u64 {
    let x = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 24
}

/// Boxes with one to four balls each, and the weights of the balls.
fn write(folder: &std::path::Path) -> (Snapshot, Vec<i64>) {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let node = PathNode { code: 11, level: 0, name: "N".into() };
    let tree = PathTree::new(&schema.path, vec![node]).unwrap();
    let mut writer = Database::create(folder, schema, tree).unwrap().writer().unwrap();
    let (mut batch, mut weights) = (writer.batch(), Vec::new());
    for number in 0..BOXES {
        let mut row = batch.push(0).unwrap();
        row.put(0, format!("{number:08}").as_str().into()).unwrap();
        row.put(1, 11.into()).unwrap();
        for ball in 0..=mixed(number) % 4 {
            let drawn = |salt: u64| mixed((number * 4 + ball) * 4 + salt);
            let (weight, colour) = (drawn(1) % 900_000, drawn(2) % 6);
            let mut row = batch.push(BALL).unwrap();
            row.put(0, format!("{number:08}-{ball}").as_str().into()).unwrap();
            for (column, value) in (1..).zip([weight, weight, colour, colour]) {
                row.put(column, value.cast_signed().into()).unwrap();
            }
            weights.push(weight.cast_signed());
        }
    }
    writer.write(&batch).unwrap();
    (writer.commit(CommitInfo::default()).unwrap(), weights)
}

/// Prints a line of the table: what a question takes at each level.
fn measure(name: &str, rows: usize, ask: &dyn Fn() -> u64) {
    let levels = Level::ALL.into_iter().filter(|level| *level <= cpu::found());
    let mut least: Vec<(Level, f64)> = levels.map(|level| (level, f64::MAX)).collect();
    let expected = ask();
    for _ in 0..ROUNDS {
        for (level, least) in &mut least {
            cpu::limit(*level);
            let start = Instant::now();
            let answer = black_box(ask());
            *least = least.min(start.elapsed().as_secs_f64());
            assert_eq!(answer, expected, "{name} at {level:?}");
        }
    }
    cpu::limit(Level::Avx512);
    let times = least.iter().map(|(_, time)| format!(" {:.3} |", time * 1e9 / rows as f64));
    println!("| {name} |{}", times.collect::<String>());
}

fn columns(segment: &Segment, weights: &[i64]) {
    let count = segment.rows(BALL);
    let size = count as usize;
    let all = RowSet::all(count);
    let mut half = RowSet::none(count);
    (0..count)
        .filter(|row| mixed(u64::from(*row)).is_multiple_of(2))
        .for_each(|row| half.insert(row));
    let asked = Predicate::Range { min: 90_001, max: 450_000 };
    let holds = |weight: &&i64| (90_001..=450_000).contains(*weight);
    let inside = weights.iter().filter(holds);
    measure("vector: count of a range", size, &|| inside.clone().count() as u64);
    measure("vector: sum of a range", size, &|| inside.clone().sum::<i64>() as u64);
    for (name, weight, colour) in
        [("packed", WEIGHT, COLOUR), ("planes", WEIGHT_INDEX, COLOUR_INDEX)]
    {
        let weight = segment.column(BALL, weight).unwrap();
        let colour = segment.column(BALL, colour).unwrap();
        let found = || weight.filter(&asked).unwrap();
        measure(&format!("{name}: count of a range"), size, &|| found().count());
        measure(&format!("{name}: sum of a range"), size, &|| {
            weight.sum_of(&found()).unwrap().1 as u64
        });
        let one = Predicate::In(vec![3]);
        measure(&format!("{name}: rows of one of six codes"), size, &|| {
            colour.filter(&one).unwrap().count()
        });
        measure(&format!("{name}: sum of half of the rows"), size, &|| {
            weight.sum_of(&half).unwrap().1 as u64
        });
        measure(&format!("{name}: least and greatest of half of the rows"), size, &|| {
            let (low, high) = weight.ends_of(&half).unwrap().unwrap();
            (high - low) as u64
        });
        measure(&format!("{name}: half of the rows by six codes"), size, &|| {
            colour.tally(&half).unwrap().unwrap().values().fold(7, |sum, n| sum * 3 + n)
        });
        measure(&format!("{name}: sets of the rows of six codes"), size, &|| {
            colour.apart(&all).unwrap().unwrap().len() as u64
        });
        measure(&format!("{name}: values of all rows"), size, &|| {
            let mut values = Vec::with_capacity(size);
            weight.integers(0..count, &mut values).unwrap();
            values.last().copied().unwrap() as u64
        });
    }
}

fn beneath(segment: &Segment, weights: &[i64]) {
    let (above, count) = (segment.rows(0), segment.rows(BALL));
    let size = count as usize;
    let mut rows = RowSet::none(count);
    (0..count)
        .filter(|row| mixed(u64::from(*row)).is_multiple_of(5))
        .for_each(|row| rows.insert(row));
    let any = segment.lift_any(BALL, &rows).unwrap();
    measure("parents of a fifth of the rows", size, &|| {
        segment.lift_any(BALL, &rows).unwrap().count()
    });
    measure("parents of two or more of them", size, &|| {
        segment.lift_at_least(BALL, &rows, 0..above, 2).unwrap().unwrap().count()
    });
    measure("rows of those parents", size, &|| segment.spread(BALL, &any).unwrap().count());
    measure("their number beneath each parent", size, &|| {
        let counts = segment.counts_beneath(BALL, &rows, 0..above).unwrap();
        counts.iter().sum::<i64>() as u64
    });
    measure("the sum of their values beneath each parent", size, &|| {
        let sums = segment.sums_beneath(BALL, &rows, 0..above, (0, weights)).unwrap();
        sums.iter().sum::<i64>() as u64
    });
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, weights) = write(&folder.path().join("db"));
    let [segment] = snapshot.segments() else { return println!("not one segment") };
    let levels = Level::ALL.into_iter().filter(|level| *level <= cpu::found());
    let heads: Vec<String> = levels.map(|level| format!(" {level:?} |")).collect();
    println!("| {} rows, ns a row |{}", weights.len(), heads.concat());
    println!("| --- |{}", " ---: |".repeat(heads.len()));
    columns(segment, &weights);
    beneath(segment, &weights);
}
