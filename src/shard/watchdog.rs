//! Notices a place that has unread records and does not move.
//!
//! The idea: a stall shows as nothing at all, neither an error nor a record, and a client that waits for a signal that was lost waits for ever
//! (fede1024/rust-rdkafka#840, vectordotdev/vector#22006). So from time to time whatever did not move is held against the end that the
//! log itself tells; if there is something to read, the place is taken up again.

use crate::log::{LogError, Place, ShardLog};
use std::collections::BTreeMap;
use std::time::Duration;

/// What each place was seen at, and since when.
#[derive(Debug)]
pub(super) struct Watchdog {
    patience: Duration,
    next_look: Duration,
    seen: BTreeMap<Place, (i64, Duration)>,
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
        for (place, next) in started {
            let mut since = self.seen.get(&place).filter(|(at, _)| *at == next).map_or(now, |(_, since)| *since);
            if now.saturating_sub(since) >= self.patience {
                since = now;
                let lag = log.end(place)? - next;
                if lag > 0 {
                    stalled.push(Stalled { place, lag });
                }
            }
            seen.insert(place, (next, since));
        }
        self.seen = seen;
        Ok(stalled)
    }
}
