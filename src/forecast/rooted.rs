//! A count as the long memories hold it: 32·√persons in 16 bits.
//!
//! That is finer than a twentieth of a Poisson deviation at every size, up to 4 million persons a step.

use serde::{Deserialize, Serialize};

/// Steps per √person.
const GRAIN: f64 = 32.0;

/// Persons per step, or nothing where none are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Rooted(u16);

impl Rooted {
    /// Nothing known.
    pub(super) const NOTHING: Self = Self(u16::MAX);
    /// Nobody.
    pub(super) const NOBODY: Self = Self(0);

    /// Of so many persons; of more than it can hold it holds the most.
    pub(super) fn of(persons: f64) -> Self {
        Self((GRAIN * persons.max(0.0).sqrt()).round().min(f64::from(u16::MAX - 1)) as u16)
    }

    /// Persons, where they are known.
    pub(super) fn known(self) -> Option<f64> {
        (self != Self::NOTHING).then(|| self.persons())
    }

    /// Persons, for who knows that they are known.
    pub(super) fn persons(self) -> f64 {
        let root = f64::from(self.0) / GRAIN;
        root * root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_finer_than_a_twentieth_of_a_poisson_deviation() {
        for persons in [0.0, 1.0, 7.3, 100.0, 12_345.0, 1e6] {
            let off = (Rooted::of(persons).persons() - persons).abs();
            assert!(off <= 0.05 * f64::max(persons, 1.0).sqrt(), "{persons}: {off}");
        }
    }

    #[test]
    fn the_most_is_not_taken_for_nothing() {
        assert!(Rooted::of(1e12).known().is_some_and(|persons| persons > 4e6));
        assert_eq!(Rooted::of(-5.0), Rooted::NOBODY);
        assert_eq!(Rooted::NOTHING.known(), None);
    }
}
