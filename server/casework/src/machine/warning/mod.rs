//! 预警: a rule found a household in trouble; somebody goes there, does something, and says what.
//!
//! A warning cites the snapshot and the reasons it came from, and it is closed with a result or
//! not at all. Every change of its state is told to the registry.

mod handling;
mod table;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::brings::Brings;
use super::refuse::{refuse, wrong};
use super::registry;
use super::step::Step;
use super::table::Spec;
use crate::case::{Action, Actor, CaseFile, Decision, Effect, Kind, Refusal, Role, Workdays};

pub(super) static SPEC: Spec = Spec {
    opening: "raise",
    states: table::STATES,
    actions: table::ACTIONS,
    clock: table::clock,
    decide,
    missing,
    offered,
};

/// The names of the deadlines among the facts, in the order of the limits.
const DEADLINES: [&str; 4] = ["sign", "visit", "decide", "close"];

fn missing(command: &str, input: &str) -> Option<&'static str> {
    ((command, input) == ("close", "result")).then_some("warning.no_result")
}

fn offered(case: &CaseFile, actor: &Actor, action: &Action) -> bool {
    let outcome = case.facts.get("outcome").and_then(Value::as_str).unwrap_or_default();
    match action.name {
        "measure" => outcome == "needs_help",
        "finish" if case.state == "verified" => outcome != "needs_help",
        "finish" => handling::finished(case).is_ok(),
        "reply" => {
            let mine = actor.department.as_deref();
            mine.is_some() && handling::open_transfers(case, mine).next().is_some()
        }
        _ => true,
    }
}

fn decide(step: &Step<'_>) -> Result<Decision, Refusal> {
    match step.action.name {
        "raise" => raise(step),
        "dispatch" => dispatch(step),
        "send_back" => {
            let reason = step.need("reason")?;
            let sent = json!({"on": step.today().to_string(), "reason": reason});
            Ok(told(
                step,
                "assessed",
                Brings::nothing().append("sent_back", sent).note(Some(reason)),
            ))
        }
        "sign" => {
            let signed = json!({"at": step.context.now.to_string(), "by": step.actor.account});
            Ok(told(step, "signed", Brings::nothing().fact("signed", signed)))
        }
        "visit" => {
            let brings = Brings::nothing().fact("visited_on", step.today().to_string());
            Ok(told(step, "investigating", brings))
        }
        "attempt" => {
            let attempt = json!({"on": step.today().to_string(), "note": step.need("note")?});
            let brings = Brings::nothing().append("attempts", attempt).note(step.text("note"));
            Ok(step.go("investigating", brings))
        }
        "verify" => verify(step),
        "measure" => handling::measure(step),
        "reply" => handling::reply(step),
        "finish" => handling::finish(step),
        "submit" => {
            let brings = Brings::nothing().fact("feedback", json!(step.text("note")));
            Ok(told(step, "review", brings.note(step.text("note"))))
        }
        "send_again" | "reopen" => Ok(again(step, step.need("reason")?)),
        "close" => handling::close(step),
        _ => Ok(told(step, "archived", Brings::nothing())),
    }
}

/// A new state with its deadline, told to the registry.
fn told(step: &Step<'_>, state: &str, brings: Brings) -> Decision {
    let brings = if brings.has_due() || state == step.case.state {
        brings
    } else {
        match table::limit_of(state) {
            Some(limit) => brings.due(deadline(&step.case.facts, limit)),
            None => brings,
        }
    };
    let mut decision = step.go(state, brings);
    tell(step, &mut decision);
    decision
}

/// Adds the registry's row as it is after the decision's events.
fn tell(step: &Step<'_>, decision: &mut Decision) {
    let mut case = step.case.clone();
    for event in &decision.events {
        super::apply(&mut case, event);
    }
    let mut body = registry::empty(step, case.household.as_deref());
    registry::put(&mut body, "warning", registry::warning(&case, &case.state));
    decision.effects.push(Effect::Registry { body });
}

fn deadline(facts: &Value, limit: usize) -> Option<Date> {
    facts.get("deadlines")?.get(DEADLINES.get(limit)?)?.as_str()?.parse().ok()
}

/// The deadlines counted from today.
fn deadlines(step: &Step<'_>, level: Option<&str>) -> Map<String, Value> {
    let limits = table::limits(level);
    let days = limits.iter().map(|days| json!(step.in_days(*days).to_string()));
    DEADLINES.iter().map(|name| (*name).to_owned()).zip(days).collect()
}

fn raise(step: &Step<'_>) -> Result<Decision, Refusal> {
    let reasons = step.input.get("reasons").and_then(Value::as_array);
    let Some(reasons) = reasons.filter(|reasons| !reasons.is_empty()) else {
        return Err(refuse(
            "warning.no_reason",
            "预警须说明依据。",
            "a warning says what it comes from",
        )
        .at("reasons"));
    };
    let snapshot = step.input.get("snapshot").filter(|snapshot| snapshot.is_u64());
    let Some(snapshot) = snapshot else {
        return Err(wrong("snapshot", "应为快照版本号", "it must be the number of a snapshot"));
    };
    let level = step.need("level")?;
    let limits = deadlines(step, Some(level));
    let sign = limits.get("sign").and_then(Value::as_str).and_then(|day| day.parse().ok());
    let mut generated = Brings::nothing()
        .fact("rule", step.need("rule")?)
        .fact("period", step.need("period")?)
        .fact("reasons", json!(reasons))
        .fact("snapshot", snapshot.clone())
        .fact("raised_on", step.today().to_string())
        .household(Some(step.need("household")?))
        .level(level)
        .due(None);
    for name in ["group", "load", "name", "legal", "score", "person"] {
        if let Some(value) = step.input.get(name).filter(|value| !value.is_null()) {
            generated = generated.fact(name, value.clone());
        }
    }
    let assessed = Brings::nothing().due(None);
    let dispatched = Brings::nothing().fact("deadlines", Value::Object(limits)).due(sign);
    let mut decision = Decision {
        events: vec![
            step.event_of("raise", "generated", generated),
            step.event_of("assess", "assessed", assessed),
            step.event_of("dispatch", "dispatched", dispatched),
        ],
        effects: Vec::new(),
    };
    tell(step, &mut decision);
    Ok(decision)
}

fn dispatch(step: &Step<'_>) -> Result<Decision, Refusal> {
    let region = step.need("region")?;
    if !region.starts_with(&step.actor.scope) {
        return Err(refuse(
            "scope.outside",
            "只能派发到您管辖区域内的村或乡镇。",
            "it can only be dispatched within the region you are responsible for",
        )
        .at("region"));
    }
    let limits = deadlines(step, step.case.level.as_deref());
    let sign = limits.get("sign").and_then(Value::as_str).and_then(|day| day.parse().ok());
    let brings =
        Brings::nothing().region(region).fact("deadlines", Value::Object(limits)).due(sign);
    Ok(told(step, "dispatched", brings))
}

/// Back to the beginning of the work, with deadlines from today.
fn again(step: &Step<'_>, reason: &str) -> Decision {
    let limits = deadlines(step, step.case.level.as_deref());
    let visit = limits.get("visit").and_then(Value::as_str).and_then(|day| day.parse().ok());
    let sent = json!({
        "on": step.today().to_string(),
        "command": step.action.name,
        "reason": reason,
        "outcome": step.case.facts.get("outcome"),
        "result": step.case.facts.get("result"),
    });
    let brings = Brings::nothing()
        .append("again", sent)
        .fact("deadlines", Value::Object(limits))
        .fact("outcome", Value::Null)
        .fact("result", Value::Null)
        .fact("closed_on", Value::Null)
        .due(visit)
        .note(Some(reason));
    told(step, "investigating", brings)
}

fn verify(step: &Step<'_>) -> Result<Decision, Refusal> {
    let outcome = step.need("outcome")?;
    if outcome == "unreachable" {
        return unreachable(step);
    }
    let evidence = &step.evidence().attachments;
    let photos: Vec<&str> = step
        .texts("photos")
        .into_iter()
        .filter(|digest| evidence.iter().any(|(known, _)| known == digest))
        .collect();
    if outcome == "false" && photos.is_empty() && step.text("note").is_none() {
        return Err(refuse(
            "warning.note_missing",
            "核查不属实须上传照片或填写说明。",
            "to say that it is not true, add a photo or a note",
        )
        .at("note"));
    }
    if outcome == "helped" && step.text("measure").is_none() {
        return Err(refuse(
            "warning.measure_missing",
            "已有帮扶的，请填写对应的帮扶措施。",
            "say which help is already given",
        )
        .at("measure"));
    }
    let verified = json!({
        "outcome": outcome,
        "note": step.text("note"),
        "measure": step.text("measure"),
        "photos": photos,
        "on": step.today().to_string(),
        "by": step.actor.account,
    });
    let mut brings = Brings::nothing()
        .fact("outcome", outcome)
        .append("verified", verified)
        .note(step.text("note"))
        .attach(photos);
    if let Some(survey) = step.text("survey") {
        step.ours(survey, "survey")?;
        if !step.linked(survey, Kind::Survey, &["completed"]) {
            return Err(refuse(
                "survey.incomplete",
                "入户调查尚未完成，不能作为核实依据。",
                "the survey is not completed, so it supports nothing yet",
            )
            .at("survey"));
        }
        brings = brings.fact("survey", survey).link(survey);
    }
    Ok(told(step, "verified", brings))
}

/// Nobody was met: after attempts on three days the county is told, and the search goes on.
fn unreachable(step: &Step<'_>) -> Result<Decision, Refusal> {
    let attempts = step.case.facts.get("attempts").and_then(Value::as_array);
    let mut days: Vec<&str> =
        attempts.into_iter().flatten().filter_map(|attempt| attempt.get("on")?.as_str()).collect();
    days.sort_unstable();
    days.dedup();
    if days.len() < 3 {
        return Err(refuse(
            "warning.attempts_few",
            format!("须在不同的三天各联系一次，目前为{}天。", days.len()),
            format!("attempts on three different days are needed; there are {}", days.len()),
        ));
    }
    let brings = Brings::nothing()
        .fact("unreachable_on", step.today().to_string())
        .fact("told", "county")
        .note(step.text("note"));
    Ok(step.go("investigating", brings))
}

/// Whom an overdue warning goes up to: the county, and for a red one later the city.
#[must_use]
pub fn escalated_to(case: &CaseFile, today: Date, workdays: &dyn Workdays) -> Option<Role> {
    if case.kind != Kind::Warning || !super::overdue(case, today) {
        return None;
    }
    let due = case.due_on?;
    let late = |days: u32| workdays.after(due, days) <= today;
    match case.level.as_deref() {
        Some("red") if late(3) => Some(Role::City),
        Some("red") => late(1).then_some(Role::County),
        Some("orange") => late(2).then_some(Role::County),
        _ => late(5).then_some(Role::County),
    }
}
