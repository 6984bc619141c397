//! Opening a case: whose it is, where it belongs, and what is known already.
//!
//! Invariants: a citizen's case is their own; a staff member opens for the person they name; what
//! the registry knows is filled in before anybody is asked.

use serde_json::{Value, json};
use yiku::Snapshot;
use yiku_casework::forms::{Strictness, id_number};
use yiku_casework::rights::within;
use yiku_casework::store::{Opening, Reach, kind_of};
use yiku_casework::{CaseFile, Kind, Role};
use yiku_indexer::{find_person, household};

use super::access::{call, casework, context, indexer, journal};
use super::cases::checked;
use crate::cases::answers::{head_number, text};
use crate::cases::evidence::{Asked, Known, evidence, known};
use crate::http::signed::Signed;
use crate::platform::Platform;
use crate::problem::{Code, Problem};

/// What is asked to be opened.
pub(super) struct Fresh<'a> {
    /// The word of the kind.
    pub(super) kind: &'a str,
    /// The client's number of the command.
    pub(super) command_id: &'a str,
    /// Where, if it is said.
    pub(super) region: Option<&'a str>,
    /// What the first command brings.
    pub(super) input: &'a Value,
}

/// Opens a case of a kind that people open by themselves.
pub(super) fn open(
    platform: &Platform,
    snapshot: &Snapshot,
    signed: &Signed,
    fresh: &Fresh<'_>,
) -> Result<CaseFile, Problem> {
    let kind = kind_of(fresh.kind);
    let kind = kind.filter(|kind| !matches!(kind, Kind::Warning | Kind::Authorisation));
    let Some(kind) = kind else {
        // What was sent is not repeated: it may be anything of a person.
        let detail = "cases of such a kind are not opened here; GET /api/v1/catalogue lists them";
        return Err(Problem::told(Code::RequestField, detail).beneath("/kind"));
    };
    let store = platform.store();
    let owner = owner(signed, fresh.input)?;
    if kind == Kind::LifeCheck
        && let Some(earlier) = casework(store.opened_by(&signed.actor, kind, fresh.command_id))?
        && earlier.owner
            == owner.as_deref().map(|owner| casework(store.index(owner))).transpose()?
    {
        return Ok(earlier);
    }
    // A visit for a case: that case must be within reach, and says where to go.
    let visited = match text(fresh.input, "case").filter(|_| kind == Kind::Survey) {
        Some(id) => Some(casework(store.case_within(&Reach::of(&signed.actor), id))?),
        None => None,
    };
    let region = match &visited {
        Some(case) => case.region.clone(),
        None => region(platform, snapshot, signed, fresh, owner.as_deref())?,
    };
    if let Some(answers) = fresh.input.get("answers") {
        checked(kind, answers, platform.now().date(), Strictness::Draft)?;
    }
    let known = known(platform, snapshot, kind, owner.as_deref(), fresh.input)?;
    let known = match signed.actor.role == Role::Citizen || visited.is_some() {
        true => known,
        false => within_scope(platform, snapshot, signed, known)?,
    };
    let mut input = fresh.input.clone();
    if let Value::Object(fields) = &mut input {
        // Whose it is goes apart, as a blind index.
        fields.remove("owner");
        let said = fields.get("answers").and_then(Value::as_object);
        if said.is_none_or(serde_json::Map::is_empty) {
            fields.extend(known.answers.clone().map(|answers| ("answers".to_owned(), answers)));
        }
        if let (Kind::Survey, Some(key)) = (kind, &known.household) {
            fields.insert("household".to_owned(), json!(key));
        }
    }
    let opening = match kind {
        Kind::Survey => "plan",
        Kind::LifeCheck => "issue",
        _ => "begin",
    };
    if kind == Kind::LifeCheck {
        let digits = casework(yiku_casework::secret::digits(6))?;
        input = json!({ "digits": digits });
    }
    let asked = Asked { kind, case: None, command: opening, input: &input };
    let mut found = evidence(platform, snapshot, &asked, platform.now())?;
    found.current = known.answers;
    found.linked.extend(visited.map(|case| (case.id, case.kind, case.state)));
    found.duplicates.extend(known.household.map(|key| ("household".to_owned(), key)));
    let context = context(platform, found)?;
    let opening = Opening { kind, region: &region, owner: owner.as_deref(), input: &input };
    let call = call(signed, fresh.command_id);
    casework(store.open_case(&signed.actor, &opening, &context, &call))
}

/// What a member of staff may have filled in for them: of a household outside their region nothing,
/// and of one inside it the journal says that they saw it in full.
fn within_scope(
    platform: &Platform,
    snapshot: &Snapshot,
    signed: &Signed,
    known: Known,
) -> Result<Known, Problem> {
    let Some(key) = &known.household else { return Ok(known) };
    let record = indexer(household(snapshot, key))?;
    if !record.is_some_and(|record| within(&signed.actor.scope, &record.region)) {
        return Ok(Known::default());
    }
    journal(platform, signed, "household.read", key, "filled in")?;
    Ok(known)
}

/// The ID number of the person whose case it will be.
fn owner(signed: &Signed, input: &Value) -> Result<Option<String>, Problem> {
    if signed.actor.role == Role::Citizen {
        return Ok(signed.session.account.own_number().map(str::to_owned));
    }
    if let Some(named) = text(input, "owner") {
        if id_number::read(named).is_err() {
            let detail = "an ID number has 18 characters, the last of which checks the others";
            return Err(Problem::told(Code::RequestField, detail).beneath("/owner"));
        }
        return Ok(Some(named.to_owned()));
    }
    // A draft may hold half a number, which is nobody's.
    let head = input.get("answers").and_then(head_number);
    Ok(head.filter(|number| id_number::read(number).is_ok()).map(str::to_owned))
}

/// Where the case belongs: as is said, where the person is registered, or where the staff member
/// works.
fn region(
    platform: &Platform,
    snapshot: &Snapshot,
    signed: &Signed,
    fresh: &Fresh<'_>,
    owner: Option<&str>,
) -> Result<String, Problem> {
    let said = fresh.region.map(str::trim).filter(|region| !region.is_empty());
    let answers = fresh.input.get("answers");
    let family = answers.and_then(|answers| answers.get("family"));
    if let Some(said) = said.or_else(|| family.and_then(|family| text(family, "region"))) {
        if snapshot.tree().find(said).is_none() {
            let detail = "no such place in the registry: 12 digits of a village are right";
            return Err(Problem::told(Code::RequestField, detail).beneath("/region"));
        }
        return Ok(said.to_owned());
    }
    if let Some(number) = owner
        && let Some(found) = indexer(find_person(snapshot, platform.db(), number))?
        && let Some(record) = indexer(household(snapshot, &found.household))?
    {
        return Ok(record.region);
    }
    match signed.actor.role {
        Role::Citizen => {
            let detail = "say where you live: `region`, the 12 digits of the village".to_owned();
            Err(Problem::told(Code::RequestField, detail).beneath("/region"))
        }
        _ => Ok(signed.actor.scope.clone()),
    }
}
