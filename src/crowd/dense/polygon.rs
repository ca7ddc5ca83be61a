//! Simple polygons in metres: area, inside or not, and the cut by a straight line that keeps one person's part.
//!
//! The idea of the cut: a zone may be concave, so a line can cut it into several parts. The crossings of a simple polygon with a line, in their order along it, bound in
//! pairs the stretches that lie inside; walking the outline and jumping within a pair gives each part as a polygon of its own.

/// A point or a vector, m.
pub type Point = [f64; 2];

/// A simple polygon without holes, anticlockwise, at least three corners.
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon {
    corners: Vec<Point>,
}

/// The half plane of the points `p` with `normal · p ≤ offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalfPlane {
    /// Points out of it.
    pub normal: Point,
    /// Where its border lies along the normal, times the normal's length.
    pub offset: f64,
}

/// Where the outline crosses the line of a cut.
struct Crossing {
    at: Point,
    along: f64,
    /// The corner before it.
    behind: usize,
    /// Whether the outline comes in here.
    enters: bool,
}

impl Polygon {
    /// A polygon of these corners in either sense; `None` with fewer than three, without area, or with a corner that is not finite.
    pub fn new(mut corners: Vec<Point>) -> Option<Self> {
        let area = signed_area(&corners);
        if corners.len() < 3 || !area.is_finite() || area == 0.0 {
            return None;
        }
        if area < 0.0 {
            corners.reverse();
        }
        Some(Self { corners })
    }

    /// The rectangle from `low` to `high`.
    pub fn rectangle(low: Point, high: Point) -> Option<Self> {
        Self::new(vec![low, [high[0], low[1]], high, [low[0], high[1]]])
    }

    /// Its corners, anticlockwise.
    pub fn corners(&self) -> &[Point] {
        &self.corners
    }

    /// Its area, m².
    pub fn area(&self) -> f64 {
        signed_area(&self.corners)
    }

    /// The smallest rectangle around it, as its lowest and highest corner.
    pub fn bounds(&self) -> (Point, Point) {
        let fold = |axis: usize, better: fn(f64, f64) -> f64, from: f64| self.corners.iter().map(|corner| corner[axis]).fold(from, better);
        let low = [fold(0, f64::min, f64::INFINITY), fold(1, f64::min, f64::INFINITY)];
        (low, [fold(0, f64::max, f64::NEG_INFINITY), fold(1, f64::max, f64::NEG_INFINITY)])
    }

    /// Whether a point lies in it, by the parity of the edges to its right.
    pub fn contains(&self, point: Point) -> bool {
        let mut inside = false;
        for (a, b) in edges(&self.corners) {
            if (a[1] > point[1]) != (b[1] > point[1]) && point[0] < a[0] + (point[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) {
                inside = !inside;
            }
        }
        inside
    }

    /// The parts of it in a half plane.
    pub fn cut(&self, half: HalfPlane) -> Vec<Self> {
        let depth: Vec<f64> = self.corners.iter().map(|corner| dot(half.normal, *corner) - half.offset).collect();
        if depth.iter().all(|depth| *depth <= 0.0) {
            return vec![self.clone()];
        }
        self.parts(&depth, &self.crossings(half, &depth))
    }

    /// The part of it in a half plane that holds `point`, or comes nearest to it where rounding has put the point on the border.
    pub fn cut_around(&self, half: HalfPlane, point: Point) -> Option<Self> {
        let mut parts = self.cut(half);
        if parts.len() > 1
            && let Some(place) = parts.iter().position(|part| part.contains(point))
        {
            return Some(parts.swap_remove(place));
        }
        parts.into_iter().next()
    }

    /// The area that it has in common with a convex polygon, m².
    pub fn area_in(&self, convex: &Self) -> f64 {
        let mut parts = vec![self.clone()];
        for (a, b) in edges(&convex.corners) {
            let half = HalfPlane::left_of(a, b);
            parts = parts.iter().flat_map(|part| part.cut(half)).collect();
        }
        parts.iter().map(Self::area).sum()
    }

    /// The crossings, in their order along the line.
    fn crossings(&self, half: HalfPlane, depth: &[f64]) -> Vec<Crossing> {
        let along = [-half.normal[1], half.normal[0]];
        let mut crossings = Vec::new();
        for (behind, (a, b)) in edges(&self.corners).enumerate() {
            let (here, there) = (depth[behind], depth[(behind + 1) % depth.len()]);
            if (here <= 0.0) == (there <= 0.0) {
                continue;
            }
            let share = here / (here - there);
            let at = [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
            crossings.push(Crossing { at, along: dot(along, at), behind, enters: here > 0.0 });
        }
        crossings.sort_by(|a, b| a.along.total_cmp(&b.along));
        crossings
    }

    /// Walks each part: from a crossing inwards along the outline to one outwards, over the cut to its partner, and so on until it closes.
    fn parts(&self, depth: &[f64], crossings: &[Crossing]) -> Vec<Self> {
        let mut is_done = vec![false; crossings.len()];
        let mut parts = Vec::new();
        for first in 0..crossings.len() {
            let mut outline = Vec::new();
            let mut from = first;
            while let Some(crossing) = crossings.get(from).filter(|crossing| crossing.enters && !is_done[from]) {
                is_done[from] = true;
                outline.push(crossing.at);
                let mut corner = (crossing.behind + 1) % depth.len();
                while depth[corner] <= 0.0 {
                    outline.push(self.corners[corner]);
                    corner = (corner + 1) % depth.len();
                }
                let before = (corner + depth.len() - 1) % depth.len();
                let Some(out) = crossings.iter().position(|crossing| !crossing.enters && crossing.behind == before) else { break };
                outline.push(crossings[out].at);
                from = out ^ 1;
            }
            parts.extend(Self::new(outline));
        }
        parts
    }
}

impl HalfPlane {
    /// What is nearer to `own` than to `other`.
    pub fn nearer_to(own: Point, other: Point) -> Self {
        let normal = [other[0] - own[0], other[1] - own[1]];
        Self { normal, offset: (dot(other, other) - dot(own, own)) / 2.0 }
    }

    /// What lies left of the way from `a` to `b`.
    pub fn left_of(a: Point, b: Point) -> Self {
        let normal = [b[1] - a[1], a[0] - b[0]];
        Self { normal, offset: dot(normal, a) }
    }
}

pub(super) fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

fn edges(corners: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    corners.iter().copied().zip(corners.iter().copied().cycle().skip(1))
}

/// The shoelace formula, from the first corner so that far-off coordinates cost no digits.
fn signed_area(corners: &[Point]) -> f64 {
    let Some(origin) = corners.first().copied() else { return 0.0 };
    let from = |p: Point| [p[0] - origin[0], p[1] - origin[1]];
    let twice: f64 = edges(corners).map(|(a, b)| (from(a), from(b))).map(|(a, b)| a[0] * b[1] - a[1] * b[0]).sum();
    twice / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn square(side: f64) -> Polygon {
        Polygon::rectangle([0.0, 0.0], [side, side]).unwrap()
    }

    /// A comb with two teeth upwards, 1 wide and 2 high, on a back of 3 × 1.
    fn comb() -> Polygon {
        Polygon::new(vec![[0.0, 0.0], [3.0, 0.0], [3.0, 3.0], [2.0, 3.0], [2.0, 1.0], [1.0, 1.0], [1.0, 3.0], [0.0, 3.0]]).unwrap()
    }

    #[test]
    fn area_and_sense_do_not_hang_on_how_the_corners_are_listed() {
        let clockwise = Polygon::new(vec![[0.0, 0.0], [0.0, 2.0], [2.0, 2.0], [2.0, 0.0]]).unwrap();
        assert_eq!((clockwise.area(), square(2.0).area(), comb().area()), (4.0, 4.0, 7.0));
        assert_eq!(Polygon::new(vec![[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]), None, "a line has no area");
    }

    #[test]
    fn a_concave_polygon_falls_into_parts_and_the_one_around_the_person_is_kept() {
        let above = HalfPlane { normal: [0.0, -1.0], offset: -2.0 };
        let areas: Vec<f64> = comb().cut(above).iter().map(Polygon::area).collect();
        assert_eq!(areas, [1.0, 1.0], "two teeth");
        let right = comb().cut_around(above, [2.5, 2.5]).unwrap();
        assert!(right.contains([2.5, 2.5]) && right.area() == 1.0);
    }

    #[test]
    fn a_cut_beyond_leaves_all_or_nothing() {
        assert_eq!(square(1.0).cut(HalfPlane { normal: [1.0, 0.0], offset: 5.0 }), [square(1.0)]);
        assert!(square(1.0).cut(HalfPlane { normal: [1.0, 0.0], offset: -5.0 }).is_empty());
    }

    #[test]
    fn a_cut_through_a_corner_is_clean() {
        let parts = square(2.0).cut(HalfPlane::left_of([0.0, 0.0], [2.0, 2.0]));
        assert_eq!((parts.len(), parts[0].area()), (1, 2.0));
    }

    proptest! {
        #[test]
        fn what_a_cut_gives_to_one_side_it_takes_from_the_other(angle in 0.0f64..6.3, offset in -1.0f64..4.0) {
            let normal = [libm::cos(angle), libm::sin(angle)];
            let area = |half: HalfPlane| comb().cut(half).iter().map(Polygon::area).sum::<f64>();
            let (one, other) = (HalfPlane { normal, offset }, HalfPlane { normal: [-normal[0], -normal[1]], offset: -offset });
            prop_assert!((area(one) + area(other) - 7.0).abs() < 1e-9);
        }
    }
}
