//! Who stands where, and how late each department is.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use yiku::{Snapshot, calendar};

use super::places::Places;
use crate::bundles::surrogate;
use crate::clean::parse_id;
use crate::error::Result;
use crate::load::{self, surrogate_key};

/// Where a person stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The key of the household.
    pub household: String,
    /// The number of the person.
    pub person: String,
}

/// Finds a person by ID number; none when nobody in the registry has it, or it is no ID number.
///
/// # Errors
/// [`crate::Error::Io`] when the key of person numbers is lost; [`crate::Error::Engine`];
/// [`crate::Error::Contract`] on a database of another registry.
pub fn find_person(snapshot: &Snapshot, db: &Path, id_number: &str) -> Result<Option<Found>> {
    let places = Places::new(snapshot.schema())?;
    let Some(number) = parse_id(id_number).filter(|_| snapshot.rows(0) > 0) else {
        return Ok(None);
    };
    let mut person = String::new();
    surrogate(&surrogate_key(db, true)?, number, &mut person);
    let household = snapshot.find(places.person.place, &person)?;
    Ok(household.map(|household| Found { household, person }))
}

/// What stands of a department's contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceState {
    /// The contract: `department.dataset`.
    pub contract: String,
    /// The last day that its files speak of, in days since 1970-01-01: the end of the last month,
    /// or, of files that speak of the present, the day that the registry spoke of when the last of
    /// them was loaded.
    pub last_day: Option<i64>,
    /// Files that count.
    pub files: u64,
}

/// The state of every contract of which a file counts, by contract.
#[must_use]
pub fn sources(snapshot: &Snapshot) -> Vec<SourceState> {
    let mut found: BTreeMap<&str, SourceState> = BTreeMap::new();
    for (contract, period) in load::standing(snapshot) {
        let state = found.entry(contract).or_insert_with(|| SourceState {
            contract: contract.to_owned(),
            last_day: None,
            files: 0,
        });
        state.files += 1;
        let last = period.map(|period| period.rsplit("..").next().unwrap_or(period));
        let day = match last {
            Some(month) => calendar::parse_month(month).map(calendar::month_end),
            None => load::spoke_of(snapshot, contract).or(snapshot.as_of()),
        };
        state.last_day = state.last_day.max(day);
    }
    found.into_values().collect()
}
