//! One shard: the loop that drives the cores of its partitions on a log.
//!
//! ```text
//!   poll ─► membership ─► step each partition ─► ask the models, step again ─► write, alert ─► commit every interval ─┐
//!     ▲                                                                                                             │
//!     └─────────────────────────────────────────────────────────────────────────────────────────────────────────────┘
//!   a transaction that cannot stand: abort, restore every core from midan.state, read again from the committed offsets
//! ```
//!
//! The loop decides nothing that an output says. It hands records and controls in, carries effects out, and every error of the log has
//! one written answer ([`crate::log::Answer`]). It can be driven turn by turn with a clock of one's own ([`Shard::turn`]): a crash is a shard that is not turned
//! any more, and so the simulation tries a crash between any two calls of the log.
//!
//! - [`core`]: what it drives; `partition`: the life of a partition as types; `desk`: what leaves; `owed`: alerts of an earlier life; `recovery`: what follows an error; `take_up`, `resume`, `foreign`: how a partition is taken up, where it is read on, and from whom; `watchdog`: what does not move;
//!   `in_step`: no feed far ahead of the others; `pace`, [`clock`]: when; [`watch`]: who listens.

pub mod clock;
pub mod core;
mod desk;
mod foreign;
mod in_step;
mod owed;
mod pace;
mod partition;
mod recovery;
mod resume;
mod settings;
mod take_up;
pub mod watch;
mod watchdog;

pub use self::core::{Core, MakeCore, Models, NoModels};
pub use clock::{Clock, MachineClock};
pub use in_step::Spread;
pub use resume::Disagreement;
pub use settings::{Mode, Settings};
pub use watch::{Stats, Unwatched, Watch};

use crate::engine::{Control, Effects};
use crate::feeds::Batch;
use crate::log::{Answer, Event, Inbox, LogError, ShardLog};
use crate::time::EventTime;
use crate::venue::Feed;
use desk::Desk;
use in_step::InStep;
use pace::Pace;
use partition::{Arriving, Running};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use watchdog::Watchdog;

/// How long a poll waits at most while a commit is under way: its answer comes within milliseconds, and outputs wait for it.
const GLANCE: Duration = Duration::from_millis(5);
/// So long after a poll a partition that goes on closing panes, of days in which nobody was there, is stopped between two of them: the group waits for a poll, and the broker gives a transaction up
/// after ten seconds. What is committed by then need not be done again.
const LONG: Duration = Duration::from_secs(2);
/// While a partition is behind with its panes this part of the records is read, so that they do not pile up in open ones.
const TRICKLE: usize = 64;

/// What a shard leaves when it ends.
pub struct Ended<'a> {
    /// What it did.
    pub stats: Stats,
    /// Its membership. Whoever runs several shards to the end drops it when all have ended, or the partitions of the first would be handed to the others.
    pub membership: Option<Box<dyn ShardLog + 'a>>,
}

/// Opens a shard's clients: at the start, and again when an error says that they are finished.
pub type Open<'a> = dyn FnMut() -> Result<Box<dyn ShardLog + 'a>, LogError> + 'a;

/// Runs a shard until it ends by its mode or `stop` is set. Errors are those whose answer is [`Answer::Stop`], and any that comes while stopping.
pub fn run<'a, M: MakeCore>(
    open: &mut Open<'a>,
    make: &mut M,
    models: &mut dyn Models,
    settings: &Settings,
    watch: &dyn Watch,
    stop: &AtomicBool,
) -> Result<Ended<'a>, LogError> {
    let clock = MachineClock::default();
    let mut shard = Shard::new(Around { open, make, models, settings, watch, stop, clock: &clock });
    while !shard.turn()? {}
    Ok(shard.end())
}

/// What a shard works with.
pub struct Around<'s, 'a, M> {
    /// Opens its clients.
    pub open: &'s mut Open<'a>,
    /// Makes its cores.
    pub make: &'s mut M,
    /// Runs the models that they ask for.
    pub models: &'s mut dyn Models,
    /// How it works.
    pub settings: &'s Settings,
    /// Who listens.
    pub watch: &'s dyn Watch,
    /// Set when it is to end.
    pub stop: &'s AtomicBool,
    /// When things are due.
    pub clock: &'s dyn Clock,
}

/// A shard, driven turn by turn.
pub struct Shard<'s, 'a, M: MakeCore> {
    around: Around<'s, 'a, M>,
    desk: Desk<'s, 'a>,
    arriving: BTreeMap<u32, Arriving>,
    running: BTreeMap<u32, Running<M::Core>>,
    watchdog: Watchdog,
    inbox: Inbox,
    empty: Batch,
    /// The records of a batch that pass while others are held back; used again.
    passing: Batch,
    /// Whether everything was read to its end before the last poll, and nobody was there to write more.
    quiet: bool,
    in_step: InStep,
}

impl<'s, 'a, M: MakeCore> Shard<'s, 'a, M> {
    /// One that is not connected yet.
    pub fn new(around: Around<'s, 'a, M>) -> Self {
        let Settings { commit_interval, session_timeout, stall_patience, .. } = *around.settings;
        let pace = Pace::new(commit_interval, session_timeout, around.clock.now());
        Self {
            desk: Desk::new(pace, around.watch, around.clock),
            arriving: BTreeMap::new(),
            running: BTreeMap::new(),
            watchdog: Watchdog::new(stall_patience),
            inbox: Inbox::default(),
            empty: Batch::default(),
            passing: Batch::default(),
            quiet: false,
            in_step: InStep::default(),
            around,
        }
    }

    /// One round, errors answered; whether it was the last.
    pub fn turn(&mut self) -> Result<bool, LogError> {
        if !self.desk.is_connected() {
            return self.connect().map(|()| false);
        }
        match self.round() {
            Ok(last) => Ok(last),
            Err(error) => self.recover(error).map(|()| false),
        }
    }

    /// The partitions that are at work, and whether each has been told that its input is over.
    pub fn at_work(&self) -> impl Iterator<Item = (u32, bool)> {
        self.running.iter().map(|(partition, running)| (*partition, running.is_closed()))
    }

    /// What it worked with, for its next life; everything else is gone, as after a crash.
    pub fn around(self) -> Around<'s, 'a, M> {
        self.around
    }

    /// What it leaves.
    pub fn end(self) -> Ended<'a> {
        let (stats, membership) = self.desk.into_parts();
        Ended { stats, membership }
    }

    /// Opens the clients, however often the broker is out of reach.
    fn connect(&mut self) -> Result<(), LogError> {
        match (self.around.open)() {
            Ok(log) => self.desk.connect(log),
            Err(error) if error.answer() != Answer::Stop && !self.is_stopping() => {
                self.around.watch.retried(&error);
                self.around.clock.rest(self.around.settings.retry_pause);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn round(&mut self) -> Result<bool, LogError> {
        self.desk.look_at_commit(&mut self.running, Duration::ZERO)?;
        self.poll()?;
        self.follow_membership()?;
        self.take_up_due()?;
        self.step_all()?;
        self.keep_in_step()?;
        self.close_at_end()?;
        self.look_for_stalls()?;
        self.desk.send_held()?;
        if (self.is_stopping() || self.is_finished()) && !self.desk.holds_alerts() {
            self.desk.commit(&mut self.running)?;
            return Ok(true);
        }
        self.commit_if_due()?;
        Ok(false)
    }

    fn poll(&mut self) -> Result<(), LogError> {
        let now = self.around.clock.now();
        let is_behind = self.running.values().any(Running::is_behind);
        let records = if is_behind { (self.around.settings.poll_records / TRICKLE).max(1) } else { self.around.settings.poll_records };
        let mut wait = if self.quiet || is_behind { Duration::ZERO } else { self.desk.pace.until_commit(now) };
        if self.desk.is_committing() {
            wait = wait.clamp(Duration::from_millis(1), GLANCE);
        }
        for arriving in self.arriving.values() {
            wait = wait.min(arriving.due.saturating_sub(now));
        }
        self.desk.log()?.poll(records, wait, &mut self.inbox)?;
        self.desk.pace.polled(self.around.clock.now());
        let records = self.inbox.records();
        self.desk.stats.records += records as u64;
        self.around.watch.polled(records, self.inbox.bytes());
        Ok(())
    }

    fn follow_membership(&mut self) -> Result<(), LogError> {
        self.desk.send_held()?;
        let mut is_given_up = false;
        for event in std::mem::take(&mut self.inbox.events) {
            if matches!(event, Event::Assigned(_) | Event::Revoked { .. }) {
                // A poll that tells of the membership brings no records, whether there are more or not.
                self.quiet = false;
            }
            match event {
                Event::Assigned(partitions) => {
                    let now = self.around.clock.now();
                    for partition in partitions {
                        self.around.watch.assigned(partition);
                        self.arriving.insert(partition, Arriving::at(now));
                    }
                    // A restore can take longer than the broker lets a transaction stay open.
                    if let Err(why) = self.desk.commit(&mut self.running) {
                        let stopped = self.give_up(why)?;
                        self.desk.log()?.halt(&stopped)?;
                        is_given_up = true;
                    }
                }
                Event::Revoked { partitions, lost } => is_given_up |= self.give_back(&partitions, lost)?,
                // What is read again ends again.
                _ if is_given_up => {}
                other => self.inbox.events.push(other),
            }
        }
        Ok(())
    }

    /// Finishes what is open, while the partitions are still owned, and gives them back: a batch never outlives a revocation. Answers whether what was open had to be given up.
    fn give_back(&mut self, partitions: &[u32], lost: bool) -> Result<bool, LogError> {
        let finished = if lost {
            Err(LogError::Aborted { doing: "giving partitions back", detail: "they are another member's already".to_owned() })
        } else {
            self.desk.commit(&mut self.running)
        };
        self.desk.forget_alerts(partitions);
        for partition in partitions {
            self.inbox.forget(*partition);
            self.in_step.forget(*partition);
            self.arriving.remove(partition);
            if let Some(running) = self.running.remove(partition) {
                self.around.watch.revoked(running.revoke().partition);
            }
        }
        let is_given_up = finished.is_err();
        // Before the release: who has released is let in again under its old name, and a coordinator that came back without the last rebalance counts the same generation once more. A commit
        // that is under way then is still taken, though another has the partition and reads from before it.
        let stopped = finished.map_or_else(|why| self.give_up(why), |()| Ok(Vec::new()))?;
        self.desk.log()?.release(partitions)?;
        // Behind the release: the first stop that the client is told of answers the revocation.
        self.desk.log()?.halt(&stopped)?;
        Ok(is_given_up)
    }

    fn step_all(&mut self) -> Result<(), LogError> {
        let mut controls = self.controls();
        let partitions: Vec<u32> = self.running.keys().copied().collect();
        for partition in partitions {
            self.step(partition, controls.remove(&partition).unwrap_or_default())?;
            self.start_feeds(partition)?;
        }
        Ok(())
    }

    /// Pauses the feeds that are far ahead of others of their partition number, and lets them go on when those have come near.
    fn keep_in_step(&mut self) -> Result<(), LogError> {
        for running in self.running.values() {
            let steps = self.in_step.judge(self.around.settings.spread, &running.progress());
            if !steps.pause.is_empty() {
                self.desk.log()?.pause(&steps.pause, true)?;
            }
            if !steps.resume.is_empty() {
                self.desk.log()?.pause(&steps.resume, false)?;
            }
            self.in_step.done(&steps);
        }
        Ok(())
    }

    fn step(&mut self, partition: u32, mut controls: Vec<Control>) -> Result<(), LogError> {
        let Some(running) = self.running.get_mut(&partition) else { return Ok(()) };
        let owes = running.owed().is_any();
        let mut batch = self.inbox.batch(partition).unwrap_or(&self.empty);
        if owes {
            self.passing.clear();
            running.hold_back(batch, &mut controls, &mut self.passing, self.around.settings.commands_on_arrival);
            batch = &self.passing;
        }
        if running.take_behind() || !batch.is_empty() || !controls.is_empty() {
            let effects = running.step(batch, &controls);
            self.carry_out(partition, effects)?;
        }
        if owes { self.settle_owed(partition) } else { Ok(()) }
    }

    /// Once nothing is owed any more, or what is will not come: whatever was held back for it goes on.
    fn settle_owed(&mut self, partition: u32) -> Result<(), LogError> {
        let Some(running) = self.running.get_mut(&partition) else { return Ok(()) };
        // In a run to the end its closing panes make alerts too.
        if running.owed().is_hopeless() && !running.is_behind() && (self.around.settings.mode.is_endless() || running.is_closed()) {
            for (alarm, change_no) in running.owed().give_up() {
                self.around.watch.alert_not_made_again(partition, &alarm, change_no);
            }
        }
        if let Some((held, ends)) = running.take_held() {
            let effects = running.step(&held, &ends);
            self.carry_out(partition, effects)?;
        }
        Ok(())
    }

    /// The controls of this poll, by partition.
    fn controls(&self) -> BTreeMap<u32, Vec<Control>> {
        let mut controls: BTreeMap<u32, Vec<Control>> = BTreeMap::new();
        for event in &self.inbox.events {
            match event {
                Event::ReadToEnd { place, next_offset } => {
                    controls.entry(place.partition).or_default().push(Control::ReadToEnd { feed: place.feed, next_offset: *next_offset });
                }
                Event::BrokerTime(at) if self.around.settings.mode.has_broker_time() => {
                    let tick = Control::Tick { at: EventTime::from_millis(*at) };
                    let now = self.around.clock.now();
                    let readable = self.running.keys().filter(|partition| self.watchdog.vouches(**partition, now));
                    readable.for_each(|partition| controls.entry(*partition).or_default().push(tick.clone()));
                }
                Event::BrokerTime(_) | Event::Assigned(_) | Event::Revoked { .. } => {}
            }
        }
        controls
    }

    fn start_feeds(&mut self, partition: u32) -> Result<(), LogError> {
        let Some(running) = self.running.get_mut(&partition) else { return Ok(()) };
        if running.take_commands_read() {
            self.desk.log()?.start(&running.next_of(|feed| feed != Feed::Commands))?;
            // Starting ended every pause, and what was judged before was no progress.
            self.in_step.forget(partition);
        }
        Ok(())
    }

    /// Carries a step's effects out, and steps on with the models' answers until nothing more is asked.
    fn carry_out(&mut self, partition: u32, mut effects: Effects) -> Result<(), LogError> {
        let Some(running) = self.running.get_mut(&partition) else { return Ok(()) };
        loop {
            self.desk.write(partition, effects.records)?;
            self.desk.alert(running, partition, effects.alerts)?;
            if effects.asks.is_empty() {
                return Ok(());
            }
            // What was in time in an earlier life must be in time again, or the alerts that it made would differ.
            let unhurried = running.owed().is_any();
            let models = &mut *self.around.models;
            let mut answer = |ask| if unhurried { models.run_unhurried(ask) } else { models.run(ask) };
            let answers: Vec<Control> = effects.asks.iter().map(|ask| Control::Models(answer(ask))).collect();
            let is_long = self.desk.pace.since_poll(self.around.clock.now()) >= LONG;
            effects = if is_long { running.step_last(&answers) } else { running.step(&self.empty, &answers) };
        }
    }

    fn commit_if_due(&mut self) -> Result<(), LogError> {
        let is_due = self.desk.pace.until_commit(self.around.clock.now()).is_zero();
        if self.desk.waiting_bytes() > self.around.settings.waiting_bytes {
            // The broker is slower than the shard: it waits, and reads nothing more.
            self.desk.finish_commit(&mut self.running)?;
        }
        if is_due && self.desk.may_commit() { self.desk.start_commit(&mut self.running) } else { Ok(()) }
    }

    fn look_for_stalls(&mut self) -> Result<(), LogError> {
        let started = self.running.values().flat_map(Running::started).filter(|(place, _)| !self.in_step.has_paused(*place));
        let stalled = self.watchdog.look(self.around.clock.now(), started, self.desk.log()?)?;
        for partition in stalled.iter().map(|stalled| stalled.place.partition).collect::<std::collections::BTreeSet<u32>>() {
            stalled.iter().filter(|stalled| stalled.place.partition == partition).for_each(|stalled| self.around.watch.stalled(stalled.place, stalled.lag));
            let Some(running) = self.running.get_mut(&partition) else { continue };
            running.drop_held();
            let from = running.started().collect();
            self.in_step.forget(partition);
            self.desk.log()?.halt(&[partition])?;
            self.desk.log()?.start(&from)?;
        }
        Ok(())
    }

    /// In a run to the end: when a poll after the end was seen has brought nothing more, no record will follow.
    fn close_at_end(&mut self) -> Result<(), LogError> {
        if self.around.settings.mode.is_endless() {
            return Ok(());
        }
        let was_quiet = self.quiet;
        let at_end = !self.running.is_empty() && self.arriving.is_empty() && self.running.values().all(Running::is_at_end);
        self.quiet = at_end && self.desk.log()?.inputs_closed();
        if !(was_quiet && self.quiet && self.inbox.records() == 0) {
            return Ok(());
        }
        let partitions: Vec<u32> = self.running.keys().copied().collect();
        for partition in partitions {
            let Some(running) = self.running.get_mut(&partition) else { continue };
            if running.take_close() {
                let effects = running.step(&self.empty, &[Control::EndOfInput]);
                self.carry_out(partition, effects)?;
                self.settle_owed(partition)?;
            }
        }
        Ok(())
    }

    fn is_finished(&self) -> bool {
        !self.running.is_empty() && self.arriving.is_empty() && self.running.values().all(|running| running.is_closed() && !running.is_behind())
    }

    fn is_stopping(&self) -> bool {
        self.around.stop.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
#[path = "behind_tests.rs"]
mod tests;
