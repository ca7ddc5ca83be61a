//! What is told of the venue beyond counts: plans that are loaded, calls for help, the weather.
//!
//! A plan from the feed stands before the calendar's, part by part; of two the greater version holds. Calls are kept for twice the window in which they are looked at, so that
//! a cluster that has passed is seen to be over; how many have come in a row, for however long, is kept as sessions. Of each weather station the last heat is kept.

use super::figures::CallFigures;
use super::limits::CallLimits;
use super::state::NightState;
use crate::feeds::observation::{self, Call, Entity, Weather};
use crate::time::EventTime;
use crate::venue::{ApproachId, Plan, Service, Venue, ZoneId};
use crate::window::{PaneContent, Sessions};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A call for help that is remembered. Nothing of who called is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallHeard {
    /// When.
    pub at: EventTime,
    /// In which zone, where told.
    pub zone: Option<ZoneId>,
    /// Where, m in the venue's frame, where told.
    pub at_m: Option<(f64, f64)>,
}

impl NightState {
    /// Takes in what the pane was told.
    pub(super) fn hear_surroundings(&mut self, venue: &Venue, limits: &CallLimits, end: EventTime, content: &PaneContent) {
        for plan in content.plans.values() {
            self.learn_plan(venue, plan);
        }
        for ((at, ..), (entity, call)) in &content.calls {
            self.hear_call(limits, *at, *entity, *call);
        }
        self.calls.retain(|call| end.since(call.at) <= limits.window().times(2));
        self.stretches.retain(|_, sessions| {
            // The sessions are final a gap after their last call; for another one they are told to be over, as their calls are.
            drop(sessions.close(end.before(limits.window())));
            sessions.latest().is_some()
        });
        for reading in content.weather.values() {
            self.feel(reading.order.0, &reading.value);
        }
    }

    /// Remembers a call.
    pub(super) fn hear_call(&mut self, limits: &CallLimits, at: EventTime, entity: Entity, call: Call) {
        let zone = if let Entity::Zone(zone) = entity { Some(zone) } else { None };
        self.stretches.entry(zone).or_insert_with(|| Sessions::new(limits.window())).observe(at);
        let call = CallHeard { at, zone, at_m: call.at_m };
        // In the order of their times, so that late ones leave the same state.
        let place = self.calls.partition_point(|known| known.at <= at);
        self.calls.insert(place, call);
    }

    /// Remembers the heat at a station.
    pub(super) fn feel(&mut self, at: EventTime, weather: &Weather) {
        let Some(wbgt_c) = weather.wbgt_c else {
            return;
        };
        let known = self.heat.entry(weather.station.clone()).or_insert((at, wbgt_c));
        if known.0 <= at {
            *known = (at, wbgt_c);
        }
    }

    /// The greatest heat of any station that was heard within `age` of `end`, WBGT in °C.
    pub(super) fn heat_at(&self, end: EventTime, age_ms: i64) -> Option<f64> {
        let is_fresh = |at: EventTime| end.as_millis() - at.as_millis() <= age_ms;
        self.heat.values().filter(|(at, _)| is_fresh(*at)).map(|(_, wbgt_c)| *wbgt_c).max_by(f64::total_cmp)
    }

    /// Takes a plan of the feed.
    pub(super) fn learn_plan(&mut self, venue: &Venue, plan: &observation::Plan) {
        let told = self.told.entry(plan.match_id.clone()).or_default();
        if told.plan.as_ref().is_none_or(|(version, _)| *version <= plan.version) {
            told.plan = Some((plan.version, of_the_feed(venue, plan)));
        }
    }

    /// The clusters of calls, one for each place that has any: the greatest number within the radius (or the zone) and the window of one of its calls.
    pub(super) fn call_figures(&self, limits: &CallLimits, end: EventTime) -> Vec<CallFigures> {
        let from = end.as_millis() - limits.window_ms;
        let recent: Vec<&CallHeard> = self.calls.iter().filter(|call| call.at.as_millis() > from).collect();
        let is_near = |a: &CallHeard, b: &CallHeard| match (a.at_m, b.at_m) {
            (Some(a), Some(b)) => libm::hypot(a.0 - b.0, a.1 - b.1) <= limits.radius_m,
            _ => a.zone.is_some() && a.zone == b.zone,
        };
        // Every place that is remembered, so that one whose calls have passed is told to have none.
        let mut by_place: BTreeMap<Option<ZoneId>, u32> = self.calls.iter().map(|call| (call.zone, 0)).collect();
        for call in &recent {
            let near = recent.iter().filter(|other| is_near(call, other)).count() as u32;
            let most = by_place.entry(call.zone).or_default();
            *most = (*most).max(near.max(1));
        }
        by_place.into_iter().map(|(zone, calls)| CallFigures { zone, calls, stretch: self.stretches.get(&zone).and_then(Sessions::latest) }).collect()
    }
}

/// A plan as the venue names things: shares of stops, links, gates and zones go to the approaches that they belong to.
fn of_the_feed(venue: &Venue, plan: &observation::Plan) -> Plan {
    let mut shares: BTreeMap<ApproachId, f64> = BTreeMap::new();
    for (entity, share) in &plan.approach_shares {
        if let Some(approach) = approach_of(venue, *entity) {
            *shares.entry(approach).or_default() += share;
        }
    }
    let service = |service: &observation::Service| Service {
        stop: service.stop,
        from: service.from,
        to: service.to,
        vehicles: service.vehicles,
        capacity: service.capacity,
    };
    Plan {
        approach_shares: shares.into_iter().collect(),
        arrival_curve: plan.arrival_curve.clone(),
        tickets: plan.tickets.clone(),
        services: plan.services.iter().map(service).collect(),
    }
}

fn approach_of(venue: &Venue, entity: Entity) -> Option<ApproachId> {
    let touches = |link: &crate::venue::LinkId, zone| venue.links.get(link.index()).is_some_and(|link| link.from == Some(zone) || link.to == Some(zone));
    let at = venue.approaches.iter().position(|approach| match entity {
        Entity::Stop(stop) => approach.stops.contains(&stop),
        Entity::Link(link) => approach.links.contains(&link),
        Entity::Gate(gate) => approach.gates.contains(&gate),
        Entity::Zone(zone) => {
            let stops = approach.stops.iter().filter_map(|stop| venue.stops.get(stop.index()));
            approach.links.iter().any(|link| touches(link, zone)) || stops.into_iter().any(|stop| stop.zone == Some(zone))
        }
        _ => false,
    });
    at.map(ApproachId::from)
}

/// The plan that holds: what the feed told of it, and of the calendar what the feed left out.
pub(super) fn in_force(calendar: Option<&Plan>, told: Option<&Plan>) -> Plan {
    let mut plan = told.cloned().unwrap_or_default();
    if let Some(calendar) = calendar {
        if plan.approach_shares.is_empty() {
            plan.approach_shares.clone_from(&calendar.approach_shares);
        }
        if plan.arrival_curve.is_empty() {
            plan.arrival_curve.clone_from(&calendar.arrival_curve);
        }
        if plan.tickets.is_empty() {
            plan.tickets.clone_from(&calendar.tickets);
        }
        if plan.services.is_empty() {
            plan.services.clone_from(&calendar.services);
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{KICK_OFF, site};
    use crate::feeds::observation::CallKind;

    const LIMITS: CallLimits = CallLimits { window_ms: 45 * 60_000, radius_m: 150.0, heat_age_ms: 3_600_000 };

    fn at(mins: i64) -> EventTime {
        EventTime::from_millis(KICK_OFF.as_millis() + mins * 60_000)
    }

    fn call(at_m: Option<(f64, f64)>) -> Call {
        Call { kind: CallKind::Crush, at_m }
    }

    #[test]
    fn calls_within_radius_and_window_are_one_cluster() {
        let mut night = NightState::default();
        let zone = Entity::Zone(ZoneId(0));
        for (mins, x) in [(0, 0.0), (10, 100.0), (20, 140.0), (21, 900.0)] {
            night.hear_call(&LIMITS, at(mins), zone, call(Some((x, 0.0))));
        }
        let calls = |night: &NightState, mins| night.call_figures(&LIMITS, at(mins)).first().map(|cluster| cluster.calls);
        assert_eq!(calls(&night, 22), Some(3), "the fourth is 760 m away");
        assert_eq!(calls(&night, 50), Some(2), "the first is older than 45 min");
        assert_eq!(calls(&night, 70), Some(0), "they are remembered, and over");
    }

    #[test]
    fn calls_that_tell_only_their_zone_belong_together() {
        let mut night = NightState::default();
        for (mins, zone) in [(0, 0), (1, 0), (2, 1), (3, 0)] {
            night.hear_call(&LIMITS, at(mins), Entity::Zone(ZoneId(zone)), call(None));
        }
        let figures = night.call_figures(&LIMITS, at(4));
        assert_eq!(figures.iter().map(|cluster| cluster.calls).collect::<Vec<_>>(), [3, 1]);
    }

    /// Itaewon: eleven calls in three and a half hours, of which a window of 45 min never saw more than a few.
    #[test]
    fn calls_in_a_row_are_counted_for_however_long_they_come() {
        let (site, mut night) = (site(), NightState::default());
        let told = |night: &NightState, mins| {
            let stretch = night.call_figures(&LIMITS, at(mins)).first().and_then(|cluster| cluster.stretch);
            stretch.map(|stretch| (stretch.from.since(at(0)).as_millis() / 60_000, stretch.events))
        };
        for mins in [0, 10, 50, 95, 130, 170] {
            let mut content = PaneContent::new(&site.venue);
            content.calls.insert((at(mins), 0, mins as u64), (Entity::Zone(ZoneId(0)), call(None)));
            night.hear_surroundings(&site.venue, &LIMITS, at(mins), &content);
        }
        assert_eq!(night.call_figures(&LIMITS, at(171))[0].calls, 2, "within the window");
        assert_eq!(told(&night, 171), Some((0, 6)));
        night.hear_surroundings(&site.venue, &LIMITS, at(259), &PaneContent::new(&site.venue));
        assert_eq!(told(&night, 259), Some((0, 6)), "remembered as long as its calls are");
        night.hear_surroundings(&site.venue, &LIMITS, at(262), &PaneContent::new(&site.venue));
        assert_eq!((told(&night, 262), night.stretches.len()), (None, 0));
        night.hear_call(&LIMITS, at(263), Entity::Zone(ZoneId(0)), call(None));
        assert_eq!(told(&night, 264), Some((263, 1)), "after a pause they are counted anew");
    }

    #[test]
    fn the_order_in_which_calls_arrive_leaves_no_trace() {
        let mut nights = [NightState::default(), NightState::default()];
        for (night, order) in nights.iter_mut().zip([[1, 2, 3], [3, 1, 2]]) {
            order.iter().for_each(|mins| night.hear_call(&LIMITS, at(*mins), Entity::Zone(ZoneId(0)), call(None)));
        }
        assert_eq!((&nights[0].calls, &nights[0].stretches), (&nights[1].calls, &nights[1].stretches));
    }

    #[test]
    fn the_hottest_station_that_is_fresh_counts() {
        let mut night = NightState::default();
        let weather = |station: &str, wbgt_c| Weather { station: station.into(), air_c: None, wbgt_c, rain_mm_h: None, wind_m_s: None };
        night.feel(at(0), &weather("roof", Some(31.0)));
        night.feel(at(50), &weather("gate", Some(27.0)));
        night.feel(at(60), &weather("gate", None));
        assert_eq!(night.heat_at(at(55), LIMITS.heat_age_ms), Some(31.0));
        assert_eq!(night.heat_at(at(70), LIMITS.heat_age_ms), Some(27.0));
        assert_eq!(night.heat_at(at(200), LIMITS.heat_age_ms), None);
    }

    #[test]
    fn a_plan_of_the_feed_stands_before_the_calendars_part_by_part() {
        let mut site = site();
        let bowl = ZoneId::from(site.zone("bowl"));
        site.venue.matches[0].plan.tickets = vec![(bowl, 9_000)];
        site.venue.matches[0].plan.arrival_curve = vec![(-100, 0.0), (0, 1.0)];
        let plan = |version, tickets| observation::Plan {
            match_id: "m1".into(),
            version,
            approach_shares: Vec::new(),
            arrival_curve: Vec::new(),
            tickets: vec![(bowl, tickets)],
            services: Vec::new(),
        };
        let mut night = NightState::default();
        night.learn_plan(&site.venue, &plan(2, 9_500));
        night.learn_plan(&site.venue, &plan(1, 1));
        let tonight = night.tonight(&site.venue, KICK_OFF).unwrap();
        assert_eq!((tonight.plan.tickets_in_all(), tonight.plan.arrival_curve.len()), (Some(9_500), 2));
    }
}
