//! From a closed pane to the crowd picture: occupancy, density, flow, level of service, queue and entry ETA, with the uncertainty of each.
//!
//! - [`figures`]: what the picture of one pane says.

pub mod figures;

pub use figures::{EntryFigures, Estimate, GateFigures, Grade, LevelOfService, LinkFigures, VenueFigures, ZoneFigures};
