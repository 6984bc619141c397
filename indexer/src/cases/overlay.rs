//! One decision laid over the bundle of its household.
//!
//! Invariants: a decision is laid whole or not at all; every key it makes follows from the decision
//! alone, so that laying it again gives the same rows.

use std::collections::BTreeMap;

use serde_json::Value;
use yiku::rows::Cell;
use yiku::{Bundle, PathTree, Schema};

use super::decision::{AidEnd, AidSpell, Decision, PersonChange, Values, WarningRow};
use super::places::{Places, Table, cell, json};
use crate::bundles::surrogate;
use crate::clean::{id_text, parse_id};
use crate::error::Error;

/// Values that stood before a decision, by row and column; the row of the household has no name,
/// that of a person their number.
pub(super) type Before = BTreeMap<String, Values>;

/// Why a decision is not laid.
#[derive(Debug)]
pub(super) enum Refused {
    /// It contradicts the registry or itself: what is wrong, and what would be right.
    Because(String),
    /// Something failed that is not its fault.
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::Failed(error)
    }
}

impl From<yiku::Error> for Refused {
    fn from(error: yiku::Error) -> Refused {
        Refused::Failed(error.into())
    }
}

type Laying<T> = Result<T, Refused>;

/// For a refusal.
pub(super) fn because<T>(why: impl Into<String>) -> Laying<T> {
    Err(Refused::Because(why.into()))
}

/// Whether a decided value of a row and column may be set.
pub(super) type Stands<'a> = &'a dyn Fn(&str, &str) -> bool;

/// What decisions are read by.
#[derive(Debug)]
pub(super) struct Overlay<'a> {
    pub(super) schema: &'a Schema,
    pub(super) tree: &'a PathTree,
    pub(super) places: &'a Places,
    /// The key of person numbers.
    pub(super) key: &'a [u8],
}

/// How a decision is laid.
#[derive(Clone, Copy)]
pub(super) struct Laid<'a> {
    pub(super) stands: Stands<'a>,
    /// Whether what it takes for granted must be so: not when it is laid again over what
    /// departments said since.
    pub(super) strict: bool,
}

impl Overlay<'_> {
    /// The number of the person with an ID number.
    pub(super) fn person(&self, number: &str) -> Option<String> {
        let mut text = String::new();
        surrogate(self.key, parse_id(number)?, &mut text);
        Some(text)
    }

    /// Lays a decision over a bundle; none, for a household that leaves.
    pub(super) fn lay(
        &self,
        mut bundle: Bundle,
        decision: &Decision,
        how: Laid<'_>,
        before: &mut Before,
    ) -> Laying<Option<Bundle>> {
        if decision.cancel {
            return Ok(None);
        }
        let values = &decision.household_values;
        self.values(&mut bundle, ("", "household_values"), values, how, before)?;
        for (nth, change) in decision.persons.iter().enumerate() {
            let at = format!("persons[{nth}]");
            let Some(row) = self.member(&mut bundle, (change, &at), how, before)? else { continue };
            for (nth, end) in change.end_aid.iter().enumerate() {
                self.end_aid(row, end, &format!("{at}.end_aid[{nth}]"), how.strict)?;
            }
            for (nth, spell) in change.aid.iter().enumerate() {
                let who = row.cell(self.places.person.key).text().unwrap_or_default();
                let id = format!("C{}-{}-{who}-{nth}", decision.case, decision.seq);
                self.aid(row, spell, id, &format!("{at}.aid[{nth}]"))?;
            }
        }
        if let Some(warning) = &decision.warning {
            self.warning(&mut bundle, warning)?;
        }
        Ok(Some(bundle))
    }

    /// Gives a row its decided values.
    fn values(
        &self,
        row: &mut Bundle,
        (who, at): (&str, &str),
        values: &Values,
        how: Laid<'_>,
        before: &mut Before,
    ) -> Laying<()> {
        let Some(table) = self.schema.tables.get(row.table) else { return Ok(()) };
        for (name, value) in values {
            let Some((place, column)) =
                table.column_index(name).and_then(|place| Some((place, table.columns.get(place)?)))
            else {
                return because(format!("{at}.{name}: `{}` has no such column", table.name));
            };
            let is_person = row.table == self.places.person.place;
            if place == table.key || is_person && place == self.places.id_number {
                return because(format!("{at}.{name}: a key cannot be decided"));
            }
            let cell = match cell(self.schema, self.tree, column, value) {
                Ok(Cell::Unknown) if row.table == 0 && place == self.places.region => {
                    return because(format!("{at}.{name}: a household needs a place"));
                }
                Ok(cell) => cell,
                Err(why) => return because(format!("{at}.{name}: {why}")),
            };
            if (how.stands)(who, name) {
                let now = json(self.schema, column, row.cell(place));
                before.entry(who.to_owned()).or_default().entry(name.clone()).or_insert(now);
                row.set(place, cell);
            }
        }
        Ok(())
    }

    /// Finds, adds or removes a member; none for one who leaves.
    fn member<'b>(
        &self,
        bundle: &'b mut Bundle,
        (change, at): (&PersonChange, &str),
        how: Laid<'_>,
        before: &mut Before,
    ) -> Laying<Option<&'b mut Bundle>> {
        let Some(who) = self.person(&change.id_number) else {
            return because(format!("{at}.id_number: not an ID number"));
        };
        let is_it = |row: &Bundle| is_row(row, self.places.person, &who);
        let place = bundle.beneath.iter().position(is_it);
        if change.remove {
            match place {
                Some(place) => drop(bundle.beneath.remove(place)),
                None if how.strict => return because(format!("{at}: is not in this household")),
                None => {}
            }
            return Ok(None);
        }
        let place = match place {
            Some(place) => place,
            None => {
                let row = self.newcomer(&who, &change.id_number);
                let Some(place) = row.map(|row| add(bundle, row)) else { return Ok(None) };
                place
            }
        };
        let Some(row) = bundle.beneath.get_mut(place) else { return Ok(None) };
        let mut values = change.values.clone();
        if let Some(work) = values.get("employment").cloned()
            && !values.contains_key("employed")
        {
            values.insert("employed".to_owned(), self.employed(&work));
        }
        self.values(row, (&who, &format!("{at}.values")), &values, how, before)?;
        Ok(Some(row))
    }

    /// Whether a status of employment is work.
    fn employed(&self, work: &Value) -> Value {
        let table = self.schema.tables.get(self.places.person.place);
        let column = table.and_then(|table| table.columns.get(self.places.employment));
        let cell = column.and_then(|column| cell(self.schema, self.tree, column, work).ok());
        let place = cell.and_then(|cell| cell.int());
        place.map_or(Value::Null, |place| Value::Bool(self.places.in_work.contains(&place)))
    }

    /// A person of whom nothing is known but the number, which says birthday and sex.
    fn newcomer(&self, who: &str, number: &str) -> Option<Bundle> {
        let mut row = Bundle::new(self.schema, self.places.person.place)?;
        let number = parse_id(number)?;
        let mut text = String::new();
        id_text(number, &mut text);
        row.set(self.places.person.key, Cell::Text(who.to_owned()));
        row.set(self.places.id_number, Cell::Text(text));
        let born = number / 1_000 % 100_000_000;
        let born = format!("{:04}-{:02}-{:02}", born / 10_000, born / 100 % 100, born % 100);
        let sex = if number % 2 == 1 { "1" } else { "2" };
        for (place, text) in [(self.places.birth_date, born), (self.places.sex, sex.to_owned())] {
            row.set(place, self.read(row.table, place, &Value::String(text)).ok()?);
        }
        Some(row)
    }

    /// Whoever has that number is the head, if nothing else is said of them.
    pub(super) fn set_head(&self, bundle: &mut Bundle, who: &str) {
        let is_it = |row: &&mut Bundle| is_row(row, self.places.person, who);
        if let Some(row) = bundle.beneath.iter_mut().find(is_it)
            && *row.cell(self.places.relation) == Cell::Unknown
            && let Ok(head) = self.read(row.table, self.places.relation, &Value::from("02"))
        {
            row.set(self.places.relation, head);
        }
    }

    /// The stored value of a column.
    fn read(&self, table: usize, column: usize, value: &Value) -> Result<Cell, String> {
        let declared = self.schema.tables.get(table).and_then(|table| table.columns.get(column));
        declared.map_or(Ok(Cell::Unknown), |column| cell(self.schema, self.tree, column, value))
    }

    fn aid(&self, person: &mut Bundle, spell: &AidSpell, id: String, at: &str) -> Laying<()> {
        let places = self.places;
        let table = places.aid.place;
        let read = |place, name: &str, value: Value| {
            let found = self.read(table, place, &value);
            found.map_err(|why| Refused::Because(format!("{at}.{name}: {why}")))
        };
        let kind = read(places.aid_kind, "kind", Value::from(spell.kind.as_str()))?;
        let start = read(places.aid_start, "start", Value::from(spell.start.as_str()))?;
        let end = read(places.aid_end, "end", Value::from(spell.end.as_deref()))?;
        let amount = read(places.aid_amount, "amount", Value::from(spell.amount))?;
        if end.int().is_some_and(|end| start.int() > Some(end)) {
            return because(format!("{at}.end: it ends before it begins"));
        }
        if amount.int().is_some_and(|amount| amount < 0) {
            return because(format!("{at}.amount: it is less than nothing"));
        }
        let same = |row: &&mut Bundle| {
            row.table == table
                && *row.cell(places.aid_kind) == kind
                && *row.cell(places.aid_start) == start
        };
        if let Some(row) = person.beneath.iter_mut().find(same) {
            row.set(places.aid_end, end);
            row.set(places.aid_amount, amount);
            return Ok(());
        }
        let Some(mut row) = Bundle::new(self.schema, table) else { return Ok(()) };
        for (place, cell) in [
            (places.aid.key, Cell::Text(id)),
            (places.aid_kind, kind),
            (places.aid_start, start),
            (places.aid_end, end),
            (places.aid_amount, amount),
        ] {
            row.set(place, cell);
        }
        add(person, row);
        Ok(())
    }

    fn end_aid(&self, person: &mut Bundle, end: &AidEnd, at: &str, strict: bool) -> Laying<()> {
        let places = self.places;
        let read = |place, name: &str, value: &str| {
            let found = self.read(places.aid.place, place, &Value::from(value));
            found.map_err(|why| Refused::Because(format!("{at}.{name}: {why}")))
        };
        let kind = read(places.aid_kind, "kind", &end.kind)?;
        let day = read(places.aid_end, "end", &end.end)?;
        let mut known = false;
        for row in person.beneath.iter_mut().filter(|row| row.table == places.aid.place) {
            if *row.cell(places.aid_kind) != kind {
                continue;
            }
            known = true;
            let (from, until) = (row.cell(places.aid_start).int(), row.cell(places.aid_end).int());
            if from <= day.int() && until.is_none_or(|until| Some(until) > day.int()) {
                row.set(places.aid_end, day.clone());
            }
        }
        if strict && !known {
            return because(format!("{at}.kind: no aid of kind `{}` stands", end.kind));
        }
        Ok(())
    }

    fn warning(&self, bundle: &mut Bundle, warning: &WarningRow) -> Laying<()> {
        let table = self.places.warning;
        if warning.id.is_empty() {
            return because("warning.id: a warning needs a number");
        }
        let place = bundle.beneath.iter().position(|row| is_row(row, table, &warning.id));
        let is_new = place.is_none();
        let place = match place {
            Some(place) => place,
            None => {
                let Some(mut row) = Bundle::new(self.schema, table.place) else { return Ok(()) };
                row.set(table.key, Cell::Text(warning.id.clone()));
                add(bundle, row)
            }
        };
        let (Some(row), Some(declared)) =
            (bundle.beneath.get_mut(place), self.schema.tables.get(table.place))
        else {
            return Ok(());
        };
        for (name, value) in [
            ("rule", &warning.rule),
            ("level", &warning.level),
            ("raised_on", &warning.raised_on),
            ("status", &warning.status),
            ("closed_on", &warning.closed_on),
        ] {
            if value.is_none() && name != "closed_on" {
                if is_new {
                    return because(format!("warning.{name}: a new warning needs it"));
                }
                continue;
            }
            let Some(place) = declared.column_index(name) else { continue };
            match self.read(table.place, place, &Value::from(value.as_deref())) {
                Ok(cell) => drop(row.set(place, cell)),
                Err(why) => return because(format!("warning.{name}: {why}")),
            }
        }
        Ok(())
    }
}

/// Whether a row is the one of a table with a key.
pub(super) fn is_row(row: &Bundle, table: Table, key: &str) -> bool {
    row.table == table.place && row.cell(table.key).text() == Some(key)
}

/// Adds a row behind those of its table; its place.
pub(super) fn add(above: &mut Bundle, row: Bundle) -> usize {
    let place = above.beneath.iter().take_while(|other| other.table <= row.table).count();
    above.beneath.insert(place, row);
    place
}
