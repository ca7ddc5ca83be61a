//! From a raw score to a statement: the expected share of quiet panes with a higher score.
//!
//! The idea: a model's 0.83 means nothing to an operator; "higher than in all but 2 of 1,000 panes of this venue" does. A venue's scores are counted into a histogram of
//! 512 bins, even in the logit of the score (a good model crowds its quiet scores near 0). The counts are whole numbers, halved together every so
//! many panes, so that the venue's last weeks decide and the bytes do not depend on how they came about. A score is judged before it is counted.
//!
//! All panes are counted as quiet ones: what is rare enough to alarm is too rare to matter here, and leaving it out would narrow the tail with every pass.

use serde::{Deserialize, Serialize};

const BINS: usize = 512;
/// Logits beyond ± this share the outermost bins.
const REACH: f64 = 12.0;
/// After so many panes with a score everything counts half: ten and a half days of panes of 10 s when scores never pause, about two dozen nights of matches.
const HALF_LIFE_PANES: u32 = 90_720;

/// The histogram of one kind of score of one venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
    bins: Vec<u32>,
    total: u64,
    panes: u32,
    since_halving: u32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { bins: vec![0; BINS], total: 0, panes: 0, since_halving: 0 }
    }
}

impl Calibration {
    /// In how many panes a score was counted, held at the largest `u32`.
    pub const fn panes(&self) -> u32 {
        self.panes
    }

    /// Whether it is of the size that this binary uses; a stored one may not be.
    pub fn is_sound(&self) -> bool {
        self.bins.len() == BINS
    }

    /// What the scores of a pane are judged by: everything counted so far.
    pub fn judge(&self) -> Judge<'_> {
        let mut higher = [0; BINS];
        let mut above = 0;
        for bin in (0..BINS).rev() {
            higher[bin] = above;
            above += u64::from(self.bins[bin]);
        }
        Judge { calibration: self, higher }
    }

    /// Counts the scores of one pane.
    pub fn learn(&mut self, scores: impl Iterator<Item = f64>) {
        let before = self.total;
        for score in scores {
            let bin = &mut self.bins[place(score).0];
            *bin = bin.saturating_add(1);
            self.total += 1;
        }
        if self.total == before {
            return;
        }
        self.panes = self.panes.saturating_add(1);
        self.since_halving += 1;
        if self.since_halving >= HALF_LIFE_PANES {
            self.halve();
        }
    }

    fn halve(&mut self) {
        self.bins.iter_mut().for_each(|bin| *bin /= 2);
        self.total = self.bins.iter().map(|bin| u64::from(*bin)).sum();
        self.since_halving = 0;
    }
}

/// The counts of a [`Calibration`], summed up from the top.
#[derive(Clone, Debug)]
pub struct Judge<'a> {
    calibration: &'a Calibration,
    higher: [u64; BINS],
}

impl Judge<'_> {
    /// The expected share of quiet panes with a higher score than `score` (0 to 1), quantised to 10⁻⁶. Within its bin a score is placed evenly; one more
    /// than was counted stands in the divisor, so that a share is never 0.
    pub fn share_above(&self, score: f64) -> f64 {
        let (bin, within) = place(score);
        let higher = self.higher[bin] as f64 + (1.0 - within) * f64::from(self.calibration.bins[bin]);
        let share = (higher + 1.0) / (self.calibration.total as f64 + 1.0);
        ((share * 1e6).round() / 1e6).clamp(1e-6, 1.0)
    }
}

/// The bin of a score, and how far up in it the score lies (0 to 1).
fn place(score: f64) -> (usize, f64) {
    let logit = libm::log(score.max(1e-9) / (1.0 - score).max(1e-9)).clamp(-REACH, REACH);
    let along = (logit + REACH) / (2.0 * REACH) * BINS as f64;
    let bin = (along as usize).min(BINS - 1);
    (bin, (along - bin as f64).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn learned(scores: &[f64]) -> Calibration {
        let mut calibration = Calibration::default();
        scores.iter().for_each(|score| calibration.learn(std::iter::once(*score)));
        calibration
    }

    #[test]
    fn a_score_higher_than_all_has_one_in_all_above_it() {
        let scores: Vec<f64> = (0..999).map(|k| 0.001 + f64::from(k) * 0.0005).collect();
        assert_eq!(learned(&scores).judge().share_above(0.99), 0.001);
    }

    #[test]
    fn the_share_is_that_of_the_scores_above() {
        let scores: Vec<f64> = (0..10_000).map(|k| (f64::from(k) + 0.5) / 10_000.0).collect();
        let calibration = learned(&scores);
        for score in [0.01, 0.2, 0.5, 0.9, 0.99] {
            let share = calibration.judge().share_above(score);
            assert!((share - (1.0 - score)).abs() < 0.002, "{score}: {share}");
        }
    }

    #[test]
    fn before_anything_was_counted_every_score_is_usual() {
        assert_eq!(Calibration::default().judge().share_above(0.9), 1.0);
    }

    #[test]
    fn scores_that_are_no_share_fall_into_the_outermost_bins() {
        assert_eq!((place(-1.0).0, place(0.0).0, place(1.0).0, place(7.0).0), (0, 0, 511, 511));
    }

    #[test]
    fn a_pane_without_scores_is_not_counted() {
        let mut calibration = Calibration::default();
        calibration.learn(std::iter::empty());
        calibration.learn([0.1, 0.2].into_iter());
        assert_eq!((calibration.panes(), calibration.total), (1, 2));
    }

    #[test]
    fn old_panes_count_less() {
        let mut calibration = learned(&[0.5; 8]);
        calibration.since_halving = HALF_LIFE_PANES - 1;
        calibration.learn(std::iter::once(0.5));
        assert_eq!((calibration.total, calibration.panes()), (4, 9));
    }

    proptest! {
        #[test]
        fn the_order_of_scores_leaves_no_trace(mut scores in proptest::collection::vec(0.0f64..1.0, 1..50)) {
            let forwards = learned(&scores);
            scores.reverse();
            prop_assert_eq!(forwards, learned(&scores));
        }

        #[test]
        fn a_higher_score_never_has_a_higher_share(scores in proptest::collection::vec(0.0f64..1.0, 1..50), a in 0.0f64..1.0, b in 0.0f64..1.0) {
            let calibration = learned(&scores);
            prop_assert!(calibration.judge().share_above(a.max(b)) <= calibration.judge().share_above(a.min(b)));
        }
    }
}
