//! Cases: lists, one case, its commands, and what is masked in it.

use axum::extract::State;
use axum::http::Uri;
use serde::Deserialize;
use serde_json::{Value, json};
use yiku_casework::forms::{Strictness, path};
use yiku_casework::machine;
use yiku_casework::store::{Command, Filter, Reach, kind_of};
use yiku_casework::{CaseFile, Kind, Role};

use super::access::{answer, call, casework, context, journal};
use super::opening::{self, Fresh};
use crate::cases::evidence::{Asked, evidence};
use crate::cases::{form_of, shown, worker};
use crate::http::body::{JsonBody, Part, fields, parameters};
use crate::http::reply::Reply;
use crate::http::signed::Signed;
use crate::problem::{Code, Problem};
use crate::state::ServerState;

/// The least that a reason says.
const REASON_CHARS_LEAST: usize = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asking {
    kind: Option<String>,
    state: Option<String>,
    level: Option<String>,
    region: Option<String>,
    household: Option<String>,
    mine: Option<String>,
    overdue: Option<String>,
    open: Option<String>,
    text: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// Whether a text is how the number of a case begins. Whatever else is looked for may be of a
/// person and has no place in an address.
fn is_case_number(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_set(flag: Option<&String>) -> bool {
    flag.is_some_and(|flag| matches!(flag.as_str(), "1" | "true"))
}

/// `GET /api/v1/cases`
pub(crate) async fn list(
    State(state): State<ServerState>,
    signed: Signed,
    uri: Uri,
) -> Result<Reply, Problem> {
    let asking: Asking = parameters(&uri)?;
    if asking.text.as_deref().is_some_and(|text| !text.is_empty() && !is_case_number(text)) {
        let detail = "what may be of a person does not belong into an address: \
                      POST /api/v1/cases/find takes the same in its body";
        return Err(Problem::told(Code::RequestParameter, detail));
    }
    listed(&state, signed, asking).await
}

/// `POST /api/v1/cases/find`: the same as the list, for what may be of a person.
pub(crate) async fn find(
    State(state): State<ServerState>,
    signed: Signed,
    JsonBody(bytes): JsonBody,
) -> Result<Reply, Problem> {
    let asking: Asking = fields(&bytes)?;
    listed(&state, signed, asking).await
}

async fn listed(state: &ServerState, signed: Signed, asking: Asking) -> Result<Reply, Problem> {
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let snapshot = state.snapshot()?;
        let today = platform.now().date();
        let filter = filter(&asking, &signed, today)?;
        let page = casework(platform.store().list(&filter))?;
        let heads: Vec<Value> = page
            .cases
            .iter()
            .map(|case| shown::head(case, &signed.actor, &snapshot, today))
            .collect();
        let about = format!("{} cases", heads.len());
        journal(platform, &signed, "case.list", asking.kind.as_deref().unwrap_or("*"), &about)?;
        answer(&snapshot, &json!({ "cases": heads, "next": page.next }))
    };
    state.work(work).await
}

fn filter(asking: &Asking, signed: &Signed, today: jiff::civil::Date) -> Result<Filter, Problem> {
    let mut kinds = Vec::new();
    for word in asking.kind.iter().flat_map(|kinds| kinds.split(',')) {
        let Some(kind) = kind_of(word) else {
            let detail = "there is no such kind of case; GET /api/v1/catalogue lists them";
            return Err(Problem::told(Code::RequestParameter, detail));
        };
        kinds.push(kind);
    }
    let mut states: Vec<String> =
        asking.state.iter().flat_map(|states| states.split(',')).map(str::to_owned).collect();
    if is_set(asking.open.as_ref()) && states.is_empty() {
        let of: &[Kind] = if kinds.is_empty() { &machine::KINDS } else { &kinds };
        states = of
            .iter()
            .flat_map(|kind| machine::states(*kind))
            .filter(|state| state.open)
            .map(|state| state.name.to_owned())
            .collect();
    }
    let mine = is_set(asking.mine.as_ref());
    Ok(Filter {
        region: asking.region.clone(),
        kinds,
        states,
        overdue_on: is_set(asking.overdue.as_ref()).then_some(today),
        level: asking.level.clone(),
        household: asking.household.clone(),
        author: (mine && signed.actor.role != Role::Citizen).then(|| signed.actor.account.clone()),
        text: asking.text.clone(),
        after: asking.after.clone(),
        limit: asking.limit.unwrap_or(50),
        ..Filter::of(Reach::of(&signed.actor))
    })
}

/// `GET /api/v1/cases/{id}`
pub(crate) async fn show(
    State(state): State<ServerState>,
    signed: Signed,
    Part(id): Part,
) -> Result<Reply, Problem> {
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let case = casework(platform.store().case_within(&Reach::of(&signed.actor), &id))?;
        journal(platform, &signed, "case.read", &case.id, &case.state)?;
        shown_case(state, &signed, &case)
    };
    state.work(work).await
}

/// A case as the one who asked may see it.
pub(super) fn shown_case(
    state: &ServerState,
    signed: &Signed,
    case: &CaseFile,
) -> Result<Reply, Problem> {
    let platform = state.platform()?;
    let snapshot = state.snapshot()?;
    let today = platform.now().date();
    let whole = shown::whole(platform.store(), case, &signed.actor, &snapshot, today)?;
    answer(&snapshot, &whole)
}

/// A case after something was done to it; whoever listens is told at once.
pub(super) fn done_case(
    state: &ServerState,
    signed: &Signed,
    case: &CaseFile,
) -> Result<Reply, Problem> {
    worker::tell(state.platform()?)?;
    shown_case(state, signed, case)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    kind: String,
    command_id: String,
    region: Option<String>,
    #[serde(default)]
    input: Value,
}

/// `POST /api/v1/cases`
pub(crate) async fn open(
    State(state): State<ServerState>,
    signed: Signed,
    JsonBody(bytes): JsonBody,
) -> Result<Reply, Problem> {
    let Opening { kind, command_id, region, input } = fields(&bytes)?;
    let work = move |state: &ServerState, _| {
        let input = if input.is_null() { json!({}) } else { input };
        let fresh = Fresh {
            kind: &kind,
            command_id: &command_id,
            region: region.as_deref(),
            input: &input,
        };
        let case = opening::open(state.platform()?, &state.snapshot()?, &signed, &fresh)?;
        done_case(state, &signed, &case)
    };
    state.work(work).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    command: String,
    command_id: String,
    version: u64,
    #[serde(default)]
    input: Value,
}

/// `POST /api/v1/cases/{id}/commands`
pub(crate) async fn act(
    State(state): State<ServerState>,
    signed: Signed,
    Part(id): Part,
    JsonBody(bytes): JsonBody,
) -> Result<Reply, Problem> {
    let given: Given = fields(&bytes)?;
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let case = casework(platform.store().case_within(&Reach::of(&signed.actor), &id))?;
        let input = restored(&case, &given.input);
        let strictness = match given.command.as_str() {
            "submit" | "supplement" | "complete" => Strictness::Submit,
            _ => Strictness::Draft,
        };
        let answers = input.get("answers").unwrap_or(&case.answers);
        // Whoever may not give the command learns that, and not what is wrong with the form.
        let may = machine::allowed(&case, &signed.actor);
        if may.iter().any(|action| action.name == given.command) {
            checked(case.kind, answers, platform.now().date(), strictness)?;
        }
        let asked =
            Asked { kind: case.kind, case: Some(&case), command: &given.command, input: &input };
        let found = evidence(platform, &state.snapshot()?, &asked, platform.now())?;
        let context = context(platform, found)?;
        let command = Command { name: &given.command, version: given.version, input: &input };
        let call = call(&signed, &given.command_id);
        let done = platform.store().act(&signed.actor, &case.id, &command, &context, &call);
        done_case(state, &signed, &casework(done)?)
    };
    state.work(work).await
}

/// What stands masked in the answers of an input is what it was: who saves a form that they see
/// masked changes nothing of what they do not see.
fn restored(case: &CaseFile, input: &Value) -> Value {
    let mut input = if input.is_null() { json!({}) } else { input.clone() };
    if let (Some(form), Value::Object(fields)) = (form_of(case.kind), &mut input)
        && let Some(answers) = fields.get_mut("answers")
    {
        *answers = form.unmasked(answers, &case.answers);
    }
    input
}

/// Answers that cannot be kept, or handed in, with every fault.
pub(super) fn checked(
    kind: Kind,
    answers: &Value,
    today: jiff::civil::Date,
    strictness: Strictness,
) -> Result<(), Problem> {
    let Some(form) = form_of(kind).filter(|_| !answers.is_null()) else { return Ok(()) };
    let faults = form.check(answers, today, strictness);
    if faults.is_empty() {
        return Ok(());
    }
    Err(Problem::new(Code::CaseForm).and("faults", json!(faults)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revealing {
    path: String,
    reason: String,
}

/// `POST /api/v1/cases/{id}/reveal`
pub(crate) async fn reveal(
    State(state): State<ServerState>,
    signed: Signed,
    Part(id): Part,
    JsonBody(bytes): JsonBody,
) -> Result<Reply, Problem> {
    let Revealing { path, reason } = fields(&bytes)?;
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let store = platform.store();
        let case = casework(store.case_within(&Reach::of(&signed.actor), &id))?;
        if reason.trim().chars().count() < REASON_CHARS_LEAST {
            let detail = "say in a few words why you need to see it".to_owned();
            return Err(Problem::told(Code::RequestField, detail).beneath("/reason"));
        }
        let field = form_of(case.kind).and_then(|form| form.field(&path));
        let value = path::get(&case.answers, &path).filter(|_| field.is_some());
        let Some(value) = value else {
            let detail = "there is no such answer; members[1].id_number is how one is named";
            return Err(Problem::told(Code::RequestField, detail).beneath("/path"));
        };
        let entry = yiku_casework::store::Entry {
            action: "case.reveal",
            object: &case.id,
            result: &path,
            detail: reason.trim(),
            ..yiku_casework::store::Entry::by(&signed.actor, &signed.ip, platform.now())
        };
        casework(store.journal(&entry))?;
        answer(&state.snapshot()?, &json!({ "path": path, "value": value }))
    };
    state.work(work).await
}
