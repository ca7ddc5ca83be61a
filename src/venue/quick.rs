//! Which sources an alarm that cannot wait is judged by, and how far it runs ahead of the others. A function of the configuration alone: of all sources of the roll, so that the lead is one for
//! all configurations of a venue.
//!
//! The idea: a source that waits for its stragglers for longer than a pane would hold an alarm of urgency Immediate for as long. So it feeds no fast pane; what it tells counts at the
//! close of the pane, as ever. And the fast panes run ahead of the panes, by what the slow sources wait for longer than the quick ones: by so much the former are known sooner.
//!
//! ```text
//!   quick, 5 s      ├────────────────────────────────────────────────────▶│ now − 5 s       fast panes
//!   slow, 2 min     ├───────────────────────▶│ now − 120 s                                  panes
//!                                            │◀───────── lead ───────────▶│
//! ```

use super::model::{Source, Venue};
use crate::time::Span;

impl Venue {
    /// Whether fast panes are fed by a source, and close by its clock: it tells of the crowd as it is now, and is out of order by no more than a pane, or than the least of those that tell.
    pub fn is_quick(&self, source: &Source) -> bool {
        let least = || self.sources.iter().filter(|source| source.is_live()).map(|source| source.disorder).min();
        source.is_live() && (source.disorder <= self.pane.span() || Some(source.disorder) == least())
    }

    /// How far fast panes run ahead of panes, whole panes: what the slowest source waits for longer than the slowest of the quick ones. Nothing where no source is slow.
    pub fn lead(&self) -> Span {
        let quick = self.sources.iter().filter(|source| self.is_quick(source)).map(|source| source.disorder).max();
        let Some(quick) = quick.filter(|_| self.fast_pane.is_some()) else { return Span::ZERO };
        let waits = |source: &Source| self.reach(source).as_millis().saturating_sub(source.as_of_lag.as_millis());
        let slowest = self.sources.iter().map(waits).max().unwrap_or_default();
        let pane = self.pane.span();
        pane.times(slowest.saturating_sub(quick.as_millis()).div_ceil(pane.as_millis()))
    }

    /// How far a source's events reach back: its disorder, and, where its counts are longer than a pane, their length, since the parts are what is windowed.
    pub fn reach(&self, source: &Source) -> Span {
        if source.interval > self.pane.span() { source.disorder.plus(source.interval) } else { source.disorder }
    }
}
