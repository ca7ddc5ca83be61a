//! `midan reopen` on a real Kafka, with the program itself: a late record is found, taken back in, published as a correction, and the ledger is told and holds.

use crate::kafka_broker::broker;
use crate::simulation::miniature::{PROFILE, START, venue_file};
use midan::config::world::read_world;
use midan::engine::{Engine, OutTopic, Placement};
use midan::kafka::{KafkaFeeder, KafkaShard, KafkaTail, Settings};
use midan::log::{Feeder, InRecord, POSITION_HEADER, ShardLog, Since, Tail, TailRecord, Topic};
use midan::shard::{self, Mode, NoModels, Unwatched, run};
use midan::venue::{Feed, World};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const PARTITIONS: u32 = 3;
const VENUE: &str = "fes";

/// The program, told of these topics and this world by its environment.
fn midan(settings: &Settings, world: &Path, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_midan"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args);
    command.env("MIDAN_WORLD__FOLDER", world).env("MIDAN_KAFKA__BOOTSTRAP_SERVERS", &settings.brokers);
    command.env("MIDAN_KAFKA__TOPIC_PREFIX", &settings.prefix).env("MIDAN_KAFKA__GROUP", &settings.group);
    let output = command.env("MIDAN_KAFKA__PARTITIONS", PARTITIONS.to_string()).output().unwrap();
    let (told, faults) = (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "midan {args:?}\n{told}\n{faults}");
    told
}

/// The number behind a word at the beginning of a line.
fn figure(told: &str, word: &str) -> Option<u64> {
    let line = told.lines().find(|line| line.starts_with(word))?;
    line.split_whitespace().find_map(|part| part.trim_end_matches(';').parse().ok())
}

fn send(feeder: &mut KafkaFeeder, feed: Feed, source: &str, received: i64, value: &str) {
    let source = format!("{VENUE}-{source}");
    let record = InRecord { source: Some(&source), received: Some(received), ..InRecord::new(feed, VENUE.as_bytes(), value.as_bytes()) };
    feeder.send(&record).unwrap();
}

fn count(sensor: &str, from: i64, to: i64, inwards: u32) -> String {
    format!(r#"{{"type":"count","sensor":"{VENUE}-{sensor}","venue":"{VENUE}","from":{from},"to":{to},"in":{inwards},"out":0}}"#)
}

/// Ten people come every ten seconds and five enter; the times are seconds after the start.
fn send_steady(feeder: &mut KafkaFeeder, from: i64, to: i64) {
    for now in (from..to).step_by(10) {
        let (begin, end) = (START + now * 1_000, START + (now + 10) * 1_000);
        send(feeder, Feed::Sensors, "counters", end, &count("in", begin, end, 10));
        send(feeder, Feed::Sensors, "counters", end, &count("g1", begin, end, 5));
        for (feed, source) in [(Feed::Sensors, "counters"), (Feed::Ticketing, "tickets"), (Feed::Commands, "ops")] {
            send(feeder, feed, source, end, &format!(r#"{{"type":"low_water","venue":"{VENUE}","at":{end}}}"#));
        }
    }
    feeder.flush().unwrap();
}

fn run_to_end(settings: &Settings, world: &Arc<World>) {
    let how = shard::Settings { mode: Mode::ToEnd, ..shard::Settings::default() };
    let mut open = || KafkaShard::join(settings, 0).map(|log| Box::new(log) as Box<dyn ShardLog>);
    let by_pane = || midan::engine::Settings { placement: Placement::ByPane, ..Default::default() };
    let mut make = |partition| Engine::new(Arc::clone(world), partition, PARTITIONS, by_pane());
    run(&mut open, &mut make, &mut NoModels, &how, &Unwatched, &AtomicBool::new(false)).unwrap();
}

fn read(settings: &Settings, topic: OutTopic) -> Vec<(TailRecord, Value)> {
    let mut tail = KafkaTail::new(settings, &[Topic::Out(topic)], Since::Beginning).unwrap();
    let mut records = Vec::new();
    while !tail.at_end() {
        tail.poll(10_000, Duration::from_millis(50), &mut records).unwrap();
    }
    let parsed = |record: TailRecord| (record.clone(), serde_json::from_slice(record.value.as_deref().unwrap()).unwrap());
    records.into_iter().map(parsed).collect()
}

#[test]
fn what_was_too_late_is_taken_back_in_and_the_ledger_holds() {
    let Some(broker) = broker() else { return };
    let (settings, _) = broker.topics(PARTITIONS);
    let folder = tempfile::tempdir().unwrap();
    for (part, file, text) in [("profiles", "fr-ma-2030.toml", PROFILE.to_owned()), ("venues", "fes.toml", venue_file(VENUE))] {
        std::fs::create_dir_all(folder.path().join(part)).unwrap();
        std::fs::write(folder.path().join(part).join(file), text).unwrap();
    }
    let world = Arc::new(read_world(folder.path()).unwrap());
    let midan = |args: &[&str]| midan(&settings, folder.path(), args);
    let reopen = |more: &[&str]| {
        let (from, to) = (START.to_string(), (START + 60_000).to_string());
        midan(&[&["reopen", "--venue", VENUE, "--from", &from, "--to", &to][..], more].concat())
    };

    let mut feeder = KafkaFeeder::new(&settings).unwrap();
    send_steady(&mut feeder, 0, 400);
    send(&mut feeder, Feed::Sensors, "counters", START + 401_000, &count("in", START + 11_000, START + 19_000, 100));
    send_steady(&mut feeder, 400, 420);
    run_to_end(&settings, &world);
    let late = read(&settings, OutTopic::Late);
    assert_eq!(late.len(), 1);
    assert!(midan(&["ledger"]).contains("differences   none"));

    let told = reopen(&["--dry-run"]);
    assert_eq!(figure(&told, "late"), Some(1), "{told}");
    let told = reopen(&[]);
    assert_eq!(figure(&told, "taken in"), Some(1), "{told}");
    send_steady(&mut feeder, 420, 520);
    run_to_end(&settings, &world);

    let zones = read(&settings, OutTopic::Zones);
    let corrections: Vec<_> =
        zones.iter().filter(|(_, record)| record["kind"] == "correction" && record["zone"] == "queue").map(|(_, record)| record).collect();
    assert_eq!(corrections.len(), 1, "{corrections:?}");
    assert_eq!((corrections[0]["to"].as_i64(), corrections[0]["in"].as_i64()), (Some(START + 20_000), Some(100)));
    let sum = |field: &str| read(&settings, OutTopic::Ledger).iter().map(|(_, row)| row[field].as_u64().unwrap_or_default()).sum::<u64>();
    assert_eq!((sum("late"), sum("reopened")), (1, 1));
    assert_eq!(read(&settings, OutTopic::Late).len(), 1, "it is not late a second time");
    assert!(late[0].0.header(POSITION_HEADER).is_some());
    let told = midan(&["ledger"]);
    assert!(told.contains("differences   none"), "{told}");
}
