//! Repeats: the identities of what was observed, kept as long as a repeat could still count.
//!
//! An identity is kept by its entity and the minute of its event time, until no event of that minute could be anything but late. A repeat with the same content
//! collapses; one with another content is a conflict. Buckets are small, so a look-up is a short scan and the changelog carries only the buckets that changed.

use crate::feeds::observation::Entity;
use crate::time::EventTime;
use crate::venue::Venue;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

const MINUTE_MS: i64 = 60_000;

/// What is known of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// Never seen: it is remembered now.
    First,
    /// Seen with the same content.
    Repeat,
    /// Seen with another content.
    Conflict,
}

/// The identities of one entity and minute: (identity, content).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    seen: Vec<(u64, u64)>,
}

/// The name of a bucket: the entity's slot and the minute.
pub type BucketKey = (u32, i64);

/// The identities of one venue.
#[derive(Clone, Debug, Default)]
pub struct Identities {
    slots: Vec<VecDeque<(i64, Bucket, bool)>>,
    sensors: usize,
    gates: usize,
    changed: Vec<BucketKey>,
    forgotten: Vec<BucketKey>,
}

impl Identities {
    /// No identity of `venue` seen yet.
    pub fn new(venue: &Venue) -> Self {
        let (sensors, gates) = (venue.sensors.len(), venue.gates.len());
        let slots = sensors + gates + venue.stops.len() + 1;
        Self { slots: vec![VecDeque::new(); slots], sensors, gates, changed: Vec::new(), forgotten: Vec::new() }
    }

    /// Looks an identity up and remembers it when it is new.
    pub fn see(&mut self, entity: Entity, at: EventTime, identity: u64, content: u64) -> Sighting {
        let slot = self.slot(entity);
        let minute = at.as_millis().div_euclid(MINUTE_MS);
        let Some(buckets) = self.slots.get_mut(slot) else { return Sighting::First };
        let place = match buckets.iter().rposition(|(m, _, _)| *m <= minute) {
            Some(found) if buckets[found].0 == minute => found,
            Some(before) => insert(buckets, before + 1, minute),
            None => insert(buckets, 0, minute),
        };
        let (_, bucket, dirty) = &mut buckets[place];
        if let Some((_, kept)) = bucket.seen.iter().rev().find(|(id, _)| *id == identity) {
            return if *kept == content { Sighting::Repeat } else { Sighting::Conflict };
        }
        bucket.seen.push((identity, content));
        if !*dirty {
            *dirty = true;
            self.changed.push((slot as u32, minute));
        }
        Sighting::First
    }

    /// Forgets what lies wholly before `horizon(slot's sensor index, or None for other entities)`.
    pub fn forget(&mut self, horizon: impl Fn(Option<usize>) -> EventTime) {
        for (slot, buckets) in self.slots.iter_mut().enumerate() {
            let Some((oldest, _, _)) = buckets.front() else { continue };
            let sensor = (slot < self.sensors).then_some(slot);
            let until = horizon(sensor).as_millis();
            if oldest.saturating_add(1).saturating_mul(MINUTE_MS) > until {
                continue;
            }
            while buckets.front().is_some_and(|(minute, _, _)| minute.saturating_add(1).saturating_mul(MINUTE_MS) <= until) {
                if let Some((minute, _, _)) = buckets.pop_front() {
                    self.forgotten.push((slot as u32, minute));
                }
            }
        }
    }

    /// The buckets that changed since last asked, sorted inside so that the order of arrival leaves no trace; `None` for a bucket that is gone.
    pub fn take_changed(&mut self) -> Vec<(BucketKey, Option<Bucket>)> {
        let mut changes: Vec<(BucketKey, Option<Bucket>)> = self.forgotten.drain(..).map(|key| (key, None)).collect();
        for key in std::mem::take(&mut self.changed) {
            let Some(buckets) = self.slots.get_mut(key.0 as usize) else { continue };
            let Some((_, bucket, dirty)) = buckets.iter_mut().find(|(minute, _, _)| *minute == key.1) else { continue };
            *dirty = false;
            let mut bucket = bucket.clone();
            bucket.seen.sort_unstable();
            changes.push((key, Some(bucket)));
        }
        changes
    }

    /// Takes a bucket back from the state.
    pub fn restore(&mut self, key: BucketKey, bucket: Bucket) {
        let Some(buckets) = self.slots.get_mut(key.0 as usize) else { return };
        let place = buckets.iter().position(|(minute, _, _)| *minute > key.1).unwrap_or(buckets.len());
        buckets.insert(place, (key.1, bucket, false));
    }

    fn slot(&self, entity: Entity) -> usize {
        match entity {
            Entity::Sensor(sensor) => sensor.index(),
            Entity::Gate(gate) => self.sensors + gate.index(),
            Entity::Stop(stop) => self.sensors + self.gates + stop.index(),
            // Few speak of zones and links (calls, plans): they share the venue's slot.
            Entity::Zone(_) | Entity::Link(_) | Entity::Venue => self.slots.len().saturating_sub(1),
        }
    }
}

fn insert(buckets: &mut VecDeque<(i64, Bucket, bool)>, place: usize, minute: i64) -> usize {
    buckets.insert(place, (minute, Bucket::default(), false));
    place
}
