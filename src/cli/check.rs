//! `midan check`: the configuration, read as the service reads it, with every fault at once; and what it makes of capacities and plans.

use super::args::{CheckArgs, CheckWhat};
use super::settings::Settings;
use crate::config::{WorldError, read_world};
use crate::detect::planning::{Planned, planning};
use crate::detect::{Evidence, Priority};
use crate::feeds::{Fault, mapped};
use crate::venue::{self, ConfigFault, SourceFile};
use anyhow::Context;
use std::path::Path;
use std::process::ExitCode;

/// Checks the venues and profiles of the folder.
pub(super) fn run(settings: &Settings, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    if let Some(CheckWhat::Mapping { file, sample, venue }) = &args.what {
        return mapping(file, sample.as_deref(), venue);
    }
    let folder = args.folder.as_ref().unwrap_or(&settings.world.folder);
    match read_world(folder) {
        Ok(world) => {
            println!("{}", venue::report(&world));
            if args.capacity {
                print!("{}", venue::report::capacities(&world));
            }
            let planned = if args.plan { planning(&world) } else { Vec::new() };
            for Planned { venue, match_id, finding } in &planned {
                let figures: Vec<String> = finding.evidence.iter().map(write).collect();
                println!("{venue} {match_id}: {} {} ({:?})", finding.code.word(), finding.place.id, finding.exceeds.unwrap_or(Priority::Low));
                println!("  {}", figures.join(", "));
            }
            if args.plan {
                println!("{} findings in the plans of {} matches", planned.len(), world.venues.iter().map(|venue| venue.matches.len()).sum::<usize>());
            }
            Ok(if planned.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(WorldError::Faulty { faults }) => Ok(told(&faults)),
        Err(why) => Err(why.into()),
    }
}

fn told(faults: &[ConfigFault]) -> ExitCode {
    for fault in faults {
        println!("{fault}");
    }
    println!("{} faults", faults.len());
    ExitCode::FAILURE
}

/// Checks a mapping, and shows each entry of the sample beside the events it becomes, or its fault.
fn mapping(file: &Path, sample: Option<&Path>, venue: &str) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let mapping = match venue::load_mapping(&SourceFile { path: file.display().to_string(), text }) {
        Ok(mapping) => mapping,
        Err(faults) => return Ok(told(&faults)),
    };
    let Some(sample) = sample else {
        println!("The mapping \"{}\" is sound; --sample shows what a record becomes.", mapping.name);
        return Ok(ExitCode::SUCCESS);
    };
    let record = std::fs::read(sample).with_context(|| sample.display().to_string())?;
    let entries = match mapped::entries(&mapping, &record) {
        Ok(entries) => entries,
        Err(fault) => {
            println!("✗ {fault}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut faults = 0;
    for (number, entry) in entries.iter().enumerate() {
        println!("{}  {entry}", number + 1);
        match mapped::events_of(&mapping, entry, venue, None) {
            Ok(events) => events.iter().for_each(|event| match event {
                Some((_, event)) => match checked(event) {
                    Ok(()) => println!("   → {event}"),
                    Err(fault) => {
                        faults += 1;
                        println!("   ✗ {event}\n     {fault}");
                    }
                },
                None => println!("   – ignored: no condition holds"),
            }),
            Err(fault) => {
                faults += 1;
                println!("   ✗ {fault}");
            }
        }
    }
    println!("{} entries, {faults} faults", entries.len());
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the event is whole and of the right types; which names are configured, only a venue could say.
fn checked(event: &serde_json::Value) -> Result<(), Fault> {
    mapped::check(event.to_string().as_bytes())
}

/// A figure with its unit, and what it is held against.
fn write(evidence: &Evidence) -> String {
    let limit = evidence.threshold.map_or_else(String::new, |threshold| format!(" (limit {threshold:.4})"));
    let unit = if &*evidence.unit == "1" { String::new() } else { format!(" {}", evidence.unit) };
    format!("{} {:.4}{unit}{limit}", evidence.what, evidence.value)
}
