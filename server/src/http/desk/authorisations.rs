//! Authorisations: the document to read, its signing, and inviting a member of the family.
//!
//! Invariant: what is signed is the text that was read: its digest comes back with the signing, and
//! the server makes the text again from the same facts.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use yiku_casework::secret::mask;
use yiku_casework::signature::{Authorisation, Document, Signer, sign as sign_document};
use yiku_casework::store::{Opening, Reach};
use yiku_casework::{Kind, Role, forms};
use yiku_indexer::{find_person, household};

use super::access::{answer, call, casework, context, indexer, journal};
use super::cases::{done_case, shown_case};
use crate::cases::evidence::{Asked, evidence};
use crate::http::body::{JsonBody, Part, fields};
use crate::http::reply::Reply;
use crate::http::session::kept;
use crate::http::signed::{Caller, Signed};
use crate::problem::{Code, Problem};
use crate::state::ServerState;

/// What the platform is called in documents.
const PLATFORM: &str = "低收入人口动态监测信息平台";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    scope: Vec<String>,
    months: u32,
}

impl Wanted {
    /// The document of these facts for whoever is signed in, as of today.
    fn document(&self, signed: &Signed, today: jiff::civil::Date) -> Result<Document, Problem> {
        let number = own_number(signed)?;
        let scope: Vec<&str> = self.scope.iter().map(String::as_str).collect();
        casework(Document::authorisation(&Authorisation {
            platform: PLATFORM,
            name: &signed.actor.name,
            id_number: number,
            scope: &scope,
            months: self.months,
            from: today,
        }))
    }
}

fn own_number(signed: &Signed) -> Result<&str, Problem> {
    let number = signed.session.account.own_number();
    number.filter(|_| signed.actor.role == Role::Citizen).ok_or_else(|| {
        let detail = "only who signed in as the person concerned can sign".to_owned();
        Problem::told(Code::RightMissing, detail)
    })
}

/// `POST /api/v1/authorisations/document`
pub(crate) async fn document(
    State(state): State<ServerState>,
    signed: Signed,
    JsonBody(bytes): JsonBody,
) -> Result<Reply, Problem> {
    let wanted: Wanted = fields(&bytes)?;
    let work = move |state: &ServerState, _| {
        let document = wanted.document(&signed, state.platform()?.now().date())?;
        let body = json!({ "text": document.text(), "digest": document.digest() });
        answer(&state.snapshot()?, &body)
    };
    state.work(work).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signing {
    scope: Vec<String>,
    months: u32,
    digest: String,
    command_id: String,
    #[serde(default)]
    pledge: bool,
    #[serde(default)]
    hand: Option<String>,
    #[serde(default)]
    region: Option<String>,
}

/// `POST /api/v1/authorisations/sign`
pub(crate) async fn sign(
    State(state): State<ServerState>,
    signed: Signed,
    JsonBody(bytes): JsonBody,
) -> Result<Reply, Problem> {
    let Signing { scope, months, digest, command_id, pledge, hand, region } = fields(&bytes)?;
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let snapshot = state.snapshot()?;
        let now = platform.now();
        if !pledge {
            let detail = "the pledge must be agreed to before signing".to_owned();
            return Err(Problem::told(Code::RequestField, detail).beneath("/pledge"));
        }
        let wanted = Wanted { scope, months };
        let document = wanted.document(&signed, now.date())?;
        if document.digest() != digest {
            let detail = "the text has changed since it was read: read it again".to_owned();
            return Err(Problem::told(Code::CaseStale, detail));
        }
        let number = own_number(&signed)?;
        let known = platform.store().opened_by(&signed.actor, Kind::Authorisation, &command_id);
        // The same text signed with the same number is one signature, though no two are alike.
        if let Some(earlier) = casework(known)?
            && earlier.facts.get("document") == Some(&json!(digest))
        {
            return shown_case(state, &signed, &earlier);
        }
        let hand = hand.unwrap_or_default();
        if !hand.is_empty() && casework(platform.store().attachment(&hand))?.is_none() {
            let detail = "the drawing must be sent to /api/v1/attachments first".to_owned();
            return Err(Problem::told(Code::RequestField, detail).beneath("/hand"));
        }
        let signer = Signer {
            name: mask("name", &signed.actor.name),
            index: casework(platform.store().index(number))?,
            how: how(&signed).to_owned(),
            hand,
        };
        let file = sign_document(&document, &signer, platform.platform_key(), now);
        let input = json!({
            "scope": wanted.scope, "months": wanted.months, "document": digest,
            "signature": casework(file)?,
        });
        let region = match region {
            Some(region) if snapshot.tree().find(&region).is_some() => region,
            _ => registered(platform, &snapshot, number)?,
        };
        let asked = Asked { kind: Kind::Authorisation, case: None, command: "sign", input: &input };
        let context = context(platform, evidence(platform, &snapshot, &asked, now)?)?;
        let opening = Opening {
            kind: Kind::Authorisation,
            region: &region,
            owner: Some(number),
            input: &input,
        };
        let call = call(&signed, &command_id);
        let case = platform.store().open_case(&signed.actor, &opening, &context, &call);
        done_case(state, &signed, &casework(case)?)
    };
    state.work(work).await
}

/// Where a person is registered; the whole province for who is not.
fn registered(
    platform: &crate::platform::Platform,
    snapshot: &yiku::Snapshot,
    number: &str,
) -> Result<String, Problem> {
    let found = indexer(find_person(snapshot, platform.db(), number))?;
    let record = match found {
        Some(found) => indexer(household(snapshot, &found.household))?,
        None => None,
    };
    let whole = || {
        let tree = snapshot.tree();
        let root = tree.nodes().iter().find(|node| node.level == 0);
        root.map(|root| tree.prefix(root)).unwrap_or_default()
    };
    Ok(record.map_or_else(whole, |record| record.region))
}

/// How the platform knew who signs.
fn how(signed: &Signed) -> &'static str {
    if signed.session.only.is_some() {
        return "invitation";
    }
    if signed.session.account.login.starts_with("person ") { "oidc" } else { "password" }
}

/// `GET /api/v1/cases/{id}/signature`
pub(crate) async fn signature(
    State(state): State<ServerState>,
    signed: Signed,
    Part(id): Part,
) -> Result<Response, Problem> {
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let case = casework(platform.store().case_within(&Reach::of(&signed.actor), &id))?;
        let file = case.facts.get("signature").filter(|file| file.is_object());
        let Some(file) = file else { return Err(Problem::new(Code::CaseMissing)) };
        journal(platform, &signed, "signature.read", &case.id, &case.state)?;
        let name = format!("attachment; filename=\"{}.signature.json\"", case.id);
        let about =
            [(header::CONTENT_DISPOSITION, name), (header::CACHE_CONTROL, "no-store".to_owned())];
        Ok((about, Json(file)).into_response())
    };
    state.work(work).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inviting {
    name: String,
    id_number: String,
    #[serde(default)]
    case: Option<String>,
}

/// `POST /api/v1/invitations`
pub(crate) async fn invite(
    State(state): State<ServerState>,
    signed: Signed,
    JsonBody(bytes): JsonBody,
) -> Result<Reply, Problem> {
    let Inviting { name, id_number, case } = fields(&bytes)?;
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        if forms::id_number::read(&id_number).is_err() {
            let detail = "an ID number has 18 characters, the last of which checks the others";
            let problem = Problem::told(Code::RequestField, detail.to_owned());
            return Err(problem.beneath("/id_number"));
        }
        if let Some(case) = &case {
            casework(platform.store().case_within(&Reach::of(&signed.actor), case))?;
        }
        let who = (name.as_str(), id_number.as_str());
        let (now, ip) = (platform.now(), signed.ip.as_str());
        let invited = platform.store().invite(&signed.actor, who, case.as_deref(), now, ip);
        answer(&state.snapshot()?, &casework(invited)?)
    };
    state.work(work).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    code: String,
    id_number: String,
    /// What the page asks so that people look twice; the code and the number prove who it is.
    #[serde(default, rename = "name")]
    _name: Option<String>,
}

/// `POST /api/v1/invitations/open`: a session for signing alone.
pub(crate) async fn open_invitation(
    State(state): State<ServerState>,
    Caller(ip): Caller,
    JsonBody(bytes): JsonBody,
) -> Result<Response, Problem> {
    let Opened { code, id_number, .. } = fields(&bytes)?;
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let now = platform.now();
        let invited = casework(platform.store().open_invitation(&code, &id_number, now, &ip))?;
        casework(platform.accounts().invited(&invited, now, &ip)).map(|session| (session, invited))
    };
    let (session, invited) = state.work(work).await?;
    let cookie = kept(&state).set(&session.token);
    let body: Value = json!({ "name": mask("name", &invited.name), "case": invited.case });
    let mut response = Json(body).into_response();
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}
