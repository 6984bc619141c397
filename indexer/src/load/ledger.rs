//! Which files were loaded, as the notes of a version say, and what was kept of them.
//!
//! Invariant: a note `load.<digest>` says `contract period`, or `replaced` when a later file speaks
//! of the same. A kept file that no note names is not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use duckdb::Connection;
use yiku::{Snapshot, calendar};

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

/// What stands before the contract in the name of the note that says of which day the registry
/// spoke when a file of it was last loaded.
const SOURCE: &str = "source.";

/// Contract and period of every file that counts; no period for one that speaks of the present.
pub(crate) fn standing(snapshot: &Snapshot) -> impl Iterator<Item = (&str, Option<&str>)> {
    let notes = snapshot.notes().iter().filter(|(name, _)| name.starts_with(NOTE));
    let told = notes.filter_map(|(_, text)| text.split_once(' '));
    told.map(|(contract, period)| (contract, Some(period).filter(|period| *period != PRESENT)))
}

/// The day that the registry spoke of when a file of the contract was last loaded.
pub(crate) fn spoke_of(snapshot: &Snapshot, contract: &str) -> Option<i64> {
    let note = snapshot.notes().get(&format!("{SOURCE}{contract}"));
    note.and_then(|day| calendar::parse_date(day))
}

/// The files of earlier loads.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Those that still count.
    standing: Vec<Loaded>,
    /// Digests of those that a later file replaced.
    replaced: BTreeSet<String>,
}

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
        let mut ledger = Ledger { standing: Vec::new(), replaced: BTreeSet::new() };
        for (name, text) in snapshot.map(Snapshot::notes).into_iter().flatten() {
            let Some(digest) = name.strip_prefix(NOTE).map(str::to_owned) else { continue };
            if text == REPLACED {
                ledger.replaced.insert(digest);
            } else if let Some((contract, period)) = text.split_once(' ') {
                let period = if period == PRESENT { "" } else { period };
                let (contract, period) = (contract.to_owned(), period.to_owned());
                ledger.standing.push(Loaded { digest, contract, period });
            }
        }
        ledger
    }

    /// Whether the file was loaded and still counts.
    pub(super) fn holds(&self, digest: &str) -> bool {
        self.standing.iter().any(|loaded| loaded.digest == digest)
    }

    /// Contract and period of a file that was loaded.
    pub(super) fn find(&self, digest: &str) -> Option<(&str, &str)> {
        let found = self.standing.iter().find(|loaded| loaded.digest == digest)?;
        Some((&found.contract, &found.period))
    }

    /// Whether a file was replaced by one that is delivered again beside it. It stays replaced:
    /// who loads a folder in which both lie wants neither the old one back nor a new version.
    pub(super) fn is_outdated(&self, new: &Staged, deliveries: &[Delivery]) -> bool {
        let digest = deliveries.get(new.place).map(|delivery| &delivery.digest);
        let is_again = |loaded: &Loaded| {
            deliveries.iter().any(|delivery| delivery.digest == loaded.digest)
                && (&loaded.contract, &loaded.period) == (&new.contract, &new.period)
        };
        digest.is_some_and(|digest| self.replaced.contains(digest))
            && self.standing.iter().any(is_again)
    }

    /// Refuses a file whose months overlap those of another without being the same: neither would
    /// replace the other, and what both tell would count twice.
    ///
    /// # Errors
    /// [`Error::Months`].
    pub(super) fn check_months(&self, staged: &[Staged], deliveries: &[Delivery]) -> Result<()> {
        for new in staged.iter().filter(|new| !new.period.is_empty()) {
            let of = |contract: &String| *contract == new.contract;
            let standing = self.standing.iter().filter(|old| of(&old.contract));
            let others = staged.iter().filter(|other| of(&other.contract));
            let mut periods =
                standing.map(|old| &old.period).chain(others.map(|other| &other.period));
            if let Some(other) = periods.find(|period| overlap(period, &new.period)) {
                let path = deliveries.get(new.place).map(|d| d.path.clone()).unwrap_or_default();
                return Err(Error::Months {
                    path,
                    found: new.period.clone(),
                    other: other.clone(),
                });
            }
        }
        Ok(())
    }

    /// Stages again what was kept of earlier files that this load does not replace. A file that is
    /// delivered again is not replaced: it is one of several of its contract and period.
    ///
    /// # Errors
    /// [`Error::DuckDb`].
    pub(super) fn restore(
        self: &Ledger,
        duckdb: &Connection,
        db: &Path,
        contracts: &Contracts,
        (staged, deliveries): (&[Staged], &[Delivery]),
    ) -> Result<Earlier> {
        let is_replaced = |loaded: &&Loaded| {
            staged.iter().any(|new| new.contract == loaded.contract && new.period == loaded.period)
                && !deliveries.iter().any(|delivery| delivery.digest == loaded.digest)
        };
        let (replaced, standing) = self.standing.iter().partition::<Vec<&Loaded>, _>(is_replaced);
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

/// Whether two periods have a month in common and are not the same. Months are written so that
/// the order of texts is theirs.
fn overlap(one: &str, other: &str) -> bool {
    let ends = |period: &'_ str| -> (String, String) {
        let (first, last) = period.split_once("..").unwrap_or((period, period));
        (first.to_owned(), last.to_owned())
    };
    let ((first, last), (other_first, other_last)) = (ends(one), ends(other));
    !one.is_empty() && one != other && first <= other_last && other_first <= last
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

    /// Records that this load takes away from a contract and period.
    ///
    /// # Errors
    /// [`Error::DuckDb`].
    pub(super) fn taken(&self, duckdb: &Connection, contract: &str, period: &str) -> Result<u64> {
        let mut sum = 0;
        let of = |loaded: &&Loaded| loaded.contract == contract && loaded.period == period;
        for loaded in self.replaced.iter().filter(of) {
            let count: i64 = duckdb
                .query_row(&format!("select count(*) from {}", self.kept(loaded)), [], |row| {
                    row.get(0)
                })
                .map_err(Error::duckdb("read an earlier load back"))?;
            sum += u64::try_from(count).unwrap_or(0);
        }
        Ok(sum)
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
        as_of: Option<i64>,
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
            if let Some(day) = as_of {
                notes.insert(format!("{SOURCE}{}", file.contract), calendar::date_text(day));
            }
        }
        notes
    }
}
