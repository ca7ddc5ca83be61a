//! What leaves a shard: records into the open transaction, alerts at once, and the commit that makes all of it stand.

use super::core::Core;
use super::pace::{Pace, now};
use super::partition::Running;
use super::watch::{Stats, Watch};
use crate::engine::{Alert, OutRecord};
use crate::log::{LogError, Offsets, ShardLog};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a commit waits for the alerts that were sent before it.
const ALERT_PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Desk<'s, 'a> {
    pub(super) log: Box<dyn ShardLog + 'a>,
    pub(super) pace: Pace,
    pub(super) stats: Stats,
    watch: &'s dyn Watch,
    is_open: bool,
    /// Outputs in the open transaction.
    written: u64,
    /// Alerts that fell due while nobody could say whether this shard still owns their partition.
    held: Vec<(u32, Alert)>,
    /// Alerts that go into the transaction at its end, so that they are seen with what they hang on.
    with_commit: Vec<(u32, Alert)>,
}

impl<'s, 'a> Desk<'s, 'a> {
    pub(super) fn new(log: Box<dyn ShardLog + 'a>, pace: Pace, stats: Stats, watch: &'s dyn Watch) -> Self {
        Self { log, pace, stats, watch, is_open: false, written: 0, held: Vec::new(), with_commit: Vec::new() }
    }

    /// Opens a transaction where none is open. Called before a core is stepped, because what a step answers must have where to go.
    pub(super) fn open(&mut self) -> Result<(), LogError> {
        if !self.is_open {
            self.log.begin()?;
            self.is_open = true;
        }
        Ok(())
    }

    pub(super) fn write(&mut self, partition: u32, records: &[OutRecord]) -> Result<(), LogError> {
        for record in records {
            self.log.append(partition, record)?;
        }
        self.written += records.len() as u64;
        Ok(())
    }

    pub(super) fn alert(&mut self, partition: u32, alerts: Vec<Alert>) -> Result<(), LogError> {
        for alert in alerts {
            if alert.after_commit {
                self.with_commit.push((partition, alert));
            } else if self.pace.may_alert() {
                self.send(partition, &alert)?;
            } else {
                self.held.push((partition, alert));
            }
        }
        Ok(())
    }

    /// Sends what was held back, now that a poll has succeeded.
    pub(super) fn send_held(&mut self) -> Result<(), LogError> {
        for (partition, alert) in std::mem::take(&mut self.held) {
            self.send(partition, &alert)?;
        }
        Ok(())
    }

    fn send(&mut self, partition: u32, alert: &Alert) -> Result<(), LogError> {
        self.log.send_alert(partition, alert)?;
        self.stats.alerts += 1;
        self.watch.alerted(partition);
        Ok(())
    }

    /// The held alerts of partitions that have gone are the next owner's to send.
    pub(super) fn forget_alerts(&mut self, partitions: &[u32]) {
        self.held.retain(|(partition, _)| !partitions.contains(partition));
    }

    /// Makes everything since the last commit stand: outputs, state, offsets, and the alerts that waited for it.
    pub(super) fn commit<C: Core>(&mut self, running: &mut BTreeMap<u32, Running<C>>) -> Result<(), LogError> {
        self.pace.committed();
        let next: Offsets = running.values().filter_map(Running::moved).flatten().map(|(place, next)| (*place, *next)).collect();
        if next.is_empty() && !self.is_open {
            return Ok(());
        }
        self.open()?;
        let began = now();
        for (partition, running) in running.iter_mut() {
            let changes = running.take_state_changes();
            self.written += changes.len() as u64;
            for change in &changes {
                self.log.append_state(*partition, change)?;
            }
        }
        for (partition, alert) in std::mem::take(&mut self.with_commit) {
            self.log.append_alert(partition, &alert)?;
            self.stats.alerts += 1;
            self.watch.alerted(partition);
        }
        // Offsets past an alert that the broker does not have yet would lose it in a crash.
        self.send_held()?;
        self.log.await_alerts(ALERT_PATIENCE)?;
        self.log.commit(&next)?;
        self.is_open = false;
        running.values_mut().for_each(Running::committed);
        let took = began.elapsed();
        self.stats.commits += 1;
        self.stats.outputs += self.written;
        self.stats.commit_seconds += took.as_secs_f64();
        self.watch.committed(std::mem::take(&mut self.written), took);
        Ok(())
    }

    /// Gives the open transaction up.
    pub(super) fn abort(&mut self, why: &LogError) -> Result<(), LogError> {
        self.stats.aborts += 1;
        self.watch.aborted(why);
        self.is_open = false;
        self.written = 0;
        self.held.clear();
        self.with_commit.clear();
        self.log.abort()
    }
}
