//! The event that is on: what a first night can know of it before anybody has seen one here.
//!
//! The idea: with a calendar three things are known from the first minute on. People come by a curve before the start, so of those who come now follows how many come next:
//! the newest step times the curve's growth. What came in by a place goes out by it, so after the end each series expects what its opposite direction brought. And who came
//! first leaves last: a place that people passed half an hour before the seats were taken is reached half an hour after the seats are left.
//!
//! ```text
//!   before the end   usual + (newest − usual then) · arrivals due in the target step / arrivals due in the newest
//!   after it         usual + what came by the opposite way · share of the leaving that is due in the target step
//! ```
//!
//! It is one voice among others (`mixture`), and is silent once two events have shown what they bring (`event`).

use super::event::{Event, Programme};
use super::outlook::Series;
use super::outlook::SeriesKind;
use super::room::widen;
use crate::time::{EventTime, Span};
use serde::{Deserialize, Serialize};

/// Who comes later than this after the start is not of those who come to it, ms.
const LATEST_ARRIVAL_MS: i64 = 1_800_000;
/// As large a share of all arrivals stands on both sides of the curve's growth in each step of five minutes, so that the growth is no division by nothing.
const CAUTION: f64 = 0.002;
const CAUTION_STEP_S: f64 = 300.0;
/// The newest step is multiplied by no more than this.
const MOST_GROWTH: f64 = 4.0;
/// From so many persons on it is known when a place was passed.
const KNOWN_PERSONS: f32 = 20.0;
/// No way is longer than this, ms; one that is not known counts as a quarter of it.
const LONGEST_WAY_MS: f64 = 2_400_000.0;
/// Of the places, ordered by when they were passed, this one stands for the seats.
const SEATS: f64 = 0.9;

/// What is known of the event that is on, by series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tonight {
    /// Its planned start.
    event: Option<EventTime>,
    /// Its start and its end as the match events told.
    start_told: Option<EventTime>,
    over: Option<EventTime>,
    /// Persons beyond the usual that came to it, and the sum of their times from the start, ms.
    came: Vec<f32>,
    when: Vec<f64>,
}

/// The event that is on, seen from one moment.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    tonight: &'a Tonight,
    event: &'a Event,
    at: EventTime,
    step: Span,
    end: EventTime,
    seats_ms: f64,
}

impl Tonight {
    /// Nothing known yet of so many series.
    pub fn new(series: usize) -> Self {
        Self { came: vec![0.0; series], when: vec![0.0; series], ..Self::default() }
    }

    /// Whether its figures can be.
    pub fn is_sound(&self) -> bool {
        self.came.len() == self.when.len() && self.came.iter().all(|came| came.is_finite() && *came >= 0.0) && self.when.iter().all(|when| when.is_finite())
    }

    /// Makes room for so many series. Returns `false` when it is of more.
    pub fn widen(&mut self, series: usize) -> bool {
        widen(&mut self.came, series, 0.0) && widen(&mut self.when, series, 0.0)
    }

    /// Turns to the event around `at`. Returns whether one is on.
    pub fn turn_to(&mut self, programme: &Programme, at: EventTime) -> bool {
        let event = programme.event_at(at).map(Event::start);
        if event != self.event {
            *self = Self { event, ..Self::new(self.came.len()) };
        }
        event.is_some()
    }

    /// Whether an event is on.
    pub const fn is_on(&self) -> bool {
        self.event.is_some()
    }

    /// Hears how the match `id` stands at `at`: its start as it now stands, and whether it is over. What is told of another match than the one that is on is not for it.
    /// Returns whether anything is new.
    pub fn hear(&mut self, programme: &Programme, at: EventTime, id: &str, start: EventTime, is_over: bool) -> bool {
        if !programme.event_at(at).is_some_and(|event| event.id() == id && Some(event.start()) == self.event) {
            return false;
        }
        let before = (self.start_told, self.over);
        self.start_told = Some(start);
        self.over = self.over.or(is_over.then_some(at));
        before != (self.start_told, self.over)
    }

    /// Counts a step that ended at `at`: how many came beyond the usual.
    pub fn count(&mut self, at: EventTime, series: usize, beyond: f64) {
        let Some(start) = self.event else { return };
        let since = at.as_millis() - start.as_millis();
        if since <= LATEST_ARRIVAL_MS && beyond > 0.0 {
            self.came[series] += beyond as f32;
            self.when[series] += beyond * since as f64;
        }
    }

    /// The event as it is seen at `at`; `None` where none is on.
    pub fn seen<'a>(&'a self, programme: &'a Programme, at: EventTime, step: Span) -> Option<Seen<'a>> {
        let event = programme.event_at(at).filter(|event| Some(event.start()) == self.event)?;
        let planned = event.end(self.start_told);
        // One that should be over and is not is over soon.
        let end = if event.ends_as_planned() { planned } else { self.over.unwrap_or_else(|| planned.max(at.after(step))) };
        let mut times: Vec<f64> = (0..self.came.len()).filter_map(|series| self.passed_ms(series)).collect();
        times.sort_unstable_by(f64::total_cmp);
        let seats_ms = times.get((times.len() as f64 * SEATS) as usize).copied().unwrap_or(0.0);
        Some(Seen { tonight: self, event, at, step, end, seats_ms })
    }

    /// When `series` was passed on the way in, from the start; ms.
    fn passed_ms(&self, series: usize) -> Option<f64> {
        let came = *self.came.get(series)?;
        (came >= KNOWN_PERSONS).then(|| self.when[series] / f64::from(came))
    }
}

impl Seen<'_> {
    /// Persons beyond the usual that a series has in the step that starts at `start`. `newest` is what the newest step had beyond its usual; `opposite` the series of the other way.
    pub fn beyond(&self, opposite: usize, newest: f64, start: EventTime) -> f64 {
        let until = start.after(self.step);
        if until <= self.end {
            return newest.max(0.0) * self.growth(start);
        }
        let came = f64::from(self.tonight.came.get(opposite).copied().unwrap_or(0.0));
        let way = self.tonight.passed_ms(opposite).map_or(0.25 * LONGEST_WAY_MS, |passed| (self.seats_ms - passed).clamp(0.0, LONGEST_WAY_MS));
        let gone = |at: EventTime| self.event.share_gone((at.as_millis() - self.end.as_millis()) as f64 - way);
        came * (gone(until) - gone(start))
    }

    /// How many arrivals are due in the step that starts at `start` against the newest step.
    fn growth(&self, start: EventTime) -> f64 {
        let come = |at: EventTime| self.event.share_come(at);
        let caution = CAUTION * self.step.as_secs_f64() / CAUTION_STEP_S;
        let due = come(start.after(self.step)) - come(start) + caution;
        let newest = come(self.at) - come(self.at.before(self.step)) + caution;
        (due / newest).min(MOST_GROWTH)
    }
}

/// By series, the series of the other way at the same place; itself where there is none.
pub fn opposites(series: &[Series]) -> Vec<usize> {
    let other = |kind: SeriesKind| match kind {
        SeriesKind::In => SeriesKind::Out,
        SeriesKind::Out => SeriesKind::In,
        SeriesKind::Count => SeriesKind::Count,
    };
    let of = |row: usize| series.iter().position(|of| of.zone == series[row].zone && of.kind == other(series[row].kind)).unwrap_or(row);
    (0..series.len()).map(of).collect()
}

#[cfg(test)]
#[path = "tonight_tests.rs"]
mod tests;
