//! A log on which everything that can go wrong goes wrong, as a seed says.
//!
//! A crash loses the memory of a shard and nothing else, so only its calls of the log are moments that differ: every call may be its last. What a broker does
//! to a client is done here too: fetches that come late and in another order, calls that are not answered for a while, commits that are refused, that
//! are late, of which nobody knows whether they stand, a producer that is fenced, a member that is thrown out while it works, a group of another name
//! beside one that is still at work, fences that come late or not at all.

use midan::engine::{Alert, OutRecord, StateChange};
use midan::feeds::Batch;
use midan::log::embedded::{EmbeddedLog, Faults, Member};
use midan::log::{AlertEntry, Event, Fencing, Inbox, Kept, LogError, Offsets, Place, ShardLog, StateEntry};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

/// The group, and what it is called when it was given another name.
const GROUPS: [&str; 2] = ["sim", "renamed"];

/// SplitMix64: small, and the same everywhere.
#[derive(Clone, Debug)]
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound.max(1)
    }

    /// True in `share` of a thousand cases.
    pub(super) fn hits(&mut self, share: u64) -> bool {
        self.below(1_000) < share
    }
}

/// What all shards of a schedule share.
#[derive(Debug)]
pub(super) struct Weather {
    pub(super) chance: Chance,
    /// How often a call goes wrong, in a thousand; 0 once the schedule calms down.
    pub(super) trouble: u64,
    /// For so many calls the broker is gone.
    pub(super) outage: u64,
    /// Members that the group still counts on although their shard is dead.
    pub(super) ghosts: Vec<(&'static str, u64)>,
    /// The name of the group that whoever starts now joins.
    pub(super) group: &'static str,
    /// Whose transactions the broker refuses.
    fenced: BTreeSet<String>,
    pub(super) now: Duration,
    /// Taken away at the end, since whoever lives as long as the process holds this.
    pub(super) log: Option<EmbeddedLog>,
    pub(super) told: BTreeMap<&'static str, u32>,
}

pub(super) type Shared = Rc<RefCell<Weather>>;

#[derive(Debug)]
struct Commit {
    next: Offsets,
    /// So many looks until it is answered.
    looks: u64,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stands,
    Refused,
    AnswerLost,
    RequestLost,
    Fenced,
}

/// A fence that was asked for.
struct Asked {
    /// So many looks until its outcome is known.
    looks: u64,
    stands: bool,
}

pub(super) struct Shaken {
    log: EmbeddedLog,
    member: Member,
    group: &'static str,
    weather: Shared,
    fenced: bool,
    fencing: RefCell<BTreeMap<String, Asked>>,
    commit: Option<Commit>,
    /// Fetched, and not delivered yet.
    fetched: BTreeMap<Place, (Batch, Option<i64>)>,
    slow: BTreeSet<Place>,
    brought: Inbox,
    lost_alert: bool,
}

impl Shaken {
    pub(super) fn join(weather: &Shared) -> Result<Self, LogError> {
        if weather.borrow_mut().is_out() {
            return Err(LogError::Busy { doing: "joining", detail: "the broker is gone".to_owned() });
        }
        let log = weather.borrow().log.clone().expect("the schedule is over");
        let group = weather.borrow().group;
        let member = log.member(group, Faults::none());
        Ok(Self {
            log,
            member,
            group,
            weather: Rc::clone(weather),
            fenced: false,
            fencing: RefCell::default(),
            commit: None,
            fetched: BTreeMap::new(),
            slow: BTreeSet::new(),
            brought: Inbox::default(),
            lost_alert: false,
        })
    }

    /// What may happen at every call.
    fn strike(&mut self, doing: &'static str) -> Result<(), LogError> {
        if self.fenced {
            return Err(LogError::Fenced { doing, detail: "on purpose".to_owned() });
        }
        let mut weather = self.weather.borrow_mut();
        let trouble = weather.trouble;
        if weather.chance.hits(trouble) {
            match weather.chance.below(8) {
                0..=2 => {
                    weather.tell("crash");
                    drop(weather);
                    return Err(self.crash(doing));
                }
                3 => {
                    weather.outage = 1 + weather.chance.below(60);
                    weather.tell("outage");
                }
                4 => {
                    // It sleeps for longer than a session, right here, and the group goes on without it.
                    weather.tell("slept");
                    weather.now += Duration::from_secs(10);
                    drop(weather);
                    self.log.expel_member(self.group, self.member.number());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A call for a transaction. Whoever is fenced hears of it here alone: its polls and its alerts go on.
    fn not_refused(&self, doing: &'static str) -> Result<(), LogError> {
        let is_fenced = self.weather.borrow().fenced.contains(self.member.id());
        if is_fenced { Err(LogError::Fenced { doing, detail: "by another".to_owned() }) } else { Ok(()) }
    }

    /// A call that may be answered "not now".
    fn ask(&mut self, doing: &'static str) -> Result<(), LogError> {
        self.strike(doing)?;
        let out = self.weather.borrow_mut().is_out();
        if out { Err(LogError::Busy { doing, detail: "the broker is gone".to_owned() }) } else { Ok(()) }
    }

    /// The shard is dead from here on. What was under way may have reached the broker or not.
    fn crash(&mut self, doing: &'static str) -> LogError {
        self.settle_by_chance();
        self.member.vanish();
        self.weather.borrow_mut().ghosts.push((self.group, self.member.number()));
        LogError::Crash { when: doing }
    }

    fn settle_by_chance(&mut self) {
        let Some(commit) = self.commit.take() else { return };
        let stands = matches!(commit.fate, Fate::Stands | Fate::AnswerLost) && self.not_refused("").is_ok() && self.weather.borrow_mut().chance.hits(500);
        let _ = if stands { self.member.commit(&commit.next) } else { self.member.abort() };
    }

    fn forget(&mut self, partitions: &[u32]) {
        self.fetched.retain(|place, _| !partitions.contains(&place.partition));
    }

    /// Delivers what was fetched, place by place in any order, but not of those that are slow today.
    fn deliver(&mut self, inbox: &mut Inbox) {
        let mut weather = self.weather.borrow_mut();
        let mut places: Vec<Place> = self.fetched.keys().copied().collect();
        for i in (1..places.len()).rev() {
            places.swap(i, weather.chance.below(i as u64 + 1) as usize);
        }
        for place in places {
            if self.slow.contains(&place) {
                if weather.trouble == 0 || weather.chance.hits(300) {
                    self.slow.remove(&place);
                }
                continue;
            }
            let trouble = weather.trouble;
            if trouble > 0 && weather.chance.hits(100) {
                self.slow.insert(place);
            }
            let Some((batch, end)) = self.fetched.remove(&place) else { continue };
            batch.iter().for_each(|record| inbox.batch_mut(place.partition).push(&record));
            inbox.events.extend(end.map(|next_offset| Event::ReadToEnd { place, next_offset }));
        }
    }
}

impl Weather {
    pub(super) fn new(chance: Chance, trouble: u64, log: EmbeddedLog) -> Self {
        let (group, now) = (GROUPS[0], Duration::ZERO);
        Self { chance, trouble, outage: 0, ghosts: Vec::new(), group, fenced: BTreeSet::new(), now, log: Some(log), told: BTreeMap::new() }
    }

    /// From now on whoever starts joins a group of another name; who is at work stays in the one that it is in.
    pub(super) fn rename_group(&mut self) {
        self.group = GROUPS[1];
    }

    pub(super) fn tell(&mut self, what: &'static str) {
        *self.told.entry(what).or_default() += 1;
    }

    fn is_out(&mut self) -> bool {
        let out = self.outage > 0;
        self.outage = self.outage.saturating_sub(1);
        out
    }

    fn fate(&mut self) -> Fate {
        if !self.chance.hits(self.trouble * 4) {
            return Fate::Stands;
        }
        let fate = [Fate::Refused, Fate::AnswerLost, Fate::RequestLost, Fate::Fenced][self.chance.below(4) as usize];
        self.tell(match fate {
            Fate::Refused => "refused",
            Fate::AnswerLost => "answer lost",
            Fate::RequestLost => "request lost",
            Fate::Fenced | Fate::Stands => "fenced",
        });
        fate
    }
}

impl ShardLog for Shaken {
    fn id(&self) -> &str {
        self.member.id()
    }

    fn group(&self) -> &str {
        self.member.group()
    }

    fn generation(&self) -> i32 {
        self.member.generation()
    }

    fn poll(&mut self, max_records: usize, wait: Duration, inbox: &mut Inbox) -> Result<(), LogError> {
        inbox.clear();
        self.ask("polling")?;
        self.weather.borrow_mut().now += wait.min(Duration::from_millis(1));
        self.member.poll(max_records, Duration::ZERO, &mut self.brought)?;
        let decided = |event: &Event| matches!(event, Event::Assigned(_) | Event::Revoked { .. });
        if self.brought.events.iter().any(decided) {
            std::mem::swap(inbox, &mut self.brought);
            return Ok(());
        }
        for partition in 0..super::miniature::PARTITIONS {
            for record in self.brought.batch(partition).iter().flat_map(|batch| batch.iter()) {
                let (batch, end) = self.fetched.entry(Place { feed: record.feed, partition }).or_default();
                batch.push(&record);
                *end = None;
            }
        }
        for event in std::mem::take(&mut self.brought.events) {
            match event {
                Event::ReadToEnd { place, next_offset } => self.fetched.entry(place).or_default().1 = Some(next_offset),
                other => inbox.events.push(other),
            }
        }
        self.deliver(inbox);
        Ok(())
    }

    fn committed(&mut self, partition: u32) -> Result<Offsets, LogError> {
        self.ask("asking for the committed offsets")?;
        self.member.committed(partition)
    }

    fn kept(&mut self, partition: u32) -> Result<Kept, LogError> {
        self.ask("asking for what is kept")?;
        self.member.kept(partition)
    }

    fn start(&mut self, from: &Offsets) -> Result<(), LogError> {
        self.strike("starting")?;
        self.member.start(from)
    }

    fn halt(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        self.strike("halting")?;
        self.forget(partitions);
        self.member.halt(partitions)
    }

    fn pause(&mut self, places: &[Place], paused: bool) -> Result<(), LogError> {
        self.strike("pausing")?;
        self.member.pause(places, paused)
    }

    fn release(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        self.strike("releasing")?;
        self.forget(partitions);
        self.member.release(partitions)
    }

    fn read_state(&mut self, partition: u32, entry: &mut StateEntry<'_>) -> Result<u64, LogError> {
        self.ask("restoring")?;
        let read = self.member.read_state(partition, entry)?;
        let mut weather = self.weather.borrow_mut();
        let share = weather.trouble * 4;
        if weather.chance.hits(share) {
            weather.tell("blocked");
            return Err(LogError::Blocked { doing: "restoring", detail: "on purpose".to_owned() });
        }
        Ok(read)
    }

    fn read_alerts(&mut self, partition: u32, from: Option<i64>, alert: &mut AlertEntry<'_>) -> Result<i64, LogError> {
        self.ask("restoring")?;
        self.member.read_alerts(partition, from, alert)
    }

    fn alerts_end(&self, partition: u32) -> Option<i64> {
        self.member.alerts_end(partition)
    }

    fn fence(&mut self, id: &str) {
        if self.fencing.borrow().get(id).is_some_and(|asked| asked.looks > 0) {
            return;
        }
        let weather = &mut *self.weather.borrow_mut();
        let troubled = weather.trouble > 0;
        let asked = Asked { looks: if troubled { weather.chance.below(4) } else { 0 }, stands: !(troubled && weather.chance.hits(300)) };
        self.fencing.borrow_mut().insert(id.to_owned(), asked);
    }

    fn has_members(&mut self, group: &str) -> Result<bool, LogError> {
        self.ask("asking for a group")?;
        self.member.has_members(group)
    }

    fn fencing(&self, id: &str) -> Option<Fencing> {
        let (mut fencing, mut weather) = (self.fencing.borrow_mut(), self.weather.borrow_mut());
        let asked = fencing.get_mut(id)?;
        if asked.looks > 0 {
            asked.looks -= 1;
            weather.tell("fence under way");
            return Some(Fencing::Going);
        }
        if !asked.stands {
            weather.tell("fence failed");
            return Some(Fencing::Failed("on purpose".to_owned()));
        }
        weather.tell("fence stands");
        weather.fenced.insert(id.to_owned());
        Some(Fencing::Done)
    }

    fn end(&mut self, place: Place) -> Result<i64, LogError> {
        self.ask("asking for an end")?;
        self.member.end(place)
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.strike("beginning")?;
        self.not_refused("beginning")?;
        self.member.begin()
    }

    fn append(&mut self, partition: u32, record: &OutRecord) -> Result<(), LogError> {
        assert!(self.commit.is_none(), "appended while a commit is under way");
        self.member.append(partition, record)
    }

    fn append_state(&mut self, partition: u32, change: &StateChange) -> Result<(), LogError> {
        assert!(self.commit.is_none(), "appended while a commit is under way");
        self.member.append_state(partition, change)
    }

    fn append_alert(&mut self, partition: u32, alert: &Alert, term: i32) -> Result<(), LogError> {
        self.strike("appending an alert")?;
        self.member.append_alert(partition, alert, term)
    }

    fn start_commit(&mut self, next: &Offsets) -> Result<(), LogError> {
        self.strike("starting a commit")?;
        self.not_refused("starting a commit")?;
        let mut weather = self.weather.borrow_mut();
        let (fate, looks) = (weather.fate(), weather.chance.below(4));
        self.commit = Some(Commit { next: next.clone(), looks, fate });
        Ok(())
    }

    fn await_commit(&mut self, _wait: Duration) -> Result<bool, LogError> {
        let doing = "committing";
        self.strike(doing)?;
        self.not_refused(doing)?;
        let Some(commit) = &mut self.commit else { return Ok(true) };
        if self.weather.borrow_mut().is_out() {
            // The client goes on trying.
            return Ok(false);
        }
        if commit.looks > 0 {
            commit.looks -= 1;
            return Ok(false);
        }
        let Some(Commit { next, fate, .. }) = self.commit.take() else { return Ok(true) };
        let detail = || "on purpose".to_owned();
        match fate {
            Fate::Stands => self.member.commit(&next).map(|()| true),
            Fate::AnswerLost => {
                self.member.commit(&next)?;
                Err(LogError::Unknown { doing, detail: detail() })
            }
            Fate::Refused => Err(LogError::Aborted { doing, detail: detail() }),
            Fate::RequestLost => Err(LogError::Unknown { doing, detail: detail() }),
            Fate::Fenced => {
                self.fenced = true;
                Err(LogError::Fenced { doing, detail: detail() })
            }
        }
    }

    fn abort(&mut self) -> Result<(), LogError> {
        // An abort waits for the commit under way, which may stand.
        self.settle_by_chance();
        self.lost_alert = false;
        self.member.abort()?;
        self.strike("aborting")
    }

    fn send_alert(&mut self, partition: u32, alert: &Alert, term: i32, commands_read: i64) -> Result<(), LogError> {
        self.strike("sending an alert")?;
        let lost = {
            let mut weather = self.weather.borrow_mut();
            let share = weather.trouble;
            weather.chance.hits(share)
        };
        if lost {
            self.lost_alert = true;
            return Ok(());
        }
        self.member.send_alert(partition, alert, term, commands_read)
    }

    fn await_alerts(&mut self, wait: Duration) -> Result<(), LogError> {
        self.strike("waiting for alerts")?;
        if std::mem::take(&mut self.lost_alert) {
            self.weather.borrow_mut().tell("alert lost");
            return Err(LogError::Aborted { doing: "waiting for alerts", detail: "not acknowledged".to_owned() });
        }
        self.member.await_alerts(wait)
    }

    fn inputs_closed(&self) -> bool {
        // What was fetched and is not delivered is still to come.
        self.fetched.is_empty() && self.member.inputs_closed()
    }
}

impl Drop for Shaken {
    fn drop(&mut self) {
        self.settle_by_chance();
    }
}
