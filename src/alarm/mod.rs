//! Alarms: findings become alarms with the life cycle of ISA-18.2, driven by findings and by operators' commands.
//!
//! - [`change`]: one change of one alarm, the record on `midan.alerts` and `midan.alarms`.

pub mod change;

pub use change::{AlarmState, Change, ChangeKind};
