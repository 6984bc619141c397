//! Counts of cases, for the funnel, the map and the test that leader and case files agree.

use rusqlite::params;

use super::words::kind_word;
use super::{Sql, Store};
use crate::case::Kind;
use crate::error::Result;
use crate::rights::within;

/// How many cases of a kind stand in a state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Count {
    /// The first digits of their region, as many as were asked for.
    pub region: String,
    /// The level of warnings.
    pub level: Option<String>,
    /// The state.
    pub state: String,
    /// How many.
    pub cases: u64,
}

/// How many cases of a kind have ever been in a state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Reached {
    /// The first digits of their region, as many as were asked for.
    pub region: String,
    /// The state.
    pub state: String,
    /// The command that led to it.
    pub command: String,
    /// How many different cases.
    pub cases: u64,
}

impl Store {
    /// Cases of a kind within a scope, by region of so many digits, level and state.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn counts(&self, scope: &str, kind: Kind, digits: u8) -> Result<Vec<Count>> {
        if !within(scope, scope) {
            return Ok(Vec::new());
        }
        let past = format!("{scope}:");
        self.read(|transaction| {
            let mut statement = transaction
                .prepare_cached(
                    "SELECT substr(region, 1, ?4) AS area, level, state, count(*) FROM cases
                     WHERE region >= ?1 AND region < ?2 AND kind = ?3
                     GROUP BY area, level, state ORDER BY area, level, state",
                )
                .doing("prepare the counts")?;
            statement
                .query_map(params![scope, past, kind_word(kind), digits], |row| {
                    let (region, level) = (row.get(0)?, row.get(1)?);
                    Ok(Count { region, level, state: row.get(2)?, cases: row.get(3)? })
                })
                .and_then(Iterator::collect)
                .doing("read the counts")
        })
    }

    /// How far cases of a kind within a scope have ever come: by region of so many digits, how
    /// many different cases were led to each state by each command. The funnel reads this, since a
    /// closed warning was signed for too.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn reached(&self, scope: &str, kind: Kind, digits: u8) -> Result<Vec<Reached>> {
        if !within(scope, scope) {
            return Ok(Vec::new());
        }
        let past = format!("{scope}:");
        self.read(|transaction| {
            let mut statement = transaction
                .prepare_cached(
                    "SELECT substr(cases.region, 1, ?4) AS area, event.state AS state,
                         event.command AS command, count(DISTINCT event.case_id)
                     FROM event JOIN cases ON cases.id = event.case_id
                     WHERE cases.region >= ?1 AND cases.region < ?2 AND cases.kind = ?3
                     GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
                )
                .doing("prepare the counts")?;
            statement
                .query_map(params![scope, past, kind_word(kind), digits], |row| {
                    let (region, state) = (row.get(0)?, row.get(1)?);
                    Ok(Reached { region, state, command: row.get(2)?, cases: row.get(3)? })
                })
                .and_then(Iterator::collect)
                .doing("read the counts")
        })
    }
}
