//! Where the tables and columns that case-work touches stand in the registry's schema, and values
//! on their way between JSON and the engine.

use serde_json::Value;
use yiku::limits::TEXT_BYTES_MAX;
use yiku::rows::Cell;
use yiku::schema::{ColumnSchema, Kind};
use yiku::{PathTree, Schema, calendar};

use crate::error::{Error, Result};
use crate::reject::shown;

/// Tables and columns by their place.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) household: Table,
    pub(super) person: Table,
    pub(super) aid: Table,
    pub(super) observation: Table,
    pub(super) warning: Table,
    pub(super) region: usize,
    pub(super) id_number: usize,
    pub(super) sex: usize,
    pub(super) birth_date: usize,
    pub(super) relation: usize,
    pub(super) employment: usize,
    pub(super) aid_kind: usize,
    pub(super) aid_start: usize,
    pub(super) aid_end: usize,
    pub(super) aid_amount: usize,
    /// The codes of employment that are work.
    pub(super) in_work: [i64; 3],
}

/// A table and its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) place: usize,
    pub(super) key: usize,
}

impl Places {
    /// Looks everything up.
    ///
    /// # Errors
    /// [`Error::Contract`] when the database is no registry.
    pub(super) fn new(schema: &Schema) -> Result<Places> {
        let wrong = |what: String| Error::Contract { contract: "registry".to_owned(), what };
        let table = |name: &str| {
            let place = schema.table_index(name);
            let place = place.ok_or_else(|| wrong(format!("no table `{name}`")))?;
            let key = schema.tables.get(place).map_or(0, |table| table.key);
            Ok::<Table, Error>(Table { place, key })
        };
        let column = |table: Table, name: &str| {
            let found = schema.tables.get(table.place).and_then(|t| t.column_index(name));
            found.ok_or_else(|| wrong(format!("no column `{name}`")))
        };
        let work = |name: &str| {
            let list = schema.lists.iter().find(|list| list.name == "employment");
            let found = list.and_then(|list| list.find(name)).map(i64::from);
            found.ok_or_else(|| wrong(format!("no code `{name}`")))
        };
        let (household, person, aid) = (table("household")?, table("person")?, table("aid")?);
        Ok(Places {
            household,
            person,
            aid,
            observation: table("observation")?,
            warning: table("warning")?,
            region: schema.path_column(),
            id_number: column(person, "id_number")?,
            sex: column(person, "sex")?,
            birth_date: column(person, "birth_date")?,
            relation: column(person, "relation")?,
            employment: column(person, "employment")?,
            aid_kind: column(aid, "kind")?,
            aid_start: column(aid, "start")?,
            aid_end: column(aid, "end")?,
            aid_amount: column(aid, "amount")?,
            in_work: [work("in_work")?, work("flexible")?, work("public_post")?],
        })
    }
}

/// The value that a column stores for one in JSON.
///
/// # Errors
/// What is wrong, and what would be right; what stands in a personal column is not repeated.
pub(super) fn cell(
    schema: &Schema,
    tree: &PathTree,
    column: &ColumnSchema,
    value: &Value,
) -> std::result::Result<Cell, String> {
    let list = column.list.and_then(|list| schema.lists.get(list));
    let place = |text: &str| list.and_then(|list| list.find(text)).map(i64::from);
    let found = match (column.kind, value) {
        (_, Value::Null) => return Ok(Cell::Unknown),
        (Kind::Text | Kind::Id, Value::String(text)) if text.len() <= TEXT_BYTES_MAX => {
            return Ok(Cell::Text(text.clone()));
        }
        (Kind::Flag, Value::Bool(flag)) => Some(i64::from(*flag)),
        (Kind::Int | Kind::Money, Value::Number(number)) => number.as_i64(),
        (Kind::Code, Value::String(text)) => place(text),
        (Kind::Codes, Value::Array(codes)) => codes
            .iter()
            .try_fold(0, |bits, code| code.as_str().and_then(place).map(|place| bits | 1 << place)),
        (Kind::Date, Value::String(text)) => calendar::parse_date(text),
        (Kind::Month, Value::String(text)) => calendar::parse_month(text),
        (Kind::Path, Value::String(text)) => {
            tree.find(text).and_then(|node| i64::try_from(node.code).ok())
        }
        _ => None,
    };
    found.map(Cell::Int).ok_or_else(|| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = shown(&value, column.personal);
        let right = match (column.kind, list) {
            (Kind::Text | Kind::Id, _) => format!("a text of at most {TEXT_BYTES_MAX} bytes"),
            (Kind::Flag, _) => "true or false".to_owned(),
            (Kind::Int, _) => "a whole number".to_owned(),
            (Kind::Money, _) => "a whole number of fen".to_owned(),
            (Kind::Date, _) => "a day such as 2026-10-31".to_owned(),
            (Kind::Month, _) => "a month such as 2026-10".to_owned(),
            (Kind::Path, _) => "the code of a place in the tree".to_owned(),
            (Kind::Code, list) => format!("a code of the list `{}`", list_name(list)),
            (Kind::Codes, list) => format!("a list of codes of `{}`", list_name(list)),
        };
        format!("`{value}` is not {right}")
    })
}

fn list_name(list: Option<&yiku::schema::CodeList>) -> &str {
    list.map_or("", |list| list.name.as_str())
}

/// A stored value in JSON: what [`cell`] reads back.
pub(super) fn json(schema: &Schema, column: &ColumnSchema, cell: &Cell) -> Value {
    let number = match cell {
        Cell::Unknown => return Value::Null,
        Cell::Text(text) => return Value::String(text.clone()),
        Cell::Int(number) => *number,
    };
    let list = column.list.and_then(|list| schema.lists.get(list));
    let code = |place: i64| {
        let code = usize::try_from(place).ok().and_then(|place| list?.codes.get(place));
        Value::String(code.map_or_else(|| place.to_string(), |code| code.code.clone()))
    };
    match column.kind {
        Kind::Flag => Value::Bool(number == 1),
        Kind::Code => code(number),
        Kind::Codes => Value::Array((0..63).filter(|n| number >> n & 1 == 1).map(code).collect()),
        Kind::Date => Value::String(calendar::date_text(number)),
        Kind::Month => Value::String(calendar::month_text(number)),
        Kind::Path => {
            let digits = usize::from(schema.path.digits());
            Value::String(format!("{number:0digits$}"))
        }
        Kind::Int | Kind::Money | Kind::Text | Kind::Id => Value::from(number),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use serde_json::json;
    use yiku::schema::PathNode;

    use super::*;

    #[test]
    fn values_come_back_as_they_were_and_wrong_ones_are_told() {
        let schema = crate::registry_schema().unwrap();
        let node = PathNode { code: 140_000_000_000, level: 0, name: "x".into() };
        let tree = PathTree::new(&schema.path, vec![node]).unwrap();
        let column = |table: &str, name: &str| {
            let table = schema.tables.get(schema.table_index(table).unwrap()).unwrap();
            table.columns.get(table.column_index(name).unwrap()).unwrap()
        };
        for (table, name, value) in [
            ("household", "region", json!("140000000000")),
            ("household", "urban", json!(true)),
            ("household", "income", json!(-120_050)),
            ("household", "discovered_by", json!("3")),
            ("household", "discovered_on", json!("2026-10-31")),
            ("person", "tags", json!(["01", "12"])),
            ("person", "name", json!("张三")),
            ("observation", "month", json!("2026-10")),
            ("person", "sex", Value::Null),
        ] {
            let column = column(table, name);
            let cell = cell(&schema, &tree, column, &value).unwrap();
            assert_eq!(json(&schema, column, &cell), value, "{name}");
        }
        for (table, name, value, told) in [
            ("household", "region", json!("150000000000"), "`150000000000` is not the code of"),
            ("household", "urban", json!(1), "`1` is not true or false"),
            ("household", "income", json!(12.5), "`12.5` is not a whole number of fen"),
            ("household", "income", json!("12"), "fen"),
            ("household", "cause", json!("8"), "not a code of the list `cause`"),
            ("household", "discovered_on", json!("2026-02-30"), "not a day such as"),
            ("person", "tags", json!(["01", "77"]), "not a list of codes of `tags`"),
            ("person", "sex", json!(1), "not a code of the list `sex`"),
        ] {
            let error = cell(&schema, &tree, column(table, name), &value).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        let error = cell(&schema, &tree, column("person", "name"), &json!(12_345_678)).unwrap_err();
        assert!(!error.contains("345"), "{error}");
    }
}
