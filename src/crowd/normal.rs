//! The normal law, by which every band and probability of the picture is drawn: errors of many counters add up to it.

/// The 95 % quantile of the standard normal law: ±this many standard deviations hold 90 %.
pub const Z90: f64 = 1.644_853_626_951_472_2;

/// The probability that a normal quantity of mean `mean` and standard deviation `sigma` is above `limit`.
///
/// Without spread it is certain: 1 above the limit, 0 at it or below. Not a number in, 0 out: what cannot be told exceeds nothing.
/// Source: Φ(z) = ½·erfc(−z/√2).
pub fn probability_above(limit: f64, mean: f64, sigma: f64) -> f64 {
    let over = mean - limit;
    if over.is_nan() || sigma.is_nan() {
        return 0.0;
    }
    if sigma <= 0.0 {
        return if over > 0.0 { 1.0 } else { 0.0 };
    }
    0.5 * libm::erfc(-over / (sigma * std::f64::consts::SQRT_2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table of the normal law: Φ(0), Φ(1), Φ(1.645), Φ(−2).
    #[test]
    fn the_probability_is_that_of_the_table() {
        for (mean, expected) in [(0.0, 0.5), (1.0, 0.841_344_746), (Z90, 0.95), (-2.0, 0.022_750_132)] {
            assert!((probability_above(0.0, mean, 1.0) - expected).abs() < 1e-8, "{mean}");
        }
    }

    #[test]
    fn without_spread_it_is_certain() {
        assert_eq!((probability_above(2.0, 2.1, 0.0), probability_above(2.0, 2.0, 0.0)), (1.0, 0.0));
    }

    #[test]
    fn a_missing_threshold_is_never_exceeded() {
        assert_eq!(probability_above(f64::NAN, 5.0, 1.0), 0.0);
    }
}
