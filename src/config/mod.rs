//! Configuration as it lies on disk: what reads it, and nothing of what it means.
//!
//! - [`world`]: the folder of venues, profiles and mappings; [`tickets`]: the keys of tickets.

pub mod tickets;
pub mod world;

pub use tickets::give_ticket_keys;
pub use world::{WorldError, read_world};
