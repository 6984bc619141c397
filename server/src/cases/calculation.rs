//! What the policy book says of an application's answers, as evidence for a decision.

use jiff::civil::Date;
use serde_json::{Value, json};
use yiku_queries::household::{Assessment, assess};

use super::book;
use crate::problem::{Code, Problem};

/// The number of a day as the engine counts it: days since 1970-01-01.
pub(crate) fn day_number(day: Date) -> i64 {
    let begin = jiff::civil::date(1970, 1, 1);
    day.since(begin).map_or(0, |span| i64::from(span.get_days()))
}

/// All policies asked about answers.
pub(crate) fn assessment(answers: &Value, day: Date, region: &str) -> Result<Assessment, Problem> {
    assess(book()?, answers, day_number(day), region)
        .map_err(|error| Problem::told(Code::RequestJson, error.to_string()).beneath("/answers"))
}

/// What one policy says of an application: `{amount, policy, outcome, text, formula, steps,
/// clauses, as_of}`; the amount in fen, 0 where the policy is not met.
pub(crate) fn calculation(answers: &Value, aid: &str, day: Date, region: &str) -> Option<Value> {
    let assessment = assessment(answers, day, region).ok()?;
    let assessed = assessment.of(aid)?;
    let amount = assessed.amount.as_ref();
    Some(json!({
        "policy": aid,
        "as_of": assessment.as_of,
        "outcome": assessed.outcome,
        "text": assessed.text,
        "basis": assessed.basis,
        "amount": amount.map_or(0, |amount| amount.cents),
        "formula": amount.map(|amount| json!(amount.formula)),
        "steps": amount.map(|amount| json!(amount.steps)),
        "clauses": assessed.clauses,
    }))
}
