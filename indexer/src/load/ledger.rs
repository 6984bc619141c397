//! Which files were loaded, as the notes of a version say, and what was kept of them.
//!
//! Invariant: a note `load.<digest>` says `contract period`, or `replaced` when a later file speaks
//! of the same. A kept file that no note names is not looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use duckdb::Connection;
use yiku::Snapshot;

use super::deliveries::Delivery;
use super::disk;
use super::outcome::Outcomes;
use super::staging::{FIRST_NEW, Staged};
use crate::contract::{Contract, Contracts};
use crate::error::{Error, Result};
use crate::read::quoted_path;

/// What stands before the digest in the name of a note.
const NOTE: &str = "load.";
/// What a note says of a file that a later one replaced.
const REPLACED: &str = "replaced";
/// What a note says for a file that speaks of the present.
const PRESENT: &str = "present";

/// The files of earlier loads.
#[derive(Debug)]
pub(super) struct Ledger(Vec<Loaded>);

/// A file of an earlier load that still counts.
#[derive(Debug, Clone)]
struct Loaded {
    digest: String,
    contract: String,
    period: String,
}

/// What of the earlier loads is folded again, and what this load replaces.
#[derive(Debug)]
pub(super) struct Earlier {
    db: PathBuf,
    standing: Vec<Loaded>,
    replaced: Vec<Loaded>,
}

/// A file of this load to be kept: its number, the table of its rows, and where it goes.
#[derive(Debug)]
pub(super) struct Keep {
    pub(super) file: usize,
    pub(super) table: String,
    pub(super) path: PathBuf,
}

impl Ledger {
    /// What the notes of a version say.
    pub(super) fn of(snapshot: Option<&Snapshot>) -> Ledger {
        let notes = snapshot.map(Snapshot::notes);
        let notes = notes.into_iter().flatten().filter_map(|(name, text)| {
            let digest = name.strip_prefix(NOTE)?.to_owned();
            let (contract, period) = text.split_once(' ')?;
            let period = if period == PRESENT { "" } else { period };
            Some(Loaded { digest, contract: contract.to_owned(), period: period.to_owned() })
        });
        Ledger(notes.collect())
    }

    /// Whether the file was loaded and still counts.
    pub(super) fn holds(&self, digest: &str) -> bool {
        self.0.iter().any(|loaded| loaded.digest == digest)
    }

    /// Contract and period of a file that was loaded.
    pub(super) fn find(&self, digest: &str) -> Option<(&str, &str)> {
        let found = self.0.iter().find(|loaded| loaded.digest == digest)?;
        Some((&found.contract, &found.period))
    }

    /// Stages again what was kept of earlier files that this load does not replace.
    ///
    /// # Errors
    /// [`Error::DuckDb`].
    pub(super) fn restore(
        self: &Ledger,
        duckdb: &Connection,
        db: &Path,
        contracts: &Contracts,
        staged: &[Staged],
    ) -> Result<Earlier> {
        let is_replaced = |loaded: &&Loaded| {
            staged.iter().any(|new| new.contract == loaded.contract && new.period == loaded.period)
        };
        let (replaced, standing) = self.0.iter().partition::<Vec<&Loaded>, _>(is_replaced);
        let own = |list: Vec<&Loaded>| list.into_iter().cloned().collect();
        let earlier =
            Earlier { db: db.to_owned(), standing: own(standing), replaced: own(replaced) };
        for (nth, loaded) in earlier.standing.iter().enumerate() {
            let Some(contract) = contracts.get(&loaded.contract) else { continue };
            let sql = format!(
                "insert into {} by name select {nth}::bigint file, * from {}",
                contract.table(),
                earlier.kept(loaded),
            );
            duckdb.execute_batch(&sql).map_err(Error::duckdb("read an earlier load back"))?;
        }
        Ok(earlier)
    }
}

impl Earlier {
    fn kept(&self, loaded: &Loaded) -> String {
        let path = disk::kept_path(&self.db, &loaded.contract, &loaded.period, &loaded.digest);
        format!("read_parquet({})", quoted_path(&path))
    }

    /// Whether a file of the contract stands.
    pub(super) fn has(&self, contract: &str) -> bool {
        self.standing.iter().any(|loaded| loaded.contract == contract)
    }

    /// The kept rows of a contract that this load replaces, each as what may follow `from`.
    pub(super) fn replaced(&self, contract: &Contract) -> Vec<String> {
        let of = self.replaced.iter().filter(|loaded| loaded.contract == contract.id);
        of.map(|loaded| self.kept(loaded)).collect()
    }

    /// What is to be kept of this load.
    pub(super) fn to_keep(&self, outcomes: &Outcomes, deliveries: &[Delivery]) -> Vec<Keep> {
        let keeps = outcomes.fresh.iter().filter_map(|file| {
            let delivery = deliveries.get(file.place)?;
            let (contract, period) = (&file.contract, &file.period);
            Some(Keep {
                file: FIRST_NEW + file.place,
                table: format!("stage_{}", contract.replace('.', "_")),
                path: disk::kept_path(&self.db, contract, period, &delivery.digest),
            })
        });
        keeps.collect()
    }

    /// The notes of this load.
    pub(super) fn notes(
        &self,
        outcomes: &Outcomes,
        deliveries: &[Delivery],
    ) -> BTreeMap<String, String> {
        let replaced = self.replaced.iter();
        let mut notes: BTreeMap<String, String> = replaced
            .map(|loaded| (format!("{NOTE}{}", loaded.digest), REPLACED.to_owned()))
            .collect();
        for file in &outcomes.fresh {
            let Some(delivery) = deliveries.get(file.place) else { continue };
            let period = if file.period.is_empty() { PRESENT } else { &file.period };
            let text = format!("{} {period}", file.contract);
            notes.insert(format!("{NOTE}{}", delivery.digest), text);
        }
        notes
    }
}
