//! Warnings that rules raise: once for a rule, a household and a period, and not again while the
//! rule is silent about the household.

use jiff::civil::Date;
use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::{Value, json};

use super::{Sql, Store, day};
use crate::case::Context;
use crate::error::{Error, Result};

/// How many are written in one transaction, so that people at work wait little.
const STEP: usize = 100;

/// A household that a rule pointed at.
#[derive(Debug, Clone, PartialEq)]
pub struct Raised {
    /// The rule.
    pub rule: String,
    /// `red`, `orange` or `yellow`.
    pub level: String,
    /// The household's key in the registry.
    pub household: String,
    /// Its region.
    pub region: String,
    /// The period of the data, such as `2026-11`.
    pub period: String,
    /// How many days the rule is silent about the household after a warning.
    pub silence_days: u32,
    /// What the warning is opened with: reasons, snapshot. The fields above are added to it.
    pub input: Value,
}

/// What came of raising warnings.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct RaisedCounts {
    /// Warnings that were opened.
    pub new: u64,
    /// Those that were opened before for the same rule, household and period.
    pub repeated: u64,
    /// Those that the rule is silent about.
    pub silenced: u64,
    /// The numbers of the new cases.
    pub cases: Vec<String>,
}

impl Store {
    /// Opens warnings. Stopped and begun again it opens none twice.
    ///
    /// # Errors
    /// A refusal of the warnings' rules; input that is not of its form.
    pub fn raise_warnings(&self, raised: &[Raised], context: &Context<'_>) -> Result<RaisedCounts> {
        let mut counts = RaisedCounts::default();
        for step in raised.chunks(STEP) {
            let done = self.write(|transaction| {
                let mut done = RaisedCounts::default();
                for one in step {
                    self.raise(transaction, one, context, &mut done)?;
                }
                Ok(done)
            })?;
            counts.new += done.new;
            counts.repeated += done.repeated;
            counts.silenced += done.silenced;
            counts.cases.extend(done.cases);
        }
        Ok(counts)
    }

    fn raise(
        &self,
        transaction: &Transaction<'_>,
        raised: &Raised,
        context: &Context<'_>,
        done: &mut RaisedCounts,
    ) -> Result<()> {
        let household = self.vault().index_of("household", &raised.household)?;
        let today = context.now.date();
        let same: Option<bool> = transaction
            .prepare_cached(
                "SELECT max(period = ?3) FROM raised WHERE rule = ?1 AND household = ?2
                     AND (period = ?3 OR on_day > ?4)",
            )
            .and_then(|mut statement| {
                let since = silent_since(today, raised.silence_days);
                statement
                    .query_row(params![raised.rule, household, raised.period, since], |row| {
                        row.get(0)
                    })
                    .optional()
            })
            .doing("look for a warning")?
            .flatten();
        match same {
            Some(true) => done.repeated += 1,
            Some(false) => done.silenced += 1,
            None => {
                let input = opening(raised)?;
                let case = self.open_warning(transaction, &raised.region, &input, context)?;
                let values = params![raised.rule, household, raised.period, day(today), case.id];
                transaction
                    .prepare_cached(
                        "INSERT INTO raised (rule, household, period, on_day, case_id)
                         VALUES (?1, ?2, ?3, ?4, ?5)",
                    )
                    .and_then(|mut statement| statement.execute(values))
                    .doing("remember a warning")?;
                done.new += 1;
                done.cases.push(case.id);
            }
        }
        Ok(())
    }
}

/// A rule was last heard after this day: it is still silent.
fn silent_since(today: Date, silence_days: u32) -> String {
    day(today.saturating_sub(jiff::Span::new().days(i64::from(silence_days.min(36_500)))))
}

fn opening(raised: &Raised) -> Result<Value> {
    let mut input = raised.input.clone();
    let Value::Object(fields) = &mut input else {
        return Err(Error::Input { name: "input", reason: "of a warning is an object" });
    };
    for (name, value) in [
        ("rule", &raised.rule),
        ("level", &raised.level),
        ("household", &raised.household),
        ("period", &raised.period),
    ] {
        fields.insert(name.to_owned(), json!(value));
    }
    Ok(input)
}
