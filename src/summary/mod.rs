//! What a run amounted to: the ledger's sums, alarms by code, and how far the forecasts were from what came.
//!
//! The idea: a summary is one more reader of the output topics. It sees what everybody sees, so its figures can be checked from outside.
//!
//! - [`forecasts`]: forecasts held against what came; [`zone`]: what of a zone's record is read.

pub mod forecasts;
pub mod zone;

pub use forecasts::{ForecastScore, Forecasts};
pub use zone::{ZoneForecast, ZoneRecord};

use crate::alarm::{Change, ChangeKind};
use crate::engine::{OutTopic, Sums};
use std::collections::BTreeMap;
use std::fmt;

/// The sums of a run so far.
#[derive(Debug, Default)]
pub struct Summary {
    ledger: Sums,
    alarms: BTreeMap<String, u64>,
    quarantined: BTreeMap<String, u64>,
    forecasts: Forecasts,
    zone_records: u64,
    revised_records: u64,
}

impl Summary {
    /// Takes one output record in.
    pub fn take(&mut self, topic: OutTopic, value: &[u8]) {
        match topic {
            OutTopic::Alarms => {
                if let Ok(change) = serde_json::from_slice::<Change>(value)
                    && change.change == ChangeKind::Raised
                {
                    *self.alarms.entry(change.code.word().to_owned()).or_default() += 1;
                }
            }
            OutTopic::Quarantine => self.take_quarantined(value),
            OutTopic::Zones => {
                self.take_zones(ZoneRecord::read(value).as_ref());
            }
            OutTopic::Alerts | OutTopic::Ledger | OutTopic::Late | OutTopic::Control | OutTopic::State => {}
        }
    }

    /// Takes one record of `midan.zones` in: what is read of it, where it is a zone's.
    pub fn take_zones(&mut self, record: Option<&ZoneRecord<'_>>) {
        self.zone_records += 1;
        if let Some(record) = record {
            self.revised_records += u64::from(record.revision > 0);
            self.forecasts.take(record);
        }
    }

    /// Sets the ledger's sums, the open rows included: those are not on the topic yet.
    pub const fn set_ledger(&mut self, sums: Sums) {
        self.ledger = sums;
    }

    /// How the forecasts fared.
    pub const fn forecasts(&self) -> &Forecasts {
        &self.forecasts
    }

    fn take_quarantined(&mut self, value: &[u8]) {
        #[derive(serde::Deserialize)]
        struct Reason {
            reason: String,
        }
        if let Ok(Reason { reason }) = serde_json::from_slice(value) {
            *self.quarantined.entry(reason).or_default() += 1;
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let l = &self.ledger;
        let (records, observations) = l.imbalance();
        writeln!(f, "records       {:>10} read = {} decoded + {} undecodable + {} commands", l.read, l.decoded, l.undecodable, l.command)?;
        writeln!(
            f,
            "observations  {:>10} = {} windowed + {} revised + {} late + {} duplicate + {} quarantined + {} ignored",
            l.observations, l.windowed, l.revised, l.late, l.duplicate, l.quarantined, l.ignored
        )?;
        writeln!(f, "ledger        {:>10} unaccounted for", records.abs() + observations.abs())?;
        writeln!(f, "alarms        {}", words(&self.alarms))?;
        writeln!(f, "quarantine    {}", words(&self.quarantined))?;
        writeln!(f, "zone records  {:>10}, {} of them revisions", self.zone_records, self.revised_records)?;
        write!(f, "{}", self.forecasts)
    }
}

fn words(counts: &BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    counts.iter().map(|(word, count)| format!("{word} {count}")).collect::<Vec<_>>().join(", ")
}
