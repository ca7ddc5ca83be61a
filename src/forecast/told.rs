//! A figure that may not be known, in four bytes: sights and issued steps hold them by the thousand.

use serde::{Deserialize, Serialize};

/// Persons, or nothing where nobody can say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Told(f32);

impl Told {
    /// Nobody can say.
    pub const NOTHING: Self = Self(-1.0);

    /// The figure, where it is known.
    pub fn get(self) -> Option<f64> {
        (self.0 >= 0.0).then_some(f64::from(self.0))
    }
}

impl From<f64> for Told {
    /// Fewer than nobody is no figure.
    fn from(persons: f64) -> Self {
        Self(persons as f32)
    }
}

impl From<Option<f64>> for Told {
    fn from(persons: Option<f64>) -> Self {
        persons.map_or(Self::NOTHING, Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_comes_back_and_nothing_stays_nothing() {
        assert_eq!(Told::from(Some(0.0)).get(), Some(0.0));
        assert_eq!(Told::from(12.5).get(), Some(12.5));
        assert_eq!((Told::from(None).get(), Told::from(-0.5).get(), Told::from(f64::NAN).get()), (None, None, None));
    }

    #[test]
    fn the_state_holds_it_in_four_bytes() {
        assert_eq!(postcard::to_stdvec(&Told::from(1.0)).unwrap(), 1.0f32.to_le_bytes());
    }
}
