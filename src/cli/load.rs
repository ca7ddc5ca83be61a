//! The synthetic load, and the venues that it comes from: the configured profiles, and venue files made for the load.

use super::service::wall_ms;
use crate::config::world::read_files;
use crate::log::InRecord;
use crate::simulate::{LoadPlan, LoadRecord};
use crate::time::{EventTime, Span};
use crate::venue::{ConfigFault, Feed, SourceFile, World, load};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

/// When an unpaced load begins: 2030-06-16T18:00:00Z.
const START: EventTime = EventTime::from_millis(1_907_863_200_000);
/// Venues of the load, and the sensors of each.
const VENUES: u32 = 4;
const SENSORS: u32 = 500;

/// A load that comes as fast as it is taken: four venues of 500 sensors that count once a second.
pub(super) const fn unpaced() -> LoadPlan {
    LoadPlan { venues: VENUES, sensors: SENSORS, interval: Span::from_secs(1), start: START, seed: 2030 }
}

/// A load that tells the wall's time at about `rate` events/s: each sensor counts over whole milliseconds, as many as come nearest.
pub(super) fn paced(rate: u64) -> LoadPlan {
    let sensors = u64::from(VENUES * SENSORS);
    let interval = ((sensors * 1_000 + rate / 2) / rate.max(1)).max(1);
    let start = wall_ms().div_euclid(1_000) * 1_000;
    LoadPlan { interval: Span::from_millis(interval), start: EventTime::from_millis(start), ..unpaced() }
}

/// One venue, one count a pane from each of its sensors.
pub(super) const fn one_venue(sensors: u32) -> LoadPlan {
    LoadPlan { venues: 1, sensors, interval: Span::from_secs(10), start: START, seed: 2030 }
}

/// A record of the load as a feeder takes it.
pub(super) const fn input<'a>(record: &LoadRecord<'a>) -> InRecord<'a> {
    InRecord {
        feed: Feed::Sensors,
        key: record.venue.as_bytes(),
        value: record.value,
        source: Some(record.source),
        format: None,
        received: Some(record.received),
        cloud_event: None,
        attributes: crate::feeds::Attributes::NONE,
    }
}

/// The world of a load.
pub(super) fn world_of(plan: &LoadPlan, folder: &Path) -> anyhow::Result<Arc<World>> {
    let list = |faults: Vec<ConfigFault>| faults.iter().map(|fault| format!("\n  {fault}")).collect::<String>();
    let world = load(&files(plan, folder)?).map_err(|faults| anyhow::anyhow!("the load's venues have faults:{}", list(faults)))?;
    Ok(Arc::new(world))
}

/// Writes the configuration of a load's venues, so that `midan run` knows them.
pub(super) fn write_world(plan: &LoadPlan, folder: &Path, to: &Path) -> anyhow::Result<()> {
    for part in ["venues", "profiles"] {
        std::fs::create_dir_all(to.join(part)).map_err(|why| anyhow::anyhow!("{}: {why}", to.display()))?;
    }
    for (number, file) in files(plan, folder)?.iter().enumerate() {
        let part = if is_profile(file) { "profiles" } else { "venues" };
        let path = to.join(part).join(format!("{number}.toml"));
        std::fs::write(&path, &file.text).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    }
    Ok(())
}

/// The configured profiles, and the load's venues, which choose the first of them.
fn files(plan: &LoadPlan, folder: &Path) -> anyhow::Result<Vec<SourceFile>> {
    #[derive(Deserialize)]
    struct Head {
        id: String,
    }
    let mut files: Vec<SourceFile> = read_files(folder)?.into_iter().filter(is_profile).collect();
    let head = files.iter().find_map(|file| toml::from_str::<Head>(&file.text).ok());
    let profile = head.ok_or_else(|| anyhow::anyhow!("{}: no profile in profiles/", folder.display()))?.id;
    files.extend(plan.venue_files(&profile));
    Ok(files)
}

fn is_profile(file: &SourceFile) -> bool {
    Path::new(&file.path).parent().is_some_and(|parent| parent.ends_with("profiles"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loads_venues_are_a_world() {
        let world = world_of(&one_venue(20), Path::new("config")).unwrap();
        assert_eq!((world.venues.len(), world.venues[0].zones.len(), world.venues[0].sensors.len()), (1, 2, 20));
    }

    #[test]
    fn a_rate_is_met_by_the_length_of_the_counts() {
        assert_eq!(paced(50_000).interval, Span::from_millis(40));
        assert_eq!(paced(u64::MAX / 4).interval, Span::from_millis(1));
    }
}
