//! `yiku explain`: how a question is answered.

use clap::Args;
use yiku_queries::{Limits, Query};

use super::asked::{Asked, Opened, question};
use super::out;
use crate::clock;
use crate::error::Error;
use crate::http::signed::Scope;
use crate::wire::PlanBody;

const EXAMPLE: &str = "\
Example:
  yiku explain --db /tmp/registry 'from person where severe_illness by region.county'

The question is answered once, on one thread. A line a step: what serves it, how many rows were
expected to be left and how many were, bytes read, blocks read of how many, time with its parts.
The same as `yiku query` with the clause `explain`. See docs/language.md.";

/// Print how a question is answered: what serves each step, rows, bytes, blocks, time
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Explain {
    #[command(flatten)]
    asked: Asked,
    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
    /// The question
    #[arg(value_name = "TEXT")]
    text: String,
}

impl Explain {
    pub(super) fn run(self) -> Result<(), Error> {
        tell(&question(&self.text)?, &self.asked.open()?, self.json)
    }
}

/// Prints how a question is answered.
pub(super) fn tell(query: &Query, opened: &Opened, json: bool) -> Result<(), Error> {
    let plan = opened.bind(query)?;
    let began = clock::now();
    let clock = || clock::nanoseconds(began);
    let explained = plan.explain(&opened.snapshot, &Limits::default(), &clock);
    let explained = explained.map_err(|source| Error::Query { source })?;
    if json {
        return out::json(&PlanBody::of(&explained, &opened.snapshot, &Scope::everything()));
    }
    out::text(&explained.to_string())
}
