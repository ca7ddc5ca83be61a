//! One alarm from its first hint to its end: runs of panes that exceed or are quiet, and the states of ISA-18.2.
//!
//! The idea: an alarm's state is three answers: does the condition hold (`active`), has somebody acknowledged it (`acked`), has somebody put it aside? The words of
//! the standard follow from them, so there is no state that cannot be.
//!
//! ```text
//!              aside?  shelved · suppressed · out of service ──(ends)──► active: unack, else: normal
//!   active     not acked: unack          acked: ack
//!   not active not acked: rtn_unack      acked: normal ──► leaves the book
//! ```
//!
//! Time is counted in panes: a run begins with the end of its first pane, and is as long as from there to the end of the present one.

use super::change::AlarmState;
use crate::detect::finding::{Evidence, Finding, Message, Priority, Way};
use crate::time::{EventTime, Span};
use serde::{Deserialize, Serialize};

/// At most so often is an active alarm reassessed: an operator is told of a development once a minute, not at every pane.
pub(super) const REASSESS_EVERY: Span = Span::from_secs(60);
/// The change of a figure that is worth telling, as a share of what was told last.
pub(super) const REASSESS_SHARE: f64 = 0.05;
/// The change of a point in time (unit `ms`) that is worth telling, ms.
pub(super) const REASSESS_MS: f64 = 60_000.0;

/// What is remembered of one (code, place).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// By priority: the first pane of the run in which it has been exceeded without a break.
    pub over: [Option<EventTime>; 4],
    /// Which of two opposites those runs are of.
    pub way: Option<Way>,
    /// The first pane of the run in which nothing was held.
    pub quiet_since: Option<EventTime>,
    /// The run in which less than the alarm's priority was held: its first pane, and the most that was held in it.
    pub lower: Option<(EventTime, Option<Priority>)>,
    /// The alarm, once it has been raised.
    pub alarm: Option<Alarm>,
}

/// A raised alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its id, fixed at first issue.
    pub alarm_id: Box<str>,
    /// The number of its last change.
    pub change_no: u32,
    /// End of the first pane of the run that led to it.
    pub onset: EventTime,
    /// Its priority.
    pub priority: Priority,
    /// Whether its condition holds.
    pub active: bool,
    /// Whether it is acknowledged.
    pub acked: bool,
    /// Whether it is put aside.
    pub aside: Option<Aside>,
    /// Which of two opposites it was raised for.
    pub way: Option<Way>,
    /// What was told last, and when.
    pub told: Told,
}

/// How an alarm is put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aside {
    /// Until a time, by an operator.
    Shelved {
        /// The end of the shelf.
        until: EventTime,
    },
    /// By design, until it is returned.
    Suppressed,
    /// For maintenance, until it is returned.
    OutOfService,
}

/// What was told of an alarm last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// End of the pane.
    pub at: EventTime,
    /// The sentence.
    pub headline: Message,
    /// For it.
    #[serde(with = "in_full")]
    pub evidence: Vec<Evidence>,
    /// Against it.
    #[serde(with = "in_full")]
    pub against: Vec<Evidence>,
    /// What would clear it.
    pub would_clear: Message,
    /// CAP certainty.
    pub certainty: Box<str>,
    /// CAP urgency.
    pub urgency: Box<str>,
    /// CAP severity.
    pub severity: Box<str>,
}

/// What a finding was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// A whole pane.
    Whole,
    /// A part of one: so short a mean may dip below the limit where the pane's would not, so within a pane a run goes on for as long as the deadband holds it.
    Short,
}

/// What a finding does to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing to tell.
    Still,
    /// An alarm is to be raised, with this priority and onset; again, where there is one whose condition had ended.
    Raise(Priority, EventTime),
    /// Its priority changes.
    Priority(Priority),
    /// Its condition has ended.
    Clear,
    /// It was of fewer than expected and is of more now, which is another alarm, with this priority and onset.
    Crowd(Priority, EventTime),
    /// It goes on, and its figures have moved.
    Reassess,
}

impl Entry {
    /// Takes in a finding of the pane, or the part of one, that ends at `end`.
    pub(super) fn heed(&mut self, finding: &Finding, end: EventTime, look: Look) -> Turn {
        let was_quiet_since = self.quiet_since;
        self.count_over(finding, end, look);
        self.count_quiet(finding.holds, end);
        let due = self.due(finding, end);
        let Some(alarm) = self.alarm.as_ref().filter(|alarm| alarm.active) else {
            return due.map_or(Turn::Still, |(priority, onset)| Turn::Raise(priority, onset));
        };
        // Who has left already is missing later, and that is no news; a crowd where fewer were told of is.
        if let (Some((priority, onset)), Some(Way::Fewer), Some(Way::More)) = (due, alarm.way, finding.way) {
            self.quiet_since = was_quiet_since.or(Some(onset));
            return Turn::Crowd(priority, onset);
        }
        let lasted = |since: EventTime| end.since(since) >= finding.off_delay;
        if self.quiet_since.is_some_and(lasted) {
            return Turn::Clear;
        }
        if let Some((priority, _)) = due.filter(|(priority, _)| *priority > alarm.priority) {
            return Turn::Priority(priority);
        }
        if let Some((_, Some(most))) = self.lower.filter(|(since, _)| lasted(*since)) {
            return Turn::Priority(most);
        }
        if alarm.aside.is_none() && !self.is_fading() && alarm.told.has_moved(finding, end) { Turn::Reassess } else { Turn::Still }
    }

    /// A pane in which its place could not be judged: a run needs every pane, so runs begin anew; the alarm stays as it is.
    pub(super) fn unheard(&mut self) {
        self.over = [None; 4];
        self.quiet_since = None;
        self.lower = None;
    }

    /// Whether nothing is left to be remembered.
    pub(super) fn is_over(&self) -> bool {
        match &self.alarm {
            Some(alarm) => alarm.state() == AlarmState::Normal,
            None => self.over.iter().all(Option::is_none),
        }
    }

    /// While nothing is held, a quiet finding's figures are no news of the alarm.
    const fn is_fading(&self) -> bool {
        self.quiet_since.is_some()
    }

    /// Ends the runs of what the whole pane that begins at `start` did not exceed and that are older than it; whether there was any.
    pub(super) fn end_runs(&mut self, finding: &Finding, start: EventTime) -> bool {
        let before = self.over;
        for (level, since) in LEVELS.iter().zip(&mut self.over) {
            *since = since.filter(|since| *since > start || finding.exceeds >= Some(*level));
        }
        self.over != before
    }

    fn count_over(&mut self, finding: &Finding, end: EventTime, look: Look) {
        if finding.exceeds.is_some() && finding.way != self.way {
            (self.over, self.way) = ([None; 4], finding.way);
        }
        for (level, since) in LEVELS.iter().zip(&mut self.over) {
            if finding.exceeds >= Some(*level) {
                *since = since.or(Some(end));
            } else if look == Look::Whole || finding.holds < Some(*level) {
                *since = None;
            }
        }
    }

    fn count_quiet(&mut self, holds: Option<Priority>, end: EventTime) {
        let Some(alarm) = self.alarm.as_ref().filter(|alarm| alarm.active) else {
            (self.quiet_since, self.lower) = (None, None);
            return;
        };
        self.quiet_since = if holds.is_none() { self.quiet_since.or(Some(end)) } else { None };
        self.lower = match self.lower {
            _ if holds >= Some(alarm.priority) => None,
            None => Some((end, holds)),
            Some((since, most)) => Some((since, most.max(holds))),
        };
    }

    /// The greatest priority that is exceeded and has been for the on-delay, and when anything began to be exceeded.
    fn due(&self, finding: &Finding, end: EventTime) -> Option<(Priority, EventTime)> {
        let onset = self.over[0]?;
        let lasted = |since: &Option<EventTime>| since.is_some_and(|since| end.since(since) >= finding.on_delay);
        let greatest = LEVELS.iter().zip(&self.over).rev().find(|(level, since)| finding.exceeds >= Some(**level) && lasted(since))?;
        Some((*greatest.0, onset))
    }
}

/// The priorities in rising order, as [`Entry::over`] has them.
const LEVELS: [Priority; 4] = [Priority::Low, Priority::Medium, Priority::High, Priority::Top];

impl Alarm {
    /// Its state by ISA-18.2.
    pub fn state(&self) -> AlarmState {
        match (self.aside, self.active, self.acked) {
            (Some(Aside::Shelved { .. }), ..) => AlarmState::Shelved,
            (Some(Aside::Suppressed), ..) => AlarmState::Suppressed,
            (Some(Aside::OutOfService), ..) => AlarmState::OutOfService,
            (None, true, false) => AlarmState::Unack,
            (None, true, true) => AlarmState::Ack,
            (None, false, false) => AlarmState::RtnUnack,
            (None, false, true) => AlarmState::Normal,
        }
    }

    /// Ends its being put aside. If its condition holds it wants attention again; if not, it is over: who put it aside has seen it.
    pub(super) fn bring_back(&mut self) {
        self.aside = None;
        self.acked = !self.active;
    }

    /// Until when it is shelved.
    pub(super) const fn until(&self) -> Option<EventTime> {
        match self.aside {
            Some(Aside::Shelved { until }) => Some(until),
            _ => None,
        }
    }
}

impl Told {
    /// What a finding tells, rounded, without figures that are no numbers.
    pub(super) fn of(finding: &Finding, at: EventTime) -> Self {
        Self {
            at,
            headline: rounded(&finding.headline),
            evidence: finding.evidence.iter().filter_map(round).collect(),
            against: finding.against.iter().filter_map(round).collect(),
            would_clear: rounded(&finding.would_clear),
            certainty: finding.certainty.into(),
            urgency: finding.urgency.into(),
            severity: finding.severity.into(),
        }
    }

    /// Whether one of the finding's figures is worth telling again: a chance that has come to 98 % stands still while who is yet to come does not.
    fn has_moved(&self, finding: &Finding, end: EventTime) -> bool {
        if end.since(self.at) < REASSESS_EVERY {
            return false;
        }
        let mut now = finding.evidence.iter().filter_map(round);
        self.evidence.iter().any(|told| now.next().is_none_or(|now| has_moved(told, &now))) || now.next().is_some()
    }
}

fn has_moved(told: &Evidence, now: &Evidence) -> bool {
    let moved = (now.value - told.value).abs();
    let least = if told.unit == "ms" { REASSESS_MS } else { REASSESS_SHARE * told.value.abs() };
    told.what != now.what || moved > 0.0 && moved >= least
}

fn round(evidence: &Evidence) -> Option<Evidence> {
    let threshold = evidence.threshold.filter(|threshold| threshold.is_finite()).map(super::quantise);
    evidence.value.is_finite().then(|| Evidence { value: super::quantise(evidence.value), threshold, ..evidence.clone() })
}

fn rounded(message: &Message) -> Message {
    let finite = message.args.iter().filter(|(_, value)| value.is_finite());
    Message { key: message.key.clone(), args: finite.map(|(name, value)| (name.clone(), super::quantise(value))).collect() }
}

/// Evidence with all its fields: its JSON leaves empty ones out, which a binary state cannot read back.
mod in_full {
    use super::{EventTime, Evidence};
    use crate::detect::finding::Word;
    use serde::{Deserialize, Deserializer, Serializer};
    use std::sync::Arc;

    type Fields = (Word, f64, Word, Option<f64>, Option<Arc<str>>, EventTime, EventTime);

    pub(super) fn serialize<S: Serializer>(evidence: &[Evidence], serializer: S) -> Result<S::Ok, S::Error> {
        let fields = evidence.iter().map(|e| (&e.what, e.value, &e.unit, e.threshold, &e.profile, e.from, e.to));
        serializer.collect_seq(fields)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Evidence>, D::Error> {
        let fields = Vec::<Fields>::deserialize(deserializer)?.into_iter();
        let evidence = fields.map(|(what, value, unit, threshold, profile, from, to)| Evidence { what, value, unit, threshold, profile, from, to });
        Ok(evidence.collect())
    }
}
