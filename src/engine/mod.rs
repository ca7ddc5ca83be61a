//! One partition's venues, driven step by step: `step(records, controls) → effects`.
//!
//! - [`control`]: what influences an output and is not a record; [`effects`]: what a step asks the edge to carry out.

pub mod control;
pub mod effects;

pub use control::Control;
pub use effects::{Alert, Effects, OutRecord, OutTopic, StateChange};
