//! The store of case-work from outside: its commands, what they cause, who reaches what, what of
//! it can be read without keys, and what is left of it after a kill.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "a test looks at the files of a store")]

mod accounts;
mod commands;
mod effects;
mod kill;
mod reach;
mod secrecy;
mod support;
