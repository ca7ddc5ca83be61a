//! Writing input into the embedded log: records are gathered and appended many at a time under one lock.

use super::Shared;
use super::segment::Fresh;
use crate::engine::OutTopic;
use crate::feeds::{Batch, RecordRef};
use crate::log::{Feeder, InRecord, LogError, POSITION_HEADER, RECEIVED_HEADER, SOURCE_HEADER, Topic};
use crate::venue::partition::partition_of;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// So many records are gathered before they are appended.
const GATHERED: usize = 1_024;
/// How long a feeder sleeps at most between looks at what still waits.
const PATIENCE: Duration = Duration::from_millis(50);

/// A writer of input.
#[derive(Debug)]
pub struct EmbeddedFeeder {
    shared: Arc<Shared>,
    holds_open: bool,
    partitions: u32,
    gathered: Batch,
}

impl EmbeddedFeeder {
    pub(super) fn new(shared: Arc<Shared>, holds_open: bool) -> Self {
        let mut state = shared.lock();
        state.feeders += usize::from(holds_open);
        let partitions = state.options.partitions;
        drop(state);
        Self { shared, holds_open, partitions, gathered: Batch::default() }
    }

    fn append(&mut self) -> Result<(), LogError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let mut state = self.shared.lock();
        while self.holds_open && state.options.unread_bytes.is_some_and(|bound| state.unread_bytes() > bound) && state.is_being_read() {
            state = self.shared.wait(state, PATIENCE);
        }
        let timestamp = state.clock;
        let mut digits = Vec::with_capacity(20);
        for record in self.gathered.iter() {
            digits.clear();
            if let Some(received) = record.received {
                let _ = write!(digits, "{received}");
            }
            let mut headers = HeaderList::default();
            headers.add(SOURCE_HEADER, record.source.map(str::as_bytes));
            headers.add("content-type", record.format.map(str::as_bytes));
            headers.add(RECEIVED_HEADER, record.received.map(|_| digits.as_slice()));
            headers.add("ce_source", record.cloud_event.map(|(source, _)| source.as_bytes()));
            headers.add("ce_id", record.cloud_event.map(|(_, id)| id.as_bytes()));
            for (name, value) in record.attributes.iter() {
                headers.add(name, Some(value.as_bytes()));
            }
            let fresh = Fresh { timestamp, key: record.key.unwrap_or_default(), value: Some(record.value), headers: headers.as_slice() };
            state.skip_to(Topic::In(record.feed), record.partition, record.offset);
            state.append(Topic::In(record.feed), record.partition, &fresh)?;
        }
        drop(state);
        self.gathered.clear();
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Puts a record on a partition of one's own choosing, wrong ones included: for tests of what is wrongly keyed.
    pub fn send_to(&mut self, partition: u32, record: &InRecord<'_>) -> Result<(), LogError> {
        self.copy(&RecordRef {
            feed: record.feed,
            partition,
            offset: 0,
            appended: None,
            received: record.received,
            key: Some(record.key),
            value: record.value,
            source: record.source,
            format: record.format,
            cloud_event: record.cloud_event,
            attributes: record.attributes,
        })
    }

    /// Puts a record on the partition that it names, as another log held it, at its offset there; where this log is further already, at its end.
    pub fn copy(&mut self, record: &RecordRef<'_>) -> Result<(), LogError> {
        self.gathered.push(record);
        if self.gathered.len() >= GATHERED { self.append() } else { Ok(()) }
    }
}

impl Feeder for EmbeddedFeeder {
    fn send(&mut self, record: &InRecord<'_>) -> Result<(), LogError> {
        self.send_to(partition_of(record.key, self.partitions), record)
    }

    fn quarantine(&mut self, key: &[u8], value: &[u8], position: &str) -> Result<(), LogError> {
        let mut state = self.shared.lock();
        let fresh = Fresh { timestamp: state.clock, key, value: Some(value), headers: &[(POSITION_HEADER, position.as_bytes())] };
        state.append(Topic::Out(OutTopic::Quarantine), partition_of(key, self.partitions), &fresh)?;
        drop(state);
        self.shared.changed.notify_all();
        Ok(())
    }

    fn flush(&mut self) -> Result<(), LogError> {
        self.append()
    }
}

impl Drop for EmbeddedFeeder {
    fn drop(&mut self) {
        let _ = self.append();
        if self.holds_open {
            self.shared.lock().feeders -= 1;
        }
        self.shared.changed.notify_all();
    }
}

/// Up to nine headers, without a vector.
#[derive(Default)]
struct HeaderList<'a> {
    entries: [(&'a str, &'a [u8]); 9],
    len: usize,
}

impl<'a> HeaderList<'a> {
    fn add(&mut self, name: &'a str, value: Option<&'a [u8]>) {
        if let Some(value) = value {
            self.entries[self.len] = (name, value);
            self.len += 1;
        }
    }

    fn as_slice(&self) -> &[(&'a str, &'a [u8])] {
        &self.entries[..self.len]
    }
}
