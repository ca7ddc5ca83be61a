//! A partition changes hands on a real Kafka: cleanly, and from a member that was killed in the middle of a transaction.

use crate::kafka_broker::{broker, now, rest};
use crate::tally::{Tally, feed_night};
use midan::engine::StateChange;
use midan::kafka::status::group_status;
use midan::kafka::{KafkaFeeder, KafkaShard, Settings};
use midan::log::{Event, Inbox, OWNER_KEY, Offsets, ShardLog};
use midan::shard::{self, Mode, NoModels, Watch, run};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const CHILD: &str = "MIDAN_TEST_DYING_CHILD";

/// Notes when what happened.
struct Notes {
    began: Instant,
    lines: Mutex<Vec<(Duration, String)>>,
}

impl Notes {
    fn new() -> Self {
        Self { began: now(), lines: Mutex::default() }
    }

    fn note(&self, line: String) {
        self.lines.lock().unwrap().push((self.began.elapsed(), line));
    }

    fn at(&self, line: &str) -> Option<Duration> {
        self.lines.lock().unwrap().iter().find(|(_, noted)| noted == line).map(|(at, _)| *at)
    }

    /// Waits for a line.
    fn must_come(&self, line: &str) -> Duration {
        let deadline = now() + Duration::from_secs(60);
        while now() < deadline {
            if let Some(at) = self.at(line) {
                return at;
            }
            rest(Duration::from_millis(5));
        }
        panic!("{line:?} never came: {:?}", self.lines.lock().unwrap());
    }
}

impl Watch for Notes {
    fn restored(&self, partition: u32, _entries: u64, _took: Duration) {
        self.note(format!("restored {partition}"));
    }
    fn revoked(&self, partition: u32) {
        self.note(format!("revoked {partition}"));
    }
    fn fencing(&self, id: &str) {
        self.note(format!("fencing {id}"));
    }
}

fn serve(settings: &Settings, watch: &Notes, stop: &AtomicBool) {
    let how = shard::Settings { mode: Mode::Serve, commit_interval: Duration::from_millis(50), ..shard::Settings::default() };
    let mut open = || KafkaShard::join(settings, 0).map(|log| Box::new(log) as Box<dyn ShardLog>);
    run(&mut open, &mut |_| Tally::default(), &mut NoModels, &how, watch, stop).unwrap();
}

fn named(settings: &Settings, instance: &str) -> Settings {
    Settings { instance: instance.to_owned(), ..settings.clone() }
}

#[test]
fn a_clean_leave_hands_over_and_the_status_shows_who_has_what() {
    let Some(broker) = broker() else { return };
    let (settings, _) = broker.topics(2);
    feed_night(&mut KafkaFeeder::new(&settings).unwrap(), 2_000);
    let (first, second) = (Notes::new(), Notes::new());
    let (stop_first, stop_second) = (AtomicBool::new(false), AtomicBool::new(false));
    let (a, b) = (named(&settings, "a"), named(&settings, "b"));
    std::thread::scope(|scope| {
        let leaving = scope.spawn(|| serve(&a, &first, &stop_first));
        first.must_come("restored 0");
        first.must_come("restored 1");
        scope.spawn(|| serve(&b, &second, &stop_second));
        // What does not move stays where it is.
        let moved = first.must_come_any(&["revoked 0", "revoked 1"]) as u32;
        second.must_come(&format!("restored {moved}"));
        let status = group_status(&settings).unwrap();
        let held: Vec<(&str, &[u32])> = status.members.iter().map(|member| (member.client.as_str(), member.partitions.as_slice())).collect();
        assert_eq!(held, [("midan-a-0", &[1 - moved][..]), ("midan-b-0", &[moved][..])]);
        assert!(status.partitions.iter().all(|partition| partition.owner.is_some()), "{:?}", status.partitions);
        let left = second.began.elapsed();
        stop_first.store(true, Ordering::Relaxed);
        leaving.join().unwrap();
        let taken = second.must_come(&format!("restored {}", 1 - moved));
        println!("a clean leave: taken over after {:.2} s", (taken - left).as_secs_f64());
        stop_second.store(true, Ordering::Relaxed);
    });
}

impl Notes {
    /// Waits for one of these lines, and answers which.
    fn must_come_any(&self, lines: &[&str]) -> usize {
        let deadline = now() + Duration::from_secs(60);
        while now() < deadline {
            if let Some(which) = lines.iter().position(|line| self.at(line).is_some()) {
                return which;
            }
            rest(Duration::from_millis(5));
        }
        panic!("none of {lines:?} came");
    }
}

/// reactor/reactor-kafka#349: a crash blocks everybody who reads committed records until its transaction times out. Here the heir ends it.
#[test]
fn reactor_kafka_349_the_heir_of_a_killed_shard_ends_its_open_transaction() {
    let Some(broker) = broker() else { return };
    let (settings, _) = broker.topics(1);
    let mut child = spawn_child(&named(&settings, "dying"));
    let heir = Notes::new();
    let stop = AtomicBool::new(false);
    let living = named(&settings, "living");
    std::thread::scope(|scope| {
        scope.spawn(|| serve(&living, &heir, &stop));
        // Long enough to be a member in waiting.
        rest(Duration::from_millis(1_500));
        let killed = heir.began.elapsed();
        child.kill().unwrap();
        child.wait().unwrap();
        let fenced = heir.must_come(&format!("fencing {}", named(&settings, "dying").transactional_id(0)));
        let taken = heir.must_come("restored 0");
        println!(
            "killed in a transaction: fenced after {:.2} s, taken over after {:.2} s; the session time-out is 1.5 s, that of the transaction 10 s",
            (fenced - killed).as_secs_f64(),
            (taken - killed).as_secs_f64()
        );
        stop.store(true, Ordering::Relaxed);
    });
}

#[allow(clippy::disallowed_methods, reason = "a test starts itself again as a child that can be killed")]
fn spawn_child(settings: &Settings) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "handover_on_kafka::a_child_that_dies_in_a_transaction", "--ignored", "--nocapture"])
        .env(CHILD, format!("{} {} {} {}", settings.brokers, settings.group, settings.prefix, settings.instance))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains("in a transaction")), "the child has ended");
    child
}

#[test]
#[ignore = "runs as a child of the_heir_of_a_killed_shard"]
#[allow(clippy::disallowed_methods, reason = "its parent tells it by the environment where to go")]
fn a_child_that_dies_in_a_transaction() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let told: Vec<&str> = told.split(' ').collect();
    let mut settings = Settings::new(told[0], told[1], told[3]);
    settings.prefix = told[2].to_owned();
    settings.properties.insert("session.timeout.ms".into(), "1500".into());
    settings.properties.insert("heartbeat.interval.ms".into(), "300".into());
    let mut log = KafkaShard::join(&settings, 0).unwrap();
    let mut inbox = Inbox::default();
    while !inbox.events.iter().any(|event| matches!(event, Event::Assigned(_))) {
        log.poll(10, Duration::from_millis(50), &mut inbox).unwrap();
    }
    let from = log.unread(0).unwrap();
    log.start(&from).unwrap();
    let mark = format!(r#"{{"v":1,"id":"{}","alerts":0,"settled":[]}}"#, log.id());
    log.begin().unwrap();
    log.append_state(0, &StateChange { key: OWNER_KEY.to_vec(), value: Some(mark.into_bytes()) }).unwrap();
    log.commit(&Offsets::new()).unwrap();
    log.begin().unwrap();
    log.append_state(0, &StateChange { key: b"x".to_vec(), value: Some(b"never".to_vec()) }).unwrap();
    rest(Duration::from_millis(500));
    println!("in a transaction");
    loop {
        log.poll(10, Duration::from_millis(50), &mut inbox).unwrap();
    }
}
