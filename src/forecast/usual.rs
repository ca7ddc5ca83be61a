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
//! Counts are held as 32·√persons in 16 bits: finer than a twentieth of a Poisson deviation at every size, up to 4 million persons a step. With 5-minute steps that is 6.5 KB a
//! series.

use super::calendar::{DayKind, Place};
use super::fallback::MEAN_TO_SIGMA;
use super::room::widen;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The shortest slot of a level, ms.
const FINEST_MS: i64 = 300_000;
/// The shortest slot of a spread and of the week, ms.
const COARSEST_MS: i64 = 900_000;
const DAY_MS: i64 = 86_400_000;
/// Below this share of the new value a level does not learn: about a week and a half of days of one kind.
const LEVEL_LEARNS: f64 = 0.15;
/// The same of the week: about three weeks.
const WEEK_LEARNS: f64 = 0.3;
/// The same of the spread.
const SPREAD_LEARNS: f64 = 0.2;
/// A level moves within so many spreads of itself; the week within half as many again beyond it and the level.
const CLIP: f64 = 4.0;
/// From so many days on a level is held to that.
const KNOWN_DAYS: u8 = 2;
/// Two days are far apart where the higher exceeds the lower by more than so many spreads, of which each is at least this share of the lower, and so many roots of it.
const FAR: (f64, f64) = (0.25, 1.5);
/// What stands out as the day before did not moves a level by so many spreads at most.
const LONE_CLIP: f64 = 1.0;
/// A weekday differs from others of its kind by so many times at most, where nothing else tells.
const SHIFTED: f64 = 5.0;
/// As many weeks are in that mean at most.
const WEEKS: f64 = (2.0 - WEEK_LEARNS) / WEEK_LEARNS;
/// Steps per √person.
const GRAIN: f64 = 32.0;
/// No spread yet.
const NO_SPREAD: u16 = u16::MAX;

/// The levels of one slot of one kind of day, by series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelSlot {
    levels: Vec<u16>,
    seen: Vec<u8>,
}

/// The spreads of one coarse slot of one kind of day, by series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpreadSlot {
    spreads: Vec<u16>,
}

/// One coarse slot of the week, by series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekSlot {
    levels: Vec<u16>,
    seen: Vec<u8>,
    /// What came the last time, persons per step; the mean of what of the slot was counted.
    last: Vec<u16>,
}

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

/// A slot as the state stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoredSlot {
    /// Of the levels.
    Level(LevelSlot),
    /// Of the spreads.
    Spread(SpreadSlot),
    /// Of the week.
    Week(WeekSlot),
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

/// The levels that bear on one instant: of the slot that holds the middle of the step, and of its neighbour, by how much each.
#[derive(Clone, Copy, Debug)]
pub struct LevelView<'a> {
    here: [Option<&'a LevelSlot>; 3],
    next: [Option<&'a LevelSlot>; 3],
    share: f64,
}

/// The week's word on one instant.
#[derive(Clone, Copy, Debug)]
pub struct WeekView<'a> {
    week: Option<&'a WeekSlot>,
    before: Option<&'a WeekSlot>,
    spread: Option<&'a SpreadSlot>,
    fine: [Option<&'a LevelSlot>; 4],
}

/// What a day brought in a slot, and what bears on it, persons per step.
#[derive(Clone, Copy, Debug)]
struct Day {
    persons: f64,
    /// What came on the day of its kind before.
    before: Option<f64>,
    /// The level of the kind of day that is most like its own.
    others: Option<f64>,
}

/// A level, and how it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Persons per step.
    pub persons: f64,
    /// Days that taught it, 10 at most; −1 or −2 where it is borrowed of another kind of day.
    pub days: i8,
}

impl Usual {
    /// Nothing known yet of so many series.
    pub fn new(series: usize, step_ms: i64) -> Self {
        let fine_ms = step_ms.clamp(FINEST_MS, DAY_MS);
        let coarse_ms = (fine_ms * ((COARSEST_MS + fine_ms - 1) / fine_ms)).min(DAY_MS);
        let (levels, spreads, weeks) = Default::default();
        Self { series, fine_ms, coarse_ms, step_ms, levels, spreads, weeks, gathering: Gathering::default() }
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
        for sums in [&mut gathering.sums, &mut gathering.fine_sums] {
            sums.resize(size, 0.0);
        }
        for steps in [&mut gathering.steps, &mut gathering.fine_steps] {
            steps.resize(size, 0);
        }
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
    pub fn restore_gathering(&mut self, stored: Gathering) -> bool {
        // `learn` makes room before it gathers.
        let fits = [stored.sums.len(), stored.fine_sums.len(), stored.steps.len(), stored.fine_steps.len()].iter().all(|len| *len <= self.series);
        self.gathering = stored;
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
            (SlotKey::Level(kind, slot), StoredSlot::Level(mut stored)) => {
                let fits = widen(&mut stored.levels, size, 0) && widen(&mut stored.seen, size, 0);
                fits.then(|| self.levels.insert((kind, slot), stored)).is_some()
            }
            (SlotKey::Spread(kind, slot), StoredSlot::Spread(mut stored)) => {
                widen(&mut stored.spreads, size, NO_SPREAD).then(|| self.spreads.insert((kind, slot), stored)).is_some()
            }
            (SlotKey::Week(day, slot), StoredSlot::Week(mut stored)) => {
                let fits = widen(&mut stored.levels, size, 0) && widen(&mut stored.seen, size, 0) && widen(&mut stored.last, size, 0);
                fits.then(|| self.weeks.insert((day, slot), stored)).is_some()
            }
            _ => false,
        }
    }

    fn settle_fine(&mut self, changed: &mut Vec<SlotKey>) {
        let size = self.series;
        let Some(fine) = self.gathering.fine.take() else { return };
        let weekday = self.gathering.slot.map(|(weekday, _)| weekday);
        let coarse = (i64::from(fine.1) * self.fine_ms / self.coarse_ms) as u16;
        let mut levels = self.levels.remove(&fine).unwrap_or_else(|| LevelSlot { levels: vec![0; size], seen: vec![0; size] });
        let [_, near, far] = fine.0.and_then_others();
        let others = [near, far, fine.0].map(|kind| self.levels.get(&(kind, fine.1)));
        let day_before = weekday.and_then(|weekday| self.weeks.get(&(fine.0.weekday_before(weekday), coarse)));
        let spreads = self.spreads.entry((fine.0, coarse)).or_insert_with(|| SpreadSlot { spreads: vec![NO_SPREAD; size] });
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
                levels.absorb(series, &mut spreads.spreads[series], day, spread_learns);
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
        let week = self.weeks.entry(slot).or_insert_with(|| WeekSlot { levels: vec![0; size], seen: vec![0; size], last: vec![NO_SPREAD; size] });
        for series in 0..size {
            let steps = std::mem::take(&mut self.gathering.steps[series]);
            let sum = std::mem::take(&mut self.gathering.sums[series]);
            let persons = (steps > 0).then(|| f64::from(sum) / f64::from(steps));
            week.last[series] = persons.map_or(NO_SPREAD, held);
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

impl LevelSlot {
    fn get(&self, series: usize) -> Option<(f64, u8)> {
        let seen = *self.seen.get(series)?;
        (seen > 0).then(|| (persons(self.levels[series]), seen))
    }

    fn absorb(&mut self, series: usize, spread: &mut u16, day: Day, spread_learns: f64) {
        let seen = &mut self.seen[series];
        let level = self::persons(self.levels[series]);
        if *seen == 0 {
            self.levels[series] = held(day.persons);
            *seen = 1;
            return;
        }
        if *seen <= KNOWN_DAYS && are_far_apart(level, day.persons) {
            // One of them was no ordinary day.
            if day.is_second_in_a_row(level) {
                (self.levels[series], *seen) = (held(day.persons), KNOWN_DAYS);
                return;
            }
            if let Some(others) = day.others.filter(|_| *seen == 1) {
                let from_others = |persons: f64| (persons.sqrt() - others.sqrt()).abs();
                let ordinary = if from_others(day.persons) < from_others(level) { day.persons } else { level };
                (self.levels[series], *seen) = (held(ordinary), KNOWN_DAYS);
                if *spread == NO_SPREAD {
                    *spread = held(far_spread(ordinary));
                }
                return;
            }
        }
        let known_spread = (*spread != NO_SPREAD).then(|| self::persons(*spread));
        let held_to = known_spread.filter(|_| *seen >= KNOWN_DAYS).map(|spread| at_least(spread, level));
        let is_lone = held_to.is_some_and(|spread| day.persons > level + CLIP * spread) && day.is_lone_above(level);
        let above = if is_lone { LONE_CLIP } else { CLIP };
        let taken = held_to.map_or(day.persons, |spread| day.persons.clamp(level - CLIP * spread, level + above * spread));
        let weight = (1.0 / (f64::from(*seen) + 1.0)).max(LEVEL_LEARNS);
        self.levels[series] = held((level + weight * (taken - level)).max(0.0));
        // Two that stand out in a row may yet be the ordinary ones.
        *seen = seen.saturating_add(u8::from(!is_lone || *seen > KNOWN_DAYS));
        if !is_lone {
            let distance = (day.persons - level).abs();
            let spread_now = known_spread.map_or(distance, |spread| spread + spread_learns * (distance.min(3.0 * spread + 1.0) - spread));
            *spread = held(spread_now).min(NO_SPREAD - 1);
        }
    }
}

impl Day {
    /// Whether the day of its kind before was like it, and `level` is not.
    fn is_second_in_a_row(self, level: f64) -> bool {
        self.before.is_some_and(|before| are_far_apart(level, before) && !are_far_apart(before, self.persons))
    }

    /// Whether it is far above `level` and the day of its kind before was not.
    fn is_lone_above(self, level: f64) -> bool {
        let is_far_above = |persons: f64| persons > level && are_far_apart(level, persons);
        is_far_above(self.persons) && self.before.is_some_and(|before| !is_far_above(before))
    }
}

/// Whether two days of a slot cannot both be ordinary ones, as far as anybody knows who has seen but them.
fn are_far_apart(one: f64, other: f64) -> bool {
    (one - other).abs() > CLIP * far_spread(one.min(other))
}

/// As far as days spread about `level` at most, for who has seen but one of them.
fn far_spread(level: f64) -> f64 {
    f64::max(FAR.0 * level, FAR.1 * (level + 1.0).sqrt())
}

/// A spread about `level` that is no narrower than half a Poisson deviation.
fn at_least(spread: f64, level: f64) -> f64 {
    spread.max(0.5 * (level + 1.0).sqrt())
}

impl SpreadSlot {
    fn get(&self, series: usize) -> Option<f64> {
        self.spreads.get(series).filter(|spread| **spread != NO_SPREAD).map(|spread| persons(*spread))
    }
}

impl WeekSlot {
    fn absorb(&mut self, series: usize, persons: f64) {
        let seen = &mut self.seen[series];
        let level = self::persons(self.levels[series]);
        let weight = (1.0 / (f64::from(*seen) + 1.0)).max(WEEK_LEARNS);
        self.levels[series] = held((level + weight * (persons - level)).max(0.0));
        *seen = seen.saturating_add(1);
    }

    fn level(&self, series: usize) -> Option<f64> {
        (*self.seen.get(series)? > 0).then(|| persons(self.levels[series]))
    }

    fn last(&self, series: usize) -> Option<f64> {
        self.last.get(series).filter(|last| **last != NO_SPREAD).map(|last| persons(*last))
    }
}

impl LevelView<'_> {
    /// The level of `series`; of another kind of day where its own is not known, `None` where none is.
    pub fn of(&self, series: usize) -> Option<Level> {
        let here = known(&self.here, series);
        if self.share == 0.0 {
            return here;
        }
        let next = known(&self.next, series);
        match (here, next) {
            (Some(here), Some(next)) => Some(Level { persons: here.persons + self.share * (next.persons - here.persons), days: here.days.min(next.days) }),
            (one, other) => one.or(other),
        }
    }
}

impl WeekView<'_> {
    /// `level` shifted as this weekday differs from others of its kind, by five times at most; as it is while that is not known.
    pub fn shifted(&self, series: usize, level: f64) -> f64 {
        self.shifted_within(series, level, SHIFTED)
    }

    /// The same by so many times at most.
    pub fn shifted_within(&self, series: usize, level: f64, times: f64) -> f64 {
        let week = self.week.and_then(|week| week.level(series));
        week.zip(self.of_kind(series)).map_or(level, |(week, of_kind)| (level + 1.0) * ((week + 1.0) / (of_kind + 1.0)).clamp(1.0 / times, times) - 1.0)
    }

    /// The mean level of the steps of this slot on days of its kind, persons per step.
    pub fn of_kind(&self, series: usize) -> Option<f64> {
        mean_level(self.fine.iter().flatten().copied(), series)
    }

    /// How far the week's slow mean may be off by chance, one deviation, persons per step; `None` where a single week taught it, or no spread is known.
    pub fn doubt(&self, series: usize, level: f64) -> Option<f64> {
        let weeks = f64::from(*self.week?.seen.get(series)?);
        let spread = at_least(self.spread(series)?, level);
        (weeks > 1.0).then(|| MEAN_TO_SIGMA * spread / weeks.min(WEEKS).sqrt())
    }

    /// What came at this time of the day before, persons per step.
    pub fn day_before(&self, series: usize) -> Option<f64> {
        self.before.and_then(|week| week.last(series))
    }

    /// What came at this time of the week before, persons per step.
    pub fn week_before(&self, series: usize) -> Option<f64> {
        self.week.and_then(|week| week.last(series))
    }

    /// The mean distance from the level, persons per step.
    pub fn spread(&self, series: usize) -> Option<f64> {
        self.spread.and_then(|spread| spread.get(series))
    }
}

fn known(kinds: &[Option<&LevelSlot>; 3], series: usize) -> Option<Level> {
    kinds.iter().enumerate().find_map(|(place, slot)| {
        let (persons, seen) = slot.as_ref()?.get(series)?;
        Some(Level { persons, days: if place == 0 { seen.min(10) as i8 } else { -(place as i8) } })
    })
}

fn mean_level<'a>(slots: impl Iterator<Item = &'a LevelSlot>, series: usize) -> Option<f64> {
    let (sum, count) = slots.filter_map(|slot| slot.get(series)).fold((0.0, 0.0), |(sum, count), (level, _)| (sum + level, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

pub(super) fn held(persons: f64) -> u16 {
    (GRAIN * persons.max(0.0).sqrt()).round().min(f64::from(NO_SPREAD - 1)) as u16
}

pub(super) fn persons(held: u16) -> f64 {
    let root = f64::from(held) / GRAIN;
    root * root
}

#[cfg(test)]
#[path = "usual_tests.rs"]
mod tests;
