//! A shard's side of the embedded log.
//!
//! Of several feeds it reads the one whose next record is oldest, a run at a time, so that after a pause no feed runs hours ahead of the others and
//! the open panes stay few.

use super::Shared;
use super::faults::Faults;
use super::partition::Cursor;
use super::segment::{Fresh, Stored};
use super::state::State;
use crate::engine::{Alert, OutRecord, OutTopic, StateChange};
use crate::feeds::RecordRef;
use crate::log::{
    AlertEntry, CHANGE_HEADER, COMMANDS_HEADER, Event, Fencing, GENERATION_HEADER, Inbox, Kept, LogError, Offsets, POSITION_HEADER, Place, RECEIVED_HEADER,
    SOURCE_HEADER, SentAlert, ShardLog, StateEntry, Topic,
};
use crate::venue::Feed;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// So many records are read of one place before the next is looked at.
const RUN: usize = 256;
/// Broker time is reported once in so many milliseconds.
const TICK_MS: i64 = 1_000;

/// A shard's membership.
#[derive(Debug)]
pub struct Member {
    shared: Arc<Shared>,
    group: String,
    id: u64,
    name: String,
    cursors: BTreeMap<Place, Cursor>,
    paused: BTreeSet<Place>,
    /// Places whose end has been reported.
    ended: BTreeSet<Place>,
    /// The broker's time that was reported last.
    told: i64,
    /// The group's generation when it was asked last.
    generation: i32,
    /// Partitions whose revocation has been reported.
    leaving: BTreeSet<u32>,
    open: Option<Transaction>,
    /// An empty transaction: the memory of the last one, used again.
    spare: Transaction,
    /// The answer to the commit that was started.
    answer: Option<Result<(), LogError>>,
    alerts_end: BTreeMap<u32, i64>,
    /// Whether it goes without a word: then the group keeps its place until somebody throws it out.
    vanishes: bool,
    faults: Faults,
}

/// The records of an open transaction, in one run of memory: there may be a million of them.
#[derive(Debug, Default)]
struct Transaction {
    records: Vec<Pending>,
    text: Vec<u8>,
}

/// A record of it: where its key ends and its value, behind the record before; without a value the key is all there is.
#[derive(Debug)]
struct Pending {
    topic: OutTopic,
    partition: u32,
    key_end: usize,
    value_end: Option<usize>,
    headers: SmallVec<[(&'static str, String); 1]>,
}

/// What is to be written.
struct Given<'a> {
    topic: OutTopic,
    partition: u32,
    key: &'a [u8],
    value: Option<&'a [u8]>,
}

impl Transaction {
    fn clear(&mut self) {
        self.records.clear();
        self.text.clear();
    }

    fn iter(&self) -> impl Iterator<Item = (Given<'_>, &[(&'static str, String)])> {
        let mut start = 0;
        self.records.iter().map(move |pending| {
            let Pending { topic, partition, key_end, value_end, headers } = pending;
            let key = &self.text[start..*key_end];
            let value = value_end.map(|end| &self.text[*key_end..end]);
            start = value_end.unwrap_or(*key_end);
            (Given { topic: *topic, partition: *partition, key, value }, &headers[..])
        })
    }
}

impl Member {
    pub(super) fn join(shared: Arc<Shared>, group: &str, chosen: Option<&[u32]>, faults: Faults) -> Self {
        let mut state = shared.lock();
        let partitions = state.options.partitions;
        let id = state.group(group).join(partitions, chosen);
        let generation = state.group(group).generation();
        drop(state);
        shared.changed.notify_all();
        Self {
            shared,
            group: group.to_owned(),
            id,
            name: format!("{group}-{id}"),
            cursors: BTreeMap::new(),
            paused: BTreeSet::new(),
            ended: BTreeSet::new(),
            told: i64::MIN,
            generation,
            leaving: BTreeSet::new(),
            open: None,
            spare: Transaction::default(),
            answer: None,
            alerts_end: BTreeMap::new(),
            vanishes: false,
            faults,
        }
    }

    /// Its number in the group, for [`super::EmbeddedLog::expel_member`].
    pub fn number(&self) -> u64 {
        self.id
    }

    /// From here on it is as one that was killed: when it is dropped, the group does not hear of it.
    pub fn vanish(&mut self) {
        self.vanishes = true;
    }

    /// What has happened to the membership; it comes before any record.
    fn membership(&mut self, state: &mut State, inbox: &mut Inbox) -> Result<(), LogError> {
        let group = state.group(&self.group);
        if !group.knows(self.id) {
            return Err(LogError::Fenced { doing: "polling", detail: format!("member {} was thrown out of group {}", self.id, self.group) });
        }
        self.generation = group.generation();
        let leaving = group.to_release(self.id);
        if !leaving.is_empty() {
            if self.leaving.is_empty() {
                self.leaving.extend(&leaving);
                inbox.events.push(Event::Revoked { partitions: leaving, lost: false });
            }
            return Ok(());
        }
        let taken = group.take(self.id);
        if !taken.is_empty() {
            inbox.events.push(Event::Assigned(taken));
        }
        Ok(())
    }

    fn records(&mut self, state: &State, max: usize, inbox: &mut Inbox) -> Result<(), LogError> {
        let mut left = max;
        while left > 0 {
            let Some(place) = self.oldest(state)? else { break };
            let Some(cursor) = self.cursors.get_mut(&place) else { break };
            let batch = inbox.batch_mut(place.partition);
            let read = state.read(Topic::In(place.feed), place.partition, cursor, left.min(RUN), &mut |record| push(batch, place, record))?;
            if read == 0 {
                break;
            }
            left -= read;
            self.ended.remove(&place);
        }
        Ok(())
    }

    fn oldest(&mut self, state: &State) -> Result<Option<Place>, LogError> {
        let (cursors, paused) = (&mut self.cursors, &self.paused);
        let unread = |place: &Place, cursor: &Cursor| cursor.next < state.end(Topic::In(place.feed), place.partition);
        let mut waiting = cursors.iter_mut().filter(|(place, cursor)| !paused.contains(place) && unread(place, cursor));
        let Some((first, cursor)) = waiting.next() else { return Ok(None) };
        let (mut oldest, cursor) = (*first, cursor);
        let Some((second, other)) = waiting.next() else { return Ok(Some(oldest)) };
        let mut at = state.next_timestamp(Topic::In(oldest.feed), oldest.partition, cursor)?;
        for (place, cursor) in std::iter::once((second, other)).chain(waiting) {
            let next = state.next_timestamp(Topic::In(place.feed), place.partition, cursor)?;
            if next < at {
                (oldest, at) = (*place, next);
            }
        }
        Ok(Some(oldest))
    }

    fn ends(&mut self, state: &State, inbox: &mut Inbox) {
        for (place, cursor) in &self.cursors {
            let end = state.end(Topic::In(place.feed), place.partition);
            if cursor.next >= end && self.ended.insert(*place) {
                inbox.events.push(Event::ReadToEnd { place: *place, next_offset: end });
            }
        }
    }

    fn tick(&mut self, state: &State, inbox: &mut Inbox) {
        if state.clock > 0 && state.clock >= self.told.saturating_add(TICK_MS) {
            self.told = state.clock;
            inbox.events.push(Event::BrokerTime(state.clock));
        }
    }

    fn pend(&mut self, given: &Given<'_>, headers: SmallVec<[(&'static str, String); 1]>) -> Result<(), LogError> {
        let Some(Transaction { records, text }) = &mut self.open else {
            return Err(LogError::Aborted { doing: "appending", detail: "no transaction is open".to_owned() });
        };
        text.extend_from_slice(given.key);
        let key_end = text.len();
        let value_end = given.value.map(|value| {
            text.extend_from_slice(value);
            text.len()
        });
        records.push(Pending { topic: given.topic, partition: given.partition, key_end, value_end, headers });
        Ok(())
    }

    fn write(state: &mut State, given: &Given<'_>, headers: &[(&'static str, String)]) -> Result<(), LogError> {
        let headers: SmallVec<[(&str, &[u8]); 2]> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let fresh = Fresh { timestamp: state.clock, key: given.key, value: given.value, headers: &headers };
        state.append(Topic::Out(given.topic), given.partition, &fresh)
    }
}

impl ShardLog for Member {
    fn id(&self) -> &str {
        &self.name
    }

    fn group(&self) -> &str {
        &self.group
    }

    fn generation(&self) -> i32 {
        self.generation
    }

    fn poll(&mut self, max_records: usize, wait: Duration, inbox: &mut Inbox) -> Result<(), LogError> {
        inbox.clear();
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        for attempt in 0..2 {
            self.membership(&mut state, inbox)?;
            if !inbox.events.is_empty() {
                return Ok(());
            }
            self.records(&state, max_records, inbox)?;
            self.ends(&state, inbox);
            self.tick(&state, inbox);
            if attempt == 1 || !inbox.is_empty() || wait.is_zero() {
                break;
            }
            state = shared.wait(state, wait);
        }
        Ok(())
    }

    fn committed(&mut self, partition: u32) -> Result<Offsets, LogError> {
        let mut state = self.shared.lock();
        let known = &state.group(&self.group).offsets;
        Ok(known.iter().filter(|(place, _)| place.partition == partition).map(|(place, next)| (*place, *next)).collect())
    }

    fn kept(&mut self, partition: u32) -> Result<Kept, LogError> {
        let state = self.shared.lock();
        let kept = |feed| (Place { feed, partition }, state.start(Topic::In(feed), partition)..state.end(Topic::In(feed), partition));
        Ok(Feed::ALL.into_iter().map(kept).collect())
    }

    fn start(&mut self, from: &Offsets) -> Result<(), LogError> {
        self.cursors.extend(from.iter().map(|(place, next)| (*place, Cursor::at(*next))));
        self.ended.retain(|place| !from.contains_key(place));
        self.paused.retain(|place| !from.contains_key(place));
        Ok(())
    }

    fn pause(&mut self, places: &[Place], paused: bool) -> Result<(), LogError> {
        for place in places {
            if paused {
                self.paused.insert(*place)
            } else {
                self.paused.remove(place)
            };
        }
        Ok(())
    }

    fn halt(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        self.cursors.retain(|place, _| !partitions.contains(&place.partition));
        self.ended.retain(|place| !partitions.contains(&place.partition));
        Ok(())
    }

    fn release(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        self.halt(partitions)?;
        self.leaving.clear();
        self.shared.lock().group(&self.group).release(self.id, partitions);
        self.shared.changed.notify_all();
        Ok(())
    }

    fn read_state(&mut self, partition: u32, entry: &mut StateEntry<'_>) -> Result<u64, LogError> {
        let state = self.shared.lock();
        let topic = Topic::Out(OutTopic::State);
        let mut cursor = Cursor::at(state.start(topic, partition));
        let entries = state.read(topic, partition, &mut cursor, usize::MAX, &mut |record| entry(record.key, record.value))?;
        Ok(entries as u64)
    }

    fn read_alerts(&mut self, partition: u32, from: Option<i64>, alert: &mut AlertEntry<'_>) -> Result<i64, LogError> {
        let state = self.shared.lock();
        let topic = Topic::Out(OutTopic::Alerts);
        let end = state.end(topic, partition);
        let mut cursor = Cursor::at(from.unwrap_or(end));
        state.read(topic, partition, &mut cursor, usize::MAX, &mut |record| {
            let header =
                |name: &str| record.headers.clone().find(|(known, _)| *known == name.as_bytes()).and_then(|(_, value)| std::str::from_utf8(value).ok());
            let Some(commands_read) = header(COMMANDS_HEADER).and_then(|text| text.parse().ok()) else { return };
            let number = |name| header(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or_default();
            let (change_no, term) = (number(CHANGE_HEADER) as u32, number(GENERATION_HEADER) as i32);
            alert(SentAlert { key: record.key, change_no, value: record.value.unwrap_or_default(), commands_read, term });
        })?;
        Ok(end)
    }

    fn alerts_end(&self, partition: u32) -> Option<i64> {
        self.alerts_end.get(&partition).copied()
    }

    /// A transaction of this log is nowhere until it is committed: there is nothing that could block.
    fn fence(&mut self, _id: &str) {}

    fn has_members(&mut self, group: &str) -> Result<bool, LogError> {
        Ok(self.shared.lock().group(group).has_members())
    }

    fn fencing(&self, _id: &str) -> Option<Fencing> {
        // A member that is replaced is out at once.
        Some(Fencing::Done)
    }

    fn end(&mut self, place: Place) -> Result<i64, LogError> {
        Ok(self.shared.lock().end(Topic::In(place.feed), place.partition))
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.open = Some(std::mem::take(&mut self.spare));
        Ok(())
    }

    fn append(&mut self, partition: u32, record: &OutRecord) -> Result<(), LogError> {
        let headers = record.position.iter().map(|position| (POSITION_HEADER, position.clone())).collect();
        self.pend(&Given { topic: record.topic, partition, key: &record.key, value: Some(&record.value) }, headers)
    }

    fn append_state(&mut self, partition: u32, change: &StateChange) -> Result<(), LogError> {
        self.pend(&Given { topic: OutTopic::State, partition, key: &change.key, value: change.value.as_deref() }, SmallVec::new())
    }

    fn append_alert(&mut self, partition: u32, alert: &Alert, term: i32) -> Result<(), LogError> {
        let headers = SmallVec::from_iter([(GENERATION_HEADER, term.to_string()), (CHANGE_HEADER, alert.change_no.to_string())]);
        self.pend(&Given { topic: OutTopic::Alerts, partition, key: &alert.key, value: Some(&alert.value) }, headers)
    }

    fn start_commit(&mut self, next: &Offsets) -> Result<(), LogError> {
        let fate = self.faults.next();
        let mut pending = self.open.take().unwrap_or_default();
        let mut state = self.shared.lock();
        let group = state.group(&self.group);
        if let Some(place) = next.keys().find(|place| !group.owns(self.id, place.partition)) {
            return Err(LogError::Aborted { doing: "committing", detail: format!("{place} belongs to another member of group {}", self.group) });
        }
        if fate.stands() {
            for (given, headers) in pending.iter() {
                Self::write(&mut state, &given, headers)?;
            }
            state.group(&self.group).offsets.extend(next);
            Feed::ALL.into_iter().for_each(|feed| state.trim(Topic::In(feed)));
        }
        drop(state);
        pending.clear();
        self.spare = pending;
        self.shared.changed.notify_all();
        self.answer = Some(fate.told());
        Ok(())
    }

    fn await_commit(&mut self, _wait: Duration) -> Result<bool, LogError> {
        self.answer.take().unwrap_or(Ok(())).map(|()| true)
    }

    fn abort(&mut self) -> Result<(), LogError> {
        (self.open, self.answer) = (None, None);
        Ok(())
    }

    fn send_alert(&mut self, partition: u32, alert: &Alert, term: i32, commands_read: i64) -> Result<(), LogError> {
        let headers = [(GENERATION_HEADER, term.to_string()), (CHANGE_HEADER, alert.change_no.to_string()), (COMMANDS_HEADER, commands_read.to_string())];
        let given = Given { topic: OutTopic::Alerts, partition, key: &alert.key, value: Some(&alert.value) };
        let mut state = self.shared.lock();
        Self::write(&mut state, &given, &headers)?;
        self.alerts_end.insert(partition, state.end(Topic::Out(OutTopic::Alerts), partition));
        drop(state);
        self.shared.changed.notify_all();
        Ok(())
    }

    fn await_alerts(&mut self, _wait: Duration) -> Result<(), LogError> {
        Ok(())
    }

    fn inputs_closed(&self) -> bool {
        self.shared.lock().feeders == 0
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if self.vanishes {
            return;
        }
        let mut state = self.shared.lock();
        let partitions = state.options.partitions;
        state.group(&self.group).leave(self.id, partitions);
        drop(state);
        self.shared.changed.notify_all();
    }
}

fn push(batch: &mut crate::feeds::Batch, place: Place, record: &Stored<'_>) {
    let mut fields = RecordRef {
        feed: place.feed,
        partition: place.partition,
        offset: record.offset,
        appended: Some(record.timestamp),
        received: None,
        key: (!record.key.is_empty()).then_some(record.key),
        value: record.value.unwrap_or_default(),
        source: None,
        format: None,
        cloud_event: None,
        attributes: crate::feeds::Attributes::default(),
    };
    let (mut ce_source, mut ce_id) = (None, None);
    for (name, value) in record.headers {
        let Ok(text) = std::str::from_utf8(value) else { continue };
        match name {
            _ if name == SOURCE_HEADER.as_bytes() => fields.source = Some(text),
            _ if name == RECEIVED_HEADER.as_bytes() => fields.received = text.parse().ok(),
            b"content-type" => fields.format = Some(text),
            b"ce_source" => ce_source = Some(text),
            b"ce_id" => ce_id = Some(text),
            other => fields.attributes.take(std::str::from_utf8(other).unwrap_or_default(), text),
        }
    }
    fields.cloud_event = ce_source.zip(ce_id);
    batch.push(&fields);
}
