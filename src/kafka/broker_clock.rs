//! The broker's time, as the acknowledgements of the heartbeats tell it: the only clock that a shard is told.
//!
//! The idea: a broker's clock can leap, when somebody sets it or a machine is moved, and partitions have leaders with clocks of their own. By a leap of an hour every source would seem silent for
//! an hour, and a venue where nothing happens would close an hour's panes ahead of time. So an acknowledgement is held against the time that has passed here since the others (never
//! against what a clock here shows): one that is ahead of what most of the last minute's say is not believed, until most of them say so.
//!
//! While no acknowledgement comes no time passes. One that is behind, as after a stop of this process, is believed as it is.

use std::collections::VecDeque;

/// So many acknowledgements vote; one comes a second.
const VOTES: usize = 61;
/// Ahead by more than this is a leap, ms. The way of an acknowledgement takes less, or the broker is in trouble.
const LEAP_MS: i64 = 5_000;

/// What the acknowledgements tell.
#[derive(Debug, Default)]
pub(super) struct BrokerClock {
    /// Of the last ones, the broker's time less the time that had passed here.
    ahead: VecDeque<i64>,
    time: Option<i64>,
}

impl BrokerClock {
    /// An acknowledgement says `at` (epoch ms); `passed` milliseconds have passed here since some fixed moment.
    pub(super) fn hear(&mut self, at: i64, passed: i64) {
        self.ahead.push_back(at - passed);
        if self.ahead.len() > VOTES {
            self.ahead.pop_front();
        }
        let expected = passed + median(&self.ahead);
        let believed = if at > expected + LEAP_MS { expected } else { at };
        // Acknowledgements may overtake one another. Back goes only what had been believed too early.
        let has_leapt = self.time.is_some_and(|time| time > expected + LEAP_MS);
        self.time = if has_leapt { Some(believed) } else { self.time.max(Some(believed)) };
    }

    /// The broker's time at the last acknowledgement, epoch ms.
    pub(super) fn time(&self) -> Option<i64> {
        self.time
    }
}

/// The lower of the two in the middle, so that of two that part the earlier is believed.
fn median(values: &VecDeque<i64>) -> i64 {
    let mut sorted: Vec<i64> = values.iter().copied().collect();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_900_000_000_000;
    const HOUR: i64 = 3_600_000;

    /// One acknowledgement a second, the broker's clock being off by what `off` says.
    fn after(clock: &mut BrokerClock, secs: std::ops::Range<i64>, off: i64) -> i64 {
        secs.clone().for_each(|s| clock.hear(START + s * 1_000 + off, s * 1_000));
        clock.time().unwrap() - START - (secs.end - 1) * 1_000
    }

    #[test]
    fn time_is_what_the_last_acknowledgement_says() {
        let mut clock = BrokerClock::default();
        assert_eq!(clock.time(), None);
        assert_eq!(after(&mut clock, 0..100, 0), 0);
        // No time passes without one, and a late one brings the time that it tells.
        clock.hear(START + 100_000, 130_000);
        assert_eq!(clock.time(), Some(START + 100_000));
        // One that was overtaken turns nothing back.
        clock.hear(START + 99_000, 130_000);
        assert_eq!(clock.time(), Some(START + 100_000));
    }

    #[test]
    fn a_leap_of_the_broker_is_not_believed_until_most_say_so() {
        let mut clock = BrokerClock::default();
        after(&mut clock, 0..100, 0);
        assert_eq!(after(&mut clock, 100..125, HOUR), 0, "25 s of it, and time goes on");
        assert_eq!(after(&mut clock, 125..200, 0), 0);
        assert_eq!(after(&mut clock, 200..240, HOUR), HOUR, "one that lasts is the broker's time now");
        assert_eq!(after(&mut clock, 240..260, 0), HOUR - 20_000, "and the way back");
        assert_eq!(after(&mut clock, 260..300, 0), 0, "is gone as well");
    }

    #[test]
    fn a_drift_is_followed() {
        let mut clock = BrokerClock::default();
        for s in 0..600 {
            // A clock that runs 5 % fast.
            clock.hear(START + s * 1_050, s * 1_000);
        }
        assert_eq!(clock.time(), Some(START + 599 * 1_050));
    }
}
