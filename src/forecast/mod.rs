//! Features, profiles, fallback forecasts and calibration: all that surrounds a model and is not one.
//!
//! - [`outlook`]: what a forecast says of one series.

pub mod outlook;

pub use outlook::{Horizon, Outlook, Series, SeriesKind};
