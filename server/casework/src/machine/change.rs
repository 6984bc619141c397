//! 信息变更 and 注销: the registered household asks for its record to be changed or struck off.
//!
//! The record as it stood when the change was begun is kept as `facts.base`. What the registry
//! changed since and the household changed otherwise is a conflict that the reviewer settles
//! field by field; what only one side changed is taken without asking.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::brings::Brings;
use super::declaration::{RETURN, returned, saved};
use super::refuse::refuse;
use super::registry::{self, household_values, id_number, person, person_values, put};
use super::step::Step;
use super::table::{Spec, StateInfo, always_offered, ask, done, label, open, plain_missing, step};
use crate::case::Role::{Citizen, County, Township, Village};
use crate::case::{Action, CaseFile, Decision, Effect, Label, Refusal};

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
    done("withdrawn", "已撤回", "withdrawn"),
];

const PURPOSES: &[(&str, Label)] =
    &[("change", label("信息变更", "change")), ("cancel", label("注销", "cancel"))];

const ACTIONS: &[Action] = &[
    step("begin", "开始变更", "Begin").by(&[Citizen, Village]).asks(&[
        ask("purpose", "code", "办理事项", "Purpose").must().of(PURPOSES),
        ask("reason", "long_text", "变更理由", "Reason"),
    ]),
    step("save", "保存", "Save").from(&["draft", "returned"]).by(&[Citizen, Village]).own(),
    step("submit", "提交", "Submit")
        .from(&["draft", "returned"])
        .by(&[Citizen, Village])
        .own()
        .primary()
        .asks(&[ask("reason", "long_text", "变更理由", "Reason")]),
    step("withdraw", "撤回", "Withdraw")
        .from(&["draft", "submitted", "returned"])
        .by(&[Citizen, Village])
        .own()
        .danger(),
    step("agree", "同意", "Agree")
        .from(&["submitted"])
        .by(&[Township, County])
        .primary()
        .asks(&[ask("choices", "choices", "冲突栏目的取值", "Values of conflicting fields")]),
    step("return", "退回修改", "Return").from(&["submitted"]).by(&[Township, County]).asks(RETURN),
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
        "begin" => begin(step),
        "save" => Ok(step.go(&step.case.state, saved(step)?)),
        "submit" => submit(step),
        "withdraw" => Ok(step.go("withdrawn", Brings::nothing())),
        "return" => returned(step),
        _ => agree(step),
    }
}

fn begin(step: &Step<'_>) -> Result<Decision, Refusal> {
    let Some(household) = registry::household_of(step) else {
        return Err(refuse(
            "household.unknown",
            "登记库中没有找到该家庭，请先办理自主申报。",
            "the registry knows no such household: declare it first",
        ));
    };
    let base = step.evidence().current.clone().unwrap_or_else(|| json!({}));
    let answers = match step.input.get("answers") {
        None | Some(Value::Null) => base.clone(),
        Some(_) => step.answers()?.clone(),
    };
    let brings = Brings::nothing()
        .fact("purpose", step.need("purpose")?)
        .fact("base", base)
        .fact("reason", json!(step.text("reason")))
        .household(Some(household))
        .answers(answers);
    Ok(step.go("draft", brings))
}

fn submit(step: &Step<'_>) -> Result<Decision, Refusal> {
    let said = step.answers()?.get("change").and_then(|change| registry::text(change, "reason"));
    let reason = step.text("reason").or_else(|| step.fact("reason")).or(said);
    if step.fact("purpose") == Some("cancel") {
        if reason.is_none() {
            return Err(super::step::missing(step.action, "reason"));
        }
    } else {
        step.complete()?;
        if unchanged(step.answers()?, step.case.facts.get("base")) {
            return Err(refuse(
                "change.nothing",
                "没有任何变更，无需提交。",
                "nothing was changed, so there is nothing to submit",
            ));
        }
    }
    Ok(step.go("submitted", saved(step)?.marks(&[]).fact("reason", json!(reason)).note(reason)))
}

/// Whether the answers say what was registered, whatever the block about the change itself says.
fn unchanged(answers: &Value, base: Option<&Value>) -> bool {
    let blocks = |value: &Value| {
        let mut blocks = value.as_object().cloned().unwrap_or_default();
        blocks.remove("change");
        blocks
    };
    blocks(answers) == base.map(blocks).unwrap_or_default()
}

fn agree(step: &Step<'_>) -> Result<Decision, Refusal> {
    let household = registry::household_of(step);
    if step.fact("purpose") == Some("cancel") {
        let mut body = registry::empty(step, household);
        put(&mut body, "cancel", json!(true));
        return Ok(step.go_with("agreed", Brings::nothing(), Effect::Registry { body }));
    }
    let nothing = json!({});
    let base = step.case.facts.get("base").unwrap_or(&nothing);
    let current = step.evidence().current.as_ref().unwrap_or(base);
    let choices = step.input.get("choices");
    let mut merged = merge(base, &step.case.answers, current);
    for conflict in conflicts(step.case, current) {
        let choice = choices.and_then(|choices| choices.get(&conflict.path)?.as_str());
        let value = match choice {
            Some("declared") => conflict.declared,
            Some("registered") => conflict.registered,
            _ => return Err(unresolved(&conflict.path)),
        };
        set(&mut merged, &conflict.path, value);
    }
    let body = changed(step, household, base, &merged)?;
    let brings = Brings::nothing().answers(merged).fact("choices", json!(choices));
    Ok(step.go_with("agreed", brings, Effect::Registry { body }))
}

fn unresolved(path: &str) -> Refusal {
    refuse(
        "change.conflict",
        "登记库中的内容在申请期间有更新，请逐项选择采用哪一个。",
        "the registry changed meanwhile: choose for each such field which value holds",
    )
    .at(path)
}

fn changed(
    step: &Step<'_>,
    household: Option<&str>,
    base: &Value,
    merged: &Value,
) -> Result<Value, Refusal> {
    let mut body = registry::empty(step, household);
    let ids: BTreeSet<&str> = registry::members(merged).filter_map(id_number).collect();
    let mut persons: Vec<Value> = registry::members(merged)
        .filter_map(|member| Some(person(id_number(member)?, person_values(member))))
        .collect();
    for id in registry::members(base).filter_map(id_number).filter(|id| !ids.contains(id)) {
        let mut gone = person(id, Map::new());
        put(&mut gone, "remove", json!(true));
        persons.push(gone);
    }
    put(&mut body, "head", json!(registry::head(merged)));
    let values = household_values(step, merged)?;
    put(&mut body, "household_values", Value::Object(values));
    put(&mut body, "persons", Value::Array(persons));
    Ok(body)
}

/// A field that the registry changed since the change was begun, and the household otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conflict {
    /// Where in the answers: `members[1].employment`.
    pub path: String,
    /// As it was when the change was begun.
    pub base: Value,
    /// As the household declares it.
    pub declared: Value,
    /// As the registry has it now.
    pub registered: Value,
}

/// The conflicts of a change with the record as the registry has it now, in the order of the
/// answers' blocks. A member is found by the ID number, not by its place.
#[must_use]
pub fn conflicts(case: &CaseFile, current: &Value) -> Vec<Conflict> {
    let nothing = json!({});
    let base = case.facts.get("base").unwrap_or(&nothing);
    let mut found = Vec::new();
    for (name, declared) in case.answers.as_object().into_iter().flatten() {
        if declared.is_object() {
            block(&mut found, name, base.get(name), declared, current.get(name));
        }
    }
    for (place, member) in members(&case.answers).enumerate() {
        let Some(id) = id_number(member) else { continue };
        let path = format!("members[{place}]");
        block(&mut found, &path, member_of(base, id), member, member_of(current, id));
    }
    found
}

fn block(
    found: &mut Vec<Conflict>,
    path: &str,
    base: Option<&Value>,
    declared: &Value,
    current: Option<&Value>,
) {
    for (name, registered) in current.and_then(Value::as_object).into_iter().flatten() {
        let base = base.and_then(|base| base.get(name)).unwrap_or(&Value::Null);
        let declared = declared.get(name).unwrap_or(&Value::Null);
        if registered != base && declared != base && declared != registered {
            found.push(Conflict {
                path: format!("{path}.{name}"),
                base: base.clone(),
                declared: declared.clone(),
                registered: registered.clone(),
            });
        }
    }
}

/// The declared answers, with what only the registry changed since.
fn merge(base: &Value, declared: &Value, current: &Value) -> Value {
    let mut merged = declared.clone();
    for (name, block) in merged.as_object_mut().into_iter().flatten() {
        if name == "members" {
            for member in block.as_array_mut().into_iter().flatten() {
                let id = id_number(member).map(str::to_owned);
                let Some(id) = id else { continue };
                take_newer(member, member_of(base, &id), member_of(current, &id));
            }
        } else {
            take_newer(block, base.get(name), current.get(name));
        }
    }
    merged
}

fn take_newer(block: &mut Value, base: Option<&Value>, current: Option<&Value>) {
    let Value::Object(block) = block else { return };
    for (name, registered) in current.and_then(Value::as_object).into_iter().flatten() {
        let base = base.and_then(|base| base.get(name)).unwrap_or(&Value::Null);
        if registered != base && block.get(name).unwrap_or(&Value::Null) == base {
            block.insert(name.clone(), registered.clone());
        }
    }
}

fn members(answers: &Value) -> impl Iterator<Item = &Value> {
    answers.get("members").and_then(Value::as_array).into_iter().flatten()
}

fn member_of<'a>(answers: &'a Value, id: &str) -> Option<&'a Value> {
    members(answers).find(|member| id_number(member) == Some(id))
}

/// Sets the value at a path of the form `block.name` or `members[1].name`.
fn set(answers: &mut Value, path: &str, value: Value) {
    let Some((block, name)) = path.split_once('.') else { return };
    let target = match block.strip_prefix("members[").and_then(|rest| rest.strip_suffix(']')) {
        Some(place) => {
            let place = place.parse::<usize>().ok();
            place.and_then(|place| answers.get_mut("members")?.get_mut(place))
        }
        None => answers.get_mut(block),
    };
    if let Some(Value::Object(target)) = target {
        target.insert(name.to_owned(), value);
    }
}
