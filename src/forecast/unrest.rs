//! How restless a place is: how much larger its newest errors are than its errors as a rule.
//!
//! The idea: errors come in clusters. Where the last steps were far off, the next will be off as well, in whichever direction, and where all runs as expected, less than on the average day
//! (volatility clustering: Engle 1982, Bollerslev 1986). One deviation is the mean of many days' errors, so a band that knows of nothing else is too wide on quiet hours and too narrow in a surge. The
//! unrest of a series is log2(the mean of its newest few errors / the mean of all), both as the pulse keeps them; the bands learn what each level of it adds ([`super::bands`]).

/// Levels of unrest: from a quarter of the mean error to four times as much, half an octave apart.
pub const LEVELS: usize = 9;
const PER_OCTAVE: f64 = 2.0;

/// The unrest where the newest errors and those as a rule are so large; 0 where both are alike.
pub fn unrest(newest: f64, as_a_rule: f64) -> f64 {
    libm::log2(newest.max(f64::MIN_POSITIVE) / as_a_rule)
}

/// The two levels between which an unrest lies, and how far it belongs to each.
pub fn levels(unrest: f64) -> [(usize, f64); 2] {
    let last = LEVELS - 1;
    let along = (PER_OCTAVE * unrest + 0.5 * last as f64).clamp(0.0, last as f64);
    let share = along - along.floor();
    [(along as usize, 1.0 - share), ((along as usize + 1).min(last), share)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_as_ever_are_in_the_middle() {
        assert_eq!(levels(unrest(1.5, 1.5)), [(4, 1.0), (5, 0.0)]);
    }

    #[test]
    fn a_level_is_half_an_octave_and_the_outermost_have_no_end() {
        let [(low, most), (high, rest)] = levels(unrest(1.5, 1.0));
        assert_eq!((low, high), (5, 6));
        assert!((most + rest - 1.0).abs() < 1e-12 && (rest - 0.17).abs() < 0.01, "{rest}");
        assert_eq!(levels(unrest(0.0, 1.0)), [(0, 1.0), (1, 0.0)]);
        assert_eq!(levels(unrest(100.0, 1.0)), [(8, 1.0), (8, 0.0)]);
    }
}
