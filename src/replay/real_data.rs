//! The real tables and frames, read whole. They are not part of the project: `MIDAN_DATA` names the folder that holds them, and without it these
//! tests say that they did not run.

use super::Frames;
use super::table::{Mapping, Table};
use crate::feeds::transport::gtfs_static::Timetable;
use crate::feeds::{Entity, Fault, Item, Observation, Reason, What, decode};
use crate::time::{EventTime, Span};
use crate::venue::{Feed, Names, Stop, World};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

#[allow(clippy::disallowed_methods, reason = "the tests' only setting: where the data lies")]
fn data(what: &str) -> Option<PathBuf> {
    let path = std::env::var("MIDAN_DATA").ok().map(|folder| Path::new(&folder).join(what)).filter(|path| path.exists());
    if path.is_none() {
        println!("skipped: MIDAN_DATA names no folder with {what}");
    }
    path
}

fn open(mapping: &str, table: &Path) -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("config/mappings/{mapping}.toml"));
    let mapping = Mapping::read(mapping, &std::fs::read_to_string(path).unwrap()).unwrap();
    Table::open(table, mapping).unwrap()
}

struct Sums {
    counts: u64,
    zeros: u64,
    inwards: u64,
    outwards: u64,
}

fn sums(table: &Table, mut look: impl FnMut(&str)) -> Sums {
    let mut sums = Sums { counts: 0, zeros: 0, inwards: 0, outwards: 0 };
    let profile = crate::feeds::sample::venue().zones[0].profile.clone();
    let world = table.world(&profile, Vec::new());
    let mut last = EventTime::MIN;
    for (offset, record) in table.records().enumerate() {
        decode(&record.as_read(0, offset as i64), &world, &mut |item| match item {
            Item::Observation(Observation { at, what, .. }) => {
                assert!(at >= last);
                last = at;
                if let What::Count(count) = what {
                    look(&count.from.to_string()[..13]);
                    sums.counts += 1;
                    sums.zeros += u64::from(count.inwards == 0 && count.outwards == 0);
                    sums.inwards += u64::from(count.inwards);
                    sums.outwards += u64::from(count.outwards);
                }
            }
            other => panic!("{other:?}"),
        })
        .unwrap();
    }
    sums
}

#[test]
fn the_hardbruecke_year_keeps_every_person() {
    let Some(path) = data("zurich_hardbruecke/frequenzen_hardbruecke_2020.csv.gz") else { return };
    let table = open("hardbruecke", &path);
    assert_eq!((table.report().rows, table.report().faulty, table.sensors().len()), (714_681, 0, 8), "{:?}", table.report().faults);
    let mut doubled = 0;
    let sums = sums(&table, |hour| doubled += u32::from(hour == "2020-10-25T01"));
    let (mut inwards, mut outwards) = (0_u64, 0_u64);
    let mut plain = csv::Reader::from_reader(flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap()));
    for row in plain.records() {
        let row = row.unwrap();
        inwards += row[0].parse::<u64>().unwrap();
        outwards += row[1].parse::<u64>().unwrap();
    }
    assert_eq!((sums.inwards, sums.outwards), (inwards, outwards));
    assert_eq!(doubled, 0, "the second 02h of 25 October is not in the table: a gap, not zeros");
    println!("{} counts, of which {} zeros; {} in, {} out; {:?}", sums.counts, sums.zeros, sums.inwards, sums.outwards, table.reach());
}

#[test]
fn the_hangzhou_metro_is_whole() {
    let Some(path) = data("hangzhou_metro/inflow_wide.csv.gz") else { return };
    let table = open("hangzhou", &path);
    let sums = sums(&table, |_| {});
    assert_eq!((table.report().rows, table.report().faulty, table.sensors().len()), (25 * 108, 0, 80));
    assert_eq!((sums.counts, sums.outwards), (80 * 25 * 108, 0));
    println!("{} in over {} counts", sums.inwards, sums.counts);
}

#[test]
fn the_calit2_door_has_both_directions_in_one_count() {
    let Some(path) = data("calit2/CalIt2.data") else { return };
    let table = open("calit2", &path);
    let sums = sums(&table, |_| {});
    assert_eq!((table.report().rows, table.report().faulty, table.sensors().len(), sums.counts), (10_080, 0, 1, 5_040), "{:?}", table.report().faults);
    println!("{} in, {} out", sums.inwards, sums.outwards);
}

/// A venue at one station of the line that the consecutive frames are of.
fn world_at(station: &str, timetable: Option<&Timetable>) -> World {
    let mut venue = crate::feeds::sample::venue();
    venue.stops = vec![Stop { id: station.into(), name: String::new(), zone: None }];
    venue.stop_names = Names::new([station]);
    if let Some(timetable) = timetable {
        timetable.add_platforms(&mut venue);
    }
    World::new(vec![venue])
}

fn frames() -> Option<(tempfile::TempDir, Frames)> {
    let archive = data("gtfs_rt/onebusaway_gtfs_rt_captures.tar.xz")?;
    let folder = tempfile::tempdir().unwrap();
    assert!(Command::new("tar").arg("-C").arg(folder.path()).arg("-xf").arg(archive).status().unwrap().success());
    let frames = Frames::find(&[folder.path().to_owned()]).unwrap();
    Some((folder, frames))
}

#[test]
fn all_147_frames_parse_and_a_cut_one_is_malformed() {
    let Some((_folder, frames)) = frames() else { return };
    assert_eq!(frames.len(), 147);
    let zip = data("gtfs_static/nyc_subway_cut_gtfs.zip").map(|path| std::fs::read(path).unwrap());
    let timetable = zip.as_deref().map(|zip| Timetable::read(zip).unwrap());
    let world = world_at("A27", timetable.as_ref());
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut contents: BTreeMap<(Entity, u64), u64> = BTreeMap::new();
    let mut oldest = Span::ZERO;
    for record in frames.records(&world) {
        let record = record.unwrap();
        assert_eq!(record.feed, Feed::Transport);
        let read = |bytes: &[u8], each: &mut dyn FnMut(Item)| decode(&crate::feeds::RecordRef { value: bytes, ..record.as_read(0, 0) }, &world, each);
        read(&record.value, &mut |item| {
            let word = match &item {
                Item::Observation(Observation { what: What::Vehicle(vehicle), .. }) => {
                    oldest = oldest.max(vehicle.age);
                    "vehicles"
                }
                Item::Observation(Observation { what: What::Arrival(_), .. }) => "arrivals",
                Item::Observation(Observation { what: What::ServiceAlert { .. }, .. }) => "alerts",
                Item::Observation(_) => "frames",
                Item::Ignored => "ignored",
                _ => "unusable",
            };
            *seen.entry(word).or_default() += 1;
            if let Item::Observation(observation) = item
                && let Some(content) = contents.insert((observation.entity, observation.identity), observation.content)
            {
                *seen.entry(if content == observation.content { "repeats" } else { "conflicts" }).or_default() += 1;
            }
        })
        .unwrap();
        let cut = read(&record.value[..record.value.len() - 1], &mut |_| panic!("a cut frame says nothing"));
        assert!(matches!(cut, Err(Fault { reason: Reason::Malformed, .. })), "{cut:?}");
    }
    println!("{seen:?}; oldest position {oldest}");
    assert_eq!(seen.get("frames"), Some(&147));
    assert_eq!(seen.get("unusable"), None);
    if timetable.is_some() {
        assert!(seen["arrivals"] > 0 && seen["vehicles"] > 0);
        assert_eq!(seen.get("conflicts"), None);
    }
}

#[test]
fn the_static_feeds_tell_names_platforms_and_how_far_they_reach() {
    let Some(path) = data("gtfs_static/nyc_subway_cut_gtfs.zip") else { return };
    let zip = std::fs::read(path).unwrap();
    let timetable = Timetable::read(&zip).unwrap();
    assert_eq!(timetable.platforms("A27").collect::<Vec<_>>(), ["A27N", "A27S"]);
    assert_eq!(timetable.station_of("A27N"), Some("A27"));
    assert_eq!(timetable.stop_name("A27"), Some("42 St-Port Authority Bus Terminal"));
    let (first, last) = timetable.reach().unwrap();
    println!("{} stops, calendar {first} to {last}", timetable.stop_count());
    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    assert!(!timetable.covers(day("2024-02-08")), "the frames of February 2024 are beyond the calendar");
    let arrivals = timetable.arrivals(&zip, first, &["A27N", "A27S"]).unwrap();
    println!("{} arrivals in {} slots on {first}", arrivals.values().sum::<u32>(), arrivals.len());
    let Some(path) = data("gtfs_static/oncf_morocco_gtfs.zip") else { return };
    let oncf = std::fs::read(path).unwrap();
    let timetable = Timetable::read(&oncf).unwrap();
    assert_eq!(timetable.stop_name("KENITRA"), Some("Kénitra"));
    assert!(timetable.covers(day("2025-12-31")) && !timetable.covers(day("2026-01-01")));
    let arrivals = timetable.arrivals(&oncf, day("2025-06-02"), &["KENITRA"]).unwrap();
    assert!(arrivals.values().sum::<u32>() > 0);
}
