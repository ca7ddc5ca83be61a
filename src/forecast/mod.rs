//! Features, profiles, fallback forecasts and calibration: all that surrounds a model and is not one.
//!
//! - [`forecaster`]: the one face that the engine sees; [`outlook`]: what it says; [`state`]: the names of its stored entries.
//! - [`series`]: which series a venue has; [`calendar`]: the clock on the wall; [`history`]: the last twelve steps; [`profile`]: what is usual.
//! - [`features`]: what the models see; [`assembly`]: from their answer to persons; [`fallback`]: the forecast without a model.
//! - [`watch`]: what came against what was usual: the anomalies.
//! - [`issued`]: what was expected of the last step; [`calibration`]: from a raw score to a share of quiet panes.

pub mod assembly;
pub mod calendar;
pub mod calibration;
pub mod fallback;
pub mod features;
pub mod forecaster;
pub mod history;
pub mod issued;
pub mod outlook;
pub mod profile;
#[cfg(test)]
pub(crate) mod sample;
pub mod series;
pub mod state;
pub mod watch;

pub use forecaster::Forecaster;
pub use outlook::{Horizon, OccupancyOutlook, Outlook, Outlooks, Series, SeriesKind};
pub use state::RestoreError;
