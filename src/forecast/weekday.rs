//! How this weekday differs from the others of its kind at one place, and what that lets expect.
//!
//! The idea: what is usual is learnt by kinds of days, for five working days teach it in a week what one weekday would in five. But one street has its Wednesday nights, and the other twenty of its
//! table have not. So where the slow mean of this weekday (`usual`, the week) differs from what is usual, and the week before did so too, it speaks as a voice of its own,
//!
//! ```text
//!   what is said   weekday's mean, shifted by how the last hour ran against the weekday's means of it: as the plain forecast is (`signs`)
//! ```
//!
//! and is believed where it has been right: by place and quarter of the day (`habits`). What is usual stays as it is: a match that comes each Wednesday makes no ordinary Wednesday.

use super::history::LAGS;
use super::likeness::{CAUTION, at_pace, hour_kept};
use super::recent::Recent;
use super::signs::Looking;
use super::usual::WeekView;
use crate::inference::ask::{HORIZONS, STEPS};
use crate::time::EventTime;

/// It speaks where its mean is off the usual by so many deviations of that mean, and by this as a logarithm.
const DIFFERS: (f64, f64) = (1.0, 0.1);
/// And only where the week before lay so far on its side of the usual, as a share of the way: a habit that has ended is no habit, and who comes each second week is not of this one.
const GOES_ON: f64 = 0.5;
/// A weekday may be so many times its kind, or so few.
const WITHIN: f64 = 50.0;

/// One moment: what the week tells of the steps before it and of those ahead.
#[derive(Clone, Debug)]
pub struct Weekday<'a> {
    before: [Option<WeekView<'a>>; LAGS],
    /// By horizon; none, here as there, where the calendar knows what is on, which needs no habit.
    ahead: [Option<WeekView<'a>>; HORIZONS],
    keep: f64,
}

impl<'a> Weekday<'a> {
    /// The moment `at`.
    pub fn new(looking: &Looking<'a>, at: EventTime) -> Self {
        let Looking { usual, calendar, programme, step, .. } = *looking;
        let week = |start: EventTime| programme.at(start).is_none().then(|| usual.week(calendar.place(start)));
        let before = std::array::from_fn(|lag| week(at.before(step.times(lag as u64 + 1))));
        let ahead = STEPS.map(|steps| week(at.after(step.times(u64::from(steps) - 1))));
        Self { before, ahead, keep: hour_kept(step) }
    }

    /// What is said of `series` by horizon, persons; `None` where the usual is expected. `usual` is that of a horizon.
    pub fn of(&self, series: usize, recent: &Recent, usual: impl Fn(usize) -> Option<f64>) -> [Option<f64>; HORIZONS] {
        let expected: [Option<f64>; HORIZONS] = std::array::from_fn(|horizon| {
            let (week, usual) = (self.ahead[horizon].as_ref()?, usual(horizon)?);
            let expected = on_weekday(week, series, usual);
            let is_other =
                (expected - usual).abs() >= DIFFERS.0 * week.doubt(series, usual)? && libm::log((expected + CAUTION) / (usual + CAUTION)).abs() >= DIFFERS.1;
            let goes_on = week.week_before(series).is_none_or(|last| (last - usual) / (expected - usual) >= GOES_ON);
            (is_other && goes_on).then_some(expected)
        });
        if expected.iter().all(Option::is_none) {
            return expected;
        }
        let pace = self.pace(series, recent);
        std::array::from_fn(|horizon| expected[horizon].map(|expected| at_pace(expected, pace, horizon)))
    }

    /// ln(came/expected) over the last hour.
    fn pace(&self, series: usize, recent: &Recent) -> f64 {
        let (mut came, mut due, mut weight) = (CAUTION, CAUTION, 1.0);
        for (lag, week) in self.before.iter().enumerate() {
            if let (Some(week), Some(persons), Some(usual)) = (week, recent.came[lag], recent.usual[lag]) {
                (came, due) = (came + weight * persons, due + weight * on_weekday(week, series, usual));
            }
            weight *= self.keep;
        }
        libm::log(came / due)
    }
}

/// What is expected on this weekday where so many are usual, persons.
fn on_weekday(week: &WeekView<'_>, series: usize, usual: f64) -> f64 {
    week.shifted_within(series, usual, WITHIN).max(0.0)
}

#[cfg(test)]
#[path = "weekday_tests.rs"]
mod tests;
