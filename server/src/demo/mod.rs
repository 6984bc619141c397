//! The demonstration: accounts of every role in two neighbouring counties, and cases in every
//! state, all of people who do not exist.
//!
//! Invariants: what is shown came through the same commands as everything else; a second run finds
//! the accounts and cases of the first and adds nothing.

mod accounts;
mod director;
mod places;
mod stories;

use yiku::Snapshot;

use crate::platform::{DemoAccount, Platform};
use crate::problem::Problem;

pub(crate) use accounts::PASSWORD;

/// Makes what is missing of the demonstration's accounts and cases; the accounts, for the sign-in
/// page.
pub(crate) fn prepare(
    platform: &Platform,
    snapshot: &Snapshot,
) -> Result<Vec<DemoAccount>, Problem> {
    let places = places::Places::find(snapshot)?;
    let cast = accounts::establish(platform, snapshot, &places)?;
    if director::is_empty(platform)? {
        stories::play(platform, snapshot, &places, &cast)?;
    }
    Ok(cast.shown())
}
