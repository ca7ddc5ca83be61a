//! The golden stretch with the real engine on both logs: the same bytes on Kafka and inside the process, for any number of partitions, and after a kill -9.

use crate::kafka_broker::{Broker, broker, now, rest};
use crate::night::{by_pane, feed, stretch, world};
use midan::engine::{Engine, OutTopic};
use midan::kafka::{KafkaFeeder, KafkaShard, KafkaTail, Settings};
use midan::log::embedded::{EmbeddedLog, Faults, Options};
use midan::log::{ShardLog, Since, Tail, TailRecord, Topic};
use midan::shard::{self, Mode, NoModels, Stats, Unwatched, run};
use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const CHILD: &str = "MIDAN_TEST_NIGHT_CHILD";
const ORDERED: [OutTopic; 4] = [OutTopic::Zones, OutTopic::Alarms, OutTopic::Late, OutTopic::Quarantine];

/// Zones and alarms in order by key, late and quarantined lines in order by source, the state by the last value of each key.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    ordered: BTreeMap<(&'static str, Vec<u8>), Vec<Vec<u8>>>,
    state: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Outcome {
    /// What does not depend on the number of partitions: all but the ledger's rows, of which each partition has its own.
    fn without_ledger(mut self) -> Self {
        self.state.retain(|key, _| !key.starts_with(b"~"));
        self
    }
}

fn topics() -> Vec<Topic> {
    ORDERED.into_iter().chain([OutTopic::State]).map(Topic::Out).collect()
}

fn outcome(tail: &mut dyn Tail) -> Outcome {
    let mut outcome = Outcome::default();
    let mut records: Vec<TailRecord> = Vec::new();
    loop {
        tail.poll(10_000, Duration::from_millis(50), &mut records).unwrap();
        for record in records.drain(..) {
            take(&mut outcome, record);
        }
        if tail.at_end() {
            return outcome;
        }
    }
}

fn take(outcome: &mut Outcome, record: TailRecord) {
    let name = record.topic.name();
    if record.key == midan::log::OWNER_KEY {
        return;
    }
    match (record.topic.is_compacted(), record.value) {
        (true, Some(value)) => drop(outcome.state.insert(record.key, value)),
        (true, None) => drop(outcome.state.remove(&record.key)),
        (false, value) => {
            let value = value.unwrap_or_default();
            let is_by_source = name.ends_with("late") || name.ends_with("quarantine");
            let key = if is_by_source { source_of(&value) } else { record.key };
            outcome.ordered.entry((name, key)).or_default().push(value);
        }
    }
}

fn source_of(value: &[u8]) -> Vec<u8> {
    let value: serde_json::Value = serde_json::from_slice(value).unwrap();
    value["source"].as_str().unwrap_or_default().into()
}

fn to_end(poll_records: usize) -> shard::Settings {
    shard::Settings { mode: Mode::ToEnd, poll_records, commit_interval: Duration::from_millis(100), ..shard::Settings::default() }
}

fn run_shard<'a>(settings: &'a Settings, partitions: u32, how: &shard::Settings) -> Stats {
    let mut open = || KafkaShard::join(settings, 0).map(|log| Box::new(log) as Box<dyn ShardLog + 'a>);
    let mut make = |partition| Engine::new(world(), partition, partitions, by_pane());
    run(&mut open, &mut make, &mut NoModels, how, &Unwatched, &AtomicBool::new(false)).unwrap().stats
}

fn on_embedded(partitions: u32) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Options::new(folder.path(), partitions)).unwrap();
    feed(&mut log.feeder(), stretch());
    let mut open = || Ok(Box::new(log.member("night", Faults::none())) as Box<dyn ShardLog>);
    let mut make = |partition| Engine::new(world(), partition, partitions, by_pane());
    run(&mut open, &mut make, &mut NoModels, &to_end(700), &Unwatched, &AtomicBool::new(false)).unwrap();
    outcome(&mut log.tail(&topics(), Since::Beginning))
}

fn on_kafka(settings: &Settings) -> Outcome {
    outcome(&mut KafkaTail::new(settings, &topics(), Since::Beginning).unwrap())
}

fn fed(broker: &Broker, partitions: u32) -> Settings {
    let (settings, _) = broker.topics(partitions);
    feed(&mut KafkaFeeder::new(&settings).unwrap(), stretch());
    settings
}

fn assert_same(found: &Outcome, expected: &Outcome, what: &str) {
    for (key, lines) in &expected.ordered {
        let others = found.ordered.get(key).map_or(&[][..], Vec::as_slice);
        let differing = lines.iter().zip(others).find(|(a, b)| a != b).map(|(a, b)| (String::from_utf8_lossy(a), String::from_utf8_lossy(b)));
        assert_eq!(differing, None, "{what}: {} {}", key.0, String::from_utf8_lossy(&key.1));
        assert_eq!(others.len(), lines.len(), "{what}: {} {}", key.0, String::from_utf8_lossy(&key.1));
    }
    assert_eq!(found.ordered.len(), expected.ordered.len(), "{what}");
    let differing: Vec<_> =
        expected.state.iter().filter(|(key, value)| found.state.get(*key) != Some(value)).map(|(key, _)| String::from_utf8_lossy(key)).collect();
    assert!(differing.is_empty() && found.state.len() == expected.state.len(), "{what}: state of {differing:?}");
}

#[test]
fn the_night_has_the_same_bytes_on_kafka_and_embedded_for_any_number_of_partitions() {
    let Some(broker) = broker() else { return };
    let mut first: Option<Outcome> = None;
    for partitions in [1, 4, 12] {
        let settings = fed(broker, partitions);
        let stats = run_shard(&settings, partitions, &to_end(4_096));
        assert_eq!(stats.records, stretch().len() as u64);
        let (kafka, embedded) = (on_kafka(&settings), on_embedded(partitions));
        assert_same(&kafka, &embedded, &format!("{partitions} partitions"));
        let kafka = kafka.without_ledger();
        assert!(kafka.ordered.len() > 100 && kafka.state.len() > 100);
        match &first {
            Some(first) => assert_same(&kafka, first, &format!("1 and {partitions} partitions")),
            None => first = Some(kafka),
        }
        println!("{partitions} partitions: {stats:?}");
    }
}

#[test]
fn a_night_that_is_killed_in_the_middle_goes_on_to_the_same_bytes() {
    let Some(broker) = broker() else { return };
    let partitions = 4;
    let settings = fed(broker, partitions);
    let expected = on_embedded(partitions);
    let all = expected.ordered.iter().filter(|((topic, _), _)| topic.ends_with("zones")).map(|(_, lines)| lines.len()).sum::<usize>();
    for share in [4, 2] {
        let mut child = spawn_child(&settings, partitions);
        let mut tail = KafkaTail::new(&settings, &[Topic::Out(OutTopic::Zones)], Since::Beginning).unwrap();
        let (mut seen, mut records, deadline) = (0, Vec::new(), now() + Duration::from_secs(60));
        while seen < all / share && now() < deadline {
            tail.poll(1_000, Duration::from_millis(20), &mut records).unwrap();
            seen += records.drain(..).count();
        }
        // SIGKILL: nothing is finished, nothing is closed.
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(seen >= all / share, "the child wrote {seen} of {all}");
        rest(Duration::from_millis(10));
    }
    let stats = run_shard(&settings, partitions, &to_end(4_096));
    assert!(stats.records > 0, "the children left nothing to do");
    assert_same(&on_kafka(&settings), &expected, "after two kills");
}

#[allow(clippy::disallowed_methods, reason = "a test starts itself again as a child that can be killed")]
fn spawn_child(settings: &Settings, partitions: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "night_on_kafka::a_child_to_be_killed", "--ignored"])
        .env(CHILD, format!("{} {} {} {partitions}", settings.brokers, settings.group, settings.prefix))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "runs as a child of a_night_that_is_killed_in_the_middle"]
#[allow(clippy::disallowed_methods, reason = "its parent tells it by the environment where to go")]
fn a_child_to_be_killed() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let told: Vec<&str> = told.split(' ').collect();
    let mut settings = Settings::new(told[0], told[1], "here");
    settings.prefix = told[2].to_owned();
    settings.properties.insert("session.timeout.ms".into(), "1500".into());
    settings.properties.insert("heartbeat.interval.ms".into(), "300".into());
    run_shard(&settings, told[3].parse().unwrap(), &to_end(250));
}
