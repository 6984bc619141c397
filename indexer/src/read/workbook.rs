//! Workbooks (XLSX): the first sheet, its header in one row or two, below titles or not.

use std::fmt::Write;
use std::io::Cursor;
use std::path::Path;

use calamine::{Data, Range, Reader, Xlsx, XlsxError};
use yiku::calendar;

use super::chunk::Chunk;
use super::{Sink, unknown};
use crate::clean::trimmed;
use crate::contract::{Contract, Contracts};
use crate::error::{Error, Result};

/// Rows from the top in which a header is looked for.
const HEADER_ROWS_MAX: usize = 12;
/// The spreadsheet's day 0, 1899-12-30, as days since 1970-01-01.
const SERIAL_EPOCH: i64 = -25_569;

/// A sheet and where its records begin.
#[derive(Debug)]
pub(super) struct Sheet {
    cells: Range<Data>,
    /// Rows of the range above the first record.
    above: usize,
}

/// The contract of a workbook: its number, and where its columns stand.
type Found = (usize, Vec<Option<usize>>);

/// Opens a workbook and finds its contract.
///
/// # Errors
/// [`Error::Workbook`], [`Error::EmptyFile`], [`Error::UnknownContract`].
pub(super) fn open(path: &Path, bytes: Vec<u8>, contracts: &Contracts) -> Result<(Found, Sheet)> {
    let failed =
        |source: XlsxError| Error::Workbook { path: path.to_owned(), source: Box::new(source) };
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(failed)?;
    let empty = || Error::EmptyFile { path: path.to_owned() };
    let cells = book.worksheet_range_at(0).ok_or_else(empty)?.map_err(failed)?;
    if cells.is_empty() {
        return Err(empty());
    }
    let mut best: Vec<String> = Vec::new();
    let mut before: Vec<String> = Vec::new();
    for (nth, row) in cells.rows().take(HEADER_ROWS_MAX).enumerate() {
        let names: Vec<String> = row.iter().map(text).collect();
        for headers in [grouped(&before, &names), names.clone()] {
            if let Some(found) = contracts.by_headers(&headers) {
                return Ok((found, Sheet { cells, above: nth + 1 }));
            }
        }
        let filled = |names: &[String]| names.iter().filter(|name| !name.is_empty()).count();
        if filled(&names) > filled(&best) {
            best.clone_from(&names);
        }
        before = names;
    }
    Err(unknown(path, contracts, &best))
}

/// Names below the groups of a row above: a merged group stands in its first cell only.
fn grouped(groups: &[String], names: &[String]) -> Vec<String> {
    let mut group = "";
    let above = groups.iter().map(String::as_str).chain(std::iter::repeat(""));
    let joined = names.iter().zip(above).map(|(name, above)| {
        if !above.is_empty() {
            group = above;
        }
        format!("{group}/{name}")
    });
    joined.collect()
}

/// Hands over all records.
pub(super) fn read(
    contract: &Contract,
    sheet: &Sheet,
    places: &[Option<usize>],
    chunk: &mut Chunk,
    sink: Sink<'_>,
) -> Result<()> {
    let first = sheet.cells.start().map_or(0, |(row, _)| u64::from(row));
    let mut cell = String::new();
    for (line, row) in (first + 1..).zip(sheet.cells.rows()).skip(sheet.above) {
        if row.iter().all(|cell| matches!(cell, Data::Empty)) {
            continue;
        }
        let opening = row.iter().map(text).find(|cell| !cell.is_empty()).unwrap_or_default();
        if contract.totals.contains(&opening) {
            continue;
        }
        for (column, place) in places.iter().enumerate() {
            cell.clear();
            if let Some(found) = place.and_then(|place| row.get(place)) {
                write(found, &mut cell);
            }
            chunk.cell(column, &cell);
        }
        chunk.end(line);
        if chunk.is_full() {
            sink(chunk)?;
            chunk.clear();
        }
    }
    sink(chunk)
}

fn text(cell: &Data) -> String {
    let mut text = String::new();
    write(cell, &mut text);
    trimmed(&text).to_owned()
}

/// The cell as a person would type it.
fn write(cell: &Data, text: &mut String) {
    // Writing to a text cannot fail.
    let _ = match cell {
        Data::String(value) | Data::DateTimeIso(value) | Data::DurationIso(value) => {
            text.push_str(value);
            Ok(())
        }
        // The shortest text that is this float: what stood in the file.
        Data::Float(value) => write!(text, "{value}"),
        Data::Int(value) => write!(text, "{value}"),
        Data::Bool(value) => write!(text, "{value}"),
        Data::DateTime(value) => {
            // A spreadsheet's days are far below 2^53: the float is exact.
            #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
            let serial = value.as_f64().floor() as i64;
            text.push_str(&calendar::date_text(serial.saturating_add(SERIAL_EPOCH)));
            Ok(())
        }
        Data::Empty | Data::Error(_) => Ok(()),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_reach_over_the_cells_that_were_merged() {
        let own = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        let found = grouped(&own(&["A", "", "B"]), &own(&["1", "2", "3", "4"]));
        assert_eq!(found, ["A/1", "A/2", "B/3", "B/4"]);
    }

    #[test]
    fn cells_become_what_a_person_would_type() {
        for (cell, expected) in [
            (Data::Float(1.2345), "1.2345"),
            (Data::Float(0.1 + 0.2), "0.30000000000000004"),
            (Data::Int(-3), "-3"),
            (Data::String(" 一级 ".to_owned()), "一级"),
            (Data::Empty, ""),
        ] {
            assert_eq!(text(&cell), expected);
        }
    }
}
