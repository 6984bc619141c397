//! What a citizen finds of their own: the household, aid, cases, authorisations, who looked.

use axum::extract::State;
use serde_json::{Value, json};
use yiku::Snapshot;
use yiku_casework::store::{Filter, Reach, role_word};
use yiku_casework::{Kind, Role, machine};
use yiku_indexer::{HouseholdRecord, find_person, household};

use super::access::{answer, casework, indexer, journal};
use crate::cases::answers::answers_of;
use crate::cases::shown;
use crate::http::reply::Reply;
use crate::http::signed::Signed;
use crate::platform::Platform;
use crate::problem::Problem;
use crate::state::ServerState;

/// The most cases, and looks, that are listed.
const LISTED: usize = 100;

/// `GET /api/v1/mine`
pub(crate) async fn show(
    State(state): State<ServerState>,
    signed: Signed,
) -> Result<Reply, Problem> {
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let snapshot = state.snapshot()?;
        let number = signed.session.account.own_number();
        let found = match number {
            Some(number) => indexer(find_person(&snapshot, platform.db(), number))?,
            None => None,
        };
        let record = match &found {
            Some(found) => indexer(household(&snapshot, &found.household))?,
            None => None,
        };
        let looked = looked(platform, &signed, record.as_ref())?;
        journal(platform, &signed, "mine.read", "self", "own")?;
        let all = Filter { limit: LISTED, ..Filter::of(Reach::of(&signed.actor)) };
        let cases = casework(platform.store().list(&all))?.cases;
        let today = platform.now().date();
        let heads = |authorisations: bool| -> Vec<Value> {
            cases
                .iter()
                .filter(|case| (case.kind == Kind::Authorisation) == authorisations)
                .map(|case| {
                    let mut head = shown::head(case, &signed.actor, &snapshot, today);
                    if let (true, Value::Object(head)) = (authorisations, &mut head) {
                        let until = case.facts.get("valid_until").cloned();
                        head.insert("valid_until".to_owned(), until.unwrap_or_default());
                        head.insert("scope".to_owned(), json!(case.facts.get("scope")));
                        let valid = machine::authorisation_is_valid(case, today);
                        head.insert("valid".to_owned(), json!(valid));
                    }
                    head
                })
                .collect()
        };
        let person = found.as_ref().and_then(|found| {
            record.as_ref()?.persons.iter().find(|person| person.key == found.person)
        });
        let body = json!({
            "person": person.map(|person| &person.values),
            "name": signed.actor.name,
            "id_number": number,
            "household": record.as_ref().map(|record| mine(&snapshot, record)),
            "aid": record.as_ref().map(aid).unwrap_or_default(),
            "answers": record.as_ref().map(answers_of),
            "cases": heads(false),
            "authorisations": heads(true),
            "looked": looked,
        });
        answer(&snapshot, &body)
    };
    state.work(work).await
}

fn mine(snapshot: &Snapshot, record: &HouseholdRecord) -> Value {
    json!({
        "key": record.key,
        "region": record.region,
        "region_name": shown::region_name(snapshot, &record.region),
        "members": record.persons.len(),
        "values": record.values,
    })
}

/// Aid of every member, with whose it is.
fn aid(record: &HouseholdRecord) -> Vec<Value> {
    let mut all = Vec::new();
    for person in &record.persons {
        for aid in &person.aid {
            let mut one = json!(aid);
            if let Value::Object(one) = &mut one {
                one.insert("member".to_owned(), json!(person.values.get("name")));
            }
            all.push(one);
        }
    }
    all
}

/// Who looked at the household or at the citizen's cases: the office and the day, not the name.
fn looked(
    platform: &Platform,
    signed: &Signed,
    record: Option<&HouseholdRecord>,
) -> Result<Vec<Value>, Problem> {
    let store = platform.store();
    let mut about: Vec<String> = record.iter().map(|record| record.key.clone()).collect();
    about.extend(signed.actor.person.clone());
    let own = Filter { limit: 20, ..Filter::of(Reach::of(&signed.actor)) };
    about.extend(casework(store.list(&own))?.cases.into_iter().map(|case| case.id));
    let mut looks = Vec::new();
    for object in about {
        for row in casework(store.journal_about(&object, LISTED))? {
            let is_look = row.action.contains("read")
                || row.action.contains("reveal")
                || row.action.starts_with("household.");
            if is_look && row.account != signed.actor.account && row.role != role_word(Role::System)
            {
                looks.push(json!({
                    "at": row.at.to_string(), "role": row.role, "action": row.action,
                    "object": row.object, "reason": row.detail,
                }));
            }
        }
    }
    looks.sort_by_key(|look| std::cmp::Reverse(look["at"].as_str().unwrap_or_default().to_owned()));
    looks.truncate(LISTED);
    Ok(looks)
}
