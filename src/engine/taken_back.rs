//! What was late and has been taken back in, so that it is taken back in only once.
//!
//! The idea: `midan reopen` may be given the same hours twice, at any time while the inputs are kept. So identities are kept by the day on which they came back, for longer than topics are kept,
//! and of the state a day is written only when something of it came.

use crate::time::{DAY_MS, EventTime};
use std::collections::{BTreeMap, BTreeSet};

/// Longer than a year: no input is kept for so long by default (a week).
const KEPT_DAYS: i64 = 400;

/// The identities, by day of event time since 1970.
#[derive(Debug, Default)]
pub(super) struct TakenBack {
    days: BTreeMap<i64, BTreeSet<u64>>,
    changed: BTreeSet<i64>,
}

impl TakenBack {
    /// Notes an identity that comes back while its source's watermark stands at `at`; answers false where it has come back before.
    pub(super) fn take(&mut self, identity: u64, at: EventTime) -> bool {
        if self.days.values().any(|day| day.contains(&identity)) {
            return false;
        }
        let today = at.as_millis().div_euclid(DAY_MS);
        let kept = self.days.split_off(&(today - KEPT_DAYS));
        self.changed.extend(std::mem::replace(&mut self.days, kept).into_keys());
        self.changed.insert(today);
        self.days.entry(today).or_default().insert(identity)
    }

    /// The days that have changed since last asked; a day without identities is gone.
    pub(super) fn take_changed(&mut self) -> impl Iterator<Item = (i64, Option<&BTreeSet<u64>>)> {
        std::mem::take(&mut self.changed).into_iter().map(|day| (day, self.days.get(&day)))
    }

    /// Takes a day of the state back.
    pub(super) fn restore(&mut self, day: i64, identities: BTreeSet<u64>) {
        self.days.insert(day, identities);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn day(nth: i64) -> EventTime {
        EventTime::from_millis(nth * DAY_MS + 3_600_000)
    }

    #[test]
    fn an_identity_comes_back_once_and_only_its_day_is_written() {
        let mut taken = TakenBack::default();
        assert!(taken.take(7, day(10)));
        assert_eq!(taken.take_changed().map(|(day, set)| (day, set.map(BTreeSet::len))).collect::<Vec<_>>(), [(10, Some(1))]);
        assert!(!taken.take(7, day(12)), "on another day neither");
        assert!(taken.take(8, day(12)));
        assert_eq!(taken.take_changed().map(|(day, _)| day).collect::<Vec<_>>(), [12]);
        assert_eq!(taken.take_changed().count(), 0);
    }

    #[test]
    fn what_no_topic_keeps_any_more_is_forgotten() {
        let mut taken = TakenBack::default();
        taken.take(7, day(10));
        taken.take(8, day(10 + KEPT_DAYS));
        assert!(!taken.take(7, day(10 + KEPT_DAYS)));
        taken.take_changed().for_each(drop);
        taken.take(9, day(11 + KEPT_DAYS));
        let changed: Vec<_> = taken.take_changed().map(|(day, set)| (day, set.is_some())).collect();
        assert_eq!(changed, [(10, false), (11 + KEPT_DAYS, true)]);
    }

    #[test]
    fn a_day_of_the_state_counts() {
        let mut taken = TakenBack::default();
        taken.restore(10, BTreeSet::from([7]));
        assert!(!taken.take(7, day(10)));
    }
}
