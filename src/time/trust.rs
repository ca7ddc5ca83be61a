//! Whether an event's time can be believed, before it may move a clock.
//!
//! One wrong clock must move nobody (DESIGN promise 5). An event time is held against the time at which the record was received (a
//! header written at the door, or the broker's own append time), never against the reader's clock, so that a night of 2030 replays today. Where
//! no receive time is known (a log that nobody stamped), only times between two fixed bounds are believed, and no leap of the source's clock beyond a day.
//!
//! What one event alone tells is here; what a sensor's events tell one after the other is [`super::guard`].

use super::{EventTime, HOUR_MS, Span};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The limits within which an event time is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockTrust {
    /// How far an event may be ahead of its receive time (clock skew between sensor and door).
    pub ahead_of_receipt: Span,
    /// How far an event may leap ahead of its source's clock where no receive time is known, and how far it may lie behind its receive time where one is.
    pub leap: Span,
    /// How near to whole hours an offset must be to be taken for a wrong time zone.
    pub zone_tolerance: Span,
    /// After so many good events in a row a sensor whose clock was wrong is believed again.
    pub return_after: u32,
}

/// Why an event time is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// The event says it happened after it was received.
    AheadOfReceipt {
        /// By how much.
        by: Span,
    },
    /// The event leaps ahead of its source's clock.
    Leap {
        /// By how much.
        by: Span,
    },
    /// The event says it happened so long before it was received that no line can have held it.
    LongBefore {
        /// By how much.
        by: Span,
    },
    /// Without a receive time: a year that no event can be of, as of a clock that was never set.
    NoSuchTime,
    /// Its sensor's clock is off by whole hours.
    WrongZone {
        /// Hours ahead; behind when negative.
        hours: i64,
    },
    /// Its sensor's clock runs behind.
    Behind {
        /// By how much.
        by: Span,
    },
    /// Its sensor's clock stands still.
    Frozen,
    /// It is good by itself, but its sensor's clock was wrong a moment ago.
    Probation {
        /// Good events in a row, this one included.
        good: u32,
        /// After so many the sensor is believed again.
        of: u32,
    },
}

/// Before this nobody ran this program: the times of clocks that were never set (1970, 1980) lie there.
const FIRST_BELIEVED: EventTime = EventTime::from_millis(946_684_800_000);
/// The start of 2100.
const LAST_BELIEVED: EventTime = EventTime::from_millis(4_102_444_800_000);

impl Default for ClockTrust {
    fn default() -> Self {
        Self { ahead_of_receipt: Span::from_secs(30), leap: Span::from_mins(24 * 60), zone_tolerance: Span::from_secs(60), return_after: 5 }
    }
}

impl ClockTrust {
    /// Judges `at`, which came with a receive time or not, from a source whose clock stands at `greatest`.
    ///
    /// With a receive time it is a function of the event alone, whatever else was read before it.
    pub fn judge(&self, at: EventTime, received: Option<EventTime>, greatest: EventTime) -> Result<(), Distrust> {
        let Some(received) = received else {
            return self.judge_alone(at, greatest);
        };
        let ahead = at.since(received);
        if ahead > self.ahead_of_receipt {
            return Err(self.whole_hours(at, received).map_or(Distrust::AheadOfReceipt { by: ahead }, |hours| Distrust::WrongZone { hours }));
        }
        let behind = received.since(at);
        if behind > self.leap { Err(Distrust::LongBefore { by: behind }) } else { Ok(()) }
    }

    /// By how many whole hours, none excepted, `at` is ahead of `received`, if it is that and no more than any time zone is off.
    pub(super) fn whole_hours(&self, at: EventTime, received: EventTime) -> Option<i64> {
        let off = at.as_millis().saturating_sub(received.as_millis());
        let hours = (off + HOUR_MS / 2).div_euclid(HOUR_MS);
        let rest = off.abs_diff(hours * HOUR_MS);
        (hours != 0 && hours.abs() <= MOST_HOURS && rest <= self.zone_tolerance.as_millis()).then_some(hours)
    }

    fn judge_alone(&self, at: EventTime, greatest: EventTime) -> Result<(), Distrust> {
        if at < FIRST_BELIEVED || at >= LAST_BELIEVED {
            return Err(Distrust::NoSuchTime);
        }
        if greatest == EventTime::MIN {
            return Ok(());
        }
        let by = at.since(greatest);
        if by > self.leap { Err(Distrust::Leap { by }) } else { Ok(()) }
    }
}

/// Time zones lie between −12 h and +14 h.
const MOST_HOURS: i64 = 14;

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AheadOfReceipt { by } => write!(f, "event time is {by} after its receipt"),
            Self::Leap { by } => write!(f, "event time leaps {by} ahead of its source"),
            Self::LongBefore { by } => write!(f, "event time is {by} before its receipt"),
            Self::NoSuchTime => write!(f, "event time lies before 2000 or after 2099, and nobody tells when it was received"),
            Self::WrongZone { hours } => write!(f, "event time is {hours} h off its receipt: the sensor has a wrong time zone"),
            Self::Behind { by } => write!(f, "event time is {by} before its receipt, and goes on so: the sensor's clock is behind"),
            Self::Frozen => write!(f, "event time stands still"),
            Self::Probation { good, of } => write!(f, "its sensor's clock was wrong; this is good event {good} of {of}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: i64) -> EventTime {
        EventTime::from_millis(1_900_000_000_000 + secs * 1_000)
    }

    #[test]
    fn a_time_after_its_receipt_is_not_believed() {
        let trust = ClockTrust::default();
        assert_eq!(trust.judge(at(130), Some(at(100)), at(90)), Ok(()));
        assert_eq!(trust.judge(at(131), Some(at(100)), at(90)), Err(Distrust::AheadOfReceipt { by: Span::from_secs(31) }));
    }

    #[test]
    fn whole_hours_ahead_are_a_wrong_zone() {
        let trust = ClockTrust::default();
        for (secs, hours) in [(3_600, 1), (3_655, 1), (2 * 3_600 - 60, 2), (14 * 3_600, 14)] {
            assert_eq!(trust.judge(at(secs), Some(at(0)), EventTime::MIN), Err(Distrust::WrongZone { hours }), "{secs}");
        }
        for secs in [3_661, 1_800, 15 * 3_600] {
            assert!(matches!(trust.judge(at(secs), Some(at(0)), EventTime::MIN), Err(Distrust::AheadOfReceipt { .. })), "{secs}");
        }
        assert_eq!(trust.whole_hours(at(-7_200), at(0)), Some(-2));
        assert_eq!(trust.whole_hours(at(20), at(0)), None);
    }

    #[test]
    fn the_first_event_of_a_clock_that_was_never_set_is_not_believed() {
        let (trust, never_set) = (ClockTrust::default(), EventTime::from_millis(12_000));
        assert!(matches!(trust.judge(never_set, Some(at(0)), EventTime::MIN), Err(Distrust::LongBefore { .. })));
        assert_eq!(trust.judge(never_set, None, EventTime::MIN), Err(Distrust::NoSuchTime));
        assert_eq!(trust.judge(EventTime::from_millis(9_000_000_000_000), None, EventTime::MIN), Err(Distrust::NoSuchTime));
    }

    #[test]
    fn without_a_receipt_a_leap_of_years_is_not_believed() {
        let ten_years = at(10 * 365 * 86_400);
        assert!(matches!(ClockTrust::default().judge(ten_years, None, at(100)), Err(Distrust::Leap { .. })));
        assert_eq!(ClockTrust::default().judge(ten_years, None, EventTime::MIN), Ok(()));
    }
}
