//! Little's law as a standing check: what a queue holds is who joins it times how long each is in it, L = λ·W (crowd-science §2.5).
//!
//! The idea: the heads before a gate come from a balance of counters, which drifts. Flow and lanes tell of the same heads without any sum over the night: in the steady state
//! W = wait (Sakasegawa) + time at a lane + the walk through the queue's ground. Where lanes stood open all through the rate window with far less to do than they can, hardly anybody
//! stands there: a balance that says otherwise has drifted, or the lanes do not do what is planned. Either way two accounts cannot both be right, and the picture says by how much.
//!
//! Not checked: a queue that was near its capacity in any slice of the window (a fluid has no steady state, and a burst is no drift), and one of which a counter is not heard. The
//! lanes' rate is the planned one: the measured one believes the balance as to when they were busy.
//!
//! One standard deviation: that of the balance, of the number in line about its mean (√(L + L²), the geometric law of M/M/1, the widest of these queues), and of the lanes' rate.

use super::figures::{Against, Disagreement, ZoneFigures};
use super::gate::Passage;
use super::limits::GateLimits;
use super::queue;
use super::stand_in::Passed;
use super::state::{CrowdState, Slice};
use crate::venue::ZoneId;

/// What the lanes before which one queue stands have done in the rate window.
struct Served {
    /// Persons who joined, or passed if those were more.
    persons: f64,
    /// Persons whom the open lanes could have let through as planned.
    could: f64,
    /// The greatest share of the two in one slice.
    busiest: f64,
    /// Lanes, and the seconds that each takes as planned.
    lanes: u32,
    service_s: f64,
    window_s: f64,
}

impl Passage<'_> {
    /// What Little's law says of a queue's heads, where it parts from them.
    pub(super) fn against_little(&self, state: &CrowdState, zone: ZoneId, figures: &ZoneFigures) -> Option<Disagreement> {
        let heads = figures.occupancy.filter(|_| figures.coverage >= 1.0)?;
        let gates = &self.topology.zones.get(zone.index())?.queue_of;
        let limits = &self.topology.gates.get(gates.first()?.index())?.limits;
        if heads.v < limits.busy || gates.iter().any(|gate| self.passed.get(gate.index()).is_none_or(|passed| *passed != Passed::Counted)) {
            return None;
        }
        let served = self.served(state, zone, limits)?;
        if served.busiest * (1.0 + limits.parting.1 * limits.lane_rate) >= limits.fluid_load {
            return None;
        }
        let walk_s = libm::sqrt(self.venue.zones.get(zone.index())?.area_m2?) / limits.walk_m_s;
        let in_it =
            |load: f64| Some(queue::steady_wait_s(load, served.lanes, served.service_s, limits.variability, limits.fluid_load)? + served.service_s + walk_s);
        let (load, per_s) = (served.persons / served.could, served.persons / served.window_s);
        let little = per_s * in_it(load)?;
        let of_rate = per_s * in_it(load * (1.0 + limits.lane_rate))? - little;
        let sigma = libm::sqrt(heads.sigma() * heads.sigma() + little + little * little + of_rate * of_rate);
        Disagreement::between(Against::Little, little - heads.v, sigma, limits.parting)
    }

    /// `None` while the window is not whole, and where in one of its slices no lane was open.
    fn served(&self, state: &CrowdState, zone: ZoneId, limits: &GateLimits) -> Option<Served> {
        let gates = &self.topology.zones[zone.index()].queue_of;
        let window = |i: usize| gates.iter().map(move |gate| (&self.venue.gates[gate.index()], state.gates[gate.index()].slices.get(i)));
        let slices = usize::try_from(limits.slices).ok()?;
        let (mut persons, mut could, mut busiest, mut lane_ms) = (0.0, 0.0, 0.0_f64, 0.0);
        for i in 0..slices {
            let (mut joined, mut passed, mut of_slice) = (0, 0_u32, 0.0);
            for (gate, slice) in window(i) {
                let Slice { arrivals, inwards, busy_lane_ms, .. } = slice?;
                // All gates of a queue have its arrivals.
                joined = *arrivals;
                passed = passed.saturating_add(*inwards);
                of_slice += *busy_lane_ms as f64 / 3_600_000.0 * gate.lane_rate_per_h;
                lane_ms += *busy_lane_ms as f64;
            }
            let most = f64::from(joined.max(passed));
            busiest = busiest.max(most / of_slice);
            if of_slice <= 0.0 {
                return None;
            }
            persons += most;
            could += of_slice;
        }
        let window_s = f64::from(state.gates[gates.first()?.index()].sum().seen_ms) / 1_000.0;
        let lanes = libm::round(lane_ms / 1_000.0 / window_s).max(1.0) as u32;
        (window_s > 0.0).then_some(Served { persons, could, busiest, lanes, service_s: lane_ms / 1_000.0 / could, window_s })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{Site, count, site};
    use crate::feeds::observation::DoorState;

    /// `panes` panes in which so many join the queue of gate A and so many pass it, by its counters; four lanes let 7.3 through in a pane.
    fn run(site: &Site, state: &mut CrowdState, from: i64, panes: i64, (joined, passed): (u32, u32)) -> Option<Disagreement> {
        let mut last = None;
        for n in from..from + panes {
            let figures = site.close(state, n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(joined, 0));
                pane.add_count(site.sensor("gate-a"), &count(passed, 0));
                site.tells(pane, "state-a", (DoorState::Open, None));
            });
            last = figures.zones[site.zone("queue-a")].disagrees;
        }
        last
    }

    /// Two join in each pane and one is missed at the gate: 100 stand there by the balance, where 0.2/s in 13 s are 3.
    #[test]
    fn a_queue_before_idle_lanes_is_drift_and_is_named() {
        let site = site();
        let mut state = site.state();
        let named = run(&site, &mut state, 1, 100, (2, 1)).unwrap();
        let walk = 10.0 / 1.34;
        assert_eq!(named.with, Against::Little);
        assert!((named.by - (0.2 * (3_600.0 / 660.0 + walk) - 100.0)).abs() < 0.2, "{named:?}");
    }

    #[test]
    fn a_queue_before_busy_lanes_is_a_queue() {
        let site = site();
        let mut state = site.state();
        run(&site, &mut state, 1, 40, (10, 7));
        assert_eq!(run(&site, &mut state, 41, 40, (6, 7)), None);
    }

    /// The lanes have little to do for four and a half minutes, and then a train comes.
    #[test]
    fn a_burst_is_no_drift() {
        let site = site();
        let mut state = site.state();
        assert_eq!(run(&site, &mut state, 1, 60, (2, 2)), None);
        assert_eq!(run(&site, &mut state, 61, 2, (100, 7)), None);
    }

    #[test]
    fn before_a_gate_that_was_shut_people_really_stand() {
        let site = site();
        let mut state = site.state();
        run(&site, &mut state, 1, 40, (2, 2));
        for n in 41..70 {
            let figures = site.close(&mut state, n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(3, 0));
                pane.add_count(site.sensor("gate-a"), &count(0, 0));
                site.tells(pane, "state-a", (DoorState::Closed, None));
            });
            assert_eq!(figures.zones[site.zone("queue-a")].disagrees, None);
        }
    }

    #[test]
    fn an_account_with_a_silent_counter_is_none() {
        let site = site();
        let mut state = site.state();
        assert!(run(&site, &mut state, 1, 100, (2, 1)).is_some());
        let figures = site.close(&mut state, 101, |pane| pane.add_count(site.sensor("gate-a"), &count(1, 0)));
        assert_eq!(figures.zones[site.zone("queue-a")].disagrees, None);
    }
}
