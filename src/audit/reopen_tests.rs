//! What was too late and is taken back in: openly, once, and moving nobody's time.

use super::{Reopening, Selection, Wanted};
use crate::engine::story::{Record, Run, SOURCES, START, all_low, count, count_over, raw, world};
use crate::engine::{OutTopic, Placement};
use crate::time::EventTime;
use crate::venue::Feed;

const fn at(secs: i64) -> EventTime {
    EventTime::from_millis(START + secs * 1_000)
}

fn steady(from: i64, to: i64) -> Vec<Record> {
    (from..to).step_by(10).flat_map(|now| [count("c-in", now, 10, 0), count("c-g1", now, 5, 0)].into_iter().chain(all_low(&SOURCES, now + 10))).collect()
}

/// A late count of `[11, 19)` at 400 s, and a late repeat of what had come at 30 s.
fn with_late() -> (Run, Vec<Record>) {
    let mut records = steady(0, 400);
    records.push(count_over("counters", "c-in", 11, 19, 100, 0).in_place());
    records.push(count("c-g1", 20, 5, 0).in_place());
    records.extend(steady(400, 450));
    let mut run = Run::new(Placement::ByPane);
    run.read(&records, 50);
    (run, records)
}

fn selected(run: &Run, records: &[Record], from: i64, to: i64) -> (Vec<Record>, u64) {
    let mut selection = Selection::new(Wanted { venue: "small".into(), from: at(from), to: at(to) });
    run.positioned(OutTopic::Late).iter().for_each(|(line, position)| selection.late(line.as_bytes(), position));
    let mut offsets = [0; Feed::ALL.len()];
    for record in records {
        let offset = &mut offsets[record.feed as usize];
        selection.record(&record.as_read(*offset), &world());
        *offset += 1;
    }
    let taken = selection.finish();
    let copy = |reopening: &Reopening| {
        let original = records.iter().find(|record| record.value == reopening.value).unwrap();
        original.clone().reopened(&reopening.position)
    };
    (taken.iter().map(copy).collect(), selection.repeats)
}

#[test]
fn it_corrects_what_lasts_publishes_what_the_window_lacked_and_stands_in_the_ledger_as_reopened() {
    let (mut run, records) = with_late();
    assert_eq!((run.sums().late, run.sums().reopened), (2, 0));
    let (again, repeats) = selected(&run, &records, 0, 60);
    assert_eq!((again.len(), repeats), (1, 1), "what had been counted stays out");
    let before = run.outcome.pane("queue", 440, 0).unwrap()["occupancy"]["v"].as_f64().unwrap();
    run.read(&again, 1).read(&steady(450, 500), 50);
    assert_eq!((run.sums().late, run.sums().reopened, run.sums().revised), (2, 1, 1));
    let after = run.outcome.pane("queue", 480, 0).unwrap()["occupancy"]["v"].as_f64().unwrap();
    assert_eq!(after - before, 100.0 + 4.0 * 5.0);
    let correction = run.outcome.place("queue").into_iter().find(|record| record["kind"] == "correction").unwrap();
    assert_eq!((correction["to"].as_i64(), correction["in"].as_i64()), (Some(START + 20_000), Some(100)));
}

#[test]
fn a_window_that_is_kept_is_revised_and_taking_it_in_twice_changes_nothing() {
    let (mut run, records) = with_late();
    let (again, _) = selected(&run, &records, 0, 60);
    // A late one whose pane is still kept would have been allowed; so the window is kept by another clock's standing still.
    run.read(&again, 1).read(&again, 1).read(&steady(450, 500), 50);
    assert_eq!((run.sums().reopened, run.sums().duplicate), (1, 1));
    let corrections = run.outcome.place("queue").into_iter().filter(|record| record["kind"] == "correction").count();
    assert_eq!(corrections, 1);
    let mut heir = run.restarted(Placement::ByPane);
    heir.read(&again, 1);
    assert_eq!(heir.sums().duplicate, run.sums().duplicate + 1, "that survives a restart");
}

#[test]
fn another_window_stays_closed() {
    let (run, records) = with_late();
    assert_eq!(selected(&run, &records, 60, 400).0.len(), 0);
}

/// A device that was cut off pushes its last minute in one record when it is back: one interval of it was too late, the other was not.
#[test]
fn of_a_record_of_which_only_a_part_was_late_only_that_comes_in() {
    let interval = |from: i64, persons: u32| {
        let (from, to) = (START + from * 1_000, START + (from + 10) * 1_000);
        format!(r#"{{"from":{from},"to":{to},"counts":[{{"id":1,"name":"fw","value":{persons}}},{{"id":2,"name":"bw","value":0}}]}}"#)
    };
    let push = format!(
        r#"{{"logics_data":{{"package_info":{{"version":"5.0","id":6,"agent_id":4}},"logics":[{{"id":0,"name":"c-in","info":"XLT_4X_LINE_IN_OUT_COUNT","geometries":[],"records":[{},{}]}}]}}}}"#,
        interval(11, 100),
        interval(401, 7)
    );
    let mut records = steady(0, 400);
    records.push(Record { format: Some("xovis"), ..raw("counters", 411, push) }.in_place());
    records.extend(steady(400, 450));
    let mut run = Run::new(Placement::ByPane);
    run.read(&records, 50);
    assert_eq!((run.sums().late, run.sums().quarantined, run.sums().undecodable), (1, 0, 0));
    let (again, _) = selected(&run, &records, 0, 60);
    assert_eq!(again.len(), 1);
    run.read(&again, 1).read(&steady(450, 500), 50);
    assert_eq!((run.sums().reopened, run.sums().duplicate, run.sums().revised), (1, 1, 1));
}
