//! The two ways in which what comes deviates from what is usual, and what there is one of for each.
//!
//! The idea: a place can be no emptier than empty, while a crowd knows no bounds; so too many and too few have windows, thresholds and budgets of their own throughout.

use serde::{Deserialize, Serialize};

/// In which way something stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deviation {
    /// More come than expected.
    Surge,
    /// Fewer come.
    Shortfall,
}

impl Deviation {
    /// That of a figure that is above 0 where more came.
    pub const fn of(off: f64) -> Self {
        if off < 0.0 { Self::Shortfall } else { Self::Surge }
    }

    /// How far a figure that is above 0 where more came is off in this way.
    pub const fn along(self, off: f64) -> f64 {
        match self {
            Self::Surge => off,
            Self::Shortfall => -off,
        }
    }
}

/// Something of surges, and the same of shortfalls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Directed<T> {
    /// Of more than expected.
    pub surge: T,
    /// Of fewer.
    pub shortfall: T,
}

impl<T> Directed<T> {
    /// That of one way.
    pub fn of(self, deviation: Deviation) -> T {
        match deviation {
            Deviation::Surge => self.surge,
            Deviation::Shortfall => self.shortfall,
        }
    }

    /// What `make` makes of both.
    pub fn map<U>(self, make: impl Fn(T) -> U) -> Directed<U> {
        Directed { surge: make(self.surge), shortfall: make(self.shortfall) }
    }

    /// What `make` makes of this and another, way by way.
    pub fn with<O, U>(self, other: Directed<O>, make: impl Fn(T, O) -> U) -> Directed<U> {
        Directed { surge: make(self.surge, other.surge), shortfall: make(self.shortfall, other.shortfall) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_off_in_the_way_of_its_sign() {
        assert_eq!((Deviation::of(2.0), Deviation::of(0.0), Deviation::of(-2.0)), (Deviation::Surge, Deviation::Surge, Deviation::Shortfall));
        assert_eq!((Deviation::Surge.along(2.0), Deviation::Shortfall.along(2.0)), (2.0, -2.0));
    }

    #[test]
    fn the_state_holds_it_in_a_byte() {
        let stored = [Deviation::Surge, Deviation::Shortfall].map(|deviation| postcard::to_stdvec(&deviation).unwrap());
        assert_eq!(stored, [vec![0], vec![1]]);
    }
}
