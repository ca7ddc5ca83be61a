//! The log behind Midan: what a shard, a reader and a feeder need of it, and nothing of how it is done.
//!
//! The idea: Kafka is the distributed engine, and Midan uses few of its powers: partitions in order, a group that hands them out, one
//! transaction for outputs, state and offsets, and a compacted changelog. These traits name those powers in the domain's words, so
//! that a shard is driven by the very same loop (`shard`) on a real Kafka (`kafka`) and on the log inside the process ([`embedded`]).
//!
//! ```text
//!   Feeder ──► input topics ──► ShardLog::poll … commit ──► output topics ──► Tail
//!                                     ▲    │
//!                       read_state ───┘    └──► send_alert (at once, its own lane)
//! ```
//!
//! - [`inbox`]: what a poll brings; [`topics`]: the topics and how each is to be set up; [`error`]: what can go wrong, each with its one answer;
//!   [`freshest`]: which alert a reader shows.

pub mod embedded;
pub mod error;
pub mod freshest;
pub mod inbox;
pub mod topics;

pub use error::{Answer, LogError};
pub use freshest::{Freshest, Sighting};
pub use inbox::{Event, Inbox, Kept, Offsets, Place};
pub use topics::{Fault, Plan, Spec, Stamp, Topic};

use crate::engine::{Alert, OutRecord, StateChange};
use crate::feeds::{Attributes, RecordRef};
use crate::venue::Feed;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The header that names the input of an output record: `topic/partition/offset`.
pub const POSITION_HEADER: &str = "midan-position";
/// The header that names the source of an input record.
pub const SOURCE_HEADER: &str = "midan-source";
/// The header that says when an input record was received, in epoch milliseconds as decimal text.
pub const RECEIVED_HEADER: &str = "midan-received";
/// The header of an alert that carries the term of its sender: of two senders, the greater is the rightful one. It is the group's generation, and goes on from the
/// partition's last one where a group begins to count anew.
pub const GENERATION_HEADER: &str = "midan-generation";
/// The header of an alert that carries the number of the change within its alarm.
pub const CHANGE_HEADER: &str = "midan-change";
/// The header of an alert that left before its commit: the next command that its sender would have read. A restarted shard reads the commands up to there and no
/// further until it has made the alert again. An alert that was seen with its commit has no such header.
pub const COMMANDS_HEADER: &str = "midan-commands-read";
/// The key in `midan.state` under which a shard writes who it is and how far its alerts stand; it is no core's.
pub const OWNER_KEY: &[u8] = b"~owner";
/// How the keys of the heartbeats begin, which a shard on Kafka leaves on `midan.alerts` once a second; readers of alarms pass them over.
pub const HEARTBEAT_PREFIX: &str = "heartbeat/";

/// Takes one entry of the changelog: the key, and the value if there is one.
pub type StateEntry<'a> = dyn FnMut(&[u8], Option<&[u8]>) + 'a;

/// An alert as it stands on `midan.alerts`, sent before its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentAlert<'a> {
    /// The alarm's id.
    pub key: &'a [u8],
    /// The number of the change.
    pub change_no: u32,
    /// The record.
    pub value: &'a [u8],
    /// The next command that its sender would have read.
    pub commands_read: i64,
    /// The term under which it was sent.
    pub term: i32,
}

/// Takes one alert of the tail of `midan.alerts`.
pub type AlertEntry<'a> = dyn FnMut(SentAlert<'_>) + 'a;

/// By feed, what tells a topic from one that is made under its name later.
pub type Identities = std::collections::BTreeMap<Feed, String>;

/// How the fencing of a shard that is gone stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fencing {
    /// It goes on.
    Going,
    /// Nothing of that shard can be committed any more.
    Done,
    /// It failed, and why; it may come about later.
    Failed(String),
    /// It will not come about.
    Refused {
        /// What came back.
        detail: String,
        /// What to do.
        cure: &'static str,
    },
}

/// One shard's membership in the group: what it reads, and the transaction in which it writes.
///
/// The calls between `begin` and `commit` never answer [`LogError::Busy`]: they wait for room, or say that the transaction cannot stand.
///
/// The order of calls: [`Event::Assigned`] → [`read_state`](Self::read_state), [`committed`](Self::committed), [`start`](Self::start);
/// then polls and appends, a commit now and then; [`Event::Revoked`] → commit or abort, then [`release`](Self::release).
pub trait ShardLog {
    /// The name under which its transactions run: what [`fence`](Self::fence) of another shard wants to know once this one is dead.
    fn id(&self) -> &str;

    /// The group through which it gets its partitions.
    fn group(&self) -> &str;

    /// The group's generation as this shard knows it; it only grows while the group lives.
    fn generation(&self) -> i32;

    /// Waits up to `wait` for something to do and fills `inbox` (which it clears) with at most `max_records` records and what has happened.
    ///
    /// A poll that reports a revocation brings no records: the open transaction can be finished while the partitions are still owned.
    fn poll(&mut self, max_records: usize, wait: Duration, inbox: &mut Inbox) -> Result<(), LogError>;

    /// The next offsets of a partition number that the group has committed; a feed of which it knows none is missing.
    fn committed(&mut self, partition: u32) -> Result<Offsets, LogError>;

    /// Which records of a partition number are there, of all four feeds: from the first that is kept to the next that will come.
    fn kept(&mut self, partition: u32) -> Result<Kept, LogError>;

    /// Where one without a state of its own reads on: where the group stands, and otherwise with the first record that is kept.
    fn unread(&mut self, partition: u32) -> Result<Offsets, LogError> {
        let committed = self.committed(partition)?;
        let next = |(place, kept): (Place, Range<i64>)| (place, committed.get(&place).map_or(kept.start, |next| kept.start.max(*next)));
        Ok(self.kept(partition)?.into_iter().map(next).collect())
    }

    /// What tells each input's topic from one that is made under its name later; nothing where the log does not say.
    fn identities(&mut self) -> Result<Identities, LogError> {
        Ok(Identities::new())
    }

    /// Starts reading assigned places at these offsets. May be called for some feeds of a partition first and for the others later.
    fn start(&mut self, from: &Offsets) -> Result<(), LogError>;

    /// Stops reading partitions that stay owned, and forgets what was fetched of them; [`start`](Self::start) takes them up again.
    fn halt(&mut self, partitions: &[u32]) -> Result<(), LogError>;

    /// Stops reading places for a while, or goes on with them; nothing of them is lost. Starting a place again ends its pause.
    fn pause(&mut self, places: &[Place], paused: bool) -> Result<(), LogError>;

    /// Gives revoked partitions back. What was read of them and is not committed belongs to the next owner.
    fn release(&mut self, partitions: &[u32]) -> Result<(), LogError>;

    /// Hands over the committed changelog of a partition in the order of its writing (a key may come again; no value: it is gone),
    /// and answers how many entries there were. Blocks until the end is proven.
    fn read_state(&mut self, partition: u32, entry: &mut StateEntry<'_>) -> Result<u64, LogError>;

    /// Hands over the alerts of a partition that were sent before their commit, from offset `from` on, in the order of their sending, and answers the offset
    /// behind the last. Without `from` only that offset is told.
    fn read_alerts(&mut self, partition: u32, from: Option<i64>, alert: &mut AlertEntry<'_>) -> Result<i64, LogError>;

    /// The offset behind the last alert that this shard sent to a partition and the log has; none before the first.
    fn alerts_end(&self, partition: u32) -> Option<i64>;

    /// Sees to it that nothing of the shard with this id can be committed any more and that its open transaction ends. Called only for an id that the group has
    /// dropped, or never knew. It may go on after the call; what was blocked is asked for again.
    fn fence(&mut self, id: &str);

    /// Whether a group has members, alive or not yet missed.
    fn has_members(&mut self, group: &str) -> Result<bool, LogError>;

    /// How the last fencing of this id stands; `None` where this client was not asked.
    fn fencing(&self, id: &str) -> Option<Fencing>;

    /// The offset that the next record of an input will have, as the log says when it is asked.
    fn end(&mut self, place: Place) -> Result<i64, LogError>;

    /// Opens a transaction.
    fn begin(&mut self) -> Result<(), LogError>;

    /// Adds an output to the open transaction, on the partition of its input.
    fn append(&mut self, partition: u32, record: &OutRecord) -> Result<(), LogError>;

    /// Adds a change of the state to the open transaction.
    fn append_state(&mut self, partition: u32, change: &StateChange) -> Result<(), LogError>;

    /// Adds to the open transaction an alert that must not be seen before it, under its term.
    fn append_alert(&mut self, partition: u32, alert: &Alert, term: i32) -> Result<(), LogError>;

    /// Starts committing outputs, state and the next offsets together. Until [`await_commit`](Self::await_commit) answers true nothing may be appended; everything
    /// else may be called, alerts included.
    fn start_commit(&mut self, next: &Offsets) -> Result<(), LogError>;

    /// Waits up to `wait` for the commit that was started and answers whether it stands. After an error see [`LogError::answer`].
    fn await_commit(&mut self, wait: Duration) -> Result<bool, LogError>;

    /// Commits, and waits for it.
    fn commit(&mut self, next: &Offsets) -> Result<(), LogError> {
        self.start_commit(next)?;
        while !self.await_commit(Duration::from_millis(100))? {}
        Ok(())
    }

    /// Gives the open transaction up, after one that is being committed has got its answer; without one it does nothing.
    fn abort(&mut self) -> Result<(), LogError>;

    /// Sends an alert at once, on a lane of its own that waits for no transaction; `commands_read` is the next command that is read.
    /// `term` is the one under which it speaks for the partition ([`GENERATION_HEADER`]).
    fn send_alert(&mut self, partition: u32, alert: &Alert, term: i32, commands_read: i64) -> Result<(), LogError>;

    /// Waits up to `wait` until the broker has every alert. Offsets must not be committed past an alert that could still be lost.
    fn await_alerts(&mut self, wait: Duration) -> Result<(), LogError>;

    /// Whether nobody will write to the inputs any more, so that "read to the end" is the end. Kafka cannot know: there the caller who
    /// asks for a run to the end vouches for it.
    fn inputs_closed(&self) -> bool;
}

/// A record as a plain reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailRecord {
    /// Its topic.
    pub topic: Topic,
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: i64,
    /// Its time stamp, epoch ms: of the writer or of the broker, as the topic says.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Vec<u8>,
    /// Its value; none says that the key is gone.
    pub value: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Vec<(Arc<str>, Vec<u8>)>,
}

impl TailRecord {
    /// The text of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.as_ref() == name)?;
        std::str::from_utf8(value).ok()
    }
}

impl TailRecord {
    /// A record of an input topic as a shard reads it. The broker's time of appending stands for a missing receive time.
    pub fn as_input(&self, feed: Feed) -> RecordRef<'_> {
        let received = self.header(RECEIVED_HEADER).and_then(|text| text.parse().ok());
        let mut attributes = Attributes::default();
        for name in Attributes::NAMES {
            if let Some(value) = self.header(name) {
                attributes.take(name, value);
            }
        }
        RecordRef {
            feed,
            partition: self.partition,
            offset: self.offset,
            appended: None,
            received: received.or(Some(self.timestamp_ms)),
            key: Some(&self.key),
            value: self.value.as_deref().unwrap_or_default(),
            source: self.header(SOURCE_HEADER),
            format: self.header("ce_type").or_else(|| self.header("content-type")),
            cloud_event: self.header("ce_source").zip(self.header("ce_id")),
            attributes,
        }
    }
}

/// From where a [`Tail`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// The first record that is kept.
    Beginning,
    /// What comes from now on.
    End,
}

/// A plain reader of whole topics, outside any group: the console, the publishers, the tests. It sees committed records only.
pub trait Tail {
    /// Waits up to `wait` and appends at most `max` records to `into`. Order holds within a partition.
    fn poll(&mut self, max: usize, wait: Duration, into: &mut Vec<TailRecord>) -> Result<(), LogError>;

    /// Whether every partition was read to the end that it had when it was last asked. A partition on which a transaction is open has no end yet.
    fn at_end(&self) -> bool;
}

/// A record for an input topic.
#[derive(Clone, Copy, Debug)]
pub struct InRecord<'a> {
    /// Which feed's topic.
    pub feed: Feed,
    /// The key: the venue's id, which also tells the partition.
    pub key: &'a [u8],
    /// The value.
    pub value: &'a [u8],
    /// The source, for the header `midan-source`.
    pub source: Option<&'a str>,
    /// The format, for the header `content-type`, where the value does not say it itself.
    pub format: Option<&'a str>,
    /// When it was received (epoch ms), for the header `midan-received`.
    pub received: Option<i64>,
    /// The headers of CloudEvents that came with it: (`ce_source`, `ce_id`), and the others.
    pub cloud_event: Option<(&'a str, &'a str)>,
    /// See there.
    pub attributes: crate::feeds::Attributes<'a>,
}

impl<'a> InRecord<'a> {
    /// A record of `feed` for the venue `key`, without headers.
    pub const fn new(feed: Feed, key: &'a [u8], value: &'a [u8]) -> Self {
        Self { feed, key, value, source: None, format: None, received: None, cloud_event: None, attributes: crate::feeds::Attributes::NONE }
    }
}

/// A plain writer of input records: the simulator, the door, the API's commands.
pub trait Feeder {
    /// Queues a record, on the partition of its key (murmur2, as Java's default producer does). Blocks while the log asks for patience.
    fn send(&mut self, record: &InRecord<'_>) -> Result<(), LogError>;

    /// Queues a record for `midan.quarantine`: what the door could not read, with where it came from. An empty key is nobody's.
    fn quarantine(&mut self, key: &[u8], value: &[u8], position: &str) -> Result<(), LogError>;

    /// Waits until the log has every record that was sent.
    fn flush(&mut self) -> Result<(), LogError>;

    /// The log's own clock when it took the last record of an input since this was asked last, epoch ms, where it tells.
    fn take_log_time(&mut self) -> Option<i64> {
        None
    }
}

/// Sets the topics up, and says what is wrong with those that stand.
pub trait TopicAdmin {
    /// Creates what is missing, with everything set at creation, and answers what it created.
    fn create(&self, plan: &Plan) -> Result<Vec<Topic>, LogError>;

    /// Every difference between the plan and what stands; empty is good.
    fn check(&self, plan: &Plan) -> Result<Vec<Fault>, LogError>;
}
