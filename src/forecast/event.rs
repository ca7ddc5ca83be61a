//! What a match adds to an ordinary day: the persons beyond the usual, by the time from kick-off, per person expected.
//!
//! The idea: events are kept apart. Where the calendar knows of a match, what came beyond the usual from four hours before kick-off to five hours after it is learnt here, in slots
//! of 15 minutes and per thousand persons expected, and is expected again at the next match, scaled by its crowd. What is usual learns in that time only what the event does
//! not explain; from the first two matches, nothing. Without a calendar the usual must resist by itself (`usual`).

use crate::time::EventTime;
use crate::venue::Match;
use serde::{Deserialize, Serialize};

const SLOT_MS: i64 = 900_000;
/// Slots before kick-off, and all.
const BEFORE: i64 = 16;
const SLOTS: usize = 36;
/// Below this share of the new value the excess does not learn.
const LEARNS: f64 = 0.3;
/// From so many matches on the excess of a slot is known.
const KNOWN: u8 = 2;

/// When matches are on, and how large they are.
#[derive(Clone, Debug, Default)]
pub struct Programme {
    /// Kick-off and thousands expected, by kick-off.
    matches: Vec<(EventTime, f64)>,
}

/// One moment of one match.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    slot: usize,
    thousands: f64,
}

/// The excess of all series of a venue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Excess {
    series: usize,
    /// Slot by slot, by series: persons per step and thousand expected.
    persons: Vec<f32>,
    seen: Vec<u8>,
}

impl Programme {
    /// The matches of a venue. One of unknown size counts as a thousand persons.
    pub fn new(matches: &[Match]) -> Self {
        let thousands = |of: &Match| if of.expected_attendance == 0 { 1.0 } else { f64::from(of.expected_attendance) / 1_000.0 };
        let mut matches: Vec<(EventTime, f64)> = matches.iter().map(|of| (of.kick_off, thousands(of))).collect();
        matches.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        Self { matches }
    }

    /// The match that is on around `at`: the one whose kick-off is nearest.
    pub fn at(&self, at: EventTime) -> Option<Moment> {
        let next = self.matches.partition_point(|(kick_off, _)| *kick_off <= at);
        let around = [next.checked_sub(1), Some(next)].into_iter().flatten().filter_map(|place| self.matches.get(place));
        let (kick_off, thousands) = around.min_by_key(|(kick_off, _)| (at.as_millis() - kick_off.as_millis()).abs())?;
        let slot = (at.as_millis() - kick_off.as_millis()).div_euclid(SLOT_MS) + BEFORE;
        usize::try_from(slot).ok().filter(|slot| *slot < SLOTS).map(|slot| Moment { slot, thousands: *thousands })
    }
}

impl Excess {
    /// Nothing known yet of so many series.
    pub fn new(series: usize) -> Self {
        Self { series, persons: vec![0.0; SLOTS * series], seen: vec![0; SLOTS * series] }
    }

    /// Persons beyond the usual in a step of that moment; `None` before two matches were seen.
    pub fn of(&self, moment: Moment, series: usize) -> Option<f64> {
        let place = moment.slot * self.series + series;
        (*self.seen.get(place)? >= KNOWN).then(|| f64::from(self.persons[place]) * moment.thousands)
    }

    /// Learns one step of a match: what came and what is usual, persons.
    pub fn learn(&mut self, moment: Moment, series: usize, came: f64, usual: f64) {
        let place = moment.slot * self.series + series;
        let (persons, seen) = (&mut self.persons[place], &mut self.seen[place]);
        // Several steps of one slot of one match count as so many; a mean of few steps is soon a mean of matches.
        let weight = (1.0 / (f64::from(*seen) + 1.0)).max(LEARNS);
        *persons += (weight * ((came - usual) / moment.thousands - f64::from(*persons))) as f32;
        *seen = seen.saturating_add(1);
    }

    /// Whether it is of so many series.
    pub fn fits(&self, series: usize) -> bool {
        self.series == series && self.persons.len() == SLOTS * series && self.seen.len() == SLOTS * series
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn programme() -> Programme {
        let of = |hours: u64, expected_attendance: u32| Match {
            id: "m".into(),
            home: String::new(),
            away: String::new(),
            kick_off: EventTime::from_millis(0).after(Span::from_mins(60 * hours)),
            expected_attendance,
            plan: Default::default(),
        };
        Programme::new(&[of(200, 40_000), of(100, 20_000), of(500, 0)])
    }

    fn at(minutes: i64) -> EventTime {
        EventTime::from_millis(minutes * 60_000)
    }

    #[test]
    fn a_match_is_on_from_four_hours_before_to_five_after() {
        let programme = programme();
        assert_eq!(programme.at(at(100 * 60 - 241)), None);
        assert_eq!(programme.at(at(100 * 60 - 240)), Some(Moment { slot: 0, thousands: 20.0 }));
        assert_eq!(programme.at(at(200 * 60)), Some(Moment { slot: 16, thousands: 40.0 }));
        assert_eq!(programme.at(at(500 * 60 + 299)), Some(Moment { slot: 35, thousands: 1.0 }));
        assert_eq!(programme.at(at(500 * 60 + 300)), None);
    }

    #[test]
    fn a_match_twice_as_large_is_expected_twice_as_full() {
        let mut excess = Excess::new(2);
        let small = Moment { slot: 10, thousands: 20.0 };
        excess.learn(small, 1, 300.0, 100.0);
        assert_eq!(excess.of(small, 1), None, "one match is none");
        excess.learn(small, 1, 320.0, 100.0);
        let expected = excess.of(Moment { slot: 10, thousands: 40.0 }, 1).unwrap();
        assert!((expected - 420.0).abs() < 1e-3, "{expected}");
        assert_eq!(excess.of(small, 0), None);
    }
}
