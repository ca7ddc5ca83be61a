//! Who has alighted where nobody counts passengers: by what the feed said of the vehicle that came.
//!
//! The idea: a border that no counter covers is not one that nobody crosses. A vehicle that was expected and whose time has come brings those whom its fullness promised, with the band of that
//! promise: they have come over their approach, they are inside the border, and what is unsure of them widens the bands. One whose fullness nobody tells, or whose word is stale, brings nobody: an
//! ordinary service would else raise alarms by itself. Who has come is remembered for the night: nobody alights twice, and who is told to come later after all is taken back.
//! Passengers who are counted settle the promise of the vehicle that came last before them, and of those before it only as many as were counted beyond it. Only before a match: how many alight
//! ([`super::arrivals`]) is said of no other time.
//!
//! Where nothing of the border is counted at all, those whom the zones know are inside: at least they.

use super::approaches::ArrivalState;
use super::coming::Coming;
use super::figures::{Estimate, Phase, ZoneFigures};
use super::normal::Z90;
use super::phase::Tonight;
use super::topology::Topology;
use crate::time::EventTime;
use crate::venue::{StopId, Venue, Zone, ZoneKind};
use crate::window::PaneContent;
use serde::{Deserialize, Serialize};

/// Who has alighted at a stop tonight by what was said of the vehicles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alighted {
    /// One standard deviation of those who are not counted, persons: added up, for the share who alight is one mistake in all vehicles.
    pub sigma: f64,
    /// Persons who were counted before the vehicle they came by was said to have come, and until when.
    pub ahead: Option<(EventTime, u32)>,
}

/// A vehicle that has come tonight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Come {
    /// The stop.
    pub stop: StopId,
    /// Hash of the trip.
    pub trip: u64,
    /// When it came.
    pub at: EventTime,
    /// Persons whom it has brought and nobody has counted.
    pub persons: u32,
    /// One standard deviation of them, persons.
    pub sigma: f64,
    /// Once passengers of it are counted: as many more may be counted before they are those of another vehicle.
    pub still: Option<u32>,
}

/// Vehicles that are remembered at most: a bound on the state, not a threshold. Whom the oldest brought stay.
const MOST: usize = 4_096;

impl ArrivalState {
    /// Goes on by who has come on vehicles in the pane that ends at `end`.
    pub(super) fn alight(&mut self, venue: &Venue, topology: &Topology, end: EventTime, content: &PaneContent, tonight: Option<&Tonight>) {
        let Some(limits) = &topology.transport else { return };
        let is_before = tonight.is_some_and(|tonight| tonight.phase == Phase::Before);
        let since = |at: EventTime| end.since(at).as_millis() as f64;
        let told: Vec<(Coming, EventTime)> = self.coming.iter().filter_map(|coming| Some((*coming, coming.at?))).collect();
        for (coming, at) in told {
            let known = self.come.iter().position(|come| (come.stop, come.trip) == (coming.stop, coming.trip));
            match known {
                Some(known) if at >= end => {
                    let come = self.come.remove(known);
                    self.bring(venue, topology, come.stop, -i64::from(come.persons), -come.sigma);
                }
                None if at < end => {
                    let mut come = Come { stop: coming.stop, trip: coming.trip, at, persons: 0, sigma: 0.0, still: None };
                    // How full it is now says nothing of a call long past.
                    if is_before && coming.is_known && since(at) <= limits.stale_ms() {
                        let persons = coming.persons;
                        (come.persons, come.sigma) = (libm::round(persons.v) as u32, (persons.hi - persons.lo) / (2.0 * Z90));
                        self.bring(venue, topology, come.stop, i64::from(come.persons), come.sigma);
                    }
                    self.come.push(come);
                    let ahead = self.alighted.get_mut(come.stop.index()).and_then(|alighted| alighted.ahead.take());
                    if let Some((until, persons)) = ahead.filter(|(until, _)| since(*until) <= limits.stale_ms()) {
                        self.count_instead(venue, topology, come.stop, end.max(until), persons);
                    }
                }
                _ => {}
            }
        }
        self.come.drain(..self.come.len().saturating_sub(MOST));
        self.coming.iter_mut().for_each(|coming| coming.come = coming.at.is_some_and(|at| at < end));
        for (stop, passengers) in content.passengers.iter().enumerate() {
            self.count_instead(venue, topology, StopId::from(stop), end, passengers.alighting);
        }
    }

    /// Passengers who alighted before `end` are counted: what the vehicle promised that came last until then is taken back, and of the earlier ones what was counted beyond it.
    pub(super) fn count_instead(&mut self, venue: &Venue, topology: &Topology, stop: StopId, end: EventTime, counted: u32) {
        if counted == 0 {
            return;
        }
        let mut rest = counted;
        let mut here: Vec<usize> = (0..self.come.len()).filter(|i| self.come[*i].stop == stop && self.come[*i].at < end).collect();
        here.sort_by_key(|i| std::cmp::Reverse((self.come[*i].at, self.come[*i].trip)));
        if let Some(last) = here.first() {
            let come = &mut self.come[*last];
            let still = come.still.unwrap_or(come.persons);
            come.still = Some(still.saturating_sub(rest));
            rest = rest.saturating_sub(still);
            self.settle(venue, topology, *last, u32::MAX);
        }
        for earlier in here.into_iter().skip(1) {
            let settled = rest.min(self.come[earlier].persons);
            self.settle(venue, topology, earlier, settled);
            rest -= settled;
        }
        if let Some(alighted) = self.alighted.get_mut(stop.index()).filter(|alighted| alighted.ahead.is_none_or(|(until, _)| until <= end)) {
            alighted.ahead = (rest > 0).then_some((end, rest));
        }
    }

    /// Takes back so many of those whom a vehicle has brought, and as large a share of their band.
    fn settle(&mut self, venue: &Venue, topology: &Topology, at: usize, persons: u32) {
        let come = &mut self.come[at];
        let persons = persons.min(come.persons);
        if persons == 0 {
            return;
        }
        let sigma = come.sigma * f64::from(persons) / f64::from(come.persons);
        come.persons -= persons;
        come.sigma = if come.persons == 0 { 0.0 } else { come.sigma - sigma };
        let stop = come.stop;
        self.bring(venue, topology, stop, -i64::from(persons), -sigma);
    }

    fn bring(&mut self, venue: &Venue, topology: &Topology, stop: StopId, persons: i64, sigma: f64) {
        let crossing = topology.of_stop(stop);
        self.correct(venue, topology, crossing, persons, 0);
        let is_border = topology.border.iter().any(|(way, _)| *way == crossing);
        if let Some((.., slice)) = self.slices.last_mut().filter(|_| is_border) {
            *slice = slice.saturating_add(i32::try_from(persons).unwrap_or(0));
        }
        for (tally, _) in self.approaches.iter_mut().zip(&venue.approaches).filter(|(_, approach)| approach.stops.contains(&stop)) {
            tally.unsure = (tally.unsure + sigma).max(0.0);
        }
        if let Some(alighted) = self.alighted.get_mut(stop.index()) {
            alighted.sigma = (alighted.sigma + sigma).max(0.0);
        }
    }

    /// One standard deviation of those inside whom only vehicles have promised, persons.
    pub(super) fn unsure(&self, topology: &Topology) -> f64 {
        let is_border = |stop: usize| topology.border.iter().any(|(way, _)| *way == topology.of_stop(StopId::from(stop)));
        self.alighted.iter().enumerate().filter(|(stop, _)| is_border(*stop)).map(|(_, alighted)| alighted.sigma).sum()
    }
}

/// The heads of each zone inside that knows them; a fan zone beside a stadium is outside, as at the border.
pub(super) fn heads_inside(venue: &Venue, zones: &[ZoneFigures]) -> Vec<Option<Estimate>> {
    let is_stadium = venue.zones.iter().any(|zone| matches!(zone.kind, ZoneKind::Bowl | ZoneKind::Stand));
    let heads = |(zone, figures): (&Zone, &ZoneFigures)| figures.occupancy.filter(|_| !(is_stadium && zone.kind == ZoneKind::FanZone));
    venue.zones.iter().zip(zones).map(heads).collect()
}

/// Those inside whom the zones know. `None` where no zone knows anybody's number.
pub(super) fn known_inside(venue: &Venue, zones: &[ZoneFigures]) -> Option<Estimate> {
    let heads: Vec<Estimate> = heads_inside(venue, zones).into_iter().flatten().collect();
    let squares: f64 = heads.iter().map(|heads| heads.sigma() * heads.sigma()).sum();
    (!heads.is_empty()).then(|| Estimate::normal(heads.iter().map(|heads| heads.v).sum(), libm::sqrt(squares)))
}

#[cfg(test)]
mod tests {
    use crate::crowd::VenueFigures;
    use crate::crowd::approaches::tests::split_site;
    use crate::crowd::correct::Correction;
    use crate::crowd::sample::{KICK_OFF, Site, count, site};
    use crate::crowd::state::CrowdState;
    use crate::feeds::observation::{Entity, Passengers, What};
    use crate::time::{EventTime, Span};
    use crate::venue::StopId;

    /// A pane in which the feed says of each trip in how many seconds it comes, 80 % full of 1,000, and so many come by road and alight by counts.
    fn pane(site: &Site, state: &mut CrowdState, n: i64, trips: &[(u64, i64)], (road, counted): (u32, u32)) -> VenueFigures {
        site.close(state, n, |pane| {
            ["approach-1", "approach-2"].iter().for_each(|name| pane.add_count(site.sensor(name), &count(road, 0)));
            pane.passengers[0].alighting = counted;
            site.expects(pane, n, trips, (Some(80), Span::ZERO));
        })
    }

    fn begin(site: &Site) -> i64 {
        site.panes_to(KICK_OFF) - 6 * 100
    }

    /// 1,000 places, 75 to 85 % full, 80 to 100 % alight: 600 to 850, 725 in the middle, σ = 125/1.645.
    #[test]
    fn a_train_that_has_come_brings_whom_it_promised_once_and_its_band() {
        let site = split_site();
        let mut state = site.state();
        let begin = begin(&site);
        assert_eq!(pane(&site, &mut state, begin, &[(1, 5)], (0, 0)).approaches[1].came, 0, "it is still on the way");
        let figures = pane(&site, &mut state, begin + 1, &[(1, -5), (2, 300)], (0, 0));
        let inside = figures.presence.unwrap().inside;
        assert_eq!((figures.approaches[1].came, inside.v), (725, 725.0));
        assert!((inside.sigma() - libm::hypot(0.02 * 725.0, 125.0 / 1.644_853_6)).abs() < 0.1, "{}", inside.sigma());
        assert_eq!(figures.approaches[1].coming.unwrap().v.round(), 725.0, "the second one only");
        let figures = pane(&site, &mut state, begin + 2, &[(1, -15), (2, 290)], (0, 0));
        assert_eq!(figures.approaches[1].came, 725, "nobody alights twice while the feed still speaks of it");
        assert!(figures.presence.unwrap().per_min > 1_000.0);
    }

    #[test]
    fn counts_take_the_place_of_the_promise_of_the_vehicle_they_followed() {
        let site = split_site();
        let mut state = site.state();
        let begin = begin(&site);
        pane(&site, &mut state, begin, &[(1, -5)], (0, 0));
        let figures = pane(&site, &mut state, begin + 1, &[], (0, 600));
        let inside = figures.presence.unwrap().inside;
        assert_eq!((figures.approaches[1].came, inside.v), (600, 600.0));
        assert!((inside.sigma() - 0.02 * 600.0).abs() < 1e-6, "{}", inside.sigma());
        assert_eq!(state.arrivals.approaches[1].unsure, 0.0);
        let figures = pane(&site, &mut state, begin + 2, &[], (0, 40));
        assert_eq!(figures.approaches[1].came, 640);
        let figures = pane(&site, &mut state, begin + 3, &[(2, -5)], (0, 0));
        assert_eq!(figures.approaches[1].came, 640 + 725, "the next train has no counter");
        let figures = pane(&site, &mut state, begin + 4, &[(3, -5)], (0, 825));
        assert_eq!(figures.approaches[1].came, 640 + 625 + 825, "100 more than the third promised may be of the second");
    }

    #[test]
    fn who_is_counted_before_the_feed_says_it_has_come_is_there_once() {
        let site = split_site();
        let mut state = site.state();
        let begin = begin(&site);
        pane(&site, &mut state, begin, &[(1, 15)], (0, 700));
        assert_eq!(pane(&site, &mut state, begin + 1, &[(1, -5)], (0, 0)).approaches[1].came, 700);
    }

    #[test]
    fn who_is_counted_late_is_there_once() {
        let site = split_site();
        let mut state = site.state();
        let begin = begin(&site);
        pane(&site, &mut state, begin, &[(1, -5)], (0, 0));
        let what = What::Passengers(Passengers { from: EventTime::MIN, to: EventTime::MAX, alighting: 640, boarding: 0 });
        let late = Correction { at: site.end(begin), end: site.end(begin), entity: Entity::Stop(StopId(0)), what: &what, pane: None };
        state.correct(&site.venue, &site.topology, &late);
        assert_eq!((state.arrivals.approaches[1].came, state.arrivals.inside), (640, 640));
    }

    #[test]
    fn who_is_told_to_come_later_after_all_has_not_alighted() {
        let site = split_site();
        let mut state = site.state();
        let begin = begin(&site);
        assert_eq!(pane(&site, &mut state, begin, &[(1, -5)], (0, 0)).approaches[1].came, 725);
        let figures = pane(&site, &mut state, begin + 1, &[(1, 600)], (0, 0));
        assert_eq!((figures.approaches[1].came, figures.presence.unwrap().inside.v), (0, 0.0));
        assert_eq!(figures.approaches[1].coming.unwrap().v.round(), 725.0);
        assert_eq!(pane(&site, &mut state, begin + 2, &[(1, -5)], (0, 0)).approaches[1].came, 725);
    }

    #[test]
    fn a_feed_that_was_silent_lets_nobody_alight_twice() {
        let site = split_site();
        let mut state = site.state();
        let begin = begin(&site);
        pane(&site, &mut state, begin, &[(1, -5)], (0, 0));
        pane(&site, &mut state, begin + 12, &[], (0, 0));
        assert!(state.arrivals.coming.is_empty(), "nobody has spoken of it for more than 90 s");
        assert_eq!(pane(&site, &mut state, begin + 13, &[(1, -60)], (0, 0)).approaches[1].came, 725);
    }

    #[test]
    fn a_train_of_unknown_or_stale_fullness_brings_nobody() {
        let site = split_site();
        for (percentage, age) in [(None, Span::ZERO), (Some(80), Span::from_mins(5))] {
            let mut state = site.state();
            let n = begin(&site);
            let figures = site.close(&mut state, n, |pane| {
                pane.add_count(site.sensor("approach-1"), &count(0, 0));
                site.expects(pane, n, &[(1, -5)], (percentage, age));
            });
            let presence = figures.presence.unwrap();
            assert_eq!((figures.approaches[1].came, presence.inside.v, presence.inside.sigma(), presence.per_min), (0, 0.0, 0.0, 0.0));
        }
    }

    #[test]
    fn a_split_that_rests_on_promises_is_less_sure() {
        let site = split_site();
        let (mut promised, mut counted) = (site.state(), site.state());
        let begin = begin(&site);
        let trips: Vec<(u64, i64)> = (1..=10).map(|trip| (trip, -5)).collect();
        pane(&site, &mut promised, begin, &trips, (0, 0));
        let unsure = pane(&site, &mut promised, begin + 1, &[], (1_000, 0));
        let sure = pane(&site, &mut counted, begin, &[], (1_000, 7_250));
        let (unsure, sure) = (&unsure.approaches[1], &sure.approaches[1]);
        assert_eq!((unsure.came, unsure.share, unsure.sum), (sure.came, sure.share, sure.sum));
        assert!(unsure.p_over > 0.5 && unsure.p_over < sure.p_over, "{} {}", unsure.p_over, sure.p_over);
    }

    #[test]
    fn after_the_match_nobody_is_thought_to_come() {
        let site = split_site();
        let mut state = site.state();
        let after = site.panes_to(KICK_OFF) + 6 * 110;
        assert_eq!(pane(&site, &mut state, after, &[(1, -5)], (0, 0)).approaches[1].came, 0);
    }

    /// A venue of which only head counts in the plaza are known.
    fn heads_only() -> Site {
        let mut site = site();
        site.venue.stops.clear();
        site.venue.sensors.retain(|sensor| sensor.id.starts_with("plaza"));
        site.venue.sensor_names = crate::venue::Names::new(["plaza-east", "plaza-west"]);
        site.venue.gates.clear();
        site.venue.gate_names = crate::venue::Names::default();
        site.venue.zones.iter_mut().for_each(|zone| zone.closed = false);
        site.turn_round();
        site
    }

    #[test]
    fn a_zone_that_is_told_for_the_first_time_is_no_inflow() {
        let mut site = heads_only();
        let other = site.zone("forecourt");
        let west = site.sensor("plaza-west");
        site.venue.sensors[west.index()].measures = crate::venue::Measures::Zone(other.into());
        site.turn_round();
        let mut state = site.state();
        let begin = site.panes_to(KICK_OFF) - 6 * 100;
        site.close(&mut state, begin, |pane| site.heads(pane, &[("plaza-east", 300)]));
        let presence = site.close(&mut state, begin + 1, |pane| site.heads(pane, &[("plaza-east", 310), ("plaza-west", 5_000)])).presence.unwrap();
        assert_eq!(presence.inside.v, 5_310.0);
        assert!((presence.per_min - 10.0 * 6.0).abs() < 1e-9, "{}", presence.per_min);
        let presence = site.close(&mut state, begin + 2, |pane| site.heads(pane, &[("plaza-east", 310), ("plaza-west", 5_030)])).presence.unwrap();
        assert!((presence.per_min - 40.0 * 3.0).abs() < 1e-9, "{}", presence.per_min);
    }

    #[test]
    fn where_nothing_of_the_border_is_counted_those_whom_zones_know_are_inside() {
        let site = heads_only();
        assert!(site.topology.border.is_empty());
        let mut state = site.state();
        let begin = site.panes_to(KICK_OFF) - 6 * 100;
        assert_eq!(site.close(&mut state, begin, |_| ()).presence, None, "nobody has told of anybody");
        site.close(&mut state, begin + 1, |pane| site.heads(pane, &[("plaza-east", 300), ("plaza-west", 200)]));
        let presence = site.close(&mut state, begin + 2, |pane| site.heads(pane, &[("plaza-east", 420)])).presence.unwrap();
        assert_eq!(presence.inside.v, 620.0);
        assert!((presence.per_min - 120.0 * 6.0).abs() < 1e-9, "120 more in the 10 s of the pane: {}", presence.per_min);
    }
}
