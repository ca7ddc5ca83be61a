//! Taking a partition up: its state is restored and it is found where it is read on, while what is at work goes on.
//!
//! The idea: whatever stands in the way (a transaction that is open, a broker that is away, a group of another name, a log that has not come as far) ends by itself, by a fence or by a person.
//! So the partition is asked for again a little later, and no other waits for it.

use super::Shard;
use super::core::MakeCore;
use super::partition::{Arriving, Found, Running};
use super::resume::{Disagreement, is_of_another_group};
use crate::log::{Answer, LogError};
use crate::venue::Feed;

/// After so many tries, some seconds, it is told that a log ends before the state.
const CUT_SHORT_TOLD: u32 = 20;

impl<M: MakeCore> Shard<'_, '_, M> {
    /// Takes up what has arrived. A partition that cannot be taken up yet is asked for again later, and what is at work does not wait for it.
    pub(super) fn take_up_due(&mut self) -> Result<(), LogError> {
        let now = self.around.clock.now();
        let due: Vec<(u32, Arriving)> =
            self.arriving.iter().filter(|(_, arriving)| arriving.due <= now).map(|(at, arriving)| (*at, arriving.clone())).collect();
        if due.is_empty() {
            return Ok(());
        }
        for (partition, mut arriving) in due {
            if self.is_stopping() {
                break;
            }
            match self.take_up(partition, &mut arriving) {
                Ok(()) => {
                    self.arriving.remove(&partition);
                    // Its mark stands before its first alert, and before the next one is restored, which may take long: whoever else looks at it sees who has it.
                    if self.running.get(&partition).is_some_and(Running::is_touched) {
                        self.desk.commit(&mut self.running)?;
                    }
                }
                Err(error) if error.answer() == Answer::Retry => {
                    self.around.watch.retried(&error);
                    let is_cut_short = matches!(error, LogError::CutShort { .. });
                    let cut_short = if is_cut_short { (arriving.cut_short + 1).min(CUT_SHORT_TOLD + 1) } else { arriving.cut_short };
                    let is_of_others = arriving.foreign.group_at_work().is_some();
                    let is_waiting = is_cut_short || is_of_others;
                    let tries = if is_waiting { 0 } else { arriving.tries + 1 };
                    let patience = match error {
                        // It is waited for without end, and the whole state is read each time.
                        LogError::CutShort { .. } if cut_short > CUT_SHORT_TOLD => 40,
                        _ if is_of_others => 8,
                        // A fence takes as long as its client may try, and no more tries than there are.
                        _ if arriving.foreign.is_asked() => 2,
                        _ => 1,
                    };
                    // A follower that has become the leader may learn a moment later how far the log is agreed on.
                    if let (LogError::CutShort { place, state, end }, CUT_SHORT_TOLD) = (&error, cut_short) {
                        self.around.watch.disagrees(*place, Disagreement::CutShort { state: *state, end: *end });
                        if !self.around.settings.mode.is_endless() {
                            let detail = format!("{place}: the state has read up to {state}, and the log ends at {end}");
                            let cure = "in a run to the end nobody writes more: restore the input, or begin anew (docs/OPERATIONS.md)";
                            return Err(LogError::Refused { doing: "taking a partition up", detail, cure });
                        }
                    }
                    if tries > self.around.settings.retries {
                        return Err(LogError::Unknown { doing: "taking a partition up", detail: error.to_string() });
                    }
                    let due = self.around.clock.now() + self.around.settings.retry_pause * patience;
                    self.arriving.insert(partition, Arriving { due, tries, cut_short, ..arriving });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Restores a partition and starts reading its commands; the feeds start when those are read to their end, so that an operator's word that stands in the
    /// log is known before the first record is stepped.
    fn take_up(&mut self, partition: u32, arriving: &mut Arriving) -> Result<(), LogError> {
        self.in_step.forget(partition);
        let mut restoring = arriving.restoring(partition, self.around.make.make(partition));
        let log = self.desk.log()?;
        if let Some(group) = arriving.foreign.group_at_work()
            && log.has_members(group)?
        {
            return Err(LogError::GroupAtWork { partition, group: group.to_owned() });
        }
        arriving.foreign.look(|id| log.fencing(id))?;
        let read = log.read_state(partition, &mut |key, value| restoring.entry(key, value));
        // Of one that is blocked everything up to the open transaction was read, and so who had it last.
        if read.as_ref().is_err_and(|error| !matches!(error, LogError::Blocked { .. })) {
            return read.map(drop);
        }
        let owner = restoring.owner()?;
        let foreign = owner.as_ref().filter(|owner| is_of_another_group(owner, log.id(), log.group()));
        if let Some(owner) = foreign {
            let has_members = log.has_members(&owner.group);
            if !matches!(has_members, Ok(false)) {
                // One that cannot be asked may be at work.
                self.around.watch.group_at_work(partition, &owner.group);
                arriving.foreign.at_work(&owner.group);
                return Err(has_members.err().unwrap_or(LogError::GroupAtWork { partition, group: owner.group.clone() }));
            }
        }
        if let (Err(_), Some(owner)) = (&read, &owner)
            && arriving.tries > 0
            && owner.id != log.id()
        {
            // The group has given the partition to this shard, so whoever had it was dropped, or is giving up what it had open.
            self.around.watch.fencing(&owner.id);
            log.fence(&owner.id);
        }
        let entries = read?;
        if let Some(owner) = foreign.filter(|owner| !arriving.foreign.is_fenced(&owner.id)) {
            self.around.watch.fencing(&owner.id);
            log.fence(&owner.id);
            return Err(arriving.foreign.asked(&owner.id));
        }
        let tail = owner.as_ref().map(|owner| owner.alerts);
        let alerts_end = log.read_alerts(partition, tail, &mut |alert| restoring.alert(owner.as_ref(), alert))?;
        let topics = log.identities()?;
        if let Some(owner) = &owner {
            arriving.doubt_topics(&owner.topics, &topics)?;
        }
        let (committed, kept) = (log.committed(partition)?, log.kept(partition)?);
        arriving.doubt_state(owner.as_ref(), &committed)?;
        let found = Found { id: log.id(), group: log.group(), generation: log.generation(), committed, kept, topics, alerts_end };
        let running = restoring.finish(found, self.around.watch)?;
        log.start(&running.next_of(|feed| feed == Feed::Commands))?;
        self.running.insert(partition, running);
        self.around.watch.restored(partition, entries, self.around.clock.now().saturating_sub(arriving.since));
        Ok(())
    }
}
