//! The life of a partition as types: each has only the methods that make sense in it, and a transition consumes the one before.
//!
//! ```text
//!   Arriving ──restoring──► Restoring ──finish──► Running ──revoke──► Revoked
//!       ▲                                            │
//!       └─────────────── throw_away ─────────────────┘   (the transaction was given up: state as of the last commit)
//! ```

use super::core::Core;
use super::foreign::Foreign;
use super::in_step::Progress;
use super::owed::{Owed, Owner, Signature};
use super::resume::{lift, resume};
use super::watch::Watch;
use crate::engine::{Control, Effects, StateChange};
use crate::feeds::Batch;
use crate::log::{Identities, Kept, LogError, OWNER_KEY, Offsets, Place, SentAlert, ShardLog};
use crate::venue::Feed;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// So often a topic is said to be another, or a state to be passed by its group, before it is believed: two seconds.
const DOUBTS: u32 = 8;

/// A partition that is this shard's, with nothing known of it, and when its state is asked for (again). The others go on meanwhile.
#[derive(Clone, Debug)]
pub(super) struct Arriving {
    pub(super) due: Duration,
    pub(super) since: Duration,
    pub(super) tries: u32,
    /// How often a topic of its inputs was said to be another.
    pub(super) doubts: u32,
    /// How often the group had committed more than the state contains.
    pub(super) behind: u32,
    /// How often its log ended before its state.
    pub(super) cut_short: u32,
    /// Whether an owner of another group is fenced.
    pub(super) foreign: Foreign,
}

/// A partition whose changelog is being read. Only the last value of each key counts, and the core gets them in the order of the keys, so that what
/// compaction has left and in which order it was written makes no difference.
pub(super) struct Restoring<C> {
    partition: u32,
    core: C,
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    owed: Option<Owed>,
}

/// What the log says of a partition that is taken up.
pub(super) struct Found<'a> {
    /// Who takes it up, under which generation of the group.
    pub(super) id: &'a str,
    pub(super) group: &'a str,
    pub(super) generation: i32,
    pub(super) committed: Offsets,
    pub(super) kept: Kept,
    pub(super) topics: Identities,
    /// The end of the tail of its alerts.
    pub(super) alerts_end: i64,
}

/// A partition at work.
pub(super) struct Running<C> {
    partition: u32,
    core: C,
    /// The next offsets to be read.
    next: Offsets,
    /// Whether it was stepped since the last commit was started.
    touched: bool,
    /// What is added to the group's generation to make its term.
    lift: i32,
    topics: Identities,
    commands_read: bool,
    ended: BTreeSet<Feed>,
    closed: bool,
    /// It was stopped between two panes, and has more to close.
    behind: bool,
    owed: Owed,
    /// What the last commit wrote of the owner.
    mark: Owner,
    /// Commands that wait until nothing is owed, and the ends behind them.
    held: Batch,
    held_ends: Vec<Control>,
}

/// A partition that is another's now.
#[derive(Debug)]
pub(super) struct Revoked {
    pub(super) partition: u32,
}

impl Arriving {
    pub(super) fn at(now: Duration) -> Self {
        Self { due: now, since: now, tries: 0, doubts: 0, behind: 0, cut_short: 0, foreign: Foreign::default() }
    }

    /// Holds the topics of the state against those that there are: a difference is believed when it has been told again and again, for of several brokers one may be behind; and of one of
    /// which nothing is said nothing is believed.
    ///
    /// # Errors
    /// [`LogError::Busy`] until then.
    pub(super) fn doubt_topics(&mut self, of_state: &Identities, told: &Identities) -> Result<(), LogError> {
        let busy = |feed: Feed, what| LogError::Busy { doing: "taking a partition up", detail: format!("{} {what}", feed.topic()) };
        if let Some(feed) = of_state.keys().find(|feed| !told.contains_key(feed)) {
            return Err(busy(*feed, "is not known to the broker at the moment"));
        }
        match of_state.iter().find(|(feed, id)| told.get(feed) != Some(id)) {
            Some((feed, _)) if self.doubts < DOUBTS => {
                self.doubts += 1;
                Err(busy(*feed, "seems to have been made anew; the broker is asked again"))
            }
            _ => Ok(()),
        }
    }

    /// Holds the state that was read against what the group has committed since. Both move in one transaction: a group that has come further means that whoever had the partition committed between
    /// the two looks, and the state is read again. Where it stays so, somebody has moved the group's offsets, and the state counts.
    ///
    /// # Errors
    /// [`LogError::Busy`] until then.
    pub(super) fn doubt_state(&mut self, owner: Option<&Owner>, group: &Offsets) -> Result<(), LogError> {
        let of_state = |feed| owner.and_then(|owner| owner.next.get(&feed)).copied().unwrap_or_default();
        match group.iter().find(|(place, next)| **next > of_state(place.feed)) {
            Some((place, next)) if self.behind < DOUBTS => {
                self.behind += 1;
                let detail =
                    format!("{place}: the group has committed {next} and the state that was read stands at {}; it is read again", of_state(place.feed));
                Err(LogError::Busy { doing: "taking a partition up", detail })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn restoring<C: Core>(&self, partition: u32, core: C) -> Restoring<C> {
        Restoring { partition, core, entries: BTreeMap::new(), owed: None }
    }
}

impl<C: Core> Restoring<C> {
    pub(super) fn entry(&mut self, key: &[u8], value: Option<&[u8]>) {
        let Some(value) = value else { return drop(self.entries.remove(key)) };
        match self.entries.get_mut(key) {
            // Most of a changelog is about what it has told of before.
            Some(known) => {
                known.clear();
                known.extend_from_slice(value);
            }
            None => drop(self.entries.insert(key.to_vec(), value.to_vec())),
        }
    }

    /// Who owned it, as far as its changelog was read.
    pub(super) fn owner(&self) -> Result<Option<Owner>, LogError> {
        let Some(value) = self.entries.get(OWNER_KEY) else { return Ok(None) };
        let refused = |error: serde_json::Error| LogError::State { partition: self.partition, detail: format!("the entry of its owner: {error}") };
        serde_json::from_slice(value).map(Some).map_err(refused)
    }

    /// Takes an alert of the tail that begins at the owner's mark.
    pub(super) fn alert(&mut self, owner: Option<&Owner>, alert: SentAlert<'_>) {
        self.owed.get_or_insert_with(|| Owed::since(owner)).add(alert);
    }

    /// Gives the core what it knew, and finds where it is read on.
    pub(super) fn finish(mut self, found: Found<'_>, watch: &dyn Watch) -> Result<Running<C>, LogError> {
        let refused = |detail| LogError::State { partition: self.partition, detail };
        let owner = self.owner()?;
        self.entries.remove(OWNER_KEY);
        for (key, value) in &self.entries {
            self.core.restore(key, value).map_err(refused)?;
        }
        self.core.restored().map_err(refused)?;
        let mut owed = self.owed.unwrap_or_default();
        owed.read_to(found.alerts_end);
        let lift = lift(owner.as_ref(), owed.greatest_term(), found.id, found.generation);
        let (next, told) = resume(self.partition, owner.as_ref(), !self.entries.is_empty(), &found)?;
        told.iter().for_each(|(place, what)| watch.disagrees(*place, *what));
        Ok(Running {
            partition: self.partition,
            core: self.core,
            next,
            // Without a mark nobody could tell which alerts to look for after a crash, nor one that comes after a new term that it was used, nor one of another group who is at work.
            touched: owner.as_ref().is_none_or(|owner| owner.lift != lift || owner.group != found.group),
            lift,
            topics: found.topics,
            commands_read: false,
            ended: BTreeSet::new(),
            closed: false,
            behind: false,
            owed,
            mark: owner.unwrap_or_default(),
            held: Batch::default(),
            held_ends: Vec::new(),
        })
    }
}

impl<C: Core> Running<C> {
    /// Notes what was read, then steps the core.
    pub(super) fn step(&mut self, batch: &Batch, controls: &[Control]) -> Effects {
        self.touched = true;
        for (feed, last) in batch.last_offsets() {
            self.pass(feed, last + 1);
            // The end of commands that are kept back is known already, and no command that passes here lies behind it.
            if feed != Feed::Commands || self.held_ends.is_empty() {
                self.ended.remove(&feed);
            }
        }
        // An end that comes with a batch is the end behind it.
        for control in controls {
            if let Control::ReadToEnd { feed, next_offset } = control {
                self.read_to_end(*feed, *next_offset);
            }
        }
        self.core.step(batch, controls)
    }

    /// Steps the core for the last time in this round: it finishes what it has begun, and goes on with the next.
    pub(super) fn step_last(&mut self, controls: &[Control]) -> Effects {
        self.behind = true;
        self.core.hold(true);
        let effects = self.step(&Batch::default(), controls);
        self.core.hold(false);
        effects
    }

    pub(super) fn is_behind(&self) -> bool {
        self.behind
    }

    /// Answers true once: it was stopped between two panes, and goes on now.
    pub(super) fn take_behind(&mut self) -> bool {
        std::mem::take(&mut self.behind)
    }

    /// A place is read to its end; behind the last record may stand transaction markers, which the offset passes over.
    fn read_to_end(&mut self, feed: Feed, next_offset: i64) {
        self.ended.insert(feed);
        self.owed.ended(feed);
        self.pass(feed, next_offset);
    }

    fn pass(&mut self, feed: Feed, next: i64) {
        let known = self.next.entry(Place { feed, partition: self.partition }).or_insert(next);
        *known = (*known).max(next);
    }

    /// Alerts that an earlier life sent.
    pub(super) fn owed(&mut self) -> &mut Owed {
        &mut self.owed
    }

    /// While alerts are owed: keeps back what could change them, and puts the rest into `passing`. Ticks come again and are let go.
    pub(super) fn hold_back(&mut self, batch: &Batch, controls: &mut Vec<Control>, passing: &mut Batch, commands_move: bool) {
        let until = if commands_move { self.owed.commands_until() } else { i64::MAX };
        for record in batch.iter() {
            let late = record.feed == Feed::Commands && record.offset >= until;
            if late { self.held.push(&record) } else { passing.push(&record) }
        }
        let (held, held_ends, ended) = (&self.held, &mut self.held_ends, &mut self.ended);
        controls.retain(|control| match control {
            Control::Tick { .. } => false,
            Control::ReadToEnd { feed: Feed::Commands, .. } if !held.is_empty() => {
                ended.insert(Feed::Commands);
                held_ends.push(control.clone());
                false
            }
            _ => true,
        });
    }

    /// What was kept back, once nothing is owed any more.
    pub(super) fn take_held(&mut self) -> Option<(Batch, Vec<Control>)> {
        let ready = !(self.owed.is_any() || self.held.is_empty() && self.held_ends.is_empty());
        ready.then(|| (std::mem::take(&mut self.held), std::mem::take(&mut self.held_ends)))
    }

    /// Answers true once: when the commands are read to their end and the feeds may start.
    pub(super) fn take_commands_read(&mut self) -> bool {
        let now = !self.commands_read && self.ended.contains(&Feed::Commands);
        self.commands_read |= now;
        now
    }

    /// The offsets of these feeds.
    pub(super) fn next_of(&self, feeds: impl Fn(Feed) -> bool) -> Offsets {
        self.next.iter().filter(|(place, _)| feeds(place.feed)).map(|(place, next)| (*place, *next)).collect()
    }

    /// Every offset, to be committed with what was stepped: also where it has not moved, for by the offsets the group tells that a shard lost the partition.
    pub(super) fn next(&self) -> &Offsets {
        &self.next
    }

    /// The next command to be read.
    pub(super) fn commands_next(&self) -> i64 {
        self.next.get(&Place { feed: Feed::Commands, partition: self.partition }).copied().unwrap_or_default()
    }

    /// Forgets what was kept back; the commands are to be read again from where they were stepped last.
    pub(super) fn drop_held(&mut self) {
        (self.held, self.held_ends) = (Batch::default(), Vec::new());
        self.ended.remove(&Feed::Commands);
    }

    /// The places that are being read; not the commands while some of them are kept back, for those stand still on purpose.
    pub(super) fn started(&self) -> impl Iterator<Item = (Place, i64)> {
        let is_read = |feed: Feed| if feed == Feed::Commands { self.held.is_empty() } else { self.commands_read };
        self.next.iter().filter(move |(place, _)| is_read(place.feed)).map(|(place, next)| (*place, *next))
    }

    /// Whether all four places are read to their end.
    pub(super) fn is_at_end(&self) -> bool {
        Feed::ALL.iter().all(|feed| self.ended.contains(feed))
    }

    /// How far each feed has been read.
    pub(super) fn progress(&self) -> [Progress; Feed::ALL.len()] {
        Feed::ALL.map(|feed| Progress {
            place: Place { feed, partition: self.partition },
            reached: self.core.reached(feed),
            at_end: self.ended.contains(&feed),
        })
    }

    /// Answers true once: the end of the input is to be told.
    pub(super) fn take_close(&mut self) -> bool {
        !std::mem::replace(&mut self.closed, true)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// What is added to the group's generation to make the term under which its shard speaks.
    pub(super) fn lift(&self) -> i32 {
        self.lift
    }

    pub(super) fn is_touched(&self) -> bool {
        self.touched
    }

    /// The changes that go into a commit, the owner's mark among them where it has changed.
    pub(super) fn take_state_changes(&mut self, log: &dyn ShardLog) -> Vec<StateChange> {
        self.touched = false;
        let mut changes = self.core.take_state_changes();
        let by = Signature { id: log.id(), group: log.group(), term: log.generation().saturating_add(self.lift), lift: self.lift, topics: &self.topics };
        let mark = self.owed.mark(by, log.alerts_end(self.partition), self.next.iter().map(|(place, next)| (place.feed, *next)).collect());
        if mark != self.mark {
            // One that could not be written must not take the last one away.
            changes.extend(serde_json::to_vec(&mark).ok().map(|value| StateChange { key: OWNER_KEY.to_vec(), value: Some(value) }));
            self.mark = mark;
        }
        changes
    }

    pub(super) fn committed(&mut self) {
        self.core.committed();
    }

    pub(super) fn revoke(self) -> Revoked {
        Revoked { partition: self.partition }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_the_group_has_passed_is_read_again_before_it_is_believed() {
        let owner = |next| Owner { next: BTreeMap::from([(Feed::Commands, next)]), ..Owner::default() };
        let group = Offsets::from([(Place { feed: Feed::Commands, partition: 5 }, 1_211)]);
        let doubted = |owner: Option<&Owner>| {
            let mut arriving = Arriving::at(Duration::ZERO);
            (0..20).take_while(|_| arriving.doubt_state(owner, &group).is_err()).count()
        };
        // As it came in the chaos of a hundred faults: the owner before committed 1,211 after its state was read at 1,198.
        assert_eq!(doubted(Some(&owner(1_198))), DOUBTS as usize);
        assert_eq!(doubted(None), DOUBTS as usize, "its very first commit");
        assert_eq!((doubted(Some(&owner(1_211))), doubted(Some(&owner(1_300)))), (0, 0));
    }

    #[test]
    fn another_topic_is_believed_when_it_is_told_again_and_again_and_silence_never() {
        let ids = |ids: &[(Feed, &str)]| ids.iter().map(|(feed, id)| (*feed, (*id).to_owned())).collect::<Identities>();
        let of_state = ids(&[(Feed::Sensors, "old"), (Feed::Commands, "c")]);
        let mut arriving = Arriving::at(Duration::ZERO);
        arriving.doubt_topics(&of_state, &of_state).unwrap();
        arriving.doubt_topics(&Identities::new(), &of_state).unwrap();
        let remade = ids(&[(Feed::Sensors, "new"), (Feed::Commands, "c")]);
        let doubted = (0..20).take_while(|_| arriving.doubt_topics(&of_state, &remade).is_err()).count();
        assert_eq!(doubted, DOUBTS as usize);
        for told in [Identities::new(), ids(&[(Feed::Sensors, "new")])] {
            let error = arriving.doubt_topics(&of_state, &told).unwrap_err();
            assert!(error.to_string().contains("is not known to the broker"), "{error}");
        }
    }
}
