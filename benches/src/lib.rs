//! Benches of the engine and the language: what they are measured on.

pub mod registry;
