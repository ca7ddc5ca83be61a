//! Another configuration of a venue at an event time.
//!
//! The idea: the configurations are all known from the start, each with the time from which it holds, and all of one frame (`venue::frame`) and under one numbering (`venue::roll`), so nothing that
//! lasts is lost or given another meaning; what a configuration lacks is inert in it. From the first pane that ends after its time on, fast panes of that pane included, a configuration is what panes are closed by. The change is journaled, with its fingerprint:
//! a file may have been put in after its time, and a replay turns where live turned. One that does not have the configuration shows it. What a restart brought, in place of what was in
//! force, is journaled in the same way.

use super::effects::Effects;
use super::journal::Entry;
use super::site::Site;
use crate::crowd::Topology;
use crate::detect::finding::{Finding, Place, PlaceKind};
use crate::feeds::Observation;
use crate::feeds::observation::{Entity, What};
use crate::time::EventTime;
use crate::venue::roll::Absent;
use crate::venue::{SensorId, Venue};
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
        self.go_by(venue, version, venue.pane.start(end));
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

    /// Turns everything that was made from the configuration to that of this number, whose first pane begins at `at`.
    fn go_by(&mut self, venue: &Venue, version: usize, at: EventTime) {
        if self.version == version {
            return;
        }
        let before = std::mem::replace(&mut self.version, version);
        self.stand_by(venue, &venue.version(before).absent, at);
    }

    /// The state is restored: goes on by the configuration of this number, `at` the end of its last pane. The state may be of a time when the venue had less.
    pub(super) fn resume(&mut self, venue: &Venue, version: usize, at: EventTime) {
        self.version = version;
        self.stand_by(venue, &venue.version(version).absent, at);
    }

    fn stand_by(&mut self, venue: &Venue, before: &Absent, at: EventTime) {
        let now = venue.version(self.version);
        self.topology = Topology::new(now);
        self.crowd.turn_to(now, &self.topology, before, at);
        self.forecaster.reload(venue, now);
    }

    /// The configuration of the next pane.
    pub(super) fn next_version<'a>(&self, venue: &'a Venue) -> &'a Venue {
        let first = || self.open.first().unwrap_or(EventTime::MIN);
        let end = if self.closed_to == EventTime::MIN { first() } else { venue.pane.next(self.closed_to) };
        venue.version(self.version_of_pane(venue, end))
    }

    /// By which configuration the pane ending at `end` is closed, or was.
    fn version_of_pane(&self, venue: &Venue, end: EventTime) -> usize {
        if venue.later.is_empty() {
            return 0;
        }
        if end <= self.closed_to {
            return self.version_that_closed(venue, end);
        }
        let Some(journal) = &self.journal else { return venue.version_at(end) };
        let turned = journal.iter().rev().find_map(|entry| match entry {
            Entry::VenueReload { fingerprint, pane } if *pane <= end => venue.version_of(fingerprint),
            _ => None,
        });
        turned.unwrap_or_else(|| if self.in_force.is_empty() { self.first_version(venue, end) } else { self.version })
    }

    /// The number of the configuration by which the pane ending at `end` was closed; where the pane is kept no more, or a restart has put another in its place, of that of the pane's time.
    pub(super) fn version_that_closed(&self, venue: &Venue, end: EventTime) -> usize {
        self.closed.get(&end).and_then(|pane| venue.version_of(&pane.by)).unwrap_or_else(|| venue.version_at(end))
    }

    /// Why an observation tells nothing: what it is of is not there at its time. `None` where it is, for a part of a count at least.
    pub(super) fn absent_at_its_time(&self, venue: &Venue, observation: &Observation) -> Option<String> {
        if matches!(observation.what, What::LowWater) {
            return None;
        }
        let lag = venue.sources[observation.source.index()].as_of_lag;
        let is_absent_at = |at: EventTime| {
            let end = venue.pane.end_of(at.after(lag));
            // A state may have been of a time when the venue had less, whatever the files say by now.
            let has_come = |sensor: SensorId| self.crowd.sensor(sensor).and_then(|state| state.since).is_none_or(|since| since < end);
            let absent = &venue.version(self.version_of_pane(venue, end)).absent;
            absent.sources.contains(&observation.source)
                || match observation.entity {
                    Entity::Sensor(sensor) => absent.sensors.contains(&sensor) || !has_come(sensor),
                    Entity::Gate(gate) => absent.gates.contains(&gate),
                    Entity::Stop(stop) => absent.stops.contains(&stop),
                    Entity::Zone(zone) => absent.zones.contains(&zone),
                    Entity::Link(link) => absent.links.contains(&link),
                    Entity::Venue => false,
                }
        };
        let begins = match &observation.what {
            What::Count(count) => count.from,
            _ => observation.at,
        };
        let is_absent = is_absent_at(observation.at) && (begins >= observation.at || is_absent_at(begins));
        is_absent.then(|| "is not in the configuration that is in force at its time; see the files of the venue with `from`".to_owned())
    }
}

/// What is said of places that the configuration `venue` has: a plan that the feed told, or a clock, may be of one that is gone.
pub(super) fn of_what_is_there(venue: &Venue, mut findings: Vec<Finding>) -> Vec<Finding> {
    if venue.absent != Absent::default() {
        findings.retain(|finding| !is_gone(venue, &finding.place));
    }
    findings
}

/// Whether a place of an alarm is none of the configuration `venue` any more.
pub(super) fn is_gone(venue: &Venue, place: &Place) -> bool {
    let (absent, id) = (&venue.absent, &*place.id);
    match place.kind {
        PlaceKind::Venue => false,
        PlaceKind::Zone => venue.find_zone(id).is_some_and(|zone| absent.zones.contains(&zone)),
        PlaceKind::Gate => venue.find_gate(id).is_some_and(|gate| absent.gates.contains(&gate)),
        PlaceKind::Link => venue.link_names.position(id).is_some_and(|link| absent.links.contains(&link.into())),
        PlaceKind::Approach => venue.find_approach(id).is_some_and(|way| absent.approaches.contains(&way)),
        PlaceKind::Sensor => venue.find_sensor(id).is_some_and(|sensor| absent.sensors.contains(&sensor)),
    }
}
