//! The first look at a file: which rows its table does not take, and the keys of the others.
//!
//! A column is read value by value only where it can hold something wrong: what a type, the
//! least and greatest value or the distinct values already vouch for is read later, once.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use duckdb::Connection;
use duckdb::arrow::array::{Array, AsArray, StringArray, StructArray};
use duckdb::arrow::datatypes::{Date32Type, Int64Type};
use yiku::Batch;

use super::cells::{Cells, texts};
use super::lanes;
use super::source::{Form, Source, TableFile};
use crate::error::Result;
use crate::reject::{Outcome, Reason, Reject, shown};

/// Rows that one thread looks at before it takes the next.
const PIECE_ROWS: u32 = 1 << 20;
/// The most distinct values of a column that are looked at instead of its rows.
const DISTINCT_MAX: usize = 4_096;

/// What a first look found.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// The hash of the key of each row.
    pub(super) keys: Vec<u64>,
    /// The hash of the key of each row's parent; nothing in the root table.
    pub(super) above: Vec<u64>,
    /// The place of each row of the root table; nothing in the others.
    pub(super) paths: Vec<i64>,
    /// Rows that are refused, rising.
    pub(super) refused: Vec<u32>,
}

/// A column that is looked at: its place among the sources, and how.
struct Watched {
    place: usize,
    key: Option<Key>,
}

/// What a column is a key of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Own,
    Above,
    Path,
}

/// Looks at every row; rejects are added to the file's.
///
/// # Errors
/// [`crate::Error::Parquet`].
pub(super) fn run(
    duckdb: &Connection,
    batch: &Batch,
    file: &mut TableFile,
    (threads, hasher): (usize, &RandomState),
) -> Result<Checked> {
    let watched = watched(duckdb, batch, file)?;
    let rows = file.relation.rows;
    let pieces = usize::try_from(rows.div_ceil(PIECE_ROWS)).unwrap_or(0);
    let mut checked = Checked::default();
    let mut rejects = Vec::new();
    let work = |connection: &Connection, piece: usize| {
        let from = u32::try_from(piece).unwrap_or(0).saturating_mul(PIECE_ROWS);
        let rows = from..rows.min(from.saturating_add(PIECE_ROWS));
        look(connection, (batch, &*file), &watched, (rows, hasher))
    };
    lanes::run(duckdb, (threads, pieces), &work, &mut |(mut piece, mut refused)| {
        checked.keys.append(&mut piece.keys);
        checked.above.append(&mut piece.above);
        checked.paths.append(&mut piece.paths);
        checked.refused.append(&mut piece.refused);
        rejects.append(&mut refused);
        Ok(())
    })?;
    file.rejects.append(&mut rejects);
    Ok(checked)
}

/// The columns that must be looked at, in the order of the sources.
fn watched(duckdb: &Connection, batch: &Batch, file: &TableFile) -> Result<Vec<Watched>> {
    let key = batch.schema().tables.get(file.table).map_or(0, |t| t.key);
    let mut watched = Vec::new();
    for (place, source) in file.sources.iter().enumerate() {
        let own = match source.column {
            None => Some(Key::Above),
            Some(column) if column == key => Some(Key::Own),
            Some(_) if source.needed => Some(Key::Path),
            Some(_) => None,
        };
        if own.is_some() || !vouched(duckdb, batch, (file, source))? {
            watched.push(Watched { place, key: own });
        }
    }
    Ok(watched)
}

/// Whether no value of a column can be refused.
fn vouched(
    duckdb: &Connection,
    batch: &Batch,
    (file, source): (&TableFile, &Source),
) -> Result<bool> {
    let (Some(sql), Some(column)) = (&source.sql, source.column) else { return Ok(true) };
    let shape = batch.schema().tables.get(file.table).and_then(|t| t.columns.get(column));
    let is_text = shape.is_some_and(|shape| shape.kind.is_text());
    let from = &file.relation.sql;
    let asked = match source.form {
        Form::Flags | Form::Decimals(_) | Form::Integers => return Ok(true),
        Form::Days => format!("select unnest([min({sql}), max({sql})]) from {from}"),
        Form::Texts if is_text => {
            format!("select arg_max({sql}, strlen({sql})) from {from}")
        }
        Form::Texts => format!("select distinct {sql} from {from} limit {}", DISTINCT_MAX + 1),
        Form::Lists => {
            format!("select distinct unnest({sql}) from {from} limit {}", DISTINCT_MAX + 1)
        }
    };
    // A list is vouched for by its codes, each as a text.
    let form = if source.form == Form::Lists { Form::Texts } else { source.form };
    let mut cells = Cells::new(batch, file.table, column, form);
    let (mut good, mut count) = (true, 0);
    file.run(duckdb, &asked, &mut |rows| {
        let Some(values) = rows.columns().first() else { return Ok(()) };
        count += values.len();
        if source.form == Form::Lists {
            // An empty code is no code, where an empty text is an unknown value.
            good &= texts(values)?.iter().flatten().all(|text| !text.is_empty());
        }
        cells.each(values, |_, found| good &= found.is_ok())
    })?;
    Ok(good && count <= DISTINCT_MAX)
}

/// Looks at a range of rows.
fn look(
    duckdb: &Connection,
    (batch, file): (&Batch, &TableFile),
    watched: &[Watched],
    (rows, hasher): (Range<u32>, &RandomState),
) -> Result<(Checked, Vec<Reject>)> {
    let source = |watched: &Watched| file.sources.get(watched.place);
    let mut columns = vec![file.relation.line];
    columns.extend(watched.iter().filter_map(source).filter_map(|source| source.sql.as_deref()));
    let cells = watched.iter().map(|watched| {
        let source = source(watched)?;
        Some(Cells::new(batch, file.table, source.column?, source.form))
    });
    let mut look = Look {
        file,
        hasher,
        watched,
        cells: cells.collect(),
        row: rows.start,
        wrong: Vec::new(),
        checked: Checked::default(),
        rejects: Vec::new(),
    };
    file.read(duckdb, &columns, rows, &mut |found| look.rows(found))?;
    Ok((look.checked, look.rejects))
}

/// A look at a range of rows.
struct Look<'l> {
    file: &'l TableFile,
    hasher: &'l RandomState,
    watched: &'l [Watched],
    cells: Vec<Option<Cells<'l>>>,
    /// The number of the next row.
    row: u32,
    /// For each row of a piece the first column that refuses it, and why.
    wrong: Vec<Option<(usize, Reason)>>,
    checked: Checked,
    rejects: Vec<Reject>,
}

impl Look<'_> {
    fn rows(&mut self, found: &StructArray) -> Result<()> {
        self.wrong.clear();
        self.wrong.resize(found.len(), None);
        for (nth, array) in found.columns().iter().skip(1).enumerate() {
            let watched = self.watched.get(nth);
            let key = watched.and_then(|watched| watched.key);
            match key {
                Some(Key::Own | Key::Above) => self.keys(nth, texts(array)?, key),
                _ => self.values(nth, array, key)?,
            }
        }
        self.note(found);
        self.row = self.row.saturating_add(u32::try_from(found.len()).unwrap_or(u32::MAX));
        Ok(())
    }

    fn keys(&mut self, nth: usize, texts: &StringArray, key: Option<Key>) {
        let own = key == Some(Key::Own);
        let hashes = if own { &mut self.checked.keys } else { &mut self.checked.above };
        for (text, wrong) in texts.iter().zip(&mut self.wrong) {
            let text = text.unwrap_or_default();
            hashes.push(self.hasher.hash_one(text.as_bytes()));
            let reason = match text.len() {
                0 => Some(Reason::MissingKey),
                bytes if own && bytes > yiku::limits::TEXT_BYTES_MAX => Some(Reason::TooLong),
                _ => None,
            };
            *wrong = wrong.or(reason.map(|reason| (nth, reason)));
        }
    }

    fn values(&mut self, nth: usize, array: &dyn Array, key: Option<Key>) -> Result<()> {
        let Some(Some(cells)) = self.cells.get_mut(nth) else { return Ok(()) };
        let (wrong, paths) = (&mut self.wrong, &mut self.checked.paths);
        let is_path = key == Some(Key::Path);
        cells.each(array, |at, found| {
            let reason = match found {
                Err(reason) => Some(reason),
                Ok(None) if is_path => Some(Reason::MissingKey),
                Ok(_) => None,
            };
            if let (Some(reason), Some(slot)) = (reason, wrong.get_mut(at)) {
                *slot = slot.or(Some((nth, reason)));
            }
            if is_path {
                paths.push(found.ok().flatten().unwrap_or(0));
            }
        })
    }

    /// Makes rejects of the rows that are refused.
    fn note(&mut self, found: &StructArray) {
        let lines = found.columns().first().and_then(|c| c.as_primitive_opt::<Int64Type>());
        for (row, (at, wrong)) in (self.row..).zip(self.wrong.iter().enumerate()) {
            let Some((nth, reason)) = *wrong else { continue };
            self.checked.refused.push(row);
            let place = self.watched.get(nth).map(|watched| watched.place);
            let source = place.and_then(|place| self.file.sources.get(place));
            let value = found.columns().get(nth + 1).map(|array| text_of(array, at));
            let line = lines.filter(|lines| at < lines.len()).map_or(0, |lines| lines.value(at));
            self.rejects.push(Reject {
                file: self.file.path.clone(),
                line: u64::try_from(line).unwrap_or(0),
                column: source.map(|source| source.name.clone()).unwrap_or_default(),
                reason,
                outcome: Outcome::Rejected,
                value: shown(&value.unwrap_or_default(), source.is_some_and(|s| s.personal)),
            });
        }
    }
}

/// A value as people would have written it.
fn text_of(array: &dyn Array, at: usize) -> String {
    if array.is_null(at) {
        return String::new();
    }
    if let Some(texts) = array.as_string_opt::<i32>() {
        return texts.value(at).to_owned();
    }
    if let Some(days) = array.as_primitive_opt::<Date32Type>() {
        return yiku::calendar::date_text(i64::from(days.value(at)));
    }
    let list = array.as_list_opt::<i32>().map(|lists| lists.value(at));
    let texts = list.as_ref().and_then(|list| list.as_string_opt::<i32>());
    texts.map(|texts| texts.iter().flatten().collect::<Vec<_>>().join(";")).unwrap_or_default()
}
