//! `midan door`: feeds that are not keyed by venue come in, as a process of its own or beside the shards of `midan run --door`.

use super::args::DoorArgs;
use super::demo::on_signal;
use super::service;
use super::settings::Settings;
use crate::door::run::Cluster;
use crate::door::{Door, DoorSettings};
use crate::kafka::KafkaFeeder;
use crate::telemetry::Telemetry;
use crate::venue::World;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Runs until it is told to stop.
#[allow(clippy::disallowed_methods, reason = "a signal only sets a flag, which is looked at now and then")]
pub(super) fn run(settings: &Settings, args: &DoorArgs) -> anyhow::Result<ExitCode> {
    let world = service::world(settings)?;
    let stop = Arc::new(AtomicBool::new(false));
    on_signal(&stop)?;
    let door = open(settings, &args.file, world, Telemetry::new()?)?;
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(100));
    }
    close(door);
    Ok(ExitCode::SUCCESS)
}

/// Opens the door of the file, to the configured Kafka.
pub(super) fn open(settings: &Settings, file: &Path, world: Arc<World>, telemetry: Arc<Telemetry>) -> anyhow::Result<Door> {
    let door = DoorSettings::read(file).map_err(anyhow::Error::msg)?;
    let feeder = Box::new(KafkaFeeder::new(&settings.kafka.clients())?);
    let cluster = Cluster { bootstrap_servers: settings.kafka.bootstrap_servers.clone(), properties: settings.kafka.properties.clone() };
    let door = Door::open(world, door, feeder, telemetry, &cluster)?;
    if let Some(address) = door.listens_on() {
        println!("The door takes webhooks on http://{address}");
    }
    Ok(door)
}

/// Closes it, and says what became of what came.
pub(super) fn close(door: Door) {
    let ledger = door.ledger().clone();
    door.close();
    for (source, sums) in ledger.sums() {
        println!("{source}: in {} = written {} + ignored {} + refused {} ({} records)", sums.came_in, sums.written, sums.ignored, sums.refused, sums.records);
    }
}
