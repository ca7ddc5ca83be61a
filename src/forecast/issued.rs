//! What was expected: the medians for the next step, as they were issued during the last step.
//!
//! The idea: a step that has come is held against what was said of exactly that step one step earlier, whoever said it. One small entry per pane keeps it, for as long
//! as a step lasts, in thousandths of a person, as it was published.

use crate::time::EventTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The medians issued at one pane for the step after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedPane {
    /// By series: thousandths of a person + 1; 0 where nothing was said.
    medians: Vec<u32>,
}

impl IssuedPane {
    /// Takes the medians by series, persons.
    pub fn new(medians: impl Iterator<Item = Option<f64>>) -> Self {
        let held = |persons: f64| (persons * 1_000.0).round().clamp(0.0, f64::from(u32::MAX - 1)) as u32 + 1;
        Self { medians: medians.map(|median| median.map_or(0, held)).collect() }
    }

    /// The median of `series`, persons.
    pub fn get(&self, series: usize) -> Option<f64> {
        let thousandths = self.medians.get(series)?.checked_sub(1)?;
        Some(f64::from(thousandths) / 1_000.0)
    }

    /// Of how many series.
    pub fn series(&self) -> usize {
        self.medians.len()
    }
}

/// The panes of the last step, by their end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssuedMedians {
    panes: BTreeMap<EventTime, IssuedPane>,
}

impl IssuedMedians {
    /// What was issued at the pane ending at `end`.
    pub fn at(&self, end: EventTime) -> Option<&IssuedPane> {
        self.panes.get(&end)
    }

    /// Keeps what was issued at `end`.
    pub fn keep(&mut self, end: EventTime, pane: IssuedPane) {
        self.panes.insert(end, pane);
    }

    /// Forgets what was issued at or before `end`; returns the panes forgotten.
    pub fn forget_until(&mut self, end: EventTime) -> Vec<EventTime> {
        let gone: Vec<EventTime> = self.panes.range(..=end).map(|(end, _)| *end).collect();
        gone.iter().for_each(|end| drop(self.panes.remove(end)));
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_kept_as_it_was_published() {
        let pane = IssuedPane::new([Some(12.345), None, Some(0.0), Some(9e9)].into_iter());
        assert_eq!((pane.get(0), pane.get(1), pane.get(2), pane.get(4)), (Some(12.345), None, Some(0.0), None));
        assert_eq!(pane.get(3), Some(4_294_967.294));
    }

    #[test]
    fn what_is_older_than_a_step_is_forgotten() {
        let at = EventTime::from_millis;
        let mut issued = IssuedMedians::default();
        (1..5).for_each(|k| issued.keep(at(k), IssuedPane::default()));
        assert_eq!(issued.forget_until(at(3)), [at(1), at(2), at(3)]);
        assert!(issued.at(at(4)).is_some());
    }
}
