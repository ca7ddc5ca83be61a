//! What is learnt of a horizon while nothing is usual yet: on the first day of a place, on a match night that nobody has seen before.
//!
//! The idea: the first day is another trade. There is no usual to hold anything against, so the plain forecast is the newest level; who is believed, and how wide a band must be, is
//! learnt apart from what is learnt later: that the newest step was right while a crowd gathered says nothing of the day on which the usual is known.
//!
//! A band starts wide, because a crowd of which nobody knows the day may be gone in an hour, or have doubled; its width follows how many come to lie beyond it (adaptive conformal
//! inference, Gibbs & Candès 2021), told apart by the size of what is expected.

use super::bands::{TAU, octave};
use super::mixture::Mixture;
use serde::{Deserialize, Serialize};

/// How far the newest step goes on as it came: this share of its change, and of that so much from step to step (simulated match nights; a damped trend, Gardner & McKenzie 1985).
const GOES_ON: f64 = 0.4;
const DAMPED: f64 = 0.6;
/// A deviation grows over this time ahead, s, towards what is expected itself and this share of what the series has had in a step so far.
const GROWS_S: f64 = 2_400.0;
const OF_SIZE: f64 = 1.0;
/// Where both sides of a band start, deviations.
const START: f64 = 1.6;
/// How fast a side's width follows: the logarithm moves each pane by this times how far the share beyond is off, by more where a pane has many cases, and by less the longer
/// it takes to see what a move has done.
const FOLLOWS: f64 = 0.4;
const MANY: f64 = 16.0;
const MOST_FOLLOWS: f64 = 1.6;
const PATIENCE: f64 = 6.0;
/// The logarithm of a width lies within this.
const WITHIN: (f64, f64) = (-3.0, 4.0);
/// Sizes that are told apart: of three octaves each.
const SIZES: usize = 5;

/// What is learnt of one horizon.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Green {
    /// Who is believed.
    pub mixture: Mixture,
    widths: [Width; SIZES],
}

/// The widths of the bands of one size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Width {
    /// Downwards and upwards, logarithms of deviations.
    sides: [f64; 2],
    /// Of the present pane, by side: cases, and twice those beyond (once where one lies on the bound).
    #[serde(skip)]
    cases: [u32; 2],
    #[serde(skip)]
    beyond: [u32; 2],
}

impl Default for Width {
    fn default() -> Self {
        Self { sides: [libm::log(START); 2], cases: [0; 2], beyond: [0; 2] }
    }
}

/// One deviation about `expected` persons so many seconds ahead; `unit` is that of a place where something is usual, `size` the mean of the series so far.
pub fn deviation(unit: f64, expected: f64, size: f64, ahead_s: f64) -> f64 {
    libm::hypot(unit, (1.0 - libm::exp(-ahead_s / GROWS_S)) * (expected.max(0.0) + OF_SIZE * size.max(0.0)))
}

/// The newest step, and on as it came from the one before, so many steps ahead; persons.
pub fn trend(newest: f64, before: f64, steps: u32) -> f64 {
    let goes_on = GOES_ON * DAMPED * (1.0 - libm::pow(DAMPED, f64::from(steps))) / (1.0 - DAMPED);
    (newest + goes_on * (newest - before)).max(0.0)
}

impl Green {
    /// Whether its figures can be.
    pub fn is_sound(&self) -> bool {
        self.mixture.is_sound() && self.widths.iter().flat_map(|width| width.sides).all(|side| (WITHIN.0..=WITHIN.1).contains(&side))
    }

    /// The quantiles about `expected` persons.
    pub fn about(&self, expected: f64, deviation: f64) -> [f64; 3] {
        self.widths[size(expected)].about(expected, deviation)
    }

    /// Counts one case for the bands.
    pub fn count(&mut self, expected: f64, deviation: f64, came: f64) {
        self.widths[size(expected)].count(expected, deviation, came);
    }

    /// Learns the bands from what was counted since the last time; the horizon is so many steps ahead.
    pub fn settle(&mut self, steps: u32) {
        let patience = 1.0 + f64::from(steps.saturating_sub(1)) / PATIENCE;
        self.widths.iter_mut().for_each(|width| width.settle(patience));
    }
}

impl Width {
    fn about(&self, expected: f64, deviation: f64) -> [f64; 3] {
        let [down, up] = self.sides.map(|side| libm::exp(side) * deviation);
        [(expected - down).max(0.0), expected, expected + up]
    }

    fn count(&mut self, expected: f64, deviation: f64, came: f64) {
        let [low, _, high] = self.about(expected, deviation);
        // Where nobody is within the band and nobody came, nothing is learnt of how far down it should reach.
        if low > 0.0 || came > 0.0 {
            self.cases[0] += 1;
            self.beyond[0] += u32::from(came < low) + u32::from(came <= low);
        }
        self.cases[1] += 1;
        self.beyond[1] += u32::from(came > high) + u32::from(came >= high);
    }

    fn settle(&mut self, patience: f64) {
        for side in 0..2 {
            if self.cases[side] == 0 {
                continue;
            }
            let cases = f64::from(self.cases[side]);
            let share = 0.5 * f64::from(self.beyond[side]) / cases;
            let follows = (FOLLOWS * (1.0 + (cases / MANY).sqrt())).min(MOST_FOLLOWS) / patience;
            self.sides[side] = (self.sides[side] + follows * (share - TAU[0])).clamp(WITHIN.0, WITHIN.1);
        }
        (self.cases, self.beyond) = ([0; 2], [0; 2]);
    }
}

fn size(expected: f64) -> usize {
    (octave(expected) / 3).min(SIZES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fixed sequence that fills (0, 1) evenly.
    fn even(case: u32) -> f64 {
        (f64::from(case) * 0.618_033_988_75).fract()
    }

    #[test]
    fn a_band_comes_to_hold_eight_in_ten_within_two_hours() {
        for wide in [30.0, 600.0] {
            let mut green = Green::default();
            let within = |green: &Green, case: u32| {
                let [low, _, high] = green.about(1_000.0, deviation(40.0, 1_000.0, 0.0, 300.0));
                let came = 1_000.0 + wide * (even(case) - 0.5) * 4.0;
                (came, low <= came && came <= high)
            };
            for pane in 0..24 {
                for case in 0..100 {
                    let came = within(&green, pane * 100 + case).0;
                    green.count(1_000.0, deviation(40.0, 1_000.0, 0.0, 300.0), came);
                }
                green.settle(1);
            }
            let held = (0..1_000).filter(|case| within(&green, *case).1).count();
            assert!((760..=840).contains(&held), "{wide}: {held}");
        }
    }

    #[test]
    fn an_empty_place_does_not_narrow_a_full_one() {
        let mut green = Green::default();
        for _ in 0..50 {
            green.count(0.0, 1.0, 0.0);
            green.settle(1);
        }
        assert_eq!(green.about(900.0, 100.0), Green::default().about(900.0, 100.0));
    }

    #[test]
    fn further_ahead_less_is_known() {
        assert!(deviation(30.0, 900.0, 0.0, 3_600.0) > 4.0 * deviation(30.0, 900.0, 0.0, 300.0));
        assert_eq!(deviation(3.0, 0.0, 0.0, 3_600.0), 3.0);
        assert!(deviation(3.0, 0.0, 500.0, 3_600.0) > 150.0, "a place that was full may be so again");
    }
}
