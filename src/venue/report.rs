//! What `midan check` says of a world that is sound: its venues and how much stands in each.

use super::{Venue, World};
use std::fmt::Write as _;

/// A summary of the world, some lines a venue, for a person to hold against the place itself.
pub fn report(world: &World) -> String {
    let mut text = String::new();
    for venue in &world.venues {
        // Writing to a String cannot fail.
        let _ = describe(&mut text, venue);
    }
    let _ = writeln!(text, "{} venues, {} matches: no fault", world.venues.len(), world.venues.iter().map(|venue| venue.matches.len()).sum::<usize>());
    text
}

/// The safe capacity of every section of which anything is known, with what it was computed from.
pub fn capacities(world: &World) -> String {
    let mut text = String::new();
    for venue in &world.venues {
        for zone in &venue.zones {
            let Some(safe) = &zone.section.safe else { continue };
            let (persons, bound) = (safe.persons().map_or_else(|| "unknown".to_owned(), |persons| persons.to_string()), safe.bound_by().unwrap_or("nothing"));
            let set = zone.capacity.map_or_else(String::new, |capacity| format!(", {capacity} set"));
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{} {}: {persons} by {bound}{set}", venue.id, zone.id);
            let _ = writeln!(text, "  {safe}");
        }
    }
    text
}

fn describe(text: &mut String, venue: &Venue) -> std::fmt::Result {
    let illustrative = if venue.illustrative { ", illustrative" } else { "" };
    writeln!(text, "{} ({}, {}): {} persons, {}{illustrative}", venue.id, venue.name, venue.city, venue.capacity, venue.time_zone)?;
    let closed = venue.zones.iter().filter(|zone| zone.closed).count();
    let drawn = venue.zones.iter().filter(|zone| zone.shape.is_some()).count();
    writeln!(
        text,
        "  {} perimeters, {} zones ({closed} counted all round, {drawn} drawn), {} links",
        venue.perimeters.len(),
        venue.zones.len(),
        venue.links.len()
    )?;
    let lanes: u32 = venue.gates.iter().filter(|gate| gate.entry).map(|gate| gate.lanes).sum();
    let per_hour: f64 = venue.gates.iter().filter(|gate| gate.entry).map(|gate| f64::from(gate.lanes) * gate.lane_rate_per_h).sum();
    writeln!(text, "  {} gates, {lanes} entry lanes, {per_hour:.0} persons/h", venue.gates.len())?;
    writeln!(text, "  {} sensors, {} stops", venue.sensors.len(), venue.stops.len())?;
    for source in &venue.sources {
        let sensors = venue.sensors.iter().filter(|sensor| venue.sources[sensor.source.index()].id == source.id).count();
        let (feed, disorder, lateness, lag) = (source.feed.word(), source.disorder, source.lateness, source.as_of_lag);
        writeln!(text, "  source {} on {feed}: {sensors} sensors, disorder {disorder}, lateness {lateness}, as of {lag} ago", source.id)?;
    }
    for m in &venue.matches {
        writeln!(text, "  match {} {} - {}: {}, {} expected", m.id, m.home, m.away, m.kick_off, m.expected_attendance)?;
    }
    for later in &venue.later {
        writeln!(text, "  from {} on another configuration ({})", later.from, later.venue.fingerprint.get(..12).unwrap_or(""))?;
    }
    let mut profiles: Vec<(&str, &str)> = venue.zones.iter().map(|zone| (&*zone.profile.label, zone.profile.hash.get(..12).unwrap_or(""))).collect();
    profiles.sort_unstable();
    profiles.dedup();
    for (label, hash) in profiles {
        writeln!(text, "  profile {label} ({hash})")?;
    }
    Ok(())
}
