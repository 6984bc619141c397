//! # Case-work
//!
//! What people do about a household, from a citizen's request to a closed warning: declarations,
//! changes, reports, applications, authorisations, warnings, surveys and life checks. Each kind
//! of case is a pure machine ([`machine`]): a command on a case in a state gives events or a
//! [`Refusal`]. One transactional store keeps cases, their journal and what is to be told to the
//! registry; who may do what is decided here too.
//!
//! What it never does: read a clock, know the engine, write anything personal in the clear.

pub mod accounts;
pub mod attachment;
pub mod case;
pub mod error;
pub mod forms;
pub mod machine;
pub mod rights;
pub mod secret;
pub mod signature;
pub mod store;
pub mod voice;
pub mod workdays;

pub use case::{
    Action, Actor, CaseFile, Context, Decision, Effect, Event, Evidence, Input, Kind, Label, Mark,
    Refusal, Role,
};
pub use error::{Error, Result};
