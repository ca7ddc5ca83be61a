//! Threshold profiles: every limit that a detector or a grade uses, named, versioned, with its unit, source and mark.
//!
//! No threshold stands in code. A profile is a flat table from the threshold's name to its value; a missing name is a fault of the
//! configuration and found by `midan check`, never at run time ([`REQUIRED`] lists what every profile must hold).

use std::collections::BTreeMap;
use std::sync::Arc;

/// A named, versioned set of thresholds.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Name and version as outputs write it, `fr-ma-2030/1`.
    pub label: Arc<str>,
    /// The thresholds by name.
    pub thresholds: BTreeMap<Box<str>, Threshold>,
    /// SHA-256 over the profile's text, hexadecimal.
    pub hash: String,
}

/// One threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// Its value, in `unit`.
    pub value: f64,
    /// The unit, SI.
    pub unit: Box<str>,
    /// Where it comes from.
    pub source: Box<str>,
    /// How far the source was checked: `S` seen, `C` computed, `M` not checked against the primary text.
    pub mark: char,
}

impl Profile {
    /// The value of the threshold `name`; not a number when there is none, which compares false with everything.
    pub fn value(&self, name: &str) -> f64 {
        self.thresholds.get(name).map_or(f64::NAN, |threshold| threshold.value)
    }
}

/// The thresholds that every profile must hold; the unit each is in.
pub const REQUIRED: &[(&str, &str)] = &[
    // Levels of service: the lower density bound of each grade from B on, per table (crowd-science §2.1).
    ("los.walkway.b", "persons/m2"),
    ("los.walkway.c", "persons/m2"),
    ("los.walkway.d", "persons/m2"),
    ("los.walkway.e", "persons/m2"),
    ("los.walkway.f", "persons/m2"),
    ("los.stair.b", "persons/m2"),
    ("los.stair.c", "persons/m2"),
    ("los.stair.d", "persons/m2"),
    ("los.stair.e", "persons/m2"),
    ("los.stair.f", "persons/m2"),
    ("los.queue.b", "persons/m2"),
    ("los.queue.c", "persons/m2"),
    ("los.queue.d", "persons/m2"),
    ("los.queue.e", "persons/m2"),
    ("los.queue.f", "persons/m2"),
    // Uncertainty: one standard deviation of a counter's gain, and of an occupancy sensor, as shares; of the expected attendance; of a lane's rate.
    ("sigma.counter_gain", "1"),
    ("sigma.occupancy_sensor", "1"),
    ("sigma.attendance", "1"),
    ("sigma.lane_rate", "1"),
    ("sigma.scans", "1"),
    // Queues: persons/m² in which a queue stands; the window over which rates are measured; a queue smaller than this measures no service rate.
    ("queue.density", "persons/m2"),
    ("queue.rate_window_s", "s"),
    ("queue.busy_persons", "persons"),
    ("queue.fluid_load", "1"),
    ("queue.walk_m_s", "m/s"),
    ("queue.arrival_variability", "1"),
    ("queue.service_variability", "1"),
    // Zero points: a counted zone over whose ways nobody has passed for so long outside a match is empty.
    ("zero.quiet_s", "s"),
    ("concourse.dwell_s", "s"),
    // Entry: the margin before kick-off.
    ("entry_eta.margin_s", "s"),
    ("entry_eta.p_medium", "1"),
    ("entry_eta.p_high", "1"),
    ("entry_eta.on_s", "s"),
    ("entry_eta.off_s", "s"),
    ("entry_eta.deadband", "1"),
    ("entry_eta.from_s", "s"),
    ("entry_eta.missing", "1"),
    ("entry_eta.wait_s", "s"),
    ("cap_occ.low", "1"),
    ("cap_occ.medium", "1"),
    ("cap_occ.high", "1"),
    ("cap_occ.on_s", "s"),
    ("cap_occ.off_s", "s"),
    ("cap_occ.deadband", "1"),
    ("dens.low", "persons/m2"),
    ("dens.medium", "persons/m2"),
    ("dens.high", "persons/m2"),
    ("dens.p", "1"),
    ("dens.on_s", "s"),
    ("dens.off_s", "s"),
    ("dens.deadband", "persons/m2"),
    // Dense crowds, from tracks and grids (crowd-science §2.4).
    ("dense.radius_m", "m"),
    ("dense.cell_m", "m"),
    ("dense.step_s", "s"),
    ("dense.window_s", "s"),
    ("dense.spectrum_s", "s"),
    ("dense.omega_low", "rad/s"),
    ("dense.omega_high", "rad/s"),
    ("dense.least_m_s", "m/s"),
    ("dense.least_order", "1"),
    ("flow_break.flow", "persons/m/s"),
    ("flow_break.density", "persons/m2"),
    ("flow_break.rise", "1"),
    ("flow_break.drop", "1"),
    ("flow_break.over_s", "s"),
    ("flow_break.on_s", "s"),
    ("flow_break.off_s", "s"),
    ("flow_break.deadband", "1"),
    ("turb.pressure", "1/s2"),
    ("turb.peak", "1"),
    ("turb.chirality", "1"),
    ("turb.density", "persons/m2"),
    ("turb.on_s", "s"),
    ("turb.off_s", "s"),
    ("turb.deadband", "1"),
    ("counter.share", "1"),
    ("counter.density", "persons/m2"),
    ("counter.on_s", "s"),
    ("counter.off_s", "s"),
    ("counter.deadband", "1"),
    ("queue_spill.medium_s", "s"),
    ("queue_spill.high_s", "s"),
    ("queue_spill.on_s", "s"),
    ("queue_spill.off_s", "s"),
    ("queue_spill.deadband", "1"),
    ("blind.coverage", "1"),
    ("blind.age_s", "s"),
    ("blind.on_s", "s"),
    ("blind.off_s", "s"),
    ("blind.deadband", "1"),
    ("blind.dense", "persons/m2"),
    ("blind.occupied", "persons"),
    ("anomaly.budget_per_week", "1/week"),
    ("anomaly.budget_shared", "1"),
    ("anomaly.supports", "1"),
    ("anomaly.hold", "1"),
    ("anomaly.shortfalls", "1"),
    ("anomaly.learnt", "1"),
    ("anomaly.min_days", "days"),
    ("anomaly.on_s", "s"),
    ("anomaly.off_s", "s"),
    ("anomaly.regime_s", "s"),
    ("event.arrival_median_s", "s"),
    ("event.arrival_spread_s", "s"),
    ("event.leaving_s", "s"),
    ("event.lasts_s", "s"),
    ("anomaly.warm_up_panes", "panes"),
    // Public transport: age of a stale position, places of a vehicle, share who alight, and shares taken by GTFS-Realtime's occupancy status.
    ("transport.stale", "s"),
    ("transport.capacity", "persons"),
    ("transport.ahead_s", "s"),
    ("transport.alighting.lo", "1"),
    ("transport.alighting.hi", "1"),
    ("transport.load.0.lo", "1"),
    ("transport.load.0.hi", "1"),
    ("transport.load.1.lo", "1"),
    ("transport.load.1.hi", "1"),
    ("transport.load.2.lo", "1"),
    ("transport.load.2.hi", "1"),
    ("transport.load.3.lo", "1"),
    ("transport.load.3.hi", "1"),
    ("transport.load.4.lo", "1"),
    ("transport.load.4.hi", "1"),
    ("transport.load.5.lo", "1"),
    ("transport.load.5.hi", "1"),
    ("transport.load.6.lo", "1"),
    ("transport.load.6.hi", "1"),
    // Safe capacity: what lanes, standing areas and exits are counted with.
    ("capacity.lane_max_per_h", "persons/h"),
    ("capacity.entry_s", "s"),
    ("capacity.standing_density", "persons/m2"),
    ("capacity.exit_level", "persons/m/min"),
    ("capacity.exit_stepped", "persons/m/min"),
    ("capacity.exit_ramp", "persons/m/min"),
    ("capacity.exits_dropped", "exits"),
    ("capacity.egress_s", "s"),
    ("capacity.evacuation_s", "s"),
    // Shares of approaches: counts, groups and the CUSUM.
    ("plan_split.excess", "1"),
    ("plan_split.slack", "1"),
    ("plan_split.persons", "persons"),
    ("plan_split.dispersion", "persons"),
    ("plan_split.p", "1"),
    ("plan_split.deadband", "1"),
    ("plan_split.off_counts", "counts"),
    // Presence against plan and usual.
    ("presence.early_medium_s", "s"),
    ("presence.early_high_s", "s"),
    ("presence.floor", "1"),
    ("presence.rate_medium", "1"),
    ("presence.rate_high", "1"),
    ("presence.rate_sigma", "1"),
    ("presence.rate_window_s", "s"),
    ("presence.over_medium", "1"),
    ("presence.over_high", "1"),
    ("presence.usual_medium", "1"),
    ("presence.usual_high", "1"),
    ("presence.usual_floor", "persons"),
    ("presence.usual_sigma", "1"),
    ("presence.p", "1"),
    ("presence.on_s", "s"),
    ("presence.off_s", "s"),
    ("presence.deadband", "1"),
    // Tickets against safe capacity.
    ("cap_sold.share", "1"),
    ("cap_sold.on_s", "s"),
    ("cap_sold.off_s", "s"),
    // Sections beside each other.
    ("sibling.share", "1"),
    ("sibling.ratio", "1"),
    ("sibling.p", "1"),
    ("sibling.on_s", "s"),
    ("sibling.off_s", "s"),
    ("sibling.deadband", "1"),
    // Open exits.
    ("exit_plan.p", "1"),
    ("exit_plan.on_s", "s"),
    ("exit_plan.off_s", "s"),
    ("exit_plan.deadband", "1"),
    // Counts against scans, doors.
    ("breach.window_s", "s"),
    ("breach.persons", "persons"),
    ("breach.sigmas", "1"),
    ("breach.doors", "doors"),
    ("breach.on_s", "s"),
    ("breach.off_s", "s"),
    // Tickets turned away.
    ("scan_mix.share", "1"),
    ("scan_mix.p", "1"),
    ("scan_mix.scans", "scans"),
    ("scan_mix.gates", "gates"),
    ("scan_mix.on_s", "s"),
    ("scan_mix.off_s", "s"),
    ("scan_mix.deadband", "1"),
    // Calls.
    ("call_cluster.calls", "calls"),
    ("call_cluster.radius_m", "m"),
    ("call_cluster.window_s", "s"),
    ("call_cluster.per_h", "1/h"),
    ("call_cluster.per_thousand_h", "1/h"),
    ("call_cluster.p", "1"),
    ("call_cluster.on_s", "s"),
    ("call_cluster.off_s", "s"),
    // Stations after the match.
    ("egress_transit.p", "1"),
    ("egress_transit.share_sigma", "1"),
    ("egress_transit.walk_s", "s"),
    ("egress_transit.from_s", "s"),
    ("egress_transit.on_s", "s"),
    ("egress_transit.off_s", "s"),
    ("egress_transit.deadband", "1"),
    // Heat.
    ("heat.wbgt_c", "degC"),
    ("heat.wait_s", "s"),
    ("heat.p", "1"),
    ("heat.on_s", "s"),
    ("heat.off_s", "s"),
    ("heat.deadband_c", "degC"),
    // Probabilities of exceeding.
    ("cap_occ.p", "1"),
    ("queue_spill.p", "1"),
    ("queue_spill.rate_sigma", "1"),
    // Heat.
    ("heat.age_s", "s"),
    // Few heads.
    ("sigma.occupancy_floor", "persons"),
    // Models.
    ("model_off.on_s", "s"),
    ("model_off.off_s", "s"),
    ("clock.on_s", "s"),
    ("clock.off_s", "s"),
];
