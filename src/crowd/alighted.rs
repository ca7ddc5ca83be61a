//! Who has alighted where nobody counts passengers: by what the feed said of the vehicle that came.
//!
//! The idea: a border that no counter covers is not one that nobody crosses. A vehicle that was expected and whose time has come brings those whom its fullness promised, with the band of that
//! promise: they have come over their approach, they are inside the border, and what is unsure of them widens the bands. As soon as passengers of the stop are counted, what was promised there is
//! taken back, for the counts hold them. Only before a match: how many alight ([`super::arrivals`]) is said of no other time.
//!
//! Where nothing of the border is counted at all, those whom the zones know are inside: at least they.

use super::approaches::ArrivalState;
use super::figures::{Estimate, Phase, ZoneFigures};
use super::normal::Z90;
use super::phase::Tonight;
use super::topology::Topology;
use crate::time::EventTime;
use crate::venue::{StopId, Venue, ZoneKind};
use crate::window::PaneContent;
use serde::{Deserialize, Serialize};

/// Who has alighted at a stop tonight by what was said of the vehicles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alighted {
    /// Its passengers have been counted.
    pub counted: bool,
    /// Persons.
    pub persons: u32,
    /// One standard deviation of them, persons: added up, for the share who alight is one mistake in all vehicles.
    pub sigma: f64,
}

impl ArrivalState {
    /// Goes on by who has come on vehicles in the pane that ends at `end`.
    pub(super) fn alight(&mut self, venue: &Venue, topology: &Topology, end: EventTime, content: &PaneContent, tonight: Option<&Tonight>) {
        for (stop, passengers) in content.passengers.iter().enumerate().map(|(i, passengers)| (StopId::from(i), passengers)) {
            if passengers.alighting.saturating_add(passengers.boarding) > 0 {
                self.count_instead(venue, topology, stop);
            }
        }
        let is_before = tonight.is_some_and(|tonight| tonight.phase == Phase::Before);
        let mut come = Vec::new();
        for coming in self.coming.iter_mut().filter(|coming| !coming.come && coming.at.is_some_and(|at| at < end)) {
            coming.come = true;
            come.push((coming.stop, coming.persons));
        }
        for (stop, persons) in come {
            let Some(alighted) = self.alighted.get_mut(stop.index()).filter(|alighted| is_before && !alighted.counted) else { continue };
            let (whole, sigma) = (libm::round(persons.v) as u32, (persons.hi - persons.lo) / (2.0 * Z90));
            alighted.persons = alighted.persons.saturating_add(whole);
            alighted.sigma += sigma;
            self.bring(venue, topology, stop, i64::from(whole), sigma);
        }
    }

    /// Passengers of a stop are counted: what the vehicles promised there is taken back.
    fn count_instead(&mut self, venue: &Venue, topology: &Topology, stop: StopId) {
        let Some(alighted) = self.alighted.get_mut(stop.index()).filter(|alighted| !alighted.counted) else { return };
        let before = std::mem::replace(alighted, Alighted { counted: true, ..Alighted::default() });
        if before.persons > 0 {
            self.bring(venue, topology, stop, -i64::from(before.persons), 0.0);
        }
    }

    fn bring(&mut self, venue: &Venue, topology: &Topology, stop: StopId, persons: i64, sigma: f64) {
        let crossing = topology.of_stop(stop);
        self.correct(venue, topology, crossing, persons, 0);
        let is_border = topology.border.iter().any(|(way, _)| *way == crossing);
        if let Some((.., slice)) = self.slices.last_mut().filter(|_| is_border) {
            *slice = slice.saturating_add(i32::try_from(persons).unwrap_or(0));
        }
        for (tally, _) in self.approaches.iter_mut().zip(&venue.approaches).filter(|(_, approach)| approach.stops.contains(&stop)) {
            tally.unsure += sigma;
        }
    }

    /// One standard deviation of those inside whom only vehicles have promised, persons.
    pub(super) fn unsure(&self, topology: &Topology) -> f64 {
        let is_border = |stop: usize| topology.border.iter().any(|(way, _)| *way == topology.of_stop(StopId::from(stop)));
        self.alighted.iter().enumerate().filter(|(stop, _)| is_border(*stop)).map(|(_, alighted)| alighted.sigma).sum()
    }
}

/// Those inside whom the zones know; a fan zone beside a stadium is outside, as at the border. `None` where no zone knows anybody's number.
pub(super) fn known_inside(venue: &Venue, zones: &[ZoneFigures]) -> Option<Estimate> {
    let is_stadium = venue.zones.iter().any(|zone| matches!(zone.kind, ZoneKind::Bowl | ZoneKind::Stand));
    let inside = venue.zones.iter().zip(zones).filter(|(zone, _)| !(is_stadium && zone.kind == ZoneKind::FanZone));
    let heads: Vec<Estimate> = inside.filter_map(|(_, figures)| figures.occupancy).collect();
    let squares: f64 = heads.iter().map(|heads| heads.sigma() * heads.sigma()).sum();
    (!heads.is_empty()).then(|| Estimate::normal(heads.iter().map(|heads| heads.v).sum(), libm::sqrt(squares)))
}

#[cfg(test)]
mod tests {
    use crate::crowd::VenueFigures;
    use crate::crowd::approaches::tests::split_site;
    use crate::crowd::sample::{KICK_OFF, Site, count, site};
    use crate::crowd::state::CrowdState;
    use crate::feeds::observation::{Arrival, Vehicle};
    use crate::time::{EventTime, Span};
    use crate::venue::StopId;
    use crate::window::pane::Reading;

    /// A pane in which the feed says of each trip in how many seconds it comes, 80 % full of 1,000, and so many come by road and alight by counts.
    fn pane(site: &Site, state: &mut CrowdState, n: i64, trips: &[(u64, i64)], (road, counted): (u32, u32)) -> VenueFigures {
        site.close(state, n, |pane| {
            ["approach-1", "approach-2"].iter().for_each(|name| pane.add_count(site.sensor(name), &count(road, 0)));
            pane.passengers[0].alighting = counted;
            for (trip, seconds) in trips {
                let expected = EventTime::from_millis(site.end(n).as_millis() + seconds * 1_000);
                let order = (EventTime::MIN, 0, 0);
                pane.arrivals.insert((StopId(0), *trip), Reading { order, value: Arrival { trip: *trip, expected, occupancy_status: None } });
                let vehicle = Vehicle { trip: *trip, stopped: false, occupancy_status: None, occupancy_percentage: Some(80), age: Span::ZERO, on_board: None };
                pane.vehicles.insert((StopId(0), *trip), Reading { order, value: vehicle });
            }
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
    fn counts_take_the_place_of_promises() {
        let site = split_site();
        let mut state = site.state();
        let begin = begin(&site);
        pane(&site, &mut state, begin, &[(1, -5)], (0, 0));
        let figures = pane(&site, &mut state, begin + 1, &[(2, -5)], (0, 640));
        let inside = figures.presence.unwrap().inside;
        assert_eq!((figures.approaches[1].came, inside.v), (640, 640.0));
        assert!((inside.sigma() - 0.02 * 640.0).abs() < 1e-9, "{}", inside.sigma());
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

    #[test]
    fn where_nothing_of_the_border_is_counted_those_whom_zones_know_are_inside() {
        let mut site = site();
        site.venue.stops.clear();
        site.venue.sensors.retain(|sensor| sensor.id.starts_with("plaza"));
        site.venue.sensor_names = crate::venue::Names::new(["plaza-east", "plaza-west"]);
        site.venue.gates.clear();
        site.venue.gate_names = crate::venue::Names::default();
        site.venue.zones.iter_mut().for_each(|zone| zone.closed = false);
        site.turn_round();
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
