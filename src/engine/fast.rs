//! Fast panes: the parts of an open pane on which the alarms of urgency Immediate that hang on cameras are judged (DENS, FLOW-BREAK, TURB, COUNTER).
//!
//! ```text
//!   panes        │ 20:10                               20:20 │
//!   fast panes   │  :12   :14   :16   :18   :20 │ close 20:20 │  :22 …
//! ```
//!
//! The laws:
//!
//! 1. *One order.* A venue's fast panes and panes move its alarms one after the other in event time: the fast panes of a pane, the pane, the fast panes of the next. So
//!    no output hangs on how sources interleave, and a command has one place among them (`Site::judged_to`).
//! 2. *By the clocks of those who feed them.* A fast pane closes when every fast source, one of cameras that are read as of now, has passed its end by its own clock. No
//!    idle mark and no tick stands in for that. What comes later for it is late by its own clock, and late snapshots go to `midan.late`: nothing late ever enters a fast pane.
//! 3. *It holds nobody.* A pane closes when its clocks say so; the fast panes in it that could not close by then are passed over, and the pane itself judges what they would have.
//!    That they could not is a function of the logs and of the journaled marks: only a source that is set aside, or an input that has ended, lets a pane close before its fast panes.
//! 4. *A look ahead.* A fast pane leaves nothing in the crowd's state. What it changes is the alarms, and how far it is: both in `midan.state`.
//! 5. *The newer figure counts.* What the last fast pane of a pane has judged, the pane does not judge again by its longer mean.
//!
//! A fast pane waits for the pane before it, and with it for the slowest source that is not set aside. With sources of like disorder that is no wait.

use super::effects::Effects;
use super::site::Site;
use crate::alarm::{At, EntryKey};
use crate::detect::{self, ModelsSeen, Scene};
use crate::time::{EventTime, Span};
use crate::venue::{Measures, Sensor, Venue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How far the fast panes of a venue are.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Fast {
    /// End of the last one that closed; [`EventTime::MIN`] before the first.
    to: EventTime,
    /// Whether it was the last of its pane.
    ends_pane: bool,
    /// What it judged then.
    judged: Vec<EntryKey>,
    #[serde(skip)]
    pub(super) dirty: bool,
}

impl Default for Fast {
    fn default() -> Self {
        Self { to: EventTime::MIN, ends_pane: false, judged: Vec::new(), dirty: false }
    }
}

impl Fast {
    /// The venue begins anew, at another time.
    pub(super) fn begin_anew(&mut self) {
        *self = Self { dirty: true, ..Self::default() };
    }
}

impl Site {
    /// How far the venue's alarms have been judged: the end of the last pane, or fast pane, that closed.
    pub(super) fn reached(&self) -> EventTime {
        self.closed_to.max(self.fast.to)
    }

    /// The same as a place in the journal: the last fast pane of a pane and the pane end at one time, so the former stands a millisecond before it.
    pub(super) fn judged_to(&self) -> EventTime {
        let is_before_its_pane = self.fast.ends_pane && self.fast.to > self.closed_to;
        if is_before_its_pane { self.fast.to.before(Span::from_millis(1)) } else { self.reached() }
    }

    /// The next fast pane, from its start to its end, if it may close now.
    pub(super) fn next_fast_close(&self, venue: &Venue) -> Option<(EventTime, EventTime)> {
        let fast = venue.fast_pane?;
        if self.closed_to == EventTime::MIN || self.waiting.is_some() || self.awaits_journal() {
            return None;
        }
        let since = self.reached();
        let end = fast.next(since);
        let is_in_pane = end <= venue.pane.next(self.closed_to);
        let mut feeding = venue.sensors.iter().filter(|sensor| is_fast(venue, sensor)).map(|sensor| sensor.source).peekable();
        feeding.peek()?;
        (is_in_pane && feeding.all(|source| self.sources[source.index()].clock.watermark() >= end)).then_some((since, end))
    }

    /// Closes the fast pane from `since` to `end`.
    pub(super) fn close_fast(&mut self, venue: &Venue, since: EventTime, end: EventTime, effects: &mut Effects) {
        let pane_end = venue.pane.next(self.closed_to);
        self.fast = Fast { to: end, ends_pane: end == pane_end, judged: Vec::new(), dirty: true };
        let Some(content) = self.open.content(pane_end) else { return };
        let Some(figures) = self.crowd.glimpse(venue, &self.topology, (since, end), content, |sensor| is_fast(venue, &venue.sensors[sensor.index()])) else {
            return;
        };
        let scene = Scene { venue, figures: &figures, outlooks: &[], models: ModelsSeen::default(), clocks: &[], pane_start: since, end };
        let findings = detect::detect_fast(&scene);
        if self.fast.ends_pane {
            self.fast.judged = findings.iter().map(|finding| (finding.code, finding.place.clone())).collect();
        }
        let at = At { venue: &venue.id, event_time: end, watermark: end, coverage: self.coverage };
        let changes = self.alarms.assess_fast(&at, &findings);
        self.alarms_dirty = true;
        self.send(venue, changes, effects);
    }

    /// What the last fast pane of the pane ending at `end` has judged.
    pub(super) fn judged_at(&self, end: EventTime) -> BTreeSet<EntryKey> {
        if self.fast.to == end { self.fast.judged.iter().cloned().collect() } else { BTreeSet::new() }
    }
}

/// A camera, or whatever else tells of a zone, whose source is read as of now.
fn is_fast(venue: &Venue, sensor: &Sensor) -> bool {
    matches!(sensor.measures, Measures::Zone(_)) && venue.sources[sensor.source.index()].as_of_lag == Span::ZERO
}
