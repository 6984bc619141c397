//! The questions of the page's first screen, beside DuckDB on the same rows in the same run.
//! Answers are compared before anything is timed; at the end the fastest runs (other work on the
//! machine only adds to a run) and their ratio are printed. `HOUSEHOLDS=1400000` measures on more
//! rows than usual.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench stops where it fails, prints and reads the clock"
)]

use std::cell::Cell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use duckdb::types::Value;
use duckdb::{Appender, Connection, appender_params_from_iter};
use yiku::Snapshot;
use yiku_benches::province::{self, Row};
use yiku_queries::{Limits, Plan, Query, Values};

/// Threads of both sides.
const THREADS: usize = 2;

/// What is asked: in the statistics language, and in SQL. The last column of both is summed up
/// to compare.
const QUESTIONS: [(&str, &str, &str); 9] = [
    (
        "people by county",
        "from person by region.county measure n = count()",
        "SELECT place // 1000000, count(*) FROM person JOIN household ON above = household.row \
         GROUP BY 1",
    ),
    (
        "severely disabled by county",
        "from person where disability_grade in (1, 2) by region.county measure n = count()",
        "SELECT place // 1000000, count(*) FROM person JOIN household ON above = household.row \
         WHERE grade IN (0, 1) GROUP BY 1",
    ),
    (
        "persons with running urban aid by county",
        "from person where any(aid where kind = dibao_urban and running) by region.county \
         measure n = count()",
        "SELECT place // 1000000, count(*) FROM person JOIN household ON above = household.row \
         WHERE EXISTS (SELECT 1 FROM aid WHERE aid.above = person.row AND kind = 0 \
         AND first <= 20757 AND (last IS NULL OR last >= 20757)) GROUP BY 1",
    ),
    (
        "figures of the page by county",
        "from person where region within 14 by region.county measure n = count(), \
         urban = count(where any(aid where kind = dibao_urban and running)), \
         rural = count(where any(aid where kind = dibao_rural and running)), \
         tekun = count(where any(aid where kind in (tekun_urban, tekun_rural) and running)), \
         low = count(where any(aid where kind in (dibao_urban, dibao_rural, tekun_urban, \
         tekun_rural, dibao_edge, rigid) and running))",
        "WITH running AS (SELECT above, bit_or(1 << kind) AS kinds FROM aid \
         WHERE first <= 20757 AND (last IS NULL OR last >= 20757) GROUP BY above) \
         SELECT place // 1000000, count(*), count(*) FILTER (kinds & 1 > 0), \
         count(*) FILTER (kinds & 2 > 0), count(*) FILTER (kinds & 12 > 0), \
         count(*) FILTER (kinds & 63 > 0) FROM person \
         JOIN household ON above = household.row LEFT JOIN running ON running.above = person.row \
         GROUP BY 1",
    ),
    (
        "age pyramid",
        "from person by band(age(birth_date), 0, 18, 60), sex measure n = count()",
        "SELECT CASE WHEN born > 14182 THEN 0 WHEN born > -1158 THEN 1 ELSE 2 END, sex, count(*) \
         FROM person GROUP BY 1, 2",
    ),
    (
        "households by kind of running aid and county",
        "from aid where running by kind, region.county measure n = count_distinct(household)",
        "SELECT kind, place // 1000000, count(DISTINCT household.row) FROM aid \
         JOIN person ON aid.above = person.row JOIN household ON person.above = household.row \
         WHERE first <= 20757 AND (last IS NULL OR last >= 20757) GROUP BY 1, 2",
    ),
    (
        "money by county",
        "from aid where running by region.county measure n = sum(amount)",
        "SELECT place // 1000000, sum(amount)::BIGINT FROM aid \
         JOIN person ON aid.above = person.row JOIN household ON person.above = household.row \
         WHERE first <= 20757 AND (last IS NULL OR last >= 20757) GROUP BY 1",
    ),
    (
        "poor households by township of a city",
        "from household where region within 1401 and per_capita(income) < 680 by region.township \
         measure n = count()",
        "SELECT place // 1000, count(*) FROM household WHERE place // 100000000 = 1401 \
         AND income::DOUBLE / (SELECT count(*) FROM person WHERE above = household.row) < 68000 \
         GROUP BY 1",
    ),
    (
        "medical burden",
        "from household where sum(observation.value where indicator = medical_self_paid and \
         month > as_of - 12 months) > 6 * sum(person.monthly_income) measure n = count()",
        "SELECT 0, count(*) FROM household WHERE (SELECT coalesce(sum(value), 0) FROM observation \
         JOIN person ON observation.above = person.row WHERE person.above = household.row \
         AND indicator = 0 AND month > 24309) \
         > 6 * (SELECT coalesce(sum(income), 0) FROM person WHERE above = household.row)",
    ),
];

fn number(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::BigInt)
}

/// The same rows in DuckDB, each with the number of the row above.
fn duck(households: u64) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(&format!(
            "SET threads = {THREADS};
             CREATE TABLE household (row BIGINT, place BIGINT, urban BOOLEAN, income BIGINT);
             CREATE TABLE person (row BIGINT, above BIGINT, sex BIGINT, born BIGINT, \
                 income BIGINT, ill BOOLEAN, grade BIGINT);
             CREATE TABLE aid (above BIGINT, kind BIGINT, first BIGINT, last BIGINT, \
                 amount BIGINT);
             CREATE TABLE observation (above BIGINT, indicator BIGINT, month BIGINT, \
                 value BIGINT);"
        ))
        .unwrap();
    let tables = ["household", "person", "aid", "observation"];
    let mut appenders: Vec<Appender<'_>> =
        tables.iter().map(|table| connection.appender(table).unwrap()).collect();
    let (mut home, mut person) = (-1i64, -1i64);
    province::rows(0..households, households, &mut |row| {
        let int = Value::BigInt;
        let (table, values) = match row {
            Row::Household(place, urban, income) => {
                home += 1;
                (0, vec![int(home), int(place), Value::Boolean(urban), number(income)])
            }
            Row::Person(sex, born, income, ill, grade) => {
                person += 1;
                let ill = ill.map_or(Value::Null, Value::Boolean);
                let (income, grade) = (number(income), number(grade));
                (1, vec![int(person), int(home), int(sex), int(born), income, ill, grade])
            }
            Row::Aid(kind, first, last, amount) => {
                (2, vec![int(person), int(kind), int(first), number(last), int(amount)])
            }
            Row::Observation(indicator, month, value) => {
                (3, vec![int(person), int(indicator), int(month), int(value)])
            }
        };
        appenders.get_mut(table).unwrap().append_row(appender_params_from_iter(values))
    })
    .unwrap();
    drop(appenders);
    connection
}

/// Rows of the answer, and the sum of its last column.
fn ours(snapshot: &Snapshot, text: &str) -> (usize, i64) {
    let query = Query::parse(text).unwrap();
    let limits = Limits { threads: THREADS, ..Limits::default() };
    let answer = Plan::new(&query, snapshot).unwrap().run(snapshot, &limits).unwrap();
    let sum = match &answer.columns.last().unwrap().values {
        Values::Int(values) => values.iter().flatten().sum(),
        _ => 0,
    };
    (answer.rows, sum)
}

fn theirs(connection: &Connection, sql: &str) -> (usize, i64) {
    let mut statement = connection.prepare_cached(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    let (mut count, mut sum) = (0, 0);
    while let Some(row) = rows.next().unwrap() {
        let last = row.as_ref().column_count() - 1;
        count += 1;
        sum += row.get::<_, i64>(last).unwrap();
    }
    (count, sum)
}

fn main() {
    let households = std::env::var("HOUSEHOLDS").ok().and_then(|n| n.parse().ok());
    let households = households.unwrap_or(200_000);
    let folder = tempfile::tempdir().unwrap();
    let snapshot = province::write(&folder.path().join("province"), households).unwrap();
    let connection = duck(households);
    println!("{} persons, {THREADS} threads", snapshot.rows(1));
    let mut criterion = Criterion::default().configure_from_args();
    let mut told = Vec::new();
    for (name, text, sql) in QUESTIONS {
        assert_eq!(ours(&snapshot, text), theirs(&connection, sql), "{name}");
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10).warm_up_time(Duration::from_millis(300));
        group.measurement_time(Duration::from_secs(1));
        let mut measure = |side: &str, ask: &dyn Fn() -> (usize, i64)| {
            let fastest = Cell::new(Duration::MAX);
            group.bench_function(BenchmarkId::from_parameter(side), |bencher| {
                bencher.iter_custom(|runs| {
                    let start = Instant::now();
                    (0..runs).for_each(|_| {
                        black_box(ask());
                    });
                    let spent = start.elapsed();
                    let runs = u32::try_from(runs).unwrap_or(u32::MAX);
                    fastest.set(fastest.get().min(spent / runs));
                    spent
                });
            });
            fastest.get()
        };
        let here = measure("yiku", &|| ours(&snapshot, text));
        let there = measure("duckdb", &|| theirs(&connection, sql));
        group.finish();
        told.push((name, here, there));
    }
    println!("\n{:>9} {:>9} {:>7}  question", "yiku ms", "duckdb ms", "ratio");
    for (name, here, there) in told {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        let ratio = there.as_secs_f64() / here.as_secs_f64().max(1e-9);
        println!("{:>9.2} {:>9.2} {ratio:>6.1}x  {name}", millis(here), millis(there));
    }
}
