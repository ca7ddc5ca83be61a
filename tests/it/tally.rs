//! A core that counts: small, deterministic, and touching everything that a shard carries out, so that the loop and the logs can be tested without the engine.
//!
//! Per key it keeps a count and a sum. Every `EVERY`th record of a key gives an output, every `ALARM`th an alert, and the end of the input one total per key.

use midan::engine::{Alert, Control, Effects, OutRecord, OutTopic, StateChange};
use midan::feeds::{Batch, RecordRef};
use midan::inference::{Ask, Ticket};
use midan::log::{Feeder, InRecord, Tail, TailRecord, Topic};
use midan::shard::Core;
use midan::time::EventTime;
use midan::venue::{Feed, VenueId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const EVERY: u64 = 7;
pub(crate) const ALARM: u64 = 50;
const CLOSED: &[u8] = b"closed";

#[derive(Default)]
pub(crate) struct Tally {
    counts: BTreeMap<Vec<u8>, (u64, u64)>,
    dirty: BTreeSet<Vec<u8>>,
    answered: u64,
    /// Whether the totals are out: kept in the state, so that an end that is told again after a crash adds nothing.
    closed: bool,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Tally {
    /// One that notes what it sees.
    pub(crate) fn watching(seen: &Arc<Mutex<Vec<String>>>) -> Self {
        Self { seen: Arc::clone(seen), ..Self::default() }
    }

    fn count(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.counts.get(key).map(|(count, sum)| format!("{count} {sum}").into_bytes())
    }

    fn take_in(&mut self, record: &RecordRef<'_>, effects: &mut Effects) {
        let key = record.key.unwrap_or_default().to_vec();
        let (count, sum) = self.counts.entry(key.clone()).or_default();
        *count += 1;
        *sum += record.value.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        let (count, sum) = (*count, *sum);
        self.dirty.insert(key.clone());
        let text = format!("{{\"key\":\"{}\",\"count\":{count},\"sum\":{sum}}}", String::from_utf8_lossy(&key));
        if count.is_multiple_of(EVERY) {
            let position = format!("{}/{}/{}", record.feed.topic(), record.partition, record.offset);
            effects.records.push(OutRecord { topic: OutTopic::Zones, key: key.clone(), value: text.clone().into_bytes(), position: Some(position) });
        }
        if count.is_multiple_of(ALARM) {
            let id = format!("{}/{count}", String::from_utf8_lossy(&key));
            effects.alerts.push(Alert { key: id.into_bytes(), change_no: 1, value: text.into_bytes(), after_commit: count.is_multiple_of(2 * ALARM) });
            effects.asks.push(Ask {
                ticket: Ticket { venue: VenueId::from(0), pane: EventTime::from_millis(count as i64) },
                rows: 16,
                features: Vec::new().into(),
                flow: Vec::new().into(),
                calls: Default::default(),
            });
        }
    }

    fn total(&mut self, effects: &mut Effects) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        self.dirty.insert(CLOSED.to_vec());
        for (key, (count, sum)) in &self.counts {
            let value = format!("total {count} {sum}").into_bytes();
            effects.records.push(OutRecord { topic: OutTopic::Ledger, key: key.clone(), value, position: None });
        }
    }
}

impl Core for Tally {
    fn step(&mut self, batch: &Batch, controls: &[Control]) -> Effects {
        let mut effects = Effects::default();
        for record in batch.iter() {
            self.seen.lock().unwrap().push(format!("{}@{}", record.feed.word(), record.offset));
            match record.feed {
                Feed::Commands => {}
                _ => self.take_in(&record, &mut effects),
            }
        }
        for control in controls {
            match control {
                Control::EndOfInput => self.total(&mut effects),
                Control::Models(_) => self.answered += 1,
                Control::Tick { at } => self.seen.lock().unwrap().push(format!("tick {}", at.as_millis())),
                Control::ReadToEnd { feed, next_offset } => self.seen.lock().unwrap().push(format!("{} ends at {next_offset}", feed.word())),
            }
        }
        effects
    }

    fn take_state_changes(&mut self) -> Vec<StateChange> {
        let dirty = std::mem::take(&mut self.dirty);
        let value = |key: &Vec<u8>| if key == CLOSED { Some(b"yes".to_vec()) } else { self.count(key) };
        dirty.into_iter().map(|key| StateChange { value: value(&key), key }).collect()
    }

    fn committed(&mut self) {}

    fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        if key == CLOSED {
            self.closed = true;
            return Ok(());
        }
        let text = std::str::from_utf8(value).map_err(|error| error.to_string())?;
        let (count, sum) = text.split_once(' ').ok_or("no count")?;
        let parse = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
        self.counts.insert(key.to_vec(), (parse(count)?, parse(sum)?));
        Ok(())
    }

    fn restored(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// Feeds `records` counts of 23 venues, the same ones each time.
pub(crate) fn feed_night(feeder: &mut dyn Feeder, records: u32) {
    feed_part(feeder, 0..records);
}

/// A part of it.
pub(crate) fn feed_part(feeder: &mut dyn Feeder, records: std::ops::Range<u32>) {
    for i in records {
        let key = format!("venue-{}", (i * 7919) % 23);
        let value = format!("{{\"n\":{}}}", i % 101);
        let record = InRecord {
            feed: Feed::Sensors,
            key: key.as_bytes(),
            value: value.as_bytes(),
            source: Some("counts"),
            format: None,
            received: Some(i64::from(i)),
            cloud_event: None,
            attributes: midan::feeds::Attributes::NONE,
        };
        feeder.send(&record).unwrap();
    }
    feeder.flush().unwrap();
}

/// Key and value, in order.
type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// The last value of each key.
type Table = BTreeMap<Vec<u8>, Vec<u8>>;

/// What is compared: outputs in order per partition, the changelog and the alerts by the last value of each key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) ordered: BTreeMap<(&'static str, u32), Pairs>,
    pub(crate) positions: BTreeMap<u32, Vec<String>>,
    pub(crate) compacted: BTreeMap<(&'static str, u32), Table>,
}

pub(crate) const COMPARED: [Topic; 4] = [Topic::Out(OutTopic::Zones), Topic::Out(OutTopic::Ledger), Topic::Out(OutTopic::State), Topic::Out(OutTopic::Alerts)];

/// Reads the outputs to their end.
pub(crate) fn outcome(tail: &mut dyn Tail) -> Outcome {
    let mut records: Vec<TailRecord> = Vec::new();
    loop {
        tail.poll(10_000, Duration::from_millis(50), &mut records).unwrap();
        if tail.at_end() {
            break;
        }
    }
    let mut outcome = Outcome::default();
    for record in records {
        let at = (record.topic.name(), record.partition);
        // Who owned a partition, and how far its alerts stood, differs from run to run by right.
        if record.key.starts_with(midan::log::HEARTBEAT_PREFIX.as_bytes()) || record.key == midan::log::OWNER_KEY {
            continue;
        }
        if record.topic.is_compacted() {
            let table = outcome.compacted.entry(at).or_default();
            match record.value {
                Some(value) => drop(table.insert(record.key, value)),
                None => drop(table.remove(&record.key)),
            }
            continue;
        }
        if let Some(position) = record.header(midan::log::POSITION_HEADER) {
            outcome.positions.entry(record.partition).or_default().push(position.to_owned());
        }
        outcome.ordered.entry(at).or_default().push((record.key, record.value.unwrap_or_default()));
    }
    outcome
}

impl Outcome {
    /// Fails with the first difference, in a line that a person can read.
    pub(crate) fn must_be(&self, expected: &Self, what: &str) {
        let text =
            |pair: Option<&(Vec<u8>, Vec<u8>)>| pair.map(|(key, value)| format!("{} = {}", String::from_utf8_lossy(key), String::from_utf8_lossy(value)));
        let places: BTreeSet<_> = self.ordered.keys().chain(expected.ordered.keys()).collect();
        for place in places {
            let (found, wanted) = (self.ordered.get(place).cloned().unwrap_or_default(), expected.ordered.get(place).cloned().unwrap_or_default());
            for i in 0..found.len().max(wanted.len()) {
                let (found, wanted) = (text(found.get(i)), text(wanted.get(i)));
                assert_eq!(found, wanted, "{what}: {place:?}, record {i}");
            }
        }
        for (place, wanted) in &expected.compacted {
            let found = self.compacted.get(place).cloned().unwrap_or_default();
            let keys: BTreeSet<_> = found.keys().chain(wanted.keys()).collect();
            for key in keys {
                let value = |table: &Table| table.get(key).map(|value| String::from_utf8_lossy(value).into_owned());
                assert_eq!(value(&found), value(wanted), "{what}: {place:?}, key {}", String::from_utf8_lossy(key));
            }
        }
        assert_eq!(self.positions, expected.positions, "{what}: positions");
        assert!(self == expected, "{what}");
    }

    /// How many records of the kind that keeps its order there are.
    pub(crate) fn ordered_records(&self) -> usize {
        self.ordered.values().map(Vec::len).sum()
    }
}
