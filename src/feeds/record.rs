//! Records as they were read from the log: a batch holds many in one buffer that is used again, so that reading allocates nothing per record.

use crate::venue::Feed;
use std::ops::Range;

/// The `ce_source` of a record that was too late and is taken back in; its `ce_id` is the position at which it was late, so that it is taken once.
pub const REOPENED: &str = "midan/reopen";

/// A batch of records in the order in which they were read.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    records: Vec<Slots>,
    /// By feed, the greatest offset.
    last: [Option<i64>; Feed::ALL.len()],
}

#[derive(Debug)]
struct Slots {
    feed: Feed,
    partition: u32,
    offset: i64,
    appended: Option<i64>,
    received: Option<i64>,
    key: Option<Range<usize>>,
    value: Range<usize>,
    source: Option<Range<usize>>,
    format: Option<Range<usize>>,
    cloud_event: Option<(Range<usize>, Range<usize>)>,
    attributes: [Option<Range<usize>>; Attributes::NAMES.len()],
}

/// One record of a batch.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'a> {
    /// The feed whose topic it was read from.
    pub feed: Feed,
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: i64,
    /// The broker's append time (epoch ms), under LogAppendTime only.
    pub appended: Option<i64>,
    /// The `midan-received` header (epoch ms).
    pub received: Option<i64>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; empty for a tombstone.
    pub value: &'a [u8],
    /// The `midan-source` header.
    pub source: Option<&'a str>,
    /// The format by header: `ce_type`, else `content-type`.
    pub format: Option<&'a str>,
    /// (`ce_source`, `ce_id`), the identity where present.
    pub cloud_event: Option<(&'a str, &'a str)>,
    /// What else CloudEvents' headers say.
    pub attributes: Attributes<'a>,
}

/// CloudEvents' attributes that bear on a record besides its type and identity, in binary mode (headers `ce_…`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes<'a> {
    values: [Option<&'a str>; Attributes::NAMES.len()],
}

impl<'a> Attributes<'a> {
    /// None of them.
    pub const NONE: Self = Self { values: [None; Self::NAMES.len()] };

    /// The headers that are read.
    pub const NAMES: [&'static str; 4] = ["ce_specversion", "ce_recordedtime", "ce_sequence", "ce_partitionkey"];

    /// Takes a header, if it is one of these.
    pub fn take(&mut self, name: &str, value: &'a str) {
        if let Some(index) = Self::NAMES.iter().position(|known| *known == name) {
            self.values[index] = Some(value);
        }
    }

    /// The headers that are there.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        Self::NAMES.into_iter().zip(self.values).filter_map(|(name, value)| Some((name, value?)))
    }

    /// The version of CloudEvents.
    pub const fn spec_version(&self) -> Option<&'a str> {
        self.values[0]
    }

    /// When the event was recorded by its producer, RFC 3339: later than it happened, where it was off line.
    pub const fn recorded_time(&self) -> Option<&'a str> {
        self.values[1]
    }

    /// Its place in the order of its source.
    pub const fn sequence(&self) -> Option<&'a str> {
        self.values[2]
    }

    /// The key by which it was partitioned.
    pub const fn partition_key(&self) -> Option<&'a str> {
        self.values[3]
    }
}

impl<'a> RecordRef<'a> {
    /// When the record was received: the header, else the broker's append time; never the reader's clock (FORMATS.md, "Headers").
    /// Whether it is a late record that an operator takes back in (`midan reopen`).
    pub fn is_reopened(&self) -> bool {
        self.cloud_event.is_some_and(|(source, _)| source == REOPENED)
    }

    /// When it was received, or appended where nobody told.
    pub fn received_at(&self) -> Option<i64> {
        self.received.or(self.appended)
    }
}

impl Batch {
    /// Empties the batch and keeps its buffers.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
        self.last = Default::default();
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The size of what it holds, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The feeds of its records, each with the greatest offset.
    pub fn last_offsets(&self) -> impl Iterator<Item = (Feed, i64)> {
        Feed::ALL.into_iter().filter_map(|feed| Some((feed, self.last[feed as usize]?)))
    }

    /// Copies a record in.
    pub fn push(&mut self, record: &RecordRef<'_>) {
        let last = &mut self.last[record.feed as usize];
        *last = (*last).max(Some(record.offset));
        let slots = Slots {
            feed: record.feed,
            partition: record.partition,
            offset: record.offset,
            appended: record.appended,
            received: record.received,
            key: record.key.map(|key| self.store(key)),
            value: self.store(record.value),
            source: record.source.map(|source| self.store(source.as_bytes())),
            format: record.format.map(|format| self.store(format.as_bytes())),
            cloud_event: record.cloud_event.map(|(source, id)| (self.store(source.as_bytes()), self.store(id.as_bytes()))),
            attributes: record.attributes.values.map(|value| value.map(|value| self.store(value.as_bytes()))),
        };
        self.records.push(slots);
    }

    /// The records in the order in which they were read.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RecordRef<'_>> {
        self.records.iter().map(|slots| self.view(slots))
    }

    fn store(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn view<'a>(&'a self, slots: &Slots) -> RecordRef<'a> {
        let bytes = |range: &Range<usize>| &self.bytes[range.clone()];
        let text = |range: &Range<usize>| std::str::from_utf8(&self.bytes[range.clone()]).unwrap_or("");
        RecordRef {
            feed: slots.feed,
            partition: slots.partition,
            offset: slots.offset,
            appended: slots.appended,
            received: slots.received,
            key: slots.key.as_ref().map(bytes),
            value: bytes(&slots.value),
            source: slots.source.as_ref().map(text),
            format: slots.format.as_ref().map(text),
            cloud_event: slots.cloud_event.as_ref().map(|(source, id)| (text(source), text(id))),
            attributes: Attributes { values: slots.attributes.each_ref().map(|value| value.as_ref().map(text)) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_knows_how_far_each_feed_was_read() {
        let mut batch = Batch::default();
        for (feed, offset) in [(Feed::Sensors, 7), (Feed::Commands, 3), (Feed::Sensors, 9), (Feed::Sensors, 8)] {
            batch.push(&RecordRef { offset, ..crate::feeds::sample::record(feed, b"{}") });
        }
        assert_eq!(batch.last_offsets().collect::<Vec<_>>(), [(Feed::Sensors, 9), (Feed::Commands, 3)]);
        batch.clear();
        assert_eq!(batch.last_offsets().count(), 0);
    }
}
