//! Detectors: picture, forecast and scores of one pane → findings with evidence. No detector keeps state; what lasts is the alarm's business.
//!
//! - [`finding`]: what a detector says about one place and one pane.

pub mod finding;

pub use finding::{Code, Evidence, Finding, Place, PlaceKind, Priority};
