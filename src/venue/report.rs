//! What `midan check` says of a world that is sound: its venues and how much stands in each.

use super::roll::there;
use super::{Venue, World};
use std::fmt::Write as _;

/// A summary of the world, some lines a venue, for a person to hold against the place itself.
pub fn report(world: &World) -> String {
    let mut text = String::new();
    for venue in &world.venues {
        // Writing to a String cannot fail.
        let _ = describe(&mut text, venue);
    }
    let matches: usize = world.venues.iter().map(|venue| venue.match_days().count()).sum();
    let _ = writeln!(text, "{} venues, {matches} matches: no fault", world.venues.len());
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

/// The first configuration, and what each later one has more and less.
fn describe(text: &mut String, whole: &Venue) -> std::fmt::Result {
    let venue = whole.version(0);
    let absent = &venue.absent;
    let illustrative = if venue.illustrative { ", illustrative" } else { "" };
    writeln!(text, "{} ({}, {}): {} persons, {}{illustrative}", venue.id, venue.name, venue.city, venue.capacity, venue.time_zone)?;
    let zones = || there(&venue.zones, &absent.zones);
    let closed = zones().filter(|zone| zone.closed).count();
    let drawn = zones().filter(|zone| zone.shape.is_some()).count();
    writeln!(
        text,
        "  {} perimeters, {} zones ({closed} counted all round, {drawn} drawn), {} links",
        venue.perimeters.len(),
        zones().count(),
        there(&venue.links, &absent.links).count()
    )?;
    let lanes: u32 = venue.gates.iter().filter(|gate| gate.entry).map(|gate| gate.lanes).sum();
    let per_hour: f64 = venue.gates.iter().filter(|gate| gate.entry).map(|gate| f64::from(gate.lanes) * gate.lane_rate_per_h).sum();
    writeln!(text, "  {} gates, {lanes} entry lanes, {per_hour:.0} persons/h", there(&venue.gates, &absent.gates).count())?;
    writeln!(text, "  {} sensors, {} stops", there(&venue.sensors, &absent.sensors).count(), there(&venue.stops, &absent.stops).count())?;
    for source in there(&venue.sources, &absent.sources) {
        let sensors = there(&venue.sensors, &absent.sensors).filter(|sensor| venue.sources[sensor.source.index()].id == source.id).count();
        let (feed, disorder, lateness, lag) = (source.feed.word(), source.disorder, source.lateness, source.as_of_lag);
        writeln!(text, "  source {} on {feed}: {sensors} sensors, disorder {disorder}, lateness {lateness}, as of {lag} ago", source.id)?;
    }
    for (_, m) in whole.match_days() {
        writeln!(text, "  match {} {} - {}: {}, {} expected", m.id, m.home, m.away, m.kick_off, m.expected_attendance)?;
    }
    let mut before = venue;
    for later in &whole.later {
        let now = &later.venue;
        writeln!(text, "  from {} on another configuration ({})", later.from, now.fingerprint.get(..12).unwrap_or(""))?;
        for (said, these, others) in [("with", now, before), ("without", before, now)] {
            let names = these.beyond(others);
            if !names.is_empty() {
                writeln!(text, "    {said} {}", names.join(", "))?;
            }
        }
        before = now;
    }
    let mut profiles: Vec<(&str, &str)> = zones().map(|zone| (&*zone.profile.label, zone.profile.hash.get(..12).unwrap_or(""))).collect();
    profiles.sort_unstable();
    profiles.dedup();
    for (label, hash) in profiles {
        writeln!(text, "  profile {label} ({hash})")?;
    }
    Ok(())
}
