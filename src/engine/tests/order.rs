//! Promise 2: outputs depend on the events alone, not on how they were cut, interleaved or disordered on their way.

use super::{Dice, busy, by_source};
use crate::engine::OutTopic;
use crate::engine::story::{Record, Run, SOURCES, all_low, count, played};
use proptest::prelude::*;

/// Takes the sources' records in any interleaving that keeps each source's order.
pub(super) fn interleaved(mut queues: Vec<Vec<Record>>, dice: &mut Dice) -> Vec<Record> {
    let mut out = Vec::new();
    queues.iter_mut().for_each(|queue| queue.reverse());
    loop {
        queues.retain(|queue| !queue.is_empty());
        if queues.is_empty() {
            return out;
        }
        let which = dice.below(queues.len() as u64) as usize;
        // Runs of one source: a partition that is read far ahead of the others.
        for _ in 0..=dice.below(40) {
            out.extend(queues[which].pop());
        }
    }
}

/// Lets records overtake one another by up to five seconds, but for those that keep their place.
pub(super) fn disordered(queue: &[Record], dice: &mut Dice) -> Vec<Record> {
    let mut out: Vec<Record> = Vec::new();
    for run in queue.split_inclusive(|record| record.keeps_place) {
        let (free, fixed) = run.split_at(run.len() - usize::from(run.last().is_some_and(|record| record.keeps_place)));
        let mut free: Vec<(i64, Record)> = free.iter().map(|record| (record.at * 1_000 + dice.below(5_000) as i64, record.clone())).collect();
        free.sort_by_key(|(at, _)| *at);
        out.extend(free.into_iter().map(|(_, record)| record));
        out.extend(fixed.iter().cloned());
    }
    out
}

pub(super) fn assert_same(one: &Run, other: &Run) {
    let (said, said_too) = (one.outcome.compared(), other.outcome.compared());
    for (key, lines) in &said {
        let empty = Vec::new();
        let others = said_too.get(key).unwrap_or(&empty);
        let first = lines.iter().zip(others).find(|(a, b)| a != b);
        assert_eq!(first, None, "{key:?}");
        assert_eq!(lines.len(), others.len(), "{key:?}");
    }
    assert_eq!(said.len(), said_too.len());
    assert_eq!(one.sums(), other.sums());
    let (state, state_too) = (one.site_state(), other.site_state());
    assert_eq!(state.keys().collect::<Vec<_>>(), state_too.keys().collect::<Vec<_>>());
    let differing: Vec<&String> = state.iter().filter(|(key, value)| state_too.get(*key) != Some(value)).map(|(key, _)| key).collect();
    assert_eq!(differing, Vec::<&String>::new());
}

#[test]
fn the_busy_night_has_everything_in_it() {
    let run = played(&busy(1), 64);
    let sums = run.sums();
    assert!(sums.windowed > 300 && sums.revised > 3 && sums.late > 1 && sums.quarantined > 0 && sums.undecodable > 2 && sums.command > 5, "{sums:?}");
    assert!(run.outcome.place("bowl").iter().any(|record| record["revision"] == 1));
    assert!(run.outcome.place("bowl").len() > 90);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn batches_may_be_cut_anywhere(seed in 0_u64..1_000, size in 1_usize..300) {
        let records = busy(seed);
        let (one, other) = (played(&records, 1_000), played(&records, size));
        assert_same(&one, &other);
        assert_eq!(one.state, other.state, "with the ledger's rows");
        assert_eq!(one.outcome.records, other.outcome.records);
    }

    #[test]
    fn sources_may_be_read_in_any_order(seed in 0_u64..1_000, mix in any::<u64>(), size in 1_usize..100) {
        let records = busy(seed);
        let mixed = interleaved(by_source(&records), &mut Dice::new(mix));
        assert_same(&played(&records, 64), &played(&mixed, size));
    }

    #[test]
    fn events_may_overtake_one_another_within_the_disorder(seed in 0_u64..1_000, mix in any::<u64>(), size in 1_usize..100) {
        let records = busy(seed);
        let mut dice = Dice::new(mix);
        let queues = by_source(&records).iter().map(|queue| disordered(queue, &mut dice)).collect();
        assert_same(&played(&records, 64), &played(&interleaved(queues, &mut dice), size));
    }
}

#[test]
fn a_fast_source_does_not_close_panes_for_a_slow_one() {
    let mut records: Vec<Record> = (0..100).map(|ten| count("c-in", ten * 10, 5, 0)).collect();
    records.extend(all_low(&SOURCES[1..], 25));
    let mut run = Run::new(crate::engine::Placement::ByPane);
    run.read(&records, 10);
    let ends: Vec<i64> =
        run.outcome.of(OutTopic::Zones).iter().filter(|record| record["zone"] == "queue").map(|record| record["to"].as_i64().unwrap()).collect();
    let last = crate::engine::story::START + 20_000;
    assert_eq!(ends.last(), Some(&last), "tickets have come to 25 s less their disorder");
}
