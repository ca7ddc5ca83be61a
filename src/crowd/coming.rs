//! Who is on the way by public transport: the vehicles that the feed expects, remembered from pane to pane.
//!
//! The idea: a feed tells of a trip every half minute or so, and of its fullness in another message; what was told last stands until the vehicle has come, or until nobody has spoken
//! of it for so long that the feed's word is stale. How many will alight, and how sure that is, [`super::arrivals`] says. Once a vehicle has come its
//! passengers count, where they are counted; else [`super::alighted`] takes them as promised.

use super::approaches::ArrivalState;
use super::figures::Estimate;
use super::limits::SplitLimits;
use super::phase::Tonight;
use super::topology::Topology;
use crate::feeds::observation::Vehicle;
use crate::time::{EventTime, Span};
use crate::venue::StopId;
use crate::window::PaneContent;
use serde::{Deserialize, Serialize};

/// A vehicle that is expected at a stop.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coming {
    /// The stop.
    pub stop: StopId,
    /// Hash of the trip.
    pub trip: u64,
    /// When it is expected; `None` while only its position is known.
    pub at: Option<EventTime>,
    /// When it was last spoken of: the end of that pane.
    pub told: EventTime,
    /// How full it is, as told in the pane that ended then.
    pub vehicle: Option<(EventTime, Vehicle)>,
    /// Persons who will alight.
    pub persons: Estimate,
    /// Whether it is told how full it is, by a word that is not stale.
    pub is_known: bool,
    /// Persons whom it can take on.
    pub room: f64,
    /// It has come, by the time it was told last.
    pub come: bool,
}

/// Vehicles that are remembered at most, of those that have come and of those that have not each: a bound on the state, not a threshold.
const MOST: usize = 256;

impl ArrivalState {
    /// Goes on by what a pane heard of vehicles.
    pub(super) fn expect(&mut self, topology: &Topology, end: EventTime, content: &PaneContent, tonight: Option<&Tonight>) {
        let Some(limits) = &topology.transport else { return };
        for ((stop, trip), reading) in &content.arrivals {
            self.told(*stop, *trip, end, |coming| coming.at = Some(reading.value.expected));
        }
        for ((stop, trip), reading) in &content.vehicles {
            self.told(*stop, *trip, end, |coming| coming.vehicle = Some((end, reading.value)));
        }
        self.coming.retain(|coming| end.since(coming.told).as_millis() as f64 <= limits.stale_ms());
        self.coming.sort_by_key(|coming| (coming.at.unwrap_or(EventTime::MAX), coming.stop, coming.trip));
        let mut places = [MOST; 2];
        self.coming.retain(|coming| {
            let place = &mut places[usize::from(coming.come)];
            std::mem::replace(place, place.saturating_sub(1)) > 0
        });
        let capacity =
            |stop: StopId| tonight.and_then(|tonight| tonight.plan.services.iter().find(|service| service.stop == stop)).map(|service| service.capacity);
        for coming in &mut self.coming {
            let aged =
                coming.vehicle.map(|(seen, vehicle)| Vehicle { age: Span::from_millis(vehicle.age.as_millis() + end.since(seen).as_millis()), ..vehicle });
            coming.is_known = limits.is_told(aged.as_ref());
            coming.persons = limits.alighting(aged.as_ref(), capacity(coming.stop));
            coming.room = limits.room(aged.as_ref(), capacity(coming.stop));
        }
    }

    fn told(&mut self, stop: StopId, trip: u64, end: EventTime, note: impl FnOnce(&mut Coming)) {
        let known = self.coming.iter().position(|coming| (coming.stop, coming.trip) == (stop, trip));
        let at = known.unwrap_or_else(|| {
            let nobody = Estimate { v: 0.0, lo: 0.0, hi: 0.0 };
            self.coming.push(Coming { stop, trip, at: None, told: end, vehicle: None, persons: nobody, is_known: false, room: 0.0, come: false });
            self.coming.len() - 1
        });
        self.coming[at].told = end;
        note(&mut self.coming[at]);
    }

    /// Those that have not come yet.
    fn due(&self) -> impl Iterator<Item = &Coming> {
        self.coming.iter().filter(|coming| !coming.come)
    }

    /// Persons who will come within the profile's time ahead over the stops that are `wanted`; `None` where no vehicle is expected.
    pub(super) fn coming_within(&self, end: EventTime, limits: &SplitLimits, wanted: impl Fn(StopId) -> bool) -> Option<Estimate> {
        let until = EventTime::from_millis(end.as_millis().saturating_add(limits.ahead_ms));
        sum(self.due().filter(|coming| wanted(coming.stop) && coming.at.is_some_and(|at| at < until)))
    }

    /// Persons on vehicles that come so late that they cannot have walked to their seats by the deadline; `None` where no vehicle is expected so late.
    pub(super) fn coming_late(&self, limits: &SplitLimits, tonight: &Tonight) -> Option<Estimate> {
        let last = tonight.kick_off.as_millis() as f64 - limits.entry_margin_ms - limits.walk_ms as f64;
        sum(self.due().filter(|coming| coming.at.is_some_and(|at| at.as_millis() as f64 > last && at < tonight.kick_off)))
    }

    /// When vehicles are expected at these stops, and how many each can take on, by time.
    pub(super) fn taking(&self, stops: &[StopId]) -> Vec<(EventTime, f64)> {
        self.due().filter(|coming| stops.contains(&coming.stop)).filter_map(|coming| Some((coming.at?, coming.room))).collect()
    }
}

/// Their ends are added, for the share who alight is one mistake in all of them (see [`super::arrivals::total`]).
fn sum<'a>(coming: impl Iterator<Item = &'a Coming>) -> Option<Estimate> {
    let add = |sum: Estimate, one: &Coming| Estimate { v: sum.v + one.persons.v, lo: sum.lo + one.persons.lo, hi: sum.hi + one.persons.hi };
    coming.fold(None, |sum, one| Some(add(sum.unwrap_or(Estimate { v: 0.0, lo: 0.0, hi: 0.0 }), one)))
}

#[cfg(test)]
mod tests {
    use crate::crowd::VenueFigures;
    use crate::crowd::approaches::tests::split_site;
    use crate::crowd::sample::{KICK_OFF, Site, count};
    use crate::crowd::state::CrowdState;
    use crate::time::Span;

    fn train(site: &Site, state: &mut CrowdState, n: i64, trains: &[(u64, i64)], percentage: u32) -> VenueFigures {
        site.close(state, n, |pane| {
            pane.add_count(site.sensor("approach-1"), &count(0, 0));
            let trips: Vec<(u64, i64)> = trains.iter().map(|(trip, minutes)| (*trip, minutes * 60)).collect();
            site.expects(pane, n, &trips, (Some(percentage), Span::ZERO));
        })
    }

    /// Two trains of 1,000 places, 80 % full within 5 %; 80 to 100 % alight: 600 to 850 each. One in 40 min is too far ahead.
    #[test]
    fn who_is_on_the_way_is_summed_up_and_remembered_until_it_is_stale() {
        let site = split_site();
        let mut state = site.state();
        let begin = site.panes_to(KICK_OFF) - 6 * 100;
        let coming = |figures: &VenueFigures| figures.approaches[1].coming.map(|coming| (coming.lo.round(), coming.hi.round()));
        assert_eq!(coming(&train(&site, &mut state, begin, &[(1, 5), (2, 12), (3, 40)], 80)), Some((1_200.0, 1_700.0)));
        let later = train(&site, &mut state, begin + 9, &[], 80);
        assert_eq!((coming(&later), later.approaches[0].coming), (Some((1_200.0, 1_700.0)), None));
        assert_eq!(later.presence.unwrap().coming.unwrap().v.round(), 1_450.0);
        assert_eq!(coming(&train(&site, &mut state, begin + 10, &[], 80)), None, "nobody has spoken of them for more than 90 s");
    }

    #[test]
    fn those_that_have_come_take_no_place_of_those_that_have_not() {
        let site = split_site();
        let mut state = site.state();
        let begin = site.panes_to(KICK_OFF) - 6 * 100;
        let past: Vec<(u64, i64)> = (0..300).map(|trip| (trip, -1)).collect();
        train(&site, &mut state, begin, &past, 80);
        let figures = train(&site, &mut state, begin + 1, &[(1_000, 5)], 80);
        assert_eq!(figures.approaches[1].coming.map(|coming| coming.v.round()), Some(725.0));
    }

    /// 9,000 are expected; 720 may come late. Two full trains after the deadline are more.
    #[test]
    fn who_sits_in_a_train_that_comes_too_late_is_late_however_fast_the_gates_are() {
        let site = split_site();
        let late = |trains: &[(u64, i64)]| {
            let figures = train(&site, &mut site.state(), site.panes_to(KICK_OFF) - 6 * 40, trains, 100);
            let entry = figures.entry.unwrap();
            entry.coming_late.map(|late| late.v.round())
        };
        assert_eq!(late(&[(1, 5), (2, 10)]), None);
        assert_eq!(late(&[(1, 30), (2, 35)]), Some(1_810.0));
    }
}
