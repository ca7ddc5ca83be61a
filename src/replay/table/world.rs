//! The venue that a table becomes: a zone, a link and a sensor for each of its series, and one source.
//!
//! Nothing is known of these places but what was counted, so there is no area, no capacity and no density; what needs them stays silent.

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
        let zones: Vec<Zone> = self.sensors().iter().map(|id| zone(id, mapping.closed, profile)).collect();
        let told = self.directions();
        let links: Vec<Link> = self.sensors().iter().enumerate().map(|(i, id)| link(id, ZoneId::from(i), told)).collect();
        let reversed = is_only_out(told);
        let sensors: Vec<Sensor> = self.sensors().iter().enumerate().map(|(i, id)| sensor(id, LinkId::from(i), reversed, mapping.step)).collect();
        let names = || Names::new(self.sensors().iter().map(String::as_str));
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
            zone_names: names(),
            link_names: names(),
            gate_names: Names::default(),
            stop_names: Names::default(),
            sensor_names: names(),
            source_names: Names::new([SOURCE]),
            later: Vec::new(),
            first: None,
            absent: Default::default(),
            fingerprint: String::new(),
            hash: self.layout_hash(),
        }
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

/// Who is counted without direction passes within the zone: a link from it to itself (`forecast::series`). Where only one direction is told, the link goes that way.
fn link(id: &str, zone: ZoneId, told: [bool; 3]) -> Link {
    let here = Some(zone);
    let (from, to) = match told {
        [false, false, _] => (here, here),
        _ if is_only_out(told) => (here, None),
        _ => (None, here),
    };
    Link { id: id.into(), name: id.to_owned(), kind: LinkKind::Open, from, to, one_way: told[0] != told[1], width_m: None, exit: None, at: None }
}

fn sensor(id: &str, link: LinkId, reversed: bool, step: Span) -> Sensor {
    Sensor { id: id.into(), source: SourceId(0), measures: Measures::Link { link, reversed }, interval: step }
}
