//! `midan layout` and `midan geojson`: a venue file to begin with, from a stadium's public facts or from zones drawn in a geographic information system.

use anyhow::Context as _;
use std::path::Path;
use std::process::ExitCode;

/// Prints the illustrative venue of a stadium.
pub(super) fn layout(path: &Path) -> anyhow::Result<ExitCode> {
    let text = read(path)?;
    match crate::venue::layout(&path.display().to_string(), &text) {
        Ok(venue) => {
            print!("{venue}");
            Ok(ExitCode::SUCCESS)
        }
        Err(faults) => {
            faults.iter().for_each(|fault| eprintln!("{fault}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Prints the zones of a GeoJSON file as lines of a venue file.
pub(super) fn geojson(path: &Path) -> anyhow::Result<ExitCode> {
    let zones = crate::venue::geojson::zones(&read(path)?).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    print!("{zones}");
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}
