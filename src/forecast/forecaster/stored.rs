//! What of a forecaster goes to the state, entry by entry, and comes back.

use super::Forecaster;
use crate::forecast::calibration::Calibration;
use crate::forecast::event::Excess;
use crate::forecast::faces::FaceSlot;
use crate::forecast::history::HistoryPane;
use crate::forecast::issued::IssuedPane;
use crate::forecast::judgement::OfHorizon;
use crate::forecast::likeness::Likeness;
use crate::forecast::pulse::Beat;
use crate::forecast::spent_like::SpentLike;
use crate::forecast::state::{RestoreError, StateKey};
use crate::forecast::steps::IssuedStep;
use crate::forecast::tonight::Tonight;
use crate::forecast::usual::{Gathering, StoredSlot};
use crate::forecast::watch::verdict::ZoneWatch;
use serde::Serialize;
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
            StateKey::Horizon(place) => self.judgement.restore_horizon(usize::from(place), sound(key, decoded(key, value)?, OfHorizon::is_sound)?),
            StateKey::Hours(horizon, part) => self.judgement.restore_part(usize::from(horizon), part, decoded(key, value)?),
            StateKey::Weekday(quarter) => self.judgement.restore_weekday(quarter, decoded(key, value)?, size),
            StateKey::Pulse => self.pulse.restore(sound(key, decoded::<Vec<Beat>>(key, value)?, |beats| beats.iter().all(Beat::is_sound))?),
            StateKey::Usual(slot) => self.usual.restore(slot, decoded::<StoredSlot>(key, value)?),
            StateKey::Excess => {
                let mut excess = sound(key, decoded(key, value)?, Excess::is_sound)?;
                excess.widen(size) && put(&mut self.excess, excess)
            }
            StateKey::Tonight => {
                let mut tonight = sound(key, decoded(key, value)?, Tonight::is_sound)?;
                tonight.widen(size) && put(&mut self.tonight, tonight)
            }
            StateKey::Face(kind, slot) => self.faces.restore(kind, slot, sound(key, decoded(key, value)?, FaceSlot::is_sound)?),
            StateKey::Faces => self.faces.restore_gathering(decoded(key, value)?),
            StateKey::Likeness => put(&mut self.likeness, sound(key, decoded(key, value)?, Likeness::is_sound)?),
            StateKey::SpentLike => put(&mut self.spent_like, sound(key, decoded(key, value)?, SpentLike::is_sound)?),
            StateKey::Gathering => self.usual.restore_gathering(decoded::<Gathering>(key, value)?),
            StateKey::Calibration(kind) => put(&mut self.calibrations[kind as usize], sound(key, decoded(key, value)?, Calibration::is_sound)?),
            StateKey::WatchScores => self.watch.restore_scores(decoded(key, value)?),
            StateKey::WatchBudget(group) => self.watch.restore_budgets(group, decoded(key, value)?),
            StateKey::WatchZone(zone) => self.watch.restore_zone(zone as usize, decoded::<ZoneWatch>(key, value)?),
            StateKey::WatchWhole => self.watch.restore_whole(decoded::<ZoneWatch>(key, value)?),
            StateKey::WatchOccasion(bin) => self.watch.occasions_mut().restore(bin as usize, decoded(key, value)?),
        };
        self.filled = None;
        if fits { Ok(()) } else { Err(RestoreError::OtherLayout { key: key.to_owned(), series: size }) }
    }

    /// The bytes of one entry; `None` where it is gone.
    pub(super) fn encoded(&self, key: StateKey) -> Option<Vec<u8>> {
        match key {
            StateKey::History(end) => self.history.pane(end).map(bytes),
            StateKey::Issued(end) => self.issued.at(end).map(bytes),
            StateKey::Step(end) => self.judgement.step_at(end).map(bytes),
            StateKey::Horizon(place) => self.judgement.of_horizon(usize::from(place)).map(bytes),
            StateKey::Hours(horizon, part) => self.judgement.part(usize::from(horizon), part).map(bytes),
            StateKey::Weekday(quarter) => self.judgement.weekday_here().quarter(quarter).map(bytes),
            StateKey::Pulse => Some(bytes(self.pulse.stored())),
            StateKey::Usual(slot) => self.usual.stored(slot).map(bytes),
            StateKey::Excess => Some(bytes(&self.excess)),
            StateKey::Tonight => Some(bytes(&self.tonight)),
            StateKey::Face(kind, slot) => self.faces.stored(kind, slot).map(bytes),
            StateKey::Faces => Some(bytes(self.faces.gathering())),
            StateKey::Likeness => self.likeness.has_seen().then(|| bytes(&self.likeness)),
            StateKey::SpentLike => self.spent_like.has_seen().then(|| bytes(self.spent_like)),
            StateKey::Gathering => Some(bytes(self.usual.gathering())),
            StateKey::Calibration(kind) => Some(bytes(&self.calibrations[kind as usize])),
            StateKey::WatchScores => Some(bytes(self.watch.scores())),
            StateKey::WatchBudget(group) => self.watch.budgets(group).map(bytes),
            StateKey::WatchZone(zone) => self.watch.zone(zone as usize).map(bytes),
            StateKey::WatchWhole => self.watch.whole().map(bytes),
            StateKey::WatchOccasion(bin) => self.watch.occasions().bin(bin as usize).map(bytes),
        }
    }
}

/// What was stored, if its figures can be.
fn sound<T>(key: &str, stored: T, is_sound: impl Fn(&T) -> bool) -> Result<T, RestoreError> {
    if is_sound(&stored) { Ok(stored) } else { Err(RestoreError::Unsound { key: key.to_owned() }) }
}

fn put<T>(place: &mut T, stored: T) -> bool {
    *place = stored;
    true
}

/// All that is stored here encodes. If it ever did not, the empty record is refused when it is read, where none at all would be forgotten without a word.
fn bytes<T: Serialize>(stored: T) -> Vec<u8> {
    postcard::to_stdvec(&stored).unwrap_or_default()
}

fn decoded<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, RestoreError> {
    postcard::from_bytes(value).map_err(|fault| RestoreError::Unreadable { key: key.to_owned(), why: fault.to_string() })
}
