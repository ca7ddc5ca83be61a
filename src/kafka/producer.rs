//! The transaction: outputs, state and offsets, or none of them.
//!
//! A commit waits for the broker, so it runs on a thread of its own while the shard goes on; nothing else uses the producer meanwhile.
//!
//! Answers three traps of the Rust wrapper. Its commit and its flush wait in steps of 100 ms; so the commit is called directly, with a short time-out, again
//! and again. A record that failed makes the commit hang until its report is taken; so reports are taken between two calls. And an abort makes
//! reports of its own that somebody has to take; so it is called the same way.

use super::answers;
use super::ffi;
use super::lifeline::{Lifeline, Rescued, Wait};
use super::settings::Settings;
use crate::log::LogError;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders, Timestamp};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::{Offset, TopicPartitionList};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long one call into the client may take before reports are taken again.
const STEP: Duration = Duration::from_millis(50);
/// How long the start of a producer, and a full queue, are waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a transaction's call is waited for before nobody can tell any more what stands, and a new producer fences what is left of it. After so long the broker has given it up by
/// itself (`transaction.timeout.ms`); and a shard that waits longer holds up the group, which waits for its word.
const TRANSACTION_PATIENCE: Duration = Duration::from_secs(10);

/// How much later than its own limit a call may come back.
const GRACE: Duration = Duration::from_secs(2);

/// Keeps the first failure that a delivery report told of.
#[derive(Debug)]
pub(super) struct Reports {
    lifeline: Lifeline,
    failure: Mutex<Option<String>>,
    /// The broker's time of appending the last record, if it is the broker's.
    appended: AtomicI64,
}

impl Reports {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { lifeline: Lifeline::new(&settings.brokers), failure: Mutex::default(), appended: AtomicI64::new(i64::MIN) }
    }

    /// Tells it once.
    pub(super) fn take_appended(&self) -> Option<i64> {
        Some(self.appended.swap(i64::MIN, Ordering::Relaxed)).filter(|at| *at > i64::MIN)
    }

    pub(super) fn take(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        super::context::Quiet.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        super::context::Quiet.error(error, reason);
    }
}

impl Rescued for Reports {
    fn lifeline(&self) -> &Lifeline {
        &self.lifeline
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        match result {
            Ok(message) => {
                if let Timestamp::LogAppendTime(at) = message.timestamp() {
                    self.appended.store(at, Ordering::Relaxed);
                }
            }
            Err((error, _)) => drop(self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string())),
        }
    }
}

/// A record on its way out.
pub(super) struct Outgoing<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: u32,
    pub(super) key: &'a [u8],
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: &'a [(&'static str, &'a str)],
}

/// What is to be committed: offsets by topic and partition, and the membership under which they were read.
pub(super) struct Commit {
    pub(super) offsets: Vec<(String, u32, i64)>,
    pub(super) metadata: Option<Arc<ConsumerGroupMetadata>>,
}

/// A shard's transactional producer.
pub(super) struct Transactions {
    handle: Handle,
    is_open: bool,
    /// The thread that commits, and its answers.
    commits: Sender<Commit>,
    answers: Receiver<Result<(), LogError>>,
    /// Since when a commit is under way.
    committing_since: Option<Instant>,
}

/// The producer, as both threads hold it.
#[derive(Clone)]
struct Handle(Arc<BaseProducer<Reports>>);

impl Transactions {
    /// Builds it, and fences and aborts whatever an earlier life under the same id left open. Comes before joining the group: committed offsets
    /// cannot be read while that is open.
    pub(super) fn start(settings: &Settings, id: &str) -> Result<Self, LogError> {
        let handle = Handle::start(settings, id)?;
        let (commits, orders) = unbounded::<Commit>();
        let (told, answers) = unbounded();
        let committing = handle.clone();
        // It ends with its orders. Nobody waits for it: a call that is stuck is ended by whoever fences the producer.
        std::thread::spawn(move || {
            for commit in orders {
                if told.send(committing.commit(&commit)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { handle, is_open: false, commits, answers, committing_since: None })
    }

    pub(super) fn begin(&mut self) -> Result<(), LogError> {
        self.handle.0.begin_transaction().map_err(|error| answers::of("opening a transaction", error))?;
        self.is_open = true;
        Ok(())
    }

    /// Adds a record. A full queue makes it wait: that is the shard's back-pressure.
    pub(super) fn send(&self, record: &Outgoing<'_>) -> Result<(), LogError> {
        let doing = "writing an output";
        let mut next = BaseRecord::to(record.topic).partition(record.partition as i32).key(record.key);
        next.payload = record.value;
        if !record.headers.is_empty() {
            let headers = OwnedHeaders::new_with_capacity(record.headers.len());
            next.headers = Some(record.headers.iter().fold(headers, |headers, (name, value)| headers.insert(Header { key: name, value: Some(*value) })));
        }
        let mut wait = Wait::begin();
        loop {
            match self.handle.0.send(next) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if wait.goes_on(PATIENCE, self.handle.0.client()) => {
                    next = back;
                    self.handle.take_reports();
                    pause();
                }
                Err((error, _)) => return Err(answers::of(doing, error)),
            }
        }
    }

    /// Starts committing what was written.
    pub(super) fn start_commit(&mut self, commit: Commit) -> Result<(), LogError> {
        self.committing_since = Some(now());
        self.commits.send(commit).map_err(|_| gone())
    }

    /// Waits for the commit that was started, and answers whether it stands.
    pub(super) fn await_commit(&mut self, wait: Duration) -> Result<bool, LogError> {
        let Some(since) = self.committing_since else { return Ok(true) };
        match self.answers.recv_timeout(wait) {
            Ok(answer) => {
                self.committing_since = None;
                self.is_open &= answer.is_err();
                answer.map(|()| true)
            }
            // The client's own time-outs do not always come.
            Err(RecvTimeoutError::Timeout) if since.elapsed() > TRANSACTION_PATIENCE + GRACE => {
                Err(LogError::Unknown { doing: "committing", detail: "the client does not come back from its call".to_owned() })
            }
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
        }
    }

    pub(super) fn abort(&mut self) -> Result<(), LogError> {
        // An abort beside a commit is refused, and after one that stands there is nothing to give up.
        let is_committing = self.committing_since.is_some();
        let answer = loop {
            match self.await_commit(STEP) {
                Ok(false) => {}
                answer => break answer,
            }
        };
        if is_committing && answer.is_ok() {
            tracing::info!("The commit that was given up stands; its work is not done again.");
        }
        if self.committing_since.is_some() {
            return Err(LogError::Fenced { doing: "giving a transaction up", detail: "its commit does not come back".to_owned() });
        }
        if !std::mem::take(&mut self.is_open) {
            return Ok(());
        }
        self.handle.abort()
    }
}

/// Fences an id and lets go of it: what its owner left open is aborted, and what it still sends is refused.
pub(super) fn fence(settings: &Settings, id: &str) -> Result<(), LogError> {
    Handle::start(settings, id).map(drop)
}

fn gone() -> LogError {
    LogError::Unknown { doing: "committing", detail: "the thread that commits has ended".to_owned() }
}

impl Handle {
    fn start(settings: &Settings, id: &str) -> Result<Self, LogError> {
        let doing = "starting transactions";
        let producer: BaseProducer<Reports> = BaseProducer::from_config_and_context(&settings.transactional(id), Reports::new(settings))
            .map_err(|error| LogError::Refused { doing, detail: error.to_string(), cure: "check the Kafka table of the configuration" })?;
        let mut wait = Wait::begin();
        loop {
            match producer.init_transactions(Duration::from_secs(5)) {
                Ok(()) => return Ok(Self(Arc::new(producer))),
                Err(KafkaError::Transaction(error)) if error.is_retriable() && wait.goes_on(PATIENCE, producer.client()) => {}
                Err(KafkaError::Transaction(error)) if error.is_retriable() => return Err(LogError::Busy { doing, detail: error.string() }),
                Err(error) => return Err(answers::of_start(doing, error)),
            }
        }
    }

    /// Commits what was written with the offsets; the metadata was taken before what was read under it.
    fn commit(&self, commit: &Commit) -> Result<(), LogError> {
        let mut wait = Wait::begin();
        if !commit.offsets.is_empty() {
            self.send_offsets(commit, &mut wait)?;
        }
        let doing = "committing";
        loop {
            let failure = match ffi::commit_transaction(&self.0, STEP) {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            if !failure.retriable || failure.fatal {
                return Err(answers::of_transaction(doing, failure, self.0.context().take()));
            }
            if !wait.goes_on(TRANSACTION_PATIENCE, self.0.client()) {
                return Err(LogError::Unknown { doing, detail: failure.text });
            }
            self.take_reports();
        }
    }

    fn send_offsets(&self, commit: &Commit, wait: &mut Wait) -> Result<(), LogError> {
        let doing = "adding the offsets";
        let Some(metadata) = &commit.metadata else {
            return Err(LogError::Aborted { doing, detail: "this shard is no member of the group".to_owned() });
        };
        // Built where it is used: one that is kept can hang a client's drop.
        let mut offsets = TopicPartitionList::with_capacity(commit.offsets.len());
        for (topic, partition, next) in &commit.offsets {
            offsets
                .add_partition_offset(topic, *partition as i32, Offset::Offset(*next))
                .map_err(|error| LogError::Unknown { doing, detail: format!("{topic}[{partition}]@{next}: {error}") })?;
        }
        loop {
            match self.0.send_offsets_to_transaction(&offsets, metadata, Duration::from_secs(2)) {
                Ok(()) => return Ok(()),
                Err(KafkaError::Transaction(error)) if error.is_retriable() && !error.is_fatal() && wait.goes_on(TRANSACTION_PATIENCE, self.0.client()) => {
                    self.take_reports()
                }
                Err(error) => return Err(answers::of(doing, error)),
            }
        }
    }

    fn abort(&self) -> Result<(), LogError> {
        let doing = "giving a transaction up";
        let mut wait = Wait::begin();
        loop {
            match self.0.abort_transaction(Duration::from_millis(20)) {
                Ok(()) => break,
                Err(KafkaError::Transaction(error)) if error.is_retriable() && !error.is_fatal() && wait.goes_on(TRANSACTION_PATIENCE, self.0.client()) => {
                    self.take_reports()
                }
                // After a commit that timed out, or as a zombie: only a new producer helps.
                Err(error) => return Err(LogError::Fenced { doing, detail: error.to_string() }),
            }
        }
        self.0.context().take();
        Ok(())
    }

    /// Takes what reports there are. One call takes one event, and waits as long as it may wait even when there is one: so it may not wait.
    fn take_reports(&self) {
        for _ in 0..1_000 {
            self.0.poll(Duration::ZERO);
            if self.0.in_flight_count() == 0 {
                return;
            }
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a limit on waiting for a broker; no output depends on it")]
pub(super) fn now() -> Instant {
    Instant::now()
}

#[allow(clippy::disallowed_methods, reason = "the client gives no signal when its queue has room again")]
pub(super) fn pause() {
    std::thread::sleep(Duration::from_millis(1));
}
