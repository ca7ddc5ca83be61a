//! Few persons: which whole numbers come where fewer than seven are expected, and how often nobody comes where more are.
//!
//! The idea: the law of few is no bell with a width. Where a third of a person is expected nobody comes as a rule, where nine tenths are, one does, and no quantile lies between. So it is counted
//! how often each whole number came, by way, by what was expected, and by how wide the bell would have been: a bus that comes by its timetable and a door at night expect the same and have other
//! laws. A quantile is the least number that is not exceeded by its share. Until something has come, Poisson's law stands in for some cases; old cases fade by time, as far as enough are left.
//!
//! Where more are expected the bell is right but for one number: at a till that is closed every fifth day nobody comes in a fifth of the cases, whatever was expected.
//!
//! What is expected lies between two levels, and the width between two widths; a case belongs to each by its share.

use super::bands::TAU;
use super::outlook::SeriesKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Fewer persons than this are few.
pub const FEW: f64 = 7.0;
/// Levels of few in an octave of persons + 1, and how many there are; above them each octave is one, and this is the last.
const PARTS: f64 = 8.0;
const FEW_LEVELS: u8 = 24;
const LAST_LEVEL: u8 = FEW_LEVELS + 20;
/// Widths: deviations over √(expected + 1), an octave apart from this one on.
const NARROWEST: f64 = 0.25;
const LAST_WIDTH: u8 = 3;
/// Counts that are told apart where few are expected, 0 to 30 and more; where more are, nobody and somebody.
const COUNTS: usize = 32;
const NOBODY_OR: usize = 2;
/// As if Poisson's law had been seen so often.
const GRANTED: f64 = 10.0;
/// Half of the cases are older than this, s, where more than so many are known.
const HALF_LIFE_S: f64 = 3.0 * 86_400.0;
const ENOUGH: f64 = 150.0;

/// What is told apart: way, level and width.
type Key = (u8, u8, u8);

/// How often each count came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Few {
    laws: BTreeMap<Key, Vec<f32>>,
}

/// What is known of a quantile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Told {
    /// It is this count.
    Is(f64),
    /// It is this count or more.
    AtLeast(f64),
}

impl Few {
    /// Whether it could have been learnt; a stored one may not.
    pub fn is_sound(&self) -> bool {
        self.laws.iter().all(|((way, level, width), cases)| {
            let is_known = *way <= SeriesKind::Count as u8 && *level <= LAST_LEVEL && *width <= LAST_WIDTH && cases.len() <= told_apart(*level);
            is_known && cases.iter().all(|cases| cases.is_finite() && (0.0..1e9).contains(cases))
        })
    }

    /// The quantiles where `expected` persons are expected by a way, and one deviation downwards and upwards is so many.
    pub fn about(&self, way: SeriesKind, expected: f64, deviations: (f64, f64)) -> [Told; 3] {
        let told = if expected < FEW { COUNTS } else { NOBODY_OR };
        let mut cases = poisson(expected, told);
        for (key, share) in keys(way, expected, deviations) {
            for (count, seen) in self.laws.get(&key).into_iter().flatten().enumerate() {
                cases[count.min(told - 1)] += share * f64::from(*seen);
            }
        }
        let all: f64 = cases.iter().sum();
        TAU.map(|tau| {
            let mut below = 0.0;
            let least = cases[..told - 1].iter().position(|cases| {
                below += cases;
                below >= tau * all
            });
            least.map_or(Told::AtLeast((told - 1) as f64), |count| Told::Is(count as f64))
        })
    }

    /// Counts one case: its way, what had been expected, what one deviation downwards and upwards was, and what came.
    pub fn count(&mut self, way: SeriesKind, expected: f64, deviations: (f64, f64), came: f64) {
        for (key, share) in keys(way, expected, deviations) {
            let count = (came.max(0.0) as usize).min(told_apart(key.1) - 1);
            let cases = self.laws.entry(key).or_default();
            if cases.len() <= count {
                cases.resize(count + 1, 0.0);
            }
            cases[count] += share as f32;
        }
    }

    /// Lets a step of `step_s` seconds pass.
    pub fn fade(&mut self, step_s: f64) {
        let by_time = libm::exp2(-step_s / HALF_LIFE_S);
        for cases in self.laws.values_mut() {
            let all: f32 = cases.iter().sum();
            let keep = by_time.max(ENOUGH / f64::from(all)).min(1.0) as f32;
            cases.iter_mut().for_each(|cases| *cases *= keep);
        }
    }
}

impl Told {
    /// The quantile, where the bell says so many.
    pub fn or(self, bell: f64) -> f64 {
        match self {
            Self::Is(count) => count,
            Self::AtLeast(count) => bell.max(count),
        }
    }
}

/// How many counts are told apart at a level. The first one above the few is the neighbour of the last of them.
const fn told_apart(level: u8) -> usize {
    if level <= FEW_LEVELS { COUNTS } else { NOBODY_OR }
}

/// The levels and widths between which a case lies, and how far it belongs to each pair.
fn keys(way: SeriesKind, expected: f64, deviations: (f64, f64)) -> impl Iterator<Item = (Key, f64)> {
    let octaves = libm::log2(expected.max(0.0) + 1.0);
    let few = octaves.min(f64::from(FEW_LEVELS) / PARTS);
    let levels = between(few * PARTS + (octaves - few), LAST_LEVEL);
    let wide = 0.5 * (deviations.0 + deviations.1) / (expected.max(0.0) + 1.0).sqrt();
    let widths = between(libm::log2((wide / NARROWEST).max(1.0)), LAST_WIDTH);
    let pairs = levels.into_iter().flat_map(move |(level, share)| widths.into_iter().map(move |(width, part)| ((way as u8, level, width), share * part)));
    pairs.filter(|(_, share)| *share > 0.0)
}

/// The two whole numbers between which `along` lies, `last` at most, and how far it belongs to each.
fn between(along: f64, last: u8) -> [(u8, f64); 2] {
    let along = along.min(f64::from(last));
    let share = along - along.floor();
    [(along as u8, 1.0 - share), ((along as u8 + 1).min(last), share)]
}

/// Poisson's law about `expected` persons, as so many cases of each count, the last of them for all that are more.
fn poisson(expected: f64, told: usize) -> [f64; COUNTS] {
    let mut cases = [0.0; COUNTS];
    let mut share = GRANTED * libm::exp(-expected.max(0.0));
    let mut left = GRANTED;
    for (count, cases) in (1..).zip(&mut cases[..told - 1]) {
        *cases = share;
        left -= share;
        share *= expected / f64::from(count);
    }
    cases[told - 1] = left.max(0.0);
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WAY: SeriesKind = SeriesKind::Out;

    /// A number of 0..1 that jumps about, the same each time.
    fn even(case: u32) -> f64 {
        (f64::from(case) * 0.618_033_988_749).fract()
    }

    /// One deviation, persons, where nothing else is said.
    const WIDE: (f64, f64) = (1.0, 1.0);

    /// What is expected, and what comes then by a chance of 0..1.
    type Law = (f64, fn(f64) -> f64);

    /// So many cases of each law.
    fn after(cases: u32, laws: &[Law]) -> Few {
        let mut few = Few::default();
        for case in 0..cases {
            laws.iter().for_each(|(expected, came)| few.count(WAY, *expected, WIDE, came(even(case))));
        }
        few
    }

    /// The quantiles that are known.
    fn told(few: &Few, expected: f64) -> [Option<f64>; 3] {
        few.about(WAY, expected, WIDE).map(|told| match told {
            Told::Is(count) => Some(count),
            Told::AtLeast(_) => None,
        })
    }

    #[test]
    fn before_anything_came_it_is_poissons_law() {
        assert_eq!(told(&Few::default(), 0.6), [Some(0.0), Some(0.0), Some(2.0)]);
        assert_eq!(told(&Few::default(), 4.0), [Some(2.0), Some(4.0), Some(7.0)]);
        assert_eq!(told(&Few::default(), 0.0), [Some(0.0); 3]);
        assert_eq!(told(&Few::default(), 7.0), [None; 3]);
    }

    #[test]
    fn a_bus_that_mostly_comes_is_expected_though_mostly_nobody_comes_elsewhere() {
        let few = after(2_000, &[(0.9, |chance| f64::from(u8::from(chance < 0.85))), (0.05, |chance| f64::from(u8::from(chance < 0.03)))]);
        assert_eq!(told(&few, 0.9), [Some(0.0), Some(1.0), Some(1.0)]);
        assert_eq!(told(&few, 0.05), [Some(0.0); 3]);
    }

    #[test]
    fn a_bus_by_its_timetable_and_a_door_at_night_have_laws_of_their_own() {
        let mut few = Few::default();
        for case in 0..2_000 {
            few.count(WAY, 2.0, (0.5, 0.5), 2.0);
            few.count(WAY, 2.0, (4.0, 4.0), if even(case) < 0.3 { 7.0 } else { 0.0 });
        }
        assert_eq!(few.about(WAY, 2.0, (0.5, 0.5)), [Told::Is(2.0); 3]);
        assert_eq!(few.about(WAY, 2.0, (4.0, 4.0)), [Told::Is(0.0), Told::Is(0.0), Told::Is(7.0)]);
    }

    #[test]
    fn what_the_bell_says_is_held_to_what_is_known() {
        assert_eq!((Told::Is(3.0).or(9.5), Told::AtLeast(31.0).or(20.0), Told::AtLeast(1.0).or(4.5)), (3.0, 31.0, 4.5));
    }

    #[test]
    fn who_comes_in_pairs_is_told_so() {
        let few = after(2_000, &[(2.0, |chance| if chance < 0.45 { 4.0 } else { 0.0 })]);
        assert_eq!(told(&few, 2.0), [Some(0.0), Some(0.0), Some(4.0)]);
        assert_eq!(few.about(SeriesKind::In, 2.0, WIDE), Few::default().about(WAY, 2.0, WIDE), "by the other way");
    }

    #[test]
    fn where_a_till_is_closed_each_fifth_day_the_low_quantile_is_nobody_however_many_are_expected() {
        let few = after(2_000, &[(40.0, |chance| if chance < 0.2 { 0.0 } else { 30.0 + 40.0 * chance })]);
        assert_eq!(told(&few, 40.0), [Some(0.0), None, None]);
        assert_eq!(told(&few, 400.0), [None; 3], "of another level nothing is known");
    }

    #[test]
    fn more_than_is_told_apart_is_somebody_elses_word() {
        let few = after(2_000, &[(6.9, |chance| if chance < 0.7 { 0.0 } else { 90.0 })]);
        assert_eq!(told(&few, 6.9), [Some(0.0), Some(0.0), None]);
    }

    #[test]
    fn what_no_longer_holds_is_forgotten() {
        let mut few = after(4_000, &[(0.5, |_| 3.0)]);
        for _ in 0..40 {
            (0..100).for_each(|_| few.count(WAY, 0.5, WIDE, 0.0));
            few.fade(43_200.0);
        }
        assert_eq!(told(&few, 0.5), [Some(0.0); 3]);
    }

    #[test]
    fn stored_cases_of_another_number_of_counts_are_refused() {
        let few = after(10, &[(0.5, |_| 1.0), (1e9, |_| 1e9)]);
        assert!(few.is_sound());
        for (key, cases) in [
            ((0, 30, 0), vec![1.0; COUNTS]),
            ((3, 0, 0), vec![1.0]),
            ((0, LAST_LEVEL + 1, 0), vec![1.0]),
            ((0, 0, LAST_WIDTH + 1), vec![1.0]),
            ((0, 0, 0), vec![f32::NAN]),
        ] {
            let few = Few { laws: few.laws.clone().into_iter().chain([(key, cases)]).collect() };
            assert!(!few.is_sound(), "{key:?}");
        }
    }

    proptest! {
        #[test]
        fn a_tenth_a_half_and_nine_tenths_do_not_exceed(chances in proptest::collection::vec(0.0f64..1.0, 400..600), expected in 0.0f64..7.0) {
            // Any law of whole numbers at all: the counts are a fixed function of chances.
            let came: Vec<f64> = chances.iter().map(|chance| (chance * chance * 2.0 * expected).round()).collect();
            let mut few = Few::default();
            came.iter().for_each(|came| few.count(WAY, expected, WIDE, *came));
            for (quantile, tau) in told(&few, expected).into_iter().zip(TAU) {
                let quantile = quantile.unwrap();
                let share = |of: &dyn Fn(f64) -> bool| came.iter().filter(|came| of(**came)).count() as f64 / came.len() as f64;
                // Poisson's ten cases and what is forgotten leave a little room.
                prop_assert!(share(&|came| came <= quantile) > tau - 0.08, "{quantile} {tau}");
                prop_assert!(share(&|came| came < quantile) < tau + 0.08, "{quantile} {tau}");
            }
        }

        #[test]
        fn quantiles_are_in_order_and_no_count_panics(cases in proptest::collection::vec((-1.0f64..1e12, -1.0f64..1e12), 0..60), expected in -1.0f64..1e12) {
            let mut few = Few::default();
            cases.iter().for_each(|(about, came)| few.count(WAY, *about, (about.abs().sqrt(), 1.0), *came));
            few.fade(300.0);
            let [low, median, high] = told(&few, expected);
            prop_assert!(few.is_sound());
            prop_assert!(low.unwrap_or(f64::MAX) <= median.unwrap_or(f64::MAX) && median.unwrap_or(f64::MAX) <= high.unwrap_or(f64::MAX));
        }
    }
}
