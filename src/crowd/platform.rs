//! How full a platform gets before a match, by the vehicles that are expected at it.
//!
//! The idea: a train empties in a minute, and its people leave the platform no faster than the ways off it take them (width × rate of its kind, as for exits). So a fluid queue, minute by minute as
//! far ahead as arrivals are summed up: who is there now, and who alights, less who gets away. It peaks right after a train. The band is that of the vehicles' fullness and of the heads now, end by
//! end, for the share who alight is one mistake in all vehicles. Where the ways off are not surveyed, or nobody knows the heads now, nothing can be said.

use super::approaches::Sight;
use super::coming::Coming;
use super::figures::{Estimate, Phase, PlatformFigures};
use super::topology::Topology;
use super::transit::room_of;
use crate::time::{EventTime, Span};
use crate::venue::section::exit_rate;
use crate::venue::{Approach, StopId, ZoneId};

const MINUTE: Span = Span::from_mins(1);

/// The platform of an approach that will be fullest for its room; `None` where no room or no way off is known.
pub(super) fn platform(sight: &Sight<'_>, approach: &Approach, coming: &[Coming]) -> Option<PlatformFigures> {
    let is_before = sight.tonight.is_some_and(|tonight| tonight.phase == Phase::Before);
    let zone_of = |stop: StopId| sight.venue.stops.get(stop.index())?.zone;
    let mut zones: Vec<ZoneId> = approach.stops.iter().filter_map(|stop| zone_of(*stop)).collect();
    zones.sort_unstable();
    zones.dedup();
    let figures = zones.into_iter().filter_map(|zone| {
        let due: Vec<&Coming> = coming.iter().filter(|coming| is_before && !coming.come && zone_of(coming.stop) == Some(zone)).collect();
        of_zone(sight, zone, &due)
    });
    let filled = |figures: &PlatformFigures| figures.peak.map_or(0.0, |peak| peak.v / figures.room);
    figures.max_by(|a, b| filled(a).total_cmp(&filled(b)))
}

fn of_zone(sight: &Sight<'_>, zone: ZoneId, due: &[&Coming]) -> Option<PlatformFigures> {
    let until = EventTime::from_millis(sight.end.as_millis().saturating_add(sight.topology.split.ahead_ms));
    let due: Vec<(EventTime, Estimate)> = due.iter().filter_map(|coming| Some((coming.at?, coming.persons))).filter(|(at, _)| *at < until).collect();
    let room = room_of(sight.venue.zones.get(zone.index())?, sight.topology.split.waiting_density).filter(|room| *room > 0.0)?;
    let off_per_min = off_per_min(sight, zone);
    if off_per_min <= 0.0 {
        return None;
    }
    // Where nobody knows who is there now, nobody can say how full it gets.
    let now = sight.zones.get(zone.index()).and_then(|figures| figures.occupancy).filter(|_| !due.is_empty());
    let Some(now) = now else { return Some(PlatformFigures { room, peak: None }) };
    let peak = |part: fn(&Estimate) -> f64| {
        let (mut on, mut at, mut peak) = (part(&now), sight.end, part(&now));
        while at < until {
            let next = at.after(MINUTE);
            on += due.iter().filter(|(when, _)| (at..next).contains(when)).map(|(_, persons)| part(persons)).sum::<f64>();
            peak = f64::max(peak, on);
            on = (on - off_per_min).max(0.0);
            at = next;
        }
        peak
    };
    Some(PlatformFigures { room, peak: Some(Estimate { v: peak(|e| e.v), lo: peak(|e| e.lo), hi: peak(|e| e.hi) }) })
}

/// Persons a minute whom the ways off a platform into the venue take.
fn off_per_min(sight: &Sight<'_>, zone: ZoneId) -> f64 {
    let Some(profile) = sight.venue.zones.get(zone.index()).map(|zone| &zone.profile) else { return 0.0 };
    let leads_off = |way: usize| {
        let ends = sight.topology.crossings[way];
        let other = if ends.from == Some(zone) { ends.to } else { ends.from };
        (ends.from == Some(zone) || ends.to == Some(zone)) && other.is_some_and(|other| other != zone)
    };
    let links = sight.venue.links.iter().enumerate().filter(|(i, _)| leads_off(Topology::of_link((*i).into())));
    links.map(|(_, link)| link.width_m.unwrap_or(0.0) * exit_rate(link.kind, profile)).sum()
}

#[cfg(test)]
mod tests {
    use crate::crowd::approaches::tests::split_site;
    use crate::crowd::figures::PlatformFigures;
    use crate::crowd::sample::{KICK_OFF, Site, count};
    use crate::time::Span;
    use crate::venue::LinkKind;

    /// The platform has room for 1,600 (2 persons/m² on 800 m²) and a way off that is `width_m` wide.
    fn station(width_m: Option<f64>) -> Site {
        let mut site = split_site();
        let (platform, plaza) = (site.zone("platform"), site.zone("plaza"));
        site.venue.zones[platform].capacity = Some(1_600);
        let mut way = site.venue.links[0].clone();
        (way.id, way.from, way.to, way.width_m, way.kind) = ("off".into(), Some(platform.into()), Some(plaza.into()), width_m, LinkKind::Corridor);
        site.venue.links.push(way);
        site.venue.link_names = crate::venue::Names::new(site.venue.links.iter().map(|link| &*link.id).collect::<Vec<_>>());
        let heads = site.sensor("plaza-east");
        site.venue.sensors[heads.index()].measures = crate::venue::Measures::Zone(platform.into());
        site.turn_round();
        site
    }

    /// Trains of 1,000 places, 80 % full, in so many minutes, as of an hour and a half before kick-off.
    fn look(site: &Site, trains: &[(u64, i64)], n: i64) -> Option<PlatformFigures> {
        look_by(site, trains, n, &[("plaza-east", 0)])
    }

    fn look_by(site: &Site, trains: &[(u64, i64)], n: i64, heads: &[(&str, u32)]) -> Option<PlatformFigures> {
        let figures = site.close(&mut site.state(), n, |pane| {
            site.heads(pane, heads);
            pane.add_count(site.sensor("approach-1"), &count(0, 0));
            let trips: Vec<(u64, i64)> = trains.iter().map(|(trip, minutes)| (*trip, minutes * 60)).collect();
            site.expects(pane, n, &trips, (Some(80), Span::ZERO));
        });
        figures.approaches[1].platform
    }

    fn before(site: &Site) -> i64 {
        site.panes_to(KICK_OFF) - 6 * 90
    }

    #[test]
    fn trains_that_come_together_fill_the_platform_and_trains_apart_do_not() {
        let site = station(Some(2.0));
        let per_min = 2.0 * site.venue.zones[0].profile.value("capacity.exit_level");
        let apart = look(&site, &[(1, 2), (2, 12)], before(&site)).unwrap();
        assert_eq!((apart.room, apart.peak.unwrap().v.round()), (1_600.0, 725.0), "the first has got away");
        let together = look(&site, &[(1, 2), (2, 3), (3, 3)], before(&site)).unwrap().peak.unwrap();
        assert_eq!(together.v.round(), (3.0 * 725.0 - per_min).round());
        assert!(together.lo < together.v && together.v < together.hi, "{together:?}");
    }

    #[test]
    fn nothing_is_said_where_no_way_off_is_surveyed_no_train_is_expected_or_the_match_is_on() {
        let site = station(None);
        assert_eq!(look(&site, &[(1, 2)], before(&site)), None);
        let site = station(Some(2.0));
        let nothing = Some(PlatformFigures { room: 1_600.0, peak: None });
        assert_eq!(look(&site, &[], before(&site)), nothing);
        assert_eq!(look_by(&site, &[(1, 2)], before(&site), &[]), nothing, "nobody knows who is there now");
        assert_eq!(look(&site, &[(1, 2)], site.panes_to(KICK_OFF) + 60), nothing);
    }
}
