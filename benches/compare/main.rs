//! Asks this engine and others the same questions about the same rows, in one run:
//!
//! `compare FILES DB STORE [--engines yiku,duckdb,…] [--only WORD]… [--rounds N] [--threads N]`
//! `[--turn N] [--python PATH] [--out FILE] [--before FILE] [--smaller FILE] [--least FILE]`
//!
//! FILES is what the example `parquet` made. DB is loaded from it where it is not there yet; the
//! others keep theirs in STORE. Answers are compared, cell by cell, before anything is timed; then
//! the engines take turns. In its turn an engine answers twice ([`TURN`]): the first time finds the
//! caches as the others left them, the second is the warm one. Prints a table in Markdown; `--out`
//! writes the same as lines of JSON, `--before` puts those of an earlier run beside it, `--smaller`
//! those of fewer rows, `--least` fails where a family is not so many times as fast as the best of
//! the others as a file says.
#![expect(clippy::disallowed_methods, reason = "a measurement")]
#![expect(clippy::print_stdout, reason = "it prints its tables")]

mod bound;
mod cells;
mod own;
mod questions;
mod rival;
mod table;

use std::path::PathBuf;

use cells::{Row, difference, sort};
use own::Own;
use questions::Question;
use table::{Measured, Report};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Rounds of a question of which every answer takes less than [`SLOW`].
const ROUNDS: usize = 11;
/// Answers of a turn.
const TURN: usize = 2;
/// Milliseconds of one answer from which on a question has fewer rounds.
const SLOW: f64 = 500.0;
/// And from which on it has three.
const VERY_SLOW: f64 = 2_000.0;

/// What answers questions.
trait Engine {
    /// Its name in the table.
    fn name(&self) -> &str;
    /// The first answer: milliseconds, and its rows.
    fn check(&mut self, question: &Question) -> Outcome<(f64, Vec<Row>)>;
    /// Milliseconds of another.
    fn time(&mut self, question: &Question) -> Outcome<f64>;
}

/// What was asked for on the command line.
struct Wanted {
    files: PathBuf,
    db: PathBuf,
    store: PathBuf,
    engines: Vec<String>,
    only: Vec<String>,
    rounds: Option<usize>,
    turn: usize,
    threads: usize,
    python: PathBuf,
    out: Option<PathBuf>,
    before: Option<PathBuf>,
    smaller: Option<PathBuf>,
    least: Option<PathBuf>,
}

impl Wanted {
    fn read() -> Outcome<Self> {
        let mut words = std::env::args().skip(1);
        let mut next = |what: &str| words.next().ok_or_else(|| format!("give {what}"));
        let mut wanted = Self {
            files: next("the folder of the Parquet files")?.into(),
            db: next("the folder of the database")?.into(),
            store: next("a folder for what the others keep")?.into(),
            engines: ["yiku", "duckdb", "polars", "datafusion", "clickhouse"]
                .map(String::from)
                .into(),
            only: Vec::new(),
            rounds: None,
            turn: TURN,
            threads: 2,
            python: "python3".into(),
            out: None,
            before: None,
            smaller: None,
            least: None,
        };
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} is without a value"))?;
            match word.as_str() {
                "--engines" => wanted.engines = value.split(',').map(String::from).collect(),
                "--only" => wanted.only.push(value),
                "--rounds" => wanted.rounds = Some(value.parse()?),
                "--turn" => wanted.turn = value.parse::<usize>()?.max(1),
                "--threads" => wanted.threads = value.parse()?,
                "--python" => wanted.python = value.into(),
                "--out" => wanted.out = Some(value.into()),
                "--before" => wanted.before = Some(value.into()),
                "--smaller" => wanted.smaller = Some(value.into()),
                "--least" => wanted.least = Some(value.into()),
                other => return Err(format!("what is {other}?").into()),
            }
        }
        Ok(wanted)
    }
}

fn main() -> Outcome<()> {
    let wanted = Wanted::read()?;
    let mut report = Report::default();
    let mut engines: Vec<Box<dyn Engine>> = Vec::new();
    let own = Own::open(&wanted.files, &wanted.db, wanted.threads)?;
    report.machine(&own, wanted.threads)?;
    let words = own.words()?;
    for name in wanted.engines.iter().filter(|name| *name != "yiku") {
        let rival = rival::Rival::start(
            name,
            &wanted.python,
            &wanted.files,
            &wanted.store,
            wanted.threads,
            &words,
        )?;
        report.loaded(&rival);
        engines.push(Box::new(rival));
    }
    report.flat(&wanted.store);
    let questions = questions::read(own.snapshot.schema(), &words, &wanted.only)?;
    let bounds = bound::Bounds::measure(&own, &questions, wanted.threads)?;
    report.bandwidth(&bounds);
    let costs: Vec<f64> =
        questions.iter().map(|question| bounds.milliseconds(question)).collect::<Outcome<_>>()?;
    if wanted.engines.iter().any(|name| name == "yiku") {
        engines.insert(0, Box::new(own));
    }
    for (question, bound) in questions.iter().zip(costs) {
        let measured = ask(question, &mut engines, wanted.rounds, wanted.turn)?;
        eprintln!("{}: {measured}", question.name());
        report.add(question, bound, measured);
    }
    report.print(&engines, wanted.before.as_deref())?;
    if let Some(path) = &wanted.smaller {
        report.growth(path)?;
    }
    if let Some(path) = &wanted.out {
        report.write(path)?;
    }
    match &wanted.least {
        Some(path) => report.assert(path),
        None => Ok(()),
    }
}

/// Compares the answers of all engines to a question, then times them in turns.
fn ask(
    question: &Question,
    engines: &mut [Box<dyn Engine>],
    rounds: Option<usize>,
    answers: usize,
) -> Outcome<Measured> {
    let mut measured = Measured::new(engines.iter().map(|engine| engine.name().to_owned()));
    let mut right: Option<(String, Vec<Row>)> = None;
    for (at, engine) in engines.iter_mut().enumerate() {
        let (first, mut rows) = engine
            .check(question)
            .map_err(|error| format!("{} at `{}`: {error}", engine.name(), question.name()))?;
        if !question.ordered {
            sort(&mut rows);
        }
        measured.first(at, first, rows.len());
        let near = question.near.get(engine.name()).copied().unwrap_or(cells::NEAR);
        let Some((other, expected)) = &right else {
            right = Some((engine.name().to_owned(), rows));
            continue;
        };
        if let Some(difference) = difference(expected, &rows, near) {
            let (own, name) = (engine.name(), question.name());
            return Err(format!("{other} and {own} at `{name}`: {difference}").into());
        }
    }
    let slowest = measured.slowest();
    let rounds = rounds.unwrap_or(match slowest {
        _ if slowest > VERY_SLOW => 3,
        _ if slowest > SLOW => 5,
        _ => ROUNDS,
    });
    for round in 0..rounds {
        for turn in 0..engines.len() {
            // Another begins each time, and the order turns around.
            let turn = if round % 2 == 0 { turn } else { engines.len() - 1 - turn };
            let at = (turn + round / 2) % engines.len();
            if let Some(engine) = engines.get_mut(at) {
                let times = (0..answers).map(|_| engine.time(question));
                measured.turn(at, &times.collect::<Outcome<Vec<f64>>>()?);
            }
        }
    }
    Ok(measured)
}
