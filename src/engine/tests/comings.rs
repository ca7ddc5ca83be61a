//! A configuration with a zone, gates, a stop, sensors and a source more or less: nothing that stays is lost, and what comes and goes leaves no trace before and after its time.

use super::busy;
use crate::engine::story::{Record, Run, SOURCES, START, all_low, count, count_over, low_water, played_in, world_of, world_of_files};
use crate::engine::{Engine, OutTopic, Placement, Settings};
use crate::venue::World;
use std::sync::Arc;

/// From so many seconds after the start on the other configuration is in force: within a pane.
const FROM: i64 = 455;
/// The first pane that it closes.
const FIRST: i64 = 460;

/// A fan zone beside the queue, with a gate and a counter of a source of its own, a second counter on the way in, and a stop: each before what is there.
fn more(venue: &str) -> String {
    let put = [
        ("zones = [\n", "zones = [\n  { id = \"fans\", kind = \"fan_zone\", area_m2 = 900, capacity = 3000 },\n"),
        ("links = [\n", "links = [\n  { id = \"g0\", kind = \"gate\", from = \"queue\", to = \"fans\", width_m = 3 },\n"),
        ("gates = [ ", "gates = [ { id = \"g0\", link = \"g0\", lanes = 2, lane_rate_per_h = 600, entry = false }, "),
        ("stops = [ ", "stops = [ { id = \"TRAM\", zone = \"fans\" }, "),
        (
            "sources = [\n",
            "sources = [\n  { id = \"new\", feed = \"sensors\", disorder = \"5s\", lateness = \"2min\", interval = \"10s\", silence = \"60s\" },\n",
        ),
        ("sensors = [\n", "sensors = [\n  { id = \"c-g0\", source = \"new\", link = \"g0\" },\n  { id = \"c-in-2\", source = \"counters\", link = \"in\" },\n"),
    ];
    put.into_iter().fold(venue.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

fn dated(venue: &str, from: i64) -> String {
    let from = chrono::DateTime::from_timestamp_millis(START + from * 1_000).unwrap().to_rfc3339();
    venue.replace("id = \"small\"\n", &format!("id = \"small\"\nfrom = \"{from}\"\n"))
}

/// From 455 s on there is more.
fn growing() -> Arc<World> {
    world_of_files(|venue| vec![venue.to_owned(), dated(&more(venue), FROM)])
}

/// From 455 s on there is less.
fn shrinking() -> Arc<World> {
    world_of_files(|venue| vec![more(venue), dated(venue, FROM)])
}

fn plain() -> Arc<World> {
    world_of(|venue| venue)
}

/// The busy night, and what is new counts too from the beginning on: the new counters 6 to the fans, and the same as the old one on the way in.
fn with_the_new(seed: u64) -> Vec<Record> {
    let of_new = |now: i64| [Record { source: "new", ..count("c-g0", now, 6, 0) }, Record { source: "new", ..low_water("new", now + 10) }];
    let (mut records, mut next) = (Vec::new(), 0);
    for record in busy(seed) {
        if record.at >= next {
            records.extend(of_new(next));
            next += 10;
        }
        records.push(record);
    }
    records
}

fn is_told(run: &Run, place: &str) -> Vec<i64> {
    run.outcome.place(place).iter().map(|record| (record["to"].as_i64().unwrap() - START) / 1_000).collect()
}

const PLACES: [&str; 8] = ["queue", "bowl", "lounge", "in", "g1", "door", "small", "lounge"];

fn up_to(run: &Run, place: &str, end: i64) -> Vec<serde_json::Value> {
    run.outcome.place(place).into_iter().filter(|record| record["to"].as_i64().unwrap() <= START + end * 1_000).collect()
}

#[test]
fn before_its_time_what_comes_leaves_no_trace() {
    let records = busy(3);
    let (alone, growing) = (played_in(plain(), &records), played_in(growing(), &records));
    for place in PLACES {
        let (a, b) = (up_to(&alone, place, FIRST - 10), up_to(&growing, place, FIRST - 10));
        assert!(a == b && a.len() > 20, "{place}");
    }
    assert!(["fans", "g0"].iter().all(|place| up_to(&growing, place, FIRST - 10).is_empty()));
}

#[test]
fn from_its_time_on_what_comes_is_counted_and_nobody_is_lost() {
    let (with, without) = (played_in(growing(), &with_the_new(3)), played_in(plain(), &busy(3)));
    for place in ["fans", "g0"] {
        let told = is_told(&with, place);
        assert!(told.first() == Some(&FIRST) && told.len() > 20, "{place}: {told:?}");
    }
    let at =
        |run: &Run, place: &str, end: i64| run.outcome.place(place).into_iter().rfind(|record| record["to"].as_i64() == Some(START + end * 1_000)).unwrap();
    // The counts of the pane in whose midst it comes are the pane's: 6 persons each from then on.
    let fans = |end: i64| at(&with, "fans", end)["occupancy"]["v"].as_f64().unwrap();
    assert_eq!((fans(FIRST), fans(FIRST + 100)), (6.0, 66.0));
    let heads = |run: &Run, end: i64| at(run, "queue", end)["occupancy"]["v"].as_f64().unwrap();
    assert_eq!(heads(&with, FIRST - 10), heads(&without, FIRST - 10));
    let gone_to_the_fans = heads(&without, FIRST + 100) - heads(&with, FIRST + 100);
    assert!((0.0..=66.0).contains(&gone_to_the_fans), "{gone_to_the_fans}");
    assert_eq!(at(&with, "bowl", 800)["occupancy"], at(&without, "bowl", 800)["occupancy"], "the bowl is as it was");
}

#[test]
fn what_is_told_before_its_time_goes_to_quarantine_with_the_reason() {
    let run = played_in(growing(), &with_the_new(3));
    let turned_away: Vec<serde_json::Value> = run.outcome.of(OutTopic::Quarantine);
    let early: Vec<&serde_json::Value> = turned_away.iter().filter(|record| record["source"] == "new").collect();
    assert_eq!(early.len() as i64, FROM / 10, "counts of panes to {} s", FIRST - 10);
    assert!(early.iter().all(|record| record["detail"].as_str().unwrap().contains("not in the configuration that is in force")), "{}", early[0]);
    let sums = run.sums();
    assert_eq!(sums.imbalance(), (0, 0));
}

#[test]
fn what_goes_is_told_no_more() {
    let (with, without) = (played_in(shrinking(), &with_the_new(3)), played_in(plain(), &busy(3)));
    for place in ["fans", "g0"] {
        let told = is_told(&with, place);
        assert!(told.last() == Some(&(FIRST - 10)) && told.len() > 20, "{place}: {told:?}");
    }
    assert!(is_told(&with, "queue").last() == is_told(&without, "queue").last());
}

#[test]
fn the_alarms_of_what_goes_are_cleared() {
    // Nothing is heard of the fans, so their zone goes blind, and then it goes.
    let mut run = Run::of(shrinking(), Placement::ByPane);
    for now in (0..700).step_by(10) {
        if now < 200 {
            run.read(&[Record { source: "new", ..count("c-g0", now, 20, 0) }], 9);
        }
        run.read(&[count("c-in", now, 40, 0), count("c-g1", now, 5, 0)], 9).read(&all_low(&SOURCES, now + 10), 9).read(&[low_water("new", now + 10)], 9);
    }
    let of_fans: Vec<serde_json::Value> = run.outcome.of(OutTopic::Alarms).into_iter().filter(|change| change["place"]["id"] == "fans").collect();
    let told: Vec<(String, i64)> =
        of_fans.iter().map(|change| (change["change"].as_str().unwrap().to_owned(), (change["event_time"].as_i64().unwrap() - START) / 1_000)).collect();
    assert_eq!(told.first().map(|(change, _)| &**change), Some("raised"), "{told:?}");
    assert_eq!(told.last(), Some(&("cleared".to_owned(), FIRST)), "{told:?}");
}

#[test]
fn a_source_that_is_gone_holds_nobody_and_one_that_comes_holds_as_any_other() {
    // Nothing of the source `new` at all: before its time nothing waits for it, and from then on everything, until it is set aside.
    let last = |world: Arc<World>, until: i64| {
        let mut run = Run::of(world, Placement::OnArrival);
        for now in (0..until).step_by(10) {
            run.read(&[count("c-in", now, 10, 0)], 9).read(&all_low(&SOURCES, now + 10), 9);
        }
        is_told(&run, "queue").last().copied()
    };
    assert_eq!(last(growing(), 400), last(plain(), 400));
    assert_eq!(last(growing(), 700), Some(FIRST - 10));
    let until_it_goes = {
        let mut run = Run::of(shrinking(), Placement::OnArrival);
        for now in (0..700).step_by(10) {
            run.read(&[count("c-in", now, 10, 0)], 9).read(&all_low(&SOURCES, now + 10), 9);
            if now <= FROM {
                run.read(&[low_water("new", now + 10)], 9);
            }
        }
        is_told(&run, "queue").last().copied()
    };
    assert_eq!(until_it_goes, last(plain(), 700));
}

#[test]
fn a_source_that_comes_and_never_speaks_is_set_aside_like_any_other() {
    let mut run = Run::of(growing(), Placement::OnArrival);
    for now in (0..600).step_by(10) {
        run.read(&[count("c-in", now, 10, 0).received(now + 11)], 9);
        run.read(&all_low(&SOURCES, now + 10).into_iter().map(|record| record.received(now + 11)).collect::<Vec<_>>(), 9);
        run.quiet_until(now + 12);
    }
    assert!(is_told(&run, "queue").last() > Some(&(FIRST + 50)), "{:?}", is_told(&run, "queue").last());
}

/// A count of the gate to the fans for a pane before the turn comes after it: it revises its pane where the gate was there then, and is turned away where it was not; in a replay too.
#[test]
fn what_comes_late_across_the_turn_is_judged_by_its_own_pane_and_a_replay_says_the_same() {
    let records = with_the_new(7);
    let late = Record { source: "new", ..count_over("new", "c-g0", FIRST - 29, FIRST - 22, 9, 0) }.in_place();
    for (world, revises) in [(shrinking(), true), (growing(), false)] {
        let mut records = records.clone();
        let arrives = records.iter().position(|record| record.at > FIRST + 20).unwrap();
        records.insert(arrives, late.clone());
        let mut live = Run::of(world, Placement::OnArrival);
        live.read(&records, 9).end();
        let revised = live.outcome.place("fans").iter().filter(|record| record["revision"] == 1).count();
        assert_eq!(revised > 0, revises);
        let mut replay = live.replay(&[]);
        replay.read(&records, 100).end();
        assert_eq!(replay.engine.unfollowed(), 0);
        assert!(replay.outcome.compared() == live.outcome.compared());
    }
}

#[test]
fn a_restart_with_an_edited_file_that_has_more_behind_goes_on_and_takes_nothing_for_the_time_before() {
    // A zone more behind the others, with a way to it: the file has no time.
    let put = [
        ("capacity = 500 },\n]", "capacity = 500 },\n  { id = \"terrace\", kind = \"stand\", area_m2 = 300, capacity = 500 },\n]"),
        ("width_m = 2 },\n]", "width_m = 2 },\n  { id = \"steps\", kind = \"stairs\", from = \"bowl\", to = \"terrace\", width_m = 2 },\n]"),
        ("interval = \"5min\" },\n]\nmatches", "interval = \"5min\" },\n  { id = \"c-steps\", source = \"counters\", link = \"steps\" },\n]\nmatches"),
    ];
    let edited = world_of(|venue| {
        put.into_iter().fold(venue, |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        })
    });
    let records = busy(3);
    let cut = records.iter().position(|record| record.at > 400).unwrap();
    let mut life = Run::of(plain(), Placement::OnArrival);
    life.read(&records[..cut], 9);
    let mut heir = life.restarted_in(edited, Placement::OnArrival);
    heir.read(&[count("c-steps", 350, 7, 0)], 9);
    heir.read(&records[cut..], 9).end();
    let told = heir.outcome.place("terrace");
    assert!(told.len() > 20 && told.iter().all(|record| record["occupancy"]["v"] == 0.0), "what is of the time before is not counted");
    let turned_away = heir.outcome.of(OutTopic::Quarantine);
    assert!(turned_away.iter().any(|record| record["detail"].as_str().is_some_and(|why| why.contains("not in the configuration"))), "{turned_away:?}");
}

#[test]
fn a_restart_before_and_after_leaves_no_trace_though_the_file_is_put_in_only_then() {
    let records = with_the_new(5);
    for world in [plain(), shrinking(), growing()] {
        let whole = played_in(Arc::clone(&world), &records);
        for until in [300, 452, 470, 700] {
            let cut = records.iter().position(|record| record.at > until).unwrap();
            let mut life = Run::of(Arc::clone(&world), Placement::ByPane);
            life.read(&records[..cut], 64);
            let mut heir = life.restarted(Placement::ByPane);
            let mut undisturbed = Run::of(Arc::clone(&world), Placement::ByPane);
            undisturbed.read(&records[..cut + 40], 1);
            heir.read(&records[cut..cut + 40], 1);
            let (a, b) = (heir.site_state(), undisturbed.site_state());
            let parted: Vec<&String> = a.keys().chain(b.keys()).filter(|key| a.get(*key) != b.get(*key)).collect();
            assert!(parted.is_empty(), "restarted at {until}: {parted:?}");
            heir.read(&records[cut + 40..], 64).end();
            for place in PLACES.into_iter().chain(["fans", "g0"]) {
                assert!([life.outcome.place(place), heir.outcome.place(place)].concat() == whole.outcome.place(place), "{place} restarted at {until}");
            }
            assert!(heir.site_state() == whole.site_state(), "restarted at {until}");
        }
    }
    let whole = played_in(growing(), &records);
    // The file comes with the restart: what was told of the new until then was of an unknown source.
    let cut = records.iter().position(|record| record.at > 300).unwrap();
    let mut life = Run::of(plain(), Placement::ByPane);
    life.read(&records[..cut], 64);
    let mut heir = life.restarted_in(growing(), Placement::ByPane);
    heir.read(&records[cut..], 64).end();
    for place in PLACES.into_iter().chain(["fans", "g0"]) {
        assert!([life.outcome.place(place), heir.outcome.place(place)].concat() == whole.outcome.place(place), "{place}");
    }
    assert!(heir.state["small/layout"] == whole.state["small/layout"] && heir.state["small/layout"] != life.state["small/layout"]);
}

#[test]
fn a_state_of_more_than_the_files_have_is_refused_with_the_difference() {
    let mut life = Run::of(growing(), Placement::OnArrival);
    life.read(&busy(3)[..50], 9);
    let mut engine = Engine::new(plain(), 0, 1, Settings::default());
    let told = engine.restore(b"small/layout", &life.state["small/layout"]).unwrap_err();
    assert!(told.contains("where it had zone fans there is none") && told.contains("with `from`"), "{told}");
}

#[test]
fn a_replay_with_the_journal_gives_the_same_bytes() {
    let records = with_the_new(7);
    for world in [growing(), shrinking()] {
        let mut live = Run::of(world, Placement::OnArrival);
        live.read(&records, 9).end();
        let mut replay = live.replay(&[]);
        replay.read(&records, 100).end();
        assert_eq!(replay.engine.unfollowed(), 0);
        assert!(replay.outcome.compared() == live.outcome.compared());
    }
}
