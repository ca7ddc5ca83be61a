//! The venue that a table becomes: a zone for each of its places with a link and a sensor for each of its counters, and one source.
//!
//! Nothing is known of these places but what was counted, so there is no area, no capacity and no density; what needs them stays silent.

use super::counters::Place;
use super::{SOURCE, Table};
use crate::time::{ClockTrust, Span};
use crate::venue::{
    Feed, FlowTable, Link, LinkId, LinkKind, Match, Measures, Names, Profile, Section, Sensor, Source, SourceId, Venue, World, Zone, ZoneId, ZoneKind,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A table's source ends at its last row, so silence never decides about it.
const NEVER_SILENT: Span = Span::from_mins(100 * 366 * 24 * 60);

impl Table {
    /// The world of this one table; its zones choose from `profile`, and `matches` is its calendar.
    pub fn world(&self, profile: &Arc<Profile>, matches: Vec<Match>) -> World {
        World::new(vec![self.venue(profile, matches)])
    }

    /// The venue of this table.
    pub fn venue(&self, profile: &Arc<Profile>, matches: Vec<Match>) -> Venue {
        let mapping = self.mapping();
        let profile = &self.with_budget(profile);
        let of_place = |(id, place): (&String, &Place)| zone(id, mapping.closed && place.told == mapping.layout.told(), profile);
        let zones: Vec<Zone> = self.sensors().iter().zip(&self.counters.places).map(of_place).collect();
        let counters = self.counters();
        let links: Vec<Link> = counters.iter().map(|counter| link(counter)).collect();
        let sensors: Vec<Sensor> = counters.iter().enumerate().map(|(i, counter)| sensor(counter, LinkId::from(i), mapping.step)).collect();
        let zone_names = Names::new(self.sensors().iter().map(String::as_str));
        let counter_names = || Names::new(counters.iter().map(|counter| counter.id));
        Venue {
            id: mapping.venue.as_str().into(),
            name: mapping.name.clone(),
            city: String::new(),
            region: String::new(),
            time_zone: self.zone(),
            coordinates: None,
            capacity: 0,
            illustrative: false,
            opening: mapping.opening.clone(),
            holidays: mapping.holidays.clone(),
            pane: self.pane(),
            step: mapping.step,
            fast_pane: None,
            keep_panes: mapping.step,
            trust: ClockTrust::default(),
            perimeters: Vec::new(),
            approaches: Vec::new(),
            approach_names: Names::default(),
            zones,
            links,
            gates: Vec::new(),
            stops: Vec::new(),
            sensors,
            sources: vec![self.source()],
            matches: matches.into_iter().map(|of_match| Match { kick_off: self.step_time(of_match.kick_off), ..of_match }).collect(),
            zone_names,
            link_names: counter_names(),
            gate_names: Names::default(),
            stop_names: Names::default(),
            sensor_names: counter_names(),
            source_names: Names::new([SOURCE]),
            later: Vec::new(),
            first: None,
            absent: Default::default(),
            fingerprint: String::new(),
            hash: self.layout_hash(),
        }
    }

    /// The counters of the table's places, in the order of their dense ids.
    fn counters(&self) -> Vec<Counter<'_>> {
        let places = || self.counters.places.iter().enumerate();
        // Where the way out has a counter of its own, the other one is of the way in.
        let own = places().map(|(i, place)| (ZoneId::from(i), if place.way_out.is_some() { [true, false, place.told[2]] } else { place.told }));
        let out = places().filter(|(_, place)| place.way_out.is_some()).map(|(i, _)| (ZoneId::from(i), [false, true, false]));
        self.counters.ids.iter().zip(own.chain(out)).map(|(id, (zone, told))| Counter { id, zone, told }).collect()
    }

    /// The profile with the budget that the mapping sets.
    fn with_budget(&self, profile: &Arc<Profile>) -> Arc<Profile> {
        let budget = self.mapping().anomaly;
        let told = [("anomaly.budget_per_week", budget.per_week), ("anomaly.budget_shared", budget.is_shared.map(f64::from))];
        let mut profile = Profile::clone(profile);
        for (name, value) in told {
            if let Some((threshold, value)) = profile.thresholds.get_mut(name).zip(value) {
                (threshold.value, threshold.source) = (value, "the mapping of the table".into());
            }
        }
        Arc::new(profile)
    }

    fn source(&self) -> Source {
        Source {
            id: SOURCE.into(),
            feed: Feed::Sensors,
            // The rows are sorted, and nothing comes after them.
            disorder: Span::ZERO,
            lateness: Span::ZERO,
            as_of_lag: Span::ZERO,
            interval: self.mapping().step,
            silence: NEVER_SILENT,
            format: Some("count".into()),
            wire: crate::venue::Wire::default(),
        }
    }

    fn layout_hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.mapping().hash.as_bytes());
        for sensor in self.sensors() {
            hash.update((sensor.len() as u64).to_le_bytes());
            hash.update(sensor.as_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn zone(id: &str, closed: bool, profile: &Arc<Profile>) -> Zone {
    Zone {
        id: id.into(),
        name: id.to_owned(),
        kind: ZoneKind::Counted,
        perimeter: None,
        area_m2: None,
        capacity: None,
        table: FlowTable::Walkway,
        profile: Arc::clone(profile),
        closed,
        ground_m: Vec::new(),
        section: Section::default(),
        shape: None,
    }
}

/// Only who goes out is counted.
const fn is_only_out(told: [bool; 3]) -> bool {
    matches!(told, [false, true, _])
}

/// A counter at a place, and which of in, out and undirected it tells.
struct Counter<'a> {
    id: &'a str,
    zone: ZoneId,
    told: [bool; 3],
}

/// Who is counted without direction passes within the zone: a link from it to itself (`forecast::series`). Where only one direction is told, the link goes that way.
fn link(&Counter { id, zone, told }: &Counter<'_>) -> Link {
    let here = Some(zone);
    let (from, to) = match told {
        [false, false, _] => (here, here),
        _ if is_only_out(told) => (here, None),
        _ => (None, here),
    };
    Link { id: id.into(), name: id.to_owned(), kind: LinkKind::Open, from, to, one_way: told[0] != told[1], width_m: None, exit: None, at: None }
}

fn sensor(&Counter { id, told, .. }: &Counter<'_>, link: LinkId, step: Span) -> Sensor {
    Sensor { id: id.into(), source: SourceId(0), measures: Measures::Link { link, reversed: is_only_out(told) }, interval: step }
}
