//! Where each thing stands in a row of `midan-features-2`: what the flow model is shown of one series (docs/FEATURES.md, "`midan-features-2`").
//!
//! The core fills the rows by these names (`forecast::tensor`); [`super::track`] and [`super::drift`] read them by the same.

use super::ask::HORIZONS;
use std::ops::Range;

/// Signs per horizon.
pub const SIGNS: usize = 16;
/// By horizon: its signs.
pub const OF_SIGNS: Range<usize> = 0..HORIZONS * SIGNS;
/// By horizon: what was learnt here, in deviations.
pub const CORRECTION: Range<usize> = after(OF_SIGNS.end);
/// By horizon: ln(plain forecast + 1); −1 where there is none.
pub const PLAIN: Range<usize> = after(CORRECTION.end);
/// By horizon: the usual spread against the unit, as a logarithm.
pub const SPREAD: Range<usize> = after(PLAIN.end);
/// ln of the scale of the series' deviations.
pub const SCALE: usize = SPREAD.end;
/// ln of the plain forecast against the mean size.
pub const LEVEL: usize = SCALE + 1;
/// ln(mean size + 1).
pub const SIZE: usize = LEVEL + 1;
/// Days that taught what is usual, in tens.
pub const TAUGHT: usize = SIZE + 1;
/// ln(newest count + 1); −1 where it is a gap.
pub const NEWEST: usize = TAUGHT + 1;
/// Of the time: ln(step / 300 s), sine and cosine of the time of the day, Saturday, Sunday.
pub const TIME: Range<usize> = NEWEST + 1..NEWEST + 6;
/// See [`TIME`].
pub const STEP: usize = TIME.start;
/// See [`TIME`].
pub const SIN: usize = STEP + 1;
/// See [`TIME`].
pub const COS: usize = SIN + 1;
/// How wide a row is.
pub const WIDTH: usize = TIME.end;

/// One number for each horizon from `start` on.
const fn after(start: usize) -> Range<usize> {
    start..start + HORIZONS
}

/// The place of a horizon's signs.
pub const fn signs_of(horizon: usize) -> Range<usize> {
    horizon * SIGNS..(horizon + 1) * SIGNS
}
