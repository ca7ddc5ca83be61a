//! How a shard works, and when it ends.

use super::in_step::Spread;
use std::time::Duration;

/// When a shard ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// When it is told to stop.
    Serve,
    /// As [`Mode::Serve`], but no broker time reaches the cores: the outputs are a function of the records alone, to be compared with those of another run.
    ServeByRecords,
    /// As [`Mode::ToEnd`], but with broker time until then: a demonstration that lives like the service.
    ServeToEnd,
    /// When every partition is read to its end and nobody writes any more. Then the cores are told that no record will follow. No broker time
    /// reaches them: a run to the end decides by the records alone.
    ToEnd,
}

impl Mode {
    pub(super) const fn is_endless(self) -> bool {
        matches!(self, Self::Serve | Self::ServeByRecords)
    }

    pub(super) const fn has_broker_time(self) -> bool {
        matches!(self, Self::Serve | Self::ServeToEnd)
    }
}

/// How a shard works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often outputs, state and offsets are committed at least; outputs are seen half of it later on average. With slow commits the interval grows.
    pub commit_interval: Duration,
    /// How many records a poll brings at most.
    pub poll_records: usize,
    /// For how long after its last poll a shard may send alerts: the group's session time-out.
    pub session_timeout: Duration,
    /// How often a call is made again that could not be answered, before the clients are built again.
    pub retries: u32,
    /// The pause before such a call, and before building clients again.
    pub retry_pause: Duration,
    /// How long a place with unread records may stand still before it is taken up again.
    pub stall_patience: Duration,
    /// How much may wait for a commit under way before the shard waits for it too, in bytes.
    pub waiting_bytes: usize,
    /// Whether operators' commands take effect when they are read: then those behind an alert that is owed must wait until it was made again.
    pub commands_on_arrival: bool,
    /// How far the feeds of a venue may be apart while there is something to catch up with.
    pub spread: Spread,
    /// When it ends.
    pub mode: Mode,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            commit_interval: Duration::from_millis(100),
            poll_records: 4_096,
            session_timeout: Duration::from_secs(6),
            retries: 120,
            retry_pause: Duration::from_millis(250),
            stall_patience: Duration::from_secs(20),
            waiting_bytes: 16 << 20,
            commands_on_arrival: false,
            spread: Spread::default(),
            mode: Mode::Serve,
        }
    }
}
