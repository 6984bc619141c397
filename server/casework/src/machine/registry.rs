//! What the registry is told: households, persons, aid and warnings, as its outbox takes them.
//!
//! Money is whole fen, days are `YYYY-MM-DD`, codes are the text of the registry's lists. What an
//! answer leaves open is left out, so that it does not erase what the registry knows.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::check::{in_scope, is_region};
use super::refuse::refuse;
use super::step::Step;
use crate::case::{CaseFile, Refusal};

/// How a household came to be known: the registry's list `discovery`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Discovery {
    /// It declared itself.
    Declared,
    /// The village reported it, and may say how it came to know.
    Reported,
}

impl Discovery {
    fn code(self, answers: &Value) -> &str {
        let said = answers.get("family").and_then(|family| text(family, "discovered_by"));
        match self {
            Self::Declared => "1",
            Self::Reported => said.unwrap_or("2"),
        }
    }
}

/// Columns of a person that the answers of a member carry under the same name.
const PERSON_COLUMNS: [&str; 12] = [
    "name",
    "sex",
    "birth_date",
    "relation",
    "marital",
    "education",
    "labour_ability",
    "employment",
    "school_stage",
    "severe_illness",
    "disability_type",
    "disability_grade",
];

/// Incomes of the last twelve months.
const INCOMES: [&str; 5] = ["wages12", "business12", "property12", "transfer12", "other12"];

/// The key of the household in the registry: the case's own, or the one the caller found the same
/// ID number in.
pub(super) fn household_of<'a>(step: &Step<'a>) -> Option<&'a str> {
    let known = step.case.household.as_deref();
    let mut found = step.evidence().duplicates.iter();
    known.or_else(|| found.find(|(kind, _)| kind == "household").map(|(_, key)| key.as_str()))
}

/// The key under which the household stands in the registry once it is taken in.
pub(super) fn key_after(step: &Step<'_>, household: Option<&str>) -> String {
    household.map_or_else(|| format!("C{}", step.case.id), str::to_owned)
}

/// A household and its members are taken in, or brought up to date.
///
/// # Errors
/// `scope.outside`, if the answers name a place that whoever decides does not answer for.
pub(super) fn admitted(
    step: &Step<'_>,
    answers: &Value,
    household: Option<&str>,
    discovery: Discovery,
) -> Result<Value, Refusal> {
    let mut values = household_values(step, answers)?;
    if household.is_none() {
        values.entry("region").or_insert_with(|| json!(step.case.region));
        values.insert("discovered_by".to_owned(), json!(discovery.code(answers)));
        values.insert("discovered_on".to_owned(), json!(step.today().to_string()));
    }
    let mut body = empty(step, household);
    put(&mut body, "head", json!(head(answers)));
    put(&mut body, "household_values", Value::Object(values));
    put(&mut body, "persons", persons(answers));
    Ok(body)
}

/// A body that changes nothing yet.
pub(super) fn empty(step: &Step<'_>, household: Option<&str>) -> Value {
    json!({
        "case": step.case.id,
        "at": step.context.now.to_string(),
        "household": household,
        "head": null,
        "household_values": {},
        "persons": [],
        "warning": null,
        "cancel": false,
    })
}

/// Sets a value of a body.
pub(super) fn put(body: &mut Value, name: &str, value: Value) {
    if let Value::Object(body) = body {
        body.insert(name.to_owned(), value);
    }
}

/// The members that live in the household: who only owes support does not.
pub(super) fn members(answers: &Value) -> impl Iterator<Item = &Value> {
    let members = answers.get("members").and_then(Value::as_array).into_iter().flatten();
    members.filter(|member| member.get("obligor") != Some(&Value::Bool(true)))
}

/// The ID number of a member.
pub(super) fn id_number(member: &Value) -> Option<&str> {
    member.get("id_number")?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The ID number of the head of the household; without one, of the first member.
pub(super) fn head(answers: &Value) -> Option<&str> {
    let relation = |member: &&Value| {
        member.get("relation").and_then(Value::as_str).is_some_and(|code| code == "02")
    };
    let head = members(answers).find(relation).or_else(|| members(answers).next())?;
    id_number(head)
}

/// Values of the household's columns; the region only where the answers name one.
///
/// # Errors
/// `scope.outside`, if they name a place that whoever decides does not answer for.
pub(super) fn household_values(
    step: &Step<'_>,
    answers: &Value,
) -> Result<Map<String, Value>, Refusal> {
    let mut values = Map::new();
    let family = answers.get("family");
    let place = family.and_then(|family| text(family, "region")).filter(|place| is_region(place));
    match place {
        Some(place) if in_scope(step.actor, place) => {
            values.insert("region".to_owned(), json!(place));
        }
        // A county or township alone: the case's own region says no less.
        Some(place) if step.case.region.starts_with(place) => {}
        Some(_) => {
            return Err(refuse(
                "scope.outside",
                "所填住址不在您的管辖区域内，请由上级办理。",
                "the place is outside your region: whoever answers for both has to decide",
            )
            .at("family.region"));
        }
        None => {}
    }
    for (block, name) in [
        (family, "urban"),
        (family, "address"),
        (family, "cause"),
        (answers.get("housing"), "housing_grade"),
    ] {
        if let Some(value) = block.and_then(|block| block.get(name)).filter(|v| is_said(v)) {
            values.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(income) = monthly_income(answers) {
        values.insert("income".to_owned(), json!(income));
    }
    Ok(values)
}

/// The household's monthly income in fen: the year's, divided once.
fn monthly_income(answers: &Value) -> Option<i64> {
    let block = answers.get("income")?;
    let mut parts = INCOMES.iter().filter_map(|name| block.get(name)?.as_i64()).peekable();
    parts.peek()?;
    let year = parts.try_fold(0_i64, i64::checked_add)?;
    Some(year / 12)
}

/// The rows of the members.
fn persons(answers: &Value) -> Value {
    let rows = members(answers).filter_map(|member| {
        let id = id_number(member)?;
        Some(person(id, person_values(member)))
    });
    rows.collect()
}

/// The row of a person.
pub(super) fn person(id: &str, values: Map<String, Value>) -> Value {
    json!({"id_number": id, "remove": false, "values": values, "aid": [], "end_aid": []})
}

/// Values of a person's columns.
pub(super) fn person_values(member: &Value) -> Map<String, Value> {
    let mut values = Map::new();
    for name in PERSON_COLUMNS {
        if let Some(value) = member.get(name).filter(|value| is_said(value)) {
            values.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(income) = member.get("monthly_income").and_then(Value::as_i64) {
        values.insert("monthly_income".to_owned(), json!(income));
    }
    if let Some(employment) = text(member, "employment") {
        values.insert("employed".to_owned(), json!(matches!(employment, "1" | "2" | "3")));
    }
    if let Some((birth, sex)) = id_number(member).and_then(read_id) {
        values.entry("birth_date").or_insert_with(|| json!(birth.to_string()));
        values.entry("sex").or_insert_with(|| json!(sex));
    }
    values
}

/// The day of birth and the code of sex that an ID number of 18 places carries.
fn read_id(id: &str) -> Option<(Date, &'static str)> {
    let digits = id.get(6..14).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i16>().ok();
    let (month, day) = (part(4..6)?, part(6..8)?);
    let birth = Date::new(part(0..4)?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    let odd = id.get(16..17)?.parse::<u8>().ok()? % 2 == 1;
    Some((birth, if odd { "1" } else { "2" }))
}

/// The warning's row of the registry.
pub(super) fn warning(case: &CaseFile, state: &str) -> Value {
    let level = match case.level.as_deref() {
        Some("red") => "1",
        Some("orange") => "2",
        _ => "3",
    };
    let (status, closed_on) = match state {
        "generated" | "assessed" | "dispatched" => ("1", None),
        "closed" | "archived" => ("3", case.facts.get("closed_on").cloned()),
        _ => ("2", None),
    };
    json!({
        "id": case.id,
        "rule": case.facts.get("rule"),
        "level": level,
        "raised_on": case.facts.get("raised_on"),
        "status": status,
        "closed_on": closed_on,
    })
}

/// A text of a block.
pub(super) fn text<'a>(block: &'a Value, name: &str) -> Option<&'a str> {
    block.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn is_said(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        _ => true,
    }
}
