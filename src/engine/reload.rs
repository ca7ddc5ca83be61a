//! Another configuration of a venue at an event time.
//!
//! The idea: the configurations are all known from the start, each with the time from which it holds, and all of one frame (`venue::frame`), so nothing that lasts is lost or given another
//! meaning. From the first pane that ends after its time on, fast panes of that pane included, a configuration is what panes are closed by. The change is journaled: a replay under
//! another configuration shows it. What a restart brought, in place of what was in force, is journaled in the same way.

use super::effects::Effects;
use super::journal::Entry;
use super::site::Site;
use crate::crowd::Topology;
use crate::time::EventTime;
use crate::venue::Venue;

impl Site {
    /// The pane ending at `end` is next to close, or a fast pane in it: goes by the configuration of its time.
    pub(super) fn turn_to(&mut self, venue: &Venue, end: EventTime, effects: &mut Effects) {
        self.go_by(venue, venue.version_at(end));
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
