//! What operators tell the engine: placed between two panes, journaled where it came as it came, refused by name.

use crate::engine::story::{Record, Run, SOURCES, all_low, command, count, played};
use crate::engine::{OutTopic, Placement};

/// The queue's lanes are flooded until 300 s: 1,000 persons stand on 400 m².
fn crowded(until: i64) -> Vec<Record> {
    let mut records = Vec::new();
    for now in (0..until).step_by(10) {
        records.extend([count("c-in", now, if now < 100 { 200 } else { 0 }, 0), count("c-g1", now, 0, 0)]);
        records.extend(all_low(&SOURCES, now + 10));
    }
    records
}

fn alarm_of(run: &Run) -> String {
    let raised = run.outcome.of(OutTopic::Alarms);
    raised.iter().find(|change| change["code"] == "DENS").unwrap_or_else(|| panic!("no DENS in {raised:?}"))["alarm_id"].as_str().unwrap().to_owned()
}

fn states(run: &Run, alarm: &str) -> Vec<String> {
    run.outcome.of(OutTopic::Alarms).iter().filter(|change| change["alarm_id"] == alarm).map(|change| change["change"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_acknowledgement_and_a_shelf_take_effect_at_their_pane_and_the_shelf_ends() {
    let id = alarm_of(&played(&crowded(300), 10));
    let mut records = crowded(300);
    let place = records.iter().position(|record| record.source == "ops" && record.at >= 200).unwrap();
    let start = crate::engine::story::START;
    records.insert(place, command("k-1", 195, &format!(r#""action":"ack","alarm_id":"{id}""#)));
    records.insert(place + 1, command("k-2", 196, &format!(r#""action":"shelve","alarm_id":"{id}","until":{},"reason":"works""#, start + 250_000)));
    let run = played(&records, 10);
    let changes = states(&run, &id);
    let at = |what: &str| changes.iter().position(|change| change == what).unwrap_or_else(|| panic!("{what} in {changes:?}"));
    assert!(at("raised") < at("acked") && at("acked") < at("shelved") && at("shelved") < at("unshelved"));
    let unshelved = run.outcome.of(OutTopic::Alarms).into_iter().find(|change| change["change"] == "unshelved").unwrap();
    assert_eq!(unshelved["event_time"], start + 250_000);
    assert_eq!(run.outcome.of(OutTopic::Control), Vec::<serde_json::Value>::new(), "by rule: nothing to journal");
    let repeated: Vec<Record> = records.iter().flat_map(|record| if record.source == "ops" { vec![record.clone(); 2] } else { vec![record.clone()] }).collect();
    assert_eq!(states(&played(&repeated, 10), &id), changes, "a repeated command does nothing");
}

#[test]
fn a_command_that_comes_late_takes_its_place_by_the_operations_clock_whatever_was_closed() {
    let mut records = crowded(300);
    let place = records.iter().position(|record| record.source == "ops" && record.at >= 200).unwrap();
    records.insert(place + 1, command("k-1", 20, r#""action":"recount","zone":"bowl","persons":777"#));
    let expected = played(&records, 1).outcome;
    assert_eq!(expected.pane("bowl", 200, 0).unwrap()["occupancy"]["v"], 0.0);
    assert_eq!(expected.pane("bowl", 210, 0).unwrap()["occupancy"]["v"], 777.0);
    // The operations are read to their end before anything else.
    let (mut ops, rest): (Vec<Record>, Vec<Record>) = records.into_iter().partition(|record| record.source == "ops");
    ops.extend(rest);
    assert_eq!(played(&ops, 1_000).outcome.compared(), expected.compared());
}

#[test]
fn live_a_command_takes_effect_on_arrival_is_journaled_and_its_alert_waits_for_the_commit() {
    let mut run = Run::new(Placement::OnArrival);
    run.read(&crowded(200), 10);
    let id = alarm_of(&run);
    assert!(run.outcome.alerts.iter().all(|(_, after_commit)| !after_commit), "a function of the logs alone");
    let before = run.outcome.alerts.len();
    run.read(&[command("k-1", 150, &format!(r#""action":"ack","alarm_id":"{id}""#))], 1);
    assert_eq!(states(&run, &id).last().map(String::as_str), Some("acked"));
    let journal = run.outcome.of(OutTopic::Control);
    assert_eq!(journal.len(), 1);
    assert_eq!((&journal[0]["kind"], &journal[0]["command_id"]), (&"command".into(), &"k-1".into()));
    let after: Vec<bool> = run.outcome.alerts[before..].iter().map(|(_, after_commit)| *after_commit).collect();
    assert_eq!(after, [true]);
}

#[test]
fn a_recount_sets_the_heads_and_a_senseless_command_is_refused_by_name() {
    let mut run = Run::new(Placement::OnArrival);
    run.read(&crowded(100), 10);
    run.read(&[command("k-1", 90, r#""action":"recount","zone":"bowl","persons":321"#)], 1);
    run.read(&[command("k-2", 90, r#""action":"ack","alarm_id":"DENS/small/none/1""#)], 1);
    run.read(&[command("k-3", 1_000_000_000, r#""action":"recount","zone":"bowl","persons":1"#).received(100)], 1);
    run.read(&[count("c-in", 100, 0, 0)], 1).read(&all_low(&SOURCES, 120), 10);
    assert_eq!(run.outcome.pane("bowl", 110, 0).unwrap()["occupancy"]["v"], 321.0);
    let refused = run.outcome.of(OutTopic::Quarantine);
    let reasons: Vec<&str> = refused.iter().map(|record| record["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["refused", "clock"]);
    assert_eq!(run.outcome.positions.len(), 2);
    assert_eq!(run.sums().command, 3);
}
