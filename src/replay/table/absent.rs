//! What an absent row means: that nobody knows, or that nobody came.
//!
//! The idea: both are the mapping's to say (`absent`), of a whole row as of the one of two rows that tells a direction. A zero is only put where a row could have been written and was not.

use super::Table;
use super::figure::{MISSING, NONE};
use super::mapping::{Absent, StepClock};
use crate::time::EventTime;

impl Table {
    /// Gives every entry a figure, or the mark of a missing one, for each direction that rows of this table tell by themselves.
    pub(super) fn complete(&mut self) {
        let told = self.mapping.layout.told();
        let mut list = std::mem::take(&mut self.entries.list);
        for entry in &mut list {
            let lacking = || told.iter().zip(&entry.figures).any(|(told, figure)| *told && *figure == NONE);
            if !lacking() {
                continue;
            }
            let absent = if self.mapping.absent == Absent::Zero && self.can_tell(entry.from) { 0 } else { MISSING };
            for (_, figure) in told.iter().zip(&mut entry.figures).filter(|(told, figure)| **told && **figure == NONE) {
                *figure = absent;
            }
        }
        self.entries.list = list;
    }

    /// Whether an absent row of this step means that nobody came: people could be there, and rows could have told of it.
    pub(super) fn means_nobody(&self, slot: EventTime) -> bool {
        self.mapping.absent == Absent::Zero && self.expects(slot) && self.can_tell(slot)
    }

    /// Whether rows could have told of this step at all.
    fn can_tell(&self, slot: EventTime) -> bool {
        !self.mapping.lacks(self.clock, slot, slot.after(self.mapping.step)) && self.can_be_written(slot)
    }

    fn can_be_written(&self, slot: EventTime) -> bool {
        self.clock == StepClock::Wall || !self.entries.by_wall || self.mapping.stamps.can_tell(slot)
    }
}

#[cfg(test)]
mod tests;
