//! The shard's loop on a real Kafka: the same bytes as on the embedded log, and the promises that only a broker can break.

use crate::hooked_log::{Hand, HookedLog};
use crate::kafka_broker::{Broker, broker, now, rest};
use crate::tally::{COMPARED, Outcome, Tally, feed_night, feed_part, outcome};
use midan::engine::{Alert, OutRecord, OutTopic, StateChange};
use midan::kafka::{KafkaAdmin, KafkaFeeder, KafkaShard, KafkaTail, Settings};
use midan::log::embedded::{EmbeddedLog, Faults, Options};
use midan::log::{Answer, Event, Fault, Inbox, LogError, Offsets, Place, Plan, ShardLog, Since, Tail, Topic, TopicAdmin};
use midan::shard::{self, Mode, NoModels, Stats, Watch, run};
use midan::venue::Feed;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Says what a shard had to recover from, for whoever reads a failed test.
struct Telling;

impl Watch for Telling {
    fn aborted(&self, why: &LogError) {
        println!("aborted: {why}");
    }
    fn rebuilding(&self, why: &LogError) {
        println!("rebuilding: {why}");
    }
    fn retried(&self, why: &LogError) {
        println!("again: {why}");
    }
}

const RECORDS: u32 = 20_000;
const WAIT: Duration = Duration::from_millis(100);
const CHILD: &str = "MIDAN_TEST_CHILD";

fn to_end(poll_records: usize) -> shard::Settings {
    shard::Settings { mode: Mode::ToEnd, poll_records, commit_interval: Duration::from_millis(50), ..shard::Settings::default() }
}

fn run_shard<'a>(settings: &'a Settings, how: &shard::Settings) -> Stats {
    let mut open = || KafkaShard::join(settings, 0).map(|log| Box::new(log) as Box<dyn ShardLog + 'a>);
    run(&mut open, &mut |_| Tally::default(), &mut NoModels, how, &Telling, &AtomicBool::new(false)).unwrap().stats
}

fn on_embedded(partitions: u32, records: u32) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Options::new(folder.path(), partitions)).unwrap();
    feed_night(&mut log.feeder(), records);
    let mut open = || Ok(Box::new(log.member("night", Faults::none())) as Box<dyn ShardLog>);
    run(&mut open, &mut |_| Tally::default(), &mut NoModels, &to_end(500), &Telling, &AtomicBool::new(false)).unwrap();
    outcome(&mut log.tail(&COMPARED, Since::Beginning))
}

fn on_kafka(settings: &Settings) -> Outcome {
    outcome(&mut KafkaTail::new(settings, &COMPARED, Since::Beginning).unwrap())
}

fn fed(broker: &Broker, partitions: u32, records: u32) -> Settings {
    let (settings, _) = broker.topics(partitions);
    feed_night(&mut KafkaFeeder::new(&settings).unwrap(), records);
    settings
}

#[test]
fn kafka_and_the_embedded_log_give_the_same_bytes() {
    let Some(broker) = broker() else { return };
    for partitions in [1, 4, 12] {
        let settings = fed(broker, partitions, RECORDS);
        let stats = run_shard(&settings, &to_end(4_096));
        assert_eq!(stats.records, u64::from(RECORDS));
        on_kafka(&settings).must_be(&on_embedded(partitions, RECORDS), &format!("{partitions} partitions"));
        println!("{partitions} partitions: {stats:?}");
    }
}

#[test]
fn arroyo_224_a_shard_that_is_killed_again_and_again_leaves_the_bytes_of_an_undisturbed_run() {
    let Some(broker) = broker() else { return };
    let (records, rest) = (60_000, 1_000);
    let settings = fed(broker, 4, 0);
    let expected = on_embedded(4, records);
    let all = expected.ordered_records();
    let (mut feeder, mut sent) = (KafkaFeeder::new(&settings).unwrap(), 0);
    for share in [5, 3, 2] {
        let mut child = spawn_child(&settings);
        let mut tail = KafkaTail::new(&settings, &[Topic::Out(OutTopic::Zones)], Since::Beginning).unwrap();
        let (mut seen, deadline) = (Vec::new(), now() + Duration::from_secs(60));
        while seen.len() < all / share && now() < deadline {
            // It is fed while it reads, and killed with more to come.
            let more = 1_000.min(records - rest - sent);
            feed_part(&mut feeder, sent..sent + more);
            sent += more;
            tail.poll(100, WAIT, &mut seen).unwrap();
        }
        assert!(seen.len() >= all / share, "the child wrote {} of {all}", seen.len());
        // SIGKILL: nothing is finished, nothing is closed.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    feed_part(&mut feeder, sent..records);
    run_shard(&settings, &to_end(4_096));
    on_kafka(&settings).must_be(&expected, "after the kills");
}

#[allow(clippy::disallowed_methods, reason = "a test starts itself again as a child that can be killed")]
fn spawn_child(settings: &Settings) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "shard_on_kafka::a_child_to_be_killed", "--ignored"])
        .env(CHILD, format!("{} {} {}", settings.brokers, settings.group, settings.prefix))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "runs as a child of a_shard_that_is_killed_again_and_again"]
#[allow(clippy::disallowed_methods, reason = "its parent tells it by the environment where to go")]
fn a_child_to_be_killed() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let told: Vec<&str> = told.split(' ').collect();
    let mut settings = Settings::new(told[0], told[1], "here");
    settings.prefix = told[2].to_owned();
    settings.properties.insert("session.timeout.ms".into(), "1500".into());
    settings.properties.insert("heartbeat.interval.ms".into(), "300".into());
    run_shard(&settings, &shard::Settings { mode: Mode::Serve, ..to_end(250) });
}

/// Joins, and takes everything up as a shard would.
fn joined(settings: &Settings, shard: u32) -> KafkaShard {
    let mut log = KafkaShard::join(settings, shard).unwrap();
    let (mut inbox, deadline) = (Inbox::default(), now() + Duration::from_secs(30));
    while now() < deadline {
        log.poll(100, WAIT, &mut inbox).unwrap();
        for event in &inbox.events {
            if let Event::Assigned(partitions) = event {
                for partition in partitions {
                    // A topic that was just made may have no leader yet.
                    let from = loop {
                        match log.unread(*partition) {
                            Ok(from) => break from,
                            Err(error) => assert!(error.answer() == Answer::Retry && now() < deadline, "{error}"),
                        }
                    };
                    log.start(&from).unwrap();
                }
                return log;
            }
        }
    }
    panic!("nothing was assigned");
}

fn out(value: &str) -> OutRecord {
    OutRecord { topic: OutTopic::Zones, key: b"k".to_vec(), value: value.into(), position: None }
}

fn zones(settings: &Settings) -> Vec<Vec<u8>> {
    let mut tail = KafkaTail::new(settings, &[Topic::Out(OutTopic::Zones)], Since::Beginning).unwrap();
    let (mut seen, deadline) = (Vec::new(), now() + Duration::from_secs(30));
    while !tail.at_end() && now() < deadline {
        tail.poll(1_000, WAIT, &mut seen).unwrap();
    }
    seen.into_iter().filter_map(|record| record.value).collect()
}

#[test]
fn what_the_broker_will_never_allow_stops_with_its_cure_and_is_not_tried_for_ever() {
    let Some(broker) = broker() else { return };
    let (mut settings, _) = broker.topics(1);
    // Longer than `transaction.max.timeout.ms`. The client calls it fatal, as it does an id that the account may not use.
    settings.properties.insert("transaction.timeout.ms".into(), "3600000".into());
    let Err(error) = KafkaShard::join(&settings, 0) else { panic!("a transaction of an hour was allowed") };
    assert_eq!(error.answer(), Answer::Stop, "{error}");
    assert!(error.to_string().contains("time-out"), "{error}");
}

#[test]
fn flink_connector_kafka_238_nothing_of_a_fenced_zombie_is_ever_seen() {
    let Some(broker) = broker() else { return };
    let (settings, _) = broker.topics(1);
    let mut zombie = joined(&settings, 0);
    zombie.begin().unwrap();
    zombie.append(0, &out("zombie")).unwrap();
    let mut heir = KafkaShard::join(&settings, 0).unwrap();
    let error = zombie.commit(&Offsets::new()).unwrap_err();
    assert_eq!(error.answer(), Answer::Rebuild, "{error}");
    heir.begin().unwrap();
    heir.append(0, &out("heir")).unwrap();
    heir.commit(&Offsets::new()).unwrap();
    assert_eq!(zones(&settings), [b"heir".to_vec()]);
}

/// An open pane with thousands of late events in it is larger than the megabyte that brokers and clients allow by default.
#[test]
fn an_entry_of_the_state_may_be_larger_than_a_megabyte() {
    let Some(broker) = broker() else { return };
    let (settings, _) = broker.topics(1);
    let mut log = joined(&settings, 0);
    // Noise, which no compression makes smaller.
    let mut seed = 1_u64;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 56) as u8
    });
    let entry: Vec<u8> = noise.take(6 << 20).collect();
    log.begin().unwrap();
    log.append_state(0, &StateChange { key: b"open/1".to_vec(), value: Some(entry.clone()) }).unwrap();
    log.commit(&Offsets::new()).unwrap();
    // The broker tells of a commit before its marker stands.
    let (mut read, deadline) = (Vec::new(), now() + Duration::from_secs(30));
    while let Err(error) = log.read_state(0, &mut |key, value| read.push((key.to_vec(), value.map(<[u8]>::to_vec)))) {
        assert!(error.answer() == Answer::Retry && now() < deadline, "{error}");
    }
    assert!(read == [(b"open/1".to_vec(), Some(entry))], "{} entries", read.len());
}

#[test]
fn aiokafka_844_a_member_that_lost_its_partition_cannot_commit_and_goes_back() {
    let Some(broker) = broker() else { return };
    let (mut settings, _) = broker.topics(1);
    settings.properties.insert("max.poll.interval.ms".into(), "1600".into());
    let mut slow = joined(&settings, 0);
    slow.begin().unwrap();
    slow.append(0, &out("slow")).unwrap();
    // It says nothing for so long that the group gives its partition away.
    let mut quick = joined(&settings, 1);
    let place = Place { feed: Feed::Sensors, partition: 0 };
    let error = slow.commit(&[(place, 5)].into()).unwrap_err();
    assert_eq!(error.answer(), Answer::AbortAndRewind, "{error}");
    slow.abort().unwrap();
    assert_eq!(quick.unread(0).unwrap()[&place], 0);
    assert!(zones(&settings).is_empty());
}

#[test]
fn an_end_names_its_topic_and_stands_behind_the_transaction_markers() {
    let Some(broker) = broker() else { return };
    let (settings, _) = broker.topics(2);
    let name = settings.name(Topic::In(Feed::Sensors));
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &settings.brokers).set("transactional.id", format!("{name}-writer"));
    let writer: BaseProducer = config.create().unwrap();
    writer.init_transactions(Duration::from_secs(20)).unwrap();
    for (records, stands) in [(3, true), (2, false)] {
        writer.begin_transaction().unwrap();
        for _ in 0..records {
            writer.send(BaseRecord::to(&name).partition(0).key("rabat").payload("{}")).unwrap();
        }
        writer.flush(Duration::from_secs(20)).unwrap();
        if stands { writer.commit_transaction(Duration::from_secs(20)).unwrap() } else { writer.abort_transaction(Duration::from_secs(20)).unwrap() }
    }
    let mut reader = joined(&settings, 0);
    let (mut ends, mut offsets, mut inbox, deadline) = (Offsets::new(), Vec::new(), Inbox::default(), now() + Duration::from_secs(20));
    while (ends.len() < 8 || ends.values().sum::<i64>() < 7) && now() < deadline {
        reader.poll(100, WAIT, &mut inbox).unwrap();
        offsets.extend(inbox.batch(0).iter().flat_map(|batch| batch.iter().map(|record| record.offset)).collect::<Vec<_>>());
        for event in &inbox.events {
            if let Event::ReadToEnd { place, next_offset } = event {
                ends.insert(*place, *next_offset);
            }
        }
    }
    assert_eq!(offsets, [0, 1, 2], "what was given up is not read");
    for (place, end) in ends {
        // Three records, a marker, two records that were given up, a marker.
        let expected = if place == (Place { feed: Feed::Sensors, partition: 0 }) { 7 } else { 0 };
        assert_eq!(end, expected, "{place}");
    }
}

/// What librdkafka's batch call gets wrong: it takes the end of a partition for a record, and a rebalance then resumes behind the record that comes next.
#[test]
fn vector_22006_a_rebalance_while_everything_is_idle_skips_no_record_and_repeats_none() {
    let Some(broker) = broker() else { return };
    let settings = fed(broker, 4, RECORDS);
    let mut logs = vec![KafkaShard::join(&settings, 0).unwrap()];
    let (mut seen, mut next, mut inbox) = (Offsets::new(), Offsets::new(), Inbox::default());
    let (mut ends, mut second_has, mut fed_again, mut deadline) = (0, 0, false, now() + Duration::from_secs(60));
    while now() < deadline {
        for (number, log) in logs.iter_mut().enumerate() {
            log.poll(1_000, Duration::from_millis(20), &mut inbox).unwrap();
            for record in (0..4).filter_map(|partition| inbox.batch(partition)).flat_map(|batch| batch.iter()) {
                let place = Place { feed: record.feed, partition: record.partition };
                assert_eq!(record.offset, next.get(&place).copied().unwrap_or(0), "{place} at shard {number}");
                next.insert(place, record.offset + 1);
                *seen.entry(place).or_default() += 1;
            }
            for event in std::mem::take(&mut inbox.events) {
                match event {
                    Event::Assigned(partitions) => {
                        second_has += number * partitions.len();
                        let from = partitions.iter().flat_map(|partition| log.unread(*partition).unwrap());
                        // Nothing is committed here: what was read by the other one counts as done.
                        let from = from.map(|(place, offset)| (place, next.get(&place).copied().unwrap_or(offset))).collect();
                        log.start(&from).unwrap();
                    }
                    Event::Revoked { partitions, .. } => log.release(&partitions).unwrap(),
                    Event::ReadToEnd { .. } => ends += 1,
                    Event::BrokerTime(_) => {}
                }
            }
        }
        // The second one comes when the first has read all sixteen places to their end.
        if logs.len() == 1 && ends >= 16 {
            logs.push(KafkaShard::join(&settings, 1).unwrap());
        }
        if !fed_again && second_has == 2 {
            fed_again = true;
            feed_night(&mut KafkaFeeder::new(&settings).unwrap(), RECORDS);
            // Long enough for everything, and for what should not come.
            deadline = now() + Duration::from_secs(3);
        }
    }
    assert_eq!(seen.values().sum::<i64>(), 2 * i64::from(RECORDS), "{seen:?}");
}

#[test]
fn materialize_9249_the_state_is_read_to_its_end_only_when_no_transaction_is_open() {
    let Some(broker) = broker() else { return };
    let (settings, _) = broker.topics(1);
    let mut log = joined(&settings, 0);
    log.begin().unwrap();
    log.append_state(0, &StateChange { key: b"a".to_vec(), value: Some(b"1".to_vec()) }).unwrap();
    log.append_state(0, &StateChange { key: b"b".to_vec(), value: None }).unwrap();
    log.commit(&Offsets::new()).unwrap();
    assert_eq!(read_when_settled(&mut log), [(b"a".to_vec(), Some(b"1".to_vec())), (b"b".to_vec(), None)]);
    // A second producer leaves a transaction open, as a shard does that was killed.
    let mut dead = KafkaShard::join(&settings, 1).unwrap();
    dead.begin().unwrap();
    dead.append_state(0, &StateChange { key: b"c".to_vec(), value: Some(b"3".to_vec()) }).unwrap();
    rest(Duration::from_millis(500));
    let error = log.read_state(0, &mut |_, _| {}).unwrap_err();
    assert_eq!(error.answer(), Answer::Retry, "{error}");
    dead.abort().unwrap();
    assert_eq!(read_when_settled(&mut log).len(), 2);
}

/// What stands in the state. The broker answers a commit or an abort before its marker stands in every partition: until then the reader is told to come again.
fn read_when_settled(log: &mut KafkaShard) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    for _ in 0..50 {
        let mut seen = Vec::new();
        match log.read_state(0, &mut |key, value| seen.push((key.to_vec(), value.map(<[u8]>::to_vec)))) {
            Err(why) if why.answer() == Answer::Retry => rest(Duration::from_millis(200)),
            result => {
                assert_eq!(result.unwrap(), seen.len() as u64);
                return seen;
            }
        }
    }
    panic!("the marker never came");
}

#[test]
fn the_topics_check_names_what_is_wrong() {
    let Some(broker) = broker() else { return };
    let (settings, plan) = broker.topics(4);
    let admin = KafkaAdmin::new(&settings).unwrap();
    assert_eq!(admin.check(&plan).unwrap(), []);
    assert_eq!(admin.create(&plan).unwrap(), [], "nothing is left to create");
    let wider = Plan { partitions: 5, retention_hours: 1, ..plan };
    let faults = admin.check(&wider).unwrap();
    let name = format!("{}feeds.ticketing", settings.prefix);
    assert!(faults.contains(&Fault::Partitions { name: name.clone(), found: 4, wanted: 5 }), "{faults:?}");
    assert!(faults.iter().any(|fault| matches!(fault, Fault::Property { name: of, property, .. } if *of == name && property == "retention.ms")));
    let elsewhere = Plan { prefix: "elsewhere-".into(), ..wider };
    assert_eq!(admin.check(&elsewhere).unwrap().len(), 12);
}

#[test]
fn broker_time_comes_back_with_the_heartbeats_and_an_alert_is_seen_before_the_commit() {
    let Some(broker) = broker() else { return };
    let (settings, _) = broker.topics(1);
    let mut log = joined(&settings, 0);
    log.begin().unwrap();
    log.append(0, &out("not yet")).unwrap();
    log.send_alert(0, &Alert { key: b"alarm-1".to_vec(), change_no: 1, value: b"{}".to_vec(), after_commit: false }, 1, 0).unwrap();
    log.await_alerts(Duration::from_secs(10)).unwrap();
    let mut tail = KafkaTail::new(&settings, &[Topic::Out(OutTopic::Alerts)], Since::Beginning).unwrap();
    let (mut seen, mut times, mut inbox, deadline) = (Vec::new(), Vec::new(), Inbox::default(), now() + Duration::from_secs(20));
    while now() < deadline && (times.len() < 3 || !seen.iter().any(|record: &midan::log::TailRecord| record.key == b"alarm-1")) {
        log.poll(10, WAIT, &mut inbox).unwrap();
        times.extend(inbox.events.iter().filter_map(|event| if let Event::BrokerTime(at) = event { Some(*at) } else { None }));
        tail.poll(10, Duration::ZERO, &mut seen).unwrap();
    }
    assert!(times.len() >= 3 && times.windows(2).all(|pair| pair[1] - pair[0] >= 900), "{times:?}");
    let alert = seen.iter().find(|record| record.key == b"alarm-1").unwrap();
    assert!(alert.header("midan-generation").unwrap().parse::<i32>().unwrap() >= 0);
    let (mut outputs, mut seen) = (KafkaTail::new(&settings, &[Topic::Out(OutTopic::Zones)], Since::Beginning).unwrap(), Vec::new());
    for _ in 0..5 {
        outputs.poll(10, WAIT, &mut seen).unwrap();
    }
    assert!(seen.is_empty() && !outputs.at_end(), "the transaction is still open");
    log.abort().unwrap();
}

#[test]
fn a_transaction_that_is_given_up_is_read_again_without_a_trace() {
    let Some(broker) = broker() else { return };
    let settings = fed(broker, 4, RECORDS);
    let hand = Hand { refuse_every: 4, ..Hand::default() };
    let mut open = || Ok(Box::new(HookedLog::new(KafkaShard::join(&settings, 0)?, &hand)) as Box<dyn ShardLog>);
    let how = shard::Settings { commit_interval: Duration::from_millis(1), ..to_end(50) };
    let stats = run(&mut open, &mut |_| Tally::default(), &mut NoModels, &how, &Telling, &AtomicBool::new(false)).unwrap().stats;
    assert!(stats.aborts > 1 && stats.records > u64::from(RECORDS), "{stats:?}");
    on_kafka(&settings).must_be(&on_embedded(4, RECORDS), "after the aborts");
}

#[test]
fn kafka_12540_a_partition_that_changes_hands_changes_no_byte() {
    let Some(broker) = broker() else { return };
    let settings = fed(broker, 4, RECORDS);
    let stop = AtomicBool::new(false);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let serve = shard::Settings { mode: Mode::Serve, ..to_end(100) };
    std::thread::scope(|scope| {
        // One serves from the start; another comes, takes its share, and stays; the first one leaves.
        let shard_of = |number: u32, stop| {
            let (settings, serve, seen) = (&settings, &serve, Arc::clone(&seen));
            move || {
                let mut open = || KafkaShard::join(settings, number).map(|log| Box::new(log) as Box<dyn ShardLog>);
                let mut make = |partition: u32| {
                    seen.lock().unwrap().push(format!("shard {number} takes {partition}"));
                    Tally::default()
                };
                run(&mut open, &mut make, &mut NoModels, serve, &Telling, stop).unwrap().stats
            }
        };
        let first = scope.spawn(shard_of(0, &stop));
        let stop_second = Box::leak(Box::new(AtomicBool::new(false)));
        let second = scope.spawn(shard_of(1, stop_second));
        let deadline = now() + Duration::from_secs(40);
        let taken = |number: u32| seen.lock().unwrap().iter().filter(|line| line.starts_with(&format!("shard {number}"))).count();
        while now() < deadline && (taken(0) == 0 || taken(1) == 0) {
            rest(Duration::from_millis(20));
        }
        feed_night(&mut KafkaFeeder::new(&settings).unwrap(), RECORDS);
        stop.store(true, Ordering::Relaxed);
        first.join().unwrap();
        stop_second.store(true, Ordering::Relaxed);
        second.join().unwrap();
        assert!(taken(0) > 0 && taken(1) > 0, "{:?}", seen.lock().unwrap());
    });
    run_shard(&settings, &to_end(4_096));
    let twice = {
        let folder = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(Options::new(folder.path(), 4)).unwrap();
        feed_night(&mut log.feeder(), RECORDS);
        feed_night(&mut log.feeder(), RECORDS);
        let mut open = || Ok(Box::new(log.member("night", Faults::none())) as Box<dyn ShardLog>);
        run(&mut open, &mut |_| Tally::default(), &mut NoModels, &to_end(500), &Telling, &AtomicBool::new(false)).unwrap();
        outcome(&mut log.tail(&COMPARED, Since::Beginning))
    };
    on_kafka(&settings).must_be(&twice, "after the hand-over");
}
