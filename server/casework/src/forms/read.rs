//! Reads the definitions of forms and checks that they fit together.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Field, FieldKind, Form, Forms, List, Part, Text, When};

/// Fen a household never has: 100 billion yuan.
const MONEY_MAX: i64 = 9_999_999_999_999;
const INT_MAX: i64 = 1_000_000;
const TEXT_MAX: i64 = 200;
const LONG_TEXT_MAX: i64 = 2000;
const FILES_MAX: i64 = 20;
const ENTRIES_MAX: usize = 30;

const FIELDS: &str = include_str!("../../forms/fields.toml");
const LISTS: &str = include_str!("../../forms/lists.toml");
const FORMS: &[(&str, &str)] = &[
    ("assessment", include_str!("../../forms/assessment.toml")),
    ("application", include_str!("../../forms/application.toml")),
    ("declaration", include_str!("../../forms/declaration.toml")),
    ("change", include_str!("../../forms/change.toml")),
    ("report", include_str!("../../forms/report.toml")),
    ("survey", include_str!("../../forms/survey.toml")),
    ("authorisation", include_str!("../../forms/authorisation.toml")),
];

/// Why definitions of forms cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// A file is not TOML of the expected shape.
    #[error("definition `{file}` cannot be read")]
    Read {
        /// The file.
        file: String,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// Something is named that is declared nowhere.
    #[error("definition `{file}` names {what} `{name}`, which is not declared")]
    Unknown {
        /// The file.
        file: String,
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A field lacks the list its kind needs, or has one it cannot use.
    #[error("definition `{file}`: field `{name}` must have a list if and only if it holds codes")]
    List {
        /// The file.
        file: String,
        /// The field.
        name: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldsFile {
    block: Vec<BlockText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockText {
    name: String,
    label: Text,
    help: Option<Text>,
    #[serde(default)]
    repeats: bool,
    min: Option<usize>,
    max: Option<usize>,
    title: Option<String>,
    #[serde(default)]
    unique: Vec<String>,
    fields: Vec<FieldText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldText {
    name: String,
    kind: FieldKind,
    label: Text,
    list: Option<String>,
    mask: Option<String>,
    column: Option<String>,
    help: Option<Text>,
    unit: Option<Text>,
    when: Option<When>,
    min: Option<i64>,
    max: Option<i64>,
    #[serde(default)]
    agree: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormText {
    name: String,
    label: Text,
    part: Vec<PartText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartText {
    block: String,
    label: Option<Text>,
    section: Option<Text>,
    fields: Vec<String>,
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    any_of: Vec<Vec<String>>,
    when: Option<When>,
    #[serde(default)]
    digits: Vec<usize>,
}

/// The definitions built into the program.
pub(super) fn built_in() -> Result<Forms, FormError> {
    read(FIELDS, LISTS, FORMS)
}

/// Forms from the text of their files; each form is given with the name of its file.
pub(super) fn read(fields: &str, lists: &str, forms: &[(&str, &str)]) -> Result<Forms, FormError> {
    let fields: FieldsFile = toml_of("fields", fields)?;
    let lists: BTreeMap<String, List> = toml_of("lists", lists)?;
    for block in &fields.block {
        for field in &block.fields {
            let holds_codes = matches!(field.kind, FieldKind::Code | FieldKind::Codes);
            if holds_codes != field.list.is_some() {
                let name = format!("{}.{}", block.name, field.name);
                return Err(FormError::List { file: "fields".to_owned(), name });
            }
            if let Some(list) = field.list.as_ref().filter(|list| !lists.contains_key(*list)) {
                return Err(unknown("fields", "list", list));
            }
        }
        for name in block.unique.iter().chain(&block.title) {
            known(block, name, "fields")?;
        }
    }
    let forms = forms.iter().map(|(file, text)| form(file, text, &fields, &lists));
    Ok(Forms { forms: forms.collect::<Result<_, _>>()?, lists })
}

fn form(
    file: &str,
    text: &str,
    fields: &FieldsFile,
    lists: &BTreeMap<String, List>,
) -> Result<Form, FormError> {
    let text: FormText = toml_of(file, text)?;
    let asked: Vec<(String, String)> = text
        .part
        .iter()
        .flat_map(|part| part.fields.iter().map(|field| (part.block.clone(), field.clone())))
        .collect();
    let mut parts: Vec<Part> = Vec::new();
    for part in &text.part {
        let block = fields.block.iter().find(|block| block.name == part.block);
        let block = block.ok_or_else(|| unknown(file, "block", &part.block))?;
        let mut part = part_of(file, part, block, &asked)?;
        part.adds = block.repeats && !parts.iter().any(|earlier| earlier.name == part.name);
        parts.push(part);
    }
    let used = parts.iter().flat_map(|part| part.fields.iter().filter_map(|f| f.list.clone()));
    let lists = used.filter_map(|name| Some((name.clone(), lists.get(&name)?.clone()))).collect();
    Ok(Form { name: text.name, label: text.label, parts, lists })
}

fn part_of(
    file: &str,
    part: &PartText,
    block: &BlockText,
    asked: &[(String, String)],
) -> Result<Part, FormError> {
    let is_asked = |when: &When| {
        let (near, name) = when.field.split_once('.').unwrap_or((&part.block, &when.field));
        asked.iter().any(|(block, field)| block == near && field == name)
    };
    for name in part.required.iter().chain(part.any_of.iter().flatten()) {
        if !part.fields.contains(name) {
            return Err(unknown(file, "field", name));
        }
    }
    if let Some(when) = part.when.as_ref().filter(|when| !is_asked(when)) {
        return Err(unknown(file, "field", &when.field));
    }
    let mut fields = Vec::new();
    for name in &part.fields {
        let text = known(block, name, file)?;
        let required = part.required.contains(name);
        // A condition on what this form does not ask would hide the field for good.
        fields.push(field_of(text, required, text.when.clone().filter(is_asked)));
    }
    Ok(Part {
        name: part.block.clone(),
        label: part.label.clone().unwrap_or_else(|| block.label.clone()),
        section: part.section.clone(),
        help: block.help.clone(),
        repeats: block.repeats,
        adds: false,
        min: block.min.unwrap_or(0),
        max: block.max.unwrap_or(if block.repeats { ENTRIES_MAX } else { 1 }),
        title: block
            .title
            .clone()
            .filter(|name| asked.contains(&(part.block.clone(), name.clone()))),
        when: part.when.clone(),
        any_of: part.any_of.clone(),
        digits: if part.digits.is_empty() { vec![6, 9, 12] } else { part.digits.clone() },
        unique: block.unique.clone(),
        fields,
    })
}

fn field_of(text: &FieldText, required: bool, when: Option<When>) -> Field {
    let usual = match text.kind {
        FieldKind::Text => Some(TEXT_MAX),
        FieldKind::LongText => Some(LONG_TEXT_MAX),
        FieldKind::Money => Some(MONEY_MAX),
        FieldKind::Int => Some(INT_MAX),
        FieldKind::Files => Some(FILES_MAX),
        _ => None,
    };
    Field {
        name: text.name.clone(),
        kind: text.kind,
        label: text.label.clone(),
        required,
        list: text.list.clone(),
        mask: text.mask.clone(),
        column: text.column.clone(),
        help: text.help.clone(),
        unit: text.unit.clone(),
        when,
        min: text.min,
        max: text.max.or(usual),
        agree: text.agree,
    }
}

fn known<'a>(block: &'a BlockText, name: &str, file: &str) -> Result<&'a FieldText, FormError> {
    let field = block.fields.iter().find(|field| field.name == name);
    field.ok_or_else(|| unknown(file, "field", &format!("{}.{name}", block.name)))
}

fn unknown(file: &str, what: &'static str, name: &str) -> FormError {
    FormError::Unknown { file: file.to_owned(), what, name: name.to_owned() }
}

fn toml_of<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, FormError> {
    toml::from_str(text)
        .map_err(|source| FormError::Read { file: file.to_owned(), source: Box::new(source) })
}
