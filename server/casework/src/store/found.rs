//! Under which blind indexes a case is found.

use std::collections::BTreeSet;

use rusqlite::{Transaction, params};
use serde_json::Value;

use super::Sql;
use crate::case::CaseFile;
use crate::error::Result;
use crate::secret::{Vault, normalise};

/// More than any form can hold; beyond it nothing is indexed.
const TAGS_MAX: usize = 256;

/// The tag of an ID number's blind index.
pub(super) fn person(index: &str) -> String {
    format!("id:{index}")
}

/// The tag of a household's key.
pub(super) fn household(vault: &Vault, key: &str) -> Result<String> {
    Ok(format!("household:{}", vault.index_of("household", key)?))
}

/// What a text that somebody looks for could be.
pub(super) fn searched(vault: &Vault, text: &str) -> Result<[String; 3]> {
    let text = normalise(text);
    Ok([
        person(&vault.index(&text)?),
        format!("name:{}", vault.index_of("name", &text)?),
        format!("phone:{}", vault.index_of("phone", &text)?),
    ])
}

/// Writes the tags of a case anew.
pub(super) fn write(transaction: &Transaction<'_>, vault: &Vault, case: &CaseFile) -> Result<()> {
    transaction
        .prepare_cached("DELETE FROM found_by WHERE case_id = ?1")
        .and_then(|mut statement| statement.execute(params![case.id]))
        .doing("clear the tags of a case")?;
    let mut tags = BTreeSet::new();
    if let Some(owner) = &case.owner {
        tags.insert(person(owner));
    }
    if let Some(key) = &case.household {
        tags.insert(household(vault, key)?);
    }
    collect(vault, &case.answers, &mut tags)?;
    collect(vault, &case.facts, &mut tags)?;
    let mut insert = transaction
        .prepare_cached("INSERT INTO found_by (tag, case_id) VALUES (?1, ?2)")
        .doing("prepare the tags of a case")?;
    for tag in tags {
        insert.execute(params![tag, case.id]).doing("write a tag of a case")?;
    }
    Ok(())
}

fn collect(vault: &Vault, value: &Value, tags: &mut BTreeSet<String>) -> Result<()> {
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        if tags.len() >= TAGS_MAX {
            break;
        }
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    if let Value::String(text) = field {
                        tags.extend(tag(vault, name, text)?);
                    }
                    rest.push(field);
                }
            }
            Value::Array(values) => rest.extend(values),
            _ => {}
        }
    }
    Ok(())
}

fn tag(vault: &Vault, name: &str, text: &str) -> Result<Option<String>> {
    let text = normalise(text);
    if text.is_empty() {
        return Ok(None);
    }
    Ok(match name {
        "id_number" => Some(person(&vault.index(&text)?)),
        "name" => Some(format!("name:{}", vault.index_of("name", &text)?)),
        "phone" => Some(format!("phone:{}", vault.index_of("phone", &text)?)),
        _ => None,
    })
}

/// The departments a case was transferred to, each between blanks.
pub(super) fn departments(case: &CaseFile) -> String {
    let measures = case.facts.get("measures").and_then(Value::as_array);
    let codes: BTreeSet<&str> = measures
        .into_iter()
        .flatten()
        .filter_map(|measure| measure.get("department").and_then(Value::as_str))
        .collect();
    let mut text = String::new();
    for code in codes {
        text.push_str(if text.is_empty() { " " } else { "" });
        text.push_str(code);
        text.push(' ');
    }
    text
}
