//! What all routes of people at work do alike: name the command, write the journal, answer JSON.

use serde::Serialize;
use yiku::Snapshot;
use yiku_casework::store::{Call, Entry};
use yiku_casework::{Context, Evidence};

use crate::cases::workdays;
use crate::http::reply::Reply;
use crate::http::signed::Signed;
use crate::platform::Platform;
use crate::problem::Problem;

/// An error of case-work as a problem.
pub(super) fn casework<T>(done: Result<T, yiku_casework::Error>) -> Result<T, Problem> {
    done.map_err(|error| Problem::of_casework(&error))
}

/// An error of the indexer as a problem.
pub(super) fn indexer<T>(done: Result<T, yiku_indexer::Error>) -> Result<T, Problem> {
    done.map_err(|error| Problem::of_indexer(&error))
}

/// An answer that nobody keeps.
pub(super) fn answer(snapshot: &Snapshot, body: &impl Serialize) -> Result<Reply, Problem> {
    Reply::new(snapshot, None, body)
}

/// How a command reached the platform.
pub(super) fn call<'a>(signed: &'a Signed, command_id: &'a str) -> Call<'a> {
    Call { command_id, ip: &signed.ip }
}

/// What a decision may look at.
pub(super) fn context(
    platform: &Platform,
    evidence: Evidence,
) -> Result<Context<'static>, Problem> {
    Ok(Context { now: platform.now(), workdays: workdays()?, evidence })
}

/// Writes into the journal that somebody read or did something.
pub(super) fn journal(
    platform: &Platform,
    signed: &Signed,
    action: &str,
    object: &str,
    result: &str,
) -> Result<(), Problem> {
    let entry =
        Entry { action, object, result, ..Entry::by(&signed.actor, &signed.ip, platform.now()) };
    casework(platform.store().journal(&entry))
}
