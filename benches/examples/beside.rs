//! What questions take while a database is written to: `beside DB [SECONDS]`, made by the example
//! `load`, which it changes. Asks a page of questions for so long without a writer, then beside
//! 1,000 changed bundles a second with compaction, then once more without. Prints a table of
//! docs/performance.md.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use yiku::Database;
use yiku_benches::change::Changes;
use yiku_benches::stream;
use yiku_queries::{Limits, Plan, Query};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const QUESTIONS: [(&str, &str); 6] = [
    (
        "count in a county",
        "from person where region within 140105 and marks has any (living_alone) \
         measure n = count()",
    ),
    (
        "city by aid",
        "from person by region.city measure a = count(where aids has any (dibao_rural)), \
         b = count(where aids has any (dibao_urban)), c = count(where aids has any (temporary))",
    ),
    (
        "map by county",
        "from person by region.county \
         measure rate = per(1000, count(where marks has any (landed) \
         and marks has none (chronic_illness)), count())",
    ),
    (
        "map by township",
        "from person by region.township \
         measure rate = per(1000, count(where marks has any (landed) \
         and marks has none (chronic_illness)), count())",
    ),
    (
        "crosstab of a county",
        "from person where region within 140105 \
         by band(age(birth_date), 0, 18, 35, 60, 80), sex, disability_grade",
    ),
    (
        "money of ill households",
        "from household where any(person where marks has any (severe_illness)) \
         by region.city, urban measure homes = count(), total = sum(income)",
    ),
];

fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let folder = PathBuf::from(words.next().ok_or("give the folder of a database")?);
    let seconds: u64 = words.next().map_or(Ok(20), |word| word.parse())?;
    let time = Duration::from_secs(seconds);
    let database = Database::open(&folder)?;
    let changes = Changes::of(&database.snapshot()?, 500_000)?;
    let before = ask(&database, time)?;
    let (stop, written, steps) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let stopped = || stop.load(Ordering::Relaxed);
    let start = Instant::now();
    let beside = std::thread::scope(|scope| {
        let writing = scope.spawn(|| stream::write((&database, &changes, 1), &stopped, &written));
        let compacting = scope.spawn(|| stream::compact(&database, &stopped, &steps));
        let found = ask(&database, time);
        let took = start.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        let lost = |_| "a thread was lost";
        writing.join().map_err(lost)??;
        compacting.join().map_err(lost)??;
        println!(
            "{:.0} changed bundles a second, {} steps of compaction, {} segments\n",
            written.load(Ordering::Relaxed) as f64 / took,
            steps.load(Ordering::Relaxed),
            database.snapshot()?.segments().len()
        );
        found
    })?;
    let after = ask(&database, time)?;
    println!(
        "| question | before, ms | beside the writer, ms | after, ms | beside, times before |"
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (((name, _), before), (beside, after)) in
        QUESTIONS.iter().zip(&before).zip(beside.iter().zip(&after))
    {
        let [before, beside, after] = [before, beside, after].map(|times| median(times));
        println!("| {name} | {before:.2} | {beside:.2} | {after:.2} | {:.2} |", beside / before);
    }
    Ok(())
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Asks all questions in turns of the newest version; milliseconds of each.
fn ask(database: &Database, time: Duration) -> Outcome<[Vec<f64>; QUESTIONS.len()]> {
    let limits = Limits { threads: 2, ..Limits::default() };
    let mut times = [const { Vec::new() }; QUESTIONS.len()];
    let start = Instant::now();
    while start.elapsed() < time {
        for ((_, text), times) in QUESTIONS.iter().zip(&mut times) {
            let begun = Instant::now();
            let snapshot = database.snapshot()?;
            let answer = Plan::new(&Query::parse(text)?, &snapshot)?.run(&snapshot, &limits)?;
            drop(std::hint::black_box(answer));
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
    }
    Ok(times)
}
