//! Benches of the engine and the language.
