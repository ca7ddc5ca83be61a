//! The transaction: outputs, state and offsets, or none of them.
//!
//! Answers three traps of the Rust wrapper. Its commit and its flush wait in steps of 100 ms; so the commit is called directly, with a short time-out, again
//! and again. A record that failed makes the commit hang until its report is taken; so reports are taken between two calls. And an abort makes
//! reports of its own that somebody has to take; so it is called the same way.

use super::ffi::{self, TxnFailure};
use super::settings::Settings;
use crate::log::LogError;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long one call into the client may take before reports are taken again.
const STEP: Duration = Duration::from_millis(50);
/// How long a transaction's call is made again before nobody can tell any more what stands.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps the first failure that a delivery report told of.
#[derive(Debug, Default)]
pub(super) struct Reports {
    failure: Mutex<Option<String>>,
}

impl Reports {
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

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        if let Err((error, _)) = result {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string());
        }
    }
}

/// A record on its way out.
pub(super) struct Outgoing<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: u32,
    pub(super) key: &'a [u8],
    pub(super) value: Option<&'a [u8]>,
    pub(super) header: Option<(&'static str, &'a str)>,
}

/// A shard's transactional producer.
pub(super) struct Transactions {
    producer: BaseProducer<Reports>,
    is_open: bool,
}

impl Transactions {
    /// Builds it, and fences and aborts whatever an earlier life under the same id left open. Comes before joining the group: committed offsets
    /// cannot be read while that is open.
    pub(super) fn start(settings: &Settings, shard: u32) -> Result<Self, LogError> {
        let doing = "starting transactions";
        let producer: BaseProducer<Reports> = BaseProducer::from_config_and_context(&settings.transactional(shard), Reports::default())
            .map_err(|error| LogError::Refused { doing, detail: error.to_string(), cure: "check the Kafka table of the configuration" })?;
        let began = now();
        loop {
            match producer.init_transactions(Duration::from_secs(5)) {
                Ok(()) => return Ok(Self { producer, is_open: false }),
                Err(KafkaError::Transaction(error)) if error.is_retriable() && began.elapsed() < PATIENCE => {}
                Err(KafkaError::Transaction(error)) if error.is_retriable() => return Err(LogError::Busy { doing, detail: error.string() }),
                Err(error) => {
                    let cure = "check that the account may use the transactional id and that the broker allows the transaction time-out";
                    return Err(LogError::Refused { doing, detail: error.to_string(), cure });
                }
            }
        }
    }

    pub(super) fn begin(&mut self) -> Result<(), LogError> {
        self.producer.begin_transaction().map_err(|error| failed("opening a transaction", error))?;
        self.is_open = true;
        Ok(())
    }

    /// Adds a record. A full queue makes it wait: that is the shard's back-pressure.
    pub(super) fn send(&self, record: &Outgoing<'_>) -> Result<(), LogError> {
        let doing = "writing an output";
        let headers = record.header.map(|(name, value)| OwnedHeaders::new().insert(Header { key: name, value: Some(value) }));
        let mut next = BaseRecord::to(record.topic).partition(record.partition as i32).key(record.key);
        next.payload = record.value;
        next.headers = headers;
        let began = now();
        loop {
            match self.producer.send(next) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if began.elapsed() < PATIENCE => {
                    next = back;
                    self.take_reports();
                    pause();
                }
                Err((error, _)) => return Err(failed(doing, error)),
            }
        }
    }

    /// Commits what was written with the offsets; `metadata` was taken before what was read under it.
    pub(super) fn commit(&mut self, offsets: &TopicPartitionList, metadata: Option<&ConsumerGroupMetadata>) -> Result<(), LogError> {
        if offsets.count() > 0 {
            self.send_offsets(offsets, metadata)?;
        }
        let doing = "committing";
        let began = now();
        loop {
            let failure = match ffi::commit_transaction(&self.producer, STEP) {
                Ok(()) => break,
                Err(failure) => failure,
            };
            if !failure.retriable || failure.fatal {
                return Err(judged(doing, failure, self.producer.context().take()));
            }
            if began.elapsed() > PATIENCE {
                return Err(LogError::Unknown { doing, detail: failure.text });
            }
            self.take_reports();
        }
        self.is_open = false;
        Ok(())
    }

    fn send_offsets(&self, offsets: &TopicPartitionList, metadata: Option<&ConsumerGroupMetadata>) -> Result<(), LogError> {
        let doing = "adding the offsets";
        let Some(metadata) = metadata else {
            return Err(LogError::Aborted { doing, detail: "this shard is no member of the group".to_owned() });
        };
        let began = now();
        loop {
            match self.producer.send_offsets_to_transaction(offsets, metadata, Duration::from_secs(2)) {
                Ok(()) => return Ok(()),
                Err(KafkaError::Transaction(error)) if error.is_retriable() && !error.is_fatal() && began.elapsed() < PATIENCE => self.take_reports(),
                Err(error) => return Err(failed(doing, error)),
            }
        }
    }

    pub(super) fn abort(&mut self) -> Result<(), LogError> {
        if !std::mem::take(&mut self.is_open) {
            return Ok(());
        }
        let doing = "giving a transaction up";
        let began = now();
        loop {
            match self.producer.abort_transaction(Duration::from_millis(20)) {
                Ok(()) => break,
                Err(KafkaError::Transaction(error)) if error.is_retriable() && !error.is_fatal() && began.elapsed() < PATIENCE => self.take_reports(),
                // After a commit that timed out, or as a zombie: only a new producer helps.
                Err(error) => return Err(LogError::Fenced { doing, detail: error.to_string() }),
            }
        }
        self.producer.context().take();
        Ok(())
    }

    /// Takes what reports there are. One call takes one event, and waits as long as it may wait even when there is one: so it may not wait.
    fn take_reports(&self) {
        for _ in 0..1_000 {
            self.producer.poll(Duration::ZERO);
            if self.producer.in_flight_count() == 0 {
                return;
            }
        }
    }
}

/// What a transaction's error means for the shard.
fn failed(doing: &'static str, error: KafkaError) -> LogError {
    match error {
        KafkaError::Transaction(error) => {
            let failure = TxnFailure { text: error.string(), fatal: error.is_fatal(), retriable: error.is_retriable(), must_abort: error.txn_requires_abort() };
            judged(doing, failure, None)
        }
        KafkaError::MessageProduction(RDKafkaErrorCode::Fatal | RDKafkaErrorCode::Fenced) => LogError::Fenced { doing, detail: error.to_string() },
        KafkaError::MessageProduction(
            RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownPartition
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::MessageSizeTooLarge,
        ) => LogError::Refused { doing, detail: error.to_string(), cure: "`midan topics check` names what is wrong with the topics" },
        other => LogError::Aborted { doing, detail: other.to_string() },
    }
}

fn judged(doing: &'static str, failure: TxnFailure, report: Option<String>) -> LogError {
    let detail = report.map_or(failure.text.clone(), |report| format!("{} ({report})", failure.text));
    if failure.fatal {
        return LogError::Fenced { doing, detail };
    }
    if failure.must_abort || failure.retriable {
        return LogError::Aborted { doing, detail };
    }
    LogError::Unknown { doing, detail }
}

#[allow(clippy::disallowed_methods, reason = "a limit on waiting for a broker; no output depends on it")]
pub(super) fn now() -> Instant {
    Instant::now()
}

#[allow(clippy::disallowed_methods, reason = "the client gives no signal when its queue has room again")]
pub(super) fn pause() {
    std::thread::sleep(Duration::from_millis(1));
}
