//! The law of a count: how unusual it is, as a normal score, given a mean and a variance that may be far above the mean.
//!
//! The idea: crowds come in groups and days differ, so a count is over-dispersed (negative binomial, Poisson mixed over a gamma law: Greenwood & Yule 1920), and what matters is
//! far out in its tail. A gamma law of the same mean and variance is that law for all but the smallest means, and the cube root of a gamma variable is normal to a thousandth (Wilson & Hilferty
//! 1931), so a score costs one cube root where the exact tail would cost an incomplete beta function.
//!
//! A *ground* of persons is added to count and mean alike: five people where nobody is usual are no event in a place that holds hundreds by day.

/// The standard normal score of `count` under a law of `mean` and `variance`, both of which include the ground; all in persons, the variance in persons². Positive: more than the mean.
pub fn normal_score(count: f64, mean: f64, variance: f64) -> f64 {
    let (mean, variance) = (mean.max(1e-3), variance.max(1e-6));
    // Shape of the gamma law, times nine: the variance of its cube root is 1/(9·shape).
    let narrow = variance / (9.0 * mean * mean);
    (libm::cbrt(count.max(0.0) / mean) - (1.0 - narrow)) / narrow.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P(X < count) + P(X = count)/2 of the negative binomial law, summed term by term.
    fn mid_p(count: u32, mean: f64, variance: f64) -> f64 {
        let size = mean * mean / (variance - mean);
        let share = mean / (mean + size);
        let mut term = (size * (1.0 - share).ln()).exp();
        let mut below = 0.0;
        for x in 0..count {
            below += term;
            term *= (f64::from(x) + size) / f64::from(x + 1) * share;
        }
        below + term / 2.0
    }

    fn phi(z: f64) -> f64 {
        0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
    }

    /// The exact law's mid-p as a normal score, by bisection.
    fn exact(count: u32, mean: f64, variance: f64) -> f64 {
        let p = mid_p(count, mean, variance);
        let (mut low, mut high) = (-9.0, 9.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if phi(middle) < p { low = middle } else { high = middle }
        }
        low
    }

    #[test]
    fn it_is_the_negative_binomial_law_to_a_few_tenths_of_a_deviation() {
        for (mean, variance) in [(10.0, 14.0), (10.0, 30.0), (40.0, 120.0), (300.0, 3_000.0)] {
            for z in [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0] {
                // Nobody at all is scored too low without a ground.
                let count = (mean + z * f64::sqrt(variance)).round().max(2.0);
                let (said, right) = (normal_score(count, mean, variance), exact(count as u32, mean, variance));
                assert!((said - right).abs() < if z < -1.0 { 0.4 } else { 0.3 }, "{count} of {mean} ± {variance}: {said} and {right}");
            }
        }
    }

    #[test]
    fn it_rises_with_the_count_and_never_breaks() {
        let scores: Vec<f64> = (0..2_000).map(|count| normal_score(f64::from(count), 20.0, 90.0)).collect();
        assert!(scores.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(normal_score(0.0, 0.0, 0.0).is_finite() && normal_score(1e9, 0.0, 0.0).is_finite());
    }
}
