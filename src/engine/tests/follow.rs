//! A night with live marks, ticks, commands and deadlines is the same in a replay of what it left behind with its journal, however the replay reads it.

use super::{Dice, busy};
use crate::engine::journal::{Entry, Line};
use crate::engine::story::{Record, Run, SOURCES, all_low, command, count};
use crate::engine::{OutTopic, Placement};
use crate::venue::Feed;

/// Every record is received a second after its time.
fn received(records: Vec<Record>) -> Vec<Record> {
    let mut latest = 0;
    let receive = |record: Record| {
        latest = latest.max(record.at + 1);
        record.received(latest)
    };
    records.into_iter().map(receive).collect()
}

/// Live: read as it comes, silent sources set aside on the way, models now and then too slow. Sources fall silent one after the other and all at once.
fn live(seed: u64) -> (Vec<Record>, Run) {
    let mut dice = Dice::new(seed);
    let mut records = received(busy(seed));
    let (from, to) = (100 + dice.below(300) as i64, 500 + dice.below(200) as i64);
    let quiet = SOURCES[dice.below(5) as usize];
    let all_from = 760 - dice.below(60) as i64;
    records.retain(|record| !(record.source == quiet && (from..to).contains(&record.at)) && record.at < all_from);
    // Twenty minutes of silence, in which ticks carry the venue on; then it speaks again.
    for now in (1_900..1_960).step_by(10) {
        records.extend([count("c-in", now, 40, 0), count("c-g1", now, 30, 0)].map(|record| record.received(now + 11)));
        records.extend(all_low(&SOURCES, now + 10).into_iter().map(|record| record.received(now + 11)));
    }
    let mut run = Run::new(Placement::OnArrival);
    run.misses = |pane| pane.as_secs() % 70 == 0;
    let mut rest = &records[..];
    for now in (0..1_980).step_by(7) {
        let until = rest.iter().position(|record| record.received.unwrap() > crate::engine::story::START + now * 1_000).unwrap_or(rest.len());
        let (come, to_come) = rest.split_at(until);
        run.read(come, 1 + dice.below(20) as usize);
        rest = to_come;
        if dice.below(3) == 0 {
            // Something may be unread: no proof, and no time but that of the records.
            continue;
        }
        run.quiet_until(now);
    }
    run.read(rest, 10);
    run.end();
    (records, run)
}

/// The records in another order: each feed's own stays, the feeds are read one far ahead of the other.
pub(super) fn otherwise(records: &[Record], dice: &mut Dice) -> Vec<Record> {
    let mut feeds: Vec<Vec<Record>> = Feed::ALL.iter().map(|feed| records.iter().filter(|record| record.feed == *feed).rev().cloned().collect()).collect();
    let mut read = Vec::new();
    while feeds.iter().any(|feed| !feed.is_empty()) {
        let feed = dice.below(feeds.len() as u64) as usize;
        for _ in 0..1 + dice.below(400) {
            read.extend(feeds[feed].pop());
        }
    }
    read
}

fn kinds(journal: &[Line]) -> [usize; 5] {
    let count = |is: fn(&Entry) -> bool| journal.iter().filter(|line| is(&line.entry)).count();
    [
        count(|entry| matches!(entry, Entry::IdleMark { .. })),
        count(|entry| matches!(entry, Entry::IdleEnd { .. })),
        count(|entry| matches!(entry, Entry::Tick { .. })),
        count(|entry| matches!(entry, Entry::Command { .. })),
        count(|entry| matches!(entry, Entry::ModelMissed { .. })),
    ]
}

#[test]
fn a_replay_with_the_journal_gives_the_bytes_of_the_live_night() {
    let mut seen = [0; 5];
    for seed in 0..30 {
        let (records, live) = live(seed);
        let journal = live.journal();
        seen.iter_mut().zip(kinds(&journal)).for_each(|(seen, more)| *seen += more);
        let mut dice = Dice::new(seed + 1_000);
        for size in [1, 13, 10_000] {
            let mut replay = Run::following(journal.clone());
            replay.read(&otherwise(&records, &mut dice), size).end();
            assert_eq!(replay.engine.unfollowed(), 0, "seed {seed}, batches of {size}");
            assert!(replay.outcome.compared() == live.outcome.compared(), "seed {seed}, batches of {size}");
            assert!(replay.outcome.of(OutTopic::Ledger) == live.outcome.of(OutTopic::Ledger), "seed {seed}, batches of {size}");
            assert_eq!(replay.site_state().keys().collect::<Vec<_>>(), live.site_state().keys().collect::<Vec<_>>(), "seed {seed}");
        }
    }
    assert!(seen.iter().all(|kind| *kind > 20), "marks, ends, ticks, commands and missed deadlines: {seen:?}");
}

#[test]
fn the_end_of_a_mark_names_the_record_and_the_panes_that_closed_without_its_source() {
    let mut run = Run::new(Placement::OnArrival);
    let pane = |now: i64| [count("c-in", now, 4, 0).received(now + 11), count("c-g1", now, 2, 0).received(now + 11)];
    let low = |sources: &[&'static str], at: i64| all_low(sources, at).into_iter().map(move |record| record.received(at + 1));
    run.read(&pane(0), 9).read(&low(&SOURCES, 10).collect::<Vec<_>>(), 9).quiet_until(11);
    run.read(&low(&["counters", "slow", "tickets", "rail"], 60).collect::<Vec<_>>(), 9).quiet_until(61);
    run.read(&[command("c-1", 62, r#""action":"ack","alarm_id":"none""#).received(63)], 1);
    run.read(&low(&["ops"], 64).collect::<Vec<_>>(), 1);
    let journal = run.journal();
    let Entry::IdleMark { source, next_offset, .. } = &journal[0].entry else { panic!("{journal:?}") };
    assert_eq!((&**source, *next_offset), ("ops", Some(1)));
    let Some(Entry::IdleEnd { source, feed, offset, from, after }) =
        journal.iter().map(|line| &line.entry).find(|entry| matches!(entry, Entry::IdleEnd { .. }))
    else {
        panic!("{journal:?}")
    };
    assert_eq!((&**source, *feed, *offset), ("ops", Feed::Commands, 2));
    // It was set aside in the pane to 20 s; the others' sensors and scans have come to 55 s.
    assert_eq!(from.unwrap().as_millis(), crate::engine::story::START + 20_000);
    assert_eq!(after.as_millis(), crate::engine::story::START + 54_000);
}

/// Reads `before` and lets twenty minutes of silence pass, then reads `after`; a replay of it must say the same.
fn silent_between(before: &[Record], until: &[i64], after: &[Record]) -> Run {
    let mut live = Run::new(Placement::OnArrival);
    live.quiet_until(0).read(before, 9);
    for now in until {
        live.quiet_until(*now);
    }
    live.read(after, 9).end();
    let mut replay = Run::following(live.journal());
    replay.read(&[before, after].concat(), 9).end();
    assert_eq!(replay.engine.unfollowed(), 0);
    assert!(replay.outcome.compared() == live.outcome.compared());
    live
}

fn steady(from: i64, to: i64) -> Vec<Record> {
    let pane = |now: i64| [count("c-in", now, 9, 0), count("c-g1", now, 4, 0)].into_iter().chain(all_low(&SOURCES, now + 10)).collect::<Vec<_>>();
    (from..to).step_by(10).flat_map(pane).map(|record| record.received(to + 1)).collect()
}

#[test]
fn that_a_venue_began_by_a_tick_is_journaled_even_where_no_pane_closed_by_it() {
    let live = silent_between(&[], &[601], &steady(590, 700));
    assert_eq!(kinds(&live.journal())[2], 1, "{:?}", live.journal());
}

#[test]
fn a_venue_that_held_records_when_ticks_took_it_up_begins_with_their_pane_in_a_replay_too() {
    let live = silent_between(&[count("c-in", 0, 7, 0).received(11)], &[700, 760], &steady(750, 800));
    assert_eq!(kinds(&live.journal())[2], 2, "{:?}", live.journal());
    assert!(live.outcome.pane("queue", 10, 0).is_some());
}

#[test]
fn a_journal_of_another_log_is_said_to_have_found_no_place_and_holds_nobody_for_ever() {
    let (records, live) = live(3);
    let half = &records[..records.len() / 2];
    let mut replay = Run::following(live.journal());
    replay.read(half, 50).end();
    assert!(replay.engine.unfollowed() > 0);
    assert!(replay.outcome.place("queue").len() > 20);
}
