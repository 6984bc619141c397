//! `yiku query`: a question, its answer on standard output.

use clap::{Args, ValueEnum};
use yiku_queries::{Dialect, Limits};

use super::asked::{Asked, question};
use super::{explain, out, table, threads};
use crate::error::Error;
use crate::http::signed::Scope;
use crate::wire::AnswerBody;

/// The language on one screen, of 80 columns.
const SCREEN: &str = "\
TEXT: from TABLE, then clauses in any order (docs/language.md), or its JSON form
  where C  by E, ..  measure name = M, ..  having C  totals  order -name, ..
  limit N  offset N  top K within E by -name  as_of DAY  explain
  over month A to B  compare month, quarter, year  flow DAY to DAY  matrix C, ..
  select E, ..  after 'CURSOR'  sets name = C  with line = +50  publish min_cell
Conditions: = != < <= > >= and or not, between 1 and 9, in (a, b), in set name,
  has any|all|none (a, b), within 1401, is known|unknown, starts 'x', running,
  matches(text, 'x'); of rows beneath: any(aid where C) none all count sum avg
Values: 12.50, 2026-10, as_of - 12 months, $line, parent.column, + - * /
  age year quarter month abs min max coalesce if per_capita band(x, 0, 18, 60)
Measures: count count_distinct sum avg min max median quantile(x, 0.9) stddev
  share(m) per(1000, a, b) histogram gini lorenz inflow outflow
  poverty_rate(x, line) poverty_gap poverty_severity
Examples, behind yiku query --db DIR:
  'from person where severe_illness by region.city, sex totals'
  'from household where any(person where age(birth_date) >= 60) by
   region.next measure n = count(), part = share(count()) order -n'
  'from person where any(aid where running) measure n = count() compare year'";

/// Ask a question and print the answer
#[derive(Debug, Args)]
#[command(after_help = SCREEN)]
pub(super) struct Query {
    #[command(flatten)]
    asked: Asked,
    /// How to print it: table, json, csv
    #[arg(long, value_enum, default_value_t = Format::Table, hide_possible_values = true)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Print the question in SQL and do not answer it
    #[arg(long, conflicts_with_all = ["format", "json"])]
    as_sql: bool,
    /// The dialect of SQL
    #[arg(long, value_name = "NAME", default_value = "duckdb", value_parser = dialect)]
    dialect: Dialect,
    /// The question
    #[arg(value_name = "TEXT")]
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

impl Query {
    pub(super) fn run(self) -> Result<(), Error> {
        let query = question(&self.text)?;
        let opened = self.asked.open()?;
        let format = if self.json { Format::Json } else { self.format };
        if query.explains() {
            return explain::tell(&query, &opened, format == Format::Json);
        }
        let plan = opened.bind(&query)?;
        if self.as_sql {
            let said = plan.to_sql(self.dialect).map_err(|source| Error::Query { source })?;
            return out::text(&said);
        }
        let limits = Limits { threads: threads(), ..Limits::default() };
        let answer =
            plan.run(&opened.snapshot, &limits).map_err(|source| Error::Query { source })?;
        match format {
            Format::Table => out::text(&table::text(&answer)),
            Format::Json => out::json(&AnswerBody::of(&answer, &Scope::everything())),
            Format::Csv => out::text(&table::csv(&answer)?),
        }
    }
}

/// A dialect by its name.
fn dialect(name: &str) -> Result<Dialect, String> {
    let found = Dialect::ALL.iter().find(|(known, _)| *known == name);
    found.map(|(_, dialect)| *dialect).ok_or_else(|| {
        let known: Vec<&str> = Dialect::ALL.iter().map(|(known, _)| *known).collect();
        format!("no such dialect; known: {}", known.join(", "))
    })
}
