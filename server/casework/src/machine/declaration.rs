//! 自主申报: a citizen declares the own household; township or county agrees, returns or rejects.

use serde_json::json;

use super::brings::{Brings, read_marks};
use super::lists::GROUNDS;
use super::registry::{self, Discovery};
use super::step::Step;
use super::table::{Spec, StateInfo, always_offered, ask, done, open, plain_missing, step};
use crate::case::Role::{Citizen, County, Township, Village};
use crate::case::{Action, Decision, Effect, Input, Refusal};

pub(super) static SPEC: Spec = Spec {
    opening: "begin",
    states: STATES,
    actions: ACTIONS,
    clock,
    decide,
    missing: plain_missing,
    offered: always_offered,
};

const STATES: &[StateInfo] = &[
    open("draft", "草稿", "draft"),
    open("submitted", "待审核", "submitted"),
    open("returned", "已退回", "returned"),
    done("agreed", "已同意", "agreed"),
    done("rejected", "已驳回", "rejected"),
    done("withdrawn", "已撤回", "withdrawn"),
];

/// What a return asks for, here and of a report or a change.
pub(super) const RETURN: &[Input] = &[
    ask("marks", "marks", "需要修改的栏目", "Fields to correct").must(),
    ask("reason", "long_text", "退回理由", "Reason").must(),
];

/// What a rejection asks for, here and of a report.
pub(super) const REJECT: &[Input] = &[
    ask("ground", "code", "驳回依据", "Ground").must().of(GROUNDS),
    ask("reason", "long_text", "驳回理由", "Reason").must(),
];

const ACTIONS: &[Action] = &[
    step("begin", "开始申报", "Begin").by(&[Citizen, Village]),
    step("save", "保存", "Save").from(&["draft", "returned"]).by(&[Citizen, Village]).own(),
    step("submit", "提交", "Submit")
        .from(&["draft", "returned"])
        .by(&[Citizen, Village])
        .own()
        .primary(),
    step("withdraw", "撤回", "Withdraw")
        .from(&["draft", "submitted", "returned"])
        .by(&[Citizen, Village])
        .own()
        .danger(),
    step("agree", "同意", "Agree").from(&["submitted"]).by(&[Township, County]).primary(),
    step("return", "退回修改", "Return").from(&["submitted"]).by(&[Township, County]).asks(RETURN),
    step("reject", "驳回", "Reject")
        .from(&["submitted"])
        .by(&[Township, County])
        .danger()
        .asks(REJECT),
];

fn clock(state: &str, _: Option<&str>) -> Option<u32> {
    match state {
        "submitted" => Some(10),
        "returned" => Some(20),
        _ => None,
    }
}

fn decide(step: &Step<'_>) -> Result<Decision, Refusal> {
    match step.action.name {
        "begin" => Ok(step.go("draft", Brings::nothing().answers(step.answers()?.clone()))),
        "save" => Ok(step.go(&step.case.state, saved(step)?)),
        "submit" => {
            step.complete()?;
            step.authorised()?;
            Ok(step.go("submitted", saved(step)?.marks(&[])))
        }
        "withdraw" => Ok(step.go("withdrawn", Brings::nothing())),
        "return" => returned(step),
        "reject" => rejected(step),
        _ => {
            let household = registry::household_of(step);
            let body =
                registry::admitted(step, &step.case.answers, household, Discovery::Declared)?;
            let brings = Brings::nothing()
                .household(Some(&registry::key_after(step, household)))
                .note(step.text("note"));
            Ok(step.go_with("agreed", brings, Effect::Registry { body }))
        }
    }
}

/// The answers that a save or a submission brings, and the files they name, so that whoever may
/// see the case may see them.
pub(super) fn saved(step: &Step<'_>) -> Result<Brings, Refusal> {
    let answers = step.answers()?;
    if answers == &step.case.answers {
        return Ok(Brings::nothing());
    }
    let brings = Brings::nothing().answers(answers.clone());
    let mut held = step.evidence().attachments.iter().map(|(digest, _)| digest.as_str()).peekable();
    Ok(if held.peek().is_some() { brings.attach(held) } else { brings })
}

/// The end for who does not belong in the registry, with its ground.
pub(super) fn rejected(step: &Step<'_>) -> Result<Decision, Refusal> {
    let brings = Brings::nothing()
        .fact("ground", step.need("ground")?)
        .fact("reason", step.need("reason")?)
        .note(step.text("reason"));
    Ok(step.go("rejected", brings))
}

/// Back to who filled it in, with marked fields.
pub(super) fn returned(step: &Step<'_>) -> Result<Decision, Refusal> {
    let marks = step.input.get("marks").and_then(|marks| read_marks(marks).ok());
    let reason = step.need("reason")?;
    let brings = Brings::nothing()
        .marks(&marks.unwrap_or_default())
        .append("returns", json!({"on": step.today().to_string(), "reason": reason}))
        .note(Some(reason));
    Ok(step.go("returned", brings))
}
