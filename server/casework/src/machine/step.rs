//! One step of a case: the case, who acts, the command and its input, and what came with it.

use jiff::civil::Date;
use serde_json::Value;

use super::brings::Brings;
use super::refuse::{incomplete, refuse, wrong};
use super::table::Spec;
use crate::case::{
    Action, Actor, CaseFile, Context, Decision, Effect, Event, Evidence, Kind, Refusal, Role,
};

/// A command that passed the checks all kinds share.
pub(super) struct Step<'a> {
    pub(super) case: &'a CaseFile,
    pub(super) actor: &'a Actor,
    pub(super) action: &'static Action,
    pub(super) input: &'a Value,
    pub(super) context: &'a Context<'a>,
    pub(super) spec: &'static Spec,
}

impl<'a> Step<'a> {
    /// Today, in the platform's local time.
    pub(super) fn today(&self) -> Date {
        self.context.now.date()
    }

    /// The day that many working days from today.
    pub(super) fn in_days(&self, days: u32) -> Date {
        self.context.workdays.after(self.today(), days)
    }

    /// What the caller found out.
    pub(super) fn evidence(&self) -> &'a Evidence {
        &self.context.evidence
    }

    /// A text of the input that is not blank.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let input: &'a Value = self.input;
        input.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// A text of the input, or none said.
    ///
    /// # Errors
    /// `input.missing`, if it is not there.
    pub(super) fn need(&self, name: &'static str) -> Result<&'a str, Refusal> {
        self.text(name).ok_or_else(|| missing(self.action, name))
    }

    /// Whether a flag of the input is set.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.input.get(name) == Some(&Value::Bool(true))
    }

    /// A sum of money of the input, in fen.
    ///
    /// # Errors
    /// `input.wrong`, if it is not a whole number of fen from 0 to 100 million yuan.
    pub(super) fn money(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.input.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_i64() {
                Some(fen @ 0..=10_000_000_000) => Ok(Some(fen)),
                _ => Err(wrong(name, "应为不小于零的整数（分）", "a whole number of fen from 0")),
            },
        }
    }

    /// A whole number of the input within bounds.
    ///
    /// # Errors
    /// `input.wrong`, if it is anything else.
    pub(super) fn number(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, Refusal> {
        match self.input.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
                match number {
                    Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
                    _ => Err(wrong(
                        name,
                        &format!("应为{least}至{most}的整数"),
                        &format!("it must be a whole number from {least} to {most}"),
                    )),
                }
            }
        }
    }

    /// A day of the input.
    ///
    /// # Errors
    /// `input.wrong`, if it is not `YYYY-MM-DD`.
    pub(super) fn day(&self, name: &str) -> Result<Option<Date>, Refusal> {
        self.text(name)
            .map(|text| {
                text.parse().map_err(|_| wrong(name, "日期应写作2026-01-31", "write 2026-01-31"))
            })
            .transpose()
    }

    /// The texts of a list of the input; what is not a text is left out.
    pub(super) fn texts(&self, name: &str) -> Vec<&'a str> {
        let input: &'a Value = self.input;
        let list = input.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The answers that the input brings, or those the case has.
    ///
    /// # Errors
    /// `input.wrong`, if they are not blocks of answers.
    pub(super) fn answers(&self) -> Result<&'a Value, Refusal> {
        let input: &'a Value = self.input;
        match input.get("answers") {
            None | Some(Value::Null) => Ok(&self.case.answers),
            Some(answers) if answers.is_object() => Ok(answers),
            Some(_) => Err(wrong("answers", "应为表格的内容", "they must be blocks of answers")),
        }
    }

    /// The form is complete.
    ///
    /// # Errors
    /// `form.incomplete`, with the first fault.
    pub(super) fn complete(&self) -> Result<(), Refusal> {
        incomplete(&self.evidence().faults).map_or(Ok(()), Err)
    }

    /// The owner's authorisation is valid.
    ///
    /// # Errors
    /// `authorisation.missing`.
    pub(super) fn authorised(&self) -> Result<(), Refusal> {
        let authorised = &self.evidence().authorised;
        match &self.case.owner {
            Some(owner) if authorised.iter().any(|(person, _)| person == owner) => Ok(()),
            _ => Err(refuse(
                "authorisation.missing",
                "尚未签署有效的核对授权，请先签署授权再提交。",
                "there is no valid authorisation of the person concerned: sign it first",
            )),
        }
    }

    /// A linked case of a kind in one of some states.
    pub(super) fn linked(&self, id: &str, kind: Kind, states: &[&str]) -> bool {
        let linked = &self.evidence().linked;
        linked.iter().any(|(other, its, state)| {
            other == id && *its == kind && states.contains(&state.as_str())
        })
    }

    /// A named case is linked to this one already: another family's does not count.
    ///
    /// # Errors
    /// `case.other`.
    pub(super) fn ours(&self, id: &str, field: &str) -> Result<(), Refusal> {
        if self.case.links.iter().any(|known| known == id) {
            return Ok(());
        }
        let zh = "所选事项与本事项无关，请选择为本事项开办的事项。";
        let en = "that case was not opened for this one: choose one that was";
        Err(refuse("case.other", zh, en).at(field))
    }

    /// A fact that is a text.
    pub(super) fn fact(&self, name: &str) -> Option<&'a str> {
        let case: &'a CaseFile = self.case;
        case.facts.get(name)?.as_str()
    }

    /// An event that leads to a state; where the state changes, the kind's clock says what is due.
    pub(super) fn event(&self, state: &str, brings: Brings) -> Event {
        self.event_of(self.action.name, state, brings)
    }

    /// An event of a decision that has several.
    pub(super) fn event_of(&self, command: &str, state: &str, brings: Brings) -> Event {
        let brings = if brings.has_due() || state == self.case.state {
            brings
        } else {
            let days = (self.spec.clock)(state, self.case.level.as_deref());
            brings.due(days.map(|days| self.in_days(days)))
        };
        Event {
            command: command.to_owned(),
            actor: self.actor.clone(),
            at: self.context.now,
            state: state.to_owned(),
            body: brings.into_body(),
        }
    }

    /// A decision of one event.
    pub(super) fn go(&self, state: &str, brings: Brings) -> Decision {
        Decision { events: vec![self.event(state, brings)], effects: Vec::new() }
    }

    /// A decision of one event with one effect.
    pub(super) fn go_with(&self, state: &str, brings: Brings, effect: Effect) -> Decision {
        Decision { events: vec![self.event(state, brings)], effects: vec![effect] }
    }
}

/// A required input is not there.
pub(super) fn missing(action: &Action, name: &'static str) -> Refusal {
    let label = action.input.iter().find(|input| input.name == name).map(|input| input.label);
    let (zh, en) = label.map_or((name, name), |label| (label.zh, label.en));
    refuse("input.missing", format!("请填写“{zh}”。"), format!("“{en}” is missing")).at(name)
}

/// Whether somebody is of the platform's staff: they act inside a scope.
pub(super) fn is_staff(role: Role) -> bool {
    match role {
        Role::Village
        | Role::Township
        | Role::County
        | Role::City
        | Role::Province
        | Role::Department => true,
        Role::Citizen
        | Role::SystemAdmin
        | Role::SecurityAdmin
        | Role::AuditAdmin
        | Role::System => false,
    }
}
