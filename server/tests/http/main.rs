//! HTTP through the router, without a socket: status, code and body of every route.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops where it fails, and breaks what it made"
)]

mod doors;
mod oidc;
mod people;
mod places;
mod questions;
mod rights;
mod running;
mod scope;
mod server;
mod sharing;
#[path = "../small/mod.rs"]
#[expect(clippy::cast_possible_truncation, reason = "a test's registry")]
mod small;
