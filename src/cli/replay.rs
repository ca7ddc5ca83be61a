//! `midan replay`: what was recorded, through the very engine that serves live.

use super::args::ReplayArgs;
use super::drive::{Drive, Driven};
use super::service::{self, Around};
use super::settings::Settings;
use crate::log::{Feeder, InRecord};
use crate::replay::InputRecord;
use crate::replay::table::{Mapping, Table};
use crate::results::Results;
use crate::time::EventTime;
use crate::venue::World;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Replays a table of one's own.
pub(super) fn run(settings: &Settings, args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    match (&args.table, &args.map) {
        (Some(table), Some(map)) => table_run(settings, args, table, map),
        _ => anyhow::bail!("nothing to replay: name --table FILE with --map FILE, --gtfs-rt PATH, or --kafka"),
    }
}

fn table_run(settings: &Settings, args: &ReplayArgs, path: &Path, map: &Path) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(map).map_err(|why| anyhow::anyhow!("{}: {why}", map.display()))?;
    let mapping = Mapping::read(&map.display().to_string(), &text).map_err(|faults| anyhow::anyhow!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    let table = Table::open(path, mapping)?;
    let configured = service::world(settings)?;
    let profile = configured.venues.iter().flat_map(|venue| &venue.zones).next().map(|zone| Arc::clone(&zone.profile)).ok_or_else(|| anyhow::anyhow!("no profile is configured"))?;
    let world: Arc<World> = Arc::new(table.world(&profile, Vec::new()));
    let around = Around::new(world)?;
    let drive = Drive { settings, around: &around, partitions: 1, model: args.model.as_deref() };
    let results = Results::open(&args.out)?;
    let driven = drive.to_end(Some(results), |feeder, _| table.records().try_for_each(|record| send(feeder, &record)))?;
    finish(driven)
}

fn send(feeder: &mut dyn Feeder, record: &InputRecord) -> anyhow::Result<()> {
    let received = record.received.map(EventTime::as_millis);
    let source = Some(&*record.source);
    Ok(feeder.send(&InRecord { feed: record.feed, key: record.key.as_bytes(), value: &record.value, source, format: Some(record.content_type), received })?)
}

fn finish(driven: Driven) -> anyhow::Result<ExitCode> {
    if let Some(results) = driven.results {
        let (forecasts, findings) = results.finish()?;
        println!("{forecasts} forecasts, {findings} findings");
    }
    println!("{}", driven.summary);
    Ok(ExitCode::SUCCESS)
}
