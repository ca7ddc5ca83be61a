//! What one pane has collected: dense arrays by sensor, gate and stop.

use crate::feeds::observation::{
    Arrival, Call, Count, DoorState, Entity, Grid, Health, MatchEvent, Observation, Plan, Rejection, Scan, Total, Track, Vehicle, Weather, What,
};
use crate::time::{ClockFault, EventTime};
use crate::venue::{GateId, SensorId, SourceId, StopId, Venue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The order of readings that do not add up: event time, the sensor's own number, hash of the content.
pub type ReadingOrder = (EventTime, u64, u64);

/// The last reading of a sensor in a pane.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading<T> {
    /// Where it stands in the order.
    pub order: ReadingOrder,
    /// What it says.
    pub value: T,
}

/// What a camera saw at one instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Snapshot {
    /// Where everybody was.
    Tracks(Vec<Track>),
    /// Density, and where told velocity, by cell.
    Grid(Grid),
}

/// What cameras saw, by camera and slot of time.
pub type Snapshots = BTreeMap<(SensorId, i64), Reading<Snapshot>>;

/// Of several snapshots within so many milliseconds the last is kept: a camera may send 25 a second, and a crowd's slowest signs take half a minute.
const SNAPSHOT_SLOT_MS: i64 = 250;

/// People counted by one sensor in the pane, in whole persons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensorCount {
    /// Inwards.
    pub inwards: u32,
    /// Outwards.
    pub outwards: u32,
    /// Without direction.
    pub undirected: u32,
    /// How many reports of any kind came from the sensor.
    pub reports: u32,
}

/// Tickets scanned at one gate in the pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateScans {
    /// Let in.
    pub entered: u32,
    /// Let out.
    pub left: u32,
    /// Turned away.
    pub rejected: u32,
}

/// Passengers at one stop in the pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopPassengers {
    /// Alighted.
    pub alighting: u32,
    /// Boarded.
    pub boarding: u32,
}

/// What was found out about a sensor's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockNote {
    /// What is wrong with it; `None` when it is right again.
    pub fault: Option<ClockFault>,
    /// By how much it was ahead at last, ms; behind when negative.
    pub offset_ms: i64,
    /// Events that were not believed.
    pub events: u32,
}

/// What one pane of one venue has collected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PaneContent {
    /// By sensor.
    #[serde(with = "super::sparse")]
    pub counts: Vec<SensorCount>,
    /// Running totals by sensor, every reading in order: their differences are taken at the close.
    pub totals: BTreeMap<(SensorId, ReadingOrder), Total>,
    /// The last head count by sensor (persons).
    pub occupancies: BTreeMap<SensorId, Reading<u32>>,
    /// The last state by sensor: (state, lanes open).
    pub states: BTreeMap<SensorId, Reading<(DoorState, Option<u32>)>>,
    /// By gate.
    #[serde(with = "super::sparse")]
    pub scans: Vec<GateScans>,
    /// Tickets that were turned away, by gate and reason (those whose reason is told).
    pub rejections: BTreeMap<(GateId, Rejection), u32>,
    /// The last health by sensor.
    pub health: BTreeMap<SensorId, Reading<Health>>,
    /// By stop.
    #[serde(with = "super::sparse")]
    pub passengers: Vec<StopPassengers>,
    /// The last position by (stop, trip).
    pub vehicles: BTreeMap<(StopId, u64), Reading<Vehicle>>,
    /// The last expectation by (stop, trip).
    pub arrivals: BTreeMap<(StopId, u64), Reading<Arrival>>,
    /// Match events in order.
    pub matches: BTreeMap<ReadingOrder, MatchEvent>,
    /// Calls for help in order: the place (a zone, or the venue where only metres are told), and the call.
    pub calls: BTreeMap<ReadingOrder, (Entity, Call)>,
    /// The last weather by station.
    pub weather: BTreeMap<Box<str>, Reading<Weather>>,
    /// Plans that were loaded, in order.
    pub plans: BTreeMap<ReadingOrder, Plan>,
    /// Service alerts that were in force: (stop, cause, effect).
    pub service_alerts: BTreeMap<(StopId, i32, i32), u32>,
    /// What cameras saw, by sensor and slot of time. They are large, so each is an entry of the state by itself, and the close of the pane takes them out.
    #[serde(skip)]
    pub snapshots: Snapshots,
    /// What was found out about sensors' clocks.
    pub clocks: BTreeMap<SensorId, ClockNote>,
    /// The latest event time heard from each source, by source: the base of a feed's age.
    pub heard: Vec<Option<EventTime>>,
}

impl PaneContent {
    /// An empty pane of `venue`.
    pub fn new(venue: &Venue) -> Self {
        Self {
            counts: vec![SensorCount::default(); venue.sensors.len()],
            scans: vec![GateScans::default(); venue.gates.len()],
            passengers: vec![StopPassengers::default(); venue.stops.len()],
            heard: vec![None; venue.sources.len()],
            ..Self::default()
        }
    }

    /// Makes room for what may come, where there is none yet.
    pub fn make_room(&mut self, venue: &Venue) {
        if !self.has_room() {
            self.widen_to(venue);
        }
    }

    /// Makes room for what has come to the venue since it was stored.
    pub fn widen(&mut self, venue: &Venue) {
        if self.has_room() {
            self.widen_to(venue);
        }
        self.heard.resize(venue.sources.len(), None);
    }

    fn widen_to(&mut self, venue: &Venue) {
        self.counts.resize(venue.sensors.len(), SensorCount::default());
        self.scans.resize(venue.gates.len(), GateScans::default());
        self.passengers.resize(venue.stops.len(), StopPassengers::default());
        self.heard.resize(venue.sources.len(), None);
    }

    /// Whether there is room for counts, scans and passengers; a pane in which only marks stand has none.
    pub fn has_room(&self) -> bool {
        !(self.counts.is_empty() && self.scans.is_empty() && self.passengers.is_empty())
    }

    /// Notes that `source` of `venue` was heard at `at`, in a pane that may have no room for anything else.
    pub fn hear_of(&mut self, venue: &Venue, source: SourceId, at: EventTime) {
        self.heard.resize(venue.sources.len(), None);
        self.hear(source, at);
    }

    /// Notes that `source` was heard at `at`.
    pub fn hear(&mut self, source: SourceId, at: EventTime) {
        if let Some(heard) = self.heard.get_mut(source.index()) {
            *heard = (*heard).max(Some(at));
        }
    }

    /// Notes what was found out about the clock of `sensor`; the last word counts.
    pub fn note_clock(&mut self, sensor: SensorId, note: ClockNote) {
        let known = self.clocks.entry(sensor).or_insert(ClockNote { events: 0, ..note });
        *known = ClockNote { events: known.events.saturating_add(note.events), ..note };
    }

    /// Adds people counted by `sensor`.
    pub fn add_count(&mut self, sensor: SensorId, count: &Count) {
        let Some(sum) = self.counts.get_mut(sensor.index()) else { return };
        sum.inwards = sum.inwards.saturating_add(count.inwards);
        sum.outwards = sum.outwards.saturating_add(count.outwards);
        sum.undirected = sum.undirected.saturating_add(count.undirected);
        sum.reports = sum.reports.saturating_add(1);
    }

    /// Adds anything but a count, which may have to be apportioned first ([`super::apportion`]).
    pub fn add(&mut self, observation: &Observation) {
        let at = observation.at;
        match (observation.entity, &observation.what) {
            (Entity::Sensor(sensor), What::Count(count)) => self.add_count(sensor, count),
            (Entity::Sensor(sensor), What::Total(total)) => {
                self.totals.insert((sensor, (at, total.seq, observation.content)), *total);
                self.note_report(sensor);
            }
            (Entity::Sensor(sensor), What::Occupancy { persons, seq }) => {
                keep_last(&mut self.occupancies, sensor, (at, *seq, observation.content), *persons);
                self.note_report(sensor);
            }
            (Entity::Sensor(sensor), What::State { state, lanes_open }) => {
                keep_last(&mut self.states, sensor, (at, 0, observation.content), (*state, *lanes_open));
                self.note_report(sensor);
            }
            (Entity::Gate(gate), What::Scan(scan)) => self.add_scan(gate, *scan),
            (Entity::Stop(stop), What::Passengers(passengers)) => {
                let Some(sum) = self.passengers.get_mut(stop.index()) else { return };
                sum.alighting = sum.alighting.saturating_add(passengers.alighting);
                sum.boarding = sum.boarding.saturating_add(passengers.boarding);
            }
            (Entity::Stop(stop), What::Vehicle(vehicle)) => keep_last(&mut self.vehicles, (stop, vehicle.trip), (at, 0, observation.content), *vehicle),
            (Entity::Stop(stop), What::Arrival(arrival)) => keep_last(&mut self.arrivals, (stop, arrival.trip), (at, 0, observation.content), *arrival),
            (Entity::Stop(stop), What::ServiceAlert { cause, effect }) => *self.service_alerts.entry((stop, *cause, *effect)).or_default() += 1,
            (Entity::Venue, What::Match(event)) => {
                self.matches.insert((at, 0, observation.content), event.clone());
            }
            (_, What::Call(call)) => {
                self.calls.insert((at, 0, observation.identity), (observation.entity, *call));
            }
            (Entity::Venue, What::Weather(weather)) => {
                keep_last(&mut self.weather, weather.station.clone(), (at, 0, observation.content), Weather::clone(weather));
            }
            (Entity::Venue, What::Plan(plan)) => {
                self.plans.insert((at, plan.version, observation.content), Plan::clone(plan));
            }
            // A sensor that says it is ill has not reported what it is there to see.
            (Entity::Sensor(sensor), What::Health { health, seq }) => keep_last(&mut self.health, sensor, (at, *seq, observation.content), *health),
            (Entity::Sensor(sensor), What::Tracks(tracks)) => self.add_snapshot(sensor, observation, Snapshot::Tracks(tracks.clone())),
            (Entity::Sensor(sensor), What::Grid(grid)) => self.add_snapshot(sensor, observation, Snapshot::Grid(Grid::clone(grid))),
            // Nothing else is made by a decoder; a low-water mark is counted nowhere.
            _ => {}
        }
    }

    /// Adds all that `other`, another pane or part of one of the same venue, collected.
    pub fn merge(&mut self, other: &Self) {
        for (sum, more) in self.counts.iter_mut().zip(&other.counts) {
            sum.inwards = sum.inwards.saturating_add(more.inwards);
            sum.outwards = sum.outwards.saturating_add(more.outwards);
            sum.undirected = sum.undirected.saturating_add(more.undirected);
            sum.reports = sum.reports.saturating_add(more.reports);
        }
        for (sum, more) in self.scans.iter_mut().zip(&other.scans) {
            sum.entered = sum.entered.saturating_add(more.entered);
            sum.left = sum.left.saturating_add(more.left);
            sum.rejected = sum.rejected.saturating_add(more.rejected);
        }
        for (sum, more) in self.passengers.iter_mut().zip(&other.passengers) {
            sum.alighting = sum.alighting.saturating_add(more.alighting);
            sum.boarding = sum.boarding.saturating_add(more.boarding);
        }
        self.totals.extend(other.totals.iter().map(|(key, total)| (*key, *total)));
        for (rejection, tickets) in &other.rejections {
            *self.rejections.entry(*rejection).or_default() += tickets;
        }
        merge_last(&mut self.health, &other.health);
        merge_last(&mut self.snapshots, &other.snapshots);
        merge_last(&mut self.occupancies, &other.occupancies);
        merge_last(&mut self.states, &other.states);
        merge_last(&mut self.vehicles, &other.vehicles);
        merge_last(&mut self.arrivals, &other.arrivals);
        self.matches.extend(other.matches.iter().map(|(order, event)| (*order, event.clone())));
        for (sensor, note) in &other.clocks {
            self.note_clock(*sensor, *note);
        }
        for (latest, heard) in self.heard.iter_mut().zip(&other.heard) {
            *latest = (*latest).max(*heard);
        }
        self.calls.extend(other.calls.iter().map(|(order, call)| (*order, *call)));
        merge_last(&mut self.weather, &other.weather);
        self.plans.extend(other.plans.iter().map(|(order, plan)| (*order, plan.clone())));
        for (alert, times) in &other.service_alerts {
            *self.service_alerts.entry(*alert).or_default() += times;
        }
    }

    fn add_snapshot(&mut self, sensor: SensorId, observation: &Observation, snapshot: Snapshot) {
        let slot = snapshot_slot(observation.at);
        keep_last(&mut self.snapshots, (sensor, slot), (observation.at, 0, observation.content), snapshot);
        self.note_report(sensor);
    }

    fn note_report(&mut self, sensor: SensorId) {
        if let Some(sum) = self.counts.get_mut(sensor.index()) {
            sum.reports = sum.reports.saturating_add(1);
        }
    }

    fn add_scan(&mut self, gate: GateId, scan: Scan) {
        let Some(sum) = self.scans.get_mut(gate.index()) else { return };
        let field = match (scan.accepted, scan.exit) {
            (false, _) => &mut sum.rejected,
            (true, false) => &mut sum.entered,
            (true, true) => &mut sum.left,
        };
        *field = field.saturating_add(1);
        if let (false, Some(reason)) = (scan.accepted, scan.reason) {
            *self.rejections.entry((gate, reason)).or_default() += 1;
        }
    }
}

/// The slot of a snapshot that was taken at `at`.
pub(super) const fn snapshot_slot(at: EventTime) -> i64 {
    at.as_millis().div_euclid(SNAPSHOT_SLOT_MS)
}

/// The end of a slot: from then on no snapshot on time takes the place of the one that is kept in it.
pub const fn slot_end(slot: i64) -> EventTime {
    EventTime::from_millis(slot.saturating_add(1).saturating_mul(SNAPSHOT_SLOT_MS))
}

fn merge_last<K: Ord + Clone, T: Clone>(readings: &mut BTreeMap<K, Reading<T>>, other: &BTreeMap<K, Reading<T>>) {
    for (key, reading) in other {
        keep_last(readings, key.clone(), reading.order, reading.value.clone());
    }
}

/// Keeps the last value by (event time, sequence, hash), so that the order of arrival leaves no trace.
fn keep_last<K: Ord, T>(readings: &mut BTreeMap<K, Reading<T>>, key: K, order: ReadingOrder, value: T) {
    match readings.get_mut(&key) {
        Some(kept) if kept.order >= order => {}
        Some(kept) => *kept = Reading { order, value },
        None => {
            readings.insert(key, Reading { order, value });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_later_pane_collected_is_added_whole() {
        use crate::feeds::observation::MatchEventKind;
        let at = EventTime::from_millis;
        let event = MatchEvent { match_id: "m".into(), event: MatchEventKind::KickOff, expected_attendance: None, to: None };
        let note = |events| ClockNote { fault: None, offset_ms: 0, events };
        let pane = |ms: i64, events| PaneContent {
            matches: BTreeMap::from([((at(ms), 0, 1), event.clone())]),
            clocks: BTreeMap::from([(SensorId(0), note(events))]),
            heard: vec![Some(at(ms))],
            ..PaneContent::default()
        };
        let mut both = pane(10, 2);
        both.merge(&pane(20, 3));
        assert_eq!((both.matches.len(), both.clocks[&SensorId(0)].events, both.heard[0]), (2, 5, Some(at(20))));
    }

    #[test]
    fn the_last_reading_wins_in_any_order_of_arrival() {
        let order = |secs: i64, seq| (EventTime::from_millis(secs * 1_000), seq, 7);
        let readings = [(order(1, 0), 10), (order(3, 1), 31), (order(3, 2), 32), (order(2, 9), 20)];
        for turn in 0..readings.len() {
            let mut kept = BTreeMap::new();
            for i in 0..readings.len() {
                let (order, value) = readings[(i + turn) % readings.len()];
                keep_last(&mut kept, 0, order, value);
            }
            assert_eq!(kept[&0].value, 32);
        }
    }
}
