//! `midan check`: the configuration, read as the service reads it, with every fault at once; and what it makes of capacities and plans.

use super::args::{CheckArgs, CheckWhat};
use super::replay::{check_table, mapping_text};
use super::service::MODELS;
use super::settings::{DEFAULT_FILE, Settings};
use super::settings_faults::line_of_key;
use crate::config::{WorldError, give_ticket_keys, read_world};
use crate::detect::planning::{Planned, planning};
use crate::detect::{Evidence, Priority};
use crate::feeds::{Fault, mapped};
use crate::inference::Role;
use crate::onnx::{Library, Model};
use crate::replay::table::Mapping;
use crate::venue::{self, ConfigFault, SourceFile};
use anyhow::Context;
use std::path::Path;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Checks the settings with all that they name: venues, profiles and mappings, the tickets' keys, the models and their library; or one folder of venues alone.
pub(super) fn run(settings: &Settings, file: Option<&Path>, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    if let Some(CheckWhat::Mapping { file, sample, venue }) = &args.what {
        return mapping(file, sample.as_deref(), venue);
    }
    let folder = args.folder.as_ref().unwrap_or(&settings.world.folder);
    let mut faults = Vec::new();
    let world = match read_world(folder) {
        Ok(world) => Some(world),
        Err(WorldError::Faulty { faults: of_world }) => {
            faults.extend(of_world);
            None
        }
        Err(why) => return Err(why.into()),
    };
    if args.folder.is_none() {
        faults.extend(of_settings(settings, file.unwrap_or(Path::new(DEFAULT_FILE))));
    }
    let Some(world) = world.filter(|_| faults.is_empty()) else { return Ok(told(&faults)) };
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
        println!("{} findings in the plans of {} matches", planned.len(), world.venues.iter().map(|venue| venue.match_days().count()).sum::<usize>());
    }
    Ok(if planned.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is wrong with settings that can each be read, but not be served.
fn of_settings(settings: &Settings, file: &Path) -> Vec<ConfigFault> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut faults = Vec::new();
    let mut fault = |section: &str, key: &str, what: String| {
        let line = line_of_key(&text, section, key);
        let file = if line > 0 { file.display().to_string() } else { String::new() };
        faults.push(ConfigFault { file, line, what: format!("`{section}.{key}`: {what}"), nearest: Vec::new() });
    };
    if settings.console.token.is_none() && !settings.console.listen.ip().is_loopback() {
        let listen = settings.console.listen;
        fault(
            "console",
            "listen",
            format!("{listen} without console.token: the console listens on the loopback address only; set a token, or listen on 127.0.0.1"),
        );
    }
    if let Err(why) = EnvFilter::try_new(&settings.telemetry.level) {
        fault("telemetry", "level", format!("{:?} is no level of log lines: {why}", settings.telemetry.level));
    }
    if settings.kafka.partitions == 0 {
        fault("kafka", "partitions", "must be at least 1".to_owned());
    }
    if settings.kafka.replication == 0 {
        fault("kafka", "replication", "must be at least 1".to_owned());
    }
    if let Err(why) = settings.kafka.clients().check() {
        fault("kafka", "properties", why.to_string());
    }
    if let Some(keys) = &settings.world.ticket_keys
        && let Err(why) = read_world(&settings.world.folder).and_then(|mut world| give_ticket_keys(&mut world, keys))
        && !matches!(why, WorldError::Faulty { .. })
    {
        fault("world", "ticket_keys", why.to_string());
    }
    match Library::load(&settings.models.library) {
        Err(why) => fault("models", "library", why.to_string()),
        Ok(library) => {
            for (role, name) in MODELS {
                let manifest = settings.models.folder.join(name);
                if let Err(why) = Model::load(&library, &manifest, role, 1) {
                    fault("models", "folder", format!("the {} model cannot be served: {why}", role.word()));
                }
            }
            let shadow = settings.models.shadow.as_ref().map(|manifest| Model::load(&library, manifest, Role::Flow, 1));
            if let Some(Err(why)) = shadow {
                fault("models", "shadow", format!("cannot be run: {why}"));
            }
        }
    }
    faults
}

fn told(faults: &[ConfigFault]) -> ExitCode {
    for fault in faults {
        println!("{fault}");
    }
    println!("{} faults", faults.len());
    ExitCode::FAILURE
}

/// Checks a mapping, and shows each entry of the sample beside the events it becomes, or its fault; the mapping of a table by its first rows.
fn mapping(file: &Path, sample: Option<&Path>, venue: &str) -> anyhow::Result<ExitCode> {
    let text = mapping_text(file)?;
    if Mapping::is_of_table(&text) {
        return Ok(if check_table(file, &text, sample)? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_settings_name_is_looked_at_with_all_its_faults_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("midan.toml");
        let text = "[world]\nticket_keys = \"no-such-keys.toml\"\n[console]\nlisten = \"0.0.0.0:8030\"\n[models]\nlibrary = \"no-such.so\"\n[telemetry]\nlevel = \"x=y=z\"\n\
                    [kafka.properties]\n\"group.id\" = \"mine\"\n";
        std::fs::write(&file, text).unwrap();
        let settings = Settings::read(Some(&file)).unwrap();
        let faults: Vec<String> = of_settings(&settings, &file).iter().map(ToString::to_string).collect();
        let told = faults.join("\n");
        for what in [
            ":4: `console.listen`: 0.0.0.0:8030 without console.token",
            ":6: `models.library`: ",
            ":2: `world.ticket_keys`: no-such-keys.toml",
            ":8: `telemetry.level`: ",
            ":9: `kafka.properties`: ",
        ] {
            assert!(told.contains(what), "{what} in\n{told}");
        }
        std::fs::write(&file, "[console]\nlisten = \"0.0.0.0:8030\"\ntoken = \"t\"\n").unwrap();
        let settings = Settings::read(Some(&file)).unwrap();
        assert!(of_settings(&settings, &file).iter().all(|fault| !fault.what.contains("console")));
    }
}
