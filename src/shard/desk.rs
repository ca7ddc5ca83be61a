//! What leaves a shard: records into the open transaction, alerts at once, and the commit that makes all of it stand.
//!
//! A commit takes a few milliseconds, mostly of waiting for the broker. Meanwhile the shard goes on computing: alerts leave, and records wait here for the next
//! transaction. What is computed on top of a commit that fails is thrown away with it.

use super::clock::Clock;
use super::core::Core;
use super::owed::Due;
use super::pace::Pace;
use super::partition::Running;
use super::watch::{Stats, Watch};
use crate::engine::{Alert, OutRecord};
use crate::log::{LogError, Offsets, ShardLog};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a commit waits for the alerts that were sent before it.
const ALERT_PATIENCE: Duration = Duration::from_secs(10);
/// How long one look at a commit may take that the shard has to wait for.
const LOOK: Duration = Duration::from_millis(50);
/// How often the wait for clients that ail is doubled at most.
const MOST_DOUBLED: u32 = 5;

pub(super) struct Desk<'s, 'a> {
    log: Option<Box<dyn ShardLog + 'a>>,
    pub(super) pace: Pace,
    pub(super) stats: Stats,
    watch: &'s dyn Watch,
    clock: &'s dyn Clock,
    is_open: bool,
    /// The transactions that were given up since these clients came, or since all that was done stood: how many, and when the first was.
    given_up: (u64, Duration),
    /// How many clients in a row have been let go for that.
    ailed: u32,
    /// The commit under way: when it began, and the outputs in it.
    under_way: Option<(Duration, u64)>,
    /// Outputs in the open transaction.
    written: u64,
    /// Outputs that wait for the commit under way, and their size.
    waiting: Vec<(u32, OutRecord)>,
    waiting_bytes: usize,
    /// Alerts that fell due while nobody could say whether this shard still owns their partition.
    held: Vec<Waiting>,
    /// Alerts that go into the transaction at its end, so that they are seen with what they hang on.
    with_commit: Vec<Waiting>,
    /// The partitions whose alerts are in the commit under way.
    committing: BTreeSet<u32>,
}

/// An alert that waits.
#[derive(Debug)]
struct Waiting {
    partition: u32,
    alert: Alert,
    /// What is added to the group's generation when it leaves, to make its term.
    lift: i32,
    /// The next command that was read when it fell due.
    commands_read: i64,
}

impl<'s, 'a> Desk<'s, 'a> {
    pub(super) fn new(pace: Pace, watch: &'s dyn Watch, clock: &'s dyn Clock) -> Self {
        Self {
            log: None,
            pace,
            stats: Stats::default(),
            watch,
            clock,
            is_open: false,
            given_up: (0, Duration::ZERO),
            ailed: 0,
            under_way: None,
            written: 0,
            waiting: Vec::new(),
            waiting_bytes: 0,
            held: Vec::new(),
            with_commit: Vec::new(),
            committing: BTreeSet::new(),
        }
    }

    pub(super) fn connect(&mut self, log: Box<dyn ShardLog + 'a>) {
        self.log = Some(log);
        self.given_up.0 = 0;
    }

    /// Lets the clients go: the old membership must be gone before a new one joins, or the group would wait for it to time out.
    pub(super) fn disconnect(&mut self) {
        self.log = None;
    }

    /// Whether two transactions in a row have been given up, and none has stood for so long: then the fault may be the clients'. A producer that was once told of a leader "-1" keeps its
    /// partition unknown for as long as it lives (librdkafka's issue 5430). While a group comes together transactions fail too, and new clients would only stir it again; and where
    /// new ones have not helped, the next wait is twice as long.
    pub(super) fn is_ailing(&self, patience: Duration) -> bool {
        let (times, since) = self.given_up;
        times >= 2 && self.clock.now().saturating_sub(since) >= patience * 2_u32.pow(self.ailed)
    }

    /// The clients are let go since they ail.
    pub(super) fn ail(&mut self) {
        self.ailed = (self.ailed + 1).min(MOST_DOUBLED);
    }

    pub(super) fn is_connected(&self) -> bool {
        self.log.is_some()
    }

    pub(super) fn log(&mut self) -> Result<&mut (dyn ShardLog + 'a), LogError> {
        self.log.as_deref_mut().ok_or_else(|| LogError::Unknown { doing: "calling the log", detail: "its clients are gone".to_owned() })
    }

    pub(super) fn into_parts(self) -> (Stats, Option<Box<dyn ShardLog + 'a>>) {
        (self.stats, self.log)
    }

    fn open(&mut self) -> Result<(), LogError> {
        if !self.is_open {
            self.log()?.begin()?;
            self.is_open = true;
        }
        Ok(())
    }

    pub(super) fn write(&mut self, partition: u32, records: Vec<OutRecord>) -> Result<(), LogError> {
        if records.is_empty() {
            return Ok(());
        }
        if self.under_way.is_some() {
            self.waiting_bytes += records.iter().map(|record| record.key.len() + record.value.len()).sum::<usize>();
            self.waiting.extend(records.into_iter().map(|record| (partition, record)));
            return Ok(());
        }
        self.open()?;
        self.written += records.len() as u64;
        let log = self.log()?;
        records.iter().try_for_each(|record| log.append(partition, record))
    }

    /// The size of the outputs that wait, in bytes.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    pub(super) fn alert<C: Core>(&mut self, running: &mut Running<C>, partition: u32, alerts: Vec<Alert>) -> Result<(), LogError> {
        for alert in alerts {
            match running.owed().take(&alert) {
                Due::Sent => {
                    self.stats.alerts_made_again += 1;
                    continue;
                }
                Due::Differs => self.watch.alert_differs(partition, &alert),
                Due::New => {}
            }
            let waiting = Waiting { partition, alert, lift: running.lift(), commands_read: running.commands_next() };
            // One that waits is not overtaken by the next of its partition.
            if waiting.alert.after_commit || self.committing.contains(&partition) || self.with_commit.iter().any(|other| other.partition == partition) {
                self.with_commit.push(waiting);
            } else if self.held.is_empty() && self.pace.may_alert(self.clock.now()) {
                self.send(&waiting)?;
            } else {
                self.held.push(waiting);
            }
        }
        Ok(())
    }

    /// Sends what was held back, if the shard may speak again.
    pub(super) fn send_held(&mut self) -> Result<(), LogError> {
        if self.held.is_empty() || !self.pace.may_alert(self.clock.now()) {
            return Ok(());
        }
        std::mem::take(&mut self.held).iter().try_for_each(|waiting| self.send(waiting))
    }

    fn send(&mut self, waiting: &Waiting) -> Result<(), LogError> {
        let Waiting { partition, alert, lift, commands_read } = waiting;
        let log = self.log()?;
        log.send_alert(*partition, alert, log.generation().saturating_add(*lift), *commands_read)?;
        self.stats.alerts += 1;
        self.watch.alerted(*partition);
        Ok(())
    }

    /// The held alerts of partitions that have gone are the next owner's to send.
    pub(super) fn forget_alerts(&mut self, partitions: &[u32]) {
        self.held.retain(|waiting| !partitions.contains(&waiting.partition));
    }

    /// Whether a commit may start: none is under way, and no alert waits to be sent, which would be lost if the offsets passed it.
    pub(super) fn may_commit(&self) -> bool {
        self.under_way.is_none() && self.held.is_empty()
    }

    pub(super) fn holds_alerts(&self) -> bool {
        !self.held.is_empty()
    }

    pub(super) fn is_committing(&self) -> bool {
        self.under_way.is_some()
    }

    /// Makes everything up to now stand, and waits until it does.
    pub(super) fn commit<C: Core>(&mut self, running: &mut BTreeMap<u32, Running<C>>) -> Result<(), LogError> {
        self.finish_commit(running)?;
        self.start_commit(running)?;
        self.finish_commit(running)
    }

    /// Waits for the commit under way.
    pub(super) fn finish_commit<C: Core>(&mut self, running: &mut BTreeMap<u32, Running<C>>) -> Result<(), LogError> {
        while !self.look_at_commit(running, LOOK)? {}
        Ok(())
    }

    /// Starts making everything up to now stand: outputs, state, offsets, and the alerts that wait for it.
    pub(super) fn start_commit<C: Core>(&mut self, running: &mut BTreeMap<u32, Running<C>>) -> Result<(), LogError> {
        let began = self.clock.now();
        self.pace.committing(began);
        let touched = || running.values().filter(|running| running.is_touched());
        if touched().next().is_none() && !self.is_open && self.with_commit.is_empty() {
            self.given_up.0 = 0;
            return Ok(());
        }
        let next: Offsets = touched().flat_map(|running| running.next().iter().map(|(place, next)| (*place, *next))).collect();
        self.send_held()?;
        if !self.held.is_empty() {
            let detail = "alerts wait, since this shard slept and may be replaced".to_owned();
            return Err(LogError::Aborted { doing: "committing", detail });
        }
        // Offsets past an alert that the broker does not have yet would lose it in a crash.
        self.log()?.await_alerts(ALERT_PATIENCE)?;
        self.open()?;
        for (partition, running) in running.iter_mut().filter(|(_, running)| running.is_touched()) {
            let log = self.log()?;
            let changes = running.take_state_changes(log);
            changes.iter().try_for_each(|change| log.append_state(*partition, change))?;
            self.written += changes.len() as u64;
        }
        for Waiting { partition, alert, lift, .. } in std::mem::take(&mut self.with_commit) {
            let log = self.log()?;
            log.append_alert(partition, &alert, log.generation().saturating_add(lift))?;
            self.committing.insert(partition);
            self.stats.alerts += 1;
            self.watch.alerted(partition);
        }
        self.log()?.start_commit(&next)?;
        self.is_open = false;
        self.under_way = Some((began, std::mem::take(&mut self.written)));
        Ok(())
    }

    /// Waits up to `wait` for the commit under way; answers whether there is none any more.
    pub(super) fn look_at_commit<C: Core>(&mut self, running: &mut BTreeMap<u32, Running<C>>, wait: Duration) -> Result<bool, LogError> {
        let Some((began, outputs)) = self.under_way else { return Ok(true) };
        if !self.log()?.await_commit(wait)? {
            return Ok(false);
        }
        self.under_way = None;
        (self.given_up.0, self.ailed) = (0, 0);
        self.committing.clear();
        running.values_mut().for_each(Running::committed);
        let took = self.clock.now().saturating_sub(began);
        self.pace.committed(took);
        self.stats.commits += 1;
        self.stats.outputs += outputs;
        self.stats.commit_seconds += took.as_secs_f64();
        self.watch.committed(outputs, took);
        self.write_waiting()?;
        Ok(true)
    }

    fn write_waiting(&mut self) -> Result<(), LogError> {
        self.waiting_bytes = 0;
        for (partition, record) in std::mem::take(&mut self.waiting) {
            self.open()?;
            self.written += 1;
            self.log()?.append(partition, &record)?;
        }
        Ok(())
    }

    /// Gives everything up that does not stand.
    pub(super) fn abort(&mut self, why: &LogError) -> Result<(), LogError> {
        self.stats.aborts += 1;
        if self.given_up.0 == 0 {
            self.given_up.1 = self.clock.now();
        }
        self.given_up.0 += 1;
        self.watch.aborted(why);
        self.is_open = false;
        self.under_way = None;
        self.written = 0;
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.held.clear();
        self.with_commit.clear();
        self.committing.clear();
        self.log.as_deref_mut().map_or(Ok(()), ShardLog::abort)
    }
}
