//! Models that an operator orders: found by their hash, loaded beside the configured one, and asked only where the request names them.

use super::*;
use crate::inference::{Call, ModelCardRef};
use crate::onnx::News;
use sha2::{Digest, Sha256};

/// A folder with the shipped flow model under another hash: a doc string behind the graph changes the file and nothing else.
fn folder() -> (tempfile::TempDir, ModelCardRef) {
    let folder = tempfile::tempdir().unwrap();
    let mut onnx = std::fs::read(root().join("models/crowd-flow.onnx")).unwrap();
    onnx.extend(b"\x32\x03new");
    let sha256: String = Sha256::digest(&onnx).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut manifest: toml::Table = std::fs::read_to_string(root().join("models/crowd-flow.toml")).unwrap().parse().unwrap();
    manifest.insert("version".into(), "9.9.9".into());
    manifest.insert("file".into(), "newer.onnx".into());
    manifest.insert("sha256".into(), sha256.clone().into());
    manifest.insert("bytes".into(), (onnx.len() as i64).into());
    std::fs::write(folder.path().join("newer.onnx"), onnx).unwrap();
    std::fs::write(folder.path().join("newer.toml"), manifest.to_string()).unwrap();
    let card = ModelCardRef { name: manifest["name"].as_str().unwrap().to_owned(), version: "9.9.9".into(), sha256 };
    (folder, card)
}

#[test]
fn a_manifest_that_writes_its_hash_in_upper_case_is_found_and_named_as_ordered() {
    let (folder, newer) = folder();
    let manifest = folder.path().join("newer.toml");
    let text = std::fs::read_to_string(&manifest).unwrap().replace(&newer.sha256, &newer.sha256.to_ascii_uppercase());
    std::fs::write(&manifest, text).unwrap();
    let Some(mut models) = with(folder.path(), false) else { return };
    assert_eq!(models.run(&ask_for(&[&newer], None)).by[0], Some(newer));
}

#[test]
fn nobody_is_asked_where_nobody_is_to_be() {
    let (folder, _) = folder();
    let Some(mut models) = with(folder.path(), false) else { return };
    let ask = Ask { calls: [Call { nobody: true, ..Call::default() }, Call::default()], ..ask(16, features(16)) };
    let answer = models.run(&ask);
    assert_eq!((answer.flow, answer.by), (Outcome::Absent, [None, None]));
    assert!(matches!(answer.anomaly, Outcome::Ran(_)));
}

/// The models with the folder to order from; without the configured ones if `alone`.
fn with(folder: &Path, alone: bool) -> Option<Models> {
    let settings = Settings { folder: Some(folder.to_path_buf()), ..settings(library_path()?) };
    Some(Models::load(&if alone { Settings { flow: None, ..settings } } else { settings }))
}

fn ask_for(now: &[&ModelCardRef], ahead: Option<&ModelCardRef>) -> Ask {
    let call = Call { now: now.iter().copied().cloned().collect(), ahead: ahead.cloned(), ..Call::default() };
    Ask { calls: [call, Call::default()], ..ask(16, features(16)) }
}

#[test]
fn a_model_is_loaded_while_its_order_lies_ahead_and_speaks_when_it_is_named() {
    let (folder, newer) = folder();
    let Some(mut models) = with(folder.path(), false) else { return };
    let before = models.run(&ask_for(&[], Some(&newer)));
    assert_eq!((before.by, models.take_news()), ([None, None], vec![News { role: Role::Flow, card: newer.clone(), fault: None }]));
    let answer = models.run(&ask_for(&[&newer], None));
    assert_eq!((&answer.by[0], models.take_news()), (&Some(newer), vec![]));
    assert_eq!(answer.flow, before.flow, "it is the same graph");
}

#[test]
fn of_those_who_are_named_the_first_that_is_there_is_asked_and_else_the_configured_one() {
    let (folder, newer) = folder();
    let Some(mut models) = with(folder.path(), false) else { return };
    let nowhere = ModelCardRef { sha256: "00".repeat(32), ..newer.clone() };
    let answer = models.run(&ask_for(&[&nowhere, &newer], None));
    assert_eq!(answer.by[0], Some(newer));
    let news = models.take_news();
    assert!(news.iter().any(|news| news.card == nowhere && news.fault.as_ref().is_some_and(|why| why.contains("models.folder"))), "{news:?}");
    let answer = models.run(&ask_for(&[&nowhere], None));
    assert_eq!(answer.by, [None, None]);
    assert!(matches!(answer.flow, Outcome::Ran(_)), "no pane is without a forecast: {:?}", answer.flow);
    assert_eq!(models.take_news(), [], "it is said once");
    assert!(models.lacks(Role::Flow, &nowhere) && !models.lacks(Role::Anomaly, &nowhere));
    let configured = models.card(Role::Flow).unwrap().clone();
    assert_eq!(models.run(&ask_for(&[&configured], None)).by[0], Some(configured), "the configured one may be ordered too");
}

#[test]
fn what_cannot_be_loaded_says_why_and_who_is_configured_speaks() {
    let (folder, newer) = folder();
    let Some(mut models) = with(folder.path(), false) else { return };
    std::fs::write(folder.path().join("newer.onnx"), b"half a file").unwrap();
    let answer = models.run(&ask_for(&[&newer], None));
    assert!(answer.by[0].is_none() && matches!(answer.flow, Outcome::Ran(_)));
    let [News { fault: Some(why), .. }] = &models.take_news()[..] else { panic!("no news") };
    assert!(why.contains("newer.onnx") && why.contains("bytes"), "{why}");
}

#[test]
fn an_ordered_model_speaks_where_none_is_configured() {
    let (folder, newer) = folder();
    let Some(mut models) = with(folder.path(), true) else { return };
    assert_eq!(models.run(&ask_for(&[], None)).flow, Outcome::Absent);
    let answer = models.run(&ask_for(&[&newer], None));
    assert!(answer.by[0] == Some(newer) && matches!(answer.flow, Outcome::Ran(_)));
}
