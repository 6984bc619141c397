//! `yiku check`: whether an expression is one, and of which kind.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use yiku::Schema;
use yiku_queries::check_expression;

use super::{load, out};
use crate::error::Error;

const EXAMPLE: &str = "\
Examples:
  yiku check 'age(birth_date) between 18 and 59 and not employed' --table person
  yiku check 'count(class where stage = primary) > 3' --schema school.toml

Prints the kind of the expression for each table that it can be asked of.";

/// Check an expression against a schema and print its kind
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
    /// Print the kinds as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Fit {
    table: String,
    kind: String,
}

impl Check {
    pub(super) fn run(self) -> Result<(), Error> {
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
        let fits = fits(&schema, self.table, &self.text);
        let fits = fits.map_err(|source| Error::Query { source })?;
        if self.json {
            return out::json(&fits);
        }
        let lines: Vec<String> =
            fits.iter().map(|fit| format!("{}: {}\n", fit.table, fit.kind)).collect();
        out::text(&lines.concat())
    }
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
