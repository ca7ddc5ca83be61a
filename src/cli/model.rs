//! `midan model check FILE`: whether this binary can serve a model file, and how well, before anybody relies on it.
//!
//! The idea: every check that the service makes on loading (manifest, hash, length, tensors), and those it has no time for: the operator set, the same bits twice, numbers
//! only, in order, at any input a venue may show, no row that depends on another, the same of recorded rows as when it was built, and how long a run takes. The first fault of loading ends it; of the others all are told.

use super::args::ModelAction;
use super::service::stopwatch;
use super::settings::Settings;
use super::swap;
use crate::inference::Role;
use crate::inference::ask::QUANTILES;
use crate::onnx::{Deadline, Library, Model};
use anyhow::Context;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Operator sets that the pinned ONNX Runtime serves.
const OPSETS: std::ops::RangeInclusive<u32> = 7..=23;
/// So far may what is said of a recorded row lie from what was said when the model was built, as a share of it or of one: another processor adds up in another order.
const AS_RECORDED: f32 = 1e-3;
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

pub(super) fn faults(model: &mut Model, role: Role, rows: usize) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    let opset = model.manifest().opset;
    if !OPSETS.contains(&opset) {
        faults.push(format!("operator set {opset}: served are {} to {}", OPSETS.start(), OPSETS.end()));
    }
    let plausible = numbers(role, rows, 1.0);
    let once = model.run(&plausible, rows)?;
    let twice = model.run(&plausible, rows)?;
    if once.iter().zip(&twice).any(|(a, b)| a.to_bits() != b.to_bits()) {
        faults.push("the same input gives other bits the second time".to_owned());
    }
    for (what, reach) in [("plausible", 1.0), ("extreme", 40.0)] {
        match model.run(&numbers(role, rows, reach), rows) {
            Err(why) => faults.push(format!("at {what} input: {why}")),
            Ok(said) => faults.extend(out_of_order(role, &said).map(|row| format!("at {what} input: the quantiles of row {row} cross"))),
        }
    }
    if rows > 1 {
        let mut other = plausible.clone();
        other[role.features()..].iter_mut().for_each(|value| *value = 0.5 - *value);
        if model.run(&other, rows)?[..role.width()].iter().zip(&once).any(|(a, b)| (a - b).abs() > 1e-4) {
            faults.push("a row's answer hangs on other rows".to_owned());
        }
    }
    faults.extend(unlike_recorded(model, role, rows)?);
    let (median, slow) = timed(model, &plausible, rows)?;
    println!("speed         {rows} rows in {median:.2?}, {slow:.2?} at the 90th percentile; allowed by default {:.0?}", Deadline::default().of(rows));
    if median > Deadline::default().of(rows) {
        faults.push("a run takes longer than the default deadline".to_owned());
    }
    Ok(faults)
}

/// Recorded rows of which the model says another thing than when it was built.
fn unlike_recorded(model: &mut Model, role: Role, rows: usize) -> anyhow::Result<Vec<String>> {
    let recorded = model.manifest().recorded.clone();
    let mut farthest = 0.0f32;
    let mut faults = Vec::new();
    for (place, row) in recorded.iter().enumerate() {
        let mut input = row.features.clone();
        input.resize(rows * role.features(), 0.0);
        let said = model.run(&input, rows)?;
        // The manifest's are numbers, and so is what a run gives, or it fails.
        let off = said.iter().zip(&row.says).map(|(now, then)| (now - then).abs() / then.abs().max(1.0)).fold(0.0, f32::max);
        farthest = farthest.max(off);
        if off > AS_RECORDED {
            faults.push(format!(
                "recorded row {place}: what it says is off by {off} from what it said when it was built; this runtime does not compute it as that one did"
            ));
        }
    }
    match recorded.len() {
        0 => println!("recorded      no rows in the manifest, so nothing to hold the answers against"),
        rows => println!("recorded      {rows} rows, at most {farthest:.0e} from what was said when it was built"),
    }
    Ok(faults)
}

/// Numbers that jump about within ± `reach`, the same each time.
fn numbers(role: Role, rows: usize, reach: f32) -> Vec<f32> {
    (0..rows * role.features()).map(|place| ((place * 37 % 101) as f32 / 50.0 - 1.0) * reach).collect()
}

fn out_of_order(role: Role, said: &[f32]) -> Option<usize> {
    if role != Role::Flow {
        return None;
    }
    said.chunks_exact(role.width()).position(|row| row.chunks_exact(QUANTILES).any(|of| of.windows(2).any(|pair| pair[0] > pair[1])))
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
