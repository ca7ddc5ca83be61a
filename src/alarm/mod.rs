//! Alarms: findings become alarms with the life cycle of ISA-18.2, driven by findings and by operators' commands.
//!
//! - [`change`]: one change of one alarm, the record on `midan.alerts` and `midan.alarms`.
//! - [`entry`]: one alarm, its states and the runs of panes that move it; [`book`]: all of a venue, moved by findings; [`command`]: moved by operators.

pub mod book;
#[cfg(test)]
mod book_tests;
pub mod change;
pub mod command;
pub mod entry;
#[cfg(test)]
mod story_tests;

pub use crate::crowd::quantise;
pub use book::{AlarmBook, At, EntryKey};
pub use change::{AlarmState, Change, ChangeKind};
pub use entry::{Alarm, Aside, Entry};
