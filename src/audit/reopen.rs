//! What may be taken back in: the late lines of a venue and a window, and of their records those that had not come before.
//!
//! A late event was never looked up among the identities, since those of its time were forgotten. So what is taken back in is looked for here: a record that says what an
//! earlier one on its partition has said is a late repeat, and stays out. Of a record with many observations (a push that a device had kept back) only those come in that were late.

use crate::feeds::{self, Attributes, Item, Observation, REOPENED, RecordRef, neutral};
use crate::time::EventTime;
use crate::venue::{Feed, World};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The part of a late line that tells its window.
#[derive(Debug, Deserialize)]
struct LateLine {
    venue: Box<str>,
    from: EventTime,
    to: EventTime,
    observation: Option<Value>,
}

/// What is wanted back.
#[derive(Debug)]
pub struct Wanted {
    /// The venue.
    pub venue: Box<str>,
    /// Windows that end after this.
    pub from: EventTime,
    /// Windows that begin before this.
    pub to: EventTime,
}

/// Late records, found by their positions.
#[derive(Debug)]
pub struct Selection {
    wanted: Wanted,
    /// By position: what of the record was late.
    lines: BTreeMap<(Feed, u32, i64), Vec<Option<Value>>>,
    /// By feed and partition: what was said there, and not late.
    said: BTreeSet<(Feed, u32, u64)>,
    candidates: BTreeMap<(Feed, u32, i64), Candidate>,
    /// Late repeats of what had come before.
    pub repeats: u64,
}

#[derive(Debug)]
struct Candidate {
    record: Reopening,
    /// What of it was late: by number and identity.
    late: Vec<(usize, u64)>,
    /// Observations in it.
    of: usize,
}

/// A record to be written once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reopening {
    /// Its feed.
    pub feed: Feed,
    /// Its key.
    pub key: Vec<u8>,
    /// Its value, as it was.
    pub value: Vec<u8>,
    /// Its source.
    pub source: Option<String>,
    /// Its format.
    pub format: Option<String>,
    /// When it was received.
    pub received: Option<i64>,
    /// What else CloudEvents' headers said.
    pub attributes: Vec<(&'static str, String)>,
    /// `topic/partition/offset` at which it was late, and behind a `#` the numbers of those of its observations that were, where some were not: its identity now.
    pub position: String,
}

impl Selection {
    /// Nothing selected yet.
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, lines: BTreeMap::new(), said: BTreeSet::new(), candidates: BTreeMap::new(), repeats: 0 }
    }

    /// A line of `midan.late` and the position in its header; all lines come before the records.
    pub fn late(&mut self, value: &[u8], position: &str) {
        let Ok(line) = serde_json::from_slice::<LateLine>(value) else { return };
        let is_wanted = line.venue == self.wanted.venue && line.to > self.wanted.from && line.from < self.wanted.to;
        if let (true, Some(((feed, partition), offset))) = (is_wanted, super::read_position(position)) {
            self.lines.entry((feed, partition, offset)).or_default().push(line.observation);
        }
    }

    /// How many late lines are wanted.
    pub fn wanted(&self) -> usize {
        self.lines.len()
    }

    /// A record of the input, each partition's in their order.
    pub fn record(&mut self, record: &RecordRef<'_>, world: &World) {
        let is_of_venue = record.key == Some(self.wanted.venue.as_bytes());
        if !is_of_venue || record.is_reopened() {
            return;
        }
        let place = (record.feed, record.partition, record.offset);
        let observations = observations(record, world);
        let near = |observation: &Observation| observation.at >= self.wanted.from.before(MARGIN) && observation.at < self.wanted.to.after(MARGIN);
        let Some(lines) = self.lines.get(&place) else {
            let said = observations.iter().filter(|observation| near(observation));
            self.said.extend(said.map(|observation| (record.feed, record.partition, observation.identity)));
            return;
        };
        let was_late = |observation: &Observation| {
            let told = Some(neutral::to_json(observation, world.venue(observation.venue)));
            lines.iter().any(|line| line.is_none() || *line == told)
        };
        let (late, on_time): (Vec<_>, Vec<_>) = observations.iter().enumerate().partition(|(_, observation)| was_late(observation));
        self.said.extend(
            on_time.into_iter().filter(|(_, observation)| near(observation)).map(|(_, observation)| (record.feed, record.partition, observation.identity)),
        );
        let late = late.into_iter().map(|(nth, observation)| (nth, observation.identity)).collect();
        let text = |text: Option<&str>| text.map(str::to_owned);
        let copy = Reopening {
            feed: record.feed,
            key: record.key.unwrap_or_default().to_vec(),
            value: record.value.to_vec(),
            source: text(record.source),
            format: text(record.format),
            received: record.received_at(),
            attributes: record.attributes.iter().map(|(name, value)| (name, value.to_owned())).collect(),
            position: format!("{}/{}/{}", record.feed.topic(), record.partition, record.offset),
        };
        self.candidates.insert(place, Candidate { record: copy, late, of: observations.len() });
    }

    /// The records to be written once more, in their order.
    pub fn finish(&mut self) -> Vec<Reopening> {
        let mut taken = Vec::new();
        for ((feed, partition, _), Candidate { mut record, mut late, of }) in std::mem::take(&mut self.candidates) {
            late.retain(|(_, identity)| self.said.insert((feed, partition, *identity)));
            if late.is_empty() {
                self.repeats += 1;
                continue;
            }
            if late.len() < of {
                let numbers: Vec<String> = late.iter().map(|(nth, _)| nth.to_string()).collect();
                record.position = format!("{}#{}", record.position, numbers.join(","));
            }
            taken.push(record);
        }
        taken
    }
}

impl Reopening {
    /// The other attributes, as they were.
    pub fn attributes(&self) -> Attributes<'_> {
        let mut attributes = Attributes::default();
        self.attributes.iter().for_each(|(name, value)| attributes.take(name, value));
        attributes
    }

    /// The CloudEvents source and id under which it is written.
    pub fn cloud_event(&self) -> (&str, &str) {
        (REOPENED, &self.position)
    }
}

/// What the record says, in its own order; nothing where it is of no use.
fn observations(record: &RecordRef<'_>, world: &World) -> Vec<Observation> {
    let mut found = Vec::new();
    let decoded = feeds::decode(record, world, &mut |item| {
        if let Item::Observation(observation) = item {
            found.push(observation);
        }
    });
    if decoded.is_ok() { found } else { Vec::new() }
}

/// A window is of the pane in which an event counts, which the as-of lag of its source moves.
const MARGIN: crate::time::Span = crate::time::Span::from_mins(60);

#[cfg(test)]
#[path = "reopen_tests.rs"]
mod tests;
