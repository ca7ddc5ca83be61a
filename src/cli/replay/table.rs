//! `midan replay --table`: a table of one's own becomes a venue and neutral counts.

use super::super::args::ReplayArgs;
use super::super::drive::Drive;
use super::super::service::{Around, stopwatch};
use super::super::settings::Settings;
use crate::replay::Table;
use crate::replay::table::{CalendarEntry, Mapping, Report, StepClock, read_calendar};
use crate::results::{Results, Times};
use crate::time::EventTime;
use crate::venue::{Match, Profile, SourceFile, load_profile};
use anyhow::Context;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Faulty rows that the terminal names.
const NAMED: usize = 5;

/// The thresholds for tables, where the configured folder has none of its own.
const PROFILE: &str = include_str!("../../../config/profiles/table.toml");

/// Counts that a check shows.
const SHOWN: usize = 12;

/// What was read of the table, with the rows that never became records.
const ROWS: &str = "rows.json";

pub(super) fn run(settings: &Settings, args: &ReplayArgs, path: &Path) -> anyhow::Result<ExitCode> {
    let began = stopwatch();
    let map = args.map.as_ref().context("a table needs its mapping: --map FILE")?;
    let text = mapping_text(map)?;
    let table = open(&map.display().to_string(), &text, path)?;
    let matches = match &args.calendar {
        Some(calendar) => calendar_of(calendar, &table)?,
        None => Vec::new(),
    };
    let around = Around::new(Arc::new(table.world(&Arc::new(profile(settings)?), matches)))?;
    let drive = Drive { settings, around: &around, partitions: 1, models: args.into(), journal: None, features: args.features.as_deref() };
    let results = Results::open(&args.out)?.with_times(times(&table));
    let rows = args.out.join(ROWS);
    std::fs::write(&rows, serde_json::to_string_pretty(table.report())?).with_context(|| rows.display().to_string())?;
    let driven = drive.to_end(Some(results), |feeder, _| table.records().try_for_each(|record| super::send(feeder, &record)))?;
    super::finish(driven, args, began.elapsed(), table.sensors().len())
}

/// The text of a mapping.
pub(in crate::cli) fn mapping_text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).map_err(|why| match why.kind() {
        ErrorKind::InvalidData => {
            anyhow::anyhow!("{}: is no text in UTF-8: a mapping is TOML (docs/TABLES.md); was another file named, such as the table?", file.display())
        }
        _ => anyhow::Error::new(why).context(file.display().to_string()),
    })
}

/// Checks a table's mapping; with a table also what it makes of its rows, the first counts among it. Answers whether all is well.
pub(in crate::cli) fn check(map: &Path, text: &str, sample: Option<&Path>) -> anyhow::Result<bool> {
    let map = map.display().to_string();
    let Some(sample) = sample else {
        Mapping::read(&map, text).map_err(|faults| lines(&faults))?;
        println!("The mapping of a table is sound; --sample TABLE shows what its rows become.");
        return Ok(true);
    };
    let table = open(&map, text, sample)?;
    for record in table.records().take(SHOWN) {
        let count: serde_json::Value = serde_json::from_slice(&record.value)?;
        let Some(from) = count["from"].as_i64() else { break };
        let from = table.instant(EventTime::from_millis(from));
        let told = ["in", "out", "count"].iter().filter(|word| !count[**word].is_null()).map(|word| format!("{word} {}", count[*word])).collect::<Vec<_>>();
        let local = table.mapping().stamps.wall_clock(from).map_or_else(String::new, |local| local.format("%a %Y-%m-%d %H:%M:%S").to_string());
        println!("              {local} ({from})  {}  {}", count["sensor"].as_str().unwrap_or_default(), told.join(", "));
    }
    Ok(table.report().faulty == 0)
}

/// Reads a table and says what was found.
fn open(map: &str, text: &str, path: &Path) -> anyhow::Result<Table> {
    let mapping = Mapping::read(map, text).map_err(|faults| lines(&faults))?;
    let table = Table::open(path, mapping)?;
    tell(table.report(), "rows");
    tell_reach(&table);
    Ok(table)
}

/// The table's times, where its steps follow the clock on the wall.
fn times(table: &Table) -> Times {
    if table.clock() == StepClock::Elapsed {
        return Times::default();
    }
    let stamps = table.mapping().stamps.clone();
    Times::of_clock(move |at| stamps.instant(EventTime::from_millis(at)).as_millis())
}

fn profile(settings: &Settings) -> anyhow::Result<Profile> {
    let path = settings.world.folder.join("profiles/table.toml");
    let text = if path.is_file() { std::fs::read_to_string(&path).with_context(|| path.display().to_string())? } else { PROFILE.to_owned() };
    load_profile(&SourceFile { path: path.display().to_string(), text }).map_err(|faults| lines(&faults))
}

fn calendar_of(path: &Path, table: &Table) -> anyhow::Result<Vec<Match>> {
    let mapping = table.mapping();
    let (events, report) = read_calendar(path, mapping)?;
    tell(&report, "rows of the calendar");
    println!("calendar      {} events of {}", events.len(), mapping.venue);
    let within = events.iter().filter(|event| table.reach().is_some_and(|(from, to)| (from..to).contains(&event.start))).count();
    if within < events.len() {
        println!("              {} of them start within the table's time", if within == 0 { "none".to_owned() } else { within.to_string() });
    }
    let unknown = events.iter().filter(|event| event.attendance.is_none_or(|persons| persons == 0)).count();
    if unknown > 0 {
        println!("              {unknown} of them tell no attendance");
    }
    if events.is_empty() && report.rows > report.faulty {
        println!("              {} rows are of other venues: is mapping's venue written as in the calendar?", report.rows - report.faulty);
    }
    Ok(events.iter().map(CalendarEntry::to_match).collect())
}

/// Says what was read, and which rows have a fault.
fn tell(report: &Report, what: &str) {
    println!("{what:<13} {:>10} read, {} of them with a fault", report.rows, report.faulty);
    let named = report.kinds.iter().take(NAMED);
    for kind in named.clone() {
        println!("              {}", kind.first);
        if kind.count > 1 {
            println!("              and {} more like it", kind.count - 1);
        }
    }
    let others = report.faulty - named.map(|kind| kind.count).sum::<u64>();
    if others > 0 {
        println!("              and {others} of other kinds");
    }
    if report.repeating > 0 {
        println!("              {} tell a step of a sensor anew with the same figure, and count once", report.repeating);
    }
    if report.contradicting > 0 {
        let (line, before) = report.first_contradicting.unwrap_or_default();
        let rows = report.contradicting;
        println!(
            "              {rows} tell a step of a sensor anew with another figure, and go into quarantine, the first in line {line} of what line {before} told:"
        );
        println!("              does the mapping read the time right? If they are parts of a whole, repeated = \"sum\" adds them up");
        if report.in_doubled_hours > 0 {
            println!("              {} of them lie in hours that come twice: time.ambiguous = \"in_order\" tells the two apart", report.in_doubled_hours);
        }
    }
}

/// Says what the mapping made of the table: a time read wrong, or a column that is no place, shows here.
fn tell_reach(table: &Table) {
    let Some((first, last)) = table.reach() else { return };
    let report = table.report();
    let step = std::time::Duration::from_millis(table.mapping().step.as_millis());
    println!("counts        {:>10} of them, {} steps are marked as missing", report.counts, report.missing);
    if report.halves > 0 {
        println!("              {} of them know one figure of their place and lack another, which alone is a gap (coverage)", report.halves);
    }
    if report.set_back > 0 {
        println!("              {} totals fell or rose beyond belief (totals, most): gaps", report.set_back);
    }
    println!("places        {:>10} from {first} to {last}, a step of {step:?} each", table.sensors().len());
    if table.clock() == StepClock::Wall {
        println!("              the steps follow the clock on the wall: a day on which it is changed is one step, of 23 or 25 hours");
    }
    if report.moved > 0 {
        println!("              {} figures were moved to the grid of the step (off_grid)", report.moved);
    }
    report.doubts.iter().for_each(|doubt| println!("              {doubt}"));
    for (left_out, what) in [(&report.mute, "left out"), (&report.mute_ways, "ways of places left out")] {
        if !left_out.is_empty() {
            let named = left_out.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if left_out.len() > NAMED { ", …" } else { "" };
            println!("              {} {what}, for no row has a figure of them: {named}{more}", left_out.len());
        }
    }
}

fn lines(faults: &[impl ToString]) -> anyhow::Error {
    anyhow::anyhow!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}
