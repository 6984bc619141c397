//! Many callers at once, beside DuckDB on the same rows in the same run: `callers DB FILES
//! [SECONDS]`, the database that `load` made and the folder of Parquet files that it was made of.
//! Prints the tables of docs/performance.md. Answers are compared before anything is timed.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]

mod duck;
mod fair;
mod mix;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use yiku::{Database, Snapshot};
use yiku_benches as _;
use yiku_queries::cache::{AnswerCache, Asked, Looked};
use yiku_queries::{Answer, Limits, Plan, Pool, Query};

use duck::Duck;
use mix::Drawn;

/// Threads of both sides.
const THREADS: usize = 2;
/// Callers at once.
const LEVELS: [usize; 4] = [1, 8, 64, 200];
/// How often each kind of question is asked by itself.
const ROUNDS: usize = 15;
/// Dashboards that callers look at where answers are kept.
const DASHBOARDS: u64 = 50;
/// Bytes of answers that are kept.
const CACHE_BYTES: usize = 64 << 20;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// One engine, to be asked by many.
trait Asks: Sync {
    /// Somebody who asks.
    fn caller(&self) -> Outcome<Box<dyn Caller + '_>>;
}

/// Somebody who asks.
trait Caller: Send {
    /// The answer to a question, as the sum of its numbers.
    fn ask(&mut self, drawn: &Drawn) -> Outcome<i64>;
}

/// This engine.
struct Own {
    snapshot: Snapshot,
    limits: Limits,
    cache: AnswerCache,
}

impl Own {
    fn new(snapshot: &Snapshot, limits: &Limits, cache_bytes: usize) -> Self {
        let (snapshot, limits) = (snapshot.clone(), limits.clone());
        Self { snapshot, limits, cache: AnswerCache::new(cache_bytes) }
    }

    fn answer(&self, text: &str) -> Outcome<Arc<Answer>> {
        let query = Query::parse(text)?;
        let asked = Asked::new(&query, &self.snapshot, &self.limits, usize::MAX);
        let ticket = match self.cache.look(asked.ok_or("may change")?, None)? {
            Looked::Found(answer) => return Ok(answer),
            Looked::Mine(ticket) => ticket,
        };
        let plan = Plan::new(&query, &self.snapshot)?;
        Ok(ticket.put(plan.run(&self.snapshot, &self.limits)?))
    }
}

impl Asks for Own {
    fn caller(&self) -> Outcome<Box<dyn Caller + '_>> {
        Ok(Box::new(self))
    }
}

impl Caller for &Own {
    fn ask(&mut self, drawn: &Drawn) -> Outcome<i64> {
        Ok(mix::sum(&*self.answer(&drawn.question)?))
    }
}

/// What callers met.
#[derive(Debug, Default)]
struct Met {
    seconds: f64,
    times: Vec<Duration>,
}

impl Met {
    fn a_second(&self) -> f64 {
        self.times.len() as f64 / self.seconds
    }

    /// Milliseconds that so many of a hundred took no longer than.
    fn milliseconds(&self, percent: usize) -> f64 {
        let place = (self.times.len() * percent / 100).min(self.times.len().saturating_sub(1));
        self.times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
    }
}

/// So many callers ask again and again for so long, each what nobody else asks; with `dashboards`
/// all look at so many.
fn measure(
    engine: &dyn Asks,
    callers: usize,
    (time, dashboards): (Duration, Option<u64>),
) -> Outcome<Met> {
    let over = AtomicBool::new(false);
    let began = Instant::now();
    let found: Vec<Outcome<Vec<Duration>>> = thread::scope(|scope| {
        let ask = |place: usize| {
            let over = &over;
            move || -> Outcome<Vec<Duration>> {
                let mut caller = engine.caller()?;
                let mut draw = mix::Draw::new(place as u64, dashboards);
                let mut times = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    let drawn = draw.next();
                    let start = Instant::now();
                    caller.ask(&drawn)?;
                    times.push(start.elapsed());
                }
                Ok(times)
            }
        };
        let threads: Vec<_> = (0..callers).map(|place| scope.spawn(ask(place))).collect();
        thread::sleep(time);
        over.store(true, Ordering::Relaxed);
        let lost = || Err("a caller was lost".into());
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| lost())).collect()
    });
    let mut met = Met { seconds: began.elapsed().as_secs_f64(), times: Vec::new() };
    for times in found {
        met.times.extend(times?);
    }
    met.times.sort_unstable();
    Ok(met)
}

/// Both sides give the same numbers.
fn compare(own: &Own, duck: &Duck) -> Outcome<()> {
    let (mut own, mut duck) = (own.caller()?, duck.caller()?);
    let mut draw = mix::Draw::new(7_000, None);
    for _ in 0..3 * mix::KINDS {
        let drawn = draw.next();
        let (a, b) = (own.ask(&drawn)?, duck.ask(&drawn)?);
        if a != b {
            return Err(format!("{a} is not {b}: {} / {}", drawn.question, drawn.sql).into());
        }
    }
    Ok(())
}

/// What each kind of question takes by itself, one caller on all threads.
fn kinds(own: &Own, duck: &Duck) -> Outcome<()> {
    println!("\n| one caller | this, median ms | DuckDB, median ms | times |");
    println!("| --- | ---: | ---: | ---: |");
    let (mut own, mut duck) = (own.caller()?, duck.caller()?);
    let mut sides: [&mut dyn Caller; 2] = [&mut *own, &mut *duck];
    for (kind, name) in (0..).zip(mix::NAMES) {
        let mut draw = mix::Draw::new(9_000, None);
        let mut times = [const { Vec::new() }; 2];
        for _ in 0..ROUNDS {
            let drawn = draw.of(kind);
            for (side, times) in sides.iter_mut().zip(&mut times) {
                let start = Instant::now();
                side.ask(&drawn)?;
                times.push(start.elapsed());
            }
        }
        let [own, duck] = times.map(|mut times| {
            times.sort_unstable();
            Met { seconds: 1.0, times }.milliseconds(50)
        });
        println!("| {name} | {own:.2} | {duck:.2} | {:.1} |", duck / own);
    }
    Ok(())
}

fn clock() -> impl Fn() -> u64 + Send + Sync {
    let began = Instant::now();
    move || u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let folder = PathBuf::from(words.next().ok_or("give the folder of a database")?);
    let files = PathBuf::from(words.next().ok_or("give the folder of its Parquet files")?);
    let time = Duration::from_secs(words.next().map_or(Ok(10), |word| word.parse())?);
    let snapshot = Database::open(&folder)?.snapshot()?;
    let pool = Arc::new(Pool::new(THREADS, clock()).memory(2 << 30, u64::MAX));
    let limits = Limits { threads: THREADS, pool: Some(pool), ..Limits::default() };
    let persons = snapshot.rows(1);
    println!("{persons} persons, {} segments; DuckDB {}", snapshot.segments().len(), duck::VERSION);
    fair::starts(&snapshot, &limits)?;
    fair::beside(&snapshot, &limits, time)?;
    let began = Instant::now();
    let duck = Duck::load(&files)?;
    println!("DuckDB has its rows after {:.0} s", began.elapsed().as_secs_f64());
    let (off, on) = (Own::new(&snapshot, &limits, 0), Own::new(&snapshot, &limits, CACHE_BYTES));
    compare(&off, &duck)?;
    kinds(&off, &duck)?;
    println!("\n| callers | engine | answers a second | p50, ms | p95, ms | p99, ms | times |");
    println!("| ---: | --- | ---: | ---: | ---: | ---: | ---: |");
    for callers in LEVELS {
        let own = measure(&off, callers, (time, None))?;
        let rival = measure(&duck, callers, (time, None))?;
        let before = on.cache.load();
        let kept = measure(&on, callers, (time, Some(DASHBOARDS)))?;
        let after = on.cache.load();
        let met = after.found + after.joined - before.found - before.joined;
        let share = met * 100 / (met + after.computed - before.computed).max(1);
        let kept_name = format!("this, answers kept ({share} % found)");
        let sides = [("this", &own), ("DuckDB", &rival), (kept_name.as_str(), &kept)];
        for (name, met) in sides {
            println!(
                "| {callers} | {name} | {:.0} | {:.2} | {:.2} | {:.2} | {:.1} |",
                met.a_second(),
                met.milliseconds(50),
                met.milliseconds(95),
                met.milliseconds(99),
                met.a_second() / rival.a_second()
            );
        }
    }
    Ok(())
}
