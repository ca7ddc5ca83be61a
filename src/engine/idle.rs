//! Setting silent sources aside, and taking them back.
//!
//! A source is set aside only when the broker shows that its partition is read to its end, or up to a record that was appended so late, and it has been silent, in broker time, for longer
//! than its own limit. No timer advances time: the mark is a control record, journaled with the offset it rests on, so that a replay can do the same without deciding again (DESIGN §4 rule 5).
//! When every source of a venue is aside, ticks of broker time go on closing panes, with nothing in them: BLIND comes, shelves end. A venue that only ticks have carried
//! is new again at the first record of another day.

use super::effects::Effects;
use super::journal::{self, Entry};
use super::site::{Site, SourceState};
use crate::crowd::CrowdState;
use crate::feeds::RecordRef;
use crate::time::EventTime;
use crate::venue::roll::numbered;
use crate::venue::{Feed, Source, SourceId, Venue};

/// How far a feed's partition is read, as far as the broker shows it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReadSoFar {
    /// The next offset where it is read to its end; `None` where something may be unread.
    to_end: Option<i64>,
    /// The offset behind the last record, and when the broker appended that, where it tells.
    last: Option<(i64, EventTime)>,
}

impl ReadSoFar {
    /// A record was read.
    pub(super) fn record(&mut self, record: &RecordRef<'_>) {
        *self = Self { to_end: None, last: record.appended.map(|at| (record.offset + 1, EventTime::from_millis(at))) };
    }

    /// The partition is read to its end.
    pub(super) fn end(&mut self, next_offset: i64) {
        self.to_end = Some(next_offset);
    }

    /// The next offset where it is read to its end.
    pub(super) const fn to_end(self) -> Option<i64> {
        self.to_end
    }

    /// Whether anything shows how far it is read.
    pub(super) const fn is_proven(&self) -> bool {
        self.to_end.is_some() || self.last.is_some()
    }

    /// The next offset, and until when, in broker time that has come to `at`, nothing is unread. A partition on which somebody writes all the time shows no end: there the last record
    /// that was read proves that all before it is.
    fn proof(&self, at: EventTime) -> Option<(i64, EventTime)> {
        self.to_end.map(|next| (next, at)).or(self.last.map(|(next, appended)| (next, appended.min(at))))
    }
}

impl Site {
    /// Broker time has come to `at`. Whoever holds the next pane may be set aside: what has come with it holds it already.
    pub(super) fn tick(&mut self, venue: &Venue, at: EventTime, read: &[ReadSoFar; Feed::ALL.len()], effects: &mut Effects) {
        let venue = self.next_version(venue);
        // The broker's first word may have been a leap, which it takes back.
        let since_start = self.first_tick.map_or(at, |first| first.min(at));
        self.first_tick = Some(since_start);
        for (index, source) in numbered(&venue.sources, &venue.absent.sources) {
            let Some((next_offset, until)) = read[source.feed as usize].proof(at) else { continue };
            let state = &mut self.sources[index];
            let is_silent = is_silent(source, state, until, since_start);
            if state.idle && is_silent && !state.silent {
                (state.silent, state.dirty) = (true, true);
            }
            // A topic that never had a record holds nothing, from the moment that the broker shows it.
            let never_had_one = next_offset == 0;
            if state.idle || !(never_had_one || is_silent) {
                continue;
            }
            let offset = state.clock.has_started().then_some(next_offset);
            state.silent = is_silent;
            self.set_aside(venue, index, offset, effects);
        }
        if venue.with_sources(&self.sources).all(|(_, state)| state.idle && state.silent) {
            // What is unread may be of this venue: time waits for it, however long all were silent before.
            let proven = venue.with_sources(&self.sources).map(|(source, _)| read[source.feed as usize].proof(at).map(|(_, until)| until)).min();
            if let Some(until) = proven.flatten() {
                self.advance_by_tick(venue, until, effects);
            }
        }
    }

    /// Sets a source aside; `offset` is the next of its partition, where it ever spoke.
    pub(super) fn set_aside(&mut self, venue: &Venue, index: usize, offset: Option<i64>, effects: &mut Effects) {
        let (source, state) = (&venue.sources[index], &mut self.sources[index]);
        (state.idle, state.idle_since, state.dirty) = (true, self.closed_to, true);
        self.note(venue, Entry::IdleMark { source: source.id.clone(), feed: source.feed, next_offset: offset, after: self.judged_to(venue) }, effects);
    }

    /// No record will ever follow. No source is set aside by that: the end of a run is no event, and leaves nothing in the state.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// A source that was set aside has spoken.
    pub(super) fn wake(&mut self, venue: &Venue, source: SourceId, offset: i64, effects: &mut Effects) {
        let state = &mut self.sources[source.index()];
        (state.idle, state.silent) = (false, false);
        let since = state.idle_since;
        // A venue that had closed nothing may have begun by a tick meanwhile; its first pane without the source is not known then.
        let from = (self.closed_to > since && since > EventTime::MIN).then(|| venue.pane.next(since));
        let told = &venue.sources[source.index()];
        self.note(venue, Entry::IdleEnd { source: told.id.clone(), feed: told.feed, offset, from, after: self.judged_to(venue) }, effects);
    }

    /// A venue that ticks alone have carried so far begins where its first record says, if that is another time altogether: broker time says nothing of a recorded night.
    pub(super) fn begin_anew(&mut self, venue: &Venue, at: EventTime) {
        let is_far = || self.closed_to.since(at).max(at.since(self.closed_to)) > venue.trust.leap;
        if self.closed_to == EventTime::MIN || self.sources.iter().any(|state| state.clock.has_started()) || !is_far() {
            return;
        }
        let now = venue.version(self.version);
        (self.closed_to, self.ticked_to, self.dirty) = (EventTime::MIN, EventTime::MIN, true);
        self.fast.begin_anew();
        // Nobody was counted yet: what lasts of those panes is their length and their silence, which would be held against the first of another day.
        // The alarms stay, for whoever saw one raised must see it end.
        self.open.clear();
        self.closed_changed.extend(std::mem::take(&mut self.closed).into_keys());
        self.crowd = CrowdState::new(now, &self.topology);
        self.forecaster.begin_anew(venue, now);
        self.waiting = None;
        for state in self.sources.iter_mut().filter(|state| state.idle) {
            (state.idle_since, state.dirty) = (EventTime::MIN, true);
        }
    }

    /// Journals a decision, and holds the venue's alerts until it is committed.
    pub(super) fn note(&mut self, venue: &Venue, entry: Entry, effects: &mut Effects) {
        self.tainted = true;
        self.dirty = true;
        self.followed(&entry);
        effects.records.push(journal::record(venue, &entry));
    }

    fn advance_by_tick(&mut self, venue: &Venue, at: EventTime, effects: &mut Effects) {
        let reach = venue.with_sources(&self.sources).map(|(source, _)| source.disorder.plus(source.as_of_lag)).max().unwrap_or_default();
        let to = at.before(reach);
        let begins = self.closed_to == EventTime::MIN && self.open.is_empty();
        if begins {
            // A venue that has never spoken begins here: its silence is what there is to tell. That it has begun is a decision too, whether or not a pane closes by it.
            self.closed_to = venue.pane.start(venue.pane.end_of(to));
        }
        let closes_one = to >= venue.pane.next(self.closed_to);
        if to <= self.ticked_to || !(begins || closes_one) {
            return;
        }
        self.ticked_to = to;
        self.note(venue, Entry::Tick { at: to, after: self.closed_to }, effects);
    }
}

/// Whether a source has been silent for longer than its limit, in broker time; of one that never spoke since `since_start`.
fn is_silent(source: &Source, state: &SourceState, at: EventTime, since_start: EventTime) -> bool {
    at.since(state.last_received.max(since_start)) > source.silence
}
