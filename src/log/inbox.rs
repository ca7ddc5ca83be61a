//! What a poll brings: records by partition number, and what has happened to the membership, the ends and the broker's time.
//!
//! The buffers are used again from poll to poll, so that reading allocates nothing per record.

use crate::feeds::Batch;
use crate::venue::Feed;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// A partition of a feed's topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Whose topic.
    pub feed: Feed,
    /// The partition's number.
    pub partition: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.feed.topic(), self.partition)
    }
}

/// The next offset to be read of each place.
pub type Offsets = BTreeMap<Place, i64>;

/// Which offsets of each place are there: from the first that is kept to the next that will come.
pub type Kept = BTreeMap<Place, Range<i64>>;

/// What has happened since the last poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// These partition numbers are this shard's now: restore each, then start reading.
    Assigned(Vec<u32>),
    /// These are being taken away: finish what is open, then release them.
    Revoked {
        /// Which.
        partitions: Vec<u32>,
        /// Whether they are known to be another's already: then nothing of them can be committed any more.
        lost: bool,
    },
    /// A place is read to its end; it says so again only after further records.
    ReadToEnd {
        /// Which.
        place: Place,
        /// The next offset to be read, behind transaction markers.
        next_offset: i64,
    },
    /// The broker's time (epoch ms), about once a second.
    BrokerTime(i64),
}

/// What a poll brings.
#[derive(Debug, Default)]
pub struct Inbox {
    batches: BTreeMap<u32, Batch>,
    /// What has happened; it holds after the batches.
    pub events: Vec<Event>,
}

impl Inbox {
    /// Empties it and keeps its buffers.
    pub fn clear(&mut self) {
        self.batches.values_mut().for_each(Batch::clear);
        self.events.clear();
    }

    /// The batch of a partition, to be filled.
    pub fn batch_mut(&mut self, partition: u32) -> &mut Batch {
        self.batches.entry(partition).or_default()
    }

    /// The batch of a partition; none where nothing was ever read of it.
    pub fn batch(&self, partition: u32) -> Option<&Batch> {
        self.batches.get(&partition).filter(|batch| !batch.is_empty())
    }

    /// How many records it holds.
    pub fn records(&self) -> usize {
        self.batches.values().map(Batch::len).sum()
    }

    /// The size of what it holds, in bytes.
    pub fn bytes(&self) -> usize {
        self.batches.values().map(Batch::bytes).sum()
    }

    /// Whether nothing was brought.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.records() == 0
    }

    /// Forgets a partition's records and its buffer.
    pub fn forget(&mut self, partition: u32) {
        self.batches.remove(&partition);
    }
}
