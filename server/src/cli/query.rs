//! `yiku query`: a question, its answer on standard output.

use clap::{Args, ValueEnum};
use yiku_queries::{Dialect, Limits};

use super::asked::Asked;
use super::{out, table, threads};
use crate::error::Error;
use crate::http::signed::Scope;
use crate::wire::AnswerBody;

const EXAMPLE: &str = "\
Examples:
  yiku query --db /tmp/registry 'from person where disability_grade in (1, 2)
      by region.city measure people = count(), homes = count_distinct(household) totals'
  yiku query --db /tmp/registry --snapshot 2026-10 'from person'
  yiku query --db /tmp/registry --as-sql 'from person by sex'

The text may also be the JSON form of a question. The language is described in docs/language.md.";

/// Ask a question and print the answer
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Query {
    #[command(flatten)]
    asked: Asked,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Print the question in SQL, as `yiku sql` reads it, and do not answer it
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
        let opened = self.asked.open()?;
        let plan = opened.plan(&self.text)?;
        if self.as_sql {
            let said = plan.to_sql(self.dialect).map_err(|source| Error::Query { source })?;
            return out::text(&said);
        }
        let limits = Limits { threads: threads(), ..Limits::default() };
        let answer =
            plan.run(&opened.snapshot, &limits).map_err(|source| Error::Query { source })?;
        match if self.json { Format::Json } else { self.format } {
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
