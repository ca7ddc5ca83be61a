//! What sensors send: counts of people crossing, heads in a zone, states of gates.

pub mod count;
pub mod occupancy;
pub mod state;
