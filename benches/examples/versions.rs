//! Who entered and left between two versions, beside DuckDB: `versions DB [ONE_IN]`, made by the
//! example `load`, which it changes: a version is kept as `before`, one household in so many (100)
//! is delivered anew, and the next is kept as `after`. DuckDB 1.5.6 has the persons of both
//! versions as two tables in memory and joins them by their keys, which is what a question between
//! two months is without versions. Answers are compared before anything is timed; the two take
//! turns. Prints a table of docs/performance.md.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use duckdb::{Connection, params};
use yiku::{CommitInfo, Database, Snapshot};
use yiku_benches::change::Changes;
use yiku_queries::{Answer, Context, Limits, Plan, Query, Values};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The table that is asked.
const PERSON: usize = 1;
const ROUNDS: usize = 5;
/// Rows that are copied at a time.
const PAGE: usize = 100_000;
/// A name, the question here, and the question of SQL: what was so and what is so, and the group.
const QUESTIONS: [[&str; 4]; 3] = [
    [
        "who has aid",
        "from person where aids has any (dibao_rural, dibao_urban)",
        "aids & 3 <> 0",
        "0",
    ],
    [
        "who has aid, by city",
        "from person where aids has any (dibao_rural, dibao_urban) by region.city",
        "aids & 3 <> 0",
        "place // 100000000",
    ],
    [
        "who is disabled, by county",
        "from person where disability_grade is known by region.county",
        "disabled",
        "place // 1000000",
    ],
];

fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let folder = PathBuf::from(words.next().ok_or("give the folder of a database")?);
    let one_in: u64 = words.next().map_or(Ok(100), |word| word.parse())?;
    let database = Database::open(&folder)?;
    if database.names()?.is_empty() {
        change(&database, one_in)?;
    }
    let duck = Connection::open_in_memory()?;
    duck.execute_batch("set threads = 2; set memory_limit = '10GB'")?;
    let (before, after) = (database.named("before")?, database.named("after")?);
    for (name, snapshot) in [("before", &before), ("after", &after)] {
        copy(&duck, name, snapshot)?;
    }
    println!("{} persons before, {} after; two threads\n", before.rows(PERSON), after.rows(PERSON));
    println!("| flow between versions | this, ms | DuckDB, ms | times |");
    println!("| --- | ---: | ---: | ---: |");
    let context = Context::default().versions(&database);
    let limits = Limits { threads: 2, ..Limits::default() };
    for [name, text, holds, group] in QUESTIONS {
        let text = format!("{text} flow 'before' to 'after'");
        let own = || -> Outcome<Answer> {
            let plan = Plan::bind(&Query::parse(&text)?, &after, &context)?;
            Ok(plan.run(&after, &limits)?)
        };
        let sql = format!(
            "with a as (select id, {group} as g from before where {holds}), \
             b as (select id, {group} as g from after where {holds}) \
             select case when a.id is null then 'entered' when b.id is null then 'left' \
             when a.g = b.g then 'stayed' else 'moved' end as fate, count(*) \
             from a full join b on a.id = b.id group by all"
        );
        let (found, expected) = (moves(&own()?), rival(&duck, &sql)?);
        if found != expected {
            return Err(format!("{name}: {found:?} is not {expected:?}").into());
        }
        let mut times = [const { Vec::new() }; 2];
        for _ in 0..ROUNDS {
            let start = Instant::now();
            drop(std::hint::black_box(own()?));
            times[0].push(start.elapsed().as_secs_f64() * 1_000.0);
            let start = Instant::now();
            drop(std::hint::black_box(rival(&duck, &sql)?));
            times[1].push(start.elapsed().as_secs_f64() * 1_000.0);
        }
        let [own, duck] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times.get(ROUNDS / 2).copied().unwrap_or(0.0)
        });
        println!("| {name} | {own:.1} | {duck:.1} | {:.1} |", duck / own);
    }
    Ok(())
}

/// Keeps the version, delivers some households anew, and keeps that.
fn change(database: &Database, one_in: u64) -> Outcome<()> {
    database.keep("before")?;
    let snapshot = database.snapshot()?;
    let changes = Changes::of(&snapshot, snapshot.rows(0) / one_in.max(1))?;
    let mut writer = database.writer()?;
    let mut batch = writer.batch();
    for at in 0..changes.len() {
        changes.put(&mut batch, at, 1)?;
    }
    writer.write(&batch)?;
    writer.commit(CommitInfo { as_of: snapshot.as_of(), ..CommitInfo::default() })?;
    database.keep("after")?;
    Ok(())
}

/// The persons of a version as a table of DuckDB: key, place, aids as bits, whether disabled.
fn copy(duck: &Connection, name: &str, snapshot: &Snapshot) -> Outcome<()> {
    duck.execute_batch(&format!(
        "create table {name} (id varchar, place bigint, aids integer, disabled boolean)"
    ))?;
    let mut rows = duck.appender(name)?;
    // The two kinds that are asked about are the lowest bits.
    let text = "from person select person_id, household.region, a = aids has any (dibao_rural), \
                b = aids has any (dibao_urban), d = disability_grade is known";
    let limits = Limits { threads: 2, ..Limits::default() };
    let mut after: Option<String> = None;
    loop {
        let behind = after.map_or(String::new(), |cursor| format!(" after '{cursor}'"));
        let query = Query::parse(&format!("{text} limit {PAGE}{behind}"))?;
        let answer = Plan::new(&query, snapshot)?.run(snapshot, &limits)?;
        let columns: Vec<&Values> = answer.columns.iter().map(|column| &column.values).collect();
        let [Values::Text(ids), Values::Text(places), a, b, d] = columns[..] else {
            return Err(format!("not the columns of a list: {columns:?}").into());
        };
        for (row, (id, place)) in ids.iter().zip(places).enumerate() {
            let place: i64 = place.as_deref().unwrap_or("0").parse()?;
            let bits = i64::from(holds(a, row)) | i64::from(holds(b, row)) << 1;
            rows.append_row(params![id.as_deref(), place, bits, holds(d, row)])?;
        }
        after = answer.next.clone();
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Whether a condition is true of a row of a list.
fn holds(values: &Values, row: usize) -> bool {
    match values {
        Values::Int(values) => values.get(row).copied().flatten() == Some(1),
        Values::Text(values) => values.get(row).and_then(Option::as_deref) == Some("true"),
        _ => false,
    }
}

/// How many rows had each fate.
fn moves(answer: &Answer) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    let (first, last) = (answer.columns.first(), answer.columns.last());
    let (Some(first), Some(last)) = (first, last) else { return found };
    if let (Values::Text(fates), Values::Int(counts)) = (&first.values, &last.values) {
        for (fate, count) in fates.iter().flatten().zip(counts.iter().flatten()) {
            *found.entry(fate.to_string()).or_insert(0) += count;
        }
    }
    found.retain(|_, count| *count > 0);
    found
}

fn rival(duck: &Connection, sql: &str) -> Outcome<BTreeMap<String, i64>> {
    let mut statement = duck.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
