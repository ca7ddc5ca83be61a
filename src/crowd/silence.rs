//! When a way was silent: the spans of event time in which others stood in for its counters.
//!
//! The idea: what is told late is set against what was inferred only where it tells of a time in which something was inferred. A counter that is back tells of the present; its late
//! counts of the present are new.

use crate::time::EventTime;
use serde::{Deserialize, Serialize};

/// How many spans are kept apart: a bound on the state, not a threshold. Beyond it the two that lie closest become one.
const APART: usize = 6;

/// Spans of panes, oldest first: after which pane end each began, and with which it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silences(Vec<(EventTime, EventTime)>);

impl Silences {
    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the pane that ends at `end` lies in one.
    pub fn holds(&self, end: EventTime) -> bool {
        self.0.iter().any(|(from, to)| *from < end && end <= *to)
    }

    /// Nothing has been heard since the pane that ended at `from`, up to the one that ends at `to`.
    pub(super) fn hush(&mut self, from: EventTime, to: EventTime) {
        if let Some((_, last)) = self.0.last_mut().filter(|(_, last)| from <= *last) {
            *last = to.max(*last);
            return;
        }
        self.0.push((from, to));
        if self.0.len() > APART {
            let closest = (1..self.0.len()).min_by_key(|i| self.0[*i].0.since(self.0[*i - 1].1)).unwrap_or(1);
            self.0[closest - 1].1 = self.0[closest].1;
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
        assert_eq!(silences.0, [(at(10), at(40)), (at(70), at(80))]);
        assert_eq!([10, 11, 40, 41, 70, 80, 81].map(|end| silences.holds(at(end))), [false, true, true, false, false, true, false]);
    }

    proptest! {
        /// However many there were, few are kept, and none is forgotten.
        #[test]
        fn what_was_silent_is_held(steps in prop::collection::vec((1i64..50, 1i64..50), 0..40)) {
            let (mut silences, mut now, mut told) = (Silences::default(), 0, Vec::new());
            for (heard, silent) in steps {
                silences.hush(at(now + heard), at(now + heard + silent));
                now += heard + silent;
                told.push(at(now));
            }
            prop_assert!(silences.0.len() <= APART && told.iter().all(|end| silences.holds(*end)));
        }
    }
}
