//! Who owns which partition: a group hands the partition numbers out to its members, and moves as few as it can when one comes or goes.
//!
//! A partition changes hands in two steps, as Kafka's cooperative protocol does it: its owner gives it back, then the next one gets it.

use crate::log::{Offsets, Place};
use crate::venue::Feed;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Group {
    /// The committed next offsets.
    pub(super) offsets: Offsets,
    members: BTreeMap<u64, Seat>,
    next_member: u64,
    generation: i32,
}

#[derive(Debug, Default)]
struct Seat {
    owned: BTreeSet<u32>,
    target: BTreeSet<u32>,
    /// Members that chose their partitions themselves take no part in the handing out.
    chosen: bool,
}

impl Group {
    pub(super) fn with_offsets(offsets: Vec<(Feed, u32, i64)>) -> Self {
        let offsets = offsets.into_iter().map(|(feed, partition, next)| (Place { feed, partition }, next)).collect();
        Self { offsets, ..Self::default() }
    }

    /// Takes a member in and answers its number.
    pub(super) fn join(&mut self, partitions: u32, chosen: Option<&[u32]>) -> u64 {
        self.next_member += 1;
        let target = chosen.unwrap_or_default().iter().copied().filter(|partition| *partition < partitions).collect();
        self.members.insert(self.next_member, Seat { target, chosen: chosen.is_some(), ..Seat::default() });
        self.hand_out(partitions);
        self.next_member
    }

    pub(super) fn leave(&mut self, member: u64, partitions: u32) {
        self.members.remove(&member);
        self.hand_out(partitions);
    }

    /// Throws everybody out; their numbers are worth nothing any more.
    pub(super) fn expel(&mut self, partitions: u32) {
        self.members.clear();
        self.hand_out(partitions);
    }

    /// How often its partitions were handed out.
    pub(super) fn generation(&self) -> i32 {
        self.generation
    }

    /// As after its deletion, or when it stood empty for too long: members and offsets are gone, and its generations begin anew. The numbers of its members do not come again.
    pub(super) fn forget(&mut self) {
        *self = Self { next_member: self.next_member, ..Self::default() };
    }

    pub(super) fn knows(&self, member: u64) -> bool {
        self.members.contains_key(&member)
    }

    pub(super) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    pub(super) fn owns(&self, member: u64, partition: u32) -> bool {
        self.members.get(&member).is_some_and(|seat| seat.owned.contains(&partition))
    }

    /// The partitions that a member has to give back.
    pub(super) fn to_release(&self, member: u64) -> Vec<u32> {
        self.members.get(&member).map_or_else(Vec::new, |seat| seat.owned.difference(&seat.target).copied().collect())
    }

    /// Gives a member the partitions that are meant for it and that nobody owns any more.
    pub(super) fn take(&mut self, member: u64) -> Vec<u32> {
        let owned: BTreeSet<u32> = self.members.values().flat_map(|seat| seat.owned.iter().copied()).collect();
        let Some(seat) = self.members.get_mut(&member) else { return Vec::new() };
        let taken: Vec<u32> = seat.target.difference(&owned).copied().collect();
        seat.owned.extend(&taken);
        taken
    }

    pub(super) fn release(&mut self, member: u64, partitions: &[u32]) {
        if let Some(seat) = self.members.get_mut(&member) {
            seat.owned.retain(|partition| !partitions.contains(partition));
        }
    }

    /// Sets who should own what: everybody keeps up to a fair share, the rest goes to those who have least.
    fn hand_out(&mut self, partitions: u32) {
        self.generation += 1;
        let sharing = self.members.values().filter(|seat| !seat.chosen).count();
        if sharing == 0 {
            return;
        }
        let share = (partitions as usize).div_ceil(sharing);
        let mut free: BTreeSet<u32> = (0..partitions).collect();
        for seat in self.members.values_mut() {
            if seat.chosen {
                free.retain(|partition| !seat.target.contains(partition));
                continue;
            }
            seat.target = seat.owned.iter().copied().filter(|partition| free.contains(partition)).take(share).collect();
            free.retain(|partition| !seat.target.contains(partition));
        }
        for partition in free {
            let least = self.members.values_mut().filter(|seat| !seat.chosen).min_by_key(|seat| seat.target.len());
            if let Some(seat) = least {
                seat.target.insert(partition);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_given_back_before_another_gets_it() {
        let mut group = Group::default();
        let a = group.join(4, None);
        assert_eq!(group.take(a), [0, 1, 2, 3]);
        let b = group.join(4, None);
        assert!(group.take(b).is_empty(), "nobody gave anything back yet");
        assert_eq!(group.to_release(a), [2, 3]);
        group.release(a, &[2, 3]);
        assert_eq!(group.take(b), [2, 3]);
        group.leave(a, 4);
        assert_eq!(group.take(b), [0, 1]);
    }

    #[test]
    fn whoever_was_thrown_out_owns_nothing() {
        let mut group = Group::default();
        let a = group.join(2, None);
        group.take(a);
        group.expel(2);
        assert!(!group.knows(a));
        assert!(!group.owns(a, 0));
    }
}
