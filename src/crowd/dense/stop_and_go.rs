//! Stop-and-go: waves of standing that run against the stream, and a flow that falls while the density rises.
//!
//! A wave runs upstream at about 0.6 m/s (Helbing 2007): who stops here has them stop 2 m behind some 3 s later. So the speed here goes with the speed upstream after that
//! lag, and does so more than with the speed downstream after the same lag, which rules out that the whole crowd just speeds up and slows down together.

use super::field::{Window, length};
use super::polygon::{Point, dot};
use super::unfit::Unfit;
use serde::{Deserialize, Serialize};

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WaveSpec {
    /// How far upstream, m.
    pub distance_m: f64,
    /// How much later, s.
    pub lag_s: f64,
    /// Mean speed below which there is no stream, m/s.
    pub least_m_s: f64,
}

/// How far speeds follow a wave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wave {
    /// Correlation of the speed at a point with that upstream, later.
    pub upstream: f64,
    /// Correlation with that downstream, as much later.
    pub downstream: f64,
    /// How many standard errors the difference of both is from none (Fisher's z; as independent count pairs of points, once per lag).
    pub z: f64,
}

/// The wave over the window, all pairs of points together.
///
/// # Errors
/// [`Unfit::TooShort`] with fewer than four lags, [`Unfit::NoDirection`] without a stream, [`Unfit::TooSmall`] where the
/// lattice is too coarse, or no point has one upstream and one downstream.
pub fn wave(window: &Window<'_>, spec: &WaveSpec) -> Result<Wave, Unfit> {
    let stream = stream(window).filter(|stream| length(*stream) >= spec.least_m_s).ok_or(Unfit::NoDirection)?;
    let (columns, rows) = step_upstream(window.lattice.step_m, stream, spec.distance_m);
    // The lattice has no point just so far upstream: the wave has its speed, so the lag goes with the distance that there is.
    let distance_m = length([columns as f64, rows as f64]) * window.lattice.step_m;
    if distance_m > 1.6 * spec.distance_m {
        return Err(Unfit::TooSmall);
    }
    let lag = libm::round(spec.lag_s * distance_m / spec.distance_m / window.step_s);
    if lag.is_nan() || lag < 1.0 {
        return Err(Unfit::TooSeldom);
    }
    let lag = lag as usize;
    if window.fields.len() < 4 * lag {
        return Err(Unfit::TooShort);
    }
    let speeds: Vec<Option<Vec<f64>>> = (0..window.lattice.len()).map(|i| window.velocities_at(i).map(|v| anomalies(&v, stream))).collect();
    let (mut upstream, mut downstream, mut pairs) = (Sums::default(), Sums::default(), 0_u32);
    for i in 0..window.lattice.len() {
        let speed = |columns, rows| speeds[window.lattice.beside(i, columns, rows)?].as_ref();
        let (Some(here), Some(up), Some(down)) = (speeds[i].as_ref(), speed(columns, rows), speed(-columns, -rows)) else { continue };
        upstream.add(here, &up[lag..]);
        downstream.add(here, &down[lag..]);
        pairs += 1;
    }
    if pairs == 0 {
        return Err(Unfit::TooSmall);
    }
    let (up, down) = (upstream.correlation().ok_or(Unfit::NoDirection)?, downstream.correlation().ok_or(Unfit::NoDirection)?);
    let independent = f64::from(pairs) * (window.fields.len() / lag - 1) as f64;
    let z = (fisher(up) - fisher(down)) / libm::sqrt(2.0 / (independent - 3.0).max(1.0));
    Ok(Wave { upstream: up, downstream: down, z })
}

/// What a stream did between two times: shares of its flow and density.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The flow's change as a share of what it was: −0.3 is thirty in a hundred less.
    pub flow: f64,
    /// The density's.
    pub density: f64,
}

/// The change from one (flow, density) to a later one.
///
/// # Errors
/// [`Unfit::TooFew`] where nobody flowed or stood before.
pub fn change(before: (f64, f64), after: (f64, f64)) -> Result<Change, Unfit> {
    let ratio = |before: f64, after: f64| if before > 0.0 { Ok(after / before - 1.0) } else { Err(Unfit::TooFew) };
    let change = Change { flow: ratio(before.0, after.0)?, density: ratio(before.1, after.1)? };
    if change.flow.is_finite() && change.density.is_finite() { Ok(change) } else { Err(Unfit::NotFinite) }
}

#[derive(Default)]
struct Sums {
    both: f64,
    first: f64,
    second: f64,
}

impl Sums {
    fn add(&mut self, here: &[f64], later: &[f64]) {
        for (a, b) in here.iter().zip(later) {
            self.both += a * b;
            self.first += a * a;
            self.second += b * b;
        }
    }

    /// Held just below ±1, where Fisher's z has no value.
    fn correlation(&self) -> Option<f64> {
        let scale = libm::sqrt(self.first * self.second);
        (scale > 0.0).then(|| (self.both / scale).clamp(-0.999, 0.999))
    }
}

fn fisher(correlation: f64) -> f64 {
    libm::atanh(correlation)
}

/// The mean velocity over window and lattice.
fn stream(window: &Window<'_>) -> Option<Point> {
    let means: Vec<Point> = window.fields.iter().filter_map(super::field::Field::mean_velocity).collect();
    let sum = means.iter().fold([0.0, 0.0], |sum, mean| [sum[0] + mean[0], sum[1] + mean[1]]);
    (!means.is_empty()).then(|| sum.map(|sum| sum / means.len() as f64))
}

/// How many columns and rows of the lattice come nearest to so far upstream, at least one step.
fn step_upstream(step_m: f64, stream: Point, distance_m: f64) -> (i64, i64) {
    let steps = (distance_m / step_m).max(1.0) / length(stream);
    (-libm::round(stream[0] * steps) as i64, -libm::round(stream[1] * steps) as i64)
}

/// The speed along the stream, less its own mean.
fn anomalies(velocities: &[Point], stream: Point) -> Vec<f64> {
    let size = length(stream);
    let along: Vec<f64> = velocities.iter().map(|velocity| dot(*velocity, stream) / size).collect();
    let mean = along.iter().sum::<f64>() / along.len() as f64;
    along.iter().map(|speed| speed - mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::dense::field::{Field, Lattice};

    const SPEC: WaveSpec = WaveSpec { distance_m: 2.0, lag_s: 3.0, least_m_s: 0.05 };

    /// Sixty seconds of a stream in +x on a row of ten points 1 m apart.
    fn of(speed: impl Fn(f64, f64) -> f64) -> Result<Wave, Unfit> {
        let lattice = Lattice { origin: [0.0, 0.0], step_m: 1.0, columns: 10, rows: 1 };
        let velocity = |i: usize, k: usize| Some([speed(lattice.point(i)[0], k as f64 * 0.5), 0.0]);
        let fields: Vec<Field> = (0..120).map(|k| Field { density: vec![5.0; 10], velocity: (0..10).map(|i| velocity(i, k)).collect() }).collect();
        wave(&Window { lattice: &lattice, fields: &fields, step_s: 0.5 }, &SPEC)
    }

    #[test]
    fn a_wave_that_runs_upstream_is_found() {
        // Speed along x + (2/3)·t: a crest at x is at x − 2 three seconds later.
        let found = of(|x, t| 0.4 + 0.3 * libm::sin(0.9 * (x + t * 2.0 / 3.0))).unwrap();
        assert!(found.upstream > 0.95 && found.z > 3.0, "{found:?}");
    }

    #[test]
    fn a_wave_that_is_carried_downstream_is_none() {
        let found = of(|x, t| 0.4 + 0.3 * libm::sin(0.9 * (x - t * 2.0 / 3.0))).unwrap();
        assert!(found.z < 0.0, "{found:?}");
    }

    #[test]
    fn a_crowd_that_slows_down_as_a_whole_is_none() {
        let found = of(|_, t| 0.4 + 0.3 * libm::sin(0.4 * t)).unwrap();
        assert!(found.z.abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn without_a_stream_there_is_no_upstream() {
        assert_eq!(of(|x, t| 0.01 * libm::sin(x + t)), Err(Unfit::NoDirection));
    }

    #[test]
    fn a_change_is_a_share_of_what_was() {
        let found = change((1.0, 4.0), (0.7, 4.4)).unwrap();
        assert!((found.flow + 0.3).abs() < 1e-12 && (found.density - 0.1).abs() < 1e-12);
        assert_eq!(change((0.0, 4.0), (0.5, 4.0)), Err(Unfit::TooFew));
    }
}
