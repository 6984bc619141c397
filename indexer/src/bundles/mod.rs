//! The fold becomes bundles: a walk through its tables side by side, in the order of the register.
//!
//! Invariants: households are handed over in the order of path and key, in batches of about as many
//! rows as a segment takes; a person's number says nothing of the ID number.

mod places;

use std::ops::Range;

use duckdb::Connection;
use sha2::{Digest, Sha256};
use yiku::{Batch, Schema, Value, calendar};

use crate::clean::id_text;
use crate::error::{Error, Result};
use crate::fold::{
    AID, By, CARDS, CUSTODY, DISASTERS, EMPLOYMENT, HARDSHIP, HEALTH, HOUSEHOLD, HOUSING, MEMBER,
    MONITORED, MOVED, PAID, PARTS, SETTLED, STUDENTS,
};
use crate::rows::Rows;
use places::Places;

/// Rows of the largest table in one batch.
const BATCH_ROWS: u64 = 1_000_000;

/// Takes full batches, each with how many households are done, of how many.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(Batch, u64, u64) -> Result<()>;

/// Walks the whole fold.
///
/// # Errors
/// [`Error::DuckDb`], [`Error::Arrow`], [`Error::Engine`], and what the sink says.
pub(crate) fn walk(
    duckdb: &Connection,
    schema: &Schema,
    empty: &Batch,
    key: &[u8],
    sink: Sink<'_>,
) -> Result<()> {
    let places = Places::new(schema)?;
    let count = |table: &str| {
        let sql = format!("select count(*)::bigint from {table}");
        duckdb.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(Error::duckdb("count rows"))
    };
    let households = count("hh")?;
    let observations = count("settled")? * 2 + count("paid")?;
    let largest = households.max(count("m")?).max(count("aid")?).max(observations);
    let batches = u64::try_from(largest).unwrap_or(0).div_ceil(BATCH_ROWS).max(1);
    let batches = i64::try_from(batches).unwrap_or(1);
    let events = count("stage_health_events")? > 0;
    for nth in 0..batches {
        let (from, to) = (households * nth / batches, households * (nth + 1) / batches);
        let mut walk = Walk::fetch(duckdb, &places, key, (from, to))?;
        walk.events = events;
        let mut batch = empty.clone();
        for row in 0..walk.part(HOUSEHOLD).len() {
            walk.household(&mut batch, row)?;
        }
        let count = |households| u64::try_from(households).unwrap_or(0);
        sink(batch, count(to), count(households))?;
    }
    Ok(())
}

/// The fold's rows of some households.
struct Walk<'a> {
    places: &'a Places,
    key: &'a [u8],
    parts: Vec<Rows>,
    /// Whether anybody delivered events of health: then who has none is not severely ill.
    events: bool,
    /// What person and observation numbers are written into.
    number: String,
    text: String,
}

static NO_ROWS: Rows = Rows::none();

impl<'a> Walk<'a> {
    fn fetch(
        duckdb: &Connection,
        places: &'a Places,
        key: &'a [u8],
        (from, to): (i64, i64),
    ) -> Result<Walk<'a>> {
        let sql = format!(
            "select coalesce(min(rowid), 0)::bigint, coalesce(max(rowid) + 1, 0)::bigint
             from m where h >= {from} and h < {to}"
        );
        let persons = duckdb.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        let (first, last): (i64, i64) = persons.map_err(Error::duckdb("count rows"))?;
        let mut parts = Vec::new();
        for part in &PARTS {
            let key = match (part.table, part.by) {
                ("hh" | "m", _) => "rowid",
                (_, By::Household) => "h",
                (_, By::Person) => "p",
            };
            let (from, to) = match part.by {
                By::Household => (from, to),
                By::Person => (first, last),
            };
            let columns = part.columns.iter().map(|name| format!(", \"{name}\""));
            let sql = format!(
                "select {key}{} from {} where {key} >= {from} and {key} < {to}",
                columns.collect::<String>(),
                part.table,
            );
            parts.push(Rows::fetch(duckdb, &sql)?);
        }
        let (number, text) = (String::new(), String::new());
        Ok(Walk { places, key, parts, events: false, number, text })
    }

    fn part(&self, part: usize) -> &Rows {
        self.parts.get(part).unwrap_or(&NO_ROWS)
    }

    /// Walks a part on to the rows of a household or person.
    fn take(&mut self, part: usize, key: i64) -> Range<usize> {
        self.parts.get_mut(part).map_or(0..0, |rows| rows.take(key))
    }

    fn household(&mut self, batch: &mut Batch, row: usize) -> Result<()> {
        let places = self.places;
        let h = self.part(HOUSEHOLD).integer(0, row).unwrap_or(0);
        let mut builder = batch.push(places.household)?;
        for (from, to) in &places.households {
            builder.put(*to, self.part(HOUSEHOLD).value(*from, row))?;
        }
        for (part, columns) in [
            (HOUSING, &places.housing[..]),
            (DISASTERS, &places.disasters),
            (MONITORED, &places.monitored),
        ] {
            if let Some(row) = self.take(part, h).next() {
                for (from, to) in (1..).zip(columns) {
                    builder.put(*to, self.part(part).value(from, row))?;
                }
            }
        }
        // Members are in the order of their households, which their second column names.
        let members = self.parts.get_mut(MEMBER).map_or(0..0, |rows| rows.take_by(1, h));
        let declared = self.part(HOUSEHOLD).integer(7, row);
        let alone = members.len() == 1 && declared.is_none_or(|size| size == 1);
        for row in members {
            self.member(batch, row, alone)?;
        }
        Ok(())
    }

    fn member(&mut self, batch: &mut Batch, row: usize, alone: bool) -> Result<()> {
        let places = self.places;
        let own = &places.own;
        let p = self.part(MEMBER).integer(0, row).unwrap_or(0);
        let number = self.part(MEMBER).integer(2, row).unwrap_or(0);
        let (settled, paid) = (self.take(SETTLED, p), self.take(PAID, p));
        let mut tags = if alone { places.tags.living_alone } else { 0 };
        surrogate(self.key, number, &mut self.number);
        id_text(number, &mut self.text);
        let mut builder = batch.push(places.person)?;
        builder.put(own.person_id, Value::Text(&self.number))?;
        builder.put(own.id_number, Value::Text(&self.text))?;
        for (from, to) in &places.members {
            builder.put(*to, self.part(MEMBER).value(*from, row))?;
        }
        if let Some(row) = self.take(CARDS, p).next() {
            for (from, to) in (1..).zip(&own.disability) {
                builder.put(*to, self.part(CARDS).value(from, row))?;
            }
        }
        if let Some(row) = self.take(EMPLOYMENT, p).next() {
            let work = self.part(EMPLOYMENT).integer(1, row);
            let employed = work.map(|code| places.in_work.contains(&code));
            builder.put(own.employment, work.into())?;
            builder.put(own.employed, employed.into())?;
            builder.put(own.insurance_stopped, self.part(EMPLOYMENT).value(2, row))?;
        }
        if let Some(row) = self.take(STUDENTS, p).next() {
            builder.put(own.school_stage, self.part(STUDENTS).value(1, row))?;
            tags |= self.bit(STUDENTS, 2, row, places.tags.student_grant);
        }
        if let Some(row) = self.take(CUSTODY, p).next() {
            tags |= self.bit(CUSTODY, 1, row, places.tags.released);
            tags |= self.bit(CUSTODY, 2, row, places.tags.in_custody);
        }
        for (part, tag) in
            [(HARDSHIP, places.tags.hardship_worker), (MOVED, places.tags.two_counties)]
        {
            tags |= if self.take(part, p).is_empty() { 0 } else { tag };
        }
        let event = self.take(HEALTH, p).next();
        let (health, paid_rows) = (self.part(HEALTH), self.part(PAID));
        let ill = event.is_some_and(|row| health.integer(1, row) == Some(1));
        if self.events {
            builder.put(own.severe_illness, Value::Bool(ill))?;
        }
        if let Some(row) = event {
            builder.put(own.illness_since, health.value(2, row))?;
            builder.put(own.death_date, health.value(3, row))?;
            let died = health.integer(3, row).map_or(i64::MAX, calendar::month_of);
            let is_late = |row| paid_rows.integer(1, row).is_some_and(|month| month > died);
            tags |= if ill { places.tags.major_disease } else { 0 };
            tags |= if paid.clone().any(is_late) { places.tags.paid_after_death } else { 0 };
        }
        builder.put(own.tags, Value::Int(tags))?;
        self.aid(batch, p)?;
        self.observations(batch, settled, paid)
    }

    /// A tag, if a flag of the fold is set.
    fn bit(&self, part: usize, column: usize, row: usize, tag: i64) -> i64 {
        if self.part(part).integer(column, row) == Some(1) { tag } else { 0 }
    }

    fn aid(&mut self, batch: &mut Batch, p: i64) -> Result<()> {
        for row in self.take(AID, p) {
            let mut builder = batch.push(self.places.aid)?;
            for (from, to) in &self.places.aids {
                builder.put(*to, self.part(AID).value(*from, row))?;
            }
        }
        Ok(())
    }

    fn observations(
        &mut self,
        batch: &mut Batch,
        settled: Range<usize>,
        paid: Range<usize>,
    ) -> Result<()> {
        let [own, total, aid] = self.places.indicators;
        let [id, indicator, of, value] = self.places.observed;
        for ((code, word), part, column, rows) in
            [(own, SETTLED, 2, settled.clone()), (total, SETTLED, 3, settled), (aid, PAID, 2, paid)]
        {
            for row in rows {
                let month = self.part(part).integer(1, row).unwrap_or(0);
                self.text.clear();
                self.text.push_str(&self.number);
                self.text.push_str(word);
                month_digits(month, &mut self.text);
                let mut builder = batch.push(self.places.observation)?;
                builder.put(id, Value::Text(&self.text))?;
                builder.put(indicator, Value::Int(code))?;
                builder.put(of, Value::Int(month))?;
                builder.put(value, self.part(part).value(column, row))?;
            }
        }
        Ok(())
    }
}

/// The number of a person: sixteen hexadecimal digits that cannot be turned back without the key.
pub(crate) fn surrogate(key: &[u8], number: i64, text: &mut String) {
    let digest = Sha256::new().chain_update(key).chain_update(number.to_le_bytes()).finalize();
    text.clear();
    for byte in digest.iter().take(8) {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from(if half < 10 { b'0' + half } else { b'a' + half - 10 }));
        }
    }
}

/// A month as six digits.
fn month_digits(month: i64, text: &mut String) {
    for (value, width) in [(month.div_euclid(12), 4), (month.rem_euclid(12) + 1, 2)] {
        for power in (0..width).rev() {
            let digit = value / 10_i64.pow(power) % 10;
            text.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_depends_on_the_key_and_on_every_digit() {
        let number = |key: &[u8], id| {
            let mut text = String::new();
            surrogate(key, id, &mut text);
            text
        };
        let one = number(b"k", 99_900_119_860_217_043);
        assert_eq!(one.len(), 16);
        assert_eq!(one, number(b"k", 99_900_119_860_217_043));
        assert_ne!(one, number(b"l", 99_900_119_860_217_043));
        assert_ne!(one, number(b"k", 99_900_119_860_217_053));
    }

    #[test]
    fn a_month_has_six_digits() {
        let mut text = String::new();
        month_digits(2026 * 12 + 9, &mut text);
        month_digits(2025 * 12, &mut text);
        assert_eq!(text, "202610202501");
    }
}
