//! The engine of this project, in this process: text to answer, nothing kept between questions.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use yiku::{Database, Schema, Snapshot};
use yiku_benches::whole::AS_OF;
use yiku_indexer::{LoadOptions, load_tables, read_tree};
use yiku_queries::{Answer, Limits, Plan, Pool, Query};

use crate::cells::{Codes, Row};
use crate::questions::{Question, Words};
use crate::{Engine, Outcome};

/// A version of a database, and what it is asked within.
pub(crate) struct Own {
    pub(crate) snapshot: Snapshot,
    codes: Codes,
    limits: Limits,
    /// How long it took to open.
    pub(crate) opened: Duration,
    /// Seconds that it took to load, where that was seen.
    pub(crate) loaded: Option<String>,
}

impl Own {
    /// Opens a database, which is made of Parquet files where it is not there.
    pub(crate) fn open(files: &Path, folder: &Path, threads: usize) -> Outcome<Self> {
        let told = folder.with_extension("seconds");
        if !folder.exists() {
            let took = load(files, folder, threads)?;
            std::fs::write(&told, format!("{:.1}", took.as_secs_f64()))?;
        }
        let loaded = std::fs::read_to_string(&told).ok();
        let start = Instant::now();
        let snapshot = Database::open(folder)?.snapshot()?;
        let opened = start.elapsed();
        let codes = Codes::new(snapshot.schema());
        // As a process that serves: its threads wait for questions, as those of the others do.
        let began = Instant::now();
        let clock = move || u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let pool = Some(Arc::new(Pool::new(threads, clock)));
        let limits = Limits { threads, pool, ..Limits::default() };
        Ok(Self { snapshot, codes, limits, opened, loaded })
    }

    /// The answer to a text.
    pub(crate) fn answer(&self, text: &str) -> Outcome<Answer> {
        let query = Query::parse(text)?;
        Ok(Plan::new(&query, &self.snapshot)?.run(&self.snapshot, &self.limits)?)
    }

    /// The rows of the answer to a text.
    pub(crate) fn rows(&self, text: &str) -> Outcome<Vec<Row>> {
        Ok(self.codes.rows(&self.answer(text)?, None))
    }

    /// A person and a household to look up, from the middle of the province.
    pub(crate) fn words(&self) -> Outcome<Words> {
        let text = "from person where region within 1406 \
             select person_id, household.household_id limit 1 offset 1000";
        let rows = self.rows(text)?;
        let word = |at: usize| match rows.first().and_then(|row| row.get(at)) {
            Some(crate::cells::Cell::Text(text)) => Ok(text.clone()),
            _ => Err("no person in the middle of the province"),
        };
        Ok(Words(vec![("person", word(0)?), ("household", word(1)?)]))
    }
}

fn load(files: &Path, folder: &Path, threads: usize) -> Outcome<Duration> {
    let schema = Schema::from_toml(&std::fs::read_to_string(files.join("schema.toml"))?)?;
    let tree = read_tree(&files.join("places.csv"), &schema.path)?;
    let file = |name: &str| (name.to_owned(), files.join(format!("{name}.parquet")));
    let options = LoadOptions { db: folder, tree: Some(tree), as_of: Some(AS_OF), threads };
    let start = Instant::now();
    let tables = [file("household"), file("person")];
    load_tables(Some(schema), &tables, &options, &mut |_| ())?;
    Ok(start.elapsed())
}

impl Engine for Own {
    fn name(&self) -> &str {
        "yiku"
    }

    fn check(&mut self, question: &Question) -> Outcome<(f64, Vec<Row>)> {
        let start = Instant::now();
        let answer = self.answer(&question.yiku)?;
        let first = start.elapsed().as_secs_f64() * 1_000.0;
        Ok((first, self.codes.rows(&answer, question.flat)))
    }

    fn time(&mut self, question: &Question) -> Outcome<f64> {
        let start = Instant::now();
        let answer = self.answer(&question.yiku)?;
        let time = start.elapsed().as_secs_f64() * 1_000.0;
        drop(std::hint::black_box(answer));
        Ok(time)
    }
}
