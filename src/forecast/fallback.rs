//! The anomaly score when no model speaks.

/// √(π/2): from the mean absolute error of a normal error to its standard deviation.
pub const MEAN_TO_SIGMA: f64 = 1.253_314_137_315_5;

/// How odd a step was without a model: |actual − expected| in standard deviations, z, as z/(z+4) in 0..1. Only its order matters, calibration does the rest.
pub fn oddity(actual: f64, expected: f64, sigma: f64) -> f64 {
    let z = (actual - expected).abs() / sigma.max(f64::MIN_POSITIVE);
    z / (z + 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn farther_off_is_odder_and_never_more_than_one() {
        let odd: Vec<f64> = [100.0, 110.0, 200.0, 1e9].iter().map(|actual| oddity(*actual, 100.0, 5.0)).collect();
        assert!(odd.windows(2).all(|pair| pair[0] < pair[1]) && odd[0] == 0.0 && odd[3] < 1.0, "{odd:?}");
    }
}
