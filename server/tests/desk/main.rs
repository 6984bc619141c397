//! The desk over HTTP through the router: every story from both sides, and what is refused.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops where it fails, and reads what it made"
)]

mod applications;
mod assessment;
mod changes;
mod declarations;
mod families;
mod hostile;
mod notices;
mod office;
mod reach;
mod reports;
mod signing;
#[path = "../small/mod.rs"]
#[expect(clippy::cast_possible_truncation, dead_code, reason = "a test's registry")]
mod small;
mod surveys;
mod warnings;
