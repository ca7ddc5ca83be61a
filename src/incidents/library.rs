//! The incidents' files, part of the binary: `load-tests/incidents/<id>/{incident,venue}.toml`.

use super::play::{Outcomes, play};
use super::script::Script;
use super::stream::{Frame, Record, records};
use crate::venue::{Feed, SourceFile, World, load};
use rust_embed::RustEmbed;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(RustEmbed)]
#[folder = "load-tests/incidents"]
struct Files;

/// An incident with its venue and its records.
#[derive(Debug)]
pub struct Incident {
    /// What its file tells.
    pub script: Script,
    /// Its venue, under the profiles of the configuration.
    pub world: Arc<World>,
    /// Its records.
    pub records: Vec<Record>,
}

/// Reads every incident of `folder`, without one those of the binary, in the order of their ids. `profiles` are the files of the threshold profiles, one configuration for all.
///
/// # Errors
/// When a file is faulty; the text names it.
pub fn read(profiles: &[SourceFile], folder: Option<&Path>) -> Result<Vec<Incident>, String> {
    let mut ids = match folder {
        None => Files::iter().filter_map(|path| path.strip_suffix("/incident.toml").map(str::to_owned)).collect(),
        Some(folder) => ids_in(folder)?,
    };
    ids.sort();
    ids.iter().map(|id| Incident::read(id, profiles, folder)).collect()
}

fn ids_in(folder: &Path) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let is_incident = |path: &PathBuf| path.join("incident.toml").is_file();
    let name = |path: PathBuf| Some(path.file_name()?.to_str()?.to_owned());
    Ok(entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_incident).filter_map(name).collect())
}

impl Incident {
    fn read(id: &str, profiles: &[SourceFile], folder: Option<&Path>) -> Result<Self, String> {
        let script = Script::read(&text(id, "incident.toml", folder)?)?;
        if script.id != id {
            return Err(format!("{id}/incident.toml: its `id` is {}, and must be the name of its folder", script.id));
        }
        let world = world_of(profiles, &format!("{id}/venue.toml"), text(id, "venue.toml", folder)?)?;
        let clock = script.clock()?;
        let frame = Frame { venue: &world.venues[0].id, clock, from: clock.at(&script.from)?, to: clock.at(&script.to)? };
        let records = records(&script.streams, &sources(&world), &frame).map_err(|why| format!("{id}: {why}"))?;
        Ok(Self { world, records, script })
    }

    /// Runs it through the engine.
    pub fn play(&self) -> Outcomes {
        play(&self.world, &self.records)
    }
}

/// The world of one venue under the profiles.
///
/// # Errors
/// With every fault of the configuration.
pub fn world_of(profiles: &[SourceFile], path: &str, text: String) -> Result<Arc<World>, String> {
    let files: Vec<SourceFile> = profiles.iter().cloned().chain([SourceFile { path: path.into(), text }]).collect();
    let world = load(&files).map_err(|faults| faults.iter().map(|fault| format!("\n  {fault}")).collect::<String>())?;
    Ok(Arc::new(world))
}

/// The sources of a world's venue.
pub fn sources(world: &World) -> Vec<(String, Feed)> {
    world.venues.iter().flat_map(|venue| venue.sources.iter().map(|source| (source.id.to_string(), source.feed))).collect()
}

fn text(id: &str, name: &str, folder: Option<&Path>) -> Result<String, String> {
    if let Some(folder) = folder {
        let path = folder.join(id).join(name);
        return std::fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()));
    }
    let file = Files::get(&format!("{id}/{name}")).ok_or_else(|| format!("{id}: has no {name}"))?;
    String::from_utf8(file.data.into_owned()).map_err(|_| format!("{id}/{name}: is not UTF-8"))
}
