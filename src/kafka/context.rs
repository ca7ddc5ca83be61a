//! What librdkafka calls back: its log lines, its errors, and the group's decisions, which are noted here and carried out by whoever polls.

use super::lifeline::{Lifeline, Rescued};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A place without a partition (`leader_change`), as librdkafka's lines name it.
pub(super) const NOWHERE: &str = "[2147483647]";

/// Passes librdkafka's lines on.
#[derive(Debug, Default)]
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        forward(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        report(&error, reason);
    }
}

impl ConsumerContext for Quiet {}

fn forward(level: RDKafkaLogLevel, facility: &str, line: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => tracing::error!(target: "librdkafka", facility, line),
        RDKafkaLogLevel::Warning if line.contains(NOWHERE) => tracing::debug!(target: "librdkafka", facility, line),
        // A fenced or given-up transaction is an error to librdkafka and an everyday answer to the shard, which reports it itself.
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", facility, line),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => tracing::info!(target: "librdkafka", facility, line),
        RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", facility, line),
    }
}

/// The end of a partition comes this way too, and is no error.
fn report(error: &KafkaError, reason: &str) {
    if !matches!(error, KafkaError::PartitionEOF(_)) {
        tracing::warn!(target: "librdkafka", %error, reason, "client error");
    }
}

/// A decision of the group that waits to be carried out.
#[derive(Debug)]
pub(super) enum Decision {
    /// These partitions of the lead topic come.
    Assign(Vec<u32>),
    /// These go; `lost` if they are known to be another's already.
    Revoke(Vec<u32>, bool),
}

/// The context of the reader of the inputs.
///
/// librdkafka waits for the assign or unassign call and does not ask that it be made inside the callback. So the callback only takes a note: the shard
/// can finish its transaction as the owner, in its own time and without being called back in the middle of something.
#[derive(Debug)]
pub(super) struct Membership {
    lifeline: Lifeline,
    decisions: Mutex<Vec<Decision>>,
    closing: AtomicBool,
    sisters: Vec<String>,
}

impl Membership {
    /// `sisters` are the topics that follow the lead topic's partitions.
    pub(super) fn new(sisters: Vec<String>, lifeline: Lifeline) -> Self {
        Self { lifeline, decisions: Mutex::default(), closing: AtomicBool::new(false), sisters }
    }

    pub(super) fn take(&self) -> Vec<Decision> {
        std::mem::take(&mut *self.noted())
    }

    /// From here on a revocation is carried out at once: nobody polls any more.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    fn noted(&self) -> MutexGuard<'_, Vec<Decision>> {
        self.decisions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Membership {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.lifeline.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.lifeline.error(error, reason);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.lifeline.stats_raw(statistics);
    }
}

impl Rescued for Membership {
    fn lifeline(&self) -> &Lifeline {
        &self.lifeline
    }
}

impl ConsumerContext for Membership {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions: Vec<u32> = list.elements().iter().filter_map(|element| u32::try_from(element.partition()).ok()).collect();
        let assigned = code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.closing.load(Ordering::Relaxed) {
            let mut whole = list.clone();
            for (partition, sister) in partitions.iter().flat_map(|partition| self.sisters.iter().map(move |sister| (*partition, sister))) {
                let _ = whole.add_partition_offset(sister, partition as i32, Offset::Invalid);
            }
            let done = if assigned { consumer.incremental_assign(&TopicPartitionList::new()) } else { consumer.incremental_unassign(&whole) };
            if let Err(error) = done {
                tracing::debug!(%error, "leaving the group");
            }
            return;
        }
        let decision = if assigned { Decision::Assign(partitions) } else { Decision::Revoke(partitions, consumer.assignment_lost()) };
        self.noted().push(decision);
    }
}
