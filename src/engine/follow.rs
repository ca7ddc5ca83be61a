//! A replay that follows a journal: what was decided live is done again at the same place, and nothing is decided anew (DESIGN §4 rule 5).
//!
//! The idea: the journal tells what happened before what. A mark stands between two panes, behind the records that had been read of its partition; the record that ended
//! it was read behind the last pane that closed without its source. So an entry is carried out when its pane has closed and its offset is read, the next pane does not
//! close before that, and a record that ended a mark is held back, with all that follow it on its partition, until the pane has closed behind which it came. Live did
//! all of this in one order, so there is one, and nothing waits for ever.
//!
//! ```text
//!   partition   … 411 │ 412 held back ……………………………… 412 413 …
//!   panes       … 20:10 ▲ mark   20:20   20:30 ▲ end
//! ```

use super::Engine;
use super::effects::Effects;
use super::journal::{Entry, Line};
use super::refuse;
use super::site::Site;
use crate::feeds::{Batch, RecordRef};
use crate::inference::{Answer, Calls, Outcome, Role};
use crate::time::EventTime;
use crate::venue::{Feed, Venue, World};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What an engine that follows a journal must know beside its sites.
#[derive(Debug, Default)]
pub(super) struct Following {
    /// By feed, in the order of their offsets: which record waits for which pane.
    holds: [VecDeque<Hold>; Feed::ALL.len()],
    /// By feed: what is held back, in order.
    held: [Batch; Feed::ALL.len()],
    /// By feed: the next offset behind what was taken.
    next: [i64; Feed::ALL.len()],
    ended: bool,
}

/// A record that ended a mark.
#[derive(Clone, Copy, Debug)]
struct Hold {
    offset: i64,
    venue: u32,
    after: EventTime,
}

impl Hold {
    /// Whether its pane has closed and all that stands before it in the journal is carried out.
    fn is_over(&self, feed: usize, world: &World, sites: &BTreeMap<u32, Site>) -> bool {
        let Some(site) = sites.get(&self.venue) else { return true };
        let is_next = match site.journal.as_ref().and_then(VecDeque::front) {
            Some(Entry::IdleEnd { feed: its, offset, .. }) => *its as usize == feed && *offset == self.offset,
            Some(_) => false,
            None => true,
        };
        is_next && site.waiting.is_none() && site.judged_to(world.venue(site.id)) >= self.after
    }
}

impl Following {
    /// Hands each site its entries, in their order.
    pub(super) fn new(journal: &[Line], world: &World, sites: &mut BTreeMap<u32, Site>) -> Self {
        let mut following = Self::default();
        for site in sites.values_mut() {
            let id = &world.venue(site.id).id;
            let entries: VecDeque<Entry> = journal.iter().filter(|line| line.venue == *id).map(|line| line.entry.clone()).collect();
            for entry in &entries {
                if let Entry::IdleEnd { feed, offset, after, .. } = entry {
                    following.holds[*feed as usize].push_back(Hold { offset: *offset, venue: site.id.0, after: *after });
                }
            }
            site.journal = Some(entries);
        }
        for holds in &mut following.holds {
            holds.make_contiguous().sort_by_key(|hold| hold.offset);
        }
        following
    }

    /// Whether the record must wait; it is kept then.
    pub(super) fn holds_back(&mut self, record: &RecordRef<'_>, world: &World, sites: &BTreeMap<u32, Site>) -> bool {
        let feed = record.feed as usize;
        if !self.held[feed].is_empty() || self.must_wait(record, world, sites) {
            self.held[feed].push(record);
            return true;
        }
        self.next[feed] = record.offset + 1;
        false
    }

    fn must_wait(&mut self, record: &RecordRef<'_>, world: &World, sites: &BTreeMap<u32, Site>) -> bool {
        let feed = record.feed as usize;
        let holds = &mut self.holds[feed];
        while holds.front().is_some_and(|hold| hold.offset <= record.offset && hold.is_over(feed, world, sites)) {
            holds.pop_front();
        }
        holds.front().is_some_and(|hold| hold.offset <= record.offset)
    }

    /// What was held back of `feed` and may go on, if its first record may.
    fn release(&mut self, feed: usize, world: &World, sites: &BTreeMap<u32, Site>) -> Option<Batch> {
        let held = std::mem::take(&mut self.held[feed]);
        let may_go = held.iter().next().is_some_and(|first| !self.must_wait(&first, world, sites));
        if may_go {
            return Some(held);
        }
        self.held[feed] = held;
        None
    }

    /// The offset of the first record of a feed that was not taken.
    fn reached(&self, feed: Feed) -> i64 {
        let feed = feed as usize;
        match self.held[feed].iter().next() {
            Some(first) => first.offset,
            None if self.ended => i64::MAX,
            None => self.next[feed],
        }
    }
}

impl Engine {
    /// Carries out the entries whose place has come, and lets go what they held back, until neither is any more.
    pub(super) fn follow_journal(&mut self, effects: &mut Effects) {
        let Some(mut following) = self.following.take() else { return };
        let world = Arc::clone(&self.world);
        loop {
            let mut moved = false;
            for site in self.sites.values_mut() {
                moved |= site.follow(world.venue(site.id), &following, effects);
            }
            for feed in 0..Feed::ALL.len() {
                let Some(held) = following.release(feed, &world, &self.sites) else { continue };
                for record in held.iter() {
                    if !following.holds_back(&record, &world, &self.sites) {
                        self.take(&record, &world, effects);
                        moved = true;
                    }
                }
            }
            if !moved {
                break;
            }
        }
        self.following = Some(following);
    }

    /// No record will follow, so whatever the journal names has been read.
    pub(super) fn follow_to_end(&mut self) {
        if let Some(following) = &mut self.following {
            following.ended = true;
        }
    }

    /// Entries of the journal that found no place, or not yet: none when a replay has been through.
    pub fn unfollowed(&self) -> usize {
        self.sites.values().map(|site| site.unplaced + site.journal.as_ref().map_or(0, VecDeque::len)).sum()
    }
}

impl Site {
    /// Whether the next pane must not close before the journal's next entry is carried out.
    pub(super) fn awaits_journal(&self, venue: &Venue) -> bool {
        let next = self.journal.as_ref().and_then(VecDeque::front).and_then(Entry::after);
        next.is_some_and(|after| after <= self.judged_to(venue))
    }

    /// Carries out the next entries, as far as their place has come.
    fn follow(&mut self, venue: &Venue, following: &Following, effects: &mut Effects) -> bool {
        let mut moved = false;
        while self.waiting.is_none()
            && let Some(entry) = self.journal.as_mut().and_then(VecDeque::pop_front)
        {
            if !self.follow_entry(venue, &entry, following, effects) && !self.is_lost(&entry, following) {
                self.journal.get_or_insert_default().push_front(entry);
                break;
            }
            moved = true;
        }
        moved
    }

    /// Whether what the entry waits for cannot come any more: its record is not in this log.
    fn is_lost(&mut self, entry: &Entry, following: &Following) -> bool {
        let is_lost = match entry {
            Entry::IdleEnd { feed, .. } => following.reached(*feed) == i64::MAX,
            Entry::Command { command_id, .. } => {
                following.reached(Feed::Commands) == i64::MAX && self.commands.iter().all(|placed| placed.command.command_id != *command_id)
            }
            Entry::ModelMissed { pane, .. } | Entry::ModelSwap { pane, .. } | Entry::VenueReload { pane, .. } => *pane <= self.closed_to,
            Entry::IdleMark { .. } | Entry::Tick { .. } => false,
        };
        self.unplaced += usize::from(is_lost);
        is_lost
    }

    fn follow_entry(&mut self, venue: &Venue, entry: &Entry, following: &Following, effects: &mut Effects) -> bool {
        match entry {
            Entry::IdleMark { source, feed, next_offset, after } => {
                let Some(id) = venue.find_source(source) else { return false };
                if *after > self.judged_to(venue) || next_offset.is_some_and(|next| following.reached(*feed) < next) {
                    return false;
                }
                self.set_aside(venue, id.index(), *next_offset, effects);
            }
            Entry::Tick { at, after } => {
                // A venue that had not begun began by it; one that holds records begins with the first pane of those.
                if self.closed_to == EventTime::MIN && self.open.is_empty() {
                    self.closed_to = *after;
                }
                if *after > self.closed_to {
                    return false;
                }
                self.ticked_to = *at;
                self.note(venue, entry.clone(), effects);
            }
            Entry::Command { command_id, after } => {
                let Some(place) = self.commands.iter().position(|placed| placed.command.command_id == *command_id) else { return false };
                if *after > self.judged_to(venue) {
                    return false;
                }
                let placed = self.commands.remove(place);
                self.note(venue, entry.clone(), effects);
                if let Some(refused) = self.carry_out(venue, placed, effects) {
                    effects.records.push(refuse::command(venue, &refused));
                }
            }
            Entry::VenueReload { fingerprint, pane } => {
                if self.closed_to == EventTime::MIN || *pane != venue.pane.next(self.closed_to) {
                    return false;
                }
                self.turn_as_told(venue, fingerprint, *pane, effects);
            }
            // They come with their record, and with the models' answer.
            Entry::IdleEnd { .. } | Entry::ModelMissed { .. } | Entry::ModelSwap { .. } => return false,
        }
        true
    }

    /// An entry has been carried out, and is written down again.
    pub(super) fn followed(&mut self, entry: &Entry) {
        if let Some(journal) = &mut self.journal
            && journal.front() == Some(entry)
        {
            journal.pop_front();
        }
    }

    /// Who is to be asked for the pane ending at `end`: live by the orders, in a replay whoever was asked live.
    pub(super) fn calls(&self, end: EventTime) -> Calls {
        let Some(journal) = &self.journal else { return Role::ALL.map(|role| self.podium.call(role)) };
        Role::ALL.map(|role| {
            let of_pane = journal.iter().take_while(|entry| matches!(entry, Entry::ModelMissed { pane, .. } | Entry::ModelSwap { pane, .. } if *pane == end));
            let swapped = of_pane.filter_map(|entry| match entry {
                Entry::ModelSwap { model, card, .. } if *model == role => Some(card.as_ref()),
                _ => None,
            });
            self.podium.call_again(role, swapped.last())
        })
    }

    /// The models' answer as the journal has it: what missed its deadline live has missed it again.
    pub(super) fn as_journaled(&self, answer: &Answer) -> Answer {
        let mut answer = answer.clone();
        for entry in self.journal.iter().flatten() {
            match entry {
                Entry::ModelMissed { model, pane } if *pane == answer.ticket.pane => match &**model {
                    "flow" => answer.flow = Outcome::Missed,
                    _ => answer.anomaly = Outcome::Missed,
                },
                Entry::ModelSwap { pane, .. } if *pane == answer.ticket.pane => {}
                _ => break,
            }
        }
        answer
    }
}
