//! What of a forecaster goes to the state, entry by entry, and comes back.

use super::Forecaster;
use crate::forecast::faces::FaceSlot;
use crate::forecast::history::HistoryPane;
use crate::forecast::issued::IssuedPane;
use crate::forecast::judgement::OfHorizon;
use crate::forecast::likeness::Likeness;
use crate::forecast::pulse::Beat;
use crate::forecast::spent_like::SpentLike;
use crate::forecast::state::{RestoreError, StateKey};
use crate::forecast::steps::IssuedStep;
use crate::forecast::usual::{Gathering, StoredSlot};
use crate::forecast::watch::verdict::ZoneWatch;
use serde::de::DeserializeOwned;

impl Forecaster {
    /// What has changed since the last call: the entry's name, and its bytes or `None` where it is gone. In the order of the names' kinds.
    pub fn take_changed(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|key| (key.to_string(), self.encoded(key))).collect()
    }

    /// Takes a stored entry back, in any order with the others and before the first pane is observed.
    ///
    /// # Errors
    /// When the name is unknown, the bytes cannot be read, or they belong to another set of series.
    pub fn restore(&mut self, key: &str, value: &[u8]) -> Result<(), RestoreError> {
        let parsed = StateKey::parse(key).ok_or_else(|| RestoreError::UnknownKey { key: key.to_owned() })?;
        let size = self.layout.series.len();
        let fits = match parsed {
            StateKey::History(_) => self.history.restore(decoded::<HistoryPane>(key, value)?),
            StateKey::Issued(end) => {
                let mut pane: IssuedPane = decoded(key, value)?;
                let fits = pane.widen(size);
                self.issued.keep(end, pane);
                fits
            }
            StateKey::Step(end) => self.judgement.restore_step(end, decoded::<IssuedStep>(key, value)?, size),
            StateKey::Horizon(place) => self.judgement.restore_horizon(usize::from(place), decoded::<OfHorizon>(key, value)?),
            StateKey::Hours(horizon, part) => self.judgement.restore_part(usize::from(horizon), part, decoded(key, value)?),
            StateKey::Weekday(quarter) => self.judgement.restore_weekday(quarter, decoded(key, value)?, size),
            StateKey::Pulse => self.pulse.restore(decoded::<Vec<Beat>>(key, value)?),
            StateKey::Usual(slot) => self.usual.restore(slot, decoded::<StoredSlot>(key, value)?),
            StateKey::Excess => {
                self.excess = decoded(key, value)?;
                self.excess.widen(size)
            }
            StateKey::Tonight => {
                self.tonight = decoded(key, value)?;
                self.tonight.widen(size)
            }
            StateKey::Face(kind, slot) => self.faces.restore(kind, slot, decoded::<FaceSlot>(key, value)?),
            StateKey::Faces => self.faces.restore_gathering(decoded(key, value)?),
            StateKey::Likeness => {
                self.likeness = decoded::<Likeness>(key, value)?;
                true
            }
            StateKey::SpentLike => {
                self.spent_like = decoded::<SpentLike>(key, value)?;
                true
            }
            StateKey::Gathering => self.usual.restore_gathering(decoded::<Gathering>(key, value)?),
            StateKey::Calibration(kind) => {
                self.calibrations[kind as usize] = decoded(key, value)?;
                self.calibrations[kind as usize].is_sound()
            }
            StateKey::WatchScores => self.watch.restore_scores(decoded(key, value)?),
            StateKey::WatchBudget(group) => self.watch.restore_budgets(group as usize, decoded(key, value)?),
            StateKey::WatchZone(zone) => self.watch.restore_zone(zone as usize, decoded::<ZoneWatch>(key, value)?),
            StateKey::WatchWhole => self.watch.restore_whole(decoded::<ZoneWatch>(key, value)?),
            StateKey::WatchOccasion(bin) => self.watch.occasions_mut().restore(bin as usize, decoded(key, value)?),
        };
        self.filled = None;
        if fits { Ok(()) } else { Err(RestoreError::OtherLayout { key: key.to_owned(), series: size }) }
    }

    /// The bytes of one entry; `None` where it is gone. What serde is given here always encodes.
    fn encoded(&self, key: StateKey) -> Option<Vec<u8>> {
        match key {
            StateKey::History(end) => self.history.pane(end).and_then(|pane| postcard::to_stdvec(&pane).ok()),
            StateKey::Issued(end) => self.issued.at(end).and_then(|pane| postcard::to_stdvec(pane).ok()),
            StateKey::Step(end) => self.judgement.step_at(end).and_then(|step| postcard::to_stdvec(step).ok()),
            StateKey::Horizon(place) => self.judgement.of_horizon(usize::from(place)).and_then(|of| postcard::to_stdvec(of).ok()),
            StateKey::Hours(horizon, part) => self.judgement.part(usize::from(horizon), part).and_then(|part| postcard::to_stdvec(part).ok()),
            StateKey::Weekday(quarter) => self.judgement.weekday_here().quarter(quarter).and_then(|of| postcard::to_stdvec(of).ok()),
            StateKey::Pulse => postcard::to_stdvec(self.pulse.stored()).ok(),
            StateKey::Usual(slot) => self.usual.stored(slot).and_then(|slot| postcard::to_stdvec(&slot).ok()),
            StateKey::Excess => postcard::to_stdvec(&self.excess).ok(),
            StateKey::Tonight => postcard::to_stdvec(&self.tonight).ok(),
            StateKey::Face(kind, slot) => self.faces.stored(kind, slot).and_then(|slot| postcard::to_stdvec(slot).ok()),
            StateKey::Faces => postcard::to_stdvec(self.faces.gathering()).ok(),
            StateKey::Likeness => self.likeness.has_seen().then(|| postcard::to_stdvec(&self.likeness).ok()).flatten(),
            StateKey::SpentLike => self.spent_like.has_seen().then(|| postcard::to_stdvec(&self.spent_like).ok()).flatten(),
            StateKey::Gathering => postcard::to_stdvec(self.usual.gathering()).ok(),
            StateKey::Calibration(kind) => postcard::to_stdvec(&self.calibrations[kind as usize]).ok(),
            StateKey::WatchScores => postcard::to_stdvec(self.watch.scores()).ok(),
            StateKey::WatchBudget(group) => self.watch.budgets(group as usize).and_then(|budgets| postcard::to_stdvec(budgets).ok()),
            StateKey::WatchZone(zone) => self.watch.zone(zone as usize).and_then(|zone| postcard::to_stdvec(zone).ok()),
            StateKey::WatchWhole => self.watch.whole().and_then(|whole| postcard::to_stdvec(whole).ok()),
            StateKey::WatchOccasion(bin) => self.watch.occasions().bin(bin as usize).and_then(|bin| postcard::to_stdvec(bin).ok()),
        }
    }
}

fn decoded<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, RestoreError> {
    postcard::from_bytes(value).map_err(|fault| RestoreError::Unreadable { key: key.to_owned(), why: fault.to_string() })
}
