//! Writing input records to Kafka, each on the partition of its key. librdkafka's default partitioner is not Java's, so the partition is told here.

use super::context::Quiet;
use super::lifeline::Wait;
use super::producer::{Reports, pause};
use super::settings::Settings;
use crate::engine::OutTopic;
use crate::log::{Feeder, InRecord, LogError, POSITION_HEADER, RECEIVED_HEADER, SOURCE_HEADER, Topic};
use crate::venue::Feed;
use crate::venue::partition::partition_of;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::time::Duration;

const DOING: &str = "feeding";
const PATIENCE: Duration = Duration::from_secs(60);

/// A writer of input.
pub struct KafkaFeeder {
    producer: BaseProducer<Reports>,
    names: [(Feed, String); 4],
    quarantine: String,
    partitions: u32,
}

impl KafkaFeeder {
    /// Connects, and asks how many partitions the inputs have.
    pub fn new(settings: &Settings) -> Result<Self, LogError> {
        settings.check()?;
        let refused = |error: KafkaError| LogError::Refused { doing: DOING, detail: error.to_string(), cure: "check the Kafka table of the configuration" };
        let producer = BaseProducer::from_config_and_context(&settings.feeding(), Reports::new(settings)).map_err(refused)?;
        let names = Feed::ALL.map(|feed| (feed, settings.name(Topic::In(feed))));
        let asking: BaseConsumer<Quiet> = BaseConsumer::from_config_and_context(&settings.reader("feeder"), Quiet).map_err(refused)?;
        let partitions = super::tail::partitions(&asking, &settings.name(Topic::In(Feed::Sensors)))?;
        Ok(Self { producer, names, quarantine: settings.name(Topic::Out(OutTopic::Quarantine)), partitions })
    }

    /// Queues a record, with patience while the queue is full.
    fn queue(&self, record: BaseRecord<'_, [u8], [u8]>) -> Result<(), LogError> {
        let mut next = record;
        let mut wait = Wait::begin();
        loop {
            match self.producer.send(next) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if wait.goes_on(PATIENCE, self.producer.client()) => {
                    next = back;
                    self.producer.poll(Duration::ZERO);
                    pause();
                }
                Err((error, _)) => {
                    let cure = "`midan topics check` names what is wrong with the topics";
                    return Err(LogError::Refused { doing: DOING, detail: error.to_string(), cure });
                }
            }
        }
    }

    fn failure(&self) -> Result<(), LogError> {
        match self.producer.context().take() {
            Some(detail) => Err(LogError::Refused { doing: DOING, detail, cure: "`midan topics check` names what is wrong with the topics" }),
            None => Ok(()),
        }
    }
}

impl Feeder for KafkaFeeder {
    fn send(&mut self, record: &InRecord<'_>) -> Result<(), LogError> {
        let name = self.names.iter().find(|(feed, _)| *feed == record.feed).map_or("", |(_, name)| name);
        let received = record.received.map(|at| at.to_string());
        let mut headers = OwnedHeaders::new_with_capacity(3);
        for (name, value) in [(SOURCE_HEADER, record.source), ("content-type", record.format), (RECEIVED_HEADER, received.as_deref())] {
            if let Some(value) = value {
                headers = headers.insert(Header { key: name, value: Some(value) });
            }
        }
        let (ce_source, ce_id) = record.cloud_event.unzip();
        for (name, value) in
            [("ce_source", ce_source), ("ce_id", ce_id)].into_iter().filter_map(|(name, value)| Some((name, value?))).chain(record.attributes.iter())
        {
            headers = headers.insert(Header { key: name, value: Some(value) });
        }
        let partition = partition_of(record.key, self.partitions);
        self.queue(BaseRecord::to(name).partition(partition as i32).key(record.key).payload(record.value).headers(headers))
    }

    fn quarantine(&mut self, key: &[u8], value: &[u8], position: &str) -> Result<(), LogError> {
        let partition = partition_of(key, self.partitions);
        let headers = OwnedHeaders::new_with_capacity(1).insert(Header { key: POSITION_HEADER, value: Some(position) });
        self.queue(BaseRecord::to(&self.quarantine).partition(partition as i32).key(key).payload(value).headers(headers))
    }

    fn flush(&mut self) -> Result<(), LogError> {
        let mut wait = Wait::begin();
        while self.producer.in_flight_count() > 0 {
            if !wait.goes_on(PATIENCE, self.producer.client()) {
                return Err(LogError::Busy { doing: DOING, detail: format!("{} records not acknowledged", self.producer.in_flight_count()) });
            }
            self.producer.poll(Duration::ZERO);
            pause();
        }
        self.producer.poll(Duration::ZERO);
        self.failure()
    }

    fn take_log_time(&mut self) -> Option<i64> {
        self.producer.context().take_appended()
    }
}

impl Drop for KafkaFeeder {
    fn drop(&mut self) {
        // A dropped producer throws away what it has not sent.
        let _ = self.flush();
    }
}
