//! How the tables of the kinds are written: commands, what they ask for, and states.

use serde::Serialize;

use super::step::Step;
use crate::case::{Action, Actor, CaseFile, Decision, Input, Label, Refusal, Role};

/// A state of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StateInfo {
    /// The word.
    pub name: &'static str,
    /// How it is shown.
    pub label: Label,
    /// Whether somebody still has something to do.
    pub open: bool,
}

/// Everything particular to a kind.
pub(super) struct Spec {
    /// The command that opens a case of the kind; in the table it has no states.
    pub(super) opening: &'static str,
    /// The states, in the order of the way through them.
    pub(super) states: &'static [StateInfo],
    /// The commands; one name may stand in several rows with other states and roles.
    pub(super) actions: &'static [Action],
    /// Working days until something is due in a state, at a level.
    pub(super) clock: fn(&str, Option<&str>) -> Option<u32>,
    /// The rules, asked once role, scope, ownership, state and required inputs are right.
    pub(super) decide: fn(&Step<'_>) -> Result<Decision, Refusal>,
    /// The ground of a missing required input, if it has its own.
    pub(super) missing: fn(&str, &str) -> Option<&'static str>,
    /// Whether what the case knows of itself lets the command be offered.
    pub(super) offered: fn(&CaseFile, &Actor, &Action) -> bool,
}

/// No input has a ground of its own.
pub(super) fn plain_missing(_: &str, _: &str) -> Option<&'static str> {
    None
}

/// Everything the table allows is offered.
pub(super) fn always_offered(_: &CaseFile, _: &Actor, _: &Action) -> bool {
    true
}

/// A label.
pub(super) const fn label(zh: &'static str, en: &'static str) -> Label {
    Label { zh, en }
}

/// A state in which somebody still has something to do.
pub(super) const fn open(name: &'static str, zh: &'static str, en: &'static str) -> StateInfo {
    StateInfo { name, label: label(zh, en), open: true }
}

/// A state in which all is done.
pub(super) const fn done(name: &'static str, zh: &'static str, en: &'static str) -> StateInfo {
    StateInfo { name, label: label(zh, en), open: false }
}

/// A command.
pub(super) const fn step(name: &'static str, zh: &'static str, en: &'static str) -> Action {
    Action {
        name,
        label: label(zh, en),
        tone: "plain",
        from: &[],
        roles: &[],
        own: false,
        input: &[],
    }
}

impl Action {
    /// The states in which it may be given.
    pub(super) const fn from(mut self, states: &'static [&'static str]) -> Self {
        self.from = states;
        self
    }

    /// The roles that may give it.
    pub(super) const fn by(mut self, roles: &'static [Role]) -> Self {
        self.roles = roles;
        self
    }

    /// Only the owner or author may give it.
    pub(super) const fn own(mut self) -> Self {
        self.own = true;
        self
    }

    /// What it asks for.
    pub(super) const fn asks(mut self, input: &'static [Input]) -> Self {
        self.input = input;
        self
    }

    /// The step that usually comes next.
    pub(super) const fn primary(mut self) -> Self {
        self.tone = "primary";
        self
    }

    /// A step that ends something.
    pub(super) const fn danger(mut self) -> Self {
        self.tone = "danger";
        self
    }
}

/// An input.
pub(super) const fn ask(
    name: &'static str,
    kind: &'static str,
    zh: &'static str,
    en: &'static str,
) -> Input {
    Input { name, kind, label: label(zh, en), required: false, options: &[] }
}

impl Input {
    /// The command is refused without it.
    pub(super) const fn must(mut self) -> Self {
        self.required = true;
        self
    }

    /// The choices of a code or codes.
    pub(super) const fn of(mut self, options: &'static [(&'static str, Label)]) -> Self {
        self.options = options;
        self
    }
}
