//! Plain reading of whole topics on Kafka: the console, the publishers, the tests. It joins no group and commits nothing.

use super::ffi::{self, Kind, MessageQueue};
use super::lifeline::{self, Lifeline};
use super::settings::Settings;
use crate::log::{LogError, Since, Tail, TailRecord, Topic};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const DOING: &str = "reading topics";
const ASK: Duration = Duration::from_secs(5);

/// A reader.
pub struct KafkaTail {
    consumer: Arc<BaseConsumer<Lifeline>>,
    queue: MessageQueue<Lifeline>,
    names: Vec<(String, Topic)>,
    open: BTreeSet<(Topic, u32)>,
}

impl KafkaTail {
    /// A reader of these topics. It must exist on the broker.
    pub fn new(settings: &Settings, topics: &[Topic], since: Since) -> Result<Self, LogError> {
        settings.check()?;
        let refused = |error: KafkaError| LogError::Refused { doing: DOING, detail: error.to_string(), cure: "check the Kafka table of the configuration" };
        let busy = |error: KafkaError| LogError::Busy { doing: DOING, detail: error.to_string() };
        let consumer = Arc::new(BaseConsumer::from_config_and_context(&settings.following(), Lifeline::new(&settings.brokers)).map_err(refused)?);
        let queue = MessageQueue::new(&consumer);
        let names: Vec<(String, Topic)> = topics.iter().map(|topic| (settings.name(*topic), *topic)).collect();
        let (mut list, mut open) = (TopicPartitionList::new(), BTreeSet::new());
        for (name, topic) in &names {
            for partition in 0..partitions(&consumer, name)? {
                let (low, high) = consumer.fetch_watermarks(name, partition as i32, ASK).map_err(busy)?;
                let from = if since == Since::Beginning { low } else { high };
                list.add_partition_offset(name, partition as i32, Offset::Offset(from)).map_err(busy)?;
                queue.forward(name, partition);
                open.insert((*topic, partition));
            }
        }
        consumer.assign(&list).map_err(busy)?;
        Ok(Self { consumer, queue, names, open })
    }
}

/// How many partitions a topic has.
pub(super) fn partitions<C: ConsumerContext>(consumer: &BaseConsumer<C>, name: &str) -> Result<u32, LogError> {
    let busy = |error: KafkaError| LogError::Busy { doing: DOING, detail: error.to_string() };
    let metadata = consumer.fetch_metadata(Some(name), ASK).map_err(busy)?;
    let count = metadata.topics().iter().find(|topic| topic.name() == name).map_or(0, |topic| topic.partitions().len());
    if count == 0 {
        let cure = "`midan topics create` makes the topics that are missing";
        return Err(LogError::Refused { doing: DOING, detail: format!("there is no topic {name}"), cure });
    }
    Ok(count as u32)
}

impl Tail for KafkaTail {
    fn poll(&mut self, max: usize, wait: Duration, into: &mut Vec<TailRecord>) -> Result<(), LogError> {
        // Serves the client's callbacks; records come by the queue.
        let _ = self.consumer.poll(Duration::ZERO);
        lifeline::pull_if_cut_off(self.consumer.client());
        let mut trouble = None;
        let Self { consumer, queue, names, open } = self;
        queue.read(max, wait, &mut |message| {
            let Some((name, topic)) = names.iter().find(|(name, _)| name == message.topic()) else { return };
            let partition = message.partition();
            match message.kind() {
                Kind::Record => {
                    open.insert((*topic, partition));
                    let mut headers = Vec::new();
                    message.headers(&mut |name, value| headers.push((Arc::from(name), value.to_vec())));
                    into.push(TailRecord {
                        topic: *topic,
                        partition,
                        offset: message.offset(),
                        timestamp_ms: message.timestamp().0,
                        key: message.key().unwrap_or_default().to_vec(),
                        value: message.value().map(<[u8]>::to_vec),
                        headers,
                    });
                }
                // A commit is answered before its markers are everywhere. Until they are, the end that is told lies before what was committed.
                Kind::End if ffi::cached_end(consumer, name, partition).is_some_and(|seen| seen > message.offset()) => {}
                Kind::End => drop(open.remove(&(*topic, partition))),
                // The client goes on with the first record that is kept.
                Kind::OutOfRange => {}
                Kind::Trouble(text) => trouble = Some(format!("{topic}[{partition}]: {text}")),
            }
        });
        trouble.map_or(Ok(()), |detail| Err(LogError::Busy { doing: DOING, detail }))
    }

    fn at_end(&self) -> bool {
        self.open.is_empty()
    }
}
