//! What it costs to call threads, and what light questions feel of a heavy one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use yiku::Snapshot;
use yiku_queries::{Limits, Plan, Query};

use super::{Met, Outcome, Own, measure};

/// How often a tiny question is asked.
const TINY: usize = 1_000;
/// Callers of light questions.
const LIGHT: usize = 8;
/// What takes long: an order of all households within each village.
const HEAVY: &str =
    "from household by region.village measure middle = median(per_capita(income)), n = count()";

/// A tiny question with threads of its own, with those of a pool, and with none.
pub(crate) fn starts(snapshot: &Snapshot, limits: &Limits) -> Outcome<()> {
    let query = Query::parse("from person where region within 140105 measure n = count()")?;
    let plan = Plan::new(&query, snapshot)?;
    let apart = Limits { pool: None, ..limits.clone() };
    let alone = Limits { threads: 1, ..apart.clone() };
    let kinds = [("threads of its own", &apart), ("the pool", limits), ("one thread", &alone)];
    let mut times = kinds.map(|_| Vec::with_capacity(TINY));
    for _ in 0..TINY {
        for ((_, limits), times) in kinds.iter().zip(&mut times) {
            let start = Instant::now();
            plan.run(snapshot, limits)?;
            times.push(start.elapsed());
        }
    }
    println!("\n| a count in a county, {TINY} times | median, µs | nine of ten, µs |");
    println!("| --- | ---: | ---: |");
    for ((name, _), mut times) in kinds.into_iter().zip(times) {
        times.sort_unstable();
        let at = |place: usize| times.get(place).map_or(0.0, |t| t.as_secs_f64() * 1e6);
        println!("| {name} | {:.1} | {:.1} |", at(TINY / 2), at(TINY * 9 / 10));
    }
    println!();
    Ok(())
}

/// Light questions of eight callers, with and without a heavy one that is asked again and again.
pub(crate) fn beside(snapshot: &Snapshot, limits: &Limits, time: Duration) -> Outcome<()> {
    let own = Own::new(snapshot, limits, 0);
    println!("| {LIGHT} callers of the mix | answers a second | p50, ms | p95, ms | p99, ms |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let tell = |name: &str, met: &Met| {
        println!(
            "| {name} | {:.0} | {:.2} | {:.2} | {:.2} |",
            met.a_second(),
            met.milliseconds(50),
            met.milliseconds(95),
            met.milliseconds(99)
        );
    };
    let start = Instant::now();
    own.answer(HEAVY)?;
    let alone = start.elapsed();
    let without = measure(&own, LIGHT, (time, None))?;
    tell("alone", &without);
    let over = AtomicBool::new(false);
    let (with, heavy) = thread::scope(|scope| {
        let heavy = scope.spawn(|| -> Outcome<Vec<Duration>> {
            let mut times = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let start = Instant::now();
                own.answer(HEAVY)?;
                times.push(start.elapsed());
            }
            Ok(times)
        });
        let met = measure(&own, LIGHT, (time, None));
        over.store(true, Ordering::Relaxed);
        (met, heavy.join())
    });
    let (with, heavy) = (with?, heavy.map_err(|_| "a caller was lost")??);
    tell("beside a heavy one", &with);
    let slowest = heavy.iter().max().copied().unwrap_or_default();
    println!(
        "\np95 beside the heavy one is {:.2} times that alone. The heavy one (`{HEAVY}`) took \
         {:.0} ms alone and was answered {} times beside them, at most {:.0} ms each.",
        with.milliseconds(95) / without.milliseconds(95),
        alone.as_secs_f64() * 1_000.0,
        heavy.len(),
        slowest.as_secs_f64() * 1_000.0
    );
    Ok(())
}
