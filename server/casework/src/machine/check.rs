//! The checks all kinds share, in one place and one order: role, scope, ownership, state, inputs.

use serde_json::Value;

use super::refuse::{refuse, wrong};
use super::step::{is_staff, missing};
use super::table::Spec;
use crate::case::{Action, Actor, CaseFile, Input, Refusal, Role};

/// The longest text a command may bring, in characters.
const LONGEST: usize = 4000;

/// Whether a region is of the actor's scope. Citizens and the platform have none: what they may do
/// is limited by ownership and by their roles' commands.
pub(super) fn in_scope(actor: &Actor, region: &str) -> bool {
    !is_staff(actor.role) || !actor.scope.is_empty() && region.starts_with(&actor.scope)
}

/// Whether the case is the actor's own: it is about them, or they opened it for somebody.
pub(super) fn owns(case: &CaseFile, actor: &Actor) -> bool {
    let person = actor.role == Role::Citizen && case.owner.is_some() && case.owner == actor.person;
    person || case.author == actor.account
}

/// The role may not give the command.
pub(super) fn role_wrong() -> Refusal {
    refuse("role.wrong", "您的角色不能办理这一步。", "your role may not take this step")
}

fn scope_outside() -> Refusal {
    refuse(
        "scope.outside",
        "该事项不在您的管辖区域内。",
        "this is outside the region you are responsible for",
    )
}

fn owner_wrong() -> Refusal {
    refuse(
        "owner.wrong",
        "只有本人或代为办理的工作人员可以办理这一步。",
        "only the person concerned, or who opened it for them, may take this step",
    )
}

/// The row of the opening command, if the actor may open a case of the kind there.
pub(super) fn opening(
    spec: &'static Spec,
    actor: &Actor,
    region: &str,
    owner: Option<&str>,
) -> Result<&'static Action, Refusal> {
    let mut rows = spec.actions.iter().filter(|action| action.name == spec.opening);
    let Some(action) = rows.find(|action| action.roles.contains(&actor.role)) else {
        return Err(role_wrong());
    };
    if !is_region(region) {
        return Err(refuse(
            "region.wrong",
            "行政区划代码应为2、4、6、9或12位数字。",
            "a region is written with 2, 4, 6, 9 or 12 digits",
        )
        .at("region"));
    }
    if !in_scope(actor, region) {
        return Err(scope_outside());
    }
    if actor.role == Role::Citizen && (owner.is_none() || owner != actor.person.as_deref()) {
        return Err(owner_wrong());
    }
    Ok(action)
}

/// Whether a text is a code of a region.
pub(super) fn is_region(text: &str) -> bool {
    matches!(text.len(), 2 | 4 | 6 | 9 | 12) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The row of a command, if the actor may give it on the case as it stands.
pub(super) fn action(
    spec: &'static Spec,
    case: &CaseFile,
    actor: &Actor,
    command: &str,
) -> Result<&'static Action, Refusal> {
    let mut rows =
        spec.actions.iter().filter(|row| row.name == command && row.name != spec.opening);
    let mut known = rows.clone().peekable();
    if known.peek().is_none() {
        return Err(refuse("command.unknown", "没有这一步。", "there is no such step"));
    }
    let mut mine = known.filter(|row| row.roles.contains(&actor.role)).peekable();
    let Some(first) = mine.peek() else { return Err(role_wrong()) };
    if !in_scope(actor, &case.region) {
        return Err(scope_outside());
    }
    if first.own && !owns(case, actor) {
        return Err(owner_wrong());
    }
    let fits =
        |row: &&Action| row.roles.contains(&actor.role) && row.from.contains(&case.state.as_str());
    rows.find(fits).ok_or_else(|| {
        let state = spec.states.iter().find(|state| state.name == case.state);
        let (zh, en) = state.map_or(("", ""), |state| (state.label.zh, state.label.en));
        refuse(
            "state.wrong",
            format!("该事项目前为“{zh}”，不能办理“{}”。", first.label.zh),
            format!("this step is not possible now: the case is “{en}”"),
        )
    })
}

/// The required inputs are there, and what is there is of its kind.
pub(super) fn inputs(spec: &Spec, action: &'static Action, input: &Value) -> Result<(), Refusal> {
    if !input.is_object() && !input.is_null() {
        return Err(wrong("input", "应为一组填写项", "it must be an object"));
    }
    for ask in action.input {
        let value = input.get(ask.name).filter(|value| !is_blank(value));
        match value {
            Some(value) => of_kind(ask, value)?,
            None if ask.required => {
                let mut refusal = missing(action, ask.name);
                if let Some(ground) = (spec.missing)(action.name, ask.name) {
                    refusal.ground = ground;
                }
                return Err(refusal);
            }
            None => {}
        }
    }
    Ok(())
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn of_kind(ask: &Input, value: &Value) -> Result<(), Refusal> {
    let choice = |value: &Value| {
        let text = value.as_str();
        ask.options.is_empty() || ask.options.iter().any(|(code, _)| Some(*code) == text)
    };
    let (good, zh, en) = match ask.kind {
        "code" => {
            (value.is_string() && choice(value), "请从给出的选项中选择", "choose one that is given")
        }
        "codes" => (
            value
                .as_array()
                .is_some_and(|list| list.iter().all(|one| one.is_string() && choice(one))),
            "请从给出的选项中选择",
            "choose from those that are given",
        ),
        "text" | "long_text" | "case" | "date" => (
            value.as_str().is_some_and(|text| text.chars().count() <= LONGEST),
            "应为不超过4000字的文字",
            "it must be a text of at most 4000 characters",
        ),
        "region" => (
            value.as_str().is_some_and(is_region),
            "行政区划代码应为2、4、6、9或12位数字",
            "a region is written with 2, 4, 6, 9 or 12 digits",
        ),
        "signature" => (value.is_string(), "应为签名", "it must be a signature"),
        "signatures" => (value.is_array(), "应为签名的列表", "it must be a list of signatures"),
        "flag" => (value.is_boolean(), "应为是或否", "it must be true or false"),
        "marks" => (
            super::brings::read_marks(value).is_ok(),
            "应为标注的栏目和说明",
            "it must be a list of fields and notes",
        ),
        "files" => (
            value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            "应为附件",
            "it must be a list of attachments",
        ),
        "choices" => (value.is_object(), "应为逐项的选择", "it must be a choice for each field"),
        _ => (true, "", ""),
    };
    if good { Ok(()) } else { Err(wrong(ask.name, zh, en)) }
}
