//! One household at a time: what policies say of the answers of a form that is in no database.
//!
//! The expressions are those of the statistics language, read and checked as any other, and
//! evaluated over the rows of one household in memory ([`Answers`]). Policies and standards are
//! kept as files ([`PolicyBook`]); an [`Assessment`] tells of every clause whether it is met, by
//! how much it is missed, or what would have to be known.
//!
//! What it never does: keep anything, decide anything. An assessment is no decision.

mod amount;
mod answers;
mod assess;
mod clause;
#[cfg(test)]
mod equal_tests;
pub(crate) mod page;
mod policy;
mod rows;
mod scalar;
mod standards;
#[cfg(test)]
mod tests;
mod words;

pub use crate::catalogue::{Error, Result, Text};
pub use amount::{Amount, StepShown};
pub use answers::{Answers, Missing};
pub use assess::{Assessed, Assessment, MemberAssessed, assess};
pub use clause::{Assessable, Nearest, Outcome};
pub use policy::{Policy, PolicyBook, Subject};
pub(crate) use standards::Found;
pub use standards::{Rounding, Standard, Standards, Unit};
