//! What one pane has collected: dense arrays by sensor, gate and stop.

use crate::feeds::observation::{Arrival, Count, DoorState, MatchEvent, Scan, Total, Vehicle};
use crate::time::EventTime;
use crate::venue::{SensorId, StopId, Venue};
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

/// What one pane of one venue has collected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PaneContent {
    /// By sensor.
    pub counts: Vec<SensorCount>,
    /// Running totals by sensor, every reading in order: their differences are taken at the close.
    pub totals: BTreeMap<(SensorId, ReadingOrder), Total>,
    /// The last head count by sensor (persons).
    pub occupancies: BTreeMap<SensorId, Reading<u32>>,
    /// The last state by sensor: (state, lanes open).
    pub states: BTreeMap<SensorId, Reading<(DoorState, Option<u32>)>>,
    /// By gate.
    pub scans: Vec<GateScans>,
    /// By stop.
    pub passengers: Vec<StopPassengers>,
    /// The last position by (stop, trip).
    pub vehicles: BTreeMap<(StopId, u64), Reading<Vehicle>>,
    /// The last expectation by (stop, trip).
    pub arrivals: BTreeMap<(StopId, u64), Reading<Arrival>>,
    /// Match events in order.
    pub matches: BTreeMap<ReadingOrder, MatchEvent>,
    /// Service alerts that were in force: (stop, cause, effect).
    pub service_alerts: BTreeMap<(StopId, i32, i32), u32>,
}

impl PaneContent {
    /// An empty pane of `venue`.
    pub fn new(venue: &Venue) -> Self {
        Self {
            counts: vec![SensorCount::default(); venue.sensors.len()],
            scans: vec![GateScans::default(); venue.gates.len()],
            passengers: vec![StopPassengers::default(); venue.stops.len()],
            ..Self::default()
        }
    }

    /// Adds people counted by `sensor`.
    pub fn add_count(&mut self, sensor: SensorId, count: &Count) {
        let Some(sum) = self.counts.get_mut(sensor.index()) else {
            return;
        };
        sum.inwards = sum.inwards.saturating_add(count.inwards);
        sum.outwards = sum.outwards.saturating_add(count.outwards);
        sum.undirected = sum.undirected.saturating_add(count.undirected);
        sum.reports = sum.reports.saturating_add(1);
    }

    /// Adds one scan at a gate.
    pub fn add_scan(&mut self, gate: crate::venue::GateId, scan: Scan) {
        let Some(sum) = self.scans.get_mut(gate.index()) else {
            return;
        };
        let field = match (scan.accepted, scan.exit) {
            (false, _) => &mut sum.rejected,
            (true, false) => &mut sum.entered,
            (true, true) => &mut sum.left,
        };
        *field = field.saturating_add(1);
    }
}
