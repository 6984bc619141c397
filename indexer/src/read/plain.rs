//! A file that was named for a table: CSV or Parquet, its header the columns' names.

use std::path::{Path, PathBuf};

use duckdb::Connection;

use super::chunk::Chunk;
use super::delimited::{Delimited, Split};
use super::{Sink, delimited, digest, parquet};
use crate::error::Result;

/// An open file.
#[derive(Debug)]
pub(crate) struct Plain {
    path: PathBuf,
    headers: Vec<String>,
    /// None for Parquet.
    text: Option<(String, Split)>,
}

impl Plain {
    /// Opens a file.
    ///
    /// # Errors
    /// What its form can break.
    pub(crate) fn open(path: &Path, duckdb: &Connection) -> Result<Plain> {
        let own = |headers, text| Plain { path: path.to_owned(), headers, text };
        if digest::opening(path)? == *b"PAR1" {
            return Ok(own(parquet::parquet_columns(path, duckdb)?, None));
        }
        let text = digest::text_of(path)?;
        let (headers, split) = Split::find(path, &text)?;
        Ok(own(headers, Some((text, split))))
    }

    /// Whether it is text, where it is not Parquet.
    pub(crate) fn is_text(&self) -> bool {
        self.text.is_some()
    }

    /// The names of its columns.
    pub(crate) fn headers(&self) -> &[String] {
        &self.headers
    }

    /// Hands over all records, their cells in the order of `places`.
    ///
    /// # Errors
    /// What its form can break, and what the sink says.
    pub(crate) fn read(
        &self,
        places: &[Option<usize>],
        duckdb: &Connection,
        sink: Sink<'_>,
    ) -> Result<()> {
        let mut chunk = Chunk::new(vec![true; places.len()]);
        match &self.text {
            Some((text, split)) => {
                let records = Delimited { path: &self.path, text, split: *split };
                delimited::read(&records, places, &mut chunk, sink)
            }
            None => parquet::read(&self.path, (places, &self.headers), duckdb, &mut chunk, sink),
        }
    }
}
