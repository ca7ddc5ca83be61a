//! Configuration as it lies on disk: what reads it, and nothing of what it means.
//!
//! - [`world`]: the folder of venues and profiles.

pub mod world;

pub use world::{WorldError, read_world};
