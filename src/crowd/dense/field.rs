//! Density and velocity at the points of a lattice, from tracks by a Gaussian kernel or from a grid as it is; and a window of such fields.
//!
//! Local density `ρ(r) = Σ_j f(|r − r_j|)` with `f(d) = exp(−d²/R²) / (πR²)`, local velocity `V(r) = Σ_j v_j f / Σ_j f` (Helbing, Johansson and Al-Abideen, Phys. Rev. E 75,
//! 046109, 2007; Moussaïd, Helbing and Theraulaz, PNAS 108, 2011, with R = 0.7 m). PedPy's Gaussian profile is the same kernel told by its full width at half maximum, 2R·√ln 2.

use super::frame::{Mover, Walker};
use super::polygon::{Point, Polygon};
use super::unfit::Unfit;

/// Beyond this many R a person adds less than 2·10⁻⁷ of what they add where they stand, and is left out.
const REACH: f64 = 4.0;

/// Points on a square grid, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Lattice {
    /// The first point, m.
    pub origin: Point,
    /// From one to the next, m.
    pub step_m: f64,
    /// Points a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
}

/// Density and velocity at the points of a lattice, at one instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field {
    /// Persons/m², by point.
    pub density: Vec<f64>,
    /// m/s, by point; `None` where nobody near has a velocity.
    pub velocity: Vec<Option<Point>>,
}

/// Fields of one lattice at equal steps of time, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Where.
    pub lattice: &'a Lattice,
    /// What.
    pub fields: &'a [Field],
    /// From one to the next, s.
    pub step_s: f64,
}

impl Lattice {
    /// The lattice over a zone's bounds, its points in the middle of squares of `step_m`; coarser where there would be more than `most` points.
    pub fn over(zone: &Polygon, step_m: f64, most: usize) -> Self {
        let (low, high) = zone.bounds();
        let (width, height) = (high[0] - low[0], high[1] - low[1]);
        let across = |length: f64, step: f64| ((length / step) as usize).max(1);
        let mut step = step_m;
        while across(width, step) * across(height, step) > most.max(1) {
            step *= 1.25;
        }
        let (columns, rows) = (across(width, step), across(height, step));
        let first = |low: f64, length: f64, points: usize| low + (length - (points - 1) as f64 * step) / 2.0;
        Self { origin: [first(low[0], width, columns), first(low[1], height, rows)], step_m: step, columns, rows }
    }

    /// How many points it has.
    pub const fn len(&self) -> usize {
        self.columns * self.rows
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `i`th point.
    pub fn point(&self, i: usize) -> Point {
        let (column, row) = (i % self.columns.max(1), i / self.columns.max(1));
        [self.origin[0] + column as f64 * self.step_m, self.origin[1] + row as f64 * self.step_m]
    }

    /// The point that lies `columns` and `rows` from the `i`th, if it is one of the lattice.
    pub fn beside(&self, i: usize, columns: i64, rows: i64) -> Option<usize> {
        let (column, row) = ((i % self.columns.max(1)) as i64 + columns, (i / self.columns.max(1)) as i64 + rows);
        let is_within = column >= 0 && row >= 0 && column < self.columns as i64 && row < self.rows as i64;
        is_within.then_some((row * self.columns as i64 + column) as usize)
    }
}

impl Field {
    /// The field of tracks: everybody counts for the density, who has a velocity for the velocity.
    pub fn of_tracks(lattice: &Lattice, walkers: &[Walker], movers: &[Mover], radius_m: f64) -> Self {
        let density = (0..lattice.len()).map(|i| local_density(lattice.point(i), walkers, radius_m)).collect();
        let velocity = (0..lattice.len()).map(|i| local_velocity(lattice.point(i), movers, radius_m)).collect();
        Self { density, velocity }
    }

    /// The field of a grid as a sensor tells it. Without velocities it has none.
    pub fn of_grid(density: &[f64], velocity: Option<(&[f64], &[f64])>) -> Self {
        let at = |i: usize| velocity.and_then(|(vx, vy)| Some([*vx.get(i)?, *vy.get(i)?])).filter(|v| v[0].is_finite() && v[1].is_finite());
        Self { density: density.to_vec(), velocity: (0..density.len()).map(at).collect() }
    }

    /// The greatest density, persons/m².
    pub fn greatest_density(&self) -> Option<f64> {
        self.density.iter().copied().filter(|density| density.is_finite()).max_by(f64::total_cmp)
    }

    /// The mean density, persons/m².
    pub fn mean_density(&self) -> Option<f64> {
        let sum: f64 = self.density.iter().sum();
        (!self.density.is_empty() && sum.is_finite()).then(|| sum / self.density.len() as f64)
    }

    /// The velocity of the crowd as a whole, m/s: by persons, that is weighted by density.
    pub fn mean_velocity(&self) -> Option<Point> {
        let mut sum = [0.0, 0.0];
        let mut persons = 0.0;
        for (density, velocity) in self.density.iter().zip(&self.velocity) {
            if let Some(velocity) = velocity {
                sum = [sum[0] + density * velocity[0], sum[1] + density * velocity[1]];
                persons += density;
            }
        }
        (persons > 0.0).then(|| [sum[0] / persons, sum[1] / persons])
    }
}

impl Window<'_> {
    /// How much time it spans, s.
    pub fn span_s(&self) -> f64 {
        self.fields.len().saturating_sub(1) as f64 * self.step_s
    }

    /// Whether it spans at least `least_s` in steps of at most `most_step_s`.
    ///
    /// # Errors
    /// [`Unfit::TooShort`], [`Unfit::TooSeldom`].
    pub fn asks_for(&self, least_s: f64, most_step_s: f64) -> Result<(), Unfit> {
        if self.step_s.is_nan() || self.step_s <= 0.0 || self.step_s > most_step_s {
            return Err(Unfit::TooSeldom);
        }
        if self.span_s() + self.step_s < least_s { Err(Unfit::TooShort) } else { Ok(()) }
    }

    /// The velocities at one point; `None` where any is missing.
    pub fn velocities_at(&self, point: usize) -> Option<Vec<Point>> {
        self.fields.iter().map(|field| field.velocity.get(point).copied().flatten()).collect()
    }

    /// The mean density at one point, persons/m².
    pub fn density_at(&self, point: usize) -> f64 {
        let sum: f64 = self.fields.iter().filter_map(|field| field.density.get(point)).sum();
        sum / self.fields.len().max(1) as f64
    }
}

/// Local density at a point, persons/m².
pub fn local_density(at: Point, walkers: &[Walker], radius_m: f64) -> f64 {
    walkers.iter().map(|walker| kernel(at, walker.at, radius_m)).sum::<f64>() / (std::f64::consts::PI * radius_m * radius_m)
}

/// Local velocity at a point, m/s; `None` where nobody is near enough to count.
pub fn local_velocity(at: Point, movers: &[Mover], radius_m: f64) -> Option<Point> {
    let mut sum = [0.0, 0.0];
    let mut weight = 0.0;
    for mover in movers {
        let near = kernel(at, mover.at, radius_m);
        sum = [sum[0] + near * mover.velocity[0], sum[1] + near * mover.velocity[1]];
        weight += near;
    }
    (weight > 0.0).then(|| [sum[0] / weight, sum[1] / weight])
}

/// Local speed at a point, m/s: the mean of speeds, not the length of the mean velocity. PedPy's Gaussian speed profile.
pub fn local_speed(at: Point, movers: &[Mover], radius_m: f64) -> Option<f64> {
    let (mut sum, mut weight) = (0.0, 0.0);
    for mover in movers {
        let near = kernel(at, mover.at, radius_m);
        sum += near * length(mover.velocity);
        weight += near;
    }
    (weight > 0.0).then(|| sum / weight)
}

/// exp(−d²/R²) within reach.
fn kernel(at: Point, of: Point, radius_m: f64) -> f64 {
    let (x, y) = (at[0] - of[0], at[1] - of[1]);
    let scaled = (x * x + y * y) / (radius_m * radius_m);
    if scaled <= REACH * REACH { libm::exp(-scaled) } else { 0.0 }
}

pub(super) fn length(vector: Point) -> f64 {
    libm::sqrt(vector[0] * vector[0] + vector[1] * vector[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn walkers(points: &[Point]) -> Vec<Walker> {
        points.iter().enumerate().map(|(id, at)| Walker { id: id as u64, at: *at }).collect()
    }

    #[test]
    fn one_person_is_one_over_pi_r_squared_where_they_stand() {
        assert!((local_density([0.0, 0.0], &walkers(&[[0.0, 0.0]]), 0.7) - 1.0 / (PI * 0.49)).abs() < 1e-12);
    }

    #[test]
    fn the_density_adds_up_to_the_persons() {
        let lattice = Lattice { origin: [-5.0, -5.0], step_m: 0.1, columns: 101, rows: 101 };
        let field = Field::of_tracks(&lattice, &walkers(&[[0.0, 0.0], [0.3, 1.0]]), &[], 1.0);
        let persons: f64 = field.density.iter().sum::<f64>() * 0.01;
        assert!((persons - 2.0).abs() < 1e-5, "{persons}");
        assert!(field.velocity.iter().all(Option::is_none));
    }

    #[test]
    fn the_local_velocity_is_that_of_who_is_near() {
        let mover = |id, at, velocity| Mover { id, at, velocity };
        let movers = [mover(0, [0.0, 0.0], [1.0, 0.0]), mover(1, [10.0, 0.0], [-1.0, 0.0])];
        assert_eq!(local_velocity([0.1, 0.0], &movers, 1.0), Some([1.0, 0.0]));
        assert_eq!(local_velocity([5.0, 50.0], &movers, 1.0), None);
        let between = [mover(0, [0.0, 0.0], [1.0, 0.0]), mover(1, [1.0, 0.0], [-1.0, 0.0])];
        assert_eq!((local_velocity([0.5, 0.0], &between, 1.0), local_speed([0.5, 0.0], &between, 1.0)), (Some([0.0, 0.0]), Some(1.0)));
    }

    #[test]
    fn a_lattice_fills_the_bounds_evenly_and_is_never_too_fine() {
        let zone = Polygon::rectangle([0.0, 0.0], [6.0, 3.0]).unwrap();
        let lattice = Lattice::over(&zone, 1.5, 64);
        assert_eq!((lattice.columns, lattice.rows, lattice.point(0), lattice.point(7)), (4, 2, [0.75, 0.75], [5.25, 2.25]));
        assert!(Lattice::over(&zone, 0.01, 64).len() <= 64);
        assert_eq!((lattice.beside(0, 1, 1), lattice.beside(0, -1, 0), lattice.beside(7, 1, 0)), (Some(5), None, None));
    }

    #[test]
    fn a_window_must_be_long_and_dense_enough() {
        let lattice = Lattice { origin: [0.0, 0.0], step_m: 1.0, columns: 1, rows: 1 };
        let fields = vec![Field::default(); 120];
        let window = |step_s| Window { lattice: &lattice, fields: &fields, step_s };
        assert_eq!(window(0.5).asks_for(60.0, 0.5), Ok(()));
        assert_eq!(window(0.4).asks_for(60.0, 0.5), Err(Unfit::TooShort));
        assert_eq!(window(1.0).asks_for(60.0, 0.5), Err(Unfit::TooSeldom));
    }
}
