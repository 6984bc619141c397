//! Households of the registry, as staff may see them: masked, within their scope, journalled.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use yiku::Snapshot;
use yiku_casework::rights::within;
use yiku_casework::secret::mask;
use yiku_casework::store::{Filter, Reach, kind_word, role_word};
use yiku_casework::{CaseFile, Kind, machine};
use yiku_indexer::{HouseholdRecord, find_person, household};

use super::access::{answer, casework, indexer, journal};
use crate::cases::shown::{self, masked};
use crate::http::body::{JsonBody, Part, fields};
use crate::http::reply::Reply;
use crate::http::signed::Signed;
use crate::platform::Platform;
use crate::problem::{Code, Problem};
use crate::state::ServerState;

/// The most cases of one household's chain.
const CASES_MAX: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    id_number: String,
}

/// `POST /api/v1/households/find`
pub(crate) async fn find(
    State(state): State<ServerState>,
    signed: Signed,
    JsonBody(bytes): JsonBody,
) -> Result<Reply, Problem> {
    let Finding { id_number } = fields(&bytes)?;
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let snapshot = state.snapshot()?;
        let person = casework(platform.store().index(&id_number))?;
        let known = indexer(find_person(&snapshot, platform.db(), &id_number))?;
        let record = match &known {
            Some(known) => indexer(household(&snapshot, &known.household))?,
            None => None,
        };
        let record = record.filter(|record| within(&signed.actor.scope, &record.region));
        let households: Vec<Value> = record
            .iter()
            .map(|record| {
                json!({
                    "key": record.key, "region": record.region,
                    "region_name": shown::region_name(&snapshot, &record.region),
                    "head": head_of(record),
                })
            })
            .collect();
        let filter = Filter {
            person: Some(person.clone()),
            limit: CASES_MAX,
            ..Filter::of(Reach::of(&signed.actor))
        };
        let cases = casework(platform.store().list(&filter))?.cases;
        let result = if households.is_empty() { "none" } else { "found" };
        journal(platform, &signed, "household.find", &person, result)?;
        let today = platform.now().date();
        let heads: Vec<Value> =
            cases.iter().map(|case| shown::head(case, &signed.actor, &snapshot, today)).collect();
        answer(&snapshot, &json!({ "households": households, "cases": heads }))
    };
    state.work(work).await
}

fn head_of(record: &HouseholdRecord) -> String {
    let is_head = |person: &&yiku_indexer::PersonRecord| {
        person.values.get("relation").is_some_and(|relation| relation == "02")
    };
    let head = record.persons.iter().find(is_head).or_else(|| record.persons.first());
    let name = head.and_then(|person| person.values.get("name")).and_then(Value::as_str);
    name.map(|name| mask("name", name)).unwrap_or_default()
}

/// The household of a key, if it lies within the scope of who asks.
fn reached(snapshot: &Snapshot, signed: &Signed, key: &str) -> Result<HouseholdRecord, Problem> {
    let record = indexer(household(snapshot, key))?;
    record
        .filter(|record| within(&signed.actor.scope, &record.region))
        .ok_or_else(|| Problem::new(Code::CaseMissing))
}

/// `GET /api/v1/households/{key}`
pub(crate) async fn show(
    State(state): State<ServerState>,
    signed: Signed,
    Part(key): Part,
) -> Result<Reply, Problem> {
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let snapshot = state.snapshot()?;
        let record = reached(&snapshot, &signed, &key)?;
        journal(platform, &signed, "household.read", &record.key, "masked")?;
        answer(&snapshot, &as_shown(&snapshot, &record))
    };
    state.work(work).await
}

/// A household with names and numbers masked.
pub(super) fn as_shown(snapshot: &Snapshot, record: &HouseholdRecord) -> Value {
    let persons: Vec<Value> = record
        .persons
        .iter()
        .map(|person| {
            let mut values = masked(&json!(person.values));
            if let (Value::Object(values), Some(name)) =
                (&mut values, person.values.get("name").and_then(Value::as_str))
            {
                values.insert("name".to_owned(), json!(mask("name", name)));
            }
            json!({
                "key": person.key, "values": values, "aid": person.aid,
                "observations": person.observations,
            })
        })
        .collect();
    json!({
        "key": record.key,
        "region": record.region,
        "region_name": shown::region_name(snapshot, &record.region),
        "household": masked(&json!(record.values)),
        "persons": persons,
        "warnings": record.warnings,
    })
}

/// `GET /api/v1/households/{key}/chain`
pub(crate) async fn chain(
    State(state): State<ServerState>,
    signed: Signed,
    Part(key): Part,
) -> Result<Reply, Problem> {
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let snapshot = state.snapshot()?;
        let record = reached(&snapshot, &signed, &key)?;
        journal(platform, &signed, "household.chain", &record.key, "masked")?;
        let cases = of_household(platform, &signed, &record)?;
        let mut line = aid(&record);
        for case in &cases {
            line.extend(happened(platform, &signed, &snapshot, case)?);
        }
        line.sort_by(|one, other| at(other).cmp(at(one)));
        let body = json!({
            "household": as_shown(&snapshot, &record),
            "cases": cases
                .iter()
                .map(|case| {
                    shown::head(case, &signed.actor, &snapshot, platform.now().date())
                })
                .collect::<Vec<_>>(),
            "timeline": line,
        });
        answer(&snapshot, &body)
    };
    state.work(work).await
}

fn at(event: &Value) -> &str {
    event.get("at").and_then(Value::as_str).unwrap_or_default()
}

/// Cases of the household, and of each of its members, within reach.
fn of_household(
    platform: &Platform,
    signed: &Signed,
    record: &HouseholdRecord,
) -> Result<Vec<CaseFile>, Problem> {
    let store = platform.store();
    let all = Filter { limit: CASES_MAX, ..Filter::of(Reach::of(&signed.actor)) };
    let by_key = Filter { household: Some(record.key.clone()), ..all.clone() };
    let mut cases = casework(store.list(&by_key))?.cases;
    for person in &record.persons {
        let Some(number) = person.values.get("id_number").and_then(Value::as_str) else { continue };
        let by_person = Filter { person: Some(casework(store.index(number))?), ..all.clone() };
        cases.extend(casework(store.list(&by_person))?.cases);
    }
    cases.sort_by(|one, other| one.id.cmp(&other.id));
    cases.dedup_by(|one, other| one.id == other.id);
    Ok(cases)
}

/// Spells of aid as events of the chain.
fn aid(record: &HouseholdRecord) -> Vec<Value> {
    let mut line = Vec::new();
    for person in &record.persons {
        let name = person.values.get("name").and_then(Value::as_str).unwrap_or_default();
        for aid in &person.aid {
            for (column, what) in [("start", "aid_start"), ("end", "aid_end")] {
                let Some(day) = aid.get(column).and_then(Value::as_str) else { continue };
                line.push(json!({
                    "at": day, "what": what, "kind": aid.get("kind"),
                    "amount": aid.get("amount"), "member": mask("name", name),
                }));
            }
        }
    }
    line
}

/// What happened to a case, as events of the chain; authorisations only when signed or withdrawn.
fn happened(
    platform: &Platform,
    signed: &Signed,
    snapshot: &Snapshot,
    case: &CaseFile,
) -> Result<Vec<Value>, Problem> {
    let steps = casework(platform.store().events(&case.id))?;
    let head = shown::head(case, &signed.actor, snapshot, platform.now().date());
    let title = head.get("title").cloned().unwrap_or_default();
    let told = steps.iter().filter(|step| step.event.command != machine::LINK);
    let events = told.map(|step| {
        json!({
            "at": step.event.at.to_string(), "what": "case", "case": case.id,
            "case_kind": kind_word(case.kind), "title": title, "level": case.level,
            "command": step.event.command, "state": step.event.state,
            "role": role_word(step.event.actor.role),
        })
    });
    Ok(events.filter(|_| case.kind != Kind::Authorisation || case.version > 0).collect())
}
