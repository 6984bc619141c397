//! What one record cannot show: duplicates, members of unknown households, persons in two
//! households, records about somebody who is not in the register.
//!
//! Invariants: the table `drop_…` of a contract names every staged record that is not folded, once,
//! with the reason; of records that are the same, the first by file and line stays.

use duckdb::Connection;

use crate::contract::{CellKind, Contract, Contracts};
use crate::error::{Error, Result};

/// The register's own files.
pub(crate) const HOUSEHOLDS: &str = "civil_affairs.households";
/// The register's own files.
pub(crate) const MEMBERS: &str = "civil_affairs.members";

/// Digits of a code behind those of its county.
const BELOW_COUNTY: &str = "1000000";

/// The table of the records of a contract that are not folded.
pub(crate) fn drops(contract: &Contract) -> String {
    format!("drop_{}", contract.id.replace('.', "_"))
}

/// Fills the `drop_…` tables, and `ids`: ID number and household of everybody in the register.
///
/// # Errors
/// [`Error::DuckDb`].
pub(crate) fn run(duckdb: &Connection, contracts: &Contracts) -> Result<()> {
    let go = |sql: String| {
        duckdb.execute_batch(&sql).map_err(Error::duckdb("compare records with each other"))
    };
    for contract in contracts.all() {
        go(format!("create table {} (file bigint, line bigint, reason varchar)", drops(contract)))?;
    }
    let (Some(households), Some(members)) = (contracts.get(HOUSEHOLDS), contracts.get(MEMBERS))
    else {
        return Ok(());
    };
    go(same(households, ""))?;
    let (stage, drop) = (members.table(), drops(members));
    let stage_households = households.table();
    go(format!(
        "insert into {drop} select file, line, 'unknown_household' from {stage} s
         anti join {stage_households} h on h.household_id = s.household_id"
    ))?;
    let known = format!("semi join {stage_households} h on h.household_id = s.household_id");
    go(same(members, &known))?;
    // Whoever is left twice is in two households: the first stays.
    go(format!(
        "insert into {drop} with rest as (
             select s.file, s.line, s.id_number, s.household_id from {stage} s
             anti join {drop} d on d.file = s.file and d.line = s.line
         ), twice as (select id_number from rest group by all having count(*) > 1),
         placed as (
             select r.file, r.line, r.id_number, any_value(h.region) // {BELOW_COUNTY} county
             from rest r join twice using (id_number)
             join {stage_households} h on h.household_id = r.household_id group by all
         ), ranked as (
             select *, first_value(county) over one home, row_number() over one nth
             from placed window one as (partition by id_number order by file, line)
         )
         select file, line, if(county = home, 'two_households', 'two_counties')
         from ranked where nth > 1"
    ))?;
    go(format!(
        "create table ids as select id_number, household_id from {stage} s
         anti join {drop} d on d.file = s.file and d.line = s.line"
    ))?;
    for contract in contracts.all() {
        let is_register = contract.id == HOUSEHOLDS || contract.id == MEMBERS;
        let by_person = contract.columns.iter().any(|c| c.kind == CellKind::IdNumber);
        if is_register || !by_person {
            continue;
        }
        let (stage, drop) = (contract.table(), drops(contract));
        go(format!(
            "insert into {drop} select file, line, 'unmatched' from {stage} s
             anti join ids i on i.id_number = s.id_number"
        ))?;
        go(same(contract, "semi join ids i on i.id_number = s.id_number"))?;
    }
    Ok(())
}

/// The statement that drops all but the first of records that are the same, among those that a join
/// leaves. The join is made for records that may be the same only: they are few.
fn same(contract: &Contract, join: &str) -> String {
    let (stage, drop) = (contract.table(), drops(contract));
    let key = contract.key_columns();
    let names = key.iter().map(|name| format!("s.\"{name}\"")).collect::<Vec<_>>().join(", ");
    let equal = key.iter().map(|name| format!("s.\"{name}\" is not distinct from t.\"{name}\""));
    let equal = equal.collect::<Vec<_>>().join(" and ");
    format!(
        "insert into {drop} with twice as (
             select {names} from {stage} s group by all having count(*) > 1
         ), alike as (select s.* from {stage} s join twice t on {equal}),
         ranked as (
             select s.file, s.line,
                 row_number() over (partition by {names} order by s.file, s.line) nth
             from alike s {join}
         )
         select file, line, 'duplicate' from ranked where nth > 1"
    )
}
