//! The households that a load has something to say about: only they are folded and written again.

use duckdb::Connection;
use yiku::Writer;

use super::ledger::Earlier;
use super::staging::FIRST_NEW;
use crate::contract::{CellKind, Contract, Contracts};
use crate::error::{Error, Result};

const ACTION: &str = "find the households that are touched";

/// Fills the table `touched`: households of records that are new or were replaced, and, when the
/// as-of date moves on, those whose tags depend on it.
///
/// # Errors
/// [`Error::DuckDb`].
pub(super) fn run(
    duckdb: &Connection,
    contracts: &Contracts,
    earlier: &Earlier,
    aged: bool,
) -> Result<()> {
    let go = |sql: String| duckdb.execute_batch(&sql).map_err(Error::duckdb(ACTION));
    go("create table mentioned (household_id varchar)".to_owned())?;
    for contract in contracts.all() {
        let fresh = format!("{} where file >= {FIRST_NEW}", contract.table());
        let mut sources = vec![fresh];
        sources.extend(earlier.replaced(contract));
        if aged && contract.id == "justice.custody" {
            sources.push(contract.table());
        }
        for source in sources {
            go(format!("insert into mentioned {}", households(contract, &source)))?;
        }
    }
    go("create table touched as select distinct household_id from mentioned".to_owned())
}

/// The households of the records of a source.
fn households(contract: &Contract, source: &str) -> String {
    let by_person = contract.kept().find(|(_, column)| column.kind == CellKind::IdNumber);
    match by_person {
        // Who is listed in a household touches it, and the one where they are listed first.
        Some((_, column)) if contract.column("household_id").is_some() => format!(
            "select household_id from (from {source}) union all
             select i.household_id from ids i join (from {source}) s on s.\"{}\" = i.id_number",
            column.name
        ),
        Some((_, column)) => format!(
            "select i.household_id from ids i join (from {source}) s on s.\"{}\" = i.id_number",
            column.name
        ),
        None => format!("select household_id from (from {source})"),
    }
}

/// Removes the bundles of touched households that no file speaks of any more; how many.
///
/// # Errors
/// [`Error::DuckDb`], [`Error::Engine`].
pub(super) fn remove(duckdb: &Connection, writer: &mut Writer) -> Result<u64> {
    let sql = "select household_id from touched t
               where not exists (from hh where hh.household_id = t.household_id)";
    let mut statement = duckdb.prepare(sql).map_err(Error::duckdb(ACTION))?;
    let keys = statement.query_map([], |row| row.get::<_, String>(0));
    let mut removed = 0;
    for key in keys.map_err(Error::duckdb(ACTION))? {
        removed += u64::from(writer.remove(&key.map_err(Error::duckdb(ACTION))?)?);
    }
    Ok(removed)
}
