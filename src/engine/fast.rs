//! Fast panes: the parts of an open pane on which the alarms of urgency Immediate are judged (DENS, FLOW-BREAK, TURB, COUNTER, BREACH, EXIT-PLAN, CALL-CLUSTER).
//!
//! ```text
//!   panes        │ 20:10                               20:20 │
//!   fast panes   │  :12   :14   :16   :18   :20 │ close 20:20 │  :22 …
//! ```
//!
//! A source that is out of order by more than a pane would hold such an alarm for as long. So it feeds no fast pane (`Venue::is_quick`), and fast panes run ahead of panes by the lead
//! (`Venue::lead`, whole panes, from the configuration alone; nothing where all sources are quick): what the slow sources wait for longer than the quick ones.
//!
//! ```text
//!   panes        │ close 20:10                               │ close 20:20      each has its place by the lead behind its end
//!   fast panes   │ 20:40:02  :04  :06  :08  :10  (lead 30 s) │ 20:40:12 …
//! ```
//!
//! The laws:
//!
//! 1. *One order.* A venue's fast panes and panes move its alarms one after the other: fast panes at their ends, each pane at its place, the lead behind its end. With no lead these are the fast
//!    panes of a pane, the pane, the fast panes of the next. So no output hangs on how sources interleave, and a command or a mark has one place among them (`Site::judged_to`).
//! 2. *By the clocks of those who feed them.* A fast pane closes when every quick source (sensors and scans, read as of now) that is not set aside has passed its
//!    end by its own clock. What comes later for it is late by its own clock, or from a source that was set aside: it enters no fast pane that has closed.
//! 3. *It holds nobody.* A pane closes when its clocks say so and, with a lead, those who feed the fast panes before it have passed its place: they have, unless one of them is further behind than it is ever
//!    out of order. The fast panes that could not close by then are passed over, and the pane itself judges what they would have.
//!    That they could not is a function of the logs and of the journaled marks: only when all quick sources are set aside, or the input has ended, does a pane close before its fast panes.
//! 4. *A look ahead.* A fast pane leaves nothing in the crowd's state: it goes through what every open pane has collected, from the last closed one on. What it changes is the alarms, and how far
//!    it is: both in `midan.state`.
//! 5. *The newer figure counts.* What the last fast pane of a pane has judged by what cameras saw, the pane does not judge again by its longer mean. What is counted it does judge again, for it
//!    knows more: who passed silent counters, and what is read as of later. With a lead it judges nothing again that a fast pane has judged at or after its end: the figures of the pane are in the
//!    next look. What a slow source has a share in is left to the pane (`detect::detect_fast`).
//! 6. *Where nothing came and nothing is under way there is nothing to judge.*

use super::effects::Effects;
use super::reload::of_what_is_there;
use super::site::{Site, SourceState};
use crate::alarm::{At, EntryKey};
use crate::crowd::{Look, Part};
use crate::detect::{self, Finding, ModelsSeen, Scene};
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
    /// What was judged by newer figures than the panes that are still open have, and when last.
    judged: Vec<(EntryKey, EventTime)>,
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
    /// How far the venue's alarms have been judged: the place of the last pane, or fast pane, that closed. A pane's is by the lead behind its end.
    pub(super) fn reached(&self, venue: &Venue) -> EventTime {
        self.placed(venue).max(self.fast.to)
    }

    /// The same as a place in the journal: the last fast pane before a pane's place and the pane are at one time, so the former stands a millisecond before it.
    pub(super) fn judged_to(&self, venue: &Venue) -> EventTime {
        let is_before_a_pane = self.fast.ends_pane && self.fast.to > self.placed(venue);
        if is_before_a_pane { self.fast.to.before(Span::from_millis(1)) } else { self.reached(venue) }
    }

    /// The place of the last pane that closed.
    fn placed(&self, venue: &Venue) -> EventTime {
        if self.closed_to == EventTime::MIN { self.closed_to } else { self.closed_to.after(venue.lead()) }
    }

    /// The next fast pane, from its start to its end, if it may close now.
    pub(super) fn next_fast_close(&self, venue: &Venue) -> Option<(EventTime, EventTime)> {
        let fast = venue.fast_pane?;
        if self.closed_to == EventTime::MIN || self.waiting.is_some() || self.awaits_journal(venue) {
            return None;
        }
        let since = self.reached(venue);
        let end = fast.next(since);
        let is_before_the_next_pane = end <= venue.pane.next(self.placed(venue));
        (is_before_the_next_pane && self.feeding(venue).next().is_some() && self.feeding(venue).all(|state| state.clock.watermark() >= end))
            .then_some((since, end))
    }

    /// Whether fast panes stand before the pane ending at `end` that cannot close yet, and will: one of those who feed them is behind its place.
    pub(super) fn owes_fast(&self, venue: &Venue, end: EventTime) -> bool {
        let place = end.after(venue.lead());
        place > end && self.feeding(venue).any(|state| state.clock.watermark() < place)
    }

    /// The sources that feed fast panes and are not set aside.
    fn feeding<'a>(&'a self, venue: &'a Venue) -> impl Iterator<Item = &'a SourceState> {
        self.next_version(venue).with_sources(&self.sources).filter(|(source, state)| venue.is_quick(source) && !state.idle).map(|(_, state)| state)
    }

    /// Closes the fast pane from `since` to `end`.
    pub(super) fn close_fast(&mut self, venue: &Venue, since: EventTime, end: EventTime, effects: &mut Effects) {
        let pane_end = venue.pane.end_of(since);
        let runs_ahead = venue.lead() > Span::ZERO;
        let mut judged = std::mem::take(&mut self.fast.judged);
        judged.retain(|(_, at)| runs_ahead && *at > self.closed_to);
        self.fast = Fast { to: end, ends_pane: end == pane_end, judged, dirty: true };
        let came = self.open.has_part(pane_end, end) || self.has_snapshot(venue, pane_end, since, end);
        let panes = || std::iter::successors(Some(venue.pane.next(self.closed_to)), |pane| Some(venue.pane.next(*pane))).take_while(|pane| *pane <= pane_end);
        for pane in panes() {
            self.open.fold(pane, end.min(pane));
        }
        if !came && !self.alarms.entries.keys().any(|(code, _)| detect::FAST.contains(code)) {
            return;
        }
        let nothing = PaneContent::new(venue);
        let parts = panes().map(|pane| Part { end: end.min(pane), content: self.open.folded(pane, end.min(pane)).unwrap_or(&nothing) });
        let look = Look { since, end, parts: parts.collect(), snapshots: panes().filter_map(|pane| self.open.snapshots(pane)).collect() };
        let Some(figures) = self.crowd.glimpse(venue, &self.topology, &look) else { return };
        let scene = Scene { venue, figures: &figures, outlooks: &[], of_all: None, models: ModelsSeen::default(), clocks: &[], pane_start: since, end };
        let findings = of_what_is_there(venue, detect::detect_fast(&scene));
        let is_newest = |finding: &Finding| runs_ahead || self.fast.ends_pane && detect::is_seen(&scene, finding);
        let newest: BTreeSet<EntryKey> = findings.iter().filter(|finding| is_newest(finding)).map(|finding| (finding.code, finding.place.clone())).collect();
        self.fast.judged.retain(|(key, _)| !newest.contains(key));
        self.fast.judged.extend(newest.into_iter().map(|key| (key, end)));
        let at = At { venue: &venue.id, event_time: end, watermark: end, coverage: self.coverage };
        let changes = self.alarms.assess_fast(&at, &findings);
        self.alarms_dirty = true;
        self.send(venue, changes, effects);
    }

    /// Whether a camera of a quick source saw anything in the fast pane from `since` to `end`. What it saw later may be read already, and may not.
    fn has_snapshot(&self, venue: &Venue, pane_end: EventTime, since: EventTime, end: EventTime) -> bool {
        let is_quick = |sensor: SensorId| venue.is_quick(&venue.sources[venue.sensors[sensor.index()].source.index()]);
        let is_within = |slot: i64| slot_end(slot) > since && slot_end(slot) <= end;
        self.open.snapshots(pane_end).is_some_and(|snapshots| snapshots.keys().any(|(sensor, slot)| is_within(*slot) && is_quick(*sensor)))
    }

    /// What fast panes have judged by newer figures than the pane ending at `end` has.
    pub(super) fn judged_at(&self, end: EventTime) -> BTreeSet<EntryKey> {
        self.fast.judged.iter().filter(|(_, at)| *at >= end).map(|(key, _)| key.clone()).collect()
    }
}
