//! Chance from a seed: the only source of it, so that a night is a function of its seed.
//!
//! Each part of the night draws from a stream of its own: another noise of the sensors leaves the people where they were. What is not exact in
//! IEEE arithmetic goes through `libm`, so that every machine draws the same.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The part of a night that draws.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Script,
    People,
    Movement,
    Devices,
    Rail,
    Breakage,
}

/// A stream of chance.
#[derive(Debug)]
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of one part of one venue's night.
    pub(crate) fn new(seed: u64, venue: &str, part: Part) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ xxhash_rust::xxh3::xxh3_64(venue.as_bytes()));
        rng.set_stream(part as u64);
        Self(rng)
    }

    /// From 0 to 1, without 1.
    pub(crate) fn unit(&mut self) -> f64 {
        const SCALE: f64 = 1.0 / (1u64 << 53) as f64;
        (self.0.next_u64() >> 11) as f64 * SCALE
    }

    /// From `lo` to `hi`, without `hi`.
    pub(crate) fn between(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * self.unit()
    }

    /// A whole number from `lo` to `hi`, without `hi`.
    pub(crate) fn whole(&mut self, lo: u32, hi: u32) -> u32 {
        let width = u64::from(hi.saturating_sub(lo));
        lo + ((u64::from(self.0.next_u32()) * width) >> 32) as u32
    }

    /// A position in a list of that length; 0 for an empty one.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        self.whole(0, u32::try_from(len).unwrap_or(u32::MAX)) as usize
    }

    /// Yes, with probability `p`.
    pub(crate) fn happens(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Normally distributed (Box and Muller).
    pub(crate) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        mean + deviation * radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Around 1, never below 0, with that deviation of the logarithm.
    pub(crate) fn factor(&mut self, deviation: f64) -> f64 {
        libm::exp(self.normal(0.0, deviation))
    }

    /// Exponentially distributed.
    pub(crate) fn wait(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// Beta distributed with whole parameters (at most 16 together): the `a`-th smallest of `a + b - 1` uniform draws.
    pub(crate) fn beta(&mut self, a: usize, b: usize) -> f64 {
        let mut draws = [2.0; 16];
        let count = (a + b - 1).min(draws.len());
        for draw in &mut draws[..count] {
            *draw = self.unit();
        }
        draws[..count].sort_unstable_by(f64::total_cmp);
        draws[a.clamp(1, count) - 1]
    }

    /// How many of `n` it happens to, each with probability `p`.
    pub(crate) fn share(&mut self, n: u32, p: f64) -> u32 {
        (0..n).map(|_| u32::from(self.happens(p))).sum()
    }

    /// A position by weight; the last one where all weights are zero.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights.len().saturating_sub(1)
    }
}
