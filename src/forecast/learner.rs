//! Learns in the stream how much to trust each sign: a ridge regression per horizon over all series of a venue, which forgets.
//!
//! The idea: how long a delay lasts, how much a neighbour tells, whether last week says more than yesterday differs from place to place, and nobody need tell: after each step
//! the signs of h steps ago are held against what came. The normal equations are two small sums that halve every 20 days (recursive least squares with forgetting, in the
//! information form; Ljung & Söderström 1983), kept sound by a ridge towards "no correction", so a venue that nothing is known of gets the plain forecast and one bad day moves
//! little. Targets are held within ± 4 deviations (Huber 1964).
//!
//! ```text
//!   signs issued at T − h ─┐
//!   what came by T ────────┴─► sums ─► weights ─► correction of what is issued at T, in deviations
//! ```

use super::signs::SIGNS;
use serde::{Deserialize, Serialize};

/// Sums of the upper triangle, row by row.
const PAIRS: usize = SIGNS * (SIGNS + 1) / 2;
/// The ridge: as if each sign had been seen so often without any meaning.
const RIDGE: f64 = 100.0;
/// The sums halve in this time, s.
const HALF_LIFE_S: f64 = 20.0 * 86_400.0;
/// A target beyond so many deviations counts as this.
const FARTHEST: f64 = 4.0;
/// A correction is never larger, deviations.
const LARGEST: f64 = 3.0;
/// Signs are held as whole numbers of this.
pub const SIGN_GRAIN: f64 = 127.0 / 3.0;

/// The normal equations of some cases: sums of the products of signs with each other, and with what came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    pairs: Vec<f64>,
    products: Vec<f64>,
}

/// The regression of one horizon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learner {
    sums: Sums,
    weights: [f64; SIGNS],
}

impl Default for Sums {
    fn default() -> Self {
        Self { pairs: vec![0.0; PAIRS], products: vec![0.0; SIGNS] }
    }
}

impl Default for Learner {
    fn default() -> Self {
        let mut sums = Sums::default();
        diagonal().for_each(|place| sums.pairs[place] = RIDGE);
        Self { sums, weights: [0.0; SIGNS] }
    }
}

/// Where in the sums the diagonal stands.
fn diagonal() -> impl Iterator<Item = usize> {
    (0..SIGNS).map(|row| pair(row, row))
}

impl Sums {
    /// Whether it is of the size that this binary uses; a stored one may not be.
    pub fn is_sound(&self) -> bool {
        let is_whole = self.pairs.len() == PAIRS && self.products.len() == SIGNS;
        is_whole && self.pairs.iter().chain(&self.products).all(|sum| sum.is_finite())
    }

    /// Counts one case: the signs as they were issued, what came in deviations from the plain forecast, and how much it weighs.
    pub fn count(&mut self, signs: &[i8], came: f64, weight: f64) {
        let mut values = [0.0; SIGNS];
        for (value, sign) in values.iter_mut().zip(signs) {
            *value = f64::from(*sign) / SIGN_GRAIN;
        }
        let came = came.clamp(-FARTHEST, FARTHEST);
        let mut pairs = self.pairs.as_mut_slice();
        for (row, value) in values.iter().enumerate() {
            let weighed = weight * value;
            let (own, rest) = pairs.split_at_mut(SIGNS - row);
            own.iter_mut().zip(&values[row..]).for_each(|(sum, other)| *sum += weighed * other);
            self.products[row] += weighed * came;
            pairs = rest;
        }
    }

    /// Keeps this share of them.
    pub fn fade(&mut self, keep: f64) {
        self.pairs.iter_mut().chain(&mut self.products).for_each(|sum| *sum *= keep);
    }

    /// Adds this share of others.
    pub fn add(&mut self, others: &Self, share: f64) {
        let own = self.pairs.iter_mut().chain(&mut self.products);
        own.zip(others.pairs.iter().chain(&others.products)).for_each(|(sum, other)| *sum += share * other);
    }

    /// What these sums, of which the share `keep` counts, add to known weights, held to nothing by a ridge; `None` where rounding has made them unsound.
    pub fn beyond(&self, known: &[f64; SIGNS], ridge: f64, keep: f64) -> Option<[f64; SIGNS]> {
        let mut pairs: [f64; PAIRS] = std::array::from_fn(|place| keep * self.pairs[place]);
        let mut products: [f64; SIGNS] = std::array::from_fn(|row| keep * self.products[row]);
        for row in 0..SIGNS {
            let explained: f64 = (0..SIGNS).map(|column| pairs[pair(row.min(column), row.max(column))] * known[column]).sum();
            products[row] -= explained;
        }
        diagonal().for_each(|place| pairs[place] += ridge);
        solved(&pairs, &products)
    }
}

impl Learner {
    /// Whether it is of the size that this binary uses; a stored one may not be.
    pub fn is_sound(&self) -> bool {
        self.sums.is_sound()
    }

    /// Lets a step of `step_s` seconds pass.
    pub fn forget(&mut self, step_s: f64) {
        let keep = libm::exp2(-step_s / HALF_LIFE_S);
        self.sums.fade(keep);
        diagonal().for_each(|place| self.sums.pairs[place] += (1.0 - keep) * RIDGE);
    }

    /// Learns the cases of a step.
    pub fn take(&mut self, step: &Sums) {
        self.sums.add(step, 1.0);
    }

    /// Makes the weights those of the sums (Cholesky; the ridge keeps the sums positive definite).
    pub fn settle(&mut self) {
        if let Some(weights) = solved(&self.sums.pairs, &self.sums.products) {
            self.weights = weights;
        }
    }

    /// How much each sign is trusted.
    pub const fn weights(&self) -> [f64; SIGNS] {
        self.weights
    }

    /// The correction that the signs call for, deviations.
    pub fn correction(&self, signs: &[i8]) -> f64 {
        corrected(&self.weights, signs)
    }
}

/// The correction that the signs call for by these weights, deviations.
pub fn corrected(weights: &[f64; SIGNS], signs: &[i8]) -> f64 {
    let sum: f64 = weights.iter().zip(signs).map(|(weight, sign)| weight * f64::from(*sign)).sum();
    (sum / SIGN_GRAIN).clamp(-LARGEST, LARGEST)
}

/// Where in the sums the pair of a row and a column that is not before it stands.
const fn pair(row: usize, column: usize) -> usize {
    row * SIGNS - row * (row + 1) / 2 + column
}

/// Solves the normal equations; `None` when rounding has made them unsound, and then the weights stay as they were.
fn solved(pairs: &[f64], products: &[f64]) -> Option<[f64; SIGNS]> {
    let mut lower = [[0.0; SIGNS]; SIGNS];
    for row in 0..SIGNS {
        for column in 0..=row {
            let dot: f64 = (0..column).map(|k| lower[row][k] * lower[column][k]).sum();
            let rest = pairs[pair(column, row)] - dot;
            if row == column {
                if rest.is_nan() || rest <= 0.0 {
                    return None;
                }
                lower[row][row] = rest.sqrt();
            } else {
                lower[row][column] = rest / lower[column][column];
            }
        }
    }
    let mut solution = [0.0; SIGNS];
    for row in 0..SIGNS {
        let dot: f64 = (0..row).map(|k| lower[row][k] * solution[k]).sum();
        solution[row] = (products[row] - dot) / lower[row][row];
    }
    for row in (0..SIGNS).rev() {
        let dot: f64 = (row + 1..SIGNS).map(|k| lower[k][row] * solution[k]).sum();
        solution[row] = (solution[row] - dot) / lower[row][row];
    }
    Some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(learner: &mut Learner, signs: &[i8], came: f64, weight: f64) {
        let mut step = Sums::default();
        step.count(signs, came, weight);
        learner.take(&step);
    }

    /// Signs that vary in a fixed way.
    fn signs(case: i32) -> Vec<i8> {
        (0..SIGNS as i32).map(|k| ((case * (37 + 11 * k) + k * k * 5) % 80 - 40) as i8).collect()
    }

    #[test]
    fn before_anything_was_learnt_nothing_is_corrected() {
        let mut learner = Learner::default();
        learner.settle();
        assert_eq!(learner.correction(&signs(3)), 0.0);
    }

    #[test]
    fn it_finds_the_signs_that_matter() {
        let mut learner = Learner::default();
        let truth = |signs: &[i8]| (0.6 * f64::from(signs[2]) - 0.3 * f64::from(signs[7])) / SIGN_GRAIN;
        for case in 0..20_000 {
            let signs = signs(case);
            learn(&mut learner, &signs, truth(&signs), 1.0);
        }
        learner.settle();
        for case in 0..50 {
            let signs = signs(case);
            assert!((learner.correction(&signs) - truth(&signs)).abs() < 0.02, "{case}");
        }
    }

    #[test]
    fn what_no_longer_holds_is_forgotten() {
        let mut learner = Learner::default();
        let teach = |learner: &mut Learner, sense: f64| {
            for case in 0..3_000 {
                learner.forget(86_400.0 / 20.0);
                let signs = signs(case);
                learn(learner, &signs, sense * f64::from(signs[2]) / SIGN_GRAIN, 20.0);
            }
            learner.settle();
        };
        teach(&mut learner, 1.0);
        teach(&mut learner, -1.0);
        for case in 0..50 {
            let signs = signs(case);
            assert!((learner.correction(&signs) + f64::from(signs[2]) / SIGN_GRAIN).abs() < 0.2, "{case}");
        }
    }

    #[test]
    fn an_absurd_case_moves_no_more_than_four_deviations_would() {
        let mut once = Learner::default();
        let mut far = Learner::default();
        learn(&mut once, &signs(1), 4.0, 1.0);
        learn(&mut far, &signs(1), 4e9, 1.0);
        assert_eq!(once, far);
    }
}
