//! Notices a place that has unread records and does not move.
//!
//! The idea: a stall shows as nothing at all, neither an error nor a record, and a client that waits for a signal that was lost waits for ever
//! (fede1024/rust-rdkafka#840, vectordotdev/vector#22006). So from time to time whatever did not move is held against the end that the
//! log itself tells; if there is something to read, the place is taken up again. And while the log does not tell, no time passes for the partition.

use crate::log::{Answer, LogError, Place, ShardLog};
use std::collections::BTreeMap;
use std::time::Duration;

/// What each place was seen at, and since when.
#[derive(Debug)]
pub(super) struct Watchdog {
    patience: Duration,
    next_look: Duration,
    seen: BTreeMap<Place, Seen>,
}

/// A place, as it was seen last.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: i64,
    /// It has not moved since, or was held against its end then.
    since: Duration,
    /// When it moved last, or its end was told: until then its leader could be read.
    read: Duration,
}

/// A place that does not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stalled {
    pub(super) place: Place,
    /// Records that are not read, transaction markers included.
    pub(super) lag: i64,
}

impl Watchdog {
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, next_look: Duration::ZERO, seen: BTreeMap::new() }
    }

    /// Looks at the places that are being read, when it is time to.
    pub(super) fn look(&mut self, now: Duration, started: impl Iterator<Item = (Place, i64)>, log: &mut dyn ShardLog) -> Result<Vec<Stalled>, LogError> {
        if now < self.next_look {
            return Ok(Vec::new());
        }
        self.next_look = now + self.patience / 4;
        let mut stalled = Vec::new();
        let mut seen = BTreeMap::new();
        let mut is_cut_off = false;
        for (place, next) in started {
            let known = self.seen.get(&place).filter(|seen| seen.at == next);
            let mut place_seen = known.copied().unwrap_or(Seen { at: next, since: now, read: now });
            if now.saturating_sub(place_seen.since) >= self.patience && !is_cut_off {
                match log.end(place) {
                    Ok(end) => {
                        (place_seen.since, place_seen.read) = (now, now);
                        let lag = end - next;
                        if lag > 0 {
                            stalled.push(Stalled { place, lag });
                        }
                    }
                    // The others might wait as long for their answer: they are asked next time, and before it.
                    Err(error) if error.answer() == Answer::Retry => (place_seen.since, is_cut_off) = (now, true),
                    Err(error) => return Err(error),
                }
            }
            seen.insert(place, place_seen);
        }
        self.seen = seen;
        Ok(stalled)
    }

    /// Whether every place of a partition could be read not long ago. Of one whose leader is out of reach nobody knows whether it is still read to its end: then no time may pass for the partition.
    pub(super) fn vouches(&self, partition: u32, now: Duration) -> bool {
        self.seen.iter().filter(|(place, _)| place.partition == partition).all(|(_, seen)| now.saturating_sub(seen.read) < self.patience * 2)
    }
}
