//! The fold becomes bundles: a walk through its tables side by side, in the order of the register.
//!
//! Invariants: households are handed over in the order of path and key, in batches of about as many
//! rows as a segment takes; a person's number says nothing of the ID number.

use std::collections::BTreeMap;

use duckdb::Connection;
use sha2::{Digest, Sha256};
use yiku::{Batch, Schema, Value, calendar};

use crate::clean::id_text;
use crate::error::{Error, Result};
use crate::fold::{By, PARTS};
use crate::rows::Rows;

/// Rows of the largest table in one batch.
const BATCH_ROWS: u64 = 1_000_000;

/// Takes full batches.
/// Each comes with how many households are done, of how many.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(Batch, u64, u64) -> Result<()>;

/// A column of the fold and the column of the registry that it fills.
type Copied = (usize, usize);

/// Where everything stands in the registry's schema.
struct Registry {
    household: usize,
    person: usize,
    aid: usize,
    observation: usize,
    places: BTreeMap<&'static str, usize>,
    members: Vec<Copied>,
    households: Vec<Copied>,
    aids: Vec<Copied>,
    tags: BTreeMap<&'static str, i64>,
    indicators: [(i64, &'static str); 3],
    /// The places of work in the list `employment`.
    in_work: Vec<i64>,
}

impl Registry {
    fn new(schema: &Schema) -> Result<Registry> {
        let wrong = |what: String| Error::Contract { contract: "registry".to_owned(), what };
        let table = |name: &str| {
            schema.table_index(name).ok_or_else(|| wrong(format!("no table `{name}`")))
        };
        let column = |table: usize, name: &str| {
            let found = schema.tables.get(table).and_then(|t| t.column_index(name));
            found.ok_or_else(|| wrong(format!("no column `{name}`")))
        };
        let code = |list: &str, name: &str| {
            let list = schema.lists.iter().find(|l| l.name == list);
            let place = list.and_then(|l| l.find(name)).map(i64::from);
            place.ok_or_else(|| wrong(format!("no code `{name}`")))
        };
        let (household, person) = (table("household")?, table("person")?);
        let (aid, observation) = (table("aid")?, table("observation")?);
        let mut places = BTreeMap::new();
        for (of, name) in PLACES {
            places.insert(*name, column(table(of)?, name.split('.').nth(1).unwrap_or(name))?);
        }
        let same = |part: usize, table: usize| -> Result<Vec<Copied>> {
            let names = PARTS.get(part).map_or(&[][..], |part| part.columns);
            let known = names.iter().enumerate().filter(|(_, name)| !NOT_COPIED.contains(name));
            known.map(|(nth, name)| Ok((nth + 1, column(table, name)?))).collect()
        };
        let mut tags = BTreeMap::new();
        for name in TAGS {
            tags.insert(name, 1 << code("tags", name)?);
        }
        Ok(Registry {
            household,
            person,
            aid,
            observation,
            places,
            members: same(MEMBER, person)?,
            households: same(HOUSEHOLD, household)?,
            aids: same(AID, aid)?,
            tags,
            indicators: [
                (code("indicator", "medical_self_paid")?, "A07"),
                (code("indicator", "medical_total")?, "M01"),
                (code("indicator", "aid_paid")?, "P01"),
            ],
            in_work: vec![
                code("employment", "in_work")?,
                code("employment", "flexible")?,
                code("employment", "public_post")?,
            ],
        })
    }

    fn place(&self, name: &str) -> usize {
        self.places.get(name).copied().unwrap_or(usize::MAX)
    }

    fn tag(&self, name: &str) -> i64 {
        self.tags.get(name).copied().unwrap_or(0)
    }
}

/// Columns of the fold that are read for what they say, not copied.
const NOT_COPIED: [&str; 3] = ["size", "h", "id_number"];
const TAGS: [&str; 8] = [
    "living_alone",
    "hardship_worker",
    "released",
    "in_custody",
    "student_grant",
    "major_disease",
    "two_counties",
    "paid_after_death",
];
/// Columns of the registry that are filled one by one, with their tables.
const PLACES: &[(&str, &str)] = &[
    ("household", "household.housing_grade"),
    ("household", "household.disaster_kind"),
    ("household", "household.disaster_on"),
    ("household", "household.disaster_loss"),
    ("household", "household.relapse_kind"),
    ("household", "household.relapse_since"),
    ("household", "household.relapse_cleared"),
    ("person", "person.person_id"),
    ("person", "person.id_number"),
    ("person", "person.employed"),
    ("person", "person.employment"),
    ("person", "person.insurance_stopped"),
    ("person", "person.school_stage"),
    ("person", "person.disability_type"),
    ("person", "person.disability_grade"),
    ("person", "person.disability_since"),
    ("person", "person.severe_illness"),
    ("person", "person.illness_since"),
    ("person", "person.death_date"),
    ("person", "person.tags"),
    ("observation", "observation.observation_id"),
    ("observation", "observation.indicator"),
    ("observation", "observation.month"),
    ("observation", "observation.value"),
];

// The places of the parts in `PARTS`.
const HOUSEHOLD: usize = 0;
const HOUSING: usize = 1;
const DISASTERS: usize = 2;
const MONITORED: usize = 3;
const MEMBER: usize = 4;
const CARDS: usize = 5;
const EMPLOYMENT: usize = 6;
const STUDENTS: usize = 7;
const CUSTODY: usize = 8;
const HARDSHIP: usize = 9;
const MOVED: usize = 10;
const HEALTH: usize = 11;
const AID: usize = 12;
const SETTLED: usize = 13;
const PAID: usize = 14;

/// Walks the whole fold; returns how many households there were.
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
    let registry = Registry::new(schema)?;
    let count = |table: &str| {
        let sql = format!("select count(*)::bigint from {table}");
        duckdb.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(Error::duckdb("count rows"))
    };
    let households = count("hh")?;
    let observations = count("settled")? * 2 + count("paid")?;
    let largest = households.max(count("m")?).max(count("aid")?).max(observations);
    let batches = u64::try_from(largest).unwrap_or(0).div_ceil(BATCH_ROWS).max(1);
    let batches = i64::try_from(batches).unwrap_or(1);
    for nth in 0..batches {
        let (from, to) = (households * nth / batches, households * (nth + 1) / batches);
        let mut walk = Walk::fetch(duckdb, &registry, key, (from, to))?;
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
    registry: &'a Registry,
    key: &'a [u8],
    parts: Vec<Rows>,
    /// What person and observation numbers are written into.
    number: String,
    text: String,
}

impl<'a> Walk<'a> {
    fn fetch(
        duckdb: &Connection,
        registry: &'a Registry,
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
        Ok(Walk { registry, key, parts, number: String::new(), text: String::new() })
    }

    fn part(&self, part: usize) -> &Rows {
        self.parts.get(part).unwrap_or(&NO_ROWS)
    }

    /// Walks a part on to the rows of a household or person.
    fn take(&mut self, part: usize, key: i64) -> std::ops::Range<usize> {
        self.parts.get_mut(part).map_or(0..0, |rows| rows.take(key))
    }

    fn household(&mut self, batch: &mut Batch, row: usize) -> Result<()> {
        let h = self.part(HOUSEHOLD).integer(0, row).unwrap_or(0);
        let (housing, disaster) = (self.take(HOUSING, h), self.take(DISASTERS, h));
        let monitored = self.take(MONITORED, h);
        let mut builder = batch.push(self.registry.household)?;
        let place = |name| self.registry.place(name);
        for (from, to) in &self.registry.households {
            builder.put(*to, self.part(HOUSEHOLD).value(*from, row))?;
        }
        for (part, rows, columns) in [
            (HOUSING, housing, &["household.housing_grade"][..]),
            (DISASTERS, disaster, &[
                "household.disaster_kind",
                "household.disaster_on",
                "household.disaster_loss",
            ]),
            (MONITORED, monitored, &[
                "household.relapse_kind",
                "household.relapse_since",
                "household.relapse_cleared",
            ]),
        ] {
            for (nth, name) in columns.iter().enumerate() {
                if let Some(row) = rows.clone().next() {
                    builder.put(place(name), self.part(part).value(nth + 1, row))?;
                }
            }
        }
        let members = self.members_of(h);
        let declared = self.part(HOUSEHOLD).integer(7, row);
        let alone = members.len() == 1 && declared.is_none_or(|size| size == 1);
        for row in members {
            self.member(batch, row, alone)?;
        }
        Ok(())
    }

    /// The rows of the members of a household: `m` is in their order, by its second column.
    fn members_of(&mut self, h: i64) -> std::ops::Range<usize> {
        self.parts.get_mut(MEMBER).map_or(0..0, |rows| rows.take_by(1, h))
    }

    fn member(&mut self, batch: &mut Batch, row: usize, alone: bool) -> Result<()> {
        let p = self.part(MEMBER).integer(0, row).unwrap_or(0);
        let number = self.part(MEMBER).integer(2, row).unwrap_or(0);
        let (settled, paid) = (self.take(SETTLED, p), self.take(PAID, p));
        let mut tags = if alone { self.registry.tag("living_alone") } else { 0 };
        surrogate(self.key, number, &mut self.number);
        id_text(number, &mut self.text);
        let mut builder = batch.push(self.registry.person)?;
        builder.put(self.registry.place("person.person_id"), Value::Text(&self.number))?;
        builder.put(self.registry.place("person.id_number"), Value::Text(&self.text))?;
        for (from, to) in &self.registry.members {
            builder.put(*to, self.part(MEMBER).value(*from, row))?;
        }
        let takes = [CARDS, EMPLOYMENT, STUDENTS, CUSTODY, HARDSHIP, MOVED, HEALTH];
        let mut found = [None; HEALTH + 1];
        for part in takes {
            if let Some(slot) = found.get_mut(part) {
                *slot = self.take(part, p).next();
            }
        }
        let at = |part: usize| found.get(part).copied().flatten();
        let value = |part: usize, column: usize| match at(part) {
            Some(row) => self.part(part).integer(column, row),
            None => None,
        };
        let employment = value(EMPLOYMENT, 1);
        let employed = employment.map(|place| self.registry.in_work.contains(&place));
        let died = value(HEALTH, 3);
        let ill = value(HEALTH, 1) == Some(1);
        for (name, value) in [
            ("person.disability_type", value(CARDS, 1)),
            ("person.disability_grade", value(CARDS, 2)),
            ("person.disability_since", value(CARDS, 3)),
            ("person.employment", employment),
            ("person.employed", employed.map(i64::from)),
            ("person.insurance_stopped", value(EMPLOYMENT, 2)),
            ("person.school_stage", value(STUDENTS, 1)),
            ("person.severe_illness", ill.then_some(1)),
            ("person.illness_since", value(HEALTH, 2)),
            ("person.death_date", died),
        ] {
            builder.put(self.registry.place(name), value.into())?;
        }
        let late = |rows: &Rows, row: usize, died: i64| {
            rows.integer(1, row).is_some_and(|month| month > calendar::month_of(died))
        };
        let late = died.is_some_and(|died| {
            paid.clone().any(|row| late(self.part(PAID), row, died))
        });
        for (name, is_so) in [
            ("student_grant", value(STUDENTS, 2) == Some(1)),
            ("released", value(CUSTODY, 1) == Some(1)),
            ("in_custody", value(CUSTODY, 2) == Some(1)),
            ("hardship_worker", at(HARDSHIP).is_some()),
            ("two_counties", at(MOVED).is_some()),
            ("major_disease", ill),
            ("paid_after_death", late),
        ] {
            tags |= if is_so { self.registry.tag(name) } else { 0 };
        }
        builder.put(self.registry.place("person.tags"), Value::Int(tags))?;
        self.aid(batch, p)?;
        self.observations(batch, settled, paid)
    }

    fn aid(&mut self, batch: &mut Batch, p: i64) -> Result<()> {
        for row in self.take(AID, p) {
            let mut builder = batch.push(self.registry.aid)?;
            for (from, to) in &self.registry.aids {
                builder.put(*to, self.part(AID).value(*from, row))?;
            }
        }
        Ok(())
    }

    fn observations(
        &mut self,
        batch: &mut Batch,
        settled: std::ops::Range<usize>,
        paid: std::ops::Range<usize>,
    ) -> Result<()> {
        let [own, total, aid] = self.registry.indicators;
        for (indicator, part, column, rows) in [
            (own, SETTLED, 2, settled.clone()),
            (total, SETTLED, 3, settled),
            (aid, PAID, 2, paid),
        ] {
            for row in rows {
                let month = self.part(part).integer(1, row).unwrap_or(0);
                self.text.clear();
                self.text.push_str(&self.number);
                self.text.push_str(indicator.1);
                digits(month, &mut self.text);
                let value = self.part(part).value(column, row);
                let mut builder = batch.push(self.registry.observation)?;
                let place = |name| self.registry.place(name);
                let id = Value::Text(&self.text);
                builder.put(place("observation.observation_id"), id)?;
                builder.put(place("observation.indicator"), Value::Int(indicator.0))?;
                builder.put(place("observation.month"), Value::Int(month))?;
                builder.put(place("observation.value"), value)?;
            }
        }
        Ok(())
    }
}

static NO_ROWS: Rows = Rows::none();

/// The number of a person: sixteen hexadecimal digits that cannot be turned back without the key.
fn surrogate(key: &[u8], number: i64, text: &mut String) {
    let digest = Sha256::new().chain_update(key).chain_update(number.to_le_bytes()).finalize();
    text.clear();
    for byte in digest.iter().take(8) {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from(if half < 10 { b'0' + half } else { b'a' + half - 10 }));
        }
    }
}

/// A month as six digits.
fn digits(month: i64, text: &mut String) {
    use std::fmt::Write;
    // Writing to a text cannot fail.
    let _ = write!(text, "{:04}{:02}", month.div_euclid(12), month.rem_euclid(12) + 1);
}
