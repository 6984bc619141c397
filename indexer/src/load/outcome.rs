//! What became of the files of a load, put together from cleaning and comparing.

use std::collections::BTreeMap;

use duckdb::Connection;

use super::deliveries::Delivery;
use super::ledger::{Earlier, Ledger};
use super::staging::{FIRST_NEW, Staged};
use crate::check::drops;
use crate::clean::id_text;
use crate::contract::{CellKind, Contract, Contracts};
use crate::error::{Error, Result};
use crate::reject::{Outcome, Reason, Reject, shown};
use crate::report::{FileReport, LoadReport};

/// The most rejects that the report of a file repeats.
const SAMPLES_MAX: usize = 20;

/// What became of all files.
#[derive(Debug)]
pub(super) struct Outcomes {
    /// The files that were read.
    pub(super) fresh: Vec<Fresh>,
    /// Every reject of this load.
    pub(super) all: Vec<Reject>,
    pub(super) report: LoadReport,
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Fresh {
    /// Its place among the deliveries.
    pub(super) place: usize,
    pub(super) contract: String,
    pub(super) period: String,
}

/// The report of a file that was loaded before.
pub(super) fn loaded_before(
    delivery: &Delivery,
    ledger: &Ledger,
    contracts: &Contracts,
) -> FileReport {
    let found = ledger.find(&delivery.digest);
    let (contract, period) = found.unwrap_or_default();
    FileReport {
        path: delivery.path.clone(),
        contract: found.map(|(contract, _)| contract.to_owned()),
        label: contracts.get(contract).map_or_else(String::new, |c| c.label.clone()),
        period: (!period.is_empty()).then(|| period.to_owned()),
        unchanged: true,
        ..FileReport::default()
    }
}

/// Refuses to replace an earlier file by one of which nothing could be taken: a failed export, ID
/// numbers that a spreadsheet rounded, the file of another province.
///
/// # Errors
/// [`Error::NothingTaken`], [`Error::DuckDb`].
pub(super) fn check(outcomes: &Outcomes, earlier: &Earlier, duckdb: &Connection) -> Result<()> {
    for new in outcomes.report.files.iter().filter(|file| !file.unchanged && file.accepted == 0) {
        let (contract, period) = (new.contract.as_deref(), new.period.as_deref());
        let (contract, period) = (contract.unwrap_or_default(), period.unwrap_or_default());
        let replaced = earlier.taken(duckdb, contract, period)?;
        if replaced > 0 {
            return Err(Error::NothingTaken { path: new.path.clone(), read: new.read, replaced });
        }
    }
    Ok(())
}

/// The name of a load: the first digits of the digest of its first new file.
pub(super) fn name(deliveries: &[Delivery]) -> String {
    let first = deliveries.iter().find(|delivery| !delivery.unchanged);
    first.map_or_else(String::new, |delivery| delivery.digest.chars().take(16).collect())
}

/// Puts the reports of all files together.
///
/// # Errors
/// [`Error::DuckDb`].
pub(super) fn report(
    duckdb: &Connection,
    contracts: &Contracts,
    deliveries: &[Delivery],
    staged: Vec<Staged>,
    ledger: &Ledger,
) -> Result<Outcomes> {
    let mut outcomes =
        Outcomes { fresh: Vec::new(), all: Vec::new(), report: LoadReport::default() };
    let mut dropped = BTreeMap::new();
    for contract in contracts.all() {
        if staged.iter().any(|file| file.contract == contract.id) {
            compared(duckdb, contract, deliveries, &mut dropped)?;
        }
    }
    let mut fresh: BTreeMap<usize, Staged> =
        staged.into_iter().map(|file| (file.place, file)).collect();
    for (place, delivery) in deliveries.iter().enumerate() {
        let Some(file) = fresh.remove(&place) else {
            outcomes.report.files.push(loaded_before(delivery, ledger, contracts));
            continue;
        };
        let label = contracts.get(&file.contract).map_or_else(String::new, |c| c.label.clone());
        let of = dropped.remove(&place).unwrap_or_default();
        outcomes.report.files.push(file_report(delivery, &file, label, &of));
        outcomes.all.extend(file.counts.rejects);
        outcomes.all.extend(of.rejects);
        let Staged { contract, period, .. } = file;
        outcomes.fresh.push(Fresh { place, contract, period });
    }
    Ok(outcomes)
}

/// What comparing found in one file.
#[derive(Debug, Default)]
struct Compared {
    unmatched: u64,
    rejects: Vec<Reject>,
}

/// Reads back what comparing found in the new files of a contract.
fn compared(
    duckdb: &Connection,
    contract: &Contract,
    deliveries: &[Delivery],
    found: &mut BTreeMap<usize, Compared>,
) -> Result<()> {
    const ACTION: &str = "read back what was compared";
    let drop = drops(contract);
    let sql = format!(
        "select file - {FIRST_NEW}, count(*) from {drop}
         where file >= {FIRST_NEW} and reason = 'unmatched' group by all"
    );
    let mut statement = duckdb.prepare(&sql).map_err(Error::duckdb(ACTION))?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
    for row in rows.map_err(Error::duckdb(ACTION))? {
        let (file, count) = row.map_err(Error::duckdb(ACTION))?;
        let place = usize::try_from(file).unwrap_or(usize::MAX);
        found.entry(place).or_default().unmatched = u64::try_from(count).unwrap_or(0);
    }
    let by_person = contract.kept().find(|(_, column)| column.kind == CellKind::IdNumber);
    let Some((_, column)) = by_person.or_else(|| contract.kept().next()) else { return Ok(()) };
    let is_number = column.kind == CellKind::IdNumber;
    let sql = format!(
        "select d.file - {FIRST_NEW}, d.line, d.reason, s.\"{}\"::varchar from {drop} d
         join {} s on s.file = d.file and s.line = d.line
         where d.file >= {FIRST_NEW} and d.reason <> 'unmatched' order by all",
        column.name,
        contract.table(),
    );
    let mut statement = duckdb.prepare(&sql).map_err(Error::duckdb(ACTION))?;
    let mut rows = statement.query([]).map_err(Error::duckdb(ACTION))?;
    while let Some(row) = rows.next().map_err(Error::duckdb(ACTION))? {
        let get = |place| row.get::<_, i64>(place).map_err(Error::duckdb(ACTION));
        let word: String = row.get(2).map_err(Error::duckdb(ACTION))?;
        let mut value: String = row.get(3).map_err(Error::duckdb(ACTION))?;
        if is_number {
            id_text(value.parse().unwrap_or(0), &mut value);
        }
        let place = usize::try_from(get(0)?).unwrap_or(usize::MAX);
        let reason = match word.as_str() {
            "unknown_household" => Reason::UnknownHousehold,
            "two_households" => Reason::TwoHouseholds,
            "two_counties" => Reason::TwoCounties,
            _ => Reason::Duplicate,
        };
        let is_tag = reason == Reason::TwoCounties;
        found.entry(place).or_default().rejects.push(Reject {
            file: deliveries.get(place).map(|d| d.path.clone()).unwrap_or_default(),
            line: u64::try_from(get(1)?).unwrap_or(0),
            column: column.header().to_owned(),
            reason,
            outcome: if is_tag { Outcome::Tagged } else { Outcome::Rejected },
            value: shown(&value, column.personal),
        });
    }
    Ok(())
}

fn file_report(
    delivery: &Delivery,
    file: &Staged,
    label: String,
    compared: &Compared,
) -> FileReport {
    let all = || file.counts.rejects.iter().chain(&compared.rejects);
    let by_reason = |outcome: Outcome| {
        let mut counts: BTreeMap<Reason, u64> = BTreeMap::new();
        for reject in all().filter(|reject| reject.outcome == outcome) {
            *counts.entry(reject.reason).or_default() += 1;
        }
        counts.into_iter().map(|(reason, n)| (reason.code().to_owned(), n)).collect::<Vec<_>>()
    };
    let reasons = by_reason(Outcome::Rejected);
    let rejected = reasons.iter().map(|(_, count)| count).sum();
    let samples = all().take(SAMPLES_MAX).cloned().collect();
    FileReport {
        path: delivery.path.clone(),
        contract: Some(file.contract.clone()),
        label,
        period: (!file.period.is_empty()).then(|| file.period.clone()),
        read: file.counts.read,
        accepted: file.counts.read.saturating_sub(rejected).saturating_sub(compared.unmatched),
        rejected,
        unmatched: compared.unmatched,
        reasons,
        unknown_cells: by_reason(Outcome::Unknown),
        tagged: by_reason(Outcome::Tagged),
        samples,
        unchanged: false,
    }
}
