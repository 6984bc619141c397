//! `yiku generate`: a synthetic province in the forms departments send.

use std::path::{Path, PathBuf};

use clap::builder::{RangedI64ValueParser, RangedU64ValueParser};
use clap::{Args, ValueEnum, value_parser};
use yiku_fixtures::province::{self, Forms, MONTHS_MAX, Options, PERSONS_MAX, Progress, Summary};

use super::progress::Steps;
use super::{out, threads};
use crate::error::Error;

const EXAMPLE: &str = "\
Example:
  yiku generate --out /tmp/province --persons 20000 --months 12 --seed 1

The same options give the same bytes. Nobody in the province exists. What was planted in
the files, and what a register must hold after loading them, is written to OUT/truth.";

/// Generate a synthetic province, as files that departments would send
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Generate {
    /// The folder to write to: new, empty, or with an earlier province, which is replaced
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many persons
    #[arg(long, default_value_t = 300_000, value_parser = persons())]
    persons: u64,
    /// How many months of records; the last is 2026-10
    #[arg(long, default_value_t = 12, value_parser = months())]
    months: u32,
    /// Another seed, another province
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// In which form: as departments deliver them, as Parquet, or both
    #[arg(long, value_enum, default_value_t = FormWord::Files)]
    forms: FormWord,
    /// Threads to work with; the bytes do not depend on it
    #[arg(long, default_value_t = threads(), hide_default_value = true)]
    threads: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormWord {
    Files,
    Parquet,
    Both,
}

/// How many persons may be asked for.
pub(super) fn persons() -> RangedU64ValueParser<u64> {
    value_parser!(u64).range(1..=PERSONS_MAX)
}

fn months() -> RangedI64ValueParser<u32> {
    value_parser!(u32).range(1..=i64::from(MONTHS_MAX))
}

impl Generate {
    pub(super) fn run(self) -> Result<(), Error> {
        let forms = match self.forms {
            FormWord::Files => Forms::Files,
            FormWord::Parquet => Forms::Parquet,
            FormWord::Both => Forms::Both,
        };
        let Self { persons, months, seed, .. } = self;
        let options = Options { persons, months, seed, forms, threads: self.threads.max(1) };
        let summary = generate(&self.out, &options)?;
        let records: u64 = summary.expected.records.values().sum();
        out::text(&format!(
            "{}: {} files, {records} records, {} faults planted\n",
            self.out.display(),
            summary.files.len(),
            summary.faults
        ))
    }
}

/// Generates a province and shows how far it is.
pub(super) fn generate(folder: &Path, options: &Options) -> Result<Summary, Error> {
    let mut steps = Steps::new();
    let mut show = |progress| match progress {
        Progress::Counties { done, total } => steps.show("generating counties", "", done, total),
        Progress::Files { done, total } => steps.show("finishing files", "", done, total),
    };
    let summary = province::generate(folder, options, &mut show);
    steps.end();
    summary.map_err(|source| Error::Generate { source })
}
