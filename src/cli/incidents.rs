//! `midan incidents`: the incident library and the quiet nights through the engine, scored.

use super::args::IncidentsArgs;
use super::settings::Settings;
use crate::config::world::read_files;
use crate::incidents::quiet::Night;
use crate::incidents::score::QuietSum;
use crate::incidents::{IncidentScore, NightScore, Scores, library, picture, play, report};
use crate::venue::SourceFile;
use std::path::Path;
use std::process::ExitCode;

/// Scores and prints; failure when an incident is not met.
pub(super) fn run(settings: &Settings, args: &IncidentsArgs) -> anyhow::Result<ExitCode> {
    let files = read_files(&settings.world.folder)?;
    let profiles: Vec<SourceFile> =
        files.into_iter().filter(|file| Path::new(&file.path).parent().is_some_and(|parent| parent.ends_with("profiles"))).collect();
    let scores = score(&profiles, args)?;
    if let Some(path) = &args.picture {
        std::fs::write(path, picture::svg(&scores)).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&scores)?);
    } else {
        print!("{}", report::table(&scores));
    }
    Ok(if scores.incidents.iter().all(IncidentScore::is_met) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn score(profiles: &[SourceFile], args: &IncidentsArgs) -> anyhow::Result<Scores> {
    let wanted = |id: &str| args.only.is_empty() || args.only.iter().any(|only| id.contains(only.as_str()));
    let library = library::read(profiles, args.library.as_deref()).map_err(anyhow::Error::msg)?;
    let known: Vec<&str> = library.iter().map(|incident| incident.script.id.as_str()).collect();
    if let Some(unknown) = args.only.iter().find(|only| known.iter().all(|id| !id.contains(only.as_str()))) {
        anyhow::bail!("no incident is called {unknown:?}; the library has {}", known.join(", "));
    }
    let mut scores = Scores::default();
    for incident in library.iter().filter(|incident| wanted(&incident.script.id)) {
        let outcomes = incident.play();
        if let Some(refused) = outcomes.refused.first() {
            anyhow::bail!("{}: {} records were refused or late, the first: {refused}", incident.script.id, outcomes.refused.len());
        }
        if args.verbose {
            for told in &outcomes.told {
                let at = incident.script.clock().map_err(anyhow::Error::msg)?.text(told.at);
                eprintln!("{} {at} {} {:?} {} {:?}", incident.script.id, told.code, told.priority, told.place, told.lead);
            }
        }
        scores.incidents.push(IncidentScore::of(incident, &outcomes).map_err(anyhow::Error::msg)?);
    }
    if args.only.is_empty() {
        for seed in args.first_night..args.first_night + args.nights {
            let night = Night::draw(seed);
            let (world, records) = night.stage(profiles).map_err(anyhow::Error::msg)?;
            let outcomes = play(&world, &records);
            if let Some(refused) = outcomes.refused.first() {
                anyhow::bail!("night {seed}: {} records were refused or late, the first: {refused}", outcomes.refused.len());
            }
            if args.verbose {
                for told in &outcomes.told {
                    let before = (night.kick_off - told.at) / 60_000;
                    eprintln!(
                        "night {seed} {:?} {before} min before kick-off: {} {:?} {} {:?}",
                        night.near_miss, told.code, told.priority, told.place, told.lead
                    );
                }
            }
            scores.nights.push(NightScore::of(&night, &outcomes));
        }
        scores.quiet = QuietSum::of(&scores.nights);
    }
    Ok(scores)
}
