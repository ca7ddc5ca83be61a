//! The journal of control records: what a replay must know besides the logs, one JSON record each on `midan.control`.

use super::effects::{OutRecord, OutTopic};
use crate::inference::{ModelCardRef, Role};
use crate::time::EventTime;
use crate::venue::{Feed, Venue};
use serde::{Deserialize, Serialize};

impl Entry {
    /// The command that it tells of, if it does.
    pub(super) fn command_id(&self) -> Option<&str> {
        match self {
            Self::Command { command_id, .. } => Some(command_id),
            _ => None,
        }
    }

    /// The last pane, or fast pane, that had closed when it took effect; `None` of what concerns the close of one pane.
    pub const fn after(&self) -> Option<EventTime> {
        match self {
            Self::IdleMark { after, .. } | Self::IdleEnd { after, .. } | Self::Tick { after, .. } | Self::Command { after, .. } => Some(*after),
            Self::ModelMissed { .. } | Self::ModelSwap { .. } | Self::VenueReload { .. } => None,
        }
    }
}

/// One journaled decision. `after` is the end of the last pane or fast pane that was closed when it took effect (a millisecond less behind a fast pane with which its pane ends);
/// [`EventTime::MIN`] before the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// A source was set aside.
    IdleMark {
        /// The source.
        source: Box<str>,
        /// Its feed.
        feed: Feed,
        /// The next offset of its partition; `None` when it never had a record.
        next_offset: Option<i64>,
        /// When, between two panes.
        after: EventTime,
    },
    /// A source that was set aside spoke again.
    IdleEnd {
        /// The source.
        source: Box<str>,
        /// Its feed.
        feed: Feed,
        /// The offset of the record by which it spoke: a replay holds it back until the pane `after` has closed.
        offset: i64,
        /// End of the first pane that closed without it; `None` where none did.
        from: Option<EventTime>,
        /// When, between two panes: the last pane that closed without it, where one did.
        after: EventTime,
    },
    /// Broker time advanced a venue whose sources are all idle.
    Tick {
        /// Event time that it advanced to.
        at: EventTime,
        /// When, between two panes.
        after: EventTime,
    },
    /// An operator's command took effect.
    Command {
        /// Its id.
        command_id: Box<str>,
        /// When, between two panes.
        after: EventTime,
    },
    /// A model missed its deadline at a pane.
    ModelMissed {
        /// Which.
        model: Box<str>,
        /// The pane.
        pane: EventTime,
    },
    /// Another model was asked than at the pane before, or none any more.
    ModelSwap {
        /// In which role.
        model: Role,
        /// Which; `None` where the instance has none at all.
        #[serde(flatten)]
        card: Option<ModelCardRef>,
        /// The first pane at which it was asked.
        pane: EventTime,
    },
    /// The venue has another configuration than at the pane before.
    VenueReload {
        /// Its fingerprint.
        fingerprint: Box<str>,
        /// The first pane under it.
        pane: EventTime,
    },
}

#[derive(Serialize)]
struct Record<'a> {
    v: u32,
    venue: &'a str,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// A record of `midan.control`, read back.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Line {
    /// Format version, 1.
    pub v: u32,
    /// The venue.
    pub venue: Box<str>,
    /// What was decided.
    #[serde(flatten)]
    pub entry: Entry,
}

impl Line {
    /// Reads a record's value.
    ///
    /// # Errors
    /// It is no entry of this version; the text says why.
    pub fn read(value: &[u8]) -> Result<Self, String> {
        let line: Self = serde_json::from_slice(value).map_err(|why| why.to_string())?;
        if line.v == 1 { Ok(line) } else { Err(format!("version {} of the journal, and this program reads version 1", line.v)) }
    }
}

/// The record of `entry`.
pub(super) fn record(venue: &Venue, entry: &Entry) -> OutRecord {
    let value = serde_json::to_vec(&Record { v: 1, venue: &venue.id, entry }).unwrap_or_default();
    OutRecord { topic: OutTopic::Control, key: venue.id.as_bytes().to_vec(), value, position: None }
}
