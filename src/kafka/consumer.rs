//! Reading the inputs: the lead topic is subscribed, its sisters follow its partitions, so that one shard has the same partition number of all four.
//!
//! The group's decisions are noted by the callback ([`super::context`]) and handed to the shard as events, before any record of the same poll. A
//! revocation is carried out only when the shard has finished its transaction and calls `release`: until then it is the owner.

use super::context::{Decision, Membership};
use super::ffi::{self, Kind, MessageQueue};
use super::lifeline::{self, Lifeline};
use super::producer::now;
use super::settings::Settings;
use crate::log::{Event, Inbox, Kept, LogError, Offsets, Place, Topic};
use crate::venue::Feed;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The topic whose partitions the group hands out.
const LEAD: Feed = Feed::Sensors;
/// How long a question to the broker may take.
const ASK: Duration = Duration::from_secs(5);
/// The same of one that comes while records are read: the shard waits for it.
const GLANCE: Duration = Duration::from_secs(1);

/// A client that leaves the group waits so long for its coordinator, beside the shard. A service that is told to stop ends sooner.
const LEAVE_PATIENCE: Duration = Duration::from_secs(60);

/// The reader of the inputs.
pub(super) struct Input {
    consumer: Arc<BaseConsumer<Membership>>,
    queue: MessageQueue<Membership>,
    names: [(Feed, String); 4],
    started: BTreeSet<Place>,
    owned: BTreeSet<u32>,
    /// A revocation that was reported and waits to be carried out.
    revoking: bool,
    /// What the client said of a partition, to be reported by the next poll: this one's records must not be lost over it.
    trouble: Option<LogError>,
    /// The membership as it was before the last records were read.
    metadata: Option<Arc<ConsumerGroupMetadata>>,
    generation: i32,
}

impl Input {
    pub(super) fn join(settings: &Settings, shard: u32) -> Result<Self, LogError> {
        let doing = "joining the group";
        let names = Feed::ALL.map(|feed| (feed, settings.name(Topic::In(feed))));
        let sisters = names.iter().filter(|(feed, _)| *feed != LEAD).map(|(_, name)| name.clone()).collect();
        let refused = |error: KafkaError| LogError::Refused { doing, detail: error.to_string(), cure: "check the Kafka table of the configuration" };
        let consumer =
            BaseConsumer::from_config_and_context(&settings.input(shard), Membership::new(sisters, Lifeline::new(&settings.brokers))).map_err(refused)?;
        consumer.subscribe(&[&settings.name(Topic::In(LEAD))]).map_err(refused)?;
        let consumer = Arc::new(consumer);
        let queue = MessageQueue::new(&consumer);
        Ok(Self { consumer, queue, names, started: BTreeSet::new(), owned: BTreeSet::new(), revoking: false, trouble: None, metadata: None, generation: -1 })
    }

    pub(super) fn poll(&mut self, max: usize, wait: Duration, inbox: &mut Inbox) -> Result<(), LogError> {
        self.follow_group(inbox)?;
        if !inbox.events.is_empty() {
            return Ok(());
        }
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        self.note_membership();
        let doing = "reading the inputs";
        let Self { queue, names, started, trouble, .. } = self;
        queue.read(max, wait, &mut |message| {
            let Some((feed, _)) = names.iter().find(|(_, name)| name == message.topic()) else { return };
            let place = Place { feed: *feed, partition: message.partition() };
            // What was fetched of a partition that has been given back is the next owner's.
            if !started.contains(&place) {
                return;
            }
            match message.kind() {
                Kind::Record => inbox.batch_mut(place.partition).push(&message.record(*feed)),
                Kind::End => inbox.events.push(Event::ReadToEnd { place, next_offset: message.offset() }),
                // Left to itself the client would begin again at the first record, and count all of them twice.
                Kind::OutOfRange => *trouble = Some(LogError::Unknown { doing, detail: format!("{place}: the next record to read is not there") }),
                Kind::Trouble(text) => *trouble = Some(LogError::Busy { doing, detail: format!("{place}: {text}") }),
            }
        });
        drop_overtaken_ends(inbox);
        Ok(())
    }

    /// Lets the client call back, and turns what the group decided into events.
    fn follow_group(&mut self, inbox: &mut Inbox) -> Result<(), LogError> {
        let doing = "following the group";
        lifeline::pull_if_cut_off(self.consumer.client());
        for _ in 0..2 {
            match self.consumer.poll(Duration::ZERO) {
                None | Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Ok(_)) => return Err(LogError::Unknown { doing, detail: "a record came outside the queue of its partition".to_owned() }),
                Some(Err(KafkaError::MessageConsumptionFatal(code))) => return Err(LogError::Fenced { doing, detail: code.to_string() }),
                Some(Err(KafkaError::MessageConsumption(RDKafkaErrorCode::UnknownTopicOrPartition))) => {
                    let cure = "`midan topics create` makes the topics that are missing";
                    return Err(LogError::Refused { doing, detail: "a topic of the inputs does not exist".to_owned(), cure });
                }
                Some(Err(error)) => tracing::warn!(%error, "reading the inputs"),
            }
        }
        for decision in self.consumer.context().take() {
            match decision {
                // An assignment of nothing is how the cooperative protocol says that all stays; it wants its answer too.
                Decision::Assign(partitions) if partitions.is_empty() => self.assign(&TopicPartitionList::new())?,
                Decision::Assign(partitions) => {
                    self.owned.extend(&partitions);
                    self.note_membership();
                    inbox.events.push(Event::Assigned(partitions));
                }
                Decision::Revoke(partitions, lost) => {
                    self.revoking = true;
                    inbox.events.push(Event::Revoked { partitions, lost });
                }
            }
        }
        Ok(())
    }

    /// Takes the membership down before records are read under it. The group fences by generation and not by partition: metadata taken later would let a
    /// member commit what it has lost. One that was thrown out has no generation, and its metadata is not taken at all.
    fn note_membership(&mut self) {
        let metadata = self.consumer.group_metadata();
        if let Some(generation) = ffi::generation(&self.consumer).filter(|generation| *generation >= 0) {
            self.generation = generation;
            self.metadata = metadata.map(Arc::new);
        }
    }

    /// The membership as it was before the last records were read.
    pub(super) fn metadata(&self) -> Option<Arc<ConsumerGroupMetadata>> {
        self.metadata.clone()
    }

    pub(super) fn generation(&self) -> i32 {
        self.generation
    }

    /// A partition that is owned, for the heartbeat.
    pub(super) fn any_owned(&self) -> Option<u32> {
        self.owned.first().copied()
    }

    pub(super) fn committed(&self, partition: u32) -> Result<Offsets, LogError> {
        let busy = |error: KafkaError| LogError::Busy { doing: "asking for the committed offsets", detail: error.to_string() };
        let mut list = TopicPartitionList::new();
        for (_, name) in &self.names {
            list.add_partition(name, partition as i32);
        }
        let list = self.consumer.committed_offsets(list, ASK).map_err(busy)?;
        let mut offsets = Offsets::new();
        for (feed, name) in &self.names {
            let Some(element) = list.find_partition(name, partition as i32) else { continue };
            element.error().map_err(busy)?;
            if let Offset::Offset(next) = element.offset() {
                offsets.insert(Place { feed: *feed, partition }, next);
            }
        }
        Ok(offsets)
    }

    pub(super) fn kept(&self, partition: u32) -> Result<Kept, LogError> {
        let kept = |place| Ok((place, self.bounds(place, ASK)?));
        Feed::ALL.into_iter().map(|feed| kept(Place { feed, partition })).collect()
    }

    pub(super) fn start(&mut self, from: &Offsets) -> Result<(), LogError> {
        let list = self.offsets(from)?;
        for place in from.keys() {
            self.queue.forward(self.name(place.feed), place.partition);
        }
        self.assign(&list)?;
        self.started.extend(from.keys());
        // A pause may outlive the assignment in which it was made.
        let places: Vec<Place> = from.keys().copied().collect();
        self.pause(&places, false)
    }

    fn assign(&self, list: &TopicPartitionList) -> Result<(), LogError> {
        self.consumer.incremental_assign(list).map_err(|error| LogError::Unknown { doing: "starting partitions", detail: error.to_string() })
    }

    pub(super) fn halt(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        let places: Offsets = self.started.iter().filter(|place| partitions.contains(&place.partition)).map(|place| (*place, -1)).collect();
        if places.is_empty() {
            return Ok(());
        }
        self.unassign(&places)
    }

    /// Stops fetching places that stay assigned, or goes on with them. What was fetched of them and not read is fetched again.
    pub(super) fn pause(&self, places: &[Place], paused: bool) -> Result<(), LogError> {
        let mut list = TopicPartitionList::with_capacity(places.len());
        for place in places.iter().filter(|place| self.started.contains(place)) {
            list.add_partition(self.name(place.feed), place.partition as i32);
        }
        let done = if paused { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
        done.map_err(|error| LogError::Unknown { doing: "pausing partitions", detail: error.to_string() })
    }

    fn unassign(&mut self, places: &Offsets) -> Result<(), LogError> {
        let mut list = TopicPartitionList::new();
        for place in places.keys() {
            list.add_partition(self.name(place.feed), place.partition as i32);
            self.started.remove(place);
        }
        self.consumer.incremental_unassign(&list).map_err(|error| LogError::Unknown { doing: "stopping partitions", detail: error.to_string() })
    }

    /// Carries a reported revocation out.
    pub(super) fn release(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        self.owned.retain(|partition| !partitions.contains(partition));
        let places: Offsets = self.started.iter().filter(|place| partitions.contains(&place.partition)).map(|place| (*place, -1)).collect();
        // The call is owed even where nothing was started: the group waits for it.
        self.revoking = false;
        self.unassign(&places)
    }

    /// Offsets by topic and partition.
    pub(super) fn named(&self, next: &Offsets) -> Vec<(String, u32, i64)> {
        next.iter().map(|(place, next)| (self.name(place.feed).to_owned(), place.partition, *next)).collect()
    }

    pub(super) fn end(&self, place: Place) -> Result<i64, LogError> {
        self.bounds(place, GLANCE).map(|kept| kept.end)
    }

    fn bounds(&self, place: Place, wait: Duration) -> Result<Range<i64>, LogError> {
        let busy = |error: KafkaError| LogError::Busy { doing: "asking for the bounds of an input", detail: format!("{place}: {error}") };
        self.consumer.fetch_watermarks(self.name(place.feed), place.partition as i32, wait).map(|(first, end)| first..end).map_err(busy)
    }

    /// Offsets as a list of the client. Built where it is used: one that is kept can hang the consumer's drop.
    fn offsets(&self, next: &Offsets) -> Result<TopicPartitionList, LogError> {
        let mut list = TopicPartitionList::with_capacity(next.len());
        for (place, offset) in next {
            list.add_partition_offset(self.name(place.feed), place.partition as i32, Offset::Offset(*offset))
                .map_err(|error| LogError::Unknown { doing: "naming offsets", detail: format!("{place}@{offset}: {error}") })?;
        }
        Ok(list)
    }

    fn name(&self, feed: Feed) -> &str {
        self.names.iter().find(|(known, _)| *known == feed).map_or("", |(_, name)| name)
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if self.revoking {
            let all: Vec<u32> = self.owned.iter().copied().collect();
            let _ = self.release(&all);
        }
        self.consumer.context().close();
        leave(Arc::clone(&self.consumer), self.name(LEAD).to_owned());
    }
}

/// Closes a client: here if the group's coordinator answers, and otherwise on a thread of its own once it does, for the shard goes on with a new client meanwhile.
///
/// One that is closed while its coordinator is away takes the process with it (librdkafka up to 2.13 reads through a null pointer when it leaves then, its issue 5347).
fn leave(consumer: Arc<BaseConsumer<Membership>>, lead: String) {
    let is_answered = move |consumer: &BaseConsumer<Membership>, wait: Duration| {
        let mut list = TopicPartitionList::new();
        list.add_partition(&lead, 0);
        consumer.committed_offsets(list, wait).is_ok()
    };
    // Who stops takes the thread with it, and the group then waits for the session time-out: so a slow answer is waited for here.
    if is_answered(&consumer, Duration::from_secs(3)) {
        return;
    }
    std::thread::spawn(move || {
        let began = now();
        while began.elapsed() < LEAVE_PATIENCE {
            // Some refusals come at once.
            rest(Duration::from_millis(100));
            if is_answered(&consumer, Duration::from_secs(1)) {
                return;
            }
        }
        tracing::warn!("The group is left while its coordinator does not answer.");
    });
}

#[allow(clippy::disallowed_methods, reason = "there is no signal to wait for when a coordinator is away")]
fn rest(length: Duration) {
    std::thread::sleep(length);
}

/// An end that was followed by records of its place within the same poll is no end any more.
fn drop_overtaken_ends(inbox: &mut Inbox) {
    let mut events = std::mem::take(&mut inbox.events);
    events.retain(|event| match event {
        Event::ReadToEnd { place, next_offset } => {
            let later = |batch: &crate::feeds::Batch| batch.iter().any(|record| record.feed == place.feed && record.offset >= *next_offset);
            !inbox.batch(place.partition).is_some_and(later)
        }
        _ => true,
    });
    inbox.events = events;
}
