//! The log inside the process: partitions, groups and transactions as Kafka has them, with nothing installed.
//!
//! The idea: whatever a transaction writes stays with its member until the commit, and is then appended under one lock together with its offsets. So a
//! reader sees all of it or nothing, without markers and without waiting. The log has no clock: its owner sets the broker's time
//! ([`EmbeddedLog::set_clock`]), which is why a night can run at any speed. Records are in memory up to a budget,
//! beyond it in files, and are trimmed once every reader has passed them.
//!
//! - `segment`, `partition`: records in order; `state`: everything behind the lock; `group`: who owns which partition;
//! - [`member`]: a shard's side; [`tail`], [`feeder`]: plain reading and writing; [`faults`]: what goes wrong on purpose.

pub mod faults;
pub mod feeder;
mod group;
pub mod member;
mod partition;
mod segment;
mod state;
pub mod tail;

#[cfg(test)]
mod tests;

pub use faults::Faults;
pub use feeder::EmbeddedFeeder;
pub use member::Member;
pub use tail::EmbeddedTail;

use crate::engine::OutTopic;
use crate::log::{LogError, Since, Topic};
use crate::venue::Feed;
use state::State;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What becomes of records that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// They stay.
    Keep,
    /// An input goes once every group has committed past it, an output once every reader has passed it; a topic that nobody reads stays.
    UntilRead,
}

/// How an embedded log is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the segments go. The caller owns the folder, and removes it if it was temporary.
    pub folder: PathBuf,
    /// Partitions of every topic.
    pub partitions: u32,
    /// The size at which the growing end of a partition is sealed, in bytes.
    pub segment_bytes: usize,
    /// How much of what is sealed may stay in memory before it is written to files, over all partitions, in bytes.
    pub resident_bytes: usize,
    /// What becomes of records that were read.
    pub retention: Retention,
    /// How much input may wait unread before a feeder is made to wait, in bytes; none: it never waits.
    pub unread_bytes: Option<usize>,
}

impl Options {
    /// The usual settings: segments of 1 MiB, 32 MiB of them in memory, everything kept, no bound on what waits.
    pub fn new(folder: impl Into<PathBuf>, partitions: u32) -> Self {
        Self {
            folder: folder.into(),
            partitions: partitions.max(1),
            segment_bytes: 1 << 20,
            resident_bytes: 32 << 20,
            retention: Retention::Keep,
            unread_bytes: None,
        }
    }
}

/// The log. Clones are handles on the same one.
#[derive(Clone, Debug)]
pub struct EmbeddedLog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    /// A thread that died while it held the lock left whole records only, so the others go on.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, at_most: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, at_most).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// How much the log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// On disk and in memory, in bytes.
    pub bytes: usize,
    /// Of that, sealed segments that are also in memory, in bytes.
    pub resident_bytes: usize,
}

impl EmbeddedLog {
    /// Opens the log in its folder: a new one where the folder is empty, else the one that [`flush`](Self::flush) left there.
    pub fn open(options: Options) -> Result<Self, LogError> {
        let state = State::open(options)?;
        Ok(Self { shared: Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }) })
    }

    /// Sets the broker's time (epoch ms). It never goes back.
    pub fn set_clock(&self, at_ms: i64) {
        let mut state = self.shared.lock();
        state.clock = state.clock.max(at_ms);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// The broker's time (epoch ms).
    pub fn clock(&self) -> i64 {
        self.shared.lock().clock
    }

    /// How many partitions every topic has.
    pub fn partitions(&self) -> u32 {
        self.shared.lock().options.partitions
    }

    /// A shard's membership in a group that hands the partitions out.
    pub fn member(&self, group: &str, faults: Faults) -> Member {
        Member::join(Arc::clone(&self.shared), group, None, faults)
    }

    /// A shard's membership with partitions of its own choosing.
    pub fn member_of(&self, group: &str, partitions: &[u32], faults: Faults) -> Member {
        Member::join(Arc::clone(&self.shared), group, Some(partitions), faults)
    }

    /// A writer of input. The inputs count as closed when every such writer is gone; create it before the shards start.
    pub fn feeder(&self) -> EmbeddedFeeder {
        EmbeddedFeeder::new(Arc::clone(&self.shared), true)
    }

    /// A writer of input whose presence does not hold the inputs open: an operator's commands.
    pub fn side_feeder(&self) -> EmbeddedFeeder {
        EmbeddedFeeder::new(Arc::clone(&self.shared), false)
    }

    /// A plain reader of topics.
    pub fn tail(&self, topics: &[Topic], since: Since) -> EmbeddedTail {
        EmbeddedTail::new(Arc::clone(&self.shared), topics, since)
    }

    /// Compacts a topic now, whatever its size.
    pub fn compact(&self, topic: Topic) -> Result<(), LogError> {
        self.shared.lock().compact(topic)
    }

    /// Writes the growing ends and the groups' offsets to the folder, so that [`open`](Self::open) finds them.
    pub fn flush(&self) -> Result<(), LogError> {
        self.shared.lock().flush()
    }

    /// How much the log holds.
    pub fn held(&self) -> Held {
        self.shared.lock().held()
    }

    /// The offset that the next record of a partition will have.
    pub fn end(&self, topic: Topic, partition: u32) -> i64 {
        self.shared.lock().end(topic, partition)
    }

    /// Throws one member out, as a broker does with one that it has not heard of for too long.
    pub fn expel_member(&self, group: &str, number: u64) {
        let mut state = self.shared.lock();
        let partitions = state.options.partitions;
        state.group(group).leave(number, partitions);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Forgets a group, as a broker does with one that was deleted or stood empty for a week.
    pub fn forget_group(&self, group: &str) {
        self.shared.lock().group(group).forget();
        self.shared.changed.notify_all();
    }

    /// Throws a group's members out, as a broker does with those that it has not heard of for too long.
    pub fn expel(&self, group: &str) {
        self.shared.lock().expel(group);
        self.shared.changed.notify_all();
    }
}

/// A topic's place in a table of all.
const fn index(topic: Topic) -> usize {
    match topic {
        Topic::In(Feed::Transport) => 0,
        Topic::In(Feed::Ticketing) => 1,
        Topic::In(Feed::Sensors) => 2,
        Topic::In(Feed::Commands) => 3,
        Topic::Out(OutTopic::Alerts) => 4,
        Topic::Out(OutTopic::Alarms) => 5,
        Topic::Out(OutTopic::Zones) => 6,
        Topic::Out(OutTopic::Late) => 7,
        Topic::Out(OutTopic::Quarantine) => 8,
        Topic::Out(OutTopic::Ledger) => 9,
        Topic::Out(OutTopic::Control) => 10,
        Topic::Out(OutTopic::State) => 11,
    }
}
