//! The open panes of a venue, and the late events that wait for one of them to close.
//!
//! In the state an open pane is one entry, and each snapshot of a camera in it another: a pane of many cameras would outgrow what a log takes as one record.
//!
//! A venue with fast panes keeps what quick sources tell by fast pane until the pane closes, so that they can be looked at one by one; the pane itself is the sum of all.

use super::apportion::apportion;
use super::pane::{ClockNote, PaneContent, Reading, Snapshot, Snapshots, snapshot_slot};
use crate::feeds::observation::{Entity, Observation, What};
use crate::time::{EventTime, PaneLength, Span};
use crate::venue::{SensorId, Venue};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A late event that may still revise: it takes effect at the close of the pane that holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LateArrival {
    /// What came late.
    pub observation: Observation,
    /// How late, by its own clock.
    pub lag: Span,
}

/// An open pane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OpenPane {
    /// What it has collected, but for `parts`.
    pub content: PaneContent,
    /// What it has collected of the quick sources (`Venue::is_quick`), by the end of the fast pane.
    pub parts: BTreeMap<EventTime, PaneContent>,
    /// Late events that take effect at its close.
    pub late: Vec<LateArrival>,
    #[serde(skip)]
    dirty: bool,
}

/// How far a venue is: what has been closed, or judged, collects nothing any more.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// End of the last closed pane; [`EventTime::MIN`] before the first.
    pub closed: EventTime,
    /// End of the last pane, or fast pane, that closed.
    pub judged: EventTime,
}

/// A snapshot's place: the end of its pane, the camera, the slot of time.
pub type SnapshotPlace = (EventTime, SensorId, i64);

/// The open panes, by their end.
#[derive(Clone, Debug, Default)]
pub struct OpenPanes {
    panes: BTreeMap<EventTime, OpenPane>,
    closed: Vec<EventTime>,
    snapshots_changed: BTreeSet<SnapshotPlace>,
}

impl OpenPanes {
    /// The earliest open pane with content.
    pub fn first(&self) -> Option<EventTime> {
        self.panes.keys().next().copied()
    }

    /// The latest open pane with content.
    pub fn last(&self) -> Option<EventTime> {
        self.panes.keys().next_back().copied()
    }

    /// How many hold something, marks of sources aside.
    pub fn len(&self) -> usize {
        self.panes.values().filter(|pane| pane.content.has_room() || !pane.parts.is_empty()).count()
    }

    /// Whether none holds anything.
    pub fn is_empty(&self) -> bool {
        self.panes.is_empty()
    }

    /// Adds an on-time observation of a source that is read as of `lag` ago; parts of it whose pane has closed are not possible by construction
    /// unless the source was set aside, and count in the first open pane then.
    pub fn add(&mut self, venue: &Venue, observation: &Observation, lag: Span, reached: Reached) {
        let closed = reached.closed;
        if let (Entity::Sensor(sensor), What::Count(count)) = (observation.entity, &observation.what)
            && count.to.since(count.from) > venue.pane.span()
        {
            for (end, part) in apportion(count, lag, venue.pane) {
                self.pane(venue, first_open(venue.pane, end, closed)).content.add_count(sensor, &part);
            }
            return self.hear(venue, observation, lag, closed);
        }
        let end = first_open(venue.pane, venue.pane.end_of(observation.at.after(lag)), closed);
        if let (Entity::Sensor(sensor), true) = (observation.entity, observation.what.is_snapshot()) {
            self.snapshots_changed.insert((end, sensor, snapshot_slot(observation.at)));
        }
        let fast = venue.fast_pane.filter(|_| venue.is_quick(&venue.sources[observation.source.index()]) && !observation.what.is_snapshot());
        // All fast panes of its pane may have closed: what comes then is for the pane.
        let part = fast.map(|fast| first_open(fast, fast.end_of(observation.at), reached.judged)).filter(|part| *part <= end);
        let Some(part) = part else {
            let pane = self.pane(venue, end);
            pane.content.add(observation);
            return pane.content.hear(observation.source, observation.at);
        };
        let pane = self.panes.entry(end).or_default();
        pane.dirty = true;
        pane.parts.entry(part).or_insert_with(|| PaneContent::new(venue)).add(observation);
        pane.content.hear_of(venue, observation.source, observation.at);
    }

    /// Adds what an observation says to the pane ending at `end`, which must be open.
    pub fn add_part(&mut self, venue: &Venue, end: EventTime, part: &Observation) {
        self.pane(venue, end).content.add(part);
    }

    /// Notes only that the source was heard (a low-water mark).
    pub fn hear(&mut self, venue: &Venue, observation: &Observation, lag: Span, closed: EventTime) {
        let end = venue.pane.end_of(observation.at.after(lag));
        if end > closed {
            // A pane in which nothing but a mark stands takes no room for what might come.
            let pane = self.panes.entry(end).or_default();
            pane.dirty = true;
            pane.content.hear_of(venue, observation.source, observation.at);
        }
    }

    /// Notes what was found out about a sensor's clock, in the pane ending at `end` or, where that has closed, in the first that has not.
    pub fn note_clock(&mut self, venue: &Venue, end: EventTime, closed: EventTime, sensor: SensorId, note: ClockNote) {
        self.pane(venue, first_open(venue.pane, end, closed)).content.note_clock(sensor, note);
    }

    /// Keeps a late event for the close of the pane ending at `end`.
    pub fn keep_late(&mut self, venue: &Venue, end: EventTime, late: LateArrival) {
        self.pane(venue, end).late.push(late);
    }

    /// What the pane ending at `end` has collected so far, but for what cameras saw; `None` where nothing came.
    pub fn content(&self, venue: &Venue, end: EventTime) -> Option<PaneContent> {
        let pane = self.panes.get(&end)?;
        let mut content = PaneContent { snapshots: BTreeMap::new(), ..pane.content.clone() };
        content.make_room(venue);
        pane.parts.values().for_each(|part| content.merge(part));
        Some(content)
    }

    /// Puts together what the pane ending at `end` has collected up to the end of the fast pane at `until`, of quick sources: nothing more comes to that.
    pub fn fold(&mut self, end: EventTime, until: EventTime) {
        let Some(pane) = self.panes.get_mut(&end) else { return };
        if pane.parts.range(..=until).map(|(part, _)| *part).eq([until]) {
            return;
        }
        let later = pane.parts.split_off(&until.after(Span::from_millis(1)));
        let mut folded = std::mem::replace(&mut pane.parts, later).into_values();
        let Some(mut all) = folded.next() else { return };
        folded.for_each(|part| all.merge(&part));
        pane.parts.insert(until, all);
        pane.dirty = true;
    }

    /// What [`fold`](Self::fold) has put together; `None` where nothing came.
    pub fn folded(&self, end: EventTime, until: EventTime) -> Option<&PaneContent> {
        self.panes.get(&end)?.parts.get(&until)
    }

    /// Whether anything came for the fast pane at `until` of the pane ending at `end`, but for what cameras saw. To be asked before it is folded.
    pub fn has_part(&self, end: EventTime, until: EventTime) -> bool {
        self.panes.get(&end).is_some_and(|pane| pane.parts.contains_key(&until))
    }

    /// What cameras saw in the pane ending at `end`, by camera and slot of time.
    pub fn snapshots(&self, end: EventTime) -> Option<&Snapshots> {
        self.panes.get(&end).map(|pane| &pane.content.snapshots)
    }

    /// How many late events wait for a close.
    pub fn late_waiting(&self) -> usize {
        self.panes.values().map(|pane| pane.late.len()).sum()
    }

    /// Takes out every late event that waits for a close, by what was seen.
    pub fn take_late(&mut self) -> Vec<LateArrival> {
        let mut taken = Vec::new();
        for pane in self.panes.values_mut().filter(|pane| !pane.late.is_empty()) {
            pane.dirty = true;
            taken.append(&mut pane.late);
        }
        taken.sort_by_key(|late| (late.observation.at, late.observation.entity, late.observation.identity));
        taken
    }

    /// Takes the pane ending at `end` out; an empty one where nothing came.
    pub fn close(&mut self, venue: &Venue, end: EventTime) -> OpenPane {
        match self.panes.remove(&end) {
            Some(mut pane) => {
                self.gone(end, &pane);
                pane.content.make_room(venue);
                std::mem::take(&mut pane.parts).values().for_each(|part| pane.content.merge(part));
                // By what was seen, not by when it came.
                pane.late.sort_by_key(|late| (late.observation.at, late.observation.entity, late.observation.identity));
                pane
            }
            None => OpenPane { content: PaneContent::new(venue), ..OpenPane::default() },
        }
    }

    /// The panes that changed since last asked; `None` for one that has closed.
    pub fn take_changed(&mut self) -> Vec<(EventTime, Option<&OpenPane>)> {
        let mut changes: Vec<(EventTime, Option<&OpenPane>)> = self.closed.drain(..).map(|end| (end, None)).collect();
        for (end, pane) in &mut self.panes {
            if std::mem::take(&mut pane.dirty) {
                pane.late.sort_by_key(|late| (late.observation.at, late.observation.entity, late.observation.identity));
                changes.push((*end, Some(pane)));
            }
        }
        changes
    }

    /// The snapshots that changed since last asked; `None` for one whose pane has closed.
    pub fn take_changed_snapshots(&mut self) -> Vec<(SnapshotPlace, Option<&Reading<Snapshot>>)> {
        let changed = std::mem::take(&mut self.snapshots_changed).into_iter();
        changed.map(|place @ (end, sensor, slot)| (place, self.panes.get(&end).and_then(|pane| pane.content.snapshots.get(&(sensor, slot))))).collect()
    }

    /// Takes a pane back from the state.
    pub fn restore(&mut self, venue: &Venue, end: EventTime, mut pane: OpenPane) {
        pane.parts.values_mut().chain([&mut pane.content]).for_each(|content| content.widen(venue));
        if let Some(known) = self.panes.remove(&end) {
            pane.content.snapshots = known.content.snapshots;
        }
        self.panes.insert(end, pane);
    }

    /// Takes a snapshot back from the state.
    pub fn restore_snapshot(&mut self, (end, sensor, slot): SnapshotPlace, snapshot: Reading<Snapshot>) {
        self.panes.entry(end).or_default().content.snapshots.insert((sensor, slot), snapshot);
    }

    /// Drops every open pane.
    pub fn clear(&mut self) {
        for (end, pane) in std::mem::take(&mut self.panes) {
            self.gone(end, &pane);
        }
    }

    fn gone(&mut self, end: EventTime, pane: &OpenPane) {
        self.closed.push(end);
        self.snapshots_changed.extend(pane.content.snapshots.keys().map(|(sensor, slot)| (end, *sensor, *slot)));
    }

    fn pane(&mut self, venue: &Venue, end: EventTime) -> &mut OpenPane {
        let pane = self.panes.entry(end).or_default();
        pane.content.make_room(venue);
        pane.dirty = true;
        pane
    }
}

fn first_open(pane: PaneLength, end: EventTime, closed: EventTime) -> EventTime {
    if closed == EventTime::MIN { end } else { end.max(pane.next(closed)) }
}
