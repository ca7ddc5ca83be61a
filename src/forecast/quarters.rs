//! Which quarter of its levels an expected count lies in: the quietest quarter of all that is expected of a way at a venue, the next, the one above, the busiest.
//!
//! The idea: an octave tells few persons from many, but a place whose counts lie all between two octaves has its quiet and its busy hours too. The levels are counted in eighths of an octave, and
//! old counts halve; the edges of the quarters follow.

use serde::{Deserialize, Serialize};

/// Levels are told apart by so many parts of an octave of persons + 1, over so many octaves.
const PARTS: f64 = 8.0;
const LEVELS: usize = 192;
/// From so many levels on, the older half of them fades.
const REMEMBERED: u32 = 20_000;
/// Before so many levels there are no quarters.
const KNOWN: u32 = 40;

/// How often each level was expected, and where its quarters lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quarters {
    levels: Vec<u32>,
    seen: u32,
    /// The first level of the second, third and fourth quarter, once enough levels are known.
    edges: Option<[u8; 3]>,
}

impl Default for Quarters {
    fn default() -> Self {
        Self { levels: vec![0; LEVELS], seen: 0, edges: None }
    }
}

impl Quarters {
    /// Whether it is of the size that this binary uses; a stored one may not be.
    pub fn is_sound(&self) -> bool {
        self.levels.len() == LEVELS && self.levels.iter().map(|seen| u64::from(*seen)).sum::<u64>() == u64::from(self.seen)
    }

    /// The quarter of `expected` persons, 0 to 3; `None` while too few levels are known.
    pub fn of(&self, expected: f64) -> Option<usize> {
        let level = level(expected);
        self.edges.map(|edges| edges.iter().filter(|edge| level >= usize::from(**edge)).count())
    }

    /// Counts a level.
    pub fn count(&mut self, expected: f64) {
        self.levels[level(expected)] += 1;
        self.seen += 1;
    }

    /// Lets the edges follow what was counted.
    pub fn settle(&mut self) {
        if self.seen > REMEMBERED {
            self.levels.iter_mut().for_each(|seen| *seen /= 2);
            self.seen = self.levels.iter().sum();
        }
        if self.seen < KNOWN {
            return;
        }
        let mut found = [0; 3];
        let (mut below, mut edges) = (0, (1..).zip(&mut found).peekable());
        for (level, seen) in (0..).zip(&self.levels) {
            // A level belongs to the quarter in which its middle lies.
            while let Some((_, edge)) = edges.next_if(|(quarters, _)| 2 * (2 * below + seen) >= quarters * self.seen) {
                *edge = level;
            }
            below += seen;
        }
        self.edges = Some(found);
    }
}

/// The level of so many persons.
fn level(expected: f64) -> usize {
    ((libm::log2(expected.max(0.0) + 1.0) * PARTS) as usize).min(LEVELS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(levels: impl IntoIterator<Item = f64>) -> Quarters {
        let mut quarters = Quarters::default();
        for expected in levels {
            quarters.count(expected);
            quarters.settle();
        }
        quarters
    }

    #[test]
    fn a_quarter_of_what_is_expected_lies_in_each() {
        let all: Vec<f64> = (0..4_000).map(|place| 20_000.0 + 5.0 * f64::from(place * 7 % 4_000)).collect();
        let quarters = after(all.iter().copied());
        let mut held = [0; 4];
        all.iter().for_each(|expected| held[quarters.of(*expected).unwrap()] += 1);
        assert!(held.iter().all(|held| (700..1_300).contains(held)), "{held:?}");
    }

    #[test]
    fn before_some_levels_are_known_there_are_none() {
        assert_eq!(after((0..39).map(f64::from)).of(5.0), None);
        assert!(after((0..40).map(f64::from)).of(5.0).is_some());
    }

    #[test]
    fn where_nearly_nobody_ever_comes_the_busy_hours_are_still_told_apart() {
        let quarters = after((0..1_000).map(|place| if place % 10 == 0 { 30.0 } else { 0.0 }));
        assert!(quarters.of(0.0) < quarters.of(30.0), "{quarters:?}");
    }

    #[test]
    fn the_edges_follow_a_place_that_has_grown() {
        let mut quarters = after((0..20_000).map(|place| f64::from(place % 100)));
        let before = quarters.of(300.0);
        for place in 0..60_000 {
            quarters.count(1_000.0 + f64::from(place % 1_000));
            quarters.settle();
        }
        assert_eq!((before, quarters.of(300.0)), (Some(3), Some(0)));
    }

    proptest! {
        #[test]
        fn more_is_never_in_a_lower_quarter(levels in proptest::collection::vec(0.0f64..1e6, 40..200), less in 0.0f64..1e6, more in 0.0f64..1e6) {
            let quarters = after(levels);
            prop_assert!(quarters.of(less.min(more)) <= quarters.of(less.max(more)));
        }
    }
}
