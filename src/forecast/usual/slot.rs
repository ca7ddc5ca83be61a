//! One slot of each memory: how a day moves what is usual there, and how far it may.

use crate::forecast::room::widen;
use crate::forecast::rooted::Rooted;
use serde::{Deserialize, Serialize};

/// Below this share of the new value a level does not learn: about a week and a half of days of one kind.
const LEVEL_LEARNS: f64 = 0.15;
/// The same of the week: about three weeks.
pub(super) const WEEK_LEARNS: f64 = 0.3;
/// A level moves within so many spreads of itself; the week within half as many again beyond it and the level.
pub(super) const CLIP: f64 = 4.0;
/// From so many days on a level is held to that.
const KNOWN_DAYS: u8 = 2;
/// Two days are far apart where the higher exceeds the lower by more than so many spreads, of which each is at least this share of the lower, and so many roots of it.
const FAR: (f64, f64) = (0.25, 1.5);
/// What stands out as the day before did not moves a level by so many spreads at most.
const LONE_CLIP: f64 = 1.0;

/// The levels of one slot of one kind of day, by series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelSlot {
    levels: Vec<Rooted>,
    seen: Vec<u8>,
}

/// The spreads of one coarse slot of one kind of day, by series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpreadSlot {
    spreads: Vec<Rooted>,
}

/// One coarse slot of the week, by series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekSlot {
    levels: Vec<Rooted>,
    seen: Vec<u8>,
    /// What came the last time, persons per step; the mean of what of the slot was counted.
    last: Vec<Rooted>,
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

/// What a day brought in a slot, and what bears on it, persons per step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    pub persons: f64,
    /// What came on the day of its kind before.
    pub before: Option<f64>,
    /// The level of the kind of day that is most like its own.
    pub others: Option<f64>,
}

impl LevelSlot {
    /// Nothing known of so many series.
    pub(super) fn new(series: usize) -> Self {
        Self { levels: vec![Rooted::NOBODY; series], seen: vec![0; series] }
    }

    /// Makes room for so many series. Returns `false` when it is of more, or of no whole rows.
    pub(super) fn widen(&mut self, series: usize) -> bool {
        self.levels.len() == self.seen.len() && widen(&mut self.levels, series, Rooted::NOBODY) && widen(&mut self.seen, series, 0)
    }
}

impl SpreadSlot {
    /// Nothing known of so many series.
    pub(super) fn new(series: usize) -> Self {
        Self { spreads: vec![Rooted::NOTHING; series] }
    }

    /// Makes room for so many series. Returns `false` when it is of more.
    pub(super) fn widen(&mut self, series: usize) -> bool {
        widen(&mut self.spreads, series, Rooted::NOTHING)
    }
}

impl WeekSlot {
    /// Nothing known of so many series.
    pub(super) fn new(series: usize) -> Self {
        Self { levels: vec![Rooted::NOBODY; series], seen: vec![0; series], last: vec![Rooted::NOTHING; series] }
    }

    /// Makes room for so many series. Returns `false` when it is of more, or of no whole rows.
    pub(super) fn widen(&mut self, series: usize) -> bool {
        let is_whole = self.levels.len() == self.seen.len() && self.levels.len() == self.last.len();
        is_whole && widen(&mut self.levels, series, Rooted::NOBODY) && widen(&mut self.seen, series, 0) && widen(&mut self.last, series, Rooted::NOTHING)
    }
}

impl LevelSlot {
    pub(super) fn get(&self, series: usize) -> Option<(f64, u8)> {
        let seen = *self.seen.get(series)?;
        (seen > 0).then(|| (self.levels[series].persons(), seen))
    }

    pub(super) fn absorb(&mut self, series: usize, spread: &mut Rooted, day: Day, spread_learns: f64) {
        let seen = &mut self.seen[series];
        let level = self.levels[series].persons();
        if *seen == 0 {
            self.levels[series] = Rooted::of(day.persons);
            *seen = 1;
            return;
        }
        if *seen <= KNOWN_DAYS && are_far_apart(level, day.persons) {
            // One of them was no ordinary day.
            if day.is_second_in_a_row(level) {
                (self.levels[series], *seen) = (Rooted::of(day.persons), KNOWN_DAYS);
                return;
            }
            if let Some(others) = day.others.filter(|_| *seen == 1) {
                let from_others = |persons: f64| (persons.sqrt() - others.sqrt()).abs();
                let ordinary = if from_others(day.persons) < from_others(level) { day.persons } else { level };
                (self.levels[series], *seen) = (Rooted::of(ordinary), KNOWN_DAYS);
                if spread.known().is_none() {
                    *spread = Rooted::of(far_spread(ordinary));
                }
                return;
            }
        }
        let known_spread = spread.known();
        let held_to = known_spread.filter(|_| *seen >= KNOWN_DAYS).map(|spread| at_least(spread, level));
        let is_lone = held_to.is_some_and(|spread| day.persons > level + CLIP * spread) && day.is_lone_above(level);
        let above = if is_lone { LONE_CLIP } else { CLIP };
        let taken = held_to.map_or(day.persons, |spread| day.persons.clamp(level - CLIP * spread, level + above * spread));
        let weight = (1.0 / (f64::from(*seen) + 1.0)).max(LEVEL_LEARNS);
        self.levels[series] = Rooted::of((level + weight * (taken - level)).max(0.0));
        // Two that stand out in a row may yet be the ordinary ones.
        *seen = seen.saturating_add(u8::from(!is_lone || *seen > KNOWN_DAYS));
        if !is_lone {
            let distance = (day.persons - level).abs();
            let spread_now = known_spread.map_or(distance, |spread| spread + spread_learns * (distance.min(3.0 * spread + 1.0) - spread));
            *spread = Rooted::of(spread_now);
        }
    }
}

impl Day {
    /// Whether the day of its kind before was like it, and `level` is not.
    pub(super) fn is_second_in_a_row(self, level: f64) -> bool {
        self.before.is_some_and(|before| are_far_apart(level, before) && !are_far_apart(before, self.persons))
    }

    /// Whether it is far above `level` and the day of its kind before was not.
    pub(super) fn is_lone_above(self, level: f64) -> bool {
        let is_far_above = |persons: f64| persons > level && are_far_apart(level, persons);
        is_far_above(self.persons) && self.before.is_some_and(|before| !is_far_above(before))
    }
}

/// Whether two days of a slot cannot both be ordinary ones, as far as anybody knows who has seen but them.
pub(super) fn are_far_apart(one: f64, other: f64) -> bool {
    (one - other).abs() > CLIP * far_spread(one.min(other))
}

/// As far as days spread about `level` at most, for who has seen but one of them.
pub(super) fn far_spread(level: f64) -> f64 {
    f64::max(FAR.0 * level, FAR.1 * (level + 1.0).sqrt())
}

/// A spread about `level` that is no narrower than half a Poisson deviation.
pub(super) fn at_least(spread: f64, level: f64) -> f64 {
    spread.max(0.5 * (level + 1.0).sqrt())
}

impl SpreadSlot {
    /// The place of a series' spread.
    pub(super) fn of(&mut self, series: usize) -> &mut Rooted {
        &mut self.spreads[series]
    }

    pub(super) fn get(&self, series: usize) -> Option<f64> {
        self.spreads.get(series).and_then(|spread| spread.known())
    }
}

impl WeekSlot {
    pub(super) fn absorb(&mut self, series: usize, persons: f64) {
        let seen = &mut self.seen[series];
        let level = self.levels[series].persons();
        let weight = (1.0 / (f64::from(*seen) + 1.0)).max(WEEK_LEARNS);
        self.levels[series] = Rooted::of((level + weight * (persons - level)).max(0.0));
        *seen = seen.saturating_add(1);
    }

    /// Weeks that taught it.
    pub(super) fn weeks(&self, series: usize) -> Option<u8> {
        self.seen.get(series).copied()
    }

    pub(super) fn level(&self, series: usize) -> Option<f64> {
        (*self.seen.get(series)? > 0).then(|| self.levels[series].persons())
    }

    /// Notes what came this time.
    pub(super) fn note_last(&mut self, series: usize, persons: Option<f64>) {
        self.last[series] = persons.map_or(Rooted::NOTHING, Rooted::of);
    }

    pub(super) fn last(&self, series: usize) -> Option<f64> {
        self.last.get(series).and_then(|last| last.known())
    }
}
