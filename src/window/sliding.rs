//! Sliding windows composed of panes: the last so many panes, one step a pane.
//!
//! The idea: panes add up, so a window needs no events of its own. What adds up is kept by pane with its running sum; a pane that is revised changes every window that
//! holds it by the same difference, and the windows to be published again are named. Nothing depends on when a revision comes.
//!
//! ```text
//!   panes    │ 3 │ 5 │ 2 │ 7 │ 1 │
//!   windows      └────10───┘
//!                    └────14───┘
//!                        └────10───┘
//! ```

use crate::time::{EventTime, PaneLength, Span};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What can be summed over panes, exactly: whole numbers, so that taking away undoes adding.
pub trait Additive: Copy + Default + PartialEq {
    /// Adds.
    fn plus(self, other: Self) -> Self;
    /// Takes away what was added.
    fn minus(self, other: Self) -> Self;
}

impl Additive for i64 {
    fn plus(self, other: Self) -> Self {
        self.saturating_add(other)
    }

    fn minus(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

/// A window of whole panes that slides by one pane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sliding<T> {
    pane: PaneLength,
    panes: usize,
    /// By pane, oldest first; the last one ends at `end`.
    kept: VecDeque<T>,
    end: EventTime,
    /// Of the last `panes` of them.
    sum: T,
    /// Panes before the window that late revisions may still change.
    history: usize,
}

/// A window of the past that a revision has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revised<T> {
    /// Its end.
    pub end: EventTime,
    /// What it sums up to now.
    pub sum: T,
}

impl<T: Additive> Sliding<T> {
    /// A window of `length`, a whole number of panes; windows that ended up to `keep` ago can still be revised. `None` when the length is no whole number of panes.
    pub fn new(pane: PaneLength, length: Span, keep: Span) -> Option<Self> {
        let of_pane = pane.span().as_millis();
        let panes = length.as_millis() / of_pane;
        if panes == 0 || !length.as_millis().is_multiple_of(of_pane) {
            return None;
        }
        let history = (keep.as_millis() / of_pane) as usize;
        Some(Self { pane, panes: panes as usize, kept: VecDeque::new(), end: EventTime::MIN, sum: T::default(), history })
    }

    /// The pane ending at `end` has closed; panes between it and the last one were empty. Answers the window that ends with it.
    pub fn close(&mut self, end: EventTime, value: T) -> T {
        if self.end == EventTime::MIN || end.since(self.end) > self.pane.span().times((self.panes + self.history) as u64) {
            self.kept.clear();
            (self.sum, self.end) = (T::default(), self.pane.start(end));
        }
        while self.end < end {
            self.end = self.pane.next(self.end);
            self.push(if self.end == end { value } else { T::default() });
        }
        self.sum
    }

    /// The pane ending at `end` has changed by `difference`: answers every window that holds it, oldest first, as it is now. Windows that are kept no more are left out.
    pub fn revise(&mut self, end: EventTime, difference: T) -> Vec<Revised<T>> {
        let behind = (self.end.since(end).as_millis() / self.pane.span().as_millis()) as usize;
        if end > self.end || behind >= self.kept.len() || difference == T::default() {
            return Vec::new();
        }
        let place = self.kept.len() - 1 - behind;
        self.kept[place] = self.kept[place].plus(difference);
        if behind < self.panes {
            self.sum = self.sum.plus(difference);
        }
        // The windows whose last pane lies between this one and a window's length after it.
        let last = (place + self.panes).min(self.kept.len());
        (place..last).filter_map(|at| self.window(at)).collect()
    }

    fn push(&mut self, value: T) {
        self.kept.push_back(value);
        self.sum = self.sum.plus(value);
        if let Some(leaving) = self.kept.len().checked_sub(self.panes + 1) {
            self.sum = self.sum.minus(self.kept[leaving]);
        }
        if self.kept.len() > self.panes + self.history {
            self.kept.pop_front();
        }
    }

    /// The window whose last pane stands at `at`, if all its panes are kept or none was before.
    fn window(&self, at: usize) -> Option<Revised<T>> {
        let first = (at + 1).saturating_sub(self.panes);
        let is_cut = at + 1 < self.panes && self.kept.len() == self.panes + self.history;
        let sum = self.kept.range(first..=at).fold(T::default(), |sum, pane| sum.plus(*pane));
        let behind = (self.kept.len() - 1 - at) as u64;
        (!is_cut).then(|| Revised { end: self.end.before(self.pane.span().times(behind)), sum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(pane: i64) -> EventTime {
        EventTime::from_millis(pane * 10_000)
    }

    fn minute() -> Sliding<i64> {
        Sliding::new(PaneLength::DEFAULT, Span::from_mins(1), Span::from_mins(2)).unwrap()
    }

    #[test]
    fn a_length_that_is_no_whole_number_of_panes_is_none() {
        assert!(Sliding::<i64>::new(PaneLength::DEFAULT, Span::from_secs(25), Span::ZERO).is_none());
        assert!(Sliding::<i64>::new(PaneLength::DEFAULT, Span::ZERO, Span::ZERO).is_none());
    }

    #[test]
    fn a_revision_changes_every_window_that_holds_its_pane_and_no_other() {
        let mut sliding = minute();
        (1..=10).for_each(|pane| {
            sliding.close(at(pane), 1);
        });
        let revised = sliding.revise(at(3), 5);
        assert_eq!(revised.iter().map(|window| window.end).collect::<Vec<_>>(), (3..=8).map(at).collect::<Vec<_>>());
        assert_eq!(revised.iter().map(|window| window.sum).collect::<Vec<_>>(), [8, 9, 10, 11, 11, 11]);
        assert_eq!(sliding.close(at(11), 1), 6);
        assert_eq!(sliding.revise(at(12), 1), [], "a pane that has not closed is no revision");
    }

    proptest! {
        /// Closing and revising in any order gives each window the sum of its panes.
        #[test]
        fn a_window_is_the_sum_of_its_panes_whatever_was_revised_when(
            values in prop::collection::vec((0_i64..100, prop::option::weighted(0.3, (1_usize..18, -5_i64..50))), 1..60),
            gaps in prop::collection::btree_set(0_usize..60, 0..10),
        ) {
            let mut sliding = minute();
            let mut panes: Vec<i64> = Vec::new();
            for (i, (value, revision)) in values.into_iter().enumerate() {
                panes.push(if gaps.contains(&i) { 0 } else { value });
                if gaps.contains(&i) {
                    continue;
                }
                let window = |panes: &[i64], last: usize| panes[(last + 1).saturating_sub(6)..=last].iter().sum::<i64>();
                prop_assert_eq!(sliding.close(at(i as i64 + 1), value), window(&panes, i));
                let Some((back, by)) = revision else { continue };
                let Some(place) = i.checked_sub(back) else { continue };
                let before = panes.clone();
                panes[place] += by;
                let revised = sliding.revise(at(place as i64 + 1), by);
                if revised.is_empty() {
                    panes = before;
                }
                for window_now in revised {
                    let last = (window_now.end.as_millis() / 10_000 - 1) as usize;
                    prop_assert_eq!(window_now.sum, window(&panes, last));
                }
            }
        }
    }
}
