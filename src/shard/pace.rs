//! When to commit, and whether the shard may still speak.
//!
//! The interval adapts: it is the configured one as long as a commit takes a small part of it, and grows with the time that commits take, so that a slow
//! broker gets fewer and larger transactions instead of being asked back to back.

use std::time::Duration;

/// A commit may take this part of the time: one in so many.
const SHARE: u32 = 3;
/// How many times the configured interval it may grow to at most.
const STRETCH: u32 = 10;
/// After a sleep of more than a session: how long the group has to say that the partitions are another's.
const SETTLING: Duration = Duration::from_secs(1);

/// The shard's stopwatch; the times are those of its clock.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    session: Duration,
    last_commit: Duration,
    last_poll: Duration,
    /// Until then a shard that slept may not speak.
    quiet_until: Duration,
    /// How long commits take, smoothed.
    takes: Duration,
}

impl Pace {
    pub(super) fn new(interval: Duration, session: Duration, now: Duration) -> Self {
        Self { interval, session, last_commit: now, last_poll: now, quiet_until: Duration::ZERO, takes: Duration::ZERO }
    }

    /// How long until the next commit is due.
    pub(super) fn until_commit(&self, now: Duration) -> Duration {
        (self.last_commit + self.interval()).saturating_sub(now)
    }

    /// From one commit to the next.
    pub(super) fn interval(&self) -> Duration {
        self.interval.max((self.takes * SHARE).min(self.interval * STRETCH))
    }

    pub(super) fn committing(&mut self, now: Duration) {
        self.last_commit = now;
    }

    pub(super) fn committed(&mut self, took: Duration) {
        self.takes = (self.takes * 3 + took) / 4;
    }

    pub(super) fn polled(&mut self, now: Duration) {
        if now.saturating_sub(self.last_poll) >= self.session {
            self.quiet_until = now + SETTLING;
        }
        self.last_poll = now;
    }

    /// How long ago the last poll was.
    pub(super) fn since_poll(&self, now: Duration) -> Duration {
        now.saturating_sub(self.last_poll)
    }

    /// Whether the group still counts on this shard, for all it can know: an alert of one that was silent for longer may be a zombie's.
    pub(super) fn may_alert(&self, now: Duration) -> bool {
        now.saturating_sub(self.last_poll) < self.session && now >= self.quiet_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn the_interval_stretches_with_slow_commits_and_comes_back() {
        let mut pace = Pace::new(MS(100), MS(6_000), Duration::ZERO);
        (0..20).for_each(|_| pace.committed(MS(5)));
        assert_eq!(pace.interval(), MS(100));
        (0..20).for_each(|_| pace.committed(MS(200)));
        assert!(pace.interval() > MS(500));
        (0..20).for_each(|_| pace.committed(MS(60_000)));
        assert_eq!(pace.interval(), MS(1_000));
        (0..40).for_each(|_| pace.committed(MS(5)));
        assert_eq!(pace.interval(), MS(100));
    }

    #[test]
    fn whoever_has_not_polled_for_a_session_may_not_alert() {
        let mut pace = Pace::new(MS(100), MS(6_000), Duration::ZERO);
        assert!(pace.may_alert(MS(5_999)) && !pace.may_alert(MS(6_000)));
        pace.polled(MS(7_000));
        assert!(!pace.may_alert(MS(7_999)), "the group has not had time to say that it is a zombie");
        assert!(pace.may_alert(MS(8_000)) && pace.may_alert(MS(12_999)));
    }
}
