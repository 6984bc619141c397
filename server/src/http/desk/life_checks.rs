//! Life checks: six digits are read out, and the recording is compared with the one before.
//!
//! Invariant: nothing here takes anything from anybody; what is not alike makes a visit.

use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use yiku_casework::store::{Command, Filter, Reach, Store};
use yiku_casework::voice::{SpectralReference, listen};
use yiku_casework::{CaseFile, Kind};

use super::access::{call, casework, context};
use super::attachments::Raw;
use super::cases::{done_case, shown_case};
use super::opening::{self, Fresh};
use crate::cases::evidence::{Asked, evidence};
use crate::http::body::{JsonBody, Part, fields};
use crate::http::reply::Reply;
use crate::http::signed::Signed;
use crate::problem::{Code, Problem};
use crate::state::ServerState;

/// How much of a digest stands in the number of a command, which is short.
const DIGEST_CHARS_NAMED: usize = 32;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issuing {
    command_id: String,
    #[serde(default)]
    owner: Option<String>,
}

/// `POST /api/v1/life-checks`
pub(crate) async fn issue(
    State(state): State<ServerState>,
    signed: Signed,
    JsonBody(bytes): JsonBody,
) -> Result<Reply, Problem> {
    let Issuing { command_id, owner } = fields(&bytes)?;
    let work = move |state: &ServerState, _| {
        let input = json!({ "owner": owner });
        let fresh =
            Fresh { kind: "life_check", command_id: &command_id, region: None, input: &input };
        let case = opening::open(state.platform()?, &state.snapshot()?, &signed, &fresh)?;
        done_case(state, &signed, &case)
    };
    state.work(work).await
}

/// `POST /api/v1/life-checks/{id}/recording`
pub(crate) async fn record(
    State(state): State<ServerState>,
    signed: Signed,
    Part(id): Part,
    Raw(bytes): Raw,
) -> Result<Reply, Problem> {
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let (store, now) = (platform.store(), platform.now());
        let case = casework(store.case_within(&Reach::of(&signed.actor), &id))?;
        if case.kind != Kind::LifeCheck {
            return Err(Problem::new(Code::CaseMissing));
        }
        let attached = store.attach(&signed.actor, &bytes, "recording.wav", now, &signed.ip);
        let attached = casework(attached)?;
        let input = json!({ "recording": attached.digest });
        if case.facts.get("recording") == input.get("recording") {
            // The same recording sent twice was heard once.
            return shown_case(state, &signed, &case);
        }
        let asked = Asked { kind: case.kind, case: Some(&case), command: "record", input: &input };
        let mut found = evidence(platform, &state.snapshot()?, &asked, now)?;
        found.voice = compared(store, &case, &bytes)?;
        let context = context(platform, found)?;
        let command = Command { name: "record", version: case.version, input: &input };
        // The same recording of the same check is the same command.
        let digest: String = attached.digest.chars().take(DIGEST_CHARS_NAMED).collect();
        let number = format!("{}-{digest}", case.id);
        let done = store.act(&signed.actor, &case.id, &command, &context, &call(&signed, &number));
        done_case(state, &signed, &casework(done)?)
    };
    state.work(work).await
}

/// How a recording compares with the last one of the same person that a visit confirmed.
fn compared(store: &Store, case: &CaseFile, bytes: &Bytes) -> Result<Option<Value>, Problem> {
    let reference = match &case.owner {
        Some(owner) => reference(store, owner)?,
        None => None,
    };
    let model = SpectralReference;
    // The earlier recording is heard again, so that a newer model compares like with like.
    let reference = reference.and_then(|wav| listen(&model, &wav, None).ok()?.keep());
    Ok(listen(&model, bytes, reference.as_ref()).ok().map(|heard| heard.evidence()))
}

/// The recording of an earlier check that passed, or after which a visit found the person alive.
fn reference(store: &Store, owner: &str) -> Result<Option<Vec<u8>>, Problem> {
    let filter = Filter {
        kinds: vec![Kind::LifeCheck],
        states: vec!["passed".to_owned(), "visited".to_owned()],
        person: Some(owner.to_owned()),
        ..Filter::of(Reach::Platform)
    };
    let page = casework(store.list(&filter))?;
    let sound = |case: &&CaseFile| {
        case.state == "passed" || case.facts.get("outcome") == Some(&json!("alive"))
    };
    let digest = page
        .cases
        .iter()
        .filter(sound)
        .find_map(|case| case.facts.get("recording").and_then(Value::as_str));
    match digest {
        Some(digest) => Ok(Some(casework(store.attachment_content(digest))?.1)),
        None => Ok(None),
    }
}
