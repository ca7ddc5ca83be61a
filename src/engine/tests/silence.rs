//! Silence is an event: sources are set aside only by proof, ticks carry a silent venue on, and whoever comes back revises.

use crate::engine::story::{Record, Run, SOURCES, START, all_low, count, low_water, scan, world_of};
use crate::engine::{Control, OutTopic, Placement};
use crate::time::EventTime;

fn peopled(until: i64) -> Vec<Record> {
    let mut records = Vec::new();
    for now in (0..until).step_by(10) {
        records.extend([count("c-in", now, 40, 0).received(now + 11), count("c-g1", now, 30, 0).received(now + 11)]);
        records.extend(all_low(&SOURCES, now + 10).into_iter().map(|record| record.received(now + 11)));
    }
    records
}

fn kinds(run: &Run) -> Vec<String> {
    run.outcome.of(OutTopic::Control).iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn without_proof_that_all_is_read_nobody_is_set_aside() {
    let mut run = Run::new(Placement::OnArrival);
    run.read(&peopled(120), 10);
    run.control(&[Control::Tick { at: EventTime::from_millis(START) }, Control::Tick { at: EventTime::from_millis(START + 9_000_000) }]);
    assert!(kinds(&run).is_empty());
}

#[test]
fn a_silent_source_is_set_aside_with_its_offset_and_holds_nobody_until_it_comes_back_and_revises() {
    let mut run = Run::new(Placement::OnArrival);
    run.read(&peopled(120), 10).quiet_until(121);
    assert!(kinds(&run).is_empty());
    // Everybody but the operations goes on; their silence is 30 s.
    let going_on: Vec<Record> = peopled(240).into_iter().filter(|record| record.at > 120 && record.source != "ops").collect();
    run.read(&going_on, 10);
    assert_eq!(run.outcome.pane("queue", 150, 0), None, "the operations hold the pane");
    run.quiet_until(160);
    assert_eq!(kinds(&run), ["idle_mark"]);
    let mark = &run.outcome.of(OutTopic::Control)[0];
    assert_eq!(
        (&mark["source"], &mark["feed"], &mark["next_offset"], &mark["after"]),
        (&"ops".into(), &"commands".into(), &12.into(), &(START + 129_999).into()),
        "behind the last fast pane of the pane that the operations hold"
    );
    assert!(run.outcome.pane("queue", 220, 0).is_some());
    // The counters fall silent and are set aside; then what they had counted comes after all.
    run.read(&all_low(&["slow", "tickets", "rail"], 400).into_iter().map(|record| record.received(401)).collect::<Vec<_>>(), 10);
    run.quiet_until(401);
    assert_eq!(kinds(&run), ["idle_mark", "idle_mark"]);
    assert!(run.outcome.pane("queue", 380, 0).unwrap()["in"].is_null(), "silence is not zero");
    run.read(&[count("c-in", 370, 55, 0).received(402)], 1);
    assert_eq!(kinds(&run).last().map(String::as_str), Some("idle_end"));
    run.read(&[low_water("counters", 420).received(421)], 1).read(&all_low(&["slow", "tickets", "rail"], 420), 10);
    assert_eq!(run.outcome.pane("queue", 380, 1).unwrap()["in"], 55);
}

/// A partition on which somebody writes all the time never shows its end: each fetch brings something.
#[test]
fn on_a_partition_that_is_never_quiet_a_silent_source_is_set_aside_all_the_same() {
    let mut run = Run::new(Placement::OnArrival);
    run.read(&peopled(120), 10).quiet_until(121);
    for now in (120..1_000).step_by(10) {
        let others: Vec<&str> = SOURCES.into_iter().filter(|source| *source != "slow").collect();
        let said = all_low(&others, now + 10).into_iter().map(|record| record.received(now + 11).appended(now + 11));
        run.read(&said.collect::<Vec<_>>(), 10);
        // The tick may be ahead of what is read: what is unread may be the source's.
        run.control(&[Control::Tick { at: EventTime::from_millis(START + (now + 700) * 1_000) }]);
        if now + 11 <= 121 + 600 {
            assert!(kinds(&run).is_empty(), "{now}");
        }
    }
    assert_eq!(kinds(&run), ["idle_mark"]);
    let mark = &run.outcome.of(OutTopic::Control)[0];
    assert_eq!((&mark["source"], mark["next_offset"].as_i64() > Some(0)), (&"slow".into(), true));
    assert!(run.outcome.pane("queue", 900, 0).is_some(), "and holds nobody");
}

/// All had been set aside when it stopped, and what they said meanwhile is in the log: no tick closes a pane of that before it is read.
#[test]
fn what_is_unread_holds_a_venue_of_which_all_sources_were_set_aside() {
    let mut run = Run::new(Placement::OnArrival);
    run.read(&peopled(300), 10).quiet_until(301);
    for now in (310..1_200).step_by(5) {
        run.quiet_until(now);
    }
    let mut heir = run.restarted(Placement::OnArrival);
    heir.control(&[Control::Tick { at: EventTime::from_millis(START + 9_000_000) }]);
    assert!(kinds(&heir).is_empty(), "{:?}", kinds(&heir));
    let back: Vec<Record> = peopled(1_500).into_iter().filter(|record| record.at > 1_200).collect();
    heir.read(&back, 10);
    assert_eq!(heir.outcome.pane("queue", 1_480, 0).unwrap()["in"], 40);
    assert_eq!(heir.sums().revised, 0);
}

#[test]
fn an_alert_of_a_pane_that_closed_without_a_source_waits_for_the_commit() {
    let waits_without = |silent: &str| {
        let mut run = Run::new(Placement::OnArrival);
        run.read(&peopled(120), 10).quiet_until(121);
        let speaking: Vec<&str> = SOURCES.into_iter().filter(|source| *source != silent).collect();
        let others = |from: i64, to: i64, came: u32| -> Vec<Record> {
            let of_pane = |now: i64| {
                let counts = [count("c-in", now, came, 0), count("c-g1", now, 0, 0)].into_iter();
                counts.chain(all_low(&speaking, now + 10)).map(move |record| record.received(now + 11))
            };
            (from..to).step_by(10).flat_map(of_pane).collect()
        };
        run.read(&others(120, 200, 0), 10).quiet_until(201);
        assert_eq!(kinds(&run), ["idle_mark"], "{silent}; it is committed");
        let before = run.outcome.alerts.len();
        run.read(&others(200, 280, 400), 10);
        let after = &run.outcome.alerts[before..];
        assert!(!after.is_empty());
        let waiting = after.iter().filter(|(_, after_commit)| *after_commit).count();
        (waiting, after.len())
    };
    // Had the tickets' next record been read first, these panes would have waited for them.
    let (waiting, all) = waits_without("tickets");
    assert_eq!(waiting, all);
    // Commands that were not read then are kept back while the alert is made again.
    assert_eq!(waits_without("ops").0, 0);
}

#[test]
fn a_venue_that_goes_wholly_silent_closes_panes_by_ticks_and_blind_is_raised() {
    let mut run = Run::new(Placement::OnArrival);
    run.read(&peopled(300), 10).quiet_until(301);
    let before = run.outcome.alerts.len();
    for now in 310..1_500 {
        run.quiet_until(now);
    }
    let last = run.outcome.place("queue").last().cloned().unwrap();
    assert!(last["to"].as_i64().unwrap() > START + 1_000_000, "{last}");
    assert_eq!(last["coverage"], 0.0);
    let blind: Vec<serde_json::Value> =
        run.outcome.of(OutTopic::Alarms).into_iter().filter(|change| change["code"] == "BLIND" && change["change"] == "raised").collect();
    assert!(blind.iter().any(|change| change["place"]["kind"] == "venue"), "{blind:?}");
    let after = run.outcome.alerts[before..].iter().filter(|(alert, _)| String::from_utf8_lossy(&alert.value).contains("BLIND"));
    assert!(after.clone().count() > 0 && after.clone().all(|(_, after_commit)| *after_commit), "they hang on ticks that are not committed yet");
    let ticks = kinds(&run).iter().filter(|kind| *kind == "tick").count();
    let panes = run.outcome.place("queue").len();
    assert!(ticks < panes && ticks > 50, "{ticks} ticks are journaled for {panes} panes: those that closed one");
}

#[test]
fn a_venue_that_never_spoke_is_carried_on_by_ticks_too() {
    let mut run = Run::new(Placement::OnArrival);
    for now in (0..1_200).step_by(5) {
        run.quiet_until(now);
    }
    let panes = run.outcome.place("bowl");
    assert!(panes.len() > 10);
    assert!(panes.iter().all(|record| record["coverage"] == 0.0));
    let links = run.outcome.of(OutTopic::Zones).into_iter().filter(|record| record["kind"] == "link").collect::<Vec<_>>();
    assert!(
        links.len() > 10 && links.iter().all(|link| link["flow"].is_null() && link["backward_flow"].is_null()),
        "nobody counted: no flow is not a flow of 0"
    );
    let marks = run.outcome.of(OutTopic::Control).into_iter().filter(|entry| entry["kind"] == "idle_mark").collect::<Vec<_>>();
    assert_eq!(marks.len(), SOURCES.len());
    assert!(marks.iter().all(|mark| mark["next_offset"].is_null()));
}

#[test]
fn what_ticks_and_marks_decided_survives_a_restart() {
    let mut run = Run::new(Placement::OnArrival);
    run.read(&peopled(300), 10).quiet_until(301);
    for now in (310..1_200).step_by(5) {
        run.quiet_until(now);
    }
    let mut heir = run.restarted(Placement::OnArrival);
    run.quiet_until(1_200).quiet_until(1_300);
    heir.quiet_until(1_200).quiet_until(1_300);
    assert!(heir.state == run.state);
    assert_eq!(heir.outcome.place("queue").last(), run.outcome.place("queue").last());
}

/// A venue that ticks of broker time carried on before its first record of another day is, from that record on, one that has seen nothing: what those panes left
/// must not be held against the night.
#[test]
fn a_venue_that_begins_anew_goes_on_as_if_it_had_never_been_carried_on() {
    const DAYS: i64 = 40 * 86_400;
    let night = |run: &mut Run| {
        run.read(&all_low(&SOURCES, 0), 10).read(&peopled(600), 7).quiet_until(0);
    };
    let mut fresh = Run::new(Placement::OnArrival);
    night(&mut fresh);
    let expected = fresh.outcome.place("queue");
    assert!(expected.len() > 50 && expected.iter().any(|record| record["forecast"].as_array().is_some_and(|steps| !steps.is_empty())));
    for days in [DAYS, -DAYS] {
        let mut carried = Run::new(Placement::OnArrival);
        for now in (0..1_200).step_by(5) {
            carried.quiet_until(days + now);
        }
        let ticked = carried.outcome.place("queue").len();
        assert!(ticked > 20, "{ticked}");
        let mut carried = carried.restarted(Placement::OnArrival);
        night(&mut carried);
        let differing = carried.outcome.place("queue").into_iter().zip(&expected).find(|(found, wanted)| found != *wanted);
        assert_eq!(differing, None, "carried on {days} s away");
        assert_eq!(carried.outcome.place("queue").len(), expected.len());
        let of_night = |run: &Run| -> Vec<(String, Vec<u8>)> {
            let parts = ["small/forecast", "small/closed", "small/open", "small/crowd"];
            let lasts = run.state.iter().filter(|(key, _)| parts.iter().any(|part| key.starts_with(part)));
            lasts.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        let names = |run: &Run| of_night(run).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(names(&carried), names(&fresh));
        assert!(of_night(&carried) == of_night(&fresh));
    }
}

/// Where one source has gone for good, the others' identities are forgotten all the same: what it could still say of so long ago would not be believed.
#[test]
fn a_source_that_never_comes_back_keeps_no_identities_for_ever() {
    let change = |venue: String| venue.replace("pane = \"10s\"", "pane = \"10s\"\ntrust = { leap = \"20min\" }").replace("\"1h\"", "\"2min\"");
    let mut run = Run::of(world_of(change), Placement::OnArrival);
    run.read(&all_low(&SOURCES, 10), 10);
    for now in (0..3_600).step_by(10) {
        let others = SOURCES.into_iter().filter(|source| *source != "rail").map(|source| low_water(source, now + 10)).chain([scan(now as u32, now + 5)]);
        run.read(&others.map(|record| record.received(now + 11)).collect::<Vec<_>>(), 10).quiet_until(now + 12);
    }
    assert_eq!(kinds(&run), ["idle_mark"]);
    let kept = run.state.keys().filter(|key| key.starts_with("small/seen/0/")).count();
    assert!((100..200).contains(&kept), "{kept} of 360 seconds");
}
