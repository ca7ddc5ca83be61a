//! Promises of the shard's loop that need a hand in the log to be broken: alerts that must be made again, alerts that leave during a commit, places that fall silent.

use crate::hooked_log::{Hand, HookedLog};
use crate::kafka_broker::{now, rest};
use crate::tally::Tally;
use midan::engine::{Alert, Control, Effects, StateChange};
use midan::feeds::Batch;
use midan::inference::ask::Ticket;
use midan::inference::{Answer, Ask, Outcome};
use midan::log::embedded::{EmbeddedLog, Faults, Options};
use midan::log::{CHANGE_HEADER, Feeder, InRecord, LogError, Place, ShardLog, Since, Tail, TailRecord, Topic};
use midan::shard::{Around, Core, MachineClock, Mode, Models, NoModels, Settings, Shard, Stats, Unwatched, Watch, run};
use midan::time::EventTime;
use midan::venue::{Feed, VenueId};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ALERTS: Topic = Topic::Out(midan::engine::OutTopic::Alerts);

/// Alerts on every sensor record until a command says otherwise: what an operator takes out of service.
#[derive(Default)]
pub(crate) struct Siren {
    records: u64,
    muted: bool,
    dirty: bool,
}

impl Core for Siren {
    fn step(&mut self, batch: &Batch, _controls: &[Control]) -> Effects {
        let mut effects = Effects::default();
        for record in batch.iter() {
            self.dirty = true;
            if record.feed == Feed::Commands {
                self.muted = true;
                continue;
            }
            self.records += 1;
            if !self.muted {
                let key = format!("alarm-{}", self.records).into_bytes();
                effects.alerts.push(Alert { key: key.clone(), change_no: 1, value: key, after_commit: false });
            }
        }
        effects
    }

    fn take_state_changes(&mut self) -> Vec<StateChange> {
        let value = Some(format!("{} {}", self.records, self.muted).into_bytes());
        std::mem::take(&mut self.dirty).then_some(StateChange { key: b"siren".to_vec(), value }).into_iter().collect()
    }

    fn committed(&mut self) {}

    fn restore(&mut self, _key: &[u8], value: &[u8]) -> Result<(), String> {
        let (records, muted) = std::str::from_utf8(value).map_err(|why| why.to_string())?.split_once(' ').ok_or("two words")?;
        (self.records, self.muted) = (records.parse().map_err(|_| "a number")?, muted == "true");
        Ok(())
    }

    fn restored(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// Asks the models at every sensor record, and alerts with what they said.
#[derive(Default)]
struct Asking(Siren);

impl Core for Asking {
    fn step(&mut self, batch: &Batch, controls: &[Control]) -> Effects {
        let mut effects = Effects::default();
        for control in controls {
            let Control::Models(answer) = control else { continue };
            let key = format!("alarm-{}", answer.ticket.pane.as_millis()).into_bytes();
            let alert = Alert { key, change_no: 1, value: format!("{:?}", answer.flow).into_bytes(), after_commit: answer.flow == Outcome::Missed };
            effects.alerts.push(alert);
        }
        for _ in batch.iter().filter(|record| record.feed == Feed::Sensors) {
            (self.0.dirty, self.0.records) = (true, self.0.records + 1);
            let ticket = Ticket { venue: VenueId(0), pane: EventTime::from_millis(self.0.records as i64) };
            effects.asks.push(Ask { ticket, rows: 0, features: Default::default(), flow: Default::default(), calls: Default::default() });
        }
        effects
    }

    fn take_state_changes(&mut self) -> Vec<StateChange> {
        self.0.take_state_changes()
    }

    fn committed(&mut self) {}

    fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        self.0.restore(key, value)
    }

    fn restored(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// Models that are always too slow, if they are hurried.
struct Hurried;

impl Models for Hurried {
    fn run(&mut self, ask: &Ask) -> Answer {
        Answer { ticket: ask.ticket, flow: Outcome::Missed, anomaly: Outcome::Absent, by: Default::default() }
    }

    fn run_unhurried(&mut self, ask: &Ask) -> Answer {
        Quick.run(ask)
    }
}

/// Models that are always in time.
struct Quick;

impl Models for Quick {
    fn run(&mut self, ask: &Ask) -> Answer {
        Answer { ticket: ask.ticket, flow: Outcome::Ran(vec![1.0]), anomaly: Outcome::Absent, by: Default::default() }
    }
}

/// Alerts on every sensor record; the first hangs on what is not committed yet.
#[derive(Default)]
struct Hanging(Siren);

impl Core for Hanging {
    fn step(&mut self, batch: &Batch, controls: &[Control]) -> Effects {
        let mut effects = self.0.step(batch, controls);
        effects.alerts.iter_mut().for_each(|alert| alert.after_commit = alert.key == b"alarm-1");
        effects
    }

    fn take_state_changes(&mut self) -> Vec<StateChange> {
        self.0.take_state_changes()
    }

    fn committed(&mut self) {}

    fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        self.0.restore(key, value)
    }

    fn restored(&mut self) -> Result<(), String> {
        Ok(())
    }
}

#[derive(Default)]
pub(crate) struct Told(pub(crate) Mutex<Vec<String>>);

impl Watch for Told {
    fn alert_differs(&self, _partition: u32, alert: &Alert) {
        self.0.lock().unwrap().push(format!("differs {}", String::from_utf8_lossy(&alert.key)));
    }
    fn alert_not_made_again(&self, _partition: u32, alarm: &[u8], _change_no: u32) {
        self.0.lock().unwrap().push(format!("missing {}", String::from_utf8_lossy(alarm)));
    }
    fn stalled(&self, place: Place, lag: i64) {
        self.0.lock().unwrap().push(format!("stalled {place} {lag}"));
    }
}

pub(crate) fn home() -> (EmbeddedLog, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (EmbeddedLog::open(Options::new(folder.path(), 1)).unwrap(), folder)
}

pub(crate) fn record(feed: Feed, key: &[u8]) -> InRecord<'_> {
    InRecord { feed, key, value: b"{}", source: None, format: None, received: None, cloud_event: None, attributes: Default::default() }
}

pub(crate) fn send(log: &EmbeddedLog, feed: Feed, count: usize) {
    let mut feeder = log.side_feeder();
    (0..count).for_each(|_| feeder.send(&record(feed, b"rabat")).unwrap());
    feeder.flush().unwrap();
}

pub(crate) fn alerts(log: &EmbeddedLog) -> Vec<(String, u32)> {
    let (mut tail, mut seen): (_, Vec<TailRecord>) = (log.tail(&[ALERTS], Since::Beginning), Vec::new());
    tail.poll(1_000, Duration::ZERO, &mut seen).unwrap();
    seen.iter().map(|record| (String::from_utf8_lossy(&record.key).into_owned(), record.header(CHANGE_HEADER).unwrap().parse().unwrap())).collect()
}

pub(crate) fn serving(commands_on_arrival: bool) -> Settings {
    let millis = Duration::from_millis;
    Settings { mode: Mode::Serve, commit_interval: millis(5), retry_pause: millis(1), stall_patience: millis(200), commands_on_arrival, ..Settings::default() }
}

/// Serves until `done` says so.
pub(crate) fn serve<C: Core>(
    log: &EmbeddedLog,
    hand: &Hand,
    settings: &Settings,
    watch: &dyn Watch,
    make: fn(u32) -> C,
    mut done: impl FnMut() -> bool,
) -> Stats {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| {
            let mut open = || Ok(Box::new(HookedLog::new(log.member("night", Faults::none()), hand)) as Box<dyn ShardLog>);
            run(&mut open, &mut { make }, &mut Hurried, settings, watch, &stop).map(|ended| ended.stats)
        });
        let deadline = now() + Duration::from_secs(30);
        while !done() && now() < deadline {
            rest(Duration::from_millis(2));
        }
        hand.slow_commits.store(false, Ordering::Relaxed);
        stop.store(true, Ordering::Relaxed);
        serving.join().unwrap().unwrap()
    })
}

/// A shard sends three alerts and dies before the commit.
fn died_owing<C: Core>(make: fn(u32) -> C) -> (EmbeddedLog, tempfile::TempDir) {
    let (log, folder) = home();
    // The mark of the owner stands first, as it does after every take-up.
    serve(&log, &Hand::default(), &serving(true), &Unwatched, make, || log.end(Topic::Out(midan::engine::OutTopic::State), 0) > 0);
    send(&log, Feed::Sensors, 3);
    let crash = || {
        let mut faults = Faults::none();
        faults.crash_before = 1_000;
        faults
    };
    let mut open = || Ok(Box::new(log.member("night", crash())) as Box<dyn ShardLog>);
    // Late enough for the alerts to have left.
    let slowly = Settings { commit_interval: Duration::from_millis(500), ..serving(true) };
    let died = run(&mut open, &mut { make }, &mut Quick, &slowly, &Unwatched, &AtomicBool::new(false)).err();
    assert!(matches!(died, Some(LogError::Crash { .. })));
    assert_eq!(alerts(&log).len(), 3);
    (log, folder)
}

/// After that an operator speaks; then it lives again.
fn after_a_crash(commands_on_arrival: bool) -> (Stats, Vec<String>, Vec<(String, u32)>) {
    let (log, _folder) = died_owing(|_| Siren::default());
    send(&log, Feed::Commands, 1);
    send(&log, Feed::Sensors, 2);
    let told = Told::default();
    let done = || alerts(&log).len() == 5 || told.0.lock().unwrap().len() == 3;
    let stats = serve(&log, &Hand::default(), &serving(commands_on_arrival), &told, |_| Siren::default(), done);
    (stats, told.0.into_inner().unwrap(), alerts(&log))
}

#[test]
fn alerts_that_left_before_a_crash_are_made_again_before_a_later_command_takes_effect() {
    let (stats, told, alerts) = after_a_crash(true);
    assert_eq!(stats.alerts_made_again, 3);
    assert_eq!(told, Vec::<String>::new());
    // Not sent twice; the two records that were read with the command behind the alerts count as before it, since the feeds are read on until nothing is owed.
    let mut once = alerts.clone();
    once.dedup();
    assert_eq!(once, alerts);
}

type Due<'a> = Box<dyn Fn() -> bool + 'a>;
type Then<'a> = Box<dyn Fn() + 'a>;

/// A member that has released is let in again under its old name, and a coordinator that forgot a rebalance gives the same generation once more: what is under way then would still be
/// taken, though another has the partition.
#[test]
fn who_has_lost_its_partitions_gives_its_commit_up_before_it_releases_them() {
    let (log, _folder) = home();
    let hand = Hand::default();
    let state_end = || log.end(Topic::Out(midan::engine::OutTopic::State), 0);
    let mut steps: Vec<(Due<'_>, Then<'_>)> = vec![
        (
            Box::new(|| state_end() > 0),
            Box::new(|| {
                hand.slow_commits.store(true, Ordering::Relaxed);
                hand.started.store(0, Ordering::Relaxed);
                send(&log, Feed::Sensors, 3);
            }),
        ),
        (Box::new(|| hand.started.load(Ordering::Relaxed) > 0), Box::new(|| hand.lost.lock().unwrap().push(0))),
        (
            Box::new(|| !hand.released_in_commit.lock().unwrap().is_empty()),
            Box::new(|| {
                hand.slow_commits.store(false, Ordering::Relaxed);
                send(&log, Feed::Sensors, 1);
            }),
        ),
        (Box::new(|| alerts(&log).iter().any(|(alarm, _)| alarm == "alarm-4")), Box::new(|| ())),
    ];
    let done = || {
        if steps.first().is_some_and(|(is_due, _)| is_due()) {
            steps.remove(0).1();
        }
        steps.is_empty()
    };
    let stats = serve(&log, &hand, &serving(true), &Unwatched, |_| Siren::default(), done);
    assert_eq!(*hand.released_in_commit.lock().unwrap(), [false]);
    assert_eq!(stats.aborts, 1, "it is told once");
    assert_eq!(alerts(&log).len(), 4, "and all of it is done again once");
}

#[test]
fn were_the_command_not_held_back_the_shard_would_tell_that_an_alert_is_missing() {
    let (stats, told, _) = after_a_crash(false);
    assert_eq!(stats.alerts_made_again, 0);
    assert_eq!(told, ["missing alarm-1", "missing alarm-2", "missing alarm-3"]);
}

#[test]
fn what_is_owed_is_made_again_by_models_that_nobody_hurries() {
    let (log, _folder) = died_owing(|_| Asking::default());
    send(&log, Feed::Sensors, 1);
    let told = Told::default();
    let stats = serve(&log, &Hand::default(), &serving(true), &told, |_| Asking::default(), || alerts(&log).len() >= 4);
    assert_eq!((stats.alerts_made_again, told.0.into_inner().unwrap()), (3, Vec::new()));
}

#[test]
fn a_place_that_falls_silent_is_noticed_while_commands_are_kept_back_for_what_is_owed() {
    let (log, _folder) = died_owing(|_| Siren::default());
    send(&log, Feed::Commands, 1);
    let hand = Hand::default();
    hand.deaf.lock().unwrap().insert(Place { feed: Feed::Sensors, partition: 0 });
    let told = Told::default();
    // The three records were read, and the command behind them.
    let done = || {
        let (mut tail, mut seen): (_, Vec<TailRecord>) = (log.tail(&[Topic::Out(midan::engine::OutTopic::State)], Since::Beginning), Vec::new());
        tail.poll(1_000, Duration::ZERO, &mut seen).unwrap();
        seen.iter().any(|record| record.value.as_deref() == Some(b"3 true"))
    };
    let stats = serve(&log, &hand, &serving(true), &told, |_| Siren::default(), done);
    assert_eq!(told.0.into_inner().unwrap(), ["stalled feeds.sensors[0] 3"]);
    assert_eq!(stats.alerts_made_again, 3);
}

#[test]
fn an_alert_does_not_overtake_those_of_its_partition_in_a_commit_under_way() {
    let (log, _folder) = home();
    let hand = Hand::default();
    let started = || hand.started.load(Ordering::Relaxed);
    let (mut step, mut before) = (0, 0);
    let mut done = || {
        match step {
            0 if log.end(Topic::Out(midan::engine::OutTopic::State), 0) > 0 => {
                before = started();
                hand.slow_commits.store(true, Ordering::Relaxed);
                send(&log, Feed::Sensors, 1);
                step = 1;
            }
            // The commit with the first alert is under way, and is not answered.
            1 if started() > before => {
                send(&log, Feed::Sensors, 1);
                step = 2;
            }
            2 => {
                rest(Duration::from_millis(50));
                assert_eq!(alerts(&log).iter().filter(|(key, _)| key == "alarm-2").count(), 0, "it has overtaken the first");
                hand.slow_commits.store(false, Ordering::Relaxed);
                step = 3;
            }
            _ => {}
        }
        step == 3 && alerts(&log).len() == 2
    };
    serve(&log, &hand, &serving(true), &Unwatched, |_| Hanging::default(), &mut done);
    assert_eq!(alerts(&log), [("alarm-1".to_owned(), 1), ("alarm-2".to_owned(), 1)]);
}

/// confluentinc/librdkafka#5430: a producer that cannot deliver any more, however often it is asked, until it is made anew.
#[test]
fn librdkafka_5430_clients_that_can_commit_nothing_are_replaced() {
    let (log, _folder) = home();
    send(&log, Feed::Sensors, 1);
    let hand = Hand::default();
    hand.sick.store(2, Ordering::Relaxed);
    let done = || log.end(Topic::Out(midan::engine::OutTopic::State), 0) > 0;
    let stats = serve(&log, &hand, &serving(true), &Unwatched, |_| Siren::default(), done);
    // Not at once: a refusal is mostly no fault of the clients.
    assert!(stats.rebuilds == 2 && stats.aborts >= 6, "{stats:?}");
    assert!(alerts(&log).iter().all(|alert| *alert == ("alarm-1".to_owned(), 1)), "{:?}", alerts(&log));
}

/// apache/flink-web#387, risingwavelabs/risingwave#9723: back-pressure of a commit stops everything.
#[test]
fn flink_web_387_alerts_leave_while_a_commit_is_under_way() {
    let (log, _folder) = home();
    let hand = Hand::default();
    let mut step = 0;
    let stats = serve(
        &log,
        &hand,
        &serving(true),
        &Unwatched,
        |_| Siren::default(),
        || {
            let seen = alerts(&log).len();
            match step {
                0 => {
                    send(&log, Feed::Sensors, 1);
                    step = 1;
                }
                // From now on no commit is answered.
                1 if seen == 1 => {
                    hand.slow_commits.store(true, Ordering::Relaxed);
                    send(&log, Feed::Sensors, 1);
                    step = 2;
                }
                2 if seen == 2 => {
                    rest(Duration::from_millis(30));
                    send(&log, Feed::Sensors, 5);
                    step = 3;
                }
                _ => {}
            }
            step == 3 && seen == 7
        },
    );
    assert_eq!(alerts(&log).len(), 7);
    assert_eq!(stats.alerts, 7);
}

/// risingwavelabs/risingwave#16640: a full queue kills the job in a loop. Here what waits for a slow broker is bounded, and the shard waits with it.
#[test]
fn risingwave_16640_outputs_that_wait_for_a_commit_are_bounded_and_nothing_is_lost() {
    let (log, _folder) = home();
    let hand = Hand::default();
    let settings = Settings { waiting_bytes: 500, poll_records: 20, ..serving(false) };
    let outputs = || log.end(Topic::Out(midan::engine::OutTopic::Zones), 0);
    send(&log, Feed::Sensors, 100);
    let (mut looks, mut stood) = (0, 0);
    serve(
        &log,
        &hand,
        &settings,
        &Unwatched,
        |_| Tally::default(),
        || {
            if outputs() == 0 {
                return false;
            }
            looks += 1;
            match looks {
                // From here on no commit is answered; the one under way may stand.
                1 => {
                    hand.slow_commits.store(true, Ordering::Relaxed);
                    send(&log, Feed::Sensors, 2_000);
                }
                50 => stood = outputs(),
                100 => {
                    assert_eq!(outputs(), stood, "nothing stands while the broker is silent");
                    hand.slow_commits.store(false, Ordering::Relaxed);
                }
                _ => {}
            }
            looks > 100 && outputs() >= 2_100 / 7
        },
    );
    assert_eq!(outputs(), 2_100 / 7);
}

/// In a run to the end: a member joins just when the feeds seem to be read to their end, while commands have come since theirs was seen. The poll that tells of the membership brings no
/// records, and that is no sign that there are none.
#[test]
fn a_poll_that_tells_of_the_membership_does_not_end_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Options::new(folder.path(), 2)).unwrap();
    let seen = Arc::default();
    let mut open = || Ok(Box::new(log.member("night", Faults::none())) as Box<dyn ShardLog>);
    // A record a poll, so that the commands are still to come when the feeds are read.
    let settings = Settings { mode: Mode::ToEnd, poll_records: 1, ..serving(false) };
    let (mut make, clock, stop) = (|_| Tally::watching(&seen), MachineClock::default(), AtomicBool::new(false));
    let around = Around { open: &mut open, make: &mut make, models: &mut NoModels, settings: &settings, watch: &Unwatched, stop: &stop, clock: &clock };
    let mut shard = Shard::new(around);
    let mut feeder = log.feeder();
    while shard.at_work().count() < 2 {
        assert!(!shard.turn().unwrap());
    }
    (0..10).for_each(|_| assert!(!shard.turn().unwrap()));
    for (at, feed) in [(1, Feed::Sensors), (2, Feed::Commands)] {
        log.set_clock(at);
        [0, 1].into_iter().for_each(|partition| feeder.send_to(partition, &record(feed, b"rabat")).unwrap());
        feeder.flush().unwrap();
    }
    drop(feeder);
    let sensors = || seen.lock().unwrap().iter().filter(|seen: &&String| seen.starts_with("sensors@")).count();
    while sensors() < 2 {
        assert!(!shard.turn().unwrap());
    }
    assert!(!seen.lock().unwrap().iter().any(|seen| seen.starts_with("commands@")), "the commands are still to come");
    let _other = log.member("night", Faults::none());
    while !shard.turn().unwrap() {}
    assert_eq!(shard.at_work().count(), 1, "one went to the other member");
    assert!(seen.lock().unwrap().contains(&"commands@0".to_owned()), "closed with commands unread: {seen:?}");
}
