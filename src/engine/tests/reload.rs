//! Another configuration of the venue at an event time: nothing that lasts is lost, and the pane is exactly its own.

use super::busy;
use crate::engine::journal::Entry;
use crate::engine::story::{Record, Run, SOURCES, START, all_low, count, count_over, played_in, world_of, world_of_files};
use crate::engine::{OutTopic, Placement};
use crate::venue::World;
use std::sync::Arc;

/// From so many seconds after the start on the changed configuration is in force: within a pane.
const FROM: i64 = 455;

/// The lounge may hold twenty where it held five hundred, the gate has fewer lanes.
fn changed(venue: &str) -> String {
    let venue = venue.replace("area_m2 = 300, capacity = 500", "area_m2 = 30, capacity = 20").replace("lanes = 4", "lanes = 3");
    assert!(venue.contains("capacity = 20 ") && venue.contains("lanes = 3"));
    venue
}

/// The venue with the change in a file of its own.
fn world() -> Arc<World> {
    world_from(FROM)
}

/// The same, `from` seconds after the start.
fn world_from(from: i64) -> Arc<World> {
    let from = chrono::DateTime::from_timestamp_millis(START + from * 1_000).unwrap().to_rfc3339();
    world_of_files(|venue| vec![venue.to_owned(), changed(venue).replace("id = \"small\"\n", &format!("id = \"small\"\nfrom = \"{from}\"\n"))])
}

fn reloads(run: &Run) -> Vec<i64> {
    let of = |entry: Entry| match entry {
        Entry::VenueReload { pane, .. } => Some((pane.as_millis() - START) / 1_000),
        _ => None,
    };
    run.journal().into_iter().filter_map(|line| of(line.entry)).collect()
}

/// The records of a place up to a pane's end, of revision 0, and those behind it.
fn around(run: &Run, place: &str, end: i64) -> (Vec<serde_json::Value>, Vec<serde_json::Value>) {
    let end = START + end * 1_000;
    run.outcome.place(place).into_iter().filter(|record| record["revision"] == 0).partition(|record| record["to"].as_i64().unwrap() <= end)
}

#[test]
fn a_configuration_holds_from_the_first_pane_that_ends_after_its_time_and_heads_stay_where_they_are() {
    let records = busy(3);
    let (plain, changed) = (played_in(world_of(|venue| venue), &records), played_in(world(), &records));
    assert_eq!(reloads(&changed), [460]);
    for place in ["queue", "bowl", "lounge", "in"] {
        let ((before, after), (before_plain, after_plain)) = (around(&changed, place, 450), around(&plain, place, 450));
        assert!(before == before_plain && before.len() > 20, "{place} before");
        let heads = |records: &[serde_json::Value]| records.iter().map(|record| record["occupancy"]["v"].clone()).collect::<Vec<_>>();
        assert_eq!(heads(&after), heads(&after_plain), "{place}: nobody is lost");
        assert!(after.len() > 20);
    }
    let lanes = |records: &[serde_json::Value]| records.iter().filter_map(|record| record["capacity_per_min"].as_f64()).collect::<Vec<_>>();
    let ((_, after), (_, after_plain)) = (around(&changed, "g1", 450), around(&plain, "g1", 450));
    assert_ne!(lanes(&after), lanes(&after_plain), "and the gate has fewer lanes");
}

/// A count for the pane to 450 s (310 s later than its own time), under the old configuration, comes when the new one is in force.
#[test]
fn a_late_count_revises_its_pane_by_the_configuration_of_that_pane() {
    let late = count_over("slow", "c-door", 131, 139, 40, 0).in_place();
    for restarts in [false, true] {
        let mut records: Vec<Record> = Vec::new();
        for now in (0..900).step_by(10) {
            records.extend([count("c-in", now, 10, 0), count("c-g1", now, 5, 0)]);
            records.extend((now % 300 == 0).then(|| count_over("slow", "c-door", now - 300, now, 60, 0)));
            records.extend(all_low(&SOURCES, now + 10));
        }
        let arrives = records.iter().position(|record| record.at > 470).unwrap();
        records.insert(arrives, late.clone());
        let mut run = Run::of(world(), Placement::OnArrival);
        run.read(&records[..arrives], 9);
        let mut heir = if restarts { run.restarted(Placement::OnArrival) } else { run };
        heir.read(&records[arrives..], 9).end();
        let revised = heir.outcome.place("lounge").into_iter().find(|record| record["revision"] == 1).expect("a revision");
        assert!(revised["to"].as_i64().unwrap() <= START + FROM * 1_000, "{revised}");
        let (heads, density) = (revised["occupancy"]["v"].as_f64().unwrap(), revised["density"]["v"].as_f64().unwrap());
        assert!(heads > 0.0 && (density - heads / 300.0).abs() < 0.01, "{revised}");
    }
}

#[test]
fn a_replay_turns_where_live_turned_though_the_file_was_there_only_later() {
    let records = busy(3);
    let cut = records.iter().position(|record| record.at > 600).unwrap();
    let mut life = Run::of(world_of(|venue| venue), Placement::OnArrival);
    life.read(&records[..cut], 9);
    let mut heir = life.restarted_in(world(), Placement::OnArrival);
    heir.read(&records[cut..], 9).end();
    let at = reloads(&heir);
    assert!(reloads(&life).is_empty() && at.len() == 1 && at[0] > 460, "{at:?}");
    let mut replay = heir.replay_of(&[&life, &heir], &[]);
    replay.read(&records, 100).end();
    assert_eq!((replay.engine.unfollowed(), reloads(&replay)), (0, at));
    for place in ["queue", "lounge", "bowl", "g1"] {
        assert_eq!(replay.outcome.place(place), [life.outcome.place(place), heir.outcome.place(place)].concat(), "{place}");
    }
}

#[test]
fn a_replay_from_the_first_pane_on_begins_with_what_was_in_force_before_the_change() {
    let records = busy(3);
    let cut = records.iter().position(|record| record.at > 600).unwrap();
    let mut life = Run::of(world_of(|venue| venue), Placement::OnArrival);
    life.read(&records[..cut], 9);
    let mut heir = life.restarted_in(world_from(-1_000), Placement::OnArrival);
    heir.read(&records[cut..], 9).end();
    let mut replay = heir.replay_of(&[&life, &heir], &[]);
    replay.read(&records, 100).end();
    assert_eq!((replay.engine.unfollowed(), reloads(&replay)), (0, reloads(&heir)));
    assert_eq!(replay.outcome.place("lounge"), [life.outcome.place("lounge"), heir.outcome.place("lounge")].concat());
}

#[test]
fn a_source_is_set_aside_by_the_silence_that_is_in_force() {
    let patient =
        |venue: &str| venue.replace("disorder = \"0s\", lateness = \"1h\", silence = \"30s\"", "disorder = \"0s\", lateness = \"1h\", silence = \"5min\"");
    let from = chrono::DateTime::from_timestamp_millis(START + FROM * 1_000).unwrap().to_rfc3339();
    let marks = |before: bool| {
        let later = |venue: &str| patient(venue).replace("id = \"small\"\n", &format!("id = \"small\"\nfrom = \"{from}\"\n"));
        let world = if before { world_of(|venue| venue) } else { world_of_files(|venue| vec![venue.to_owned(), later(venue)]) };
        let mut run = Run::of(world, Placement::OnArrival);
        let received = |now: i64, sources: &[&'static str]| all_low(sources, now).into_iter().map(move |record| record.received(now + 1)).collect::<Vec<_>>();
        for now in (0..600).step_by(10) {
            run.read(&received(now, &SOURCES), 9);
        }
        run.quiet_until(600);
        for now in (600..660).step_by(10) {
            run.read(&received(now, &SOURCES[..4]), 9);
        }
        run.quiet_until(661);
        run.journal().iter().filter(|line| matches!(line.entry, Entry::IdleMark { .. })).count()
    };
    assert_eq!((marks(true), marks(false)), (1, 0));
}

#[test]
fn a_change_that_is_not_there_hides_nothing_else_of_its_pane() {
    let mut live = Run::of(world(), Placement::OnArrival);
    live.misses = |_| true;
    live.read(&busy(7), 9).end();
    let mut other = Run::following_in(world_of(|venue| venue), live.journal());
    other.read(&busy(7), 100).end();
    assert_eq!(other.engine.unfollowed(), 1);
    let missed = |run: &Run| run.journal().iter().filter(|line| matches!(line.entry, Entry::ModelMissed { .. })).count();
    assert_eq!(missed(&other), missed(&live));
}

#[test]
fn a_restart_before_and_after_leaves_no_trace() {
    let records: Vec<Record> = busy(5);
    let whole = {
        let mut run = Run::of(world(), Placement::OnArrival);
        run.read(&records, 9).end();
        run
    };
    for until in [400, 458, 475, 600] {
        let cut = records.iter().position(|record| record.at > until).unwrap();
        let mut life = Run::of(world(), Placement::OnArrival);
        life.read(&records[..cut], 9);
        let mut heir = life.restarted(Placement::OnArrival);
        heir.read(&records[cut..], 9).end();
        let parts: Vec<serde_json::Value> =
            ["queue", "lounge", "g1"].iter().flat_map(|place| [life.outcome.place(place), heir.outcome.place(place)].concat()).collect();
        let of_whole: Vec<serde_json::Value> = ["queue", "lounge", "g1"].iter().flat_map(|place| whole.outcome.place(place)).collect();
        assert_eq!(parts, of_whole, "restarted at {until}");
        assert_eq!([reloads(&life), reloads(&heir)].concat(), [460], "restarted at {until}");
        assert!(heir.site_state() == whole.site_state(), "restarted at {until}");
    }
}

#[test]
fn a_replay_with_the_journal_gives_the_same_bytes_and_one_without_the_file_shows_it() {
    let records = busy(7);
    let mut live = Run::of(world(), Placement::OnArrival);
    live.read(&records, 9).end();
    let mut replay = live.replay(&[]);
    replay.read(&records, 100).end();
    assert_eq!(replay.engine.unfollowed(), 0);
    assert!(replay.outcome.compared() == live.outcome.compared());
    let mut other = Run::following_in(world_of(|venue| venue), live.journal());
    other.read(&records, 100).end();
    assert_eq!(other.engine.unfollowed(), 1, "the change that is not there");
}

#[test]
fn a_restart_with_a_changed_file_of_the_same_frame_goes_on_with_all_that_lasts_and_is_journaled() {
    let records = busy(3);
    let cut = records.iter().position(|record| record.at > 500).unwrap();
    let mut life = Run::of(world_of(|venue| venue), Placement::OnArrival);
    life.read(&records[..cut], 9);
    let mut heir = life.restarted_in(world_of(|venue| changed(&venue)), Placement::OnArrival);
    heir.read(&records[cut..], 9).end();
    assert_eq!((reloads(&life).len(), reloads(&heir).len()), (0, 1));
    let plain = played_in(world_of(|venue| venue), &records);
    let (last, last_plain) = (heir.outcome.place("lounge").pop().unwrap(), plain.outcome.place("lounge").pop().unwrap());
    assert_eq!(last["occupancy"]["v"], last_plain["occupancy"]["v"], "nobody is lost");
    assert_ne!(last["density"], last_plain["density"], "on a tenth of the area");
    assert!(!heir.outcome.of(OutTopic::Zones).is_empty());
}

#[test]
fn a_state_of_another_frame_is_refused_with_the_difference() {
    let mut life = Run::of(world_of(|venue| venue), Placement::OnArrival);
    life.read(&busy(3)[..50], 9);
    let other = world_of(|venue| venue.replace("sensors = [\n", "sensors = [\n  { id = \"c-new\", source = \"counters\", link = \"in\" },\n"));
    let mut engine = crate::engine::Engine::new(other, 0, 1, crate::engine::Settings::default());
    let told = engine.restore(b"small/layout", &life.state["small/layout"]).unwrap_err();
    assert!(told.contains("where it had sensor c-in there is c-new") && told.contains("OPERATIONS"), "{told}");
}
