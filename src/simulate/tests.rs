//! A night holds what it promises: the same seed the same bytes, nobody lost, sources in order, and records that say roughly what is true.

use super::railway::FeedMessage;
use super::*;
use crate::time::{EventTime, SourceClock, Verdict};
use crate::venue::{SourceFile, VenueId, World, load};
use prost::Message;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

fn world() -> World {
    let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
    load(&[
        file("fr-ma-2030.toml", include_str!("../../config/profiles/fr-ma-2030.toml")),
        file("casablanca.toml", include_str!("../../config/venues/casablanca.toml")),
        file("rabat.toml", include_str!("../../config/venues/rabat.toml")),
    ])
    .unwrap()
}

fn rabat(seed: u64, options: &Options) -> Night {
    let world = world();
    Night::new(&world, world.find("rabat").unwrap(), "m60", seed, options).unwrap()
}

fn digest(records: impl Iterator<Item = SimRecord>) -> String {
    let mut hash = Sha256::new();
    for record in records {
        hash.update(record.received.to_le_bytes());
        hash.update(record.source.as_bytes());
        hash.update(&record.value);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn json(record: &SimRecord) -> serde_json::Value {
    serde_json::from_slice(&record.value).unwrap()
}

#[test]
fn nothing_is_said_of_a_pane_that_the_night_does_not_play() {
    let mut night = rabat(7, &Options::default());
    let end = night.span_ms().1;
    let of_sensors = |record: &SimRecord| record.format.is_none() && String::from_utf8_lossy(&record.value).contains(r#""sensor":"#);
    let wrong_by = 3_600_000;
    let late: Vec<String> = (&mut night)
        .filter(of_sensors)
        .filter(|record| json(record)["at"].as_i64().is_some_and(|at| at >= end && at < end + wrong_by))
        .map(|record| String::from_utf8_lossy(&record.value).into_owned())
        .collect();
    assert_eq!(late, [] as [String; 0]);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let first_hour = |seed| digest(rabat(seed, &Options::default()).take(60_000));
    assert_eq!(first_hour(1), first_hour(1));
    assert_ne!(first_hour(1), first_hour(2));
}

#[test]
fn nobody_is_lost_and_nearly_everybody_gets_in_and_home() {
    let mut night = rabat(3, &Options::default());
    while night.next().is_some() {}
    let minutes = night.truth().minutes();
    assert_eq!(minutes.len(), 450);
    for minute in minutes {
        assert_eq!(minute.came, minute.went + minute.zones.iter().sum::<u32>(), "{}", minute.at);
    }
    let last = &minutes[minutes.len() - 1];
    assert!(last.admitted > 65_000, "{}", last.admitted);
    assert!(last.went > last.came * 95 / 100, "{} of {} went home", last.went, last.came);
}

#[test]
fn a_failed_gate_builds_a_queue_and_waits() {
    let mut night = rabat(3, &Options::default());
    while night.next().is_some() {}
    let longest = night.truth().minutes().iter().flat_map(|minute| &minute.waits_s).flatten().fold(0.0f64, |a, b| a.max(*b));
    let largest = night.truth().minutes().iter().flat_map(|minute| &minute.queues).max().copied();
    assert!((600.0..3_600.0).contains(&longest), "{longest}");
    assert!(largest.is_some_and(|queue| (200..2_000).contains(&queue)), "{largest:?}");
}

#[test]
fn a_source_is_never_more_out_of_order_than_it_promises_and_its_low_water_holds() {
    let world = world();
    let venue = world.venue(world.find("rabat").unwrap());
    let mut clocks: BTreeMap<String, SourceClock> = venue.sources.iter().map(|source| (source.id.to_string(), SourceClock::new(source.disorder))).collect();
    let mut low_water: BTreeMap<String, i64> = BTreeMap::new();
    let mut received = i64::MIN;
    let mut offline = 0;
    for record in rabat(4, &Options::default()) {
        assert!(record.received >= received);
        received = record.received;
        if record.at > record.received {
            continue; // the wrong clock: not believed by anybody
        }
        let value = if record.format.is_some() { serde_json::Value::Null } else { json(&record) };
        if value["type"] == "low_water" {
            low_water.insert(record.source.to_string(), record.at);
            continue;
        }
        if value["offline"] == true {
            offline += 1;
            let delay_min = (record.received - record.at) / 60_000;
            assert!((8..=26).contains(&delay_min), "{delay_min}");
            continue;
        }
        // An interval counts up to its end, which is the mark itself.
        assert!(record.at >= low_water.get(&*record.source).copied().unwrap_or(i64::MIN), "{value}");
        let clock = clocks.get_mut(&*record.source).unwrap();
        assert_eq!(clock.judge(EventTime::from_millis(record.at)), Verdict::OnTime, "{value}");
        clock.advance(EventTime::from_millis(record.at));
    }
    assert!(offline > 100, "{offline}");
}

/// What each type must hold (FORMATS.md, "In").
const MUST: [(&str, &[&str]); 7] = [
    ("count", &["sensor", "venue", "from", "to", "in", "out"]),
    ("occupancy", &["sensor", "venue", "at", "persons"]),
    ("state", &["sensor", "venue", "at", "state", "lanes_open"]),
    ("scan", &["scan_id", "venue", "gate", "result", "event_time"]),
    ("passengers", &["stop", "venue", "from", "to", "alighting", "boarding"]),
    ("match", &["match_id", "venue", "at", "event"]),
    ("low_water", &["venue", "at"]),
];

#[test]
fn every_record_has_the_fields_of_its_type() {
    let mut seen = BTreeSet::new();
    let mut frames = 0;
    for record in rabat(5, &Options::default()) {
        assert_eq!(&*record.key, "rabat");
        if record.format.is_some() {
            frames += 1;
            assert!(FeedMessage::decode(&*record.value).unwrap().entity.len() < 100);
            continue;
        }
        let value = json(&record);
        let (name, fields) = MUST.iter().find(|(name, _)| value["type"] == *name).unwrap();
        assert!(fields.iter().all(|field| value.get(field).is_some()), "{value}");
        seen.insert(*name);
    }
    assert_eq!(seen.len(), MUST.len());
    assert_eq!(frames, 901);
}

#[test]
fn scans_and_turnstiles_agree_with_the_truth_within_their_noise() {
    let mut night = rabat(6, &Options::default());
    let (mut entered, mut counted, mut ids) = (0u32, 0u64, BTreeSet::new());
    for record in night.by_ref().filter(|record| record.format.is_none()) {
        let value = json(&record);
        let is_new = |ids: &mut BTreeSet<Vec<u8>>| ids.insert(record.value.clone());
        if value["type"] == "scan" && value["result"] == "ok" && value["direction"] == "entry" && is_new(&mut ids) {
            entered += 1;
        }
        if value["sensor"].as_str().is_some_and(|sensor| sensor.starts_with("rab-t-")) && is_new(&mut ids) {
            counted += value["in"].as_u64().unwrap();
        }
    }
    let admitted = night.truth().minutes().last().unwrap().admitted;
    assert_eq!(entered, admitted);
    let share = counted as f64 / f64::from(admitted);
    assert!((0.99..1.005).contains(&share), "{share}");
}

#[test]
fn a_delay_is_announced_before_the_planned_kick_off_and_moves_what_follows() {
    let options = Options { kick_off_delay: Some(Span::from_mins(15)), ..Options::default() };
    let events: Vec<(String, i64)> = rabat(7, &options)
        .filter(|record| &*record.source == "rab-ops")
        .map(|record| json(&record))
        .filter(|value| value["type"] == "match")
        .map(|value| (value["event"].as_str().unwrap().to_owned(), value["at"].as_i64().unwrap()))
        .collect();
    let words: Vec<&str> = events.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(words, ["kick_off_planned", "delayed_to", "kick_off", "half_time", "second_half", "final_whistle"]);
    let planned = world().venues[1].matches[0].kick_off.as_millis();
    assert_eq!(events[2].1, planned + 15 * 60_000);
    assert!(events[1].1 < planned);
}

#[test]
fn one_clock_is_an_hour_ahead_and_nobody_elses() {
    let ahead: BTreeSet<String> =
        rabat(8, &Options::default()).filter(|record| record.at > record.received).map(|record| json(&record)["sensor"].to_string()).collect();
    assert_eq!(ahead.len(), 1);
}

#[test]
fn broken_records_come_only_when_asked_for() {
    let broken = |faults| {
        let options = Options { faults, ..Options::default() };
        rabat(9, &options).filter(|record| record.format.is_none() && serde_json::from_slice::<serde_json::Value>(&record.value).is_err()).count()
    };
    assert_eq!(broken(false), 0);
    assert!(broken(true) > 50);
}

#[test]
fn a_venue_has_the_same_night_alone_and_in_company() {
    let world = world();
    let together = Nights::of_world(&world, 10, &Options::default()).unwrap();
    let alone = digest(rabat(10, &Options::default()).take(30_000));
    let mut last = i64::MIN;
    let in_order = together.inspect(|record| {
        assert!(record.received >= last);
        last = record.received;
    });
    assert_eq!(digest(in_order.filter(|record| &*record.key == "rabat").take(30_000)), alone);
}

#[test]
fn an_unknown_match_names_the_known_ones() {
    let world = world();
    let error = Night::new(&world, VenueId(1), "m99", 1, &Options::default()).err().unwrap();
    assert_eq!(error.to_string(), "venue \"rabat\" has no match \"m99\"; its matches: m60");
}

#[test]
fn the_truth_is_a_table() {
    let mut night = rabat(11, &Options::default());
    let _ = night.by_ref().take(50_000).count();
    let mut out = Vec::new();
    Truth::write_header(&mut out).unwrap();
    night.truth().write_csv(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.lines().all(|line| line.split(',').count() == 9));
    assert!(text.contains(",zone,bowl,"));
}

fn plan() -> LoadPlan {
    LoadPlan { venues: 2, sensors: 15, interval: Span::from_secs(10), start: EventTime::from_millis(1_900_000_000_000), seed: 1 }
}

#[test]
fn a_load_is_of_sound_counts_in_order_and_its_venues_load() {
    let mut load_of = Load::new(plan());
    let mut last = i64::MIN;
    for _ in 0..300 {
        let record = load_of.next().unwrap();
        let value: serde_json::Value = serde_json::from_slice(record.value).unwrap();
        assert_eq!((value["type"].as_str(), value["venue"].as_str()), (Some("count"), Some(record.venue)));
        assert_eq!(value["to"].as_i64(), Some(record.at + 1));
        assert!(value["in"].as_u64().is_some_and(|persons| persons < 40) && record.received >= last);
        last = record.received;
    }
    let profile = SourceFile { path: "p".into(), text: include_str!("../../config/profiles/fr-ma-2030.toml").into() };
    let files: Vec<SourceFile> = plan().venue_files("fr-ma-2030").into_iter().chain([profile]).collect();
    let world = load(&files).unwrap();
    assert_eq!((world.venues.len(), world.venues[0].sensors.len()), (2, 15));
    assert!((plan().rate() - 3.0).abs() < 1e-9);
}
