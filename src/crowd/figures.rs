//! The picture of one pane: a figure for every zone, gate and link of the venue, each with how good it is.

use super::dense::DenseFigures;
use crate::time::{EventTime, Span};
use crate::venue::{Feed, FlowTable};
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
    /// Time until the queue's space is full, s: 0 once it is, `None` while there is room and it does not grow.
    pub spill_s: Option<f64>,
    /// As in [`ZoneFigures::coverage`].
    pub coverage: f64,
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
    /// As in [`ZoneFigures::coverage`].
    pub coverage: f64,
}

/// The entry of the spectators, for the match that the pane belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryFigures {
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
    /// The probability that entry is complete only after kick-off less the margin.
    pub p_after_deadline: f64,
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
