//! A table's figures as neutral `count` records in event-time order, with a zero for each absent row where the mapping says so.

use super::Table;
use super::entry::Entry;
use super::mapping::Absent;
use crate::feeds::operations::low_water;
use crate::feeds::sensors::count;
use crate::replay::input::InputRecord;
use crate::time::{EventTime, Span};
use crate::venue::Feed;
use std::sync::Arc;

/// The records of a table.
#[derive(Debug)]
pub struct Records<'a> {
    table: &'a Table,
    /// By sensor: a record up to its first time, so that ids are escaped once.
    heads: Vec<Vec<u8>>,
    /// The times of the step that was told last: most records have the times of the one before.
    times: (EventTime, Vec<u8>),
    key: Arc<str>,
    source: Arc<str>,
    next: usize,
    /// By sensor: its first and last step, and the step that its next zero would be.
    reach: Vec<Option<(EventTime, EventTime)>>,
    slot: Option<(EventTime, usize)>,
    ended: bool,
}

impl<'a> Records<'a> {
    pub(super) fn of(table: &'a Table) -> Self {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let venue = quoted(&table.mapping().venue);
        let head = |sensor: &String| format!("{{\"type\":\"count\",\"sensor\":{},\"venue\":{venue}", quoted(sensor)).into_bytes();
        let mut reach: Vec<Option<(EventTime, EventTime)>> = vec![None; table.sensors().len()];
        for entry in table.entries() {
            let reach = &mut reach[entry.sensor as usize];
            *reach = Some((reach.map_or(entry.from, |(first, _)| first), entry.from));
        }
        Self {
            table,
            heads: table.sensors().iter().map(head).collect(),
            times: (EventTime::MIN, Vec::new()),
            key: table.mapping().venue.as_str().into(),
            source: super::SOURCE.into(),
            next: 0,
            reach,
            slot: table.entries().first().map(|entry| (entry.from, 0)),
            ended: false,
        }
    }

    /// The next figure in order: an entry, or a zero in the place of an absent one.
    fn next_count(&mut self) -> Option<InputRecord> {
        if self.table.mapping().absent == Absent::Gap {
            return self.next_entry();
        }
        loop {
            let (slot, sensor) = self.slot?;
            if self.table.entries().get(self.next).is_some_and(|entry| (entry.from, entry.sensor as usize) == (slot, sensor)) {
                // A repeat of the same step stays in this slot; the engine tells a duplicate from a conflict.
                if let Some(record) = self.take_entry() {
                    return Some(record);
                }
                self.skip_repeats_of_gap(slot, sensor);
                self.advance();
                continue;
            }
            let told = self
                .next
                .checked_sub(1)
                .and_then(|before| self.table.entries().get(before))
                .is_some_and(|entry| (entry.from, entry.sensor as usize) == (slot, sensor));
            self.advance();
            if !told && self.is_zero(slot, sensor) {
                return Some(self.counted(slot, sensor, [Some(0); 3]));
            }
        }
    }

    fn next_entry(&mut self) -> Option<InputRecord> {
        while self.next < self.table.entries().len() {
            if let Some(record) = self.take_entry() {
                return Some(record);
            }
        }
        None
    }

    /// The record of the next entry; none where it is a gap.
    fn take_entry(&mut self) -> Option<InputRecord> {
        let entry: Entry = *self.table.entries().get(self.next)?;
        self.next += 1;
        entry.persons().map(|persons| self.counted(entry.from, entry.sensor as usize, persons))
    }

    fn skip_repeats_of_gap(&mut self, slot: EventTime, sensor: usize) {
        while self.table.entries().get(self.next).is_some_and(|entry| (entry.from, entry.sensor as usize) == (slot, sensor)) {
            self.next += 1;
        }
    }

    fn advance(&mut self) {
        let Some((slot, sensor)) = self.slot else { return };
        self.slot = if sensor + 1 < self.heads.len() {
            Some((slot, sensor + 1))
        } else {
            let next = slot.after(self.table.mapping().step);
            self.table.entries().last().filter(|last| next <= last.from).map(|_| (next, 0))
        };
    }

    fn is_zero(&self, slot: EventTime, sensor: usize) -> bool {
        let within = self.reach[sensor].is_some_and(|(first, last)| (first..=last).contains(&slot));
        within && self.table.expects(slot) && self.table.can_tell(slot)
    }

    fn counted(&mut self, from: EventTime, sensor: usize, persons: [Option<u32>; 3]) -> InputRecord {
        let to = from.after(self.table.mapping().step);
        if self.times.0 != from {
            self.times = (from, format!(",\"from\":{},\"to\":{}", from.as_millis(), to.as_millis()).into_bytes());
        }
        let mut json = Vec::with_capacity(160);
        json.extend_from_slice(&self.heads[sensor]);
        json.extend_from_slice(&self.times.1);
        let told = self.table.directions();
        for (i, word) in [&b",\"in\":"[..], b",\"out\":", b",\"count\":"].into_iter().enumerate() {
            if let (Some(persons), true) = (persons[i], told[i]) {
                json.extend_from_slice(word);
                // Writing a number to memory cannot fail.
                let _ = serde_json::to_writer(&mut json, &persons);
            }
        }
        json.push(b'}');
        self.record(json, count::FORMAT.media_types[0], to)
    }

    fn low_water(&self) -> InputRecord {
        let last = self.table.entries().last().map_or(EventTime::from_millis(0), |entry| entry.from.after(self.table.mapping().step));
        // Just before the end, as a count that ends there is: word at the end itself would open one more pane, in which everybody is silent.
        let at = last.before(Span::from_millis(1));
        let venue = serde_json::Value::from(&*self.key);
        let json = format!("{{\"type\":\"low_water\",\"venue\":{venue},\"at\":{}}}", at.as_millis());
        self.record(json.into_bytes(), low_water::FORMAT.media_types[0], at)
    }

    fn record(&self, json: Vec<u8>, content_type: &'static str, received: EventTime) -> InputRecord {
        InputRecord { feed: Feed::Sensors, key: Arc::clone(&self.key), value: json, source: Arc::clone(&self.source), content_type, received: Some(received) }
    }
}

impl Iterator for Records<'_> {
    type Item = InputRecord;

    fn next(&mut self) -> Option<InputRecord> {
        if self.ended {
            return None;
        }
        let count = self.next_count();
        if count.is_none() {
            self.ended = true;
            // Closes the last pane: nothing earlier is to come.
            return Some(self.low_water());
        }
        count
    }
}
