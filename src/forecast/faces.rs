//! Slots with two faces: what comes on calm days, what comes on days of a surge, and which days those were.
//!
//! The idea: where a match comes each second Saturday, the mean of all Saturdays is right on none of them. What is usual (`usual`) therefore keeps to the calm ones, and this
//! memory holds both: per kind of day and slot of a quarter of an hour a calm level, a high one, and one bit for each of the last 32 days of that kind, newest first:
//!
//! ```text
//!   Saturdays, 13:45     calm 48   high 260   days 0101 0001 0101…   (a match two weeks ago, four, …)
//! ```
//!
//! A day is of the high face where it is nearer to that, or far above the calm one; a face takes it in with weight max(1/(n+1), 0.15), the rarer high one 0.25. A first day that was a surge is known as one
//! when a far lower one comes. Two faces are known from the second day of each on: a single surge changes nothing. Which of them today has is told by `likeness`.
//!
//! To the watch what is usual of such a slot is the calm face: the level of all days lies between the two, and a game would hardly stand out of it, and an evening without one would.
//!
//! A day lasts from four in the morning until four, so that who leaves after midnight is of the evening. 0.9 KB a series, and a few bytes for each slot in which it has a high face.

use super::calendar::{Calendar, DAWN_MS, DayKind, LocalTime};
use super::room::widen;
use super::rooted::Rooted;

use crate::time::{DAY_MS, EventTime, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many days of a kind are remembered one by one.
pub const DAYS: usize = 32;
/// The shortest slot, ms.
const SHORTEST_MS: i64 = 900_000;
/// Below these shares of the new value the faces do not learn.
const CALM_LEARNS: f64 = 0.15;
const HIGH_LEARNS: f64 = 0.25;
/// Two faces are apart from this ratio on, and from this distance of their roots: four deviations and more of a Poisson count.
const APART: (f64, f64) = (2.0, 2.5);
/// Days of each face from which on both are known.
const KNOWN: u32 = 2;
/// Surges come and go where so many days are known, so many had one before the present run of them, and that run is no longer than the longest and so many days.
const OF_DAYS: u8 = 8;
const CAME: u32 = 3;
const LONGER: u32 = 2;
/// What so large a share of the days has is the usual.
const USUAL: f64 = 0.7;
/// And so is what so large a share of a weekday's days has, where that is by so many deviations more than other days.
const USUAL_OF_WEEKDAY: f64 = 0.75;
const UNLIKE_OTHERS: f64 = 2.3;
/// So large a share of a day's persons comes in hours of surges at most: rain and sun are none.
const OF_A_DAY: f64 = 0.2;

/// Which slot of which day a step is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    /// The kind of the day.
    pub kind: DayKind,
    /// The days of its kind are numbered without a gap.
    pub day: i32,
    /// The slot of the day.
    pub slot: u16,
}

/// The faces of one slot of one kind of day, by series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaceSlot {
    /// The newest day learnt.
    day: i32,
    calm: Vec<Rooted>,
    /// By series, how many of the last days are known.
    known: Vec<u8>,
    /// Of the series that have one, in their order.
    high: Vec<High>,
}

/// The high face of one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct High {
    series: u32,
    persons: Rooted,
    /// Whether the newest day was high (the lowest bit), the one before it, …
    days: u32,
}

/// The two faces of a slot of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faces {
    /// Persons per step on calm days.
    pub calm: f64,
    /// Persons per step on the others.
    pub high: f64,
    /// The newest day learnt.
    day: i32,
    highs: u32,
    known: u8,
}

/// What is being gathered for the slot that is not over yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gathering {
    of: Option<When>,
    sums: Vec<f32>,
    steps: Vec<u16>,
}

/// The faces of all series of a venue.
#[derive(Clone, Debug)]
pub struct FaceBook {
    series: usize,
    step_ms: i64,
    slot_ms: i64,
    slots: BTreeMap<(DayKind, u16), FaceSlot>,
    gathering: Gathering,
}

impl FaceBook {
    /// Nothing known yet of so many series.
    pub fn new(series: usize, step: Span) -> Self {
        let step_ms = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).clamp(1, DAY_MS);
        let slot_ms = (step_ms * ((SHORTEST_MS + step_ms - 1) / step_ms)).min(DAY_MS);
        Self { series, step_ms, slot_ms, slots: BTreeMap::new(), gathering: Gathering::default() }
    }

    /// How much of a slot a step is.
    pub fn share(&self) -> f64 {
        self.step_ms as f64 / self.slot_ms as f64
    }

    /// The local time of a step that starts at `start` as days are counted here: by its middle, for a step of a whole day is of the day that it covers.
    fn local(&self, calendar: &Calendar, start: EventTime) -> LocalTime {
        calendar.local(start.after(Span::from_millis(self.step_ms as u64 / 2))).earlier(DAWN_MS)
    }

    /// Whether that step is of a holiday, which is like none of the days that were numbered: it teaches nothing here, and nothing is known of it.
    pub fn is_of_holiday(&self, calendar: &Calendar, start: EventTime) -> bool {
        calendar.is_holiday(self.local(calendar, start))
    }

    /// Which slot the step that starts at `start` is of.
    pub fn when(&self, calendar: &Calendar, start: EventTime) -> When {
        let local = self.local(calendar, start);
        let weekday = local.weekday();
        let kind = DayKind::of_weekday(weekday);
        // Day 0 of the epoch was a Thursday.
        let week = (local.day() + 3).div_euclid(7);
        let day = week * kind.days_a_week() + if kind == DayKind::Working { i64::from(weekday) } else { 0 };
        When { kind, day: day as i32, slot: (local.millis_of_day() / self.slot_ms) as u16 }
    }

    /// The faces of that slot, of all series.
    pub fn slot(&self, when: When) -> Option<&FaceSlot> {
        self.slots.get(&(when.kind, when.slot))
    }

    /// What of `level` comes in that slot without a surge, persons per step, where surges come and go and `of_slot` is the mean level of the slot's steps; `level` itself where they do not.
    pub fn without_surges(&self, when: When, series: usize, level: f64, of_slot: f64) -> f64 {
        let ordinary = || {
            let faces = self.slot(when)?.of(series)?;
            let come_and_go = faces.come_and_go(when.day, when.kind.days_a_week() as usize);
            (come_and_go && self.share_in_surges(when.kind, series) <= OF_A_DAY).then_some(faces.calm)
        };
        ordinary().map_or(level, |calm| level * (calm / of_slot.max(1e-9)).min(1.0))
    }

    /// The share of a calm day's persons that come in slots with two faces.
    fn share_in_surges(&self, kind: DayKind, series: usize) -> f64 {
        let mut of_day = (0.0, 0.0);
        for (_, slot) in self.slots.range((kind, 0)..=(kind, u16::MAX)) {
            let calm = slot.calm.get(series).map_or(0.0, |calm| calm.persons());
            of_day = (of_day.0 + if slot.of(series).is_some() { calm } else { 0.0 }, of_day.1 + calm);
        }
        of_day.0 / of_day.1.max(1e-9)
    }

    /// Learns one complete step: `came(series)` is its count, `None` where it is not known. Returns the slots that changed.
    pub fn learn(&mut self, when: When, ends_slot: bool, came: impl Fn(usize) -> Option<f64>) -> Vec<(DayKind, u16)> {
        let mut changed = Vec::new();
        if self.gathering.of.is_some_and(|gathered| gathered != when) {
            changed.extend(self.settle());
        }
        let gathering = &mut self.gathering;
        gathering.of = Some(when);
        gathering.sums.resize(self.series, 0.0);
        gathering.steps.resize(self.series, 0);
        for series in 0..self.series {
            if let Some(persons) = came(series) {
                gathering.sums[series] += persons as f32;
                gathering.steps[series] += 1;
            }
        }
        if ends_slot {
            changed.extend(self.settle());
        }
        changed
    }

    fn settle(&mut self) -> Option<(DayKind, u16)> {
        let of = self.gathering.of.take()?;
        let size = self.series;
        let slot = self.slots.entry((of.kind, of.slot)).or_insert_with(|| FaceSlot::new(size, of.day));
        slot.turn_to(of.day);
        for series in 0..size {
            let steps = std::mem::take(&mut self.gathering.steps[series]);
            let sum = std::mem::take(&mut self.gathering.sums[series]);
            if steps > 0 {
                slot.absorb(series, f64::from(sum) / f64::from(steps));
            }
        }
        Some((of.kind, of.slot))
    }

    /// What is gathered of the slot that is not over yet.
    pub const fn gathering(&self) -> &Gathering {
        &self.gathering
    }

    /// Puts it back. Returns `false` when it is of more series.
    pub fn restore_gathering(&mut self, stored: Gathering) -> bool {
        self.gathering = stored;
        widen(&mut self.gathering.sums, self.series, 0.0) && widen(&mut self.gathering.steps, self.series, 0)
    }

    /// What the state stores of a slot.
    pub fn stored(&self, kind: DayKind, slot: u16) -> Option<&FaceSlot> {
        self.slots.get(&(kind, slot))
    }

    /// The names of all slots that are stored.
    pub fn names(&self) -> impl Iterator<Item = (DayKind, u16)> + '_ {
        self.slots.keys().copied()
    }

    /// Puts a stored slot back. Returns `false` when it is of more series.
    pub fn restore(&mut self, kind: DayKind, slot: u16, mut stored: FaceSlot) -> bool {
        let size = self.series;
        let fits = widen(&mut stored.calm, size, Rooted::NOBODY) && widen(&mut stored.known, size, 0);
        fits.then(|| self.slots.insert((kind, slot), stored)).is_some()
    }
}

impl FaceSlot {
    /// Whether its figures can be: no more days are known than are remembered, and high faces are in order.
    pub fn is_sound(&self) -> bool {
        let is_in_order = self.high.is_sorted_by(|one, next| one.series < next.series);
        let are_known = self.high.last().is_none_or(|last| (last.series as usize) < self.calm.len());
        is_in_order && are_known && self.known.iter().all(|known| usize::from(*known) <= DAYS) && self.calm.len() == self.known.len()
    }

    fn new(series: usize, day: i32) -> Self {
        Self { day, calm: vec![Rooted::NOBODY; series], known: vec![0; series], high: Vec::new() }
    }

    /// How many series have a high face.
    #[cfg(test)]
    pub(crate) fn high_faces(&self) -> usize {
        self.high.len()
    }

    /// Where the high face of `series` stands, or would stand.
    fn place(&self, series: usize) -> Result<usize, usize> {
        self.high.binary_search_by_key(&series, |high| high.series as usize)
    }

    /// The faces of `series`; `None` while two are not known.
    pub fn of(&self, series: usize) -> Option<Faces> {
        let High { persons: high, days, .. } = *self.high.get(self.place(series).ok()?)?;
        let (calm, high, known) = (self.calm.get(series)?.persons(), high.persons(), *self.known.get(series)?);
        let ones = days.count_ones();
        let are_two = ones >= KNOWN && u32::from(known) >= ones + KNOWN;
        (are_two && are_apart(calm, high)).then_some(Faces { calm, high, day: self.day, highs: days, known })
    }

    /// The days until `day` pass.
    fn turn_to(&mut self, day: i32) {
        let passed = u32::try_from(day.saturating_sub(self.day)).unwrap_or(0);
        self.day = self.day.max(day);
        for high in &mut self.high {
            high.days = high.days.checked_shl(passed).unwrap_or(0);
        }
        for known in self.known.iter_mut().filter(|known| **known > 0) {
            *known = u32::from(*known).saturating_add(passed).min(DAYS as u32) as u8;
        }
    }

    fn absorb(&mut self, series: usize, came: f64) {
        let place = self.place(series);
        let (calm, known) = (&mut self.calm[series], &mut self.known[series]);
        let level = calm.persons();
        if *known == 0 {
            (*calm, *known) = (Rooted::of(came), 1);
            return;
        }
        let is_far = are_apart(level, came);
        let mut ones = 0;
        match place {
            Err(place) if is_far => {
                let high = if came > level {
                    High { series: series as u32, persons: Rooted::of(came), days: 1 }
                } else {
                    // All days so far were the high ones.
                    let high = std::mem::replace(calm, Rooted::of(came));
                    High { series: series as u32, persons: high, days: u32::MAX.checked_shr(DAYS as u32 - u32::from(*known)).unwrap_or(0) & !1 }
                };
                self.high.insert(place, high);
                return;
            }
            Err(_) => {}
            Ok(place) => {
                let high = &mut self.high[place];
                let above = high.persons.persons();
                ones = high.days.count_ones();
                let middle = 0.5 * (level.sqrt() + above.sqrt());
                if came.sqrt() > middle || (is_far && came > level) {
                    let weight = (1.0 / (f64::from(ones) + 1.0)).max(HIGH_LEARNS);
                    high.persons = Rooted::of(above + weight * (came - above));
                    high.days |= 1;
                    return;
                }
                if ones == 0 {
                    self.high.remove(place);
                }
            }
        }
        let weight = (1.0 / (f64::from(u32::from(*known).saturating_sub(ones)) + 1.0)).max(CALM_LEARNS);
        *calm = Rooted::of((level + weight * (came - level)).max(0.0));
    }
}

impl Faces {
    /// Whether it was of the high face so many days of its kind before `day`; `None` where that is not known.
    pub fn was_high(&self, day: i32, before: usize) -> Option<bool> {
        let back = i64::from(self.day) - i64::from(day) + before as i64;
        (0..i64::from(self.known)).contains(&back).then(|| self.highs >> back & 1 == 1)
    }

    /// The share of days with the high face.
    pub fn frequency(&self) -> f64 {
        f64::from(self.highs.count_ones()) / f64::from(self.known)
    }

    /// Whether the high face is no usual one on `day`: what comes every Friday is Friday's, and what goes on for longer than it ever did is here to stay. A week has `week` days of the kind.
    fn come_and_go(&self, day: i32, week: usize) -> bool {
        let lasts = self.highs.trailing_ones();
        let before = self.highs.checked_shr(lasts).unwrap_or(0);
        let comes_and_goes = self.known >= OF_DAYS && before.count_ones() >= CAME && lasts <= longest_run(before) + LONGER;
        comes_and_goes && self.frequency() < USUAL && !self.is_of_weekday(day, week)
    }

    /// Whether the weekday of `day` mostly has the high face, and more often than by chance if it were like the others.
    fn is_of_weekday(&self, day: i32, week: usize) -> bool {
        let count = |of_weekday: bool| {
            let backs = (1..=DAYS).filter(|back| (back % week == 0) == of_weekday).filter_map(|back| self.was_high(day, back));
            backs.fold((0.0, 0.0), |(high, all), was_high| (high + f64::from(u8::from(was_high)), all + 1.0))
        };
        let ((high, all), (others_high, others)) = (count(true), count(false));
        // A day that was half high is added: no few days show that a share is 0 or 1.
        let share = (others_high + 0.5) / (others + 1.0);
        others > 0.0 && high >= USUAL_OF_WEEKDAY * all && high - all * share > UNLIKE_OTHERS * (all * share * (1.0 - share)).sqrt()
    }

    /// How far what came is of the high face, 0 to 1.
    pub fn resembles_high(&self, came: f64) -> f64 {
        let (calm, high) = (self.calm.sqrt(), self.high.sqrt());
        (2.0 * (came.sqrt() - calm) / (high - calm).max(1e-6) - 0.5).clamp(0.0, 1.0)
    }
}

/// How many ones stand in a row at most.
fn longest_run(mut bits: u32) -> u32 {
    let mut longest = 0;
    while bits != 0 {
        (bits, longest) = (bits & bits << 1, longest + 1);
    }
    longest
}

/// Whether two days of a slot cannot both be of one face.
fn are_apart(one: f64, other: f64) -> bool {
    let (low, high) = (one.min(other), one.max(other));
    high >= APART.0 * low && (high + 1.0).sqrt() - (low + 1.0).sqrt() >= APART.1
}

#[cfg(test)]
#[path = "faces_tests.rs"]
mod tests;
