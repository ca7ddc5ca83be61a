//! What happens when a shard takes a partition up, or takes it up again: each of these is for somebody to look into.

use super::happening::Happening;
use super::metrics::Telemetry;
use crate::shard::Disagreement;

/// An alert that left before a crash was not made again byte for byte: promise 4 is broken.
#[derive(Clone, Copy, Debug)]
pub struct AlertUnproven<'a> {
    /// The partition of its alarm.
    pub partition: u32,
    /// The alarm.
    pub alarm_id: &'a str,
    /// The number of the change.
    pub change_no: u32,
    /// Whether another one was made in its place.
    pub differs: bool,
}

/// A partition with unread records stood still and is taken up again.
#[derive(Clone, Copy, Debug)]
pub struct Stalled<'a> {
    /// The input topic.
    pub topic: &'a str,
    /// Its partition.
    pub partition: u32,
    /// Records that are not read.
    pub lag: i64,
}

/// A partition is taken up, and its state, its group and its log do not agree on where it stands.
#[derive(Clone, Copy, Debug)]
pub struct TakenUpElsewhere<'a> {
    /// The input topic.
    pub topic: &'a str,
    /// Its partition.
    pub partition: u32,
    /// What does not agree.
    pub what: Disagreement,
}

impl TakenUpElsewhere<'_> {
    /// The word on the metric.
    const fn word(&self) -> &'static str {
        match self.what {
            Disagreement::Group { .. } => "group",
            Disagreement::NoState { .. } => "no_state",
            Disagreement::Deleted { .. } => "deleted",
            Disagreement::Anew { .. } => "anew",
            Disagreement::CutShort { .. } => "cut_short",
        }
    }
}

impl Happening for TakenUpElsewhere<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.disagreements.with_label_values(&[self.topic, &self.partition.to_string(), self.word()]).inc();
    }

    fn log(&self) {
        let Self { topic, partition, what } = *self;
        match what {
            Disagreement::Group { state, group } => {
                tracing::warn!(topic, partition, state, ?group, "The group's offset is not where the state stands; reading goes on where the state stands.");
            }
            Disagreement::NoState { group } => {
                tracing::error!(topic, partition, group, "midan.state has nothing of what the group has read; what was known is learnt again from here.");
            }
            Disagreement::Anew { state } => {
                tracing::error!(topic, partition, state, "The topic was made anew since the state was written; it is read from its beginning.");
            }
            Disagreement::CutShort { state, end } => {
                tracing::error!(topic, partition, state, end, "The log ends before the state does; the partition waits until it reaches there.");
            }
            Disagreement::Deleted { from, to } => {
                tracing::error!(topic, partition, from, to, missing = to - from, "Records were deleted before they were read; reading goes on behind them.");
            }
        }
    }
}

impl Happening for AlertUnproven<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.alerts_unproven.inc();
    }

    fn log(&self) {
        let Self { partition, alarm_id, change_no, differs } = self;
        tracing::error!(partition, alarm_id, change_no, differs, "An alert that left before a crash was not made again byte for byte.");
    }
}

impl Happening for Stalled<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.stalls.with_label_values(&[self.topic, &self.partition.to_string()]).inc();
    }

    fn log(&self) {
        tracing::warn!(topic = self.topic, partition = self.partition, lag = self.lag, "A partition with unread records stood still; it is taken up again.");
    }
}
