//! The server's clock.
//!
//! Invariant: the only module that reads a clock; what it reads reaches timings, deadlines, the
//! numbers of faults and, through the platform's own clock, what people did when, never a figure.
#![expect(clippy::disallowed_methods, reason = "the server's clock")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A point in time, to measure from.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Nanoseconds since a point in time.
pub(crate) fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Seconds since 1970.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Milliseconds since 1970.
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
