//! What is remembered of a zone that a camera watches, and what each pane makes of it.
//!
//! The idea: snapshots become fields on one lattice at steps of half a second, and the last minute and a half of them is the window of every formula. Fields are kept in
//! whole mm/s and hundredths of persons/m², so that the state is small and its bytes do not hang on the last bit of a sum. A gap empties the window: a spectrum over a gap
//! would be one of the gap.

use super::chiral::{self, Band, Peak};
use super::field::{Field, Lattice, Window};
use super::frame::{Frame, Walker, velocities};
use super::polygon::{Point, Polygon, dot};
use super::stop_and_go::{self, Change, WaveSpec};
use super::unfit::Unfit;
use super::{congestion, counterflow, field, pressure};
use crate::time::{EventTime, Span};
use crate::window::Snapshot;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Points of a lattice at most: more tell no more of a zone, and the window is state.
const POINTS: usize = 64;

/// By what a zone's dense crowd is measured, from its profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// R of the kernel, m.
    pub radius_m: f64,
    /// From one point of the lattice to the next, m.
    pub cell_m: f64,
    /// From one field to the next.
    pub step: Span,
    /// How much of the past is looked at.
    pub window: Span,
    /// How much of it the spectrum needs, s.
    pub spectrum_s: f64,
    /// Where the spectrum's peak is looked for.
    pub band: Band,
    /// Below this speed nobody moves, m/s.
    pub least_m_s: f64,
    /// Movement must be so far along one axis to have a direction.
    pub least_order: f64,
    /// Over how long flow and density are compared.
    pub over: Span,
}

/// A frame of tracks in whole mm: (id, x, y).
type Frozen = Vec<(u64, i32, i32)>;

/// What is remembered of a zone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DenseState {
    /// The window, oldest first. A look ahead shares it.
    samples: Vec<Arc<Sample>>,
    /// The lattice: origin (mm), step (mm), columns and rows.
    lattice: (i64, i64, u32, u32, u32),
    /// Mean density and flow of the last panes: (end, density, flow).
    panes: Vec<(EventTime, f64, Option<f64>)>,
    /// The last frame of tracks, for the first velocities of the next pane.
    last: Vec<(EventTime, Frozen)>,
}

/// One field of the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sample {
    at: EventTime,
    /// Hundredths of persons/m².
    density: Vec<u16>,
    /// mm/s.
    velocity: Vec<Option<(i16, i16)>>,
}

/// What the physics says of a zone's pane. What has no value says why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DenseFigures {
    /// Fields of the pane.
    pub fields: u32,
    /// Mean density, persons/m².
    pub density: f64,
    /// The greatest local density, persons/m².
    pub greatest_density: f64,
    /// Specific flow along the stream, persons/m/s.
    pub flow: Result<f64, Unfit>,
    /// How flow and density have changed.
    pub change: Result<Change, Unfit>,
    /// Crowd pressure, s⁻².
    pub pressure: Result<f64, Unfit>,
    /// How many standard errors the waves of standing are from none.
    pub wave_z: Result<f64, Unfit>,
    /// Share of those who go against the stream.
    pub counterflow: Result<f64, Unfit>,
    /// The peak of the chiral spectrum.
    pub peak: Result<Peak, Unfit>,
    /// Congestion level.
    pub congestion: Result<f64, Unfit>,
}

impl DenseState {
    /// Goes on by the snapshots of a pane, in order of time; `None` where there was none.
    pub fn close<'a>(
        &mut self,
        end: EventTime,
        snapshots: impl Iterator<Item = (EventTime, &'a Snapshot)>,
        ground: Option<&Polygon>,
        measure: &Measure,
    ) -> Option<DenseFigures> {
        let snapshots: Vec<(EventTime, &Snapshot)> = snapshots.collect();
        let number = self.take(&snapshots, ground, measure);
        if number == 0 {
            if self.samples.last().is_some_and(|last| end.since(last.at) > measure.window) {
                *self = Self::default();
            }
            return None;
        }
        Some(self.figures(end, number, measure))
    }

    /// What the fast pane from `since` to `end` says, by the snapshots of the open pane up to its end, in order of time. It is a look ahead: nothing of it lasts, for the
    /// pane takes the same snapshots at its close. `None` where the fast pane has none of its own.
    ///
    /// Means are over the fields of a fast pane's length up to the newest; what needs a window has the whole of it.
    pub fn glimpse(
        &self,
        (since, end): (EventTime, EventTime),
        snapshots: &[(EventTime, &Snapshot)],
        ground: Option<&Polygon>,
        measure: &Measure,
    ) -> Option<DenseFigures> {
        snapshots.last().filter(|(at, _)| *at >= since)?;
        let mut ahead = self.clone();
        if ahead.take(snapshots, ground, measure) == 0 {
            return None;
        }
        let newest = ahead.samples.last()?.at;
        let number = ahead.samples.iter().rev().take_while(|sample| newest.since(sample.at) < end.since(since)).count();
        Some(ahead.figures(end, number, measure))
    }

    /// Takes snapshots into the window, and tells how many fields they made.
    fn take(&mut self, snapshots: &[(EventTime, &Snapshot)], ground: Option<&Polygon>, measure: &Measure) -> usize {
        let mut fresh = self.fields_of(snapshots, ground, measure);
        fresh.retain(|sample| self.samples.last().is_none_or(|last| sample.at > last.at));
        let number = fresh.len();
        if number == 0 {
            return 0;
        }
        for sample in fresh {
            let is_gap = self.samples.last().is_some_and(|last| sample.at.since(last.at) > measure.step.plus(measure.step));
            if is_gap {
                self.samples.clear();
            }
            self.samples.push(Arc::new(sample));
        }
        let newest = self.samples.last().map_or(EventTime::MIN, |sample| sample.at);
        self.samples.retain(|sample| newest.since(sample.at) < measure.window);
        number
    }

    fn figures(&mut self, end: EventTime, number: usize, measure: &Measure) -> DenseFigures {
        let lattice = self.lattice();
        let fields: Vec<Field> = self.samples.iter().map(|sample| sample.field()).collect();
        let recent = &fields[fields.len().saturating_sub(number)..];
        let window = Window { lattice: &lattice, fields: &fields, step_s: measure.step.as_secs_f64() };
        let mean = |of: &dyn Fn(&Field) -> Option<f64>| {
            let known: Vec<f64> = recent.iter().filter_map(of).collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        };
        let density = mean(&Field::mean_density).unwrap_or(0.0);
        let flow = mean(&|field| stream_flow(field, measure).ok()).ok_or(Unfit::TooFew);
        let before = self.panes.iter().rev().find(|(at, ..)| end.since(*at) >= measure.over);
        let change = match (before, flow) {
            (Some((_, before_density, Some(before_flow))), Ok(flow)) => stop_and_go::change((*before_flow, *before_density), (flow, density)),
            (None, _) => Err(Unfit::TooShort),
            _ => Err(Unfit::TooFew),
        };
        self.panes.push((end, density, flow.ok()));
        self.panes.retain(|(at, ..)| end.since(*at) <= measure.over.plus(measure.over));
        let movers = recent.iter().flat_map(counterflow::movers_of);
        let spec = WaveSpec { distance_m: 2.0, lag_s: 3.0, least_m_s: measure.least_m_s };
        let level = mean(&|field| congestion::congestion(&lattice, field, measure.least_m_s).ok().map(|found| found.level));
        DenseFigures {
            fields: u32::try_from(number).unwrap_or(u32::MAX),
            density,
            greatest_density: recent.iter().filter_map(Field::greatest_density).fold(0.0, f64::max),
            flow,
            change,
            pressure: pressure::pressure(&window).map(|found| found.greatest),
            wave_z: stop_and_go::wave(&window, &spec).map(|found| found.z),
            counterflow: counterflow::counterflow(movers, measure.least_m_s, measure.least_order).map(|found| found.share),
            peak: chiral::peak(&window, measure.band, measure.spectrum_s, measure.step.as_secs_f64()),
            congestion: level.ok_or(Unfit::TooSmall),
        }
    }

    /// The snapshots at the steps of the window, as fields.
    fn fields_of(&mut self, snapshots: &[(EventTime, &Snapshot)], ground: Option<&Polygon>, measure: &Measure) -> Vec<Sample> {
        let step = i64::try_from(measure.step.as_millis()).unwrap_or(i64::MAX).max(1);
        let mut samples: Vec<Sample> = Vec::new();
        let mut frames: Vec<(EventTime, Frame)> = self.last.drain(..).map(|(at, tracks)| (at, thawed(&tracks))).collect();
        for (at, snapshot) in snapshots {
            match snapshot {
                Snapshot::Grid(grid) => {
                    let (lattice, field) = blocks(grid);
                    self.settle(&lattice);
                    samples.push(Sample::of(*at, &field));
                }
                Snapshot::Tracks(tracks) => {
                    let walkers = tracks.iter().map(|track| Walker { id: track.id, at: [track.x_m, track.y_m] });
                    frames.push((*at, Frame::new(walkers.collect())));
                }
            }
        }
        if let Some(ground) = ground.filter(|_| frames.len() >= 3) {
            let lattice = Lattice::over(ground, measure.cell_m, POINTS);
            self.settle(&lattice);
            for three in frames.windows(3) {
                let over_s = three[2].0.since(three[0].0).as_secs_f64();
                let movers = if over_s <= 2.0 { velocities(&three[0].1, &three[1].1, &three[2].1, over_s) } else { Vec::new() };
                samples.push(Sample::of(three[1].0, &Field::of_tracks(&lattice, three[1].1.walkers(), &movers, measure.radius_m)));
            }
        }
        self.last = frames.iter().rev().take(2).rev().map(|(at, frame)| (*at, frozen(frame))).collect();
        // One field a step: the first of each.
        samples.dedup_by_key(|sample| sample.at.as_millis().div_euclid(step));
        samples
    }

    /// Another lattice begins the window anew.
    fn settle(&mut self, lattice: &Lattice) {
        let mm = |m: f64| libm::round(m * 1_000.0) as i64;
        let told = (mm(lattice.origin[0]), mm(lattice.origin[1]), mm(lattice.step_m) as u32, lattice.columns as u32, lattice.rows as u32);
        if self.lattice != told {
            self.samples.clear();
            self.lattice = told;
        }
    }

    fn lattice(&self) -> Lattice {
        let (x, y, step, columns, rows) = self.lattice;
        let m = |mm: i64| mm as f64 / 1_000.0;
        Lattice { origin: [m(x), m(y)], step_m: f64::from(step) / 1_000.0, columns: columns as usize, rows: rows as usize }
    }
}

impl Sample {
    fn of(at: EventTime, field: &Field) -> Self {
        let velocity = |v: &Option<Point>| v.map(|v| (libm::round(v[0] * 1_000.0) as i16, libm::round(v[1] * 1_000.0) as i16));
        Self { at, density: field.density.iter().map(|d| libm::round(d * 100.0) as u16).collect(), velocity: field.velocity.iter().map(velocity).collect() }
    }

    fn field(&self) -> Field {
        let velocity = |v: &Option<(i16, i16)>| v.map(|(x, y)| [f64::from(x) / 1_000.0, f64::from(y) / 1_000.0]);
        Field { density: self.density.iter().map(|d| f64::from(*d) / 100.0).collect(), velocity: self.velocity.iter().map(velocity).collect() }
    }
}

/// Specific flow along the stream, persons/m/s: the mean of ρ·v over the lattice, along its own direction.
fn stream_flow(of: &Field, measure: &Measure) -> Result<f64, Unfit> {
    let stream = of.mean_velocity().ok_or(Unfit::TooFew)?;
    let size = field::length(stream);
    // Below any movement the stream has no direction, but it has a flow: hardly any.
    if size < measure.least_m_s / 10.0 {
        return Ok(0.0);
    }
    let along = of.density.iter().zip(&of.velocity).filter_map(|(density, v)| v.map(|v| density * dot(v, stream) / size));
    let sum: f64 = along.sum();
    Ok(sum / of.density.len().max(1) as f64)
}

/// A grid as a field of at most so many points: blocks of cells are one point, by their mean.
fn blocks(grid: &crate::feeds::observation::Grid) -> (Lattice, Field) {
    let (nx, ny) = (grid.nx as usize, grid.ny as usize);
    let side = (1..).find(|side| nx.div_ceil(*side) * ny.div_ceil(*side) <= POINTS).unwrap_or(1);
    let (columns, rows) = (nx.div_ceil(side), ny.div_ceil(side));
    let whole = Field::of_grid(&grid.density, grid.velocity.as_ref().map(|(vx, vy)| (vx.as_slice(), vy.as_slice())));
    let mut part = Field::default();
    let block = |i: usize| {
        let (column, row) = (i % columns * side, i / columns * side);
        part.density.clear();
        part.velocity.clear();
        for y in row..(row + side).min(ny) {
            // A grid may tell fewer cells than its sides promise.
            let cells = (y * nx + column).min(whole.density.len())..(y * nx + (column + side).min(nx)).min(whole.density.len());
            part.density.extend_from_slice(&whole.density[cells.clone()]);
            part.velocity.extend_from_slice(&whole.velocity[cells]);
        }
        (part.mean_density().unwrap_or(0.0), part.mean_velocity())
    };
    let (density, velocity) = (0..columns * rows).map(block).unzip();
    let step_m = grid.cell_m * side as f64;
    (Lattice { origin: [step_m / 2.0, step_m / 2.0], step_m, columns, rows }, Field { density, velocity })
}

fn frozen(frame: &Frame) -> Frozen {
    frame.walkers().iter().map(|walker| (walker.id, libm::round(walker.at[0] * 1_000.0) as i32, libm::round(walker.at[1] * 1_000.0) as i32)).collect()
}

fn thawed(tracks: &[(u64, i32, i32)]) -> Frame {
    Frame::new(tracks.iter().map(|(id, x, y)| Walker { id: *id, at: [f64::from(*x) / 1_000.0, f64::from(*y) / 1_000.0] }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::observation::{Grid, Track};

    const MEASURE: Measure = Measure {
        radius_m: 1.0,
        cell_m: 1.5,
        step: Span::from_millis(500),
        window: Span::from_secs(90),
        spectrum_s: 60.0,
        band: Band { low: 0.25, high: 0.40 },
        least_m_s: 0.05,
        least_order: 0.3,
        over: Span::from_secs(120),
    };

    /// A grid of 6 x 4 cells that stream along x.
    fn grid(density: f64, speed: f64) -> Snapshot {
        Snapshot::Grid(Grid { cell_m: 1.0, nx: 6, ny: 4, density: vec![density; 24], velocity: Some((vec![speed; 24], vec![0.0; 24])) })
    }

    /// Closes panes of ten seconds, each with twenty snapshots, from the `from`th on.
    fn panes(state: &mut DenseState, from: i64, snapshots: &[Snapshot]) -> Vec<Option<DenseFigures>> {
        let close = |(n, snapshot): (usize, &Snapshot)| {
            let begin = (from + n as i64) * 10_000;
            let times: Vec<EventTime> = (0..20).map(|k| EventTime::from_millis(begin + k * 500)).collect();
            state.close(EventTime::from_millis(begin + 10_000), times.iter().map(|at| (*at, snapshot)), None, &MEASURE)
        };
        snapshots.iter().enumerate().map(close).collect()
    }

    #[test]
    fn a_measure_has_a_value_once_its_window_is_long_enough() {
        let found = panes(&mut DenseState::default(), 0, &vec![grid(3.0, 0.5); 14]);
        let (first, last) = (found[0].as_ref().unwrap(), found[13].as_ref().unwrap());
        assert_eq!((first.flow, first.density, first.counterflow), (Ok(1.5), 3.0, Ok(0.0)));
        assert_eq!((first.change, first.peak), (Err(Unfit::TooShort), Err(Unfit::TooShort)));
        assert_eq!((last.change, last.pressure), (Ok(Change { flow: 0.0, density: 0.0 }), Ok(0.0)));
    }

    #[test]
    fn a_flow_that_falls_while_the_density_rises_is_seen_over_two_minutes() {
        let found = panes(&mut DenseState::default(), 0, &[vec![grid(3.0, 0.5); 12], vec![grid(3.6, 0.25); 1]].concat());
        let change = found[12].as_ref().unwrap().change.unwrap();
        assert!((change.flow + 0.4).abs() < 1e-9 && (change.density - 0.2).abs() < 1e-9);
    }

    #[test]
    fn a_gap_begins_the_window_anew_and_silence_forgets_it() {
        let mut state = DenseState::default();
        panes(&mut state, 0, &vec![grid(3.0, 0.5); 9]);
        assert_eq!(panes(&mut state, 11, &[grid(3.0, 0.5)])[0].as_ref().unwrap().peak, Err(Unfit::TooShort));
        assert_eq!(state.close(EventTime::from_millis(900_000), std::iter::empty(), None, &MEASURE), None);
        assert_eq!(state, DenseState::default());
    }

    #[test]
    fn a_late_snapshot_changes_nothing_that_was_measured_after_it() {
        let (mut with, mut without) = (DenseState::default(), DenseState::default());
        panes(&mut with, 0, &vec![grid(3.0, 0.5); 9]);
        panes(&mut without, 0, &vec![grid(3.0, 0.5); 9]);
        let late = grid(9.0, 0.0);
        assert_eq!(with.close(EventTime::from_millis(90_000), std::iter::once((EventTime::from_millis(5_000), &late)), None, &MEASURE), None);
        assert_eq!(with, without);
    }

    #[test]
    fn tracks_become_a_field_over_the_zones_ground() {
        let ground = Polygon::rectangle([0.0, 0.0], [6.0, 3.0]).unwrap();
        let tracks = |k: i64| {
            Snapshot::Tracks((0..36).map(|i| Track { id: i, x_m: 0.25 + (i % 12) as f64 * 0.5 + 0.1 * k as f64, y_m: 0.5 + (i / 12) as f64 }).collect())
        };
        let mut state = DenseState::default();
        let seen: Vec<(EventTime, Snapshot)> = (0..8).map(|k| (EventTime::from_millis(k * 500), tracks(k))).collect();
        let found = state.close(EventTime::from_millis(10_000), seen.iter().map(|(at, snapshot)| (*at, snapshot)), Some(&ground), &MEASURE).unwrap();
        assert_eq!(found.fields, 6, "the first and the last frame have no velocity yet");
        let speed = found.flow.unwrap() / found.density;
        assert!((speed - 0.2).abs() < 0.02, "0.1 m in half a second: {speed}");
    }

    #[test]
    fn without_its_ground_tracks_are_not_measured() {
        let tracks = Snapshot::Tracks(vec![Track { id: 1, x_m: 0.0, y_m: 0.0 }]);
        let seen = [0, 500, 1_000].map(|at| (EventTime::from_millis(at), &tracks));
        assert_eq!(DenseState::default().close(EventTime::from_millis(10_000), seen.into_iter(), None, &MEASURE), None);
    }
}
