//! Why a measure of dense-crowd physics has no value.

use serde::{Deserialize, Serialize};

/// Why there is no value. A figure outside its formula's validity would mislead more than none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    /// Fewer persons than the measure needs.
    TooFew,
    /// The window is shorter than the measure needs.
    TooShort,
    /// Frames come too seldom.
    TooSeldom,
    /// Frames are missing within the window, or their steps differ.
    Gaps,
    /// Nobody moves, or everybody in another way: there is no common direction.
    NoDirection,
    /// The lattice is too small: a derivative or a neighbour upstream needs more points.
    TooSmall,
    /// A value is not finite.
    NotFinite,
}

impl Unfit {
    /// The word in outputs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooFew => "too_few",
            Self::TooShort => "too_short",
            Self::TooSeldom => "too_seldom",
            Self::Gaps => "gaps",
            Self::NoDirection => "no_direction",
            Self::TooSmall => "too_small",
            Self::NotFinite => "not_finite",
        }
    }
}
