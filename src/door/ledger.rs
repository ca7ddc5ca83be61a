//! What became of every payload, by source: in = written + ignored + refused, always. What waits for the log is in no sum yet: a payload is counted when its fate is
//! known, so one that is given back to its sender (429, 503) never came in.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The fate of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The log has what it became: so many records.
    Written {
        /// Records, over all venues.
        records: u64,
    },
    /// It concerns nothing that is configured, or says again what was said.
    Ignored,
    /// Nobody could read it.
    Refused,
}

/// The sums of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs, reason = "the words are those of the fates")]
pub struct Sums {
    #[serde(rename = "in")]
    pub came_in: u64,
    pub written: u64,
    pub ignored: u64,
    pub refused: u64,
    /// Records that the written payloads became.
    pub records: u64,
}

impl Sums {
    /// Payloads unaccounted for; 0 always.
    pub const fn imbalance(&self) -> i64 {
        self.came_in as i64 - (self.written + self.ignored + self.refused) as i64
    }
}

/// The ledger of a door.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<BTreeMap<Box<str>, Sums>>>);

impl Ledger {
    /// A payload of `source` came in; its fate must follow.
    pub fn came_in(&self, source: &str) {
        self.change(source, |sums| sums.came_in += 1);
    }

    /// What became of it.
    pub fn settle(&self, source: &str, fate: Fate) {
        self.change(source, |sums| match fate {
            Fate::Written { records } => {
                sums.written += 1;
                sums.records += records;
            }
            Fate::Ignored => sums.ignored += 1,
            Fate::Refused => sums.refused += 1,
        });
    }

    /// It was given back: its sender has it still.
    pub fn given_back(&self, source: &str) {
        self.change(source, |sums| sums.came_in -= 1);
    }

    /// The sums by source.
    pub fn sums(&self) -> BTreeMap<Box<str>, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, source: &str, change: impl FnOnce(&mut Sums)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sums) = all.get_mut(source) {
            return change(sums);
        }
        change(all.entry(source.into()).or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_without_a_fate_is_an_imbalance() {
        let ledger = Ledger::default();
        ledger.came_in("a");
        assert_eq!(ledger.sums()["a"].imbalance(), 1);
        ledger.settle("a", Fate::Written { records: 3 });
        ledger.came_in("a");
        ledger.given_back("a");
        assert_eq!(ledger.sums()["a"], Sums { came_in: 1, written: 1, records: 3, ..Sums::default() });
    }
}
