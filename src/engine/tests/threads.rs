//! What hurt the users of other engines, each under the name of its thread: here it must not happen.
//!
//! Beside these: `laminardb#388` and `sql-flow#358` (one fast clock makes the fleet late) in `clocks`; `flink#1839`, `flink-connectors#41` and `arroyo#756` (history and live are two
//! regimes) in `shard::in_step`; `rmoff-blog#135` and `nussknacker#6292` (why did this window not fire?) in `console::explain`.

use super::busy;
use crate::engine::story::{Record, Run, SOURCES, START, all_low, count, count_over, low_water, played, scan};
use crate::engine::{Control, OutTopic, Placement};
use crate::time::EventTime;

fn received(records: impl IntoIterator<Item = Record>, secs: i64) -> Vec<Record> {
    records.into_iter().map(|record| record.received(secs)).collect()
}

/// Everybody speaks from `from` to `to` but those left out.
fn speaking(from: i64, to: i64, but: &[&str]) -> Vec<Record> {
    let mut records = Vec::new();
    for now in (from..to).step_by(10) {
        records.extend(received([count("c-in", now, 40, 0), count("c-g1", now, 30, 0)], now + 11));
        records.extend(received(all_low(&SOURCES, now + 10), now + 11));
    }
    records.retain(|record| !but.contains(&record.source));
    records
}

fn last_pane(run: &Run) -> i64 {
    run.outcome.place("queue").iter().filter_map(|record| record["to"].as_i64()).max().map_or(0, |to| (to - START) / 1_000)
}

fn kinds(run: &Run) -> Vec<String> {
    run.outcome.of(OutTopic::Control).iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn arroyo_222_and_risingwave_19860_an_idle_partition_freezes_no_window() {
    let mut run = Run::new(Placement::OnArrival);
    run.read(&speaking(0, 60, &[]), 10).quiet_until(61).read(&speaking(60, 300, &["tickets"]), 10);
    assert_eq!(last_pane(&run), 50, "the tickets hold it, and may: their limit has not passed");
    run.quiet_until(301);
    assert_eq!(last_pane(&run), 290);
}

#[test]
fn flink_5634_no_timer_sets_aside_a_partition_with_unread_records() {
    let mut run = Run::new(Placement::OnArrival);
    run.read(&speaking(0, 60, &[]), 10);
    for now in (60..40_000).step_by(60) {
        run.control(&[Control::Tick { at: EventTime::from_millis(START + now * 1_000) }]);
    }
    assert!(kinds(&run).is_empty(), "hours went by, and nobody has shown that all is read");
    run.read(&speaking(60, 120, &[]), 10).end();
    let (late, revised) = (run.sums().late, run.sums().revised);
    assert_eq!((late, revised), (0, 0), "what had been waiting is all there");
}

#[test]
fn beam_40176_a_topic_that_never_had_a_record_holds_nothing() {
    let mut run = Run::new(Placement::OnArrival);
    run.read(&speaking(0, 60, &["tickets", "rail"]), 10);
    assert_eq!(last_pane(&run), 0);
    // The first word of the broker is enough; no silence has to pass.
    run.quiet_until(61);
    assert_eq!(last_pane(&run), 50);
    // Its first record is judged by its own clock, and revises.
    run.read(&received([scan(1, 45), low_water("tickets", 60)], 62), 1).read(&speaking(60, 120, &["rail"]), 10);
    assert_eq!((run.sums().late, run.sums().quarantined), (0, 0));
    assert_eq!(run.sums().revised, 1);
}

#[test]
fn flink_29024_a_source_that_comes_back_loses_nothing_and_holds_again() {
    let mut run = Run::new(Placement::OnArrival);
    run.read(&speaking(0, 60, &[]), 10).quiet_until(61);
    run.read(&speaking(60, 200, &["counters"]), 10).quiet_until(201);
    assert_eq!(kinds(&run), ["idle_mark"]);
    let held = count("c-in", 150, 77, 0).received(202);
    run.read(&[held], 1).read(&received([low_water("counters", 210)], 211), 1);
    assert_eq!(kinds(&run), ["idle_mark", "idle_end"]);
    run.read(&speaking(210, 400, &["counters"]), 10);
    assert!(last_pane(&run) <= 210, "it holds again: {}", last_pane(&run));
    assert_eq!(run.outcome.pane("queue", 160, 1).unwrap()["in"], 77);
}

#[test]
fn risingwave_23270_and_ksql_4579_no_late_event_vanishes_silently() {
    let mut records = speaking(0, 400, &[]);
    records.push(count_over("counters", "c-in", 11, 19, 5, 0).received(401));
    records.extend(speaking(400, 420, &[]));
    let run = played(&records, 9);
    let late = run.outcome.of(OutTopic::Late);
    assert_eq!((late.len() as u64, run.sums().late), (1, 1));
    for field in ["from", "to", "lag_ms", "reason", "source", "observation"] {
        assert!(!late[0][field].is_null(), "{field}");
    }
    assert!(run.positioned(OutTopic::Late)[0].1.starts_with("feeds.sensors/0/"));
}

#[test]
fn laminardb_65_and_hazelcast_jet_747_there_is_a_late_policy_and_it_is_open() {
    let mut records = speaking(0, 100, &[]);
    records.push(count_over("counters", "c-in", 61, 69, 100, 0).received(101));
    records.extend(speaking(100, 160, &[]));
    let run = played(&records, 9);
    let (first, second) = (run.outcome.pane("queue", 70, 0).unwrap(), run.outcome.pane("queue", 70, 1).unwrap());
    assert_eq!((first["in"].as_u64(), second["in"].as_u64()), (Some(40), Some(140)));
}

/// flink#3031, flink#24801, beam#25975: the watermark was no part of the checkpoint, so a restart judged anew.
#[test]
fn flink_3031_and_24801_a_restart_judges_nothing_late_that_was_not_and_nothing_on_time_that_was_late() {
    let records = busy(31);
    let whole = played(&records, 1);
    for cut in (0..records.len()).step_by(records.len() / 23) {
        let mut first = Run::new(Placement::ByPane);
        first.read(&records[..cut], 1);
        let mut heir = first.restarted(Placement::ByPane);
        heir.read(&records[cut..], 1).end();
        assert_eq!(heir.sums(), whole.sums(), "cut at {cut}");
    }
}

#[test]
fn arroyo_961_every_output_names_its_window_and_its_revision() {
    let run = played(&busy(5), 64);
    for record in run.outcome.of(OutTopic::Zones).iter().filter(|record| record["kind"] != "correction") {
        let (from, to) = (record["from"].as_i64().unwrap(), record["to"].as_i64().unwrap());
        assert_eq!(to - from, 10_000);
        assert!(record["revision"].is_u64() && record["watermark"].as_i64().unwrap() >= to, "{record}");
    }
}

/// flink-sql-runner#346: the watermark had to be tuned by hand against slow sensors.
#[test]
fn flink_sql_runner_346_a_counter_of_five_minutes_holds_nobody_and_is_not_late() {
    let mut run = Run::new(Placement::ByPane);
    for now in (0..1_200).step_by(10) {
        run.read(&received([count("c-in", now, 4, 0)], now + 11), 1);
        run.read(&received(all_low(&["counters", "tickets", "rail", "ops"], now + 10), now + 11), 9);
        if now % 300 == 290 {
            run.read(&received([count_over("slow", "c-door", now - 290, now + 10, 30, 0)], now + 12), 1);
            let behind = now + 10 - last_pane(&run);
            assert!(behind <= 10, "{behind} s behind when it speaks");
        }
    }
    assert_eq!((run.sums().late, run.sums().revised), (0, 0));
}
