//! Frames of tracks, and how fast the persons in them move.

use super::polygon::Point;

/// One person in one frame. Ids belong to one session of one sensor and name nobody.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Walker {
    /// The track's id.
    pub id: u64,
    /// Where, m in the zone's frame.
    pub at: Point,
}

/// Everybody seen at one instant, in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    walkers: Vec<Walker>,
}

/// One person with a velocity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mover {
    /// The track's id.
    pub id: u64,
    /// Where, m.
    pub at: Point,
    /// Velocity, m/s.
    pub velocity: Point,
}

impl Frame {
    /// A frame of these persons. Of an id that comes twice the first is kept, and what is not finite is left out.
    pub fn new(mut walkers: Vec<Walker>) -> Self {
        walkers.retain(|walker| walker.at[0].is_finite() && walker.at[1].is_finite());
        walkers.sort_by_key(|walker| walker.id);
        walkers.dedup_by_key(|walker| walker.id);
        Self { walkers }
    }

    /// Everybody, in the order of their ids.
    pub fn walkers(&self) -> &[Walker] {
        &self.walkers
    }

    /// The person of that id.
    pub fn find(&self, id: u64) -> Option<Walker> {
        self.walkers.binary_search_by_key(&id, |walker| walker.id).ok().map(|place| self.walkers[place])
    }
}

/// The velocity of everybody who is in all three frames: `v(t) = (x(t+Δ) − x(t−Δ)) / (2Δ)`, with `over_s` = 2Δ from `past` to `future`.
///
/// That is PedPy's individual velocity with its borders excluded; who has just come or is about to go has none.
pub fn velocities(past: &Frame, now: &Frame, future: &Frame, over_s: f64) -> Vec<Mover> {
    let of = |walker: &Walker| {
        let (from, to) = (past.find(walker.id)?.at, future.find(walker.id)?.at);
        Some(Mover { id: walker.id, at: walker.at, velocity: [(to[0] - from[0]) / over_s, (to[1] - from[1]) / over_s] })
    };
    if over_s > 0.0 { now.walkers.iter().filter_map(of).collect() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(walkers: &[(u64, f64, f64)]) -> Frame {
        Frame::new(walkers.iter().map(|(id, x, y)| Walker { id: *id, at: [*x, *y] }).collect())
    }

    #[test]
    fn a_velocity_spans_from_the_frame_before_to_the_frame_after() {
        let movers = velocities(&frame(&[(7, 0.0, 0.0)]), &frame(&[(7, 0.4, 0.0)]), &frame(&[(7, 1.0, -0.5)]), 0.5);
        assert_eq!(movers, [Mover { id: 7, at: [0.4, 0.0], velocity: [2.0, -1.0] }]);
    }

    #[test]
    fn who_is_missing_in_one_of_the_frames_has_no_velocity() {
        let all = frame(&[(1, 0.0, 0.0), (2, 0.0, 0.0)]);
        assert_eq!(velocities(&frame(&[(2, 0.0, 0.0)]), &all, &all, 1.0).len(), 1);
        assert!(velocities(&all, &all, &all, 0.0).is_empty(), "two frames of one instant tell no velocity");
    }

    #[test]
    fn a_frame_does_not_hang_on_the_order_in_which_tracks_come() {
        assert_eq!(frame(&[(2, 1.0, 1.0), (1, 0.0, 0.0), (3, f64::NAN, 0.0)]), frame(&[(1, 0.0, 0.0), (2, 1.0, 1.0)]));
    }
}
