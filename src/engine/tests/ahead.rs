//! Fast panes run ahead of the panes that a slow source holds: what cannot wait for it does not, and nothing else changes.

use super::Dice;
use super::fast::{ALL, assert_inherited, assert_replays, by_source, live, watched_and};
use super::fast_counts::{TROUBLES, delay, doored_and};
use super::order::{assert_same, disordered, interleaved};
use crate::engine::story::{Record, Run};
use crate::engine::{OutTopic, Placement};
use crate::time::Span;
use crate::venue::World;
use std::collections::BTreeMap;
use std::sync::Arc;

const TICKETS: &str = r#"id = "tickets", feed = "ticketing", disorder = "5s""#;

/// Tickets that are told out of order by up to two minutes.
fn by_minutes(venue: String) -> String {
    venue.replace(TICKETS, r#"id = "tickets", feed = "ticketing", disorder = "2min""#)
}

/// By up to 33 seconds: no whole number of panes.
fn by_seconds(venue: String) -> String {
    venue.replace(TICKETS, r#"id = "tickets", feed = "ticketing", disorder = "33s""#)
}

fn lead(world: &World) -> Span {
    world.venues[0].lead()
}

#[test]
fn the_lead_is_what_the_slow_wait_for_longer_in_whole_panes() {
    assert_eq!(lead(&doored_and("2s", |venue| venue)), Span::ZERO);
    assert_eq!(lead(&doored_and("2s", by_minutes)), Span::from_secs(120), "115 s");
    assert_eq!(lead(&doored_and("2s", by_seconds)), Span::from_secs(30), "28 s");
}

#[test]
fn a_slow_ticketing_source_delays_no_alarm_that_cannot_wait() {
    for (code, on_s, trouble) in TROUBLES {
        let delays: Vec<i64> = (161..170).map(|onset| delay(doored_and("2s", by_minutes), code, onset, on_s, trouble)).collect();
        println!("{code}: mean {:.1} s, most {} s", delays.iter().sum::<i64>() as f64 / delays.len() as f64, delays.iter().max().unwrap());
        assert!(delays.iter().all(|delay| *delay <= 2 + 2 + 5), "{code}: {delays:?}");
    }
}

/// A world, and its restless records by seed.
type Restless = (Arc<World>, fn(u64) -> Vec<Record>);

fn worlds() -> [Restless; 2] {
    [(doored_and("2s", by_seconds), |seed| super::fast_counts::restless(seed, 360)), (watched_and("2s", by_seconds), super::fast::restless)]
}

fn played(world: &Arc<World>, records: &[Record], size: usize) -> Run {
    let mut run = Run::of(Arc::clone(world), Placement::ByPane);
    run.read(records, size).end();
    run
}

#[test]
fn cuts_interleavings_and_disorder_leave_no_trace() {
    for (world, restless) in worlds() {
        let mut within_a_pane = 0;
        for seed in 0..4 {
            let records = restless(seed);
            let one = played(&world, &records, 1_000);
            within_a_pane += one.outcome.of(OutTopic::Alarms).iter().filter(|change| change["event_time"].as_i64().unwrap() % 10_000 != 0).count();
            assert_same(&one, &played(&world, &records, 1));
            let mut dice = Dice::new(seed + 50);
            for _ in 0..3 {
                assert_same(&one, &played(&world, &interleaved(by_source(&records), &mut dice), 37));
                let queues = by_source(&records).iter().map(|queue| disordered(queue, &mut dice)).collect();
                assert_same(&one, &played(&world, &interleaved(queues, &mut dice), 11));
            }
        }
        assert!(within_a_pane > 20, "{within_a_pane} changes of alarms at the end of a fast pane");
    }
}

#[test]
fn an_heir_goes_on_where_fast_panes_are_ahead() {
    for (world, restless) in worlds() {
        assert_inherited(&world, &restless(7), 211);
    }
}

#[test]
fn the_picture_is_the_panes_own() {
    let world = doored_and("2s", by_seconds);
    let without = doored_and("10s", |venue| by_seconds(venue).replace("fast_pane = \"10s\"\n", ""));
    for seed in 0..3 {
        let records = super::fast_counts::restless(seed, 300);
        let (fast, slow) = (played(&world, &records, 50), played(&without, &records, 50));
        for place in ["queue", "bowl", "lounge", "out-1", "g1"] {
            assert_eq!(fast.outcome.place(place), slow.outcome.place(place), "{place}");
        }
    }
}

/// Each alarm's changes go forward in event time: a pane does not undo what fast panes have said of a later time.
#[test]
fn the_newer_figure_counts() {
    let mut changes = 0;
    for (world, restless) in worlds() {
        for seed in 0..6 {
            let run = played(&world, &restless(seed), 40);
            let mut latest: BTreeMap<String, i64> = BTreeMap::new();
            for change in run.outcome.of(OutTopic::Alarms).iter().filter(|change| change["change"] != "acked") {
                let (id, at) = (change["alarm_id"].to_string(), change["event_time"].as_i64().unwrap());
                let before = latest.insert(id.clone(), at);
                assert!(before.is_none_or(|before| before <= at), "seed {seed}: {id} at {at} after {before:?}");
                changes += 1;
            }
        }
    }
    assert!(changes > 100, "{changes}");
}

/// Whoever falls silent, the quick, the slow or all that feed fast panes, is set aside; a replay has marks, ends and commands at the same places.
#[test]
fn marks_and_commands_are_replayed_where_they_took_effect() {
    for (world, restless) in worlds() {
        for (nth, silent) in [&["cameras"][..], &["tickets"], &["cameras", "counters"], &ALL].into_iter().enumerate() {
            for seed in 0..3 {
                let mut dice = Dice::new(seed + 10 * nth as u64);
                let (from, until) = (90 + dice.below(20) as i64, 210 + dice.below(40) as i64);
                let is_told = |record: &Record| !silent.contains(&record.source) || !(from..until).contains(&record.at);
                let told: Vec<Record> = restless(seed).into_iter().filter(is_told).collect();
                let (run, records) = live(&world, &told, 3, &mut dice);
                assert_replays(&world, &run, &records, &mut dice, seed);
            }
        }
    }
}
