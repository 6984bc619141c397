//! What an answer costs at the least: the bytes that a plan must read, over the bandwidth of the
//! memory, measured in the same run.
//!
//! A part of `touch` is
//! - `table.column`: the values of the column as its segments keep them, and which are known;
//! - `table.column?`: one bit a row, which are known, where not all are;
//! - `table.column:a,b`: of each code a bit a row of the table, or two bytes a row that has it,
//!   whichever is less; `*` is all codes;
//! - `rows above`: one bit a row of `person`, where a household begins;
//! - `places:level`: eight bytes a place, where its rows end;
//! - `point:n`: n reads of a line of the cache;
//! - `part of table.column:a,b`: the part, or a line of the cache for each row that has one of the
//!   codes, whichever is less.
//!
//! All but the last are taken times the share of the rows that lie within the place asked about.

use std::collections::HashMap;
use std::time::Instant;

use yiku::Snapshot;

use crate::Outcome;
use crate::cells::Cell;
use crate::own::Own;
use crate::questions::Question;

/// Words that each thread reads at a time.
const WORDS: usize = 1 << 26;
/// How often.
const ROUNDS: usize = 5;
/// Bytes of a line of the cache.
const LINE: f64 = 64.0;

/// The bandwidth, and what the formulas need to know of the database.
pub(crate) struct Bounds {
    /// Bytes a second.
    pub(crate) bandwidth: f64,
    /// Bytes of the values of each column, and whether all are known.
    columns: HashMap<String, (f64, bool)>,
    /// Rows of each table.
    rows: HashMap<String, f64>,
    /// Rows that have a code of a column.
    codes: HashMap<String, Vec<(String, f64)>>,
    /// Places of each level.
    places: HashMap<String, f64>,
    /// Part of the persons that live in a place.
    shares: HashMap<String, f64>,
}

/// Reads memory with so many threads at once and gives the bytes a second of the best round.
fn bandwidth(threads: usize) -> f64 {
    let memory: Vec<Vec<u64>> = (0..threads).map(|_| vec![1; WORDS]).collect();
    let round = || {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for part in &memory {
                scope.spawn(|| std::hint::black_box(sum(part)));
            }
        });
        (threads * WORDS * 8) as f64 / start.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(|_| round()).fold(0.0, f64::max)
}

fn sum(words: &[u64]) -> u64 {
    let mut sums = [0u64; 16];
    for chunk in words.chunks_exact(16) {
        for (sum, word) in sums.iter_mut().zip(chunk) {
            *sum = sum.wrapping_add(*word);
        }
    }
    sums.iter().fold(0, |all, sum| all.wrapping_add(*sum))
}

/// Bytes of the values of each column.
fn columns(snapshot: &Snapshot) -> Outcome<HashMap<String, (f64, bool)>> {
    let mut found = HashMap::new();
    for (table, of) in snapshot.schema().tables.iter().enumerate() {
        for (column, own) in of.columns.iter().enumerate() {
            let (mut bytes, mut all_known) = (0.0, true);
            for segment in snapshot.segments() {
                let sizes = segment.column(table, column)?.sizes();
                bytes += (sizes.values + sizes.known) as f64;
                all_known &= sizes.known == 0;
            }
            found.insert(format!("{}.{}", of.name, own.name), (bytes, all_known));
        }
    }
    Ok(found)
}

impl Bounds {
    pub(crate) fn measure(own: &Own, questions: &[Question], threads: usize) -> Outcome<Self> {
        let snapshot = &own.snapshot;
        let schema = snapshot.schema();
        let table = |(at, table): (usize, &yiku::schema::TableSchema)| {
            (table.name.clone(), snapshot.rows(at) as f64)
        };
        let rows: HashMap<String, f64> = schema.tables.iter().enumerate().map(table).collect();
        let mut codes = HashMap::new();
        for table in &schema.tables {
            for column in table.columns.iter().filter(|column| column.index) {
                let found = counts(own, &table.name, column)?;
                codes.insert(format!("{}.{}", table.name, column.name), found);
            }
        }
        let mut places = HashMap::new();
        for level in &schema.path.levels {
            let text = format!("from household by region.{}", level.name);
            places.insert(level.name.clone(), own.rows(&text)?.len() as f64);
        }
        let mut shares = HashMap::new();
        for place in questions.iter().filter_map(|question| question.within.clone()) {
            let found = own.rows(&format!("from person where region within {place}"))?;
            let share = count(found.first().and_then(|row| row.first()));
            shares.insert(place, share / persons(&rows)?);
        }
        let columns = columns(snapshot)?;
        Ok(Self { bandwidth: bandwidth(threads), columns, rows, codes, places, shares })
    }

    /// The least time of a question.
    pub(crate) fn milliseconds(&self, question: &Question) -> Outcome<f64> {
        let share = question.within.as_ref().and_then(|place| self.shares.get(place));
        let share = share.copied().unwrap_or(1.0);
        let parts = question.touch.iter().map(|part| self.bytes(part, share));
        let bytes = parts.sum::<Outcome<f64>>()?;
        Ok(bytes / self.bandwidth * 1_000.0)
    }

    fn of(&self, table: &str) -> Outcome<f64> {
        Ok(*self.rows.get(table).ok_or_else(|| format!("no table {table}"))?)
    }

    /// How many rows have each of the codes of `table.column:a,b`.
    fn having(&self, part: &str) -> Option<Vec<f64>> {
        let (column, names) = part.split_once(':')?;
        let codes = self.codes.get(column)?;
        if names == "*" {
            return Some(codes.iter().map(|(_, rows)| *rows).collect());
        }
        let rows = |name: &str| codes.iter().find(|code| code.0 == name).map(|code| code.1);
        names.split(',').map(rows).collect()
    }

    fn bytes(&self, part: &str, share: f64) -> Outcome<f64> {
        let missing = || format!("no `{part}` to read");
        if let Some((part, few)) = part.split_once(" of ") {
            let rows: f64 = self.having(few).ok_or_else(missing)?.iter().sum();
            return Ok(self.bytes(part, share)?.min(rows * LINE * share));
        }
        if part == "rows above" {
            return Ok(self.of("person")? / 8.0 * share);
        }
        if let Some(column) = part.strip_suffix('?') {
            let (_, all_known) = self.columns.get(column).ok_or_else(missing)?;
            return Ok(if *all_known { 0.0 } else { self.of("person")? / 8.0 * share });
        }
        match part.split_once(':') {
            Some(("point", lines)) => Ok(lines.parse::<f64>()? * LINE),
            Some(("places", level)) => {
                Ok(self.places.get(level).ok_or_else(missing)? * 8.0 * share)
            }
            Some((column, _)) => {
                let table = column.split('.').next().unwrap_or_default();
                let plane = self.of(table)? / 8.0;
                let rows = self.having(part).ok_or_else(missing)?;
                Ok(rows.iter().map(|rows| plane.min(rows * 2.0)).sum::<f64>() * share)
            }
            None => Ok(self.columns.get(part).ok_or_else(missing)?.0 * share),
        }
    }
}

fn persons(rows: &HashMap<String, f64>) -> Outcome<f64> {
    Ok(*rows.get("person").ok_or("no persons")?)
}

fn count(cell: Option<&Cell>) -> f64 {
    match cell {
        Some(Cell::Int(rows)) => *rows as f64,
        _ => 0.0,
    }
}

/// How many rows have each code of a column with an index.
fn counts(
    own: &Own,
    table: &str,
    column: &yiku::schema::ColumnSchema,
) -> Outcome<Vec<(String, f64)>> {
    use yiku::schema::Kind;
    let (name, schema) = (&column.name, own.snapshot.schema());
    let list = column.list.and_then(|list| schema.lists.get(list));
    let of_list = list.map(|list| list.codes.iter().map(|code| code.name.clone()).collect());
    let names: Vec<String> = of_list.unwrap_or_else(|| vec!["true".to_owned()]);
    let measures: Vec<String> = names
        .iter()
        .map(|code| match column.kind {
            Kind::Codes => format!("n_{code} = count(where {name} has any ({code}))"),
            Kind::Flag => format!("n_{code} = count(where {name})"),
            _ => format!("n_{code} = count(where {name} = {code})"),
        })
        .collect();
    let rows = own.rows(&format!("from {table} measure {}", measures.join(", ")))?;
    let row = rows.first().ok_or("a question about the whole table has no answer")?;
    Ok(names.into_iter().zip(row.iter().map(|cell| count(Some(cell)))).collect())
}
