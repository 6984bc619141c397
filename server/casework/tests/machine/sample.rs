//! Who acts, when, and cases on their way through the tables.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Weekday, datetime};
use serde_json::{Value, json};
use yiku_casework::case::{
    Actor, CaseFile, Context, Decision, Event, Evidence, Kind, Refusal, Role, Workdays,
};
use yiku_casework::machine;

use crate::answers::{evidence, input};

/// Blind indexes.
pub(crate) const HEAD: &str = "blind-head";
pub(crate) const SPOUSE: &str = "blind-spouse";
pub(crate) const REGION: &str = "141128101203";
/// The account of the village that opens cases for others.
pub(crate) const VILLAGE: &str = "a-village";

pub(crate) const ROLES: [Role; 11] = [
    Role::Citizen,
    Role::Village,
    Role::Township,
    Role::County,
    Role::City,
    Role::Province,
    Role::Department,
    Role::SystemAdmin,
    Role::SecurityAdmin,
    Role::AuditAdmin,
    Role::System,
];

/// Monday to Friday.
#[derive(Debug)]
pub(crate) struct Weekdays;

impl Workdays for Weekdays {
    fn after(&self, mut day: Date, days: u32) -> Date {
        for _ in 0..days {
            day = day.tomorrow().unwrap();
            while matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
                day = day.tomorrow().unwrap();
            }
        }
        day
    }
}

/// A Monday.
pub(crate) fn monday() -> DateTime {
    datetime(2026, 11, 2, 9, 0, 0, 0)
}

/// Somebody of a role, within whose scope the sample region lies.
pub(crate) fn actor(role: Role) -> Actor {
    let scope = match role {
        Role::Village => REGION,
        Role::Township => "141128101",
        Role::County | Role::Department => "141128",
        Role::City => "1411",
        Role::Province => "14",
        _ => "",
    };
    Actor {
        account: format!("a-{role:?}").to_lowercase(),
        name: format!("{role:?}"),
        role,
        scope: scope.to_owned(),
        department: (role == Role::Department).then(|| "medical_insurance".to_owned()),
        person: (role == Role::Citizen).then(|| HEAD.to_owned()),
    }
}

pub(crate) fn context(now: DateTime, evidence: Evidence) -> Context<'static> {
    Context { now, workdays: &Weekdays, evidence }
}

/// A case, the events it had, and the time of the last.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    pub(crate) case: CaseFile,
    pub(crate) events: Vec<Event>,
    pub(crate) now: DateTime,
    /// What the caller finds out for the next commands.
    pub(crate) evidence: Evidence,
}

impl Walk {
    /// Opens a case as the first role that may.
    pub(crate) fn open(kind: Kind, variant: &str) -> Walk {
        let opening = machine::opening(kind);
        let row = machine::actions(kind).iter().find(|action| action.name == opening).unwrap();
        let mut evidence = evidence();
        if kind == Kind::Change {
            evidence.duplicates = vec![("household".to_owned(), "H1".to_owned())];
        }
        let given = input(kind, opening, variant);
        let actor = actor(row.roles[0]);
        let (case, events) = open_as(kind, &actor, &given, monday(), &evidence).unwrap();
        Walk { case, events, now: monday(), evidence }
    }

    /// Gives a command.
    pub(crate) fn give(
        &mut self,
        actor: &Actor,
        command: &str,
        input: &Value,
    ) -> Result<Decision, Refusal> {
        let context = context(self.now, self.evidence.clone());
        let decision = machine::decide(&self.case, actor, command, input, &context)?;
        assert!(!decision.events.is_empty(), "`{command}` brings nothing");
        for event in &decision.events {
            machine::apply(&mut self.case, event);
            self.events.push(event.clone());
        }
        Ok(decision)
    }

    /// Gives a command `name=variant` as the first role that may, or lets days pass: `+8`.
    pub(crate) fn go(&mut self, steps: &str) -> &mut Walk {
        for step in steps.split_whitespace() {
            if let Some(days) = step.strip_prefix('+') {
                let days: i64 = days.parse().unwrap();
                self.now = self.now.checked_add(days.days()).unwrap();
                continue;
            }
            let (command, variant) = step.split_once('=').unwrap_or((step, ""));
            if command == machine::LINK {
                let given = json!({"case": variant});
                self.give(&actor(Role::System), command, &given).unwrap();
                continue;
            }
            let kind = self.case.kind;
            let rows = machine::actions(kind).iter().filter(|action| action.name == command);
            let mut rows = rows.filter(|action| action.from.contains(&self.case.state.as_str()));
            let Some(row) = rows.next() else {
                panic!("`{command}` is not possible in `{}`", self.case.state)
            };
            let role = row.roles[0];
            let given = input(kind, command, variant);
            if let Err(refusal) = self.give(&actor(role), command, &given) {
                panic!("`{step}` in `{}`: {refusal:?}", self.case.state);
            }
            self.now = self.now.checked_add(1.minutes()).unwrap();
        }
        self
    }

    /// The ground on which a command is refused.
    pub(crate) fn refused(&mut self, role: Role, command: &str, input: &Value) -> &'static str {
        match self.give(&actor(role), command, input) {
            Ok(_) => "nothing",
            Err(refusal) => {
                assert!(!refusal.zh.is_empty() && !refusal.en.is_empty(), "{refusal:?}");
                refusal.ground
            }
        }
    }
}

/// Opens a case of the head of the sample family.
pub(crate) fn open_as(
    kind: Kind,
    actor: &Actor,
    input: &Value,
    now: DateTime,
    evidence: &Evidence,
) -> Result<(CaseFile, Vec<Event>), Refusal> {
    let context = context(now, evidence.clone());
    let (mut case, mut decision) = machine::open(kind, actor, REGION, Some(HEAD), input, &context)?;
    machine::identify(&mut case, &mut decision, "X1");
    Ok((case, decision.events))
}

/// The shortest way to a state in which a command can be given, as opening variant and steps.
pub(crate) fn way(kind: Kind, state: &str, command: &str, role: Role) -> Walk {
    let (variant, steps) = match kind {
        Kind::Application => application_way(state, command, role),
        Kind::Warning => ("", warning_way(state, command)),
        _ => ("", plain_way(kind, state)),
    };
    let mut walk = Walk::open(kind, variant);
    if matches!(state, "visit_due" | "visited") {
        walk.evidence.voice.as_mut().unwrap()["score"] = json!(0.1);
    }
    walk.go(steps);
    if kind == Kind::Warning && state == "generated" {
        walk.events.truncate(1);
        let mut case = machine::blank(kind, "X1", REGION, Some(HEAD), "a-system", monday());
        machine::apply(&mut case, &walk.events[0]);
        walk.case = case;
    }
    assert_eq!(walk.case.state, state, "the way to {kind:?} `{state}`");
    // What is one's own: the head's, or opened by the village.
    VILLAGE.clone_into(&mut walk.case.author);
    walk
}

fn plain_way(kind: Kind, state: &str) -> &'static str {
    match (kind, state) {
        (_, "draft" | "signed" | "planned" | "issued") => "",
        (_, "submitted") => "submit",
        (_, "county_review") => "submit pass",
        (_, "returned") => "submit return",
        (Kind::Report, "agreed") => "submit pass agree",
        (_, "agreed") => "submit agree",
        (Kind::Report, "rejected") => "submit pass reject",
        (_, "rejected") => "submit reject",
        (_, "withdrawn") => "withdraw",
        (_, "drafting") => "save",
        (_, "completed") => "save complete",
        (_, "cancelled") => "cancel",
        (_, "passed" | "visit_due") => "record",
        (_, "visited") => "record visit_result",
        _ => panic!("no way to `{state}`"),
    }
}

fn application_way(state: &str, command: &str, role: Role) -> (&'static str, &'static str) {
    match (state, command) {
        ("draft", _) => ("", ""),
        ("submitted", _) => ("", "submit"),
        ("supplementing", _) => ("", "submit request_supplement"),
        ("accepted", _) => ("", "submit accept"),
        ("checked", _) => ("", "submit accept check link=S1"),
        ("surveyed", _) => ("", "submit accept check link=S1 record_survey"),
        ("reviewed", "confirm") => ("rigid", "submit accept check link=S1 record_survey review"),
        ("reviewed", "refuse") if role == Role::Township => {
            ("", "submit accept check link=S1 record_survey review=oppose")
        }
        ("reviewed", _) => ("", "submit accept check link=S1 record_survey review"),
        ("posted", "settle") => {
            ("", "submit accept check link=S1 record_survey review post object")
        }
        ("posted", _) => ("", "submit accept check link=S1 record_survey review post +7"),
        ("confirmed", _) => {
            ("", "submit accept check link=S1 record_survey review post +7 confirm")
        }
        ("paying", _) => {
            ("", "submit accept check link=S1 record_survey review post +7 confirm pay")
        }
        ("refused", _) => ("", "submit refuse"),
        ("withdrawn", _) => ("", "withdraw"),
        ("ended", _) => {
            ("", "submit accept check link=S1 record_survey review post +7 confirm end")
        }
        _ => panic!("no way to `{state}`"),
    }
}

fn warning_way(state: &str, command: &str) -> &'static str {
    match (state, command) {
        ("generated" | "dispatched", _) => "",
        ("assessed", _) => "send_back",
        ("signed", _) => "sign",
        ("investigating", _) => "sign visit",
        ("verified", "finish") => "sign visit verify=false",
        ("verified", _) => "sign visit verify",
        ("handling", "finish") => "sign visit verify measure reply",
        ("handling", _) => "sign visit verify measure",
        ("feedback", _) => "sign visit verify measure reply finish",
        ("review", _) => "sign visit verify measure reply finish submit",
        ("closed", _) => "sign visit verify measure reply finish submit close",
        ("archived", _) => "sign visit verify measure reply finish submit close archive",
        _ => panic!("no way to `{state}`"),
    }
}
