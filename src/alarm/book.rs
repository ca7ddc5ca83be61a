//! The alarms of one venue: findings raise, change and clear them; operators acknowledge them and put them aside.
//!
//! The idea: everything that happens to an alarm is a [`Change`], numbered without a gap within the alarm, and a function of findings and commands alone. An alarm's id is its code,
//! place and onset, fixed at first issue, so a repeat after a crash collapses onto the first (DESIGN promise 4).
//!
//! - *Raised* when a finding has exceeded in every pane for the on-delay, with the greatest priority that did. The same alarm is raised again when its condition
//!   returns before it was acknowledged, or while it is put aside.
//! - *Priority*: a rise needs the on-delay at the higher priority and asks for attention anew (un-acks); a fall needs the off-delay and does not.
//! - *Reassessed*: at most once a minute, when a figure has moved by 5 % of what was told, or a point in time by a minute.
//! - *Cleared* when nothing was held, deadband included, in every pane for the off-delay. Its sentence stays as it was last told, the figures are those that ended it. Unacknowledged it stays as `rtn_unack` until somebody acknowledges it.
//! - A surge where an alarm tells of a shortfall clears that and is raised in the same pane. A shortfall behind a surge is of the same alarm: who has left already is missing next.
//! - A place that no finding speaks of cannot be judged: its alarm stays as it is, and a run of panes begins anew.
//! - While put aside an alarm goes on to be recorded (its records say so), but is not reassessed.

use super::change::{AlarmState, Change, ChangeKind};
use super::entry::{Alarm, Entry, Look, Told, Turn};
use crate::detect::FAST;
use crate::detect::finding::{Code, Finding, Place, PlaceKind, Priority};
use crate::time::EventTime;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

/// What an entry is about.
pub type EntryKey = (Code, Place);

/// When and of which venue something happens to alarms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct At<'a> {
    /// The venue's id.
    pub venue: &'a str,
    /// End of the pane; for a command, of the last closed pane.
    pub event_time: EventTime,
    /// End of the last closed pane of the venue.
    pub watermark: EventTime,
    /// Coverage of the venue at that pane, 0 to 1.
    pub coverage: f64,
}

/// The alarms of one venue, and the runs of panes that may become alarms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmBook {
    /// By code and place.
    #[serde(with = "as_list")]
    pub entries: BTreeMap<EntryKey, Entry>,
    #[serde(skip)]
    changed: BTreeSet<EntryKey>,
}

/// Who did it, for a command.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct By<'a> {
    pub(super) operator: Option<&'a str>,
    pub(super) reason: Option<&'a str>,
}

impl AlarmBook {
    /// Takes in all findings of one closed pane, and tells what they change, in the order of the findings.
    pub fn assess(&mut self, at: &At<'_>, findings: &[Finding]) -> Vec<Change> {
        self.assess_rest(at, findings, &BTreeSet::new(), at.event_time)
    }

    /// The same, of a pane from `start` on whose last fast pane has judged `judged` already: what was judged by newer figures is not judged by older ones. But a run that only moments
    /// have carried ends with the first whole pane that does not bear it out.
    pub fn assess_rest(&mut self, at: &At<'_>, findings: &[Finding], judged: &BTreeSet<EntryKey>, start: EventTime) -> Vec<Change> {
        let mut changes = Vec::new();
        for finding in findings {
            let key = (!judged.is_empty()).then(|| (finding.code, finding.place.clone())).filter(|key| judged.contains(key));
            match key {
                None => changes.extend(self.heed(at, finding, Look::Whole)),
                Some(key) => self.end_runs(&key, finding, start),
            }
        }
        self.pass_over_unheard(findings, judged);
        changes
    }

    /// Takes in the findings of a fast pane. What they do not speak of is judged at the close of the pane.
    pub fn assess_fast(&mut self, at: &At<'_>, findings: &[Finding]) -> Vec<Change> {
        findings.iter().flat_map(|finding| self.heed(at, finding, Look::Short)).collect()
    }

    /// Ends the shelves whose time has come by the close of the pane. To be called before [`AlarmBook::assess`] of the same pane, so that what a finding changes is told unshelved.
    ///
    /// What fast panes judge has been judged up to `judged` already, which is told as its time.
    pub fn expire(&mut self, at: &At<'_>, judged: EventTime) -> Vec<Change> {
        let newest = At { event_time: judged.max(at.event_time), ..*at };
        let at = |key: &EntryKey| if FAST.contains(&key.0) { &newest } else { at };
        let has_ended = |key: &EntryKey, entry: &Entry| entry.alarm.as_ref().and_then(Alarm::until).is_some_and(|until| at(key).event_time >= until);
        let ended: Vec<EntryKey> = self.entries.iter().filter(|(key, entry)| has_ended(key, entry)).map(|(key, _)| key.clone()).collect();
        ended.into_iter().filter_map(|key| self.change(at(&key), &key, ChangeKind::Unshelved, By::default(), Alarm::bring_back)).collect()
    }

    /// Clears the alarms of places that the venue does not have any more, and forgets what might have become one: nobody will speak of them again.
    pub fn end_where(&mut self, at: &At<'_>, is_gone: impl Fn(&Place) -> bool) -> Vec<Change> {
        let gone: Vec<EntryKey> = self.entries.keys().filter(|(_, place)| is_gone(place)).cloned().collect();
        let mut changes = Vec::new();
        for key in gone {
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            if entry.runs() != Runs::default() {
                entry.unheard();
                self.changed.insert(key.clone());
            }
            if entry.is_over() {
                self.entries.remove(&key);
            } else if entry.alarm.as_ref().is_some_and(|alarm| alarm.active) {
                changes.extend(self.change(at, &key, ChangeKind::Cleared, By::default(), |alarm| alarm.active = false));
            }
        }
        changes
    }

    /// The keys of entries that changed or went since this was asked last; one that is no longer among the entries is gone.
    pub fn take_changed(&mut self) -> BTreeSet<EntryKey> {
        std::mem::take(&mut self.changed)
    }

    /// The alarms that have been raised and have not ended.
    pub fn live(&self) -> impl Iterator<Item = (&EntryKey, &Alarm)> {
        self.entries.iter().filter_map(|(key, entry)| Some((key, entry.alarm.as_ref()?)))
    }

    /// The live alarm of that id.
    pub(super) fn find(&self, alarm_id: &str) -> Option<(&EntryKey, &Alarm)> {
        self.live().find(|(_, alarm)| *alarm.alarm_id == *alarm_id)
    }

    /// Lets `act` happen to the alarm of `key`, and tells it.
    pub(super) fn change(&mut self, at: &At<'_>, key: &EntryKey, kind: ChangeKind, by: By<'_>, act: impl FnOnce(&mut Alarm)) -> Option<Change> {
        let alarm = self.entries.get_mut(key)?.alarm.as_mut()?;
        act(alarm);
        alarm.change_no += 1;
        let change = record(at, key, alarm, kind, by);
        if change.state == AlarmState::Normal {
            self.entries.remove(key);
        }
        self.changed.insert(key.clone());
        Some(change)
    }

    fn end_runs(&mut self, key: &EntryKey, finding: &Finding, start: EventTime) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if entry.end_runs(finding, start) {
            self.changed.insert(key.clone());
        }
        if entry.is_over() {
            self.entries.remove(key);
        }
    }

    fn heed(&mut self, at: &At<'_>, finding: &Finding, look: Look) -> SmallVec<[Change; 1]> {
        // Most findings are of quiet places without an entry, and leave none: their places are not even copied.
        if finding.exceeds.is_none() && !self.knows(finding.code) {
            return SmallVec::new();
        }
        let key = (finding.code, finding.place.clone());
        if finding.exceeds.is_none() && !self.entries.contains_key(&key) {
            return SmallVec::new();
        }
        let entry = self.entries.entry(key.clone()).or_default();
        let before = entry.runs();
        let turn = entry.heed(finding, at.event_time, look);
        if entry.runs() != before {
            self.changed.insert(key.clone());
        }
        let told = |before: Option<&Told>| match before {
            // A quiet finding's sentence is of another state than the alarm's.
            Some(before) if finding.holds.is_none() => Told { headline: before.headline.clone(), ..Told::of(finding, at.event_time) },
            _ => Told::of(finding, at.event_time),
        };
        let mut ended = None;
        let change = match turn {
            Turn::Still => None,
            Turn::Raise(priority, onset) => self.raise(at, &key, (priority, onset), finding),
            Turn::Crowd(priority, onset) => {
                ended = self.end_shortfall(at, &key);
                self.raise(at, &key, (priority, onset), finding)
            }
            Turn::Priority(priority) => {
                entry.lower = None;
                self.change(at, &key, ChangeKind::Priority, By::default(), |alarm| {
                    alarm.acked &= priority < alarm.priority;
                    (alarm.priority, alarm.told) = (priority, told(Some(&alarm.told)));
                })
            }
            Turn::Reassess => self.change(at, &key, ChangeKind::Reassessed, By::default(), |alarm| alarm.told = told(None)),
            Turn::Clear => {
                let quiet_since = entry.quiet_since.take();
                entry.lower = None;
                let cleared = self.change(at, &key, ChangeKind::Cleared, By::default(), |alarm| {
                    (alarm.active, alarm.told) = (false, told(Some(&alarm.told)));
                });
                cleared.map(|change| Change { quiet_since, ..change })
            }
        };
        if self.entries.get(&key).is_some_and(Entry::is_over) {
            self.entries.remove(&key);
        }
        ended.into_iter().chain(change).collect()
    }

    fn raise(&mut self, at: &At<'_>, key: &EntryKey, (priority, onset): (Priority, EventTime), finding: &Finding) -> Option<Change> {
        let entry = self.entries.entry(key.clone()).or_default();
        let way = finding.way;
        let blank = entry.alarm.is_none().then(|| Alarm {
            alarm_id: alarm_id(at.venue, key, onset),
            change_no: 0,
            onset,
            priority,
            active: true,
            acked: false,
            aside: None,
            way,
            told: Told::of(finding, at.event_time),
        });
        entry.alarm = entry.alarm.take().or(blank);
        self.change(at, key, ChangeKind::Raised, By::default(), |alarm| {
            (alarm.active, alarm.acked, alarm.priority, alarm.way, alarm.told) = (true, false, priority, way, Told::of(finding, at.event_time));
        })
    }

    /// Clears the alarm of fewer where a crowd has come, with what was told of it last.
    fn end_shortfall(&mut self, at: &At<'_>, key: &EntryKey) -> Option<Change> {
        let entry = self.entries.get_mut(key)?;
        let quiet_since = entry.quiet_since.take();
        entry.lower = None;
        let cleared = self.change(at, key, ChangeKind::Cleared, By::default(), |alarm| alarm.active = false)?;
        Some(Change { quiet_since, ..cleared })
    }

    /// Whether there is any entry of that code.
    fn knows(&self, code: Code) -> bool {
        // Before every place that has a name.
        let first = (code, Place { kind: PlaceKind::Venue, id: Box::default() });
        self.entries.range(first..).next().is_some_and(|((known, _), _)| *known == code)
    }

    fn pass_over_unheard(&mut self, findings: &[Finding], judged: &BTreeSet<EntryKey>) {
        if self.entries.is_empty() {
            return;
        }
        let concerned = findings.iter().filter(|finding| self.knows(finding.code));
        let heard: BTreeSet<(Code, &Place)> = concerned.map(|finding| (finding.code, &finding.place)).collect();
        let changed = &mut self.changed;
        self.entries.retain(|key, entry| {
            if heard.contains(&(key.0, &key.1)) || judged.contains(key) || entry.runs() == Runs::default() {
                return true;
            }
            entry.unheard();
            changed.insert(key.clone());
            !entry.is_over()
        });
    }
}

/// The runs of an entry, to see whether they changed.
type Runs = ([Option<EventTime>; 4], Option<EventTime>, Option<(EventTime, Option<crate::detect::Priority>)>);

impl Entry {
    const fn runs(&self) -> Runs {
        (self.over, self.quiet_since, self.lower)
    }
}

/// `CODE/venue/place/onset`.
fn alarm_id(venue: &str, (code, place): &EntryKey, onset: EventTime) -> Box<str> {
    format!("{}/{venue}/{}/{}", code.word(), place.id, onset.as_millis()).into()
}

fn record(at: &At<'_>, (code, place): &EntryKey, alarm: &Alarm, kind: ChangeKind, by: By<'_>) -> Change {
    let told = alarm.told.clone();
    Change {
        v: 1,
        venue: at.venue.into(),
        event_time: at.event_time,
        watermark: at.watermark,
        coverage: super::quantise(at.coverage),
        revision: 0,
        alarm_id: alarm.alarm_id.clone(),
        change_no: alarm.change_no,
        state: alarm.state(),
        change: kind,
        code: *code,
        priority: alarm.priority,
        place: place.clone(),
        onset: alarm.onset,
        headline: told.headline,
        evidence: told.evidence,
        against: told.against,
        would_clear: told.would_clear,
        certainty: told.certainty,
        urgency: told.urgency,
        severity: told.severity,
        exercise: false,
        operator: by.operator.map(Box::from),
        reason: by.reason.map(Box::from),
        until: alarm.until(),
        caused_by: None,
        quiet_since: None,
    }
}

/// Entries as a list of pairs: a map with keys of several parts is no JSON object.
mod as_list {
    use super::{BTreeMap, Entry, EntryKey};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(entries: &BTreeMap<EntryKey, Entry>, serializer: S) -> Result<S::Ok, S::Error> {
        entries.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<EntryKey, Entry>, D::Error> {
        Ok(Vec::<(EntryKey, Entry)>::deserialize(deserializer)?.into_iter().collect())
    }
}
