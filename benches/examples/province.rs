//! Opens a loaded province and times ten questions: `province DB [THREADS]`. Prints the table of
//! docs/performance.md. Times are medians; the first answer of each question, which also checks
//! the checksums of what it reads, stands beside them.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use yiku::Database;
use yiku_queries::{Limits, Plan, Query};

/// How often each question is asked again.
const ROUNDS: usize = 21;

/// What dashboards, maps and rules ask.
const QUESTIONS: [&str; 10] = [
    "from person measure count() by region.county",
    "from person where any(aid where kind in (dibao_urban, dibao_rural) and running) \
     by region.county measure people = count(), homes = count_distinct(household)",
    "from person by band(age(birth_date), 0, 18, 60), sex totals",
    "from person where disability_grade in (1, 2) and household.urban by region.city",
    "from household where per_capita(income) < 600.00 and none(person where employed) \
     by region.county",
    "from observation where indicator = aid_paid and month between 2025-11 and 2026-10 \
     by month measure paid = sum(value), people = count_distinct(person)",
    "from household where sum(observation.value where indicator = medical_self_paid \
     and month > as_of - 12 months) > 0.5 * sum(person.monthly_income) * 12 by region.city",
    "from person where tags has any (living_alone) and age(birth_date) >= 60 \
     by region.township order -count limit 20",
    "from person measure per(10000, count(where any(aid where running)), count()) \
     by region.village",
    "from person where region within 140105 and severe_illness by disability_grade, education",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let folder = PathBuf::from(words.next().ok_or("give the folder of a database")?);
    let threads = words.next().map_or(Ok(2), |word| word.parse())?;
    let start = Instant::now();
    let snapshot = Database::open(&folder)?.snapshot()?;
    let opened = start.elapsed();
    let rows: Vec<String> = snapshot
        .schema()
        .tables
        .iter()
        .enumerate()
        .map(|(at, table)| format!("{} {}", snapshot.rows(at), table.name))
        .collect();
    println!("rows: {}; segments: {}", rows.join(", "), snapshot.segments().len());
    println!("bytes of segments: {}; opened in {}", snapshot.size_bytes(), shown(opened));
    println!("\n| question | rows of the answer | first, ms | median of {ROUNDS}, ms |");
    println!("| --- | ---: | ---: | ---: |");
    let limits = Limits { threads, ..Limits::default() };
    for question in QUESTIONS {
        let query = Query::parse(question)?;
        let mut times = Vec::with_capacity(ROUNDS);
        let mut rows = 0;
        for _ in 0..=ROUNDS {
            let start = Instant::now();
            rows = Plan::new(&query, &snapshot)?.run(&snapshot, &limits)?.rows;
            times.push(start.elapsed());
        }
        let first = times.remove(0);
        times.sort_unstable();
        let median = times.get(ROUNDS / 2).copied().unwrap_or_default();
        println!("| `{question}` | {rows} | {} | {} |", shown(first), shown(median));
    }
    Ok(())
}

fn shown(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1_000.0)
}
