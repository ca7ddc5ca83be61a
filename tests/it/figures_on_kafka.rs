//! Figures of delivery beside their floor, in one run each: `cargo test --profile ci --test it figures_on_kafka -- --ignored --nocapture`.
//!
//! Nothing is asserted of a time. `docs/BENCHMARKS.md` holds what was measured, and on what machine.

use crate::kafka_broker::{Broker, broker, now, rest};
use crate::tally::{Tally, feed_night};
use midan::engine::{Alert, Control, Effects, OutRecord, OutTopic, StateChange};
use midan::feeds::Batch;
use midan::kafka::{KafkaFeeder, KafkaShard, KafkaTail, Settings};
use midan::log::{Feeder, InRecord, ShardLog, Since, Tail, TailRecord, Topic};
use midan::shard::{self, Core, Mode, NoModels, Stats, Unwatched, Watch, run};
use midan::venue::Feed;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const ALERTS: Topic = Topic::Out(OutTopic::Alerts);
const OUTPUTS: Topic = Topic::Out(OutTopic::Zones);
/// Records that are echoed, and that make an alert: a hundred a second among the load.
const MARKED: usize = 2_000;
const LOAD_PER_S: u64 = 20_000;

/// An alert and an output for each marked record, and an output for every tenth of the others.
#[derive(Default)]
struct Echo(u64);

impl Core for Echo {
    fn step(&mut self, batch: &Batch, _controls: &[Control]) -> Effects {
        let mut effects = Effects::default();
        for record in batch.iter() {
            self.0 += 1;
            let value = record.value.to_vec();
            if value.starts_with(b"mark") {
                effects.records.push(OutRecord { topic: OutTopic::Zones, key: value.clone(), value: value.clone(), position: None });
                effects.alerts.push(Alert { key: value.clone(), change_no: 1, value, after_commit: false });
            } else if self.0.is_multiple_of(10) {
                let key = record.key.unwrap_or_default().to_vec();
                effects.records.push(OutRecord { topic: OutTopic::Zones, key, value, position: None });
            }
        }
        effects
    }
    fn take_state_changes(&mut self) -> Vec<StateChange> {
        vec![StateChange { key: b"count".to_vec(), value: Some(self.0.to_string().into_bytes()) }]
    }
    fn committed(&mut self) {}
    fn restore(&mut self, _key: &[u8], _value: &[u8]) -> Result<(), String> {
        Ok(())
    }
    fn restored(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// When each marked record was seen.
type Seen = Mutex<BTreeMap<Vec<u8>, Instant>>;

fn read(settings: &Settings, topic: Topic, seen: &Seen, stop: &AtomicBool) {
    // Topics that were just made have no leader for a moment.
    let open = || KafkaTail::new(settings, &[topic], Since::End);
    let mut tail = (0..50).find_map(|_| open().map_err(|_| rest(Duration::from_millis(100))).ok()).expect("the topics have no leader");
    let mut records: Vec<TailRecord> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        tail.poll(1_000, Duration::from_millis(20), &mut records).unwrap();
        let at = now();
        let mut seen = seen.lock().unwrap();
        for record in records.drain(..).filter(|record| record.key.starts_with(b"mark")) {
            seen.entry(record.key).or_insert(at);
        }
    }
}

/// The floor: a bare consumer, and a producer that sends at once.
fn echo(from: &Settings, to: &Settings, stop: &AtomicBool) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &from.brokers).set("group.id", "echo").set("fetch.wait.max.ms", "20").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&from.name(Topic::In(Feed::Sensors)), 0, Offset::Beginning).unwrap();
    consumer.assign(&list).unwrap();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &to.brokers).set("enable.idempotence", "true").set("linger.ms", "0");
    let producer: BaseProducer = config.create().unwrap();
    let target = to.name(ALERTS);
    while !stop.load(Ordering::Relaxed) {
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(20)) else { continue };
        let value = message.payload().unwrap_or_default();
        if value.starts_with(b"mark") {
            producer.send(BaseRecord::to(&target).partition(0).key(value).payload(value)).unwrap();
            producer.poll(Duration::ZERO);
        }
    }
    producer.flush(Duration::from_secs(5)).unwrap();
}

fn feed(settings: &Settings) -> BTreeMap<Vec<u8>, Instant> {
    let mut feeder = KafkaFeeder::new(settings).unwrap();
    let (began, mut sent, mut marks) = (now(), 0, BTreeMap::new());
    let value = vec![b'x'; 150];
    let mut send = |value: &[u8]| {
        feeder
            .send(&InRecord {
                feed: Feed::Sensors,
                key: b"rabat",
                value,
                source: None,
                format: None,
                received: None,
                cloud_event: None,
                attributes: Default::default(),
            })
            .unwrap();
    };
    for i in 0..MARKED {
        let due = Duration::from_millis(10 * i as u64);
        while began.elapsed() < due {
            let load = (began.elapsed().as_secs_f64() * LOAD_PER_S as f64) as u64;
            while sent < load {
                send(&value);
                sent += 1;
            }
            rest(Duration::from_micros(500));
        }
        let mark = format!("mark-{i}").into_bytes();
        marks.insert(mark.clone(), now());
        send(&mark);
    }
    marks
}

fn serve<C: Core>(settings: &Settings, how: &shard::Settings, watch: &dyn Watch, make: fn(u32) -> C, stop: &AtomicBool) -> Stats {
    let mut open = || KafkaShard::join(settings, 0).map(|log| Box::new(log) as Box<dyn ShardLog>);
    run(&mut open, &mut { make }, &mut NoModels, how, watch, stop).unwrap().stats
}

fn percentiles(sent: &BTreeMap<Vec<u8>, Instant>, seen: &Seen) -> [f64; 3] {
    let seen = seen.lock().unwrap();
    // The first second is that of clients that warm up.
    let late = |mark: &[u8]| String::from_utf8_lossy(mark).trim_start_matches("mark-").parse::<usize>().is_ok_and(|i| i >= 100);
    let mut took: Vec<f64> =
        sent.iter().filter(|(mark, _)| late(mark)).filter_map(|(mark, at)| Some((*seen.get(mark)? - *at).as_secs_f64() * 1_000.0)).collect();
    took.sort_by(f64::total_cmp);
    assert!(took.len() > MARKED / 2, "{} of {MARKED} came", took.len());
    [0.5, 0.9, 0.99].map(|share| took[((took.len() - 1) as f64 * share) as usize])
}

/// What came of one round.
struct Round {
    alerts: [f64; 3],
    echoes: [f64; 3],
    outputs: [f64; 3],
    stats: Stats,
}

fn lane(broker: &Broker) -> Round {
    let ((settings, _), (floor, _)) = (broker.topics(1), broker.topics(1));
    let (stop, alerts, echoes, outputs) = (AtomicBool::new(false), Seen::default(), Seen::default(), Seen::default());
    let how = shard::Settings { mode: Mode::Serve, ..shard::Settings::default() };
    std::thread::scope(|scope| {
        scope.spawn(|| read(&settings, ALERTS, &alerts, &stop));
        scope.spawn(|| read(&settings, OUTPUTS, &outputs, &stop));
        scope.spawn(|| read(&floor, ALERTS, &echoes, &stop));
        scope.spawn(|| echo(&settings, &floor, &stop));
        let serving = scope.spawn(|| serve(&settings, &how, &Unwatched, |_| Echo::default(), &stop));
        rest(Duration::from_secs(3));
        let sent = feed(&settings);
        rest(Duration::from_secs(2));
        stop.store(true, Ordering::Relaxed);
        let stats = serving.join().unwrap();
        Round { alerts: percentiles(&sent, &alerts), echoes: percentiles(&sent, &echoes), outputs: percentiles(&sent, &outputs), stats }
    })
}

#[test]
#[ignore = "a measurement"]
fn the_alerts_lane_beside_a_bare_echo() {
    let Some(broker) = broker() else { return };
    let mut differences = Vec::new();
    for round in 1..=5 {
        let Round { alerts, echoes, outputs, stats } = lane(broker);
        let commit_ms = stats.commit_seconds * 1_000.0 / stats.commits as f64;
        println!(
            "round {round}: alerts p50/p90/p99 {alerts:.2?} ms, echo {echoes:.2?} ms, committed outputs {outputs:.1?} ms; {} commits of {commit_ms:.1} ms",
            stats.commits
        );
        differences.push((alerts[0] - echoes[0], alerts[2], echoes[2]));
    }
    differences.sort_by(|a, b| a.0.total_cmp(&b.0));
    println!("median of five: alerts p50 less echo p50 {:.2} ms (p99 there: {:.1} and {:.1} ms)", differences[2].0, differences[2].1, differences[2].2);
}

/// From the start of a service, on topics that hold records, to the first output that a reader of what is committed sees.
#[test]
#[ignore = "a measurement"]
fn the_first_output_after_a_start() {
    let Some(broker) = broker() else { return };
    for _ in 0..3 {
        let (settings, _) = broker.topics(1);
        let mut feeder = KafkaFeeder::new(&settings).unwrap();
        feed_night(&mut feeder, 2_000);
        feeder.flush().unwrap();
        let (stop, how) = (AtomicBool::new(false), shard::Settings { mode: Mode::Serve, ..shard::Settings::default() });
        std::thread::scope(|scope| {
            let mut tail = KafkaTail::new(&settings, &[OUTPUTS], Since::Beginning).unwrap();
            let began = now();
            scope.spawn(|| serve(&settings, &how, &Unwatched, |_| Tally::default(), &stop));
            let mut records = Vec::new();
            while records.is_empty() {
                tail.poll(1, Duration::from_millis(20), &mut records).unwrap();
            }
            println!("the first output {:.2} s after the start", began.elapsed().as_secs_f64());
            stop.store(true, Ordering::Relaxed);
        });
    }
}

struct Restored(Instant, Mutex<Vec<Duration>>);

impl Watch for Restored {
    fn restored(&self, _partition: u32, entries: u64, took: Duration) {
        println!("{entries} entries restored in {:.2} s, {:.2} s after the start", took.as_secs_f64(), self.0.elapsed().as_secs_f64());
        self.1.lock().unwrap().push(self.0.elapsed());
    }
}

#[test]
#[ignore = "a measurement"]
fn recovery_with_a_hundred_thousand_entities() {
    let Some(broker) = broker() else { return };
    let (settings, _) = broker.topics(1);
    let mut feeder = KafkaFeeder::new(&settings).unwrap();
    for i in 0..100_000 {
        let key = format!("entity-{i}");
        feeder
            .send(&InRecord {
                feed: Feed::Sensors,
                key: key.as_bytes(),
                value: b"{}",
                source: None,
                format: None,
                received: None,
                cloud_event: None,
                attributes: Default::default(),
            })
            .unwrap();
    }
    feeder.flush().unwrap();
    let how = shard::Settings { mode: Mode::ToEnd, ..shard::Settings::default() };
    serve(&settings, &how, &Unwatched, |_| Tally::default(), &AtomicBool::new(false));
    for _ in 0..3 {
        feed_night(&mut feeder, 2_000);
        let restored = Restored(now(), Mutex::default());
        serve(&settings, &how, &restored, |_| Tally::default(), &AtomicBool::new(false));
        println!("caught up and ended {:.2} s after the start", restored.0.elapsed().as_secs_f64());
    }
}
