//! 入户调查: two investigators see for themselves.
//!
//! The sheet is filled with what was declared and what departments know; whoever changes such a
//! value says why, and the old value is kept.

use serde_json::{Map, Value, json};

use super::brings::Brings;
use super::refuse::refuse;
use super::registry;
use super::step::Step;
use super::table::{Spec, StateInfo, always_offered, ask, done, label, open, step};
use crate::case::Role::{System, Township, Village};
use crate::case::{Action, Decision, Label, Refusal};

pub(super) static SPEC: Spec = Spec {
    opening: "plan",
    states: STATES,
    actions: ACTIONS,
    clock,
    decide,
    missing,
    offered: always_offered,
};

const STATES: &[StateInfo] = &[
    open("planned", "待入户", "planned"),
    open("drafting", "填写中", "being filled in"),
    done("completed", "已完成", "completed"),
    done("cancelled", "已取消", "cancelled"),
];

const PURPOSES: &[(&str, Label)] = &[
    ("application", label("救助申请", "application")),
    ("warning", label("预警核查", "warning")),
    ("life_check", label("生存认证", "life check")),
    ("review", label("定期复核", "periodic review")),
];

const CONCLUSIONS: &[(&str, Label)] = &[
    ("agrees", label("与申报一致", "as declared")),
    ("differs", label("与申报不一致", "differs from what was declared")),
    ("helped", label("已有帮扶", "helped already")),
    ("needs_help", label("需要救助", "needs help")),
    ("not_met", label("未见到人", "nobody was met")),
];

const ACTIONS: &[Action] = &[
    step("plan", "安排入户", "Plan").by(&[System, Township, Village]).asks(&[
        ask("purpose", "code", "调查事由", "Purpose").must().of(PURPOSES),
        ask("case", "case", "对应事项", "Case"),
    ]),
    step("save", "保存", "Save")
        .from(&["planned", "drafting"])
        .by(&[Village, Township])
        .asks(&[ask("reasons", "choices", "修改理由", "Reasons of changes")]),
    step("complete", "完成调查", "Complete")
        .from(&["drafting"])
        .by(&[Village, Township])
        .primary()
        .asks(&[
            ask("conclusion", "code", "调查结论", "Conclusion").must().of(CONCLUSIONS),
            ask("suggestion", "long_text", "建议", "Suggestion"),
            ask("investigators", "signatures", "调查人员及签名", "Investigators' signatures")
                .must(),
            ask("household_signature", "signature", "家庭签名", "Household's signature").must(),
            ask("photos", "files", "现场照片", "Photos").must(),
        ]),
    step("cancel", "取消", "Cancel")
        .from(&["planned", "drafting"])
        .by(&[System, Township, Village])
        .danger()
        .asks(&[ask("reason", "long_text", "取消理由", "Reason").must()]),
];

fn clock(state: &str, _: Option<&str>) -> Option<u32> {
    match state {
        "planned" => Some(5),
        "drafting" => Some(3),
        _ => None,
    }
}

fn decide(step: &Step<'_>) -> Result<Decision, Refusal> {
    match step.action.name {
        "plan" => plan(step),
        "save" => save(step),
        "complete" => complete(step),
        _ => {
            let reason = step.need("reason")?;
            Ok(step.go("cancelled", Brings::nothing().fact("reason", reason).note(Some(reason))))
        }
    }
}

fn plan(step: &Step<'_>) -> Result<Decision, Refusal> {
    let answers = step.answers()?.clone();
    let mut brings = Brings::nothing()
        .fact("purpose", step.need("purpose")?)
        .fact("base", answers.clone())
        .household(step.text("household"))
        .answers(answers);
    if let Some(case) = step.text("case") {
        let mut linked = step.evidence().linked.iter();
        if step.actor.role != System && !linked.any(|(known, ..)| known == case) {
            let (zh, en) = ("没有找到对应的事项。", "there is no such case");
            return Err(refuse("case.unknown", zh, en).at("case"));
        }
        brings = brings.fact("case", case).link(case);
    }
    if let Some(checks) = step.input.get("checks").filter(|_| step.actor.role == System) {
        brings = brings.fact("checks", checks.clone());
    }
    Ok(step.go("planned", brings))
}

fn save(step: &Step<'_>) -> Result<Decision, Refusal> {
    let answers = step.answers()?;
    let nothing = json!({});
    let base = leaves(step.case.facts.get("base").unwrap_or(&nothing));
    let before = leaves(&step.case.answers);
    let after = leaves(answers);
    let mut brings = Brings::nothing().answers(answers.clone());
    for (path, prefilled) in &base {
        let (old, new) = (before.get(path), after.get(path));
        if old == new {
            continue;
        }
        let reason = step
            .input
            .get("reasons")
            .and_then(|reasons| reasons.get(path)?.as_str())
            .map(str::trim)
            .filter(|reason| !reason.is_empty())
            .or_else(|| step.text("reason"));
        // Whoever puts the value back needs no reason, but the change is kept all the same.
        if reason.is_none() && new != Some(prefilled) {
            return Err(refuse(
                "survey.reason_missing",
                "修改预填内容须说明理由。",
                "say why a value that was filled in is changed",
            )
            .at(path.clone()));
        }
        let change = json!({
            "path": path,
            "old": old,
            "new": new,
            "reason": reason,
            "at": step.context.now.to_string(),
            "by": step.actor.account,
        });
        brings = brings.append("changes", change);
    }
    Ok(step.go("drafting", brings))
}

/// The values of the answers by path, without those that are not said.
fn leaves(answers: &Value) -> Map<String, Value> {
    let mut found = Map::new();
    let mut open = vec![(String::new(), answers)];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(object) => open.extend(object.iter().map(|(name, value)| {
                let dot = if path.is_empty() { "" } else { "." };
                (format!("{path}{dot}{name}"), value)
            })),
            Value::Array(list) => open.extend(
                list.iter().enumerate().map(|(place, value)| (format!("{path}[{place}]"), value)),
            ),
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            _ => {
                found.insert(path, value.clone());
            }
        }
    }
    found
}

/// The grounds of what a completed survey lacks.
fn missing(command: &str, input: &str) -> Option<&'static str> {
    match (command, input) {
        ("complete", "investigators") => Some("survey.two_investigators"),
        ("complete", "household_signature") => Some("survey.signature_missing"),
        ("complete", "photos") => Some("survey.photo_missing"),
        _ => None,
    }
}

fn complete(step: &Step<'_>) -> Result<Decision, Refusal> {
    step.complete()?;
    let investigators = investigators(step)?;
    let household = step.need("household_signature")?;
    let held = &step.evidence().attachments;
    let is_photo = |digest: &&str| {
        held.iter().any(|(known, media)| known == digest && media.starts_with("image/"))
    };
    let photos: Vec<&str> = step.texts("photos").into_iter().filter(is_photo).collect();
    if photos.is_empty() {
        return Err(refuse(
            "survey.photo_missing",
            "请至少上传一张现场照片。",
            "add at least one photo of the place",
        )
        .at("photos"));
    }
    let signatures = investigators.iter().filter_map(|one| one.get("signature")?.as_str());
    let files: Vec<&str> = signatures
        .chain([household])
        .filter(|digest| held.iter().any(|(known, _)| known == digest))
        .collect();
    let suggestion = step.text("suggestion");
    let brings = Brings::nothing()
        .fact("completed_on", step.today().to_string())
        .fact("conclusion", step.need("conclusion")?)
        .fact("suggestion", json!(suggestion))
        .fact("investigators", json!(investigators))
        .fact("household_signature", household)
        .fact("photos", json!(photos))
        .note(suggestion)
        .attach(photos)
        .attach(files);
    Ok(step.go("completed", brings))
}

/// At least two different investigators, all of whom signed.
fn investigators<'a>(step: &Step<'a>) -> Result<&'a Vec<Value>, Refusal> {
    let two = || {
        refuse(
            "survey.two_investigators",
            "入户调查须由两名不同的工作人员进行。",
            "a survey is made by two different investigators",
        )
        .at("investigators")
    };
    let input: &'a Value = step.input;
    let all = input.get("investigators").and_then(Value::as_array).ok_or_else(two)?;
    let mut names: Vec<&str> = Vec::new();
    for investigator in all {
        let Some(name) = registry::text(investigator, "name") else { return Err(two()) };
        if registry::text(investigator, "signature").is_none() {
            return Err(refuse(
                "survey.signature_missing",
                "调查人员尚未签名。",
                "an investigator has not signed",
            )
            .at("investigators"));
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() < 2 { Err(two()) } else { Ok(all) }
}
