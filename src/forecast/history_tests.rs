//! The ring against the plain sum over all that it was given.

use super::*;
use proptest::prelude::*;

const PANE_S: u64 = 10;

fn history(series: usize, panes_per_step: u64) -> History {
    History::new(series, PaneLength::new(Span::from_secs(PANE_S)).unwrap(), Span::from_secs(PANE_S * panes_per_step))
}

fn end(pane: usize) -> EventTime {
    EventTime::from_millis((pane as i64 + 1) * PANE_S as i64 * 1_000)
}

/// The definition, in words of the specification.
fn plain_lag(panes: &[Option<u32>], panes_per_step: usize, lag: usize) -> Option<u64> {
    let to = panes.len().checked_sub(lag * panes_per_step)?;
    let from = to.checked_sub(panes_per_step)?;
    let present: Vec<u64> = panes[from..to].iter().flatten().map(|count| u64::from(*count)).collect();
    (!present.is_empty()).then(|| present.iter().sum())
}

#[test]
fn a_stored_pane_keeps_gaps_apart_from_zeros() {
    let mut history = history(2, 1);
    history.push(end(0), &[Some(0), None]);
    assert_eq!(history.pane(end(0)).unwrap().counts().collect::<Vec<_>>(), [Some(0), None]);
}

#[test]
fn part_of_a_step_is_not_its_count() {
    let mut history = history(1, 3);
    history.push(end(0), &[Some(4)]);
    history.push(end(1), &[Some(5)]);
    assert_eq!(history.lag(0, 0), None);
    history.push(end(2), &[Some(6)]);
    assert_eq!(history.lag(0, 0), Some(15));
}

#[test]
fn a_gap_is_not_a_zero() {
    let mut history = history(2, 1);
    history.push(end(0), &[None, Some(0)]);
    assert_eq!((history.lag(0, 0), history.lag(0, 1)), (None, Some(0)));
}

#[test]
fn a_skipped_pane_leaves_the_step_unknown() {
    let mut history = history(1, 2);
    history.push(end(0), &[Some(1)]);
    history.push(end(2), &[Some(1)]);
    assert_eq!(history.lag(0, 0), None);
    history.push(end(3), &[Some(2)]);
    assert_eq!((history.lag(0, 0), history.lag(1, 0)), (Some(3), None));
}

#[test]
fn a_long_silence_empties_the_ring() {
    let mut history = history(1, 1);
    history.push(end(0), &[Some(1)]);
    assert_eq!(history.push(end(5_000), &[Some(7)]), [end(0)]);
    assert_eq!((history.lag(0, 0), history.lag(1, 0)), (Some(7), None));
}

#[test]
fn a_pane_leaves_after_thirteen_steps() {
    let mut history = history(1, 1);
    let left: Vec<EventTime> = (0..14).flat_map(|pane| history.push(end(pane), &[Some(1)])).collect();
    assert_eq!(left, [end(0)]);
}

#[test]
fn a_revision_never_goes_below_none_and_may_fill_a_gap() {
    let mut history = history(1, 2);
    history.push(end(0), &[None]);
    history.push(end(1), &[Some(3)]);
    assert!(history.revise(end(0), 0, 5));
    assert!(history.revise(end(1), 0, -9));
    assert_eq!(history.lag(0, 0), Some(5));
    assert!(!history.revise(end(7), 0, 1));
}

proptest! {
    #[test]
    fn every_lag_is_the_plain_sum_of_its_panes(panes in proptest::collection::vec(proptest::option::weighted(0.7, 0u32..2_000_000_000), 1..70), per_step in 1usize..5) {
        let mut history = history(2, per_step as u64);
        for (pane, count) in panes.iter().enumerate() {
            history.push(end(pane), &[None, *count]);
        }
        for lag in 0..HELD {
            prop_assert_eq!(history.lag(lag, 1), plain_lag(&panes, per_step, lag));
            prop_assert_eq!(history.lag(lag, 0), None);
        }
    }

    #[test]
    fn a_restored_ring_says_what_the_old_one_said(panes in proptest::collection::vec(proptest::option::weighted(0.7, 0u32..9_000), 1..60), revised in 0usize..60, delta in -500i64..500) {
        let mut old = history(1, 2);
        for (pane, count) in panes.iter().enumerate() {
            old.push(end(pane), &[*count]);
        }
        old.revise(end(revised), 0, delta);
        let mut new = history(1, 2);
        for pane in (0..panes.len()).rev() {
            if let Some(stored) = old.pane(end(pane)) {
                prop_assert!(new.restore(stored));
            }
        }
        new.settle();
        for lag in 0..HELD {
            prop_assert_eq!(new.lag(lag, 0), old.lag(lag, 0));
        }
        prop_assert_eq!(new.newest(), old.newest());
    }
}

#[test]
fn a_step_is_learnt_out_of_every_window_and_a_day_the_day_after_the_next() {
    let lag = |minutes: u64| lag_learnt(Span::from_mins(minutes));
    assert_eq!([1, 60, 120, 240, 720, 1_440].map(lag), [HELD - 1, HELD - 1, 6, 3, 1, 1]);
}
