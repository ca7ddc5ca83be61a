//! When a way was silent: the spans of event time in which others stood in for its counters, and how many persons were inferred in each.
//!
//! The idea: what is told late is set against what was inferred in the silence of which it tells, and against no other. A counter that is back tells of the present; its late
//! counts of the present are new, and a pane that only comes late is no silence in which anybody was inferred.

use crate::time::EventTime;
use serde::{Deserialize, Serialize};

/// How many spans are kept apart: a bound on the state, not a threshold. Beyond it the two that lie closest become one.
const APART: usize = 6;

/// Spans of panes, oldest first: after which pane end each began, with which it ended, and how many persons inferred in it nobody has told of yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silences(Vec<(EventTime, EventTime, u32)>);

impl Silences {
    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many persons were inferred in the silence in which the pane that ends at `end` lies.
    pub fn inferred(&self, end: EventTime) -> u32 {
        self.0.iter().find(|(from, to, _)| *from < end && end <= *to).map_or(0, |(.., persons)| *persons)
    }

    /// So many of them have been told.
    pub(super) fn tell(&mut self, end: EventTime, persons: u32) {
        if let Some((.., left)) = self.0.iter_mut().find(|(from, to, _)| *from < end && end <= *to) {
            *left = left.saturating_sub(persons);
        }
    }

    /// So many more (negative: fewer) were inferred in the newest.
    pub(super) fn infer(&mut self, persons: i64) {
        if let Some((.., left)) = self.0.last_mut() {
            *left = u32::try_from((i64::from(*left) + persons).max(0)).unwrap_or(u32::MAX);
        }
    }

    /// Nothing has been heard since the pane that ended at `from`, up to the one that ends at `to`.
    pub(super) fn hush(&mut self, from: EventTime, to: EventTime) {
        if let Some((_, last, _)) = self.0.last_mut().filter(|(_, last, _)| from <= *last) {
            *last = to.max(*last);
            return;
        }
        self.0.push((from, to, 0));
        if self.0.len() > APART {
            let closest = (1..self.0.len()).min_by_key(|i| self.0[*i].0.since(self.0[*i - 1].1)).unwrap_or(1);
            let (_, to, persons) = self.0[closest];
            let before = &mut self.0[closest - 1];
            (before.1, before.2) = (to, before.2.saturating_add(persons));
            self.0.remove(closest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(millis: i64) -> EventTime {
        EventTime::from_millis(millis)
    }

    #[test]
    fn a_span_begins_behind_the_last_pane_heard_and_grows_while_it_lasts() {
        let mut silences = Silences::default();
        [20, 30, 40].iter().for_each(|to| silences.hush(at(10), at(*to)));
        silences.hush(at(70), at(80));
        assert_eq!(silences.0, [(at(10), at(40), 0), (at(70), at(80), 0)]);
    }

    #[test]
    fn each_has_its_own_persons() {
        let mut silences = Silences::default();
        silences.hush(at(10), at(40));
        silences.infer(9);
        silences.hush(at(70), at(80));
        assert_eq!([10, 11, 40, 41, 80].map(|end| silences.inferred(at(end))), [0, 9, 9, 0, 0]);
        silences.infer(3);
        silences.infer(-1);
        silences.tell(at(20), 4);
        silences.tell(at(50), 4);
        assert_eq!([20, 80].map(|end| silences.inferred(at(end))), [5, 2]);
    }

    proptest! {
        /// However many there were, few are kept, and nobody is forgotten.
        #[test]
        fn what_was_silent_is_held(steps in prop::collection::vec((1i64..50, 1i64..50), 0..40)) {
            let (mut silences, mut now, mut told) = (Silences::default(), 0, Vec::new());
            for (heard, silent) in steps {
                silences.hush(at(now + heard), at(now + heard + silent));
                silences.infer(1);
                now += heard + silent;
                told.push(at(now));
            }
            prop_assert!(silences.0.len() <= APART && told.iter().all(|end| silences.inferred(*end) > 0));
            prop_assert_eq!(silences.0.iter().map(|(.., persons)| *persons as usize).sum::<usize>(), told.len());
        }
    }
}
