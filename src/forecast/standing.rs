//! What stands out for two steps is expected to go on.
//!
//! The idea: no sign tells more than three deviations, so a crowd of twice the usual would be followed at half its height. Where the newest two steps lie beyond that on one side, what the newest brought
//! beyond the usual is expected again in the next two: a voice of its own, heard as far as it fares well. It is what came that goes on and not its ratio to the usual: eight who wait before the doors
//! open are no multiple of the two hundred who come then. At some places it never goes on (two trains at once); where it seldom did it is not expected to ([`super::pulse`]).

use super::sight::unit;
use super::signs::WITHIN;

/// How many steps ahead; further it was no better than the usual.
pub const STANDING_STEPS: u32 = 2;
/// What came beyond the usual grows with it by no more than this factor.
const MOST_GROWTH: f64 = 2.0;

/// What a step brought, where that and the one before it lie beyond what a sign can tell, on the same side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StandsOut {
    came: f64,
    usual: f64,
}

impl StandsOut {
    /// Of what came and what was usual in a step and in the one before.
    pub fn new(newest: (f64, f64), before: (f64, f64), scale: f64) -> Option<Self> {
        let residual = |(came, usual): (f64, f64)| (came - usual) / unit(scale, usual);
        let (far, far_before) = (residual(newest), residual(before));
        (far.abs().min(far_before.abs()) > WITHIN && far * far_before > 0.0).then_some(Self { came: newest.0, usual: newest.1 })
    }

    /// What is expected where so many persons are usual: what came beyond the usual comes again, and more of it where more are usual.
    pub fn about(&self, usual: f64) -> f64 {
        let grows = ((usual + 1.0) / (self.usual + 1.0)).min(MOST_GROWTH);
        (usual + (self.came - self.usual) * grows).max(0.0)
    }

    /// Whether at least half of it was left in the next step, of what came and what was usual there.
    pub fn went_on(&self, (came, usual): (f64, f64)) -> bool {
        let beyond = self.about(usual) - usual;
        (came - usual) * beyond.signum() >= 0.5 * beyond.abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALE: f64 = 1.0;

    #[test]
    fn two_steps_on_one_side_stand_out_and_nothing_else_does() {
        let stands = |newest, before| StandsOut::new((newest, 100.0), (before, 100.0), SCALE).is_some();
        assert!(stands(140.0, 140.0) && stands(60.0, 60.0));
        assert!(!stands(140.0, 100.0) && !stands(100.0, 140.0) && !stands(140.0, 60.0) && !stands(120.0, 120.0));
    }

    #[test]
    fn what_came_beyond_the_usual_comes_again() {
        let surge = StandsOut::new((250.0, 100.0), (240.0, 100.0), SCALE).unwrap();
        assert_eq!(surge.about(100.0), 250.0);
        assert!((surge.about(150.0) - 375.0).abs() < 1.0, "more where more are usual");
        assert_eq!(surge.about(900.0), 1_200.0, "but no more than twice as much");
        let lull = StandsOut::new((20.0, 100.0), (30.0, 100.0), SCALE).unwrap();
        assert_eq!((lull.about(100.0), lull.about(20.0).round(), lull.about(0.0)), (20.0, 3.0, 0.0));
    }

    #[test]
    fn a_few_who_wait_before_the_doors_open_are_no_multiple_of_who_comes_then() {
        let early = StandsOut::new((8.0, 0.0), (8.0, 0.0), SCALE).unwrap();
        assert_eq!(early.about(200.0), 216.0);
        assert_eq!(early.about(0.0), 8.0);
    }

    #[test]
    fn it_went_on_where_half_of_it_was_left() {
        let surge = StandsOut::new((250.0, 100.0), (240.0, 100.0), SCALE).unwrap();
        assert!(surge.went_on((180.0, 100.0)) && !surge.went_on((170.0, 100.0)));
        let lull = StandsOut::new((20.0, 100.0), (30.0, 100.0), SCALE).unwrap();
        assert!(lull.went_on((55.0, 100.0)) && !lull.went_on((65.0, 100.0)));
    }
}
