//! What case-work counts: the payment list, the funnel of warnings, the rules' last run.

use axum::extract::State;
use axum::http::Uri;
use serde::Deserialize;
use serde_json::{Value, json};
use yiku_casework::Kind;
use yiku_casework::rights::within;
use yiku_casework::secret::mask;
use yiku_casework::store::{Filter, Reach, Reached, Store};

use super::access::{answer, casework, journal};
use crate::cases::shown;
use crate::http::body::parameters;
use crate::http::reply::Reply;
use crate::http::signed::Signed;
use crate::problem::{Code, Problem};
use crate::state::ServerState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfMonth {
    month: String,
}

/// `GET /api/v1/payments?month=`
pub(crate) async fn payments(
    State(state): State<ServerState>,
    signed: Signed,
    uri: Uri,
) -> Result<Reply, Problem> {
    let OfMonth { month } = parameters(&uri)?;
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let snapshot = state.snapshot()?;
        let lines = casework(platform.store().payments(&month, &signed.actor.scope))?;
        journal(platform, &signed, "payment.list", &month, &format!("{} lines", lines.len()))?;
        let total = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.amount));
        let mut shown = Vec::with_capacity(lines.len());
        for line in &lines {
            // A line knows its case; whom it names stands in the case's answers.
            let case = casework(platform.store().case(&line.case))?;
            let payee = shown::head_of(&case.answers).map(|name| mask("name", name));
            let mut one = json!(line);
            if let Value::Object(fields) = &mut one {
                let name = shown::region_name(&snapshot, &line.region);
                fields.insert("region_name".to_owned(), json!(name));
                fields.insert("payee".to_owned(), json!(payee));
                // By it one person could be followed from list to list.
                fields.remove("owner");
            }
            shown.push(one);
        }
        answer(&snapshot, &json!({ "month": month, "total": total, "payments": shown }))
    };
    state.work(work).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Where {
    region: Option<String>,
}

/// The stages of the funnel, each with the states that a warning has come to there.
const STAGES: [(&str, &[&str]); 3] =
    [("generated", &["generated"]), ("signed", &["signed"]), ("visited", &["investigating"])];

/// States in which it is known what a visit found.
const FOUND_OUT: [&str; 6] = ["verified", "handling", "feedback", "review", "closed", "archived"];
/// Results of a warning with which nobody was helped.
const NOT_HELP: [&str; 7] = ["none", "false_alarm", "watch", "death", "stop", "lower", "correct"];

/// Warnings that a visit confirmed, and those that were closed with help.
fn came_of(store: &Store, region: &str) -> Result<(u64, u64), Problem> {
    let (mut confirmed, mut helped) = (0, 0);
    let mut filter = Filter {
        kinds: vec![Kind::Warning],
        states: FOUND_OUT.iter().map(|state| (*state).to_owned()).collect(),
        region: Some(region.to_owned()),
        limit: 200,
        ..Filter::of(Reach::Platform)
    };
    loop {
        let page = casework(store.list(&filter))?;
        for case in &page.cases {
            let fact = |name: &str| case.facts.get(name).and_then(Value::as_str);
            let is_true = matches!(fact("outcome"), Some("helped" | "needs_help"));
            confirmed += u64::from(is_true);
            let result = fact("result").filter(|result| !NOT_HELP.contains(result));
            helped += u64::from(is_true && result.is_some());
        }
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return Ok((confirmed, helped)),
        }
    }
}

/// `GET /api/v1/funnel?region=`
pub(crate) async fn funnel(
    State(state): State<ServerState>,
    signed: Signed,
    uri: Uri,
) -> Result<Reply, Problem> {
    let Where { region } = parameters(&uri)?;
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let snapshot = state.snapshot()?;
        let scope = signed.actor.scope.clone();
        let region = region.unwrap_or_else(|| scope.clone());
        if !within(&scope, &region) {
            let detail = format!("that place is outside your region `{scope}`");
            return Err(Problem::told(Code::RightMissing, detail));
        }
        let store = platform.store();
        let reached = casework(store.reached(&region, Kind::Warning, 2))?;
        let counts = casework(store.counts(&region, Kind::Warning, 2))?;
        let ever = |states: &[&str]| -> u64 {
            let of = reached.iter().filter(|one| states.contains(&one.state.as_str()));
            of.map(|one: &Reached| one.cases).max().unwrap_or(0)
        };
        let mut stages: Vec<Value> = STAGES
            .iter()
            .map(|(name, states)| json!({ "stage": name, "cases": ever(states) }))
            .collect();
        let (confirmed, helped) = came_of(store, &region)?;
        stages.push(json!({ "stage": "confirmed", "cases": confirmed }));
        stages.push(json!({ "stage": "helped", "cases": helped }));
        answer(&snapshot, &json!({ "region": region, "stages": stages, "now": counts }))
    };
    state.work(work).await
}

/// `GET /api/v1/warnings/rules`
pub(crate) async fn rules(State(state): State<ServerState>) -> Result<Reply, Problem> {
    let work = move |state: &ServerState, _| {
        let run = state.platform()?.last_run();
        let body = json!({
            "snapshot": run.snapshot,
            "at": run.at.map(|at| at.to_string()),
            "rules": run.outcomes,
            "raised": { "new": run.raised.new, "repeated": run.raised.repeated,
                        "silenced": run.raised.silenced },
        });
        answer(&state.snapshot()?, &body)
    };
    state.work(work).await
}
