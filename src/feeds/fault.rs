//! Why a record or an observation is of no use: a closed list of reasons, each with the field and what was found there.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The closed list of reasons. It labels a metric, so it stays short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Larger than a record may be.
    TooLarge,
    /// No format is named, or one that does not exist.
    UnknownFormat,
    /// The bytes are not what the format says (not JSON, truncated protobuf).
    Malformed,
    /// A field that must be there is not.
    MissingField,
    /// A field has the wrong type or a value that it cannot have.
    WrongValue,
    /// A time without zone, from a source whose mapping names none.
    ZonelessTime,
    /// The record's partition is not its venue's.
    WrongPartition,
    /// The record's key is not its `venue`.
    WrongKey,
    /// The venue is not configured.
    UnknownVenue,
    /// The sensor, gate, stop, zone or source is not configured.
    UnknownName,
    /// The event time cannot be believed.
    Clock,
    /// The same identity came before with another content.
    Conflict,
    /// A command that cannot be carried out.
    Refused,
}

impl Reason {
    /// The word in outputs and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::UnknownFormat => "unknown_format",
            Self::Malformed => "malformed",
            Self::MissingField => "missing_field",
            Self::WrongValue => "wrong_value",
            Self::ZonelessTime => "zoneless_time",
            Self::WrongPartition => "wrong_partition",
            Self::WrongKey => "wrong_key",
            Self::UnknownVenue => "unknown_venue",
            Self::UnknownName => "unknown_name",
            Self::Clock => "clock",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
        }
    }
}

/// What is wrong, with a record or with one observation of it.
///
/// The detail never repeats a value that could identify a person (a ticket, a device): it names the field, and shows numbers and configured names only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which kind of fault.
    pub reason: Reason,
    /// The field, or empty where the fault is not in one.
    pub field: String,
    /// What was found and what to do, in plain words.
    pub detail: String,
}

impl Fault {
    /// A fault that is not in a field.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, field: String::new(), detail: detail.into() }
    }

    /// A fault in `field`.
    pub fn in_field(reason: Reason, field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { reason, field: field.into(), detail: detail.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            return write!(f, "{}: {}", self.reason.word(), self.detail);
        }
        write!(f, "{}, field \"{}\": {}", self.reason.word(), self.field, self.detail)
    }
}

impl std::error::Error for Fault {}
