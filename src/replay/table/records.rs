//! A table's figures as neutral `count` records in event-time order, with a zero for each absent row where the mapping says so.

use super::Table;
use super::entry::Entry;
use super::mapping::Absent;
use crate::feeds::operations::low_water;
use crate::feeds::sensors::count;
use crate::replay::input::InputRecord;
use crate::time::{EventTime, Span};
use crate::venue::Feed;
use std::collections::VecDeque;
use std::sync::Arc;

/// The records of a table.
#[derive(Debug)]
pub struct Records<'a> {
    table: &'a Table,
    /// By counter: a record up to its first time, so that ids are escaped once.
    heads: Vec<Vec<u8>>,
    /// The times of the step that was told last: most records have the times of the one before.
    times: (EventTime, Vec<u8>),
    key: Arc<str>,
    source: Arc<str>,
    /// Of the step that was come to last: what its counters say.
    ready: VecDeque<InputRecord>,
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
        let head = |counter: &String| format!("{{\"type\":\"count\",\"sensor\":{},\"venue\":{venue}", quoted(counter)).into_bytes();
        let mut reach: Vec<Option<(EventTime, EventTime)>> = vec![None; table.sensors().len()];
        for entry in table.entries() {
            let reach = &mut reach[entry.sensor as usize];
            *reach = Some((reach.map_or(entry.from, |(first, _)| first), entry.from));
        }
        Self {
            table,
            heads: table.counters.ids.iter().map(head).collect(),
            times: (EventTime::MIN, Vec::new()),
            key: table.mapping().venue.as_str().into(),
            source: super::SOURCE.into(),
            ready: VecDeque::with_capacity(2),
            next: 0,
            reach,
            slot: table.entries().first().map(|entry| (entry.from, 0)),
            ended: false,
        }
    }

    /// Goes on by a figure, or by an absent one; answers whether there was any.
    fn go_on(&mut self) -> bool {
        if self.table.mapping().absent == Absent::Gap {
            return self.take_entry().is_some();
        }
        let Some((slot, sensor)) = self.slot else { return false };
        let is_here = |entry: Option<&Entry>| entry.is_some_and(|entry| (entry.from, entry.sensor as usize) == (slot, sensor));
        if is_here(self.table.entries().get(self.next)) {
            // A repeat of the same step stays in this slot; the engine tells a duplicate from a conflict.
            if self.take_entry() == Some(false) {
                self.skip_repeats_of_gap(slot, sensor);
                self.advance();
            }
            return true;
        }
        let is_told = is_here(self.next.checked_sub(1).and_then(|before| self.table.entries().get(before)));
        self.advance();
        if !is_told && self.is_zero(slot, sensor) {
            let zeros = self.table.counters.places[sensor].told.map(|told| told.then_some(0));
            self.say(slot, sensor, zeros);
        }
        true
    }

    /// Says what the next entry tells; answers whether it is anything, and nothing where there is no entry.
    fn take_entry(&mut self) -> Option<bool> {
        let entry: Entry = *self.table.entries().get(self.next)?;
        self.next += 1;
        self.say(entry.from, entry.sensor as usize, entry.known());
        Some(entry.knows())
    }

    fn skip_repeats_of_gap(&mut self, slot: EventTime, sensor: usize) {
        while self.table.entries().get(self.next).is_some_and(|entry| (entry.from, entry.sensor as usize) == (slot, sensor)) {
            self.next += 1;
        }
    }

    fn advance(&mut self) {
        let Some((slot, sensor)) = self.slot else { return };
        self.slot = if sensor + 1 < self.table.sensors().len() {
            Some((slot, sensor + 1))
        } else {
            let next = slot.after(self.table.mapping().step);
            self.table.entries().last().filter(|last| next <= last.from).map(|_| (next, 0))
        };
    }

    fn is_zero(&self, slot: EventTime, sensor: usize) -> bool {
        self.reach[sensor].is_some_and(|(first, last)| (first..=last).contains(&slot)) && self.table.means_nobody(slot)
    }

    /// Makes ready what the counters of a place say of a step.
    fn say(&mut self, from: EventTime, sensor: usize, persons: [Option<u32>; 3]) {
        let said = self.table.counters.places[sensor].said(sensor, persons);
        for (counter, persons) in said.into_iter().flatten() {
            let record = self.counted(from, counter, persons);
            self.ready.push_back(record);
        }
    }

    fn counted(&mut self, from: EventTime, counter: usize, persons: [Option<u32>; 3]) -> InputRecord {
        let to = from.after(self.table.mapping().step);
        if self.times.0 != from {
            self.times = (from, format!(",\"from\":{},\"to\":{}", from.as_millis(), to.as_millis()).into_bytes());
        }
        let mut json = Vec::with_capacity(160);
        json.extend_from_slice(&self.heads[counter]);
        json.extend_from_slice(&self.times.1);
        for (word, persons) in [&b",\"in\":"[..], b",\"out\":", b",\"count\":"].into_iter().zip(persons) {
            if let Some(persons) = persons {
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
        while self.ready.is_empty() && !self.ended {
            if !self.go_on() {
                self.ended = true;
                // Closes the last pane: nothing earlier is to come.
                return Some(self.low_water());
            }
        }
        self.ready.pop_front()
    }
}
