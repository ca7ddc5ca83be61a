//! Reading a partition of `midan.state`, or the tail of one of `midan.alerts`, to its proven end.
//!
//! A reader of committed records is told the end where the first open transaction begins. So the end it is told is compared with the highest offset that the
//! client has seen: as long as that is greater, somebody's transaction is open (a dead owner's, until it is fenced or times out), and the
//! changelog is not whole. It then says that it is blocked, and is asked again.
//!
//! Its client also puts the two questions that are asked before a partition is taken up ([`ask`]).

use super::ask;
use super::context::Quiet;
use super::ffi::{self, Kind, Message, MessageQueue};
use super::settings::Settings;
use crate::engine::OutTopic;
use crate::log::{AlertEntry, CHANGE_HEADER, COMMANDS_HEADER, GENERATION_HEADER, Identities, LogError, SentAlert, StateEntry, Topic};
use crate::venue::Feed;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;
use std::time::Duration;

const DOING: &str = "restoring the state";
const ASK: Duration = Duration::from_secs(5);
/// How long a question may take that is asked again and again while the shard is at work.
const GLANCE: Duration = Duration::from_secs(1);
/// How long nothing may come before it is asked again.
const SILENCE: Duration = Duration::from_secs(5);
const BATCH: usize = 4_096;

/// A reader of the changelog and of the alerts, kept from one restore to the next.
pub(super) struct Restorer {
    consumer: Arc<BaseConsumer<Quiet>>,
    queue: MessageQueue<Quiet>,
    state: String,
    alerts: String,
    inputs: [(Feed, String); 4],
}

/// Takes one record.
type Each<'a> = dyn FnMut(Message<'_>) + 'a;

impl Restorer {
    pub(super) fn start(settings: &Settings) -> Result<Self, LogError> {
        let consumer: BaseConsumer<Quiet> = BaseConsumer::from_config_and_context(&settings.reader("restore"), Quiet).map_err(|error| LogError::Refused {
            doing: DOING,
            detail: error.to_string(),
            cure: "check the Kafka table of the configuration",
        })?;
        let consumer = Arc::new(consumer);
        let name = |topic| settings.name(Topic::Out(topic));
        let inputs = Feed::ALL.map(|feed| (feed, settings.name(Topic::In(feed))));
        Ok(Self { queue: MessageQueue::new(&consumer), consumer, state: name(OutTopic::State), alerts: name(OutTopic::Alerts), inputs })
    }

    /// Hands over every committed entry and answers how many there were.
    pub(super) fn state(&mut self, partition: u32, entry: &mut StateEntry<'_>) -> Result<u64, LogError> {
        let topic = self.state.clone();
        let mut entries = 0;
        self.read(&topic, partition, Some(0), &mut |message| {
            entries += 1;
            entry(message.key().unwrap_or_default(), message.value());
        })?;
        Ok(entries)
    }

    /// Hands over the alerts from `from` on that were sent before their commit, and answers where the partition ends.
    pub(super) fn alerts(&mut self, partition: u32, from: Option<i64>, alert: &mut AlertEntry<'_>) -> Result<i64, LogError> {
        let topic = self.alerts.clone();
        self.read(&topic, partition, from, &mut |message| {
            let (mut change_no, mut commands_read, mut term) = (0, None, 0);
            message.headers(&mut |name, value| {
                let text = std::str::from_utf8(value).unwrap_or_default();
                match name {
                    CHANGE_HEADER => change_no = text.parse().unwrap_or_default(),
                    GENERATION_HEADER => term = text.parse().unwrap_or_default(),
                    COMMANDS_HEADER => commands_read = text.parse().ok(),
                    _ => {}
                }
            });
            if let Some(commands_read) = commands_read {
                let (key, value) = (message.key().unwrap_or_default(), message.value().unwrap_or_default());
                alert(SentAlert { key, change_no, value, commands_read, term });
            }
        })
    }

    /// The ids of the inputs' topics.
    pub(super) fn identities(&self) -> Result<Identities, LogError> {
        let names: Vec<&str> = self.inputs.iter().map(|(_, name)| name.as_str()).collect();
        let ids = ask::topic_ids(self.consumer.client(), &names, ASK)?;
        Ok(self.inputs.iter().zip(ids).filter_map(|((feed, _), id)| Some((*feed, id?))).collect())
    }

    /// Whether a group has members.
    pub(super) fn has_members(&self, group: &str) -> Result<bool, LogError> {
        ask::members(self.consumer.client(), group, GLANCE).map(|members| members > 0)
    }

    /// Reads a partition from an offset on (none: nothing of it) and answers where it ends.
    fn read(&mut self, topic: &str, partition: u32, from: Option<i64>, each: &mut Each<'_>) -> Result<i64, LogError> {
        let busy = |error: KafkaError| LogError::Busy { doing: DOING, detail: error.to_string() };
        // Asking first spares the half second that the client takes to ask again when it is not connected yet.
        let (low, high) = self.consumer.fetch_watermarks(topic, partition as i32, ASK).map_err(busy)?;
        let Some(from) = from else { return Ok(high) };
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition as i32, Offset::Offset(from.max(low))).map_err(busy)?;
        self.queue.forward(topic, partition);
        self.consumer.assign(&list).map_err(busy)?;
        drop(list);
        let read = self.read_to_end(topic, partition, high, each);
        self.consumer.unassign().map_err(busy)?;
        read
    }

    fn read_to_end(&mut self, topic: &str, partition: u32, known_end: i64, each: &mut Each<'_>) -> Result<i64, LogError> {
        let (mut end, mut trouble) = (None, None);
        let end = loop {
            let read = self.queue.read(BATCH, SILENCE, &mut |message| {
                // What an earlier read has left in the queue.
                if message.topic() != topic || message.partition() != partition {
                    return;
                }
                match message.kind() {
                    Kind::Record => each(message),
                    Kind::End => end = Some(message.offset()),
                    Kind::OutOfRange => trouble = Some("its beginning was compacted away meanwhile".to_owned()),
                    Kind::Trouble(text) => trouble = Some(text),
                }
            });
            if let Some(detail) = trouble.take() {
                return Err(LogError::Busy { doing: DOING, detail });
            }
            if let Some(end) = end {
                break end;
            }
            if read == 0 {
                return Err(LogError::Busy { doing: DOING, detail: format!("nothing came of {topic}[{partition}]") });
            }
            // Its callbacks want to be served, and it is never heard of again if nobody polls it.
            let _ = self.consumer.poll(Duration::ZERO);
        };
        // An answer that is an error wipes out what was seen, and the end that was asked for is none beyond an open transaction.
        let unseen = || LogError::Busy { doing: DOING, detail: format!("nobody can tell whether a transaction is open on {topic}[{partition}]") };
        let seen = ffi::cached_end(&self.consumer, topic, partition).ok_or_else(unseen)?.max(known_end);
        if seen > end {
            let detail = format!("a transaction is open on {topic}[{partition}] from {end} to {seen}");
            return Err(LogError::Blocked { doing: DOING, detail });
        }
        Ok(end)
    }
}
