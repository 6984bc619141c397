//! The platform's time: the machine's clock, moved to where it was told to start.
//!
//! Invariant: what people do is dated by this clock and no other, in the local time of the
//! platform, to the millisecond.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::clock;

/// Hours that the platform's local time is ahead of UTC, all year.
const AHEAD: i8 = 8;

/// The platform's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlatformClock {
    /// Milliseconds that it is ahead of the machine's.
    ahead: i64,
}

impl PlatformClock {
    /// A clock that stands at a point in time now; without one, that of the machine.
    #[must_use]
    pub fn starting_at(start: Option<Timestamp>) -> Self {
        Self { ahead: start.map_or(0, |start| start.as_millisecond().saturating_sub(machine())) }
    }

    /// Now, in the platform's local time.
    #[must_use]
    pub fn now(&self) -> DateTime {
        local(machine().saturating_add(self.ahead))
    }
}

fn machine() -> i64 {
    i64::try_from(clock::unix_millis()).unwrap_or(i64::MAX)
}

fn local(millis: i64) -> DateTime {
    let at = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
    Offset::constant(AHEAD).to_datetime(at)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn a_clock_starts_where_it_is_told_in_local_time() {
        let start: Timestamp = "2026-11-01T20:00:00Z".parse().unwrap();
        let clock = PlatformClock::starting_at(Some(start));
        let shown = clock.now();
        let expected = jiff::civil::date(2026, 11, 2).at(4, 0, 0, 0);
        let late = shown.duration_since(expected);
        assert!(late.as_secs() >= 0 && late.as_secs() < 60, "{shown}");
    }

    #[test]
    fn a_clock_that_is_told_nothing_is_the_machines() {
        assert_eq!(PlatformClock::starting_at(None).ahead, 0);
        assert_eq!(local(0).to_string(), "1970-01-01T08:00:00");
        assert_eq!(local(i64::MAX).year(), 9999, "a senseless time is no panic");
    }
}
