//! The life of a partition as types: each has only the methods that make sense in it, and a transition consumes the one before.
//!
//! ```text
//!   Assigned ──restoring──► Restoring ──finish──► Running ──revoke──► Revoked
//!                               ▲                    │
//!                               └──── throw_away ────┘   (the transaction was given up: state as of the last commit)
//! ```

use super::core::Core;
use super::in_step::Progress;
use crate::engine::{Control, Effects, StateChange};
use crate::feeds::Batch;
use crate::log::{LogError, Offsets, Place};
use crate::venue::Feed;
use std::collections::{BTreeMap, BTreeSet};

/// A partition that is this shard's, with nothing known of it.
#[derive(Debug)]
pub(super) struct Assigned {
    pub(super) partition: u32,
}

/// A partition whose changelog is being read. Only the last value of each key counts, and the core gets them in the order of the keys, so that what
/// compaction has left and in which order it was written makes no difference.
pub(super) struct Restoring<C> {
    partition: u32,
    core: C,
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// A partition at work.
pub(super) struct Running<C> {
    partition: u32,
    core: C,
    /// The next offsets to be read, and whether they have moved since the last commit.
    next: Offsets,
    moved: bool,
    commands_read: bool,
    ended: BTreeSet<Feed>,
    closed: bool,
}

/// A partition that is another's now.
#[derive(Debug)]
pub(super) struct Revoked {
    pub(super) partition: u32,
}

impl Assigned {
    pub(super) fn restoring<C: Core>(self, core: C) -> Restoring<C> {
        Restoring { partition: self.partition, core, entries: BTreeMap::new() }
    }
}

impl<C: Core> Restoring<C> {
    pub(super) fn entry(&mut self, key: &[u8], value: Option<&[u8]>) {
        match value {
            Some(value) => self.entries.insert(key.to_vec(), value.to_vec()),
            None => self.entries.remove(key),
        };
    }

    /// Gives the core what it knew; `next` are the committed offsets.
    pub(super) fn finish(mut self, next: Offsets) -> Result<Running<C>, LogError> {
        let refused = |detail| LogError::State { partition: self.partition, detail };
        for (key, value) in &self.entries {
            self.core.restore(key, value).map_err(refused)?;
        }
        self.core.restored().map_err(refused)?;
        Ok(Running { partition: self.partition, core: self.core, next, moved: false, commands_read: false, ended: BTreeSet::new(), closed: false })
    }
}

impl<C: Core> Running<C> {
    /// Notes what was read, then steps the core.
    pub(super) fn step(&mut self, batch: &Batch, controls: &[Control]) -> Effects {
        for (feed, last) in batch.last_offsets() {
            self.pass(feed, last + 1);
            self.ended.remove(&feed);
        }
        // An end that comes with a batch is the end behind it.
        for control in controls {
            if let Control::ReadToEnd { feed, next_offset } = control {
                self.read_to_end(*feed, *next_offset);
            }
        }
        self.core.step(batch, controls)
    }

    /// A place is read to its end; behind the last record may stand transaction markers, which the offset passes over.
    fn read_to_end(&mut self, feed: Feed, next_offset: i64) {
        self.ended.insert(feed);
        self.pass(feed, next_offset);
    }

    fn pass(&mut self, feed: Feed, next: i64) {
        let known = self.next.entry(Place { feed, partition: self.partition }).or_insert(next);
        self.moved |= *known < next;
        *known = (*known).max(next);
    }

    /// Answers true once: when the commands are read to their end and the feeds may start.
    pub(super) fn take_commands_read(&mut self) -> bool {
        let now = !self.commands_read && self.ended.contains(&Feed::Commands);
        self.commands_read |= now;
        now
    }

    /// The offsets of these feeds.
    pub(super) fn next_of(&self, feeds: impl Fn(Feed) -> bool) -> Offsets {
        self.next.iter().filter(|(place, _)| feeds(place.feed)).map(|(place, next)| (*place, *next)).collect()
    }

    /// Whether all four places are read to their end.
    pub(super) fn is_at_end(&self) -> bool {
        Feed::ALL.iter().all(|feed| self.ended.contains(feed))
    }

    /// How far each feed has been read.
    pub(super) fn progress(&self) -> [Progress; Feed::ALL.len()] {
        Feed::ALL.map(|feed| Progress {
            place: Place { feed, partition: self.partition },
            reached: self.core.reached(feed),
            at_end: self.ended.contains(&feed),
        })
    }

    /// Answers true once: the end of the input is to be told.
    pub(super) fn take_close(&mut self) -> bool {
        !std::mem::replace(&mut self.closed, true)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn take_state_changes(&mut self) -> Vec<StateChange> {
        self.core.take_state_changes()
    }

    /// The offsets to be committed; none where they stand where they stood.
    pub(super) fn moved(&self) -> Option<&Offsets> {
        self.moved.then_some(&self.next)
    }

    pub(super) fn committed(&mut self) {
        self.moved = false;
        self.core.committed();
    }

    /// The transaction was given up, so what the core knows is not true any more.
    pub(super) fn throw_away(self) -> Assigned {
        Assigned { partition: self.partition }
    }

    pub(super) fn revoke(self) -> Revoked {
        Revoked { partition: self.partition }
    }
}
