//! One bundle of any schema, given as JSON: a root row with its columns by name, and the rows of
//! each table beneath it as a list under the table's name.
//!
//! Codes are written by their names or codes, days and months as text, money in yuan, as a number
//! or a text; a flag is `true` or `false`. What is absent, `null` or an empty text is unknown.
//! Nothing is guessed: a name that is not known, a field that stands twice and a value that does
//! not fit are errors with their path.

use std::collections::BTreeSet;

use yiku::limits::TEXT_BYTES_MAX;
use yiku::schema::{ColumnSchema, Kind};
use yiku::{PathTree, Schema, calendar};

use super::document::Document;
use super::rows::{Cell, Rows};
use super::{Error, Result};
use crate::check::digits_range;
use crate::nearest::nearest;
use crate::numbers::literal;

/// Bytes of a bundle.
const BYTES_MAX: usize = 1 << 20;
/// Rows of a bundle, all tables together.
const ROWS_MAX: usize = 4_096;
/// Digits that a float of 64 bits keeps.
const FLOAT_DIGITS_MAX: usize = 15;

/// Reads a bundle.
///
/// # Errors
/// [`Error::Bundle`] with the path of the first thing that is wrong.
pub(super) fn read(schema: &Schema, tree: Option<&PathTree>, text: &str) -> Result<Rows> {
    let root = schema.tables.first().map_or("household", |table| table.name.as_str());
    if text.len() > BYTES_MAX {
        let (bytes, most) = (text.len(), BYTES_MAX);
        return Err(wrong(root, format!("it has {bytes} bytes; the limit is {most}")));
    }
    let document: Document = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| wrong(root, format!("it is no JSON: {error}")))?;
    let rows = Rows::new(schema);
    let mut reader = Reader { schema, tree, rows, count: 1, keys: BTreeSet::new() };
    reader.row(0, 0, "", &document)?;
    Ok(reader.rows)
}

struct Reader<'a> {
    schema: &'a Schema,
    tree: Option<&'a PathTree>,
    rows: Rows,
    count: usize,
    /// Table and key of every row.
    keys: BTreeSet<(usize, String)>,
}

fn wrong(path: &str, what: impl Into<String>) -> Error {
    Error::Bundle { path: path.to_owned(), what: what.into(), suggestion: None }
}

/// A field of a row, as a path.
fn field(row: &str, name: &str) -> String {
    if row.is_empty() { name.to_owned() } else { format!("{row}.{name}") }
}

impl Reader<'_> {
    fn row(&mut self, table: usize, row: usize, path: &str, document: &Document) -> Result<()> {
        let Some(declared) = self.schema.tables.get(table) else { return Ok(()) };
        let here = if path.is_empty() { declared.name.as_str() } else { path };
        let Document::Object(fields) = document else {
            let what = format!("expected an object of the columns of {}", declared.name);
            return Err(wrong(here, format!("{what}, found {}", document.word())));
        };
        let children = self.schema.children(table);
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for (name, value) in fields {
            let at = field(path, name);
            if !seen.insert(name) {
                return Err(wrong(&at, "it stands twice"));
            }
            let column = declared.column_index(name);
            let named = |t: &usize| self.schema.tables.get(*t).is_some_and(|t| t.name == *name);
            let child = children.iter().copied().find(named);
            match (column, child) {
                (Some(column), None) => self.column((table, row, column), &at, value)?,
                (Some(column), Some(child)) => match value {
                    Document::List(list) if matches!(list.first(), Some(Document::Object(_))) => {
                        self.beneath(child, row, &at, value)?;
                    }
                    _ => self.column((table, row, column), &at, value)?,
                },
                (None, Some(child)) => self.beneath(child, row, &at, value)?,
                (None, None) => return Err(self.unknown(table, &at, name)),
            }
        }
        Ok(())
    }

    fn unknown(&self, table: usize, path: &str, name: &str) -> Error {
        let declared = self.schema.tables.get(table);
        let own = declared.map_or("", |t| t.name.as_str());
        let columns = declared.into_iter().flat_map(|t| &t.columns).map(|c| c.name.as_str());
        let table_name = |t: usize| self.schema.tables.get(t).map_or("", |t| t.name.as_str());
        let children: Vec<usize> = self.schema.children(table);
        let tables = children.iter().map(|t| table_name(*t));
        let known = self.schema.table_index(name).filter(|found| *found != table);
        let parent = known.and_then(|t| self.schema.tables.get(t)?.parent);
        let has = |t: &yiku::schema::TableSchema| t.column_index(name).is_some();
        let elsewhere = self.schema.tables.iter().find(|t| has(t));
        let (what, suggestion) = match (parent, elsewhere) {
            (Some(parent), _) => {
                (format!("rows of {name} stand beneath {}, not {own}", table_name(parent)), None)
            }
            (None, Some(other)) => {
                (format!("{name} is a column of {}, not of {own}", other.name), None)
            }
            (None, None) => (
                format!("{own} has no column and no table beneath it of this name"),
                nearest(name, columns.chain(tables)),
            ),
        };
        Error::Bundle { path: path.to_owned(), what, suggestion }
    }

    /// The rows of a table beneath one row.
    fn beneath(&mut self, table: usize, parent: usize, path: &str, value: &Document) -> Result<()> {
        let list = match value {
            Document::Null => return Ok(()),
            Document::List(list) => list,
            other => {
                let what = format!("expected a list of rows, found {}", other.word());
                return Err(wrong(path, what));
            }
        };
        self.count += list.len();
        if self.count > ROWS_MAX {
            let what = format!("the rows are {} with these; the limit is {ROWS_MAX}", self.count);
            return Err(wrong(path, what));
        }
        for (place, document) in list.iter().enumerate() {
            let row = self.rows.add(self.schema, table, parent);
            self.row(table, row, &format!("{path}[{place}]"), document)?;
        }
        Ok(())
    }

    fn column(
        &mut self,
        (table, row, place): (usize, usize, usize),
        path: &str,
        value: &Document,
    ) -> Result<()> {
        let declared = self.schema.tables.get(table);
        let Some(column) = declared.and_then(|t| t.columns.get(place)) else { return Ok(()) };
        match value {
            Document::Null => return Ok(()),
            Document::Text(text) if text.trim().is_empty() => return Ok(()),
            _ => {}
        }
        let refused =
            |wanted: &str| wrong(path, format!("expected {wanted}, found {}", value.word()));
        let cell = match column.kind {
            Kind::Code => Cell::Int(i64::from(self.code(column, path, value)?)),
            Kind::Codes => Cell::Int(self.codes(column, path, value)?),
            Kind::Path => self.place(path, value)?,
            Kind::Text | Kind::Id => match value {
                Document::Text(text) if text.len() <= TEXT_BYTES_MAX => Cell::Text(text.clone()),
                Document::Text(text) => {
                    let (bytes, most) = (text.len(), TEXT_BYTES_MAX);
                    return Err(wrong(path, format!("it has {bytes} bytes; the limit is {most}")));
                }
                _ => return Err(refused("a text in quotes")),
            },
            kind => {
                let number = plain(kind, value).map_err(|wanted| refused(&wanted))?;
                Cell::Int(number)
            }
        };
        if let (Cell::Text(key), true) = (&cell, declared.is_some_and(|t| t.key == place))
            && !self.keys.insert((table, key.clone()))
        {
            return Err(wrong(path, format!("another row of the table has the key \"{key}\"")));
        }
        self.rows.set(table, row, place, cell);
        Ok(())
    }

    /// The place in its list of a code that is written by its name or by itself.
    fn code(&self, column: &ColumnSchema, path: &str, value: &Document) -> Result<u16> {
        let list = column.list.and_then(|list| self.schema.lists.get(list));
        let name = list.map_or("", |list| list.name.as_str());
        let (Document::Text(text) | Document::Number(text)) = value else {
            let what = format!("expected a code of the list {name}, found {}", value.word());
            return Err(wrong(path, what));
        };
        list.and_then(|list| list.find(text)).ok_or_else(|| {
            let codes = list.into_iter().flat_map(|list| &list.codes);
            let known = codes.flat_map(|code| [code.name.as_str(), code.code.as_str()]);
            Error::Bundle {
                path: path.to_owned(),
                what: format!("no code {} in the list {name}", value.word()),
                suggestion: nearest(text, known),
            }
        })
    }

    fn codes(&self, column: &ColumnSchema, path: &str, value: &Document) -> Result<i64> {
        let Document::List(list) = value else {
            let what = format!("expected a list of codes, found {}", value.word());
            return Err(wrong(path, what));
        };
        let mut bits = 0i64;
        for (place, element) in list.iter().enumerate() {
            let code = self.code(column, &format!("{path}[{place}]"), element)?;
            bits |= 1i64.checked_shl(u32::from(code)).unwrap_or(0);
        }
        Ok(bits)
    }

    fn place(&self, path: &str, value: &Document) -> Result<Cell> {
        let (Document::Text(text) | Document::Number(text)) = value else {
            let what = format!("expected the code of a place, found {}", value.word());
            return Err(wrong(path, what));
        };
        let found = digits_range(&self.schema.path, text).map(|(low, _)| low);
        let known = found.filter(|low| self.tree.is_none_or(|tree| tree.get(*low).is_some()));
        let Some(code) = known else {
            let digits = self.schema.path.levels.iter().map(|level| level.digits.to_string());
            let digits = digits.collect::<Vec<_>>().join(", ");
            let what = match found {
                Some(_) => format!("no place {text}"),
                None => format!("expected the code of a place, {digits} digits long"),
            };
            return Err(wrong(path, format!("{what}, found {}", value.word())));
        };
        i64::try_from(code).map(Cell::Int).map_err(|_| wrong(path, "a code beyond 63 bits"))
    }
}

/// A flag, a number, an amount, a day, a month; else what would be right.
fn plain(kind: Kind, value: &Document) -> std::result::Result<i64, String> {
    let text = match value {
        Document::Text(text) => Some(text.as_str()),
        _ => None,
    };
    match kind {
        Kind::Flag => match value {
            Document::Flag(flag) => Ok(i64::from(*flag)),
            _ => Err("true or false".to_owned()),
        },
        Kind::Date => text
            .and_then(calendar::parse_date)
            .ok_or_else(|| "a day like \"2026-10-31\", in quotes".to_owned()),
        Kind::Month => text
            .and_then(calendar::parse_month)
            .ok_or_else(|| "a month like \"2026-10\", in quotes".to_owned()),
        Kind::Money => decimal(value, 2)
            .ok_or_else(|| "an amount in yuan with at most two decimals".to_owned()),
        _ => decimal(value, 0).ok_or_else(|| "a whole number".to_owned()),
    }
}

/// A number with at most so many decimals, as an integer of its smallest unit.
fn decimal(value: &Document, decimals: u8) -> Option<i64> {
    let (Document::Number(text) | Document::Text(text)) = value else { return None };
    let (sign, digits) = text.strip_prefix('-').map_or((1, text.as_str()), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !numeric(whole) || !numeric(fraction) {
        return None;
    }
    // A float does not keep more: a text does.
    if matches!(value, Document::Number(_)) && digits.contains('.') {
        let written = whole.len() + fraction.len();
        if written > FLOAT_DIGITS_MAX {
            return None;
        }
    }
    let (number, scale) = literal(digits)?;
    let times = 10i64.checked_pow(u32::from(decimals.checked_sub(scale)?))?;
    number.checked_mul(times)?.checked_mul(sign)
}
