//! What was expected: the quantiles for the next step, as they were issued during the last step, and what they lie about.
//!
//! The idea: a step that has come is held against what was said of exactly that step one step earlier, whoever said it. One small entry per pane keeps it, for as long
//! as a step lasts, in thousandths of a person, as it was published.

use super::room::widen;
use crate::time::EventTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The quantiles issued at one pane for the step after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedPane {
    /// By series: the quantiles and what was expected, thousandths of a person + 1; 0 where nothing was said.
    said: Vec<[u32; 4]>,
}

impl IssuedPane {
    /// Takes the quantiles and what is expected by series, persons.
    pub fn new(said: impl Iterator<Item = Option<[f64; 4]>>) -> Self {
        let held = |persons: f64| (persons * 1_000.0).round().clamp(0.0, f64::from(u32::MAX - 1)) as u32 + 1;
        Self { said: said.map(|said| said.map_or([0; 4], |said| said.map(held))).collect() }
    }

    /// The quantiles of `series`, persons.
    pub fn quantiles(&self, series: usize) -> Option<[f64; 3]> {
        self.get(series).map(|[q10, q50, q90, _]| [q10, q50, q90])
    }

    /// What was expected of `series`, persons: no whole number, as quantiles are.
    pub fn expected(&self, series: usize) -> Option<f64> {
        self.get(series).map(|[.., expected]| expected)
    }

    fn get(&self, series: usize) -> Option<[f64; 4]> {
        let held = self.said.get(series).filter(|held| held[0] > 0)?;
        Some(held.map(|thousandths| f64::from(thousandths - 1) / 1_000.0))
    }

    /// Makes room for so many series. Returns `false` when it is of more.
    pub fn widen(&mut self, series: usize) -> bool {
        widen(&mut self.said, series, [0; 4])
    }
}

/// The panes of the last step, by their end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssuedPanes {
    panes: BTreeMap<EventTime, IssuedPane>,
}

impl IssuedPanes {
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
    fn a_forecast_is_kept_as_it_was_published() {
        let pane = IssuedPane::new([Some([1.0, 12.0, 9e9, 12.345]), None, Some([0.0; 4])].into_iter());
        assert_eq!([0, 1, 2, 4].map(|series| pane.quantiles(series)), [Some([1.0, 12.0, 4_294_967.294]), None, Some([0.0; 3]), None]);
        assert_eq!([0, 1, 2].map(|series| pane.expected(series)), [Some(12.345), None, Some(0.0)]);
    }

    #[test]
    fn what_is_older_than_a_step_is_forgotten() {
        let at = EventTime::from_millis;
        let mut issued = IssuedPanes::default();
        (1..5).for_each(|k| issued.keep(at(k), IssuedPane::default()));
        assert_eq!(issued.forget_until(at(3)), [at(1), at(2), at(3)]);
        assert!(issued.at(at(4)).is_some());
    }
}
