//! Loads from end to end: files on the disk, a database, and what is in it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "tests read and write files of their own")]
#![expect(clippy::print_stdout, reason = "a test prints the figures that it measured")]

mod bad_files;
mod increments;
mod order;
mod register;
mod tables;
mod truth;
