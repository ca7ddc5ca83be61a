//! Panes: the smallest windows, aligned to the epoch, half-open, named by their end.

use super::{EventTime, Span};
use serde::{Deserialize, Serialize};

/// The length of a venue's panes. Panes are `[k·length, (k+1)·length)` and a pane's name is its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PaneLength(Span);

impl Default for PaneLength {
    /// Ten seconds, the length that live venues have unless they say otherwise.
    fn default() -> Self {
        Self(Span::from_secs(10))
    }
}

impl PaneLength {
    /// Takes a length of at least one millisecond; `None` for none.
    pub const fn new(length: Span) -> Option<Self> {
        if length.as_millis() == 0 { None } else { Some(Self(length)) }
    }

    /// Ten seconds: what a venue has unless it says otherwise.
    pub const DEFAULT: Self = Self(Span::from_secs(10));

    /// The length.
    pub const fn span(self) -> Span {
        self.0
    }

    /// The end of the pane that holds `at`.
    pub const fn end_of(self, at: EventTime) -> EventTime {
        let length = self.0.as_millis() as i64;
        EventTime::from_millis(at.as_millis().div_euclid(length).saturating_add(1).saturating_mul(length))
    }

    /// The end of the pane after the one ending at `end`.
    pub const fn next(self, end: EventTime) -> EventTime {
        end.after(self.0)
    }

    /// The start of the pane ending at `end`.
    pub const fn start(self, end: EventTime) -> EventTime {
        end.before(self.0)
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
}
