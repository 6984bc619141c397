//! Decisions of case-work: what they change, that they are applied once, that they stay.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "tests read and write files of their own")]
#![expect(clippy::print_stdout, reason = "a test prints the figures that it measured")]

mod changes;
mod killed;
mod many;
mod stays;
mod world;
mod wrong;
