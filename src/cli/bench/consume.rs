//! The loop that only consumes and decodes: what nobody who reads the topic can save.
//!
//! It reads through the very membership that the pipeline reads through, so that the ratio compares the pipeline and not two ways of reading.

use super::paced::Beside;
use super::place::Place;
use super::{Cost, Meter, usage};
use crate::cli::args::BenchArgs;
use crate::cli::load;
use crate::cli::settings::Settings;
use crate::feeds::{self, Batch, Item};
use crate::log::{self, Event, Inbox, LogError, Offsets, ShardLog};
use crate::simulate::LoadPlan;
use crate::venue::World;
use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// How long a poll waits for records.
const WAIT: Duration = Duration::from_millis(100);
/// So many polls in a row without a record are taken for the end of a topic that has lost some.
const PATIENCE: u32 = 300;

/// Reads and decodes every record of the load once.
pub(super) fn run(settings: &Settings, args: &BenchArgs, place: &Place, load: &LoadPlan, beside: &Beside) -> anyhow::Result<Cost> {
    let world = load::world_of(load, &settings.world.folder)?;
    let (meter, decoded, absent) = (Meter::new(beside), AtomicU64::new(0), AtomicU32::new(args.shards.min(args.partitions)));
    usage::forget_peak();
    let reader = |shard: u32| -> anyhow::Result<()> {
        let log = place.join("loop", shard)?;
        let mut reader = Reader { log, world: &world, meter: &meter, decoded: &decoded, absent: &absent, waiting: None, next: Offsets::new() };
        reader.read(args.events, settings.shards.max_batch)
    };
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let readers: Vec<_> = (0..args.shards).map(|shard| scope.spawn(move || reader(shard))).collect();
        readers.into_iter().try_for_each(|reader| reader.join().map_err(|_| anyhow::anyhow!("a reader panicked"))?)
    })?;
    meter.read()
}

/// One member of the group.
struct Reader<'a> {
    log: Box<dyn ShardLog + 'a>,
    world: &'a World,
    meter: &'a Meter<'a>,
    decoded: &'a AtomicU64,
    /// Readers that have no partition yet. Nothing is read before, so that nothing is given away while it is read.
    absent: &'a AtomicU32,
    /// Places that are paused until nobody is absent; none before the first. They are started at once all the same: until then the group hands nothing to those who join.
    waiting: Option<Vec<log::Place>>,
    /// What was read, so that a partition that moves is not read twice.
    next: Offsets,
}

impl Reader<'_> {
    fn read(&mut self, events: u64, max: usize) -> anyhow::Result<()> {
        let (mut inbox, mut partitions, mut empty) = (Inbox::default(), Vec::new(), 0);
        while self.decoded.load(Ordering::Relaxed) < events {
            self.log.poll(max, WAIT, &mut inbox)?;
            self.follow(&inbox, &mut partitions)?;
            self.go_on(&mut partitions)?;
            if inbox.records() == 0 {
                empty += 1;
                anyhow::ensure!(empty < PATIENCE, "the topic ended after {} of {events} records", self.decoded.load(Ordering::Relaxed));
                continue;
            }
            empty = 0;
            self.meter.first_records();
            let batches = partitions.iter().filter_map(|partition| inbox.batch(*partition));
            let decoded = batches.map(|batch| decode(batch, self.world, &mut self.next)).sum::<anyhow::Result<u64>>()?;
            self.decoded.fetch_add(decoded, Ordering::Relaxed);
        }
        Ok(())
    }

    fn follow(&mut self, inbox: &Inbox, owned: &mut Vec<u32>) -> Result<(), LogError> {
        for event in &inbox.events {
            match event {
                Event::Assigned(partitions) => {
                    if self.waiting.is_none() {
                        self.absent.fetch_sub(1, Ordering::Relaxed);
                    }
                    for partition in partitions {
                        self.start(*partition)?;
                    }
                }
                Event::Revoked { partitions, .. } => {
                    self.waiting.iter_mut().for_each(|waiting| waiting.retain(|place| !partitions.contains(&place.partition)));
                    owned.retain(|partition| !partitions.contains(partition));
                    self.hand_over(partitions)?;
                    self.log.release(partitions)?;
                }
                Event::ReadToEnd { .. } | Event::BrokerTime(_) => {}
            }
        }
        Ok(())
    }

    fn start(&mut self, partition: u32) -> Result<(), LogError> {
        let from = self.log.unread(partition)?;
        self.log.start(&from)?;
        let places: Vec<log::Place> = from.keys().copied().collect();
        self.log.pause(&places, true)?;
        self.waiting.get_or_insert_default().extend(places);
        Ok(())
    }

    /// Reads what waits, once nobody is absent.
    fn go_on(&mut self, owned: &mut Vec<u32>) -> Result<(), LogError> {
        let Some(waiting) = self.waiting.as_mut().filter(|waiting| !waiting.is_empty()) else { return Ok(()) };
        if self.absent.load(Ordering::Relaxed) > 0 {
            return Ok(());
        }
        let places = std::mem::take(waiting);
        self.log.pause(&places, false)?;
        let partitions: BTreeSet<u32> = places.iter().map(|place| place.partition).collect();
        self.meter.beside.start(partitions.len());
        owned.extend(partitions);
        Ok(())
    }

    /// Leaves word of how far partitions were read that another is to read on.
    fn hand_over(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        let next: Offsets = self.next.iter().filter(|(place, _)| partitions.contains(&place.partition)).map(|(place, next)| (*place, *next)).collect();
        if next.is_empty() {
            return Ok(());
        }
        self.log.begin()?;
        self.log.commit(&next)
    }
}

fn decode(batch: &Batch, world: &World, next: &mut Offsets) -> anyhow::Result<u64> {
    let mut decoded = 0;
    for record in batch.iter() {
        let mut keep = |item: Item| {
            black_box(&item);
        };
        feeds::decode(&record, world, &mut keep).map_err(|fault| anyhow::anyhow!("the load holds a record that cannot be decoded: {}", fault.detail))?;
        decoded += 1;
    }
    if let Some(last) = batch.iter().last() {
        next.insert(log::Place { feed: last.feed, partition: last.partition }, last.offset + 1);
    }
    Ok(decoded)
}
