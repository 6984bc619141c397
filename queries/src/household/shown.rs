//! Values of a household as a person writes them, and where they stand.

use yiku::schema::Kind;
use yiku::{Schema, calendar};

use super::rows::{Cell, Rows};
use super::scalar::{Number, Read};
use crate::check::Type;
use crate::numbers::Number as Kinded;

/// Decimals that are shown of a float.
const DECIMALS: usize = 6;
/// Decimals of an amount.
const MONEY_DECIMALS: usize = 2;

/// A row as a path: `person[1].aid[0]`; empty for the root row.
pub(super) fn row_path(schema: &Schema, rows: &Rows, table: usize, row: usize) -> String {
    let (mut at, mut row, mut path) = (table, row, String::new());
    while let Some(parent) = schema.tables.get(at).and_then(|t| t.parent) {
        let own = rows.tables.get(at).and_then(|rows| rows.get(row));
        let above = own.map_or(0, |own| own.parent);
        let first = rows.beneath(schema, parent, above, at).start;
        let name = schema.tables.get(at).map_or("", |t| t.name.as_str());
        let dot = if path.is_empty() { "" } else { "." };
        path = format!("{name}[{}]{dot}{path}", row.saturating_sub(first));
        (at, row) = (parent, above);
    }
    path
}

/// A value as a path: `person[1].birth_date`.
pub(super) fn cell_path(schema: &Schema, rows: &Rows, read: Read) -> String {
    let (table, column, row) = read;
    let column = schema.tables.get(table).and_then(|t| t.columns.get(column));
    let column = column.map_or("", |c| c.name.as_str());
    let row = row_path(schema, rows, table, row);
    if row.is_empty() { column.to_owned() } else { format!("{row}.{column}") }
}

/// The value of a cell of a column.
pub(super) fn cell_text(schema: &Schema, (table, column): (usize, usize), cell: &Cell) -> String {
    let declared = schema.tables.get(table).and_then(|t| t.columns.get(column));
    let value = match cell {
        Cell::Text(text) => return text.clone(),
        Cell::Int(value) => *value,
    };
    let list = declared.and_then(|c| c.list).and_then(|list| schema.lists.get(list));
    let name = |place: usize| list.and_then(|list| list.codes.get(place)).map(|c| c.name.clone());
    match declared.map_or(Kind::Int, |c| c.kind) {
        Kind::Flag => (value == 1).to_string(),
        Kind::Money => decimal(value.into(), MONEY_DECIMALS, MONEY_DECIMALS),
        Kind::Date => calendar::date_text(value),
        Kind::Month => calendar::month_text(value),
        Kind::Code => {
            let place = usize::try_from(value).ok();
            place.and_then(name).unwrap_or_else(|| value.to_string())
        }
        Kind::Codes => {
            let has = |place: &usize| value & (1i64 << place) != 0;
            let names: Vec<String> = (0..63).filter(has).filter_map(name).collect();
            format!("({})", names.join(", "))
        }
        Kind::Path => place_text(schema, value),
        Kind::Int | Kind::Text | Kind::Id => value.to_string(),
    }
}

/// The digits of a place, without the zeros of the levels beneath it.
pub(super) fn place_text(schema: &Schema, value: i64) -> String {
    let full = format!("{value:0width$}", width = usize::from(schema.path.digits()));
    let ends = schema.path.levels.iter().map(|level| usize::from(level.digits));
    let rest_is_zero =
        |end: &usize| full.get(*end..).is_some_and(|rest| rest.bytes().all(|b| b == b'0'));
    let end = ends.filter(rest_is_zero).min().unwrap_or(full.len());
    full.get(..end).unwrap_or(&full).to_owned()
}

/// A value of a kind.
pub(super) fn number_text(schema: &Schema, kind: Type, number: Number) -> String {
    match kind {
        Type::Number(kind) => numeric(kind, number),
        Type::Date => calendar::date_text(number.exact()),
        Type::Month => calendar::month_text(number.exact()),
        Type::Code(list) => {
            let codes = schema.lists.get(list).map_or(&[][..], |list| &list.codes);
            let place = usize::try_from(number.exact()).ok();
            let code = place.and_then(|place| codes.get(place));
            code.map_or_else(|| number.exact().to_string(), |code| code.name.clone())
        }
        _ => number.exact().to_string(),
    }
}

fn numeric(kind: Kinded, number: Number) -> String {
    let least = if kind.money { MONEY_DECIMALS } else { 0 };
    if !kind.float {
        return decimal(number.exact().into(), usize::from(kind.scale) + least, least);
    }
    let value = if kind.money { number.float() / 100.0 } else { number.float() };
    trimmed(format!("{value:.DECIMALS$}"), least)
}

/// An integer with so many decimals, of which at least some are shown.
pub(super) fn decimal(value: i128, decimals: usize, least: usize) -> String {
    let digits = format!("{:0width$}", value.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let sign = if value < 0 { "-" } else { "" };
    trimmed(format!("{sign}{whole}.{fraction}"), least)
}

/// Without the zeros behind the last decimal, but for the least number of them.
fn trimmed(text: String, least: usize) -> String {
    let point = text.find('.').unwrap_or(text.len());
    let whole = text.trim_end_matches('0').len();
    let end = if least == 0 { whole.max(point) } else { whole.max(point + 1 + least) };
    let kept = text.get(..end).unwrap_or(&text);
    kept.trim_end_matches('.').to_owned()
}
