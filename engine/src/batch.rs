//! Rows on their way to one commit, kept column by column.
//!
//! Invariants: a row belongs to the last row of its parent's table, so that the rows beneath a
//! row stand together in every table; a value that does not fit its column never enters.

use std::ops::Range;
use std::sync::Arc;

use crate::calendar;
use crate::error::{Error, Result};
use crate::limits::{BATCH_ROWS_MAX, TEXT_BYTES_MAX};
use crate::path::PathTree;
use crate::schema::{ColumnSchema, Kind, Schema};

/// A value on its way into a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// No value.
    Unknown,
    /// A flag.
    Bool(bool),
    /// What the column stores: see [`Kind`].
    Int(i64),
    /// A text; for a column that is not of text, the value as people write it: a code or its
    /// name (several between semicolons in a set), a place's code of any level, `true`, `120.50`,
    /// `2026-10-31`, `2026-10`.
    Text(&'a str),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Into::into)
    }
}

impl Value<'_> {
    fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Bool(_) => "a flag",
            Self::Int(_) => "an integer out of its range",
            Self::Text(_) => "this text",
        }
    }
}

/// One column of a table in a batch; it may be shorter than the table, the rest is unknown.
#[derive(Debug, Default, Clone)]
pub(crate) struct BatchColumn {
    /// The stored integers; of texts, the start in `texts` and the length in the low 16 bits.
    pub(crate) values: Vec<i64>,
    pub(crate) known: Vec<u64>,
    pub(crate) texts: String,
}

/// Bits of the length of a text beside its start.
pub(crate) const LENGTH_BITS: u32 = 16;
const _: () = assert!(TEXT_BYTES_MAX < 1 << LENGTH_BITS);

impl BatchColumn {
    fn put(&mut self, row: usize, value: Option<i64>) {
        let known = value.is_some();
        if self.values.len() <= row {
            if !known {
                return;
            }
            self.values.resize(row + 1, 0);
            self.known.resize(row / 64 + 1, 0);
        }
        if let Some(slot) = self.values.get_mut(row) {
            *slot = value.unwrap_or(0);
        }
        if let Some(word) = self.known.get_mut(row / 64) {
            *word = *word & !(1 << (row % 64)) | u64::from(known) << (row % 64);
        }
    }

    fn put_text(&mut self, row: usize, text: &str) {
        let start = i64::try_from(self.texts.len()).unwrap_or(i64::MAX >> LENGTH_BITS);
        let length = i64::try_from(text.len()).unwrap_or(0);
        self.texts.push_str(text);
        self.put(row, Some(start << LENGTH_BITS | length));
    }

    /// The stored integer of a row.
    pub(crate) fn integer(&self, row: u32) -> Option<i64> {
        let row = row as usize;
        let known = self.known.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1);
        if known { self.values.get(row).copied() } else { None }
    }

    /// The text of a row.
    pub(crate) fn text(&self, row: u32) -> Option<&str> {
        let span = self.integer(row)?;
        let start = usize::try_from(span >> LENGTH_BITS).ok()?;
        let length = usize::try_from(span & ((1 << LENGTH_BITS) - 1)).ok()?;
        self.texts.get(start..start + length)
    }
}

/// The rows of one table in a batch.
#[derive(Debug, Default, Clone)]
pub(crate) struct BatchTable {
    pub(crate) rows: u32,
    pub(crate) columns: Vec<BatchColumn>,
    /// For every row of the parent's table, where its rows begin in this one.
    pub(crate) starts: Vec<u32>,
}

impl BatchTable {
    /// The rows beneath a row of the parent's table.
    pub(crate) fn beneath(&self, parent: u32) -> Range<u32> {
        let at = |place: usize| self.starts.get(place).copied().unwrap_or(self.rows);
        at(parent as usize)..at(parent as usize + 1)
    }
}

/// Rows on their way to one commit.
#[derive(Debug, Clone)]
pub struct Batch {
    schema: Arc<Schema>,
    tree: Arc<PathTree>,
    pub(crate) children: Arc<Vec<Vec<usize>>>,
    pub(crate) tables: Vec<BatchTable>,
}

impl Batch {
    /// An empty batch of a schema and its tree of places. A writer takes it when they are those of
    /// its database; [`crate::Writer::batch`] gives one that is.
    #[must_use]
    pub fn new(schema: Arc<Schema>, tree: Arc<PathTree>) -> Self {
        let children = (0..schema.tables.len()).map(|table| schema.children(table)).collect();
        let tables = schema.tables.iter().map(|table| BatchTable {
            columns: vec![BatchColumn::default(); table.columns.len()],
            ..BatchTable::default()
        });
        let tables = tables.collect();
        Self { schema, tree, children: Arc::new(children), tables }
    }

    /// Begins a row of the named table, beneath the last row of its parent's table.
    ///
    /// # Errors
    /// [`Error::UnknownTable`], [`Error::Orphan`] when there is no row above yet, [`Error::Limit`].
    pub fn row(&mut self, table: &str) -> Result<RowBuilder<'_>> {
        let place = self.schema.table_index(table);
        self.push(place.ok_or_else(|| Error::UnknownTable { table: table.to_owned() })?)
    }

    /// Begins a row of a table by its place in the schema, as [`Batch::row`] does.
    ///
    /// # Errors
    /// As [`Batch::row`].
    pub fn push(&mut self, table: usize) -> Result<RowBuilder<'_>> {
        let Some(declared) = self.schema.tables.get(table) else {
            return Err(Error::UnknownTable { table: table.to_string() });
        };
        if let Some(parent) = declared.parent
            && self.tables.get(parent).is_none_or(|t| t.rows == 0)
        {
            let name = self.schema.tables.get(parent).map(|t| t.name.clone());
            let (table, parent) = (declared.name.clone(), name.unwrap_or_default());
            return Err(Error::Orphan { table, parent });
        }
        let row = self.tables.get(table).map_or(0, |t| t.rows);
        if row as usize >= BATCH_ROWS_MAX {
            let (found, limit) = (u64::from(row) + 1, BATCH_ROWS_MAX as u64);
            return Err(Error::Limit { what: "rows of one batch in one table", found, limit });
        }
        self.grow(table, 1);
        Ok(RowBuilder { batch: self, table, row })
    }

    /// Adds rows of a table, as yet without values and without rows beneath.
    pub(crate) fn grow(&mut self, table: usize, rows: u32) {
        for child in self.children.get(table).into_iter().flatten() {
            if let Some(child) = self.tables.get_mut(*child) {
                let starts = child.starts.len() + rows as usize;
                child.starts.resize(starts, child.rows);
            }
        }
        if let Some(own) = self.tables.get_mut(table) {
            own.rows += rows;
        }
    }

    /// How many rows of a table the batch has.
    #[must_use]
    pub fn rows(&self, table: usize) -> usize {
        self.tables.get(table).map_or(0, |t| t.rows as usize)
    }

    /// Whether the batch has no root row, and so no row at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows(0) == 0
    }

    /// How many rows all tables have.
    pub(crate) fn all_rows(&self) -> usize {
        self.tables.iter().map(|table| table.rows as usize).sum()
    }

    /// Bytes of its values, about.
    pub(crate) fn size_bytes(&self) -> usize {
        let columns = self.tables.iter().flat_map(|table| &table.columns);
        columns.map(|column| column.values.len() * 8 + column.texts.len()).sum()
    }

    pub(crate) fn table(&self, table: usize) -> Option<&BatchTable> {
        self.tables.get(table)
    }

    pub(crate) fn column(&self, table: usize, column: usize) -> Option<&BatchColumn> {
        self.tables.get(table).and_then(|t| t.columns.get(column))
    }

    /// The schema that it was begun for.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    pub(crate) fn tree(&self) -> &Arc<PathTree> {
        &self.tree
    }
}

/// One row of a batch, to be given values; what is not given is unknown.
#[derive(Debug)]
pub struct RowBuilder<'a> {
    batch: &'a mut Batch,
    table: usize,
    row: u32,
}

impl RowBuilder<'_> {
    /// Gives the named column a value.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`], and as [`RowBuilder::put`].
    pub fn set<'v>(mut self, column: &str, value: impl Into<Value<'v>>) -> Result<Self> {
        let table = self.batch.schema.tables.get(self.table);
        let Some(place) = table.and_then(|t| t.column_index(column)) else {
            let table = table.map(|t| t.name.clone()).unwrap_or_default();
            return Err(Error::UnknownColumn { table, column: column.to_owned() });
        };
        self.put(place, value.into())?;
        Ok(self)
    }

    /// Gives a column, by its place in the schema, a value.
    ///
    /// # Errors
    /// [`Error::WrongType`], [`Error::UnknownCode`], [`Error::UnknownPath`] when the value does
    /// not fit the column: the row then has no value there; [`Error::Limit`] on a long text.
    pub fn put(&mut self, column: usize, value: Value<'_>) -> Result<()> {
        let Batch { schema, tree, tables, .. } = &mut *self.batch;
        let declared = schema.tables.get(self.table).and_then(|t| t.columns.get(column));
        let slot = tables.get_mut(self.table).and_then(|t| t.columns.get_mut(column));
        let (Some(declared), Some(slot)) = (declared, slot) else {
            let table = schema.tables.get(self.table).map(|t| t.name.clone()).unwrap_or_default();
            return Err(Error::UnknownColumn { table, column: column.to_string() });
        };
        let row = self.row as usize;
        if declared.kind.is_text() {
            match value {
                Value::Unknown => slot.put(row, None),
                Value::Text(text) if text.len() <= TEXT_BYTES_MAX => slot.put_text(row, text),
                Value::Text(text) => {
                    let (found, limit) = (text.len() as u64, TEXT_BYTES_MAX as u64);
                    return Err(Error::Limit { what: "bytes of a text value", found, limit });
                }
                other => return Err(wrong_type(declared, other)),
            }
            return Ok(());
        }
        slot.put(row, stored(schema, tree, declared, value)?);
        Ok(())
    }
}

pub(crate) fn wrong_type(column: &ColumnSchema, value: Value<'_>) -> Error {
    let (column, expected) = (column.name.clone(), column.kind);
    Error::WrongType { column, expected, found: value.word() }
}

/// The integer that a column of integers stores for a value.
pub(crate) fn stored(
    schema: &Schema,
    tree: &PathTree,
    column: &ColumnSchema,
    value: Value<'_>,
) -> Result<Option<i64>> {
    let list = || column.list.and_then(|l| schema.lists.get(l));
    let size = || list().map_or(0, |l| l.codes.len());
    let found = match (column.kind, value) {
        (_, Value::Unknown) => return Ok(None),
        (Kind::Flag, Value::Bool(flag)) => Some(i64::from(flag)),
        (Kind::Flag, Value::Int(value)) => (0..=1).contains(&value).then_some(value),
        (Kind::Code, Value::Int(place)) => {
            usize::try_from(place).is_ok_and(|p| p < size()).then_some(place)
        }
        (Kind::Codes, Value::Int(bits)) => {
            (bits >= 0 && bits.checked_shr(as_u32(size())).unwrap_or(0) == 0).then_some(bits)
        }
        (Kind::Path, Value::Int(code)) => {
            let node = u64::try_from(code).ok().and_then(|code| tree.get(code));
            let Some(_) = node else { return Err(Error::UnknownPath { code: code.to_string() }) };
            Some(code)
        }
        (_, Value::Int(value)) => Some(value),
        (Kind::Code | Kind::Codes, Value::Text(text)) => {
            let set = column.kind == Kind::Codes;
            let mut bits = 0;
            for part in if set { text.split(';').collect() } else { vec![text] } {
                let Some(place) = list().and_then(|l| l.find(part.trim())) else {
                    return Err(Error::UnknownCode {
                        column: column.name.clone(),
                        value: part.to_owned(),
                        list: list().map(|l| l.name.clone()).unwrap_or_default(),
                    });
                };
                bits = if set { bits | 1 << place } else { i64::from(place) };
            }
            Some(bits)
        }
        (Kind::Path, Value::Text(text)) => match tree.find(text) {
            Some(node) => i64::try_from(node.code).ok(),
            None => return Err(Error::UnknownPath { code: text.to_owned() }),
        },
        (kind, Value::Text(text)) => plain(kind, text),
        (_, Value::Bool(_)) => None,
    };
    found.map(Some).ok_or_else(|| wrong_type(column, value))
}

fn as_u32(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// A value that needs neither list nor tree, from what people write.
fn plain(kind: Kind, text: &str) -> Option<i64> {
    match kind {
        Kind::Flag => match text {
            "true" | "1" => Some(1),
            "false" | "0" => Some(0),
            _ => None,
        },
        Kind::Int => text.parse().ok(),
        Kind::Money => money(text),
        Kind::Date => calendar::parse_date(text),
        Kind::Month => calendar::parse_month(text),
        _ => None,
    }
}

/// `-120.5` in hundredths, without a float on the way.
fn money(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let numeric = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !numeric(whole) || !numeric(part) || part.len() > 2 {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    let amount = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part)?;
    Some(if negative { -amount } else { amount })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;
    use crate::path::PathNode;

    fn batch() -> Batch {
        let schema = Schema::from_toml(
            r#"name = "s"
            [path]
            name = "place"
            levels = [{ name = "district", digits = 2 }]
            [[list]]
            name = "colour"
            codes = [["1", "red", "Red"], ["2", "blue", "Blue"]]
            [[table]]
            name = "house"
            key = "id"
            columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
                { name = "wall", kind = "code", list = "colour" },
                { name = "lights", kind = "codes", list = "colour" },
                { name = "lived_in", kind = "flag" }, { name = "rent", kind = "money" },
                { name = "built", kind = "date" }, { name = "seen", kind = "month" },
                { name = "steps", kind = "int" }]
            [[table]]
            name = "room"
            parent = "house"
            key = "id"
            columns = [{ name = "id", kind = "id" }]"#,
        )
        .unwrap();
        let node = PathNode { code: 11, level: 0, name: "North".into() };
        let tree = PathTree::new(&schema.path, vec![node]).unwrap();
        Batch::new(Arc::new(schema), Arc::new(tree))
    }

    #[test]
    fn values_are_read_as_people_write_them() {
        for (column, text, stored) in [
            ("place", "11", Some(11)),
            ("place", "12", None),
            ("wall", "red", Some(0)),
            ("wall", "2", Some(1)),
            ("wall", "green", None),
            ("lights", "red;blue", Some(3)),
            ("lights", "red;", None),
            ("lived_in", "true", Some(1)),
            ("lived_in", "yes", None),
            ("rent", "120.5", Some(12_050)),
            ("rent", "-0.05", Some(-5)),
            ("rent", "1.234", None),
            ("rent", "1e3", None),
            ("rent", "92233720368547758.07", Some(i64::MAX)),
            ("rent", "92233720368547758.08", None),
            ("built", "2026-10-31", Some(20_757)),
            ("built", "2026-02-30", None),
            ("seen", "2026-10", Some(2026 * 12 + 9)),
            ("steps", "-7", Some(-7)),
        ] {
            let mut batch = batch();
            let place = batch.schema.tables[0].column_index(column).unwrap();
            let found = batch.row("house").unwrap().set(column, text).map(|_| ());
            assert_eq!(found.is_ok(), stored.is_some(), "{column} {text}");
            assert_eq!(batch.column(0, place).unwrap().integer(0), stored, "{column} {text}");
        }
    }

    #[test]
    fn stored_values_are_checked() {
        for (column, value, good) in [
            ("wall", 1, true),
            ("wall", 2, false),
            ("wall", -1, false),
            ("lights", 3, true),
            ("lights", 4, false),
            ("lights", -1, false),
            ("lived_in", 2, false),
            ("place", 12, false),
            ("steps", i64::MIN, true),
        ] {
            let found = batch().row("house").unwrap().set(column, value).is_ok();
            assert_eq!(found, good, "{column} {value}");
        }
        assert!(batch().row("house").unwrap().set("steps", true).is_err());
        assert!(batch().row("house").unwrap().set("id", 7).is_err());
    }

    #[test]
    fn rows_beneath_a_row_stand_together() {
        let mut batch = batch();
        assert!(matches!(batch.row("room"), Err(Error::Orphan { .. })));
        for rooms in [2, 0, 3] {
            batch.row("house").unwrap().set("id", "h").unwrap();
            for _ in 0..rooms {
                batch.row("room").unwrap();
            }
        }
        let rooms = batch.table(1).unwrap();
        assert_eq!([0, 1, 2].map(|house| rooms.beneath(house)), [0..2, 2..2, 2..5]);
        assert_eq!((batch.rows(0), batch.rows(1)), (3, 5));
    }
}
