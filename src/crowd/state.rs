//! What lasts from pane to pane: per zone, per gate, and a small rest for the night as a whole. Each part is an entry of the engine's state.

use super::approaches::ArrivalState;
use super::dense::DenseState;
use super::figures::{Disagreement, Phase};
use super::flow::TotalBases;
use super::reconcile::Learnt;
use super::stand_in::StoodIn;
use super::surroundings::CallHeard;
use super::topology::{Topology, Way, ZonePlan};
use super::unheard::Unheard;
use crate::feeds::observation::{DoorState, Total};
use crate::time::{EventTime, PaneLength, Span};
use crate::venue::{Plan, SensorId, Venue, ZoneId};
use crate::window::{PaneContent, Sessions, Sliding};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that the crowd picture of a venue remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrowdState {
    /// By zone.
    pub zones: Vec<ZoneState>,
    /// By gate.
    pub gates: Vec<GateState>,
    /// By sensor.
    pub sensors: Vec<SensorState>,
    /// Who has come, by which approach.
    pub arrivals: ArrivalState,
    /// The rest.
    pub night: NightState,
}

/// What is remembered of a zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZoneState {
    /// Heads by mass balance or measurement; `None` in an open zone that nobody has measured.
    pub persons: Option<u32>,
    /// When its heads were last measured (sensor or recount): the end of that pane; `None` while the balance runs from the empty zone.
    pub anchored: Option<EventTime>,
    /// Heads at the anchor.
    pub anchor_persons: u32,
    /// Of a zone that is measured again and again: by how many its heads changed from the last measurement to this one.
    pub moved: u32,
    /// Persons who came in since the anchor.
    pub came: u64,
    /// Persons since the anchor by which the balance would have gone below zero: that many entries were missed, evidence of drift.
    pub deficit: u32,
    /// Its ways in and out, in the order of the topology.
    pub over: Vec<Way>,
    /// Gross flow since the anchor over each of these ways.
    pub gross: Vec<u64>,
    /// Of each of these ways: whether it was unheard since the anchor, and who crossed it all the same.
    pub unheard: Vec<Unheard>,
    /// Of each of these ways: one standard deviation of who crossed it, persons, where scans have told of them.
    pub known: Vec<Option<f64>>,
    /// Of a concourse between scanned gates and seats: what the scans tell of its way to the seats.
    pub learnt: Learnt,
    /// What its cameras have told of a dense crowd: large, so that a look ahead shares it.
    pub dense: Arc<DenseState>,
    /// When somebody last crossed, or might have without being counted.
    pub stirred: Option<EventTime>,
    /// What its heads have parted from in the last pane.
    pub parted: Option<Disagreement>,
    /// Persons counted inwards over its exits, pane by pane over the window of breaches; `None` before the first pane, and where there is no exit.
    pub intruders: Option<Sliding<i64>>,
}

/// What is remembered of a gate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GateState {
    /// The rate window, oldest slice first.
    pub slices: Vec<Slice>,
    /// Who passed it while its counter was silent.
    pub stood_in: StoodIn,
    /// Tonight's counts and tickets side by side.
    pub compared: Compared,
}

/// Counts and tickets of a gate over a night.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// Persons counted inwards.
    pub counted: u32,
    /// Tickets that let somebody in.
    pub scanned: u32,
    /// Persons counted inwards since the last scan.
    pub unscanned: u32,
    /// Persons counted inwards while its scanners said nothing, less those whose scans came late.
    pub untold: u32,
    /// Persons who were moved over the gate because scans and counts differ.
    pub moved: i64,
}

impl Compared {
    /// Goes on by what a pane saw; so many persons (`silence`) pass no scanner that can be heard unscanned.
    pub(super) fn take(&mut self, pane: &Slice, silence: f64) {
        self.counted = self.counted.saturating_add(pane.inwards);
        self.scanned = self.scanned.saturating_add(pane.scanned);
        if pane.scanned == 0 {
            self.unscanned = self.unscanned.saturating_add(pane.inwards);
            return;
        }
        let unscanned = std::mem::take(&mut self.unscanned);
        if f64::from(unscanned) >= silence {
            self.untold = self.untold.saturating_add(unscanned);
        }
    }

    /// A scan has come late.
    pub(super) fn tell(&mut self) {
        let pool = if self.untold > 0 { &mut self.untold } else { &mut self.unscanned };
        *pool = pool.saturating_sub(1);
    }

    /// Persons whom the counter alone told of.
    pub(super) fn untold(&self) -> u32 {
        self.untold.saturating_add(self.unscanned)
    }

    /// Persons let in, by their scans, and by the counter while scanners said nothing.
    pub(super) fn let_in(&self) -> i64 {
        i64::from(self.scanned) + i64::from(self.untold())
    }
}

/// A slice of a gate's rate window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Which slice of event time, counted from the epoch.
    pub number: i64,
    /// How much of it has been seen, ms.
    pub seen_ms: u32,
    /// Persons who went in.
    pub inwards: u32,
    /// Persons who joined the queue.
    pub arrivals: u32,
    /// Persons who went in while the queue was busy.
    pub busy_inwards: u32,
    /// Open lanes times time while the queue was busy, lane-ms.
    pub busy_lane_ms: u64,
    /// Tickets that let somebody in.
    pub scanned: u32,
    /// Tickets that were turned away.
    pub rejected: u32,
}

/// What is remembered of a sensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensorState {
    /// Since when it is there, where it came later than the venue's first pane.
    pub since: Option<EventTime>,
    /// The end of the last pane in which it reported; `None` before its first report.
    pub reported: Option<EventTime>,
    /// It has said, or its gateway for it, that it is broken or gone, and has not been heard since.
    pub failed: bool,
    /// Its last running total, and when.
    pub total: Option<(EventTime, Total)>,
    /// The last thing it said that does not add up: heads in its part of a zone, or open lanes of a gate.
    pub reading: Option<u32>,
    /// The last state that it told of a gate, door or barrier.
    pub door: Option<DoorState>,
}

/// What is remembered of the venue as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NightState {
    /// The start of the first pane.
    pub since: Option<EventTime>,
    /// What events have said of matches that are not over yet, by match id.
    pub told: BTreeMap<Box<str>, MatchTold>,
    /// The match whose entry is being counted.
    pub match_id: Option<Box<str>>,
    /// Persons admitted to it: in, less those who went out again before kick-off.
    pub admitted: i64,
    /// Calls for help, by time.
    pub calls: Vec<CallHeard>,
    /// The stretches of calls of each place: without a pause as long as the window in which a cluster is looked for.
    pub stretches: BTreeMap<Option<ZoneId>, Sessions>,
    /// By weather station: when its heat was last told, and how hot it was (WBGT, °C).
    pub heat: BTreeMap<Box<str>, (EventTime, f64)>,
}

/// What events have said of a match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MatchTold {
    /// Kick-off as told: planned, delayed, or as it happened.
    pub kick_off: Option<EventTime>,
    /// Persons expected.
    pub expected: Option<u32>,
    /// Where it stands, once it has begun.
    pub phase: Option<Phase>,
    /// When the last event that was heeded happened: an older one that comes later changes nothing.
    pub as_of: Option<EventTime>,
    /// The plan that the feed told, with its version.
    pub plan: Option<(u64, Plan)>,
}

impl CrowdState {
    /// The state before the first pane: closed zones are empty, gates are as planned.
    pub fn new(venue: &Venue, topology: &Topology) -> Self {
        Self {
            zones: venue.zones.iter().zip(&topology.zones).map(|(zone, plan)| ZoneState::new(zone.closed, plan)).collect(),
            gates: vec![GateState::default(); venue.gates.len()],
            sensors: vec![SensorState::default(); venue.sensors.len()],
            arrivals: ArrivalState::new(venue, topology),
            night: NightState::default(),
        }
    }

    /// Whether the state's shape is that of the venue: one of another layout must not be gone on with.
    pub fn fits(&self, venue: &Venue, topology: &Topology) -> bool {
        let blank = Self::new(venue, topology);
        self.zones.len() == blank.zones.len()
            && self.gates.len() == blank.gates.len()
            && self.zones.iter().zip(&blank.zones).all(|(a, b)| a.over == b.over)
            && self.sensors.len() == blank.sensors.len()
            && self.arrivals.over == blank.arrivals.over
            && self.arrivals.approaches.len() == blank.arrivals.approaches.len()
    }

    /// Somebody counted: sets the heads in `zone`. `at` is the end of the last closed pane.
    ///
    /// False where nothing carries a count on: an open zone without an occupancy sensor, in which it would stand and grow wrong unseen.
    pub fn recount(&mut self, topology: &Topology, zone: ZoneId, persons: u32, at: EventTime) -> bool {
        let (Some(state), Some(plan)) = (self.zones.get_mut(zone.index()), topology.zones.get(zone.index())) else {
            return false;
        };
        if state.persons.is_none() && plan.heads.is_empty() {
            return false;
        }
        state.anchor(persons, at);
        true
    }

    /// The last totals before the pane now to be closed, of the sensors that sent totals in it.
    pub fn bases(&self, content: &PaneContent) -> TotalBases {
        let sensors = content.totals.keys().map(|(sensor, _)| *sensor);
        sensors.filter_map(|sensor| Some((sensor, self.sensor(sensor)?.total?.1))).collect()
    }

    /// The state of a sensor.
    pub fn sensor(&self, sensor: SensorId) -> Option<&SensorState> {
        self.sensors.get(sensor.index())
    }

    /// The state of a sensor, to be changed.
    pub(super) fn sensor_mut(&mut self, sensor: SensorId) -> Option<&mut SensorState> {
        self.sensors.get_mut(sensor.index())
    }
}

impl ZoneState {
    pub(super) fn new(closed: bool, plan: &ZonePlan) -> Self {
        let (persons, ways) = (closed.then_some(0), plan.over.len());
        Self {
            over: plan.over.clone(),
            persons,
            anchored: None,
            anchor_persons: 0,
            moved: 0,
            came: 0,
            deficit: 0,
            gross: vec![0; ways],
            unheard: vec![Unheard::default(); ways],
            known: vec![None; ways],
            learnt: Learnt::default(),
            dense: Arc::default(),
            stirred: None,
            parted: None,
            intruders: None,
        }
    }

    /// Adds who came in over exits up to `end`, in its pane, and gives the sum of the window of breaches, `length` long.
    pub(super) fn take_intruders(&mut self, pane: PaneLength, end: EventTime, length: Span, persons: u32) -> u32 {
        if self.intruders.is_none() {
            self.intruders = Sliding::new(pane, length, Span::ZERO);
        }
        let sum = self.intruders.as_mut().map_or(0, |window| window.close(pane.end_of(end.before(Span::from_millis(1))), persons.into()));
        u32::try_from(sum.max(0)).unwrap_or(u32::MAX)
    }

    /// So many more (or fewer) came in over exits in the closed pane ending at `end`.
    pub(super) fn correct_intruders(&mut self, end: EventTime, difference: i64) {
        if let Some(window) = &mut self.intruders {
            window.revise(end, difference);
        }
    }

    /// Sets the heads; what has flowed since begins anew.
    pub(super) fn anchor(&mut self, persons: u32, at: EventTime) {
        self.persons = Some(persons);
        self.anchored = Some(at);
        self.anchor_persons = persons;
        self.came = 0;
        self.deficit = 0;
        self.gross.fill(0);
        self.unheard.fill(Unheard::default());
        self.known.fill(None);
    }
}
