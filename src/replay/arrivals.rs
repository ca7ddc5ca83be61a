//! Which trains came to which stop when, out of what frame after frame expected of them.
//!
//! The idea: a frame tells when each train is expected, again and again, until it has called; then it tells it no more. So the last expectation before a train vanishes
//! is when it came, and a trip counts once however often it was told. One that vanishes long before it was expected was taken back, not early.

use crate::time::{EventTime, Span};
use crate::venue::StopId;
use std::collections::BTreeMap;

/// The slots in which arrivals are counted.
pub const SLOT: Span = Span::from_mins(5);
/// A position older than this is stale.
pub const STALE: Span = Span::from_secs(90);
/// A train that vanishes may have been expected so much later than the frame that tells it no more: frames are a minute apart, and trains run early.
const EARLY: Span = Span::from_secs(120);

/// What came of a stop's trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfStop {
    /// Trips that arrived.
    pub arrivals: u32,
    /// Trips that were expected only after the last frame.
    pub expected: u32,
    /// Trips that were told no more long before they were expected.
    pub withdrawn: u32,
    /// Positions told.
    pub positions: u32,
    /// Those that were older than [`STALE`].
    pub stale: u32,
    /// Age of the oldest.
    pub oldest: Span,
}

/// The arrivals at one venue's stops.
#[derive(Clone, Debug, Default)]
pub struct Arrivals {
    reach: Option<(EventTime, EventTime)>,
    open: BTreeMap<(StopId, u64), EventTime>,
    slots: BTreeMap<(StopId, EventTime), u32>,
    stops: Vec<OfStop>,
}

impl Arrivals {
    /// Of so many stops nothing is known yet.
    pub fn new(stops: usize) -> Self {
        Self { stops: vec![OfStop::default(); stops], ..Self::default() }
    }

    /// Takes a frame's expectations (stop, trip, when) and the ages of its positions. Frames come in order.
    pub fn frame(&mut self, at: EventTime, told: &[(StopId, u64, EventTime)], ages: &[(StopId, Span)]) {
        let now: BTreeMap<(StopId, u64), EventTime> = told.iter().map(|(stop, trip, expected)| ((*stop, *trip), *expected)).collect();
        for (key, expected) in std::mem::take(&mut self.open) {
            if !now.contains_key(&key) {
                self.settle(key.0, expected, at.after(EARLY));
            }
        }
        self.open = now;
        for (stop, age) in ages {
            let of_stop = &mut self.stops[stop.index()];
            of_stop.positions += 1;
            of_stop.stale += u32::from(*age > STALE);
            of_stop.oldest = of_stop.oldest.max(*age);
        }
        self.reach = Some(self.reach.map_or((at, at), |(first, _)| (first, at)));
    }

    /// One stop, as of the last frame.
    pub fn of_stop(&self, stop: StopId) -> OfStop {
        let mut of_stop = self.stops.get(stop.index()).copied().unwrap_or_default();
        for (_, expected) in self.open.iter().filter(|((at, _), _)| *at == stop) {
            if self.has_come(*expected) { of_stop.arrivals += 1 } else { of_stop.expected += 1 }
        }
        of_stop
    }

    /// All stops together.
    pub fn all(&self) -> OfStop {
        (0..self.stops.len()).map(|index| self.of_stop(index.into())).fold(OfStop::default(), OfStop::plus)
    }

    /// Arrivals by stop and start of the slot, from the first frame's slot to the last one's: in a slot without a line for a stop that has any, nobody came. Zeros
    /// stand for those stops at which something was told.
    pub fn slots(&self) -> BTreeMap<(StopId, EventTime), u32> {
        let mut slots = BTreeMap::new();
        let Some((first, last)) = self.reach else { return slots };
        let told: Vec<StopId> = (0..self.stops.len()).map(StopId::from).filter(|stop| self.of_stop(*stop) != OfStop::default()).collect();
        let mut slot = slot_of(first);
        while slot <= last {
            slots.extend(told.iter().map(|stop| ((*stop, slot), 0)));
            slot = slot.after(SLOT);
        }
        self.slots.iter().for_each(|(key, count)| *slots.entry(*key).or_default() += count);
        for ((stop, _), expected) in self.open.iter().filter(|(_, expected)| self.has_come(**expected)) {
            *slots.entry((*stop, slot_of(*expected))).or_default() += 1;
        }
        slots
    }

    fn has_come(&self, expected: EventTime) -> bool {
        self.reach.is_some_and(|(_, last)| expected <= last)
    }

    fn settle(&mut self, stop: StopId, expected: EventTime, latest: EventTime) {
        let of_stop = &mut self.stops[stop.index()];
        if expected > latest {
            of_stop.withdrawn += 1;
            return;
        }
        of_stop.arrivals += 1;
        *self.slots.entry((stop, slot_of(expected))).or_default() += 1;
    }
}

impl OfStop {
    /// The share of stale positions.
    pub fn stale_percent(&self) -> f64 {
        100.0 * f64::from(self.stale) / f64::from(self.positions.max(1))
    }

    fn plus(self, other: Self) -> Self {
        Self {
            arrivals: self.arrivals + other.arrivals,
            expected: self.expected + other.expected,
            withdrawn: self.withdrawn + other.withdrawn,
            positions: self.positions + other.positions,
            stale: self.stale + other.stale,
            oldest: self.oldest.max(other.oldest),
        }
    }
}

fn slot_of(at: EventTime) -> EventTime {
    let millis = at.as_millis();
    EventTime::from_millis(millis - millis.rem_euclid(SLOT.as_millis() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOP: StopId = StopId(0);

    fn at(secs: i64) -> EventTime {
        EventTime::from_millis(secs * 1_000)
    }

    fn told(expected: &[(u64, i64)]) -> Vec<(StopId, u64, EventTime)> {
        expected.iter().map(|(trip, secs)| (STOP, *trip, at(*secs))).collect()
    }

    #[test]
    fn a_trip_counts_once_when_it_was_last_expected() {
        let mut arrivals = Arrivals::new(1);
        arrivals.frame(at(600), &told(&[(1, 650), (2, 905)]), &[]);
        arrivals.frame(at(660), &told(&[(2, 890)]), &[]);
        arrivals.frame(at(880), &told(&[(2, 895)]), &[]);
        arrivals.frame(at(940), &[], &[]);
        assert_eq!(arrivals.of_stop(STOP), OfStop { arrivals: 2, ..OfStop::default() });
        assert_eq!(arrivals.slots(), BTreeMap::from([((STOP, at(600)), 2), ((STOP, at(900)), 0)]));
    }

    #[test]
    fn a_trip_that_vanishes_long_before_its_time_was_taken_back() {
        let mut arrivals = Arrivals::new(1);
        arrivals.frame(at(600), &told(&[(1, 1_500), (2, 1_600)]), &[]);
        arrivals.frame(at(660), &told(&[(2, 1_600)]), &[]);
        assert_eq!(arrivals.of_stop(STOP), OfStop { withdrawn: 1, expected: 1, ..OfStop::default() });
    }

    #[test]
    fn a_train_that_stands_at_the_platform_in_the_last_frame_has_come() {
        let mut arrivals = Arrivals::new(1);
        arrivals.frame(at(600), &told(&[(1, 590)]), &[(STOP, Span::from_secs(91)), (STOP, Span::from_secs(90))]);
        let of_stop = arrivals.of_stop(STOP);
        assert_eq!((of_stop.arrivals, of_stop.positions, of_stop.stale, of_stop.stale_percent()), (1, 2, 1, 50.0));
        assert_eq!(arrivals.slots().values().sum::<u32>(), 1);
    }
}
