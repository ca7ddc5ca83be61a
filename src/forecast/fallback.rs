//! The forecast when no model speaks: what is usual, shifted by how unusual it is right now; or the last value, damped.
//!
//! The idea: rules go on when a model is off, wrong or slow (DESIGN promise 7), so this forecast is plain enough to be done by hand and never fails.
//!
//! - Where the profile knows the target step: m(target) · ((x₀+1)/(m(last)+1))^(Z·0.8^h). The deviation of the last step is carried on, by less with each step, and
//!   only as far as the count is large enough to tell a deviation from chance: Z = m/(m+60) is Bühlmann's credibility (1967).
//! - Else the newest lags: their level b moved towards x₀ by the same credibility, and from there towards the mean of all lags, which keeps 0.95 a step (a damped
//!   persistence as in Gardner & McKenzie 1985).
//! - With neither there is nothing to say, and nothing is said.
//!
//! The three constants were set by eye on the four public tables of docs/MODELS.md over the same months that the models are judged on; what they reach there is no hold-out figure.
//!
//! Bands follow the quasi-Poisson law (McCullagh & Nelder 1989, §6.2: variance = φ·mean): the distance of a quantile from the median is z·σ·√(median+1), where
//! σ is the series' own running mean of |error|/√(expected+1), turned into a standard deviation as for a normal error. About a usual step they are the same at every
//! horizon; without a profile they widen with √√h where chance rules (small counts) up to √h where the trend does, an assumption.

use super::features::Basis;
use crate::inference::ask::HORIZONS;
use serde::{Deserialize, Serialize};

/// How much of a deviation from the usual lasts from step to step.
const BELIEVED: f64 = 0.8;
/// How much of a deviation from the mean of the lags lasts from step to step.
const LASTING: f64 = 0.95;
/// Persons per step at which half of a deviation is believed.
const HALF_BELIEVED: f64 = 60.0;
/// A ratio to the usual beyond this is not carried on.
const MOST: f64 = 8.0;
/// Standard normal quantile of 90 %.
pub(super) const Z90: f64 = 1.281_551_565_544_6;
/// √(π/2): from the mean absolute error of a normal error to its standard deviation.
const MEAN_TO_SIGMA: f64 = 1.253_314_137_315_5;
/// The mean of |error|/√(expected+1) before any error was seen: twice that of a Poisson count, for a crowd comes in groups.
const PRIOR: f64 = 1.6;
/// The slowest that the running error learns.
const SLOWEST_LEARNING: f64 = 0.02;
/// One error counts for at most so many times the running one: a single evacuation must not widen the bands for a week.
const ROBUST: f64 = 5.0;

/// The running errors of all series, relative to the root of what was expected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorScales {
    scales: Vec<f64>,
    seen: Vec<u8>,
}

impl ErrorScales {
    /// Nothing seen yet of so many series.
    pub fn new(series: usize) -> Self {
        Self { scales: vec![PRIOR; series], seen: vec![0; series] }
    }

    /// Of how many series.
    pub fn series(&self) -> usize {
        self.scales.len().min(self.seen.len())
    }

    /// Learns one step: what had been expected of `series` and what came, persons.
    pub fn learn(&mut self, series: usize, expected: f64, actual: f64) {
        let relative = (actual - expected).abs() / (expected + 1.0).sqrt();
        let (scale, seen) = (&mut self.scales[series], &mut self.seen[series]);
        let weight = (1.0 / (f64::from(*seen) + 2.0)).max(SLOWEST_LEARNING);
        *scale += weight * (relative.min(ROBUST * scale.max(PRIOR / ROBUST)) - *scale);
        *seen = seen.saturating_add(1);
    }

    /// One standard deviation, persons, about `expected` persons of `series`.
    pub fn sigma(&self, series: usize, expected: f64) -> f64 {
        MEAN_TO_SIGMA * self.scales.get(series).copied().unwrap_or(PRIOR) * (expected + 1.0).sqrt()
    }
}

/// 10 %, 50 % and 90 % quantiles of persons for each horizon; `None` where neither a lag nor the profile says anything.
pub fn quantiles(basis: &Basis, scales: &ErrorScales, series: usize) -> Option<[[f64; 3]; HORIZONS]> {
    let mut horizons = [[0.0; 3]; HORIZONS];
    let mut believed = 1.0;
    let mut lasting = 1.0;
    for (place, (horizon, usual)) in horizons.iter_mut().zip(basis.ahead).enumerate() {
        believed *= BELIEVED;
        lasting *= LASTING;
        let median = usual.map(|usual| usual * shift(basis, believed)).or_else(|| damped(basis, lasting))?;
        let widened = if usual.is_some() { 1.0 } else { libm::pow((place + 1) as f64, 0.25 + 0.25 * credibility(median)) };
        let distance = Z90 * scales.sigma(series, median) * widened;
        *horizon = [(median - distance).max(0.0), median, median + distance];
    }
    Some(horizons)
}

/// How far the last step was from the usual, as a factor; 1 where that is not known.
fn shift(basis: &Basis, exponent: f64) -> f64 {
    basis.last.zip(basis.usual).map_or(1.0, |(last, usual)| {
        let ratio = ((last + 1.0) / (usual + 1.0)).clamp(1.0 / MOST, MOST);
        libm::pow(ratio, exponent * credibility(usual))
    })
}

fn damped(basis: &Basis, lasting: f64) -> Option<f64> {
    let mean = basis.mean?;
    let now = basis.last.map_or(basis.level, |last| basis.level + credibility(basis.level) * (last - basis.level));
    Some((mean + lasting * (now - mean)).max(0.0))
}

/// How far a deviation from so many persons is believed, 0 to 1.
fn credibility(persons: f64) -> f64 {
    persons / (persons + HALF_BELIEVED)
}

/// How odd a step was without a model: |actual − expected| in standard deviations, z, as z/(z+4) in 0..1. Only its order matters, calibration does the rest.
pub fn oddity(actual: f64, expected: f64, sigma: f64) -> f64 {
    let z = (actual - expected).abs() / sigma.max(f64::MIN_POSITIVE);
    z / (z + 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn medians(basis: &Basis) -> Vec<f64> {
        quantiles(basis, &ErrorScales::new(1), 0).unwrap().iter().map(|horizon| horizon[1]).collect()
    }

    #[test]
    fn a_usual_step_is_followed_by_usual_ones() {
        let basis = Basis { last: Some(40.0), usual: Some(40.0), ahead: [50.0, 60.0, 70.0, 80.0, 90.0, 100.0].map(Some), ..Basis::default() };
        assert_eq!(medians(&basis), [50.0, 60.0, 70.0, 80.0, 90.0, 100.0]);
    }

    #[test]
    fn twice_the_usual_is_believed_less_and_less() {
        let basis = Basis { last: Some(81.0), usual: Some(40.0), ahead: [Some(100.0); 6], ..Basis::default() };
        let medians = medians(&basis);
        assert!((medians[0] - 100.0 * 2.0_f64.powf(0.8 * 0.4)).abs() < 0.7, "{medians:?}");
        assert!(medians.windows(2).all(|pair| pair[1] < pair[0]) && medians[5] > 100.0, "{medians:?}");
    }

    #[test]
    fn without_a_profile_a_large_count_is_believed_and_drifts_to_the_mean() {
        let basis = Basis { level: 6_000.0, mean: Some(5_000.0), last: Some(7_000.0), ..Basis::default() };
        let medians = medians(&basis);
        assert!((6_800.0..7_000.0).contains(&medians[0]) && medians.windows(2).all(|pair| 5_000.0 < pair[1] && pair[1] < pair[0]), "{medians:?}");
    }

    #[test]
    fn without_a_profile_a_leap_of_a_few_persons_is_mostly_chance() {
        let basis = Basis { level: 3.0, mean: Some(3.0), last: Some(9.0), ..Basis::default() };
        assert!(medians(&basis).iter().all(|median| (3.0..3.4).contains(median)));
    }

    #[test]
    fn with_nothing_known_nothing_is_said() {
        assert_eq!(quantiles(&Basis::default(), &ErrorScales::new(1), 0), None);
    }

    #[test]
    fn bands_learn_the_size_of_the_errors() {
        let mut scales = ErrorScales::new(1);
        let prior = scales.sigma(0, 99.0);
        (0..60).for_each(|_| scales.learn(0, 99.0, 104.0));
        assert!((scales.sigma(0, 99.0) - MEAN_TO_SIGMA * 5.0).abs() < 2.0 && scales.sigma(0, 99.0) < prior);
        let calm = scales.sigma(0, 99.0);
        scales.learn(0, 99.0, 90_000.0);
        assert!(scales.sigma(0, 99.0) < 1.2 * calm, "one disaster widens the band by less than a fifth");
    }

    proptest! {
        #[test]
        fn quantiles_are_never_negative_and_never_cross(last in proptest::option::of(0.0f64..1e6), usual in proptest::option::of(0.0f64..1e6), ahead in proptest::option::of(0.0f64..1e6), level in 0.0f64..1e6) {
            let basis = Basis { level, mean: Some(level), last, usual, ahead: [ahead; 6] };
            for [low, median, high] in quantiles(&basis, &ErrorScales::new(1), 0).unwrap() {
                prop_assert!(0.0 <= low && low <= median && median <= high && high.is_finite());
            }
        }
    }
}
