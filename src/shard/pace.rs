//! When to commit, and whether the shard may still speak: the only place of the loop that looks at a clock. Neither decides what an output says, only when it leaves.

use std::time::{Duration, Instant};

/// The shard's stopwatch.
#[derive(Debug)]
pub(super) struct Pace {
    commit_interval: Duration,
    session: Duration,
    last_commit: Instant,
    last_poll: Instant,
}

#[allow(clippy::disallowed_methods, reason = "the commit interval and the session time-out are lengths of real time at the edge; no output depends on them")]
pub(super) fn now() -> Instant {
    Instant::now()
}

impl Pace {
    pub(super) fn new(commit_interval: Duration, session: Duration) -> Self {
        Self { commit_interval, session, last_commit: now(), last_poll: now() }
    }

    /// How long a poll may wait before the next commit is due.
    pub(super) fn until_commit(&self) -> Duration {
        self.commit_interval.saturating_sub(self.last_commit.elapsed())
    }

    pub(super) fn committed(&mut self) {
        self.last_commit = now();
    }

    pub(super) fn polled(&mut self) {
        self.last_poll = now();
    }

    /// Whether the group still counts on this shard, for all it can know: an alert of one that was silent for longer may be a zombie's.
    pub(super) fn may_alert(&self) -> bool {
        self.last_poll.elapsed() < self.session
    }
}
