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
        of_findings(&findings, places, reach_ms).iter().for_each(|line| println!("{line}"));
    }
    println!("speed         {:.0} records/s: {read} in {:.1} s", read as f64 / took.as_secs_f64().max(1e-3), took.as_secs_f64());
    print!("{}", driven.summary);
    Ok(ExitCode::SUCCESS)
}

/// A line for each code: how many there are and at how many places, a week as the budget is, and a place and week.
fn of_findings(findings: &[FindingLine], places: usize, reach_ms: i64) -> Vec<String> {
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
    let weeks = reach_ms as f64 / WEEK_MS;
    let line = |(code, (count, at, of_all)): (&str, (u64, BTreeSet<&str>, u64))| {
        let whole = if of_all > 0 { format!(" ({of_all} of the whole)") } else { String::new() };
        let a_week = count as f64 / weeks.max(f64::MIN_POSITIVE);
        let a_place = a_week / places.max(1) as f64;
        format!("findings      {code}: {count} at {} of {places} places{whole}, {} a week, {a_place:.2} a place and week", at.len(), rate(a_week))
    };
    by_code.into_iter().map(line).collect()
}

/// A rate with as many decimals as it can use: one in a year is not none a week.
fn rate(rate: f64) -> String {
    if rate < 1.0 { format!("{rate:.2}") } else { format!("{rate:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_told_a_week_as_their_budget_is_and_a_place_and_week() {
        let finding = |zone: &str, code: &str| FindingLine {
            zone: zone.to_owned(),
            what: String::new(),
            from: 0,
            to: 0,
            detected: 0,
            score: None,
            p: None,
            came: None,
            expected: None,
            code: code.to_owned(),
            is_of_all: zone.is_empty(),
        };
        let findings = [finding("a", "ANOMALY"), finding("b", "ANOMALY"), finding("a", "ANOMALY"), finding("", "BLIND")];
        let told = of_findings(&findings, 20, 2 * 7 * 86_400_000);
        let expected = [
            "findings      ANOMALY: 3 at 2 of 20 places, 1.5 a week, 0.07 a place and week",
            "findings      BLIND: 1 at 0 of 20 places (1 of the whole), 0.50 a week, 0.03 a place and week",
        ];
        assert_eq!(told, expected);
    }
}
