//! Who crosses a line, by their tracks.
//!
//! PedPy's definition (`compute_crossing_frames`): a step crosses when it passes over the line and does not end on it; a step that begins on the line counts then. So
//! nobody is counted twice for standing on it.

use super::frame::Frame;
use super::polygon::Point;

/// Persons who crossed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crossings {
    /// From the left of the way from `a` to `b` to its right.
    pub rightwards: u32,
    /// The other way.
    pub leftwards: u32,
}

/// Who crosses the line from `a` to `b` between two frames.
pub fn crossings(before: &Frame, after: &Frame, a: Point, b: Point) -> Crossings {
    let mut crossings = Crossings::default();
    for walker in after.walkers() {
        let Some(was) = before.find(walker.id) else { continue };
        let (from, to) = (side(a, b, was.at), side(a, b, walker.at));
        if to == 0.0 || (from > 0.0 && to > 0.0) || (from < 0.0 && to < 0.0) || !meets(was.at, walker.at, a, b) {
            continue;
        }
        if to < 0.0 {
            crossings.rightwards += 1;
        } else {
            crossings.leftwards += 1;
        }
    }
    crossings
}

/// Positive left of the way from `a` to `b`.
fn side(a: Point, b: Point, p: Point) -> f64 {
    (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
}

/// Whether the ends of the line lie on either side of the step, or on it.
fn meets(from: Point, to: Point, a: Point, b: Point) -> bool {
    let (one, other) = (side(from, to, a), side(from, to, b));
    from != to && (one >= 0.0) != (other > 0.0) || one == 0.0 || other == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::dense::frame::Walker;

    fn step(from: Point, to: Point) -> Crossings {
        let frame = |at| Frame::new(vec![Walker { id: 1, at }]);
        crossings(&frame(from), &frame(to), [0.0, 0.0], [0.0, 2.0])
    }

    #[test]
    fn a_step_over_the_line_counts_by_its_sense() {
        assert_eq!(step([-1.0, 1.0], [1.0, 1.0]), Crossings { rightwards: 1, leftwards: 0 });
        assert_eq!(step([1.0, 1.0], [-1.0, 1.2]), Crossings { rightwards: 0, leftwards: 1 });
    }

    #[test]
    fn past_its_end_or_short_of_it_nothing_is_crossed() {
        assert_eq!(step([-1.0, 3.0], [1.0, 3.0]), Crossings::default());
        assert_eq!(step([-1.0, 1.0], [-0.1, 1.0]), Crossings::default());
    }

    #[test]
    fn who_stops_on_the_line_crosses_with_the_next_step() {
        assert_eq!(step([-1.0, 1.0], [0.0, 1.0]), Crossings::default());
        assert_eq!(step([0.0, 1.0], [1.0, 1.0]).rightwards, 1);
    }
}
