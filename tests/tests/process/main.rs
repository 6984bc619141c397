//! Processes that write to a real disk and are killed, whose disk fails, or whose file system is
//! cut off: what they acknowledged is there, whole, and nothing else.
//!
//! The child is the program `writer` of this package. How often things are done is said by
//! variables, few times without them; see `make soak`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]
#![expect(clippy::disallowed_methods, reason = "it makes folders and file systems of its own")]

mod child;
mod disk;
mod faults;
mod kill;
