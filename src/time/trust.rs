//! Whether an event's time can be believed, before it may move a clock.
//!
//! One wrong clock must move nobody (DESIGN promise 5). An event time is held against the time at which the record was received (a
//! header written at the door, or the broker's own append time), never against the reader's clock, so that a night of 2030 replays today. Where
//! no receive time is known, a leap of the source's clock beyond a day is not believed.

use super::{EventTime, Span};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The limits within which an event time is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockTrust {
    /// How far an event may be ahead of its receive time (clock skew between sensor and door).
    pub ahead_of_receipt: Span,
    /// How far an event may leap ahead of its source's clock where no receive time is known.
    pub leap: Span,
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
}

impl Default for ClockTrust {
    fn default() -> Self {
        Self { ahead_of_receipt: Span::from_secs(30), leap: Span::from_mins(24 * 60) }
    }
}

impl ClockTrust {
    /// Judges `at`, which came with a receive time or not, from a source whose clock stands at `greatest`.
    pub fn judge(&self, at: EventTime, received: Option<EventTime>, greatest: EventTime) -> Result<(), Distrust> {
        if let Some(received) = received {
            let by = at.since(received);
            return if by > self.ahead_of_receipt { Err(Distrust::AheadOfReceipt { by }) } else { Ok(()) };
        }
        if greatest == EventTime::MIN {
            return Ok(());
        }
        let by = at.since(greatest);
        if by > self.leap { Err(Distrust::Leap { by }) } else { Ok(()) }
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AheadOfReceipt { by } => write!(f, "event time is {by} after its receipt"),
            Self::Leap { by } => write!(f, "event time leaps {by} ahead of its source"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: i64) -> EventTime {
        EventTime::from_millis(secs * 1_000)
    }

    #[test]
    fn a_time_after_its_receipt_is_not_believed() {
        let trust = ClockTrust::default();
        assert_eq!(trust.judge(at(130), Some(at(100)), at(90)), Ok(()));
        assert_eq!(trust.judge(at(131), Some(at(100)), at(90)), Err(Distrust::AheadOfReceipt { by: Span::from_secs(31) }));
    }

    #[test]
    fn without_a_receipt_a_leap_of_years_is_not_believed() {
        let ten_years = at(10 * 365 * 86_400);
        assert!(matches!(ClockTrust::default().judge(ten_years, None, at(100)), Err(Distrust::Leap { .. })));
        assert_eq!(ClockTrust::default().judge(ten_years, None, EventTime::MIN), Ok(()));
    }
}
