//! What is usual as it is asked for: the levels that bear on one instant, and the week's word on it.

use super::slot::{LevelSlot, SpreadSlot, WEEK_LEARNS, WeekSlot, at_least};
use crate::forecast::fallback::MEAN_TO_SIGMA;

/// A weekday differs from others of its kind by so many times at most, where nothing else tells.
const SHIFTED: f64 = 5.0;
/// As many weeks are in that mean at most.
const WEEKS: f64 = (2.0 - WEEK_LEARNS) / WEEK_LEARNS;

/// The levels that bear on one instant: of the slot that holds the middle of the step, and of its neighbour, by how much each.
#[derive(Clone, Copy, Debug)]
pub struct LevelView<'a> {
    pub(super) here: [Option<&'a LevelSlot>; 3],
    pub(super) next: [Option<&'a LevelSlot>; 3],
    pub(super) share: f64,
}

/// The week's word on one instant.
#[derive(Clone, Copy, Debug)]
pub struct WeekView<'a> {
    pub(super) week: Option<&'a WeekSlot>,
    pub(super) before: Option<&'a WeekSlot>,
    pub(super) spread: Option<&'a SpreadSlot>,
    pub(super) fine: [Option<&'a LevelSlot>; 4],
}

/// A level, and how it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Persons per step.
    pub persons: f64,
    /// How well it is known.
    pub taught: Taught,
}

/// How many days of its own kind taught a level, or of which other kind it is borrowed. What is known better is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taught(i8);

impl Taught {
    /// No day of any kind.
    pub const BY_NONE: Self = Self(-3);
    /// More days are not told apart.
    const MOST: u8 = 10;

    /// By so many days of its own kind.
    pub fn by(days: u8) -> Self {
        Self(days.min(Self::MOST) as i8)
    }

    /// By another kind of day: the nearest is 1, the next 2.
    const fn elsewhere(place: usize) -> Self {
        Self(-(place as i8))
    }

    /// Days of its own kind, 10 at most; 0 where it is borrowed or not known.
    pub fn days(self) -> u8 {
        self.0.max(0) as u8
    }

    /// As the models are told: the days; −1 or −2 where it is borrowed, −3 where it is not known.
    pub fn figure(self) -> f64 {
        f64::from(self.0)
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
            (Some(here), Some(next)) => {
                Some(Level { persons: here.persons + self.share * (next.persons - here.persons), taught: here.taught.min(next.taught) })
            }
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
        let weeks = f64::from(self.week?.weeks(series)?);
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

pub(super) fn known(kinds: &[Option<&LevelSlot>; 3], series: usize) -> Option<Level> {
    kinds.iter().enumerate().find_map(|(place, slot)| {
        let (persons, seen) = slot.as_ref()?.get(series)?;
        Some(Level { persons, taught: if place == 0 { Taught::by(seen) } else { Taught::elsewhere(place) } })
    })
}

pub(super) fn mean_level<'a>(slots: impl Iterator<Item = &'a LevelSlot>, series: usize) -> Option<f64> {
    let (sum, count) = slots.filter_map(|slot| slot.get(series)).fold((0.0, 0.0), |(sum, count), (level, _)| (sum + level, count + 1.0));
    (count > 0.0).then(|| sum / count)
}
