//! Fast panes: the parts of an open pane on which the alarms of urgency Immediate are judged (DENS, FLOW-BREAK, TURB, COUNTER, BREACH, EXIT-PLAN, CALL-CLUSTER).
//!
//! ```text
//!   panes        │ 20:10                               20:20 │
//!   fast panes   │  :12   :14   :16   :18   :20 │ close 20:20 │  :22 …
//! ```
//!
//! The laws:
//!
//! 1. *One order.* A venue's fast panes and panes move its alarms one after the other in event time: the fast panes of a pane, the pane, the fast panes of the next. So
//!    no output hangs on how sources interleave, and a command or a mark has one place among them (`Site::judged_to`).
//! 2. *By the clocks of those who feed them.* A fast pane closes when every live source (`Source::is_live`: sensors and scans, read as of now) that is not set aside has passed its
//!    end by its own clock. What comes later for it is late by its own clock, or from a source that was set aside: it enters no fast pane that has closed.
//! 3. *It holds nobody.* A pane closes when its clocks say so; the fast panes in it that could not close by then are passed over, and the pane itself judges what they would have.
//!    That they could not is a function of the logs and of the journaled marks: only when all live sources are set aside, or the input has ended, does a pane close before its fast panes.
//! 4. *A look ahead.* A fast pane leaves nothing in the crowd's state. What it changes is the alarms, and how far it is: both in `midan.state`.
//! 5. *The newer figure counts.* What the last fast pane of a pane has judged by what cameras saw, the pane does not judge again by its longer mean. What is counted it does judge again, for it
//!    knows more: who passed silent counters, and what is read as of later.
//! 6. *Where nothing came and nothing is under way there is nothing to judge.*
//!
//! A fast pane waits for the pane before it, and with it for the slowest source that is not set aside. With sources of like disorder that is no wait.

use super::effects::Effects;
use super::reload::of_what_is_there;
use super::site::Site;
use crate::alarm::{At, EntryKey};
use crate::crowd::Look;
use crate::detect::{self, ModelsSeen, Scene};
use crate::time::{EventTime, Span};
use crate::venue::{SensorId, Venue};
use crate::window::{PaneContent, slot_end};
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
        let mut feeding = self.next_version(venue).with_sources(&self.sources).filter(|(source, state)| source.is_live() && !state.idle).peekable();
        feeding.peek()?;
        (is_in_pane && feeding.all(|(_, state)| state.clock.watermark() >= end)).then_some((since, end))
    }

    /// Closes the fast pane from `since` to `end`.
    pub(super) fn close_fast(&mut self, venue: &Venue, since: EventTime, end: EventTime, effects: &mut Effects) {
        let pane_end = venue.pane.next(self.closed_to);
        self.fast = Fast { to: end, ends_pane: end == pane_end, judged: Vec::new(), dirty: true };
        let came = self.open.has_part(pane_end, end) || self.has_snapshot(venue, pane_end, since, end);
        self.open.fold(pane_end, end);
        if !came && !self.alarms.entries.keys().any(|(code, _)| detect::FAST.contains(code)) {
            return;
        }
        let nothing;
        let content = match self.open.folded(pane_end, end) {
            Some(content) => content,
            None => {
                nothing = PaneContent::new(venue);
                &nothing
            }
        };
        let look = Look { since, end, content, snapshots: self.open.snapshots(pane_end) };
        let figures = self.crowd.glimpse(venue, &self.topology, &look);
        let scene = Scene { venue, figures: &figures, outlooks: &[], models: ModelsSeen::default(), clocks: &[], pane_start: since, end };
        let findings = of_what_is_there(venue, detect::detect_fast(&scene));
        if self.fast.ends_pane {
            self.fast.judged =
                findings.iter().filter(|finding| detect::is_seen(&scene, finding)).map(|finding| (finding.code, finding.place.clone())).collect();
        }
        let at = At { venue: &venue.id, event_time: end, watermark: end, coverage: self.coverage };
        let changes = self.alarms.assess_fast(&at, &findings);
        self.alarms_dirty = true;
        self.send(venue, changes, effects);
    }

    /// Whether a camera of a live source saw anything in the fast pane from `since` to `end`. What it saw later may be read already, and may not.
    fn has_snapshot(&self, venue: &Venue, pane_end: EventTime, since: EventTime, end: EventTime) -> bool {
        let is_live = |sensor: SensorId| venue.sources[venue.sensors[sensor.index()].source.index()].is_live();
        let is_within = |slot: i64| slot_end(slot) > since && slot_end(slot) <= end;
        self.open.snapshots(pane_end).is_some_and(|snapshots| snapshots.keys().any(|(sensor, slot)| is_within(*slot) && is_live(*sensor)))
    }

    /// What the last fast pane of the pane ending at `end` has judged.
    pub(super) fn judged_at(&self, end: EventTime) -> BTreeSet<EntryKey> {
        if self.fast.to == end { self.fast.judged.iter().cloned().collect() } else { BTreeSet::new() }
    }
}
