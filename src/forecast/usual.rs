//! What is usual: a robust level and spread of every series per slot of the day and week, learnt in the stream.
//!
//! The idea: three memories of one series, each in slots of the local clock.
//!
//! | memory | slots | what it holds |
//! |---|---|---|
//! | level | kind of day × slot of the step's length, 5 min at least | a running mean that no single day can move far |
//! | spread | kind of day × coarse slot, 15 min at least | the running mean of the distance from the level |
//! | week | weekday × coarse slot | a slow mean, and what came the last time |
//!
//! A level takes a new day in with weight max(1/(n+1), 0.15), and from the third day on only within ± 4 spreads: a match moves it by little, while a lasting change is followed in
//! days, because the spread grows with what it sees. A match that comes each second week would be half of all Saturdays, so
//!
//! - what is far above the level, and was not on the day of its kind before, moves it by a spread and teaches nothing of how far days lie apart;
//! - of a kind's first two days that cannot both be ordinary, the one that is more like the other kinds of days is believed, until two in a row say otherwise.
//!
//! What the days of a match bring is kept elsewhere (`faces`). A gap teaches nothing. A step is learnt when it is out of every window that is compared with its slot
//! (`history::lag_learnt`), so nothing is ever compared with itself; but of steps of hours and days twelve would be days and weeks, and a second Saturday passed before the first was learnt.
//!
//! Counts are held in 16 bits (`rooted`). With 5-minute steps that is 6.5 KB a series.

mod slot;
mod view;

use self::slot::{CLIP, Day, at_least};
pub use self::slot::{LevelSlot, SpreadSlot, StoredSlot, WeekSlot};
pub use self::view::{Level, LevelView, Taught, WeekView};
use self::view::{known, mean_level};
use super::calendar::{DayKind, Place};
use super::room::widen;
use crate::time::DAY_MS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The shortest slot of a level, ms.
const FINEST_MS: i64 = 300_000;
/// The shortest slot of a spread and of the week, ms.
const COARSEST_MS: i64 = 900_000;
/// The same of the spread.
const SPREAD_LEARNS: f64 = 0.2;

/// The name of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SlotKey {
    /// Of the levels.
    Level(DayKind, u16),
    /// Of the spreads.
    Spread(DayKind, u16),
    /// Of the week: weekday from Monday = 0, coarse slot.
    Week(u8, u16),
}

/// What is being gathered for the coarse slot that is not over yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gathering {
    slot: Option<(u8, u16)>,
    fine: Option<(DayKind, u16)>,
    sums: Vec<f32>,
    steps: Vec<u16>,
    fine_sums: Vec<f32>,
    fine_steps: Vec<u16>,
}

/// What is usual of all series of a venue.
#[derive(Clone, Debug)]
pub struct Usual {
    series: usize,
    fine_ms: i64,
    coarse_ms: i64,
    step_ms: i64,
    levels: BTreeMap<(DayKind, u16), LevelSlot>,
    spreads: BTreeMap<(DayKind, u16), SpreadSlot>,
    weeks: BTreeMap<(u8, u16), WeekSlot>,
    gathering: Gathering,
}

impl Gathering {
    /// Makes room for so many series. Returns `false` when it is of more.
    fn widen(&mut self, series: usize) -> bool {
        let Self { sums, steps, fine_sums, fine_steps, .. } = self;
        [sums, fine_sums].into_iter().all(|sums| widen(sums, series, 0.0)) && [steps, fine_steps].into_iter().all(|steps| widen(steps, series, 0))
    }
}

impl Usual {
    /// Nothing known yet of so many series.
    pub fn new(series: usize, step_ms: i64) -> Self {
        let fine_ms = step_ms.clamp(FINEST_MS, DAY_MS);
        let coarse_ms = (fine_ms * ((COARSEST_MS + fine_ms - 1) / fine_ms)).min(DAY_MS);
        let (levels, spreads, weeks) = Default::default();
        let mut gathering = Gathering::default();
        gathering.widen(series);
        Self { series, fine_ms, coarse_ms, step_ms, levels, spreads, weeks, gathering }
    }

    /// The levels that bear on the step that starts at `start`.
    pub fn level(&self, start: Place) -> LevelView<'_> {
        let slots = (DAY_MS + self.fine_ms - 1).div_euclid(self.fine_ms).max(1);
        let (slot, share) = if self.step_ms >= self.fine_ms {
            // A step is a slot of its own, wherever on the clock it begins: turnstiles read every four hours from three on.
            (start.millis_of_day.div_euclid(self.fine_ms), 0.0)
        } else {
            // The middle of the step, in slots, from the middle of the first slot.
            let along = (start.millis_of_day + self.step_ms / 2 - self.fine_ms / 2) as f64 / self.fine_ms as f64;
            (along.floor() as i64, along - along.floor())
        };
        let at = |slot: i64| {
            let (weekday, slot) = match slot {
                ..0 => (start.day_before, slots - 1),
                _ if slot >= slots => (start.day_after, 0),
                _ => (start.weekday, slot),
            };
            DayKind::of_weekday(weekday).and_then_others().map(|kind| self.levels.get(&(kind, slot as u16)))
        };
        let next = if share > 0.0 { at(slot + 1) } else { [None; 3] };
        LevelView { here: at(slot), next, share }
    }

    /// What the week tells of the step that starts at `start`.
    pub fn week(&self, start: Place) -> WeekView<'_> {
        let coarse = (start.millis_of_day / self.coarse_ms) as u16;
        let per_coarse = (self.coarse_ms / self.fine_ms).clamp(1, 4);
        let first = start.millis_of_day / self.coarse_ms * (self.coarse_ms / self.fine_ms);
        let mut fine = [None; 4];
        for (place, slot) in fine.iter_mut().zip(first..first + per_coarse) {
            *place = self.levels.get(&(start.kind, slot as u16));
        }
        WeekView {
            week: self.weeks.get(&(start.weekday, coarse)),
            before: self.weeks.get(&(start.day_before, coarse)),
            spread: self.spreads.get(&(start.kind, coarse)),
            fine,
        }
    }

    /// Learns one complete step that starts at `start`: `persons(series)` is its count, `None` where it is not known. Returns what changed.
    pub fn learn(&mut self, start: Place, persons: impl Fn(usize) -> Option<f64>) -> Vec<SlotKey> {
        let mut changed = Vec::new();
        let slot = (start.weekday, (start.millis_of_day / self.coarse_ms) as u16);
        let fine = (start.kind, (start.millis_of_day / self.fine_ms) as u16);
        if self.gathering.fine.is_some_and(|gathered| gathered != fine) || self.gathering.slot.is_some_and(|gathered| gathered != slot) {
            self.settle_fine(&mut changed);
        }
        if self.gathering.slot.is_some_and(|gathered| gathered != slot) {
            self.settle_week(&mut changed);
        }
        let size = self.series;
        let gathering = &mut self.gathering;
        (gathering.slot, gathering.fine) = (Some(slot), Some(fine));
        for series in 0..size {
            if let Some(persons) = persons(series) {
                gathering.sums[series] += persons as f32;
                gathering.steps[series] += 1;
                gathering.fine_sums[series] += persons as f32;
                gathering.fine_steps[series] += 1;
            }
        }
        // A slot is learnt with its last step: with hourly steps the next one would be an hour late.
        let ends_in = start.millis_of_day + self.step_ms;
        if ends_in >= (i64::from(fine.1) + 1) * self.fine_ms {
            self.settle_fine(&mut changed);
        }
        if ends_in >= (i64::from(slot.1) + 1) * self.coarse_ms {
            self.settle_week(&mut changed);
        }
        changed
    }

    /// What is gathered of the slots that are not over yet.
    pub const fn gathering(&self) -> &Gathering {
        &self.gathering
    }

    /// Puts it back. Returns `false` when it is of more series.
    pub fn restore_gathering(&mut self, mut stored: Gathering) -> bool {
        let fits = stored.widen(self.series);
        if fits {
            self.gathering = stored;
        }
        fits
    }

    /// What the state stores of a slot.
    pub fn stored(&self, key: SlotKey) -> Option<StoredSlot> {
        match key {
            SlotKey::Level(kind, slot) => self.levels.get(&(kind, slot)).cloned().map(StoredSlot::Level),
            SlotKey::Spread(kind, slot) => self.spreads.get(&(kind, slot)).cloned().map(StoredSlot::Spread),
            SlotKey::Week(day, slot) => self.weeks.get(&(day, slot)).cloned().map(StoredSlot::Week),
        }
    }

    /// The names of all slots that are stored.
    pub fn slots(&self) -> impl Iterator<Item = SlotKey> + '_ {
        let levels = self.levels.keys().map(|(kind, slot)| SlotKey::Level(*kind, *slot));
        let spreads = self.spreads.keys().map(|(kind, slot)| SlotKey::Spread(*kind, *slot));
        levels.chain(spreads).chain(self.weeks.keys().map(|(day, slot)| SlotKey::Week(*day, *slot)))
    }

    /// Puts a stored slot back. Returns `false` when it is of more series or of another kind than its name.
    pub fn restore(&mut self, key: SlotKey, stored: StoredSlot) -> bool {
        let size = self.series;
        match (key, stored) {
            (SlotKey::Level(kind, slot), StoredSlot::Level(mut stored)) => stored.widen(size).then(|| self.levels.insert((kind, slot), stored)).is_some(),
            (SlotKey::Spread(kind, slot), StoredSlot::Spread(mut stored)) => stored.widen(size).then(|| self.spreads.insert((kind, slot), stored)).is_some(),
            (SlotKey::Week(day, slot), StoredSlot::Week(mut stored)) => stored.widen(size).then(|| self.weeks.insert((day, slot), stored)).is_some(),
            _ => false,
        }
    }

    fn settle_fine(&mut self, changed: &mut Vec<SlotKey>) {
        let size = self.series;
        let Some(fine) = self.gathering.fine.take() else { return };
        let weekday = self.gathering.slot.map(|(weekday, _)| weekday);
        let coarse = (i64::from(fine.1) * self.fine_ms / self.coarse_ms) as u16;
        let mut levels = self.levels.remove(&fine).unwrap_or_else(|| LevelSlot::new(size));
        let [_, near, far] = fine.0.and_then_others();
        let others = [near, far, fine.0].map(|kind| self.levels.get(&(kind, fine.1)));
        let day_before = weekday.and_then(|weekday| self.weeks.get(&(fine.0.weekday_before(weekday), coarse)));
        let spreads = self.spreads.entry((fine.0, coarse)).or_insert_with(|| SpreadSlot::new(size));
        let spread_learns = SPREAD_LEARNS / (self.coarse_ms / self.fine_ms).max(1) as f64;
        for series in 0..size {
            let steps = std::mem::take(&mut self.gathering.fine_steps[series]);
            let sum = std::mem::take(&mut self.gathering.fine_sums[series]);
            if steps > 0 {
                let day = Day {
                    persons: f64::from(sum) / f64::from(steps),
                    before: day_before.and_then(|day| day.last(series)),
                    others: known(&others, series).map(|level| level.persons),
                };
                levels.absorb(series, spreads.of(series), day, spread_learns);
            }
        }
        self.levels.insert(fine, levels);
        changed.extend([SlotKey::Level(fine.0, fine.1), SlotKey::Spread(fine.0, coarse)]);
    }

    fn settle_week(&mut self, changed: &mut Vec<SlotKey>) {
        let size = self.series;
        let Some(slot) = self.gathering.slot.take() else { return };
        let kind = DayKind::of_weekday(slot.0);
        let first = i64::from(slot.1) * self.coarse_ms / self.fine_ms;
        let fine: Vec<&LevelSlot> = (first..first + self.coarse_ms / self.fine_ms).filter_map(|fine| self.levels.get(&(kind, fine as u16))).collect();
        let spread = self.spreads.get(&(kind, slot.1));
        let week = self.weeks.entry(slot).or_insert_with(|| WeekSlot::new(size));
        for series in 0..size {
            let steps = std::mem::take(&mut self.gathering.steps[series]);
            let sum = std::mem::take(&mut self.gathering.sums[series]);
            let persons = (steps > 0).then(|| f64::from(sum) / f64::from(steps));
            week.note_last(series, persons);
            if let Some(persons) = persons {
                let level = mean_level(fine.iter().copied(), series);
                let spread = spread.and_then(|spread| spread.get(series));
                let within = level.zip(spread).map(|(level, spread)| (level, 1.5 * CLIP * at_least(spread, level)));
                let before = week.level(series);
                let taken = within.map_or(persons, |(level, reach)| {
                    let (least, most) = before.map_or((level, level), |before| (level.min(before), level.max(before)));
                    persons.clamp(least - reach, most + reach)
                });
                week.absorb(series, taken);
            }
        }
        changed.push(SlotKey::Week(slot.0, slot.1));
    }
}

#[cfg(test)]
#[path = "usual_tests.rs"]
mod tests;
