//! One change of one alarm: the record that leaves on `midan.alerts` at once and on `midan.alarms` in the transaction.

use crate::detect::finding::{Code, Evidence, Message, Place, Priority};
use crate::time::EventTime;
use serde::{Deserialize, Serialize};

/// The states of ISA-18.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the standard's own")]
pub enum AlarmState {
    Unack,
    Ack,
    RtnUnack,
    Normal,
    Shelved,
    Suppressed,
    OutOfService,
}

/// What changed (FORMATS.md, "Out"). `Cleared`: the condition ended (state `rtn_unack` or `normal`, or as it was put aside). `Suppressed`: put aside by design or out of service, as
/// the state says; `Returned`: back from either. `Raised` comes again when the condition returns within the same alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the format's own")]
pub enum ChangeKind {
    Raised,
    Reassessed,
    Priority,
    Acked,
    Unacked,
    Shelved,
    Unshelved,
    Suppressed,
    Returned,
    Cleared,
    Grouped,
    Escalated,
    Commented,
}

/// One change of one alarm; its JSON is the record, field by field in this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Format version, 1.
    pub v: u32,
    /// The venue.
    pub venue: Box<str>,
    /// End of the pane (or, for a command, of the last closed pane) at which it changed.
    pub event_time: EventTime,
    /// End of the last closed pane of the venue.
    pub watermark: EventTime,
    /// Coverage of the venue at that pane.
    pub coverage: f64,
    /// Always 0: alarms are reassessed, never revised.
    pub revision: u32,
    /// `CODE/venue/place/onset`, fixed at first issue.
    pub alarm_id: Box<str>,
    /// Rising from 1 within the alarm.
    pub change_no: u32,
    /// The state after the change.
    pub state: AlarmState,
    /// What changed.
    pub change: ChangeKind,
    /// The detector.
    pub code: Code,
    /// The priority.
    pub priority: Priority,
    /// Where.
    pub place: Place,
    /// End of the first pane of the run of exceeding panes that led to the alarm.
    pub onset: EventTime,
    /// The sentence.
    pub headline: Message,
    /// For it.
    pub evidence: Vec<Evidence>,
    /// Against it.
    pub against: Vec<Evidence>,
    /// What would clear it.
    pub would_clear: Message,
    /// CAP certainty.
    pub certainty: Box<str>,
    /// CAP urgency.
    pub urgency: Box<str>,
    /// CAP severity.
    pub severity: Box<str>,
    /// Whether this is an exercise.
    pub exercise: bool,
    /// Who did it, for a command.
    pub operator: Option<Box<str>>,
    /// The operator's reason.
    pub reason: Option<Box<str>>,
    /// Until when it is shelved.
    pub until: Option<EventTime>,
    /// Root alarm of the same venue when grouped.
    pub caused_by: Option<Box<str>>,
    /// Of a clearing: end of the first pane of the quiet run that led to it, before the off-delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_since: Option<EventTime>,
}
