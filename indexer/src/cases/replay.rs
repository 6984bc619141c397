//! Decisions laid again over the households that a load folded anew, before its commit.
//!
//! Who wins: aid, warnings, members who came or left and households that left stay as decided. A
//! decided value stands until the departments say something about that column that stood neither
//! when it was decided nor before: then they know something newer. Where they say nothing, it
//! stands. Who left a household for another by decision stays there. A person whom the register
//! lists elsewhere is there, with what was decided about them; a household that case-work made goes
//! over into the one where the register lists its head.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use duckdb::Connection;
use duckdb::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use duckdb::arrow::datatypes::{DataType, Field, Schema as ArrowSchema};
use serde_json::Value;
use yiku::{Bundle, Snapshot, Writer};

use super::decision::{Decision, PersonChange, Values};
use super::kept::{self, Kept, Line, Mark};
use super::overlay::{Before, Laid, Overlay, Refused, add, is_row};
use super::places::{Places, Table};
use super::record::values;
use crate::clean::parse_id;
use crate::error::{Error, Result};

const ACTION: &str = "lay decisions again";

/// Lays what was decided over the households that were folded anew; how many they were.
///
/// # Errors
/// [`Error::DuckDb`], [`Error::Arrow`], [`Error::Engine`], [`Error::Io`].
pub(crate) fn lay_again(
    duckdb: &Connection,
    snapshot: &Snapshot,
    writer: &mut Writer,
    (db, key): (&Path, &[u8]),
) -> Result<u64> {
    let lines = kept::read(db, Mark::of(snapshot, db)?)?;
    let kept: Vec<Kept> = lines
        .into_iter()
        .filter_map(|line| match line {
            Line::Laid(kept) => Some(*kept),
            Line::Refused { .. } => None,
        })
        .collect();
    if kept.is_empty() {
        return Ok(0);
    }
    let places = Places::new(snapshot.schema())?;
    let (schema, tree) = (snapshot.schema(), snapshot.tree());
    let overlay = Overlay { schema, tree, places: &places, key };
    let touched = touched(duckdb)?;
    let listed = listed(duckdb, &kept)?;
    let parted = Parted::new(&overlay, &listed, kept);
    let arrivals = parted.arrivals(&touched, snapshot, writer, places.person)?;
    let is_again = |key: &&String| touched.contains(*key) || arrivals.contains_key(*key);
    let again: Vec<&str> = parted.parts.keys().filter(is_again).map(String::as_str).collect();
    let mut batch = writer.batch();
    let mut gone = Vec::new();
    for (key, bundle) in again.iter().zip(writer.bundles(&again)?) {
        let (Some(mut bundle), Some(parts)) = (bundle, parted.parts.get(*key)) else { continue };
        for row in arrivals.get(*key).into_iter().flatten() {
            let who = row.cell(places.person.key).text().unwrap_or_default();
            bundle.beneath.retain(|other| !is_row(other, places.person, who));
            add(&mut bundle, row.clone());
        }
        match over(&overlay, bundle, parts)? {
            Some(bundle) => batch.put(&bundle)?,
            None => gone.push((*key).to_owned()),
        }
    }
    // Whom the register now lists elsewhere must not stand where they were decided to be, too.
    for (left, who) in parted.left {
        let is_news = who.iter().any(|(_, now)| touched.contains(now));
        if !is_news || touched.contains(&left) {
            continue;
        }
        let Some(mut bundle) = writer.bundles(&[&left])?.pop().flatten() else { continue };
        if parted.became.contains_key(&left) {
            gone.push(left);
            continue;
        }
        let is_left = |row: &Bundle| who.iter().any(|(who, _)| is_row(row, places.person, who));
        bundle.beneath.retain(|row| !is_left(row));
        batch.put(&bundle)?;
    }
    if !batch.is_empty() {
        writer.write(&batch)?;
    }
    for key in gone {
        writer.remove(&key)?;
    }
    Ok(u64::try_from(again.len()).unwrap_or(0))
}

/// The keys of the households that the load folded.
fn touched(duckdb: &Connection) -> Result<BTreeSet<String>> {
    let mut statement =
        duckdb.prepare("select household_id from touched").map_err(Error::duckdb(ACTION))?;
    let keys = statement.query_map([], |row| row.get(0)).map_err(Error::duckdb(ACTION))?;
    keys.collect::<duckdb::Result<_>>().map_err(Error::duckdb(ACTION))
}

/// The households in which the register lists the persons of decisions, by ID number.
fn listed(duckdb: &Connection, kept: &[Kept]) -> Result<HashMap<i64, String>> {
    let numbers = kept.iter().flat_map(|kept| {
        let persons = kept.decision.persons.iter().map(|change| &change.id_number);
        persons.chain(&kept.decision.head)
    });
    let numbers: BTreeSet<i64> = numbers.filter_map(|number| parse_id(number)).collect();
    let go = |sql: &str| duckdb.execute_batch(sql).map_err(Error::duckdb(ACTION));
    go("create table decided (id_number bigint)")?;
    let field = Field::new("id_number", DataType::Int64, true);
    let column: ArrayRef = std::sync::Arc::new(Int64Array::from_iter_values(numbers));
    let rows = RecordBatch::try_new(ArrowSchema::new(vec![field]).into(), vec![column]);
    let mut appender = duckdb.appender("decided").map_err(Error::duckdb(ACTION))?;
    appender
        .append_record_batch(rows.map_err(Error::arrow(ACTION))?)
        .map_err(Error::duckdb(ACTION))?;
    appender.flush().map_err(Error::duckdb(ACTION))?;
    let mut statement = duckdb
        .prepare("select id_number, household_id from ids semi join decided using (id_number)")
        .map_err(Error::duckdb(ACTION))?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let rows = rows.map_err(Error::duckdb(ACTION))?;
    rows.collect::<duckdb::Result<_>>().map_err(Error::duckdb(ACTION))
}

/// Decisions by the household that they are about now.
struct Parted {
    parts: BTreeMap<String, Vec<Kept>>,
    /// Households that case-work made and that the register has by now under another key.
    became: BTreeMap<String, String>,
    /// Households that persons were decided into, with those who are listed elsewhere, and where.
    left: BTreeMap<String, Vec<(String, String)>>,
    /// Persons whom the register lists in a household that they left for another: the number, the
    /// one they left, and the other.
    came: BTreeMap<String, (String, String)>,
}

impl Parted {
    fn new(overlay: &Overlay<'_>, listed: &HashMap<i64, String>, kept: Vec<Kept>) -> Parted {
        let find = |number: &str| parse_id(number).and_then(|number| listed.get(&number));
        let mut became = BTreeMap::new();
        for made in kept.iter().filter(|kept| kept.made) {
            let first = made.decision.persons.first().map(|change| &change.id_number);
            let head = made.decision.head.as_ref().or(first);
            if let Some(now) = head.and_then(|head| find(head)) {
                became.entry(made.household.clone()).or_insert_with(|| now.clone());
            }
        }
        let mut removed = BTreeSet::new();
        for kept in &kept {
            for change in &kept.decision.persons {
                let Some(number) = parse_id(&change.id_number) else { continue };
                let place = (kept.household.clone(), number);
                let _ = if change.remove { removed.insert(place) } else { removed.remove(&place) };
            }
            for (from, number) in &kept.came {
                removed.extend(parse_id(number).map(|number| (from.clone(), number)));
            }
        }
        // Where the register lists a person, unless it was decided that they left that household.
        let lives = |number: &str| {
            let now = find(number)?;
            let left = removed.contains(&(now.clone(), parse_id(number)?));
            (!left).then_some(now)
        };
        let (parts, left, came) = Default::default();
        let mut parted = Parted { parts, became, left, came };
        for kept in kept {
            parted.leave(overlay, listed, &kept);
            let own = parted.became.get(&kept.household).unwrap_or(&kept.household).clone();
            let mut by_home: BTreeMap<String, Vec<_>> = BTreeMap::new();
            for change in &kept.decision.persons {
                let home = if change.remove { None } else { lives(&change.id_number) };
                let home = home.unwrap_or(&own).clone();
                if home != kept.household
                    && !change.remove
                    && let Some(who) = overlay.person(&change.id_number)
                {
                    let left = parted.left.entry(kept.household.clone()).or_default();
                    left.push((who, home.clone()));
                }
                by_home.entry(home).or_default().push(change.clone());
            }
            let persons = by_home.remove(&own).unwrap_or_default();
            for (home, persons) in by_home {
                let Decision { seq, case, at, .. } = kept.decision.clone();
                let decision = Decision { seq, case, at, persons, ..empty() };
                let (household, before) = (home.clone(), kept.before.clone());
                let part = Kept { household, made: false, decision, before, came: Vec::new() };
                parted.parts.entry(home).or_default().push(part);
            }
            let decision = Decision { persons, ..kept.decision.clone() };
            parted.parts.entry(own).or_default().push(Kept { decision, ..kept });
        }
        parted
    }

    /// Those who come to a household leave the one where they were.
    fn leave(&mut self, overlay: &Overlay<'_>, listed: &HashMap<i64, String>, kept: &Kept) {
        for (from, number) in &kept.came {
            let change = PersonChange { id_number: number.clone(), remove: true, ..<_>::default() };
            let decision = Decision { persons: vec![change], ..empty() };
            let (household, before, came) = (from.clone(), Before::new(), Vec::new());
            let part = Kept { household, made: false, decision, before, came };
            self.parts.entry(from.clone()).or_default().push(part);
            let home = parse_id(number).and_then(|number| listed.get(&number));
            if let (Some(home), Some(who)) = (home, overlay.person(number)) {
                self.came.insert(who, (home.clone(), kept.household.clone()));
            }
        }
    }

    /// What the departments say of those who came to a household, as the household's own: from the
    /// fold of the one they left, or as it was.
    fn arrivals(
        &self,
        touched: &BTreeSet<String>,
        snapshot: &Snapshot,
        writer: &Writer,
        person: Table,
    ) -> Result<BTreeMap<String, Vec<Bundle>>> {
        let mut arrivals: BTreeMap<String, Vec<Bundle>> = BTreeMap::new();
        for (who, (from, to)) in &self.came {
            let bundle = if touched.contains(from) {
                writer.bundles(&[from])?.pop().flatten()
            } else if touched.contains(to) {
                snapshot.bundle(to)?
            } else {
                continue;
            };
            let rows = bundle.into_iter().flat_map(|bundle| bundle.beneath);
            let row = rows.into_iter().find(|row| is_row(row, person, who));
            if let Some(row) = row {
                arrivals.entry(to.clone()).or_default().push(row);
            }
        }
        Ok(arrivals)
    }
}

fn empty() -> Decision {
    Decision {
        seq: 0,
        case: String::new(),
        at: String::new(),
        household: None,
        head: None,
        household_values: Values::new(),
        persons: Vec::new(),
        warning: None,
        cancel: false,
    }
}

/// Lays decisions over what the departments say of their household.
fn over(overlay: &Overlay<'_>, bundle: Bundle, parts: &[Kept]) -> Result<Option<Bundle>> {
    let person = overlay.places.person;
    let mut said: HashMap<String, Values> = HashMap::new();
    said.insert(String::new(), values(overlay.schema, &bundle));
    for row in bundle.beneath.iter().filter(|row| row.table == person.place) {
        let who = row.cell(person.key).text().unwrap_or_default();
        said.insert(who.to_owned(), values(overlay.schema, row));
    }
    let mut stood: HashMap<(&str, &str), Vec<&Value>> = HashMap::new();
    let mut bundle = bundle;
    for part in parts {
        for (who, values) in &part.before {
            for (column, value) in values {
                stood.entry((who, column)).or_default().push(value);
            }
        }
        let stands = |who: &str, column: &str| {
            let now = said.get(who).and_then(|values| values.get(column));
            let stood = stood.get(&(who, column));
            now.is_none_or(|now| stood.is_some_and(|stood| stood.contains(&now)))
        };
        let how = Laid { stands: &stands, strict: false };
        match overlay.lay(bundle.clone(), &part.decision, how, &mut Before::new()) {
            Ok(Some(laid)) => bundle = laid,
            Ok(None) => return Ok(None),
            // It was laid once; what keeps it from that now is not for a load to settle.
            Err(Refused::Because(_)) => {}
            Err(Refused::Failed(error)) => return Err(error),
        }
    }
    let is_member = |row: &Bundle| row.table == person.place;
    let is_empty = said.len() > 1 && !bundle.beneath.iter().any(is_member);
    Ok(Some(bundle).filter(|_| !is_empty))
}
