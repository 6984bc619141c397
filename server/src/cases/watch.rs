//! Warning rules over the registry: evaluated after each load, raised as cases.
//!
//! Invariants: rules run once on a state of the departments' files, and again after a change of it;
//! running them again raises nothing twice; a rule whose source is late is told as not evaluated.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use serde_json::{Value, json};
use yiku::Snapshot;
use yiku_casework::store::{Raised, RaisedCounts};
use yiku_casework::{Context, Evidence};
use yiku_indexer::{SourceState, sources};
use yiku_queries::warnings::{Hit, Outcome, Rule, RuleOutcome, evaluate};

use super::{rules, workdays};
use crate::platform::Platform;
use crate::problem::{Code, Problem};

/// What the last run of the rules came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    /// The version that the rules were evaluated over.
    pub(crate) snapshot: u64,
    /// When.
    pub(crate) at: Option<DateTime>,
    /// Each rule with what came of it.
    pub(crate) outcomes: Vec<Value>,
    /// What was raised.
    pub(crate) raised: RaisedCounts,
}

/// What tells one state of the departments' files from another.
pub(crate) fn state_of(snapshot: &Snapshot) -> String {
    let parts: Vec<String> = sources(snapshot)
        .iter()
        .map(|one| format!("{}:{}:{}", one.contract, one.last_day.unwrap_or(-1), one.files))
        .collect();
    let digests: u64 = snapshot
        .notes()
        .keys()
        .filter(|name| name.starts_with("load."))
        .flat_map(|name| name.bytes())
        .fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("{digests:016x} {}", parts.join(" "))
}

/// Evaluates every rule and raises what is new.
pub(crate) fn run(
    platform: &Platform,
    snapshot: &Snapshot,
    threads: usize,
    now: DateTime,
) -> Result<Run, Problem> {
    let known: Vec<SourceState> = sources(snapshot);
    let days: Vec<(String, i64)> =
        known.iter().filter_map(|one| Some((one.contract.clone(), one.last_day?))).collect();
    let rules = rules()?;
    let outcomes = evaluate(rules, snapshot, &days, threads);
    let outcomes = outcomes.map_err(|error| Problem::fault(Code::Fault, &error))?;
    let period = snapshot
        .as_of()
        .map_or_else(String::new, |day| yiku::calendar::month_text(yiku::calendar::month_of(day)));
    let mut raised = Vec::new();
    let mut told = Vec::new();
    for RuleOutcome { rule, outcome, .. } in &outcomes {
        let Some(rule) = rules.find(rule) else { continue };
        told.push(tell(rule, outcome));
        if let (Outcome::Fires { hits }, false) = (outcome, rule.trial) {
            let together = by_household(hits);
            raised.extend(together.iter().map(|hit| raise(rule, hit, snapshot, &period, &known)));
        }
    }
    let context = Context { now, workdays: workdays()?, evidence: Evidence::default() };
    let counts = platform.store().raise_warnings(&raised, &context);
    let raised = counts.map_err(|error| Problem::of_casework(&error))?;
    Ok(Run { snapshot: snapshot.version(), at: Some(now), outcomes: told, raised })
}

/// One warning a household: what several members give reason for is said in one.
fn by_household(hits: &[Hit]) -> Vec<Hit> {
    let mut together: BTreeMap<&str, Hit> = BTreeMap::new();
    for hit in hits {
        match together.get_mut(hit.household.as_str()) {
            Some(one) => one.reasons.extend(hit.reasons.iter().cloned()),
            None => {
                together.insert(&hit.household, hit.clone());
            }
        }
    }
    together.into_values().collect()
}

fn raise(
    rule: &Rule,
    hit: &Hit,
    snapshot: &Snapshot,
    period: &str,
    known: &[SourceState],
) -> Raised {
    let loads: Vec<Value> = known
        .iter()
        .filter(|one| rule.sources.contains(&one.contract))
        .map(|one| {
            let day = one.last_day.map(yiku::calendar::date_text);
            json!({ "contract": one.contract, "last_day": day })
        })
        .collect();
    Raised {
        rule: rule.id.clone(),
        level: rule.level.word().to_owned(),
        household: hit.household.clone(),
        region: hit.region.clone(),
        period: period.to_owned(),
        silence_days: u32::try_from(rule.silence_days).unwrap_or(0),
        input: json!({
            "name": rule.name,
            "group": rule.group,
            "legal": rule.legal,
            "person": hit.person,
            "reasons": hit.reasons,
            "snapshot": snapshot.version(),
            "load": loads,
        }),
    }
}

fn tell(rule: &Rule, outcome: &Outcome) -> Value {
    let (word, hits, source) = match outcome {
        Outcome::Fires { hits } if hits.is_empty() => ("quiet", 0, Value::Null),
        Outcome::Fires { hits } => ("fires", hits.len(), Value::Null),
        Outcome::NotEvaluated { source, last } => {
            let last = last.map(yiku::calendar::date_text);
            ("not_evaluated", 0, json!({ "source": source, "last_day": last }))
        }
    };
    json!({
        "rule": rule.id, "group": rule.group, "name": rule.name, "level": rule.level,
        "legal": rule.legal, "trial": rule.trial, "sources": rule.sources,
        "outcome": word, "hits": hits, "late": source,
    })
}
