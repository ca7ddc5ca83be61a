//! Partitions of one number read in step: how far one may run ahead, and that it changes no output.

use super::*;
use crate::engine::story::{Record, SOURCES, all_low, count, passengers, scan, world};
use crate::engine::{Control, Effects, Engine, OutTopic, Placement, Settings as EngineSettings, StateChange};
use crate::feeds::Batch;
use crate::log::embedded::{EmbeddedLog, Faults, Options, Retention};
use crate::log::{ShardLog, Since, Tail, Topic};
use crate::shard::{Core, Mode, NoModels, Settings, Unwatched, run};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

fn feed(feed: Feed, reached_s: Option<i64>, at_end: bool) -> Progress {
    let reached = reached_s.map(|secs| EventTime::from_millis(secs * 1_000));
    Progress { place: Place { feed, partition: 3 }, reached, at_end }
}

const fn place(feed: Feed) -> Place {
    Place { feed, partition: 3 }
}

/// Judged, and done by the log.
fn judged(in_step: &mut InStep, feeds: &[Progress]) -> Steps {
    let steps = in_step.judge(Spread::default(), feeds);
    in_step.done(&steps);
    steps
}

#[test]
fn what_the_log_could_not_do_is_asked_again() {
    let mut steps = InStep::default();
    let apart = |tickets| [feed(Feed::Sensors, Some(200), false), feed(Feed::Ticketing, Some(tickets), false)];
    judged(&mut steps, &apart(0));
    let resume = steps.judge(Spread::default(), &apart(190)).resume;
    assert_eq!(resume, [place(Feed::Sensors)]);
    assert_eq!(judged(&mut steps, &apart(190)).resume, resume);
    assert_eq!(judged(&mut steps, &apart(190)), Steps::default());
}

#[test]
fn a_feed_far_ahead_of_unread_records_is_paused_until_they_have_come_near() {
    let mut steps = InStep::default();
    let mut told = |sensors, tickets| judged(&mut steps, &[feed(Feed::Sensors, Some(sensors), false), feed(Feed::Ticketing, Some(tickets), false)]);
    assert_eq!(told(120, 0), Steps::default());
    assert_eq!(told(121, 0), Steps { pause: vec![place(Feed::Sensors)], resume: vec![] });
    assert_eq!(told(121, 60), Steps::default(), "near is half the spread");
    assert_eq!(told(121, 61), Steps { pause: vec![], resume: vec![place(Feed::Sensors)] });
}

#[test]
fn a_feed_that_is_read_to_its_end_holds_nobody_and_neither_do_the_commands() {
    let mut steps = InStep::default();
    let told = judged(&mut steps, &[feed(Feed::Sensors, Some(9_000), false), feed(Feed::Transport, Some(0), true), feed(Feed::Commands, None, false)]);
    assert_eq!(told, Steps::default());
}

#[test]
fn a_feed_with_unread_records_and_no_time_yet_is_read_first() {
    let mut steps = InStep::default();
    let told = judged(&mut steps, &[feed(Feed::Sensors, Some(0), false), feed(Feed::Transport, None, false)]);
    assert_eq!(told.pause, [place(Feed::Sensors)]);
    let told = judged(&mut steps, &[feed(Feed::Sensors, Some(0), false), feed(Feed::Transport, None, true)]);
    assert_eq!(told.resume, [place(Feed::Sensors)], "all of it was of no use, and it is read");
}

#[test]
fn records_that_do_not_come_stop_nobody_for_long() {
    let mut steps = InStep::default();
    let mut told = || judged(&mut steps, &[feed(Feed::Sensors, Some(9_000), false), feed(Feed::Transport, Some(0), false)]);
    assert_eq!(told().pause, [place(Feed::Sensors)]);
    assert!((0..1_000).any(|_| told().resume == [place(Feed::Sensors)]));
    assert_eq!(told(), Steps::default());
}

#[test]
fn the_one_that_is_furthest_behind_is_never_paused() {
    let mut steps = InStep::default();
    let mut reached = [0_i64, 7, 90];
    for turn in 0..2_000_usize {
        let feeds =
            [feed(Feed::Transport, Some(reached[0]), false), feed(Feed::Ticketing, Some(reached[1]), false), feed(Feed::Sensors, Some(reached[2]), false)];
        judged(&mut steps, &feeds);
        let free: Vec<usize> = (0..3).filter(|i| !steps.paused.contains(&feeds[*i].place)).collect();
        let least = (0..3).min_by_key(|i| reached[*i]).unwrap();
        assert!(free.contains(&least));
        reached[free[turn * 7 % free.len()]] += 13 * (1 + turn as i64 % 5);
        let spread = reached.iter().max().unwrap() - reached.iter().min().unwrap();
        assert!(spread <= 120 + 65, "{spread} s");
    }
}

/// Two hours that wait to be read: many counts, few scans and trains.
fn backlog() -> Vec<Record> {
    let mut records = Vec::new();
    for now in (0..7_200).step_by(10) {
        records.extend([count("c-in", now, 10, 0), count("c-g1", now, 5, 0)]);
        if now % 70 == 0 {
            records.push(scan(now as u32, now));
        }
        if now % 60 == 0 {
            records.push(passengers(now - 60, 30));
        }
        records.extend(all_low(&SOURCES, now + 10));
    }
    records
        .into_iter()
        .map(|record| {
            let at = record.at + 1;
            record.received(at)
        })
        .collect()
}

/// An engine that remembers how many panes were ever open at once.
struct Watched<'a> {
    engine: Engine,
    most: &'a AtomicUsize,
}

impl Core for Watched<'_> {
    fn step(&mut self, batch: &Batch, controls: &[Control]) -> Effects {
        let effects = self.engine.step(batch, controls);
        self.most.fetch_max(self.engine.open_panes(), Ordering::Relaxed);
        effects
    }

    fn hold(&mut self, holds: bool) {
        self.engine.hold(holds);
    }

    fn reached(&self, feed: Feed) -> Option<EventTime> {
        self.engine.reached(feed)
    }

    fn take_state_changes(&mut self) -> Vec<StateChange> {
        self.engine.take_state_changes()
    }

    fn committed(&mut self) {
        self.engine.committed();
    }

    fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        self.engine.restore(key, value)
    }

    fn restored(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// An output: topic, key, value.
type Said = (Topic, Vec<u8>, Vec<u8>);

/// Reads the backlog with feeds so far apart at most; answers what came out, and the most panes that were open at once.
fn caught_up(most: Span) -> (Vec<Said>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Options { retention: Retention::UntilRead, ..Options::new(folder.path(), 1) }).unwrap();
    let mut feeder = log.feeder();
    backlog().iter().for_each(|record| feeder.copy(&record.as_read(0)).unwrap());
    drop(feeder);
    let mut tail = log.tail(&[OutTopic::Zones, OutTopic::Alarms, OutTopic::Late].map(Topic::Out), Since::Beginning);
    let open_at_once = AtomicUsize::new(0);
    let settings = Settings { mode: Mode::ToEnd, poll_records: 64, commit_interval: Duration::from_millis(5), spread: Spread { most }, ..Settings::default() };
    let by_pane = EngineSettings { placement: Placement::ByPane, ..EngineSettings::default() };
    let mut open = || Ok(Box::new(log.member("m", Faults::none())) as Box<dyn ShardLog>);
    let mut make = |_| Watched { engine: Engine::new(world(), 0, 1, by_pane.clone()), most: &open_at_once };
    run(&mut open, &mut make, &mut NoModels, &settings, &Unwatched, &AtomicBool::new(false)).unwrap();
    let mut records = Vec::new();
    while !(tail.poll(10_000, Duration::ZERO, &mut records).is_ok() && tail.at_end()) {}
    let mut said: Vec<_> = records.into_iter().map(|record| (record.topic, record.key, record.value.unwrap_or_default())).collect();
    // Order holds within a key.
    said.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    (said, open_at_once.into_inner())
}

/// flink#1839, pravega/flink-connectors#41, arroyo#756: history and live are one regime.
#[test]
fn hours_of_backlog_are_read_in_step_with_few_panes_open_and_the_same_bytes() {
    let (unbounded, all_open) = caught_up(Span::from_mins(100_000));
    let (in_step, few_open) = caught_up(Spread::default().most);
    assert!(all_open > 150, "{all_open} panes: the log hands out one feed after the other");
    assert!(few_open < 80, "{few_open} panes were open at once");
    assert!(in_step == unbounded);
    assert!(in_step.iter().all(|(topic, ..)| *topic != Topic::Out(OutTopic::Late)), "nothing is late that was not");
}
