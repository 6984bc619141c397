//! # The yiku program: command line, HTTP, and the page
//!
//! Invariant: this crate talks and decides nothing. It reads what is asked, hands it to the crates
//! beneath, and puts what they answer into words, tables or JSON.

mod background;
mod blocking;
mod cases;
pub mod cli;
mod clock;
mod compactor;
mod demo;
mod error;
mod ground;
mod http;
pub mod limits;
mod map;
mod measures;
mod metrics;
mod page;
pub mod platform;
pub mod problem;
mod question;
mod serve;
mod state;
mod wire;
mod words;

pub use error::Error;
pub use http::router;
pub use platform::{Platform, PlatformSettings};
pub use state::{ServerState, Settings};
