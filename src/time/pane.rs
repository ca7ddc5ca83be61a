//! Panes: the smallest windows, on one grid, half-open, named by their end.

use super::{EventTime, Span};
use serde::{Deserialize, Serialize};

/// The length of a venue's panes, and where their grid lies. Panes are `[k·length + phase, (k+1)·length + phase)` and a pane's name is its end. Live panes begin at the epoch
/// (phase 0); those of a table begin where its rows do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaneLength {
    length: Span,
    phase: Span,
}

impl Default for PaneLength {
    /// Ten seconds, the length that live venues have unless they say otherwise.
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl PaneLength {
    /// Takes a length of at least one millisecond; `None` for none.
    pub const fn new(length: Span) -> Option<Self> {
        if length.as_millis() == 0 { None } else { Some(Self { length, phase: Span::from_millis(0) }) }
    }

    /// Ten seconds: what a venue has unless it says otherwise.
    pub const DEFAULT: Self = Self { length: Span::from_secs(10), phase: Span::from_millis(0) };

    /// The same length on the grid that holds `at`.
    pub const fn through(self, at: EventTime) -> Self {
        Self { phase: Span::from_millis(at.as_millis().rem_euclid(self.length.as_millis() as i64) as u64), ..self }
    }

    /// How far the grid lies behind the epoch's, less than the length.
    pub const fn phase(self) -> Span {
        self.phase
    }

    /// The length.
    pub const fn span(self) -> Span {
        self.length
    }

    /// The end of the pane that holds `at`.
    pub const fn end_of(self, at: EventTime) -> EventTime {
        let (length, phase) = (self.length.as_millis() as i64, self.phase.as_millis() as i64);
        let number = at.as_millis().saturating_sub(phase).div_euclid(length);
        EventTime::from_millis(number.saturating_add(1).saturating_mul(length).saturating_add(phase))
    }

    /// The end of the pane after the one ending at `end`.
    pub const fn next(self, end: EventTime) -> EventTime {
        end.after(self.length)
    }

    /// The start of the pane ending at `end`.
    pub const fn start(self, end: EventTime) -> EventTime {
        end.before(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pane_is_half_open() {
        let pane = PaneLength::new(Span::from_secs(10)).unwrap();
        let at = |millis| pane.end_of(EventTime::from_millis(millis)).as_millis();
        assert_eq!((at(0), at(9_999), at(10_000), at(-1)), (10_000, 10_000, 20_000, 0));
    }

    #[test]
    fn a_grid_may_lie_beside_the_epochs() {
        let pane = PaneLength::new(Span::from_secs(3_600)).unwrap().through(EventTime::from_millis(-1_800_000));
        let at = |millis| pane.end_of(EventTime::from_millis(millis)).as_millis();
        assert_eq!((at(0), at(1_799_999), at(1_800_000), pane.phase()), (1_800_000, 1_800_000, 5_400_000, Span::from_secs(1_800)));
    }
}
