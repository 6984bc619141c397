//! The cross-department check: what each member declared beside what departments delivered.
//!
//! Invariant: a finding says what was declared, what was found and where; it judges nothing.

use std::path::Path;

use jiff::civil::Date;
use serde_json::{Value, json};
use yiku::Snapshot;
use yiku_casework::secret::mask;
use yiku_indexer::{HouseholdRecord, PersonRecord, find_person, household};

use super::answers::{members, text};
use crate::problem::Problem;

/// What is compared: the answer, the registry's column, the department it came from.
const COMPARED: [(&str, &str, &str); 6] = [
    ("employment", "employment", "human_resources"),
    ("school_stage", "school_stage", "education"),
    ("disability_type", "disability_type", "disabled_federation"),
    ("disability_grade", "disability_grade", "disabled_federation"),
    ("severe_illness", "severe_illness", "health"),
    ("marital", "marital", "civil_affairs"),
];

/// The tag of who is in custody.
const IN_CUSTODY: &str = "08";
/// The indicator of medical costs that a person paid.
const SELF_PAID: &str = "A07";

/// Everything that departments know of the members of some answers.
pub(crate) fn findings(
    answers: &Value,
    snapshot: &Snapshot,
    db: &Path,
    today: Date,
) -> Result<Value, Problem> {
    let mut found = Vec::new();
    for member in members(answers) {
        let Some(number) = text(member, "id_number") else { continue };
        let who = mask("name", text(member, "name").unwrap_or_default());
        let at = find_person(snapshot, db, number).map_err(|e| Problem::of_indexer(&e))?;
        let record = match &at {
            Some(at) => household(snapshot, &at.household).map_err(|e| Problem::of_indexer(&e))?,
            None => None,
        };
        let person = record.as_ref().and_then(|record| {
            record.persons.iter().find(|one| at.as_ref().is_some_and(|at| at.person == one.key))
        });
        let (Some(record), Some(person)) = (&record, person) else {
            found.push(finding(&who, "registered", json!(null), json!(false), "registry"));
            continue;
        };
        of_person(&mut found, &who, member, person, today);
        of_household(&mut found, &who, record);
    }
    Ok(Value::Array(found))
}

fn finding(who: &str, item: &str, declared: Value, found: Value, source: &str) -> Value {
    let agrees = declared.is_null() || declared == found;
    json!({
        "member": who, "item": item, "declared": declared, "found": found,
        "source": source, "agrees": agrees,
    })
}

fn of_person(
    found: &mut Vec<Value>,
    who: &str,
    member: &Value,
    person: &PersonRecord,
    today: Date,
) {
    for (answer, column, source) in COMPARED {
        let declared = member.get(answer).cloned().unwrap_or_default();
        let known = person.values.get(column).cloned().unwrap_or_default();
        if !known.is_null() {
            found.push(finding(who, column, declared, known, source));
        }
    }
    if let Some(day) = person.values.get("death_date") {
        let mut one = finding(who, "death_date", json!(null), day.clone(), "health");
        disagree(&mut one);
        found.push(one);
    }
    let tags = person.values.get("tags").and_then(Value::as_array);
    if tags.is_some_and(|tags| tags.iter().any(|tag| tag == IN_CUSTODY)) {
        let mut one = finding(who, "in_custody", json!(null), json!(true), "justice");
        disagree(&mut one);
        found.push(one);
    }
    let paid = paid_in_a_year(person, today);
    if paid > 0 {
        found.push(finding(who, "medical12", json!(null), json!(paid), "medical_insurance"));
    }
    let day = today.to_string();
    let is_current =
        |end: Option<&Value>| end.and_then(Value::as_str).is_none_or(|end| end >= day.as_str());
    for aid in person.aid.iter().filter(|aid| is_current(aid.get("end"))) {
        let kind = aid.get("kind").cloned().unwrap_or_default();
        found.push(finding(who, "aid", json!(null), kind, "civil_affairs"));
    }
}

/// A finding that nobody declared and that must be looked at.
fn disagree(finding: &mut Value) {
    if let Value::Object(finding) = finding {
        finding.insert("agrees".to_owned(), json!(false));
    }
}

fn of_household(found: &mut Vec<Value>, who: &str, record: &HouseholdRecord) {
    for (column, source) in [("relapse_kind", "rural_revitalisation"), ("housing_grade", "housing")]
    {
        if let Some(value) = record.values.get(column) {
            found.push(finding(who, column, json!(null), value.clone(), source));
        }
    }
}

/// Fen that a person paid for treatment in the twelve months up to a day.
pub(crate) fn paid_in_a_year(person: &PersonRecord, today: Date) -> i64 {
    let month = |day: Date| format!("{:04}-{:02}", day.year(), day.month());
    let last = month(today);
    let first = today.checked_sub(jiff::ToSpan::months(11)).map_or(last.clone(), month);
    let in_year = |of: &str| of >= first.as_str() && of <= last.as_str();
    let paid = person.observations.iter().filter(|one| {
        one.get("indicator").is_some_and(|indicator| indicator == SELF_PAID)
            && one.get("month").and_then(Value::as_str).is_some_and(in_year)
    });
    paid.filter_map(|one| one.get("value")?.as_i64()).fold(0_i64, i64::saturating_add)
}
