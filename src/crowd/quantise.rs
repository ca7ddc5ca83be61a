//! What leaves as a number is rounded first, so that its bytes do not hang on the last bit of a sum.

/// Rounds to six significant digits, but never coarser than to a whole number: a time in epoch milliseconds keeps its milliseconds.
///
/// Zero for magnitudes below 1e-15 and for minus zero; what is not finite stays as it is. Rounding twice changes nothing.
pub fn quantise(value: f64) -> f64 {
    let magnitude = value.abs();
    if !value.is_finite() {
        return value;
    }
    if magnitude < 1e-15 {
        return 0.0;
    }
    if magnitude >= 1e5 {
        return libm::round(value);
    }
    // The power of ten that puts six digits before the point; exact as a double up to 1e22, so that dividing gives the nearest double to the decimal.
    let mut scale = 1.0;
    let mut scaled = magnitude;
    while scaled < 1e5 {
        scale *= 10.0;
        scaled = magnitude * scale;
    }
    libm::round(value * scale) / scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn six_digits_are_kept() {
        let cases = [(0.123_456_789, 0.123_457), (93.000_000_4, 93.0), (1_234.567_89, 1_234.57), (-0.000_012_345_678_9, -0.000_012_345_7), (0.1 + 0.2, 0.3)];
        for (value, expected) in cases {
            assert_eq!(quantise(value), expected);
        }
    }

    #[test]
    fn a_time_keeps_its_milliseconds() {
        assert_eq!(quantise(1_907_863_300_123.4), 1_907_863_300_123.0);
    }

    #[test]
    fn nothing_is_plain_zero() {
        assert!(quantise(-0.0).is_sign_positive());
        assert_eq!(quantise(1e-20), 0.0);
    }

    proptest! {
        #[test]
        fn rounding_twice_changes_nothing(value in -1e9f64..1e9, exponent in -12i32..3) {
            let once = quantise(value * libm::pow(10.0, f64::from(exponent)));
            prop_assert_eq!(once, quantise(once));
        }
    }
}
