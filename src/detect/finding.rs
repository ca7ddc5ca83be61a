//! What a detector says about one place in one pane.

use super::args::Args;
use crate::time::{EventTime, Span};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::sync::Arc;

/// The alert catalogue (crowd-science §2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the catalogue explains them")]
pub enum Code {
    #[serde(rename = "ENTRY-ETA")]
    EntryEta,
    #[serde(rename = "CAP-OCC")]
    CapOcc,
    #[serde(rename = "PLAN-SPLIT")]
    PlanSplit,
    #[serde(rename = "PRESENCE")]
    Presence,
    #[serde(rename = "CAP-SOLD")]
    CapSold,
    #[serde(rename = "SIBLING")]
    Sibling,
    #[serde(rename = "EXIT-PLAN")]
    ExitPlan,
    #[serde(rename = "BREACH")]
    Breach,
    #[serde(rename = "SCAN-MIX")]
    ScanMix,
    #[serde(rename = "CALL-CLUSTER")]
    CallCluster,
    #[serde(rename = "EGRESS-TRANSIT")]
    EgressTransit,
    #[serde(rename = "HEAT")]
    Heat,
    #[serde(rename = "MODEL-OFF")]
    ModelOff,
    #[serde(rename = "DENS")]
    Dens,
    #[serde(rename = "FLOW-BREAK")]
    FlowBreak,
    #[serde(rename = "TURB")]
    Turb,
    #[serde(rename = "COUNTER")]
    Counter,
    #[serde(rename = "QUEUE-SPILL")]
    QueueSpill,
    #[serde(rename = "BLIND")]
    Blind,
    #[serde(rename = "ANOMALY")]
    Anomaly,
    #[serde(rename = "CLOCK")]
    Clock,
}

impl Code {
    /// The word in outputs and alarm ids.
    pub const fn word(self) -> &'static str {
        match self {
            Self::EntryEta => "ENTRY-ETA",
            Self::CapOcc => "CAP-OCC",
            Self::PlanSplit => "PLAN-SPLIT",
            Self::Presence => "PRESENCE",
            Self::CapSold => "CAP-SOLD",
            Self::Sibling => "SIBLING",
            Self::ExitPlan => "EXIT-PLAN",
            Self::Breach => "BREACH",
            Self::ScanMix => "SCAN-MIX",
            Self::CallCluster => "CALL-CLUSTER",
            Self::EgressTransit => "EGRESS-TRANSIT",
            Self::Heat => "HEAT",
            Self::ModelOff => "MODEL-OFF",
            Self::Dens => "DENS",
            Self::FlowBreak => "FLOW-BREAK",
            Self::Turb => "TURB",
            Self::Counter => "COUNTER",
            Self::QueueSpill => "QUEUE-SPILL",
            Self::Blind => "BLIND",
            Self::Anomaly => "ANOMALY",
            Self::Clock => "CLOCK",
        }
    }
}

/// How soon an operator must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the field's own")]
pub enum Priority {
    Low,
    Medium,
    High,
    Top,
}

/// Kinds of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the field's own")]
pub enum PlaceKind {
    Venue,
    Zone,
    Gate,
    Link,
    Approach,
    Sensor,
}

/// A place by its name, as it stands in outputs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// What kind.
    pub kind: PlaceKind,
    /// Its id.
    pub id: Box<str>,
}

/// A word of the catalogue: the program's own, or one that was read back. A detector speaks of every place in every pane, so its words are not copied.
pub type Word = Cow<'static, str>;

/// One figure that speaks for or against a finding. `what` is one of the words of docs/API.md.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which figure.
    pub what: Word,
    /// Its value.
    pub value: f64,
    /// Its unit, SI.
    pub unit: Word,
    /// The threshold it is held against.
    pub threshold: Option<f64>,
    /// The profile that the threshold comes from.
    pub profile: Option<Arc<str>>,
    /// Start of the time it covers.
    pub from: EventTime,
    /// End.
    pub to: EventTime,
}

/// A message of the console's catalogue: a key and its arguments, never a ready sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The key.
    pub key: Word,
    /// The arguments, numbers only (times as epoch ms), in the order of their names.
    pub args: Args,
}

/// What a finding says, where its opposite would be said by the same detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// More came than expected.
    More,
    /// Fewer.
    Fewer,
}

/// What a detector says about one place in one pane. A detector speaks at every pane of every place that it can judge, so that "no" is distinct from "cannot tell".
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which detector.
    pub code: Code,
    /// Where.
    pub place: Place,
    /// How urgent it would be, by the greatest threshold exceeded now; `None` when none is.
    pub exceeds: Option<Priority>,
    /// The priority whose threshold less the deadband is still exceeded: it keeps an alarm from clearing. At least `exceeds`.
    pub holds: Option<Priority>,
    /// How long it must exceed before an alarm is raised.
    pub on_delay: Span,
    /// How long it must not hold before the alarm clears.
    pub off_delay: Span,
    /// The sentence.
    pub headline: Message,
    /// For it. A quiet finding has one figure.
    pub evidence: SmallVec<[Evidence; 1]>,
    /// Against it.
    pub against: SmallVec<[Evidence; 1]>,
    /// What would clear it.
    pub would_clear: Message,
    /// CAP certainty: `observed`, `likely`, `possible`.
    pub certainty: &'static str,
    /// CAP urgency: `immediate`, `expected`, `future`.
    pub urgency: &'static str,
    /// CAP severity: `extreme`, `severe`, `moderate`, `minor`.
    pub severity: &'static str,
    /// The calibrated score behind it, where there is one.
    pub score: Option<f64>,
    /// Which of two opposites it says, where there are two.
    pub way: Option<Way>,
}
