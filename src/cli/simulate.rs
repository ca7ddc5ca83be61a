//! `midan simulate`: the feeds of a match night, or a synthetic load, to Kafka or to files.

use super::args::SimulateArgs;
use super::load;
use super::night;
use super::service::{self, stopwatch};
use super::settings::Settings;
use crate::kafka::KafkaFeeder;
use crate::log::{Feeder, InRecord, LogError};
use crate::simulate::{Load, LoadPlan, Nights, Options};
use crate::venue::{Feed, VenueId, World};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Writes the feeds.
pub(super) fn run(settings: &Settings, args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    if let (Some(rate), Some(folder)) = (args.rate, &args.venue_files) {
        load::write_world(&plan(rate), &settings.world.folder, folder)?;
        println!("{}: the configuration of the load's venues", folder.display());
        return Ok(ExitCode::SUCCESS);
    }
    let mut feeder: Box<dyn Feeder> = match args.to.as_str() {
        "kafka" => Box::new(KafkaFeeder::new(&settings.kafka.clients())?),
        folder => Box::new(Files::open(Path::new(folder))?),
    };
    let began = stopwatch();
    let sent = match args.rate {
        Some(rate) => send_load(feeder.as_mut(), rate, args.events)?,
        None => match_night(settings, args, feeder.as_mut())?,
    };
    let seconds = began.elapsed().as_secs_f64();
    println!("{sent} records in {seconds:.1} s, {:.0} records/s", sent as f64 / seconds);
    Ok(ExitCode::SUCCESS)
}

fn match_night(settings: &Settings, args: &SimulateArgs, feeder: &mut dyn Feeder) -> anyhow::Result<u64> {
    let world = service::world(settings)?;
    let options = Options { faults: args.faults, ..Options::default() };
    let matches = matches(&world, &args.venues)?;
    let mut nights = Nights::new(&world, &matches, args.seed, &options)?;
    let days = world.venues.iter().flat_map(|venue| &venue.matches).filter(|day| matches.iter().any(|(_, id)| **id == *day.id));
    let from = args
        .from_kick_off
        .zip(days.map(|day| day.kick_off.as_millis()).min())
        .map_or(i64::MIN, |(minutes, kick_off)| kick_off.saturating_add(minutes.saturating_mul(60_000)));
    let length = args.minutes.map_or(i64::MAX, |minutes| i64::from(minutes) * 60_000);
    let mut first = None;
    let mut stretch = nights
        .by_ref()
        .skip_while(|record| record.received < from)
        .take_while(|record| record.received.saturating_sub(*first.get_or_insert(record.received)) < length);
    let sent = night::feed(&mut stretch, feeder, args.speed, &AtomicBool::new(false), |_| {})?;
    if let Some(path) = &args.truth {
        night::write_truth(&nights, path)?;
    }
    Ok(sent)
}

/// The first match of each venue that plays.
fn matches<'a>(world: &'a World, names: &[String]) -> anyhow::Result<Vec<(VenueId, &'a str)>> {
    for name in names {
        if world.find(name).is_none() {
            anyhow::bail!("--venue {name}: no such venue; there are {}", world.names.iter().collect::<Vec<_>>().join(", "));
        }
    }
    let plays = |id: &str| names.is_empty() || names.iter().any(|name| name == id);
    let first = world.venues.iter().enumerate().filter(|(_, venue)| plays(&venue.id));
    Ok(first.filter_map(|(index, venue)| Some((VenueId::from(index), &*venue.matches.first()?.id))).collect())
}

/// A load of count events at `rate` events/s of the wall's time, or as fast as the log takes them at 0.
pub(super) fn send_load(feeder: &mut dyn Feeder, rate: u64, events: u64) -> anyhow::Result<u64> {
    let plan = plan(rate);
    let mut load = Load::new(plan);
    let began = stopwatch();
    let mut sent = 0_u64;
    while let (true, Some(record)) = (sent < events, load.next()) {
        if rate > 0 && sent.is_multiple_of(100) {
            let due = Duration::from_secs_f64(sent as f64 / plan.rate());
            night::wait_until_due(began, due, feeder)?;
        }
        feeder.send(&load::input(&record))?;
        sent += 1;
    }
    feeder.flush()?;
    Ok(sent)
}

fn plan(rate: u64) -> LoadPlan {
    if rate > 0 { load::paced(rate) } else { load::unpaced() }
}

/// Files in place of topics: one line a record, `key TAB source TAB received TAB format TAB value`, the value in hexadecimal where it is not text.
struct Files {
    files: Vec<BufWriter<File>>,
}

impl Files {
    fn open(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).map_err(|why| anyhow::anyhow!("--to {}: {why}", folder.display()))?;
        let file = |feed: &Feed| File::create(folder.join(format!("{}.tsv", feed.topic()))).map(BufWriter::new);
        Ok(Self { files: Feed::ALL.iter().map(file).collect::<Result<_, _>>()? })
    }
}

impl Feeder for Files {
    fn send(&mut self, record: &InRecord<'_>) -> Result<(), LogError> {
        let text = match std::str::from_utf8(record.value) {
            Ok(text) if !text.contains(['\n', '\t']) => text.to_owned(),
            _ => record.value.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let received = record.received.map(|at| at.to_string()).unwrap_or_default();
        let line =
            format!("{}\t{}\t{received}\t{}\t{text}\n", String::from_utf8_lossy(record.key), record.source.unwrap_or(""), record.format.unwrap_or("json"));
        self.files[record.feed as usize].write_all(line.as_bytes()).map_err(|why| refused(&why))
    }

    fn quarantine(&mut self, _: &[u8], _: &[u8], _: &str) -> Result<(), LogError> {
        Err(LogError::Refused { doing: "writing files", detail: "they have no quarantine".to_owned(), cure: "the simulator refuses nothing" })
    }

    fn flush(&mut self) -> Result<(), LogError> {
        self.files.iter_mut().try_for_each(Write::flush).map_err(|why| refused(&why))
    }
}

fn refused(why: &std::io::Error) -> LogError {
    LogError::Refused { doing: "writing files", detail: why.to_string(), cure: "name a folder with room that may be written to" }
}
