//! `midan check`: the configuration, read as the service reads it, with every fault at once.

use super::args::CheckArgs;
use super::settings::Settings;
use crate::config::{WorldError, read_world};
use crate::venue;
use std::process::ExitCode;

/// Checks the venues and profiles of the folder.
pub(super) fn run(settings: &Settings, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let folder = args.folder.as_ref().unwrap_or(&settings.world.folder);
    match read_world(folder) {
        Ok(world) => {
            println!("{}", venue::report(&world));
            Ok(ExitCode::SUCCESS)
        }
        Err(WorldError::Faulty { faults }) => {
            for fault in &faults {
                println!("{fault}");
            }
            println!("{} faults", faults.len());
            Ok(ExitCode::FAILURE)
        }
        Err(why) => Err(why.into()),
    }
}
