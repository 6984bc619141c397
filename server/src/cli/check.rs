//! `yiku check`: whether an expression is one, of which kind, and what it says of one household.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use yiku::Schema;
use yiku::calendar::parse_date;
use yiku_queries::household::{self, Asking, Standards, ask};
use yiku_queries::{Context, check_expression};

use super::asked::question;
use super::{load, out};
use crate::error::Error;

const EXAMPLE: &str = "\
Examples:
  yiku check 'age(birth_date) between 18 and 59 and not employed' --table person
  yiku check 'count(class where stage = primary) > 3' --schema school.toml
  yiku check --format lines 'from person measure count() where severe_illness'
  yiku check 'per_capita(income) < 680' --household family.json
  echo '{\"income\": 2000.50, \"person\": [{\"employed\": true}, {}]}' |
      yiku check 'any(person where employed)' --household -

Prints the kind of the expression for each table that it can be asked of. With --household it is
asked of one household that is in no database: JSON with the columns of the root row by their
names, and the rows of each table beneath it as a list under the table's name. Codes are their
names or codes, days and months texts, money is yuan; what is left out or null is unknown. Every
clause is told: met, not met or cannot tell, what it read, what is missing, and the nearest change
that would turn it. The exit status is 0 whatever comes of it. With --format the text is a whole
question, in either form, and is printed as it is spelled; no database is needed for that.";

/// Bytes of a household that are read before it is refused.
const HOUSEHOLD_BYTES_MAX: u64 = 2 << 20;

/// Check an expression against a schema and print its kind, or spell a question
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Check {
    /// The expression
    #[arg(value_name = "EXPR")]
    text: String,
    /// The schema (TOML) [default: the platform's own]
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// The table whose rows it is asked of [default: every table that it fits]
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Ask it of the household in this file (JSON); - for standard input
    #[arg(long, value_name = "FILE")]
    household: Option<PathBuf>,
    /// The day of the household, as 2026-10-31, where the expression depends on one
    #[arg(long, value_name = "DATE", value_parser = day, requires = "household")]
    as_of: Option<i64>,
    /// Print what is told as JSON
    #[arg(long)]
    json: bool,
    /// Spell a question: on one line, a clause a line, or in its JSON form
    #[arg(long, value_enum, value_name = "FORM", conflicts_with_all = ["schema", "table", "json"])]
    format: Option<Format>,
}

/// How a question is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Lines,
    Json,
}

#[derive(Serialize)]
struct Fit {
    table: String,
    kind: String,
}

fn day(text: &str) -> Result<i64, String> {
    parse_date(text).ok_or_else(|| "a day is written as 2026-10-31".to_owned())
}

impl Check {
    pub(super) fn run(self) -> Result<(), Error> {
        if let Some(format) = self.format {
            let query = question(&self.text)?;
            return match format {
                Format::Text => out::text(&format!("{}\n", query.to_text())),
                Format::Lines => out::text(&format!("{}\n", query.to_lines())),
                Format::Json => out::json(&query),
            };
        }
        let schema = match &self.schema {
            Some(file) => load::schema_of(file)?,
            None => yiku_indexer::registry_schema().map_err(load::refused)?,
        };
        if let Some(table) = &self.table
            && !schema.tables.iter().any(|known| known.name == *table)
        {
            let known: Vec<&str> = schema.tables.iter().map(|table| table.name.as_str()).collect();
            return Err(Error::UnknownTable { table: table.clone(), known: known.join(", ") });
        }
        if let Some(file) = &self.household {
            return self.asked(&schema, &household(file)?);
        }
        let fits = fits(&schema, self.table, &self.text);
        let fits = fits.map_err(|source| Error::Query { source })?;
        if self.json {
            return out::json(&fits);
        }
        let lines: Vec<String> =
            fits.iter().map(|fit| format!("{}: {}\n", fit.table, fit.kind)).collect();
        out::text(&lines.concat())
    }

    /// What the expression says of one household.
    fn asked(&self, schema: &Schema, bundle: &str) -> Result<(), Error> {
        let household = |source| Error::Household { source };
        let standards = Standards::builtin().map_err(household)?;
        let asking = Asking {
            table: self.table.as_deref(),
            as_of: self.as_of,
            context: Context::default().parameters(&standards),
            ..Asking::of(schema)
        };
        let told = ask(&asking, bundle, &self.text).map_err(|error| match error {
            household::Error::Asked { source } => Error::Query { source },
            error => household(error),
        })?;
        if self.json { out::json(&told) } else { out::text(&out::plain(&told.to_string())) }
    }
}

/// The text of a household.
fn household(file: &Path) -> Result<String, Error> {
    if file.as_os_str() != "-" {
        return super::read(file);
    }
    let mut text = String::new();
    let read = io::stdin().lock().take(HOUSEHOLD_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|source| Error::Read { path: file.to_owned(), source })?;
    Ok(text)
}

/// The tables that an expression fits. Where it fits none, the error of the table where it was
/// understood the furthest.
fn fits(
    schema: &Schema,
    table: Option<String>,
    text: &str,
) -> Result<Vec<Fit>, yiku_queries::Error> {
    let all = || schema.tables.iter().map(|table| table.name.clone()).collect();
    let mut fits = Vec::new();
    let mut furthest: Option<yiku_queries::Error> = None;
    for table in table.map_or_else(all, |table| vec![table]) {
        match check_expression(schema, None, &table, text) {
            Ok(kind) => fits.push(Fit { table, kind }),
            Err(error) => {
                let before = furthest.as_ref().and_then(yiku_queries::Error::position);
                if furthest.is_none() || error.position() > before {
                    furthest = Some(error);
                }
            }
        }
    }
    match furthest {
        Some(error) if fits.is_empty() => Err(error),
        _ => Ok(fits),
    }
}
