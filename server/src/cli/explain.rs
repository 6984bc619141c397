//! `yiku explain`: how a question is answered.

use clap::Args;
use serde::Serialize;

use super::asked::Asked;
use super::{out, table};
use crate::error::Error;

const EXAMPLE: &str = "\
Example:
  yiku explain --db /tmp/registry 'from person where severe_illness by region.county'

Each clause of the filter is counted alone: `rows` says for how many rows it is true.";

/// Print how a question is answered: which index, range or scan serves each clause
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

#[derive(Serialize)]
struct StepBody {
    clause: String,
    access: String,
    rows: Option<u64>,
}

impl Explain {
    pub(super) fn run(self) -> Result<(), Error> {
        let opened = self.asked.open()?;
        let plan = opened.plan(&self.text)?;
        let steps = plan.steps(&opened.snapshot).map_err(|source| Error::Query { source })?;
        if self.json {
            let steps = steps.into_iter();
            let body: Vec<StepBody> = steps
                .map(|step| StepBody { clause: step.clause, access: step.access, rows: step.rows })
                .collect();
            return out::json(&body);
        }
        out::text(&table::steps(&steps))
    }
}
