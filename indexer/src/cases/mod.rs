//! What case-work decides becomes rows of the registry, and stays when departments deliver again.
//!
//! Invariants: a decision is applied once, in one commit with the note that says so, whoever is
//! killed when; what was decided is laid again over every household that a load folds anew, in the
//! commit of the load.

mod apply;
mod decision;
mod kept;
mod lookup;
mod overlay;
mod places;
mod record;
mod replay;

pub use apply::{Applied, PlacedDecision, RejectedDecision, apply_decisions, apply_decisions_to};
pub use decision::{AidEnd, AidSpell, Decision, PersonChange, Values, WarningRow};
pub use lookup::{Found, SourceState, find_person, sources};
pub use record::{HouseholdRecord, PersonRecord, household};
pub(crate) use replay::lay_again;
