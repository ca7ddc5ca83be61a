//! The real library and the shipped models. The path of the library comes from `MIDAN_ONNXRUNTIME`; without it these tests say that they were skipped.

use super::*;
use crate::inference::ask::{Answer, Ask, FEATURES, FLOW_FEATURES, HORIZONS, Outcome, QUANTILES, Ticket};
use crate::inference::{Refusal, Role};
use crate::time::EventTime;
use crate::venue::VenueId;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[allow(clippy::disallowed_methods, reason = "a test's only configuration")]
fn library_path() -> Option<PathBuf> {
    let path = std::env::var("MIDAN_ONNXRUNTIME").ok().map(PathBuf::from);
    if path.is_none() {
        println!("skipped: MIDAN_ONNXRUNTIME does not name libonnxruntime.so");
    }
    path
}

/// Where the models are: `models/` of the repository, or another folder that `MIDAN_MODELS` names.
#[allow(clippy::disallowed_methods, reason = "a test's only configuration")]
fn models_folder() -> PathBuf {
    std::env::var("MIDAN_MODELS").map_or_else(|_| root().join("models"), PathBuf::from)
}

fn settings(library: PathBuf) -> Settings {
    let manifest = |name: &str| Some(models_folder().join(name));
    Settings {
        library,
        flow: manifest("crowd-flow.toml"),
        anomaly: manifest("crowd-anomaly.toml"),
        shadow: None,
        folder: Some(models_folder()),
        deadline: None,
        rows: 64,
    }
}

/// Both models, or `None` with a word why this test has nothing to run.
fn models() -> Option<Models> {
    let models = Models::load(&settings(library_path()?));
    for status in models.status() {
        if let ModelState::Fallback { why } = &status.state {
            println!("skipped: no {} model: {why}", status.role.word());
            return None;
        }
    }
    Some(models)
}

fn ask(rows: usize, features: Vec<f32>) -> Ask {
    assert_eq!(features.len(), rows * FEATURES);
    let flow = (0..rows).flat_map(|row| (0..FLOW_FEATURES).map(move |place| (row, place)));
    // Each flow row repeats the anomaly row of the same place, so that a test need vary only one of them.
    let flow = flow.map(|(row, place)| features[row * FEATURES + place % FEATURES]).collect();
    Ask {
        ticket: Ticket { venue: VenueId(0), pane: EventTime::from_millis(0) },
        rows,
        features: Arc::new(features),
        flow: Arc::new(flow),
        calls: Default::default(),
    }
}

/// Rows of plausible features, different in each row.
fn features(rows: usize) -> Vec<f32> {
    (0..rows * FEATURES).map(|k| ((k * 37 % 101) as f32 - 50.0) / 40.0).collect()
}

fn ran(outcome: Outcome) -> Vec<f32> {
    match outcome {
        Outcome::Ran(values) => values,
        other => panic!("{other:?}"),
    }
}

mod faults;
mod figures;
mod ordered;

#[test]
fn card_manifest_and_file_tell_of_the_same_model() {
    use sha2::{Digest, Sha256};
    for (name, role) in [("crowd-flow", Role::Flow), ("crowd-anomaly", Role::Anomaly)] {
        let read = |ending: &str| std::fs::read(root().join(format!("models/{name}.{ending}"))).unwrap();
        let manifest = crate::inference::Manifest::parse(&String::from_utf8(read("toml")).unwrap(), role).unwrap_or_else(|why| panic!("{name}: {why}"));
        let file = read("onnx");
        let digest: String = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(manifest.check_hash(&digest), Ok(()), "{name}");
        assert_eq!(manifest.bytes, file.len() as u64, "{name}");
        let card = String::from_utf8(read("md")).unwrap();
        assert!(card.contains(&digest) && card.contains(role.feature_set()), "{name}: the card is of another build");
    }
}

#[test]
fn a_missing_library_is_a_reason_and_not_a_panic() {
    let fault = Library::load(Path::new("/nowhere/libonnxruntime.so")).unwrap_err();
    assert!(fault.to_string().contains("/nowhere/libonnxruntime.so") && fault.to_string().contains("models.library"), "{fault}");
    let mut models = Models::load(&settings("/nowhere/libonnxruntime.so".into()));
    assert!(models.status().iter().all(|status| matches!(&status.state, ModelState::Fallback { why } if why.contains("/nowhere"))));
    let answer = models.run(&ask(16, features(16)));
    assert_eq!((answer.flow, answer.anomaly), (Outcome::Absent, Outcome::Absent));
}

#[test]
fn a_file_that_is_no_library_is_a_reason_and_not_a_panic() {
    let fault = Library::load(&root().join("Cargo.toml")).unwrap_err();
    assert!(matches!(fault, LibraryFault::Unusable { .. } | LibraryFault::AnotherIsLoaded { .. }), "{fault}");
}

#[test]
fn a_manifest_that_is_not_there_is_a_reason() {
    let Some(path) = library_path() else { return };
    let fault = Model::load(&Library::load(&path).unwrap(), Path::new("/nowhere/m.toml"), Role::Flow, 16).unwrap_err();
    assert!(fault.to_string().contains("/nowhere/m.toml"), "{fault}");
}

#[test]
fn a_file_that_was_tampered_with_is_refused() {
    let (Some(path), Some(_)) = (library_path(), models()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("crowd-flow.toml");
    std::fs::copy(models_folder().join("crowd-flow.toml"), &manifest).unwrap();
    let mut bytes = std::fs::read(models_folder().join("crowd-flow.onnx")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(folder.path().join("crowd-flow.onnx"), &bytes).unwrap();
    let library = Library::load(&path).unwrap();
    let load = || Model::load(&library, &manifest, Role::Flow, 16).unwrap_err();
    assert!(matches!(load(), ModelFault::Refused { refusal: Refusal::Hash { .. }, .. }));
    std::fs::write(folder.path().join("crowd-flow.onnx"), &bytes[..last]).unwrap();
    assert!(matches!(load(), ModelFault::Length { .. }));
}

#[test]
fn the_same_request_gives_the_same_bits() {
    let (Some(mut first), Some(mut second)) = (models(), models()) else { return };
    let ask = ask(64, features(64));
    let bits = |values: Vec<f32>| -> Vec<u32> { values.into_iter().map(f32::to_bits).collect() };
    let (a, b, c) = (first.run(&ask), first.run(&ask), second.run(&ask));
    let flow = bits(ran(a.flow));
    assert_eq!(flow, bits(ran(b.flow)));
    assert_eq!(flow, bits(ran(c.flow)));
    assert_eq!(bits(ran(a.anomaly)), bits(ran(c.anomaly)));
}

#[test]
fn a_row_does_not_depend_on_the_padding() {
    let Some(mut models) = models() else { return };
    let padded = |filler: f32| {
        let mut rows = features(64);
        rows[50 * FEATURES..].fill(filler);
        ask(64, rows)
    };
    let (zeros, others) = (models.run(&padded(0.0)), models.run(&padded(3.5)));
    assert_eq!(ran(zeros.flow)[..50 * HORIZONS * QUANTILES], ran(others.flow)[..50 * HORIZONS * QUANTILES]);
    assert_eq!(ran(zeros.anomaly)[..50], ran(others.anomaly)[..50]);
}

#[test]
fn a_row_hardly_depends_on_how_many_there_are() {
    let Some(mut models) = models() else { return };
    let (few, many) = (models.run(&ask(16, features(64)[..16 * FEATURES].to_vec())), models.run(&ask(64, features(64))));
    let (few, many) = (ran(few.flow), ran(many.flow));
    assert!(few.iter().zip(&many).all(|(a, b)| (a - b).abs() <= 1e-4 * b.abs().max(1.0)));
}

#[test]
fn features_that_are_no_numbers_give_no_answer() {
    let Some(mut models) = models() else { return };
    let mut rows = features(16);
    rows[0] = f32::NAN;
    let answer = models.run(&ask(16, rows));
    // A clip in the graph may hold a NaN within its bounds or pass it on; either way no NaN gets out.
    match &answer.flow {
        Outcome::Ran(values) => assert!(values.iter().all(|value| value.is_finite())),
        other => assert_eq!(*other, Outcome::Absent),
    }
}

#[test]
fn a_deadline_of_nothing_is_always_missed() {
    let Some(path) = library_path() else { return };
    let nothing = Deadline { at_least: std::time::Duration::ZERO, per_hundred_rows: std::time::Duration::ZERO };
    let mut models = Models::load(&Settings { deadline: Some(nothing), ..settings(path) });
    let answer = models.run(&ask(16, features(16)));
    let expected = if models.card(Role::Flow).is_some() { Outcome::Missed } else { Outcome::Absent };
    assert_eq!(answer.flow, expected);
}

#[test]
fn a_shadow_hears_what_the_model_hears_and_is_in_no_answer() {
    let (Some(path), Some(mut alone)) = (library_path(), models()) else { return };
    // The shadow is the very file that speaks, so what it said is known; the seat of the one that speaks is empty.
    let listening =
        |flow: Option<PathBuf>, shadow: &str| Models::load(&Settings { flow, shadow: Some(models_folder().join(shadow)), ..settings(path.clone()) });
    let ask = ask(64, features(64));
    let spoken = alone.run(&ask);
    assert_eq!(alone.take_murmured(), None);
    let mut with = listening(None, "crowd-flow.toml");
    assert_eq!(with.run(&ask), Answer { flow: Outcome::Absent, ..spoken.clone() }, "nobody stands in for an empty seat");
    assert_eq!(with.take_murmured(), Some(spoken.flow.clone()));
    assert_eq!(with.shadow().map(|status| status.ran), Some(1));
    let mut wrong = listening(Some(models_folder().join("crowd-flow.toml")), "crowd-anomaly.toml");
    assert!(
        matches!(wrong.shadow(), Some(ModelStatus { state: ModelState::Fallback { why }, .. }) if why.contains("midan-features-2")),
        "{:?}",
        wrong.shadow()
    );
    assert_eq!(wrong.run(&ask), spoken, "a shadow that cannot be loaded changes nothing");
}

#[test]
fn a_shadow_that_is_late_is_sent_away() {
    let Some(path) = library_path() else { return };
    let nothing = Deadline { at_least: std::time::Duration::ZERO, per_hundred_rows: std::time::Duration::ZERO };
    let shadow = Some(models_folder().join("crowd-flow.toml"));
    let mut models = Models::load(&Settings { deadline: Some(nothing), shadow, ..settings(path) });
    let said: Vec<_> = (0..2)
        .map(|_| {
            models.run(&ask(16, features(16)));
            models.take_murmured()
        })
        .collect();
    assert_eq!(said, [Some(Outcome::Missed), Some(Outcome::Absent)]);
    assert!(matches!(models.shadow(), Some(ModelStatus { state: ModelState::Fallback { why }, .. }) if why.contains("sent away")));
}
