//! The thresholds that closing a pane needs, read out of the profiles once: a name is looked up at a reload, never per pane.

use super::dense::Measure;
use super::dense::chiral::Band;
use crate::time::{PaneLength, Span};
use crate::venue::{FlowTable, Profile};

/// How many slices the window of measured rates is made of, at most: a bound on the size of a gate's state, not a threshold.
const SLICES: u64 = 12;

/// What a zone's figures need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ZoneLimits {
    /// Lower density bounds of the grades B to F, persons/m².
    pub los: [f64; 5],
    /// One standard deviation of a counter's gain, as a share.
    pub counter_gain: f64,
    /// One standard deviation of a head count, as a share.
    pub occupancy_sensor: f64,
    /// One standard deviation of a head count however few there are, persons.
    pub occupancy_floor: f64,
    /// One standard deviation of the expected attendance, as a share.
    pub attendance: f64,
    /// One standard deviation of a lane's rate, as a share.
    pub lane_rate: f64,
    /// Entry is to be complete this long before kick-off, ms.
    pub entry_margin_ms: f64,
    /// How far back counts and scans are held against each other, s.
    pub breach_s: f64,
    /// Two accounts of the heads disagree when they part by more than so many persons, and by more than so many standard deviations.
    pub parting: (f64, f64),
    /// One standard deviation of the share of scans that are lost or doubled.
    pub scans: f64,
    /// How long people stay in a concourse on their way, s.
    pub dwell_s: f64,
    /// A counted zone over whose ways nobody has passed for so long outside a match is empty, ms.
    pub quiet_ms: f64,
}

/// What the arrivals need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SplitLimits {
    /// A count of the split is at least so many persons.
    pub persons: f64,
    /// People come in groups of this size.
    pub dispersion: f64,
    /// k: an excess of a share below this is as planned.
    pub slack: f64,
    /// h: the sum of excesses that is too much, 2·limit − k.
    pub height: f64,
    /// By what share of h it is eased.
    pub deadband: f64,
    /// Counts in a row within the slack that set the sum back.
    pub off_counts: u32,
    /// Length of one slice of the window of the rate of arrivals, ms: whole panes.
    pub slice_ms: i64,
    /// Slices in it.
    pub slices: i64,
    /// Steps of being early, ms.
    pub early_ms: [i64; 2],
    /// One standard deviation of the expected attendance, and of a lane's rate, as shares.
    pub attendance: f64,
    /// See above.
    pub lane_rate: f64,
    /// Entry is to be complete this long before kick-off, ms.
    pub entry_margin_ms: f64,
    /// No lane lets through more than this, persons/h.
    pub lane_max_per_h: f64,
    /// Normal egress time, min.
    pub egress_min: f64,
    /// From the seat to the station, ms.
    pub walk_ms: i64,
    /// One standard deviation of the share that goes back over an approach.
    pub share_sigma: f64,
    /// So long before the expected end the way home is looked at, ms.
    pub home_from_ms: i64,
    /// Persons/m² in which people wait where no capacity is set.
    pub waiting_density: f64,
    /// Share of the expected attendance that may stay away or come late.
    pub missing: f64,
    /// How far ahead expected arrivals are summed up, ms.
    pub ahead_ms: i64,
}

/// What calls for help and the weather are looked at with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CallLimits {
    /// Calls within this time belong together, ms.
    pub window_ms: i64,
    /// And within this radius, m.
    pub radius_m: f64,
    /// A heat older than this is no longer believed, ms.
    pub heat_age_ms: i64,
}

impl CallLimits {
    /// The window, as a length of time.
    pub fn window(&self) -> Span {
        Span::from_millis(self.window_ms.max(0) as u64)
    }
}

/// What a gate's figures need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateLimits {
    /// Persons/m² in which a queue stands.
    pub density: f64,
    /// From this many persons on the gate is busy, and its rate measures what it can do.
    pub busy: f64,
    /// One standard deviation of a lane's planned rate, as a share.
    pub lane_rate: f64,
    /// Length of one slice of the rate window, ms: whole panes.
    pub slice_ms: i64,
    /// Slices in the rate window.
    pub slices: i64,
    /// How far back counts and scans are held against each other, ms.
    pub breach_ms: i64,
    /// A counter that is silent for less is merely late, ms.
    pub silence_ms: f64,
    /// From this load on a queue is a fluid.
    pub fluid_load: f64,
    /// How fast one walks through a queue's ground when nobody stands there, m/s.
    pub walk_m_s: f64,
    /// Squared coefficients of variation: of the time between two who join, and of the time at a lane.
    pub variability: (f64, f64),
    /// One standard deviation of a counter's gain, as a share.
    pub counter_gain: f64,
    /// Counts and scans disagree when they part by more than so many persons, and by more than so many standard deviations.
    pub parting: (f64, f64),
}

impl ZoneLimits {
    /// Reads them out of `profile`.
    pub fn of(profile: &Profile, table: FlowTable) -> Self {
        let los = match table {
            FlowTable::Walkway => ["los.walkway.b", "los.walkway.c", "los.walkway.d", "los.walkway.e", "los.walkway.f"],
            FlowTable::Stair => ["los.stair.b", "los.stair.c", "los.stair.d", "los.stair.e", "los.stair.f"],
            FlowTable::Queue => ["los.queue.b", "los.queue.c", "los.queue.d", "los.queue.e", "los.queue.f"],
        };
        Self {
            los: los.map(|name| profile.value(name)),
            counter_gain: profile.value("sigma.counter_gain"),
            occupancy_sensor: profile.value("sigma.occupancy_sensor"),
            occupancy_floor: profile.value("sigma.occupancy_floor"),
            attendance: profile.value("sigma.attendance"),
            lane_rate: profile.value("sigma.lane_rate"),
            entry_margin_ms: profile.value("entry_eta.margin_s") * 1_000.0,
            breach_s: profile.value("breach.window_s"),
            parting: (profile.value("breach.persons"), profile.value("breach.sigmas")),
            scans: profile.value("sigma.scans"),
            dwell_s: profile.value("concourse.dwell_s"),
            quiet_ms: profile.value("zero.quiet_s") * 1_000.0,
        }
    }

    /// One standard deviation of a counter over which so many persons passed: its gain is wrong for all of them alike, and it misses and doubles them one by one.
    pub fn counted(&self, gross: f64) -> f64 {
        libm::sqrt(self.counter_gain * gross * (self.counter_gain * gross + 1.0))
    }

    /// The window of breaches, in whole panes.
    pub fn breach_window(&self, pane: PaneLength) -> Span {
        let (slice_ms, slices) = slices_of(self.breach_s, pane);
        Span::from_millis(slice_ms.saturating_mul(slices).unsigned_abs())
    }
}

impl CallLimits {
    /// Reads them out of `profile`; without one nothing is remembered.
    pub fn of(profile: Option<&Profile>) -> Self {
        let value = |name| profile.map_or(f64::NAN, |profile| profile.value(name));
        let ms = |name| (value(name) * 1_000.0) as i64;
        Self { window_ms: ms("call_cluster.window_s"), radius_m: value("call_cluster.radius_m"), heat_age_ms: ms("heat.age_s") }
    }
}

impl SplitLimits {
    /// Reads them out of `profile`; without one nothing can be told.
    pub fn of(profile: Option<&Profile>, pane: PaneLength) -> Self {
        let value = |name| profile.map_or(f64::NAN, |profile| profile.value(name));
        let (slice_ms, slices) = slices_of(value("presence.rate_window_s"), pane);
        let slack = value("plan_split.slack");
        Self {
            persons: value("plan_split.persons"),
            dispersion: value("plan_split.dispersion"),
            slack,
            height: 2.0 * value("plan_split.excess") - slack,
            deadband: value("plan_split.deadband"),
            off_counts: value("plan_split.off_counts") as u32,
            slice_ms,
            slices,
            early_ms: ["presence.early_medium_s", "presence.early_high_s"].map(|name| (value(name) * 1_000.0) as i64),
            attendance: value("sigma.attendance"),
            lane_rate: value("sigma.lane_rate"),
            entry_margin_ms: value("entry_eta.margin_s") * 1_000.0,
            lane_max_per_h: value("capacity.lane_max_per_h"),
            egress_min: value("capacity.egress_s") / 60.0,
            walk_ms: (value("egress_transit.walk_s") * 1_000.0) as i64,
            share_sigma: value("egress_transit.share_sigma"),
            home_from_ms: (value("egress_transit.from_s") * 1_000.0) as i64,
            waiting_density: value("queue.density"),
            missing: value("entry_eta.missing"),
            ahead_ms: (value("transport.ahead_s") * 1_000.0) as i64,
        }
    }
}

impl GateLimits {
    /// Reads them out of `profile`; without one nothing can be told.
    pub fn of(profile: Option<&Profile>, pane: PaneLength) -> Self {
        let value = |name| profile.map_or(f64::NAN, |profile| profile.value(name));
        let (slice_ms, slices) = slices_of(value("queue.rate_window_s"), pane);
        Self {
            density: value("queue.density"),
            busy: value("queue.busy_persons"),
            lane_rate: value("sigma.lane_rate"),
            slice_ms,
            slices,
            breach_ms: (value("breach.window_s") * 1_000.0) as i64,
            silence_ms: value("blind.age_s") * 1_000.0,
            fluid_load: value("queue.fluid_load"),
            walk_m_s: value("queue.walk_m_s"),
            variability: (value("queue.arrival_variability"), value("queue.service_variability")),
            counter_gain: value("sigma.counter_gain"),
            parting: (value("breach.persons"), value("breach.sigmas")),
        }
    }
}

/// By what a dense crowd is measured under `profile`.
pub fn measure(profile: &Profile) -> Measure {
    // A float that is not a number or negative becomes zero here; a window of nothing has no value.
    let span = |name| Span::from_millis((profile.value(name) * 1_000.0) as u64);
    Measure {
        radius_m: profile.value("dense.radius_m"),
        cell_m: profile.value("dense.cell_m"),
        step: span("dense.step_s"),
        window: span("dense.window_s"),
        spectrum_s: profile.value("dense.spectrum_s"),
        band: Band { low: profile.value("dense.omega_low"), high: profile.value("dense.omega_high") },
        least_m_s: profile.value("dense.least_m_s"),
        least_order: profile.value("dense.least_order"),
        over: span("flow_break.over_s"),
    }
}

/// The window as slices of whole panes: (length of one in ms, how many).
fn slices_of(window_s: f64, pane: PaneLength) -> (i64, i64) {
    let pane_ms = pane.span().as_millis();
    // A float that is not a number or negative becomes zero here; the window is then a single pane.
    let panes = ((window_s * 1_000.0) as u64).div_ceil(pane_ms).max(1);
    let panes_per_slice = panes.div_ceil(SLICES);
    let slices = panes.div_ceil(panes_per_slice);
    ((panes_per_slice * pane_ms) as i64, slices as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_whole_panes_in_few_slices() {
        let pane = |secs| PaneLength::new(Span::from_secs(secs)).unwrap();
        for (window_s, pane_s, expected) in
            [(300.0, 10, (30_000, 10)), (60.0, 10, (10_000, 6)), (5.0, 10, (10_000, 1)), (300.0, 300, (300_000, 1)), (f64::NAN, 10, (10_000, 1))]
        {
            assert_eq!(slices_of(window_s, pane(pane_s)), expected, "{window_s} s in panes of {pane_s} s");
        }
    }
}
