//! The schema as TOML: what people write, and what the manifest keeps.

use serde::{Deserialize, Serialize};

use super::{Code, CodeList, ColumnSchema, Kind, Level, PathSchema, Schema, TableSchema, wrong};
use crate::error::{Error, Result};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SchemaText {
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label: String,
    path: PathText,
    #[serde(default, rename = "list")]
    lists: Vec<ListText>,
    #[serde(default, rename = "table")]
    tables: Vec<TableText>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PathText {
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label: String,
    levels: Vec<LevelText>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct LevelText {
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label: String,
    digits: u8,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ListText {
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label: String,
    /// The standard that the list is taken from; for readers of the file only.
    #[serde(default, skip_serializing)]
    #[expect(dead_code, reason = "accepted so that a schema can name its sources")]
    source: Option<String>,
    codes: Vec<(String, String, String)>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct TableText {
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    key: String,
    columns: Vec<ColumnText>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ColumnText {
    name: String,
    kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    list: Option<String>,
    #[serde(default)]
    index: bool,
    #[serde(default)]
    personal: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

/// The label, or the name where none was written.
fn labelled(label: String, name: &str) -> String {
    if label.is_empty() { name.to_owned() } else { label }
}

impl Schema {
    /// The schema that a TOML text declares (docs/embedding.md shows one).
    ///
    /// # Errors
    /// [`Error::SchemaText`] when the text is not TOML of that shape, [`Error::Schema`] when it
    /// contradicts itself.
    pub fn from_toml(text: &str) -> Result<Self> {
        let read: SchemaText = toml::from_str(text)
            .map_err(|source| Error::SchemaText { source: Box::new(source) })?;
        let lists: Vec<CodeList> = read.lists.into_iter().map(list).collect();
        let names: Vec<String> = read.tables.iter().map(|t| t.name.clone()).collect();
        let tables = read.tables.into_iter().map(|t| table(t, &names, &lists));
        let path = read.path;
        let schema = Self {
            label: labelled(read.label, &read.name),
            name: read.name,
            path: PathSchema {
                label: labelled(path.label, &path.name),
                name: path.name,
                levels: path.levels.into_iter().map(level).collect(),
            },
            tables: tables.collect::<Result<_>>()?,
            lists,
        };
        schema.check()?;
        Ok(schema)
    }

    /// The schema as TOML; [`Schema::from_toml`] reads it back as the same schema.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let text = SchemaText {
            name: self.name.clone(),
            label: self.label.clone(),
            path: PathText {
                name: self.path.name.clone(),
                label: self.path.label.clone(),
                levels: self.path.levels.iter().map(level_text).collect(),
            },
            lists: self.lists.iter().map(list_text).collect(),
            tables: self.tables.iter().map(|t| self.table_text(t)).collect(),
        };
        toml::to_string(&text).unwrap_or_default()
    }

    fn table_text(&self, table: &TableSchema) -> TableText {
        let parent = table.parent.and_then(|p| self.tables.get(p));
        TableText {
            name: table.name.clone(),
            label: table.label.clone(),
            parent: parent.map(|p| p.name.clone()),
            key: table.columns.get(table.key).map(|c| c.name.clone()).unwrap_or_default(),
            columns: table.columns.iter().map(|c| self.column_text(c)).collect(),
        }
    }

    fn column_text(&self, column: &ColumnSchema) -> ColumnText {
        ColumnText {
            name: column.name.clone(),
            kind: column.kind.word().to_owned(),
            label: column.label.clone(),
            list: column.list.and_then(|l| self.lists.get(l)).map(|l| l.name.clone()),
            index: column.index,
            personal: column.personal,
            unit: column.unit.clone(),
        }
    }
}

fn level(text: LevelText) -> Level {
    Level { label: labelled(text.label, &text.name), name: text.name, digits: text.digits }
}

fn level_text(level: &Level) -> LevelText {
    LevelText { name: level.name.clone(), label: level.label.clone(), digits: level.digits }
}

fn list(text: ListText) -> CodeList {
    let codes = text.codes.into_iter();
    CodeList {
        label: labelled(text.label, &text.name),
        name: text.name,
        codes: codes.map(|(code, name, label)| Code { code, name, label }).collect(),
    }
}

fn list_text(list: &CodeList) -> ListText {
    let codes = list.codes.iter().map(|c| (c.code.clone(), c.name.clone(), c.label.clone()));
    let (name, label) = (list.name.clone(), list.label.clone());
    ListText { name, label, source: None, codes: codes.collect() }
}

fn table(text: TableText, names: &[String], lists: &[CodeList]) -> Result<TableSchema> {
    let parent = match &text.parent {
        None => None,
        Some(parent) => match names.iter().position(|n| n == parent) {
            Some(place) => Some(place),
            None => return Err(wrong("table", &text.name, "its parent is not a table")),
        },
    };
    let columns = text.columns.into_iter().map(|c| column(c, lists)).collect::<Result<Vec<_>>>()?;
    let Some(key) = columns.iter().position(|c| c.name == text.key) else {
        return Err(wrong("table", &text.name, "its key is not one of its columns"));
    };
    Ok(TableSchema {
        label: labelled(text.label, &text.name),
        name: text.name,
        parent,
        key,
        columns,
    })
}

fn column(text: ColumnText, lists: &[CodeList]) -> Result<ColumnSchema> {
    let Some(kind) = Kind::ALL.into_iter().find(|k| k.word() == text.kind) else {
        let kinds = "its kind is flag, code, codes, int, money, date, month, text, id or path";
        return Err(wrong("column", &text.name, kinds));
    };
    let list = match &text.list {
        None => None,
        Some(name) => match lists.iter().position(|l| &l.name == name) {
            Some(place) => Some(place),
            None => return Err(wrong("column", &text.name, "its list is not declared")),
        },
    };
    Ok(ColumnSchema {
        label: labelled(text.label, &text.name),
        name: text.name,
        kind,
        list,
        index: text.index,
        personal: text.personal,
        unit: text.unit,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    const SMALL: &str = r#"
        name = "s"
        [path]
        name = "place"
        levels = [{ name = "north", digits = 2 }, { name = "south", digits = 4 }]
        [[list]]
        name = "colour"
        codes = [["1", "red", "Red"], ["2", "blue", "Blue"]]
        [[table]]
        name = "house"
        key = "id"
        columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" }]
        [[table]]
        name = "room"
        parent = "house"
        key = "id"
        columns = [{ name = "id", kind = "id" }, { name = "wall", kind = "code", list = "colour" }]
    "#;

    #[test]
    fn a_schema_survives_its_own_text() {
        let schema = Schema::from_toml(SMALL).unwrap();
        assert_eq!(Schema::from_toml(&schema.to_toml()).unwrap(), schema);
    }

    #[test]
    fn contradictions_are_named() {
        let check = |from: &str, to: &str, expected: &str| {
            let error = Schema::from_toml(&SMALL.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("parent = \"house\"", "parent = \"tower\"", "its parent is not a table");
        check("digits = 4", "digits = 2", "each level has more digits");
        check("list = \"colour\"", "list = \"taste\"", "its list is not declared");
        check("kind = \"path\"", "kind = \"text\"", "one path column");
        check("[\"2\", \"blue\"", "[\"2\", \"red\"", "stands twice");
        check("name = \"wall\"", "name = \"Wall\"", "a name is a-z");
        let keyed = "name = \"house\"\n        key = ";
        let (before, after) = (format!("{keyed}\"id\""), format!("{keyed}\"place\""));
        check(&before, &after, "its key must be a column of kind `id`");
        let swapped = "{ name = \"place\", kind = \"int\" }, { name = \"spot\", kind = \"path\" }";
        check("{ name = \"place\", kind = \"path\" }", swapped, "is named as the path");
    }
}
