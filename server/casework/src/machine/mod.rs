//! The kinds of cases as pure machines.
//!
//! A kind is a table of commands (who may give them, in which states, what they ask for) and the
//! rules that no table can hold. [`decide`] gives what a command brings or why not, [`apply`]
//! takes an event into a case; nothing here reads a clock, a file or chance. A case is its events:
//! [`blank`] and [`apply`] give it again.

mod application;
mod authorisation;
mod brings;
mod change;
mod check;
mod declaration;
mod life_check;
pub mod lists;
mod refuse;
mod registry;
mod report;
mod step;
mod survey;
mod table;
mod warning;

use jiff::civil::{Date, DateTime};
use serde_json::{Value, json};

pub use authorisation::{is_valid as authorisation_is_valid, valid_until};
pub use change::{Conflict, conflicts};
pub use table::StateInfo;
pub use warning::escalated_to;

use self::brings::Brings;
use self::step::Step;
use self::table::Spec;
use crate::case::{Action, Actor, CaseFile, Context, Decision, Effect, Event, Kind, Refusal, Role};

/// All kinds, in the order of the documentation.
pub const KINDS: [Kind; 8] = [
    Kind::Declaration,
    Kind::Change,
    Kind::Report,
    Kind::Application,
    Kind::Authorisation,
    Kind::Warning,
    Kind::Survey,
    Kind::LifeCheck,
];

/// Links another case to a case of any kind, in any state; only the platform gives it.
pub const LINK: &str = "link";

fn spec(kind: Kind) -> &'static Spec {
    match kind {
        Kind::Declaration => &declaration::SPEC,
        Kind::Change => &change::SPEC,
        Kind::Report => &report::SPEC,
        Kind::Application => &application::SPEC,
        Kind::Authorisation => &authorisation::SPEC,
        Kind::Warning => &warning::SPEC,
        Kind::Survey => &survey::SPEC,
        Kind::LifeCheck => &life_check::SPEC,
    }
}

/// A case before its first event: no state, version 0. Applying its events gives the case.
#[must_use]
pub fn blank(
    kind: Kind,
    id: &str,
    region: &str,
    owner: Option<&str>,
    author: &str,
    at: DateTime,
) -> CaseFile {
    CaseFile {
        id: id.to_owned(),
        kind,
        state: String::new(),
        version: 0,
        region: region.to_owned(),
        owner: owner.map(str::to_owned),
        author: author.to_owned(),
        household: None,
        opened_at: at,
        changed_at: at,
        due_on: None,
        level: None,
        answers: json!({}),
        marks: Vec::new(),
        facts: json!({}),
        links: Vec::new(),
        attachments: Vec::new(),
    }
}

/// Opens a case. The case has its events applied and an empty `id`: whoever keeps cases gives it
/// one and tells the decision with [`identify`]. `owner` is a blind index.
///
/// # Errors
/// A refusal, if the actor may not open the kind there, or an input is missing or wrong.
pub fn open(
    kind: Kind,
    actor: &Actor,
    region: &str,
    owner: Option<&str>,
    input: &Value,
    context: &Context<'_>,
) -> Result<(CaseFile, Decision), Refusal> {
    let spec = spec(kind);
    let action = check::opening(spec, actor, region, owner)?;
    check::inputs(spec, action, input)?;
    let mut case = blank(kind, "", region, owner, &actor.account, context.now);
    let step = Step { case: &case, actor, action, input, context, spec };
    let decision = (spec.decide)(&step)?;
    for event in &decision.events {
        apply(&mut case, event);
    }
    Ok((case, decision))
}

/// Gives an opened case its number, in the case and wherever its decision's effects name it.
pub fn identify(case: &mut CaseFile, decision: &mut Decision, id: &str) {
    id.clone_into(&mut case.id);
    for effect in &mut decision.effects {
        match effect {
            Effect::Registry { body } => {
                fill(body.get_mut("case"), id);
                fill(body.get_mut("warning").and_then(|warning| warning.get_mut("id")), id);
            }
            Effect::Open { input, .. } => fill(input.get_mut("case"), id),
            Effect::Pay { .. } | Effect::StopPay { .. } => {}
        }
    }
}

fn fill(place: Option<&mut Value>, id: &str) {
    if let Some(place) = place
        && place.as_str() == Some("")
    {
        *place = json!(id);
    }
}

/// What a command on a case brings.
///
/// # Errors
/// A refusal: the command is unknown, the actor may not give it, the state does not allow it, an
/// input is missing or wrong, or a rule of the kind says no.
pub fn decide(
    case: &CaseFile,
    actor: &Actor,
    command: &str,
    input: &Value,
    context: &Context<'_>,
) -> Result<Decision, Refusal> {
    if command == LINK {
        return link(case, actor, input, context);
    }
    let spec = spec(case.kind);
    let action = check::action(spec, case, actor, command)?;
    check::inputs(spec, action, input)?;
    (spec.decide)(&Step { case, actor, action, input, context, spec })
}

fn link(
    case: &CaseFile,
    actor: &Actor,
    input: &Value,
    context: &Context<'_>,
) -> Result<Decision, Refusal> {
    if actor.role != Role::System {
        return Err(check::role_wrong());
    }
    let other = input.get("case").and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(other) = other else {
        return Err(refuse::wrong("case", "应为事项编号", "it must be the number of a case"));
    };
    let event = Event {
        command: LINK.to_owned(),
        actor: actor.clone(),
        at: context.now,
        state: case.state.clone(),
        body: Brings::nothing().link(other).into_body(),
    };
    Ok(Decision { events: vec![event], effects: Vec::new() })
}

/// Takes an event into a case.
pub fn apply(case: &mut CaseFile, event: &Event) {
    brings::take(case, event);
}

/// The commands of a kind. The opening command has no states; a name may stand in several rows.
#[must_use]
pub fn actions(kind: Kind) -> &'static [Action] {
    spec(kind).actions
}

/// The name of the command that opens a case of the kind.
#[must_use]
pub fn opening(kind: Kind) -> &'static str {
    spec(kind).opening
}

/// The states of a kind, in the order of the way through them.
#[must_use]
pub fn states(kind: Kind) -> &'static [StateInfo] {
    spec(kind).states
}

/// Whether somebody still has something to do about a case.
#[must_use]
pub fn is_open(case: &CaseFile) -> bool {
    states(case.kind).iter().any(|state| state.open && state.name == case.state)
}

/// What the actor may do to the case now: by state, role, scope, ownership and what the case knows
/// of itself. A rule that needs evidence may still refuse it.
#[must_use]
pub fn allowed(case: &CaseFile, actor: &Actor) -> Vec<&'static Action> {
    let spec = spec(case.kind);
    let may = |action: &&'static Action| {
        action.from.contains(&case.state.as_str())
            && action.roles.contains(&actor.role)
            && check::in_scope(actor, &case.region)
            && (!action.own || check::owns(case, actor))
            && (spec.offered)(case, actor, action)
    };
    spec.actions.iter().filter(may).collect()
}

/// How many working days a state may last, from the day it is reached; nothing where no step is
/// awaited. For warnings the days count from the dispatch, by level.
#[must_use]
pub fn clock(kind: Kind, state: &str, level: Option<&str>) -> Option<u32> {
    (spec(kind).clock)(state, level)
}

/// Whether the next step of an open case was due before a day.
#[must_use]
pub fn overdue(case: &CaseFile, today: Date) -> bool {
    is_open(case) && case.due_on.is_some_and(|due| due < today)
}
