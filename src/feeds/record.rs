//! Records as they were read from the log: a batch holds many in one buffer that is used again, so that reading allocates nothing per record.

use crate::venue::Feed;
use std::ops::Range;

/// The `ce_source` of a record that was too late and is taken back in; its `ce_id` is the position at which it was late, so that it is taken once.
pub const REOPENED: &str = "midan/reopen";

/// A batch of records in the order in which they were read.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// What is text by its type, so that nobody has to look again whether it is.
    texts: String,
    records: Vec<Slots>,
    events: Vec<EventSlots>,
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
    /// Its place in `events`, where CloudEvents' headers say anything but the type.
    event: Option<usize>,
}

/// What only records with CloudEvents' headers have.
#[derive(Debug)]
struct EventSlots {
    identity: Option<(Range<usize>, Range<usize>)>,
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
    /// Whether it is a late record that an operator takes back in (`midan reopen`).
    pub fn is_reopened(&self) -> bool {
        self.cloud_event.is_some_and(|(source, _)| source == REOPENED)
    }

    /// Whether its observation of this number, from 0, is among those that are taken back in: only some of a record may have been late, which its id names behind a `#`.
    pub fn takes_back(&self, nth: usize) -> bool {
        let Some((_, id)) = self.cloud_event else { return false };
        id.split_once('#').is_none_or(|(_, parts)| parts.split(',').any(|part| part.parse() == Ok(nth)))
    }

    /// When the record was received: the header, else the broker's append time; never the reader's clock (FORMATS.md, "Headers").
    pub fn received_at(&self) -> Option<i64> {
        self.received.or(self.appended)
    }
}

impl Batch {
    /// Empties the batch and keeps its buffers.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.texts.clear();
        self.records.clear();
        self.events.clear();
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
        self.bytes.len() + self.texts.len()
    }

    /// The feeds of its records, each with the greatest offset.
    pub fn last_offsets(&self) -> impl Iterator<Item = (Feed, i64)> {
        Feed::ALL.into_iter().filter_map(|feed| Some((feed, self.last[feed as usize]?)))
    }

    /// Copies a record in.
    pub fn push(&mut self, record: &RecordRef<'_>) {
        let last = &mut self.last[record.feed as usize];
        *last = (*last).max(Some(record.offset));
        let has_event = record.cloud_event.is_some() || record.attributes != Attributes::NONE;
        let (source_before, format_before) = self.records.last().map_or((None, None), |before| (before.source.clone(), before.format.clone()));
        let slots = Slots {
            feed: record.feed,
            partition: record.partition,
            offset: record.offset,
            appended: record.appended,
            received: record.received,
            key: record.key.map(|key| store(&mut self.bytes, key)),
            value: store(&mut self.bytes, record.value),
            source: record.source.map(|source| self.text_again(source, source_before)),
            format: record.format.map(|format| self.text_again(format, format_before)),
            event: has_event.then_some(self.events.len()),
        };
        if has_event {
            let identity = record.cloud_event.map(|(source, id)| (self.text(source), self.text(id)));
            let attributes = record.attributes.values.map(|value| value.map(|value| self.text(value)));
            self.events.push(EventSlots { identity, attributes });
        }
        self.records.push(slots);
    }

    /// The records in the order in which they were read.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RecordRef<'_>> {
        self.records.iter().map(|slots| self.view(slots))
    }

    fn text(&mut self, text: &str) -> Range<usize> {
        let start = self.texts.len();
        self.texts.push_str(text);
        start..self.texts.len()
    }

    /// A text that is mostly that of the record before, which is then kept once.
    fn text_again(&mut self, text: &str, before: Option<Range<usize>>) -> Range<usize> {
        before.filter(|before| self.texts.get(before.clone()) == Some(text)).unwrap_or_else(|| self.text(text))
    }

    fn view<'a>(&'a self, slots: &Slots) -> RecordRef<'a> {
        let bytes = |range: &Range<usize>| &self.bytes[range.clone()];
        let text = |range: &Range<usize>| &self.texts[range.clone()];
        let event = slots.event.and_then(|event| self.events.get(event));
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
            cloud_event: event.and_then(|event| event.identity.as_ref()).map(|(source, id)| (text(source), text(id))),
            attributes: event.map_or(Attributes::NONE, |event| Attributes { values: event.attributes.each_ref().map(|value| value.as_ref().map(text)) }),
        }
    }
}

fn store(all: &mut Vec<u8>, bytes: &[u8]) -> Range<usize> {
    let start = all.len();
    all.extend_from_slice(bytes);
    start..all.len()
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

    #[test]
    fn what_is_copied_in_is_what_is_read_out() {
        let plain = crate::feeds::sample::record(Feed::Sensors, b"{\"a\":1}");
        let mut attributes = Attributes::NONE;
        attributes.take("ce_sequence", "17");
        attributes.take("ce_other", "x");
        let records = [
            RecordRef { source: Some("lidar"), format: Some("count"), ..plain },
            RecordRef { source: Some("lidar"), format: None, key: None, received: Some(5), ..plain },
            RecordRef { source: None, format: Some("count"), cloud_event: Some(("door", "é")), value: b"\xff", ..plain },
            RecordRef { source: Some("other"), format: Some("count"), attributes, appended: Some(6), ..plain },
        ];
        let mut batch = Batch::default();
        for _ in 0..2 {
            batch.clear();
            records.iter().for_each(|record| batch.push(record));
            let text = |record: &RecordRef<'_>| format!("{record:?}");
            assert_eq!(batch.iter().map(|record| text(&record)).collect::<Vec<_>>(), records.iter().map(text).collect::<Vec<_>>());
        }
    }
}
