//! Voronoi cells: the ground that is nearer to one person than to any other, cut to the zone; and the density that follows.
//!
//! By PedPy's definition (`compute_individual_voronoi_polygons`, `compute_voronoi_density`): a cell is the Voronoi cell cut to the walkable area, of which the part that
//! holds the person is kept, and on request cut to a circle drawn by a polygon; the density of a measurement area M is `Σ_i |V_i ∩ M| / |V_i| / |M|`.
//!
//! The neighbours come from the Delaunay triangulation (`delaunator`, with robust predicates); a cell is the zone cut by the bisector to each of them.

use super::frame::{Frame, Walker};
use super::polygon::{HalfPlane, Point, Polygon};
use std::f64::consts::FRAC_PI_2;

/// One person's ground.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Whose.
    pub walker: Walker,
    /// The ground.
    pub ground: Polygon,
}

/// A circle beyond which no ground belongs to anybody: it keeps single persons in a wide zone from owning all of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cutoff {
    /// The circle's radius, m.
    pub radius_m: f64,
    /// Straight lines that draw a quarter of it.
    pub quarter_segments: u32,
}

/// The cells of everybody within the zone, in the order of the frame. Who stands outside it has none and shapes nobody's.
pub fn cells(frame: &Frame, zone: &Polygon, cutoff: Option<Cutoff>) -> Vec<Cell> {
    let inside: Vec<Walker> = frame.walkers().iter().copied().filter(|walker| zone.contains(walker.at)).collect();
    let neighbours = neighbours(&inside);
    let cell = |(walker, near): (&Walker, &Vec<usize>)| {
        let bisectors = near.iter().map(|other| inside[*other].at).filter(|other| *other != walker.at).map(|other| HalfPlane::nearer_to(walker.at, other));
        let mut ground = zone.clone();
        for half in bisectors {
            ground = ground.cut_around(half, walker.at)?;
        }
        for half in cutoff.iter().flat_map(|cutoff| cutoff.sides(walker.at)) {
            ground = ground.cut_around(half, walker.at)?;
        }
        Some(Cell { walker: *walker, ground })
    };
    inside.iter().zip(&neighbours).filter_map(cell).collect()
}

/// The density of a convex measurement area, persons/m²: each person counts there by the share of their ground that lies in it.
pub fn density(cells: &[Cell], area: &Polygon) -> f64 {
    let persons: f64 = cells.iter().map(|cell| cell.ground.area_in(area) / cell.ground.area()).sum();
    persons / area.area()
}

impl Cutoff {
    /// The sides of the polygon that stands for the circle, its corners on the circle as PedPy (shapely's buffer) draws it.
    fn sides(self, centre: Point) -> impl Iterator<Item = HalfPlane> {
        let step = FRAC_PI_2 / f64::from(self.quarter_segments.max(1));
        let corner = move |k: u32| {
            let angle = f64::from(k) * step;
            [centre[0] + self.radius_m * libm::cos(angle), centre[1] + self.radius_m * libm::sin(angle)]
        };
        (0..4 * self.quarter_segments.max(1)).map(move |k| HalfPlane::left_of(corner(k), corner(k + 1)))
    }
}

/// By person, the persons whose ground may touch theirs, in rising order.
///
/// Where there is no triangulation (fewer than three persons, all in one line, two on one spot) everybody is a neighbour: more bisectors cost time and change nothing.
fn neighbours(walkers: &[Walker]) -> Vec<Vec<usize>> {
    let points: Vec<delaunator::Point> = walkers.iter().map(|walker| delaunator::Point { x: walker.at[0], y: walker.at[1] }).collect();
    let mut near: Vec<Vec<usize>> = vec![Vec::new(); walkers.len()];
    let triangulation = delaunator::triangulate(&points);
    for corners in triangulation.triangles.chunks_exact(3) {
        for (a, b) in [(0, 1), (1, 2), (2, 0)] {
            near[corners[a]].push(corners[b]);
            near[corners[b]].push(corners[a]);
        }
    }
    for (own, near) in near.iter_mut().enumerate() {
        if near.is_empty() {
            near.extend((0..walkers.len()).filter(|other| *other != own));
        }
        near.sort_unstable();
        near.dedup();
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(points: &[Point]) -> Frame {
        Frame::new(points.iter().enumerate().map(|(id, at)| Walker { id: id as u64, at: *at }).collect())
    }

    fn square(side: f64) -> Polygon {
        Polygon::rectangle([0.0, 0.0], [side, side]).unwrap()
    }

    fn areas(points: &[Point], zone: &Polygon) -> Vec<f64> {
        cells(&frame(points), zone, None).iter().map(|cell| cell.ground.area()).collect()
    }

    #[test]
    fn one_person_has_the_zone_two_halve_it_and_a_row_shares_it() {
        assert_eq!(areas(&[[1.0, 3.0]], &square(4.0)), [16.0]);
        assert_eq!(areas(&[[1.0, 2.0], [3.0, 2.0]], &square(4.0)), [8.0, 8.0]);
        assert_eq!(areas(&[[0.5, 2.0], [1.5, 2.0], [2.5, 2.0], [3.5, 2.0]], &square(4.0)), [4.0; 4], "all in one line");
    }

    #[test]
    fn who_stands_outside_has_no_ground_and_takes_none() {
        assert_eq!(areas(&[[1.0, 2.0], [9.0, 2.0]], &square(4.0)), [16.0]);
    }

    #[test]
    fn a_cutoff_bounds_the_ground_of_a_lonely_person() {
        let cutoff = Cutoff { radius_m: 1.0, quarter_segments: 3 };
        let lonely = cells(&frame(&[[5.0, 5.0]]), &square(10.0), Some(cutoff));
        assert!((lonely[0].ground.area() - 3.0).abs() < 1e-9, "a dodecagon in the unit circle has 3 m²");
    }

    #[test]
    fn around_a_corner_only_the_part_with_the_person_counts() {
        // A wall between two rooms that are joined at the bottom.
        let zone = Polygon::new(vec![[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [2.1, 4.0], [2.1, 1.0], [1.9, 1.0], [1.9, 4.0], [0.0, 4.0]]).unwrap();
        let cells = cells(&frame(&[[1.0, 3.5], [1.8, 0.2]]), &zone, None);
        assert!(cells[0].ground.bounds().1[0] <= 1.9, "the far room is not the ground of who stands in the near one");
    }

    #[test]
    fn the_density_counts_shares_of_persons() {
        let cells = cells(&frame(&[[1.0, 2.0], [3.0, 2.0]]), &square(4.0), None);
        let middle = Polygon::rectangle([1.0, 1.0], [3.0, 3.0]).unwrap();
        assert_eq!(density(&cells, &middle), 2.0 * (2.0 / 8.0) / 4.0);
    }

    proptest! {
        #[test]
        fn the_grounds_fill_a_convex_zone(points in prop::collection::vec((0.01f64..9.99, 0.01f64..9.99), 1..60)) {
            let mut points: Vec<Point> = points.iter().map(|(x, y)| [*x, *y]).collect();
            points.dedup();
            let sum: f64 = areas(&points, &square(10.0)).iter().sum();
            prop_assert!((sum - 100.0).abs() < 1e-6, "{sum}");
        }
    }
}
