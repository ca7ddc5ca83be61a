//! A dense crowd as a camera's grid tells it: density and velocity by cell, every half second, from a few numbers.
//!
//! What is invented: everything but the numbers that the script gives. A stream with a mean speed, waves of standing that run against it at 0.6 m/s, shaking without a
//! favourite direction, and circling of one sense in patches: enough for each formula of [`crate::crowd::dense`] to meet what it looks for, or not.

use serde::Deserialize;
use std::f64::consts::TAU;
use xxhash_rust::xxh3::xxh3_64;

/// A dense crowd at one time. The stream goes along x.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Crowding {
    /// Cells along x.
    pub nx: u32,
    /// Cells along y.
    pub ny: u32,
    /// Side of a cell, m.
    pub cell_m: f64,
    /// Mean density, persons/m².
    pub density: f64,
    /// Mean speed of the stream, m/s.
    pub speed_m_s: f64,
    /// Amplitude of the waves of standing, as a share of the speed.
    pub wave: f64,
    /// Shaking, m/s: one standard deviation of each component.
    pub shake_m_s: f64,
    /// Circling with a period of 18 s, m/s.
    pub circle_m_s: f64,
    /// Share of those who go against the stream; they hold one side of it.
    pub against: f64,
}

/// Waves of standing: 8 m long, running upstream at 0.6 m/s.
const WAVE_M: f64 = 8.0;
const WAVE_M_S: f64 = 0.6;
const CIRCLE_S: f64 = 18.0;

/// The grid of one instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cells {
    /// Persons/m².
    pub density: Vec<f64>,
    /// m/s along x.
    pub vx: Vec<f64>,
    /// m/s along y.
    pub vy: Vec<f64>,
}

impl Crowding {
    /// Between this and a later one, `share` of the way. The grid stays as it is.
    pub fn towards(&self, later: &Self, share: f64) -> Self {
        let between = |from: f64, to: f64| from + (to - from) * share;
        Self {
            density: between(self.density, later.density),
            speed_m_s: between(self.speed_m_s, later.speed_m_s),
            wave: between(self.wave, later.wave),
            shake_m_s: between(self.shake_m_s, later.shake_m_s),
            circle_m_s: between(self.circle_m_s, later.circle_m_s),
            against: between(self.against, later.against),
            ..*self
        }
    }

    /// The cells at `t_s` seconds of some fixed clock. The same numbers give the same cells.
    pub fn cells(&self, seed: u64, t_s: f64) -> Cells {
        let mut cells = Cells::default();
        for row in 0..self.ny {
            for column in 0..self.nx {
                let (x, i) = (f64::from(column) * self.cell_m, u64::from(row) * 1_000 + u64::from(column));
                let noise = |salt: u64| normal(seed ^ salt, i, libm::floor(t_s * 2.0) as i64);
                let phase = TAU * (x + WAVE_M_S * t_s) / WAVE_M;
                let is_against = f64::from(row) + 0.5 > (1.0 - self.against) * f64::from(self.ny);
                let along = self.speed_m_s * (1.0 + self.wave * libm::sin(phase)) * if is_against { -1.0 } else { 1.0 };
                // Patches of 2 x 2 cells circle together, neighbours in the other sense.
                let (patch, turn) = (f64::from(row / 2 + column / 2), TAU * t_s / CIRCLE_S);
                let sense = if (row / 2 + column / 2) % 2 == 0 { 1.0 } else { -1.0 };
                cells.density.push(three_digits((self.density * (1.0 - 0.2 * self.wave * libm::sin(phase)) * (1.0 + 0.03 * noise(1))).max(0.0)));
                cells.vx.push(three_digits(along + self.circle_m_s * libm::cos(turn + patch) + self.shake_m_s * noise(2)));
                cells.vy.push(three_digits(sense * self.circle_m_s * libm::sin(turn + patch) + self.shake_m_s * noise(3)));
            }
        }
        cells
    }
}

fn three_digits(value: f64) -> f64 {
    libm::round(value * 1_000.0) / 1_000.0
}

/// A normal number that hangs on nothing but its place and time (Box and Muller over a hash).
fn normal(seed: u64, place: u64, tick: i64) -> f64 {
    let unit = |salt: u8| {
        let mut bytes = [0; 25];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&place.to_le_bytes());
        bytes[16..24].copy_from_slice(&tick.to_le_bytes());
        bytes[24] = salt;
        ((xxh3_64(&bytes) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    libm::sqrt(-2.0 * libm::log(unit(0))) * libm::cos(TAU * unit(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: Crowding = Crowding { nx: 10, ny: 4, cell_m: 1.0, density: 4.0, speed_m_s: 0.5, wave: 0.0, shake_m_s: 0.05, circle_m_s: 0.0, against: 0.25 };

    #[test]
    fn the_cells_are_those_that_the_numbers_ask_for() {
        let cells = STREAM.cells(7, 12.5);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        assert_eq!((cells.density.len(), cells.vx.len(), cells.vy.len()), (40, 40, 40));
        assert!((mean(&cells.density) - 4.0).abs() < 0.1 && (mean(&cells.vx[..30]) - 0.5).abs() < 0.05);
        assert!(cells.vx[30..].iter().all(|v| *v < 0.0), "a quarter goes the other way");
        assert_eq!(cells, STREAM.cells(7, 12.5));
        assert_ne!(cells, STREAM.cells(8, 12.5));
    }

    #[test]
    fn between_two_times_the_crowd_is_between_both() {
        let later = Crowding { density: 6.0, speed_m_s: 0.1, ..STREAM };
        assert_eq!(STREAM.towards(&later, 0.5).density, 5.0);
    }
}
