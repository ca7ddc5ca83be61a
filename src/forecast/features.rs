//! What the anomaly model sees: the feature set `midan-features-1` (docs/FEATURES.md), one row of 26 numbers per series.
//!
//! The idea: a row is a function of the steps that ended at or before T and of nothing else, computed in f64 and narrowed once, so that training and service see the same
//! numbers. Counts enter as ln((v+1)/(b+1)) against the series' own recent level b, which makes a turnstile and a station hall alike; [`Basis`] keeps
//! b and what else is needed to read the answer back as persons.

use super::calendar::{Calendar, DayType, Slot};
use super::history::{History, LAGS};
use super::profile::{ProfileSlot, SeasonalProfile};
use crate::inference::ask::FEATURES;
use crate::time::{EventTime, Span};

/// How many steps ahead the profile is looked at.
const AHEAD: usize = 6;
/// Rows of a tensor come in multiples of this.
pub const ROW_BLOCK: usize = 16;
/// Logarithms of ratios are held within this.
const CLAMP: f64 = 4.0;
/// The level is the mean of so many newest lags.
const LEVEL_LAGS: usize = 3;
/// So often must a slot have been seen to be trusted fully.
const TRUSTED: u8 = 4;

/// What a row was computed from, per series: all that turning the answer into persons takes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Basis {
    /// The recent level, persons per step.
    pub level: f64,
    /// The mean of all present lags, persons per step; `None` when none is.
    pub mean: Option<f64>,
    /// Persons in the last step.
    pub last: Option<f64>,
    /// What was usual for the last step, persons.
    pub usual: Option<f64>,
    /// What is usual for the six steps ahead, persons.
    pub ahead: [Option<f64>; AHEAD],
}

/// Rows of the tensor for so many series, padding included.
pub const fn rows_for(series: usize) -> usize {
    let rows = series.next_multiple_of(ROW_BLOCK);
    if rows == 0 { ROW_BLOCK } else { rows }
}

/// Everything that the features of one moment are read from.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The lags.
    pub history: &'a History,
    /// The profile, before it learns the last step.
    pub profile: &'a SeasonalProfile,
    /// The clock on the wall.
    pub calendar: &'a Calendar,
    /// The length of a step.
    pub step: Span,
}

/// The slots and the columns that all series share at one moment.
struct Moment<'a> {
    before: Option<&'a ProfileSlot>,
    ahead: [Option<&'a ProfileSlot>; AHEAD],
    shared: [f64; 4],
}

impl View<'_> {
    /// Fills `rows` (at least `FEATURES` numbers per series, the rest stays as it is) and `basis` with the moment `at`, the end of the newest pane.
    pub fn fill(&self, at: EventTime, rows: &mut [f32], basis: &mut [Basis]) {
        let moment = self.moment(at);
        for (series, (row, basis)) in rows.chunks_exact_mut(FEATURES).zip(basis).enumerate() {
            let mut lags = [None; LAGS];
            for (lag, count) in lags.iter_mut().enumerate() {
                *count = self.history.lag(lag, series).map(|persons| persons as f64);
            }
            *basis = moment.basis(&lags, series);
            moment.write(&lags, basis, series, row);
        }
    }

    fn moment(&self, at: EventTime) -> Moment<'_> {
        let slot = |slot: Slot| self.profile.slot(slot);
        let mut ahead = [None; AHEAD];
        for (steps, place) in ahead.iter_mut().enumerate() {
            *place = slot(self.calendar.slot(at.after(self.step.times(steps as u64))));
        }
        let local = self.calendar.local(at);
        let angle = 2.0 * std::f64::consts::PI * local.seconds_of_day() as f64 / 86_400.0;
        let weekend = if local.day_type() == DayType::Weekend { 1.0 } else { 0.0 };
        Moment {
            before: slot(self.calendar.slot(at.before(self.step))),
            ahead,
            shared: [libm::sin(angle), libm::cos(angle), weekend, libm::log(self.step.as_secs_f64() / 300.0)],
        }
    }
}

impl Moment<'_> {
    fn basis(&self, lags: &[Option<f64>; LAGS], series: usize) -> Basis {
        let mean = mean(lags);
        let known = |slot: &Option<&ProfileSlot>| slot.and_then(|slot| slot.get(series)).map(|(mean, _)| mean);
        Basis {
            level: self::mean(&lags[..LEVEL_LAGS]).or(mean).unwrap_or(0.0),
            mean,
            last: lags[0],
            usual: known(&self.before),
            ahead: self.ahead.map(|slot| known(&slot)),
        }
    }

    fn write(&self, lags: &[Option<f64>; LAGS], basis: &Basis, series: usize, row: &mut [f32]) {
        let level = basis.level;
        let against_level = |persons: Option<f64>| persons.map_or(0.0, |persons| log_ratio(persons, level));
        for (place, persons) in row.iter_mut().zip(lags) {
            *place = against_level(*persons) as f32;
        }
        row[12] = libm::log(level + 1.0) as f32;
        for (place, persons) in row[13..19].iter_mut().zip(basis.ahead) {
            *place = against_level(persons) as f32;
        }
        row[19] = basis.last.zip(basis.usual).map_or(0.0, |(last, usual)| log_ratio(last, usual)) as f32;
        let seen = self.ahead[0].and_then(|slot| slot.get(series)).map_or(0, |(_, seen)| seen);
        row[20] = f32::from(seen.min(TRUSTED)) / f32::from(TRUSTED);
        row[21] = (lags.iter().flatten().count() as f64 / LAGS as f64) as f32;
        for (place, value) in row[22..].iter_mut().zip(self.shared) {
            *place = value as f32;
        }
    }
}

/// ln((value+1)/(base+1)), held within ±4 so that one absurd count cannot drown the rest.
fn log_ratio(value: f64, base: f64) -> f64 {
    libm::log((value + 1.0) / (base + 1.0)).clamp(-CLAMP, CLAMP)
}

/// The mean of the present ones.
fn mean(lags: &[Option<f64>]) -> Option<f64> {
    let present = lags.iter().flatten().count();
    (present > 0).then(|| lags.iter().flatten().sum::<f64>() / present as f64)
}

#[cfg(test)]
#[path = "features_tests.rs"]
mod tests;
