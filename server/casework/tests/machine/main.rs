//! The machines of the kinds of cases, tested against tables written by hand.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

mod answers;
mod exhaustive;
mod page;
mod replay;
mod rules;
mod sample;
mod tables;
