//! A swap of models, end to end, on the embedded log and on a real Kafka: the order is a record of `midan.commands`, real sessions answer, shards crash and come again, and a replay follows the
//! journal.

use crate::hooked_log::{Hand, HookedLog};
use crate::kafka_broker::broker;
use crate::night::{Asked, feed, folder, play, seat_with, stretch, world};
use crate::tally::{Outcome, outcome};
use midan::engine::journal::Line;
use midan::engine::{Engine, OutTopic, Settings as EngineSettings};
use midan::inference::ModelCardRef;
use midan::kafka::{KafkaFeeder, KafkaShard, KafkaTail};
use midan::log::embedded::{EmbeddedLog, Faults, Options};
use midan::log::{LogError, ShardLog, Since, Topic};
use midan::shard::{Mode, Settings, Unwatched, run};
use midan::simulate::SimRecord;
use midan::venue::Feed;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const COMPARED: [Topic; 4] = [Topic::Out(OutTopic::Zones), Topic::Out(OutTopic::Alarms), Topic::Out(OutTopic::Control), Topic::Out(OutTopic::State)];
const MINUTE: i64 = 60_000;

/// The shipped flow model under another hash, in a folder of its own: a doc string behind the graph.
fn newer(home: &Path) -> ModelCardRef {
    let mut onnx = std::fs::read(folder("models/crowd-flow.onnx")).unwrap();
    onnx.extend(b"\x32\x03new");
    let sha256: String = Sha256::digest(&onnx).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut manifest: toml::Table = std::fs::read_to_string(folder("models/crowd-flow.toml")).unwrap().parse().unwrap();
    manifest.insert("version".into(), "9.9.9".into());
    manifest.insert("file".into(), "newer.onnx".into());
    manifest.insert("sha256".into(), sha256.clone().into());
    manifest.insert("bytes".into(), (onnx.len() as i64).into());
    std::fs::write(home.join("newer.onnx"), onnx).unwrap();
    std::fs::write(home.join("newer.toml"), manifest.to_string()).unwrap();
    ModelCardRef { name: manifest["name"].as_str().unwrap().to_owned(), version: "9.9.9".into(), sha256 }
}

/// The configured models, and the folder from which others may be ordered; `None` without the library.
fn models(home: &Path) -> Option<(Asked, EngineSettings)> {
    let (models, named) = seat_with(Some(home.to_owned()))?;
    Some((Asked(models), EngineSettings { flow: named.flow, anomaly: named.anomaly, ..EngineSettings::default() }))
}

/// The night's stretch with an order for Rabat: given after five minutes, the model speaks after ten. With the time of its first pane.
fn night(card: &ModelCardRef) -> (Vec<SimRecord>, i64) {
    let mut records = stretch().to_vec();
    let began = records[0].received.div_euclid(MINUTE) * MINUTE;
    let (at, from) = (began + 5 * MINUTE, began + 10 * MINUTE);
    let ModelCardRef { name, version, sha256 } = card;
    let value = format!(
        r#"{{"type":"command","command_id":"s-1","venue":"rabat","operator":"ops-1","at":{at},"action":"swap_model","model":"{name}","version":"{version}","sha256":"{sha256}","from":{from}}}"#
    );
    let order = SimRecord { feed: Feed::Commands, key: "rabat".into(), value: value.into_bytes(), source: "rab-ops".into(), format: None, received: at, at };
    records.insert(records.partition_point(|record| record.received < at), order);
    (records, from)
}

fn on_the_log(records: &[SimRecord], home: &Path, mut faults: impl FnMut() -> Faults) -> (Outcome, Vec<Line>) {
    let at = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Options::new(at.path(), 1)).unwrap();
    let (mut tail, mut journal) = (log.tail(&COMPARED, Since::Beginning), log.tail(&[Topic::Out(OutTopic::Control)], Since::Beginning));
    let mut feeder = log.feeder();
    feed(&mut feeder, records);
    drop(feeder);
    let settings =
        Settings { mode: Mode::ToEnd, poll_records: 500, commit_interval: Duration::ZERO, retry_pause: Duration::from_millis(1), ..Settings::default() };
    loop {
        // Each life is a process of its own, with sessions of its own.
        let (mut models, engine) = models(home).unwrap();
        let mut open = || Ok(Box::new(log.member("night", faults())) as Box<dyn ShardLog>);
        let mut make = |partition| Engine::new(world(), partition, 1, engine.clone());
        match run(&mut open, &mut make, &mut models, &settings, &Unwatched, &AtomicBool::new(false)) {
            Ok(_) => break,
            Err(error) => assert!(matches!(error, LogError::Crash { .. }), "{error}"),
        }
    }
    (outcome(&mut tail), lines(outcome(&mut journal)))
}

fn lines(journal: Outcome) -> Vec<Line> {
    journal.ordered.into_values().flatten().map(|(_, value)| Line::read(&value).unwrap()).collect()
}

/// The venues' own records, by venue: the pane's end and who made its forecasts.
fn forecast_by(outcome: &Outcome) -> BTreeMap<String, Vec<(i64, String)>> {
    let mut by: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
    for (_, value) in outcome.ordered.iter().filter(|((topic, _), _)| *topic == OutTopic::Zones.topic()).flat_map(|(_, pairs)| pairs) {
        let record: serde_json::Value = serde_json::from_slice(value).unwrap();
        if record["kind"] == "venue" && record["revision"] == 0 {
            let who = record["model"]["version"].as_str().or(record["model"].as_str()).unwrap_or("").to_owned();
            by.entry(record["venue"].as_str().unwrap().to_owned()).or_default().push((record["to"].as_i64().unwrap(), who));
        }
    }
    by
}

/// The zones' records by key.
fn zones(outcome: Outcome) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
    let mut zones: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    for (key, value) in outcome.ordered.into_iter().filter(|((topic, _), _)| *topic == OutTopic::Zones.topic()).flat_map(|(_, pairs)| pairs) {
        zones.entry(key).or_default().push(value);
    }
    zones
}

/// The same out of a replay that follows the journal.
fn replayed(records: &[SimRecord], journal: Vec<Line>, home: &Path) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
    let (mut models, settings) = models(home).unwrap();
    let following = EngineSettings { journal: Some(Arc::new(journal)), ..settings };
    let mut replayed: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    let engine = play(records.iter(), 10_000, following, &mut models, &mut |record| {
        if record.topic == OutTopic::Zones {
            replayed.entry(record.key.clone()).or_default().push(record.value.clone());
        }
    });
    assert_eq!(engine.unfollowed(), 0);
    replayed
}

/// The new model speaks in Rabat from the pane after `from` on, the old one before, and nowhere else; the journal says so once.
fn must_be_at_its_pane(outcome: &Outcome, journal: &[Line], from: i64) {
    let by = forecast_by(outcome);
    let (before, after): (Vec<_>, Vec<_>) = by["rabat"].iter().partition(|(to, _)| *to <= from);
    assert!(before.iter().all(|(_, who)| *who != "9.9.9") && after.len() > 50 && after.iter().all(|(_, who)| who == "9.9.9"), "{:?}", by["rabat"]);
    assert!(before.iter().rev().take(20).all(|(_, who)| who != "fallback"), "the old one had the word: {before:?}");
    assert!(by.iter().filter(|(venue, _)| *venue != "rabat").flat_map(|(_, panes)| panes).all(|(_, who)| who != "9.9.9"), "only where it was ordered");
    assert_eq!(journal.iter().filter(|line| matches!(line.entry, midan::engine::journal::Entry::ModelSwap { .. })).count(), 1, "{journal:?}");
}

/// The newer model in a folder of its own; `None`, with a word why, without the library.
fn candidate() -> Option<(tempfile::TempDir, ModelCardRef)> {
    let home = tempfile::tempdir().unwrap();
    let card = newer(home.path());
    if models(home.path()).is_none() {
        eprintln!("skipped: MIDAN_ONNXRUNTIME names no library; `make test` sets it");
        return None;
    }
    Some((home, card))
}

#[test]
fn a_swap_is_at_its_pane_whoever_crashes_and_a_replay_of_the_journal_says_the_same() {
    let Some((home, card)) = candidate() else { return };
    let (records, from) = night(&card);
    let (whole, journal) = on_the_log(&records, home.path(), Faults::none);
    must_be_at_its_pane(&whole, &journal, from);

    let mut opened = 0;
    let crashing = || {
        opened += 1;
        Faults::of_all_kinds(opened, if opened < 12 { 60 } else { 0 })
    };
    on_the_log(&records, home.path(), crashing).0.must_be(&whole, "with crashes");
    assert!(opened > 1, "nothing ever failed");
    assert!(replayed(&records, journal, home.path()) == zones(whole), "the replay's zones differ");
}

#[test]
fn a_swap_on_kafka_is_at_its_pane_too_though_commits_are_refused() {
    let (Some((home, card)), Some(broker)) = (candidate(), broker()) else { return };
    let (records, from) = night(&card);
    let (kafka, _) = broker.topics(1);
    feed(&mut KafkaFeeder::new(&kafka).unwrap(), &records);
    let (mut models, engine) = models(home.path()).unwrap();
    let hand = Hand { refuse_every: 4, ..Hand::default() };
    let mut open = || KafkaShard::join(&kafka, 0).map(|log| Box::new(HookedLog::new(log, &hand)) as Box<dyn ShardLog>);
    let mut make = |partition| Engine::new(world(), partition, 1, engine.clone());
    let settings = Settings { mode: Mode::ToEnd, poll_records: 2_000, commit_interval: Duration::from_millis(50), ..Settings::default() };
    let ended = run(&mut open, &mut make, &mut models, &settings, &Unwatched, &AtomicBool::new(false)).unwrap();
    assert!(ended.stats.records > records.len() as u64, "nothing was read twice: no commit was refused");
    drop(ended);
    let read = |topics: &[Topic]| outcome(&mut KafkaTail::new(&kafka, topics, Since::Beginning).unwrap());
    let (whole, journal) = (read(&COMPARED), lines(read(&[Topic::Out(OutTopic::Control)])));
    must_be_at_its_pane(&whole, &journal, from);
    assert!(replayed(&records, journal, home.path()) == zones(whole), "the replay's zones differ");
}
