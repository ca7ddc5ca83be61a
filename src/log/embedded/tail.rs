//! Plain reading of the embedded log, from the beginning or from now on. A reader that exists holds trimming back to where it stands.

use super::Shared;
use super::partition::Cursor;
use super::state::Spot;
use crate::log::{LogError, Since, Tail, TailRecord, Topic};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A reader.
#[derive(Debug)]
pub struct EmbeddedTail {
    shared: Arc<Shared>,
    id: u64,
    cursors: Vec<(Spot, Cursor)>,
    /// Whose turn it is, so that a busy partition does not starve the others.
    turn: usize,
    names: BTreeMap<Vec<u8>, Arc<str>>,
    at_end: bool,
}

impl EmbeddedTail {
    pub(super) fn new(shared: Arc<Shared>, topics: &[Topic], since: Since) -> Self {
        let mut state = shared.lock();
        let spots = topics.iter().flat_map(|topic| (0..state.options.partitions).map(move |partition| (*topic, partition)));
        let from = |(topic, partition): Spot| match since {
            Since::Beginning => state.start(topic, partition),
            Since::End => state.end(topic, partition),
        };
        let cursors: Vec<(Spot, Cursor)> = spots.map(|spot| (spot, Cursor::at(from(spot)))).collect();
        let positions = cursors.iter().map(|(spot, cursor)| (*spot, cursor.next)).collect();
        let id = state.register_reader(positions);
        drop(state);
        Self { shared, id, cursors, turn: 0, names: BTreeMap::new(), at_end: false }
    }
}

impl Tail for EmbeddedTail {
    fn poll(&mut self, max: usize, wait: Duration, into: &mut Vec<TailRecord>) -> Result<(), LogError> {
        let mut state = self.shared.lock();
        if self.cursors.iter().all(|((topic, partition), cursor)| cursor.next >= state.end(*topic, *partition)) {
            state = self.shared.wait(state, wait);
        }
        let (count, names) = (self.cursors.len(), &mut self.names);
        let mut left = max;
        for i in 0..count {
            let ((topic, partition), cursor) = &mut self.cursors[(self.turn + i) % count];
            left -= state.read(*topic, *partition, cursor, left, &mut |record| {
                let headers = record.headers.map(|(name, value)| (shared_name(names, name), value.to_vec())).collect();
                into.push(TailRecord {
                    topic: *topic,
                    partition: *partition,
                    offset: record.offset,
                    timestamp_ms: record.timestamp,
                    key: record.key.to_vec(),
                    value: record.value.map(<[u8]>::to_vec),
                    headers,
                });
            })?;
        }
        self.turn = (self.turn + 1) % count.max(1);
        self.at_end = self.cursors.iter().all(|((topic, partition), cursor)| cursor.next >= state.end(*topic, *partition));
        if left == max {
            return Ok(());
        }
        let positions = self.cursors.iter().map(|(spot, cursor)| (*spot, cursor.next)).collect();
        state.readers.insert(self.id, positions);
        let mut topics: Vec<Topic> = self.cursors.iter().map(|((topic, _), _)| *topic).collect();
        topics.dedup();
        topics.into_iter().for_each(|topic| state.trim(topic));
        Ok(())
    }

    fn at_end(&self) -> bool {
        self.at_end
    }
}

impl Drop for EmbeddedTail {
    fn drop(&mut self) {
        self.shared.lock().readers.remove(&self.id);
    }
}

/// Header names are few: each is kept once.
fn shared_name(names: &mut BTreeMap<Vec<u8>, Arc<str>>, name: &[u8]) -> Arc<str> {
    if let Some(known) = names.get(name) {
        return Arc::clone(known);
    }
    let fresh: Arc<str> = String::from_utf8_lossy(name).into();
    names.insert(name.to_vec(), Arc::clone(&fresh));
    fresh
}
