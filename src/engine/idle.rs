//! Setting silent sources aside, and taking them back.
//!
//! A source is set aside only when the broker shows that its partition is read to its end, and it has been silent, in broker time, for longer than its own limit. No
//! timer advances time: the mark is a control record, journaled with the offset it rests on, so that a replay can do the same without deciding again (DESIGN §4 rule 5).
//! When every source of a venue is aside, ticks of broker time go on closing panes, with nothing in them: BLIND comes, shelves end.

use super::effects::Effects;
use super::journal::{self, Entry};
use super::site::Site;
use crate::time::EventTime;
use crate::venue::{Feed, SourceId, Venue};

/// The next offset of each feed's partition where it is read to its end; `None` where something may be unread.
pub(super) type ReadToEnd = [Option<i64>; Feed::ALL.len()];

impl Site {
    /// Broker time has come to `at`.
    pub(super) fn tick(&mut self, venue: &Venue, at: EventTime, read_to_end: &ReadToEnd, effects: &mut Effects) {
        let since_start = *self.first_tick.get_or_insert(at);
        for (index, source) in venue.sources.iter().enumerate() {
            let Some(next_offset) = read_to_end[source.feed as usize] else { continue };
            let state = &mut self.sources[index];
            if state.idle || at.since(state.last_received.max(since_start)) <= source.silence {
                continue;
            }
            state.idle = true;
            state.dirty = true;
            let offset = state.clock.has_started().then_some(next_offset);
            self.note(venue, Entry::IdleMark { source: source.id.clone(), feed: source.feed, next_offset: offset, after: self.closed_to }, effects);
        }
        if self.sources.iter().all(|state| state.idle) {
            self.advance_by_tick(venue, at, effects);
        }
    }

    /// No record will ever follow. No source is set aside by that: the end of a run is no event, and leaves nothing in the state.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// A source that was set aside has spoken.
    pub(super) fn wake(&mut self, venue: &Venue, source: SourceId, effects: &mut Effects) {
        self.sources[source.index()].idle = false;
        let id = venue.sources[source.index()].id.clone();
        self.note(venue, Entry::IdleEnd { source: id, after: self.closed_to }, effects);
    }

    /// Journals a decision, and holds the venue's alerts until it is committed.
    pub(super) fn note(&mut self, venue: &Venue, entry: Entry, effects: &mut Effects) {
        self.tainted = true;
        self.dirty = true;
        effects.records.push(journal::record(venue, &entry));
    }

    fn advance_by_tick(&mut self, venue: &Venue, at: EventTime, effects: &mut Effects) {
        let reach = venue.sources.iter().map(|source| source.disorder.plus(source.as_of_lag)).max().unwrap_or_default();
        let to = at.before(reach);
        let started = self.closed_to > EventTime::MIN || !self.open.is_empty();
        if !started {
            // A venue that has never spoken begins here: its silence is what there is to tell.
            self.closed_to = venue.pane.start(venue.pane.end_of(to));
        }
        let closes_one = to >= venue.pane.next(self.closed_to);
        if to <= self.ticked_to || !closes_one {
            return;
        }
        self.ticked_to = to;
        self.note(venue, Entry::Tick { at: to, after: self.closed_to }, effects);
    }
}
