//! What a range index is worth: the same values packed, as planes, and packed with the order of
//! each block beside them.
//!
//! `cargo run --release --locked -p yiku --example range_index`; the table is for
//! docs/decisions/0019. The third shape stands in this file only.
#![expect(clippy::print_stdout, reason = "prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "measures time")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "an example stops where it fails"
)]
#![expect(clippy::cast_possible_truncation, reason = "rows of a block fit u16")]

use std::time::{Duration, Instant};

use yiku::limits::BLOCK_ROWS;
use yiku::schema::PathNode;
use yiku::segment::Column;
use yiku::{CommitInfo, Database, PathTree, Predicate, RowSet, Schema};

const ROWS: u32 = 12 * BLOCK_ROWS;
const SCHEMA: &str = r#"
name = "s"
path = { name = "place", levels = [{ name = "district", digits = 2 }] }
[[table]]
name = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "age", kind = "int" }, { name = "age_index", kind = "int", index = true },
    { name = "born", kind = "date" }, { name = "born_index", kind = "date", index = true },
    { name = "weight", kind = "money" }, { name = "weight_index", kind = "money", index = true }]
"#;

fn mixed(number: u64) -> u64 {
    let x = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 24
}

/// The rows of a block by value: a finer form of bins, each of one row.
struct Order {
    rows: Vec<u16>,
}

impl Order {
    fn new(values: &[i64]) -> Self {
        let mut rows: Vec<u16> = (0..values.len()).map(|row| row as u16).collect();
        rows.sort_by_key(|row| values[usize::from(*row)]);
        Self { rows }
    }

    fn between(&self, values: &[i64], min: i64, max: i64, words: &mut [u64]) {
        let start = self.rows.partition_point(|row| values[usize::from(*row)] < min);
        let end = self.rows.partition_point(|row| values[usize::from(*row)] <= max);
        // The fewer of the rows inside and outside.
        let inside = end - start <= self.rows.len() / 2;
        words.fill(if inside { 0 } else { u64::MAX });
        let parts = match inside {
            true => [&self.rows[start..end], &[][..]],
            false => [&self.rows[..start], &self.rows[end..]],
        };
        for row in parts.into_iter().flatten() {
            words[usize::from(row / 64)] ^= 1 << (row % 64);
        }
    }
}

/// The shortest of several runs.
fn best(mut run: impl FnMut() -> RowSet) -> (Duration, RowSet) {
    let mut least = Duration::MAX;
    let mut found = run();
    for _ in 0..20 {
        let start = Instant::now();
        found = run();
        least = least.min(start.elapsed());
    }
    (least, found)
}

fn main() -> yiku::Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let schema = Schema::from_toml(SCHEMA)?;
    let node = PathNode { code: 11, level: 0, name: "N".into() };
    let tree = PathTree::new(&schema.path, vec![node])?;
    let mut writer = Database::create(&folder.path().join("db"), schema, tree)?.writer()?;
    let mut batch = writer.batch();
    for number in 0..u64::from(ROWS) {
        let drawn = |salt: u64, below: u64| (mixed(number * 4 + salt) % below).cast_signed();
        let (age, born, weight) = (drawn(0, 100), drawn(1, 33_000), drawn(2, 900_000));
        let mut row = batch.push(0)?;
        row.put(0, format!("{number:08}").as_str().into())?;
        for (column, value) in (1..).zip([11, age, age, born, born, weight, weight]) {
            row.put(column, value.into())?;
        }
    }
    writer.write(&batch)?;
    let snapshot = writer.commit(CommitInfo::default())?;
    let segment = &snapshot.segments()[0];
    println!("{} rows, microseconds a block of 65,536, the shortest of 20 runs\n", segment.rows(0));
    println!("| values | rows found | packed | planes | order, 16 bits a row more |");
    println!("| --- | --- | --- | --- | --- |");
    for (name, plain, top) in
        [("0..100", 2, 100), ("0..33,000", 4, 33_000), ("0..900,000", 6, 900_000)]
    {
        let (packed, planes) = (segment.column(0, plain)?, segment.column(0, plain + 1)?);
        for (min, max) in [(top / 3, top / 3 + top / 100), (top / 5, top / 2), (0, top * 9 / 10)] {
            compare(name, (&packed, &planes), min, max)?;
        }
    }
    Ok(())
}

fn compare(
    name: &str,
    columns: (&Column<'_>, &Column<'_>),
    min: i64,
    max: i64,
) -> yiku::Result<()> {
    let asked = Predicate::Range { min, max };
    let (packed, first) = best(|| columns.0.filter(&asked).unwrap());
    let (planes, second) = best(|| columns.1.filter(&asked).unwrap());
    let mut values = Vec::new();
    columns.0.integers(0..u32::MAX, &mut values)?;
    let blocks = || values.chunks(BLOCK_ROWS as usize);
    let orders: Vec<Order> = blocks().map(Order::new).collect();
    let (order, third) = best(|| {
        let mut found = RowSet::none(values.len() as u32);
        let words = found.words_mut().chunks_mut(BLOCK_ROWS as usize / 64);
        for ((order, values), words) in orders.iter().zip(blocks()).zip(words) {
            order.between(values, min, max, words);
        }
        found.trim();
        found
    });
    assert!(first == second && second == third, "three shapes, one answer");
    let share = first.count() * 100 / values.len() as u64;
    let [packed, planes, order] =
        [packed, planes, order].map(|time| time.as_secs_f64() * 1e6 / orders.len() as f64);
    println!("| {name} | {share} % | {packed:.1} | {planes:.1} | {order:.1} |");
    Ok(())
}
