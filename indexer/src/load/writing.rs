//! Folding, encoding and keeping at the same time: the fold is walked here, batches are written on
//! a second thread, cleaned records are kept on a third.

use crossbeam::channel;
use duckdb::Connection;
use yiku::{Batch, Schema, Writer};

use super::ledger::Keep;
use super::{Tell, disk};
use crate::bundles;
use crate::error::{Error, Result};
use crate::read::quoted_path;
use crate::report::Progress;

/// Full batches that wait for the engine, beside the one that is filled.
const WAITING: usize = 1;

/// Writes all bundles of the fold and keeps the cleaned records; rows written by table.
///
/// # Errors
/// [`Error::DuckDb`], [`Error::Arrow`], [`Error::Engine`], [`Error::Io`].
pub(super) fn run(
    duckdb: &Connection,
    schema: &Schema,
    writer: &mut Writer,
    key: &[u8],
    keep: &[Keep],
    tell: Tell<'_>,
) -> Result<Vec<(String, u64)>> {
    let keeper = duckdb.try_clone().map_err(Error::duckdb("start a worker"))?;
    let empty = writer.batch();
    let mut rows: Vec<(String, u64)> =
        schema.tables.iter().map(|table| (table.name.clone(), 0)).collect();
    std::thread::scope(|scope| {
        let (sender, receiver) = channel::bounded::<Batch>(WAITING);
        let writing = scope.spawn(move || -> Result<()> {
            for batch in receiver {
                writer.write(&batch)?;
            }
            Ok(())
        });
        let keeping = scope.spawn(move || keep.iter().try_for_each(|file| kept(&keeper, file)));
        let walked = bundles::walk(duckdb, schema, &empty, key, &mut |batch, done, total| {
            for (table, (_, sum)) in rows.iter_mut().enumerate() {
                *sum += u64::try_from(batch.rows(table)).unwrap_or(0);
            }
            tell(Progress { step: "writing", detail: String::new(), done, total });
            // The writer hangs up when it failed; its error is told below.
            sender.send(batch).map_err(|_| Error::Worker)
        });
        drop(sender);
        writing.join().map_err(|_| Error::Worker)??;
        keeping.join().map_err(|_| Error::Worker)??;
        walked
    })?;
    Ok(rows)
}

/// Keeps the cleaned records of one file.
fn kept(duckdb: &Connection, keep: &Keep) -> Result<()> {
    disk::make_folder_of(&keep.path)?;
    let sql = format!(
        "copy (select * exclude (file) from {} where file = {}) to {} (format parquet)",
        keep.table,
        keep.file,
        quoted_path(&keep.path),
    );
    duckdb.execute_batch(&sql).map_err(Error::duckdb("keep the cleaned records"))?;
    disk::sync(&keep.path)
}
