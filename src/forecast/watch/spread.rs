//! How far counts of one series scatter about what was expected, learnt in the stream for one length of window.
//!
//! The idea: a variance of two parts, φ·m + α·e² (e is the mean, m the same with its ground): groups scatter with the mean, good and bad days with its square. The ground has no part in what is learnt of
//! the second: at night nobody is there to have a good day. Both are learnt by weighted regression of the squared miss, with a memory of some hundred steps, and squares beyond three deviations count as three: one
//! evacuation must not widen the law for days.

use serde::{Deserialize, Serialize};

/// A step weighs so much in the running moments.
const LEARNS: f64 = 0.002;
/// A miss counts for at most so many deviations.
const ROBUST: f64 = 3.0;
/// While a finding is open its misses are mostly the event's own.
const ROBUST_IN_FINDING: f64 = 0.3;
/// The prior of φ and α, and what it weighs in the regression.
const PRIOR: (f64, f64) = (1.5, 0.05);
const PRIOR_WEIGHT: f64 = 0.02;
/// The variance is at least this share of m: with a narrower law every tremor of a quiet night would be an event, whatever the threshold.
const NARROWEST: f64 = 0.8;

/// Where hardly anybody is to come, good and bad days are those of this share of the ground, which learns nothing: a stand that has just been opened is not yet known by its weekends.
const GROUNDED: f64 = 0.5;

/// The learnt scatter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    phi: f64,
    alpha: f64,
    /// Running means of w·m², w·m·e², w·e⁴, w·m·y, w·e²·y: w the weight, e the mean, m the same with its ground, y the squared miss.
    moments: [f64; 5],
}

impl Default for Spread {
    fn default() -> Self {
        Self { phi: PRIOR.0, alpha: PRIOR.1, moments: [0.0; 5] }
    }
}

impl Spread {
    /// The variance about `mean` persons, `ground` persons being added to the part that goes with the mean, and half of them at least counting in the other; persons².
    pub fn variance(&self, mean: f64, ground: f64) -> f64 {
        let m = mean + ground;
        self.of(m, mean.max(GROUNDED * ground))
    }

    /// Learns one miss, which had a variance of `variance` of which `doubt` times as much is due to the profile's youth.
    pub fn learn(&mut self, miss: f64, mean: f64, ground: f64, variance: f64, doubt: f64, in_finding: bool) {
        let (m, squared) = (mean + ground, square(mean));
        let cap = ROBUST * ROBUST * variance * if in_finding { ROBUST_IN_FINDING } else { 1.0 };
        let y = (miss * miss).min(cap) / doubt;
        let weight = 1.0 / square(self.of(m, mean));
        for (moment, now) in
            self.moments.iter_mut().zip([weight * m * m, weight * m * squared, weight * squared * squared, weight * m * y, weight * squared * y])
        {
            *moment += LEARNS * (now - *moment);
        }
        self.fit();
    }

    fn of(&self, m: f64, e: f64) -> f64 {
        (self.phi * m + self.alpha * square(e)).max(NARROWEST * m)
    }

    fn fit(&mut self) {
        let [w, wm, wmm, wym, wy] = self.moments;
        let (w, wym) = (w * (1.0 + PRIOR_WEIGHT), wym + PRIOR_WEIGHT * w * PRIOR.0);
        let determinant = w * wmm - wm * wm;
        if wmm <= 0.0 || determinant <= 1e-9 * w * wmm {
            return;
        }
        let mut alpha = (w * wy - wm * wym) / determinant;
        let mut phi = (wym - alpha * wm) / w;
        if alpha < 0.0 {
            (alpha, phi) = (0.0, wym / w);
        }
        if phi < 0.0 {
            (phi, alpha) = (0.0, wy / wmm);
        }
        (self.phi, self.alpha) = (phi, alpha);
    }
}

/// x².
pub(super) const fn square(x: f64) -> f64 {
    x * x
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Learns misses of ± one deviation of φ·m + α·m², at means that take turns.
    fn learned(phi: f64, alpha: f64, steps: u32) -> Spread {
        let mut spread = Spread::default();
        for step in 0..steps {
            let mean = [5.0, 20.0, 60.0, 150.0][step as usize % 4];
            let miss = (phi * mean + alpha * mean * mean).sqrt();
            spread.learn(miss, mean, 0.0, spread.variance(mean, 0.0), 1.0, false);
        }
        spread
    }

    #[test]
    fn it_tells_what_goes_with_the_mean_from_what_goes_with_its_square() {
        for (phi, alpha) in [(1.0, 0.0), (3.0, 0.0), (1.5, 0.04), (6.0, 0.01)] {
            let spread = learned(phi, alpha, 4_000);
            for mean in [5.0, 60.0, 150.0] {
                let right = phi * mean + alpha * mean * mean;
                assert!((spread.variance(mean, 0.0) / right - 1.0).abs() < 0.1, "φ {phi}, α {alpha}, {mean}: {spread:?}");
            }
        }
    }

    #[test]
    fn what_is_added_for_a_night_has_no_part_in_good_and_bad_days() {
        // A day about 60 persons that leap by a third, and a night in which one comes, both on a ground of 20.
        let scatter = |mean: f64| mean + 0.12 * mean * mean;
        let mut spread = Spread::default();
        for step in 0..4_000 {
            let mean = if step % 2 == 0 { 60.0 } else { 1.0 };
            spread.learn(scatter(mean).sqrt(), mean, 20.0, spread.variance(mean, 20.0), 1.0, false);
        }
        let day = spread.variance(60.0, 20.0) / scatter(60.0);
        assert!((0.9..1.2).contains(&day), "{day}: {spread:?}");
        assert!(spread.variance(1.0, 20.0) < 0.5 * scatter(20.0), "{spread:?}");
    }

    #[test]
    fn one_disaster_hardly_widens_it() {
        let mut spread = learned(1.5, 0.0, 4_000);
        let before = spread.variance(100.0, 0.0);
        spread.learn(5_000.0, 100.0, 0.0, before, 1.0, false);
        assert!(spread.variance(100.0, 0.0) < 1.05 * before);
    }

    #[test]
    fn a_counter_that_never_moves_keeps_a_least_scatter() {
        let mut spread = Spread::default();
        (0..5_000).for_each(|_| spread.learn(0.0, 50.0, 0.0, spread.variance(50.0, 0.0), 1.0, false));
        assert!(spread.variance(50.0, 0.0) >= NARROWEST * 50.0);
    }
}
