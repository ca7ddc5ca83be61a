//! The alarm list as the console keeps it: the greatest change of each alarm, and how much the alarms ask of an operator (ISA-18.2, EEMUA 191).

use crate::alarm::{AlarmState, Change, ChangeKind};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

const TEN_MINUTES_MS: i64 = 600_000;
/// More alarms than this in ten minutes is a flood (EEMUA 191; standards-and-people §4).
const FLOOD_BEGINS: usize = 10;
/// Fewer than this ends it.
const FLOOD_ENDS: usize = 5;

/// The alarms of one venue.
#[derive(Debug, Default)]
pub struct AlarmList {
    latest: BTreeMap<Box<str>, Change>,
    raised: VecDeque<i64>,
    raised_at: BTreeMap<Box<str>, i64>,
    acknowledged_after_s: VecDeque<f64>,
    flood: bool,
}

/// What the alarms ask of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Load {
    /// Alarms raised in the last ten minutes of event time.
    pub per_10_min: usize,
    /// Median time from raise to acknowledgement of the last fifty, s.
    pub median_ack_s: Option<f64>,
    /// More than ten in ten minutes, until fewer than five.
    pub flood: bool,
}

impl AlarmList {
    /// Takes a change; says whether it is news. A repeat, or an older change than the one known, is not.
    pub fn take(&mut self, change: Change) -> bool {
        if self.latest.get(&change.alarm_id).is_some_and(|known| known.change_no >= change.change_no) {
            return false;
        }
        let at = change.event_time.as_millis();
        match change.change {
            ChangeKind::Raised => {
                self.raised.push_back(at);
                self.raised_at.insert(change.alarm_id.clone(), at);
            }
            ChangeKind::Acked => self.note_acknowledgement(&change.alarm_id, at),
            _ => {}
        }
        self.latest.insert(change.alarm_id.clone(), change);
        true
    }

    /// Lets event time pass: alarms that cleared ten minutes ago leave the list.
    pub fn pass(&mut self, now: i64) {
        self.latest.retain(|_, change| change.state != AlarmState::Normal || change.event_time.as_millis() > now - TEN_MINUTES_MS);
        let latest = &self.latest;
        self.raised_at.retain(|id, _| latest.contains_key(id));
        while self.raised.front().is_some_and(|at| *at <= now - TEN_MINUTES_MS) {
            self.raised.pop_front();
        }
        self.flood = if self.flood { self.raised.len() >= FLOOD_ENDS } else { self.raised.len() > FLOOD_BEGINS };
    }

    /// The alarms: unacknowledged first, by priority, newest first.
    pub fn list(&self) -> Vec<&Change> {
        let mut list: Vec<&Change> = self.latest.values().collect();
        let quiet = |change: &Change| !matches!(change.state, AlarmState::Unack | AlarmState::RtnUnack);
        list.sort_by_key(|change| (change.state == AlarmState::Normal, quiet(change), std::cmp::Reverse(change.priority), std::cmp::Reverse(change.onset)));
        list
    }

    /// What they ask of the operator.
    pub fn load(&self) -> Load {
        let mut seconds: Vec<f64> = self.acknowledged_after_s.iter().copied().collect();
        seconds.sort_by(f64::total_cmp);
        Load { per_10_min: self.raised.len(), median_ack_s: seconds.get(seconds.len() / 2).copied(), flood: self.flood }
    }

    fn note_acknowledgement(&mut self, id: &str, at: i64) {
        let Some(raised) = self.raised_at.get(id) else { return };
        self.acknowledged_after_s.push_back((at - raised) as f64 / 1_000.0);
        if self.acknowledged_after_s.len() > 50 {
            self.acknowledged_after_s.pop_front();
        }
    }
}
