//! `midan model check FILE`: whether this binary can serve a model file, and how well, before anybody relies on it.
//!
//! The idea: every check that the service makes on loading (manifest, hash, length, tensors), and those it has no time for: the operator set, the same bits twice, numbers
//! only, in order, at any input a venue may show, no row that depends on another, the same of recorded rows as when it was built, and how long a run takes. The first fault of loading ends it; of the others all are told.

use super::args::ModelAction;
use super::service::stopwatch;
use super::settings::Settings;
use super::swap;
use crate::inference::Role;
use crate::onnx::conformance::{Conformance, numbers};
use crate::onnx::{Deadline, Library, Model};
use anyhow::Context;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Runs that are timed.
const RUNS: usize = 50;

pub(super) fn run(settings: &Settings, action: &ModelAction) -> anyhow::Result<ExitCode> {
    let (file, rows) = match action {
        ModelAction::Check { file, rows } => (file, rows.get()),
        ModelAction::Swap(args) => return swap::run(settings, args),
    };
    let library = Library::load(&settings.models.library)?;
    let manifest = file.with_extension("toml");
    let role = role_of(&manifest)?;
    let mut model = Model::load(&library, &manifest, role, rows)?;
    let card = model.card();
    println!("model         {} {}, {} ({})", card.name, card.version, role.word(), file.display());
    println!("hash          {}", card.sha256);
    println!("tensors       [{rows}, {}] in, [{rows}, {}] out, {}", role.features(), role.width(), role.feature_set());
    let faults = faults(&mut model, role, rows)?;
    for fault in &faults {
        println!("fault         {fault}");
    }
    println!("{}", if faults.is_empty() { "the model can be served" } else { "the model is not to be served" });
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) fn role_of(manifest: &Path) -> anyhow::Result<Role> {
    let text = std::fs::read_to_string(manifest).with_context(|| format!("{}: the manifest must lie beside the model", manifest.display()))?;
    let table: toml::Table = text.parse().with_context(|| manifest.display().to_string())?;
    let output = table.get("output").and_then(|output| output.get("name")).and_then(|name| name.as_str()).unwrap_or_default();
    let known = Role::ALL.into_iter().find(|role| role.output() == output);
    known.with_context(|| format!("{}: output.name is \"{output}\"; a flow model has \"quantiles\", an anomaly model \"score\"", manifest.display()))
}

/// What speaks against serving it: all that [`Model::conformance`] finds, and a run that takes too long.
pub(super) fn faults(model: &mut Model, role: Role, rows: usize) -> anyhow::Result<Vec<String>> {
    let Conformance { mut faults, recorded } = model.conformance(rows)?;
    match recorded {
        (0, _) => println!("recorded      no rows in the manifest, so nothing to hold the answers against"),
        (asked, farthest) => println!("recorded      {asked} rows, at most {farthest:.0e} from what was said when it was built"),
    }
    let (median, slow) = timed(model, &numbers(role, rows, 1.0), rows)?;
    println!("speed         {rows} rows in {median:.2?}, {slow:.2?} at the 90th percentile; allowed by default {:.0?}", Deadline::default().of(rows));
    if median > Deadline::default().of(rows) {
        faults.push("a run takes longer than the default deadline".to_owned());
    }
    Ok(faults)
}

fn timed(model: &mut Model, input: &[f32], rows: usize) -> anyhow::Result<(Duration, Duration)> {
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let began = stopwatch();
        model.run(input, rows)?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok((times[RUNS / 2], times[RUNS * 9 / 10]))
}
