//! Numbered tasks on threads, their results handed over in order.
//!
//! Invariant: no more results are under way than threads and one, so that memory is bounded.

use std::collections::BTreeMap;

use crossbeam::channel::{bounded, unbounded};
use duckdb::Connection;

use crate::error::{Error, Result};

/// Does `count` tasks on so many threads, each with its own connection, and hands their results
/// over in the order of their numbers.
///
/// # Errors
/// The first that a task or `take` says; later results are dropped.
pub(super) fn run<T: Send>(
    duckdb: &Connection,
    (threads, count): (usize, usize),
    work: &(dyn Fn(&Connection, usize) -> Result<T> + Sync),
    take: &mut dyn FnMut(T) -> Result<()>,
) -> Result<()> {
    let threads = threads.clamp(1, count.max(1));
    let failed = Error::duckdb("start a reader");
    let connections: Vec<Connection> =
        (0..threads).map(|_| duckdb.try_clone().map_err(&failed)).collect::<Result<_>>()?;
    std::thread::scope(|scope| {
        let (give, tasks) = bounded::<usize>(threads + 1);
        let (hand_over, results) = unbounded();
        for connection in connections {
            let (tasks, hand_over) = (tasks.clone(), hand_over.clone());
            scope.spawn(move || {
                for task in tasks {
                    if hand_over.send((task, work(&connection, task))).is_err() {
                        break;
                    }
                }
            });
        }
        drop((tasks, hand_over));
        let mut given = 0;
        let mut waiting = BTreeMap::new();
        for next in 0..count {
            while given < count && given <= next + threads {
                // It fails only where every thread has gone, which the line below finds.
                let _ = give.send(given);
                given += 1;
            }
            let result = loop {
                if let Some(result) = waiting.remove(&next) {
                    break result;
                }
                match results.recv() {
                    Ok((task, result)) => waiting.insert(task, result),
                    // A thread that stopped takes this one with it when the scope ends.
                    Err(_) => return Ok(()),
                };
            };
            take(result?)?;
        }
        Ok(())
    })
}
