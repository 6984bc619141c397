//! One household at a time: what policies say of the answers of a form that is in no database.
//!
//! The expressions are those of the statistics language, read and checked as any other, and
//! evaluated over the rows of one household in memory ([`Answers`]). Policies and standards are
//! kept as files ([`PolicyBook`]); an [`Assessment`] tells of every clause whether it is met, by
//! how much it is missed, or what would have to be known.
//!
//! Any expression may be asked of a bundle of any schema ([`ask`]), with what each clause read and
//! what would turn it.
//!
//! What it never does: keep anything, decide anything. An assessment is no decision.

mod amount;
mod answers;
mod ask;
#[cfg(test)]
mod ask_tests;
mod assess;
mod bundle;
mod change;
mod clause;
mod document;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops where it fails")]
mod draw_tests;
#[cfg(test)]
mod equal_tests;
pub(crate) mod page;
mod policy;
mod reach;
mod rows;
mod scalar;
mod shown;
mod span;
mod standards;
#[cfg(test)]
mod tests;
mod told;
mod words;

pub use crate::catalogue::{Error, Result, Text};
pub use amount::{Amount, StepShown};
pub use answers::{Answers, Missing};
pub use ask::{Asking, ask};
pub use assess::{Assessed, Assessment, MemberAssessed, assess};
pub use clause::{Assessable, Nearest, Outcome};
pub use policy::{Policy, PolicyBook, Subject};
pub(crate) use standards::Found;
pub use standards::{Rounding, Standard, Standards, Unit};
pub use told::{Change, ClauseTold, Computed, RowTold, Told, ValueRead};
