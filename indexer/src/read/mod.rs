//! Files become records: chunks of text cells in the order of a contract's columns.
//!
//! Invariants: a file is known by its bytes, never by its name; every record carries the line it
//! begins on; a record that cannot be taken apart is reported, a file that cannot is an error.

mod chunk;
mod delimited;
mod digest;
mod encoding;
mod fixed;
mod json;
mod parquet;
mod plain;
mod workbook;

use std::path::{Path, PathBuf};

use duckdb::Connection;

use crate::contract::{Contract, Contracts};
use crate::error::{Error, Result};
pub(crate) use chunk::{CHUNK_ROWS, Chunk};
pub(crate) use delimited::{Delimited, Record, Split};
pub(crate) use digest::{digest, text_of};
pub(crate) use encoding::decode;
pub(crate) use parquet::quoted_path;
pub(crate) use plain::Plain;

/// The largest text, workbook or JSON file that is read; it is held in memory whole.
const FILE_BYTES_MAX: u64 = 4 << 30;

/// What workbooks of before 2007 (.xls) begin with.
const OLD_WORKBOOK: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0];

/// Takes chunks as they are read.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(&Chunk) -> Result<()>;

/// A file that was opened and recognised.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// Its place among the contracts.
    pub(crate) contract: usize,
    /// For each column of the contract, where it stands in the file.
    places: Vec<Option<usize>>,
    form: Form,
}

/// What the bytes of a file are.
#[derive(Debug)]
enum Form {
    Delimited { text: String, split: Split },
    Fixed(Vec<u8>),
    JsonLines(String),
    JsonObject(String),
    Workbook(workbook::Sheet),
    Parquet(Vec<String>),
}

impl Source {
    /// Opens a file and finds its contract.
    ///
    /// # Errors
    /// [`Error::EmptyFile`], [`Error::UnknownContract`] and whatever its form can break.
    pub(crate) fn open(path: &Path, contracts: &Contracts, duckdb: &Connection) -> Result<Source> {
        let source =
            |(contract, places), form| Source { path: path.to_owned(), contract, places, form };
        if digest::opening(path)? == *b"PAR1" {
            let headers = parquet::parquet_columns(path, duckdb)?;
            let found = recognised(path, contracts, &headers)?;
            return Ok(source(found, Form::Parquet(headers)));
        }
        let bytes = digest::whole(path, FILE_BYTES_MAX)?;
        if bytes.starts_with(OLD_WORKBOOK) {
            let found = "a workbook of before 2007".to_owned();
            let nearest = "save it as .xlsx".to_owned();
            return Err(Error::UnknownContract { path: path.to_owned(), found, nearest });
        }
        if bytes.starts_with(b"PK") {
            let (found, sheet) = workbook::open(path, bytes, contracts)?;
            return Ok(source(found, Form::Workbook(sheet)));
        }
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if let Some(contract) = contracts.by_width(first.strip_suffix(b"\r").unwrap_or(first)) {
            return Ok(source((contract, Vec::new()), Form::Fixed(bytes)));
        }
        let text = decode(path, bytes)?;
        let start = text.trim_start();
        if start.is_empty() {
            return Err(Error::EmptyFile { path: path.to_owned() });
        }
        if start.starts_with('{') {
            let (headers, is_lines) = json::headers(path, &text, contracts)?;
            let found = recognised(path, contracts, &headers)?;
            let form = if is_lines { Form::JsonLines(text) } else { Form::JsonObject(text) };
            return Ok(source(found, form));
        }
        let (headers, split) = Split::find(path, &text)?;
        let found = recognised(path, contracts, &headers)?;
        Ok(source(found, Form::Delimited { text, split }))
    }

    /// Hands over all records, chunk by chunk.
    ///
    /// # Errors
    /// What the form can break, and what the sink says.
    pub(crate) fn read(
        &self,
        contract: &Contract,
        duckdb: &Connection,
        sink: Sink<'_>,
    ) -> Result<()> {
        let kept: Vec<bool> = contract.columns.iter().map(|column| column.kept()).collect();
        let mut chunk = Chunk::new(kept);
        match &self.form {
            Form::Delimited { text, split } => {
                let records = Delimited { path: &self.path, text, split: *split };
                delimited::read(&records, &self.places, &mut chunk, sink)
            }
            Form::Fixed(bytes) => fixed::read(contract, bytes, &mut chunk, sink),
            Form::JsonLines(text) => json::read_lines(contract, text, &mut chunk, sink),
            Form::JsonObject(text) => {
                json::read_object(&self.path, contract, text, &mut chunk, sink)
            }
            Form::Workbook(sheet) => {
                workbook::read(contract, sheet, &self.places, &mut chunk, sink)
            }
            Form::Parquet(headers) => {
                let columns = (&self.places[..], &headers[..]);
                parquet::read(&self.path, columns, duckdb, &mut chunk, sink)
            }
        }
    }
}

/// The contract of these headers.
fn recognised(
    path: &Path,
    contracts: &Contracts,
    headers: &[String],
) -> Result<(usize, Vec<Option<usize>>)> {
    contracts.by_headers(headers).ok_or_else(|| unknown(path, contracts, headers))
}

/// The most headers that an error repeats.
const HEADERS_SHOWN_MAX: usize = 12;
/// The most characters of a header that an error repeats.
const HEADER_CHARS_MAX: usize = 24;

/// The error that no contract knows these headers.
fn unknown(path: &Path, contracts: &Contracts, headers: &[String]) -> Error {
    let shown = headers.iter().take(HEADERS_SHOWN_MAX);
    let shown = shown.map(|header| header.chars().take(HEADER_CHARS_MAX).collect::<String>());
    let found = shown.collect::<Vec<_>>().join(", ");
    let found = if found.trim().is_empty() { "no header".to_owned() } else { found };
    Error::UnknownContract { path: path.to_owned(), found, nearest: contracts.nearest(headers) }
}
