//! 核对授权: a person allows departments to be asked about their income and property.
//!
//! It runs for at most twelve months; that it ran out is computed, not a state.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::json;

use super::brings::Brings;
use super::lists::DEPARTMENTS;
use super::refuse::{refuse, wrong};
use super::step::Step;
use super::table::{Spec, StateInfo, always_offered, ask, done, open, plain_missing, step};
use crate::case::Role::{Citizen, Village};
use crate::case::{Action, CaseFile, Decision, Kind, Refusal};

pub(super) static SPEC: Spec = Spec {
    opening: "sign",
    states: STATES,
    actions: ACTIONS,
    clock,
    decide,
    missing: plain_missing,
    offered: always_offered,
};

const STATES: &[StateInfo] =
    &[open("signed", "已签署", "signed"), done("withdrawn", "已撤回", "withdrawn")];

const ACTIONS: &[Action] = &[
    step("sign", "签署", "Sign").by(&[Citizen, Village]).asks(&[
        ask("scope", "codes", "授权核对的部门", "Departments that may be asked")
            .must()
            .of(DEPARTMENTS),
        ask("months", "number", "有效期（月）", "Months").must(),
        ask("document", "text", "授权书摘要", "Digest of the document").must(),
        ask("paper", "files", "纸质授权书", "Signed paper"),
    ]),
    step("withdraw", "撤回授权", "Withdraw")
        .from(&["signed"])
        .by(&[Citizen, Village])
        .own()
        .danger(),
];

fn clock(_: &str, _: Option<&str>) -> Option<u32> {
    None
}

fn decide(step: &Step<'_>) -> Result<Decision, Refusal> {
    if step.action.name == "withdraw" {
        let brings = Brings::nothing().fact("withdrawn_on", step.today().to_string());
        return Ok(step.go("withdrawn", brings));
    }
    if step.case.owner.is_none() {
        return Err(refuse("owner.missing", "请填写授权人。", "say who authorises"));
    }
    let months = step.number("months", 1, 12)?.unwrap_or(12);
    let document = step.need("document")?;
    if document.len() != 64 || !document.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong(
            "document",
            "应为64位摘要",
            "it must be a digest of 64 hexadecimal digits",
        ));
    }
    let paper = step.texts("paper");
    let held = |digest: &&str| step.evidence().attachments.iter().any(|(known, _)| known == digest);
    let signature = step.input.get("signature").filter(|signature| signature.is_object());
    if step.actor.role == Village {
        if paper.is_empty() || !paper.iter().all(held) {
            return Err(refuse(
                "authorisation.unsigned",
                "代为登记授权须上传本人签名的纸质授权书。",
                "to record it for somebody, attach the paper that they signed",
            )
            .at("paper"));
        }
    } else if signature.is_none() {
        return Err(refuse(
            "authorisation.unsigned",
            "授权书尚未签名。",
            "the document is not signed",
        )
        .at("signature"));
    }
    let until = step.today().checked_add(months.months()).unwrap_or(Date::MAX);
    let brings = Brings::nothing()
        .fact("scope", json!(step.texts("scope")))
        .fact("months", months)
        .fact("signed_on", step.today().to_string())
        .fact("valid_until", until.to_string())
        .fact("document", document)
        .fact("signature", json!(signature))
        .attach(paper);
    Ok(step.go("signed", brings))
}

/// The last day on which an authorisation holds.
#[must_use]
pub fn valid_until(case: &CaseFile) -> Option<Date> {
    case.facts.get("valid_until")?.as_str()?.parse().ok()
}

/// Whether a case is an authorisation that holds on a day.
#[must_use]
pub fn is_valid(case: &CaseFile, today: Date) -> bool {
    case.kind == Kind::Authorisation
        && case.state == "signed"
        && valid_until(case).is_some_and(|until| today <= until)
}
