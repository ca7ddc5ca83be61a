//! A group that is deleted, renamed or forgotten: the state says where it stands, so nothing is read twice, and readers believe what its alarms say from then on.

use crate::hooked_log::{Hand, HookedLog};
use crate::kafka_broker::{broker, now, rest};
use midan::engine::{Alert, Control, Effects, OutTopic, StateChange};
use midan::feeds::Batch;
use midan::kafka::{KafkaAdmin, KafkaFeeder, KafkaShard, KafkaTail, Settings};
use midan::log::embedded::{EmbeddedLog, Faults, Options, Retention};
use midan::log::{
    Answer, Event, Feeder, Freshest, InRecord, Inbox, LogError, OWNER_KEY, Offsets, Place, Plan, ShardLog, Sighting, Since, Tail, Topic, TopicAdmin,
};
use midan::shard::{self, Core, Disagreement, Mode, NoModels, Watch, run};
use midan::venue::Feed;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One alarm that changes with every record.
#[derive(Default)]
struct Counting {
    records: u32,
    dirty: bool,
}

impl Core for Counting {
    fn step(&mut self, batch: &Batch, _controls: &[Control]) -> Effects {
        let mut effects = Effects::default();
        for _ in batch.iter().filter(|record| record.feed == Feed::Sensors) {
            (self.dirty, self.records) = (true, self.records + 1);
            // Every third hangs on a commit: both ways out carry the term.
            let after_commit = self.records.is_multiple_of(3);
            effects.alerts.push(Alert { key: b"alarm".to_vec(), change_no: self.records, value: self.records.to_string().into_bytes(), after_commit });
        }
        effects
    }

    fn take_state_changes(&mut self) -> Vec<StateChange> {
        let changed = std::mem::take(&mut self.dirty);
        changed.then(|| StateChange { key: b"records".to_vec(), value: Some(self.records.to_string().into_bytes()) }).into_iter().collect()
    }

    fn committed(&mut self) {}

    fn restore(&mut self, _key: &[u8], value: &[u8]) -> Result<(), String> {
        self.records = std::str::from_utf8(value).unwrap().parse().unwrap();
        Ok(())
    }

    fn restored(&mut self) -> Result<(), String> {
        Ok(())
    }
}

#[derive(Default)]
struct Told {
    disagreements: Mutex<Vec<(Place, Disagreement)>>,
    fenced: Mutex<Vec<String>>,
    at_work: Mutex<Vec<String>>,
}

impl Watch for Told {
    fn fencing(&self, id: &str) {
        self.fenced.lock().unwrap().push(id.to_owned());
    }

    fn group_at_work(&self, _partition: u32, group: &str) {
        self.at_work.lock().unwrap().push(group.to_owned());
    }

    fn disagrees(&self, place: Place, what: Disagreement) {
        self.disagreements.lock().unwrap().push((place, what));
    }
}

impl Told {
    fn of(&self, feed: Feed) -> Vec<Disagreement> {
        self.disagreements.lock().unwrap().iter().filter(|(place, _)| place.feed == feed).map(|(_, what)| *what).collect()
    }
}

fn send(feeder: &mut dyn Feeder, count: usize) {
    for _ in 0..count {
        feeder.send(&InRecord::new(Feed::Sensors, b"rabat", b"{}")).unwrap();
    }
    feeder.flush().unwrap();
}

fn to_end<'a>(open: impl FnMut() -> Result<Box<dyn ShardLog + 'a>, LogError> + 'a) -> (u64, Told) {
    let told = Told::default();
    (run_to_end(open, &told), told)
}

/// How many records it read.
fn run_to_end<'a>(mut open: impl FnMut() -> Result<Box<dyn ShardLog + 'a>, LogError> + 'a, told: &Told) -> u64 {
    let settings = shard::Settings { mode: Mode::ToEnd, poll_records: 7, commit_interval: Duration::from_millis(2), ..shard::Settings::default() };
    run(&mut open, &mut |_| Counting::default(), &mut NoModels, &settings, told, &AtomicBool::new(false)).unwrap().stats.records
}

/// What readers show: the change numbers, in their order. None may be stale.
fn shown(tail: &mut dyn Tail) -> Vec<String> {
    let (mut readers, mut records, mut shown) = (Freshest::default(), Vec::new(), Vec::new());
    let deadline = now() + Duration::from_secs(30);
    while !tail.at_end() && now() < deadline {
        tail.poll(1_000, Duration::from_millis(100), &mut records).unwrap();
    }
    for record in records {
        match readers.take(&record) {
            Sighting::Fresh => shown.push(String::from_utf8(record.value.unwrap()).unwrap()),
            Sighting::Stale => panic!("{record:?} is taken for a sleeper's"),
            Sighting::Repeat | Sighting::Other => {}
        }
    }
    shown
}

fn numbers(to: usize) -> Vec<String> {
    (1..=to).map(|number| number.to_string()).collect()
}

#[test]
fn a_group_that_is_renamed_while_an_alarm_stands_reads_nothing_twice_and_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { retention: Retention::Keep, ..Options::new(folder.path(), 1) };
    let log = EmbeddedLog::open(options).unwrap();
    let life = |group: &'static str| to_end(|| Ok(Box::new(log.member(group, Faults::none())) as Box<dyn ShardLog>));
    for _ in 0..5 {
        send(&mut log.feeder(), 20);
        let (records, told) = life("first");
        assert_eq!((records, told.of(Feed::Sensors)), (20, vec![]));
    }
    send(&mut log.feeder(), 20);
    let (records, told) = life("second");
    assert_eq!((records, told.of(Feed::Sensors)), (20, vec![Disagreement::Group { state: 100, group: None }]));
    for _ in 0..2 {
        send(&mut log.feeder(), 20);
        assert_eq!(life("second").0, 20);
    }
    // The first group is not there for its old offsets either.
    send(&mut log.feeder(), 20);
    let (records, told) = life("first");
    assert_eq!((records, told.of(Feed::Sensors)), (20, vec![Disagreement::Group { state: 160, group: Some(100) }]));
    assert_eq!(shown(&mut log.tail(&[Topic::Out(OutTopic::Alerts)], Since::Beginning)), numbers(180));
}

#[test]
fn an_owner_at_work_in_another_group_is_not_fenced_however_long_its_transactions_are_open() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Options { retention: Retention::Keep, ..Options::new(folder.path(), 1) }).unwrap();
    send(&mut log.feeder(), 20);
    assert_eq!(to_end(|| Ok(Box::new(log.member("old", Faults::none())) as Box<dyn ShardLog>)).0, 20);
    let (hand, told) = (Hand::default(), Told::default());
    hand.blocked.store(5, Ordering::Relaxed);
    let member = log.member("old", Faults::none());
    send(&mut log.feeder(), 3);
    let records = std::thread::scope(|scope| {
        let heir = scope.spawn(|| run_to_end(|| Ok(Box::new(HookedLog::new(log.member("new", Faults::none()), &hand)) as Box<dyn ShardLog>), &told));
        let deadline = now() + Duration::from_secs(60);
        while told.at_work.lock().unwrap().is_empty() && now() < deadline {
            rest(Duration::from_millis(5));
        }
        rest(Duration::from_secs(3));
        assert_eq!(*told.fenced.lock().unwrap(), Vec::<String>::new());
        drop(member);
        heir.join().unwrap()
    });
    assert_eq!(records, 3);
    assert!(!told.fenced.lock().unwrap().is_empty(), "once its group was empty");
}

/// Notes what stands of the first partition when the second is restored.
struct Marks<'a>(&'a EmbeddedLog, Mutex<Vec<(u32, i64)>>);

impl Watch for Marks<'_> {
    fn restored(&self, partition: u32, _entries: u64, _took: Duration) {
        self.1.lock().unwrap().push((partition, self.0.end(Topic::Out(OutTopic::State), 1 - partition)));
    }
}

#[test]
fn the_mark_of_a_partition_stands_before_the_next_one_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Options::new(folder.path(), 2)).unwrap();
    let settings = shard::Settings { mode: Mode::ToEnd, ..shard::Settings::default() };
    let mut open = || Ok(Box::new(log.member("night", Faults::none())) as Box<dyn ShardLog>);
    let marks = Marks(&log, Mutex::default());
    drop(log.feeder());
    run(&mut open, &mut |_| Counting::default(), &mut NoModels, &settings, &marks, &AtomicBool::new(false)).unwrap();
    assert_eq!(*marks.1.lock().unwrap(), [(0, 0), (1, 1)]);
}

#[test]
fn a_run_to_the_end_of_a_log_that_ends_before_the_state_says_so_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Options { retention: Retention::Keep, ..Options::new(folder.path(), 1) }).unwrap();
    send(&mut log.feeder(), 20);
    let mut gone = log.member_of("night", &[0], Faults::none());
    let mark = r#"{"v":2,"id":"gone","group":"night","generation":1,"alerts":0,"settled":[],"next":{"transport":0,"ticketing":0,"sensors":50,"commands":0}}"#;
    gone.begin().unwrap();
    gone.append_state(0, &StateChange { key: OWNER_KEY.to_vec(), value: Some(mark.into()) }).unwrap();
    gone.commit(&Offsets::new()).unwrap();
    drop(gone);
    let settings = shard::Settings { mode: Mode::ToEnd, retry_pause: Duration::from_millis(1), ..shard::Settings::default() };
    let mut open = || Ok(Box::new(log.member("night", Faults::none())) as Box<dyn ShardLog>);
    let told = Told::default();
    let Err(error) = run(&mut open, &mut |_| Counting::default(), &mut NoModels, &settings, &told, &AtomicBool::new(false)) else { panic!("it ended well") };
    assert!(error.to_string().contains("feeds.sensors[0]: the state has read up to 50, and the log ends at 20"), "{error}");
    assert_eq!(error.answer(), Answer::Stop);
    assert_eq!(told.of(Feed::Sensors), [Disagreement::CutShort { state: 50, end: 20 }]);
}

#[test]
fn a_group_that_is_deleted_on_kafka_while_an_alarm_stands_reads_nothing_twice_and_is_believed() {
    let Some(broker) = broker() else { return };
    let (settings, _) = broker.topics(1);
    let life = || {
        send(&mut KafkaFeeder::new(&settings).unwrap(), 20);
        to_end(|| KafkaShard::join(&settings, 0).map(|log| Box::new(log) as Box<dyn ShardLog>))
    };
    for _ in 0..3 {
        assert_eq!(life().0, 20);
    }
    delete_group(&settings.brokers, &settings.group);
    let (records, told) = life();
    assert_eq!(records, 20, "what the state contains was read again");
    // Markers of the alerts' and states' transactions stand in other topics: the offsets of an input are its records.
    assert_eq!(told.of(Feed::Sensors), [Disagreement::Group { state: 60, group: None }]);
    let (records, told) = life();
    assert_eq!((records, told.of(Feed::Sensors)), (20, vec![]));
    let mut tail = KafkaTail::new(&settings, &[Topic::Out(OutTopic::Alerts)], Since::Beginning).unwrap();
    assert_eq!(shown(&mut tail), numbers(100));
}

#[test]
fn a_group_of_another_name_is_waited_for_while_it_has_members_and_whoever_wrote_last_is_fenced() {
    let Some(broker) = broker() else { return };
    let (settings, _) = broker.topics(1);
    let named = |group: &str, instance: &str| Settings { group: format!("{}{group}", settings.prefix), instance: instance.to_owned(), ..settings.clone() };
    let (mut old, new) = (named("old", "a"), named("new", "b"));
    // One that does not poll any more leaves its group after two seconds, and keeps its producer.
    old.properties.insert("max.poll.interval.ms".into(), "2000".into());
    send(&mut KafkaFeeder::new(&settings).unwrap(), 20);
    let mut sleeper = KafkaShard::join(&old, 0).unwrap();
    let mut inbox = Inbox::default();
    while !inbox.events.iter().any(|event| matches!(event, Event::Assigned(_))) {
        sleeper.poll(10, Duration::from_millis(50), &mut inbox).unwrap();
    }
    sleeper.start(&Feed::ALL.map(|feed| (Place { feed, partition: 0 }, 0)).into()).unwrap();
    let mark = format!(
        r#"{{"v":2,"id":"{}","group":"{}","generation":1,"alerts":0,"settled":[],"next":{{"transport":0,"ticketing":0,"sensors":5,"commands":0}}}}"#,
        sleeper.id(),
        sleeper.group()
    );
    let commit = |sleeper: &mut KafkaShard, records: &str| {
        sleeper.begin()?;
        for (key, value) in [(OWNER_KEY, mark.as_bytes()), (b"records", records.as_bytes())] {
            sleeper.append_state(0, &StateChange { key: key.to_vec(), value: Some(value.to_vec()) })?;
        }
        sleeper.commit(&Offsets::new())
    };
    commit(&mut sleeper, "5").unwrap();
    let told = Told::default();
    let records = std::thread::scope(|scope| {
        let heir = scope.spawn(|| run_to_end(|| KafkaShard::join(&new, 0).map(|log| Box::new(log) as Box<dyn ShardLog>), &told));
        let deadline = now() + Duration::from_secs(60);
        while told.at_work.lock().unwrap().is_empty() && now() < deadline {
            sleeper.poll(10, Duration::from_millis(50), &mut inbox).unwrap();
        }
        // From here on it does not poll any more.
        heir.join().unwrap()
    });
    assert_eq!(records, 15);
    assert_eq!(*told.at_work.lock().unwrap(), [old.group.as_str()], "it was waited for, and told once");
    assert_eq!(*told.fenced.lock().unwrap(), [old.transactional_id(0)]);
    let refused = commit(&mut sleeper, "999").unwrap_err();
    assert_eq!(refused.answer(), Answer::Rebuild, "{refused}");
    send(&mut KafkaFeeder::new(&settings).unwrap(), 1);
    let (records, _) = to_end(|| KafkaShard::join(&new, 0).map(|log| Box::new(log) as Box<dyn ShardLog>));
    assert_eq!(records, 1);
    let mut tail = KafkaTail::new(&settings, &[Topic::Out(OutTopic::Alerts)], Since::Beginning).unwrap();
    assert_eq!(shown(&mut tail), numbers(21)[5..]);
}

#[test]
fn inputs_that_are_all_made_anew_are_no_forgotten_group_and_are_read_from_their_beginning() {
    let Some(broker) = broker() else { return };
    let (settings, plan) = broker.topics(1);
    let life = || to_end(|| KafkaShard::join(&settings, 0).map(|log| Box::new(log) as Box<dyn ShardLog>));
    send(&mut KafkaFeeder::new(&settings).unwrap(), 20);
    assert_eq!(life().0, 20);
    delete_group(&settings.brokers, &settings.group);
    make_inputs_anew(&settings, &plan);
    // Further than the old ones had come.
    send(&mut KafkaFeeder::new(&settings).unwrap(), 30);
    let (records, told) = life();
    assert_eq!(records, 30);
    assert_eq!(told.of(Feed::Sensors), [Disagreement::Anew { state: 20 }]);
    send(&mut KafkaFeeder::new(&settings).unwrap(), 5);
    let (records, told) = life();
    assert_eq!((records, told.of(Feed::Sensors)), (5, vec![]));
}

#[test]
fn a_topic_that_is_made_anew_under_a_shard_at_work_is_noticed() {
    let Some(broker) = broker() else { return };
    let (settings, plan) = broker.topics(1);
    let mut shard = KafkaShard::join(&settings, 0).unwrap();
    let mut inbox = Inbox::default();
    while !inbox.events.iter().any(|event| matches!(event, Event::Assigned(_))) {
        shard.poll(10, Duration::from_millis(50), &mut inbox).unwrap();
    }
    assert_eq!(shard.identities().unwrap().len(), Feed::ALL.len());
    shard.start(&Feed::ALL.map(|feed| (Place { feed, partition: 0 }, 0)).into()).unwrap();
    make_inputs_anew(&settings, &plan);
    // Reading goes on, at the offset of the old one, without a word of the client.
    let deadline = now() + Duration::from_secs(60);
    let error = loop {
        assert!(now() < deadline, "nobody noticed");
        match shard.poll(10, Duration::from_millis(50), &mut inbox) {
            Err(error) if error.answer() != Answer::Retry => break error.to_string(),
            _ => {}
        }
    };
    // Where the client looks in the very moment between it sees none, which ends the shard as well.
    assert!(error.contains("was made anew") || error.contains("does not exist"), "{error}");
}

fn make_inputs_anew(settings: &Settings, plan: &Plan) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", &settings.brokers).create().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let names = Feed::ALL.map(|feed| settings.name(Topic::In(feed)));
    let answers = runtime.block_on(admin.delete_topics(&names.each_ref().map(String::as_str), &AdminOptions::new())).unwrap();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    // It makes what is missing, and the old ones are listed for a moment still.
    let (admin, deadline, mut made) = (KafkaAdmin::new(settings).unwrap(), now() + Duration::from_secs(20), 0);
    while made < names.len() {
        assert!(now() < deadline, "{made} of the inputs were made anew");
        made += admin.create(plan).map_or(0, |topics| topics.len());
        rest(Duration::from_millis(50));
    }
}

fn delete_group(brokers: &str, group: &str) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let deadline = now() + Duration::from_secs(20);
    loop {
        // It has members for as long as the last one is on its way out.
        let answers = runtime.block_on(admin.delete_groups(&[group], &AdminOptions::new())).unwrap();
        if answers.iter().all(Result::is_ok) {
            return;
        }
        assert!(now() < deadline, "{answers:?}");
        rest(Duration::from_millis(100));
    }
}
