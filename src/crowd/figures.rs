//! The picture of one pane: a figure for every zone, gate and link of the venue, each with how good it is.

use super::dense::DenseFigures;
use crate::time::{EventTime, Span};
use crate::venue::{Feed, FlowTable, ZoneId};
use crate::window::Session;
use serde::{Deserialize, Serialize};

/// A figure with its 90 % band.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The best value.
    pub v: f64,
    /// 5 % quantile.
    pub lo: f64,
    /// 95 % quantile.
    pub hi: f64,
}

/// Fruin's grades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the letters are the field's own")]
pub enum Grade {
    A,
    B,
    C,
    D,
    E,
    F,
}

/// A level of service, never without the table that it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelOfService {
    /// The table.
    pub table: FlowTable,
    /// The grade.
    pub grade: Grade,
}

/// One zone, by position in the venue's list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZoneFigures {
    /// Persons who came in during the pane.
    pub inwards: u32,
    /// Persons who went out.
    pub outwards: u32,
    /// Persons counted without direction.
    pub undirected: u32,
    /// Heads at the end of the pane; `None` where nothing supports a figure.
    pub occupancy: Option<Estimate>,
    /// Its exits, where it has any.
    pub egress: Option<EgressFigures>,
    /// Persons/m² at the end of the pane.
    pub density: Option<Estimate>,
    /// Its grade.
    pub los: Option<LevelOfService>,
    /// Share of the zone's expected sensors that reported, 0 to 1; 1 where none is expected.
    pub coverage: f64,
    /// Sensors that concern the zone.
    pub expected: u32,
    /// What its cameras tell of a dense crowd, where it has any.
    pub dense: Option<Box<DenseFigures>>,
    /// Another account of its heads from which its balance parted in this pane.
    pub disagrees: Option<Disagreement>,
    /// How long none of its sensors has reported (zero when one did in this pane; since the first pane when none ever did).
    pub silent_for: Span,
}

/// One gate, by position in the venue's list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateFigures {
    /// Persons who went in during the pane.
    pub inwards: u32,
    /// Persons who went out.
    pub outwards: u32,
    /// Inward flow over the rate window, persons/min.
    pub flow_per_min: f64,
    /// Lanes open.
    pub lanes_open: u32,
    /// What the open lanes let through, persons/min: the measured rate where the queue was busy, the planned one else.
    pub capacity_per_min: f64,
    /// Persons joining the queue over the rate window, persons/min.
    pub arrivals_per_min: Option<f64>,
    /// Persons queueing.
    pub queue: Option<Estimate>,
    /// The wait of a person who joins now, s.
    pub wait_s: Option<Estimate>,
    /// The mean wait in the steady state at the present load, s; `None` where nothing is open, and from the load on at which the queue is a fluid.
    pub steady_wait_s: Option<f64>,
    /// What of its scans its counter does not bear out.
    pub disagrees: Option<Disagreement>,
    /// Time until the queue's space is full, s: 0 once it is, `None` while there is room and it does not grow.
    pub spill_s: Option<f64>,
    /// Counts and scans side by side.
    pub scans: ScanWindow,
    /// Whether it was last said to be forced.
    pub forced: bool,
    /// As in [`ZoneFigures::coverage`].
    pub coverage: f64,
}

/// Two accounts of the same persons that cannot both be right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disagreement {
    /// What the counters are held against.
    pub with: Against,
    /// By how many persons that account is more than theirs.
    pub by: f64,
    /// One standard deviation of the difference if both were sound, persons.
    pub sigma: f64,
}

/// What counters are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// Tickets scanned at the same gate.
    Scans,
    /// Head counts of the zone.
    Heads,
    /// The zone empty, for nobody has moved for long.
    Empty,
    /// What flow and lanes say of a queue: Little's law.
    Little,
}

impl Disagreement {
    /// Whether `by` persons are too many to be error: more than the floor, and more than so many standard deviations.
    pub(super) fn between(with: Against, by: f64, sigma: f64, (floor, sigmas): (f64, f64)) -> Option<Self> {
        (by.abs() > floor.max(sigmas * sigma)).then_some(Self { with, by, sigma })
    }
}

/// Calls for help that came close to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFigures {
    /// In which zone; `None` where only metres were told.
    pub zone: Option<ZoneId>,
    /// How many, within the radius and the window of the profile.
    pub calls: u32,
    /// The calls of the place since it last had none for as long as that window.
    pub stretch: Option<Session>,
}

/// One approach, by position in the venue's list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApproachFigures {
    /// Persons who have come over it in the night.
    pub came: u64,
    /// Its share of all who have come in the night.
    pub share_tonight: f64,
    /// Its share of the last whole count; `None` before the first.
    pub share: Option<f64>,
    /// Persons of that count over all planned approaches.
    pub counted: u32,
    /// The planned share.
    pub planned: Option<f64>,
    /// The CUSUM of its excess over the plan.
    pub sum: f64,
    /// The probability that the CUSUM is over its limit.
    pub p_over: f64,
    /// The same for the limit less the deadband.
    pub p_over_eased: f64,
    /// Persons admitted over its own gates, before kick-off less those who went out again.
    pub admitted: u64,
    /// What the gates of the approach let through, persons/min; `None` where it has none of its own or nothing is open.
    pub capacity_per_min: Option<f64>,
    /// The probability that those who come over it are not all inside by the deadline; `None` where it has no gates of its own.
    pub p_late: Option<f64>,
    /// The same by the plan alone, as if nobody had come yet.
    pub p_planned: Option<f64>,
    /// Who is on the way over it by public transport, within the profile's time ahead; `None` where no vehicle is expected.
    pub coming: Option<Estimate>,
    /// How full its platform gets before the match; `None` where no room or no way off is known.
    pub platform: Option<PlatformFigures>,
    /// Its station after the match, from some time before the end on, where it has stops with planned services.
    pub station: Option<StationFigures>,
}

/// How full a platform gets by the vehicles that are expected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlatformFigures {
    /// Persons for whom there is room.
    pub room: f64,
    /// Persons on it at the most, within the profile's time ahead; `None` where no vehicle is expected before the match.
    pub peak: Option<Estimate>,
}

/// Those who wait at a station after the match.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StationFigures {
    /// Persons for whom there is room.
    pub room: f64,
    /// Persons who will wait at the most.
    pub peak: Estimate,
    /// Persons who are still to come home over it.
    pub heading: f64,
    /// Persons that the services take in the egress time after the end, persons/min.
    pub services_per_min: f64,
}

/// Who is inside the venue's border, against the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PresenceFigures {
    /// Persons inside.
    pub inside: Estimate,
    /// Net inflow over the window of the profile, persons/min.
    pub per_min: f64,
    /// Persons expected at the match.
    pub expected: Option<u32>,
    /// Tickets issued, where told.
    pub sold: Option<u32>,
    /// Persons that the plan expects to have come by now.
    pub planned: Option<f64>,
    /// Persons that the plan expects only later, by the profile's two steps of being early: whoever is here beyond them is early by that much.
    pub planned_ahead: Option<[f64; 2]>,
    /// Persons who are on the way by public transport, within the profile's time ahead.
    pub coming: Option<Estimate>,
    /// As `planned_ahead`, seen from that time ahead: against it stand those inside and those coming.
    pub planned_ahead_then: Option<[f64; 2]>,
    /// The fastest that people were to come, persons/min, as far around now as the first of these steps reaches.
    pub planned_per_min: Option<f64>,
}

/// Counted persons and scanned tickets of a gate, over the last minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScanWindow {
    /// Persons counted inwards in the slices that hold scans, over the window of `breach.window_s`.
    pub counted: u32,
    /// Tickets that let somebody in, over the same.
    pub scanned: u32,
    /// Persons counted inwards in the slices without any scan.
    pub counted_unscanned: u32,
    /// How long these are, s.
    pub seconds_unscanned: f64,
    /// Tickets that let somebody in, over the rate window.
    pub scanned_long: u32,
    /// Tickets turned away, over the rate window.
    pub rejected_long: u32,
    /// Whether a counter counts it besides.
    pub is_counted: bool,
}

/// The exits of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EgressFigures {
    /// Exits in all.
    pub exits: u32,
    /// Exits that are shut though they should be open.
    pub shut: u32,
    /// Exits whose state nobody tells: they count as open.
    pub untold: u32,
    /// Clear width of those that are open, m.
    pub open_width_m: f64,
    /// What the open ones let out, persons/min.
    pub open_per_min: f64,
    /// What all of them would let out, persons/min.
    pub all_per_min: f64,
    /// Persons counted inwards over exits that are no gates, over the window of `breach.window_s`.
    pub counted_in: u32,
    /// Time to empty the zone over the open exits, s; `None` when nothing is open, or its heads are not known.
    pub empty_s: Option<f64>,
}

/// One link, by position in the venue's list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkFigures {
    /// Forward flow, persons/min.
    pub forward_per_min: f64,
    /// Backward flow, persons/min.
    pub backward_per_min: f64,
    /// Both together over the clear width, persons/m/s.
    pub specific_flow: Option<f64>,
    /// Whether its door was last said to be forced.
    pub forced: bool,
    /// As in [`ZoneFigures::coverage`].
    pub coverage: f64,
}

/// The entry of the spectators, for the match that the pane belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryFigures {
    /// As of when: the end of the pane.
    pub end: EventTime,
    /// Kick-off as it now stands.
    pub kick_off: EventTime,
    /// Persons expected.
    pub expected: u32,
    /// Persons admitted so far.
    pub admitted: u32,
    /// What the open entry lanes let through, persons/min.
    pub capacity_per_min: f64,
    /// When entry will be complete, epoch ms; `None` when nothing is open.
    pub eta: Option<Estimate>,
    /// Whether it is complete: the match is on, gates are open, and nobody is seen to be held up outside.
    pub is_complete: bool,
    /// The probability that entry is complete only after kick-off less the margin.
    pub p_after_deadline: f64,
    /// The same by the plan alone, as if nobody had come yet.
    pub p_planned: f64,
    /// Persons on vehicles that arrive too late to be inside by the deadline, however fast the gates are.
    pub coming_late: Option<Estimate>,
}

/// The match that the pane belongs to, from hours before it until everybody is home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightFigures {
    /// Its id.
    pub match_id: Box<str>,
    /// Kick-off as it now stands.
    pub kick_off: EventTime,
    /// Persons expected, where anybody said so.
    pub expected: Option<u32>,
    /// Persons admitted so far; `None` where no entry gate counts them.
    pub admitted: Option<u32>,
}

/// The picture of one pane of one venue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VenueFigures {
    /// End of the pane.
    pub end: EventTime,
    /// By zone.
    pub zones: Vec<ZoneFigures>,
    /// By gate.
    pub gates: Vec<GateFigures>,
    /// By link.
    pub links: Vec<LinkFigures>,
    /// By approach.
    pub approaches: Vec<ApproachFigures>,
    /// Calls for help, by place that has had any lately.
    pub calls: Vec<CallFigures>,
    /// The heat at the hottest station, WBGT in °C, where one has told lately.
    pub wbgt_c: Option<f64>,
    /// Tickets issued by section, on a match day.
    pub sold: Vec<(ZoneId, u32)>,
    /// Who is inside, on a match day, where the border is counted.
    pub presence: Option<PresenceFigures>,
    /// The match of the day.
    pub night: Option<NightFigures>,
    /// The entry, on a match day before the final whistle.
    pub entry: Option<EntryFigures>,
    /// Share of all expected sensors that reported.
    pub coverage: f64,
    /// Age of each feed at the end of the pane.
    pub ages: Vec<(Feed, Span)>,
    /// Where the match stands.
    pub phase: Phase,
}

/// Where the match stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the field's own")]
pub enum Phase {
    #[default]
    Before,
    FirstHalf,
    HalfTime,
    SecondHalf,
    ExtraTime,
    After,
}
