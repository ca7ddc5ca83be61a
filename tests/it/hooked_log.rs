//! A log with a hand in it: tests make its commits slow or refused, and its places deaf.

use midan::engine::{Alert, OutRecord, StateChange};
use midan::log::{AlertEntry, Fencing, Identities, Inbox, Kept, LogError, Offsets, Place, ShardLog, StateEntry};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the test does to the log; clones are the same hand.
#[derive(Clone, Default)]
pub(crate) struct Hand {
    /// While set, no commit is answered.
    pub(crate) slow_commits: Arc<AtomicBool>,
    /// How many commits were started.
    pub(crate) started: Arc<AtomicU64>,
    /// One in so many commits is refused; 0 for none.
    pub(crate) refuse_every: u32,
    /// So many of the next clients can commit nothing, ever.
    pub(crate) sick: Arc<AtomicU64>,
    /// Places whose records are lost on the way, until they are halted and started again.
    pub(crate) deaf: Arc<Mutex<BTreeSet<Place>>>,
    /// So many readings of a state find a transaction open.
    pub(crate) blocked: Arc<AtomicU64>,
    /// While set, nobody tells the end of an input.
    pub(crate) cut_off: Arc<AtomicBool>,
    /// Once, the group says that these partitions are lost.
    pub(crate) lost: Arc<Mutex<Vec<u32>>>,
    /// At each release of partitions, whether a commit was under way.
    pub(crate) released_in_commit: Arc<Mutex<Vec<bool>>>,
}

/// The log.
pub(crate) struct HookedLog<L> {
    inner: L,
    hand: Hand,
    commits: u32,
    is_sick: bool,
    is_committing: bool,
}

impl<L: ShardLog> HookedLog<L> {
    pub(crate) fn new(inner: L, hand: &Hand) -> Self {
        Self {
            inner,
            hand: hand.clone(),
            commits: 0,
            is_committing: false,
            is_sick: hand.sick.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok(),
        }
    }
}

impl<L: ShardLog> ShardLog for HookedLog<L> {
    fn id(&self) -> &str {
        self.inner.id()
    }
    fn group(&self) -> &str {
        self.inner.group()
    }
    fn generation(&self) -> i32 {
        self.inner.generation()
    }
    fn poll(&mut self, max_records: usize, wait: Duration, inbox: &mut Inbox) -> Result<(), LogError> {
        let lost = std::mem::take(&mut *self.hand.lost.lock().unwrap());
        if !lost.is_empty() {
            inbox.clear();
            inbox.events.push(midan::log::Event::Revoked { partitions: lost, lost: true });
            return Ok(());
        }
        self.inner.poll(max_records, wait, inbox)?;
        let deaf = self.hand.deaf.lock().unwrap();
        if deaf.is_empty() {
            return Ok(());
        }
        let mut heard = Inbox::default();
        for partition in 0..64 {
            let records = inbox.batch(partition).into_iter().flat_map(|batch| batch.iter());
            records.filter(|record| !deaf.contains(&Place { feed: record.feed, partition })).for_each(|record| heard.batch_mut(partition).push(&record));
        }
        let is_heard = |event: &midan::log::Event| !matches!(event, midan::log::Event::ReadToEnd { place, .. } if deaf.contains(place));
        heard.events = std::mem::take(&mut inbox.events).into_iter().filter(is_heard).collect();
        *inbox = heard;
        Ok(())
    }
    fn committed(&mut self, partition: u32) -> Result<Offsets, LogError> {
        self.inner.committed(partition)
    }
    fn kept(&mut self, partition: u32) -> Result<Kept, LogError> {
        self.inner.kept(partition)
    }
    fn identities(&mut self) -> Result<Identities, LogError> {
        self.inner.identities()
    }
    fn start(&mut self, from: &Offsets) -> Result<(), LogError> {
        self.inner.start(from)
    }
    fn halt(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        // Whoever is taken up again hears again.
        self.hand.deaf.lock().unwrap().retain(|place| !partitions.contains(&place.partition));
        self.inner.halt(partitions)
    }
    fn pause(&mut self, places: &[Place], paused: bool) -> Result<(), LogError> {
        self.inner.pause(places, paused)
    }
    fn release(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        self.hand.released_in_commit.lock().unwrap().push(self.is_committing);
        self.inner.release(partitions)
    }
    fn read_state(&mut self, partition: u32, entry: &mut StateEntry<'_>) -> Result<u64, LogError> {
        let read = self.inner.read_state(partition, entry)?;
        let is_blocked = self.hand.blocked.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        if is_blocked { Err(LogError::Blocked { doing: "reading a state", detail: "on purpose".to_owned() }) } else { Ok(read) }
    }
    fn read_alerts(&mut self, partition: u32, from: Option<i64>, alert: &mut AlertEntry<'_>) -> Result<i64, LogError> {
        self.inner.read_alerts(partition, from, alert)
    }
    fn alerts_end(&self, partition: u32) -> Option<i64> {
        self.inner.alerts_end(partition)
    }
    fn fence(&mut self, id: &str) {
        self.inner.fence(id);
    }
    fn has_members(&mut self, group: &str) -> Result<bool, LogError> {
        self.inner.has_members(group)
    }
    fn fencing(&self, id: &str) -> Option<Fencing> {
        self.inner.fencing(id)
    }
    fn end(&mut self, place: Place) -> Result<i64, LogError> {
        if self.hand.cut_off.load(Ordering::Relaxed) {
            return Err(LogError::Busy { doing: "asking for an end", detail: "its leader is out of reach".to_owned() });
        }
        self.inner.end(place)
    }
    fn begin(&mut self) -> Result<(), LogError> {
        self.inner.begin()
    }
    fn append(&mut self, partition: u32, record: &OutRecord) -> Result<(), LogError> {
        self.inner.append(partition, record)
    }
    fn append_state(&mut self, partition: u32, change: &StateChange) -> Result<(), LogError> {
        self.inner.append_state(partition, change)
    }
    fn append_alert(&mut self, partition: u32, alert: &Alert, term: i32) -> Result<(), LogError> {
        self.inner.append_alert(partition, alert, term)
    }
    fn start_commit(&mut self, next: &Offsets) -> Result<(), LogError> {
        self.commits += 1;
        self.hand.started.fetch_add(1, Ordering::Relaxed);
        if self.is_sick || self.hand.refuse_every > 0 && self.commits.is_multiple_of(self.hand.refuse_every) {
            return Err(LogError::Aborted { doing: "committing", detail: "on purpose".to_owned() });
        }
        self.is_committing = true;
        self.inner.start_commit(next)
    }
    fn await_commit(&mut self, wait: Duration) -> Result<bool, LogError> {
        if self.hand.slow_commits.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let answer = self.inner.await_commit(wait);
        self.is_committing &= matches!(answer, Ok(false));
        answer
    }
    fn abort(&mut self) -> Result<(), LogError> {
        self.is_committing = false;
        self.inner.abort()
    }
    fn send_alert(&mut self, partition: u32, alert: &Alert, term: i32, commands_read: i64) -> Result<(), LogError> {
        self.inner.send_alert(partition, alert, term, commands_read)
    }
    fn await_alerts(&mut self, wait: Duration) -> Result<(), LogError> {
        self.inner.await_alerts(wait)
    }
    fn inputs_closed(&self) -> bool {
        self.inner.inputs_closed()
    }
}
