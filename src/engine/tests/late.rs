//! Late events: never in revision 0, openly in the next, and never lost.

use crate::engine::story::{Outcome, Record, Run, SOURCES, all_low, count, count_over, low_water, played, raw, said};
use crate::engine::{OutTopic, Placement};

/// Ten seconds after ten seconds, `persons` come and half of them go in; then `late` at its place, and so on to the end.
fn steady(until: i64, place: i64, late: &[Record]) -> Vec<Record> {
    let mut records = Vec::new();
    for now in (0..until).step_by(10) {
        records.extend([count("c-in", now, 10, 0), count("c-g1", now, 5, 0)]);
        records.extend(all_low(&SOURCES, now + 10));
        if now + 10 == place {
            records.extend(late.iter().cloned());
        }
    }
    records
}

fn inside(outcome: &Outcome, zone: &str, end: i64) -> f64 {
    outcome.pane(zone, end, 0).unwrap()["occupancy"]["v"].as_f64().unwrap()
}

#[test]
fn within_the_lateness_it_revises_its_own_pane_and_corrects_the_total_once() {
    let late = count_over("counters", "c-in", 61, 69, 100, 0);
    let plain = said(&steady(300, 100, &[]));
    let run = played(&steady(300, 100, &[late]), 7);
    let revised = run.outcome.pane("queue", 70, 1).unwrap();
    assert_eq!((revised["in"].as_u64(), plain.pane("queue", 70, 0).unwrap()["in"].as_u64()), (Some(110), Some(10)));
    assert_eq!(run.outcome.pane("queue", 70, 0), plain.pane("queue", 70, 0), "revision 0 stays as it was");
    assert_eq!(run.outcome.pane("queue", 70, 2), None);
    assert_eq!(revised["occupancy"]["v"].as_f64().unwrap(), inside(&plain, "queue", 70) + 100.0);
    for end in (120..290).step_by(10) {
        assert_eq!(inside(&run.outcome, "queue", end), inside(&plain, "queue", end) + 100.0, "{end}");
    }
    assert_eq!((run.sums().revised, run.sums().late), (1, 0));
}

#[test]
fn what_is_late_in_the_very_pane_of_its_clock_is_not_in_revision_0_either() {
    // The clock stands at 98 − 5 = 93 s when a count up to 92 s comes: both lie in the pane that ends at 100 s.
    let mut records = steady(90, 90, &[]);
    records.push(count_over("counters", "c-in", 90, 98, 10, 0));
    records.push(count_over("counters", "c-in", 89, 92, 40, 0));
    records.extend(all_low(&SOURCES, 150));
    let outcome = said(&records);
    assert_eq!(outcome.pane("queue", 100, 0).unwrap()["in"], 10);
    assert_eq!(outcome.pane("queue", 100, 1).unwrap()["in"], 50);
    assert_eq!(inside(&outcome, "queue", 120), inside(&outcome, "queue", 100) + 40.0);
}

#[test]
fn older_than_the_kept_panes_it_corrects_the_totals_only() {
    let late = count_over("counters", "c-in", 101, 109, 100, 0);
    let plain = said(&steady(300, 200, &[]));
    let run = played(&steady(300, 200, &[late]), 7);
    let (corrections, panes): (Vec<_>, Vec<_>) = run.outcome.place("queue").into_iter().partition(|record| record["kind"] == "correction");
    assert!(panes.iter().all(|record| record["revision"] == 0));
    assert_eq!((corrections.len(), corrections[0]["in"].as_i64(), corrections[0]["out"].as_i64()), (1, Some(100), Some(0)));
    assert_eq!(inside(&run.outcome, "queue", 190), inside(&plain, "queue", 190));
    assert_eq!(inside(&run.outcome, "queue", 220), inside(&plain, "queue", 220) + 100.0);
    assert_eq!(run.sums().revised, 1);
}

#[test]
fn beyond_the_lateness_it_goes_to_late_with_its_lag_and_its_window_and_moves_nothing_else() {
    let late = count_over("counters", "c-in", 11, 19, 100, 0);
    let plain = played(&steady(300, 200, &[]), 7);
    let run = played(&steady(300, 200, &[late]), 7);
    let lines = run.outcome.of(OutTopic::Late);
    assert_eq!(lines.len(), 1);
    // The clock stood at 200 − 5 s, the count's last instant is 18.999 s.
    assert_eq!((&lines[0]["lag_ms"], &lines[0]["reason"], &lines[0]["source"]), (&176_001.into(), &"late".into(), &"counters".into()));
    let start = crate::engine::story::START;
    assert_eq!((lines[0]["from"].as_i64(), lines[0]["to"].as_i64()), (Some(start + 10_000), Some(start + 20_000)));
    let without = |run: &Run| {
        let mut compared = run.outcome.compared();
        compared.retain(|(topic, _), _| *topic != OutTopic::Late);
        compared
    };
    assert_eq!(without(&run), without(&plain));
}

#[test]
fn a_repeat_collapses_and_a_differing_one_is_a_conflict_however_late() {
    for place in [20, 100] {
        let repeat = count("c-in", 10, 10, 0);
        let differing = count("c-in", 10, 11, 0);
        let plain = played(&steady(300, place, &[]), 7);
        let run = played(&steady(300, place, &[repeat, differing]), 7);
        assert_eq!((run.sums().duplicate, run.sums().quarantined), (1, 1));
        assert_eq!(run.outcome.of(OutTopic::Quarantine)[0]["reason"], "conflict");
        assert_eq!(run.outcome.place("queue"), plain.outcome.place("queue"));
    }
}

#[test]
fn a_counter_of_five_minutes_is_never_late_in_order_and_nobody_of_it_is_lost() {
    let mut records = Vec::new();
    for now in (0..1_800).step_by(10) {
        records.extend([count("c-in", now, 10, 0), count("c-g1", now, 5, 0)]);
        // Its seconds are not those of the panes.
        if (now - 7) / 300 != (now + 3) / 300 && now > 0 {
            let to = (now + 3) / 300 * 300 + 7;
            records.push(count_over("slow", "c-door", to - 300, to, 37, 4));
        }
        records.extend(all_low(&["counters", "tickets", "rail", "ops"], now + 10));
    }
    records.extend(all_low(&["counters", "tickets", "rail", "ops"], 1_830));
    let run = played(&records, 16);
    let sent = records.iter().filter(|record| record.source == "slow").count() as u64;
    assert!(sent >= 5);
    let (late, revised) = (run.sums().late, run.sums().revised);
    assert_eq!((late, revised), (0, 0));
    let lounge = run.outcome.place("lounge");
    let sum = |what: &str| lounge.iter().map(|record| record[what].as_u64().unwrap_or(0)).sum::<u64>();
    assert_eq!((sum("in"), sum("out")), (37 * sent, 4 * sent));
    assert!(lounge.iter().all(|record| record["in"].as_u64().unwrap_or(0) <= 2), "spread over its panes, not heaped into one");
}

#[test]
fn a_long_count_that_comes_out_of_its_promised_order_is_late_by_its_start_and_still_whole() {
    let mut records: Vec<Record> = vec![count_over("slow", "c-door", 0, 300, 30, 0)];
    records.extend([count_over("slow", "c-door", 400, 600, 20, 0), count_over("slow", "c-door", 270, 560, 29, 0)]);
    records.extend(all_low(&["counters", "tickets", "rail", "ops"], 1_500));
    records.push(low_water("slow", 1_500));
    for size in [1, 100] {
        let run = played(&records, size);
        assert_eq!(run.sums().revised, 1);
        let last = run.outcome.place("lounge").last().unwrap()["occupancy"]["v"].as_f64().unwrap();
        assert_eq!(last, 79.0, "batches of {size}");
    }
}

#[test]
fn a_venue_with_one_source_that_never_spoke_forgets_what_it_need_not_know() {
    let mut run = Run::new(Placement::ByPane);
    let mut records = steady(900, 0, &[]);
    records.retain(|record| record.source != "slow");
    run.read(&records, 50).quiet_until(0).quiet_until(2_000);
    let seen = run.state.keys().filter(|key| key.starts_with("small/seen/")).count();
    assert!(seen < 40, "{seen} buckets of identities are kept");
}

/// A source that is read as of five minutes ago holds its late events for panes that lie as far behind its clock's own; a finite run ends before.
#[test]
fn what_is_late_at_the_very_end_of_a_run_is_not_left_behind() {
    let mut records = steady(900, 0, &[]);
    records.retain(|record| record.source != "slow");
    records.extend([count_over("slow", "c-door", 0, 300, 30, 0), count_over("slow", "c-door", 300, 600, 30, 0)]);
    records.push(count_over("slow", "c-door", 20, 280, 13, 0).in_place());
    for size in [1, 1_000] {
        let run = played(&records, size);
        assert_eq!(run.sums().revised, 1);
        let told = |what: &str| run.outcome.place("lounge").iter().filter_map(|record| record[what].as_i64()).sum::<i64>();
        let revised: i64 = run.outcome.place("lounge").iter().filter(|record| record["revision"] == 1 || record["kind"] == "correction").count() as i64;
        assert!(revised > 0, "batches of {size}: its panes were published again");
        assert!(told("in") > 0);
        assert_eq!(
            run.engine.explain("small", crate::venue::ZoneId(2), crate::time::EventTime::from_millis(crate::engine::story::START)).unwrap().late_waiting,
            0
        );
    }
}

/// A scanner whose clock was never set uploads before anybody else has spoken: the venue does not begin in 1970, and does not close the panes of all years since.
#[test]
fn an_upload_of_another_year_before_the_first_event_begins_no_venue() {
    let upload = r#"{"type":"scan","scan_id":"old","venue":"small","gate":"g1","result":"ok","event_time":12000,"offline":true}"#;
    let mut records = vec![raw("tickets", 0, upload).received(1)];
    records.extend(steady(120, -1, &[]));
    let run = played(&records, 7);
    assert_eq!((run.sums().late, run.sums().imbalance()), (1, (0, 0)));
    let panes = run.outcome.place("queue");
    assert!(panes.len() < 20 && panes.iter().all(|pane| pane["revision"] == 0), "{}", panes.len());
}
