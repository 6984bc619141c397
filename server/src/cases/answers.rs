//! A household of the registry as the answers of a form, so that nobody is asked what is known.
//!
//! Invariant: which answer comes from which column is said by the forms and nowhere else.

use serde_json::{Map, Value, json};
use yiku_casework::forms::form;
use yiku_indexer::{HouseholdRecord, PersonRecord};

/// The relation of the head of a household (GB/T 4761).
const HEAD: &str = "02";

/// The answers that the registry gives for a household, by the columns of the declaration's form;
/// the head stands first.
pub(crate) fn answers_of(record: &HouseholdRecord) -> Value {
    let columns = form("declaration").map(|form| form.columns()).unwrap_or_default();
    let mut answers = Map::new();
    for (path, column) in &columns {
        let Some((block, field)) = path.split_once('.') else { continue };
        let Some(name) = column.strip_prefix("household.") else { continue };
        let Some(value) = record.values.get(name) else { continue };
        let block = answers.entry(block.to_owned()).or_insert_with(|| json!({}));
        if let Value::Object(block) = block {
            block.insert(field.to_owned(), value.clone());
        }
    }
    let mut persons: Vec<&PersonRecord> =
        record.persons.iter().filter(|person| !person.values.contains_key("death_date")).collect();
    persons.sort_by_key(|person| person.values.get("relation") != Some(&json!(HEAD)));
    let members: Vec<Value> = persons.iter().map(|person| member(&columns, person)).collect();
    answers.insert("members".to_owned(), Value::Array(members));
    Value::Object(answers)
}

fn member(columns: &[(String, String)], person: &PersonRecord) -> Value {
    let mut member = Map::new();
    for (path, column) in columns {
        let field = path.strip_prefix("members.");
        let name = column.strip_prefix("person.");
        let (Some(field), Some(name)) = (field, name) else { continue };
        if let Some(value) = person.values.get(name) {
            member.insert(field.to_owned(), value.clone());
        }
    }
    Value::Object(member)
}

/// The members of some answers.
pub(crate) fn members(answers: &Value) -> impl Iterator<Item = &Value> {
    answers.get("members").and_then(Value::as_array).into_iter().flatten()
}

/// A text of an object.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The ID number that a case is found by: of the head, or of the first member.
pub(crate) fn head_number(answers: &Value) -> Option<&str> {
    let is_head = |member: &&Value| text(member, "relation") == Some(HEAD);
    let head = members(answers).find(is_head).or_else(|| members(answers).next())?;
    text(head, "id_number")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn person(key: &str, values: &[(&str, Value)]) -> PersonRecord {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        PersonRecord {
            key: key.to_owned(),
            values: values.collect(),
            aid: Vec::new(),
            observations: Vec::new(),
        }
    }

    #[test]
    fn the_head_stands_first_and_the_dead_are_left_out() {
        let record = HouseholdRecord {
            key: "H1".to_owned(),
            region: "141128100201".to_owned(),
            values: BTreeMap::from([("urban".to_owned(), json!(false))]),
            persons: vec![
                person("b", &[("relation", json!("10")), ("id_number", json!("B"))]),
                person("c", &[("relation", json!("50")), ("death_date", json!("2026-01-01"))]),
                person("a", &[("relation", json!("02")), ("id_number", json!("A"))]),
            ],
            warnings: Vec::new(),
        };
        let answers = answers_of(&record);
        assert_eq!(answers["family"]["urban"], json!(false));
        let numbers: Vec<_> = members(&answers).map(|one| text(one, "id_number")).collect();
        assert_eq!(numbers, [Some("A"), Some("B")]);
        assert_eq!(head_number(&answers), Some("A"));
    }
}
