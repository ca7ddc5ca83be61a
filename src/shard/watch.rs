//! What the loop tells of itself. The telemetry edge listens; by default nobody does.

use super::resume::Disagreement;
use crate::engine::Alert;
use crate::log::{LogError, Place};
use std::time::Duration;

/// Listens to a shard. Called on the shard's thread, so an implementation only counts.
pub trait Watch: Sync {
    /// A poll was answered, be it with no records.
    fn polled(&self, _records: usize, _bytes: usize) {}
    /// A partition is being taken up.
    fn assigned(&self, _partition: u32) {}
    /// A partition's state is restored.
    fn restored(&self, _partition: u32, _entries: u64, _took: Duration) {}
    /// A partition was given back.
    fn revoked(&self, _partition: u32) {}
    /// A commit stands: how many outputs it holds, and how long it took.
    fn committed(&self, _outputs: u64, _took: Duration) {}
    /// A transaction was given up.
    fn aborted(&self, _why: &LogError) {}
    /// The clients are being built again.
    fn rebuilding(&self, _why: &LogError) {}
    /// An alert was sent.
    fn alerted(&self, _partition: u32) {}
    /// An alert differs from the one that an earlier life sent in its place.
    fn alert_differs(&self, _partition: u32, _alert: &Alert) {}
    /// Every record was read again, and an alert that an earlier life sent did not come of it.
    fn alert_not_made_again(&self, _partition: u32, _alarm: &[u8], _change_no: u32) {}
    /// A dead shard's id is fenced, so that its open transaction blocks nobody.
    fn fencing(&self, _id: &str) {}
    /// A place has unread records and did not move; it is taken up again.
    fn stalled(&self, _place: Place, _lag: i64) {}
    /// State, group and log do not agree on where a partition that is taken up stands.
    fn disagrees(&self, _place: Place, _what: Disagreement) {}
    /// A partition is not taken up while a group of another name works on it.
    fn group_at_work(&self, _partition: u32, _group: &str) {}
    /// A call will be made again.
    fn retried(&self, _why: &LogError) {}
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// What a shard did, for the summary at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Records read; those that were read again after an abort count again.
    pub records: u64,
    /// Outputs in transactions that stand, state included.
    pub outputs: u64,
    /// Alerts sent.
    pub alerts: u64,
    /// Alerts that an earlier life had sent and that were made again, byte for byte.
    pub alerts_made_again: u64,
    /// Commits that stand.
    pub commits: u64,
    /// Transactions given up.
    pub aborts: u64,
    /// How often the clients were built again.
    pub rebuilds: u64,
    /// How long commits took, in seconds; the shard goes on meanwhile.
    pub commit_seconds: f64,
}
