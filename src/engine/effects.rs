//! What a step asks the edge to carry out.

use crate::inference::Ask;
use serde::{Deserialize, Serialize};

/// The output topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "FORMATS.md names them")]
pub enum OutTopic {
    Alerts,
    Alarms,
    Zones,
    Late,
    Quarantine,
    Ledger,
    Control,
    State,
}

impl OutTopic {
    /// All of them.
    pub const ALL: [Self; 8] = [Self::Alerts, Self::Alarms, Self::Zones, Self::Late, Self::Quarantine, Self::Ledger, Self::Control, Self::State];

    /// The default topic.
    pub const fn topic(self) -> &'static str {
        match self {
            Self::Alerts => "midan.alerts",
            Self::Alarms => "midan.alarms",
            Self::Zones => "midan.zones",
            Self::Late => "midan.late",
            Self::Quarantine => "midan.quarantine",
            Self::Ledger => "midan.ledger",
            Self::Control => "midan.control",
            Self::State => "midan.state",
        }
    }

    /// Whether the broker keeps only the last record of each key.
    pub const fn is_compacted(self) -> bool {
        matches!(self, Self::Alerts | Self::State)
    }
}

/// A record to be written in the transaction, to the partition of its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutRecord {
    /// Where to.
    pub topic: OutTopic,
    /// The key.
    pub key: Vec<u8>,
    /// The value: what is compared.
    pub value: Vec<u8>,
    /// `topic/partition/offset` of the input it comes from, for the header `midan-position`.
    pub position: Option<String>,
}

/// An alarm change for `midan.alerts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The alarm's id, the record's key.
    pub key: Vec<u8>,
    /// The number of the change within its alarm: with the key, what tells one alert from another.
    pub change_no: u32,
    /// The record.
    pub value: Vec<u8>,
    /// Whether it hangs on a control record that is not committed yet: then it leaves after the commit (DESIGN §4 rule 7).
    pub after_commit: bool,
}

/// A change of the state for `midan.state`; without a value the key is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Option<Vec<u8>>,
}

/// What a step asks for.
#[derive(Debug, Default)]
pub struct Effects {
    /// Records for the transaction, in order.
    pub records: Vec<OutRecord>,
    /// Alerts, to be sent at once unless they say otherwise.
    pub alerts: Vec<Alert>,
    /// Requests to the models; the step goes on when each is answered by [`super::Control::Models`].
    pub asks: Vec<Ask>,
}
