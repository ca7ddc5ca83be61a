//! What sensors send: counts of people crossing, heads in a zone, states of gates, tracks and densities, weather; and calls for help.

pub mod axis_pull;
pub mod axis_push;
pub mod call;
pub mod count;
pub mod grid;
pub mod health;
pub mod occupancy;
pub mod state;
pub mod tracks;
pub mod weather;
pub mod xovis;
