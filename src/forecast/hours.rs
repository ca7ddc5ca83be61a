//! How much each sign is trusted at this time of the day: what the hours add to the venue's [`Learner`].
//!
//! The idea: a late train in the morning rush says much of the next hour, one at midnight nothing; Sunday's afternoon follows its noon otherwise than Monday's. So the same regression is kept
//! once more for each two hours of the day, on working days and others apart, of the cases whose *target* lies there. Two hours of a young venue have seen few cases: they are held to what the venue
//! as a whole has learnt (a ridge towards the learner's weights, not towards zero: a partially pooled regression, Gelman & Hill 2006), and speak as a voice of their own, believed as far as they fare
//! better (`mixture`). A target between two middles belongs to both, in the measure of its distance, so nothing jumps on the hour.
//!
//! ```text
//!   Sums of a step ─► the two parts of the day about its start   (forgotten by half in 60 days)
//!   about a target ─► the learner's weights + what its two parts add ─► correction
//! ```

use super::calendar::{DayKind, Place};
use super::learner::{Learner, Sums};
use super::signs::SIGNS;
use crate::time::{DAY_MS, EventTime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Parts of a day.
const PARTS: u8 = 12;
/// All parts: those of working days, then those of others.
pub(super) const ALL: u8 = 2 * PARTS;
const PART_MS: f64 = DAY_MS as f64 / PARTS as f64;
/// The ridge towards the learner's weights: as if each sign had been seen so often with just that weight.
const RIDGE: f64 = 50.0;
/// The sums of a part halve in this time, s.
const HALF_LIFE_S: f64 = 60.0 * 86_400.0;

/// The two parts of the day that an instant lies between, and how far it belongs to each.
pub type Between = [(u8, f64); 2];

/// The parts of the day of one horizon, those of which anything was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hours {
    parts: BTreeMap<u8, Part>,
}

/// What was seen in one part of the day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    sums: Sums,
    /// When it was last added to.
    at: EventTime,
}

/// Where a place in the local week lies.
pub fn between(place: Place) -> Between {
    let first = if place.kind == DayKind::Working { 0 } else { PARTS };
    let whole = (place.millis_of_day as f64 / PART_MS - 0.5).rem_euclid(f64::from(PARTS));
    let before = whole.floor();
    let part = |nth: f64| first + nth as u8 % PARTS;
    [(part(before), 1.0 - (whole - before)), (part(before + 1.0), whole - before)]
}

impl Hours {
    /// Adds the sums of the step that ended at `end`, whose start lies `between`.
    pub fn learn(&mut self, between: Between, end: EventTime, step: &Sums) {
        for (part, share) in between.into_iter().filter(|(_, share)| *share > 0.0) {
            let part = self.parts.entry(part).or_insert_with(|| Part { sums: Sums::default(), at: end });
            part.sums.fade(remembered(part.at, end));
            part.sums.add(step, share);
            part.at = end;
        }
    }

    /// The weights at `now` of a target that lies `between`; `None` where nothing was seen of its parts.
    pub fn weights(&self, between: Between, now: EventTime, learner: &Learner) -> Option<[f64; SIGNS]> {
        let mut weights = learner.weights();
        let mut has_seen = false;
        for (part, share) in between {
            let Some(part) = self.parts.get(&part) else { continue };
            let added = part.sums.beyond(&learner.weights(), RIDGE, remembered(part.at, now));
            for (weight, added) in weights.iter_mut().zip(added.unwrap_or_default()) {
                *weight += share * added;
            }
            has_seen = true;
        }
        has_seen.then_some(weights)
    }

    /// The parts there are.
    pub fn parts(&self) -> impl Iterator<Item = u8> {
        self.parts.keys().copied()
    }

    /// What the state stores of a part.
    pub fn part(&self, part: u8) -> Option<&Part> {
        self.parts.get(&part)
    }

    /// Puts a part back. Returns `false` when there is no such part of a day or it is of another size.
    pub fn restore(&mut self, part: u8, stored: Part) -> bool {
        let is_sound = part < ALL && stored.sums.is_sound();
        if is_sound {
            self.parts.insert(part, stored);
        }
        is_sound
    }
}

/// The share that is remembered from one time to another.
fn remembered(from: EventTime, to: EventTime) -> f64 {
    libm::exp2(-to.since(from).as_secs_f64() / HALF_LIFE_S)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::learner::SIGN_GRAIN;
    use crate::time::HOUR_MS;

    fn at(hour: i64, kind: DayKind) -> Between {
        between(Place::of_week(if kind == DayKind::Sunday { 6 } else { 0 }, hour * HOUR_MS))
    }

    /// Signs that vary in a fixed way, and of which the third is told by `sense`.
    fn step(case: i32, sense: f64) -> Sums {
        let signs: Vec<i8> = (0..SIGNS as i32).map(|k| ((case * (37 + 11 * k) + k * k * 5) % 80 - 40) as i8).collect();
        let mut sums = Sums::default();
        sums.count(&signs, sense * f64::from(signs[2]) / SIGN_GRAIN, 1.0);
        sums
    }

    #[test]
    fn an_instant_belongs_to_the_two_parts_about_it() {
        assert_eq!(at(1, DayKind::Working), [(0, 1.0), (1, 0.0)]);
        assert_eq!(at(2, DayKind::Working), [(0, 0.5), (1, 0.5)]);
        assert_eq!(at(0, DayKind::Sunday), [(23, 0.5), (12, 0.5)], "over midnight, on a day off");
    }

    #[test]
    fn what_holds_in_the_morning_only_is_believed_in_the_morning_only() {
        let (mut learner, mut hours) = (Learner::default(), Hours::default());
        for case in 0..4_000 {
            let (hour, sense) = if case % 2 == 0 { (9, 1.0) } else { (21, 0.0) };
            let end = EventTime::from_millis(i64::from(case) * HOUR_MS);
            hours.learn(at(hour, DayKind::Working), end, &step(case, sense));
            learner.take(&step(case, sense));
            learner.settle();
        }
        let weight = |hour| hours.weights(at(hour, DayKind::Working), EventTime::from_millis(4_000 * HOUR_MS), &learner).unwrap()[2];
        assert!(weight(9) > 0.85 && weight(21) < 0.15, "{} {}", weight(9), weight(21));
        assert!((0.3..0.7).contains(&learner.weights()[2]), "the venue as a whole takes the mean");
        assert_eq!(hours.weights(at(9, DayKind::Sunday), EventTime::from_millis(0), &learner), None, "of Sundays nothing was seen");
    }

    #[test]
    fn of_few_cases_nearly_the_venues_weights_are_said() {
        let mut hours = Hours::default();
        hours.learn(at(9, DayKind::Working), EventTime::from_millis(0), &step(1, 1.0));
        let weights = hours.weights(at(9, DayKind::Working), EventTime::from_millis(0), &Learner::default()).unwrap();
        assert!(weights.iter().all(|weight| weight.abs() < 0.05), "{weights:?}");
    }

    #[test]
    fn a_part_comes_back_as_it_was_and_others_are_refused() {
        let mut hours = Hours::default();
        hours.learn(at(9, DayKind::Working), EventTime::from_millis(7), &step(1, 1.0));
        let mut back = Hours::default();
        for part in hours.parts() {
            let stored = postcard::to_stdvec(hours.part(part).unwrap()).unwrap();
            assert!(back.restore(part, postcard::from_bytes(&stored).unwrap()));
        }
        assert_eq!(back, hours);
        assert!(!back.restore(24, hours.part(4).unwrap().clone()));
    }
}
