//! Tests that cross crates, and what several of them stand on: random numbers from a seed, small
//! registries of made-up rows, a folder in memory that can break, and the slow way to answer.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(clippy::panic, reason = "a test stops where it fails")]
#![expect(clippy::indexing_slicing, reason = "a test stops where it fails")]

pub mod every;
pub mod expected;
pub mod memory;
pub mod naive;
mod process;
mod random;
pub mod registry;
pub mod sample;
pub mod work;

pub use process::memory_bytes;
pub use random::Random;
