//! A machine that stops at any operation, or a disk that fails in any, leaves the version before
//! or the version after.
//!
//! Each scenario is run once to count its operations; then once for each of them and each way to
//! stop in it, or to fail. What is left is looked at with what was not synced lost, kept and torn.
//! It must open, equal a version that may be there, and take a writer; and that again is stopped
//! at each operation, twice over.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

mod copies;
mod faults;
mod scenario;
mod stops;
mod together;
