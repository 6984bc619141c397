//! Warnings: rules over the registry that point at households somebody should look at.
//!
//! A rule is an entry of the catalogue (`queries/catalog/warnings`): a condition of the
//! statistics language on households or persons, with named parameters, the sources it depends
//! on, and the reasons to show. Over a snapshot a rule fires for some subjects, or for none, or
//! is not evaluated because a source is late; a subject of which the condition is unknown is not
//! pointed at.
//!
//! What it never does: read a clock, keep or send a warning, decide anything.

mod evaluate;
mod page;
mod rule;
#[cfg(test)]
mod tests;

pub use crate::catalogue::{Error, Result, Text};
pub use evaluate::{Hit, Outcome, ReasonShown, RuleOutcome, evaluate};
pub use rule::{Level, Parameter, ParameterKind, Reason, Rule, Rules};
