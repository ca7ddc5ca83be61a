//! `midan replay`: what was recorded, through the very engine that serves live.
//!
//! One file for each kind of recording; what they share is here: the run itself ([`super::drive`]), and what is said of it at the end.

mod frames;
mod kafka;
mod table;

pub(super) use kafka::to_end;
pub(super) use table::{check as check_table, mapping_text};

use super::args::ReplayArgs;
use super::drive::Driven;
use super::settings::Settings;
use crate::log::{Feeder, InRecord};
use crate::replay::InputRecord;
use crate::results::findings::FindingLine;
use crate::results::{Results, make_folder};
use crate::time::EventTime;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Milliseconds in a week.
const WEEK_MS: f64 = 7.0 * 86_400_000.0;

/// Replays what the arguments name.
pub(super) fn run(settings: &Settings, args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let kinds = [args.table.is_some(), !args.gtfs_rt.is_empty(), args.kafka];
    if kinds.iter().filter(|named| **named).count() > 1 {
        anyhow::bail!("one recording at a time: --table, --gtfs-rt or --kafka");
    }
    // Whoever writes first takes away what an earlier replay left.
    if let Some(input) = inputs(args).find(|input| Results::holds(&args.out, input)) {
        anyhow::bail!("{}: stands where the results are to be written: name another folder with --out", input.display());
    }
    match &args.table {
        Some(table) => table::run(settings, args, table),
        None if args.kafka => kafka::run(settings, args),
        None if !args.gtfs_rt.is_empty() => frames::run(settings, args),
        None => anyhow::bail!("nothing to replay: name --table FILE with --map FILE, --gtfs-rt PATH with --venue-file FILE, or --kafka"),
    }
}

/// The files that a replay reads.
fn inputs(args: &ReplayArgs) -> impl Iterator<Item = &PathBuf> {
    let named = [&args.table, &args.map, &args.calendar, &args.model, &args.gtfs_static, &args.venue_file];
    named.into_iter().flatten().chain(&args.gtfs_rt)
}

/// Replays, and writes down what the models would see.
pub(super) fn features(settings: &Settings, mut recording: ReplayArgs) -> anyhow::Result<ExitCode> {
    if recording.counts_only {
        anyhow::bail!("--counts-only: without forecasts nobody asks a model, so there are no features; leave it out");
    }
    make_folder(&recording.out)?;
    recording.features = Some(recording.out.clone());
    run(settings, &recording)
}

fn send(feeder: &mut dyn Feeder, record: &InputRecord) -> anyhow::Result<()> {
    let received = record.received.map(EventTime::as_millis);
    let source = Some(&*record.source);
    Ok(feeder.send(&InRecord {
        feed: record.feed,
        key: record.key.as_bytes(),
        value: &record.value,
        source,
        format: Some(record.content_type),
        received,
        cloud_event: None,
        attributes: crate::feeds::Attributes::NONE,
    })?)
}

/// Writes what is known only at the end, and says what the run amounted to. `places`: over how many findings are spread.
fn finish(driven: Driven, args: &ReplayArgs, took: Duration, places: usize) -> anyhow::Result<ExitCode> {
    let read = driven.stats.records;
    if let Some(results) = driven.results {
        let reach_ms = results.reach_ms();
        let (forecasts, findings) = results.finish(args.parquet)?;
        println!("results       {forecasts} forecasts, {} findings, in {}", findings.len(), args.out.display());
        tell_findings(&findings, places, reach_ms);
    }
    println!("speed         {:.0} records/s: {read} in {:.1} s", read as f64 / took.as_secs_f64().max(1e-3), took.as_secs_f64());
    print!("{}", driven.summary);
    Ok(ExitCode::SUCCESS)
}

fn tell_findings(findings: &[FindingLine], places: usize, reach_ms: i64) {
    let mut by_code: BTreeMap<&str, (u64, BTreeSet<&str>, u64)> = BTreeMap::new();
    for finding in findings {
        let (count, at, of_all) = by_code.entry(&finding.code).or_default();
        *count += 1;
        if finding.is_of_all {
            *of_all += 1;
        } else {
            at.insert(&finding.zone);
        }
    }
    let place_weeks = places as f64 * reach_ms as f64 / WEEK_MS;
    for (code, (count, at, of_all)) in by_code {
        let whole = if of_all > 0 { format!(" ({of_all} of the whole)") } else { String::new() };
        println!(
            "findings      {code}: {count} at {} of {places} places{whole}, {:.2} a place and week",
            at.len(),
            count as f64 / place_weeks.max(f64::MIN_POSITIVE)
        );
    }
}
