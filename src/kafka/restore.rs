//! Reading a partition of `midan.state` to its proven end.
//!
//! A reader of committed records is told the end where the first open transaction begins. So the end it is told is compared with the highest offset that the
//! client has seen: as long as that is greater, somebody's transaction is open (a dead owner's, until it is fenced or times out), and the
//! changelog is not whole. It then says that it is busy, and is asked again.

use super::context::Quiet;
use super::ffi::{self, Kind, MessageQueue};
use super::settings::Settings;
use crate::engine::OutTopic;
use crate::log::{LogError, StateEntry, Topic};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;
use std::time::Duration;

const DOING: &str = "restoring the state";
const ASK: Duration = Duration::from_secs(5);
/// How long nothing may come before it is asked again.
const SILENCE: Duration = Duration::from_secs(5);
const BATCH: usize = 4_096;

/// A reader of the changelog, kept from one restore to the next.
pub(super) struct Restorer {
    consumer: Arc<BaseConsumer<Quiet>>,
    queue: MessageQueue<Quiet>,
    topic: String,
}

impl Restorer {
    pub(super) fn start(settings: &Settings) -> Result<Self, LogError> {
        let consumer: BaseConsumer<Quiet> = BaseConsumer::from_config_and_context(&settings.reader("restore"), Quiet).map_err(|error| LogError::Refused {
            doing: DOING,
            detail: error.to_string(),
            cure: "check the Kafka table of the configuration",
        })?;
        let consumer = Arc::new(consumer);
        Ok(Self { queue: MessageQueue::new(&consumer), consumer, topic: settings.name(Topic::Out(OutTopic::State)) })
    }

    /// Hands over every committed entry and answers how many there were.
    pub(super) fn read(&mut self, partition: u32, entry: &mut StateEntry<'_>) -> Result<u64, LogError> {
        let busy = |error: KafkaError| LogError::Busy { doing: DOING, detail: error.to_string() };
        // Asking first spares the half second that the client takes to ask again when it is not connected yet.
        let (low, high) = self.consumer.fetch_watermarks(&self.topic, partition as i32, ASK).map_err(busy)?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, partition as i32, Offset::Offset(low)).map_err(busy)?;
        self.queue.forward(&self.topic, partition);
        self.consumer.assign(&list).map_err(busy)?;
        let read = self.read_to_end(partition, high, entry);
        self.consumer.unassign().map_err(busy)?;
        read
    }

    fn read_to_end(&mut self, partition: u32, known_end: i64, entry: &mut StateEntry<'_>) -> Result<u64, LogError> {
        let (mut entries, mut end, mut trouble) = (0, None, None);
        while end.is_none() {
            let read = self.queue.read(BATCH, SILENCE, &mut |message| match message.kind() {
                Kind::Record => {
                    entries += 1;
                    entry(message.key().unwrap_or_default(), message.value());
                }
                Kind::End => end = Some(message.offset()),
                Kind::OutOfRange => trouble = Some("its beginning was compacted away meanwhile".to_owned()),
                Kind::Trouble(text) => trouble = Some(text),
            });
            if let Some(detail) = trouble.take() {
                return Err(LogError::Busy { doing: DOING, detail });
            }
            if read == 0 {
                return Err(LogError::Busy { doing: DOING, detail: format!("nothing came of {}[{partition}]", self.topic) });
            }
            // Its callbacks want to be served, and it is never heard of again if nobody polls it.
            let _ = self.consumer.poll(Duration::ZERO);
        }
        let seen = ffi::cached_end(&self.consumer, &self.topic, partition).unwrap_or(known_end).max(known_end);
        match end {
            Some(end) if seen > end => {
                Err(LogError::Busy { doing: DOING, detail: format!("a transaction is open on {}[{partition}] from {end} to {seen}", self.topic) })
            }
            _ => Ok(entries),
        }
    }
}
