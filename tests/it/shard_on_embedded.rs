//! The shard's loop on the embedded log: the same bytes whatever the batches, the faults and the number of shards.

use crate::tally::{COMPARED, EVERY, Outcome, Tally, feed_night, outcome};
use midan::log::embedded::{EmbeddedLog, Faults, Options, Retention};
use midan::log::{Feeder, InRecord, LogError, ShardLog, Since};
use midan::shard::{Ended, Mode, NoModels, Settings, Stats, Unwatched, run};
use midan::venue::Feed;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const RECORDS: u32 = 20_000;

struct Home {
    log: EmbeddedLog,
    _folder: tempfile::TempDir,
}

fn home(partitions: u32) -> Home {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path(), partitions);
    (options.segment_bytes, options.retention) = (64 << 10, Retention::UntilRead);
    Home { log: EmbeddedLog::open(options).unwrap(), _folder: folder }
}

fn to_end(poll_records: usize) -> Settings {
    Settings { mode: Mode::ToEnd, poll_records, commit_interval: Duration::from_millis(2), retry_pause: Duration::from_millis(1), ..Settings::default() }
}

fn shard<'a>(log: &'a EmbeddedLog, settings: &Settings, mut faults: impl FnMut() -> Faults + 'a) -> Result<Ended<'a>, LogError> {
    let mut open = move || Ok(Box::new(log.member("night", faults())) as Box<dyn ShardLog + 'a>);
    run(&mut open, &mut |_| Tally::default(), &mut NoModels, settings, &Unwatched, &AtomicBool::new(false))
}

fn night(partitions: u32, poll_records: usize) -> (Outcome, Stats) {
    let home = home(partitions);
    let mut tail = home.log.tail(&COMPARED, Since::Beginning);
    feed_night(&mut home.log.feeder(), RECORDS);
    let stats = shard(&home.log, &to_end(poll_records), Faults::none).unwrap().stats;
    (outcome(&mut tail), stats)
}

#[test]
fn the_size_of_the_batches_changes_no_byte() {
    let (expected, stats) = night(4, 4_096);
    assert_eq!(stats.records, u64::from(RECORDS));
    assert!(expected.ordered_records() as u64 >= u64::from(RECORDS) / EVERY - 23);
    for poll_records in [1_000, 7, 1] {
        night(4, poll_records).0.must_be(&expected, &format!("{poll_records} records a poll"));
    }
}

#[test]
fn the_number_of_partitions_changes_no_byte_but_the_place() {
    let bytes = |outcome: Outcome| {
        let mut all: Vec<_> = outcome.ordered.into_iter().flat_map(|((topic, _), pairs)| pairs.into_iter().map(move |pair| (topic, pair))).collect();
        all.sort();
        all
    };
    assert_eq!(bytes(night(1, 500).0), bytes(night(12, 500).0));
}

#[test]
fn refused_commits_lost_answers_and_crashes_change_no_byte() {
    let (expected, _) = night(4, 300);
    for seed in 0..8 {
        let home = home(4);
        let mut tail = home.log.tail(&COMPARED, Since::Beginning);
        feed_night(&mut home.log.feeder(), RECORDS);
        let (lives, opened) = (Cell::new(0), Cell::new(0));
        loop {
            // Each client fails in a way of its own; some day one lives to the end.
            let faults = || {
                opened.set(opened.get() + 1);
                Faults::of_all_kinds(seed * 1_000 + opened.get(), if opened.get() < 30 { 60 } else { 0 })
            };
            lives.set(lives.get() + 1);
            // A commit with every poll, so that there are many.
            let settings = Settings { commit_interval: Duration::ZERO, ..to_end(300) };
            match shard(&home.log, &settings, faults) {
                Ok(_) => break,
                Err(error) => assert!(matches!(error, LogError::Crash { .. }), "{error}"),
            }
        }
        assert!(lives.get() > 1 || opened.get() > 1, "seed {seed}: nothing ever failed");
        outcome(&mut tail).must_be(&expected, &format!("seed {seed}"));
    }
}

#[test]
fn vector_12084_two_shards_that_come_and_go_give_the_bytes_of_one() {
    let (expected, _) = night(4, 300);
    let home = home(4);
    let mut tail = home.log.tail(&COMPARED, Since::Beginning);
    let mut feeder = home.log.feeder();
    let log = &home.log;
    std::thread::scope(|scope| {
        let first = scope.spawn(|| shard(log, &to_end(200), Faults::none).map(|ended| ended.stats));
        // The second one serves for a while and leaves in the middle.
        let stop = AtomicBool::new(false);
        let settings = Settings { mode: Mode::Serve, ..to_end(50) };
        std::thread::scope(|inner| {
            let second = inner.spawn(|| {
                let mut open = || Ok(Box::new(log.member("night", Faults::none())) as Box<dyn ShardLog>);
                run(&mut open, &mut |_| Tally::default(), &mut NoModels, &settings, &Unwatched, &stop).map(|ended| ended.stats)
            });
            feed_night(&mut feeder, RECORDS);
            stop.store(true, Ordering::Relaxed);
            second.join().unwrap().unwrap();
        });
        drop(feeder);
        first.join().unwrap().unwrap();
    });
    let mut seen = outcome(&mut tail);
    // What was waiting for the models' answers at a hand-over is asked again; the bytes are the same.
    seen.positions.clear();
    seen.must_be(&Outcome { positions: Default::default(), ..expected }, "after the hand-over");
}

fn send(log: &EmbeddedLog, feed: Feed, count: usize) {
    let mut feeder = log.side_feeder();
    for _ in 0..count {
        feeder
            .send(&InRecord {
                feed,
                key: b"rabat",
                value: b"{}",
                source: None,
                format: None,
                received: None,
                cloud_event: None,
                attributes: midan::feeds::Attributes::NONE,
            })
            .unwrap();
    }
}

fn serve(log: &EmbeddedLog, seen: &Arc<Mutex<Vec<String>>>, until: impl Fn(&[String]) -> bool) -> Stats {
    let stop = AtomicBool::new(false);
    let settings = Settings { mode: Mode::Serve, ..to_end(10) };
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| {
            let mut open = || Ok(Box::new(log.member("night", Faults::none())) as Box<dyn ShardLog>);
            let mut make = |_| Tally::watching(seen);
            run(&mut open, &mut make, &mut NoModels, &settings, &Unwatched, &stop).map(|ended| ended.stats)
        });
        while !until(&seen.lock().unwrap()) {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
        serving.join().unwrap().unwrap()
    })
}

#[test]
fn the_commands_are_read_to_their_end_before_the_first_record_of_a_feed() {
    let home = home(1);
    send(&home.log, Feed::Sensors, 30);
    send(&home.log, Feed::Commands, 25);
    let seen = Arc::new(Mutex::new(Vec::new()));
    serve(&home.log, &seen, |seen| seen.iter().any(|line| line == "sensors ends at 30"));
    let seen = seen.lock().unwrap();
    let first = seen.iter().position(|line| line == "sensors@0").unwrap();
    let end = seen.iter().position(|line| line == "commands ends at 25").unwrap();
    assert!(end < first, "{seen:?}");
}

#[test]
fn broker_time_ticks_while_serving_and_not_in_a_run_to_the_end() {
    let live = home(1);
    live.log.set_clock(9_000);
    let seen = Arc::new(Mutex::new(Vec::new()));
    serve(&live.log, &seen, |seen| seen.iter().any(|line| line == "tick 9000"));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut open = || Ok(Box::new(live.log.member("other", Faults::none())) as Box<dyn ShardLog>);
    let mut make = |_| Tally::watching(&seen);
    run(&mut open, &mut make, &mut NoModels, &to_end(10), &Unwatched, &AtomicBool::new(false)).unwrap();
    assert!(!seen.lock().unwrap().iter().any(|line| line.starts_with("tick ")));
}

#[test]
fn a_shard_that_is_stopped_has_committed_what_it_read() {
    let home = home(1);
    send(&home.log, Feed::Sensors, 700);
    let seen = Arc::new(Mutex::new(Vec::new()));
    serve(&home.log, &seen, |seen| seen.iter().any(|line| line == "sensors@699"));
    let again = Arc::new(Mutex::new(Vec::new()));
    serve(&home.log, &again, |seen| seen.iter().any(|line| line == "sensors ends at 700"));
    assert!(!again.lock().unwrap().iter().any(|line| line.starts_with("sensors@")));
}
