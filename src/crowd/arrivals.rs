//! Who is coming by public transport: of each expected vehicle, the persons who will alight, with a band.
//!
//! The idea: nobody counts them before the doors open, but the feed says when the vehicle comes and how full it is. Persons = capacity × share of the places taken × share
//! of those who alight here. What the feed says of fullness is a word (GTFS-Realtime's status, whose numbers are no scale) or a percentage; a word is a band
//! of shares that stands in the profile, a percentage has the width of its rounding, persons counted on board have the counters' error. A position that is stale, or a vehicle
//! that says nothing, may hold anybody between nobody and full. Where a counting system tells who alighted (`passengers`), that is what counts, and this is not asked.

use super::figures::Estimate;
use crate::feeds::observation::Vehicle;
use crate::time::EventTime;
use crate::venue::{Profile, StopId};
use crate::window::PaneContent;

/// One vehicle that is expected at a stop of the venue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpectedArrival {
    /// The stop.
    pub stop: StopId,
    /// Hash of the trip.
    pub trip: u64,
    /// When it is expected.
    pub at: EventTime,
    /// Persons who will alight.
    pub persons: Estimate,
}

/// What a vehicle holds and how its words are read, out of a profile.
#[derive(Clone, Debug, PartialEq)]
pub struct TransportLimits {
    stale_ms: f64,
    capacity: f64,
    alighting: (f64, f64),
    /// By GTFS-Realtime's occupancy status 0 to 6: the share of the places that is taken.
    loads: [(f64, f64); 7],
}

/// Half the width of a percentage: agencies publish it in steps of ten, so that no single rider shows (GTFS-Realtime, `occupancy_percentage`).
const HALF_STEP: f64 = 0.05;

impl TransportLimits {
    /// Reads them from a profile.
    pub fn of(profile: &Profile) -> Self {
        let value = |name: &str| profile.value(name);
        let load = |status: usize| (value(&format!("transport.load.{status}.lo")), value(&format!("transport.load.{status}.hi")));
        Self {
            stale_ms: value("transport.stale") * 1_000.0,
            capacity: value("transport.capacity"),
            alighting: (value("transport.alighting.lo"), value("transport.alighting.hi")),
            loads: std::array::from_fn(load),
        }
    }

    /// The share of the places of `vehicle` that is taken; everything between empty and full where nobody can tell. 4 and 5 may exceed 1: people stand.
    fn load(&self, vehicle: Option<&Vehicle>) -> (f64, f64) {
        self.told_load(vehicle).unwrap_or((0.0, self.loads[5].1))
    }

    /// As [`Self::load`]; `None` where nobody tells how full it is, or the word is stale.
    fn told_load(&self, vehicle: Option<&Vehicle>) -> Option<(f64, f64)> {
        let vehicle = vehicle.filter(|vehicle| vehicle.age.as_millis() as f64 <= self.stale_ms)?;
        if let Some(persons) = vehicle.on_board {
            let share = f64::from(persons) / self.capacity;
            return Some((share * (1.0 - HALF_STEP), share * (1.0 + HALF_STEP)));
        }
        if let Some(percentage) = vehicle.occupancy_percentage {
            let share = f64::from(percentage) / 100.0;
            return Some(((share - HALF_STEP).max(0.0), share + HALF_STEP));
        }
        self.loads.get(usize::try_from(vehicle.occupancy_status?).ok()?).copied()
    }

    /// Whether it is told how full `vehicle` is, by a word that is not stale.
    pub fn is_told(&self, vehicle: Option<&Vehicle>) -> bool {
        self.told_load(vehicle).is_some()
    }

    /// A word that is older is stale, ms.
    pub fn stale_ms(&self) -> f64 {
        self.stale_ms
    }

    /// Persons whom `vehicle` can take on, by the middle of how full it may be.
    pub fn room(&self, vehicle: Option<&Vehicle>, capacity: Option<u32>) -> f64 {
        let (lo, hi) = self.load(vehicle);
        capacity.map_or(self.capacity, f64::from) * (1.0 - (lo + hi) / 2.0).max(0.0)
    }

    /// Persons who will alight from `vehicle`, which holds `capacity` (the profile's where the plan tells none).
    pub fn alighting(&self, vehicle: Option<&Vehicle>, capacity: Option<u32>) -> Estimate {
        let capacity = capacity.map_or(self.capacity, f64::from);
        let (lo, hi) = self.load(vehicle);
        let (lo, hi) = (capacity * lo * self.alighting.0, capacity * hi * self.alighting.1);
        Estimate { v: (lo + hi) / 2.0, lo, hi }
    }
}

/// The vehicles that are expected after `end`, of what a pane has heard, by time; `capacity` of a vehicle at a stop, where a plan tells it.
pub fn expected_arrivals(content: &PaneContent, end: EventTime, limits: &TransportLimits, capacity: impl Fn(StopId) -> Option<u32>) -> Vec<ExpectedArrival> {
    let coming = content.arrivals.iter().filter(|(_, reading)| reading.value.expected >= end);
    let mut arrivals: Vec<ExpectedArrival> = coming
        .map(|((stop, trip), reading)| {
            let vehicle = content.vehicles.get(&(*stop, *trip)).map(|reading| &reading.value);
            ExpectedArrival { stop: *stop, trip: *trip, at: reading.value.expected, persons: limits.alighting(vehicle, capacity(*stop)) }
        })
        .collect();
    arrivals.sort_by_key(|arrival| (arrival.at, arrival.stop, arrival.trip));
    arrivals
}

/// Persons of several vehicles together. Their errors are taken to be independent within the band, but for the share who alight, which is the same mistake in all: so the
/// ends are added, which is never too narrow.
pub fn total(arrivals: &[ExpectedArrival]) -> Estimate {
    let sum = |part: fn(&Estimate) -> f64| arrivals.iter().map(|arrival| part(&arrival.persons)).sum();
    Estimate { v: sum(|persons| persons.v), lo: sum(|persons| persons.lo), hi: sum(|persons| persons.hi) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::observation::Arrival;
    use crate::time::Span;
    use crate::window::pane::Reading;

    fn limits() -> TransportLimits {
        let loads = [(0.0, 0.05), (0.05, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.1), (1.0, 1.2), (1.0, 1.2)];
        TransportLimits { stale_ms: 90_000.0, capacity: 1_000.0, alighting: (0.8, 1.0), loads }
    }

    fn vehicle(status: Option<i32>, percentage: Option<u32>, age_s: u64) -> Vehicle {
        let (occupancy_status, occupancy_percentage) = (status, percentage);
        Vehicle { trip: 7, stopped: false, occupancy_status, occupancy_percentage, age: Span::from_secs(age_s), on_board: None }
    }

    fn band(vehicle: Option<&Vehicle>) -> (f64, f64) {
        let persons = limits().alighting(vehicle, None);
        (persons.lo.round(), persons.hi.round())
    }

    #[test]
    fn a_percentage_is_narrower_than_a_word_and_a_stale_one_tells_nothing() {
        assert_eq!(band(Some(&vehicle(Some(3), Some(80), 20))), (600.0, 850.0));
        assert_eq!(band(Some(&vehicle(Some(3), None, 20))), (560.0, 900.0));
        assert_eq!(band(Some(&vehicle(Some(3), Some(80), 91))), (0.0, 1_200.0));
        assert_eq!(band(Some(&vehicle(Some(7), None, 0))), (0.0, 1_200.0), "no data");
        assert_eq!(band(None), (0.0, 1_200.0));
    }

    #[test]
    fn persons_counted_on_board_go_before_everything() {
        let counted = Vehicle { on_board: Some(500), ..vehicle(Some(5), Some(100), 0) };
        assert_eq!(band(Some(&counted)), (380.0, 525.0));
        assert_eq!(limits().alighting(Some(&vehicle(None, Some(100), 0)), Some(200)).hi.round(), 210.0);
    }

    #[test]
    fn only_what_is_still_to_come_is_expected_in_the_order_of_time() {
        let at = |secs: i64| EventTime::from_millis(secs * 1_000);
        let mut content = PaneContent::default();
        for (trip, secs) in [(1, 90), (2, 200), (3, 150)] {
            let value = Arrival { trip, expected: at(secs), occupancy_status: None };
            content.arrivals.insert((StopId(0), trip), Reading { order: (at(100), 0, 0), value });
        }
        let value = Vehicle { trip: 3, ..vehicle(None, Some(50), 0) };
        content.vehicles.insert((StopId(0), 3), Reading { order: (at(100), 0, 0), value });
        let expected = expected_arrivals(&content, at(100), &limits(), |_| None);
        assert_eq!(expected.iter().map(|arrival| arrival.trip).collect::<Vec<_>>(), [3, 2]);
        let all = total(&expected);
        assert_eq!((all.lo.round(), all.hi.round()), (360.0, 1_750.0));
    }
}
