//! The embedded log as its users see it: what Kafka promises, it keeps.

use super::*;
use crate::engine::{Alert, OutRecord, StateChange};
use crate::log::{Event, Feeder, InRecord, Inbox, Offsets, Place, ShardLog, Tail, TailRecord};
use proptest::prelude::*;

const WAIT: Duration = Duration::from_millis(20);
const ZONES: Topic = Topic::Out(OutTopic::Zones);

struct Home {
    log: EmbeddedLog,
    options: Options,
    _folder: tempfile::TempDir,
}

fn home(partitions: u32, change: impl FnOnce(&mut Options)) -> Home {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path(), partitions);
    change(&mut options);
    Home { log: EmbeddedLog::open(options.clone()).unwrap(), options, _folder: folder }
}

fn sensors(key: &[u8], value: &[u8]) -> Vec<u8> {
    [key, b"=", value].concat()
}

fn feed(log: &EmbeddedLog, values: impl IntoIterator<Item = String>) {
    let mut feeder = log.feeder();
    for value in values {
        let record = InRecord {
            feed: Feed::Sensors,
            key: b"rabat",
            value: value.as_bytes(),
            source: Some("wifi"),
            format: None,
            received: Some(77),
            cloud_event: None,
            attributes: crate::feeds::Attributes::NONE,
        };
        feeder.send(&record).unwrap();
    }
}

fn out(value: &str) -> OutRecord {
    OutRecord { topic: OutTopic::Zones, key: b"k".to_vec(), value: value.as_bytes().to_vec(), position: Some("feeds.sensors/0/3".into()) }
}

fn drain(tail: &mut EmbeddedTail) -> Vec<TailRecord> {
    let mut seen = Vec::new();
    loop {
        tail.poll(1_000, Duration::ZERO, &mut seen).unwrap();
        if tail.at_end() {
            return seen;
        }
    }
}

/// Joins, takes what is assigned, starts from the committed offsets.
fn started(log: &EmbeddedLog, group: &str) -> Member {
    let mut member = log.member(group, Faults::none());
    let mut inbox = Inbox::default();
    member.poll(10, WAIT, &mut inbox).unwrap();
    let Some(Event::Assigned(partitions)) = inbox.events.first() else { panic!("{:?}", inbox.events) };
    for partition in partitions {
        let from = member.unread(*partition).unwrap();
        member.start(&from).unwrap();
    }
    member
}

fn sensors_at(next: i64) -> Offsets {
    [(Place { feed: Feed::Sensors, partition: 0 }, next)].into()
}

#[test]
fn a_record_keeps_its_key_its_headers_and_the_brokers_time() {
    let home = home(1, |_| {});
    home.log.set_clock(5_000);
    feed(&home.log, ["a".to_owned()]);
    let mut member = started(&home.log, "g");
    let mut inbox = Inbox::default();
    member.poll(10, WAIT, &mut inbox).unwrap();
    let record = inbox.batch(0).unwrap().iter().next().unwrap();
    assert_eq!((record.key, record.value, record.source, record.received), (Some(&b"rabat"[..]), &b"a"[..], Some("wifi"), Some(77)));
    assert_eq!((record.offset, record.appended), (0, Some(5_000)));
    assert!(inbox.events.contains(&Event::ReadToEnd { place: Place { feed: Feed::Sensors, partition: 0 }, next_offset: 1 }));
    assert!(inbox.events.contains(&Event::BrokerTime(5_000)));
    assert!(member.inputs_closed());
}

#[test]
fn nothing_of_a_transaction_is_seen_before_its_commit_and_nothing_of_an_aborted_one_ever() {
    let home = home(2, |_| {});
    let mut tail = home.log.tail(&[ZONES], Since::Beginning);
    let mut member = started(&home.log, "g");
    member.begin().unwrap();
    member.append(0, &out("no")).unwrap();
    member.abort().unwrap();
    member.begin().unwrap();
    member.append(0, &out("yes")).unwrap();
    member.append(1, &out("and yes")).unwrap();
    assert!(drain(&mut tail).is_empty());
    member.commit(&sensors_at(3)).unwrap();
    let mut seen = drain(&mut tail);
    seen.sort_by_key(|record| record.partition);
    assert_eq!(seen.iter().map(|r| r.value.clone().unwrap()).collect::<Vec<_>>(), [b"yes".to_vec(), b"and yes".to_vec()]);
    assert_eq!(seen[0].header("midan-position"), Some("feeds.sensors/0/3"));
    assert_eq!(member.unread(0).unwrap()[&Place { feed: Feed::Sensors, partition: 0 }], 3);
}

#[test]
fn an_alert_does_not_wait_for_the_transaction() {
    let home = home(1, |_| {});
    let mut tail = home.log.tail(&[Topic::Out(OutTopic::Alerts)], Since::Beginning);
    let mut member = started(&home.log, "g");
    member.begin().unwrap();
    member.append_alert(0, &Alert { key: b"later".to_vec(), change_no: 1, value: vec![], after_commit: true }, 1).unwrap();
    member.send_alert(0, &Alert { key: b"now".to_vec(), change_no: 1, value: vec![], after_commit: false }, 1, 0).unwrap();
    assert_eq!(drain(&mut tail).iter().map(|r| r.key.clone()).collect::<Vec<_>>(), [b"now".to_vec()]);
    member.commit(&Offsets::new()).unwrap();
    assert_eq!(drain(&mut tail)[0].key, b"later");
}

#[test]
fn a_member_that_was_thrown_out_cannot_commit() {
    let home = home(1, |_| {});
    let mut member = started(&home.log, "g");
    member.begin().unwrap();
    member.append(0, &out("zombie")).unwrap();
    home.log.expel("g");
    assert_eq!(member.commit(&sensors_at(9)).unwrap_err().answer(), crate::log::Answer::AbortAndRewind);
    assert_eq!(home.log.end(ZONES, 0), 0);
    assert_eq!(member.poll(1, Duration::ZERO, &mut Inbox::default()).unwrap_err().answer(), crate::log::Answer::Rebuild);
}

#[test]
fn what_every_reader_has_passed_is_trimmed_and_memory_stays_within_its_budget() {
    let home = home(1, |options| {
        (options.segment_bytes, options.resident_bytes, options.retention) = (4_096, 10_000, Retention::UntilRead);
    });
    feed(&home.log, (0..5_000).map(|i| format!("value {i}")));
    let full = home.log.held();
    assert!(full.resident_bytes <= 10_000, "{full:?}");
    let mut member = started(&home.log, "g");
    member.begin().unwrap();
    member.commit(&sensors_at(4_000)).unwrap();
    let held = home.log.held();
    assert!(held.bytes < full.bytes / 4, "{full:?} → {held:?}");
    let from = member.unread(0).unwrap();
    member.halt(&[0]).unwrap();
    member.start(&from).unwrap();
    let mut inbox = Inbox::default();
    member.poll(10_000, WAIT, &mut inbox).unwrap();
    assert_eq!(inbox.records(), 1_000);
}

#[test]
fn a_feeder_waits_until_the_shard_has_caught_up() {
    let home = home(1, |options| (options.segment_bytes, options.unread_bytes) = (4_096, Some(100_000)));
    let mut member = started(&home.log, "g");
    let log = home.log.clone();
    let feeder = log.feeder();
    drop(feeder);
    let feeding = std::thread::spawn(move || feed(&log, (0..20_000).map(|i| format!("value {i}"))));
    let (mut inbox, mut next, mut most) = (Inbox::default(), 0, 0);
    while next < 20_000 {
        member.poll(500, WAIT, &mut inbox).unwrap();
        next += inbox.records() as i64;
        most = most.max(home.log.end(Topic::In(Feed::Sensors), 0) - next);
        member.begin().unwrap();
        member.commit(&sensors_at(next)).unwrap();
    }
    feeding.join().unwrap();
    assert!(most < 5_000, "{most} records waited");
}

#[test]
fn a_second_member_gets_its_share_and_the_first_keeps_the_rest() {
    let home = home(4, |_| {});
    let mut first = started(&home.log, "g");
    let mut second = home.log.member("g", Faults::none());
    let mut inbox = Inbox::default();
    first.poll(10, Duration::ZERO, &mut inbox).unwrap();
    assert_eq!(inbox.events, [Event::Revoked { partitions: vec![2, 3], lost: false }]);
    second.poll(10, Duration::ZERO, &mut inbox).unwrap();
    assert!(inbox.events.is_empty());
    first.release(&[2, 3]).unwrap();
    second.poll(10, Duration::ZERO, &mut inbox).unwrap();
    assert_eq!(inbox.events, [Event::Assigned(vec![2, 3])]);
    drop(second);
    first.poll(10, Duration::ZERO, &mut inbox).unwrap();
    assert_eq!(inbox.events, [Event::Assigned(vec![2, 3])]);
}

#[test]
fn the_older_record_of_two_feeds_comes_first() {
    let home = home(1, |_| {});
    let mut feeder = home.log.feeder();
    for (at, feed) in [(1_000, Feed::Ticketing), (2_000, Feed::Sensors), (3_000, Feed::Transport)] {
        home.log.set_clock(at);
        for _ in 0..300 {
            feeder
                .send(&InRecord {
                    feed,
                    key: b"v",
                    value: b"x",
                    source: None,
                    format: None,
                    received: None,
                    cloud_event: None,
                    attributes: crate::feeds::Attributes::NONE,
                })
                .unwrap();
        }
        feeder.flush().unwrap();
    }
    let mut member = started(&home.log, "g");
    let mut inbox = Inbox::default();
    member.poll(900, WAIT, &mut inbox).unwrap();
    let times: Vec<_> = inbox.batch(0).unwrap().iter().map(|record| record.appended).collect();
    assert_eq!(times.len(), 900);
    assert!(times.is_sorted());
}

#[test]
fn what_was_flushed_is_there_again_with_the_groups_offsets() {
    let home = home(2, |_| {});
    feed(&home.log, (0..10).map(|i| i.to_string()));
    let mut member = started(&home.log, "g");
    member.begin().unwrap();
    member.append(1, &out("kept")).unwrap();
    member.append_state(1, &StateChange { key: b"s".to_vec(), value: Some(b"1".to_vec()) }).unwrap();
    member.commit(&sensors_at(7)).unwrap();
    drop(member);
    home.log.flush().unwrap();
    let again = EmbeddedLog::open(home.options.clone()).unwrap();
    assert_eq!(drain(&mut again.tail(&[ZONES], Since::Beginning)).len(), 1);
    let mut member = started(&again, "g");
    assert_eq!(member.unread(0).unwrap()[&Place { feed: Feed::Sensors, partition: 0 }], 7);
    let mut state = Vec::new();
    member.read_state(1, &mut |key, value| state.push(sensors(key, value.unwrap()))).unwrap();
    assert_eq!(state, [b"s=1"]);
    let other = Options { partitions: 3, ..home.options.clone() };
    assert!(EmbeddedLog::open(other).unwrap_err().to_string().contains("2 partitions, not 3"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_transaction_stands_whole_or_not_at_all_whatever_fails(seed: u64) {
        let home = home(1, |_| {});
        let mut member = home.log.member("g", Faults::of_all_kinds(seed, 120));
        member.poll(1, Duration::ZERO, &mut Inbox::default()).unwrap();
        for i in 0..40 {
            member.begin().unwrap();
            for part in 0..3 {
                member.append(0, &out(&format!("{i}.{part}"))).unwrap();
            }
            let _ = member.commit(&sensors_at(i + 1));
            let records = drain(&mut home.log.tail(&[ZONES], Since::Beginning));
            prop_assert_eq!(records.len() % 3, 0);
            let last = records.last().map_or(0, |r| String::from_utf8_lossy(r.value.as_ref().unwrap()).split('.').next().unwrap().parse::<i64>().unwrap() + 1);
            prop_assert_eq!(member.unread(0).unwrap()[&Place { feed: Feed::Sensors, partition: 0 }], last);
        }
    }
}

/// Prints what the log does per second: `cargo test --release --lib log::embedded -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::disallowed_methods, reason = "it measures")]
fn how_fast_it_is() {
    const RECORDS: usize = 2_000_000;
    let home = home(4, |options| options.retention = Retention::UntilRead);
    let value = [b'x'; 150];
    let began = std::time::Instant::now();
    let mut feeder = home.log.feeder();
    for i in 0..RECORDS {
        let key = [b'a' + (i % 17) as u8];
        feeder
            .send(&InRecord {
                feed: Feed::Sensors,
                key: &key,
                value: &value,
                source: Some("counts"),
                format: None,
                received: Some(1),
                cloud_event: None,
                attributes: crate::feeds::Attributes::NONE,
            })
            .unwrap();
    }
    drop(feeder);
    let appended = began.elapsed();
    let mut member = started(&home.log, "g");
    let (mut inbox, mut read, mut bytes) = (Inbox::default(), 0, 0);
    let began = std::time::Instant::now();
    while read < RECORDS {
        member.poll(4_096, WAIT, &mut inbox).unwrap();
        for partition in 0..4 {
            bytes += inbox.batch(partition).map_or(0, |batch| batch.iter().map(|record| record.value.len()).sum());
        }
        read += inbox.records();
    }
    let rate = |took: Duration| RECORDS as f64 / took.as_secs_f64() / 1e6;
    println!("append {:.2} M/s, read {:.2} M/s, {} bytes, {:?}", rate(appended), rate(began.elapsed()), bytes, home.log.held());
}
