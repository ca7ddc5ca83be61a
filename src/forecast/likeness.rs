//! Which of the days before today is like, and what that lets expect of slots with two faces.
//!
//! The idea: nobody needs to know that a match is on who has seen the last one: three hours before its exit surge a day with an arrival surge is like the days that had one. Each of the last 32
//! days of today's kind is held against today, slot by slot, in all series with two faces (`faces`): where today is of the other face, that day is less like it. The slots ahead have the high face
//! with the weight of the days that had it there:
//!
//! ```text
//!   weight of a day    exp(−(unlike in the venue's slots today + unlike in this series' last twelve steps)), less where the day of the week before was of the other face than today's
//!   high face          P = (¼·how often + Σ weight·high) / (¼ + Σ weight)
//!   expected           calm + P⁴/(P⁴ + (1 − P)⁴)·(high − calm);  the usual where there is one face
//!   what is said       expected, shifted by how the last hour ran against what was expected of it: as the plain forecast is (`signs`)
//! ```
//!
//! It is one voice among others (`mixture`), spoken where it differs from the usual, and outside of what a model is shown.

use super::calendar::DayKind;
use super::faces::{DAYS, FaceBook, FaceSlot, When};
use super::history::LAGS;
use super::plain::{BELIEVED, LASTING};
use super::recent::Recent;
use super::signs::Looking;
use super::spent_like::Guise;
use super::usual::LevelView;
use crate::inference::ask::{HORIZONS, STEPS};
use crate::time::{EventTime, Span};
use serde::{Deserialize, Serialize};

/// What a day loses by one slot in which it had the other face: so much for each series in which it had, of at most so many.
const UNLIKE: f64 = 1.0;
const SERIES: f64 = 4.0;
/// The same by one slot of the series itself, in its last twelve steps.
const UNLIKE_OWN: f64 = 1.0;
/// The same where a week before it the face was another one than a week before today; half of it where that is not known.
const OTHER_RHYTHM: f64 = 2.0;
const UNKNOWN: f64 = 0.5;
/// Another weekday counts so much less.
const OTHER_WEEKDAY: f64 = 0.7;
/// How often a slot was high counts as so many days.
const GRANTED: f64 = 0.25;
/// How sharply the days decide: what is said is to be a median, not a mean of what will not come.
const SHARPNESS: f64 = 4.0;
/// The pace is that of the last hour, and so many persons are added to both sides.
const HOUR_S: f64 = 3_600.0;
pub(super) const CAUTION: f64 = 3.0;
/// What differs by no more than this, as a logarithm, or by no more roots of the usual, is the usual.
const OTHER: (f64, f64) = (0.15, 1.0);

/// How unlike today the days of its kind were, the nearest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Likeness {
    today: Option<(DayKind, i32)>,
    unlike: [f32; DAYS],
}

impl Default for Likeness {
    fn default() -> Self {
        Self { today: None, unlike: [0.0; DAYS] }
    }
}

/// The weights of the days before, for one series.
#[derive(Clone, Debug)]
pub struct Weights {
    today: (DayKind, i32),
    weights: [f64; DAYS],
}

impl Likeness {
    /// Whether its figures can be.
    pub fn is_sound(&self) -> bool {
        self.unlike.iter().all(|unlike| unlike.is_finite() && *unlike >= 0.0)
    }

    /// Whether anything of a day has been seen.
    pub const fn has_seen(&self) -> bool {
        self.today.is_some()
    }

    /// Holds the step of that slot against the days before: `came(series)` is its count.
    pub fn see(&mut self, book: &FaceBook, when: When, series: usize, came: impl Fn(usize) -> Option<f64>) {
        if self.today != Some((when.kind, when.day)) {
            *self = Self { today: Some((when.kind, when.day)), ..Self::default() };
        }
        let Some(slot) = book.slot(when) else { return };
        let mut unlike = [0.0; DAYS];
        let seen = (0..series).filter(|series| came(*series).is_some_and(|came| hold_against(slot, *series, when, came, 1.0, &mut unlike))).count() as f64;
        let weight = UNLIKE * book.share() * seen.min(SERIES) / seen.max(1.0);
        for (sum, unlike) in self.unlike.iter_mut().zip(unlike) {
            *sum += (weight * unlike) as f32;
        }
    }

    /// The weights of the days before for one series, of which `recent` tells the last steps; `None` before today has been seen.
    pub fn weights<'a>(&self, share: f64, series: usize, recent: impl Iterator<Item = (&'a FaceSlot, When, f64)>) -> Option<Weights> {
        let today = self.today?;
        let mut unlike = self.unlike.map(f64::from);
        for (slot, when, came) in recent.filter(|(_, when, _)| (when.kind, when.day) == today) {
            hold_against(slot, series, when, came, UNLIKE_OWN * share, &mut unlike);
        }
        let least = unlike.iter().copied().fold(f64::INFINITY, f64::min);
        Some(Weights { today, weights: unlike.map(|unlike| libm::exp(least - unlike)) })
    }
}

impl Weights {
    /// Persons expected of `series` in that slot; `None` where it has but one face, or is of another day.
    pub fn expected(&self, slot: &FaceSlot, when: When, series: usize) -> Option<f64> {
        if (when.kind, when.day) != self.today {
            return None;
        }
        let faces = slot.of(series)?;
        let week = when.kind.days_a_week() as usize;
        let rhythm = faces.was_high(when.day, week);
        let (mut high, mut all) = (GRANTED * faces.frequency(), GRANTED);
        for (place, weight) in self.weights.iter().enumerate() {
            let before = place + 1;
            let Some(was_high) = faces.was_high(when.day, before) else { continue };
            let mut weight = *weight;
            if before % week != 0 {
                weight *= OTHER_WEEKDAY;
            }
            let is_other = rhythm.zip(faces.was_high(when.day, before + week)).map_or(UNKNOWN, |(today, then)| f64::from(today != then));
            weight *= libm::exp(-OTHER_RHYTHM * is_other);
            all += weight;
            high += if was_high { weight } else { 0.0 };
        }
        let share = high / all;
        let (yes, no) = (libm::pow(share, SHARPNESS), libm::pow(1.0 - share, SHARPNESS));
        Some(faces.calm + yes / (yes + no) * (faces.high - faces.calm))
    }
}

/// One moment: the slots of the steps before it and of those ahead.
#[derive(Clone, Debug)]
pub struct Alike<'a> {
    likeness: &'a Likeness,
    share: f64,
    before: [(When, Option<&'a FaceSlot>); LAGS],
    ahead: [(When, Option<&'a FaceSlot>); HORIZONS],
    keep: f64,
    guise: Option<Guised<'a>>,
}

/// Today as a day of another kind.
#[derive(Clone, Debug)]
struct Guised<'a> {
    guise: Guise,
    before: [Option<LevelView<'a>>; LAGS],
    ahead: [Option<LevelView<'a>>; HORIZONS],
}

impl<'a> Alike<'a> {
    /// The moment `at`.
    pub fn new(looking: &Looking<'a>, at: EventTime) -> Self {
        let Looking { usual, faces, likeness, spent_like, calendar, programme, step, .. } = *looking;
        // What the calendar knows needs no guess, and no day is like a holiday.
        let slot = |start: EventTime| {
            let when = faces.when(calendar, start);
            (when, faces.slot(when).filter(|_| programme.at(start).is_none() && !faces.is_of_holiday(calendar, start)))
        };
        let before = std::array::from_fn(|lag| slot(at.before(step.times(lag as u64 + 1))));
        let ahead = STEPS.map(|steps| slot(at.after(step.times(u64::from(steps) - 1))));
        let keep = hour_kept(step);
        let guise = spent_like.guise().map(|guise| {
            let level = |start: EventTime| guise.level(calendar, usual, start).filter(|_| programme.at(start).is_none());
            Guised {
                guise,
                before: std::array::from_fn(|lag| level(at.before(step.times(lag as u64 + 1)))),
                ahead: STEPS.map(|steps| level(at.after(step.times(u64::from(steps) - 1)))),
            }
        });
        Self { likeness, share: faces.share(), before, ahead, keep, guise }
    }

    /// What is said of `series` by horizon, persons; `None` where the usual is expected. `usual` is that of a horizon.
    pub fn of(&self, series: usize, recent: &Recent, usual: impl Fn(usize) -> Option<f64>) -> [Option<f64>; HORIZONS] {
        let silent = [None; HORIZONS];
        let has_two = |(_, slot): &(When, Option<&FaceSlot>)| slot.is_some_and(|slot| slot.of(series).is_some());
        if self.guise.is_none() && !self.before.iter().chain(&self.ahead).any(has_two) {
            return silent;
        }
        let seen = self.before.iter().zip(&recent.came).filter_map(|((when, slot), came)| Some(((*slot)?, *when, (*came)?)));
        let weights = self.likeness.weights(self.share, series, seen);
        let expected = |(when, slot): &(When, Option<&FaceSlot>), usual: Option<f64>| {
            slot.zip(weights.as_ref()).and_then(|(slot, weights)| weights.expected(slot, *when, series)).or(usual)
        };
        let as_other = |usual: Option<f64>, other: &dyn Fn(&Guised<'a>) -> Option<LevelView<'a>>| {
            let Some(guise) = &self.guise else { return usual };
            usual.map(|usual| guise.guise.expected(other(guise).as_ref(), series, usual))
        };
        let (mut came, mut due, mut as_usual, mut weight) = (CAUTION, CAUTION, CAUTION, 1.0);
        for (lag, place) in self.before.iter().enumerate() {
            if let (Some(persons), Some(expected), Some(usual)) =
                (recent.came[lag], expected(place, as_other(recent.usual[lag], &|guise| guise.before[lag])), recent.usual[lag])
            {
                (came, due, as_usual) = (came + weight * persons, due + weight * expected, as_usual + weight * usual);
            }
            weight *= self.keep;
        }
        let pace = libm::log(came / due);
        let ran_otherwise = is_other(due, as_usual);
        std::array::from_fn(|horizon| {
            let usual = usual(horizon)?;
            let expected = expected(&self.ahead[horizon], as_other(Some(usual), &|guise| guise.ahead[horizon]))?;
            let is_heard = ran_otherwise || is_other(expected + CAUTION, usual + CAUTION);
            is_heard.then(|| at_pace(expected, pace, horizon))
        })
    }
}

/// What a step counts of the last hour's pace, for each step that is newer.
pub(super) fn hour_kept(step: Span) -> f64 {
    libm::exp2(-step.as_secs_f64() / f64::max(HOUR_S, 2.0 * step.as_secs_f64()))
}

/// What is said of a horizon where `expected` persons are expected and the last hour ran at `pace`, a logarithm; as the plain forecast is shifted (`signs`).
pub(super) fn at_pace(expected: f64, pace: f64, horizon: usize) -> f64 {
    ((expected + 0.5) * libm::exp(BELIEVED * pace * LASTING[horizon]) - 0.5).max(0.0)
}

/// Whether that many persons are another thing than the usual; both more than 0.
fn is_other(persons: f64, usual: f64) -> bool {
    libm::log(persons / usual).abs() > OTHER.0 && (persons - usual).abs() > OTHER.1 * usual.sqrt()
}

/// Adds to each day how unlike it was in this slot of one series. Returns whether that is known.
fn hold_against(slot: &FaceSlot, series: usize, when: When, came: f64, weight: f64, unlike: &mut [f64; DAYS]) -> bool {
    let Some(faces) = slot.of(series) else { return false };
    let today = faces.resembles_high(came);
    for (place, unlike) in unlike.iter_mut().enumerate() {
        let then = faces.was_high(when.day, place + 1).map_or(0.5, f64::from);
        *unlike += weight * (today - then).abs();
    }
    true
}

#[cfg(test)]
#[path = "likeness_tests.rs"]
mod tests;
