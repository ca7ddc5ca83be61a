//! Dense-crowd physics: what tracks and grids tell of a crowd that heads and areas do not (crowd-science §2.4).
//!
//! The idea: tracks and grids both become one thing, a [`Field`]: density and velocity at the points of a [`Lattice`]. A window of fields is all that the physics
//! asks for, so that a camera which follows heads and one which sees only a flowing mass are judged by the same formulas. Every function is pure, sums in the order
//! of its inputs, and answers [`Unfit`] where its formula does not hold, never a number that looks like one.
//!
//! ```text
//!   tracks ─► velocities ─┐                       ┌─► pressure        ρ·Var(V)
//!     frame               ├─► field ─► window ────┼─► stop-and-go     speed here, then speed upstream
//!   grids ────────────────┘   kernel              ├─► counterflow     share of the minority
//!     cells (Voronoi), crossings: from tracks     ├─► chiral          peak of the rotary spectrum
//!     voronoi, line                               └─► congestion      spread of the rotation
//! ```
//!
//! [`watch`] keeps a zone's window from pane to pane.
//!
//! Compared with PedPy on real data: `tests/oracles/pedpy_figures.py` writes what it says, `tests/it/dense_physics.rs` holds the two together.

pub mod chiral;
pub mod congestion;
pub mod counterflow;
pub mod field;
pub mod frame;
pub mod line;
pub mod polygon;
pub mod pressure;
pub mod stop_and_go;
pub mod unfit;
pub mod voronoi;
pub mod watch;

pub use field::{Field, Lattice, Window};
pub use frame::{Frame, Mover, Walker};
pub use polygon::{Point, Polygon};
pub use unfit::Unfit;
pub use watch::{DenseFigures, DenseState, Measure};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::dense::{chiral::Band, stop_and_go::WaveSpec, voronoi::cells};

    /// Three hundred persons on a bent lattice who drift.
    fn crowd(k: u32) -> Frame {
        let place = |i: u32| {
            let (i, k) = (f64::from(i), f64::from(k));
            let (column, row) = (i % 20.0, libm::floor(i / 20.0));
            [0.4 + column * 0.5 + 0.1 * libm::sin(i * 1.7 + 0.01 * k), 0.4 + row * 0.5 + 0.1 * libm::cos(i * 2.3 + 0.013 * k)]
        };
        Frame::new((0..300).map(|i| Walker { id: u64::from(i), at: place(i) }).collect())
    }

    /// Everything that the physics has, on 300 tracks at 25 frames/s. Run with `--release -- --ignored --nocapture` for a figure worth quoting.
    #[test]
    #[ignore = "measures time"]
    #[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
    fn measure_three_hundred_tracks() {
        let zone = Polygon::rectangle([0.0, 0.0], [10.4, 8.0]).unwrap();
        let lattice = Lattice::over(&zone, 1.5, 64);
        let frames: Vec<Frame> = (0..25 * 100).map(crowd).collect();
        let start = std::time::Instant::now();
        let mut fields: Vec<Field> = Vec::new();
        let mut sum = 0.0;
        for (k, frame) in frames.iter().enumerate().skip(5).take(frames.len() - 10) {
            let movers = frame::velocities(&frames[k - 5], frame, &frames[k + 5], 0.4);
            let field = Field::of_tracks(&lattice, frame.walkers(), &movers, 1.0);
            let cells = cells(frame, &zone, None);
            sum += voronoi::density(&cells, &zone) + cells.len() as f64;
            sum += counterflow::counterflow(counterflow::movers_of(&field), 0.1, 0.3).map_or(0.0, |found| found.share);
            sum += congestion::congestion(&lattice, &field, 0.05).map_or(0.0, |found| found.level);
            if k % 12 == 0 {
                fields.push(field);
            }
            // The window's measures at each close of a pane of ten seconds, over the last ninety.
            if k % 250 == 0 {
                let window = Window { lattice: &lattice, fields: &fields[fields.len().saturating_sub(188)..], step_s: 0.48 };
                sum += pressure::pressure(&window).map_or(0.0, |found| found.greatest);
                sum += stop_and_go::wave(&window, &WaveSpec { distance_m: 2.0, lag_s: 3.0, least_m_s: 0.05 }).map_or(0.0, |found| found.z);
                sum += chiral::peak(&window, Band { low: 0.25, high: 0.40 }, 60.0, 0.5).map_or(0.0, |found| found.ratio);
            }
        }
        let (seconds, took) = (frames.len() as f64 / 25.0, start.elapsed().as_secs_f64());
        println!("{seconds} s of 300 tracks at 25 Hz in {took:.2} s: {:.0} times real time ({sum:.0})", seconds / took);
    }
}
