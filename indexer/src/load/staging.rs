//! Files are read and cleaned side by side, the largest first.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crossbeam::channel;
use duckdb::Connection;
use yiku::{PathTree, calendar};

use super::Tell;
use super::deliveries::Delivery;
use super::ledger::Ledger;
use crate::contract::Contracts;
use crate::error::{Error, Result};
use crate::read::Source;
use crate::report::Progress;
use crate::stage::{Counts, Stager};

/// A file that was read and cleaned.
#[derive(Debug)]
pub(super) struct Staged {
    /// Its place among the deliveries; with [`FIRST_NEW`] added, its number in staged rows.
    pub(super) place: usize,
    /// The id of its contract.
    pub(super) contract: String,
    /// The months that it speaks of; empty when it speaks of the present.
    pub(super) period: String,
    pub(super) counts: Counts,
}

/// Files of this load are numbered from here; those of earlier loads from 0.
pub(super) const FIRST_NEW: usize = 1_000_000;

/// Reads and cleans every delivery that is new.
///
/// # Errors
/// What a file can break; of several, that of the first file by name.
pub(super) fn run(
    deliveries: &[Delivery],
    (contracts, tree, duckdb): (&Contracts, &PathTree, &Connection),
    threads: usize,
    tell: Tell<'_>,
) -> Result<Vec<Staged>> {
    let fresh = deliveries.iter().enumerate().filter(|(_, delivery)| !delivery.unchanged);
    let mut fresh: Vec<(usize, &Delivery, Mutex<Connection>)> = fresh
        .map(|(place, delivery)| {
            let own = duckdb.try_clone().map_err(Error::duckdb("start a worker"))?;
            Ok((place, delivery, Mutex::new(own)))
        })
        .collect::<Result<_>>()?;
    fresh.sort_by_key(|(_, delivery, _)| std::cmp::Reverse(delivery.bytes));
    let (mut done, total) = (0, fresh.iter().map(|(_, delivery, _)| delivery.bytes).sum());
    let work = |(place, delivery, own): &(usize, &Delivery, Mutex<Connection>)| {
        let own = own.lock().unwrap_or_else(PoisonError::into_inner);
        one(*place, delivery, (contracts, tree, &own))
    };
    let sizes: Vec<(u64, String)> = fresh
        .iter()
        .map(|(_, delivery, _)| {
            let name = delivery.path.file_name().unwrap_or_default();
            (delivery.bytes, name.to_string_lossy().into_owned())
        })
        .collect();
    let mut staged = in_parallel(threads, &fresh, work, &mut |place| {
        let (bytes, detail) = sizes.get(place).cloned().unwrap_or_default();
        done += bytes;
        tell(Progress { step: "reading", detail, done, total });
    })?;
    staged.sort_by_key(|file| file.place);
    Ok(staged)
}

fn one(
    place: usize,
    delivery: &Delivery,
    (contracts, tree, duckdb): (&Contracts, &PathTree, &Connection),
) -> Result<Staged> {
    let source = Source::open(&delivery.path, contracts, duckdb)?;
    let Some(contract) = contracts.all().get(source.contract) else { return Err(Error::Worker) };
    let mut stager = Stager::new(contract, tree, source.path.clone(), FIRST_NEW + place);
    let reader = duckdb.try_clone().map_err(Error::duckdb("start a worker"))?;
    let mut appender =
        duckdb.appender(&contract.table()).map_err(Error::duckdb("stage cleaned records"))?;
    source.read(contract, &reader, &mut |chunk| stager.take(chunk, &mut appender))?;
    appender.flush().map_err(Error::duckdb("stage cleaned records"))?;
    let contract = contract.id.clone();
    Ok(Staged { place, contract, period: String::new(), counts: stager.counts })
}

/// Does something with every item on several threads; the results in the order of the items. On a
/// failure the rest is left, and the failure of the first item among those that failed is told.
///
/// # Errors
/// What the work says; [`Error::Worker`] if a thread died.
pub(super) fn in_parallel<I: Sync, T: Send>(
    threads: usize,
    items: &[I],
    work: impl Fn(&I) -> Result<T> + Sync,
    done: &mut dyn FnMut(usize),
) -> Result<Vec<T>> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = channel::unbounded();
    let mut results: Vec<Option<T>> = items.iter().map(|_| None).collect();
    let mut failure: Option<(usize, Error)> = None;
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, items.len().max(1)) {
            let (sender, next, stop, work) = (sender.clone(), &next, &stop, &work);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(place) else { break };
                    let result = work(item);
                    stop.fetch_or(result.is_err(), Ordering::Relaxed);
                    if sender.send((place, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (place, result) in receiver {
            match result {
                Ok(result) => {
                    if let Some(slot) = results.get_mut(place) {
                        *slot = Some(result);
                    }
                    done(place);
                }
                Err(error) if failure.as_ref().is_none_or(|(first, _)| place < *first) => {
                    failure = Some((place, error));
                }
                Err(_) => {}
            }
        }
    });
    if let Some((_, error)) = failure {
        return Err(error);
    }
    let results: Vec<T> = results.into_iter().flatten().collect();
    if results.len() == items.len() { Ok(results) } else { Err(Error::Worker) }
}

/// Leaves files out that were replaced by one that is delivered again beside them.
///
/// # Errors
/// [`Error::DuckDb`].
pub(super) fn leave_outdated(
    duckdb: &Connection,
    ledger: &Ledger,
    deliveries: &mut [Delivery],
    staged: &mut Vec<Staged>,
) -> Result<()> {
    let outdated = |file: &mut Staged| ledger.is_outdated(file, deliveries);
    let outdated: Vec<Staged> = staged.extract_if(.., outdated).collect();
    for file in outdated {
        let table = format!("stage_{}", file.contract.replace('.', "_"));
        let sql = format!("delete from {table} where file = {}", FIRST_NEW + file.place);
        duckdb.execute_batch(&sql).map_err(Error::duckdb("leave an outdated file out"))?;
        if let Some(delivery) = deliveries.get_mut(file.place) {
            delivery.unchanged = true;
        }
    }
    Ok(())
}

/// Finds out of which months each file speaks.
///
/// # Errors
/// [`Error::DuckDb`].
pub(super) fn periods(
    duckdb: &Connection,
    contracts: &Contracts,
    staged: &mut [Staged],
) -> Result<()> {
    for file in staged {
        let Some(contract) = contracts.get(&file.contract) else { continue };
        let Some(column) = contract.period.and_then(|place| contract.columns.get(place)) else {
            continue;
        };
        let sql = format!(
            "select min(\"{0}\"), max(\"{0}\") from {1} where file = {2}",
            column.name,
            contract.table(),
            FIRST_NEW + file.place,
        );
        let months: (Option<i64>, Option<i64>) = duckdb
            .query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(Error::duckdb("find the months of a file"))?;
        file.period = match months {
            (Some(first), Some(last)) if first == last => calendar::month_text(first),
            (Some(first), Some(last)) => {
                format!("{}..{}", calendar::month_text(first), calendar::month_text(last))
            }
            _ => String::new(),
        };
    }
    Ok(())
}
