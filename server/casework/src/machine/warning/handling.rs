//! Measures, transfers to departments, and the end of a warning.

use serde_json::{Value, json};

use super::told;
use crate::case::{CaseFile, Decision, Kind, Refusal};
use crate::machine::brings::Brings;
use crate::machine::lists::ADMISSIONS;
use crate::machine::refuse::refuse;
use crate::machine::step::Step;

/// The measures of a case, with their numbers from 1.
fn measures(case: &CaseFile) -> impl Iterator<Item = (usize, &Value)> {
    let list = case.facts.get("measures").and_then(Value::as_array);
    list.into_iter().flatten().enumerate().map(|(place, measure)| (place + 1, measure))
}

fn department(measure: &Value) -> Option<&str> {
    measure.get("department")?.as_str()
}

/// The answer to the measure of a number: `accept` or `decline`.
fn answer(case: &CaseFile, number: usize) -> Option<&str> {
    let replies = case.facts.get("replies").and_then(Value::as_array);
    let mut replies = replies.into_iter().flatten();
    let number = u64::try_from(number).ok();
    replies.find(|reply| reply.get("measure").and_then(Value::as_u64) == number)?["answer"].as_str()
}

/// Numbers of the transfers to a department that have no answer yet; to any, without one.
pub(super) fn open_transfers<'a>(
    case: &'a CaseFile,
    to: Option<&'a str>,
) -> impl Iterator<Item = usize> + 'a {
    measures(case)
        .filter(move |(_, measure)| {
            department(measure).is_some_and(|its| to.is_none_or(|to| to == its))
        })
        .map(|(number, _)| number)
        .filter(|number| answer(case, *number).is_none())
}

/// The department that a kind of transfer goes to, unless another is named.
fn usual_department(code: &str) -> Option<&'static str> {
    Some(match code {
        "transfer_medical" => "medical_insurance",
        "transfer_education" => "education",
        "transfer_housing" => "housing",
        "transfer_employment" => "human_resources",
        "transfer_disabled" => "disabled_federation",
        "transfer_union" => "union",
        "transfer_justice" => "justice",
        "transfer_charity" => "charity",
        _ => return None,
    })
}

pub(super) fn measure(step: &Step<'_>) -> Result<Decision, Refusal> {
    if step.fact("outcome") != Some("needs_help") {
        return Err(refuse(
            "warning.outcome_wrong",
            "核实结果不是需要救助，不能登记处置措施。",
            "the visit did not find that help is needed, so there is no measure to add",
        ));
    }
    let code = step.need("code")?;
    let department = usual_department(code).and(step.text("department").or(usual_department(code)));
    let measure = json!({
        "code": code,
        "department": department,
        "text": step.text("text"),
        "on": step.today().to_string(),
        "by": step.actor.account,
    });
    let brings = Brings::nothing().append("measures", measure).note(step.text("text"));
    if step.case.state == "handling" {
        return Ok(step.go("handling", brings));
    }
    Ok(told(step, "handling", brings))
}

pub(super) fn reply(step: &Step<'_>) -> Result<Decision, Refusal> {
    let Some(mine) = step.actor.department.as_deref() else { return Err(not_yours()) };
    let named = step.number("measure", 1, 1000)?.and_then(|number| usize::try_from(number).ok());
    let mut open = open_transfers(step.case, Some(mine));
    let number = match named {
        None => open.next(),
        Some(named) => open.find(|number| *number == named),
    };
    let Some(number) = number else {
        let answered = measures(step.case).any(|(number, measure)| {
            department(measure) == Some(mine) && named.is_none_or(|named| named == number)
        });
        return Err(if answered {
            refuse("transfer.answered", "该转办事项已答复。", "this transfer is already answered")
        } else {
            not_yours()
        });
    };
    let decision = step.need("answer")?;
    if decision == "decline" && step.text("reason").is_none() {
        return Err(crate::machine::step::missing(step.action, "reason"));
    }
    let reply = json!({
        "measure": number,
        "answer": decision,
        "reason": step.text("reason"),
        "department": mine,
        "at": step.context.now.to_string(),
        "by": step.actor.account,
    });
    let brings = Brings::nothing().append("replies", reply).note(step.text("reason"));
    Ok(step.go("handling", brings))
}

fn not_yours() -> Refusal {
    refuse(
        "department.wrong",
        "该预警没有转办给您所在部门的事项。",
        "nothing of this warning was transferred to your department",
    )
}

/// Every transfer is answered, and after a declined one there is another measure.
pub(super) fn finished(case: &CaseFile) -> Result<(), Refusal> {
    if open_transfers(case, None).next().is_some() {
        return Err(refuse(
            "warning.transfer_open",
            "仍有转办事项未答复。",
            "a transfer is not answered yet",
        ));
    }
    let last = measures(case).map(|(number, _)| number).last().unwrap_or(0);
    if last == 0 || answer(case, last) == Some("decline") {
        return Err(refuse(
            "warning.transfer_declined",
            "转办未被受理，请另行登记处置措施。",
            "the last transfer was declined: add another measure",
        ));
    }
    Ok(())
}

pub(super) fn finish(step: &Step<'_>) -> Result<Decision, Refusal> {
    if step.case.state == "handling" {
        finished(step.case)?;
        return Ok(told(step, "feedback", Brings::nothing()));
    }
    if step.fact("outcome") == Some("needs_help") {
        return Err(refuse(
            "warning.measure_missing",
            "需要救助的，请先登记处置措施。",
            "help is needed: add a measure first",
        ));
    }
    Ok(told(step, "review", Brings::nothing()))
}

pub(super) fn close(step: &Step<'_>) -> Result<Decision, Refusal> {
    let result = step.need("result")?;
    let mut brings = Brings::nothing();
    if ADMISSIONS.contains(&result) {
        let application = step.text("application");
        let mut linked = step.evidence().linked.iter();
        let confirmed = linked.find(|(id, kind, state)| {
            *kind == Kind::Application
                && matches!(state.as_str(), "confirmed" | "paying")
                && application.is_none_or(|named| named == id)
        });
        let Some((id, ..)) = confirmed else {
            return Err(refuse(
                "warning.unconfirmed",
                "须有已确认的救助申请，才能以该结果办结。",
                "this result needs a linked application that is confirmed",
            )
            .at("application"));
        };
        brings = brings.link(id);
    }
    let until = step.day("watch_until")?;
    if result == "watch" && until.is_none_or(|until| until <= step.today()) {
        return Err(crate::machine::step::missing(step.action, "watch_until"));
    }
    if matches!(result, "none" | "false_alarm") && step.text("reason").is_none() {
        return Err(crate::machine::step::missing(step.action, "reason"));
    }
    let brings = brings
        .fact("result", result)
        .fact("result_reason", json!(step.text("reason")))
        .fact("watch_until", json!(until.map(|until| until.to_string())))
        .fact("closed_on", step.today().to_string())
        .due(None)
        .note(step.text("reason"));
    Ok(told(step, "closed", brings))
}
