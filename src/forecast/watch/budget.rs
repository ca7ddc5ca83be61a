//! From an operator's budget to a threshold: how high a score must be so that quiet times exceed it as often as the operator is ready to look, and no oftener.
//!
//! The idea: peaks over a low threshold (Davison & Smith 1990). The peaks of the scores of a zone group, one per episode, in units of z²/2, fall off exponentially beyond a low bar: a
//! normal score would with rate 1, real counts with a lesser one. How many there are a week and how fast they fall off is learnt in the stream; the threshold is where the fitted tail meets the budget.
//!
//! Real events are among the peaks. Taken as noise they would raise the threshold over themselves; left out, the tail would shrink with every finding. Peaks above the threshold
//! therefore count partly as noise (censored at the threshold) and partly not at all (the others being a truncated sample).

use serde::{Deserialize, Serialize};

/// The low bar: z = 2.45.
const BAR: f64 = 3.0;
/// Width of a bin of peaks above the bar.
const BIN: f64 = 0.25;
const BINS: usize = 160;
/// So much of a peak above the threshold is taken for noise.
const NOISE: f64 = 0.6;
/// After so many weeks a peak counts half.
const HALF_LIFE_WEEKS: f64 = 8.0;
/// The prior: peaks a week and zone, what that weighs in weeks; the rate at which they fall off, what that weighs in peaks.
const PRIOR_PEAKS: (f64, f64) = (10.0, 2.0);
const PRIOR_FALL: (f64, f64) = (0.6, 10.0);
/// The threshold is held within this, z.
const THRESHOLD: (f64, f64) = (3.0, 9.0);
/// The threshold before any peak was seen, z.
const FIRST: f64 = 5.0;

/// The tail of one zone group's scores, and the threshold that follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    peaks: Vec<f64>,
    weeks: f64,
    threshold: f64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { peaks: vec![0.0; BINS], weeks: 0.0, threshold: FIRST }
    }
}

/// The strength of a score: z²/2, in which tails are exponential; 0 for what is below the mean.
pub fn strength(score: f64) -> f64 {
    score.max(0.0) * score.max(0.0) / 2.0
}

/// Whether a strength is above the low bar, and so belongs to an episode.
pub fn is_above_bar(strength: f64) -> bool {
    strength > BAR
}

impl Budget {
    /// Whether it is of the size that this binary uses; a stored one may not be.
    pub fn is_sound(&self) -> bool {
        self.peaks.len() == BINS && self.threshold.is_finite()
    }

    /// The normal score from which on there is a finding.
    pub const fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Lets quiet or unquiet time pass, in weeks, and takes in the peaks (z²/2) of the episodes that ended; `per_week` is the budget of the group of `zones` zones.
    pub fn pass(&mut self, weeks: f64, ended: &[f64], zones: usize, per_week: f64) {
        let fade = libm::exp2(-weeks / HALF_LIFE_WEEKS);
        self.weeks = fade * self.weeks + weeks;
        self.peaks.iter_mut().for_each(|peaks| *peaks *= fade);
        for peak in ended {
            let bin = ((peak - BAR).max(0.0) / BIN) as usize;
            self.peaks[bin.min(BINS - 1)] += 1.0;
        }
        if !ended.is_empty() {
            self.fit(zones as f64, per_week);
        }
    }

    /// The maximum-likelihood fall of the tail, by bisection, and the threshold where it meets the budget.
    fn fit(&mut self, zones: f64, per_week: f64) {
        let reach = (strength(self.threshold) - BAR).max(1.0);
        let (mut below, mut sum, mut above) = (0.0, 0.0, 0.0);
        for (bin, peaks) in self.peaks.iter().enumerate() {
            let height = (bin as f64 + 0.5) * BIN;
            if height < reach {
                below += peaks;
                sum += peaks * height;
            } else {
                above += peaks;
            }
        }
        let (fall_prior, fall_weight) = PRIOR_FALL;
        let total = sum + NOISE * above * reach + fall_weight / fall_prior;
        let (mut low, mut high) = (0.05, 5.0);
        for _ in 0..40 {
            let fall = 0.5 * (low + high);
            let truncated = (1.0 - NOISE) * reach / libm::expm1(fall * reach);
            if below * (1.0 / fall - truncated) + fall_weight / fall > total { low = fall } else { high = fall }
        }
        let fall = 0.5 * (low + high);
        let quiet = (1.0 - NOISE) * below / -libm::expm1(-fall * reach) + NOISE * (below + above);
        let (peaks_prior, prior_weeks) = PRIOR_PEAKS;
        let rate = (quiet + peaks_prior * zones * prior_weeks) / (self.weeks + prior_weeks);
        let meets = BAR + libm::log((rate / per_week.max(1e-6)).max(1.0)) / fall;
        self.threshold = (2.0 * meets).sqrt().clamp(THRESHOLD.0, THRESHOLD.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Peaks that fall off with `fall`, evenly over the quantiles, ten a week, each in its own place; `events` strong ones a week among them. Answers the threshold, and how
    /// many quiet peaks a week exceeded it in the last half.
    fn run(fall: f64, events: u32, per_week: f64, weeks: u32) -> (f64, f64) {
        let mut budget = Budget::default();
        let mut exceeded = 0;
        for week in 0..weeks {
            for peak in 0..10_u32 {
                // A low-discrepancy sequence stands for chance.
                let chance = (f64::from(week * 10 + peak) * 0.618_033_988_749_895).fract().max(1e-9);
                let height = BAR - chance.ln() / fall;
                exceeded += u32::from(week >= weeks / 2 && height > strength(budget.threshold()));
                budget.pass(0.1, &[height], 1, per_week);
            }
            (0..events).for_each(|_| budget.pass(0.0, &[30.0], 1, per_week));
        }
        (budget.threshold(), f64::from(exceeded) / f64::from(weeks - weeks / 2))
    }

    #[test]
    fn the_budget_is_what_comes() {
        for fall in [0.5, 0.8, 1.2] {
            for per_week in [0.5, 1.0, 2.0] {
                let (threshold, came) = run(fall, 0, per_week, 200);
                assert!((0.7..1.4).contains(&(came / per_week)), "fall {fall}, budget {per_week}: {came} above {threshold}");
            }
        }
    }

    #[test]
    fn events_raise_the_threshold_by_little() {
        let (quiet, _) = run(0.8, 0, 1.0, 100);
        let (eventful, came) = run(0.8, 2, 1.0, 100);
        assert!(eventful > quiet && eventful < quiet + 1.2, "{quiet} {eventful}");
        assert!(came > 0.15, "{came}");
    }

    #[test]
    fn a_larger_budget_never_has_a_higher_threshold() {
        let thresholds: Vec<f64> = [0.2, 0.5, 1.0, 2.0, 5.0].map(|per_week| run(0.7, 1, per_week, 50).0).to_vec();
        assert!(thresholds.windows(2).all(|pair| pair[1] <= pair[0]), "{thresholds:?}");
    }
}
