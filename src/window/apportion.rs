//! Counts that cover more than one pane, apportioned over their panes in whole persons by the largest remainder: nobody is lost, nobody is split.

use crate::feeds::observation::Count;
use crate::time::{EventTime, PaneLength, Span};

/// The share of `count` that each pane holds, as (end of the pane, share), earliest first. `shift` moves the whole count: panes read a
/// source as of its lag ago (DESIGN §4 rule 2).
///
/// A count no longer than a pane counts whole in the pane of its last instant.
pub fn apportion(count: &Count, shift: Span, pane: PaneLength) -> Vec<(EventTime, Count)> {
    let (from, to) = (count.from.after(shift), count.to.after(shift));
    let last_instant = to.before(Span::from_millis(1));
    if to.since(from) <= pane.span() {
        return vec![(pane.end_of(last_instant), *count)];
    }
    let mut parts = Vec::new();
    let mut start = from;
    while start < to {
        let end = pane.end_of(start);
        let stop = end.min(to);
        let part = Count { from: start.before(shift), to: stop.before(shift), inwards: 0, outwards: 0, undirected: 0 };
        parts.push((end, part));
        start = stop;
    }
    let lengths: Vec<u64> = parts.iter().map(|(_, part)| part.to.since(part.from).as_millis()).collect();
    for (i, persons) in whole_shares(count.inwards, &lengths).into_iter().enumerate() {
        parts[i].1.inwards = persons;
    }
    for (i, persons) in whole_shares(count.outwards, &lengths).into_iter().enumerate() {
        parts[i].1.outwards = persons;
    }
    for (i, persons) in whole_shares(count.undirected, &lengths).into_iter().enumerate() {
        parts[i].1.undirected = persons;
    }
    parts
}

/// `total` shared in proportion to `weights`, in whole numbers that add up to it: the largest remainders get the rest, the earlier first.
fn whole_shares(total: u32, weights: &[u64]) -> Vec<u32> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: u64| u128::from(total) * u128::from(weight);
    let mut shares: Vec<u32> = weights.iter().map(|weight| u32::try_from(exact(*weight) / sum).unwrap_or(u32::MAX)).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|i| (std::cmp::Reverse(exact(weights[*i]) % sum), *i));
    let given: u64 = shares.iter().map(|share| u64::from(*share)).sum();
    let rest = usize::try_from(u64::from(total).saturating_sub(given)).unwrap_or(0);
    for i in by_remainder.into_iter().take(rest) {
        shares[i] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pane() -> PaneLength {
        PaneLength::new(Span::from_secs(10)).unwrap()
    }

    fn count(from: i64, to: i64, inwards: u32, outwards: u32) -> Count {
        Count { from: EventTime::from_millis(from), to: EventTime::from_millis(to), inwards, outwards, undirected: 0 }
    }

    #[test]
    fn a_count_of_one_pane_stays_whole() {
        let parts = apportion(&count(0, 10_000, 7, 3), Span::ZERO, pane());
        assert_eq!(parts, vec![(EventTime::from_millis(10_000), count(0, 10_000, 7, 3))]);
    }

    #[test]
    fn a_lag_moves_the_count_to_later_panes() {
        let parts = apportion(&count(0, 10_000, 7, 3), Span::from_secs(90), pane());
        assert_eq!(parts[0].0, EventTime::from_millis(100_000));
    }

    #[test]
    fn the_largest_remainder_gets_the_last_person() {
        let parts = apportion(&count(5_000, 25_000, 7, 0), Span::ZERO, pane());
        let persons: Vec<u32> = parts.iter().map(|(_, part)| part.inwards).collect();
        assert_eq!(persons, vec![2, 3, 2]);
    }

    proptest! {
        #[test]
        fn nobody_is_lost(from in 0_i64..1_000_000, length in 1_i64..600_000, inwards in 0_u32..10_000, outwards in 0_u32..10_000, lag in 0_u64..900) {
            let parts = apportion(&count(from, from + length, inwards, outwards), Span::from_secs(lag), pane());
            prop_assert_eq!(parts.iter().map(|(_, part)| part.inwards).sum::<u32>(), inwards);
            prop_assert_eq!(parts.iter().map(|(_, part)| part.outwards).sum::<u32>(), outwards);
            prop_assert!(parts.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }
}
