//! Hides what is personal in answers, and puts back what was hidden.
//!
//! Invariants: what no field asks for is not shown; a masked field shows at most what its mask
//! lets through, whatever stands there.

use serde_json::{Map, Value};

use super::{Field, Form};
use crate::secret::mask;

/// What stands for something hidden; no mask is without it.
const HIDDEN: &str = "****";

pub(super) fn masked(form: &Form, answers: &Value) -> Value {
    chosen(form, answers, shown)
}

pub(super) fn asked(form: &Form, answers: &Value) -> Value {
    chosen(form, answers, |_, value| value.clone())
}

/// What a form asks of answers, each value as `shape` makes it.
fn chosen(form: &Form, answers: &Value, shape: fn(&Field, &Value) -> Value) -> Value {
    let mut shown = Map::new();
    for (block, fields) in blocks(form) {
        let value = match answers.get(block) {
            Some(Value::Array(entries)) => {
                entries.iter().map(|entry| chosen_of(&fields, entry, shape)).collect()
            }
            Some(entry @ Value::Object(_)) => chosen_of(&fields, entry, shape),
            _ => continue,
        };
        shown.insert(block.to_owned(), value);
    }
    Value::Object(shown)
}

pub(super) fn unmasked(form: &Form, new: &Value, kept: &Value) -> Value {
    let mut whole = new.clone();
    for (block, fields) in blocks(form) {
        let (Some(new), Some(kept)) = (whole.get_mut(block), kept.get(block)) else { continue };
        match (new, kept) {
            (Value::Array(entries), Value::Array(kept)) => put_back_list(&fields, entries, kept),
            (entry @ Value::Object(_), kept) if is_shown_of(&fields, entry, kept) => {
                put_back(&fields, entry, kept);
            }
            _ => {}
        }
    }
    whole
}

/// The blocks of a form in their order, each with all fields asked of it.
pub(super) fn blocks(form: &Form) -> Vec<(&str, Vec<&Field>)> {
    let mut blocks: Vec<(&str, Vec<&Field>)> = Vec::new();
    for part in &form.parts {
        match blocks.iter_mut().find(|(name, _)| *name == part.name) {
            Some((_, fields)) => fields.extend(&part.fields),
            None => blocks.push((&part.name, part.fields.iter().collect())),
        }
    }
    blocks
}

fn chosen_of(fields: &[&Field], entry: &Value, shape: fn(&Field, &Value) -> Value) -> Value {
    let chosen = fields.iter().filter_map(|field| {
        let value = entry.get(&field.name)?;
        Some((field.name.clone(), shape(field, value)))
    });
    Value::Object(chosen.collect())
}

fn shown(field: &Field, value: &Value) -> Value {
    match (&field.mask, value) {
        (None, _) | (_, Value::Null) => value.clone(),
        (Some(kind), Value::String(text)) => Value::String(mask(kind, text)),
        (Some(_), _) => Value::String(HIDDEN.to_owned()),
    }
}

/// Each new entry is one kept entry at most: the one in its place if it can be, else another.
fn put_back_list(fields: &[&Field], new: &mut [Value], kept: &[Value]) {
    let mut left: Vec<Option<&Value>> = kept.iter().map(Some).collect();
    let mut moved = Vec::new();
    for (at, entry) in new.iter_mut().enumerate() {
        if !stars(fields, entry) {
            continue;
        }
        let place = left
            .get_mut(at)
            .filter(|place| place.is_some_and(|kept| is_shown_of(fields, entry, kept)));
        match place.and_then(Option::take) {
            Some(kept) => put_back(fields, entry, kept),
            None => moved.push(entry),
        }
    }
    for entry in moved {
        let mut places = left.iter_mut();
        let place = places.find(|place| place.is_some_and(|kept| is_shown_of(fields, entry, kept)));
        if let Some(kept) = place.and_then(Option::take) {
            put_back(fields, entry, kept);
        }
    }
}

/// Whether an entry has a masked value.
fn stars(fields: &[&Field], entry: &Value) -> bool {
    fields.iter().any(|field| is_hidden(field, entry.get(&field.name)))
}

fn is_hidden(field: &Field, value: Option<&Value>) -> bool {
    let text = value.and_then(Value::as_str);
    field.mask.is_some() && text.is_some_and(|text| text.contains('*'))
}

/// Whether every masked value of an entry is how the kept entry is shown.
fn is_shown_of(fields: &[&Field], entry: &Value, kept: &Value) -> bool {
    fields.iter().all(|field| {
        let value = entry.get(&field.name);
        let before = kept.get(&field.name);
        !is_hidden(field, value)
            || before.is_some_and(|before| Some(&shown(field, before)) == value)
    })
}

fn put_back(fields: &[&Field], entry: &mut Value, kept: &Value) {
    for field in fields {
        if is_hidden(field, entry.get(&field.name))
            && let (Value::Object(entry), Some(before)) = (&mut *entry, kept.get(&field.name))
        {
            entry.insert(field.name.clone(), before.clone());
        }
    }
}
