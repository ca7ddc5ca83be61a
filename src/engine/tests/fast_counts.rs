//! Fast panes without a camera: heads, doors and calls are judged every two seconds, from what has been heard within the pane.

use super::Dice;
use super::fast::{ALL, assert_inherited, assert_replays, live};
use super::order::{assert_same, disordered, interleaved};
use crate::engine::journal::Entry;
use crate::engine::story::{Record, Run, SOURCES, START, all_low, count, count_over, low_water, raw, scan, world_of};
use crate::engine::{OutTopic, Placement};
use crate::venue::World;
use std::sync::Arc;

/// The small world without a match and with two exits and two doors, each told of by a sensor; a second counting system tells of the second door.
fn doored(fast: &str) -> Arc<World> {
    doored_and(fast, |venue| venue)
}

/// The same with a change to it.
pub(super) fn doored_and(fast: &str, change: fn(String) -> String) -> Arc<World> {
    world_of(|venue| {
        let venue = change(venue);
        let of = |line: &str| venue.lines().find(|known| known.starts_with(line)).unwrap_or_default().to_owned();
        venue
            .replace(&of("matches = "), "")
            .replace("source = \"slow\", link = \"door\", interval = \"5min\"", "source = \"counters\", link = \"door\"")
            .replace("pane = \"10s\"\n", &format!("pane = \"10s\"\nfast_pane = \"{fast}\"\n"))
            .replace("area_m2 = 400", "area_m2 = 100")
            .replace("links = [\n", "links = [\n  { id = \"out-1\", kind = \"door\", from = \"bowl\", width_m = 2, exit_of = \"bowl\" },\n  { id = \"out-2\", kind = \"door\", from = \"bowl\", width_m = 2, exit_of = \"bowl\" },\n")
            .replace("sources = [\n", "sources = [\n  { id = \"cameras\", feed = \"sensors\", disorder = \"5s\", lateness = \"2min\", silence = \"60s\" },\n")
            .replace("sensors = [\n", "sensors = [\n  { id = \"c-1\", source = \"counters\", link = \"out-1\" },\n  { id = \"c-2\", source = \"counters\", link = \"out-2\" },\n  { id = \"d-1\", source = \"counters\", door = \"out-1\" },\n  { id = \"d-2\", source = \"counters\", door = \"out-2\" },\n  { id = \"d-3\", source = \"cameras\", door = \"door\" },\n")
    })
}

fn door(source: &'static str, sensor: &str, at: i64, state: &str) -> Record {
    raw(source, at, format!(r#"{{"type":"state","sensor":"{sensor}","venue":"small","at":{},"state":"{state}"}}"#, START + at * 1_000))
}

fn call(n: i64, at: i64) -> Record {
    raw("counters", at, format!(r#"{{"type":"call","call_id":"c-{n}","venue":"small","at":{},"zone":"queue","kind":"first_aid"}}"#, START + at * 1_000))
}

/// A night of nothing but marks every second, and 2,000 persons in the bowl from the start: both exits let 2,624 out in time, one 1,312.
fn calm(until: i64) -> Vec<Record> {
    let mut records = vec![count("c-in", -20, 2_000, 0), count("c-g1", -20, 2_000, 0)];
    for now in 0..until {
        records.extend(all_low(&ALL, now));
        if now % 10 == 0 {
            records.extend(["c-1", "c-2", "c-in", "c-g1", "c-door"].map(|sensor| count(sensor, now - 10, 0, 0)));
            records.extend([door("counters", "d-1", now, "open"), door("cameras", "d-3", now, "closed")]);
        }
    }
    records
}

fn with(mut records: Vec<Record>, more: Vec<Record>) -> Vec<Record> {
    records.extend(more);
    records.sort_by_key(|record| record.at);
    records
}

fn raised(run: &Run, code: &str, since: i64) -> Option<i64> {
    let of = |alert: &crate::engine::Alert| serde_json::from_slice::<serde_json::Value>(&alert.value).unwrap();
    let changes = run.outcome.alerts.iter().map(|(alert, _)| of(alert));
    let raised = changes.filter(|change| change["code"] == code && change["change"] == "raised");
    raised.map(|change| change["event_time"].as_i64().unwrap() - START).find(|at| *at >= since * 1_000)
}

/// From the onset to the newest event read when the alarm came out, less the on-delay of its code, in s of event time.
pub(super) fn delay(world: Arc<World>, code: &str, onset: i64, on_s: i64, trouble: fn(i64) -> Vec<Record>) -> i64 {
    let mut run = Run::of(world, Placement::ByPane);
    for record in with(calm(onset + on_s + 60), trouble(onset)) {
        run.read(std::slice::from_ref(&record), 1);
        if raised(&run, code, onset).is_some() {
            return record.at - onset - on_s;
        }
    }
    panic!("{code} was not raised, onset {onset}: {:?}", run.outcome.pane("bowl", 150, 0));
}

/// What makes an alarm from a time on.
type Trouble = fn(i64) -> Vec<Record>;

/// By code: its on-delay, s, and what makes it.
pub(super) const TROUBLES: [(&str, i64, Trouble); 4] = [
    ("EXIT-PLAN", 0, |at| vec![door("counters", "d-2", at, "closed")]),
    ("BREACH", 0, |at| vec![door("counters", "d-1", at, "forced"), door("counters", "d-2", at, "forced")]),
    ("CALL-CLUSTER", 0, |at| (0..3).map(|n| call(n, at)).collect()),
    ("DENS", 20, |at| vec![count_over("counters", "c-in", at - 1, at, 320, 0)]),
];

#[test]
fn what_is_counted_and_cannot_wait_is_raised_within_a_fast_pane_and_the_disorder() {
    for (code, on_s, trouble) in TROUBLES {
        let of = |fast: &str| (141..150).map(|onset| delay(doored(fast), code, onset, on_s, trouble)).collect::<Vec<i64>>();
        let (before, after) = (of("10s"), of("2s"));
        let mean = |delays: &[i64]| delays.iter().sum::<i64>() as f64 / delays.len() as f64;
        println!(
            "{code}: by panes mean {:.1} s, most {} s; by fast panes mean {:.1} s, most {} s",
            mean(&before),
            before.iter().max().unwrap(),
            mean(&after),
            after.iter().max().unwrap()
        );
        assert!(after.iter().all(|delay| *delay <= 2 + 2 + 5), "{code}: {after:?}");
        assert!(mean(&before) >= mean(&after) + 3.0, "{code}: {before:?} {after:?}");
    }
}

/// An exit falls due in the middle of a fast pane in which nothing comes; what a camera saw later has been read already, or has not.
#[test]
fn what_was_read_of_later_does_not_show() {
    let world = || {
        world_of(|venue| {
            venue
                .replace("pane = \"10s\"\n", "pane = \"10s\"\nfast_pane = \"2s\"\n")
                .replace("zones = [\n", "zones = [\n  { id = \"plaza\", kind = \"plaza\", area_m2 = 100, closed = false },\n")
                .replace(
                    "links = [\n",
                    "links = [\n  { id = \"out\", kind = \"door\", from = \"bowl\", width_m = 2, exit_of = \"bowl\", opens_before_end = \"223min\" },\n",
                )
                .replace("sources = [\n", "sources = [\n  { id = \"cameras\", feed = \"sensors\", disorder = \"5s\", lateness = \"2min\", silence = \"60s\" },\n")
                .replace(
                    "sensors = [\n",
                    "sensors = [\n  { id = \"c-1\", source = \"counters\", link = \"out\" },\n  { id = \"d-1\", source = \"counters\", door = \"out\" },\n  { id = \"cam\", source = \"cameras\", zone = \"plaza\" },\n",
                )
        })
    };
    let kick_off = format!(r#"{{"type":"match","venue":"small","match_id":"m1","event":"kick_off","at":{}}}"#, START + 1_300);
    let frame = |at: i64| {
        raw("cameras", at, format!(r#"{{"type":"grid","sensor":"cam","venue":"small","at":{},"cell_m":2,"nx":1,"ny":1,"density":[1]}}"#, START + at * 1_000))
    };
    let before = |until: i64| {
        let mut records = vec![count("c-in", -20, 2_000, 0), count("c-g1", -20, 2_000, 0), raw("counters", 1, kick_off.clone())];
        for now in (0..until).step_by(10) {
            records.extend(["c-1", "c-in", "c-g1"].map(|sensor| count(sensor, now - 10, 0, 0)));
            records.push(door("counters", "d-1", now, "closed"));
            records.extend(all_low(&ALL, now));
        }
        records
    };
    let told = |last: &dyn Fn(&mut Vec<Record>)| {
        let mut run = Run::of(world(), Placement::ByPane);
        let mut records = before(61);
        last(&mut records);
        run.read(&records, 1).read(&all_low(&ALL, 90), 9).end();
        run
    };
    let (camera, others) = ([frame(66), low_water("cameras", 70)], all_low(&SOURCES, 70));
    let first = told(&|records| records.extend(camera.iter().cloned().chain(others.clone())));
    let last = told(&|records| records.extend(others.iter().cloned().chain([low_water("cameras", 70), frame(66)])));
    assert_same(&first, &last);
}

/// What happens by chance: counts, scans, doors, calls.
pub(super) fn restless(seed: u64, until: i64) -> Vec<Record> {
    let mut dice = Dice::new(seed);
    let mut records = Vec::new();
    for now in 1..until {
        if dice.below(4) == 0 {
            records.push(count_over("counters", "c-in", now - 1, now, dice.below(60) as u32, dice.below(20) as u32));
        }
        if dice.below(4) == 0 {
            records.push(count_over("counters", "c-g1", now - 1, now, dice.below(50) as u32, 0));
            records.extend((0..dice.below(3)).map(|n| scan((now * 10 + n as i64) as u32, now)));
        }
        let (source, sensor) = [("counters", "d-1"), ("counters", "d-2"), ("cameras", "d-3")][dice.below(3) as usize];
        if dice.below(6) == 0 && now % 10 != 0 {
            records.push(door(source, sensor, now, ["open", "closed", "forced"][dice.below(3) as usize]));
        }
        if dice.below(40) == 0 {
            records.extend((0..3).map(|n| call(now * 10 + n, now)));
        }
    }
    with(calm(until), records)
}

fn played(records: &[Record], size: usize) -> Run {
    let mut run = Run::of(doored("2s"), Placement::ByPane);
    run.read(records, size).end();
    run
}

fn within_a_pane(run: &Run) -> usize {
    run.outcome.of(OutTopic::Alarms).iter().filter(|change| change["event_time"].as_i64().unwrap() % 10_000 != 0).count()
}

#[test]
fn cuts_interleavings_and_disorder_leave_no_trace() {
    let mut changes = 0;
    for seed in 0..4 {
        let records = restless(seed, 360);
        let one = played(&records, 1_000);
        changes += within_a_pane(&one);
        assert_same(&one, &played(&records, 1));
        let mut dice = Dice::new(seed + 50);
        for _ in 0..2 {
            let by_source = || ALL.iter().map(|source| records.iter().filter(|record| record.source == *source).cloned().collect::<Vec<_>>());
            assert_same(&one, &played(&interleaved(by_source().collect(), &mut dice), 37));
            let queues = by_source().map(|queue| disordered(&queue, &mut dice)).collect();
            assert_same(&one, &played(&interleaved(queues, &mut dice), 11));
        }
    }
    assert!(changes > 20, "{changes} changes of alarms at the end of a fast pane");
}

#[test]
fn the_picture_is_the_panes_own() {
    for seed in 0..3 {
        let records = restless(seed, 300);
        let mut slow = Run::of(doored("10s"), Placement::ByPane);
        slow.read(&records, 50).end();
        let fast = played(&records, 50);
        for zone in ["queue", "bowl", "lounge", "out-1", "g1"] {
            assert_eq!(fast.outcome.place(zone), slow.outcome.place(zone), "{zone}");
        }
    }
}

#[test]
fn an_heir_goes_on_in_the_middle_of_a_pane() {
    assert_inherited(&doored("2s"), &restless(7, 360), 97);
}

/// A source that falls silent, for good or for a while, is set aside within a pane; the fast panes of the others go on, and a replay has the mark and its end at the same places.
#[test]
fn one_silent_source_does_not_put_the_others_back_on_panes() {
    let (mut marks_within, mut moved_within) = (0, 0);
    for seed in 0..8 {
        let mut dice = Dice::new(seed + 90);
        let (from, until) = (60 + dice.below(20) as i64, 200 + dice.below(40) as i64);
        let told: Vec<Record> = restless(seed, 360).into_iter().filter(|record| record.source != "cameras" || !(from..until).contains(&record.at)).collect();
        let (run, records) = live(&doored("2s"), &told, 3, &mut dice);
        let journal = run.journal();
        let within = |entry: &Entry| matches!(entry, Entry::IdleMark { source, after, .. } | Entry::IdleEnd { source, after, .. } if &**source == "cameras" && after.as_millis() % 10_000 != 0);
        marks_within += journal.iter().filter(|line| within(&line.entry)).count();
        let silent = |change: &serde_json::Value| (START + (from + 75) * 1_000..START + until * 1_000).contains(&change["event_time"].as_i64().unwrap());
        let is_within = |change: &serde_json::Value| change["event_time"].as_i64().unwrap() % 10_000 != 0;
        moved_within += run.outcome.of(OutTopic::Alarms).iter().filter(|change| silent(change) && is_within(change)).count();
        assert_replays(&doored("2s"), &run, &records, &mut dice, seed);
    }
    assert!(moved_within > 10, "{moved_within} changes of alarms within a pane while a source was set aside");
    assert!(marks_within > 4, "{marks_within} marks and ends between two fast panes");
}
