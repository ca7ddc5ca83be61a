//! A small site for tests: an approach, a forecourt, a gate with its queue, a gate that is only scanned, a bowl, a plaza with head counts, a platform.
//!
//! ```text
//!  outside ─approach─► forecourt ─lane-a─► queue-a ─gate-a─► bowl ─exit─► outside      platform (stop)      plaza (heads)
//!                          └──────────gate-b (scans)──────────┘
//! ```

use super::state::CrowdState;
use super::topology::Topology;
use super::{VenueFigures, flow::TotalBases};
use crate::feeds::observation::{Arrival, Count, DoorState, Total, Vehicle};
use crate::time::{ClockTrust, EventTime, PaneLength, Span};
use crate::venue::{
    Feed, FlowTable, Gate, GateId, Link, LinkId, LinkKind, Match, Measures, Names, Plan, Profile, Section, Sensor, SensorId, Source, SourceFile, SourceId,
    Stop, StopId, Venue, Zone, ZoneId, ZoneKind, load_profile,
};
use crate::window::pane::{PaneContent, Reading, ReadingOrder};
use std::sync::Arc;

/// Kick-off of the site's match.
pub(crate) const KICK_OFF: EventTime = EventTime::from_millis(1_907_863_200_000);
/// The first pane begins six hours before.
const BEGIN: EventTime = KICK_OFF.before(Span::from_mins(6 * 60));

/// A venue, turned round.
pub(crate) struct Site {
    pub(crate) venue: Venue,
    pub(crate) topology: Topology,
}

/// The site drawn above.
pub(crate) fn site() -> Site {
    let profile = Arc::new(profile());
    let zones = vec![
        zone("forecourt", ZoneKind::Forecourt, Some(1_200.0), FlowTable::Queue, true, &profile),
        zone("queue-a", ZoneKind::GateQueue, Some(100.0), FlowTable::Queue, true, &profile),
        zone("bowl", ZoneKind::Bowl, Some(5_000.0), FlowTable::Walkway, true, &profile),
        zone("plaza", ZoneKind::Plaza, Some(1_000.0), FlowTable::Walkway, false, &profile),
        zone("platform", ZoneKind::Platform, Some(800.0), FlowTable::Walkway, false, &profile),
    ];
    let links = vec![
        link("approach", None, Some(0)),
        link("lane-a", Some(0), Some(1)),
        link("gate-a", Some(1), Some(2)),
        link("gate-b", Some(0), Some(2)),
        link("exit", Some(2), None),
    ];
    let gates = vec![gate("a", 2, Some(1), 4), gate("b", 3, None, 2)];
    let on = |link, reversed| Measures::Link { link: LinkId(link), reversed };
    let sensors = vec![
        sensor("approach-1", on(0, false), 10),
        sensor("approach-2", on(0, false), 10),
        sensor("lane-a", on(1, false), 10),
        sensor("gate-a", on(2, false), 10),
        sensor("exit", on(4, true), 30),
        sensor("plaza-east", Measures::Zone(ZoneId(3)), 60),
        sensor("plaza-west", Measures::Zone(ZoneId(3)), 60),
        sensor("state-a", Measures::Gate(GateId(0)), 60),
    ];
    let stops = vec![Stop { id: "rail".into(), name: "Rail".into(), zone: Some(ZoneId(4)) }];
    Site::of(venue(zones, links, gates, sensors, stops))
}

/// A large one: `zones` rooms in a row behind a border, a counter on each door, every fourth door a gate; as many sensors as zones.
pub(crate) fn stadium(zones: usize) -> Site {
    let profile = Arc::new(profile());
    let rooms = (0..zones).map(|i| zone(&format!("z{i}"), ZoneKind::Concourse, Some(400.0), FlowTable::Walkway, true, &profile)).collect();
    let links = (0..zones).map(|i| link(&format!("l{i}"), i.checked_sub(1), Some(i))).collect();
    let gates = (0..zones / 4).map(|i| gate(&format!("g{i}"), i * 4, (i * 4).checked_sub(1), 8)).collect();
    let sensors = (0..zones).map(|i| sensor(&format!("s{i}"), Measures::Link { link: LinkId::from(i), reversed: false }, 10)).collect();
    Site::of(venue(rooms, links, gates, sensors, Vec::new()))
}

/// The shipped profile, with round figures where a test counts with them.
pub(crate) fn profile() -> Profile {
    let values: &[(&str, f64)] = &[
        ("los.walkway.b", 0.31),
        ("los.walkway.c", 0.43),
        ("los.walkway.d", 0.72),
        ("los.walkway.e", 1.08),
        ("los.walkway.f", 2.15),
        ("los.stair.b", 0.54),
        ("los.stair.c", 0.72),
        ("los.stair.d", 1.08),
        ("los.stair.e", 1.54),
        ("los.stair.f", 2.70),
        ("los.queue.b", 0.83),
        ("los.queue.c", 1.08),
        ("los.queue.d", 1.54),
        ("los.queue.e", 3.57),
        ("los.queue.f", 5.26),
        ("sigma.counter_gain", 0.02),
        ("sigma.occupancy_sensor", 0.1),
        ("sigma.occupancy_floor", 0.0),
        ("sigma.attendance", 0.02),
        ("sigma.lane_rate", 0.1),
        ("dense.radius_m", 1.0),
        ("dense.cell_m", 1.5),
        ("dense.step_s", 0.5),
        ("dense.window_s", 90.0),
        ("dense.spectrum_s", 60.0),
        ("dense.omega_low", 0.25),
        ("dense.omega_high", 0.4),
        ("dense.least_m_s", 0.05),
        ("dense.least_order", 0.3),
        ("flow_break.flow", 0.8),
        ("flow_break.density", 2.0),
        ("flow_break.rise", 0.1),
        ("flow_break.drop", 0.3),
        ("flow_break.over_s", 120.0),
        ("flow_break.on_s", 60.0),
        ("flow_break.off_s", 180.0),
        ("flow_break.deadband", 0.1),
        ("turb.pressure", 0.02),
        ("turb.peak", 4.0),
        ("turb.chirality", 0.5),
        ("turb.density", 4.0),
        ("turb.on_s", 10.0),
        ("turb.off_s", 120.0),
        ("turb.deadband", 0.2),
        ("counter.share", 0.2),
        ("counter.density", 2.0),
        ("counter.on_s", 30.0),
        ("counter.off_s", 120.0),
        ("counter.deadband", 0.05),
        ("queue.density", 2.5),
        ("queue.fluid_load", 0.95),
        ("queue.walk_m_s", 1.34),
        ("queue.arrival_variability", 1.0),
        ("queue.service_variability", 1.0),
        ("queue.rate_window_s", 300.0),
        ("queue.busy_persons", 20.0),
        ("entry_eta.margin_s", 900.0),
        ("entry_eta.p_medium", 0.5),
        ("entry_eta.p_high", 0.9),
        ("entry_eta.on_s", 180.0),
        ("entry_eta.off_s", 600.0),
        ("entry_eta.deadband", 0.1),
        ("entry_eta.from_s", 14_400.0),
        ("cap_occ.low", 0.9),
        ("cap_occ.medium", 0.97),
        ("cap_occ.high", 1.0),
        ("cap_occ.on_s", 60.0),
        ("cap_occ.off_s", 300.0),
        ("cap_occ.deadband", 0.02),
        ("dens.low", 2.0),
        ("dens.medium", 3.0),
        ("dens.high", 4.0),
        ("dens.p", 0.8),
        ("dens.on_s", 20.0),
        ("dens.off_s", 60.0),
        ("dens.deadband", 0.5),
        ("queue_spill.medium_s", 1_200.0),
        ("queue_spill.high_s", 480.0),
        ("queue_spill.on_s", 60.0),
        ("queue_spill.off_s", 300.0),
        ("queue_spill.deadband", 0.1),
        ("blind.coverage", 0.7),
        ("blind.age_s", 60.0),
        ("blind.on_s", 30.0),
        ("blind.off_s", 60.0),
        ("blind.deadband", 0.05),
        ("blind.dense", 3.0),
        ("blind.occupied", 10.0),
        ("anomaly.budget_per_week", 1.0),
        ("anomaly.budget_shared", 1.0),
        ("anomaly.supports", 0.01),
        ("anomaly.hold", 0.5),
        ("anomaly.shortfalls", 0.2),
        ("anomaly.learnt", 0.2),
        ("anomaly.min_days", 2.0),
        ("anomaly.on_s", 0.0),
        ("anomaly.off_s", 300.0),
        ("anomaly.regime_s", 108_000.0),
        ("event.arrival_median_s", 4_200.0),
        ("event.arrival_spread_s", 1_200.0),
        ("event.leaving_s", 480.0),
        ("event.lasts_s", 6_600.0),
        ("anomaly.warm_up_panes", 12.0),
        ("clock.on_s", 0.0),
        ("clock.off_s", 60.0),
    ];
    let text = include_str!("../../config/profiles/fr-ma-2030.toml").to_owned();
    let mut profile = load_profile(&SourceFile { path: "fr-ma-2030.toml".into(), text }).unwrap();
    let label: Arc<str> = "test/1".into();
    for (name, value) in values {
        profile.thresholds.get_mut(*name).unwrap().value = *value;
    }
    Profile { label, ..profile }
}

/// Counted persons.
pub(crate) const fn count(inwards: u32, outwards: u32) -> Count {
    Count { from: EventTime::MIN, to: EventTime::MAX, inwards, outwards, undirected: 0 }
}

/// A running total and its place in the order.
pub(crate) const fn total(at_ms: i64, inwards: u64, outwards: u64) -> (ReadingOrder, Total) {
    ((EventTime::from_millis(at_ms), 0, 0), Total { inwards, outwards, undirected: 0, seq: 0, modulus: None })
}

impl Site {
    fn of(venue: Venue) -> Self {
        let topology = Topology::new(&venue);
        Self { venue, topology }
    }

    /// After a change of the venue.
    pub(crate) fn turn_round(&mut self) {
        self.topology = Topology::new(&self.venue);
    }

    pub(crate) fn state(&self) -> CrowdState {
        CrowdState::new(&self.venue, &self.topology)
    }

    pub(crate) fn pane(&self) -> PaneContent {
        PaneContent::new(&self.venue)
    }

    /// The end of the `n`th pane.
    pub(crate) fn end(&self, n: i64) -> EventTime {
        EventTime::from_millis(BEGIN.as_millis() + n * self.venue.pane.span().as_millis() as i64)
    }

    /// The number of the pane that ends at `at`.
    pub(crate) fn panes_to(&self, at: EventTime) -> i64 {
        (at.as_millis() - BEGIN.as_millis()) / self.venue.pane.span().as_millis() as i64
    }

    /// Closes the `n`th pane with what `fill` puts in.
    pub(crate) fn close(&self, state: &mut CrowdState, n: i64, fill: impl FnOnce(&mut PaneContent)) -> VenueFigures {
        let mut pane = self.pane();
        fill(&mut pane);
        let bases: TotalBases = state.bases(&pane);
        let flows = super::flows(&self.venue, &self.topology, &pane, &bases);
        let figures = state.close(&self.venue, &self.topology, self.end(n), &pane, Vec::new());
        let pictured = figures.zones.iter().map(|zone| super::ZoneFlows { inwards: zone.inwards, outwards: zone.outwards, undirected: zone.undirected });
        assert!(pictured.eq(flows), "the picture shows the flows that a revision would");
        figures
    }

    pub(crate) fn heads(&self, pane: &mut PaneContent, heads: &[(&str, u32)]) {
        for (name, value) in heads {
            pane.occupancies.insert(self.sensor(name), Reading { order: (EventTime::MIN, 0, 0), value: *value });
        }
    }

    /// The feed says of each trip to the first stop in how many seconds it comes, and how full its vehicle is, percent, as of so long ago.
    pub(crate) fn expects(&self, pane: &mut PaneContent, n: i64, trips: &[(u64, i64)], (occupancy_percentage, age): (Option<u32>, Span)) {
        for (trip, seconds) in trips {
            let expected = EventTime::from_millis(self.end(n).as_millis() + seconds * 1_000);
            let arrival = Arrival { trip: *trip, expected, occupancy_status: None };
            let vehicle = Vehicle { trip: *trip, stopped: false, occupancy_status: None, occupancy_percentage, age, on_board: None };
            let order = (EventTime::MIN, 0, 0);
            pane.arrivals.insert((StopId(0), *trip), Reading { order, value: arrival });
            pane.vehicles.insert((StopId(0), *trip), Reading { order, value: vehicle });
        }
    }

    pub(crate) fn tells(&self, pane: &mut PaneContent, name: &str, told: (DoorState, Option<u32>)) {
        pane.states.insert(self.sensor(name), Reading { order: (EventTime::MIN, 0, 0), value: told });
    }

    pub(crate) fn zone(&self, name: &str) -> usize {
        self.venue.find_zone(name).unwrap().index()
    }

    pub(crate) fn gate(&self, name: &str) -> usize {
        self.venue.find_gate(name).unwrap().index()
    }

    pub(crate) fn sensor(&self, name: &str) -> SensorId {
        self.venue.find_sensor(name).unwrap()
    }
}

fn zone(id: &str, kind: ZoneKind, area_m2: Option<f64>, table: FlowTable, closed: bool, profile: &Arc<Profile>) -> Zone {
    let capacity = (kind == ZoneKind::Bowl).then_some(10_000);
    Zone {
        id: id.into(),
        name: id.into(),
        kind,
        perimeter: None,
        area_m2,
        capacity,
        table,
        profile: Arc::clone(profile),
        closed,
        section: Section::default(),
        ground_m: Vec::new(),
        shape: None,
    }
}

fn link(id: &str, from: Option<usize>, to: Option<usize>) -> Link {
    Link {
        id: id.into(),
        name: id.into(),
        kind: LinkKind::Gate,
        from: from.map(ZoneId::from),
        to: to.map(ZoneId::from),
        one_way: false,
        width_m: Some(6.0),
        exit: None,
        at: None,
    }
}

fn gate(id: &str, link: usize, queue: Option<usize>, lanes: u32) -> Gate {
    Gate { id: id.into(), link: LinkId::from(link), queue: queue.map(ZoneId::from), lanes, lane_rate_per_h: 660.0, entry: true }
}

fn sensor(id: &str, measures: Measures, interval_s: u64) -> Sensor {
    Sensor { id: id.into(), source: SourceId(0), measures, interval: Span::from_secs(interval_s) }
}

fn venue(zones: Vec<Zone>, links: Vec<Link>, gates: Vec<Gate>, sensors: Vec<Sensor>, stops: Vec<Stop>) -> Venue {
    let source = Source {
        id: "counters".into(),
        feed: Feed::Sensors,
        disorder: Span::from_secs(10),
        lateness: Span::from_mins(10),
        as_of_lag: Span::ZERO,
        interval: Span::from_secs(10),
        silence: Span::from_secs(60),
        format: None,
        wire: crate::venue::Wire::default(),
    };
    let kick_off =
        Match { id: "m1".into(), home: "A".into(), away: "B".into(), kick_off: KICK_OFF, planned_end: None, expected_attendance: 9_000, plan: Plan::default() };
    Venue {
        id: "casablanca".into(),
        name: "Casablanca".into(),
        city: "Casablanca".into(),
        region: "ma".into(),
        time_zone: chrono_tz::Africa::Casablanca,
        coordinates: None,
        capacity: 10_000,
        illustrative: true,
        opening: crate::venue::Opening::default(),
        holidays: crate::venue::Holidays::default(),
        pane: PaneLength::new(Span::from_secs(10)).unwrap(),
        step: Span::from_mins(5),
        fast_pane: None,
        keep_panes: Span::from_mins(10),
        trust: ClockTrust::default(),
        perimeters: Vec::new(),
        approaches: Vec::new(),
        approach_names: Names::default(),
        zone_names: Names::new(zones.iter().map(|zone| &*zone.id)),
        link_names: Names::new(links.iter().map(|link| &*link.id)),
        gate_names: Names::new(gates.iter().map(|gate| &*gate.id)),
        stop_names: Names::new(stops.iter().map(|stop| &*stop.id)),
        sensor_names: Names::new(sensors.iter().map(|sensor| &*sensor.id)),
        source_names: Names::new([&*source.id]),
        zones,
        links,
        gates,
        stops,
        sensors,
        sources: vec![source],
        matches: vec![kick_off],
        later: Vec::new(),
        first: None,
        absent: Default::default(),
        fingerprint: String::new(),
        hash: String::new(),
    }
}
