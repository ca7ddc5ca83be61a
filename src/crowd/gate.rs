//! A gate's figures: open lanes, flow and capacity over the rate window, and its share of the queue before it.
//!
//! The idea: a lane's rate is measured only while people wait for it; a gate at which nobody waits shows how few came, not how many could pass.
//!
//! Gates that share a queue zone share its persons and its arrivals in proportion to what they let through, so all of them have the same wait.

use super::coverage::Hearing;
use super::figures::{Against, Disagreement, Estimate, GateFigures, ScanWindow, ZoneFigures};
use super::flow::{CrossingFlow, ZoneFlows};
use super::limits::GateLimits;
use super::queue;
use super::stand_in::Passed;
use super::state::{CrowdState, GateState, Slice};
use super::topology::Topology;
use crate::feeds::observation::DoorState;
use crate::time::EventTime;
use crate::venue::{Gate, GateId, Venue};
use crate::window::PaneContent;
use crate::window::pane::GateScans;

/// What one pane gives the gates to go by.
pub(super) struct Passage<'a> {
    pub(super) venue: &'a Venue,
    pub(super) topology: &'a Topology,
    pub(super) end: EventTime,
    pub(super) crossings: &'a [CrossingFlow],
    pub(super) scans: &'a [GateScans],
    pub(super) flows: &'a [ZoneFlows],
    pub(super) zones: &'a [ZoneFigures],
    /// By gate: how its flow was learnt.
    pub(super) passed: &'a [Passed],
}

/// What a gate can do.
#[derive(Clone, Copy)]
struct Service {
    lanes_open: u32,
    per_min: f64,
    share: f64,
}

/// The queue before one or several gates.
struct Queue {
    persons: Option<Estimate>,
    arrivals_per_min: f64,
    capacity_per_min: f64,
    area_m2: Option<f64>,
}

/// Notes what the pane's `state` reports say of open lanes.
pub(super) fn note_states(state: &mut CrowdState, venue: &Venue, topology: &Topology, content: &PaneContent) {
    for (sensor, reading) in &content.states {
        if let Some(sensor) = state.sensor_mut(*sensor) {
            sensor.door = Some(reading.value.0);
        }
        let lanes = told_lanes(venue, topology, *sensor, reading.value);
        if let (Some(lanes), Some(sensor)) = (lanes, state.sensor_mut(*sensor)) {
            sensor.reading = Some(lanes);
        }
    }
}

/// The open lanes that a report speaks of; `None` where it leaves them as they were.
///
/// A closed gate has none, one with a fault none unless it tells how many work. A forced one is no statement about lanes: they stay as they were unless told.
pub(super) fn told_lanes(venue: &Venue, topology: &Topology, sensor: crate::venue::SensorId, told: (DoorState, Option<u32>)) -> Option<u32> {
    let crate::venue::Measures::Gate(gate) = venue.sensors.get(sensor.index())?.measures else {
        return None;
    };
    match told {
        (DoorState::Closed, _) => Some(0),
        (_, Some(lanes)) => Some(lanes),
        (DoorState::Fault, None) => Some(0),
        (DoorState::Forced, None) => None,
        (DoorState::Open | DoorState::Ok, None) => {
            let position = topology.gates.get(gate.index())?.states.iter().position(|known| *known == sensor)?;
            Some(lanes_spoken_for(venue, topology, gate, position))
        }
    }
}

/// The lanes that the sensor at `position` among a gate's state sensors speaks for: equal parts, the odd ones to the last.
fn lanes_spoken_for(venue: &Venue, topology: &Topology, gate: GateId, position: usize) -> u32 {
    let lanes = venue.gates.get(gate.index()).map_or(0, |gate| u64::from(gate.lanes));
    let sensors = topology.gates.get(gate.index()).map_or(1, |plan| plan.states.len().max(1)) as u64;
    let until = |position: u64| lanes * position / sensors;
    (until(position as u64 + 1) - until(position as u64)) as u32
}

/// Lets the pane's flows into the gates' rate windows and draws their figures.
pub(super) fn gates(state: &mut CrowdState, pass: &Passage<'_>, hearing: &Hearing) -> Vec<GateFigures> {
    let services: Vec<Service> = (0..pass.venue.gates.len()).map(|i| pass.serve(state, GateId::from(i))).collect();
    (0..services.len()).map(|i| pass.figures(state, GateId::from(i), &services, hearing)).collect()
}

impl Passage<'_> {
    fn serve(&self, state: &mut CrowdState, id: GateId) -> Service {
        let gate = &self.venue.gates[id.index()];
        let limits = &self.topology.gates[id.index()].limits;
        let lanes_open = lanes_open(state, self.venue, self.topology, id);
        let flow = self.flow(id);
        // While nobody counts a gate only its scans can tell what it can do.
        let served = match self.passed.get(id.index()) {
            Some(Passed::Guessed(_) | Passed::Awaited) => None,
            Some(Passed::Scanned(inwards, _)) => Some(*inwards),
            _ => Some(flow.forward),
        };
        let is_busy = self.queue_persons(id).is_some_and(|queue| queue.v >= limits.busy);
        let pane_ms = self.venue.pane.span().as_millis();
        let pane = Slice {
            number: 0,
            seen_ms: u32::try_from(pane_ms).unwrap_or(u32::MAX),
            inwards: flow.forward,
            arrivals: self.arrivals(id),
            busy_inwards: served.filter(|_| is_busy).unwrap_or(0),
            busy_lane_ms: if is_busy && served.is_some() { u64::from(lanes_open) * pane_ms } else { 0 },
            scanned: self.scans.get(id.index()).map_or(0, |scans| scans.entered),
            rejected: self.scans.get(id.index()).map_or(0, |scans| scans.rejected),
        };
        let window = &mut state.gates[id.index()];
        window.compared.take(&pane, limits.parting.0);
        window.take(self.end, limits, pane);
        let (rate, share) = rate_of(gate, limits, &window.sum());
        Service { lanes_open, per_min: f64::from(lanes_open) * rate * 60.0, share }
    }

    fn figures(&self, state: &CrowdState, id: GateId, services: &[Service], hearing: &Hearing) -> GateFigures {
        let service = services[id.index()];
        let plan = &self.topology.gates[id.index()];
        let flow = self.flow(id);
        let window = state.gates[id.index()].sum();
        let queue = self.queue(id, &window, services);
        let part = queue.as_ref().map_or(0.0, |queue| queue.part(service, self.sharing(id)));
        let persons = queue.as_ref().and_then(|queue| queue.persons);
        let spill_s = queue.as_ref().and_then(|queue| {
            let heads = queue.persons?.v;
            queue::spill_s(queue.area_m2?, plan.limits.density, heads, queue.arrivals_per_min, queue.capacity_per_min)
        });
        GateFigures {
            inwards: flow.forward,
            outwards: flow.backward,
            flow_per_min: per_min(window.inwards, window.seen_ms),
            lanes_open: service.lanes_open,
            capacity_per_min: service.per_min,
            arrivals_per_min: queue.as_ref().map(|queue| queue.arrivals_per_min * part),
            queue: persons.map(|persons| persons.scaled(part)),
            wait_s: queue.as_ref().zip(persons).and_then(|(queue, persons)| queue::wait_s(&persons, queue.capacity_per_min, service.share)),
            spill_s,
            steady_wait_s: queue.as_ref().and_then(|queue| self.steady_wait_s(id, service, queue)),
            disagrees: self.against_scans(state, id),
            scans: self.scan_window(state, id, &window),
            forced: is_forced(state, &plan.states),
            coverage: hearing.of(plan.concerned.iter().copied()).share,
        }
    }

    /// Counted persons and scanned tickets side by side, where the gate has both a counter and a scanner that has ever been heard.
    fn scan_window(&self, state: &CrowdState, id: GateId, long: &Slice) -> ScanWindow {
        let limits = &self.topology.gates[id.index()].limits;
        let (scanned, silent) = state.gates[id.index()].scanned_or_not(self.end, limits);
        ScanWindow {
            counted: scanned.inwards,
            scanned: scanned.scanned,
            counted_unscanned: silent.inwards,
            seconds_unscanned: f64::from(silent.seen_ms) / 1_000.0,
            scanned_long: long.scanned,
            rejected_long: long.rejected,
            is_counted: !self.topology.gates[id.index()].by_scans,
        }
    }

    /// Below the load at which the queue is a fluid: the lanes of all gates that share it are one set of lanes.
    fn steady_wait_s(&self, id: GateId, service: Service, queue: &Queue) -> Option<f64> {
        let limits = &self.topology.gates[id.index()].limits;
        let lane_per_s = service.per_min / 60.0 / f64::from(service.lanes_open.max(1));
        let lanes = libm::round(queue.capacity_per_min / 60.0 / lane_per_s);
        let load = queue.arrivals_per_min / queue.capacity_per_min;
        (lane_per_s > 0.0 && lanes < f64::from(u32::MAX))
            .then(|| queue::steady_wait_s(load, lanes as u32, 1.0 / lane_per_s, limits.variability, limits.fluid_load))
            .flatten()
    }

    /// Tonight's tickets against tonight's counts, at a gate that has both: who was inferred by scans stands on both sides.
    fn against_scans(&self, state: &CrowdState, id: GateId) -> Option<Disagreement> {
        let (gate, plan) = (&state.gates[id.index()], &self.topology.gates[id.index()]);
        if plan.by_scans || gate.compared.scanned == 0 || gate.stood_in.guessed > 0 {
            return None;
        }
        let counted = f64::from(gate.compared.counted);
        let by = f64::from(gate.compared.scanned) - f64::from(gate.stood_in.scanned) - counted;
        Disagreement::between(Against::Scans, by, plan.limits.counter_gain * counted, plan.limits.parting)
    }

    fn flow(&self, id: GateId) -> CrossingFlow {
        self.crossings.get(self.venue.gates[id.index()].link.index()).copied().unwrap_or_default()
    }

    fn queue_persons(&self, id: GateId) -> Option<Estimate> {
        self.zones.get(self.venue.gates[id.index()].queue?.index())?.occupancy
    }

    /// The gates that share the queue of this one, itself among them.
    fn sharing(&self, id: GateId) -> &[GateId] {
        let queue = self.venue.gates[id.index()].queue;
        queue.and_then(|zone| self.topology.zones.get(zone.index())).map_or(&[], |plan| &plan.queue_of)
    }

    /// Persons who joined the queue: who came into its zone, but for those who came back out through its gates.
    fn arrivals(&self, id: GateId) -> u32 {
        let Some(zone) = self.venue.gates[id.index()].queue else {
            return 0;
        };
        let leads_from_queue = |gate: &&GateId| self.topology.crossings.get(self.venue.gates[gate.index()].link.index()).is_some_and(|c| c.from == Some(zone));
        let back: u32 = self.sharing(id).iter().filter(leads_from_queue).map(|gate| self.flow(*gate).backward).fold(0, u32::saturating_add);
        self.flows.get(zone.index()).map_or(0, |flows| flows.inwards.saturating_sub(back))
    }

    fn queue(&self, id: GateId, window: &Slice, services: &[Service]) -> Option<Queue> {
        let zone = self.venue.gates[id.index()].queue?;
        Some(Queue {
            persons: self.queue_persons(id),
            arrivals_per_min: per_min(window.arrivals, window.seen_ms),
            capacity_per_min: self.sharing(id).iter().map(|gate| services[gate.index()].per_min).sum(),
            area_m2: self.venue.zones.get(zone.index())?.area_m2,
        })
    }
}

/// How many lanes of a gate are open, by what was last told of them; all where nobody tells.
pub(super) fn lanes_open(state: &CrowdState, venue: &Venue, topology: &Topology, id: GateId) -> u32 {
    let lanes = venue.gates[id.index()].lanes;
    let sensors = &topology.gates[id.index()].states;
    if sensors.is_empty() {
        return lanes;
    }
    let told = |sensor| state.sensor(sensor).and_then(|sensor| sensor.reading);
    let open = sensors.iter().enumerate().map(|(i, sensor)| told(*sensor).unwrap_or_else(|| lanes_spoken_for(venue, topology, id, i)));
    open.fold(0, u32::saturating_add).min(lanes)
}

/// What a lane of a gate lets through, persons/s, with the relative standard deviation of that, given its window.
pub(super) fn rate_of(gate: &Gate, limits: &GateLimits, window: &Slice) -> (f64, f64) {
    queue::lane_rate(gate.lane_rate_per_h / 3_600.0, limits.lane_rate, f64::from(window.busy_inwards), window.busy_lane_ms as f64 / 1_000.0)
}

impl Queue {
    /// The part of the queue that is a gate's: by what it lets through, in equal parts where nothing passes anywhere.
    fn part(&self, service: Service, sharing: &[GateId]) -> f64 {
        if self.capacity_per_min > 0.0 { service.per_min / self.capacity_per_min } else { 1.0 / sharing.len().max(1) as f64 }
    }
}

impl GateState {
    /// Adds a pane to the rate window and drops what has left it.
    fn take(&mut self, end: EventTime, limits: &GateLimits, pane: Slice) {
        // The pane's last instant tells its slice; slices are whole panes, aligned to the epoch like them.
        let number = end.as_millis().saturating_sub(1).div_euclid(limits.slice_ms.max(1));
        self.slices.retain(|slice| slice.number > number - limits.slices);
        match self.slices.last_mut() {
            Some(last) if last.number == number => *last = last.plus(&pane),
            _ => self.slices.push(Slice { number, ..pane }),
        }
    }

    /// The slices of the window of breaches before `end`, those that hold scans apart from those that do not.
    fn scanned_or_not(&self, end: EventTime, limits: &GateLimits) -> (Slice, Slice) {
        let from = end.as_millis() - limits.breach_ms;
        let within = self.slices.iter().filter(|slice| slice.number * limits.slice_ms >= from);
        within.fold(
            (Slice::default(), Slice::default()),
            |(scanned, silent), slice| {
                if slice.scanned > 0 { (scanned.plus(slice), silent) } else { (scanned, silent.plus(slice)) }
            },
        )
    }

    /// A late event belonged to the pane of `at`: the slice takes it, where it is still looked at.
    pub(super) fn revise(&mut self, at: EventTime, limits: &GateLimits, change: impl FnOnce(&mut Slice)) {
        let number = at.as_millis().div_euclid(limits.slice_ms.max(1));
        if let Some(slice) = self.slices.iter_mut().find(|slice| slice.number == number) {
            change(slice);
        }
    }

    /// Persons who went in, and over how long (ms), in the slices that ended before `at` and are still within the rate window.
    pub(super) fn before(&self, at: EventTime, limits: &GateLimits) -> (u32, u32) {
        let whole = |slice: &&Slice| (slice.number + 1).saturating_mul(limits.slice_ms) <= at.as_millis();
        let sum = self.slices.iter().filter(whole).fold(Slice::default(), |sum, slice| sum.plus(slice));
        (sum.inwards, sum.seen_ms)
    }

    pub(super) fn sum(&self) -> Slice {
        self.slices.iter().fold(Slice::default(), |sum, slice| sum.plus(slice))
    }
}

impl Slice {
    fn plus(self, other: &Self) -> Self {
        Self {
            number: self.number,
            seen_ms: self.seen_ms.saturating_add(other.seen_ms),
            inwards: self.inwards.saturating_add(other.inwards),
            arrivals: self.arrivals.saturating_add(other.arrivals),
            busy_inwards: self.busy_inwards.saturating_add(other.busy_inwards),
            busy_lane_ms: self.busy_lane_ms.saturating_add(other.busy_lane_ms),
            scanned: self.scanned.saturating_add(other.scanned),
            rejected: self.rejected.saturating_add(other.rejected),
        }
    }
}

/// Whether any of these sensors last said that it was forced.
pub(super) fn is_forced(state: &CrowdState, sensors: &[crate::venue::SensorId]) -> bool {
    sensors.iter().any(|sensor| state.sensor(*sensor).is_some_and(|known| known.door == Some(DoorState::Forced)))
}

fn per_min(persons: u32, over_ms: u32) -> f64 {
    if over_ms == 0 { 0.0 } else { f64::from(persons) * 60_000.0 / f64::from(over_ms) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{count, site};

    #[test]
    fn an_idle_gate_has_its_planned_capacity() {
        let site = site();
        let figures = site.close(&mut site.state(), 1, |pane| pane.add_count(site.sensor("gate-a"), &count(1, 0)));
        let gate = &figures.gates[site.gate("a")];
        assert_eq!(gate.lanes_open, 4);
        assert!((gate.capacity_per_min - 44.0).abs() < 1e-9, "4 lanes at 660/h");
        assert_eq!(gate.flow_per_min, 6.0);
    }

    #[test]
    fn a_busy_gate_has_the_capacity_that_was_measured() {
        let site = site();
        let mut state = site.state();
        site.close(&mut state, 1, |pane| pane.add_count(site.sensor("lane-a"), &count(400, 0)));
        for n in 2..=40 {
            site.close(&mut state, n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(4, 0));
                pane.add_count(site.sensor("gate-a"), &count(4, 0));
            });
        }
        let figures = site.close(&mut state, 41, |pane| pane.add_count(site.sensor("gate-a"), &count(4, 0)));
        let gate = &figures.gates[site.gate("a")];
        assert!((gate.capacity_per_min - 24.0).abs() < 1.0, "24/min pass while 44 were planned: {}", gate.capacity_per_min);
        assert!((gate.arrivals_per_min.unwrap() - 24.0).abs() < 1.0);
        let queue = gate.queue.unwrap().v;
        assert!((gate.wait_s.unwrap().v - queue / gate.capacity_per_min * 60.0).abs() < 1e-9);
    }

    #[test]
    fn state_reports_open_and_close_lanes() {
        let site = site();
        let mut state = site.state();
        let mut lanes = |n, told: Option<(DoorState, Option<u32>)>| {
            let figures = site.close(&mut state, n, |pane| told.into_iter().for_each(|told| site.tells(pane, "state-a", told)));
            (figures.gates[site.gate("a")].lanes_open, figures.gates[site.gate("a")].capacity_per_min)
        };
        assert_eq!(lanes(1, Some((DoorState::Open, Some(3)))).0, 3);
        assert_eq!(lanes(2, None).0, 3, "what was said stands");
        assert_eq!(lanes(3, Some((DoorState::Forced, None))).0, 3);
        assert_eq!(lanes(4, Some((DoorState::Closed, None))), (0, 0.0));
        assert_eq!(lanes(5, Some((DoorState::Ok, None))).0, 4);
        assert_eq!(lanes(6, Some((DoorState::Open, Some(9)))).0, 4, "no more than there are");
        assert_eq!(lanes(7, Some((DoorState::Fault, None))).0, 0);
    }

    #[test]
    fn gates_that_share_a_queue_share_its_persons_and_have_one_wait() {
        let mut site = site();
        site.venue.gates[1].queue = site.venue.gates[0].queue;
        site.turn_round();
        let figures = site.close(&mut site.state(), 1, |pane| pane.add_count(site.sensor("lane-a"), &count(10, 0)));
        let (a, b) = (&figures.gates[0], &figures.gates[1]);
        assert!((a.queue.unwrap().v - 10.0 * 4.0 / 6.0).abs() < 1e-9 && (b.queue.unwrap().v - 10.0 * 2.0 / 6.0).abs() < 1e-9);
        assert!((a.wait_s.unwrap().v - b.wait_s.unwrap().v).abs() < 1e-9);
        assert!((a.arrivals_per_min.unwrap() + b.arrivals_per_min.unwrap() - 60.0).abs() < 1e-9);
    }

    #[test]
    fn who_comes_back_out_of_a_gate_has_not_joined_its_queue() {
        let site = site();
        let figures = site.close(&mut site.state(), 1, |pane| {
            pane.add_count(site.sensor("lane-a"), &count(5, 0));
            pane.add_count(site.sensor("gate-a"), &count(0, 50));
        });
        assert_eq!(figures.gates[site.gate("a")].arrivals_per_min, Some(30.0));
    }

    /// 600 counted, 700 scanned: 100 more than a counter's 2 % explain. And the other way round it is people without tickets.
    #[test]
    fn counts_and_scans_that_part_are_named_with_the_difference() {
        let site = site();
        let mut state = site.state();
        let mut close = |n, counted: u32, scanned: u32| {
            let figures = site.close(&mut state, n, |pane| {
                pane.add_count(site.sensor("gate-a"), &count(counted, 0));
                pane.scans[site.gate("a")].entered = scanned;
            });
            figures.gates[site.gate("a")].disagrees
        };
        assert_eq!(close(1, 600, 610), None, "as near as counters count");
        let apart = close(2, 0, 90).unwrap();
        assert_eq!((apart.with, apart.by), (Against::Scans, 100.0));
        assert!((apart.sigma - 12.0).abs() < 1e-9);
        assert_eq!(close(3, 300, 0).unwrap().by, -200.0);
    }

    /// M/M/4 at 44 a minute; 22 join a minute. At 43 a minute it is a fluid.
    #[test]
    fn the_steady_wait_stands_beside_the_fluid_one_below_its_load() {
        let site = site();
        let wait = |joining: u32| {
            let mut state = site.state();
            let mut figures = None;
            for n in 1..=60 {
                let joining = if n % 6 == 0 { joining } else { 0 };
                figures = Some(site.close(&mut state, n, |pane| {
                    pane.add_count(site.sensor("lane-a"), &count(joining, 0));
                    pane.add_count(site.sensor("gate-a"), &count(joining, 0));
                }));
            }
            figures.unwrap().gates[site.gate("a")].steady_wait_s
        };
        let half = wait(22).unwrap();
        assert!(half > 0.3 && half < 2.0, "{half}");
        assert_eq!(wait(43), None);
    }

    #[test]
    fn the_rate_window_forgets_what_has_left_it() {
        let site = site();
        let mut state = site.state();
        site.close(&mut state, 1, |pane| pane.add_count(site.sensor("gate-a"), &count(300, 0)));
        for n in 2..=60 {
            let figures = site.close(&mut state, n, |_| ());
            let forgotten = figures.gates[site.gate("a")].flow_per_min == 0.0;
            assert_eq!(forgotten, n > 30, "pane {n}: the window is 300 s in slices of 30 s");
            assert!(state.gates[site.gate("a")].slices.len() <= 10);
        }
    }
}
