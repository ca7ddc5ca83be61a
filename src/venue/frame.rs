//! What the state of a venue hangs on: its frame. What two configurations of one frame both have, they mean in the same way, so the state of one is the state of the other.
//!
//! The idea: inside, a zone or a sensor is a number of the roll (`venue::roll`), and what lasts is kept by numbers. Thresholds, capacities, areas, widths, lanes, matches, plans and drawings may change under a
//! running venue, for nothing that lasts is counted in them; zones, links, gates, stops, approaches, sensors and sources may come and go. What a thing is joined to, who counts what, the clocks of
//! the sources, the lengths of panes, steps and windows, and which zones share a budget may not change: that is another thing and needs another name.

use super::ids::ZoneId;
use super::model::{Measures, Venue, Zone};
use super::roll::there;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The frame of a venue: of each thing that it has, its kind and name, and what may not change of it.
pub type Frame = BTreeMap<String, String>;

/// The frame of a configuration, without what it lacks.
pub fn frame(venue: &Venue) -> Frame {
    let mut frame = Frame::new();
    let mut tell = |thing: String, what: String| drop(frame.insert(thing, what));
    tell("time_zone".to_owned(), venue.time_zone.to_string());
    tell("opening".to_owned(), format!("{:?}", venue.opening));
    tell(
        "lengths".to_owned(),
        format!("pane {} fast_pane {:?} step {} keep_panes {}", venue.pane.span(), venue.fast_pane.map(|fast| fast.span()), venue.step, venue.keep_panes),
    );
    tell("trust".to_owned(), format!("{:?}", venue.trust));
    tell("matches".to_owned(), if venue.matches.is_empty() { "none" } else { "told" }.to_owned());
    let absent = &venue.absent;
    let zone_name = |zone: ZoneId| &*venue.zones[zone.index()].id;
    let mut budgets: BTreeMap<&str, &str> = BTreeMap::new();
    for (zone, index) in venue.zones.iter().zip(0..) {
        let shared = *budgets.entry(&zone.profile.label).or_insert(&zone.id);
        if !absent.zones.contains(&ZoneId(index)) {
            let what = format!("{:?} closed {} ground {:?} budget of {shared} {}", zone.kind, zone.closed, zone.ground_m, windows(zone));
            tell(format!("zone {}", zone.id), what);
        }
    }
    for link in there(&venue.links, &absent.links) {
        let ends = [link.from, link.to].map(|zone| zone.map(zone_name));
        let exit = link.exit.map(|exit| zone_name(exit.of));
        let gate = there(&venue.gates, &absent.gates).find(|gate| venue.links[gate.link.index()].id == link.id).map(|gate| &*gate.id);
        tell(format!("link {}", link.id), format!("{:?} {ends:?} one_way {} exit of {exit:?} gate {gate:?}", link.kind, link.one_way));
    }
    for gate in there(&venue.gates, &absent.gates) {
        tell(format!("gate {}", gate.id), format!("on {} queue {:?} entry {}", venue.links[gate.link.index()].id, gate.queue.map(zone_name), gate.entry));
    }
    for stop in there(&venue.stops, &absent.stops) {
        tell(format!("stop {}", stop.id), format!("in {:?}", stop.zone.map(zone_name)));
    }
    for sensor in there(&venue.sensors, &absent.sensors) {
        let of = match sensor.measures {
            Measures::Link { link, reversed } => format!("link {} reversed {reversed}", venue.links[link.index()].id),
            Measures::Zone(zone) => format!("zone {}", zone_name(zone)),
            Measures::Gate(gate) => format!("gate {}", venue.gates[gate.index()].id),
            Measures::Door(link) => format!("door {}", venue.links[link.index()].id),
            Measures::Nothing => continue,
        };
        tell(format!("sensor {}", sensor.id), format!("of {} on {of}", venue.sources[sensor.source.index()].id));
    }
    for source in there(&venue.sources, &absent.sources) {
        let clock = format!("disorder {} lateness {} as_of_lag {} interval {}", source.disorder, source.lateness, source.as_of_lag, source.interval);
        tell(format!("source {}", source.id), format!("{:?} {clock}", source.feed));
    }
    frame
}

/// What two frames mean otherwise, the first of it in words; `None` where both mean the same by all that both have.
pub fn difference(before: &Frame, now: &Frame) -> Option<String> {
    let (thing, before, now) = before.iter().find_map(|(thing, before)| now.get(thing).filter(|now| *now != before).map(|now| (thing, before, now)))?;
    Some(format!("{thing} was \"{before}\" and is \"{now}\""))
}

/// SHA-256 over all that is configured of a venue, its profiles included, hexadecimal: which configuration is in force.
pub fn fingerprint(venue: &Venue) -> String {
    let mut hash = Sha256::new();
    hash.update(&venue.hash);
    venue.zones.iter().for_each(|zone| hash.update(&zone.profile.hash));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The thresholds that say how long a window is or how fine a grid: what is kept is cut by them.
fn windows(zone: &Zone) -> String {
    let cuts = |key: &str| key.ends_with("window_s") || key.starts_with("dense.") || key == "anomaly.budget_shared";
    let thresholds = zone.profile.thresholds.iter().filter(|(key, _)| cuts(key));
    thresholds.map(|(key, threshold)| format!("{key} {}", threshold.value)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
