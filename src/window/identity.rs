//! Repeats: the identities of what was observed, kept as long as a repeat could still count.
//!
//! The idea: an identity is kept with the second of its event time, among all of its source, until no event of that second could be anything but late. A repeat with the
//! same content collapses; one with another content is a conflict. A second is soon complete and hardly changes any more, so the changelog carries each identity about
//! once, in few large entries, however often the shard commits.

use crate::feeds::observation::Entity;
use crate::time::EventTime;
use crate::venue::Venue;
use std::collections::VecDeque;

const SECOND_MS: i64 = 1_000;

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

/// The name of an entry of the state: the group (0 for what is no sensor's, else the sensor's source, from 1) and the second.
pub type SliceKey = (u32, i64);

/// The identities of one venue.
#[derive(Clone, Debug, Default)]
pub struct Identities {
    /// By group: its seconds, oldest first.
    groups: Vec<VecDeque<(i64, Slice)>>,
    /// By sensor: its group.
    group_of: Vec<u32>,
    changed: Vec<SliceKey>,
    forgotten: Vec<SliceKey>,
}

/// The identities of one group and second: a table with open addressing, for nothing is ever taken out of it. What is looked up is a hash already.
#[derive(Clone, Debug, Default)]
struct Slice {
    /// (identity, content); an identity of 0 is an empty place.
    table: Vec<(u64, u64)>,
    len: usize,
    dirty: bool,
}

impl Identities {
    /// No identity of `venue` seen yet.
    pub fn new(venue: &Venue) -> Self {
        Self {
            groups: vec![VecDeque::new(); venue.sources.len() + 1],
            group_of: venue.sensors.iter().map(|sensor| sensor.source.0 + 1).collect(),
            ..Self::default()
        }
    }

    /// Looks an identity up and remembers it when it is new.
    pub fn see(&mut self, entity: Entity, at: EventTime, identity: u64, content: u64) -> Sighting {
        let (group, place) = self.place(entity);
        let second = at.as_millis().div_euclid(SECOND_MS);
        let Some(slices) = self.groups.get_mut(group as usize) else { return Sighting::First };
        // Most belong to one of the last.
        let found = match slices.iter().rposition(|(known, _)| *known <= second) {
            Some(found) if slices[found].0 == second => found,
            Some(before) => insert(slices, before + 1, second),
            None => insert(slices, 0, second),
        };
        let slice = &mut slices[found].1;
        let sighting = slice.see(own(identity, place), content);
        if sighting == Sighting::First && !std::mem::replace(&mut slice.dirty, true) {
            self.changed.push((group, second));
        }
        sighting
    }

    /// Forgets what lies wholly before `horizon(source's position, or None for what is no sensor's)`.
    pub fn forget(&mut self, horizon: impl Fn(Option<usize>) -> EventTime) {
        for (group, slices) in self.groups.iter_mut().enumerate() {
            let until = horizon(group.checked_sub(1)).as_millis();
            while let Some((second, _)) = slices.pop_front_if(|(second, _)| second.saturating_add(1).saturating_mul(SECOND_MS) <= until) {
                self.forgotten.push((group as u32, second));
            }
        }
    }

    /// The entries that changed since last asked, in the form of the state; `None` for one that is gone.
    pub fn take_changed(&mut self) -> Vec<(SliceKey, Option<Vec<u8>>)> {
        let mut changes: Vec<(SliceKey, Option<Vec<u8>>)> = self.forgotten.drain(..).map(|key| (key, None)).collect();
        for (group, second) in std::mem::take(&mut self.changed) {
            let Some(slices) = self.groups.get_mut(group as usize) else { continue };
            let Ok(found) = slices.binary_search_by_key(&second, |(second, _)| *second) else { continue };
            let slice = &mut slices[found].1;
            slice.dirty = false;
            changes.push(((group, second), Some(slice.to_bytes())));
        }
        changes
    }

    /// Takes an entry back from the state; answers whether it is one.
    pub fn restore(&mut self, (group, second): SliceKey, bytes: &[u8]) -> bool {
        let (Some(slices), Some(slice)) = (self.groups.get_mut(group as usize), Slice::from_bytes(bytes)) else { return false };
        let place = slices.partition_point(|(known, _)| *known < second);
        slices.insert(place, (second, slice));
        true
    }

    /// The entity's group, and a number that no other entity of the group has, however many there will be.
    fn place(&self, entity: Entity) -> (u32, usize) {
        match entity {
            Entity::Sensor(sensor) => (self.group_of.get(sensor.index()).copied().unwrap_or(0), 3 * sensor.index()),
            Entity::Gate(gate) => (0, 3 * gate.index() + 1),
            Entity::Stop(stop) => (0, 3 * stop.index() + 2),
            // Few speak of zones and links (calls, plans): they share the venue's place.
            Entity::Zone(_) | Entity::Link(_) | Entity::Venue => (0, 0),
        }
    }
}

/// The identity within a group: that of one entity says nothing of another's. Never 0.
fn own(identity: u64, place: usize) -> u64 {
    /// An odd number that spreads neighbours over all bits (2⁶⁴ divided by the golden ratio).
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    identity.wrapping_add((place as u64 + 1).wrapping_mul(SPREAD)).max(1)
}

fn insert(slices: &mut VecDeque<(i64, Slice)>, place: usize, second: i64) -> usize {
    // A second holds about as many as the one before it.
    let likely = place.checked_sub(1).map_or(0, |before| slices[before].1.len);
    slices.insert(place, (second, Slice::with_room(likely)));
    place
}

impl Slice {
    fn with_room(identities: usize) -> Self {
        let table = if identities == 0 { Vec::new() } else { vec![(0, 0); (identities * 4 / 3 + 1).next_power_of_two()] };
        Self { table, ..Self::default() }
    }

    fn see(&mut self, identity: u64, content: u64) -> Sighting {
        if self.len * 4 >= self.table.len() * 3 {
            self.grow();
        }
        let place = find(&self.table, identity);
        match self.table[place] {
            (0, _) => {
                self.table[place] = (identity, content);
                self.len += 1;
                Sighting::First
            }
            (_, kept) if kept == content => Sighting::Repeat,
            _ => Sighting::Conflict,
        }
    }

    fn grow(&mut self) {
        let larger = (self.table.len() * 2).max(4);
        for (identity, content) in std::mem::replace(&mut self.table, vec![(0, 0); larger]) {
            if identity != 0 {
                let place = find(&self.table, identity);
                self.table[place] = (identity, content);
            }
        }
    }

    /// Sorted, so that the order of arrival leaves no trace; 16 bytes each, little-endian.
    fn to_bytes(&self) -> Vec<u8> {
        let mut seen: Vec<(u64, u64)> = self.table.iter().copied().filter(|(identity, _)| *identity != 0).collect();
        seen.sort_unstable();
        let mut bytes = Vec::with_capacity(16 * seen.len());
        for (identity, content) in seen {
            bytes.extend_from_slice(&identity.to_le_bytes());
            bytes.extend_from_slice(&content.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (pairs, []) = bytes.as_chunks::<16>() else { return None };
        let mut slice = Self::default();
        for pair in pairs {
            let (identity, content) = pair.split_at(8);
            let (identity, content) = (u64::from_le_bytes(identity.try_into().ok()?), u64::from_le_bytes(content.try_into().ok()?));
            if identity == 0 || slice.see(identity, content) != Sighting::First {
                return None;
            }
        }
        Some(slice)
    }
}

/// The place of an identity in a table that is never full: its own, or the empty one where it belongs.
fn find(table: &[(u64, u64)], identity: u64) -> usize {
    let mask = table.len() - 1;
    let mut place = identity as usize & mask;
    while table[place].0 != 0 && table[place].0 != identity {
        place = (place + 1) & mask;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::sample::venue;
    use proptest::prelude::*;

    const GATE: Entity = Entity::Gate(crate::venue::GateId(0));

    fn at(millis: i64) -> EventTime {
        EventTime::from_millis(millis)
    }

    fn identities() -> Identities {
        Identities::new(&venue())
    }

    #[test]
    fn a_repeat_collapses_and_a_differing_one_is_a_conflict() {
        let mut identities = identities();
        assert_eq!(identities.see(GATE, at(5), 7, 1), Sighting::First);
        assert_eq!(identities.see(GATE, at(5), 7, 1), Sighting::Repeat);
        assert_eq!(identities.see(GATE, at(5), 7, 2), Sighting::Conflict);
        assert_eq!(identities.see(Entity::Venue, at(5), 7, 2), Sighting::First, "another's identity says nothing");
        assert_eq!(identities.see(GATE, at(1_005), 7, 2), Sighting::First, "the time is a part of it");
    }

    #[test]
    fn a_second_is_forgotten_when_the_horizon_has_passed_it() {
        let mut identities = identities();
        identities.see(GATE, at(500), 7, 1);
        identities.take_changed();
        identities.forget(|_| at(999));
        assert_eq!(identities.see(GATE, at(500), 7, 1), Sighting::Repeat);
        identities.forget(|_| at(1_000));
        assert_eq!(identities.see(GATE, at(1_500), 7, 1), Sighting::First);
        let changed = identities.take_changed();
        assert_eq!(changed.iter().map(|((_, second), bytes)| (*second, bytes.is_some())).collect::<Vec<_>>(), [(0, false), (1, true)]);
    }

    #[test]
    fn bytes_that_are_no_entry_are_refused() {
        let mut identities = identities();
        let twice = [7u64, 1, 7, 1].map(u64::to_le_bytes).concat();
        for bytes in [&[1u8][..], &[0; 16], &twice] {
            assert!(!identities.restore((0, 1), bytes));
        }
    }

    proptest! {
        #[test]
        fn the_state_does_not_hang_on_the_order_of_arrival_and_restores_what_was_seen(seen in prop::collection::btree_map(any::<u64>(), (0i64..3_000, any::<u64>()), 0..200)) {
            let (mut forwards, mut backwards) = (identities(), identities());
            seen.iter().for_each(|(identity, (millis, content))| { forwards.see(GATE, at(*millis), *identity, *content); });
            seen.iter().rev().for_each(|(identity, (millis, content))| { backwards.see(GATE, at(*millis), *identity, *content); });
            let sorted = |identities: &mut Identities| { let mut changes = identities.take_changed(); changes.sort(); changes };
            let state = sorted(&mut forwards);
            prop_assert_eq!(&state, &sorted(&mut backwards));
            let mut restored = identities();
            for (key, bytes) in state {
                prop_assert!(restored.restore(key, &bytes.unwrap()));
            }
            for (identity, (millis, content)) in &seen {
                prop_assert_eq!(restored.see(GATE, at(*millis), *identity, *content), Sighting::Repeat);
                prop_assert_eq!(restored.see(GATE, at(*millis), *identity, content.wrapping_add(1)), Sighting::Conflict);
            }
        }
    }
}
