//! A contract as TOML.

use std::collections::HashMap;

use serde::Deserialize;
use yiku::Schema;

use super::{CellKind, ColumnContract, Contract};
use crate::error::{Error, Result};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContractText {
    id: String,
    label: String,
    /// How often it is delivered; for readers of the file only.
    #[expect(dead_code, reason = "stated for people, who agree on it with the department")]
    cycle: String,
    /// The forms it was agreed to come in; for readers of the file only.
    #[expect(dead_code, reason = "stated for people; the indexer looks at the bytes instead")]
    form: String,
    #[serde(default)]
    key: Vec<String>,
    period: Option<String>,
    #[serde(default)]
    fixed: bool,
    array: Option<String>,
    #[serde(default)]
    totals: Vec<String>,
    #[serde(rename = "column")]
    columns: Vec<ColumnText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnText {
    name: String,
    headers: Vec<String>,
    kind: String,
    /// A code list of the schema: its codes and labels are understood.
    list: Option<String>,
    /// Words of a list of the contract's own; the place is the value. In a flag, yes comes second.
    #[serde(default)]
    values: Vec<String>,
    /// Other words, and the code or value that each means.
    #[serde(default)]
    also: Vec<(String, String)>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    personal: bool,
    #[serde(default)]
    bytes: usize,
}

/// Reads a contract and checks it against the schema whose lists it uses.
///
/// # Errors
/// [`Error::Contract`].
pub(super) fn parse(text: &str, schema: &Schema) -> Result<Contract> {
    let text: ContractText = toml::from_str(text).map_err(|error| Error::Contract {
        contract: text.lines().next().unwrap_or_default().to_owned(),
        what: error.to_string(),
    })?;
    let wrong = |what: String| Error::Contract { contract: text.id.clone(), what };
    let mut columns = Vec::new();
    for column in text.columns {
        columns.push(parse_column(column, schema).map_err(&wrong)?);
    }
    let place = |name: &String| columns.iter().position(|column| &column.name == name);
    if let Some(name) = text.key.iter().find(|name| place(name).is_none()) {
        return Err(wrong(format!("its key `{name}` is not a column")));
    }
    let period = match &text.period {
        Some(name) => {
            Some(place(name).ok_or_else(|| wrong(format!("its period `{name}` is no column")))?)
        }
        None => None,
    };
    if text.fixed && columns.iter().any(|column| column.bytes == 0) {
        return Err(wrong("a column of a record of fixed width states its bytes".to_owned()));
    }
    Ok(Contract {
        id: text.id,
        label: text.label,
        columns,
        key: text.key,
        period,
        fixed: text.fixed,
        array: text.array,
        totals: text.totals,
    })
}

fn parse_column(text: ColumnText, schema: &Schema) -> std::result::Result<ColumnContract, String> {
    let kind = match text.kind.as_str() {
        "text" => CellKind::Text,
        "id_number" => CellKind::IdNumber,
        "path" => CellKind::Path,
        "code" => CellKind::Code,
        "date" => CellKind::Date,
        "month" => CellKind::Month,
        "money" => CellKind::Money,
        "money_wan" => CellKind::MoneyWan,
        "flag" => CellKind::Flag,
        "int" => CellKind::Int,
        "ignored" => CellKind::Ignored,
        other => return Err(format!("column `{}`: no kind `{other}`", text.name)),
    };
    let mut words = HashMap::new();
    if let Some(name) = &text.list {
        let list = schema.lists.iter().find(|list| &list.name == name);
        let list = list.ok_or_else(|| format!("column `{}`: no list `{name}`", text.name))?;
        for (place, code) in (0..).zip(&list.codes) {
            words.insert(code.label.clone(), place);
            words.insert(code.code.clone(), place);
        }
    }
    words.extend(text.values.iter().cloned().zip(0..));
    for (word, meaning) in &text.also {
        let Some(value) = words.get(meaning).copied() else {
            return Err(format!("column `{}`: `{word}` means no code", text.name));
        };
        words.insert(word.clone(), value);
    }
    if matches!(kind, CellKind::Code | CellKind::Flag) == words.is_empty() {
        return Err(format!("column `{}`: codes and flags, and only they, have words", text.name));
    }
    Ok(ColumnContract {
        name: text.name,
        headers: text.headers,
        kind,
        words,
        required: text.required,
        personal: text.personal,
        bytes: text.bytes,
    })
}
