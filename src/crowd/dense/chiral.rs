//! Chiral oscillation: a confined crowd above about 4 persons/m² begins to circle, everybody in small orbits of one sense, with a period near 18 s.
//!
//! Gu et al., Nature 638 (2025): a peak of the velocity's spectrum at 0.25 to 0.40 rad/s, which scales with the inverse size of the place, some 30 min before the greatest
//! density; measured in windows of 1.5 m, every 0.5 s. The spectrum here is the rotary one (Gonella, Deep-Sea Res. 19, 1972): the velocity as the complex number
//! u = v_x + i·v_y has a spectrum on either side of zero, anticlockwise and clockwise, so that circling is told from shaking to and fro.

use super::field::Window;
use super::polygon::Point;
use super::unfit::Unfit;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Where to look for the peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Lowest angular frequency of the peak, rad/s.
    pub low: f64,
    /// Highest.
    pub high: f64,
}

/// A peak in the band.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    /// Its angular frequency, rad/s.
    pub omega: f64,
    /// Its power over the mean power of the neighbourhood on the stronger side.
    pub ratio: f64,
    /// How far one sense prevails at the peak: 1 circling, 0 to and fro.
    pub chirality: f64,
}

/// Angular frequencies are tried in steps of this, rad/s: half the resolution of a minute's window.
const STEP: f64 = 0.05;
/// A window of a minute spreads a peak by this much to either side (Hann window), so that the neighbourhood begins beyond, rad/s.
const SPREAD: f64 = 0.20;
/// The neighbourhood ends here, rad/s.
const END: f64 = 1.20;

/// The peak of the spectrum, all points of the lattice together, each with its own sense.
///
/// # Errors
/// [`Unfit::TooShort`] and [`Unfit::TooSeldom`] by `least_s` and `most_step_s`; [`Unfit::TooFew`] where no point has a velocity throughout; [`Unfit::NoDirection`]
/// where nothing moves at all.
pub fn peak(window: &Window<'_>, band: Band, least_s: f64, most_step_s: f64) -> Result<Peak, Unfit> {
    window.asks_for(least_s, most_step_s)?;
    let tried: Vec<f64> = (1..).map(|k| f64::from(k) * STEP).take_while(|omega| *omega <= END + STEP / 2.0).collect();
    let mut power = vec![(0.0, 0.0); tried.len()];
    let mut points = 0_u32;
    for at in 0..window.lattice.len() {
        let Some(velocities) = window.velocities_at(at) else { continue };
        let signal = prepared(&velocities);
        points += 1;
        for ((stronger, weaker), omega) in power.iter_mut().zip(&tried) {
            let (one, other) = (rotary_power(&signal, *omega * window.step_s), rotary_power(&signal, -*omega * window.step_s));
            *stronger += one.max(other);
            *weaker += one.min(other);
        }
    }
    if points == 0 {
        return Err(Unfit::TooFew);
    }
    let total = |of: &(f64, f64)| of.0 + of.1;
    let within = |omega: f64| omega >= band.low - STEP / 4.0 && omega <= band.high + STEP / 4.0;
    let in_band = tried.iter().zip(&power).filter(|(omega, _)| within(**omega));
    let (omega, at_peak) = in_band.max_by(|a, b| total(a.1).total_cmp(&total(b.1))).ok_or(Unfit::TooShort)?;
    // Slower than a circle is drift, faster is shaking: a peak must stand above both, and the stronger of the two sides counts.
    let mean = |side: &dyn Fn(f64) -> bool| {
        let beside: Vec<f64> = tried.iter().zip(&power).filter(|(omega, _)| side(**omega)).map(|(_, power)| total(power)).collect();
        if beside.is_empty() { 0.0 } else { beside.iter().sum::<f64>() / beside.len() as f64 }
    };
    let (slower, faster) = (mean(&|tried| tried <= omega - SPREAD + STEP / 4.0), mean(&|tried| tried >= omega + SPREAD - STEP / 4.0));
    let neighbourhood = slower.max(faster);
    let strength = total(at_peak);
    if !strength.is_finite() {
        return Err(Unfit::NotFinite);
    }
    // Below a hundredth of a mm/s there is no movement but rounding.
    if strength <= f64::from(points) * 1e-10 {
        return Err(Unfit::NoDirection);
    }
    Ok(Peak { omega: *omega, ratio: strength / neighbourhood.max(strength * 1e-6), chirality: (at_peak.0 - at_peak.1) / strength })
}

/// The velocities less their mean and trend, under a Hann window.
fn prepared(velocities: &[Point]) -> Vec<Point> {
    let number = velocities.len() as f64;
    let middle = (number - 1.0) / 2.0;
    let mean = velocities.iter().fold([0.0, 0.0], |sum, v| [sum[0] + v[0], sum[1] + v[1]]).map(|sum| sum / number);
    let spread: f64 = (0..velocities.len()).map(|k| (k as f64 - middle) * (k as f64 - middle)).sum();
    let slope = [0, 1].map(|axis| {
        let leaning: f64 = velocities.iter().enumerate().map(|(k, v)| (k as f64 - middle) * v[axis]).sum();
        if spread > 0.0 { leaning / spread } else { 0.0 }
    });
    let hann = |k: usize| 0.5 - 0.5 * libm::cos(TAU * (k as f64 + 0.5) / number);
    let left = |k: usize, v: &Point| [0, 1].map(|axis| hann(k) * (v[axis] - mean[axis] - slope[axis] * (k as f64 - middle)));
    velocities.iter().enumerate().map(|(k, v)| left(k, v)).collect()
}

/// |Σ u_k·exp(−i·angle·k)|² over the square of the number: the power that turns by `angle` a step, anticlockwise if positive.
fn rotary_power(signal: &[Point], angle: f64) -> f64 {
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    let (mut re, mut im) = (0.0, 0.0);
    // The unit vector that turns backwards; a few hundred turns lose no digit that counts.
    let (mut x, mut y) = (1.0, 0.0);
    for u in signal {
        re += u[0] * x - u[1] * y;
        im += u[0] * y + u[1] * x;
        (x, y) = (x * cos + y * sin, y * cos - x * sin);
    }
    let number = signal.len().max(1) as f64;
    (re * re + im * im) / (number * number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::dense::field::{Field, Lattice};

    const BAND: Band = Band { low: 0.25, high: 0.40 };

    /// `secs` seconds at 2 Hz on four points.
    fn of(secs: usize, velocity: impl Fn(usize, f64) -> Point) -> Result<Peak, Unfit> {
        let lattice = Lattice { origin: [0.0, 0.0], step_m: 1.5, columns: 2, rows: 2 };
        let field = |k: usize| Field { density: vec![5.0; 4], velocity: (0..4).map(|i| Some(velocity(i, k as f64 * 0.5))).collect() };
        let fields: Vec<Field> = (0..secs * 2).map(field).collect();
        peak(&Window { lattice: &lattice, fields: &fields, step_s: 0.5 }, BAND, 60.0, 0.5)
    }

    /// Noise without a favourite frequency, by a linear congruence.
    fn noise(i: usize, t: f64) -> Point {
        let mut x = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ ((t * 2.0) as u64).wrapping_mul(0xd1b5_4a32_d192_ed03);
        let mut next = || {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (x >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
        };
        [next() * 0.1, next() * 0.1]
    }

    #[test]
    fn circling_with_an_18_s_period_is_a_peak_of_one_sense() {
        let omega = TAU / 18.0;
        let circling = |i: usize, t: f64| {
            let sense = if i.is_multiple_of(2) { 1.0 } else { -1.0 };
            let (noise, phase) = (noise(i, t), i as f64);
            [0.05 * libm::cos(omega * t + phase) + noise[0], 0.05 * sense * libm::sin(omega * t + phase) + noise[1]]
        };
        let found = of(90, circling).unwrap();
        assert!((found.omega - omega).abs() < 0.05 && found.ratio > 5.0 && found.chirality > 0.8, "{found:?}");
    }

    #[test]
    fn shaking_to_and_fro_has_a_peak_but_no_sense() {
        let found = of(90, |i, t| [0.1 * libm::cos(0.35 * t + i as f64), 0.0]).unwrap();
        assert!(found.ratio > 5.0 && found.chirality < 0.1, "{found:?}");
    }

    #[test]
    fn noise_and_a_slow_drift_have_no_peak() {
        let found = of(90, noise).unwrap();
        assert!(found.ratio < 3.0, "{found:?}");
        let drift = of(90, |i, t| [0.3 * libm::sin(0.05 * t + i as f64), 0.0]).unwrap();
        assert!(drift.ratio < 1.5, "{drift:?}");
    }

    #[test]
    fn a_short_window_and_a_still_crowd_have_none() {
        assert_eq!(of(59, noise), Err(Unfit::TooShort));
        assert_eq!(of(90, |_, _| [0.0, 0.0]), Err(Unfit::NoDirection));
    }
}
