//! How much of what should be heard is heard: per place, the share of its sensors that reported within their interval.
//!
//! A sensor is heard when its last report lies less than its interval (and its source's as-of lag) before the end of the pane; the pane of a report stands for the report, so
//! a sensor that keeps to its interval is never missed, wherever in the pane its reports fall.

use super::state::CrowdState;
use super::topology::Topology;
use crate::feeds::observation::Health;
use crate::time::{EventTime, Span};
use crate::venue::SensorId;
use crate::window::PaneContent;
use std::collections::BTreeSet;

/// Who has been heard as of the end of a pane.
#[derive(Debug)]
pub(super) struct Hearing {
    /// By sensor: whether it is heard.
    heard: Vec<bool>,
    /// By sensor: how long ago it last reported; since it is there where it never did.
    silent: Vec<Span>,
    /// How many there are.
    expected: usize,
}

/// What was heard at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Coverage {
    /// Share heard, 0 to 1; 1 where no sensor is expected.
    pub(super) share: f64,
    /// Sensors expected.
    pub(super) expected: u32,
    /// How long the last one heard has been silent.
    pub(super) silent_for: Span,
}

/// Notes who reported in the pane that ends at `end`.
pub(super) fn note_reports(state: &mut CrowdState, end: EventTime, content: &PaneContent) {
    let counted = content.counts.iter().enumerate().filter(|(_, count)| count.reports > 0).map(|(i, _)| SensorId::from(i));
    let totalled: BTreeSet<SensorId> = content.totals.keys().map(|(sensor, _)| *sensor).collect();
    let told = content.occupancies.keys().chain(content.states.keys()).copied();
    for sensor in counted.chain(totalled).chain(told) {
        if let Some(sensor) = state.sensor_mut(sensor) {
            sensor.reported = Some(end);
            sensor.failed = false;
        }
    }
    for (id, reading) in &content.health {
        let Some(sensor) = state.sensor_mut(*id) else { continue };
        // What it says of itself goes before its figures of the same pane; the next figures say that it is back.
        sensor.failed = matches!(reading.value, Health::Failed | Health::Down);
        if !sensor.failed {
            sensor.reported = Some(end);
        }
    }
}

impl Hearing {
    /// Who is heard as of `end`, in a venue whose first pane began at `since`.
    pub(super) fn at(end: EventTime, since: EventTime, state: &CrowdState, topology: &Topology) -> Self {
        let reported = |i: usize| state.sensor(SensorId::from(i)).and_then(|sensor| sensor.reported);
        let began = |i: usize| state.sensor(SensorId::from(i)).and_then(|sensor| sensor.since).unwrap_or(since);
        let silent: Vec<Span> = (0..topology.has_sensor.len()).map(|i| end.since(reported(i).unwrap_or_else(|| began(i)))).collect();
        let failed = |i: usize| state.sensor(SensorId::from(i)).is_some_and(|sensor| sensor.failed);
        let is_patient = |i: usize| silent[i].as_millis() < topology.patience_ms[i] || silent[i] == Span::ZERO;
        let heard = |i: usize| topology.has_sensor[i] && reported(i).is_some() && !failed(i) && is_patient(i);
        let expected = topology.has_sensor.iter().filter(|is_there| **is_there).count();
        Self { heard: (0..silent.len()).map(heard).collect(), silent, expected }
    }

    /// Whether `sensor` is heard.
    pub(super) fn hears(&self, sensor: SensorId) -> bool {
        self.heard.get(sensor.index()).copied().unwrap_or(false)
    }

    /// Whether any counter on a way is heard; of a way without counters none is.
    pub(super) fn hears_way(&self, topology: &Topology, way: usize) -> bool {
        topology.link_sensors.get(way).is_some_and(|counters| counters.iter().any(|counter| self.hears(counter.sensor)))
    }

    /// Whether a way has counters of which none is heard.
    pub(super) fn is_silent(&self, topology: &Topology, way: usize) -> bool {
        topology.link_sensors.get(way).is_some_and(|counters| !counters.is_empty()) && !self.hears_way(topology, way)
    }

    /// What was heard of the whole venue.
    pub(super) fn venue(&self) -> f64 {
        share(self.heard.iter().filter(|heard| **heard).count(), self.expected)
    }

    /// What was heard of these sensors.
    pub(super) fn of(&self, sensors: impl ExactSizeIterator<Item = SensorId> + Clone) -> Coverage {
        let expected = sensors.len();
        let heard = sensors.clone().filter(|sensor| self.hears(*sensor)).count();
        let silent = sensors.filter_map(|sensor| self.silent.get(sensor.index()).copied()).min();
        Coverage { share: share(heard, expected), expected: expected as u32, silent_for: silent.unwrap_or(Span::ZERO) }
    }
}

fn share(heard: usize, expected: usize) -> f64 {
    if expected == 0 { 1.0 } else { heard as f64 / expected as f64 }
}

#[cfg(test)]
mod tests {
    use crate::crowd::sample::{count, site};
    use crate::time::Span;

    #[test]
    fn a_sensor_that_keeps_to_its_interval_is_heard() {
        let site = site();
        let mut state = site.state();
        let bowl = site.zone("bowl");
        let all = ["gate-a", "exit"];
        let figures = site.close(&mut state, 1, |pane| all.iter().for_each(|name| pane.add_count(site.sensor(name), &count(0, 0))));
        let zone = &figures.zones[bowl];
        assert_eq!((zone.expected, zone.silent_for), (3, Span::ZERO), "two counters, and the state of gate A");
        assert!((zone.coverage - 2.0 / 3.0).abs() < 1e-12);
        let figures = site.close(&mut state, 2, |_| ());
        assert!((figures.zones[bowl].coverage - 1.0 / 3.0).abs() < 1e-12, "the exit may be silent for 30 s, the gate for 10 s");
        assert_eq!(figures.zones[bowl].silent_for, Span::from_secs(10));
        let figures = site.close(&mut state, 4, |_| ());
        assert_eq!((figures.zones[bowl].coverage, figures.zones[bowl].silent_for), (0.0, Span::from_secs(30)));
    }

    #[test]
    fn a_sensor_that_never_reported_is_silent_since_the_first_pane() {
        let site = site();
        let mut state = site.state();
        site.close(&mut state, 1, |_| ());
        let figures = site.close(&mut state, 2, |_| ());
        assert_eq!((figures.coverage, figures.zones[site.zone("bowl")].silent_for), (0.0, Span::from_secs(20)));
    }

    #[test]
    fn where_no_sensor_is_expected_nothing_is_missing() {
        let site = site();
        let figures = site.close(&mut site.state(), 1, |_| ());
        let platform = &figures.zones[site.zone("platform")];
        assert_eq!((platform.coverage, platform.expected, platform.silent_for), (1.0, 0, Span::ZERO));
    }
}
