//! The engine beside plain code in memory, on one thread each: `plain DB`, a database that the
//! example `load` made. A conjunction of six marks beside CRoaring's of the same sets, and a scan,
//! filter and sum of a column without an index beside a loop over the same numbers packed to their
//! width. The engine is asked in its language, from the text to the answer; answers are compared
//! before anything is timed, and the sides take turns. Prints a table of docs/performance.md.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "differences of amounts of money, less than a word"
)]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

use croaring::Bitmap;
use yiku::schema::ColumnSchema;
use yiku::{Database, Predicate, Snapshot};
use yiku_benches as _;
use yiku_queries::{Answer, Limits, Plan, Query, Values};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The table that is asked.
const PERSON: usize = 1;
/// Frequent and rare ones, sorted by nothing.
const MARKS: [&str; 6] =
    ["landed", "pension_insured", "medical_insured", "chronic_illness", "migrant", "living_alone"];
/// The column that is added up, and fen of the bound.
const COLUMN: &str = "monthly_income";
const BOUND: i64 = 300_000;
/// Numbers that are packed to one width.
const BLOCK: usize = 65_536;
const ROUNDS: usize = 31;

fn main() -> Outcome<()> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("give the folder of a database")?);
    let snapshot = Database::open(&folder)?.snapshot()?;
    println!("{} persons, one thread\n", snapshot.rows(PERSON));
    println!("| question | this, ms | plain code, ms | this, times as long |");
    println!("| --- | ---: | ---: | ---: |");
    conjunction(&snapshot)?;
    scan(&snapshot)
}

fn column<'s>(snapshot: &'s Snapshot, name: &str) -> Outcome<(usize, &'s ColumnSchema)> {
    let table = snapshot.schema().tables.get(PERSON).ok_or("no persons")?;
    let mut columns = table.columns.iter().enumerate();
    Ok(columns.find(|(_, column)| column.name == name).ok_or("a province without the column")?)
}

fn answer(snapshot: &Snapshot, text: &str) -> Outcome<Answer> {
    let limits = Limits { threads: 1, ..Limits::default() };
    Ok(Plan::new(&Query::parse(text)?, snapshot)?.run(snapshot, &limits)?)
}

/// The first number of a column of an answer.
fn number(answer: &Answer, column: usize) -> i64 {
    match answer.columns.get(column).map(|column| &column.values) {
        Some(Values::Int(values)) => values.first().copied().flatten().unwrap_or(0),
        _ => 0,
    }
}

/// Both sides in turns; prints the least times.
fn line(name: &str, sides: [&dyn Fn() -> Outcome<(i64, i64)>; 2]) -> Outcome<()> {
    let [own, plain] = sides;
    let (a, b) = (own()?, plain()?);
    if a != b {
        return Err(format!("{name}: {a:?} is not {b:?}").into());
    }
    let mut least = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        for (least, side) in least.iter_mut().zip(sides) {
            let start = Instant::now();
            black_box(side()?);
            *least = least.min(start.elapsed().as_secs_f64() * 1_000.0);
        }
    }
    let [own, plain] = least;
    println!("| {name} | {own:.2} | {plain:.2} | {:.2} |", own / plain);
    Ok(())
}

/// How many persons have all of six marks.
fn conjunction(snapshot: &Snapshot) -> Outcome<()> {
    let (place, schema) = column(snapshot, "marks")?;
    let list = schema.list.and_then(|list| snapshot.schema().lists.get(list)).ok_or("no list")?;
    let mut sets = Vec::new();
    for mark in MARKS {
        let bit = list.codes.iter().position(|code| code.name == mark).ok_or("no such mark")?;
        let mut set = Bitmap::new();
        let mut first = 0u32;
        for segment in snapshot.segments() {
            let mut found =
                segment.column(PERSON, place)?.filter(&Predicate::HasAny(1u64 << bit))?;
            found.and(&segment.live(PERSON)?);
            set.add_many(&found.iter().map(|row| first + row).collect::<Vec<u32>>());
            first += segment.rows(PERSON);
        }
        set.run_optimize();
        sets.push(set);
    }
    // The least first, as an expert of CRoaring would have it.
    sets.sort_by_key(Bitmap::cardinality);
    let text =
        format!("from person where marks has all ({}) measure n = count()", MARKS.join(", "));
    let own = || Ok((number(&answer(snapshot, &text)?, 0), 0));
    let plain = || {
        let [first, second, middle @ .., last] = &sets[..] else {
            return Err("six sets".into());
        };
        let mut all = first.and(second);
        middle.iter().for_each(|set| all.and_inplace(set));
        Ok((all.and_cardinality(last) as i64, 0))
    };
    line("count of a conjunction of six marks; CRoaring", [&own, &plain])
}

/// Numbers less their least, in the bits of the greatest, block by block.
struct Packed {
    least: i64,
    width: u32,
    rows: usize,
    words: Vec<u64>,
}

impl Packed {
    /// Packs a block; what is unknown stands above all numbers.
    fn new(values: &[Option<i64>]) -> Self {
        let least = values.iter().flatten().min().copied().unwrap_or(0);
        let most = values.iter().flatten().max().copied().unwrap_or(0).max(BOUND);
        let unknown = (most - least) as u64 + 1;
        let width = 64 - unknown.leading_zeros();
        // A word more, so that two can always be read.
        let mut words = vec![0u64; values.len() * width as usize / 64 + 2];
        for (row, value) in values.iter().enumerate() {
            let number = value.map_or(unknown, |value| (value - least) as u64);
            let (word, bit) = (row * width as usize / 64, row * width as usize % 64);
            let wide = u128::from(number) << bit;
            if let Some([low, high]) = words.get_mut(word..word + 2) {
                *low |= wide as u64;
                *high |= (wide >> 64) as u64;
            }
        }
        Self { least, width, rows: values.len(), words }
    }

    /// How many numbers are less than a bound, and their sum: the loop that one writes.
    fn below(&self, bound: i64) -> (i64, i64) {
        let (mask, bound) = ((1u64 << self.width) - 1, (bound - self.least).max(0) as u64);
        let (mut count, mut sum) = (0u64, 0u64);
        let mut at = 0usize;
        for _ in 0..self.rows {
            if let Some([low, high]) = self.words.get(at / 64..at / 64 + 2) {
                let wide = u128::from(*low) | u128::from(*high) << 64;
                let number = (wide >> (at % 64)) as u64 & mask;
                let less = u64::from(number < bound);
                count += less;
                sum += number * less;
            }
            at += self.width as usize;
        }
        (count as i64, sum as i64 + count as i64 * self.least)
    }
}

/// How many persons have less than an amount, and how much all of them have.
fn scan(snapshot: &Snapshot) -> Outcome<()> {
    let (place, _) = column(snapshot, COLUMN)?;
    let (mut blocks, mut bytes) = (Vec::new(), 0);
    for segment in snapshot.segments() {
        let column = segment.column(PERSON, place)?;
        let mut known = column.known()?;
        known.and(&segment.live(PERSON)?);
        let mut values = Vec::new();
        column.integers(0..segment.rows(PERSON), &mut values)?;
        let values: Vec<Option<i64>> =
            (0..).zip(values).map(|(row, value)| known.contains(row).then_some(value)).collect();
        for block in values.chunks(BLOCK) {
            let packed = Packed::new(block);
            bytes += packed.words.len() * 8;
            blocks.push(packed);
        }
    }
    let text = format!(
        "from person where {COLUMN} < {} measure n = count(), total = sum({COLUMN})",
        BOUND / 100
    );
    let own = || {
        let answer = answer(snapshot, &text)?;
        Ok((number(&answer, 0), number(&answer, 1)))
    };
    let plain = || {
        let parts = blocks.iter().map(|block| block.below(BOUND));
        Ok(parts.fold((0, 0), |(count, sum), (more, of)| (count + more, sum + of)))
    };
    let name = format!("scan, filter and sum of a column; a loop over {} MB", bytes / 1_000_000);
    line(&name, [&own, &plain])
}
