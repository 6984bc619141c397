//! The server's clock.
//!
//! Invariant: the only module that reads a clock; what it reads reaches timings, deadlines and the
//! numbers of faults, never an answer.
#![expect(clippy::disallowed_methods, reason = "the server's clock")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A point in time, to measure from.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Seconds since 1970.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
