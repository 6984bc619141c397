//! A household as people read it: every value by its column, codes as their codes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use yiku::rows::Cell;
use yiku::{Bundle, Schema, Snapshot};

use super::decision::Values;
use super::places::{Places, json};
use crate::error::Result;

/// A household with everything the registry has of it. Unknown values are left out; keys stand
/// among the values too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HouseholdRecord {
    /// Its key.
    pub key: String,
    /// Its place, in full width.
    pub region: String,
    /// Its own values by column.
    pub values: Values,
    /// Its members.
    pub persons: Vec<PersonRecord>,
    /// Its warnings, each by column.
    pub warnings: Vec<Values>,
}

/// A member of a household.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PersonRecord {
    /// The person's number.
    pub key: String,
    /// The person's own values by column.
    pub values: Values,
    /// Spells of aid, each by column.
    pub aid: Vec<Values>,
    /// Observations, each by column.
    pub observations: Vec<Values>,
}

/// The household of a key, with everything beneath it.
///
/// # Errors
/// [`crate::Error::Engine`]; [`crate::Error::Contract`] on a database of another registry.
pub fn household(snapshot: &Snapshot, key: &str) -> Result<Option<HouseholdRecord>> {
    let schema = snapshot.schema();
    let places = Places::new(schema)?;
    let bundle = snapshot.bundle(key)?;
    Ok(bundle.map(|bundle| HouseholdRecord::of(schema, &places, &bundle)))
}

impl HouseholdRecord {
    fn of(schema: &Schema, places: &Places, bundle: &Bundle) -> HouseholdRecord {
        let values = values(schema, bundle);
        let rows = |table: usize| beneath(schema, bundle, table);
        let persons = bundle.beneath.iter().filter(|row| row.table == places.person.place);
        let persons = persons.map(|row| PersonRecord {
            key: row.cell(places.person.key).text().unwrap_or_default().to_owned(),
            values: self::values(schema, row),
            aid: beneath(schema, row, places.aid.place),
            observations: beneath(schema, row, places.observation.place),
        });
        let region = schema.path.name.as_str();
        HouseholdRecord {
            key: bundle.cell(places.household.key).text().unwrap_or_default().to_owned(),
            region: values.get(region).and_then(Value::as_str).unwrap_or_default().to_owned(),
            persons: persons.collect(),
            warnings: rows(places.warning.place),
            values,
        }
    }
}

/// The known values of a row.
pub(super) fn values(schema: &Schema, row: &Bundle) -> Values {
    let columns = schema.tables.get(row.table).map(|table| table.columns.as_slice());
    let known = columns.unwrap_or_default().iter().zip(&row.cells);
    let known = known.filter(|(_, cell)| **cell != Cell::Unknown);
    known
        .map(|(column, cell)| (column.name.clone(), json(schema, column, cell)))
        .collect::<BTreeMap<_, _>>()
}

fn beneath(schema: &Schema, row: &Bundle, table: usize) -> Vec<Values> {
    let rows = row.beneath.iter().filter(|row| row.table == table);
    rows.map(|row| values(schema, row)).collect()
}
