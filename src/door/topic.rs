//! Foreign topics: any key, any number of partitions. Offsets are committed when the log has what was read, so a restart or a rebalance reads some records again and
//! loses none; what is written twice collapses downstream.

use super::registry::Registry;
use super::route::{Payload, Route};
use super::run::{Context, Gathered};
use super::settings;
use crate::feeds::Attributes;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long one poll waits.
const WAIT: Duration = Duration::from_millis(200);
/// So many records are taken between two commits.
const MOST: usize = 1_000;
/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Reads one foreign topic.
pub struct Reader {
    settings: settings::Topic,
    route: Route,
    consumer: BaseConsumer,
    registry: Option<Registry>,
}

impl Reader {
    /// Joins the topic's group; `properties` are those of all clients, before the topic's own.
    ///
    /// # Errors
    /// The client cannot be made, or the topic not be subscribed.
    pub fn new(settings: settings::Topic, route: Route, bootstrap_servers: &str, properties: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", bootstrap_servers);
        for (key, value) in properties.iter().chain(&settings.properties) {
            config.set(key, value);
        }
        config.set("group.id", &settings.group).set("enable.auto.commit", "false").set("auto.offset.reset", "earliest");
        let told = |why: KafkaError| format!("topic {}: {why}", settings.topic);
        let consumer: BaseConsumer = config.create().map_err(told)?;
        consumer.subscribe(&[&settings.topic]).map_err(told)?;
        let registry = settings.registry.as_ref().map(Registry::new);
        Ok(Self { settings, route, consumer, registry })
    }

    /// Reads until it is told to stop.
    pub fn run(mut self, context: &Context) {
        while !context.stopped() {
            if let Err(why) = self.batch(context) {
                tracing::warn!(topic = %self.settings.topic, %why, "A foreign topic is read again from its last commit.");
                self.rewind();
                context.sleep(PAUSE);
            }
        }
    }

    /// Takes what is there, up to a bound, and commits it.
    fn batch(&mut self, context: &Context) -> Result<(), String> {
        let Self { settings, route, consumer, registry } = self;
        let (mut taken, mut gathered) = (0, Gathered::default());
        while taken < MOST && !context.stopped() {
            let message = match consumer.poll(if taken == 0 { WAIT } else { Duration::ZERO }) {
                None => break,
                Some(Err(KafkaError::PartitionEOF(_))) => continue,
                // What was taken before it is written first; an error that lasts comes again.
                Some(Err(_)) if taken > 0 => break,
                Some(Err(KafkaError::MessageConsumption(RDKafkaErrorCode::UnknownTopicOrPartition))) => return Err("the topic does not exist".to_owned()),
                Some(Err(why)) => return Err(why.to_string()),
                Some(Ok(message)) => message,
            };
            record(settings, route, registry.as_mut(), context, &message, &mut gathered);
            taken += 1;
        }
        if taken == 0 {
            return Ok(());
        }
        context.write(gathered)?;
        match consumer.commit_consumer_state(CommitMode::Sync) {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => Ok(()),
            // Another member has the partitions now, and reads them from the last commit.
            Err(KafkaError::ConsumerCommit(
                RDKafkaErrorCode::RebalanceInProgress | RDKafkaErrorCode::IllegalGeneration | RDKafkaErrorCode::UnknownMemberId,
            )) => Ok(()),
            Err(why) => Err(why.to_string()),
        }
    }

    /// Back to what is committed: what was read since was not taken.
    fn rewind(&self) {
        let Ok(assigned) = self.consumer.assignment() else { return };
        let Ok(committed) = self.consumer.committed_offsets(assigned, Duration::from_secs(5)) else { return };
        for element in committed.elements() {
            let offset = match element.offset() {
                rdkafka::Offset::Invalid => rdkafka::Offset::Beginning,
                known => known,
            };
            if let Err(why) = self.consumer.seek(element.topic(), element.partition(), offset, Duration::from_secs(5)) {
                tracing::warn!(topic = element.topic(), partition = element.partition(), %why, "A foreign topic could not be wound back.");
            }
        }
    }
}

fn record(
    settings: &settings::Topic,
    route: &Route,
    registry: Option<&mut Registry>,
    context: &Context,
    message: &BorrowedMessage<'_>,
    gathered: &mut Gathered,
) {
    let position = format!("{}/{}/{}", settings.topic, message.partition(), message.offset());
    let bytes = message.payload().unwrap_or_default();
    let decoded;
    let bytes = match registry.map(|registry| registry.decode(bytes)) {
        None => bytes,
        Some(Ok(json)) => {
            decoded = json;
            &decoded
        }
        Some(Err(fault)) => return context.gather_refused(route, fault, &position, gathered),
    };
    let headers: Vec<(&str, &str)> = message
        .headers()
        .map(|headers| headers.iter().filter_map(|header| Some((header.key, std::str::from_utf8(header.value?).ok()?))).collect())
        .unwrap_or_default();
    let header = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let mut attributes = Attributes::default();
    // A vendor's partition key is its own, and no venue of ours.
    headers.iter().filter(|(name, _)| *name != "ce_partitionkey").for_each(|(name, value)| attributes.take(name, value));
    let payload = Payload {
        bytes,
        content_type: header("ce_type").filter(|named| crate::feeds::Format::find(named).is_some()).or_else(|| header("content-type")),
        received: context.now_ms(),
        cloud_event: header("ce_source").zip(header("ce_id")),
        attributes,
    };
    context.gather(route, &payload, &position, gathered);
}
