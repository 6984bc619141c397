//! 基层上报: a village worker reports a family; the township passes it on, the county agrees.

use super::brings::Brings;
use super::declaration::{REJECT, RETURN, rejected, returned, saved};
use super::refuse::refuse;
use super::registry::{self, Discovery};
use super::step::Step;
use super::table::{Spec, StateInfo, always_offered, ask, done, open, plain_missing, step};
use crate::case::Role::{County, Township, Village};
use crate::case::{Action, Decision, Effect, Refusal};

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
    open("submitted", "待乡镇审核", "submitted"),
    open("county_review", "待县级审核", "before the county"),
    open("returned", "已退回", "returned"),
    done("agreed", "已同意", "agreed"),
    done("rejected", "已驳回", "rejected"),
    done("withdrawn", "已撤回", "withdrawn"),
];

const ACTIONS: &[Action] = &[
    step("begin", "开始上报", "Begin").by(&[Village]),
    step("save", "保存", "Save").from(&["draft", "returned"]).by(&[Village]).own(),
    step("submit", "提交", "Submit")
        .from(&["draft", "returned"])
        .by(&[Village])
        .own()
        .primary()
        .asks(&[ask("known", "text", "已知的登记家庭", "Household already registered")]),
    step("withdraw", "撤回", "Withdraw")
        .from(&["draft", "submitted", "returned"])
        .by(&[Village])
        .own()
        .danger(),
    step("pass", "通过并报县级", "Pass on").from(&["submitted"]).by(&[Township]).primary(),
    step("return", "退回修改", "Return").from(&["submitted"]).by(&[Township]).asks(RETURN),
    step("return", "退回修改", "Return").from(&["county_review"]).by(&[County]).asks(RETURN),
    step("agree", "同意", "Agree").from(&["county_review"]).by(&[County]).primary(),
    step("reject", "驳回", "Reject").from(&["county_review"]).by(&[County]).danger().asks(REJECT),
];

fn clock(state: &str, _: Option<&str>) -> Option<u32> {
    match state {
        "submitted" => Some(5),
        "county_review" | "returned" => Some(10),
        _ => None,
    }
}

fn decide(step: &Step<'_>) -> Result<Decision, Refusal> {
    match step.action.name {
        "begin" => Ok(step.go("draft", Brings::nothing().answers(step.answers()?.clone()))),
        "save" => Ok(step.go(&step.case.state, saved(step)?)),
        "submit" => {
            step.complete()?;
            single(step)?;
            let brings = saved(step)?.marks(&[]).household(step.text("known"));
            Ok(step.go("submitted", brings))
        }
        "withdraw" => Ok(step.go("withdrawn", Brings::nothing())),
        "pass" => Ok(step.go("county_review", Brings::nothing().note(step.text("note")))),
        "return" => returned(step),
        "reject" => rejected(step),
        _ => {
            let household = registry::household_of(step);
            let body =
                registry::admitted(step, &step.case.answers, household, Discovery::Reported)?;
            let brings = Brings::nothing().household(Some(&registry::key_after(step, household)));
            Ok(step.go_with("agreed", brings, Effect::Registry { body }))
        }
    }
}

/// Nobody else asks for the same family, and the registry does not have it, unless the village
/// says that it reports on that very household.
fn single(step: &Step<'_>) -> Result<(), Refusal> {
    let known = step.text("known");
    for (kind, key) in &step.evidence().duplicates {
        let (zh, en) = match kind.as_str() {
            "household" if known == Some(key) => continue,
            "household" => (
                "该身份证号已在登记家庭中；如需更新该家庭，请注明后再提交。",
                "the ID number is in a registered household: say so if this report is about it",
            ),
            "report" | "declaration" if *key != step.case.id => (
                "该身份证号已有正在办理的上报或申报，请勿重复上报。",
                "a report or declaration with the same ID number is already under way",
            ),
            _ => continue,
        };
        return Err(refuse("report.duplicate", zh, en).at(key.clone()));
    }
    let registered = |key: &str| {
        let mut found = step.evidence().duplicates.iter();
        found.any(|(kind, other)| kind == "household" && other == key)
    };
    match known {
        Some(known) if !registered(known) => Err(refuse(
            "household.unknown",
            "登记库中没有找到所注明的家庭。",
            "the registry knows no such household",
        )
        .at("known")),
        _ => Ok(()),
    }
}
