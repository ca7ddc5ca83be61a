//! Hours in which nobody was there are closed in pieces: a commit and a poll have their turn between two panes, and no output tells.

use super::*;
use crate::engine::story::{Record, SOURCES, all_low, count, world};
use crate::engine::{Engine, OutTopic, Placement, Settings as EngineSettings};
use crate::log::embedded::{EmbeddedLog, Faults, Options};
use crate::log::{Since, Tail, Topic};
use std::sync::atomic::AtomicU64;

/// Each look at it takes so many milliseconds.
struct Stepping(AtomicU64, u64);

impl Clock for Stepping {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.fetch_add(self.1, Ordering::Relaxed))
    }

    fn rest(&self, _: Duration) {}
}

/// A minute of the evening, and one of the morning.
fn night() -> Vec<Record> {
    let of_ten_seconds = |now: i64| [count("c-in", now, 10, 0), count("c-g1", now, 5, 0)].into_iter().chain(all_low(&SOURCES, now + 10));
    (0..60)
        .step_by(10)
        .chain((14_400..14_460).step_by(10))
        .flat_map(of_ten_seconds)
        .map(|record| {
            let at = record.at + 1;
            record.received(at)
        })
        .collect()
}

/// An output: topic, key, value.
type Said = (Topic, Vec<u8>, Vec<u8>);

/// What came out of it, and the commits.
fn closed(step_ms: u64) -> (Vec<Said>, u64) {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Options::new(folder.path(), 1)).unwrap();
    let mut feeder = log.feeder();
    night().iter().for_each(|record| feeder.copy(&record.as_read(0)).unwrap());
    drop(feeder);
    let mut tail = log.tail(&[OutTopic::Zones, OutTopic::Alarms, OutTopic::Alerts, OutTopic::Late].map(Topic::Out), Since::Beginning);
    let settings = Settings { mode: Mode::ToEnd, ..Settings::default() };
    let by_pane = EngineSettings { placement: Placement::ByPane, ..EngineSettings::default() };
    let (clock, stop) = (Stepping(AtomicU64::new(0), step_ms), AtomicBool::new(false));
    let mut open = || Ok(Box::new(log.member("m", Faults::none())) as Box<dyn ShardLog>);
    let mut models = NoModels;
    let mut make = |_| Engine::new(world(), 0, 1, by_pane.clone());
    let mut shard =
        Shard::new(Around { open: &mut open, make: &mut make, models: &mut models, settings: &settings, watch: &Unwatched, stop: &stop, clock: &clock });
    while !shard.turn().unwrap() {}
    let commits = shard.end().stats.commits;
    let mut records = Vec::new();
    while !(tail.poll(10_000, Duration::ZERO, &mut records).is_ok() && tail.at_end()) {}
    let mut said: Vec<_> = records.into_iter().map(|record| (record.topic, record.key, record.value.unwrap_or_default())).collect();
    said.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    (said, commits)
}

#[test]
fn hours_in_which_nobody_was_there_are_closed_in_pieces_and_no_output_tells() {
    let (in_one, few) = closed(0);
    let (in_pieces, many) = closed(100);
    assert!(in_one.len() > 1_440, "{}", in_one.len());
    assert!(many > few + 20, "{many} commits, {few} where nobody looks at the time");
    assert!(in_pieces == in_one);
}
