//! What a match adds to an ordinary day: the persons beyond the usual, by the time from kick-off and from the end, per person expected.
//!
//! The idea: events are kept apart. Where the calendar knows of a match, what came beyond the usual from four hours before kick-off to five hours after it is learnt here, in slots
//! of 15 minutes and per thousand persons expected, and is expected again at the next match, scaled by its crowd. What is usual learns in that time only what the event does
//! not explain; from the first match, nothing. Without a calendar the usual must resist by itself (`usual`).

use crate::time::{EventTime, Span};
use crate::venue::Match;
use serde::{Deserialize, Serialize};

const SLOT_MS: i64 = 900_000;
/// Slots before kick-off, and all.
const BEFORE: i64 = 16;
const SLOTS: usize = 36;
/// From so long before kick-off on a match is kept apart from what is usual, ms.
pub(super) const BEFORE_MS: i64 = BEFORE * SLOT_MS;
/// Slots that make a phase, and phases of an event.
const OF_PHASE: usize = 4;
pub(super) const PHASES: u8 = (SLOTS / OF_PHASE) as u8;
/// Below this share of the new value the excess does not learn.
const LEARNS: f64 = 0.3;
/// From so many cases on the excess of a slot is known: the second match is expected to be like the first, of which what is usual learns nothing.
const KNOWN: u8 = 1;

/// How long an event lasts by which phases are told, ms.
const LASTS_MS: i64 = 2 * 3_600_000;
/// From so long before the start to so long after the end an event is on, ms.
const ON_MS: i64 = 4 * 3_600_000;

/// When matches are on, and how large they are.
#[derive(Clone, Debug, Default)]
pub struct Programme {
    /// By kick-off.
    events: Vec<Event>,
}

/// How people come to an event and leave it where nothing better is known; from a threshold profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Manner {
    /// So long before the start half of them have come, s.
    pub arrival_median_s: f64,
    /// The spread of the logistic law by which they come, s.
    pub arrival_spread_s: f64,
    /// Twice this after the end is the mean time of leaving, by a gamma law of two such waits, s.
    pub leaving_s: f64,
    /// From start to end where no end is planned, s.
    pub lasts_s: f64,
}

/// One event of the calendar.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    id: Box<str>,
    start: EventTime,
    planned_end: Option<EventTime>,
    thousands: f64,
    /// Milliseconds from the start and the share that has come by then; empty where nobody planned it.
    arrivals: Vec<(i64, f64)>,
    manner: Manner,
}

/// One moment of one match.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    slot: usize,
    thousands: f64,
}

impl Moment {
    /// The hour of the event, from 0, four hours before its start; below [`PHASES`].
    pub(super) const fn phase(self) -> u8 {
        (self.slot / OF_PHASE) as u8
    }

    /// The first moment of that hour.
    #[cfg(test)]
    pub(super) fn of_phase(phase: u8) -> Option<Self> {
        let slot = usize::from(phase) * OF_PHASE;
        (slot < SLOTS).then_some(Self { slot, thousands: 1.0 })
    }
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
    /// The matches of a venue. One of unknown size counts as the mean of the others, and as a thousand persons where none is known.
    pub fn new(matches: &[Match], manner: Manner) -> Self {
        let (sum, known) = matches
            .iter()
            .map(|of| of.expected_attendance)
            .filter(|persons| *persons > 0)
            .fold((0.0, 0.0), |(sum, known), persons| (sum + f64::from(persons), known + 1.0));
        let unknown = if known > 0.0 { sum / known } else { 1_000.0 };
        let persons = |of: &Match| if of.expected_attendance == 0 { unknown } else { f64::from(of.expected_attendance) };
        let event = |of: &Match| Event {
            id: of.id.clone(),
            start: of.kick_off,
            planned_end: of.planned_end.filter(|end| *end > of.kick_off),
            thousands: persons(of) / 1_000.0,
            arrivals: of.plan.arrival_curve.clone(),
            manner,
        };
        let mut events: Vec<Event> = matches.iter().map(event).collect();
        events.sort_by(|a, b| a.start.cmp(&b.start).then(a.thousands.total_cmp(&b.thousands)));
        Self { events }
    }

    /// The event that is on at `at`, from four hours before its start to four after its end: the one whose start is nearest.
    pub fn event_at(&self, at: EventTime) -> Option<&Event> {
        let event = self.nearest(at)?;
        let (from, to) = (event.start.as_millis() - ON_MS, event.end(None).as_millis() + ON_MS);
        (from..to).contains(&at.as_millis()).then_some(event)
    }

    fn nearest(&self, at: EventTime) -> Option<&Event> {
        let next = self.events.partition_point(|event| event.start <= at);
        let around = [next.checked_sub(1), Some(next)].into_iter().flatten().filter_map(|place| self.events.get(place));
        around.min_by_key(|event| (at.as_millis() - event.start.as_millis()).abs())
    }

    /// The match that is on around `at`: the one whose kick-off is nearest.
    pub fn at(&self, at: EventTime) -> Option<Moment> {
        let event = self.nearest(at)?;
        let slot = phase_ms(at, event.start, event.planned_end).div_euclid(SLOT_MS) + BEFORE;
        usize::try_from(slot).ok().filter(|slot| *slot < SLOTS).map(|slot| Moment { slot, thousands: event.thousands })
    }
}

/// How far an event is, ms: in its first half the time from its start; from then on, where its end is planned, two hours and the time from the end, for people leave by the end, whenever that is.
pub(super) fn phase_ms(at: EventTime, start: EventTime, planned_end: Option<EventTime>) -> i64 {
    let since = at.as_millis() - start.as_millis();
    let Some(lasts) = planned_end.map(|end| end.as_millis() - start.as_millis()).filter(|lasts| *lasts > 0) else { return since };
    // What lasts longer stays in the middle for as long, and what is shorter leaps over it: a phase never comes twice.
    if since < lasts / 2 { since.min(LASTS_MS / 2) } else { (since - lasts + LASTS_MS).max(LASTS_MS / 2) }
}

impl Event {
    /// The match's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its planned start.
    pub const fn start(&self) -> EventTime {
        self.start
    }

    /// Whether its end was planned; else it is over when somebody says so.
    pub const fn ends_as_planned(&self) -> bool {
        self.planned_end.is_some()
    }

    /// Its end, if it starts at `started` instead of as planned: what starts later ends as much later.
    pub fn end(&self, started: Option<EventTime>) -> EventTime {
        let started = started.unwrap_or(self.start);
        match self.planned_end {
            Some(end) => end.after(started.max(self.start).since(self.start)),
            None => started.after(Span::from_millis((self.manner.lasts_s * 1_000.0) as u64)),
        }
    }

    /// The share of its people who have come by `at`, as planned.
    pub fn share_come(&self, at: EventTime) -> f64 {
        let since = at.as_millis() - self.start.as_millis();
        if self.arrivals.is_empty() {
            let along = (since as f64 / 1_000.0 + self.manner.arrival_median_s) / self.manner.arrival_spread_s.max(1.0);
            return 1.0 / (1.0 + libm::exp(-along));
        }
        let next = self.arrivals.partition_point(|(at, _)| *at <= since);
        match (next.checked_sub(1).and_then(|before| self.arrivals.get(before)), self.arrivals.get(next)) {
            (Some((from, low)), Some((to, high))) => low + (high - low) * (since - from) as f64 / (to - from) as f64,
            (Some((_, share)), None) | (None, Some((_, share))) => *share,
            (None, None) => 1.0,
        }
    }

    /// The share of its people who have left so many milliseconds after the end.
    pub fn share_gone(&self, after_ms: f64) -> f64 {
        let waits = (after_ms / 1_000.0 / self.manner.leaving_s.max(1.0)).max(0.0);
        1.0 - libm::exp(-waits) * (1.0 + waits)
    }
}

impl Excess {
    /// Nothing known yet of so many series.
    pub fn new(series: usize) -> Self {
        Self { series, persons: vec![0.0; SLOTS * series], seen: vec![0; SLOTS * series] }
    }

    /// Persons beyond the usual in a step of that moment; `None` before one was seen.
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

    /// Whether its figures can be.
    pub fn is_sound(&self) -> bool {
        [self.persons.len(), self.seen.len()].map(Some) == [SLOTS.checked_mul(self.series); 2] && self.persons.iter().all(|persons| persons.is_finite())
    }

    /// Makes room for so many series. Returns `false` when it is of more.
    pub fn widen(&mut self, series: usize) -> bool {
        let held = self.series;
        if held > series {
            return false;
        }
        let places = || (0..SLOTS * series).map(|at| (at / series, at % series)).map(|(slot, of)| (of < held).then_some(slot * held + of));
        self.persons = places().map(|at| at.map_or(0.0, |at| self.persons[at])).collect();
        self.seen = places().map(|at| at.map_or(0, |at| self.seen[at])).collect();
        self.series = series;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANNER: Manner = Manner { arrival_median_s: 4_000.0, arrival_spread_s: 1_200.0, leaving_s: 480.0, lasts_s: 6_300.0 };

    fn programme() -> Programme {
        let of = |hours: u64, expected_attendance: u32| Match {
            id: "m".into(),
            home: String::new(),
            away: String::new(),
            kick_off: EventTime::from_millis(0).after(Span::from_mins(60 * hours)),
            expected_attendance,
            planned_end: None,
            plan: Default::default(),
        };
        Programme::new(&[of(200, 40_000), of(100, 20_000), of(500, 0)], MANNER)
    }

    fn at(minutes: i64) -> EventTime {
        EventTime::from_millis(minutes * 60_000)
    }

    #[test]
    fn what_comes_after_the_end_has_the_phase_of_the_end_however_long_it_lasted() {
        let at = |minutes: u64| EventTime::from_millis(0).after(Span::from_mins(minutes));
        let phase = |minutes: u64, end: Option<u64>| phase_ms(at(minutes), at(1_000), end.map(at)) / 60_000;
        assert_eq!([940, 1_000, 1_030].map(|minutes| phase(minutes, Some(1_100))), [-60, 0, 30]);
        assert_eq!([1_100, 1_145].map(|minutes| phase(minutes, Some(1_100))), [120, 165]);
        assert_eq!([1_225, 1_270].map(|minutes| phase(minutes, Some(1_225))), [120, 165]);
        for lasts in [20, 75, 120, 180, 225, 720, 4_320] {
            let phases: Vec<i64> = (700..1_000 + lasts + 200).map(|minutes| phase(minutes, Some(1_000 + lasts))).collect();
            assert!(phases.is_sorted() && phases.contains(&0) && phases.contains(&120), "{lasts} min: {phases:?}");
        }
        // Where nobody tells an end, or one before the start, it is the time from the start.
        assert_eq!([phase(1_145, None), phase(1_145, Some(990))], [145, 145]);
    }

    #[test]
    fn a_match_is_on_from_four_hours_before_to_five_after() {
        let programme = programme();
        assert_eq!(programme.at(at(100 * 60 - 241)), None);
        assert_eq!(programme.at(at(100 * 60 - 240)), Some(Moment { slot: 0, thousands: 20.0 }));
        assert_eq!(programme.at(at(200 * 60)), Some(Moment { slot: 16, thousands: 40.0 }));
        assert_eq!(programme.at(at(500 * 60 + 299)), Some(Moment { slot: 35, thousands: 30.0 }));
        assert_eq!(programme.at(at(500 * 60 + 300)), None);
    }

    #[test]
    fn a_match_twice_as_large_is_expected_twice_as_full() {
        let mut excess = Excess::new(2);
        let small = Moment { slot: 10, thousands: 20.0 };
        assert_eq!(excess.of(small, 1), None);
        excess.learn(small, 1, 300.0, 100.0);
        assert_eq!(excess.of(small, 1), Some(200.0), "the second is expected to be like the first");
        excess.learn(small, 1, 320.0, 100.0);
        let expected = excess.of(Moment { slot: 10, thousands: 40.0 }, 1).unwrap();
        assert!((expected - 420.0).abs() < 1e-3, "{expected}");
        assert_eq!(excess.of(small, 0), None);
    }
}
