//! What an event brings, and how a case takes it.
//!
//! Every kind writes its events with [`Brings`], so that one `apply` serves all: a fact is set, a
//! list of facts grows, answers and marks are replaced. A body that cannot be read changes nothing.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::case::{CaseFile, Event, Mark};

/// What an event brings to a case.
#[derive(Debug, Clone, Default)]
pub(super) struct Brings {
    body: Map<String, Value>,
    facts: Map<String, Value>,
    append: Map<String, Value>,
}

impl Brings {
    /// Nothing but a new state.
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    /// A fact is set; null takes it away.
    pub(super) fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// A list among the facts gets one more element.
    pub(super) fn append(mut self, name: &str, value: Value) -> Self {
        if let Value::Array(list) = self.append.entry(name).or_insert_with(|| json!([])) {
            list.push(value);
        }
        self
    }

    /// The answers are replaced.
    pub(super) fn answers(mut self, answers: Value) -> Self {
        self.body.insert("answers".to_owned(), answers);
        self
    }

    /// The marks are replaced.
    pub(super) fn marks(mut self, marks: &[Mark]) -> Self {
        let marks = marks.iter().map(|mark| json!({"path": mark.path, "note": mark.note}));
        self.body.insert("marks".to_owned(), marks.collect());
        self
    }

    /// A word to be shown beside the step.
    pub(super) fn note(mut self, note: Option<&str>) -> Self {
        if let Some(note) = note {
            self.body.insert("note".to_owned(), json!(note));
        }
        self
    }

    /// The next step is due on a day, or never.
    pub(super) fn due(mut self, day: Option<Date>) -> Self {
        self.body.insert("due_on".to_owned(), json!(day.map(|day| day.to_string())));
        self
    }

    /// Whether a due day is already named.
    pub(super) fn has_due(&self) -> bool {
        self.body.contains_key("due_on")
    }

    /// The case moves to another region.
    pub(super) fn region(mut self, region: &str) -> Self {
        self.body.insert("region".to_owned(), json!(region));
        self
    }

    /// The household in the registry is known.
    pub(super) fn household(mut self, key: Option<&str>) -> Self {
        if let Some(key) = key {
            self.body.insert("household".to_owned(), json!(key));
        }
        self
    }

    /// The level of a warning.
    pub(super) fn level(mut self, level: &str) -> Self {
        self.body.insert("level".to_owned(), json!(level));
        self
    }

    /// Another case is linked.
    pub(super) fn link(self, case: &str) -> Self {
        self.extend("links", [case])
    }

    /// Files are attached, by digest.
    pub(super) fn attach<'a>(self, digests: impl IntoIterator<Item = &'a str>) -> Self {
        self.extend("attachments", digests)
    }

    fn extend<'a>(mut self, name: &str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        if let Value::Array(list) = self.body.entry(name).or_insert_with(|| json!([])) {
            list.extend(texts.into_iter().map(|text| json!(text)));
        }
        self
    }

    /// The body of the event.
    pub(super) fn into_body(mut self) -> Value {
        if !self.facts.is_empty() {
            self.body.insert("facts".to_owned(), Value::Object(self.facts));
        }
        if !self.append.is_empty() {
            self.body.insert("append".to_owned(), Value::Object(self.append));
        }
        Value::Object(self.body)
    }
}

/// Takes an event into a case.
pub(super) fn take(case: &mut CaseFile, event: &Event) {
    case.version += 1;
    case.state.clone_from(&event.state);
    case.changed_at = event.at;
    let Value::Object(body) = &event.body else { return };
    if let Some(Value::String(region)) = body.get("region") {
        case.region.clone_from(region);
    }
    if let Some(Value::String(key)) = body.get("household") {
        case.household = Some(key.clone());
    }
    if let Some(Value::String(level)) = body.get("level") {
        case.level = Some(level.clone());
    }
    if let Some(due) = body.get("due_on") {
        case.due_on = due.as_str().and_then(|text| text.parse().ok());
    }
    if let Some(answers) = body.get("answers") {
        case.answers = answers.clone();
    }
    if let Some(marks) = body.get("marks").and_then(|marks| read_marks(marks).ok()) {
        case.marks = marks;
    }
    for (list, name) in [(&mut case.links, "links"), (&mut case.attachments, "attachments")] {
        for text in body.get(name).and_then(Value::as_array).into_iter().flatten() {
            let Some(text) = text.as_str() else { continue };
            if !list.iter().any(|known| known == text) {
                list.push(text.to_owned());
            }
        }
    }
    take_facts(&mut case.facts, body);
}

fn take_facts(facts: &mut Value, body: &Map<String, Value>) {
    if !facts.is_object() {
        *facts = json!({});
    }
    let Value::Object(facts) = facts else { return };
    for (name, value) in body.get("facts").and_then(Value::as_object).into_iter().flatten() {
        if value.is_null() {
            facts.remove(name);
        } else {
            facts.insert(name.clone(), value.clone());
        }
    }
    for (name, added) in body.get("append").and_then(Value::as_object).into_iter().flatten() {
        if let (Value::Array(list), Value::Array(added)) =
            (facts.entry(name.clone()).or_insert_with(|| json!([])), added)
        {
            list.extend(added.iter().cloned());
        }
    }
}

/// Reads marks: `[{path, note}]`.
///
/// # Errors
/// If it is anything else.
pub(super) fn read_marks(value: &Value) -> Result<Vec<Mark>, serde_json::Error> {
    serde::Deserialize::deserialize(value)
}
