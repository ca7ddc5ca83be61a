//! What has been sent and not yet received: records leave here in the order of their receipt.
//!
//! Delays are drawn so that what a source promises holds: between two of its records there is never more disorder than it is configured with,
//! and a low-water mark goes out only when everything before it is in.

use super::SimRecord;
use super::chance::Chance;
use crate::venue::{Feed, SourceId, Venue};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// One source's delays, ms.
#[derive(Clone, Debug)]
struct Line {
    id: Arc<str>,
    feed: Feed,
    /// The shortest delay of a record, and what chance adds at most.
    least: f64,
    spread: f64,
    /// How long after a record its repeat comes at most.
    repeat: f64,
}

/// Whether a record keeps the order that its source promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// As every record does.
    Prompt,
    /// Passenger counts, which come some seconds after the train has left.
    Slow,
}

/// Records on their way.
pub(super) struct Outbox {
    venue: Arc<str>,
    lines: Vec<Line>,
    waiting: BinaryHeap<Reverse<Waiting>>,
    sent: u64,
}

struct Waiting {
    received: i64,
    number: u64,
    record: SimRecord,
}

impl Outbox {
    pub(super) fn new(venue: &Venue) -> Self {
        let line = |source: &crate::venue::Source| {
            let disorder = source.disorder.as_millis() as f64;
            let spread = (disorder * 0.6).min(1_800.0);
            Line { id: (&*source.id).into(), feed: source.feed, least: 200.0, spread, repeat: (disorder * 0.2).min(1_000.0) }
        };
        Self { venue: (&*venue.id).into(), lines: venue.sources.iter().map(line).collect(), waiting: BinaryHeap::new(), sent: 0 }
    }

    /// Sends a record about `at`; one in a thousand comes twice.
    pub(super) fn send(&mut self, source: SourceId, at: i64, keeping: Keeping, value: Vec<u8>, chance: &mut Chance) {
        let line = &self.lines[source.index()];
        let slow = if keeping == Keeping::Slow { line.spread * chance.between(2.0, 8.0) } else { 0.0 };
        let delay = line.least + line.spread * chance.unit() + slow;
        let received = at + delay as i64;
        if chance.happens(0.001) {
            let repeat = received + (self.lines[source.index()].repeat * chance.unit()) as i64;
            self.put(source, at, repeat, None, value.clone());
        }
        self.put(source, at, received, None, value);
    }

    /// Puts a record on its way with a receipt of the caller's choice.
    pub(super) fn put(&mut self, source: SourceId, at: i64, received: i64, format: Option<&'static str>, value: Vec<u8>) {
        let line = &self.lines[source.index()];
        let record = SimRecord { feed: line.feed, key: self.venue.clone(), value, source: line.id.clone(), format, received, at };
        self.sent += 1;
        self.waiting.push(Reverse(Waiting { received, number: self.sent, record }));
    }

    /// Every source says that it has nothing earlier than `at` to send, as soon as that is so.
    pub(super) fn low_water(&mut self, at: i64) {
        for source in 0..self.lines.len() {
            let line = &self.lines[source];
            let slowest = if line.feed == Feed::Transport { 9.0 } else { 1.0 };
            let received = at + (line.least + line.spread * slowest + line.repeat) as i64 + 1;
            let value = format!(r#"{{"type":"low_water","venue":"{}","at":{at}}}"#, self.venue).into_bytes();
            self.put(SourceId::from(source), at, received, None, value);
        }
    }

    /// The next record that was received before `horizon`.
    pub(super) fn take(&mut self, horizon: i64) -> Option<SimRecord> {
        if self.waiting.peek()?.0.received >= horizon {
            return None;
        }
        self.waiting.pop().map(|waiting| waiting.0.record)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.received, self.number).cmp(&(other.received, other.number))
    }
}
