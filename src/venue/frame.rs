//! What the state of a venue hangs on: its frame. Two configurations of one frame give their numbers to the same things, so the state of one is the state of the other.
//!
//! The idea: inside, a zone or a sensor is a number, and what lasts is kept by numbers. Thresholds, capacities, areas, widths, lanes, matches, plans and drawings may change under a
//! running venue, for nothing that lasts is counted in them. The lists (which zones, links, gates, stops, approaches, sensors and sources there are, and in which order), who counts what, the
//! clocks of the sources, the lengths of panes, steps and windows, and which zones share a budget may not.

use super::model::{Measures, Venue, Zone};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The frame of a venue, line by line, so that a difference can be named.
pub fn frame(venue: &Venue) -> Vec<String> {
    let mut lines = vec![
        format!("time_zone {}", venue.time_zone),
        format!("opening {:?}", venue.opening),
        format!("pane {} fast_pane {:?} step {} keep_panes {}", venue.pane.span(), venue.fast_pane.map(|fast| fast.span()), venue.step, venue.keep_panes),
        format!("trust {:?}", venue.trust),
        format!("matches {}", if venue.matches.is_empty() { "none" } else { "told" }),
    ];
    lines.extend(venue.perimeters.iter().map(|perimeter| format!("perimeter {}", perimeter.id)));
    let mut budgets: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, zone) in venue.zones.iter().enumerate() {
        let first = *budgets.entry(&zone.profile.label).or_insert(index);
        lines.push(format!(
            "zone {} {:?} closed {} ground {:?} budget of {} {}",
            zone.id,
            zone.kind,
            zone.closed,
            zone.ground_m,
            venue.zones[first].id,
            windows(zone)
        ));
    }
    for link in &venue.links {
        let ends = [link.from, link.to].map(|zone| zone.map(|zone| &*venue.zones[zone.index()].id));
        let exit = link.exit.map(|exit| &*venue.zones[exit.of.index()].id);
        lines.push(format!("link {} {:?} {ends:?} one_way {} exit of {exit:?}", link.id, link.kind, link.one_way));
    }
    for gate in &venue.gates {
        let queue = gate.queue.map(|zone| &*venue.zones[zone.index()].id);
        lines.push(format!("gate {} on {} queue {queue:?} entry {}", gate.id, venue.links[gate.link.index()].id, gate.entry));
    }
    lines.extend(venue.stops.iter().map(|stop| format!("stop {} in {:?}", stop.id, stop.zone.map(|zone| &*venue.zones[zone.index()].id))));
    lines.extend(venue.approaches.iter().map(|way| format!("approach {} {:?} {:?} {:?}", way.id, way.links, way.stops, way.gates)));
    for sensor in &venue.sensors {
        let of = match sensor.measures {
            Measures::Link { link, reversed } => format!("link {} reversed {reversed}", venue.links[link.index()].id),
            Measures::Zone(zone) => format!("zone {}", venue.zones[zone.index()].id),
            Measures::Gate(gate) => format!("gate {}", venue.gates[gate.index()].id),
            Measures::Door(link) => format!("door {}", venue.links[link.index()].id),
        };
        lines.push(format!("sensor {} of {} on {of}", sensor.id, venue.sources[sensor.source.index()].id));
    }
    for source in &venue.sources {
        let clock = format!("disorder {} lateness {} as_of_lag {} interval {}", source.disorder, source.lateness, source.as_of_lag, source.interval);
        lines.push(format!("source {} {:?} {clock}", source.id, source.feed));
    }
    lines
}

/// In which lines two frames part, the first of them in words; `None` where they are one.
pub fn difference(before: &[String], now: &[String]) -> Option<String> {
    let at = (0..before.len().max(now.len())).find(|at| before.get(*at) != now.get(*at))?;
    let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_else(|| "nothing".to_owned());
    Some(format!("where it had \"{}\" there is \"{}\"", line(before), line(now)))
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
