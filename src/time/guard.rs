//! The guard of one sensor's clock: what its events tell one after the other.
//!
//! The idea: an event that comes too late may have been held up on its way, or its sensor's clock may be wrong, and the next event tells: one that was held up
//! catches up with the time of its receipt, a wrong clock keeps its distance. A sensor in good standing has nothing remembered; the guard of one that is not is part of
//! the committed state. A wrong clock moves nobody from its first bad event on; its sensor is believed again after [`ClockTrust::return_after`] good ones.
//!
//! ```text
//!            ahead of its receipt, long before it, off by whole hours
//!   Good ──────────────────────────────────────────────────────────────► Wrong ──► Good   (after so many good events)
//!     │ too late          too late again, and not catching up              ▲
//!     ├───────► Doubtful ──────────────────────────────────────────────────┤
//!     │ the same instant again              and again                      │
//!     └───────► Still ─────────────────────────────────────────────────────┘
//! ```
//!
//! The verdict hangs on the sensor's own events in their order, on their receipt, and on whether they are too late by their source's clock. What is too late moves nothing
//! either way (`midan.late`), so an arbitrary jump back is harmless from its first event and named from its second.

use super::trust::{ClockTrust, Distrust};
use super::{EventTime, Span};
use serde::{Deserialize, Serialize};

/// What is wrong with a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockFault {
    /// Ahead of the receipt of its events.
    Ahead,
    /// Behind it, by more than any line holds an event up.
    Behind,
    /// Off by whole hours.
    Zone,
    /// It stands still.
    Frozen,
}

/// An event, as the guard sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timed {
    /// Event time.
    pub at: EventTime,
    /// When it was received.
    pub received: EventTime,
    /// Too late to revise anything, by its source's clock.
    pub too_late: bool,
    /// At most this long lies between two reports of the sensor.
    pub interval: Span,
}

/// What the guard found out by an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing new: the sensor is in good standing, or may be.
    Nothing,
    /// The clock is wrong.
    Wrong {
        /// How.
        fault: ClockFault,
        /// By how much it is ahead, ms; behind when negative.
        offset_ms: i64,
    },
    /// The clock was wrong and is right again.
    Returned,
}

/// The guard of one sensor's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Guard {
    /// Nothing speaks against it.
    #[default]
    Good,
    /// Its last event came too late: held up, or by a wrong clock.
    Doubtful {
        /// Event time.
        at: EventTime,
        /// When it was received.
        received: EventTime,
    },
    /// Its last events were of one instant.
    Still {
        /// Which.
        at: EventTime,
        /// When the last of them was received.
        received: EventTime,
        /// How many came after the first.
        repeats: u32,
    },
    /// Its clock is wrong.
    Wrong {
        /// How.
        fault: ClockFault,
        /// Its last event time.
        at: EventTime,
        /// Good events since.
        good: u32,
    },
}

/// So many repeats of one instant, each received at least half an interval after the one before, are a clock that stands still and no repeated delivery.
const STANDSTILL: u32 = 2;

impl Guard {
    /// Judges an event; `alone` is what it tells by itself ([`ClockTrust::judge`]).
    pub fn judge(&mut self, trust: &ClockTrust, event: &Timed, alone: Result<(), Distrust>) -> (Result<(), Distrust>, Finding) {
        if *self == Self::Good && alone.is_ok() && !event.too_late {
            return (Ok(()), Finding::Nothing);
        }
        if let Err(distrust) = alone {
            return self.wrong(event, fault_of(distrust), distrust);
        }
        match *self {
            Self::Wrong { fault, at, good } => self.again(trust, event, (fault, at, good)),
            _ if event.too_late => self.doubt(trust, event),
            Self::Still { at, .. } if at == event.at => (Ok(()), Finding::Nothing),
            _ => {
                *self = Self::Good;
                (Ok(()), Finding::Nothing)
            }
        }
    }

    /// The event that was judged last had come before, or another of its identity had. Answers whether the clock stands still.
    pub fn repeated(&mut self, event: &Timed) -> Option<Finding> {
        let repeats = match *self {
            Self::Wrong { .. } | Self::Doubtful { .. } => return None,
            Self::Still { at, received, repeats } if at == event.at => {
                if event.received.since(received) < half(event.interval) {
                    return None;
                }
                repeats + 1
            }
            Self::Good | Self::Still { .. } => 0,
        };
        *self = Self::Still { at: event.at, received: event.received, repeats };
        (repeats >= STANDSTILL).then(|| self.wrong(event, ClockFault::Frozen, Distrust::Frozen).1)
    }

    fn again(&mut self, trust: &ClockTrust, event: &Timed, (fault, at, good): (ClockFault, EventTime, u32)) -> (Result<(), Distrust>, Finding) {
        if event.too_late {
            let hours = trust.whole_hours(event.at, event.received);
            let distrust = hours.map_or(Distrust::Behind { by: event.received.since(event.at) }, |hours| Distrust::WrongZone { hours });
            let fault = if fault == ClockFault::Frozen && at == event.at { fault } else { fault_of(distrust) };
            return self.wrong(event, fault, distrust);
        }
        if fault == ClockFault::Frozen && at == event.at {
            return self.wrong(event, fault, Distrust::Frozen);
        }
        let good = good + 1;
        if good >= trust.return_after {
            *self = Self::Good;
            return (Ok(()), Finding::Returned);
        }
        *self = Self::Wrong { fault, at: event.at, good };
        (Err(Distrust::Probation { good, of: trust.return_after }), Finding::Nothing)
    }

    fn doubt(&mut self, trust: &ClockTrust, event: &Timed) -> (Result<(), Distrust>, Finding) {
        let before = match *self {
            Self::Doubtful { at, received } => Some((at, received)),
            _ => None,
        };
        let advance = |(at, received): (EventTime, EventTime)| (event.at.as_millis() - at.as_millis(), event.received.since(received));
        let is_catching_up = before.map(advance).is_some_and(|(of_time, of_receipt)| of_time > of_receipt.plus(half(event.interval)).as_millis() as i64);
        if !is_catching_up && let Some(hours) = trust.whole_hours(event.at, event.received) {
            return self.wrong(event, ClockFault::Zone, Distrust::WrongZone { hours });
        }
        let keeps_its_distance = before.map(advance).is_some_and(|(_, of_receipt)| of_receipt >= half(event.interval)) && !is_catching_up;
        if keeps_its_distance {
            return self.wrong(event, ClockFault::Behind, Distrust::Behind { by: event.received.since(event.at) });
        }
        *self = Self::Doubtful { at: event.at, received: event.received };
        (Ok(()), Finding::Nothing)
    }

    fn wrong(&mut self, event: &Timed, fault: ClockFault, distrust: Distrust) -> (Result<(), Distrust>, Finding) {
        *self = Self::Wrong { fault, at: event.at, good: 0 };
        let offset_ms = event.at.as_millis().saturating_sub(event.received.as_millis());
        (Err(distrust), Finding::Wrong { fault, offset_ms })
    }
}

const fn half(span: Span) -> Span {
    Span::from_millis(span.as_millis() / 2)
}

const fn fault_of(distrust: Distrust) -> ClockFault {
    match distrust {
        Distrust::WrongZone { .. } => ClockFault::Zone,
        Distrust::LongBefore { .. } | Distrust::Behind { .. } | Distrust::NoSuchTime => ClockFault::Behind,
        Distrust::Frozen => ClockFault::Frozen,
        Distrust::AheadOfReceipt { .. } | Distrust::Leap { .. } | Distrust::Probation { .. } => ClockFault::Ahead,
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
