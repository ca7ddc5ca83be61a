//! Another configuration of a venue at an event time.
//!
//! The idea: the configurations are all known from the start, each with the time from which it holds, and all of one frame (`venue::frame`), so nothing that lasts is lost or given another
//! meaning. From the first pane that ends after its time on, fast panes of that pane included, a configuration is what panes are closed by. The change is journaled, with its fingerprint:
//! a file may have been put in after its time, and a replay turns where live turned. One that does not have the configuration shows it. What a restart brought, in place of what was in
//! force, is journaled in the same way.

use super::effects::Effects;
use super::journal::Entry;
use super::site::Site;
use crate::crowd::Topology;
use crate::time::EventTime;
use crate::venue::Venue;
use std::collections::VecDeque;

impl Site {
    /// The pane ending at `end` is next to close, or a fast pane in it: goes by the configuration of its time.
    pub(super) fn turn_to(&mut self, venue: &Venue, end: EventTime, effects: &mut Effects) {
        let version = match self.journal {
            None => venue.version_at(end),
            Some(_) if self.in_force.is_empty() => self.first_version(venue, end),
            Some(_) => return self.turn_as_journaled(venue, end, effects),
        };
        self.turn(venue, version, end, effects);
    }

    /// In a replay: turns to what the journal's next entries name for the pane ending at `end`. Beside [`turn_as_told`](Self::turn_as_told), for a venue that begins anew.
    fn turn_as_journaled(&mut self, venue: &Venue, end: EventTime, effects: &mut Effects) {
        while let Some(Entry::VenueReload { fingerprint, pane }) = self.journal.as_ref().and_then(VecDeque::front).cloned()
            && pane == end
        {
            self.journal.get_or_insert_default().pop_front();
            self.turn_as_told(venue, &fingerprint, pane, effects);
        }
    }

    /// In a replay: turns to the configuration that an entry of the journal names. One that is not there, or in force already, found no place.
    pub(super) fn turn_as_told(&mut self, venue: &Venue, fingerprint: &str, pane: EventTime, effects: &mut Effects) {
        match venue.version_of(fingerprint).filter(|_| self.in_force != fingerprint) {
            Some(version) => self.turn(venue, version, pane, effects),
            None => self.unplaced += 1,
        }
    }

    /// In a replay: what was in force at the first pane. The journal tells changes alone, so it is not what the first of them turned to.
    fn first_version(&self, venue: &Venue, end: EventTime) -> usize {
        let turned = self.journal.iter().flatten().find_map(|entry| match entry {
            Entry::VenueReload { fingerprint, .. } => venue.version_of(fingerprint),
            _ => None,
        });
        let at_its_time = venue.version_at(end);
        if turned == Some(at_its_time) { at_its_time.saturating_sub(1) } else { at_its_time }
    }

    fn turn(&mut self, venue: &Venue, version: usize, end: EventTime, effects: &mut Effects) {
        self.go_by(venue, version);
        let fingerprint = &venue.version(self.version).fingerprint;
        if self.in_force == *fingerprint {
            return;
        }
        let before = std::mem::replace(&mut self.in_force, fingerprint.clone());
        self.unsaved = true;
        if !before.is_empty() {
            self.note(venue, Entry::VenueReload { fingerprint: fingerprint.as_str().into(), pane: end }, effects);
        }
    }

    /// Turns everything that was made from the configuration to that of this number.
    pub(super) fn go_by(&mut self, venue: &Venue, version: usize) {
        if self.version == version {
            return;
        }
        self.version = version;
        let venue = venue.version(version);
        self.topology = Topology::new(venue);
        self.forecaster.reload(venue);
    }
}
