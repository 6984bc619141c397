//! The rules that no table holds.

mod applications;
mod changes;
mod clocks;
mod reports;
mod surveys;
mod warnings;

use serde_json::Value;
use yiku_casework::case::{Decision, Effect};

/// The body of the only change of the registry that a decision causes.
fn registry(decision: &Decision) -> &Value {
    let mut bodies = decision.effects.iter().filter_map(|effect| match effect {
        Effect::Registry { body } => Some(body),
        _ => None,
    });
    let body = bodies.next().unwrap();
    assert!(bodies.next().is_none());
    body
}
