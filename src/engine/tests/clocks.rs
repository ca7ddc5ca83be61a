//! One wrong clock moves nobody: with it every other output is what it is when its sensor says nothing at all.

use super::Dice;
use crate::engine::story::{Outcome, Record, Run, count_over, low_water};
use crate::engine::{OutTopic, Placement};
use crate::venue::World;
use crate::venue::load::{SourceFile, load};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

/// A place with so many zones, each with so many ways in and a counter on each, all of one source.
fn halls(zones: usize, sensors: usize) -> Arc<World> {
    let (mut places, mut links, mut counters) = (String::new(), String::new(), String::new());
    for zone in 0..zones {
        let _ = writeln!(places, r#"  {{ id = "z{zone}", kind = "fan_zone", area_m2 = 4000, capacity = 9000 }},"#);
        for sensor in 0..sensors {
            let _ = writeln!(links, r#"  {{ id = "l{zone}-{sensor}", kind = "open", to = "z{zone}", width_m = 4 }},"#);
            let _ = writeln!(counters, r#"  {{ id = "{}", source = "counters", link = "l{zone}-{sensor}" }},"#, name(zone, sensor));
        }
    }
    let text = format!(
        r#"id = "small"
name = "Halls"
city = "Here"
region = "r"
time_zone = "UTC"
capacity = 900000
profile = "fr-ma-2030"
pane = "10s"
keep_panes = "1min"
zones = [
{places}]
links = [
{links}]
sources = [ {{ id = "counters", feed = "sensors", disorder = "5s", lateness = "2min", interval = "10s", silence = "60s" }} ]
sensors = [
{counters}]
"#
    );
    let profile = SourceFile { path: "profile.toml".into(), text: include_str!("../../../config/profiles/fr-ma-2030.toml").into() };
    Arc::new(load(&[profile, SourceFile { path: "small.toml".into(), text }]).unwrap())
}

fn name(zone: usize, sensor: usize) -> String {
    format!("c{zone}-{sensor}")
}

/// How a clock goes wrong: event time by right time, both in seconds; it is right before [`BAD_FROM`].
#[derive(Clone, Copy, Debug)]
enum Fault {
    Off(i64),
    Frozen,
}

const BAD_FROM: i64 = 40;

impl Fault {
    const fn wrong(self, now: i64) -> i64 {
        match self {
            Self::Off(by) => now + by,
            Self::Frozen => BAD_FROM,
        }
    }
}

/// `panes` panes of all counters, received a second after their ends; where a clock is wrong its event says so, or is left out.
fn evening(zones: usize, sensors: usize, panes: i64, faults: &BTreeMap<(usize, usize), Fault>, left_out: bool) -> Vec<Record> {
    let mut records = Vec::new();
    for pane in 1..=panes {
        let now = pane * 10;
        for zone in 0..zones {
            for sensor in 0..sensors {
                let persons = (zone * 7 + sensor * 3 + pane as usize) as u32 % 9;
                let fault = faults.get(&(zone, sensor)).filter(|_| now > BAD_FROM);
                let at = match fault {
                    Some(_) if left_out => continue,
                    Some(fault) => fault.wrong(now),
                    None => now,
                };
                records.push(count_over("counters", &name(zone, sensor), at - 10, at, persons, 0).received(now + 1));
            }
        }
        records.push(low_water("counters", now).received(now + 1));
    }
    records
}

fn played_in(world: &Arc<World>, records: &[Record]) -> Outcome {
    let mut run = Run::of(Arc::clone(world), Placement::ByPane);
    run.read(records, 4_096).end();
    run.outcome
}

/// Everything but what names the wrong clocks and counts their events.
fn others(outcome: &Outcome) -> BTreeMap<(OutTopic, String), Vec<String>> {
    let mut compared = outcome.compared();
    compared.retain(|(topic, key), _| !matches!(topic, OutTopic::Quarantine | OutTopic::Late) && !key.starts_with("CLOCK/"));
    compared
}

fn named(outcome: &Outcome) -> BTreeSet<String> {
    let alarms = outcome.of(OutTopic::Alarms).into_iter().filter(|change| change["code"] == "CLOCK" && change["change"] == "raised");
    alarms.map(|change| change["place"]["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_wrong_clock_of_each_kind_moves_nobody_and_is_named_with_its_offset() {
    let world = halls(3, 4);
    let kinds = [Fault::Off(3_600), Fault::Off(7_200), Fault::Off(-3_600), Fault::Off(45), Fault::Off(-1_000), Fault::Off(-1_900_000_000), Fault::Frozen];
    for fault in kinds {
        let faults = BTreeMap::from([((1, 2), fault)]);
        let with = played_in(&world, &evening(3, 4, 20, &faults, false));
        let without = played_in(&world, &evening(3, 4, 20, &faults, true));
        assert!(others(&with) == others(&without), "{fault:?}");
        assert_eq!(named(&with), BTreeSet::from([name(1, 2)]), "{fault:?}");
        assert!(named(&without).is_empty());
        let raised = with.of(OutTopic::Alarms).into_iter().rfind(|change| change["code"] == "CLOCK").unwrap();
        if let Fault::Off(by) = fault {
            let off = raised["evidence"][0]["value"].as_f64().unwrap() - by as f64;
            assert!((-1.1..-0.9).contains(&off), "{off}: the last instant of its interval against a receipt one second later");
        }
    }
}

#[test]
fn one_and_fifty_of_ten_thousand_leave_every_other_output_byte_equal() {
    let world = halls(50, 200);
    let mut dice = Dice::new(7);
    let mut any = || ((dice.below(50) as usize, dice.below(200) as usize), dice.below(5) as usize);
    let kinds = [Fault::Off(3_600), Fault::Off(-7_200), Fault::Off(600), Fault::Off(-1_900_000_000), Fault::Frozen];
    for many in [1, 50] {
        let mut faults = BTreeMap::new();
        while faults.len() < many {
            let (place, kind) = any();
            faults.insert(place, kinds[kind]);
        }
        let with = played_in(&world, &evening(50, 200, 11, &faults, false));
        let without = played_in(&world, &evening(50, 200, 11, &faults, true));
        assert!(others(&with) == others(&without), "{many} wrong clocks");
        let wrong: BTreeSet<String> = faults.keys().map(|(zone, sensor)| name(*zone, *sensor)).collect();
        assert_eq!(named(&with), wrong);
    }
}

/// laminardb#388, sql-flow#358: one sensor ahead by less than anybody would notice made the honest ones late.
#[test]
fn a_sensor_ahead_within_what_clocks_may_differ_by_makes_nobody_late() {
    let world = halls(2, 3);
    let faults = BTreeMap::from([((1, 2), Fault::Off(29))]);
    let with = played_in(&world, &evening(2, 3, 20, &faults, false));
    let without = played_in(&world, &evening(2, 3, 20, &faults, true));
    let (with, without) = (with.place("z0"), without.place("z0"));
    // With it, half a minute more has happened at the end.
    assert!(with.starts_with(&without[..20]), "the other zone is as it was");
    assert!(with.iter().all(|record| record["revision"] == 0));
}

#[test]
fn it_comes_back_by_itself_after_five_good_events_and_its_alarm_clears() {
    let world = halls(1, 3);
    let bad = |now: i64| (100..=150).contains(&now);
    let mut records = Vec::new();
    for now in (10..=600).step_by(10) {
        for sensor in 0..3 {
            let at = if sensor == 1 && bad(now) { now + 3_600 } else { now };
            records.push(count_over("counters", &name(0, sensor), at - 10, at, 4, 0).received(now + 1));
        }
        records.push(low_water("counters", now).received(now + 1));
    }
    let outcome = played_in(&world, &records);
    let quarantined = outcome.of(OutTopic::Quarantine);
    assert_eq!(quarantined.len(), 6 + 4, "six bad ones and the first four good ones");
    assert!(quarantined.iter().all(|line| line["reason"] == "clock"));
    let coming: Vec<u64> = (1..=30).filter_map(|n| outcome.pane("z0", n * 10, 0)).map(|pane| pane["in"].as_u64().unwrap()).collect();
    assert_eq!(coming.iter().filter(|persons| **persons == 8).count(), 10, "{coming:?}");
    let changes: Vec<serde_json::Value> = outcome.of(OutTopic::Alarms).into_iter().filter(|change| change["code"] == "CLOCK").collect();
    let words: Vec<&str> = changes.iter().map(|change| change["change"].as_str().unwrap()).collect();
    assert_eq!((words.first(), words.last()), (Some(&"raised"), Some(&"cleared")), "{words:?}");
}

#[test]
fn what_the_guard_knows_survives_a_restart_at_any_record() {
    let world = halls(1, 3);
    let faults = BTreeMap::from([((0, 0), Fault::Off(3_600)), ((0, 1), Fault::Off(-1_000))]);
    let records = evening(1, 3, 16, &faults, false);
    let mut whole = Run::of(Arc::clone(&world), Placement::ByPane);
    whole.read(&records, 1).end();
    for cut in (0..records.len()).step_by(3) {
        let mut first = Run::of(Arc::clone(&world), Placement::ByPane);
        first.read(&records[..cut], 1);
        let mut heir = first.restarted(Placement::ByPane);
        heir.read(&records[cut..], 1).end();
        assert!(heir.site_state() == whole.site_state(), "cut at {cut}");
    }
}

/// Arrival order within the bound changes nothing, the findings of wrong clocks included, as long as each sensor's own events keep their order.
#[test]
fn the_order_in_which_sensors_arrive_changes_no_byte() {
    let world = halls(2, 4);
    let faults = BTreeMap::from([((0, 0), Fault::Off(3_600)), ((1, 1), Fault::Off(-3_600)), ((1, 2), Fault::Off(-1_900_000_000))]);
    let mut plain = evening(2, 4, 20, &faults, false);
    plain.retain(|record| !record.keeps_place);
    let end = low_water("counters", 400).received(401);
    plain.push(end.clone());
    let reference = played_in(&world, &plain);
    for seed in 0..30 {
        let mut dice = Dice::new(seed);
        let mut mixed = Vec::new();
        // Those of one pane in any order.
        for ten in plain[..plain.len() - 1].chunks(8) {
            let mut ten = ten.to_vec();
            while !ten.is_empty() {
                mixed.push(ten.swap_remove(dice.below(ten.len() as u64) as usize));
            }
        }
        mixed.push(end.clone());
        let outcome = played_in(&world, &mixed);
        let compared = |outcome: &Outcome| {
            let mut compared = outcome.compared();
            for (_, lines) in compared.iter_mut().filter(|((topic, _), _)| *topic == OutTopic::Quarantine) {
                lines.sort();
            }
            compared
        };
        assert!(compared(&outcome) == compared(&reference), "seed {seed}");
    }
}

/// A night of 2030 through a broker of today, and one record whose door forgot to say when it was received: no pane of today opens.
#[test]
fn a_receipt_of_another_day_opens_no_pane_there() {
    let world = halls(1, 3);
    let mut records = evening(1, 3, 10, &BTreeMap::new(), false);
    records.insert(3, count_over("counters", &name(0, 2), 0, 10, 9, 0).received(-126_000_000));
    let mut run = Run::of(world, Placement::ByPane);
    run.read(&records, 1);
    assert!(run.engine.open_panes() < 10);
    run.end();
    let places = run.outcome.place("z0");
    assert!(places.len() <= 12, "{} panes", places.len());
    assert_eq!(run.outcome.of(OutTopic::Quarantine).len(), 1 + 4, "that one, and the good ones before the fifth");
}
