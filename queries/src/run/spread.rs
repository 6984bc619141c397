//! A question cut into pieces, worked on by as many threads as it may have.
//!
//! Invariants: every piece is worked on exactly once, or the question fails; no answer depends on
//! the number of threads or on who worked on what; a piece begins with a look at whether the
//! question is to stop, and lets others go first that had less (`pool`).

use crate::error::Result;
use crate::plan::Within;
use crate::pool::Job;

/// What `work` gives for every piece, in their order.
pub(crate) fn over<T: Send>(
    within: Within<'_>,
    pieces: usize,
    work: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let keep = |own: &mut Vec<(usize, T)>, piece| {
        own.push((piece, work(piece)?));
        Ok(())
    };
    let mut parts: Vec<(usize, T)> =
        fold(within, pieces, || Ok(Vec::new()), keep)?.into_iter().flatten().collect();
    parts.sort_by_key(|(piece, _)| *piece);
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

/// The states after `work` on every piece, one for each thread that took part, in no order: their
/// merge must be the same in any. A thread's pieces rise.
pub(crate) fn fold<S: Send>(
    within: Within<'_>,
    pieces: usize,
    state: impl Fn() -> Result<S> + Sync,
    work: impl Fn(&mut S, usize) -> Result<()> + Sync,
) -> Result<Vec<S>> {
    let work = |own: &mut S, piece| {
        within.run.check()?;
        work(own, piece)
    };
    let job = Job::new(pieces, &state, &work);
    match within.visit {
        Some(visit) => job.together(visit, within.threads),
        None => job.apart(within.threads),
    }
}
