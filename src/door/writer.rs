//! The one writer of a door: takes what waits, sends it, waits until the log has it, and only then tells whoever waits for it.

use super::route::Outgoing;
use super::run::now;
use crate::feeds::{Attributes, Fault};
use crate::log::{Feeder, InRecord, LogError};
use crate::venue::{VenueId, World};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// So many payloads are sent before the log is waited for.
const MOST: usize = 1_000;
/// How often the writer looks whether it is to end.
const LOOK: Duration = Duration::from_millis(100);
/// A write that took longer tells nothing of clocks.
const QUICK: Duration = Duration::from_secs(2);
/// The first pause after a failure of the log, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Hears whether the log has it.
pub type Done = Box<dyn FnOnce(Result<(), String>) + Send>;

/// One payload that waits to be written.
pub struct Job {
    /// What it became.
    pub records: Vec<Outgoing>,
    /// What of it could not be used, for `midan.quarantine`.
    pub refused: Vec<Refused>,
    /// Hears of it.
    pub done: Done,
}

/// A payload, or a part of one, that nobody could read.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The venue, where there is one.
    pub venue: Option<VenueId>,
    /// The source.
    pub source: Box<str>,
    /// Where it came from: `topic/partition/offset`, a file's name, an address.
    pub position: String,
    /// Why.
    pub fault: Fault,
}

/// The end at which jobs are put.
#[derive(Clone)]
pub struct Queue(Sender<Job>);

impl Queue {
    /// A queue of so many jobs, and its other end.
    pub fn new(most: usize) -> (Self, Receiver<Job>) {
        let (sender, receiver) = crossbeam_channel::bounded(most.max(1));
        (Self(sender), receiver)
    }

    /// Puts a job, if there is room; else hands it back.
    ///
    /// # Errors
    /// There is no room.
    pub fn offer(&self, job: Job) -> Result<(), Job> {
        self.0.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(job) | TrySendError::Disconnected(job) => job,
        })
    }

    /// Puts a job, waits for room, and then until the log has it.
    ///
    /// # Errors
    /// The log does not take it, or the door closes.
    pub fn write(&self, records: Vec<Outgoing>, refused: Vec<Refused>) -> Result<(), String> {
        let (told, hears) = std::sync::mpsc::sync_channel(1);
        let done: Done = Box::new(move |result| drop(told.send(result)));
        self.0.send(Job { records, refused, done }).map_err(|_| "the door closes".to_owned())?;
        hears.recv().map_err(|_| "the door closes".to_owned())?
    }
}

/// Writes until every queue is dropped, and tells `log_time` what the log's clock showed. Once the door closes, it no longer waits for a log that is away: what it has goes back to its senders.
pub fn run(world: &Arc<World>, feeder: &mut dyn Feeder, jobs: &Receiver<Job>, stop: &AtomicBool, log_time: &dyn Fn(i64)) {
    let mut gathered = Vec::new();
    loop {
        match jobs.recv_timeout(LOOK) {
            Ok(job) => gathered.push(job),
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while gathered.len() < MOST {
            let Ok(job) = jobs.try_recv() else { break };
            gathered.push(job);
        }
        let began = now();
        let result = patiently(world, feeder, &gathered, stop);
        if let (Ok(()), Some(at)) = (&result, feeder.take_log_time())
            && began.elapsed() < QUICK
        {
            log_time(at);
        }
        for job in gathered.drain(..) {
            (job.done)(result.clone());
        }
    }
}

/// Sends the jobs, again and again while the log is only busy: a repeat collapses downstream, a loss would not.
#[allow(clippy::disallowed_methods, reason = "a busy log gives no signal when it is free again")]
fn patiently(world: &World, feeder: &mut dyn Feeder, jobs: &[Job], stop: &AtomicBool) -> Result<(), String> {
    let mut pause = PAUSES.0;
    loop {
        match send(world, feeder, jobs) {
            Ok(()) => return Ok(()),
            Err(why @ (LogError::Refused { .. } | LogError::Fenced { .. })) => return Err(why.to_string()),
            Err(why) if stop.load(Ordering::Relaxed) => return Err(why.to_string()),
            Err(why) => tracing::warn!(%why, "The door waits for the log."),
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSES.1);
    }
}

fn send(world: &World, feeder: &mut dyn Feeder, jobs: &[Job]) -> Result<(), LogError> {
    for record in jobs.iter().flat_map(|job| &job.records) {
        let mut attributes = Attributes::default();
        for (name, value) in &record.attributes {
            attributes.take(name, value);
        }
        feeder.send(&InRecord {
            source: Some(&record.source),
            format: record.content_type.as_deref(),
            received: Some(record.received),
            cloud_event: record.cloud_event.as_ref().map(|(source, id)| (&**source, &**id)),
            attributes,
            ..InRecord::new(record.feed, world.venue(record.venue).id.as_bytes(), &record.value)
        })?;
    }
    for refused in jobs.iter().flat_map(|job| &job.refused) {
        let venue = refused.venue.map(|id| &*world.venue(id).id);
        feeder.quarantine(venue.unwrap_or_default().as_bytes(), &quarantined(venue, refused), &refused.position)?;
    }
    feeder.flush()
}

/// As the engine writes it (FORMATS.md): position and reason, and nothing of what came.
fn quarantined(venue: Option<&str>, refused: &Refused) -> Vec<u8> {
    let mut value = serde_json::json!({ "v": 1, "source": &*refused.source, "reason": refused.fault.reason.word(), "detail": refused.fault.detail });
    if let (Some(fields), Some(venue)) = (value.as_object_mut(), venue) {
        fields.insert("venue".to_owned(), venue.into());
    }
    if let (Some(fields), false) = (value.as_object_mut(), refused.fault.field.is_empty()) {
        fields.insert("field".to_owned(), refused.fault.field.clone().into());
    }
    value.to_string().into_bytes()
}
