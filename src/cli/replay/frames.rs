//! `midan replay --gtfs-rt`: frames of a transport feed, for the stops of one venue file.
//!
//! The frames run through the engine like any transport feed. Beside that each is read once more here, for what an operator asks of a transport feed and the crowd
//! picture does not show: which trains came when, how old their positions were, and whether anybody was counted in them.

use super::super::args::ReplayArgs;
use super::super::drive::Drive;
use super::super::service::{Around, stopwatch};
use super::super::settings::Settings;
use crate::config::world::read_files;
use crate::feeds::transport::gtfs_static::Timetable;
use crate::feeds::{Item, Observation, What, decode};
use crate::replay::arrivals::{Arrivals, SLOT};
use crate::replay::{Census, Frames};
use crate::results::Results;
use crate::time::EventTime;
use crate::venue::{SourceFile, Venue, World, load};
use anyhow::Context;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

pub(super) fn run(settings: &Settings, args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let began = stopwatch();
    let file = args.venue_file.as_deref().context("frames need the venue whose stops they are read for: --venue-file FILE")?;
    let frames = Frames::find(&args.gtfs_rt)?;
    let timetable = args.gtfs_static.as_deref().map(timetable).transpose()?;
    let mut world = world(settings, file)?;
    if let Some(timetable) = &timetable {
        world.venues.iter_mut().for_each(|venue| timetable.add_platforms(venue));
    }
    let around = Around::new(Arc::new(world))?;
    let world = Arc::clone(&around.world);
    let mut seen: Vec<Arrivals> = world.venues.iter().map(|venue| Arrivals::new(venue.stops.len())).collect();
    let mut census = Census::default();
    let mut unreadable = BTreeMap::new();
    let paths: Vec<&Path> = frames.paths().collect();
    let drive = Drive { settings, around: &around, partitions: 1, models: args.into(), journal: None, features: args.features.as_deref() };
    let driven = drive.to_end(Some(Results::open(&args.out)?), |feeder, _| {
        for (number, record) in frames.records(&world).enumerate() {
            let record = record?;
            if number % world.venues.len().max(1) == 0 {
                census.count(&record.value);
            }
            if let (Some(why), Some(path)) = (look(&record, &world, &mut seen), paths.get(number / world.venues.len().max(1))) {
                unreadable.insert(path.display().to_string(), why);
            }
            super::send(feeder, &record)?;
        }
        Ok(())
    })?;
    println!("frames        {:>10}{}", frames.len(), reach(&frames));
    for (venue, arrivals) in world.venues.iter().zip(&seen) {
        tell_stops(venue, arrivals);
    }
    tell_census(&census);
    for (path, why) in &unreadable {
        println!("quarantine    {path}: {why}");
    }
    if let Some(timetable) = &timetable {
        tell_timetable(timetable, &world, &frames);
    }
    write_arrivals(&args.out, &world, &seen)?;
    let places = world.venues.iter().map(|venue| venue.zones.len()).sum();
    super::finish(driven, args, began.elapsed(), places)
}

/// The venue of the file, with the configured profiles to choose from.
fn world(settings: &Settings, file: &Path) -> anyhow::Result<World> {
    let is_profile = |file: &SourceFile| Path::new(&file.path).parent().is_some_and(|folder| folder.ends_with("profiles"));
    let mut files: Vec<SourceFile> = read_files(&settings.world.folder)?.into_iter().filter(is_profile).collect();
    files.push(SourceFile { path: file.display().to_string(), text: std::fs::read_to_string(file).with_context(|| file.display().to_string())? });
    load(&files).map_err(|faults| anyhow::anyhow!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

fn timetable(path: &Path) -> anyhow::Result<Timetable> {
    let zip = std::fs::read(path).with_context(|| path.display().to_string())?;
    Timetable::read(&zip).map_err(|fault| anyhow::anyhow!("{}: {fault}", path.display()))
}

/// Notes what a frame says of a venue's stops. One that cannot be read goes to quarantine in the engine, and the answer is why.
fn look(record: &crate::replay::InputRecord, world: &World, seen: &mut [Arrivals]) -> Option<String> {
    let venue = world.find(&record.key)?;
    let arrivals = &mut seen[venue.index()];
    let mut told = Vec::new();
    let mut ages = Vec::new();
    let read = decode(&record.as_read(0, 0), world, &mut |item| {
        let Item::Observation(Observation { entity: crate::feeds::Entity::Stop(stop), what, .. }) = item else { return };
        match what {
            What::Arrival(arrival) => told.push((stop, arrival.trip, arrival.expected)),
            What::Vehicle(vehicle) => ages.push((stop, vehicle.age)),
            _ => {}
        }
    });
    match (read, record.received) {
        (Err(why), _) => return Some(why.to_string()),
        (Ok(_), Some(at)) => arrivals.frame(at, &told, &ages),
        (Ok(_), None) => {}
    }
    None
}

fn reach(frames: &Frames) -> String {
    frames.reach().map_or_else(String::new, |(first, last)| format!(", {first} to {last}"))
}

fn tell_stops(venue: &Venue, arrivals: &Arrivals) {
    println!("venue         {} ({}): {} stops", venue.name, venue.id, venue.stops.len());
    for (index, stop) in venue.stops.iter().enumerate() {
        let of_stop = arrivals.of_stop(index.into());
        if of_stop.positions == 0 && of_stop.arrivals == 0 {
            continue;
        }
        println!(
            "              {:<6} {:<34} {:>4} arrivals; {} positions, {} of them older than 90 s",
            stop.id, stop.name, of_stop.arrivals, of_stop.positions, of_stop.stale
        );
    }
    let all = arrivals.all();
    println!("              {} arrivals in all, a trip once; {} still expected after the last frame, {} taken back", all.arrivals, all.expected, all.withdrawn);
    println!(
        "staleness     at these stops {:.1} % of {} positions were older than 90 s when they were told, the oldest {}",
        all.stale_percent(),
        all.positions,
        all.oldest
    );
}

fn tell_census(census: &Census) {
    println!("              on the whole feed {:.1} % of {}, the oldest {}", census.stale_percent(), census.positions, census.oldest);
    if census.with_occupancy == 0 {
        println!(
            "occupancy     none of {} positions and {} calls tells how full a train is ({} say outright: no data)",
            census.positions, census.calls, census.without_data
        );
        println!("              so trains are counted here, persons are not");
    } else {
        println!("occupancy     {} of {} positions and calls tell how full a train is", census.with_occupancy, census.positions + census.calls);
    }
}

fn tell_timetable(timetable: &Timetable, world: &World, frames: &Frames) {
    let Some((first, last)) = frames.reach() else { return };
    let zone = world.venues.first().map(|venue| venue.time_zone).unwrap_or_default();
    let day = |at: EventTime| chrono::DateTime::from_timestamp_millis(at.as_millis()).map(|utc| utc.with_timezone(&zone).date_naive());
    let days: Vec<NaiveDate> = [first, last].into_iter().filter_map(day).collect();
    let covered = days.iter().filter(|day| timetable.covers(**day)).count();
    let calendar = timetable.reach().map_or_else(|| "has no days".to_owned(), |(from, to)| format!("runs from {from} to {to}"));
    let verdict = match (covered, timetable.reach()) {
        (0, Some((_, to))) if days.iter().all(|day| *day > to) => "it ends before these frames, so nothing is compared with it; only names are taken from it",
        (0, _) => "it does not cover these frames, so nothing is compared with it; only names are taken from it",
        _ => "it covers these frames",
    };
    println!("timetable     {} stops; its calendar {calendar}: {verdict}", timetable.stop_count());
}

fn write_arrivals(folder: &Path, world: &World, seen: &[Arrivals]) -> anyhow::Result<()> {
    let mut lines = BufWriter::new(crate::results::create(&folder.join("arrivals.ndjson"))?);
    for (venue, arrivals) in world.venues.iter().zip(seen) {
        for ((stop, from), count) in arrivals.slots() {
            let stop = &venue.stops[stop.index()];
            let line = serde_json::json!({
                "venue": &*venue.id, "stop": &*stop.id, "name": stop.name,
                "from": from.as_millis(), "to": from.after(SLOT).as_millis(), "arrivals": count,
            });
            writeln!(lines, "{line}")?;
        }
    }
    Ok(lines.flush()?)
}
