//! A source's clock: how far event time has provably advanced in one source of one venue.
//!
//! The idea: a watermark is a *function of the source's own records*, nothing else. It is the greatest trusted event time, never beyond the receipt of
//! its record, minus the source's bounded disorder, and it never goes back. Whether an event is late is therefore decided by the log alone, and every
//! replay of the same log decides the same (DESIGN §4, rules 1 and 3).
//!
//! ```text
//!   records  ──►  trusted?  ──yes──►  greatest  ── − disorder ──►  watermark
//!                    └──no──►  quarantine (moves nothing)
//! ```

use super::{EventTime, Span};
use serde::{Deserialize, Serialize};

/// What a clock says of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Within the source's bounded disorder.
    OnTime,
    /// The watermark had passed it by `lag`.
    Late {
        /// From the event to the watermark.
        lag: Span,
    },
}

/// The clock of one source of a venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceClock {
    disorder: Span,
    greatest: EventTime,
}

impl SourceClock {
    /// A clock for a source whose events are out of order by at most `disorder`.
    pub const fn new(disorder: Span) -> Self {
        Self { disorder, greatest: EventTime::MIN }
    }

    /// No event before this time is still expected.
    pub const fn watermark(&self) -> EventTime {
        self.greatest.before(self.disorder)
    }

    /// The greatest trusted event time so far; [`EventTime::MIN`] before the first.
    pub const fn greatest(&self) -> EventTime {
        self.greatest
    }

    /// Whether the source has shown an event yet.
    pub fn has_started(&self) -> bool {
        self.greatest > EventTime::MIN
    }

    /// Judges an event that leaves the clock where it is (an offline upload).
    pub fn judge(&self, at: EventTime) -> Verdict {
        let watermark = self.watermark();
        if at >= watermark {
            return Verdict::OnTime;
        }
        Verdict::Late { lag: watermark.since(at) }
    }

    /// Lets a trusted event time advance the clock; call it after judging, so that an event is never late because of itself.
    pub fn advance(&mut self, at: EventTime) {
        self.greatest = self.greatest.max(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: i64) -> EventTime {
        EventTime::from_millis(secs * 1_000)
    }

    fn clock_at(secs: i64) -> SourceClock {
        let mut clock = SourceClock::new(Span::from_secs(30));
        clock.advance(at(secs));
        clock
    }

    #[test]
    fn a_new_clock_holds_everything_back() {
        assert_eq!(SourceClock::new(Span::from_secs(30)).watermark(), EventTime::MIN);
    }

    #[test]
    fn an_event_within_the_disorder_is_on_time() {
        let clock = clock_at(100);
        assert_eq!(clock.judge(at(70)), Verdict::OnTime);
        assert_eq!(clock.judge(at(69)), Verdict::Late { lag: Span::from_secs(1) });
    }

    #[test]
    fn a_late_event_does_not_turn_the_clock_back() {
        let mut clock = clock_at(100);
        clock.advance(at(0));
        assert_eq!(clock.watermark(), at(70));
    }
}
