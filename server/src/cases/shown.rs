//! A case as somebody may see it.
//!
//! Invariants: staff see names and numbers masked unless they wrote the answers themselves and may
//! still change them; a citizen sees their own case in full; nobody sees who is behind a digest.

use jiff::civil::Date;
use serde_json::{Map, Value, json};
use yiku::Snapshot;
use yiku_casework::machine::{self, StateInfo};
use yiku_casework::secret::mask;
use yiku_casework::store::{Step, Store, kind_word, role_word};
use yiku_casework::{Action, Actor, CaseFile, Kind, Label, Role};

use super::answers::{head_number, members, text};
use super::evidence::current;
use super::form_of;
use crate::problem::Problem;

/// Facts that hold answers as they stood, which are masked as answers are.
const ANSWERS: [&str; 2] = ["base", "current"];
/// What in a fact names a person or a number.
const MASKED: [(&str, &str); 5] = [
    ("name_of", "name"),
    ("id_number", "id"),
    ("phone", "phone"),
    ("bank_account", "bank"),
    ("address", "address"),
];

/// Whether a viewer sees the answers as they are.
pub(crate) fn in_full(case: &CaseFile, viewer: &Actor) -> bool {
    let own = viewer.role == Role::Citizen && case.owner.is_some() && case.owner == viewer.person;
    let writes =
        case.author == viewer.account && matches!(case.state.as_str(), "draft" | "returned");
    own || writes
}

/// The few words a case is known by.
fn title(case: &CaseFile, viewer: &Actor) -> Value {
    let kind = label_of_kind(case.kind);
    let head = head_of(&case.answers);
    let name = head.map(|name| match in_full(case, viewer) {
        true => name.to_owned(),
        false => mask("name", name),
    });
    let of = |zh: bool| -> Option<String> {
        let fact = |name: &str| case.facts.get(name);
        match case.kind {
            Kind::Application => machine::lists::label_of(
                machine::lists::AIDS,
                fact("aid").and_then(Value::as_str).unwrap_or_default(),
            )
            .map(|label| if zh { label.zh } else { label.en }.to_owned()),
            Kind::Warning => {
                let name = fact("name")?;
                name.get(if zh { "zh" } else { "en" })?.as_str().map(str::to_owned)
            }
            _ => None,
        }
    };
    let say = |zh: bool| {
        let kind = if zh { kind.zh } else { kind.en };
        let parts = [name.clone(), of(zh), Some(kind.to_owned())];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    };
    json!({ "zh": say(true), "en": say(false) })
}

pub(crate) fn head_of(answers: &Value) -> Option<&str> {
    let number = head_number(answers);
    let head =
        members(answers).find(|member| number.is_some() && text(member, "id_number") == number);
    text(head.or_else(|| members(answers).next())?, "name")
}

/// What a kind of case is called.
pub(crate) fn label_of_kind(kind: Kind) -> Label {
    let (zh, en) = match kind {
        Kind::Declaration => ("自主申报", "declaration"),
        Kind::Change => ("信息变更", "change"),
        Kind::Report => ("基层上报", "report"),
        Kind::Application => ("救助申请", "application"),
        Kind::Authorisation => ("核对授权", "authorisation"),
        Kind::Warning => ("预警", "warning"),
        Kind::Survey => ("入户调查", "survey"),
        Kind::LifeCheck => ("生存认证", "life check"),
    };
    Label { zh, en }
}

/// The full names of the places down to a region.
pub(crate) fn region_name(snapshot: &Snapshot, region: &str) -> String {
    let digits = snapshot.schema().path.levels.iter().map(|level| usize::from(level.digits));
    let names = digits.filter_map(|digits| {
        let code = region.get(..digits)?;
        // The province is the same for all and is left out beneath it.
        if digits == 2 && region.len() > 2 {
            return None;
        }
        place_name(snapshot, code)
    });
    names.collect::<Vec<_>>().join("")
}

/// The name of one place by its digits.
pub(crate) fn place_name(snapshot: &Snapshot, digits: &str) -> Option<String> {
    snapshot.tree().find(digits).map(|node| node.name.clone())
}

/// The head of a case, for lists.
pub(crate) fn head(case: &CaseFile, viewer: &Actor, snapshot: &Snapshot, today: Date) -> Value {
    json!({
        "id": case.id,
        "kind": kind_word(case.kind),
        "state": case.state,
        "region": case.region,
        "region_name": region_name(snapshot, &case.region),
        "version": case.version,
        "opened_at": case.opened_at.to_string(),
        "changed_at": case.changed_at.to_string(),
        "due_on": case.due_on.map(|due| due.to_string()),
        "overdue": machine::overdue(case, today),
        "level": case.level,
        "title": title(case, viewer),
        "purpose": case.facts.get("purpose").or_else(|| case.facts.get("aid")),
    })
}

/// A case with everything the viewer may see of it.
pub(crate) fn whole(
    store: &Store,
    case: &CaseFile,
    viewer: &Actor,
    snapshot: &Snapshot,
    today: Date,
) -> Result<Value, Problem> {
    let wrong = |error: yiku_casework::Error| Problem::of_casework(&error);
    let mut shown = head(case, viewer, snapshot, today);
    let steps = store.events(&case.id).map_err(wrong)?;
    let mut attachments = Vec::new();
    for digest in &case.attachments {
        if let Some(attachment) = store.attachment(digest).map_err(wrong)? {
            attachments.push(json!(attachment));
        }
    }
    let mut links = Vec::new();
    for id in &case.links {
        match store.case(id) {
            Ok(other) => links.push(json!({
                "id": other.id, "kind": kind_word(other.kind), "state": other.state,
            })),
            Err(yiku_casework::Error::Unknown { .. }) => {}
            Err(error) => return Err(wrong(error)),
        }
    }
    let actions: Vec<Value> = machine::allowed(case, viewer).into_iter().map(action).collect();
    let full = in_full(case, viewer);
    let form = form_of(case.kind);
    let answers = match form {
        Some(form) if !full => form.masked(&case.answers),
        Some(_) => case.answers.clone(),
        None => json!({}),
    };
    let more = json!({
        "answers": answers,
        "form": form.map(|form| form.name.as_str()),
        "household": case.household,
        "marks": case.marks,
        "facts": facts(&with_conflicts(case, snapshot)?, full),
        "full": full,
        "actions": actions,
        "events": steps.iter().map(|step| event(step, viewer)).collect::<Vec<_>>(),
        "attachments": attachments,
        "links": links,
    });
    if let (Value::Object(shown), Value::Object(more)) = (&mut shown, more) {
        shown.extend(more);
    }
    Ok(shown)
}

/// A change that waits, with what the registry has now and where that is in its way.
fn with_conflicts(case: &CaseFile, snapshot: &Snapshot) -> Result<CaseFile, Problem> {
    let mut case = case.clone();
    if case.kind != Kind::Change || !machine::is_open(&case) {
        return Ok(case);
    }
    let Some(current) = current(snapshot, Some(&case))? else { return Ok(case) };
    let conflicts = machine::conflicts(&case, &current);
    if let Value::Object(facts) = &mut case.facts {
        facts.insert("conflicts".to_owned(), json!(conflicts));
        facts.insert("current".to_owned(), current);
    }
    Ok(case)
}

/// A command as pages draw it.
pub(crate) fn action(action: &Action) -> Value {
    let input = action.input.iter().map(|input| {
        let options: Vec<Value> =
            input.options.iter().map(|(code, label)| json!([code, label.zh, label.en])).collect();
        json!({
            "name": input.name, "kind": input.kind, "label": input.label,
            "required": input.required, "options": options,
        })
    });
    json!({
        "name": action.name, "label": action.label, "tone": action.tone,
        "input": input.collect::<Vec<_>>(),
    })
}

/// A state as pages name it.
pub(crate) fn state(info: &StateInfo) -> Value {
    json!({ "zh": info.label.zh, "en": info.label.en, "open": info.open })
}

fn event(step: &Step, viewer: &Actor) -> Value {
    let event = &step.event;
    // A citizen is told which office acted, not who sits there.
    let name = match (viewer.role, event.actor.role) {
        (Role::Citizen, Role::Citizen) => event.actor.name.clone(),
        (Role::Citizen, _) => String::new(),
        (_, Role::Citizen) => mask("name", &event.actor.name),
        _ => event.actor.name.clone(),
    };
    json!({
        "version": step.version,
        "at": event.at.to_string(),
        "actor": { "name": name, "role": role_word(event.actor.role) },
        "command": event.command,
        "state": event.state,
        "note": event.body.get("note"),
    })
}

/// The facts of a case; what is personal in them is masked for whoever does not see it in full.
fn facts(case: &CaseFile, full: bool) -> Value {
    let Value::Object(facts) = &case.facts else { return json!({}) };
    let mut shown = Map::new();
    for (name, value) in facts {
        if name == "signature" {
            // The whole signed document is asked for by itself.
            shown.insert(name.clone(), json!(!value.is_null()));
            continue;
        }
        let form = form_of(case.kind).filter(|_| !full);
        let value = match form {
            Some(form) if ANSWERS.contains(&name.as_str()) => form.masked(value),
            Some(_) if name == "changes" || name == "conflicts" => changes(case, value),
            _ if full => value.clone(),
            _ => masked(value),
        };
        shown.insert(name.clone(), value);
    }
    Value::Object(shown)
}

/// Changes of single answers, each masked as its field is.
fn changes(case: &CaseFile, value: &Value) -> Value {
    let Some(list) = value.as_array() else { return masked(value) };
    let hidden = |change: &Value| {
        let mut change = change.clone();
        let path = text(&change, "path").unwrap_or_default().to_owned();
        let kind = form_of(case.kind).and_then(|form| form.field(&path)?.mask.clone());
        if let (Some(kind), Value::Object(fields)) = (kind, &mut change) {
            for value in fields.iter_mut().filter(|(name, _)| *name != "path" && *name != "reason")
            {
                if let Value::String(text) = value.1 {
                    *text = mask(&kind, text);
                }
            }
        }
        change
    };
    Value::Array(list.iter().map(hidden).collect())
}

/// A value in which what names a person is masked by the name of its field.
pub(crate) fn masked(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let kind = MASKED.iter().find(|(field, _)| field == name).map(|(_, kind)| *kind);
                let value = match (kind, value) {
                    (Some(kind), Value::String(text)) => json!(mask(kind, text)),
                    _ => masked(value),
                };
                (name.clone(), value)
            });
            Value::Object(fields.collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(masked).collect()),
        other => other.clone(),
    }
}
