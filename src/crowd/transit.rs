//! Who will wait at a station after the match: those who go home over it, as fast as the exits let them out, against what the services take.
//!
//! Once the match is over, the vehicles that the feed expects, with the room in them, stand for the planned ones as far ahead as it tells of any.
//!
//! The idea: a fluid queue minute by minute from the end of the match on (or from now, once it has ended or goes on beyond its time): q ← max(0, q + who comes − who is taken). Who comes leaves the
//! seats at the pace of the open exits, a walk later; the share of an approach on the way home is that of the way here. What it peaks at is held against the room there is.
//! σ² = (heads · σ_share)² + (share · σ_heads)².

use super::approaches::Sight;
use super::figures::{Estimate, Phase, StationFigures};
use super::phase::expected_end;
use crate::time::{EventTime, Span};
use crate::venue::{Approach, Service, Zone};

/// The way home is looked at minute by minute.
const MINUTE: Span = Span::from_mins(1);

/// Three hours after the end nobody who matters is still on the way.
const MINUTES: usize = 180;

/// The station of an approach; `None` where it has no stops with planned services or no room is known, and long before the end.
pub(super) fn station(sight: &Sight<'_>, approach: &Approach, share: f64, coming: &[(EventTime, f64)]) -> Option<StationFigures> {
    let (tonight, limits) = (sight.tonight?, &sight.topology.split);
    let services: Vec<&Service> = tonight.plan.services.iter().filter(|service| approach.stops.contains(&service.stop)).collect();
    let end = expected_end(tonight);
    if services.is_empty() || share <= 0.0 || sight.end < end.before(Span::from_millis(limits.home_from_ms.max(0) as u64)) && tonight.phase != Phase::After {
        return None;
    }
    let zones: Vec<usize> = approach.stops.iter().filter_map(|stop| sight.venue.stops.get(stop.index())?.zone).map(crate::venue::ZoneId::index).collect();
    let room: f64 = zones.iter().filter_map(|zone| room_of(sight.venue.zones.get(*zone)?, limits.waiting_density)).sum();
    let heads = sight.heads()?;
    let is_over = tonight.phase == Phase::After;
    // Stoppage and extra time: while the match goes on nobody has begun to leave.
    let start = if is_over { sight.end } else { end.max(sight.end) };
    let waiting: f64 = if is_over { zones.iter().filter_map(|zone| sight.zones.get(*zone)?.occupancy).map(|heads| heads.v).sum() } else { 0.0 };
    let heading = heads.v * share;
    let way = Way {
        coming: if is_over { coming } else { &[] },
        start,
        waiting,
        heading,
        per_min: share * sight.let_out_per_min(heads.v),
        walk: if is_over { 0 } else { minutes(limits.walk_ms) },
    };
    let peak = way.peak(&services);
    let sigma = libm::hypot(heads.v * limits.share_sigma, share * heads.sigma()).min(peak.max(heading));
    let until = start.after(Span::from_secs((limits.egress_min * 60.0) as u64));
    let taken: f64 = services.iter().map(|service| service.taken(start, until)).sum();
    (room > 0.0).then(|| StationFigures { room, peak: Estimate::normal(peak, sigma), heading, services_per_min: taken / limits.egress_min.max(1.0) })
}

/// People on their way to a station.
struct Way<'a> {
    /// Vehicles that the feed expects, with the room in each: as far ahead as it tells of any, they stand for the plan.
    coming: &'a [(EventTime, f64)],
    start: EventTime,
    waiting: f64,
    heading: f64,
    per_min: f64,
    walk: usize,
}

impl Way<'_> {
    fn peak(&self, services: &[&Service]) -> f64 {
        let (mut queue, mut left, mut at) = (self.waiting, self.heading, self.start);
        let mut peak = queue;
        for minute in 0..MINUTES {
            let next = at.after(MINUTE);
            let comes = if minute < self.walk { 0.0 } else { self.per_min.min(left) };
            let taken: f64 = self.taken(services, at, next);
            left -= comes;
            queue = (queue + comes - taken).max(0.0);
            peak = f64::max(peak, queue);
            at = next;
        }
        peak
    }
}

impl Way<'_> {
    fn taken(&self, services: &[&Service], at: EventTime, next: EventTime) -> f64 {
        if self.coming.last().is_some_and(|(last, _)| next <= *last) {
            return self.coming.iter().filter(|(when, _)| (at..next).contains(when)).map(|(_, room)| room).sum();
        }
        services.iter().map(|service| service.taken(at, next)).sum()
    }
}

impl Sight<'_> {
    /// Who is to go home: everybody inside the border, else those in the bowl.
    fn heads(&self) -> Option<Estimate> {
        self.inside.or_else(|| self.zones.get(self.topology.lead?.index())?.occupancy)
    }

    /// What the exits of the bowl let out, persons/min; where it has none, everybody in the normal egress time.
    fn let_out_per_min(&self, heads: f64) -> f64 {
        let egress = self.topology.lead.and_then(|lead| self.zones.get(lead.index())?.egress);
        let usual = heads / self.topology.split.egress_min.max(1.0);
        egress.map_or(usual, |egress| egress.open_per_min.min(usual))
    }
}

/// Persons for whom a zone has room: what it may hold, else as many as may wait on its ground.
pub(super) fn room_of(zone: &Zone, density: f64) -> Option<f64> {
    zone.final_capacity().map(f64::from).or(zone.area_m2.map(|area| area * density))
}

fn minutes(ms: i64) -> usize {
    usize::try_from(ms / MINUTE.as_millis() as i64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venue::StopId;

    fn service(vehicles: u32) -> Service {
        Service { stop: StopId(0), from: EventTime::from_millis(0), to: EventTime::from_millis(3_600_000), vehicles, capacity: 1_000 }
    }

    /// 12,000 head for the station at 1,000 a minute.
    fn peak(vehicles: u32) -> f64 {
        let way = Way { coming: &[], start: EventTime::from_millis(0), waiting: 0.0, heading: 12_000.0, per_min: 1_000.0, walk: 0 };
        way.peak(&[&service(vehicles)])
    }

    /// Planned are 500 a minute; the feed knows of one train of 1,000 in the next ten minutes.
    #[test]
    fn the_trains_that_the_feed_expects_stand_for_the_plan_as_far_as_it_tells() {
        let at = |minutes: i64| EventTime::from_millis(minutes * 60_000 + 1);
        let coming = [(at(4), 1_000.0), (at(10), 1_000.0)];
        let way = Way { coming: &coming, start: EventTime::from_millis(0), waiting: 0.0, heading: 12_000.0, per_min: 1_000.0, walk: 0 };
        assert!(
            (way.peak(&[&service(30)]) - 10_000.0).abs() < 1e-6,
            "10,000 have come, one train of theirs has left, then 500 a minute go: {}",
            way.peak(&[&service(30)])
        );
    }

    #[test]
    fn what_is_not_taken_waits() {
        assert_eq!(peak(0), 12_000.0);
        assert!((peak(30) - 6_000.0).abs() < 1e-6, "500 a minute are taken for 12 minutes");
        assert_eq!(peak(60), 0.0);
    }

    #[test]
    fn a_walk_gives_the_services_no_head_start_over_nobody() {
        let way = |walk| Way { coming: &[], start: EventTime::from_millis(0), waiting: 0.0, heading: 12_000.0, per_min: 1_000.0, walk };
        assert!((way(10).peak(&[&service(30)]) - 6_000.0).abs() < 1e-6);
    }

    /// The only service runs for a quarter of an hour after the regular end; the match is in extra time when it stops.
    #[test]
    fn who_watches_extra_time_takes_no_train_meanwhile() {
        use crate::crowd::approaches::tests::split_site;
        use crate::crowd::sample::{KICK_OFF, count};
        use crate::feeds::observation::{MatchEvent, MatchEventKind};
        let mut site = split_site();
        let platform = site.zone("platform");
        site.venue.zones[platform].capacity = Some(1_000);
        let after = |minutes| KICK_OFF.after(Span::from_mins(minutes));
        site.venue.matches[0].plan.services = vec![Service { stop: StopId(0), from: after(105), to: after(120), vehicles: 10, capacity: 1_000 }];
        site.turn_round();
        let mut state = site.state();
        site.close(&mut state, site.panes_to(KICK_OFF), |pane| {
            ["approach-1", "approach-2"].iter().for_each(|name| pane.add_count(site.sensor(name), &count(4_000, 0)));
            pane.passengers[0].alighting = 4_000;
        });
        let event = |event| MatchEvent { match_id: "m1".into(), event, expected_attendance: None, to: None };
        state.night.learn(after(0), &event(MatchEventKind::KickOff));
        let peak = |state: &mut crate::crowd::CrowdState, minutes: i64| {
            let figures = site.close(state, site.panes_to(KICK_OFF) + 6 * minutes, |_| ());
            figures.approaches[1].station.map(|station| (station.heading.round(), station.peak.v.round()))
        };
        let (heading, before) = peak(&mut state, 100).unwrap();
        assert!(heading == 4_000.0 && before < heading, "{heading} {before}");
        state.night.learn(after(112), &event(MatchEventKind::ExtraTime));
        assert_eq!(peak(&mut state, 121), Some((heading, heading)), "all of them will wait");
    }

    #[test]
    fn who_waits_already_is_there() {
        let way = Way { coming: &[], start: EventTime::from_millis(0), waiting: 3_000.0, heading: 0.0, per_min: 0.0, walk: 0 };
        assert_eq!(way.peak(&[&service(6)]), 3_000.0);
    }
}
