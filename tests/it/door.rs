//! The door: what is sent by webhook, polled, or lies in files reaches the venue's partition, is accounted for, and shows no ticket.

use midan::door::run::Cluster;
use midan::door::{Door, DoorSettings};
use midan::engine::OutTopic;
use midan::feeds::{Format, sensors, ticketing, transport};
use midan::log::embedded::{EmbeddedLog, Options};
use midan::log::{Since, Tail, TailRecord, Topic};
use midan::telemetry::Telemetry;
use midan::venue::partition::partition_of;
use midan::venue::{Feed, World};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const TOKEN: &str = "0123456789abcdef";
const PARTITIONS: u32 = 3;

/// The shipped world, whose sources know the names in the vendors' samples.
fn world() -> Arc<World> {
    let mut world = midan::config::read_world(Path::new("config")).unwrap();
    let names = [("ACCC8E012345", "cas-c-walk-n"), ("gate/5", "g1"), ("Q:BENSLIMANE:1", "CAS-STADE:1"), ("BENSLIMANE_STADE", "CAS-STADE:1")];
    for venue in &mut world.venues {
        for source in &mut venue.sources {
            source.wire.names = names.iter().map(|(wire, name)| ((*wire).into(), (*name).into())).collect();
            source.wire.time_zone = Some(venue.time_zone);
            source.interval = midan::time::Span::from_mins(1);
            // One name for the railway of both.
            if source.feed == Feed::Transport {
                source.id = "rail".into();
                source.format = Some("gtfs_realtime".into());
            }
        }
        venue.source_names = midan::venue::Names::new(venue.sources.iter().map(|source| &*source.id));
    }
    Arc::new(world)
}

struct House {
    log: EmbeddedLog,
    door: Door,
    _folder: tempfile::TempDir,
}

fn house(settings: &str) -> House {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Options::new(folder.path(), PARTITIONS)).unwrap();
    let settings = DoorSettings::parse(settings).unwrap();
    let door = Door::open(world(), settings, Box::new(log.feeder()), Telemetry::new().unwrap(), &Cluster::default()).unwrap();
    House { log, door, _folder: folder }
}

fn hooks() -> String {
    let hook = |source: &str| format!("[[webhooks]]\nvenue = \"casablanca\"\nsource = \"{source}\"\ntoken = \"{TOKEN}\"\nrate_per_s = 1000\nburst = 1000\n");
    format!("listen = \"127.0.0.1:0\"\nmax_body_bytes = 20000\n{}{}", hook("cas-cameras"), hook("cas-tickets"))
}

impl House {
    fn records(&self, topic: Topic) -> Vec<TailRecord> {
        let (mut tail, mut records) = (self.log.tail(&[topic], Since::Beginning), Vec::new());
        loop {
            tail.poll(1_000, Duration::from_millis(20), &mut records).unwrap();
            if tail.at_end() {
                return records;
            }
        }
    }

    /// Posts, and answers the status and the headers with the body.
    fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.door.listens_on().unwrap()).unwrap();
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        // A server that refuses early may close before it has read all.
        let _ = stream.write_all(body);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        (answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), answer)
    }

    fn send(&self, source: &str, format: &Format, body: &[u8]) -> (u16, String) {
        let token = format!("Bearer {TOKEN}");
        self.post(&format!("/v1/feeds/casablanca/{source}"), &[("authorization", &token), ("content-type", format.media_types[0])], body)
    }

    /// A payload's fate is written down a moment after the log has it.
    fn balance(&self) {
        until("every payload has its fate", || self.door.ledger().sums().iter().all(|(_, sums)| sums.imbalance() == 0));
    }
}

#[test]
fn a_webhook_is_answered_when_the_log_has_it() {
    let house = house(&hooks());
    let (status, answer) = house.send("cas-cameras", &sensors::axis_push::FORMAT, sensors::axis_push::FORMAT.sample);
    assert_eq!(status, 200, "{answer}");
    let records = house.records(Topic::In(Feed::Sensors));
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].key.as_slice(), records[0].partition), (&b"casablanca"[..], partition_of(b"casablanca", PARTITIONS)));
    assert_eq!(records[0].header("midan-source"), Some("cas-cameras"));
    assert_eq!(records[0].header("content-type"), Some(sensors::axis_push::FORMAT.media_types[0]));
    assert!(records[0].header("midan-received").is_some());
    house.balance();
}

#[test]
fn who_is_not_known_or_sends_what_nobody_can_read_hears_why() {
    let house = house(&hooks());
    let axis = &sensors::axis_push::FORMAT;
    assert_eq!(house.post("/v1/feeds/casablanca/cas-cameras", &[], axis.sample).0, 401);
    assert_eq!(house.post("/v1/feeds/casablanca/nobody", &[("authorization", "Bearer 0123456789abcdef")], axis.sample).0, 404);
    assert_eq!(house.send("cas-cameras", axis, &vec![b' '; 30_000]).0, 413);
    let (status, answer) = house.send("cas-cameras", axis, b"{\"apiName\":");
    assert!(status == 422 && answer.contains("malformed"), "{answer}");
    assert!(house.send("cas-cameras", axis, "[".repeat(60).as_bytes()).1.contains("deeper"));
    assert!(house.records(Topic::In(Feed::Sensors)).is_empty());
    assert_eq!(house.door.ledger().sums()["cas-cameras"].refused, 2);
    house.balance();
}

#[test]
fn a_planted_ticket_reaches_no_topic() {
    let house = house(&hooks());
    let pretix = &ticketing::pretix::FORMAT;
    let stray = String::from_utf8(pretix.sample.to_vec()).unwrap().replace("\"gate\":5", "\"gate\":6").replace("\"device\":7", "\"device\":8");
    let neutral = br#"{"type":"scan","scan_id":"planted-scan","venue":"casablanca","gate":"g1","result":"ok","event_time":1907863204250,"ticket":"planted-ticket","device":"planted-device","visitor":"planted-visitor"}"#;
    let broken = br#"{"type":"scan","scan_id":"planted-scan","venue":"casablanca","ticket":"planted-ticket","result":"planted-word"}"#;
    assert_eq!(house.send("cas-tickets", pretix, pretix.sample).0, 200);
    assert_eq!(house.send("cas-tickets", &ticketing::scan::FORMAT, neutral).0, 200);
    let answers = [house.send("cas-tickets", pretix, stray.as_bytes()).1, house.send("cas-tickets", &ticketing::scan::FORMAT, broken).1];
    let mut seen: Vec<String> = answers.to_vec();
    for topic in Topic::all() {
        for record in house.records(topic) {
            seen.push(format!(
                "{:?} {:?} {:?}",
                String::from_utf8_lossy(&record.key),
                record.value.map(|value| String::from_utf8_lossy(&value).into_owned()),
                record.headers
            ));
        }
    }
    assert_eq!(house.records(Topic::In(Feed::Ticketing)).len(), 2);
    for planted in ["planted-", "z3fsn8jyufm5kpk768q69gkbyr5f4h6w", "Peter", "ABC12"] {
        assert!(seen.iter().all(|text| !text.contains(planted)), "{planted} in {seen:#?}");
    }
    house.balance();
}

#[test]
fn a_sender_that_is_too_quick_is_told_when_to_come_again() {
    let house = house(&hooks().replace("burst = 1000", "burst = 2").replace("rate_per_s = 1000", "rate_per_s = 0.5"));
    let send = || house.send("cas-cameras", &sensors::axis_push::FORMAT, sensors::axis_push::FORMAT.sample);
    assert_eq!((send().0, send().0), (200, 200));
    let (status, answer) = send();
    assert!(status == 429 && answer.contains("retry-after: 2"), "{answer}");
    house.balance();
}

/// A server of one frame with an ETag; notes what it was asked.
fn frames(body: Vec<u8>, broken_first: bool) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/frames", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut head = String::new();
            while let Some(Ok(line)) = lines.next().filter(|line| line.as_ref().is_ok_and(|line| !line.is_empty())) {
                head.push_str(&line.to_lowercase());
                head.push(' ');
            }
            let known = head.contains("if-none-match: \"v1\"");
            noted.lock().unwrap().push(head);
            let _ = match (broken_first && n == 0, known) {
                (true, _) => write!(stream, "HTTP/1.1 500 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
                (false, true) => write!(stream, "HTTP/1.1 304 X\r\nconnection: close\r\n\r\n"),
                (false, false) => write!(
                    stream,
                    "HTTP/1.1 200 X\r\netag: \"v1\"\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                )
                .and_then(|()| stream.write_all(&body)),
            };
        }
    });
    (url, asked)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_polled_frame_of_a_network_is_written_once_to_each_venue() {
    let (url, asked) = frames(transport::gtfs_realtime::FORMAT.sample.to_vec(), true);
    let house = house(&format!("[[polls]]\nurl = \"{url}\"\nsource = \"rail\"\nevery = \"20ms\"\nlongest_pause = \"50ms\"\n"));
    until("asked again with the ETag", || asked.lock().unwrap().len() >= 4);
    let records = house.records(Topic::In(Feed::Transport));
    let mut venues: Vec<&[u8]> =
        records.iter().filter(|record| record.header("content-type") == Some("application/x-protobuf")).map(|record| record.key.as_slice()).collect();
    venues.sort_unstable();
    assert_eq!(venues, [&b"casablanca"[..], b"rabat"]);
    let sums = house.door.ledger().sums()["rail"];
    assert_eq!((sums.written, sums.records), (1, 2));
    house.balance();
}

#[test]
fn files_are_read_line_by_line_and_what_is_broken_goes_to_quarantine_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let count = |n: u32| format!(r#"{{"type":"count","sensor":"cas-c-walk-n","venue":"casablanca","from":1907863200000,"to":1907863210000,"in":{n}}}"#);
    std::fs::write(folder.path().join("1.ndjson"), format!("{}\nnonsense\n\n{}\n", count(1), count(2))).unwrap();
    let settings = format!("[[files]]\npath = {:?}\nsource = \"cas-cameras\"\nvenue = \"casablanca\"\nlines = true\nevery = \"20ms\"\n", folder.path());
    let house = house(&settings);
    until("the file is read", || house.records(Topic::In(Feed::Sensors)).len() == 2);
    let refused = house.records(Topic::Out(OutTopic::Quarantine));
    assert_eq!((refused.len(), refused[0].header("midan-position")), (1, Some("file/1.ndjson/2")));
    assert!(!String::from_utf8_lossy(refused[0].value.as_deref().unwrap()).contains("nonsense"));
    let next = folder.path().join("2.ndjson");
    std::fs::write(folder.path().join(".2"), format!("{}\n", count(3))).unwrap();
    std::fs::rename(folder.path().join(".2"), &next).unwrap();
    until("the next file is read", || house.records(Topic::In(Feed::Sensors)).len() == 3);
    std::fs::File::options().append(true).open(&next).unwrap().write_all(format!("{}\n", count(4)).as_bytes()).unwrap();
    until("what is added is read, and what was read before once more", || house.records(Topic::In(Feed::Sensors)).len() == 5);
    house.balance();
    house.door.close();
}

/// One count of the sensor, told apart by its minute.
fn minute(n: i64) -> String {
    let at = |n: i64| chrono::DateTime::from_timestamp(1_907_780_400 + 60 * n, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let sample = std::str::from_utf8(sensors::axis_push::FORMAT.sample).unwrap();
    // The end first: the start of one minute is the end of another.
    sample.replace("2030-06-15T19:01:00Z", &at(n + 1)).replace("2030-06-15T19:00:00Z", &at(n))
}

#[test]
fn a_foreign_topic_loses_nothing_over_restart_and_rebalance_and_repeats_have_one_identity() {
    use midan::feeds::{Attributes, Item, RecordRef};
    use midan::kafka::{KafkaFeeder, KafkaTail};
    use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
    use rdkafka::config::ClientConfig;
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
    use std::collections::BTreeSet;

    const COUNTS: i64 = 600;
    let Some(broker) = crate::kafka_broker::broker() else { return };
    let (settings, _) = broker.topics(PARTITIONS);
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &broker.address);
    let vendor = format!("{}vendor", settings.prefix);
    let admin: AdminClient<_> = client.create().unwrap();
    let topic = NewTopic::new(&vendor, 5, TopicReplication::Fixed(1));
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(admin.create_topics([&topic], &AdminOptions::new())).unwrap();
    let producer: BaseProducer = client.create().unwrap();
    let produce = |numbers: std::ops::Range<i64>| {
        for n in numbers {
            let (key, value) = (format!("device-{}", n % 17), minute(n));
            producer.send(BaseRecord::to(&vendor).key(&key).payload(&value)).unwrap();
        }
        producer.send(BaseRecord::to(&vendor).key("x").payload("nonsense")).unwrap();
        producer.flush(Duration::from_secs(30)).unwrap();
    };
    let telemetry = Telemetry::new().unwrap();
    let door = || {
        let text = format!(
            "[[topics]]\ntopic = \"{vendor}\"\nsource = \"cas-cameras\"\nvenue = \"casablanca\"\ngroup = \"{vendor}\"\nproperties = {{ \"session.timeout.ms\" = \"6000\" }}\n"
        );
        let cluster = Cluster { bootstrap_servers: broker.address.clone(), ..Cluster::default() };
        let mut world = (*world()).clone();
        for source in world.venues.iter_mut().flat_map(|venue| &mut venue.sources) {
            source.format = (source.feed == Feed::Sensors).then(|| "axis_push".into());
        }
        let feeder = Box::new(KafkaFeeder::new(&settings).unwrap());
        Door::open(Arc::new(world), DoorSettings::parse(&text).unwrap(), feeder, Arc::clone(&telemetry), &cluster).unwrap()
    };
    let written = || {
        let mut tail = KafkaTail::new(&settings, &[Topic::In(Feed::Sensors)], Since::Beginning).unwrap();
        let (mut records, mut quiet) = (Vec::new(), 0);
        while quiet < 3 {
            tail.poll(10_000, Duration::from_millis(200), &mut records).unwrap();
            quiet = if tail.at_end() { quiet + 1 } else { 0 };
        }
        records
    };
    produce(0..COUNTS / 2);
    let first = door();
    until("some are read", || first.ledger().sums().get("cas-cameras").is_some_and(|sums| sums.written > 20));
    let second = door();
    produce(COUNTS / 2..COUNTS);
    first.close();
    let third = door();
    let world = world();
    let mut identities = BTreeSet::new();
    until("all are there", || {
        identities.clear();
        for record in written() {
            let read = RecordRef {
                feed: Feed::Sensors,
                partition: 0,
                offset: 0,
                appended: None,
                received: Some(1),
                key: Some(&record.key),
                value: record.value.as_deref().unwrap(),
                source: Some("cas-cameras"),
                format: Some(sensors::axis_push::FORMAT.media_types[0]),
                cloud_event: None,
                attributes: Attributes::NONE,
            };
            midan::feeds::decode(&read, &world, &mut |item| {
                if let Item::Observation(seen) = item {
                    identities.insert((seen.identity, seen.content));
                }
            })
            .unwrap();
        }
        identities.len() as i64 >= COUNTS
    });
    assert_eq!(identities.len() as i64, COUNTS);
    for door in [second, third] {
        for (source, sums) in door.ledger().sums() {
            assert!(sums.imbalance() >= 0, "{source}: {sums:?}");
        }
        door.close();
    }
    // Both clocks are this machine's.
    let metrics = telemetry.render();
    let ahead = metrics.lines().find_map(|line| line.strip_prefix("midan_door_clock_ahead_seconds ")).and_then(|ahead| ahead.parse::<f64>().ok());
    assert!(ahead.is_some_and(|ahead| (-1.0..15.0).contains(&ahead)), "{ahead:?}");
}

/// Payloads a second and added latency of webhooks on the embedded log: `cargo test --profile ci --test it -- --ignored --nocapture measure_the_door`.
#[test]
#[ignore = "a measurement, not a check"]
fn measure_the_door() {
    const SENDERS: usize = 4;
    const EACH: i64 = 2_000;
    let house = house(&hooks().replace("rate_per_s = 1000", "rate_per_s = 1000000").replace("burst = 1000", "burst = 1000000"));
    let address = house.door.listens_on().unwrap();
    let began = Instant::now();
    let mut latencies: Vec<Duration> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS as i64)
            .map(|sender| {
                scope.spawn(move || {
                    let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
                    stream.get_ref().set_nodelay(true).unwrap();
                    let mut taken = Vec::new();
                    for n in 0..EACH {
                        let body = minute(sender * EACH + n);
                        let began = Instant::now();
                        let head = format!("POST /v1/feeds/casablanca/cas-cameras HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: application/vnd.axis.retail-data+json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                        stream.get_mut().write_all(head.as_bytes()).unwrap();
                        let (mut line, mut length) = (String::new(), 0);
                        while stream.read_line(&mut line).unwrap() > 2 {
                            if let Some(size) = line.to_lowercase().strip_prefix("content-length: ") {
                                length = size.trim().parse().unwrap();
                            }
                            line.clear();
                        }
                        let mut body = vec![0; length];
                        stream.read_exact(&mut body).unwrap();
                        taken.push(began.elapsed());
                    }
                    taken
                })
            })
            .collect();
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |share: f64| latencies[(share * (latencies.len() - 1) as f64) as usize].as_secs_f64() * 1_000.0;
    println!("{:.0} payloads/s from {SENDERS} senders; added latency p50 {:.1} ms, p99 {:.1} ms", latencies.len() as f64 / seconds, at(0.5), at(0.99));
    assert_eq!(house.records(Topic::In(Feed::Sensors)).len(), latencies.len());
    house.balance();
}
