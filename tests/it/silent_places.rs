//! A place that falls silent is noticed, and no other is troubled by it.

use crate::hooked_log::Hand;
use crate::kafka_broker::rest;
use crate::shard_promises::{Siren, Told, alerts, home, record, send, serve, serving};
use midan::engine::{Control, Effects, StateChange};
use midan::feeds::Batch;
use midan::log::embedded::{EmbeddedLog, Options};
use midan::log::{Feeder, Place, Topic};
use midan::shard::Core;
use midan::venue::Feed;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// fede1024/rust-rdkafka#840, vectordotdev/vector#22006: one partition stalls for days, and nothing says so.
#[test]
fn rust_rdkafka_840_a_place_that_fell_silent_is_named_and_taken_up_again() {
    let (log, _folder) = home();
    let place = Place { feed: Feed::Sensors, partition: 0 };
    let hand = Hand::default();
    hand.deaf.lock().unwrap().insert(place);
    send(&log, Feed::Sensors, 40);
    let told = Told::default();
    serve(&log, &hand, &serving(true), &told, |_| Siren::default(), || alerts(&log).len() == 40);
    assert_eq!(alerts(&log).len(), 40);
    assert_eq!(told.0.into_inner().unwrap(), ["stalled feeds.sensors[0] 40"]);
}

#[test]
fn of_two_partitions_only_the_one_that_fell_silent_is_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Options::new(folder.path(), 2)).unwrap();
    let end = |partition| log.end(Topic::In(Feed::Sensors), partition);
    let mut feeder = log.side_feeder();
    let mut send = |key: &str| {
        feeder.send(&record(Feed::Sensors, key.as_bytes())).unwrap();
        feeder.flush().unwrap();
    };
    let mut key_of = |partition| {
        let mut keys = (0..).map(|number| format!("venue-{number}"));
        keys.find(|key| {
            let before = end(partition);
            send(key);
            end(partition) > before
        })
        .unwrap()
    };
    let (silent, lively) = (key_of(1), key_of(0));
    (0..40).for_each(|_| send(&silent));
    let (place, hand, told) = (Place { feed: Feed::Sensors, partition: 1 }, Hand::default(), Told::default());
    hand.deaf.lock().unwrap().insert(place);
    let lag = end(1);
    // The other one goes on all the time, and so is never read a second time.
    let done = || {
        if told.0.lock().unwrap().is_empty() {
            send(&lively);
        }
        alerts(&log).len() as i64 == end(0) + end(1)
    };
    serve(&log, &hand, &serving(true), &told, |_| Siren::default(), done);
    assert_eq!(told.0.into_inner().unwrap(), [format!("stalled {place} {lag}")]);
    let (all, mut numbers) = (alerts(&log), alerts(&log));
    numbers.sort();
    let twice = numbers.windows(2).filter(|pair| pair[0] == pair[1]).count() as i64;
    assert_eq!((all.len() as i64, twice), (end(0) + end(1), end(0).min(end(1))), "both partitions count from one, and none of their records counts twice");
}

/// Notes the last tick.
struct Ticking;

static LAST_TICK: AtomicI64 = AtomicI64::new(0);

impl Core for Ticking {
    fn step(&mut self, _batch: &Batch, controls: &[Control]) -> Effects {
        for control in controls {
            if let Control::Tick { at } = control {
                LAST_TICK.store(at.as_millis(), Ordering::Relaxed);
            }
        }
        Effects::default()
    }

    fn take_state_changes(&mut self) -> Vec<StateChange> {
        Vec::new()
    }

    fn committed(&mut self) {}

    fn restore(&mut self, _key: &[u8], _value: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn restored(&mut self) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn no_time_passes_for_a_partition_of_which_nobody_can_tell_whether_it_is_read_to_its_end() {
    let (log, _folder) = home();
    send(&log, Feed::Sensors, 3);
    let hand = Hand::default();
    let (mut clock, mut stood_at) = (1_000, None);
    serve(
        &log,
        &hand,
        &serving(false),
        &Told::default(),
        |_| Ticking,
        || {
            clock += 1_000;
            log.set_clock(clock);
            rest(Duration::from_millis(2));
            let last = LAST_TICK.load(Ordering::Relaxed);
            match stood_at {
                // It ticks; then its leader is cut off.
                None if last > 100_000 => {
                    hand.cut_off.store(true, Ordering::Relaxed);
                    stood_at = Some((last, clock));
                }
                // Long behind the last word of it, time stands still.
                Some((_, cut)) if hand.cut_off.load(Ordering::Relaxed) && clock > cut + 400_000 => {
                    assert!(last < clock - 50_000, "it ticks on, {last} of {clock}");
                    hand.cut_off.store(false, Ordering::Relaxed);
                    stood_at = Some((last, clock));
                }
                // And it goes on when it can be read again.
                Some((stood, _)) if !hand.cut_off.load(Ordering::Relaxed) && last > stood + 400_000 => return true,
                _ => {}
            }
            false
        },
    );
    let (stood, _) = stood_at.unwrap();
    assert!(LAST_TICK.load(Ordering::Relaxed) > stood + 400_000, "time goes on no more");
}
