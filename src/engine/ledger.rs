//! The conservation ledger: every record that was read, and what became of every observation in it (DESIGN promise 1).
//!
//! ```text
//!   records:       read = decoded + undecodable + command
//!   observations:  decoded = windowed + revised + late + duplicate + quarantined + ignored
//! ```
//!
//! What was late and is taken back in (`midan reopen`) comes as a record of its own: it counts under `revised` and, so that nobody counts it twice, under `reopened`.
//!
//! Both sums hold for each row and for the totals. The left sides are counted where a record is taken, the right sides where it is dealt with, so that a path
//! which forgets an observation shows up as an imbalance. A row belongs to the pane that the partition's own records had reached when the record came: a function of
//! that partition alone, whatever the others do. The row is final, and published, once the partition's records reach a later pane.

use crate::time::{EventTime, PaneLength};
use serde::{Deserialize, Serialize};

/// What became of one observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It entered its pane.
    Windowed,
    /// It was late, and revises.
    Revised,
    /// It was too late.
    Late,
    /// It had come before.
    Duplicate,
    /// It cannot be used.
    Quarantined,
    /// It concerns nothing that is configured.
    Ignored,
    /// It was too late once, was taken back in, and revises.
    Reopened,
}

/// The sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the words are those of FORMATS.md")]
pub struct Sums {
    pub read: u64,
    pub decoded: u64,
    pub undecodable: u64,
    pub command: u64,
    pub observations: u64,
    pub windowed: u64,
    pub revised: u64,
    pub late: u64,
    pub duplicate: u64,
    pub quarantined: u64,
    pub ignored: u64,
    /// Of `revised`: what stands under `late` too, since it was taken back in. A reader who wants each event once takes it from both `observations` and `late`.
    #[serde(default)]
    pub reopened: u64,
}

impl Sums {
    /// How many records and observations are unaccounted for; (0, 0) always.
    pub const fn imbalance(&self) -> (i64, i64) {
        let records = self.read as i64 - (self.decoded + self.undecodable + self.command) as i64;
        let dealt_with = self.windowed + self.revised + self.late + self.duplicate + self.quarantined + self.ignored;
        (records, self.observations as i64 - dealt_with as i64)
    }

    /// Adds another's sums.
    pub const fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.decoded += other.decoded;
        self.undecodable += other.undecodable;
        self.command += other.command;
        self.observations += other.observations;
        self.windowed += other.windowed;
        self.revised += other.revised;
        self.late += other.late;
        self.duplicate += other.duplicate;
        self.quarantined += other.quarantined;
        self.ignored += other.ignored;
        self.reopened += other.reopened;
    }

    const fn count(&mut self, fate: Fate) {
        match fate {
            Fate::Windowed => self.windowed += 1,
            Fate::Revised => self.revised += 1,
            Fate::Late => self.late += 1,
            Fate::Duplicate => self.duplicate += 1,
            Fate::Quarantined => self.quarantined += 1,
            Fate::Ignored => self.ignored += 1,
            Fate::Reopened => {
                self.revised += 1;
                self.reopened += 1;
            }
        }
    }
}

/// One published row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Format version, 1.
    pub v: u32,
    /// The input topic.
    pub topic: Box<str>,
    /// Its partition.
    pub partition: u32,
    /// End of the pane that the partition's records had reached; `null` before the first believable event time.
    pub pane: Option<EventTime>,
    /// The sums.
    #[serde(flatten)]
    pub sums: Sums,
}

/// The ledger of one input partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    pane: Option<EventTime>,
    open: Sums,
    closed: Sums,
}

impl Ledger {
    /// A record was read.
    pub const fn read(&mut self) {
        self.open.read += 1;
    }

    /// It was decoded, into this many observations.
    pub const fn decoded(&mut self, observations: u64) {
        self.open.decoded += 1;
        self.open.observations += observations;
    }

    /// No observation could be taken from it.
    pub const fn undecodable(&mut self) {
        self.open.undecodable += 1;
    }

    /// It is an operator's command.
    pub const fn command(&mut self) {
        self.open.command += 1;
    }

    /// What became of one observation.
    pub const fn settle(&mut self, fate: Fate) {
        self.open.count(fate);
    }

    /// The partition's records have reached `at`: hands out the row that is final now, if `at` lies in a later pane.
    pub fn reach(&mut self, at: EventTime, pane: PaneLength) -> Option<(Option<EventTime>, Sums)> {
        let end = pane.end_of(at);
        if self.pane.is_some_and(|current| end <= current) {
            return None;
        }
        let row = (self.pane.replace(end), std::mem::take(&mut self.open));
        self.closed.add(&row.1);
        (row.1 != Sums::default()).then_some(row)
    }

    /// The row that is still open.
    pub const fn open_row(&self) -> (Option<EventTime>, Sums) {
        (self.pane, self.open)
    }

    /// All rows together.
    pub const fn total(&self) -> Sums {
        let mut total = self.closed;
        total.add(&self.open);
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    #[test]
    fn a_forgotten_observation_is_an_imbalance() {
        let mut ledger = Ledger::default();
        ledger.read();
        ledger.decoded(2);
        ledger.settle(Fate::Windowed);
        assert_eq!(ledger.total().imbalance(), (0, 1));
        ledger.settle(Fate::Late);
        assert_eq!(ledger.total().imbalance(), (0, 0));
    }

    #[test]
    fn a_row_is_final_when_a_later_pane_is_reached() {
        let pane = PaneLength::new(Span::from_secs(10)).unwrap();
        let at = |secs: i64| EventTime::from_millis(secs * 1_000);
        let mut ledger = Ledger::default();
        assert_eq!(ledger.reach(at(5), pane), None);
        ledger.read();
        ledger.undecodable();
        assert_eq!(ledger.reach(at(9), pane), None);
        let (end, sums) = ledger.reach(at(10), pane).unwrap();
        assert_eq!((end, sums.undecodable), (Some(at(10)), 1));
        assert_eq!(ledger.total().undecodable, 1);
    }
}
