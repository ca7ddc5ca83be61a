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
//! one written answer ([`crate::log::Answer`]).
//!
//! - [`core`]: what it drives; `partition`: the life of a partition as types; `desk`: what leaves; `pace`: the only clock; [`in_step`]: no feed far ahead of the others; [`watch`]: who listens.

pub mod core;
mod desk;
mod in_step;
mod pace;
mod partition;
pub mod watch;

pub use self::core::{Core, MakeCore, Models, NoModels};
pub use in_step::Spread;
pub use watch::{Stats, Unwatched, Watch};

use crate::engine::{Control, Effects};
use crate::feeds::Batch;
use crate::log::{Answer, Event, Inbox, LogError, ShardLog};
use crate::time::EventTime;
use crate::venue::Feed;
use desk::Desk;
use in_step::InStep;
use pace::{Pace, now};
use partition::{Assigned, Running};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// When a shard ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// When it is told to stop.
    Serve,
    /// As [`Mode::ToEnd`], but with broker time until then: a demonstration that lives like the service.
    ServeToEnd,
    /// When every partition is read to its end and nobody writes any more. Then the cores are told that no record will follow. No broker time
    /// reaches them: a run to the end decides by the records alone.
    ToEnd,
}

/// How a shard works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often outputs, state and offsets are committed; outputs are seen half of it later on average.
    pub commit_interval: Duration,
    /// How many records a poll brings at most.
    pub poll_records: usize,
    /// For how long after its last poll a shard may send alerts: the group's session time-out.
    pub session_timeout: Duration,
    /// How often a call is made again that could not be answered, before the clients are built again.
    pub retries: u32,
    /// The pause before such a call, and before building clients again.
    pub retry_pause: Duration,
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
            spread: Spread::default(),
            mode: Mode::Serve,
        }
    }
}

/// What a shard leaves when it ends.
pub struct Ended<'a> {
    /// What it did.
    pub stats: Stats,
    /// Its membership. Whoever runs several shards to the end drops it when all have ended, or the partitions of the first would be handed to the others.
    pub membership: Box<dyn ShardLog + 'a>,
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
    let mut stats = Stats::default();
    loop {
        let pace = Pace::new(settings.commit_interval, settings.session_timeout);
        let desk = Desk::new(opened(open, settings, watch, stop)?, pace, stats, watch);
        let mut shard = Shard {
            desk,
            make: &mut *make,
            models: &mut *models,
            settings,
            watch,
            stop,
            running: BTreeMap::new(),
            inbox: Inbox::default(),
            empty: Batch::default(),
            quiet: false,
            in_step: InStep::default(),
        };
        let error = match shard.live() {
            Ok(()) => return Ok(Ended { stats: shard.desk.stats, membership: shard.desk.log }),
            Err(error) => error,
        };
        // A fenced producer refuses the abort too; then its successor's start aborts for it.
        let _ = shard.desk.abort(&error);
        if error.answer() == Answer::Stop || stop.load(Ordering::Relaxed) {
            return Err(error);
        }
        watch.rebuilding(&error);
        stats = shard.desk.stats;
        stats.rebuilds += 1;
        // The old membership must be gone before the new one joins, or the group would wait for it to time out.
        drop(shard);
        pause(settings.retry_pause);
    }
}

/// Opens the clients, however often the broker is out of reach.
fn opened<'a>(open: &mut Open<'a>, settings: &Settings, watch: &dyn Watch, stop: &AtomicBool) -> Result<Box<dyn ShardLog + 'a>, LogError> {
    loop {
        match open() {
            Err(error) if error.answer() != Answer::Stop && !stop.load(Ordering::Relaxed) => {
                watch.retried(&error);
                pause(settings.retry_pause);
            }
            result => return result,
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "there is no signal to wait for when a broker is out of reach")]
fn pause(length: Duration) {
    std::thread::sleep(length);
}

struct Shard<'s, 'a, M: MakeCore> {
    desk: Desk<'s, 'a>,
    make: &'s mut M,
    models: &'s mut dyn Models,
    settings: &'s Settings,
    watch: &'s dyn Watch,
    stop: &'s AtomicBool,
    running: BTreeMap<u32, Running<M::Core>>,
    inbox: Inbox,
    empty: Batch,
    /// Whether everything was read to its end before the last poll, and nobody was there to write more.
    quiet: bool,
    in_step: InStep,
}

impl<M: MakeCore> Shard<'_, '_, M> {
    fn live(&mut self) -> Result<(), LogError> {
        loop {
            match self.turn() {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => self.recover(error)?,
            }
        }
    }

    /// One round; answers whether it was the last.
    fn turn(&mut self) -> Result<bool, LogError> {
        self.poll()?;
        self.follow_membership()?;
        self.step_all()?;
        self.keep_in_step()?;
        self.close_at_end()?;
        let last = self.stop.load(Ordering::Relaxed) || self.is_finished();
        if last || self.desk.pace.until_commit().is_zero() {
            self.desk.commit(&mut self.running)?;
        }
        Ok(last)
    }

    fn poll(&mut self) -> Result<(), LogError> {
        let wait = if self.quiet { Duration::ZERO } else { self.desk.pace.until_commit() };
        self.desk.log.poll(self.settings.poll_records, wait, &mut self.inbox)?;
        self.desk.pace.polled();
        let records = self.inbox.records();
        if records > 0 {
            self.desk.stats.records += records as u64;
            self.watch.polled(records, self.inbox.bytes());
        }
        Ok(())
    }

    fn follow_membership(&mut self) -> Result<(), LogError> {
        for event in std::mem::take(&mut self.inbox.events) {
            match event {
                Event::Assigned(partitions) => {
                    // A restore can take longer than the broker lets a transaction stay open.
                    let finished = self.desk.commit(&mut self.running);
                    partitions.into_iter().try_for_each(|partition| self.take_up(Assigned { partition }))?;
                    finished?;
                }
                Event::Revoked { partitions, lost } => self.give_back(&partitions, lost)?,
                other => self.inbox.events.push(other),
            }
        }
        self.desk.send_held()
    }

    /// Restores a partition and starts reading its commands; the feeds start when those are read to their end, so that an operator's word that stands in the
    /// log is known before the first record is stepped.
    fn take_up(&mut self, assigned: Assigned) -> Result<(), LogError> {
        let (partition, began) = (assigned.partition, now());
        self.in_step.forget(partition);
        self.watch.assigned(partition);
        let mut restoring = assigned.restoring(self.make.make(partition));
        let mut entries = 0;
        self.patiently(|log| {
            entries = log.read_state(partition, &mut |key, value| restoring.entry(key, value))?;
            Ok(())
        })?;
        let mut next = BTreeMap::new();
        self.patiently(|log| {
            next = log.committed(partition)?;
            Ok(())
        })?;
        let running = restoring.finish(next)?;
        let commands = running.next_of(|feed| feed == Feed::Commands);
        self.running.insert(partition, running);
        self.desk.log.start(&commands)?;
        self.watch.restored(partition, entries, began.elapsed());
        Ok(())
    }

    /// Finishes what is open, while the partitions are still owned, and gives them back: a batch never outlives a revocation.
    fn give_back(&mut self, partitions: &[u32], lost: bool) -> Result<(), LogError> {
        let finished = if lost {
            Err(LogError::Aborted { doing: "giving partitions back", detail: "they are another member's already".to_owned() })
        } else {
            self.desk.commit(&mut self.running)
        };
        self.desk.forget_alerts(partitions);
        for partition in partitions {
            self.inbox.forget(*partition);
            self.in_step.forget(*partition);
            if let Some(running) = self.running.remove(partition) {
                self.watch.revoked(running.revoke().partition);
            }
        }
        self.desk.log.release(partitions)?;
        finished
    }

    fn step_all(&mut self) -> Result<(), LogError> {
        let mut controls = self.controls();
        let partitions: Vec<u32> = self.running.keys().copied().collect();
        for partition in partitions {
            let controls = controls.remove(&partition).unwrap_or_default();
            let Some(running) = self.running.get_mut(&partition) else { continue };
            let batch = self.inbox.batch(partition);
            if batch.is_some() || !controls.is_empty() {
                self.desk.open()?;
                let effects = running.step(batch.unwrap_or(&self.empty), &controls);
                self.carry_out(partition, effects)?;
            }
            self.start_feeds(partition)?;
        }
        Ok(())
    }

    /// Pauses the feeds that are far ahead of others of their partition number, and lets them go on when those have come near.
    fn keep_in_step(&mut self) -> Result<(), LogError> {
        for running in self.running.values() {
            let steps = self.in_step.judge(self.settings.spread, &running.progress());
            if !steps.pause.is_empty() {
                self.desk.log.pause(&steps.pause, true)?;
            }
            if !steps.resume.is_empty() {
                self.desk.log.pause(&steps.resume, false)?;
            }
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
                Event::BrokerTime(at) if self.settings.mode != Mode::ToEnd => {
                    let tick = Control::Tick { at: EventTime::from_millis(*at) };
                    self.running.keys().for_each(|partition| controls.entry(*partition).or_default().push(tick.clone()));
                }
                Event::BrokerTime(_) | Event::Assigned(_) | Event::Revoked { .. } => {}
            }
        }
        controls
    }

    fn start_feeds(&mut self, partition: u32) -> Result<(), LogError> {
        let Some(running) = self.running.get_mut(&partition) else { return Ok(()) };
        if running.take_commands_read() {
            self.desk.log.start(&running.next_of(|feed| feed != Feed::Commands))?;
        }
        Ok(())
    }

    /// Carries a step's effects out, and steps on with the models' answers until nothing more is asked.
    fn carry_out(&mut self, partition: u32, mut effects: Effects) -> Result<(), LogError> {
        loop {
            self.desk.write(partition, &effects.records)?;
            self.desk.alert(partition, effects.alerts)?;
            if effects.asks.is_empty() {
                return Ok(());
            }
            let answers: Vec<Control> = effects.asks.iter().map(|ask| Control::Models(self.models.run(ask))).collect();
            let Some(running) = self.running.get_mut(&partition) else { return Ok(()) };
            effects = running.step(&self.empty, &answers);
        }
    }

    /// In a run to the end: when a poll after the end was seen has brought nothing more, no record will follow.
    fn close_at_end(&mut self) -> Result<(), LogError> {
        if self.settings.mode == Mode::Serve {
            return Ok(());
        }
        let was_quiet = self.quiet;
        let at_end = !self.running.is_empty() && self.running.values().all(Running::is_at_end);
        self.quiet = at_end && self.desk.log.inputs_closed();
        if !(was_quiet && self.quiet && self.inbox.records() == 0) {
            return Ok(());
        }
        let partitions: Vec<u32> = self.running.keys().copied().collect();
        for partition in partitions {
            let Some(running) = self.running.get_mut(&partition) else { continue };
            if running.take_close() {
                self.desk.open()?;
                let effects = running.step(&self.empty, &[Control::EndOfInput]);
                self.carry_out(partition, effects)?;
            }
        }
        Ok(())
    }

    fn is_finished(&self) -> bool {
        !self.running.is_empty() && self.running.values().all(Running::is_closed)
    }

    /// Carries out the answer to an error; an error comes back when that takes new clients or a person.
    fn recover(&mut self, error: LogError) -> Result<(), LogError> {
        match error.answer() {
            Answer::Retry => {
                self.watch.retried(&error);
                Ok(())
            }
            Answer::AbortAndRewind => self.rewind(&error),
            Answer::Rebuild | Answer::Stop => Err(error),
        }
    }

    /// Back to the last commit: the transaction, the cores and the input.
    fn rewind(&mut self, why: &LogError) -> Result<(), LogError> {
        self.desk.abort(why)?;
        self.inbox.clear();
        self.quiet = false;
        let partitions: Vec<u32> = self.running.keys().copied().collect();
        self.desk.log.halt(&partitions)?;
        for (_, running) in std::mem::take(&mut self.running) {
            self.take_up(running.throw_away())?;
        }
        Ok(())
    }

    /// Makes a call again while the log is busy; after too many tries new clients are needed.
    fn patiently(&mut self, mut call: impl FnMut(&mut dyn ShardLog) -> Result<(), LogError>) -> Result<(), LogError> {
        let mut tries = 0;
        loop {
            match call(self.desk.log.as_mut()) {
                Err(error) if error.answer() == Answer::Retry && tries < self.settings.retries && !self.stop.load(Ordering::Relaxed) => {
                    self.watch.retried(&error);
                    tries += 1;
                    pause(self.settings.retry_pause);
                }
                Err(LogError::Busy { doing, detail }) => return Err(LogError::Unknown { doing, detail }),
                result => return result,
            }
        }
    }
}
