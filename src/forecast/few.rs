//! Few persons: which whole numbers come where fewer than seven are expected, and how often nobody comes where more are.
//!
//! The idea: the law of few is no bell with a width. Where a third of a person is expected nobody comes as a rule, where nine tenths are, one does, and no quantile lies between. So it is counted
//! how often each whole number came, by way and by what was expected in eighths of an octave (as [`super::quarters`] tells levels apart), and a quantile is the least number that is not exceeded
//! by its share. A bus that comes by its timetable and a door at night expect the same and have other laws: what comes decides. Until something has come, Poisson's law stands in for some cases.
//!
//! Where more are expected the bell is right but for one number: at a till that is closed every fifth day nobody comes in a fifth of the cases, whatever was expected.
//!
//! What is expected lies between two levels and is told by both, each by its share.

use super::bands::TAU;
use super::outlook::SeriesKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Fewer persons than this are few.
const FEW: f64 = 7.0;
/// Levels in an octave of persons + 1; those of few; the last of all.
const PARTS: f64 = 8.0;
const FEW_LEVELS: u8 = 24;
const LAST: u8 = 191;
/// Counts that are told apart where few are expected, 0 to 30 and more; where more are, nobody and somebody.
const COUNTS: usize = 32;
const NOBODY_OR: usize = 2;
/// As if Poisson's law had been seen so often.
const GRANTED: f64 = 10.0;
/// So many cases are remembered of a level.
const REMEMBERED: f64 = 1_000.0;

/// How often each count came, by way and level.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Few {
    levels: BTreeMap<(u8, u8), Vec<f64>>,
}

impl Few {
    /// Whether it could have been learnt; a stored one may not.
    pub fn is_sound(&self) -> bool {
        self.levels.iter().all(|((_, level), cases)| cases.len() == told_apart(*level) && cases.iter().all(|cases| cases.is_finite() && *cases >= 0.0))
    }

    /// The quantiles where `expected` persons are expected by a way; `None` where they lie among what is not told apart.
    pub fn about(&self, way: SeriesKind, expected: f64) -> [Option<f64>; 3] {
        let told = if expected < FEW { COUNTS } else { NOBODY_OR };
        let mut cases = poisson(expected, told);
        for (level, share) in levels(expected) {
            for (count, seen) in self.levels.get(&(way as u8, level)).into_iter().flatten().enumerate() {
                cases[count.min(told - 1)] += share * seen;
            }
        }
        let all: f64 = cases.iter().sum();
        TAU.map(|tau| {
            let mut below = 0.0;
            let least = cases[..told - 1].iter().position(|cases| {
                below += cases;
                below >= tau * all
            });
            least.map(|count| count as f64)
        })
    }

    /// Counts one case: its way, what had been expected, and what came.
    pub fn count(&mut self, way: SeriesKind, expected: f64, came: f64) {
        for (level, share) in levels(expected) {
            let told = told_apart(level);
            let cases = self.levels.entry((way as u8, level)).or_insert_with(|| vec![0.0; told]);
            cases.iter_mut().for_each(|cases| *cases *= 1.0 - share / REMEMBERED);
            cases[(came.max(0.0) as usize).min(told - 1)] += share;
        }
    }
}

/// How many counts are told apart at a level. The first one above the few is the neighbour of the last of them.
const fn told_apart(level: u8) -> usize {
    if level <= FEW_LEVELS { COUNTS } else { NOBODY_OR }
}

/// The two levels between which `expected` lies, and how far it belongs to each.
fn levels(expected: f64) -> [(u8, f64); 2] {
    let along = (libm::log2(expected.max(0.0) + 1.0) * PARTS).min(f64::from(LAST));
    let share = along - along.floor();
    let level = along as u8;
    [(level, 1.0 - share), ((level + 1).min(LAST), share)]
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

    /// What is expected, and what comes then by a chance of 0..1.
    type Law = (f64, fn(f64) -> f64);

    /// So many cases of each law.
    fn after(cases: u32, laws: &[Law]) -> Few {
        let mut few = Few::default();
        for case in 0..cases {
            laws.iter().for_each(|(expected, came)| few.count(WAY, *expected, came(even(case))));
        }
        few
    }

    #[test]
    fn before_anything_came_it_is_poissons_law() {
        assert_eq!(Few::default().about(WAY, 0.6), [Some(0.0), Some(0.0), Some(2.0)]);
        assert_eq!(Few::default().about(WAY, 4.0), [Some(2.0), Some(4.0), Some(7.0)]);
        assert_eq!(Few::default().about(WAY, 0.0), [Some(0.0); 3]);
        assert_eq!(Few::default().about(WAY, 7.0), [None; 3]);
    }

    #[test]
    fn a_bus_that_mostly_comes_is_expected_though_mostly_nobody_comes_elsewhere() {
        let few = after(2_000, &[(0.9, |chance| f64::from(u8::from(chance < 0.85))), (0.05, |chance| f64::from(u8::from(chance < 0.03)))]);
        assert_eq!(few.about(WAY, 0.9), [Some(0.0), Some(1.0), Some(1.0)]);
        assert_eq!(few.about(WAY, 0.05), [Some(0.0); 3]);
    }

    #[test]
    fn who_comes_in_pairs_is_told_so() {
        let few = after(2_000, &[(2.0, |chance| if chance < 0.45 { 4.0 } else { 0.0 })]);
        assert_eq!(few.about(WAY, 2.0), [Some(0.0), Some(0.0), Some(4.0)]);
        assert_eq!(few.about(SeriesKind::In, 2.0), Few::default().about(SeriesKind::In, 2.0), "by the other way");
    }

    #[test]
    fn where_a_till_is_closed_each_fifth_day_the_low_quantile_is_nobody_however_many_are_expected() {
        let few = after(2_000, &[(40.0, |chance| if chance < 0.2 { 0.0 } else { 30.0 + 40.0 * chance })]);
        assert_eq!(few.about(WAY, 40.0), [Some(0.0), None, None]);
        assert_eq!(few.about(WAY, 80.0), [None; 3], "of another level nothing is known");
    }

    #[test]
    fn more_than_is_told_apart_is_somebody_elses_word() {
        let few = after(2_000, &[(6.9, |chance| if chance < 0.7 { 0.0 } else { 90.0 })]);
        assert_eq!(few.about(WAY, 6.9), [Some(0.0), Some(0.0), None]);
    }

    #[test]
    fn what_no_longer_holds_is_forgotten() {
        let mut few = after(4_000, &[(0.5, |_| 3.0)]);
        (0..20_000).for_each(|_| few.count(WAY, 0.5, 0.0));
        assert_eq!(few.about(WAY, 0.5), [Some(0.0); 3]);
    }

    #[test]
    fn stored_cases_of_another_number_of_counts_are_refused() {
        let mut few = after(10, &[(0.5, |_| 1.0), (1e9, |_| 1e9)]);
        assert!(few.is_sound());
        few.levels.insert((0, 30), vec![1.0; COUNTS]);
        assert!(!few.is_sound());
    }

    proptest! {
        #[test]
        fn a_tenth_a_half_and_nine_tenths_do_not_exceed(chances in proptest::collection::vec(0.0f64..1.0, 400..600), expected in 0.0f64..7.0) {
            // Any law of whole numbers at all: the counts are a fixed function of chances.
            let came: Vec<f64> = chances.iter().map(|chance| (chance * chance * 2.0 * expected).round()).collect();
            let mut few = Few::default();
            came.iter().for_each(|came| few.count(WAY, expected, *came));
            for (quantile, tau) in few.about(WAY, expected).into_iter().zip(TAU) {
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
            cases.iter().for_each(|(about, came)| few.count(WAY, *about, *came));
            let [low, median, high] = few.about(WAY, expected);
            prop_assert!(few.is_sound());
            prop_assert!(low.unwrap_or(f64::MAX) <= median.unwrap_or(f64::MAX) && median.unwrap_or(f64::MAX) <= high.unwrap_or(f64::MAX));
        }
    }
}
